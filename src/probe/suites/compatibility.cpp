// Which features of the API a server honours, ignores, refuses or breaks, as a client of Tandem meets them: a grammar
// of Tandem's own counts as the server's.
#include "probe/suites.h"
#include "probe/suites/feature.h"

namespace tandem::probe {

namespace {

class Compatibility final : public Suite {
  public:
    explicit Compatibility(const Subject& subject) : subject_(subject), features_(features_for(subject)) {}

    std::optional<Question> next() override {
        if (verdicts_.size() >= features_.size()) return std::nullopt;
        return features_[verdicts_.size()]->ask(subject_, outcomes_);
    }
    // An error ends a feature: what would be asked next hangs on the answer.
    void take(const Outcome& outcome) override {
        outcomes_.push_back(outcome);
        const auto& feature = *features_[verdicts_.size()];
        const auto error = failed(outcomes_);
        if (!error && outcomes_.size() < feature.steps) return;
        Found found{feature.name, outcomes_.size() < feature.steps ? *error : feature.verdict(subject_, outcomes_), {}};
        for (const auto& one : outcomes_)
            if (one.passed == false) found.note = one.note;
        verdicts_.push_back(std::move(found));
        outcomes_.clear();
    }
    std::size_t most() const override {
        std::size_t sum = 0;
        for (const auto* feature : features_) sum += feature->steps;
        return sum;
    }
    std::vector<Finding> findings() const override {
        std::vector<Finding> list;
        for (const auto& found : verdicts_) {
            auto word = std::string(kVerdictNames[static_cast<std::size_t>(found.verdict)]);
            if (!found.note.empty() && found.verdict != Verdict::honours) word += ": " + found.note;
            list.push_back({.name = std::string(found.feature),
                            .unit = "",
                            .value = found.verdict == Verdict::honours ? 1 : 0,
                            .word = std::move(word)});
        }
        return list;
    }

  private:
    struct Found {
        std::string_view feature;
        Verdict verdict;
        std::string note;
    };
    Subject subject_;
    std::vector<const Feature*> features_;
    std::vector<Outcome> outcomes_;  // of the feature under way
    std::vector<Found> verdicts_;
};

}  // namespace

std::unique_ptr<Suite> make_compatibility(const Subject& subject) {
    return std::make_unique<Compatibility>(subject);
}

}  // namespace tandem::probe
