// What was taken of a bound and is not written down yet. Where something is waited for between the look at a bound and
// what counts against it, many at once would pass it: each takes its part first, looks then, and gives the part back
// when it is written or given up. Private to resources/.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace tandem::resources {

// Safe from any thread. Outlives its parts.
class Promises {
  public:
    // Given back when it goes.
    class Part {
      public:
        Part() = default;
        Part(Part&& other) noexcept
            : of_(std::exchange(other.of_, nullptr)), name_(std::move(other.name_)), amount_(other.amount_) {}
        Part& operator=(Part&& other) noexcept {
            release();
            of_ = std::exchange(other.of_, nullptr);
            name_ = std::move(other.name_);
            amount_ = other.amount_;
            return *this;
        }
        ~Part() { release(); }
        void grow(std::int64_t more) {
            if (of_ == nullptr) return;
            of_->add(name_, more);
            amount_ += more;
        }
        void release() {
            if (of_ != nullptr) std::exchange(of_, nullptr)->add(name_, -amount_);
        }

      private:
        friend class Promises;
        Part(Promises& of, std::string name, std::int64_t amount) : of_(&of), name_(std::move(name)) { grow(amount); }
        Promises* of_ = nullptr;
        std::string name_;
        std::int64_t amount_ = 0;
    };

    [[nodiscard]] Part take(std::string name, std::int64_t amount) { return {*this, std::move(name), amount}; }
    // All parts of a name together.
    std::int64_t of(const std::string& name) const {
        const std::lock_guard lock(mutex_);
        const auto found = sums_.find(name);
        return found == sums_.end() ? 0 : found->second;
    }

  private:
    void add(const std::string& name, std::int64_t amount) {
        const std::lock_guard lock(mutex_);
        auto& sum = sums_[name];
        sum += amount;
        if (sum == 0) sums_.erase(name);
    }

    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::int64_t> sums_;
};

}  // namespace tandem::resources
