// The record of what leaves: written before the first byte does, each record chained to the one before by its hash.
#pragma once

#include <functional>
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
    std::string previous;              // hash of the record before; 64 zeros for the first
    std::string hash;                  // SHA-256 over all of the above, hex
};

// The operation of a record that says that the owner lowered a label. `decision` is what was named, `rule` the reason.
inline constexpr std::string_view kRelease = "release";

// The hash of a record: SHA-256 of its fields, each followed by a line feed: sequence, time, decision, provider, model,
// label (as a number), rule, bytes, body_sha256, where it has an operation that, clearance and redacted, then previous.
std::string hash_of(const EgressRecord& record);

extern const char* const kEgressSchema;
extern const char* const kEgressSchema2;

// Adds a record inside a transaction; fills in sequence, previous and hash. Errors: storage.
Result<> append(store::Database& database, EgressRecord& record);

// Visits the records from `since` (milliseconds since 1970) on, oldest first. Errors: storage.
Result<> list_egress(store::Database& database, std::int64_t since,
                     const std::function<void(const EgressRecord&)>& visit);

struct Verdict {
    std::int64_t records = 0;
    std::string broken;  // what is wrong and where; empty where the chain holds
};

// Follows the whole chain. Any record that was changed, removed, added or moved breaks it; records cut from its end
// leave a chain that is whole, which this cannot see. Errors: storage.
Result<Verdict> verify_egress(store::Database& database);

}  // namespace tandem::privacy
