// What a request is like, without asking a model: what a rule can test.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "chat/conversation.h"
#include "config/config.h"
#include "ledger/prices/tariff.h"
#include "routing/work.h"

namespace tandem::routing {

struct Features {
    std::int64_t prompt_tokens = 0;   // estimated (chat/estimate.h)
    std::int64_t answer_tokens = 0;   // asked for; 0: not said
    std::int64_t context_tokens = 0;  // the context that the client wants the model to have; 0: it does not say
    std::int64_t all_tokens = 0;      // of all texts of a request that has several; 0: they are one prompt
    std::int64_t most_tokens = 0;     // that all of it can be at most: what a reservation counts with; 0: not known
    std::int64_t choices = 1;         // answers that are asked for
    // Where the key has a budget or a limit of tokens: the bound of an answer that its client sets none for; 0: none.
    std::int64_t bound_tokens = 0;
    bool reserves_most = false;  // a model that says how much it answers with at most is not bounded: that is reserved
    config::Capabilities needs;
    prices::Asked price;  // what the request says that its price depends on
    Work work;
    int repeats = 0;
    bool operator==(const Features&) const = default;
};

// Everything but `repeats`. Deterministic; linear in the size of the text.
Features features_of(const chat::Request& request);

// How often a kind of request has been seen since the start: the same system prompt and the same beginning of the last
// message, digits aside. Safe from any thread; bounded.
class Repeats {
  public:
    static constexpr std::size_t kMostKinds = 4096;
    // Counts this request and gives how many came before it.
    int count(const chat::Request& request);

  private:
    std::mutex mutex_;
    std::unordered_map<std::uint64_t, int> seen_;
};

}  // namespace tandem::routing
