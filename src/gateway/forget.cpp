#include "gateway/forget.h"

#include <spdlog/spdlog.h>

#include "net/event.h"
#include "store/query.h"

namespace tandem::gateway {

namespace {

constexpr milliseconds kBetween{600'000}, kSoon{20};

net::Task<Result<bool>> forget_some(Services& services, const ledger::reports::Retention& retention) {
    const auto days = services.snapshot()->config->ledger.keep_days;
    if (days == 0) co_return false;
    const auto now = unix_ms(services.clock.wall());
    co_return co_await store::query<bool>(services.store, [&retention, days, now](store::Database& database) {
        return retention.forget_some(database, days, now);
    });
}

}  // namespace

net::Task<> forget_old(Services& services, const ledger::reports::Retention& retention, net::Worker& worker,
                       net::Cancel& cancel) {
    while (!cancel.fired()) {
        const auto more = co_await forget_some(services, retention);
        if (!more) spdlog::warn("old attempts could not be deleted: {}", more.error().message);
        const auto pause = more && *more ? kSoon : kBetween;
        co_await net::sleep_for(worker.context(), pause, cancel);
    }
}

}  // namespace tandem::gateway
