// Deletes what the owner does not keep any longer (ledger.keep_days), while the server runs.
#pragma once

#include "gateway/services.h"
#include "ledger/reports/retention.h"
#include "net/worker.h"

namespace tandem::gateway {

// Some at a time, so that requests do not wait for it; then again after a while. Ends when `cancel` is fired. What is
// passed by reference outlives it.
net::Task<> forget_old(Services& services, const ledger::reports::Retention& retention, net::Worker& worker,
                       net::Cancel& cancel);

}  // namespace tandem::gateway
