#include "probe/scored.h"

namespace tandem::probe {

// Looked at between rounds: a group that is harder than the others counts as much as they do.
bool Scored::is_clear() const {
    if (group_ != 0 || round_ < kFewestRounds) return false;
    const auto interval = all_.interval();
    return interval.high - interval.low <= kWideEnough;
}

std::optional<Question> Scored::next() {
    if (round_ >= most_rounds_ || is_clear()) return std::nullopt;
    return groups_[group_].make(round_);
}

void Scored::take(const Outcome& outcome) {
    if (outcome.passed) {
        all_.add(*outcome.passed);
        by_group_[group_].add(*outcome.passed);
    }
    group_ = (group_ + 1) % groups_.size();
    if (group_ == 0) ++round_;
}

std::vector<Finding> Scored::findings() const {
    std::vector<Finding> list;
    if (all_.asked() == 0) return list;
    list.push_back(share_of("score", all_));
    for (std::size_t i = 0; i < groups_.size(); ++i)
        if (by_group_[i].asked() > 0) list.push_back(share_of(std::string(groups_[i].name), by_group_[i]));
    return list;
}

}  // namespace tandem::probe
