// What an answer said, as much of it as is needed to see without a model whether it can be used.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "chat/conversation.h"

namespace tandem::chat {

// How sure a model was of its words, where it says how likely each token was that it chose.
struct Sureness {
    std::int64_t tokens = 0;
    std::int64_t doubted = 0;  // those that were less likely than all others together
    double logs = 0;           // sum of the log-probabilities
    double least = 0;          // the lowest of them

    // One `logprobs` of Chat Completions; what is no such thing adds nothing.
    void take(const json::Value& logprobs);
    bool known() const { return tokens > 0; }
    // The geometric mean of the tokens' probabilities, 0 to 1.
    double mean() const;
};

// The first choice of an answer.
struct Told {
    struct Call {
        std::string name;
        std::string arguments;
        bool custom = false;
    };
    std::string text;
    std::vector<Call> calls;
    bool refused = false;  // in the dialect's own words
    bool shown = false;    // a picture, sound or a file was said
    Sureness sure;
    std::optional<Finish> finish;

    // What was said and then the calls that were made, for those who compare.
    std::string whole() const;
    void take(const Event& event);
    void call(std::size_t index, std::string_view name, std::string_view arguments, bool custom);
    static constexpr std::size_t kMostCalls = 256;
};

// What is wrong with it, in a word: "empty", "cut", "loop", "refused", "json", "tool call"; empty where nothing is to
// be seen. "cut" only where the client set no bound of its own. Linear in the answer.
std::string fault_of(const Told& told, const Request& request);

// How much two answers to one question say the same, 0 to 1: by their numbers, where both have any, and by their words.
// Of the longer one only so much counts as the other one has.
double agreement(std::string_view one, std::string_view other);

// Whether a user's turn says that the answer before it was wrong. Short turns only; English and some other languages.
bool disputes(std::string_view text);

}  // namespace tandem::chat
