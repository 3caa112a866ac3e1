#include "privacy/egress.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace tandem::privacy {

namespace {

const std::string kFirst(64, '0');

EgressRecord read_row(const store::Statement& row) {
    EgressRecord record;
    record.sequence = row.integer(0);
    record.time = row.integer(1);
    record.decision = row.text(2);
    record.provider = row.text(3);
    record.model = row.text(4);
    // A label outside the four is a tampered row; the hash, taken over the number, says so.
    record.label = static_cast<Label>(row.integer(5));
    record.rule = row.text(6);
    record.bytes = row.integer(7);
    record.body_sha256 = row.text(8);
    record.previous = row.text(9);
    record.hash = row.text(10);
    record.operation = row.text(11);
    record.clearance = static_cast<Label>(row.integer(12));
    record.redacted = row.text(13);
    return record;
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

std::string hash_of(const EgressRecord& r) {
    auto text = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n", r.sequence, r.time, r.decision, r.provider, r.model,
                            static_cast<int>(r.label), r.rule, r.bytes, r.body_sha256);
    if (!r.operation.empty())
        text += fmt::format("{}\n{}\n{}\n", r.operation, static_cast<int>(r.clearance), r.redacted);
    return hex(sha256(text + r.previous + "\n"));
}

Result<> append(store::Database& database, EgressRecord& record) {
    {
        auto last = database.prepare("SELECT sequence, hash FROM egress ORDER BY sequence DESC LIMIT 1");
        const auto row = last.step();
        if (!row) return fail(row.error());
        record.sequence = *row ? last.integer(0) + 1 : 1;
        record.previous = *row ? last.text(1) : kFirst;
    }
    record.hash = hash_of(record);
    return database.prepare("INSERT INTO egress VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
        .bind(1, record.sequence)
        .bind(2, record.time)
        .bind(3, record.decision)
        .bind(4, record.provider)
        .bind(5, record.model)
        .bind(6, static_cast<std::int64_t>(record.label))
        .bind(7, record.rule)
        .bind(8, record.bytes)
        .bind(9, record.body_sha256)
        .bind(10, record.previous)
        .bind(11, record.hash)
        .bind(12, record.operation)
        .bind(13, static_cast<std::int64_t>(record.clearance))
        .bind(14, record.redacted)
        .run();
}

Result<> list_egress(store::Database& database, std::int64_t since,
                     const std::function<void(const EgressRecord&)>& visit) {
    auto rows = database.prepare(
        "SELECT sequence, time, decision, provider, model, label, rule, bytes, body_sha256, previous, hash, operation, "
        "clearance, redacted FROM egress WHERE time >= ? ORDER BY sequence");
    rows.bind(1, since);
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return {};
        visit(read_row(rows));
    }
}

Result<Verdict> verify_egress(store::Database& database) {
    Verdict verdict;
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
    });
    if (!listed) return fail(listed.error());
    return verdict;
}

}  // namespace tandem::privacy
