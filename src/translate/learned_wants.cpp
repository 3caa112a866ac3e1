#include "translate/learned_wants.h"

namespace tandem::translate {

dialect::Wants LearnedWants::of(const std::string& provider, const std::string& model, const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = wants_.find({provider, model});
    auto wants = found == wants_.end() ? dialect::Wants{} : found->second;
    if (const auto own = unusual_.find({key, provider, model}); own != unusual_.end()) wants.unusual = own->second;
    return wants;
}

bool LearnedWants::learn(const std::string& provider, const std::string& model, int status, std::string_view body,
                         const std::vector<std::string>& leavable) {
    const std::lock_guard lock(mutex_);
    const auto found = wants_.find({provider, model});
    const auto known = found == wants_.end() ? dialect::Wants{} : found->second;
    const auto wants = dialect::with_refusal(known, status, body, leavable);
    if (wants == known) return false;
    if (wants_.size() >= kMost) wants_.clear();
    wants_.insert_or_assign({provider, model}, wants);
    return true;
}

void LearnedWants::learn_plain(const std::string& key, const std::string& provider, const std::string& model,
                               const std::set<std::string>& unusual) {
    const std::lock_guard lock(mutex_);
    if (unusual_.size() >= kMost) unusual_.clear();
    unusual_[{key, provider, model}].insert(unusual.begin(), unusual.end());
}

}  // namespace tandem::translate
