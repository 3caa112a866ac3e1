// What finds out one thing of a model: a suite asks questions that follow from its seed and from what came of those
// before, until the answer is clear or its questions are used up, and says what it has found.
//
// A suite is a file in suites/ and a line in suites.h. It is a function of its Subject and of the outcomes that it
// takes, so that a probe that was interrupted goes on by giving it the same outcomes again.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/world.h"
#include "catalog/measurements.h"
#include "chat/conversation.h"
#include "chat/told.h"
#include "probe/evidence.h"

namespace tandem::probe {

// The model that is probed.
struct Subject {
    std::int64_t context_tokens = 0;  // that it claims; 0: nothing
    bool thinks = false;              // it needs room for thoughts before an answer
    bool can_render = false;          // its server holds answers to a grammar, so tools may be told in the prompt
    int slots = 1;                    // requests that its server answers at a time, as far as known
    int each = 0;                     // questions of each kind, for the suite `basics`
    std::int64_t longest = 0;         // tokens of the longest prompt, for the suite `context`; 0: the usual
    std::uint64_t seed = 1;

    // Room for an answer of about so many tokens.
    std::int64_t room(std::int64_t tokens) const;
};

// How one request of a question is asked.
struct Asking {
    chat::Request request;
    bool streamed = false;   // so that the answer has its times
    bool leaves = false;     // the asker goes away when something of the answer has come
    bool unbounded = false;  // it is sent though it does not fit the context that is claimed
    std::optional<bool> renders_tools = std::nullopt;
};

// What came of one.
struct Heard {
    std::string error, code;  // why there is no answer, and the code of that
    chat::Told told;
    std::string warnings;
    Usage usage;
    std::size_t choices = 0;
    milliseconds first{-1}, last{0};
};

// What a suite is told of a question.
struct Outcome {
    std::optional<bool> passed;         // nothing: it could not be asked, or nobody can say
    std::vector<std::int64_t> numbers;  // what else was seen, as the suite needs it
    std::string note = {};              // for people: the beginning of a wrong answer
};

// Which errors are outcomes of a question, for its judge; after the others it was not asked.
enum class Errors { none, refusals, any };
// Whether an error of this code says that the server does not do what was asked for.
bool is_refusal(std::string_view code);

struct Question {
    std::string name;             // unique in its suite
    std::string task = {};        // what the learner knows it by; empty: nothing is learned from it
    std::string kind = {};        // of the record; empty: the suite's name
    std::vector<Asking> at_once;  // most often one
    Errors errors = Errors::none;
    std::function<Outcome(std::span<const Heard>)> judge;
};

// One thing that was found, as it is kept.
struct Finding {
    std::string name;
    std::string unit;  // "share" (value in thousandths), "tokens", "ms", "tokens/s" (in hundredths), "" for a word
    std::int64_t value = 0, low = 0, high = 0;
    std::int64_t asked = 0, right = 0;
    std::string word = {};  // in place of a number; or what it means
};
// A share with its interval.
Finding share_of(std::string name, const Proportion& proportion, std::string word = {});

// What routing goes by.
struct Decided {
    catalog::Quantity quantity = catalog::Quantity::context;
    std::int64_t value = 0, low = 0, high = 0, asked = 0;
};

class Suite {
  public:
    virtual ~Suite() = default;
    // What to ask now; nothing: it is clear, or there is no more to ask. The same until take().
    virtual std::optional<Question> next() = 0;
    // Where nothing passed or failed, the question may be asked again.
    virtual void take(const Outcome& outcome) = 0;
    // The most questions that it asks.
    virtual std::size_t most() const = 0;
    virtual std::vector<Finding> findings() const = 0;
    virtual std::vector<Decided> decided() const { return {}; }
};

struct SuiteRow {
    std::string_view name;
    std::string_view about;
    std::unique_ptr<Suite> (*make)(const Subject& subject);
};
// All of them, by name.
std::span<const SuiteRow> suites();
const SuiteRow* find_suite(std::string_view name);

}  // namespace tandem::probe
