// Another version of llama-server in place of the one in use: tried beside it on one model, compared, and only then put
// in its place. What is asked of both, and what a right answer is, is told by the caller.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"

namespace tandem::engine {

// One question to both versions: a request to /v1/chat/completions without its model.
struct UpgradeQuestion {
    std::string id;
    std::string rest;                                      // the members behind "model", and the closing brace
    std::function<bool(const json::Value& answer)> right;  // of a 200
};

struct UpgradeWish {
    std::filesystem::path program;
    std::string model;  // that both are tried on; empty: one that is loaded, or the smallest
    bool force = false;
    std::vector<UpgradeQuestion> questions;
    std::function<double(const std::string& one, const std::string& other)> agreement;  // of two answers, 0 to 1
};

// The bounds beneath which an upgrade is refused.
inline constexpr double kLeastSpeed = 0.8;      // of the tokens a second of the one in use
inline constexpr double kLeastAgreement = 0.4;  // mean over all questions
inline constexpr int kMostWorse = 1;            // right answers fewer

struct UpgradeSide {
    std::string sha256, version, file;
    int asked = 0, answered = 0, right = 0;
    double tokens_per_second = 0;  // the median of the runs
    std::vector<double> runs;      // each one's
    std::int64_t load_ms = 0, peak_bytes = 0;
};

struct UpgradeReport {
    std::string model;
    bool switched = false;
    bool beside = false;   // both were in memory at once, and asked in turns
    double agreement = 0;  // of their answers
    std::string worse;     // why the new one counts as worse; empty: it does not
    UpgradeSide old_one, new_one;
};

// The request to `model` whose answer depends on the engine alone: the likeliest words. `rest` as in UpgradeQuestion.
std::string deterministic_request(std::string_view model, std::string_view rest);
// Of a Chat Completions answer; nothing where it has none.
json::Value first_choice(const json::Value& answer);
// What is worse about the new one, with both numbers; empty: nothing that the bounds forbid. Pure.
std::string what_is_worse(const UpgradeReport& report);
// 0 where there are none.
double median(std::vector<double> values);

}  // namespace tandem::engine
