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

#include "base/memory_account.h"
#include "base/world.h"
#include "chat/conversation.h"
#include "config/config.h"
#include "learning/learner.h"
#include "learning/outcomes.h"
#include "net/task.h"
#include "store/store.h"

namespace tandem::learning {

// Tells models with one name apart: their provider, their name there and, of an engine's file, size and time.
using IdentityOf = std::function<std::string(const config::Config&, const config::Model&)>;

// Safe from any thread.
class Learning {
  public:
    // How long a provider is taken to have a prompt in its cache (Anthropic and OpenAI: five minutes and more).
    static constexpr seconds kWarm{300};
    // A request that comes again within this time is one whose answer did not please.
    static constexpr seconds kAgain{120};
    static constexpr std::size_t kMostPast = 4'096;
    static constexpr std::size_t kMostKept = 16UL << 20;  // bytes of all prompts and answers that are kept
    static constexpr int kMostSigns = 20'000;             // of a model, that are kept from one start to the next
    static constexpr std::size_t kLooked = 4 * 1024;      // bytes of a prompt and of an answer
    static constexpr int kFullFeedback = 30;              // of one key in an hour; each one more counts less
    static constexpr int kSignsPerSecond = 10;  // that are learned from; a flood of the same says nothing more

    Learning(store::Store& store, const Clock& clock, MemoryAccount& memory, net::asio::thread_pool& pool,
             IdentityOf identity)
        : store_(store),
          clock_(clock),
          pool_(pool),
          identity_(std::move(identity)),
          held_(memory.open(MemoryKind::kept, "", false)) {}

    // Reads back what was learned. After configure(). Errors: storage.
    Result<> load();
    // `expected`: of each model at ordinary work.
    void configure(const config::Config& config, const routing::Expectations& expected);

    // What a request is like, and where it stands in its conversation.
    struct Place {
        bool learns = false;                        // something is kept of it, in memory, to learn from
        std::shared_ptr<const std::string> prompt;  // the beginning of its last turn
        std::shared_ptr<const Meaning> meaning;     // never null; empty where no embedding was made
        std::uint64_t whole = 0;                    // its messages, as a number
        routing::Expectations expected;             // of each model, before anything was learned
        std::vector<routing::Outlook> outlook;
        routing::WorkKind kind = routing::WorkKind::talk;
        routing::Usual usual;  // for its kind of work
    };
    // `note`: also takes it for a sign of how the answer before was taken. `predict`: what is expected of models for it
    // is wanted. `meaning` may be empty.
    Place place(const chat::Request& request, const std::string& key, bool note, bool predict, routing::WorkKind kind,
                routing::Expectations expected, Meaning meaning = {});

    // An answer was given: the newest are kept in mind, so that more than their quality on the whole is learned when
    // their outcome is known.
    struct Answered {
        std::string decision, key, model;
        double seconds = 0;
        std::int64_t prompt_tokens = 0, answer_tokens = 0;
        std::string text;  // of the answer
        chat::Sureness sure;
        std::string fault;  // chat::fault_of
        bool holds_state = false;
    };
    void answered(const Place& place, Answered answered);
    // An answer that did not pass, and was asked for again elsewhere. Learned from without being waited for.
    void rejected(const Place& place, Answered answered);

    // How likely an answer that nobody has seen yet is good, by what was learned of such; nullopt where too little was.
    std::optional<double> judge(const Place& place, const std::string& model, const chat::Told& answer) const;

    // Somebody says how an answer was: 0 to 1. `done` gets the weight that it counts with, once it is committed, on
    // another thread. Errors: not_found, forbidden, storage.
    void feedback(std::string decision, const std::string& key, bool owner, double value, std::string note,
                  std::function<void(Result<double>)> done);
    // A judge has compared the answer with another one: 1 where it was better, 0 where not. Nobody waits for it.
    void judged(const std::string& decision, double value);
    // A question whose answer can be checked was answered, right or not. The next time that the same one is asked of
    // the model, it counts in its stead. Nobody waits for it.
    void probed(const std::string& decision, const std::string& task, bool passed);
    // Tells the model behind a name apart from what it was before; empty where there is none.
    std::string identity(const std::string& model) const { return *identity_of(model); }
    // Errors: storage.
    void forget(std::string model, std::function<void(Result<>)> done);

    const Learner& learner() const { return learner_; }
    // Of the answers that are kept in mind.
    std::size_t bytes() const;

  private:
    // Of one answer. Its texts never leave the memory; what is written down are their traits, when there is an outcome.
    struct Kept {
        std::string decision, key, model;
        std::shared_ptr<const std::string> identity, prompt;  // never null
        std::shared_ptr<const Meaning> meaning;
        std::string answer;
        chat::Sureness sure;
        std::uint64_t whole = 0;  // where past_ has it
        std::optional<double> expected = std::nullopt;
        Traits traits() const;
        std::size_t bytes() const;
    };
    struct Past {
        std::uint64_t whole = 0;
        std::shared_ptr<const Kept> kept;
        SteadyTime time{};
        std::int64_t tokens = 0;
        bool holds_state = false;
        int again = 0;
        bool judged = false;
    };
    void learn_unwatched(const Kept& kept, const char* source, const std::string& key, double value, double weight,
                         const std::string& note = {});
    void commit_unwatched(const Kept& kept, const char* source, const std::string& key, double value, double weight,
                          const std::string& note);
    std::shared_ptr<const Kept> kept_of(const std::string& decision) const;
    std::shared_ptr<const Kept> keep(const Place& place, Answered answered) const;
    void drop_oldest();                               // under the lock
    void remember(std::shared_ptr<const Kept> kept);  // under the lock
    std::shared_ptr<const std::string> identity_of(const std::string& model) const;
    // The conversation's place in past_; another one may have taken it.
    Past* find(std::uint64_t whole);
    double weight_of_feedback(const std::string& key);
    std::int64_t now() const { return unix_ms(clock_.wall()); }

    store::Store& store_;
    const Clock& clock_;
    net::asio::thread_pool& pool_;
    const IdentityOf identity_;
    Learner learner_;

    mutable std::mutex mutex_;
    // Tables of a fixed size, which cost nothing to keep: by the conversation, and the newest answers in turn.
    std::vector<Past> past_{kMostPast};
    std::vector<std::shared_ptr<const Kept>> newest_{kMostPast};
    std::size_t next_ = 0, oldest_ = 0;  // of newest_, counted on
    std::size_t bytes_ = 0;              // of what newest_ has; past_ has nothing else
    Held held_;
    std::unordered_map<std::string, std::shared_ptr<const std::string>> identities_;
    struct Said {
        std::int64_t hour = 0;
        int count = 0;
    };
    std::unordered_map<std::string, Said> said_;
    std::int64_t second_ = 0;
    int signs_ = 0;  // within it
};

}  // namespace tandem::learning
