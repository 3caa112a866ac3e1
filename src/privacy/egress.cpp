#include "privacy/egress.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "store/row.h"

namespace tandem::privacy {

namespace {

const std::string kFirst(64, '0');
constexpr std::int64_t kMostNotes = 100;  // of damage

const store::Table<EgressRecord>& egress() {
    using E = EgressRecord;
    static const store::Table<E> table(
        "egress", {store::column("sequence", &E::sequence), store::column("time", &E::time),
                   store::column("decision", &E::decision), store::column("provider", &E::provider),
                   store::column("model", &E::model),
                   // A label outside the four is a tampered row; the hash, taken over the number, says so.
                   store::column("label", &E::label), store::column("rule", &E::rule),
                   store::column("bytes", &E::bytes), store::column("body_sha256", &E::body_sha256),
                   store::column("previous", &E::previous), store::column("hash", &E::hash),
                   store::column("operation", &E::operation), store::column("clearance", &E::clearance),
                   store::column("redacted", &E::redacted), store::column("headers", &E::headers)});
    return table;
}

}  // namespace

const char* const kEgressSchema =
    "CREATE TABLE egress (sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, decision TEXT NOT NULL, provider TEXT "
    "NOT NULL,"
    " model TEXT NOT NULL, label INTEGER NOT NULL, rule TEXT NOT NULL, bytes INTEGER NOT NULL, body_sha256 TEXT NOT "
    "NULL,"
    " previous TEXT NOT NULL, hash TEXT NOT NULL) STRICT;";

const char* const kEgressSchema2 =
    "ALTER TABLE egress ADD COLUMN operation TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE egress ADD COLUMN clearance INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE egress ADD COLUMN redacted TEXT NOT NULL DEFAULT '';";

// Databases of older versions get their head from their last record.
const char* const kEgressSchema3 =
    "ALTER TABLE egress ADD COLUMN headers TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE egress_head (one INTEGER PRIMARY KEY CHECK (one = 1), records INTEGER NOT NULL, hash TEXT NOT NULL,"
    " signed_records INTEGER NOT NULL, signed_lines INTEGER NOT NULL) STRICT;"
    "INSERT INTO egress_head SELECT 1, coalesce(max(sequence), 0), coalesce((SELECT hash FROM egress ORDER BY sequence"
    " DESC LIMIT 1), '0000000000000000000000000000000000000000000000000000000000000000'), 0, 0 FROM egress;"
    "CREATE TABLE egress_damage (what TEXT PRIMARY KEY, time INTEGER NOT NULL) STRICT;";

std::string hash_of(const EgressRecord& r) {
    auto text = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n", r.sequence, r.time, r.decision, r.provider, r.model,
                            static_cast<int>(r.label), r.rule, r.bytes, r.body_sha256);
    if (!r.operation.empty())
        text += fmt::format("{}\n{}\n{}\n", r.operation, static_cast<int>(r.clearance), r.redacted);
    if (!r.headers.empty()) text += fmt::format("headers\n{}\n", r.headers);
    return hex(sha256(text + r.previous + "\n"));
}

Result<std::optional<Head>> head_of(store::Database& database) {
    auto row = database.prepare("SELECT records, hash, signed_records, signed_lines FROM egress_head");
    const auto found = row.step();
    if (!found) return fail(found.error());
    if (!*found) return std::nullopt;
    return Head{row.integer(0), row.text(1), row.integer(2), row.integer(3)};
}

Result<Head> end_of(store::Database& database, const std::optional<Head>& head) {
    auto last = database.prepare("SELECT sequence, hash FROM egress ORDER BY sequence DESC LIMIT 1");
    const auto row = last.step();
    if (!row) return fail(row.error());
    auto end = head.value_or(Head{0, kFirst, 0, 0});
    if (*row && last.integer(0) > end.records) {
        end.records = last.integer(0);
        end.hash = last.text(1);
    }
    return end;
}

Result<> raise_head(store::Database& database, std::int64_t records, const std::string& hash) {
    return database
        .prepare(
            "INSERT INTO egress_head (one, records, hash, signed_records, signed_lines) VALUES (1, ?1, ?2, 0, 0) ON "
            "CONFLICT (one) DO UPDATE SET records = ?1, hash = ?2")
        .bind(1, records)
        .bind(2, hash)
        .run();
}

Result<> note_signed(store::Database& database, std::int64_t records, std::int64_t lines) {
    return database
        .prepare(
            "UPDATE egress_head SET signed_records = max(signed_records, ?1), signed_lines = max(signed_lines, ?2)")
        .bind(1, records)
        .bind(2, lines)
        .run();
}

Result<> note_damage(store::Database& database, std::int64_t time, const std::string& what) {
    return database
        .prepare(
            "INSERT OR IGNORE INTO egress_damage (what, time) SELECT ?1, ?2 WHERE (SELECT count(*) FROM egress_damage) "
            "< ?3")
        .bind(1, what)
        .bind(2, time)
        .bind(3, kMostNotes)
        .run();
}

Result<> append(store::Database& database, EgressRecord& record) {
    const auto head = head_of(database);
    if (!head) return fail(head.error());
    const auto end = end_of(database, *head);
    if (!end) return fail(end.error());
    // The head changes in the commit of each record: where they differ, somebody else has written.
    if (!*head || (*head)->records != end->records)
        if (auto ok =
                note_damage(database, record.time,
                            fmt::format("the head of the record was missing or too short when record {} was written",
                                        end->records + 1));
            !ok)
            return ok;
    record.sequence = end->records + 1;
    record.previous = end->hash;
    record.hash = hash_of(record);
    if (auto ok = raise_head(database, record.sequence, record.hash); !ok) return ok;
    return egress().insert(database, record);
}

Result<> list_egress(store::Database& database, std::int64_t since,
                     const std::function<void(const EgressRecord&)>& visit) {
    static const auto kSince = egress().select("WHERE time >= ? ORDER BY sequence");
    auto rows = database.prepare(kSince.c_str());
    rows.bind(1, since);
    return egress().each(rows, visit);
}

namespace {

// `head` is as it was before the records were read; `seen` says that its record was there.
Result<> compare_end(store::Database& database, const std::optional<Head>& head, bool seen, Verdict& verdict) {
    if (!head) {
        verdict.broken = "the head of the record is missing: records may have been cut from its end";
        return {};
    }
    if (verdict.records < head->records) {
        verdict.broken = fmt::format("the record had {} entries, and its end is missing: {} are there", head->records,
                                     verdict.records);
        return {};
    }
    const auto now = head_of(database);
    if (!now) return fail(now.error());
    if (!seen || !*now || verdict.records > (*now)->records) {
        verdict.broken = fmt::format(
            "the head of the record does not agree with its {} entries: one of both was changed", verdict.records);
        return {};
    }
    auto note = database.prepare("SELECT what FROM egress_damage ORDER BY time LIMIT 1");
    const auto found = note.step();
    if (!found) return fail(found.error());
    if (*found) verdict.broken = note.text(0);
    return {};
}

}  // namespace

Result<Verdict> verify_egress(store::Database& database) {
    Verdict verdict;
    // Read before the records, so that one that is added meanwhile is behind it.
    const auto head = head_of(database);
    if (!head) return fail(head.error());
    bool head_seen = *head && (*head)->records == 0 && (*head)->hash == kFirst;
    std::string previous = kFirst;
    auto listed = list_egress(database, INT64_MIN, [&](const EgressRecord& record) {
        if (!verdict.broken.empty()) return;
        const auto expected = ++verdict.records;
        if (record.sequence != expected)
            verdict.broken = fmt::format("record {} is missing (found {})", expected, record.sequence);
        else if (record.previous != previous)
            verdict.broken = fmt::format("record {} does not follow the one before it", expected);
        else if (record.hash != hash_of(record))
            verdict.broken = fmt::format("record {} was changed", expected);
        previous = record.hash;
        if (*head && record.sequence == (*head)->records) head_seen = record.hash == (*head)->hash;
    });
    if (!listed) return fail(listed.error());
    if (verdict.broken.empty())
        if (auto ok = compare_end(database, *head, head_seen, verdict); !ok) return fail(ok.error());
    return verdict;
}

}  // namespace tandem::privacy
