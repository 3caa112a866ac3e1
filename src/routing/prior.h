// What is expected of a model for one request before anything was learned of it: a logistic curve of how far the
// model's ability (routing/known_models.h) lies above what the work demands (routing/work.h), as in item response
// theory (Rasch 1960). Experience is learned as a correction to it (learning/learner.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "routing/known_models.h"
#include "routing/work.h"

namespace tandem::routing {

// The difficulty of work at which an owner's `quality` is that quality exactly: ordinary work, neither light nor hard.
inline constexpr int kOrdinaryDifficulty = 35;

// The ability that work of a difficulty (0 to 100) and a prompt of so many tokens demands for a good answer every
// second time. Trivial work demands less than any model has, and what is harder than hard demands little more: the
// best models fail there as well.
double demand_of(int difficulty, std::int64_t prompt_tokens);

// How likely a good answer is, 0 to 1, rounded to a ten-thousandth so that a record has it exactly.
double expected_quality(const Strength& strength, const Work& work, std::int64_t prompt_tokens);

// What is expected of each model for one request, by its id.
using Expectations = std::vector<std::pair<std::string, double>>;
// Of one of them; nullopt where the list has no such model.
std::optional<double> expected_of(const Expectations& expectations, std::string_view model);

// What a model can do by its owner's word: `quality` (0 to 1) is how often its answers are good at ordinary work.
Strength strength_by_quality(double quality);

}  // namespace tandem::routing
