// Work that goes on while no client waits: who is at it, how to end it, and how to wait for its end at a stop.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/memory_account.h"
#include "net/cancel.h"
#include "net/worker.h"

namespace tandem::gateway {

// A background response while it is being made. Safe from any thread, but for `cancel`, which is its worker's.
class Live : public std::enable_shared_from_this<Live> {
  public:
    static constexpr std::size_t kMostEvents = 16UL << 20;  // bytes of all events of one response
    static constexpr std::size_t kSlice = 256UL << 10;  // bytes that one look gives, or one event where it is larger

    explicit Live(net::Worker& worker) : worker_(worker) {}
    // `memory` grows by two copies of each event: the one here, and the one that is written down at the end.
    Live(net::Worker& worker, Held memory) : worker_(worker), memory_(std::move(memory)) {}
    // A whole event; `end` when none follows. False where there is no room for it: it is left out, and so is all that
    // follows.
    bool add(std::string_view event);
    void end();
    // The next events from `first` on, as bytes. `ended`: nothing follows them.
    struct Seen {
        std::string bytes;
        std::size_t events = 0;
        bool ended = false;
    };
    Seen since(std::size_t first) const;
    std::size_t count() const;
    bool ended() const;
    // All of them.
    std::string all() const;
    // Ends it, from any thread.
    void cancel();
    // Set by whoever runs it, on the worker's thread.
    void runs_with(net::Cancel* cancel) { cancel_ = cancel; }

  private:
    net::Worker& worker_;
    net::Cancel* cancel_ = nullptr;
    mutable std::mutex mutex_;
    Held memory_;
    std::string text_;               // of all events
    std::vector<std::size_t> ends_;  // where each ends in it
    bool full_ = false;
    bool ended_ = false;
};

class Background {
  public:
    // Runs `work` on the worker until it returns. False once stop() has been called: then nothing is started. Work of a
    // holder is counted for running_of().
    bool start(net::Worker& worker, const std::string& id, std::shared_ptr<Live> live,
               std::function<net::Task<>()> work, const std::string& holder = {});
    std::size_t running_of(const std::string& holder) const;
    std::shared_ptr<Live> find(const std::string& id) const;
    bool stopping() const;
    // Cancels all and waits for their end. From a thread that is no worker.
    void stop();

  private:
    static net::Task<> run(Background* self, std::string id, std::function<net::Task<>()> work);
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    struct Running {
        std::shared_ptr<Live> live;
        std::string holder;
    };
    std::unordered_map<std::string, Running> running_;
    bool stopping_ = false;
};

}  // namespace tandem::gateway
