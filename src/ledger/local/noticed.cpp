#include "ledger/local/noticed.h"

#include <fmt/format.h>

#include "base/text.h"
#include "store/row.h"

namespace tandem::ledger::local {

const char* const kNoticedSchema =
    "CREATE TABLE noticed_work (id INTEGER PRIMARY KEY AUTOINCREMENT, first INTEGER NOT NULL, last INTEGER NOT NULL, "
    "count INTEGER NOT NULL, kind INTEGER NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL) STRICT;"
    "CREATE TABLE seen_versions (subject TEXT PRIMARY KEY, version TEXT NOT NULL) STRICT, WITHOUT ROWID;";

namespace {

const store::Table<Noticed>& noticed_work() {
    using store::column;
    using N = Noticed;
    static const store::Table<N> table(
        "noticed_work",
        {column("id", &N::id), column("first", &N::first), column("last", &N::last), column("count", &N::count),
         store::choice("kind", &N::kind, static_cast<Kind>(kKindNames.size() - 1)), column("subject", &N::subject),
         column("text", &N::text)});
    return table;
}

// The number of the newest of this kind and subject that is not over; 0 where there is none.
Result<std::int64_t> same_trouble(store::Database& database, std::int64_t now, Kind kind, const std::string& subject) {
    auto row = database.prepare(
        "SELECT coalesce(max(id), 0) FROM noticed_work WHERE kind = ?1 AND subject = ?2 AND last >= ?3");
    row.bind(1, static_cast<std::int64_t>(kind)).bind(2, subject).bind(3, now - kSameTrouble);
    if (const auto found = row.step(); !found) return fail(found.error());
    return row.integer(0);
}

}  // namespace

Result<> notice(store::Database& database, std::int64_t now, Kind kind, const std::string& subject, std::string text) {
    text = printable(text, kLongestText);
    const auto before = same_trouble(database, now, kind, subject);
    if (!before) return fail(before.error());
    if (*before != 0)
        return database.prepare("UPDATE noticed_work SET last = ?1, count = count + 1, text = ?2 WHERE id = ?3")
            .bind(1, now)
            .bind(2, text)
            .bind(3, *before)
            .run();
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
    auto kept = database.prepare("INSERT OR REPLACE INTO seen_versions (subject, version) VALUES (?, ?)")
                    .bind(1, subject)
                    .bind(2, version)
                    .run();
    if (!kept || before.empty()) return kept;
    return notice(database, now, Kind::upgrade, subject, fmt::format("{}: {} became {}", subject, before, version));
}

Result<std::vector<Noticed>> noticed(store::Database& database) {
    static const auto kNewestFirst = noticed_work().select("ORDER BY last DESC, id DESC");
    auto rows = database.prepare(kNewestFirst.c_str());
    return noticed_work().all(rows);
}

Result<Noticed> take_noticed(store::Database& database, std::int64_t id) {
    static const auto kTake = "DELETE FROM noticed_work WHERE id = ? RETURNING " + noticed_work().list();
    auto row = database.prepare(kTake.c_str());
    row.bind(1, id);
    const auto found = row.step();
    if (!found) return fail(found.error());
    if (!*found)
        return fail(ErrorCode::not_found,
                    fmt::format("there is nothing noticed with the number {}; `tandem cost hours list` shows all", id));
    return noticed_work().read(row);
}

}  // namespace tandem::ledger::local
