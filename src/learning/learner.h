// What is known of how well each model does, from outcomes, and how fast it is, from traffic. Safe from any thread:
// predicting reads a snapshot, and waits for nobody who learns.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "learning/predictor.h"
#include "routing/routing.h"

namespace tandem::learning {

// How one answer turned out.
struct Outcome {
    std::string decision;
    std::string model;
    std::string identity;  // of the model that answered, see Learner::Model
    std::string source;    // feedback, check, regenerated, disputed, continued, escalated, judge, probe
    std::string key;       // who says so
    double value = 0;      // 0: bad, 1: good
    double weight = 1;
    Traits traits;  // of the prompt, and of the answer where that is known
    // What was expected of the model for this prompt before anything was learned (routing/prior.h); nullopt: not known.
    std::optional<double> expected = std::nullopt;
};

class Learner {
  public:
    struct Model {
        std::string id;
        std::string identity;   // changes where the model behind the name does
        double expected = 0.5;  // of its quality at ordinary work, before anything is learned
    };
    // What was learned of a model under another identity counts this much.
    static constexpr double kOtherIdentity = 0.25;
    // Of the traits of all outcomes, which predictors hold once or twice more. Each model has an equal part of it, and
    // at most Predictor::kMostBytes; the oldest outcomes go.
    static constexpr std::size_t kMostBytes = 16UL << 20;

    // The models there are now. What is known of those that stay is kept; where an identity changes, what was learned
    // counts less from now on.
    void configure(std::vector<Model> models);
    // Learns all of them, in order. Those of models that there are not, are kept out.
    void learn(std::vector<Outcome> outcomes);
    // Forgets one model, or all where `model` is empty.
    void forget(std::string_view model);

    // The time and the length of an answer to a kind of work, from traffic.
    void measured(const std::string& model, routing::WorkKind kind, double seconds, std::int64_t answer_tokens);
    // Of all models' answers to it, the newest counting most.
    routing::Usual usual(routing::WorkKind kind) const;

    // Of each model of which something is known: what is expected of it for this prompt, corrected by what was learned.
    // A model that `expected` does not have is expected to be as good as at ordinary work. Numbers are rounded, so that
    // a record has them exactly. How long it takes and how much it says are of its answers to this kind of work, and
    // lean to what is usual for that where they are few.
    std::vector<routing::Outlook> outlook(const Traits& prompt, const routing::Expectations& expected = {},
                                          routing::WorkKind kind = routing::WorkKind::talk) const;
    // The same; its traits are made only where something was learned.
    std::vector<routing::Outlook> outlook(std::string_view prompt, const Meaning& meaning = {},
                                          const routing::Expectations& expected = {},
                                          routing::WorkKind kind = routing::WorkKind::talk) const;
    // How likely this answer is good; nullopt where too little was learned to say.
    std::optional<double> judge(const std::string& model, const Traits& prompt_and_answer) const;

    struct Summary {
        std::string model;
        std::string identity;
        double expected = 0.5;  // at ordinary work, before anything was learned
        std::size_t outcomes = 0;
        double weight = 0;
        double mean = 0;  // of what is expected now, before a prompt is known
        double seconds = 0;
        std::int64_t answer_tokens = 0;
    };
    std::vector<Summary> summary() const;
    // Of all traits that are held.
    std::size_t bytes() const;

  private:
    struct Known {
        Model model;
        std::vector<Outcome> outcomes;  // newest last; what the predictors are made from
        std::size_t bytes = 0;          // of their traits
        std::unique_ptr<Predictor> of_prompt, of_answer;
    };
    struct Pace {
        double seconds = 0;
        double answer_tokens = 0;
        std::int64_t answers = 0;
        void add(double seconds, std::int64_t answer_tokens);
    };
    using PaceByKind = std::array<Pace, routing::kWorkKindNames.size()>;
    static Pace mean_of(const PaceByKind& by_kind);
    void add_pace(routing::WorkKind kind, std::vector<routing::Outlook>& result) const;
    struct Views {
        struct View {
            std::string model;
            double expected = 0.5;
            double bias = 0, noise = 0, weight = 0, prior_weight = 0;
            Learned of_answer;
        };
        std::vector<View> views;
        // Of each trait, each model's coefficient and then each model's doubt: what a trait is looked up for lies
        // together, so that twenty models cost little more than one.
        std::vector<float> table;
    };
    void rebuild(Known& known) const;
    std::size_t most_bytes() const;  // of one model
    void bound(Known& known) const;
    void publish();

    mutable std::mutex learning_;  // of those below
    std::vector<Known> known_;
    std::size_t models_ = 1;
    mutable std::mutex pace_mutex_;
    std::unordered_map<std::string, PaceByKind> pace_;
    PaceByKind usual_{};  // of all models together
    mutable std::mutex views_mutex_;
    std::shared_ptr<const Views> views_ = std::make_shared<const Views>();
};

}  // namespace tandem::learning
