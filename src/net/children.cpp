#include "net/children.h"

#include <boost/asio/co_spawn.hpp>
#include <utility>

namespace tandem::net {

namespace {

// Calls once when its time has come, for as long as it lives.
class Alarm final : public Watched {
  public:
    Alarm(Watchdog& watchdog, SteadyTime time) : watchdog_(watchdog) {
        deadline = time;
        watchdog_.add(*this);
    }
    ~Alarm() override { watchdog_.remove(*this); }
    void on_deadline() override {
        if (ring) std::exchange(ring, {})();
    }
    std::function<void()> ring;

  private:
    Watchdog& watchdog_;
};

}  // namespace

Task<> sleep_until(Worker& worker, SteadyTime time, Cancel& cancel) {
    Alarm alarm(worker.watchdog(), time);
    Cancel::Hook hook;
    co_await wait_for<bool>([&](std::function<void(bool)> resume) {
        alarm.ring = [resume = std::move(resume)] { resume(true); };
        cancel.on_fire(hook, [&alarm] { alarm.on_deadline(); });
    });
}

void Children::start(Task<> task) {
    ++running_;
    asio::co_spawn(worker_.context().get_executor(), std::move(task),
                   [this](const std::exception_ptr& thrown) { ended(thrown); });
}

void Children::ended(const std::exception_ptr& thrown) {
    --running_;
    ++untold_;
    if (thrown && !thrown_) thrown_ = thrown;
    if (wake_) std::exchange(wake_, {})();
}

Task<> Children::wait(SteadyTime until) {
    if (untold_ == 0 && running_ > 0) {
        Alarm alarm(worker_.watchdog(), until);
        co_await wait_for<bool>([&](std::function<void(bool)> resume) {
            wake_ = [resume = std::move(resume)] { resume(true); };
            alarm.ring = [this] {
                if (wake_) std::exchange(wake_, {})();
            };
        });
    }
    if (untold_ > 0) --untold_;
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

}  // namespace tandem::net
