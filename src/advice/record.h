// What was applied: which advice, what it predicted, and the config before and after. A table of the store, bounded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace tandem::advice {

extern const char* const kAdviceSchema;

struct Applied {
    std::int64_t id = 0;
    std::int64_t time = 0;  // milliseconds since 1970
    std::string name;       // of the combination
    std::string file, backup;
    std::string before, after;  // SHA-256 of the file, in hex
    std::string predicted;      // JSON: Evaluation now and then, the span it was made from
    std::int64_t undone = 0;    // milliseconds since 1970; 0: it was not
};

inline constexpr std::int64_t kMostApplied = 1'000;  // the oldest go
inline constexpr std::size_t kMostPredicted = 64 * 1024;

// Errors: storage.
Result<std::int64_t> add(store::Database& database, const Applied& applied);
// Newest first. Errors: storage.
Result<std::vector<Applied>> applied(store::Database& database);
// Errors: not_found, storage.
Result<> note_undone(store::Database& database, std::int64_t id, std::int64_t time);

// What happened in a span, to be laid beside what was predicted.
struct Happened {
    std::int64_t requests = 0, answered = 0;
    double days = 0;
    double cost_per_day = 0;  // as booked, in the ledger's currency
    double good = 0;          // mean of what was said and seen of answers, 0 to 1
    std::int64_t said = 0;    // of how many
    double first_p50 = 0, first_p95 = 0, total_p50 = 0, total_p95 = 0;  // milliseconds
    double private_home = 1;                                            // share of private requests
};
// Errors: storage.
Result<Happened> happened(store::Database& database, std::int64_t since, std::int64_t until);

}  // namespace tandem::advice
