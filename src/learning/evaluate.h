// How good a router would have been on answers that are known: prompts with whether a weak and a strong model had them
// right. What a router may look at is the prompt; a cascade also sees the weak model's answer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace tandem::learning {

struct Answered {
    std::string prompt;
    bool weak = false, strong = false;  // whether they were right
    std::string weak_answer;            // empty where the file has none
};

// Reads CSV (RFC 4180): `prompt`, then the weak and the strong model's column (true, false, 1, 0, or a number from 0 to
// 1, of which 0.5 and more is right). A column NAME_response of the weak model is its answer; others are left alone.
// Errors: invalid, with the line.
Result<std::vector<Answered>> read_answers(std::string_view csv);

// The middle and the 95 % interval over the repeats (2.5th and 97.5th percentile).
struct Spread {
    double mean = 0, low = 0, high = 0;
};

struct Quality {
    std::string router;
    Spread apgr;     // area under recovered gap over share of strong calls (RouteLLM, Ong et al. 2024)
    Spread calls50;  // share of strong calls that recovers half the gap, and 80 % of it
    Spread calls80;
};

struct Evaluation {
    std::size_t rows = 0;
    double weak = 0, strong = 0;  // shares of right answers
    std::vector<Quality> routers;
    Spread error;  // expected calibration error of what is predicted for both models, ten bins
    // With answers: the recovered gap of the cascade less that of routing alone, at equal cost, averaged over costs
    // from one weak to one strong call.
    bool cascades = false;
    Spread gain;
};

struct EvaluateSettings {
    std::size_t train = 600;
    std::uint64_t seed = 1;
    int repeats = 20;
    bool cascade = false;
    double strong_price = 20;  // in weak calls
};

// Each repeat shuffles the rows by the seed, learns from the first `train` one by one, and is tested on the rest.
// Errors: invalid, where there are too few rows, no gap, or no answers for a cascade.
Result<Evaluation> evaluate(const std::vector<Answered>& rows, const EvaluateSettings& settings);

}  // namespace tandem::learning
