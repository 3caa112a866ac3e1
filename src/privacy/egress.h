// The record of what leaves: written before the first byte does, each record chained to the one before by its hash.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/label.h"
#include "base/result.h"
#include "base/world.h"
#include "store/store.h"

namespace tandem::privacy {

struct EgressRecord {
    std::int64_t sequence = 0;  // from 1, without gaps
    std::int64_t time = 0;      // milliseconds since 1970
    std::string decision;
    std::string provider;
    std::string model;
    Label label = Label::public_;
    std::string rule;         // of the policy, that chose the provider
    std::int64_t bytes = 0;   // of the body
    std::string body_sha256;  // hex
    // Since the second version of the record; a record without an operation is of the first.
    std::string operation;  // chat, count, embed, ...; "release", where an owner lowered a label: nothing left
    Label clearance = Label::public_;  // of the provider, at the time
    std::string redacted;              // types and how many places of each were taken out: "IBAN_CODE:1,PERSON:2"
    // Since the third version: the headers of the client that left beside the body, "anthropic-beta: a,b". Without line
    // breaks. Empty where there were none.
    std::string headers;
    std::string previous;  // hash of the record before; 64 zeros for the first
    std::string hash;      // SHA-256 over all of the above, hex
};

// The operation of a record that says that the owner lowered a label. `decision` is what was named, `rule` the reason.
inline constexpr std::string_view kRelease = "release";

// The hash of a record: SHA-256 of its fields, each followed by a line feed: sequence, time, decision, provider, model,
// label (as a number), rule, bytes, body_sha256, where it has an operation that, clearance and redacted, where it has
// headers the word "headers" and these, then previous.
std::string hash_of(const EgressRecord& record);

extern const char* const kEgressSchema;
extern const char* const kEgressSchema2;
extern const char* const kEgressSchema3;

// How long the record is and how it ends, kept in a table of one row that changes in the same commit as the record.
struct Head {
    std::int64_t records = 0;  // the sequence of the last
    std::string hash;          // of the last; 64 zeros where there were none
    // The newest checkpoint that was written to the file of checkpoints, and how many lines the file had.
    std::int64_t signed_records = 0;
    std::int64_t signed_lines = 0;
};
// Nothing where the row is missing, which is damage. Errors: storage.
Result<std::optional<Head>> head_of(store::Database& database);

// The longer of what is there and what the head says: what the next record follows. Errors: storage.
Result<Head> end_of(store::Database& database, const std::optional<Head>& head);

// Notes that the record was longer: the next record follows `records`, so that the hole stays. Errors: storage.
Result<> raise_head(store::Database& database, std::int64_t records, const std::string& hash);

// Notes the newest checkpoint of the file and the file's number of lines. Errors: storage.
Result<> note_signed(store::Database& database, std::int64_t records, std::int64_t lines);

// Damage that a start or a write has seen is told for ever: the oldest 100 different notes are kept. Errors: storage.
Result<> note_damage(store::Database& database, std::int64_t time, const std::string& what);

// Adds a record inside a transaction; fills in sequence, previous and hash. It follows the head, also where records
// before the head are gone. Errors: storage.
Result<> append(store::Database& database, EgressRecord& record);

// Visits the records from `since` (milliseconds since 1970) on, oldest first. Errors: storage.
Result<> list_egress(store::Database& database, std::int64_t since,
                     const std::function<void(const EgressRecord&)>& visit);

struct Verdict {
    std::int64_t records = 0;
    std::string broken;  // what is wrong and where; empty where the chain holds
};

// Follows the whole chain and compares its end with the head. Any record that was changed, removed, added or moved
// breaks it, and so does a head that is missing or says something else. Damage that was noted earlier is told, too.
// Beside a running server: records that are added meanwhile are no damage. Errors: storage.
Result<Verdict> verify_egress(store::Database& database);

}  // namespace tandem::privacy
