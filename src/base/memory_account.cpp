#include "base/memory_account.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tandem {

namespace {

std::size_t mib(std::size_t bytes) {
    return (bytes >> 20) + ((bytes & ((1UL << 20) - 1)) != 0 ? 1 : 0);
}

}  // namespace

Held::Held(Held&& other) noexcept
    : account_(std::exchange(other.account_, nullptr)),
      kind_(other.kind_),
      small_(other.small_),
      holder_(std::move(other.holder_)),
      bytes_(std::exchange(other.bytes_, 0)) {}

Held& Held::operator=(Held&& other) noexcept {
    if (this == &other) return *this;
    release();
    account_ = std::exchange(other.account_, nullptr);
    kind_ = other.kind_;
    small_ = other.small_;
    holder_ = std::move(other.holder_);
    bytes_ = std::exchange(other.bytes_, 0);
    return *this;
}

Result<> Held::grow(std::size_t bytes) {
    if (account_ == nullptr || bytes == 0) return {};
    if (auto ok = account_->add(kind_, holder_, bytes, small_); !ok) return ok;
    bytes_ += bytes;
    return {};
}

Result<> Held::resize(std::size_t bytes) {
    if (bytes > bytes_) return grow(bytes - bytes_);
    shrink(bytes_ - bytes);
    return {};
}

Result<> Held::become_large() {
    if (account_ == nullptr || !small_) return {};
    if (bytes_ > 0)
        if (auto ok = account_->make_large(holder_, bytes_); !ok) return ok;
    small_ = false;
    return {};
}

void Held::shrink(std::size_t bytes) {
    bytes = std::min(bytes, bytes_);
    if (account_ == nullptr || bytes == 0) return;
    account_->give_back(kind_, holder_, bytes, small_);
    bytes_ -= bytes;
}

Result<Held> MemoryAccount::take(MemoryKind kind, std::string_view holder, std::size_t bytes, bool small) {
    Held held(this, kind, std::string(holder), small);
    if (auto ok = held.grow(bytes); !ok) return fail(ok.error());
    return held;
}

// A large request leaves the reserve alone and stays within its holder's share. A small one may use all that is left,
// within the share or, beyond it, within half of the reserve: a holder whose large requests use up its share can still
// send small ones, and cannot take the reserve from the others with them.
bool MemoryAccount::has_room(const Share& share, bool shared, std::size_t bytes, bool small) const {
    const std::size_t room = small ? limit_ : limit_ - reserve();
    if (held_ > room || bytes > room - held_) return false;
    if (!shared) return true;
    const auto within = [bytes](std::size_t used, std::size_t most) { return used <= most && bytes <= most - used; };
    if (within(share.bytes, most_for_one())) return true;
    return small && within(share.small, reserve() / 2);
}

std::string MemoryAccount::no_room(const Share& share) const {
    return fmt::format(
        "there is no memory for this request now: {} of {} MiB are in use, {} MiB of them by this key; try again in a "
        "moment, or raise server.limits.memory_bytes",
        mib(held_), mib(limit_), mib(share.bytes));
}

Result<> MemoryAccount::add(MemoryKind kind, const std::string& holder, std::size_t bytes, bool small) {
    const std::lock_guard lock(mutex_);
    const auto known = shares_.find(holder);
    const Share share = known == shares_.end() ? Share{} : known->second;
    if (!has_room(share, !holder.empty(), bytes, small)) {
        ++refused_;
        if (bytes > (holder.empty() ? limit_ : most_for_one()))
            return fail(Fault::memory_over_limit,
                        fmt::format("the request needs about {} MiB of memory, and one key may use {} MiB; send less "
                                    "at once, or raise server.limits.memory_bytes",
                                    mib(bytes), mib(most_for_one())));
        return fail(Fault::memory_used_up, no_room(share));
    }
    auto& mine = shares_[holder];
    mine.bytes += bytes;
    if (small) mine.small += bytes;
    held_ += bytes;
    most_ = std::max(most_, held_);
    by_kind_[static_cast<std::size_t>(kind)] += bytes;
    return {};
}

Result<> MemoryAccount::make_large(const std::string& holder, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    auto& mine = shares_[holder];
    if (held_ > limit_ - reserve() || (!holder.empty() && mine.bytes > most_for_one())) {
        ++refused_;
        return fail(Fault::memory_used_up, no_room(mine));
    }
    mine.small -= bytes;
    return {};
}

void MemoryAccount::give_back(MemoryKind kind, const std::string& holder, std::size_t bytes, bool small) {
    const std::lock_guard lock(mutex_);
    held_ -= bytes;
    by_kind_[static_cast<std::size_t>(kind)] -= bytes;
    const auto mine = shares_.find(holder);
    if (mine == shares_.end()) return;
    mine->second.bytes -= bytes;
    if (small) mine->second.small -= bytes;
    if (mine->second.bytes == 0) shares_.erase(mine);
}

MemoryAccount::Status MemoryAccount::status() const {
    const std::lock_guard lock(mutex_);
    return {limit_, held_, most_, by_kind_, shares_.size(), refused_};
}

std::size_t MemoryAccount::held_by(std::string_view holder) const {
    const std::lock_guard lock(mutex_);
    const auto mine = shares_.find(std::string(holder));
    return mine == shares_.end() ? 0 : mine->second.bytes;
}

}  // namespace tandem
