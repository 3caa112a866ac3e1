// What is known of models side by side: how good, how fast, how large, and what breaks. Private to cli/.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace tandem::cli {

struct Score {
    double value = 0, low = 0, high = 1;  // 0 to 1
    std::int64_t asked = 0;
};

// The suites that have a score, in the order in which people are shown them.
inline constexpr std::array<std::string_view, 5> kScoredSuites = {"tools", "json", "instructions", "languages",
                                                                  "reasoning"};

// Whether the word that was found for a feature ("ignores: ...") says that something is amiss.
bool is_amiss(std::string_view word);

struct Compared {
    std::string model;
    std::string quantization = {}, engine = {};  // of its file, and what runs it; empty: not known
    std::int64_t claimed = 0;                    // tokens of context; 0: nothing
    std::optional<std::int64_t> usable = {};     // tokens
    std::int64_t usable_low = 0, usable_high = 0;
    std::map<std::int64_t, Score> curve = {};          // by tokens of the prompt
    std::map<std::string, Score> scores = {};          // by suite
    std::optional<std::int64_t> depth = {};            // of the suite reasoning
    std::optional<double> writing = {}, reading = {};  // tokens a second
    std::optional<std::int64_t> first_token = {};      // milliseconds, at the shortest prompt that was timed
    std::int64_t memory_bytes = 0;                     // 0: not known
    bool memory_measured = false;
    std::map<std::string, std::string> features = {};  // what the server does with each: "ignores: ..."
    std::vector<std::string> missing = {};             // suites that have not run, or ran of another model
    bool stale = false;                                // something was measured of another model under the name

    // "3 ignores, 1 breaks"; empty where all is honoured.
    std::string breaks() const;
};

// Of one model of GET /tandem/v1/probes. What was measured of another model under its name is left out.
Compared compared_of(const json::Value& model);

// The suites whose scores all of them have, and the mean of those as the quality of one.
std::vector<std::string> common_scores(const std::vector<Compared>& all);
std::optional<double> quality_of(const Compared& one, const std::vector<std::string>& common);

// Which to take: of those that no common suite tells apart from the best (the intervals overlap), the one that writes
// fastest. nullptr: there is nothing to choose from, nothing that all have was measured, or not how fast each writes.
const Compared* choice_of(const std::vector<Compared>& all);
std::string choice_text(const Compared& choice);

// One page, complete in itself: pictures, tables, and what is not measured yet.
std::string compare_page(const std::vector<Compared>& all);

}  // namespace tandem::cli
