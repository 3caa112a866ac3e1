// The work on record, as an evaluation needs it: what was asked, under which label, what it took, and who answered how
// fast. It has nothing but what the ledger's rows, the decisions' inputs and the outcomes hold; no text.
//
// Promises: memory is bounded (kMostRequests); where a span holds more requests, the newest stay, whole, so that
// arrivals keep their distances, and the span says so. What Tandem asked itself (probes, judges, experiments' copies)
// and what its cache answered is no work of anybody's and is left out, counted.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/calendar.h"
#include "base/label.h"
#include "base/money.h"
#include "base/result.h"
#include "config/config.h"
#include "ledger/prices/tariff.h"
#include "routing/routing.h"
#include "store/store.h"

namespace tandem::advice {

// Small numbers for names that many requests share.
class Names {
  public:
    // The number of a name, which is added where it is new; -1 for the empty name and where there are kMost already.
    std::int32_t number_of(std::string_view name);
    const std::string& operator[](std::int32_t number) const;  // empty for -1
    std::size_t size() const { return names_.size(); }
    static constexpr std::size_t kMost = 10'000;

  private:
    std::vector<std::string> names_;
    std::unordered_map<std::string, std::int32_t> numbers_;
};

enum class Outcome : std::uint8_t { answered, refused, failed };

// One request: its decision, and its attempts together.
struct Request {
    std::int64_t time_ms = 0;  // it came, milliseconds since 1970
    std::int32_t alias = -1;   // number in Traffic::aliases
    std::int32_t key = -1;     // in Traffic::keys
    std::int32_t model = -1;   // in Traffic::models: who answered; -1: nobody
    std::int32_t asked = -1;   // in Traffic::asked: what else its price depends on; -1: nothing
    Label label = Label::public_;
    Label rest = Label::public_;  // as routing::Inputs::rest
    std::uint8_t found = 0;       // as routing::Inputs::found
    config::Stakes stakes = config::Stakes::normal;
    routing::WorkKind kind = routing::WorkKind::talk;
    std::uint8_t difficulty = 0;  // 0 to 100
    config::Capabilities needs;
    Outcome outcome = Outcome::answered;
    bool whole = false;               // its answer came to its end
    float sure = 0;                   // of the kind, 0 to 1
    std::int32_t repeats = 0;         // of its kind before it
    std::int64_t prompt_tokens = 0;   // estimated before it was sent: what a context must hold
    std::int64_t answer_tokens = 0;   // that the client asked for at most; 0: it did not say
    std::int64_t context_tokens = 0;  // that the client wants the model to have; 0: it did not say
    std::int64_t warm_tokens = 0;     // of the prompt that a provider had seen a moment ago
    std::int32_t warm = -1;           // in Traffic::models: whose provider; -1: nobody's
    bool in_session = false;          // that model holds a session in which tools are offered (routing::Outlook)
    std::int32_t turn_before = -1;    // in Traffic::requests: the turn that this one follows; -1: none is known
    Usage usage;                      // of the answer; where there was none, what was estimated of the prompt
    Money cost;                       // booked, of all its attempts
    Zone zone = Zone::local;          // of who answered
    std::int64_t first_byte_ms = -1;  // of the attempt that answered, from its start; -1: not known
    std::int64_t total_ms = 0;        // of the attempt that answered
    std::int64_t attempt_ms = 0;      // when the attempt that answered began
    float good = -1;                  // how it turned out, 0 to 1; below 0: nobody has said
};

// What the router thought of a model when a request was decided: learned of its text, which is not on record.
struct Thought {
    std::uint32_t request = 0;                   // number in Traffic::requests
    std::int32_t model = -1;                     // in Traffic::models
    float quality = 0, doubt = 0, outcomes = 0;  // as routing::Outlook's
};

// A time in which a model of the owner's zone worked, whatever came of it.
struct Busy {
    std::int32_t provider = -1;  // in Traffic::providers
    std::int32_t model = -1;     // in Traffic::models
    Span span;
};

struct Traffic {
    Names aliases, keys, models, providers;
    std::vector<prices::Asked> asked;  // without the time
    std::vector<Request> requests;     // in order of time
    std::vector<std::string> ids;      // of their decisions, in the same order; empty where they are of no use
    std::vector<Thought> thoughts;     // of the newest of them, in the same order
    std::vector<Request> trials;       // that Tandem asked itself, to know how fast models are
    std::vector<Busy> busy;            // of local attempts
    Span span;                         // that it stands for; at least a day
    // Left out: asked by Tandem itself, answered from its cache, unreadable (of another version), and older than the
    // newest kMostRequests.
    std::int64_t own = 0, cached = 0, unread = 0, older = 0;
    bool of_profile = false;  // described by the owner (profile.h), not recorded

    static constexpr std::size_t kMostRequests = 200'000;
    static constexpr std::size_t kMostThoughts = 100'000;
    // What the router thought when it decided the request of this number; empty where that is not known.
    std::span<const Thought> thoughts_of(std::size_t request) const;
    // Milliseconds of the span.
    std::int64_t length_ms() const { return span.end - span.start; }
};

// What a month is here: 730 hours, as in `tandem cost break-even`.
inline constexpr std::int64_t kMonthMs = 730LL * 3'600'000;
// A span is at least so long: what was asked in an hour says nothing of a month.
inline constexpr std::int64_t kLeastSpanMs = 86'400'000;

// What was asked from `since` to before `until`. The span begins at the first request where that is later than `since`,
// and is a day at least. Errors: storage.
Result<Traffic> read_traffic(store::Database& database, std::int64_t since, std::int64_t until);

}  // namespace tandem::advice
