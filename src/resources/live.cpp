#include "resources/live.h"

namespace tandem::resources {

bool Live::add(std::string_view event) {
    const std::lock_guard lock(mutex_);
    full_ = full_ || text_.size() + event.size() > kMostEvents || !memory_.grow(2 * event.size());
    if (full_) return false;
    text_ += event;
    ends_.push_back(text_.size());
    changed_.notify();
    return true;
}

void Live::begin(gateway::Origin origin) {
    const std::lock_guard lock(mutex_);
    origin_ = std::move(origin);
}

std::optional<gateway::Origin> Live::origin() const {
    const std::lock_guard lock(mutex_);
    return origin_;
}

void Live::end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify();
}

Live::Seen Live::since(std::size_t first) const {
    const std::lock_guard lock(mutex_);
    Seen seen;
    const std::size_t begin = first == 0 ? 0 : first <= ends_.size() ? ends_[first - 1] : text_.size();
    std::size_t i = first;
    while (i < ends_.size() && (i == first || ends_[i] - begin <= kSlice)) ++i;
    if (i > first) seen.bytes = text_.substr(begin, ends_[i - 1] - begin);
    seen.events = i > first ? i - first : 0;
    seen.ended = ended_ && i >= ends_.size();
    return seen;
}

std::size_t Live::count() const {
    const std::lock_guard lock(mutex_);
    return ends_.size();
}

std::string Live::all() const {
    const std::lock_guard lock(mutex_);
    return text_;
}

}  // namespace tandem::resources
