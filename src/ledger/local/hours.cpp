#include "ledger/local/hours.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "ledger/local/cost.h"
#include "store/row.h"

namespace tandem::ledger::local {

namespace {

constexpr std::int64_t kHour = 3'600'000;

}  // namespace

const char* const kHoursSchema =
    "CREATE TABLE own_hours (id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, ms INTEGER NOT NULL, kind "
    "INTEGER NOT "
    "NULL, text TEXT NOT NULL) STRICT;";

Result<std::int64_t> work_from(std::string_view text) {
    const auto wrong = [&] {
        return fail(ErrorCode::invalid,
                    fmt::format("time: expected hours or minutes such as 1.5h or 90m, above 0 and at most 1000h, got "
                                "'{}'",
                                printable(text, 40)),
                    "time");
    };
    const auto at = text.find_first_not_of("0123456789.");
    if (at == std::string_view::npos) return wrong();
    const auto number = Money::parse(text.substr(0, at));
    const auto unit = trim(text.substr(at));
    const std::int64_t length = unit == "h" ? kHour : unit == "m" || unit == "min" ? 60'000 : 0;
    if (!number || length == 0 || number->micros() > kLongestWork / 60'000 * config::kMillion) return wrong();
    const auto ms = part_of(*number, length, config::kMillion).micros();
    if (ms <= 0 || ms > kLongestWork) return wrong();
    return ms;
}

Result<Kind> kind_from(std::string_view text) {
    const auto* const found = std::ranges::find(kKindNames, text);
    if (found != kKindNames.end()) return static_cast<Kind>(found - kKindNames.begin());
    const std::vector<std::string> names(kKindNames.begin(), kKindNames.end());
    return fail(ErrorCode::invalid, fmt::format("kind: there is no '{}'{}", printable(text, 40), suggest(text, names)),
                "kind");
}

std::string hours_text(std::int64_t ms) {
    auto text = part_of(Money::from_micros(ms), 10'000, kHour).micros();
    auto shown = fmt::format("{}.{:04}", text / 10'000, text % 10'000);
    shown.erase(shown.find_last_not_of('0') + 1);
    if (shown.ends_with('.')) shown.pop_back();
    return shown;
}

namespace {

const store::Table<Entry>& own_hours() {
    using store::column;
    static const store::Table<Entry> table(
        "own_hours",
        {column("id", &Entry::id), column("time", &Entry::time), column("ms", &Entry::ms),
         store::choice("kind", &Entry::kind, static_cast<Kind>(kKindNames.size() - 1)), column("text", &Entry::text)});
    return table;
}

}  // namespace

Result<std::int64_t> add(store::Database& database, Entry entry) {
    if (trim(entry.text).empty() || entry.text.size() > kLongestText)
        return fail(ErrorCode::invalid, fmt::format("text: expected what was done, in 1 to {} bytes", kLongestText),
                    "text");
    {
        auto row = database.prepare("SELECT count(*), coalesce(max(id), 0) + 1 FROM own_hours");
        if (const auto found = row.step(); !found) return fail(found.error());
        if (row.integer(0) >= kMostEntries)
            return fail(ErrorCode::invalid,
                        fmt::format("there are {} entries, and no more are kept: `tandem cost hours rm ID` takes out "
                                    "old ones",
                                    kMostEntries));
        entry.id = row.integer(1);
    }
    if (auto ok = own_hours().insert(database, entry); !ok) return fail(ok.error());
    return entry.id;
}

Result<> remove(store::Database& database, std::int64_t id) {
    if (auto ok = database.prepare("DELETE FROM own_hours WHERE id = ?").bind(1, id).run(); !ok) return ok;
    if (database.changes() == 0)
        return fail(ErrorCode::not_found,
                    fmt::format("there is no entry {}; `tandem cost hours list` shows them all", id));
    return {};
}

Result<std::vector<Entry>> entries(store::Database& database, std::int64_t since, std::int64_t until) {
    static const auto kSpan = own_hours().select("WHERE time >= ? AND time < ? ORDER BY time, id");
    auto rows = database.prepare(kSpan.c_str());
    rows.bind(1, since).bind(2, until);
    return own_hours().all(rows);
}

Result<std::optional<std::int64_t>> first_entry(store::Database& database) {
    auto row = database.prepare("SELECT min(time), count(*) FROM own_hours");
    if (const auto found = row.step(); !found) return fail(found.error());
    if (row.integer(1) == 0) return std::optional<std::int64_t>();
    return std::optional(row.integer(0));
}

Money cost_of_work(std::int64_t ms, Money rate) {
    return part_of(rate, ms, kHour);
}

}  // namespace tandem::ledger::local
