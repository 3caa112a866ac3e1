// Work that goes on while no client waits: on which worker it runs, how it is ended, and how a stop waits for it.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "net/cancel.h"
#include "net/worker.h"

namespace tandem::jobs {

// Safe from any thread. Workers outlive it.
class Runner {
  public:
    // Runs on the worker's thread, where `cancel` is fired when it shall end.
    using Work = std::function<net::Task<>(net::Worker& worker, net::Cancel& cancel)>;

    // Runs `work` until it returns. False once stop() has been called: then nothing is started. No two of one id run at
    // a time.
    bool start(net::Worker& worker, const std::string& id, Work work);
    // Fires the Cancel of work that runs; of other work nothing happens.
    void cancel(const std::string& id);
    bool stopping() const;
    // Cancels all and waits for their end. From a thread that is no worker.
    void stop();

  private:
    // Of one piece of work. Its Cancel is used on the worker alone, and goes with the work.
    struct Run {
        net::Worker& worker;
        net::Cancel* cancel = nullptr;  // while it runs
    };
    static net::Task<> run(Runner* self, std::string id, std::shared_ptr<Run> running, Work work);
    static void fire(const std::shared_ptr<Run>& running, net::Cancel::Reason reason);

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::unordered_map<std::string, std::shared_ptr<Run>> running_;
    bool stopping_ = false;
};

}  // namespace tandem::jobs
