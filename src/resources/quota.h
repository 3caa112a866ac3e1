// How much each principal has left with us: what is refused where it is too much, and what goes to make room.
//
// Files, conversations and their items are the client's to delete: one more is refused. Stored responses are ours to
// keep for a time: the oldest go, those under way excepted. Sizes are columns of their own, so that nothing is read to
// be counted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace tandem::resources {

// Sizes beside what they are of, and the indexes that find them.
extern const char* const kQuotaSchema;

struct Quota {
    std::int64_t files = 1'000;
    std::int64_t file_bytes = 1'024LL << 20;
    std::int64_t responses = 10'000;
    std::int64_t response_bytes = 256LL << 20;
    std::int64_t conversations = 1'000;
    std::int64_t conversation_bytes = 64LL << 20;  // of one
    bool operator==(const Quota&) const = default;
};

inline constexpr std::int64_t kKeptDays = 30;  // that a response or a finished batch is kept at most

struct Usage {
    std::int64_t files = 0, file_bytes = 0;
    std::int64_t responses = 0, response_bytes = 0;
    std::int64_t conversations = 0;
};
// Errors: storage.
Result<Usage> usage_of(store::Database& database, const std::string& key);

inline constexpr std::int64_t kMostOpenBatches = 200;        // of a key, at work or waiting
inline constexpr std::int64_t kMostBatches = 1'000;          // of a key, finished ones with them
inline constexpr std::int64_t kMostBatchBytes = 16LL << 20;  // of what all of them say of themselves

// Whether a file of `bytes` still fits, beside the two that each batch under way may leave. Errors: too_large, with how
// to make room; storage.
Result<> check_file(store::Database& database, const std::string& key, const Quota& quota, std::int64_t bytes);
// Whether `bytes` more of answers fit that become files later. Errors: as check_file().
Result<> check_file_bytes(store::Database& database, const std::string& key, const Quota& quota, std::int64_t bytes);
// Whether one more batch may be begun, and leave two files. Errors: rate_limited, for too many under way; as
// check_file().
Result<> check_batch(store::Database& database, const std::string& key, const Quota& quota);
// Whether one more conversation fits. Errors: too_large, with how to make room; storage.
Result<> check_conversation(store::Database& database, const std::string& key, const Quota& quota);
// Whether `bytes` more fit into a conversation. Errors: too_large, with what to do; storage.
Result<> check_items(store::Database& database, const std::string& conversation, const Quota& quota,
                     std::int64_t bytes);

// Removes the key's batches that have been finished for kKeptDays, and then those that were finished first until the
// bounds hold; their files stay. Not `newest`. Errors: storage.
Result<> make_room_for_batches(store::Database& database, const std::string& key, const std::string& newest,
                               std::int64_t now);
// Removes the key's responses that are older than kKeptDays, and then the oldest until the quota holds. Neither
// `newest` nor one that is under way. Errors: storage.
Result<> make_room_for_responses(store::Database& database, const std::string& key, const Quota& quota,
                                 const std::string& newest, std::int64_t now);

}  // namespace tandem::resources
