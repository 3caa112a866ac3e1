// The work on record as each set of models would do it: cloud only, local only, as it was, and others. Its JSON is part
// of the contract (docs/concepts/compare.md).
#pragma once

#include <string>
#include <vector>

#include "advice/evaluate.h"

namespace tandem::advice {

struct Row {
    Evaluation evaluation;
    // Where local does not keep up: so many machines would, and what a month costs with them.
    int machines_needed = 0;  // 0: it keeps up, or no number of kMostMachines does
    Money total_with_them;
};

struct Comparison {
    std::vector<Row>
        rows;  // today as recorded first (if there is a record), then cloud-only, local-only, others by cost
};

Comparison compare(const Situation& situation);

// Sets of models that are worth a row: all subsets up to kAllSets models, else each left out, each alone with the other
// zone. At most kMostSets.
inline constexpr std::size_t kAllSets = 4, kMostSets = 24;
std::vector<Combination> sets_of(const Situation& situation);
// `today` with only the models for which `keep` holds; machines that no model is left on are sold.
Combination only(const Combination& today, const std::string& id, const std::string& name,
                 const std::vector<std::string>& keep);

// `today` with a model more, of the price book.
Combination with_model(const Combination& today, const Added& added);

std::string as_text(const Situation& situation, const Comparison& comparison);
std::string as_json(const Situation& situation, const Comparison& comparison);

}  // namespace tandem::advice
