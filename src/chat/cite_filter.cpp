#include "chat/cite_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "base/unseen.h"

namespace tandem::chat {

namespace {

constexpr std::size_t kLongestMark = 40;     // of letters behind the tag: more are no mark
constexpr std::size_t kLongestGroup = 400;   // of marks in one pair of brackets
constexpr std::size_t kLongestNumbers = 24;  // bytes in a pair of brackets
constexpr std::size_t kBehind = 800;         // of what was said, kept to find the quote that a mark is for
constexpr std::size_t kQuoteGap = 48;        // between the end of a quote and its mark
constexpr std::size_t kShortestQuote = 12;   // letters: less may be a term

constexpr std::pair<std::string_view, std::string_view> kWideBrackets[] = {{"\u3010", "\u3011"}, {"\uff3b", "\uff3d"}};

// Elements for which a client that shows HTML fetches something unasked.
constexpr std::string_view kFetching[] = {"<img",    "<image",  "<video", "<audio",   "<source", "<iframe",
                                          "<frame",  "<object", "<embed", "<picture", "<svg",    "<link",
                                          "<script", "<style",  "<base",  "<input"};

constexpr std::string_view kListHead = "\n\nSources:";

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Letters and digits alone, so that line breaks and what we have changed in the prompt do not count.
std::string bare(std::string_view text) {
    std::string out;
    for (const char c : without_unseen(text))
        if (is_letter(c) || (static_cast<unsigned char>(c) & 0x80U) != 0) out += c;
    return lower(out);
}

// The text in the last pair of quotation marks, where it ends near the end of `said`; empty: there is none.
std::string_view last_quote(std::string_view said) {
    struct Pair {
        std::string_view open, close;
    };
    constexpr Pair kPairs[] = {{"\"", "\""}, {"\u201c", "\u201d"}, {"\u201e", "\u201c"}, {"\u00ab", "\u00bb"}};
    for (const auto& [open, close] : kPairs) {
        const auto end = said.rfind(close);
        if (end == std::string_view::npos || end == 0 || said.size() - end > kQuoteGap + close.size()) continue;
        const auto begin = said.rfind(open, end - 1);
        if (begin == std::string_view::npos) continue;
        return said.substr(begin + open.size(), end - begin - open.size());
    }
    return {};
}

// What stands at a place of the text.
struct Token {
    enum class Kind {
        plain,    // nothing of ours
        partial,  // it depends on what follows
        marks,
        number,
        image,
        element,  // of HTML, that clients fetch something for
    } kind = Kind::plain;
    std::size_t size = 1;
    std::vector<std::string_view> marks{};
};

class Scanner {
  public:
    explicit Scanner(std::string_view tag) : tag_(tag), heads_(fmt::format("[!`<\n\xE3\xEF{}", tag.substr(0, 1))) {}

    // How far the text is nothing of ours for certain.
    std::size_t plain(std::string_view text) const { return std::min(text.find_first_of(heads_), text.size()); }

    Token at(std::string_view text, bool last) const {
        if (text.front() == '[') {
            auto group = group_at(text, last);
            return group.kind == Token::Kind::plain ? number_at(text, "[", "]", last) : group;
        }
        if (text.front() == '!') {
            if (text.size() == 1) return {last ? Token::Kind::plain : Token::Kind::partial};
            return {text[1] == '[' ? Token::Kind::image : Token::Kind::plain};
        }
        if (text.front() == '<') return element_at(text, last);
        for (const auto& [open, close] : kWideBrackets) {
            if (open.starts_with(text) && !last) return {Token::Kind::partial};
            if (text.starts_with(open)) return number_at(text, open, close, last);
        }
        return mark_at(text, last);
    }

  private:
    // The tag, a dash, and all letters behind them.
    Token mark_at(std::string_view text, bool last) const {
        const auto head = std::min(text.size(), tag_.size());
        if (text.substr(0, head) != tag_.substr(0, head)) return {};
        if (text.size() <= tag_.size()) return {last ? Token::Kind::plain : Token::Kind::partial};
        if (text[tag_.size()] != '-') return {};
        auto end = tag_.size() + 1;
        while (end < text.size() && is_letter(text[end]) && end < kLongestMark) ++end;
        if (end == text.size() && !last && end < kLongestMark) return {Token::Kind::partial};
        return {Token::Kind::marks, end, {text.substr(0, end)}};
    }

    // Marks in brackets, with blanks, commas and semicolons between them.
    Token group_at(std::string_view text, bool last) const {
        Token group{Token::Kind::marks};
        const Token partial{last ? Token::Kind::plain : Token::Kind::partial};
        for (std::size_t i = 1; i < kLongestGroup;) {
            if (i == text.size()) return partial;
            const char c = text[i];
            if (c == ']') {
                group.size = i + 1;
                return group.marks.empty() ? Token{} : group;
            }
            if (c == ' ' || c == ',' || c == ';') {
                ++i;
                continue;
            }
            // In brackets the mark ends at the bracket, so the text behind it says whether it is whole.
            const auto mark = mark_at(text.substr(i), last);
            if (mark.kind == Token::Kind::partial) return partial;
            if (mark.kind != Token::Kind::marks) return {};
            group.marks.push_back(mark.marks.front());
            i += mark.size;
        }
        return {};
    }

    // A number, or several: "[1]", "[ 1, 2]", "[^3]", "[1-4]".
    static Token number_at(std::string_view text, std::string_view open, std::string_view close, bool last) {
        auto end = open.size();
        bool any = false;
        for (; end < text.size() && end <= kLongestNumbers; ++end) {
            const char c = text[end];
            if (c >= '0' && c <= '9')
                any = true;
            else if (std::string_view(" ,;-^").find(c) == std::string_view::npos)
                break;
        }
        if (end > kLongestNumbers) return {};
        const auto rest = text.substr(end);
        if (!last && rest.size() < close.size() && close.starts_with(rest)) return {Token::Kind::partial};
        return any && rest.starts_with(close) ? Token{Token::Kind::number, end + close.size()} : Token{};
    }

    static Token element_at(std::string_view text, bool last) {
        for (const auto name : kFetching) {
            const auto there = std::min(text.size(), name.size());
            if (!equals_ignoring_case(text.substr(0, there), name.substr(0, there))) continue;
            if (there == name.size()) return {Token::Kind::element};
            if (!last) return {Token::Kind::partial};
        }
        return {};
    }

    std::string_view tag_;
    std::string heads_;  // characters with which something of ours, or of code, may begin
};

class CiteFilter final : public EventFilter {
  public:
    CiteFilter(std::shared_ptr<const Sources> sources, std::shared_ptr<CitingNotes> notes)
        : sources_(std::move(sources)), notes_(std::move(notes)), scanner_(sources_->tag) {}

    void take(Event event, std::vector<Event>& out) override {
        if (auto* text = std::get_if<TextDelta>(&event)) {
            auto& choice = choices_[text->choice];
            choice.held += text->text;
            read(text->choice, choice, false, out);
            return;
        }
        if (const auto* finished = std::get_if<Finished>(&event)) {
            finish(*finished, out);
        } else if (!std::holds_alternative<Started>(event) && !std::holds_alternative<Used>(event)) {
            flush(out);  // whatever follows text, follows it here too
        }
        out.push_back(std::move(event));
    }
    void end(std::vector<Event>& out) override { flush(out); }

  private:
    struct Choice {
        std::string held;       // what may be the head of a mark
        std::string said;       // the end of what was said
        std::string text;       // that is to be said next
        bool any = false;       // something was said
        bool listed = false;    // its list was said
        bool fence = false;     // in a block of code
        std::size_t ticks = 0;  // with which that began
        bool cited = false;     // a number of ours stands at the end
        bool code = false;      // in code within a line
        bool json = false;      // it begins as JSON does, whatever was asked for; it is JSON where it ends so too
    };

    void flush(std::vector<Event>& out) {
        for (auto& [number, choice] : choices_) read(number, choice, true, out);
    }

    void read(std::int64_t number, Choice& choice, bool last, std::vector<Event>& out) {
        std::size_t at = 0;
        const std::string_view held = choice.held;
        while (at < held.size()) {
            const auto plain = scanner_.plain(held.substr(at));
            add(choice, held.substr(at, plain));
            at += plain;
            const auto rest = held.substr(at);
            if (rest.empty()) break;
            if (rest.front() == '`') {
                const auto ticks = std::min(rest.find_first_not_of('`'), rest.size());
                if (ticks == rest.size() && !last) break;
                note_code(choice, ticks);
                add(choice, rest.substr(0, ticks));
                at += ticks;
                continue;
            }
            const auto token = scanner_.at(rest, last);
            if (token.kind == Token::Kind::partial) break;
            at += token.size;
            take_token(number, choice, token, rest.substr(0, token.size), out);
        }
        choice.held.erase(0, at);
        say(number, choice, out);
    }

    void take_token(std::int64_t number, Choice& choice, const Token& token, std::string_view text,
                    std::vector<Event>& out) {
        const bool code = choice.fence || choice.code || !sources_->prose;
        switch (token.kind) {
            case Token::Kind::marks:
                for (const auto mark : token.marks) cite(number, choice, mark, out);
                return;
            case Token::Kind::number:
                if (code || !may_be_ours(text)) break;
                ++notes_->forged;
                return add(choice, fmt::format("({})", within(text)));
            case Token::Kind::image:
                if (choice.fence || !sources_->prose) break;
                ++notes_->images;
                // The "!" alone: what follows is a link. Of code in a line it is not known whether it ends.
                if (choice.code) return add(choice, "! ");
                if (choice.said.ends_with('!')) add(choice, " ");
                return;
            case Token::Kind::element:
                if (choice.fence || !sources_->prose) break;
                ++notes_->images;
                return add(choice, "< ");
            case Token::Kind::plain:
            case Token::Kind::partial:
                break;
        }
        if (text == "\n") choice.code = false;
        add(choice, text);
    }

    // A block of code begins and ends where a line does, and ends with as many ticks as it began with, or more.
    static void note_code(Choice& choice, std::size_t ticks) {
        constexpr std::size_t kFence = 3;
        const std::string_view said = choice.said;
        const auto line = said.substr(said.rfind('\n') + 1);
        const bool begins = line.find_first_not_of(" \t>-*+.0123456789") == std::string_view::npos;
        if (choice.fence) {
            if (begins && ticks >= choice.ticks) choice.fence = false;
        } else if (ticks >= kFence && begins) {
            choice.fence = true;
            choice.ticks = ticks;
        } else if (!said.ends_with('\\')) {
            choice.code = !choice.code;
        }
    }

    // Without its brackets.
    static std::string_view within(std::string_view numbers) {
        const auto begin = numbers.find_first_of("0123456789"), end = numbers.find_last_of("0123456789");
        return numbers.substr(begin, end + 1 - begin);
    }

    // A source has numbers from 1 to as many as there are: 0, and what is higher, nobody takes for one.
    bool may_be_ours(std::string_view numbers) const {
        for (std::size_t at = 0; at < numbers.size();) {
            const auto begin = numbers.find_first_of("0123456789", at);
            if (begin == std::string_view::npos) return false;
            at = std::min(numbers.find_first_not_of("0123456789", begin), numbers.size());
            const auto number = whole_number(numbers.substr(begin, at - begin)).value_or(0);
            if (number >= 1 && static_cast<std::size_t>(number) <= sources_->known.size()) return true;
        }
        return false;
    }

    // Whether this behind a number of ours makes a link of it that the model chose: "[1](...)", "[1][...]", and "[1]:
    // ..." where a line begins.
    static bool makes_link(const Choice& choice, char next) {
        const std::string_view said = choice.said;
        if (next == ':') return trim(said.substr(said.rfind('\n') + 1)).rfind('[') == 0;
        return next == '(' || next == '[';
    }

    static void add(Choice& choice, std::string_view text) {
        if (text.empty()) return;
        if (std::exchange(choice.cited, false) && makes_link(choice, text.front())) {
            choice.text += ' ';
            choice.said += ' ';
        }
        choice.text += text;
        choice.said += text;
        if (!choice.any && !trim(text).empty()) {
            choice.any = true;
            choice.json = trim(text).front() == '{';
        }
        if (choice.said.size() > 2 * kBehind) choice.said.erase(0, choice.said.size() - kBehind);
    }

    static void say(std::int64_t number, Choice& choice, std::vector<Event>& out) {
        if (!choice.text.empty()) out.emplace_back(TextDelta{number, std::exchange(choice.text, {})});
    }

    void cite(std::int64_t number, Choice& choice, std::string_view mark, std::vector<Event>& out) {
        const auto found = std::ranges::find(sources_->known, mark, &MarkedSource::mark);
        if (found == sources_->known.end()) {
            ++notes_->unknown;
            return;
        }
        const auto place = static_cast<std::size_t>(found - sources_->known.begin());
        notes_->named[number].insert(place);
        auto source = numbered(place);
        if (const auto quote = bare(last_quote(choice.said)); quote.size() >= kShortestQuote)
            if (bare(source.text).find(quote) == std::string::npos && notes_->misquotes[number].insert(place).second)
                ++notes_->misquoted;
        const auto shown = fmt::format("[{}]", source.number);
        choice.cited = false;
        add(choice, shown);
        choice.cited = true;
        say(number, choice, out);
        out.emplace_back(Cited{number, shown.size(), std::move(source)});
    }

    Source numbered(std::size_t place) {
        const auto next = static_cast<std::int64_t>(notes_->numbers.size()) + 1;
        const auto known = notes_->numbers.try_emplace(place, next).first;
        auto source = sources_->known[place].source;
        source.number = known->second;
        return source;
    }

    void finish(const Finished& finished, std::vector<Event>& out) {
        auto& choice = choices_[finished.choice];
        read(finished.choice, choice, true, out);
        const bool whole = finished.reason == Finish::stop || finished.reason == Finish::length;
        const auto said = trim(choice.said);
        const bool is_json = choice.json && said.ends_with('}');
        if (!sources_->prose || is_json || !whole || !choice.any || std::exchange(choice.listed, true)) return;
        add(choice, list_of(finished.choice));
        say(finished.choice, choice, out);
    }

    // A file's name is data of others too: in a line, with nothing in it that makes a link or an image.
    static std::string shown(const Source& source) {
        constexpr std::size_t kLongest = 400;  // bytes
        std::string line;
        for (const char c : printable(without_unseen(source.place()), kLongest)) {
            if ((c == '[' && line.ends_with('!')) || (c == '(' && line.ends_with(']'))) line += ' ';
            line += c;
        }
        return line;
    }

    std::string list_of(std::int64_t choice) {
        constexpr std::size_t kMostShown = 3;  // of those that are not named
        if (sources_->known.empty())
            return fmt::format("{} none. Nothing was found in {}, so this does not come from your files.", kListHead,
                               sources_->searched);
        const auto& named = notes_->named[choice];
        if (named.empty()) {
            std::string list = fmt::format("{} the answer names none. Found in your files were:", kListHead);
            for (std::size_t i = 0; i < std::min(kMostShown, sources_->known.size()); ++i)
                list += "\n- " + shown(sources_->known[i].source);
            return list;
        }
        std::map<std::int64_t, std::size_t> by_number;
        for (const auto place : named) by_number[numbered(place).number] = place;
        std::string list(kListHead);
        for (const auto& [number, place] : by_number)
            list +=
                fmt::format("\n[{}] {}{}", number, shown(sources_->known[place].source),
                            notes_->misquotes[choice].contains(place) ? " (the quoted words do not stand there)" : "");
        return list;
    }

    std::shared_ptr<const Sources> sources_;
    std::shared_ptr<CitingNotes> notes_;
    Scanner scanner_;
    std::map<std::int64_t, Choice> choices_;
};

}  // namespace

std::vector<std::string> CitingNotes::take_warnings() {
    std::vector<std::string> warnings;
    const auto say = [&](std::size_t& count, std::string_view one, std::string_view many) {
        if (count > 0) warnings.push_back(count == 1 ? std::string(one) : fmt::format("{} {}", count, many));
        count = 0;
    };
    say(unknown, "a source that it named does not exist, and was left out",
        "sources that it named do not exist, and were left out");
    say(forged, "a number in brackets was its own, and stands in round ones",
        "numbers in brackets were its own, and stand in round ones");
    say(misquoted, "a quote does not stand in the source that it names",
        "quotes do not stand in the sources that they name");
    say(images, "an image became a link, since clients fetch images unasked",
        "images became links, since clients fetch images unasked");
    return warnings;
}

std::string_view without_list(std::string_view answer) {
    return answer.substr(0, answer.rfind(kListHead));
}

std::unique_ptr<EventFilter> cite_filter(std::shared_ptr<const Sources> sources, std::shared_ptr<CitingNotes> notes) {
    return std::make_unique<CiteFilter>(std::move(sources), std::move(notes));
}

}  // namespace tandem::chat
