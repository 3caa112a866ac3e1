// What is known of each model from the record: how fast it answers, how much it says, how much of its prompts came from
// its provider's cache, and how its answers turned out beside what was expected of them.
//
// Pure functions of Traffic and outcomes. Each number says what it was learned from; none is made up: a speed that was
// not measured is absent.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "advice/traffic.h"
#include "learning/outcomes.h"
#include "routing/routing.h"

namespace tandem::advice {

inline constexpr std::size_t kKinds = routing::kWorkKindNames.size();
// A kind of work by how hard it is: what is known of a model at easy work says less of it at hard work.
inline constexpr std::size_t kBands = 3, kCells = kKinds * kBands;
std::size_t cell_of(const Request& request);
inline std::size_t kind_of_cell(std::size_t cell) {
    return cell / kBands;
}

// How long a model works on a request: start + (input - cached) / input_per_s + output / output_per_s, in seconds.
struct Speed {
    double start_ms = 0;       // before the first token, whatever the prompt: network, template
    double input_per_ms = 0;   // tokens of a prompt that are read in a millisecond; 0: no time is seen in it
    double output_per_ms = 0;  // tokens of an answer in a millisecond; 0: answers come whole with the first byte
    std::int64_t answers = 0;  // that it was measured by
    std::string source = {};   // for people: "measured by 312 answers", "from the profile", "of probes"
    // Milliseconds until the first token, and in all, of a request that waits for nobody.
    double first_ms(std::int64_t input, std::int64_t cached) const;
    double total_ms(std::int64_t input, std::int64_t cached, std::int64_t output) const;
    bool operator==(const Speed&) const = default;
};

// How good the answers of a model are: what is expected by the router's own scale before anything is learned
// (routing/prior.h), and a correction learned from outcomes, of the model and of each kind of work.
//
//     model    d   = sum(w r) / (W + n0)                 r = outcome - expected, w its weight, W = sum(w)
//     kind     d_k = (sum_k(w r) + n1 d) / (W_k + n1)
//     of one   d_c = (sum_c(w r) + n2 d_k) / (W_c + n2)   hardness of it (a cell)
//     variances      v = s2 / (W + n0),  v_k = s2 / (W_k + n1),  v_c = s2 / (W_c + n2),  s2 = 0.25
//
// A quality is expected(request) + d_c, kept between 0 and 1. Normal prior, conjugate (Gelman et al., Bayesian Data
// Analysis, 3rd edition, 2.5 and 5.4); n0 is the weight that the router's learner gives its expectation.
struct Belief {
    double correction = 0;                     // d
    double weight = 0;                         // W
    double prior = 12;                         // n0: 12 where something is known of the model, 4 where it is a guess
    std::array<double, kKinds> by_kind{};      // d_k
    std::array<double, kKinds> weight_kind{};  // W_k
    std::array<double, kCells> by_cell{};      // d_c
    std::array<double, kCells> weight_cell{};  // W_c
    static constexpr double kKindPrior = 12;   // n1
    static constexpr double kCellPrior = 24;   // n2: kinds differ by more than easy and hard work of one kind
    static constexpr double kSpread = 0.25;    // s2
};

// How much of a prompt comes from a provider's cache: of the tokens that it had seen a moment ago, which a turn of a
// conversation has and its first one has not, and of the others. Where the turns of an agent are answered by one model,
// most of what it is asked costs a tenth; a model that had single questions only would be taken to be dear for them.
struct Cached {
    double warm = 0, cold = 0;                        // shares, 0 to 1
    std::int64_t warm_prompts = 0, cold_prompts = 0;  // that they were measured by
};

// What the router thinks of a model, by kind of work: who answers is decided by that, though it may be wrong. Means
// over a third of the requests of what it thought above what is expected before anything is learned.
struct Thinks {
    std::array<double, kKinds> above{}, doubt{}, outcomes{};
    std::array<std::int64_t, kKinds> requests{};  // 0: it thought nothing
};

struct ModelKnowledge {
    std::optional<Speed> speed;
    Belief belief;
    std::array<double, kKinds> answer_tokens{};  // mean of its answers, 0: none
    std::array<std::int64_t, kKinds> answers{};  // how many
    std::array<Thinks, 3> thinks;                // by Knowledge::third_of: the last is what it thinks now
    Cached cached;                               // of its prompts
};

struct Knowledge {
    std::map<std::string, ModelKnowledge> models;  // by id
    std::array<double, kKinds> usual_tokens{};     // mean answers of all models; 0: none
    std::optional<Speed> usual_cloud;              // of all answers from the cloud together, for a model not used yet
    Cached usual_cached;                           // of all prompts to the cloud
    std::int64_t said = 0;                         // outcomes that it was learned from

    // When the second and the last third begin of the requests of which it is known what the router thought.
    std::array<std::int64_t, 2> thirds{};
    std::size_t third_of(std::int64_t time_ms) const { return time_ms < thirds[0] ? 0 : time_ms < thirds[1] ? 1 : 2; }

    const ModelKnowledge* find(const std::string& model) const;
};

// `slots`: of a local model, how many answers it gives at once, by its id: times that were spent waiting for another
// answer are not its speed, so only answers that began while fewer than that were under way count. `table` says what
// was expected where an outcome does not.
Knowledge knowledge_of(const Traffic& traffic, const std::vector<learning::OutcomeRecord>& outcomes,
                       const routing::Table& table, const std::map<std::string, int>& slots);

// What the owner's feedback and the signs of each decision come to, the way `tandem replay` counts them: what people
// said counts before what was seen.
void note_outcomes(Traffic& traffic, const std::vector<learning::OutcomeRecord>& outcomes);

// Quality that the router's own scale expects of a model for a request before anything is learned, 0 to 1.
double expected_of(const routing::Table::Entry& entry, const Request& request);
// Quality expected of a model for a request, 0 to 1.
double quality_of(const routing::Table::Entry& entry, const ModelKnowledge* known, const Request& request);

// Tokens that a model would answer with where another answered with `output`: in proportion to what both say to such
// work where both have answered kFewestAnswers times, else as many.
inline constexpr std::int64_t kFewestAnswers = 20;
std::int64_t output_of(const Knowledge& knowledge, const std::string& model, const std::string& answered_by,
                       routing::WorkKind kind, std::int64_t output);

}  // namespace tandem::advice
