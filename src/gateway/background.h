// Work that goes on while no client waits: who is at it, how to end it, and how to wait for its end at a stop.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/cancel.h"
#include "net/worker.h"

namespace tandem::gateway {

// A background response while it is being made. Safe from any thread, but for `cancel`, which is its worker's.
class Live : public std::enable_shared_from_this<Live> {
  public:
    explicit Live(net::Worker& worker) : worker_(worker) {}
    // Whole events, in order; `end` when none follows.
    void add(std::string event);
    void end();
    // Those from `first` on, and whether it has ended.
    struct Seen {
        std::vector<std::string> events;
        bool ended;
    };
    Seen since(std::size_t first) const;
    // Ends it, from any thread.
    void cancel();
    // Set by whoever runs it, on the worker's thread.
    void runs_with(net::Cancel* cancel) { cancel_ = cancel; }

  private:
    net::Worker& worker_;
    net::Cancel* cancel_ = nullptr;
    mutable std::mutex mutex_;
    std::vector<std::string> events_;
    bool ended_ = false;
};

class Background {
  public:
    // Runs `work` on the worker until it returns. False once stop() has been called: then nothing is started.
    bool start(net::Worker& worker, const std::string& id, std::shared_ptr<Live> live,
               std::function<net::Task<>()> work);
    std::shared_ptr<Live> find(const std::string& id) const;
    bool stopping() const;
    // Cancels all and waits for their end. From a thread that is no worker.
    void stop();

  private:
    static net::Task<> run(Background* self, std::string id, std::function<net::Task<>()> work);
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::unordered_map<std::string, std::shared_ptr<Live>> running_;
    bool stopping_ = false;
};

}  // namespace tandem::gateway
