#include "chat/cite_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"

namespace tandem::chat {

namespace {

constexpr std::size_t kLongestMark = 40;    // of letters behind the tag: more are no mark
constexpr std::size_t kLongestGroup = 400;  // of marks in one pair of brackets
constexpr std::size_t kLongestNumber = 3;   // digits
constexpr std::size_t kBehind = 800;        // of what was said, kept to find the quote that a mark is for
constexpr std::size_t kQuoteGap = 48;       // between the end of a quote and its mark
constexpr std::size_t kShortestQuote = 12;  // letters: less may be a term

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Letters and digits alone, so that line breaks and what we have changed in the prompt do not count.
std::string bare(std::string_view text) {
    std::string out;
    for (const char c : text)
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
    } kind = Kind::plain;
    std::size_t size = 1;
    std::vector<std::string_view> marks{};
};

class Scanner {
  public:
    explicit Scanner(std::string_view tag) : tag_(tag), heads_(fmt::format("[!`\n{}", tag.substr(0, 1))) {}

    // How far the text is nothing of ours for certain.
    std::size_t plain(std::string_view text) const { return std::min(text.find_first_of(heads_), text.size()); }

    Token at(std::string_view text, bool last) const {
        if (text.front() == '[') {
            auto group = group_at(text, last);
            return group.kind == Token::Kind::plain ? number_at(text, last) : group;
        }
        if (text.front() == '!') {
            if (text.size() == 1) return {last ? Token::Kind::plain : Token::Kind::partial};
            return {text[1] == '[' ? Token::Kind::image : Token::Kind::plain};
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

    static Token number_at(std::string_view text, bool last) {
        std::size_t end = 1;
        while (end < text.size() && end <= kLongestNumber && text[end] >= '0' && text[end] <= '9') ++end;
        if (end == text.size()) return {last ? Token::Kind::plain : Token::Kind::partial};
        return end > 1 && text[end] == ']' ? Token{Token::Kind::number, end + 1} : Token{};
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
        std::string held;     // what may be the head of a mark
        std::string said;     // the end of what was said
        std::string text;     // that is to be said next
        bool any = false;     // something was said
        bool listed = false;  // its list was said
        bool fence = false;   // in a block of code
        bool code = false;    // in code within a line
        bool json = false;    // it begins as JSON does, whatever was asked for
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
                if (code || !may_be_ours(text.substr(1, text.size() - 2))) break;
                ++notes_->forged;
                return add(choice, fmt::format("({})", text.substr(1, text.size() - 2)));
            case Token::Kind::image:
                if (code) break;
                ++notes_->images;
                return;  // the "!" alone: what follows is a link
            case Token::Kind::plain:
            case Token::Kind::partial:
                break;
        }
        if (text == "\n") choice.code = false;
        add(choice, text);
    }

    static void note_code(Choice& choice, std::size_t ticks) {
        constexpr std::size_t kFence = 3;
        if (ticks >= kFence)
            choice.fence = !choice.fence;
        else if (!choice.fence)
            choice.code = !choice.code;
    }

    // A source has numbers from 1 to as many as there are: 0, and what is higher, nobody takes for one.
    bool may_be_ours(std::string_view digits) const {
        const auto number = whole_number(digits).value_or(0);
        return number >= 1 && static_cast<std::size_t>(number) <= sources_->known.size();
    }

    static void add(Choice& choice, std::string_view text) {
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
        add(choice, shown);
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
        if (!sources_->prose || choice.json || !whole || !choice.any || std::exchange(choice.listed, true)) return;
        add(choice, list_of(finished.choice));
        say(finished.choice, choice, out);
    }

    std::string list_of(std::int64_t choice) {
        constexpr std::size_t kMostShown = 3;  // of those that are not named
        if (sources_->known.empty())
            return fmt::format("\n\nSources: none. Nothing was found in {}, so this does not come from your files.",
                               sources_->searched);
        const auto& named = notes_->named[choice];
        if (named.empty()) {
            std::string list = "\n\nSources: the answer names none. Found in your files were:";
            for (std::size_t i = 0; i < std::min(kMostShown, sources_->known.size()); ++i)
                list += "\n- " + sources_->known[i].source.place();
            return list;
        }
        std::map<std::int64_t, std::size_t> by_number;
        for (const auto place : named) by_number[numbered(place).number] = place;
        std::string list = "\n\nSources:";
        for (const auto& [number, place] : by_number)
            list +=
                fmt::format("\n[{}] {}{}", number, sources_->known[place].source.place(),
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

std::unique_ptr<EventFilter> cite_filter(std::shared_ptr<const Sources> sources, std::shared_ptr<CitingNotes> notes) {
    return std::make_unique<CiteFilter>(std::move(sources), std::move(notes));
}

}  // namespace tandem::chat
