#include "ledger/local/hours.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "ledger/local/cost.h"

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

Result<std::int64_t> add(store::Database& database, const Entry& entry) {
    if (trim(entry.text).empty() || entry.text.size() > kLongestText)
        return fail(ErrorCode::invalid, fmt::format("text: expected what was done, in 1 to {} bytes", kLongestText),
                    "text");
    std::int64_t next = 1;
    {
        auto row = database.prepare("SELECT count(*), coalesce(max(id), 0) + 1 FROM own_hours");
        if (const auto found = row.step(); !found) return fail(found.error());
        if (row.integer(0) >= kMostEntries)
            return fail(ErrorCode::invalid,
                        fmt::format("there are {} entries, and no more are kept: `tandem cost hours rm ID` takes out "
                                    "old ones",
                                    kMostEntries));
        next = row.integer(1);
    }
    auto added = database.prepare("INSERT INTO own_hours (id, time, ms, kind, text) VALUES (?,?,?,?,?)")
                     .bind(1, next)
                     .bind(2, entry.time)
                     .bind(3, entry.ms)
                     .bind(4, static_cast<std::int64_t>(entry.kind))
                     .bind(5, entry.text)
                     .run();
    if (!added) return fail(added.error());
    return next;
}

Result<> remove(store::Database& database, std::int64_t id) {
    if (auto ok = database.prepare("DELETE FROM own_hours WHERE id = ?").bind(1, id).run(); !ok) return ok;
    if (database.changes() == 0)
        return fail(ErrorCode::not_found,
                    fmt::format("there is no entry {}; `tandem cost hours list` shows them all", id));
    return {};
}

Result<std::vector<Entry>> entries(store::Database& database, std::int64_t since, std::int64_t until) {
    auto rows = database.prepare(
        "SELECT id, time, ms, kind, text FROM own_hours WHERE time >= ? AND time < ? ORDER BY time, id");
    rows.bind(1, since).bind(2, until);
    std::vector<Entry> list;
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return list;
        const auto kind = std::clamp<std::int64_t>(rows.integer(3), 0, kKindNames.size() - 1);
        list.push_back({rows.integer(0), rows.integer(1), rows.integer(2), static_cast<Kind>(kind), rows.text(4)});
    }
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
