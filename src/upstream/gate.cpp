#include "upstream/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tandem::upstream {

Gate::Pass::Pass(Pass&& other) noexcept
    : gate_(std::exchange(other.gate_, nullptr)),
      place_(std::move(other.place_)),
      since_(other.since_),
      verdict_(other.verdict_) {}

Gate::Pass& Gate::Pass::operator=(Pass&& other) noexcept {
    if (this != &other) {
        leave();
        gate_ = std::exchange(other.gate_, nullptr);
        place_ = std::move(other.place_);
        since_ = other.since_;
        verdict_ = other.verdict_;
    }
    return *this;
}

void Gate::Pass::leave() {
    if (gate_ != nullptr) std::exchange(gate_, nullptr)->left(place_, verdict_, since_);
}

std::optional<Gate::Pass> Gate::try_enter(const Asked& asked) {
    const std::lock_guard lock(mutex_);
    return enter_now(asked);
}

std::optional<Gate::Pass> Gate::enter_now(const Asked& asked) {
    auto& place = places_[asked.place];
    place.fixed = asked.fixed;
    if (place.waiting > 0 || place.running >= place.room()) return std::nullopt;
    ++place.running;
    return Pass(this, asked.place, clock_.steady());
}

std::shared_ptr<Gate::Ticket> Gate::enter(const Asked& asked, Resume resume) {
    // Under one lock with what follows: whoever waits must be seen by the last one who leaves.
    std::unique_lock lock(mutex_);
    if (auto pass = enter_now(asked)) {
        lock.unlock();
        resume(std::move(*pass));
        return nullptr;
    }
    auto& place = places_[asked.place];
    if (place.waiting >= kMostWaiting || asked.only_if_free) {
        const auto waiting = place.waiting;
        lock.unlock();
        resume(fail(Fault::provider_busy,
                    asked.only_if_free
                        ? fmt::format("{} has no room just now", asked.place)
                        : fmt::format("{} requests wait for {} already; try again in a moment", waiting, asked.place)));
        return nullptr;
    }
    // Those before it, each at its place beside the others, and then itself.
    const auto before = place.service * static_cast<std::int64_t>(place.waiting + 1) /
                        static_cast<std::int64_t>(std::max<std::size_t>(1, place.room()));
    if (asked.deadline != SteadyTime::max() && clock_.steady() + before + place.service > asked.deadline) {
        const auto waiting = place.waiting;
        lock.unlock();
        resume(fail(Fault::provider_busy,
                    fmt::format("{} requests wait for {} already, so this one would not be answered before its "
                                "deadline; try again in a moment",
                                waiting, asked.place)));
        return nullptr;
    }
    auto ticket = std::make_shared<Ticket>();
    ticket->place = asked.place;
    ticket->deadline = asked.deadline;
    ticket->key = asked.key;
    ticket->line = asked.batch ? 1 : 0;
    ticket->resume = std::move(resume);
    auto& line = place.lines[ticket->line];
    auto& of_key = line.by_key[asked.key];
    if (of_key.empty()) line.turns.push_back(asked.key);
    of_key.push_back(ticket);
    ++place.waiting;
    return ticket;
}

void Gate::give_up(const std::shared_ptr<Ticket>& ticket, const Error& error) {
    if (!ticket) return;
    std::unique_lock lock(mutex_);
    if (!ticket->resume) return;
    auto& place = places_[ticket->place];
    auto& line = place.lines[ticket->line];
    auto& of_key = line.by_key[ticket->key];
    std::erase(of_key, ticket);
    if (of_key.empty()) {
        line.by_key.erase(ticket->key);
        line.turns.remove(ticket->key);
    }
    --place.waiting;
    const auto resume = std::exchange(ticket->resume, {});
    lock.unlock();
    resume(fail(error));
}

// The next that waits: of the first line that has any, of the key whose turn it is.
std::shared_ptr<Gate::Ticket> Gate::next(Place& place) {
    for (auto& line : place.lines) {
        if (line.turns.empty()) continue;
        auto key = std::move(line.turns.front());
        line.turns.pop_front();
        auto& of_key = line.by_key[key];
        auto ticket = std::move(of_key.front());
        of_key.pop_front();
        if (of_key.empty())
            line.by_key.erase(key);
        else
            line.turns.push_back(std::move(key));
        --place.waiting;
        return ticket;
    }
    return nullptr;
}

void Gate::left(const std::string& name, Verdict verdict, SteadyTime since) {
    std::unique_lock lock(mutex_);
    auto& place = places_[name];
    const auto now = clock_.steady();
    if (verdict == Verdict::good) {
        const auto took = std::chrono::duration_cast<milliseconds>(now - since);
        place.service = place.service.count() == 0 ? took : (place.service * 7 + took) / 8;
    }
    // Only a limit that is in use says anything where it holds.
    if (verdict == Verdict::good && static_cast<double>(place.running) >= place.limit * 0.8)
        place.limit = std::min(kMost, place.limit + 1 / place.limit);
    // One overload shows in many answers; only those asked since the last cut say that it was not enough.
    if (verdict == Verdict::overloaded && since >= place.cut) {
        // From what was under way, not from a limit that was never reached.
        place.limit = std::max(kLeast, kCut * std::min(place.limit, static_cast<double>(place.running)));
        place.cut = now;
    }
    --place.running;
    serve(name, lock);
}

void Gate::serve(const std::string& name, std::unique_lock<std::mutex>& lock) {
    while (true) {
        auto& place = places_[name];
        if (place.waiting == 0 || place.running >= place.room()) return;
        const auto ticket = next(place);
        const auto resume = std::exchange(ticket->resume, {});
        const auto now = clock_.steady();
        const bool late = ticket->deadline != SteadyTime::max() && now + place.service > ticket->deadline;
        if (!late) ++place.running;
        lock.unlock();
        if (late)
            resume(fail(Fault::deadline_passed, fmt::format("{} was busy until it was too late for an answer", name)));
        else
            resume(Pass(this, name, now));
        lock.lock();
    }
}

Gate::Status Gate::status(const std::string& place) const {
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(place);
    if (found == places_.end()) return {};
    const auto& p = found->second;
    return {p.fixed > 0 ? static_cast<double>(p.fixed) : p.limit, p.running, p.waiting};
}

}  // namespace tandem::upstream
