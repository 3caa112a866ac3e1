// What is known of how providers are, from the traffic alone: circuit breakers, and the limits of their keys.
//
// Closed: all goes there. After kFailures in a row, or where more than kOutlier of the last attempts failed, it opens:
// the provider is left alone for a pause that doubles each time. Then it is half open: one request is let through, and
// what becomes of it closes or opens it again (Nygard, Release It!). Where no other provider may take a request, it is
// let through before the pause is over, as long as nobody else tries.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/world.h"
#include "config/config.h"
#include "net/message.h"

namespace tandem::upstream {

// Until when a provider wants to be asked no more with one key, from the headers of an answer: retry-after,
// x-ratelimit-remaining-* with x-ratelimit-reset-* ("6m0s", "250ms", seconds), anthropic-ratelimit-*-remaining with
// -reset (RFC 3339). Nullopt where they say nothing of the kind.
std::optional<milliseconds> rest_wanted(const net::Fields& headers, WallTime now);

// Safe from any thread.
class Health {
  public:
    static constexpr int kFailures = 3;
    static constexpr milliseconds kFirstPause{2'000};
    static constexpr milliseconds kLongestPause{60'000};
    static constexpr int kFewest = 10;       // attempts before a share of failures says anything
    static constexpr double kOutlier = 0.6;  // of the last attempts, about twenty of them, the newest counting most
    static constexpr milliseconds kRefusedRest{60'000};
    static constexpr milliseconds kRefusedModelRest{5 * 60'000};
    static constexpr std::size_t kMostRefused = 1'000;
    static constexpr milliseconds kLongestRest{15 * 60'000};  // of a key, whatever its provider says

    using Opened = std::function<void(const std::string& provider)>;

    // `opened` is told when a breaker opens that was closed; it must not come back here, and may be empty.
    explicit Health(const Clock& clock, Opened opened = {}) : clock_(clock), opened_(std::move(opened)) {}

    // One attempt's leave to ask a provider that may be half open. Goes without a verdict where nobody gives one.
    class Trial {
      public:
        Trial() = default;
        Trial(Trial&& other) noexcept;
        Trial& operator=(Trial&& other) noexcept;
        ~Trial();

      private:
        friend class Health;
        Trial(Health* health, std::string provider, bool hurried)
            : health_(health), provider_(std::move(provider)), hurried_(hurried) {}
        Health* health_ = nullptr;
        std::string provider_;
        bool hurried_ = false;
    };
    // Nullopt where it is open, unless it is the last resort, or another request tries it. `hurried`: one whose client
    // waits less long than the provider may take. It can find the provider well, but not ill, so that it stands in
    // nobody's way but that of its like.
    std::optional<Trial> try_it(const std::string& provider, bool last_resort = false, bool hurried = false);
    // Whether it is open, and nobody tries it: try_it() as the last resort would let one request through. Or whether it
    // refuses our key.
    bool may_be_tried(const std::string& provider) const;

    void succeeded(const std::string& provider);
    void failed(const std::string& provider, const std::string& why);
    // It refuses this one of `count` keys of ours, which nothing but the owner mends: the key rests for kRefusedRest,
    // so that others are asked first, and status says so until the provider answers. With no other it is asked all the
    // same (may_be_tried()).
    void refused_key(const std::string& provider, std::size_t key, std::size_t count, const std::string& why);
    // Why it should be left alone now, or empty.
    std::string unhealthy(const std::string& provider) const;

    // A model that its provider said not to have: it rests for kRefusedModelRest, so that others are asked before it,
    // and status says why until it answers. The keys are of model_key(). At most kMostRefused are known at a time.
    static std::string model_key(const config::Provider& provider, std::string_view name);
    void refused_model(const std::string& key, const std::string& why);
    void model_answered(const std::string& key);
    // Whether there is such a model at all; else nobody need ask of one.
    bool any_model_refused() const { return any_refused_; }
    // Why it should be left alone now, or empty.
    std::string unhealthy_model(const std::string& key) const;
    // What its provider said of it when it was last asked, or empty.
    std::string refusal_of_model(const std::string& key) const;

    // Which of a provider's keys to use, by its place: the next that may be used, in turn; else the first that will be.
    std::size_t key_of(const std::string& provider, std::size_t count);
    // The key is left alone for so long; `why` is what its provider said, or empty.
    void rest(const std::string& provider, std::size_t key, milliseconds time, const std::string& why = {});
    // Whether one of its keys may be used now.
    bool has_key(const std::string& provider) const;

    struct Status {
        std::string provider;
        std::string state;  // closed, open, half open, limited, key refused
        std::string why;
        double failure_share = 0;
        std::int64_t attempts = 0;
        std::int64_t seconds_left = 0;
        std::size_t keys = 1, keys_resting = 0;
    };
    Status status(const std::string& provider) const;

  private:
    struct Entry {
        int failures = 0;  // in a row
        double share = 0;  // of failures
        std::int64_t attempts = 0;
        milliseconds pause{0};
        SteadyTime until{};
        bool open = false;
        bool tried = false;    // half open, and somebody is at it
        bool hurried = false;  // the same, of those in a hurry
        std::string why;
        std::vector<SteadyTime> keys;  // until when each rests
        std::size_t next_key = 0;
        std::string limit;  // what was said when one was told to rest
        std::string key;    // what was said when it refused our key
    };
    static constexpr double kNewest = 0.1;
    void ended(const std::string& provider, bool hurried);
    std::string limited(const std::string& provider, const Entry& entry) const;

    const Clock& clock_;
    const Opened opened_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Entry> entries_;
    struct Refused {
        std::string why;
        SteadyTime until{};
    };
    std::unordered_map<std::string, Refused> refused_models_;
    std::atomic<bool> any_refused_ = false;  // refused_models_ is not empty: what answers need not look
};

}  // namespace tandem::upstream
