// How much memory a request takes while it is answered, beside its body. Private to gateway/.
#pragma once

#include <string_view>

#include "base/memory_account.h"

namespace tandem::gateway {

// Measured for the bodies that cost most for their size (tests/gateway/weight_test.cpp), and rounded up.
inline constexpr std::size_t kCopies = 4;        // of its text: decoded, looked at by detectors, encoded
inline constexpr std::size_t kPerValue = 160;    // bytes for each value of its JSON, in the document and looked at
inline constexpr std::size_t kPerDecoded = 400;  // more for each of the first kMostDecoded: messages, parts, tools
inline constexpr std::size_t kMostDecoded = 150'000;
inline constexpr std::size_t kPerRequest = 16'384;  // bytes for any request
// Decoded and encoded once more for a zone that may see it redacted.
inline constexpr std::size_t kRedactedCopies = 4;
// Of an answer: as it came, read, and said anew.
inline constexpr std::size_t kAnswerCopies = 3;
// A stream's share of the account grows in steps of so many bytes.
inline constexpr std::size_t kAnswerStep = 64 * 1024;

// From here on a body is decoded, scanned and encoded on a thread of the pool, in its key's turn.
inline constexpr std::size_t kLargeBody = 32 * 1024;

std::size_t weight_of(std::string_view body);
// What the redacted question takes beside it.
std::size_t redacted_weight_of(std::string_view body);
// A small request may use the reserve of the account.
bool is_small(std::size_t weight);

}  // namespace tandem::gateway
