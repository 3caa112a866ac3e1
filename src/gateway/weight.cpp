#include "gateway/weight.h"

#include <algorithm>

#include "base/json.h"

namespace tandem::gateway {

namespace {

std::size_t weight(std::string_view body, std::size_t copies) {
    const auto values = std::min(json::values_at_most(body), json::kMaxValues);
    return kPerRequest + copies * body.size() + values * kPerValue + std::min(values, kMostDecoded) * kPerDecoded;
}

}  // namespace

std::size_t weight_of(std::string_view body) {
    return weight(body, kCopies);
}

std::size_t redacted_weight_of(std::string_view body) {
    return weight(body, kRedactedCopies);
}

bool is_small(std::size_t weight) {
    return weight <= 8 * MemoryAccount::kSmall;
}

}  // namespace tandem::gateway
