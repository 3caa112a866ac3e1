// How a span of time is found in tables whose key begins with a decision's id.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/id.h"

namespace tandem::ledger {

// The first id that a decision can have one of whose attempts began at `since` (milliseconds since 1970) or later. A
// request ends within a day (its deadline is far shorter), so an attempt begins at most a day after its decision.
inline std::string first_decision(std::int64_t since) {
    constexpr std::int64_t kDay = 86'400'000;
    return DecisionId::first_of(WallTime(milliseconds(std::max<std::int64_t>(0, since - kDay)))).text();
}

}  // namespace tandem::ledger
