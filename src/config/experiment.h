// What an experiment compares, and how.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"

namespace tandem::config {

struct Config;

enum class ExperimentKind {
    ab,      // each conversation gets the one or the other
    shadow,  // the control answers; the treatment is asked as well, and nobody sees what it says
    pairs,   // each conversation gets the one or the other, the other one is asked as well, and a judge compares
};
inline constexpr std::array<std::string_view, 3> kExperimentKindNames = {"ab", "shadow", "pairs"};

enum class Metric { feedback, judge, checks, cost, latency };
inline constexpr std::array<std::string_view, 5> kMetricNames = {"feedback", "judge", "checks", "cost", "latency"};
// Whether less of it is better.
inline bool less_is_better(Metric metric) {
    return metric == Metric::cost || metric == Metric::latency;
}

struct Experiment {
    std::string name;
    ExperimentKind kind = ExperimentKind::ab;
    std::string control, treatment;  // models
    double share = 0.5;              // of conversations, to the treatment; of requests, to its shadow
    std::vector<std::string> aliases = {"auto"};
    Metric metric = Metric::feedback;
    std::string judge;  // a model
    std::string rubric = "Which answer is more correct, complete and useful to the person who asked?";
    std::int64_t minimum = 30;  // of each, before anything is said of the difference
    Money budget;               // of a day, for what is asked besides; none: no bound
    bool operator==(const Experiment&) const = default;
};

// `text` is a mapping in YAML or JSON, as below `experiments: NAME:` of the config. Errors: invalid, all of them.
Result<Experiment> parse_experiment(const std::string& name, const std::string& text, const Config& config);
// What parse_experiment() reads.
std::string to_json(const Experiment& experiment);

}  // namespace tandem::config
