#include "ledger/local/noticed.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace tandem::ledger::local {

const char* const kNoticedSchema =
    "CREATE TABLE noticed_work (id INTEGER PRIMARY KEY AUTOINCREMENT, first INTEGER NOT NULL, last INTEGER NOT NULL, "
    "count INTEGER NOT NULL, kind INTEGER NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL) STRICT;"
    "CREATE TABLE seen_versions (subject TEXT PRIMARY KEY, version TEXT NOT NULL) STRICT, WITHOUT ROWID;";

namespace {

Noticed read_noticed(const store::Statement& row) {
    const auto kind = std::clamp<std::int64_t>(row.integer(4), 0, kKindNames.size() - 1);
    return {row.integer(0),          row.integer(1), row.integer(2), row.integer(3),
            static_cast<Kind>(kind), row.text(5),    row.text(6)};
}

}  // namespace

Result<> notice(store::Database& database, std::int64_t now, Kind kind, const std::string& subject, std::string text) {
    text = printable(text, kLongestText);
    auto again = database
                     .prepare(
                         "UPDATE noticed_work SET last = ?1, count = count + 1, text = ?2 WHERE id = (SELECT "
                         "max(id) FROM noticed_work WHERE kind = ?3 AND subject = ?4 AND last >= ?5)")
                     .bind(1, now)
                     .bind(2, text)
                     .bind(3, static_cast<std::int64_t>(kind))
                     .bind(4, subject)
                     .bind(5, now - kSameTrouble)
                     .run();
    if (!again || database.changes() > 0) return again;
    auto added = database
                     .prepare(
                         "INSERT INTO noticed_work (first, last, count, kind, subject, text) VALUES "
                         "(?1, ?1, 1, ?2, ?3, ?4)")
                     .bind(1, now)
                     .bind(2, static_cast<std::int64_t>(kind))
                     .bind(3, subject)
                     .bind(4, text)
                     .run();
    if (!added) return added;
    return database
        .prepare("DELETE FROM noticed_work WHERE id NOT IN (SELECT id FROM noticed_work ORDER BY id DESC LIMIT ?)")
        .bind(1, kMostNoticed)
        .run();
}

Result<> notice_version(store::Database& database, std::int64_t now, const std::string& subject,
                        const std::string& version) {
    std::string before;
    {
        auto row = database.prepare("SELECT version FROM seen_versions WHERE subject = ?");
        row.bind(1, subject);
        const auto found = row.step();
        if (!found) return fail(found.error());
        if (*found) before = row.text(0);
    }
    if (before == version) return {};
    auto kept =
        database.prepare("INSERT OR REPLACE INTO seen_versions VALUES (?, ?)").bind(1, subject).bind(2, version).run();
    if (!kept || before.empty()) return kept;
    return notice(database, now, Kind::upgrade, subject, fmt::format("{}: {} became {}", subject, before, version));
}

Result<std::vector<Noticed>> noticed(store::Database& database) {
    auto rows = database.prepare(
        "SELECT id, first, last, count, kind, subject, text FROM noticed_work ORDER BY last DESC, id DESC");
    std::vector<Noticed> list;
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return list;
        list.push_back(read_noticed(rows));
    }
}

Result<Noticed> take_noticed(store::Database& database, std::int64_t id) {
    auto row =
        database.prepare("DELETE FROM noticed_work WHERE id = ? RETURNING id, first, last, count, kind, subject, text");
    row.bind(1, id);
    const auto found = row.step();
    if (!found) return fail(found.error());
    if (!*found)
        return fail(ErrorCode::not_found,
                    fmt::format("there is nothing noticed with the number {}; `tandem cost hours list` shows all", id));
    return read_noticed(row);
}

}  // namespace tandem::ledger::local
