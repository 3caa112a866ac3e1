// The decisions by which the owner can name a labelled conversation. Private to privacy/; what is asked of them is in
// memory.h.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace tandem::privacy {

struct LabelledDecision {
    std::string decision;
    std::int64_t fingerprint = 0;  // of the conversation up to its last message
    std::string response;          // as LabelMemory::Remembering, and the next two
    std::string key;
    std::int64_t name = 0;  // its client's name for the conversation; 0: none
    std::string from;
    std::vector<std::int64_t> leaves;  // and the answer's, once that is there
    std::int64_t answer = 0;           // the answer's piece; 0: it has none
};

// Keeps the newest kMostDecisions of each key, more or less. Inside a transaction. Errors: storage.
Result<> insert(store::Database& database, const LabelledDecision& decision);
// What is known once the answer is there; `leaf` 0: nothing was found in it. Inside a transaction. Errors: storage.
Result<> add_answer(store::Database& database, const std::string& decision, std::int64_t piece, std::int64_t leaf);

// Numbers as a blob has them.
inline std::string_view packed(const std::vector<std::int64_t>& numbers) {
    return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(std::int64_t)};
}
inline std::vector<std::int64_t> unpacked(std::string_view bytes) {
    std::vector<std::int64_t> numbers(bytes.size() / sizeof(std::int64_t));
    if (!numbers.empty()) std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(std::int64_t));
    return numbers;
}

}  // namespace tandem::privacy
