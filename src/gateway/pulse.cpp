#include "gateway/pulse.h"

#include <boost/asio/co_spawn.hpp>
#include <utility>

namespace tandem::gateway {

namespace {
constexpr milliseconds kLeast{1'000};  // between two signs of life that a provider gives
}

Pulse::~Pulse() {
    if (watched_) worker().watchdog().remove(*this);
}

void Pulse::begin(milliseconds every, Words words) {
    if (every.count() == 0 || watched_) return;
    words_ = std::move(words);
    every_ = every;
    watched_ = true;
    last_ = clock_.steady();
    deadline = last_ + every_;
    worker().watchdog().add(*this);
}

void Pulse::beat() {
    if (watched_ && started() && !busy_ && clock_.steady() >= last_ + kLeast) say();
}

net::Task<> Pulse::rest() {
    if (watched_) worker().watchdog().remove(*this);
    watched_ = false;
    co_await turn();
}

milliseconds Pulse::beating() const {
    if (!first_beat_) return milliseconds(0);
    return std::chrono::duration_cast<milliseconds>(first_words_.value_or(clock_.steady()) - *first_beat_);
}

void Pulse::note_words() {
    if (first_beat_ && !first_words_) first_words_ = clock_.steady();
}

// Until nobody writes.
net::Task<> Pulse::turn() {
    while (busy_)
        co_await net::wait_for<bool>(
            [this](std::function<void(bool)> resume) { free_ = [resume = std::move(resume)] { resume(true); }; });
}

void Pulse::written() {
    busy_ = false;
    last_ = clock_.steady();
    deadline = watched_ ? last_ + every_ : SteadyTime::max();
    if (free_) std::exchange(free_, {})();
}

void Pulse::on_deadline() {
    // Whoever writes has not come through yet: the client does not read.
    if (busy_)
        deadline = clock_.steady() + every_;
    else
        say();
}

void Pulse::say() {
    busy_ = true;
    if (!started()) {
        first_beat_ = clock_.steady();
        line_.start(200, words_.headers());
    }
    net::asio::co_spawn(worker().context().get_executor(), write_beat(words_.beat()),
                        [this](const std::exception_ptr&) { written(); });
}

net::Task<> Pulse::write_beat(std::string bytes) {
    (void)co_await line_.write(std::move(bytes));
}

net::Task<bool> Pulse::reply(net::Response response) {
    co_await turn();
    co_return co_await line_.reply(std::move(response));
}

net::Task<bool> Pulse::write(std::string bytes) {
    note_words();
    co_await turn();
    busy_ = true;
    const bool taken = co_await line_.write(std::move(bytes));
    written();
    co_return taken;
}

net::Task<bool> Pulse::finish(std::string last_bytes) {
    note_words();
    co_await rest();
    co_return co_await line_.finish(std::move(last_bytes));
}

}  // namespace tandem::gateway
