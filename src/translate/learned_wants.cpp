#include "translate/learned_wants.h"

namespace tandem::translate {

dialect::Wants LearnedWants::of(const std::string& provider, const std::string& model) const {
    const std::lock_guard lock(mutex_);
    const auto found = wants_.find({provider, model});
    return found == wants_.end() ? dialect::Wants{} : found->second;
}

bool LearnedWants::learn(const std::string& provider, const std::string& model, int status, std::string_view body) {
    const auto known = of(provider, model);
    const auto wants = dialect::with_refusal(known, status, body);
    if (wants == known) return false;
    const std::lock_guard lock(mutex_);
    if (wants_.size() >= kMost) wants_.clear();
    wants_.insert_or_assign({provider, model}, wants);
    return true;
}

}  // namespace tandem::translate
