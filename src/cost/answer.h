// All that is known about one option, and its JSON, which is part of the contract (docs/break-even.md).
#pragma once

#include "base/json.h"
#include "cost/simulate.h"

namespace tandem::cost {

struct Answer {
    Option option;
    Inputs<Exact> in;
    Month<Exact> month;  // the first
    Payback<Exact> payback;
    Derived derived;
    Simulation simulation;
    std::vector<Bar> tornado;
    std::vector<std::string> notes;  // what was left out because it is not given
};

Answer answer(const Option& option, int draws, std::uint64_t seed);

void write_json(json::Writer& out, const Answer& answer);

}  // namespace tandem::cost
