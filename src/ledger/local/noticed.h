// What Tandem saw that may have cost the owner time: engines and servers at home that failed, programs that were
// upgraded. Each is proposed as an entry of the owner's hours (hours.h); nothing of it is booked unless the owner says
// how long it took.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/local/hours.h"
#include "store/store.h"

namespace tandem::ledger::local {

extern const char* const kNoticedSchema;

struct Noticed {
    std::int64_t id = 0;
    std::int64_t first = 0, last = 0;  // milliseconds since 1970
    std::int64_t count = 1;            // how often within a day of each other
    Kind kind = Kind::debug;
    std::string subject;  // "engine mine": what is the same when it happens again
    std::string text;     // what happened last, at most kLongestText bytes
};

inline constexpr std::int64_t kMostNoticed = 200;             // the oldest go first
inline constexpr std::int64_t kSameTrouble = 24 * 3'600'000;  // milliseconds within which it is one piece of work

// Errors: storage.
Result<> notice(store::Database& database, std::int64_t now, Kind kind, const std::string& subject, std::string text);
// Notes which version of something runs; another one than the last time is noticed as an upgrade. Errors: storage.
Result<> notice_version(store::Database& database, std::int64_t now, const std::string& subject,
                        const std::string& version);
// The newest first. Errors: storage.
Result<std::vector<Noticed>> noticed(store::Database& database);
// Takes one out, as it is booked or was nothing, and gives it. Errors: not_found, storage.
Result<Noticed> take_noticed(store::Database& database, std::int64_t id);

}  // namespace tandem::ledger::local
