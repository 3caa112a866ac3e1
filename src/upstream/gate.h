// How many requests are at a provider at once, and who is next. The limit is the owner's, or else learned: each answer
// lets it grow a little, each sign of overload cuts it (additive increase, multiplicative decrease: Chiu and Jain
// 1989). Whoever finds it full waits in a bounded queue: interactive requests before batches, the keys in turn.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "base/world.h"

namespace tandem::upstream {

// Safe from any thread.
class Gate {
  public:
    static constexpr double kFirst = 32, kLeast = 1, kMost = 1024;
    static constexpr double kCut = 0.7;
    static constexpr std::size_t kMostWaiting = 256;  // at one place; who comes then is turned away

    enum class Verdict { none, good, overloaded };

    explicit Gate(const Clock& clock) : clock_(clock) {}

    // One request that is let through; leaves when it goes.
    class Pass {
      public:
        Pass() = default;
        Pass(Pass&& other) noexcept;
        Pass& operator=(Pass&& other) noexcept;
        ~Pass() { leave(); }
        // How it went, as far as it says something of the provider's load.
        void say(Verdict verdict) { verdict_ = verdict; }

      private:
        friend class Gate;
        Pass(Gate* gate, std::string place, SteadyTime since) : gate_(gate), place_(std::move(place)), since_(since) {}
        void leave();
        Gate* gate_ = nullptr;
        std::string place_;
        SteadyTime since_{};
        Verdict verdict_ = Verdict::none;
    };

    struct Asked {
        std::string place;      // a provider, or a model of an engine
        std::size_t fixed = 0;  // the owner's limit; 0: learned
        std::string key;
        bool batch = false;  // nobody sits and waits for it
        SteadyTime deadline = SteadyTime::max();
        bool only_if_free = false;  // it does not wait
    };
    // A pass where there is room and nobody waits: most often so.
    std::optional<Pass> try_enter(const Asked& asked);

    using Resume = std::function<void(Result<Pass>)>;
    class Ticket;

    // Calls `resume` once: at once where there is room, later where it waits, from any thread. Errors: rate_limited,
    // where too many wait (or one, with only_if_free), or so many that it would not be served before its deadline: work
    // that ends too late is work that nobody gets. The ticket is for give_up().
    std::shared_ptr<Ticket> enter(const Asked& asked, Resume resume);
    // Who waits still, waits no more: `resume` gets the error. Nothing happens where it was let through already.
    void give_up(const std::shared_ptr<Ticket>& ticket, const Error& error);

    struct Status {
        double limit = kFirst;
        std::size_t running = 0;
        std::size_t waiting = 0;
    };
    Status status(const std::string& place) const;

  private:
    struct Line {  // of one class of requests
        std::unordered_map<std::string, std::deque<std::shared_ptr<Ticket>>> by_key;
        std::list<std::string> turns;  // keys that have somebody waiting, next first
    };
    struct Place {
        double limit = kFirst;
        std::size_t fixed = 0;
        std::size_t running = 0;
        std::size_t waiting = 0;
        milliseconds service{0};  // that a good answer takes, of late
        SteadyTime cut{};
        std::array<Line, 2> lines;  // interactive, batch
        std::size_t room() const { return fixed > 0 ? fixed : static_cast<std::size_t>(limit); }
    };
    std::optional<Pass> enter_now(const Asked& asked);  // under the lock
    static std::shared_ptr<Ticket> next(Place& place);
    void left(const std::string& name, Verdict verdict, SteadyTime since);
    void serve(const std::string& name, std::unique_lock<std::mutex>& lock);

    const Clock& clock_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Place> places_;
};

class Gate::Ticket {
    friend class Gate;
    std::string place;
    std::string key;
    std::size_t line = 0;
    SteadyTime deadline{};
    Resume resume;  // empty once it was called
};

}  // namespace tandem::upstream
