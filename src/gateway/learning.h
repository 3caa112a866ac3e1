// What the gateway learns from its traffic: which conversation a request goes on with, how its last answer was taken,
// and what people say of answers. Outcomes are committed before they count.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/world.h"
#include "chat/conversation.h"
#include "config/config.h"
#include "ledger/outcomes.h"
#include "net/task.h"
#include "routing/learner.h"
#include "store/store.h"

namespace tandem::gateway {

// Tells models with one name apart: their provider, their name there and, of an engine's file, size and time.
using IdentityOf = std::function<std::string(const config::Config&, const config::Model&)>;

// Safe from any thread.
class Learning {
  public:
    // How long a provider is taken to have a prompt in its cache (Anthropic and OpenAI: five minutes and more).
    static constexpr seconds kWarm{300};
    // A request that comes again within this time is one whose answer did not please.
    static constexpr seconds kAgain{120};
    static constexpr std::size_t kMostPast = 20'000;
    static constexpr int kFullFeedback = 30;  // of one key in an hour; each one more counts less
    static constexpr auto kTraitsKept = std::chrono::days(30);

    Learning(store::Store& store, const Clock& clock, net::asio::thread_pool& pool, IdentityOf identity)
        : store_(store), clock_(clock), pool_(pool), identity_(std::move(identity)) {}

    // Reads back what was learned. After configure(). Errors: storage.
    Result<> load();
    void configure(const config::Config& config);

    // What a request is like, and where it stands in its conversation.
    struct Place {
        std::shared_ptr<const routing::Traits> traits;  // null: nothing is learned from it
        std::uint64_t whole = 0;                        // its messages, as a number
        std::vector<routing::Outlook> outlook;
    };
    // `note`: also takes it for a sign of how the answer before was taken.
    Place place(const chat::Request& request, const config::Key& key, bool note);

    // An answer was given. The job keeps what is needed to learn from it later; commit it with the answer's record.
    struct Answered {
        std::string decision, key, model;
        double seconds = 0;
        std::int64_t prompt_tokens = 0, answer_tokens = 0;
        std::string text;   // of the answer
        std::string fault;  // chat::fault_of
        bool holds_state = false;
    };
    store::Store::Job answered(const Place& place, std::string_view prompt, const Answered& answered);
    // An answer that did not pass, and was asked for again elsewhere. Learned from without being waited for.
    void rejected(const Place& place, std::string_view prompt, const Answered& answered);

    // Somebody says how an answer was: 0 to 1. `done` gets the weight that it counts with, once it is committed, on
    // another thread. Errors: not_found, forbidden, storage.
    void feedback(std::string decision, const config::Key& key, bool owner, double value, std::string note,
                  std::function<void(Result<double>)> done);
    // Errors: storage.
    void forget(std::string model, std::function<void(Result<>)> done);

    const routing::Learner& learner() const { return learner_; }

  private:
    struct Past {
        std::string decision, key, model, identity;
        std::shared_ptr<const routing::Traits> traits;
        SteadyTime time{};
        std::int64_t tokens = 0;
        bool holds_state = false;
        int again = 0;
        bool judged = false;
    };
    void learn_unwatched(ledger::OutcomeRecord record, routing::Traits traits);
    std::string identity_of(const std::string& model) const;
    double weight_of_feedback(const std::string& key);
    std::int64_t now() const { return clock_.wall().time_since_epoch().count(); }

    store::Store& store_;
    const Clock& clock_;
    net::asio::thread_pool& pool_;
    const IdentityOf identity_;
    routing::Learner learner_;

    mutable std::mutex mutex_;
    std::unordered_map<std::uint64_t, Past> past_;
    std::unordered_map<std::string, std::string> identities_;
    struct Said {
        std::int64_t hour = 0;
        int count = 0;
    };
    std::unordered_map<std::string, Said> said_;
};

}  // namespace tandem::gateway
