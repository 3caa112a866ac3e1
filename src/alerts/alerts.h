// Tells the owner of budgets that fill up and of keys that spend out of the ordinary: in the log, by a webhook, by a
// program of the owner's.
//
// Each threshold is told once for a window, also over restarts: the ledger notes it in the commit of the attempt that
// reached it, and what is to be told becomes a job of each way in the commit that marks it as told.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "alerts/message.h"
#include "config/config.h"
#include "jobs/queue.h"
#include "ledger/budgets/budgets.h"
#include "net/client.h"
#include "net/fair_pool.h"
#include "store/store.h"

namespace tandem::alerts {

class Alerts {
  public:
    static constexpr std::string_view kJob = "alert";  // the kind of a job that tells one by one way

    // `pool` runs the owner's program and reads the ledger.
    Alerts(store::Store& store, const Clock& clock, ledger::Budgets& budgets, jobs::Runner& runner, jobs::Queue& queue,
           net::FairPool& pool);

    // At the start and at each reload. Safe from any thread.
    void configure(std::shared_ptr<const config::Config> config);
    // After the queue's start. `worker` outlives the runner's work.
    void start(net::Worker& worker);
    // A job of kJob.
    net::Task<jobs::Queue::Outcome> deliver(jobs::Queue::Context& context);

  private:
    struct Usual {
        Money mean;              // of the slots of ten minutes in which a key spent something
        std::int64_t slots = 0;  // how many those were
    };
    std::shared_ptr<const config::Config> config() const;
    net::Task<> watch(net::Worker& worker, net::Cancel& cancel);
    // Takes what there is to tell: a line in the log, and a job for each way that the owner wants.
    net::Task<> tell();
    net::Task<> look_for_runaways();
    net::Task<> learn_what_is_usual(const config::Config& config, std::int64_t now);
    net::Task<Result<>> call_webhook(const config::Alerts& wanted, const Alert& alert, jobs::Queue::Context& context);

    store::Store& store_;
    const Clock& clock_;
    ledger::Budgets& budgets_;
    jobs::Runner& runner_;
    jobs::Queue& queue_;
    net::FairPool& pool_;
    net::ClientShared client_;
    mutable std::mutex mutex_;
    std::shared_ptr<const config::Config> config_;
    // Of watch() alone.
    std::unordered_map<std::string, Usual> usual_;
    std::int64_t usual_of_ = -1;  // the hour that it was learned in
    std::int64_t looked_ = 0;     // the last time that runaways were looked for
};

}  // namespace tandem::alerts
