#include "privacy/restore.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "base/json.h"
#include "chat/sealed.h"

namespace tandem::privacy {

namespace {

constexpr std::size_t kLongestEnding = 4;  // "'s", "en": what models put behind a name
constexpr std::size_t kMostBlanks = 2;

char upper(char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
}
bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_separator(char c) {
    return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')';
}

// What opens and closes a placeholder, in the forms in which models write it. The longest first.
struct Bracket {
    std::string_view open, close;
};
constexpr Bracket kBrackets[] = {{"\\\\u003c", "\\\\u003e"},
                                 {"\\u003c", "\\u003e"},
                                 {"&lt;", "&gt;"},
                                 {"<", ">"},
                                 {"[", "]"},
                                 {"{", "}"},
                                 {"(", ")"}};

// How far `text` from `at` on goes along with `word`, in any case: all of it, or to the text's end.
enum class Along { no, to_the_end, all };
Along along(std::string_view text, std::size_t at, std::string_view word) {
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (at + i >= text.size()) return Along::to_the_end;
        if (upper(text[at + i]) != upper(word[i])) return Along::no;
    }
    return Along::all;
}

}  // namespace

Stands::Stands(const std::vector<StandIn>& used) {
    for (const auto& entry : used) {
        empty_ = false;
        if (entry.text.starts_with('<')) {
            placeholders_.emplace(std::pair(entry.type, entry.number), &entry);
            if (std::ranges::find(types_, entry.type) == types_.end()) types_.push_back(entry.type);
            for (const auto& bracket : kBrackets) heads_[static_cast<unsigned char>(bracket.open.front())] = true;
            for (const char c : {upper(entry.type.front()), static_cast<char>(std::tolower(entry.type.front()))})
                heads_[static_cast<unsigned char>(c)] = true;
        } else if (!entry.text.empty()) {
            const char first = entry.text.front();
            literals_[static_cast<unsigned char>(upper(first))].push_back(&entry);
            heads_[static_cast<unsigned char>(upper(first))] = true;
            heads_[static_cast<unsigned char>(std::tolower(static_cast<unsigned char>(first)))] = true;
        }
    }
}

Stands::Match Stands::match(std::string_view text, std::size_t at, char before, bool last) const {
    if (!heads_[static_cast<unsigned char>(text[at])]) return {};
    auto best = placeholder_at(text, at, before, last);
    for (const auto* entry : literals_[static_cast<unsigned char>(upper(text[at]))]) {
        const auto found = literal_at(*entry, text, at, before, last);
        if (found.kind == Match::Kind::partial) return found;
        if (found.kind == Match::Kind::whole && found.length > best.length) best = found;
    }
    return best;
}

Stands::Match Stands::placeholder_at(std::string_view text, std::size_t at, char before, bool last) const {
    using enum Match::Kind;
    if (types_.empty()) return {};
    const Match unclear{last ? none : partial, 0, nullptr, {}};
    std::size_t i = at;
    const Bracket* bracket = nullptr;
    for (const auto& candidate : kBrackets) {
        const auto how = along(text, at, candidate.open);
        if (how == Along::to_the_end) return unclear;
        if (how == Along::no) continue;
        bracket = &candidate;
        i += candidate.open.size();
        break;
    }
    if (bracket == nullptr && is_word(before)) return {};
    auto blanks = [&] {
        for (std::size_t n = 0; bracket != nullptr && n < kMostBlanks && i < text.size() && text[i] == ' '; ++n) ++i;
    };
    blanks();
    // The type, with its underscores as they may have become.
    const std::string* type = nullptr;
    std::size_t behind = 0;
    for (const auto& candidate : types_) {
        std::size_t j = i;
        bool same = true;
        for (const char c : candidate) {
            if (j >= text.size()) return unclear;
            if (c == '_' && (text[j] == '_' || text[j] == ' ' || text[j] == '-')) {
                ++j;
                continue;
            }
            if (c == '_' && text[j] == '\\' && j + 1 < text.size() && text[j + 1] == '_') {  // Markdown's escape
                j += 2;
                continue;
            }
            if (upper(text[j]) != upper(c)) {
                same = false;
                break;
            }
            ++j;
        }
        if (same && j - i > behind) {
            type = &candidate;
            behind = j - i;
        }
    }
    if (type == nullptr) return {};
    i += behind;
    if (i >= text.size()) return unclear;
    if (text[i] == '\\' && i + 1 >= text.size()) return unclear;
    if (text[i] == '\\' && text[i + 1] == '_') ++i;
    if (text[i] == '_' || text[i] == ' ' || text[i] == '-') ++i;
    if (i >= text.size()) return unclear;
    std::int64_t number = 0;
    const auto digits = i;
    while (i < text.size() && is_digit(text[i]) && i - digits < 9) number = number * 10 + (text[i++] - '0');
    if (i == digits) return {};
    if (i >= text.size() && !last) return unclear;
    const auto found = placeholders_.find(std::pair(*type, number));
    const StandIn* const entry = found == placeholders_.end() ? nullptr : found->second;
    if (entry == nullptr) return {};
    if (bracket == nullptr) return {whole, i - at, entry, {}};
    // What closes it, perhaps after an ending.
    const auto ended = i;
    for (std::size_t n = 0; n <= kLongestEnding; ++n) {
        std::size_t j = ended + n;
        if (j > text.size()) break;
        for (std::size_t b = 0; b < kMostBlanks && j < text.size() && text[j] == ' '; ++b) ++j;
        const auto how = along(text, j, bracket->close);
        if (how == Along::all) return {whole, j + bracket->close.size() - at, entry, text.substr(ended, n)};
        if (how == Along::to_the_end && !last) return unclear;
        if (j >= text.size()) break;
        const char c = text[ended + n];
        if (std::isalpha(static_cast<unsigned char>(c)) == 0 && c != '\'' && static_cast<unsigned char>(c) < 0x80)
            break;
    }
    // It was opened and not closed: the brackets are not its own.
    if (bracket->open == "<" || bracket->open.size() > 1) return {whole, ended - at, entry, {}};
    return {};
}

Stands::Match Stands::literal_at(const StandIn& entry, std::string_view text, std::size_t at, char before,
                                 bool last) const {
    using enum Match::Kind;
    const Match unclear{last ? none : partial, 0, nullptr, {}};
    const std::string_view wanted = entry.text;
    const bool digits = std::ranges::count_if(wanted, is_digit) * 2 > static_cast<std::ptrdiff_t>(wanted.size());
    if (is_word(before) && is_word(wanted.front())) return {};
    std::size_t i = at;
    for (std::size_t w = 0; w < wanted.size();) {
        if (digits && is_separator(wanted[w])) {
            ++w;
            continue;
        }
        if (i >= text.size()) return unclear;
        if (upper(text[i]) == upper(wanted[w])) {
            ++i;
            ++w;
        } else if (digits && i > at && is_separator(text[i]) && (is_separator(text[i - 1]) == 0)) {
            ++i;
        } else {
            return {};
        }
    }
    if (i >= text.size() && !last) return unclear;
    if (i < text.size() && is_word(text[i]) && is_digit(wanted.back()) && is_digit(text[i])) return {};
    return {whole, i - at, &entry, {}};
}

void Restorer::note(char c) {
    // In JSON, a quote with no backslash before it ends or begins a string; one with one is of a string within it, one
    // with three of one within that.
    if (c == '\\') {
        ++backslashes_;
        return;
    }
    if (c == '"') {
        std::size_t level = 0;
        for (int n = backslashes_; n > 0 && level + 1 < open_.size(); n = (n - 1) / 2) ++level;
        const bool closes = open_[level];
        open_[level] = !closes;
        for (std::size_t deeper = level + 1; deeper < open_.size(); ++deeper) open_[deeper] = false;
    }
    backslashes_ = 0;
}

std::string Restorer::run(std::string_view piece, bool last) {
    held_ += piece;
    if (stands_->empty()) return std::exchange(held_, {});
    std::string out;
    out.reserve(held_.size());
    const std::string_view text = held_;
    std::size_t i = 0;
    auto pass = [&] {
        out += text[i];
        if (in_json_) note(text[i]);
        before_ = text[i];
        ++i;
    };
    while (i < text.size()) {
        const auto found = stands_->match(text, i, before_, last);
        if (found.kind == Stands::Match::Kind::partial) break;
        if (found.kind == Stands::Match::Kind::none) {
            pass();
            continue;
        }
        std::string value = found.stand_in->value;
        value += found.ending;
        if (in_json_)
            for (auto n = std::ranges::count(open_, true); n > 0; --n) {
                value = json::quoted(value);
                value = value.substr(1, value.size() - 2);
            }
        out += value;
        if (!value.empty()) before_ = value.back();
        backslashes_ = 0;
        i += found.length;
    }
    held_.erase(0, i);
    return out;
}

std::string restored(const std::shared_ptr<const Stands>& stands, std::string_view text, bool in_json) {
    Restorer restorer(stands, in_json);
    auto out = restorer.take(text);
    return out + restorer.end();
}

namespace {

class RestoreFilter final : public chat::EventFilter {
  public:
    explicit RestoreFilter(std::shared_ptr<const Stands> stands) : stands_(std::move(stands)) {}

    void take(chat::Event event, std::vector<chat::Event>& out) override {
        if (auto* text = std::get_if<chat::TextDelta>(&event)) return piece(kText, text->choice, *text, out);
        if (auto* text = std::get_if<chat::ReasoningDelta>(&event)) return piece(kThought, text->choice, *text, out);
        if (auto* text = std::get_if<chat::RefusalDelta>(&event)) return piece(kRefusal, text->choice, *text, out);
        if (auto* call = std::get_if<chat::ToolCallDelta>(&event)) return arguments(*call, out);
        if (auto* failed = std::get_if<chat::Failed>(&event))
            failed->error.message = restored(stands_, failed->error.message, false);
        // What is held back comes before whatever ends it.
        if (auto* ended = std::get_if<chat::ReasoningEnd>(&event)) {
            flush(kThought, ended->choice, out);
            // The thoughts once more, as JSON. Sent back, they get the same stand-ins again.
            if (ended->signature.starts_with(chat::kReasoningDetails))
                ended->signature = restored(stands_, ended->signature, true);
        }
        if (const auto* ended = std::get_if<chat::ToolCallEnd>(&event)) flush_call({ended->choice, ended->index}, out);
        if (const auto* ended = std::get_if<chat::Finished>(&event)) {
            for (const int kind : {kThought, kText, kRefusal}) flush(kind, ended->choice, out);
            while (!calls_.empty()) {
                const auto next =
                    std::ranges::find_if(calls_, [&](const auto& c) { return c.first.first == ended->choice; });
                if (next == calls_.end()) break;
                flush_call(next->first, out);
            }
        }
        out.push_back(std::move(event));
    }

    void end(std::vector<chat::Event>& out) override {
        while (!texts_.empty()) flush(texts_.begin()->first.first, texts_.begin()->first.second, out);
        while (!calls_.empty()) flush_call(calls_.begin()->first, out);
    }

  private:
    static constexpr int kThought = 0, kText = 1, kRefusal = 2;
    using Call = std::pair<std::int64_t, std::int64_t>;

    template <typename Delta>
    void piece(int kind, std::int64_t choice, Delta& delta, std::vector<chat::Event>& out) {
        // What another kind has held back stood before this.
        for (const int other : {kThought, kText, kRefusal})
            if (other != kind) flush(other, choice, out);
        auto at = texts_.find({kind, choice});
        if (at == texts_.end()) at = texts_.emplace(std::pair(kind, choice), Restorer(stands_, false)).first;
        auto text = at->second.take(delta.text);
        if (!text.empty() || delta.text.empty()) out.emplace_back(Delta{choice, std::move(text)});
    }

    void flush(int kind, std::int64_t choice, std::vector<chat::Event>& out) {
        const auto at = texts_.find({kind, choice});
        if (at == texts_.end()) return;
        auto text = at->second.end();
        texts_.erase(at);
        if (text.empty()) return;
        if (kind == kThought)
            out.emplace_back(chat::ReasoningDelta{choice, std::move(text)});
        else if (kind == kText)
            out.emplace_back(chat::TextDelta{choice, std::move(text)});
        else
            out.emplace_back(chat::RefusalDelta{choice, std::move(text)});
    }

    struct OpenCall {
        Restorer restorer;
        bool custom;
    };
    void arguments(chat::ToolCallDelta& call, std::vector<chat::Event>& out) {
        for (const int kind : {kThought, kText, kRefusal}) flush(kind, call.choice, out);
        auto at = calls_.find({call.choice, call.index});
        const bool first = at == calls_.end();
        if (first)
            at = calls_.emplace(Call{call.choice, call.index}, OpenCall{Restorer(stands_, !call.custom), call.custom})
                     .first;
        call.arguments = at->second.restorer.take(call.arguments);
        if (first || !call.arguments.empty() || !call.id.empty() || !call.name.empty())
            out.emplace_back(std::move(call));
    }

    void flush_call(Call which, std::vector<chat::Event>& out) {
        const auto at = calls_.find(which);
        if (at == calls_.end()) return;
        auto text = at->second.restorer.end();
        const bool custom = at->second.custom;
        calls_.erase(at);
        if (!text.empty())
            out.emplace_back(chat::ToolCallDelta{which.first, which.second, {}, {}, std::move(text), custom});
    }

    const std::shared_ptr<const Stands> stands_;
    std::map<std::pair<int, std::int64_t>, Restorer> texts_;
    std::map<Call, OpenCall> calls_;
};

}  // namespace

std::unique_ptr<chat::EventFilter> restore_filter(std::shared_ptr<const Stands> stands) {
    return std::make_unique<RestoreFilter>(std::move(stands));
}

}  // namespace tandem::privacy
