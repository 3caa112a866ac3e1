// A suite of questions in groups, each right or wrong, whose share of right answers is what is found. Rounds go over
// all groups, so that each is asked as often as the others. It ends early when the score is known well enough.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "probe/suite.h"

namespace tandem::probe {

class Scored : public Suite {
  public:
    struct Group {
        std::string_view name;
        std::function<Question(int number)> make;  // of the number it was asked before
    };
    static constexpr double kWideEnough = 0.25;  // of the interval of the whole score, to end early
    static constexpr int kFewestRounds = 2;

    Scored(std::vector<Group> groups, int most_rounds) : groups_(std::move(groups)), most_rounds_(most_rounds) {
        by_group_.resize(groups_.size());
    }
    std::optional<Question> next() override;
    void take(const Outcome& outcome) override;
    std::size_t most() const override { return groups_.size() * static_cast<std::size_t>(most_rounds_); }
    std::vector<Finding> findings() const override;

  protected:
    const Proportion& all() const { return all_; }
    const Proportion& of(std::size_t group) const { return by_group_[group]; }

  private:
    bool is_clear() const;

    std::vector<Group> groups_;
    int most_rounds_;
    int round_ = 0;
    std::size_t group_ = 0;
    Proportion all_;
    std::vector<Proportion> by_group_;
};

}  // namespace tandem::probe
