// The events of a background response while it is being made, for those who read along. Private to resources/.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory_account.h"
#include "gateway/run.h"
#include "net/event.h"

namespace tandem::resources {

// Safe from any thread.
class Live {
  public:
    static constexpr std::size_t kMostEvents = 16UL << 20;  // bytes of all events of one response
    static constexpr std::size_t kSlice = 256UL << 10;  // bytes that one look gives, or one event where it is larger

    Live() = default;
    // `memory` grows by two copies of each event: the one here, and the one that is written down at the end.
    explicit Live(Held memory) : memory_(std::move(memory)) {}
    // A whole event; `end` when none follows. False where there is no room for it: it is left out, and so is all that
    // follows.
    bool add(std::string_view event);
    void end();
    // A model is asked for it. From then on it is in progress.
    void begin(gateway::Origin origin);
    std::optional<gateway::Origin> origin() const;
    // The next events from `first` on, as bytes. `ended`: nothing follows them.
    struct Seen {
        std::string bytes;
        std::size_t events = 0;
        bool ended = false;
    };
    Seen since(std::size_t first) const;
    std::size_t count() const;
    // All of them.
    std::string all() const;
    // Happens with each event and with the end.
    net::Event& changed() { return changed_; }

  private:
    mutable std::mutex mutex_;
    net::Event changed_;
    Held memory_;
    std::string text_;               // of all events
    std::vector<std::size_t> ends_;  // where each ends in it
    std::optional<gateway::Origin> origin_;
    bool full_ = false;
    bool ended_ = false;
};

}  // namespace tandem::resources
