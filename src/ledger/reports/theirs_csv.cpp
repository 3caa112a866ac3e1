// A provider's table as CSV.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/time_text.h"
#include "ledger/prices/reading.h"
#include "ledger/reports/question.h"
#include "ledger/reports/rollup.h"
#include "ledger/reports/theirs.h"

namespace tandem::ledger::reports {

namespace {

constexpr std::array<std::string_view, 12> kFields = {
    "day", "model", "key", "tier", "requests", "input", "cached", "cache_write", "output", "cost", "cents", "currency"};

using Row = std::vector<std::string>;

// The rows of RFC 4180, and those that end with a line feed alone; `line` is that of the row's beginning.
class Rows {
  public:
    Rows(std::string_view text, char between) : rest_(text), between_(between) {}
    std::size_t line() const { return begun_; }

    // False at the end. Errors: invalid, for a quote that is not closed.
    Result<bool> next(Row& row) {
        row.clear();
        begun_ = line_;
        if (rest_.empty()) return false;
        while (true) {
            std::string field;
            if (rest_.starts_with('"')) {
                if (!quoted(field))
                    return fail(ErrorCode::invalid, fmt::format("line {}: a quote is not closed", begun_));
            }
            const auto end = rest_.find_first_of(std::string{between_, '\n'});
            field += rest_.substr(0, std::min(end, rest_.size()));
            if (field.ends_with('\r')) field.pop_back();
            row.push_back(std::move(field));
            if (end == std::string_view::npos) {
                rest_ = {};
                return true;
            }
            const bool ends = rest_[end] == '\n';
            rest_.remove_prefix(end + 1);
            if (!ends) continue;
            ++line_;
            return true;
        }
    }

  private:
    bool quoted(std::string& field) {
        rest_.remove_prefix(1);
        while (true) {
            const auto quote = rest_.find('"');
            if (quote == std::string_view::npos) return false;
            line_ += static_cast<std::size_t>(std::ranges::count(rest_.substr(0, quote), '\n'));
            field += rest_.substr(0, quote);
            rest_.remove_prefix(quote + 1);
            if (!rest_.starts_with('"')) return true;
            field += '"';
            rest_.remove_prefix(1);
        }
    }

    std::string_view rest_;
    char between_;
    std::size_t line_ = 1, begun_ = 1;
};

char separator_of(std::string_view text) {
    const auto head = text.substr(0, std::min(text.find('\n'), text.size()));
    char best = ',';
    for (const char c : {';', '\t'})
        if (std::ranges::count(head, c) > std::ranges::count(head, best)) best = c;
    return best;
}

// "2026-11-26", RFC 3339 or seconds since 1970, as a UTC day. Others do not say which of their numbers is the month.
std::optional<std::int64_t> day_in(std::string_view text) {
    auto written = std::string(trim(text));
    if (written.size() > 10 && written[10] == ' ') written[10] = 'T';
    if (written.ends_with("+00")) written += ":00";
    if (const auto time = tandem::time_from(written)) return day_of(*time);
    constexpr long long kSecondsBefore = 100'000'000'000;
    if (const auto seconds = whole_number(written); seconds && *seconds > 100'000'000 && *seconds < kSecondsBefore)
        return day_of(*seconds * 1'000);
    return {};
}

// "1,234" and "1234"; with a "$" in front where it is money.
std::optional<std::string> plain_number(std::string_view text, bool money) {
    auto digits = std::string(trim(text));
    const bool negative = digits.starts_with('-');
    if (negative) digits.erase(0, 1);
    if (money && digits.starts_with('$')) digits.erase(0, 1);
    const auto point = std::min(digits.find('.'), digits.size());
    if (const auto first = digits.find(','); first != std::string::npos) {
        // Commas of thousands alone: "1,5" is somebody's decimal.
        if (first == 0 || first > 3 || digits.find(',', point) != std::string::npos) return {};
        for (std::size_t at = first; at < point; at += 4)
            if (digits[at] != ',' || at + 4 > point) return {};
        std::erase(digits, ',');
    }
    return (negative ? "-" : "") + digits;
}

class Table {
  public:
    Table(std::string_view text, const Columns& columns, std::string_view currency)
        : rows_(text, separator_of(text)), columns_(columns), currency_(currency) {}

    Result<Theirs> read() && {
        if (auto ok = read_head(); !ok) return fail(ok.error());
        Row row;
        while (true) {
            const auto there = rows_.next(row);
            if (!there) return fail(there.error());
            if (!*there) break;
            if (std::ranges::all_of(row, [](const std::string& field) { return trim(field).empty(); })) continue;
            if (auto ok = read_row(row); !ok)
                return fail(ErrorCode::invalid, fmt::format("line {}: {}", rows_.line(), ok.error().message));
        }
        theirs_.has_costs = at_.contains("cost") || at_.contains("cents");
        theirs_.has_usage = at_.contains("input") || at_.contains("output");
        return std::move(theirs_);
    }

  private:
    Result<> read_head() {
        Row head;
        const auto there = rows_.next(head);
        if (!there) return fail(there.error());
        for (auto& name : head) name = std::string(trim(name));
        if (!head.empty()) head[0] = std::string(without_byte_order_mark(head[0]));
        for (const auto field : kFields) {
            const auto named = columns_.find(field);
            const auto found = std::ranges::find(head, named == columns_.end() ? std::string(field) : named->second);
            if (found != head.end())
                at_[std::string(field)] = static_cast<std::size_t>(found - head.begin());
            else if (named != columns_.end())
                return fail(ErrorCode::invalid, fmt::format("there is no column '{}'{}", printable(named->second, 40),
                                                            suggest(named->second, head)));
        }
        if (!at_.contains("day"))
            return fail(ErrorCode::invalid,
                        fmt::format("which column is the day? Say so with --columns day=NAME,...; there are: {}",
                                    printable(join(head, ", "), 200)));
        if (!at_.contains("cost") && !at_.contains("cents") && !at_.contains("input") && !at_.contains("output"))
            return fail(ErrorCode::invalid,
                        fmt::format("which column is the cost? Say so with --columns cost=NAME, cents=NAME, or "
                                    "input=NAME,output=NAME for tokens; there are: {}",
                                    printable(join(head, ", "), 200)));
        return {};
    }

    std::string_view field(const Row& row, std::string_view name) const {
        const auto found = at_.find(name);
        return found == at_.end() || found->second >= row.size() ? std::string_view() : trim(row[found->second]);
    }

    Result<> count(const Row& row, std::string_view name, std::optional<std::int64_t>& target) const {
        const auto text = field(row, name);
        if (text.empty()) return {};
        const auto digits = plain_number(text, false);
        const auto number = digits ? prices::thousandths(*digits) : std::nullopt;
        if (!number || *number < 0 || *number % 1'000 != 0)
            return fail(ErrorCode::invalid,
                        fmt::format("{}: expected a whole number, got '{}'", name, printable(text, 40)));
        target = *number / 1'000;
        return {};
    }

    Result<> amount(const Row& row, std::string_view name, std::int64_t parts, TheirLine& line) const {
        const auto text = field(row, name);
        if (text.empty()) return {};
        const auto digits = plain_number(text, true);
        const auto value = digits ? prices::Amount::parse(*digits) : std::nullopt;
        if (!value)
            return fail(ErrorCode::invalid,
                        fmt::format("{}: expected a decimal such as 12.34, got '{}'", name, printable(text, 40)));
        line.cost = prices::Amount::from_atto(prices::divided_half_to_even(value->atto(), parts));
        return {};
    }

    Result<> read_row(const Row& row) {
        TheirLine line;
        const auto day = day_in(field(row, "day"));
        if (!day)
            return fail(
                ErrorCode::invalid,
                fmt::format("day: expected 2026-11-26, RFC 3339 or seconds since 1970, got '{}'; other dates do "
                            "not say which number is the month",
                            printable(field(row, "day"), 40)));
        line.day = *day;
        line.model = field(row, "model");
        line.key = field(row, "key");
        line.tier = tier_named(field(row, "tier"));
        for (const auto& [name, target] :
             {std::pair{"requests", &line.requests}, std::pair{"input", &line.input}, std::pair{"cached", &line.cached},
              std::pair{"cache_write", &line.cache_write}, std::pair{"output", &line.output}})
            if (auto ok = count(row, name, *target); !ok) return ok;
        if (auto ok = amount(row, "cents", 100, line); !ok) return ok;
        if (auto ok = amount(row, "cost", 1, line); !ok) return ok;
        if (const auto said = lower(field(row, "currency")); !said.empty() && said != lower(currency_))
            return fail(ErrorCode::invalid, fmt::format("its amount is in {}, and `currency` of tandem.yaml is {}",
                                                        printable(said, 10), currency_));
        theirs_.first_day = std::min(theirs_.first_day, *day);
        theirs_.last_day = std::max(theirs_.last_day, *day);
        theirs_.lines.push_back(std::move(line));
        return {};
    }

    Rows rows_;
    const Columns& columns_;
    std::string currency_;
    std::map<std::string, std::size_t, std::less<>> at_;
    Theirs theirs_;
};

}  // namespace

Result<Columns> columns_from(std::string_view text) {
    Columns columns;
    const std::vector<std::string> names(kFields.begin(), kFields.end());
    while (!text.empty()) {
        const auto end = std::min(text.find(','), text.size());
        const auto pair = text.substr(0, end);
        const auto equals = pair.find('=');
        const auto field = std::string(trim(pair.substr(0, std::min(equals, pair.size()))));
        if (equals == std::string_view::npos || std::ranges::find(names, field) == names.end())
            return fail(ErrorCode::invalid, fmt::format("columns: expected FIELD=NAME,... with the fields {}; got '{}'",
                                                        join(names, ", "), printable(pair, 40)));
        columns[field] = std::string(trim(pair.substr(equals + 1)));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (columns.contains("cost") && columns.contains("cents"))
        return fail(ErrorCode::invalid, "columns: cost or cents, not both");
    return columns;
}

Result<Theirs> read_csv_report(std::string_view text, const Columns& columns, std::string_view currency) {
    if (text.size() > kMostReportBytes)
        return fail(ErrorCode::too_large, "the file is larger than 64 MiB; reconcile fewer days at a time");
    return Table(text, columns, currency).read();
}

}  // namespace tandem::ledger::reports
