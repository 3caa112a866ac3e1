#include "retrieval/search/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.h"

namespace tandem::retrieval {

namespace {

constexpr auto kFilters = std::to_array<std::string_view>({"path", "type", "after", "collection"});
constexpr std::int64_t kDay = 86'400'000;

// One element: what stands between blanks, quotes kept together.
struct Element {
    std::string_view filter;  // of kFilters; empty: none
    std::string_view text;    // without its quotes
    bool excluded = false, quoted = false;
};

class Elements {
  public:
    explicit Elements(std::string_view text) : text_(text) {}

    std::optional<Element> next() {
        while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
        if (at_ >= text_.size()) return {};
        Element element;
        if (text_[at_] == '-' && at_ + 1 < text_.size() && begins_word(text_[at_ + 1])) {
            element.excluded = true;
            ++at_;
        }
        for (const auto filter : kFilters) {
            const auto head = text_.substr(at_, filter.size());
            const auto value = at_ + filter.size() + 1;
            if (!equals_ignoring_case(head, filter) || value >= text_.size() || text_[value - 1] != ':' ||
                is_blank(text_[value]))
                continue;
            element.filter = filter;
            at_ = value;
            break;
        }
        if (const auto close = closing_quote(); close != std::string_view::npos) {
            element.quoted = true;
            element.text = text_.substr(at_ + 1, close - at_ - 1);
            at_ = close + 1;
            return element;
        }
        const auto begin = at_;
        while (at_ < text_.size() && !is_blank(text_[at_])) ++at_;
        element.text = text_.substr(begin, at_ - begin);
        return element;
    }

  private:
    static bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' '; }
    static bool begins_word(char c) {
        const auto u = static_cast<unsigned char>(c);
        return (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || u >= 0x80 || u == '"';
    }
    // Where a quote that opens here closes; none for one that stands alone.
    std::size_t closing_quote() const {
        if (text_[at_] != '"') return std::string_view::npos;
        return text_.find('"', at_ + 1);
    }
    std::string_view text_;
    std::size_t at_ = 0;
};

// "2026-11-01", "7d", "12h".
std::optional<std::int64_t> time_from(std::string_view text, std::int64_t now_ms) {
    if (text.size() == 10 && text[4] == '-' && text[7] == '-') {
        const auto year = whole_number(text.substr(0, 4)), month = whole_number(text.substr(5, 2)),
                   day = whole_number(text.substr(8, 2));
        if (!year || !month || !day) return {};
        const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                               std::chrono::month(static_cast<unsigned>(*month)),
                                               std::chrono::day(static_cast<unsigned>(*day))};
        if (!date.ok()) return {};
        return std::chrono::sys_days(date).time_since_epoch().count() * kDay;
    }
    if (text.size() < 2 || text.size() > 8) return {};
    const auto count = whole_number(text.substr(0, text.size() - 1));
    if (!count) return {};
    if (text.back() == 'd') return now_ms - *count * kDay;
    if (text.back() == 'h') return now_ms - *count * kDay / 24;
    return {};
}

std::size_t count_words(std::string_view text) {
    std::size_t count = 0;
    bool in = false;
    for (const char c : text) {
        const bool blank = static_cast<unsigned char>(c) <= ' ';
        count += !blank && !in ? 1 : 0;
        in = !blank;
    }
    return count;
}

void take(Query& query, const Element& element, std::int64_t now_ms, bool sentence) {
    const auto look_for = [&](std::string_view text) {
        if (!query.words.empty()) query.words += ' ';
        query.words += text;
    };
    const std::string value(element.text);
    if (element.filter == "collection" && !value.empty()) return query.collections.push_back(value);
    if (element.filter == "path" && !value.empty()) return query.paths.push_back(value);
    if (element.filter == "type" && !value.empty()) return query.types.push_back(lower(value));
    if (element.filter == "after") {
        if (const auto time = time_from(value, now_ms)) {
            query.after = query.after ? std::max(*query.after, *time) : *time;
            return;
        }
        query.notes.push_back(fmt::format(
            "after:{} is no time such as 2026-11-01, 7d or 12h, and is looked for as words", printable(value, 40)));
    }
    if (sentence) return look_for(value);
    if (element.excluded && !element.quoted) return query.not_words.push_back(value);
    if (element.quoted && !trim(value).empty()) query.phrases.push_back({value, element.excluded});
    if (!element.excluded) look_for(value);
}

}  // namespace

Query parse_query(std::string_view text, std::int64_t now_ms) {
    Query query;
    if (text.size() > kLongestQuery) {
        text = text.substr(0, kLongestQuery);
        query.notes.push_back(fmt::format("of the query the first {} bytes are taken", kLongestQuery));
    }
    const bool sentence = count_words(text) > kMostSyntaxWords;
    Elements elements(text);
    while (const auto element = elements.next()) take(query, *element, now_ms, sentence);
    return query;
}

}  // namespace tandem::retrieval
