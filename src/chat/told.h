// What an answer said, as much of it as is needed to see without a model whether it can be used.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chat/conversation.h"

namespace tandem::chat {

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
    std::optional<Finish> finish;

    void take(const Event& event);
    void call(std::size_t index, std::string_view name, std::string_view arguments, bool custom);
    static constexpr std::size_t kMostCalls = 256;
};

// What is wrong with it, in a word: "empty", "cut", "loop", "refused", "json", "tool call"; empty where nothing is to
// be seen. "cut" only where the client set no bound of its own. Linear in the answer.
std::string fault_of(const Told& told, const Request& request);

// Whether a user's turn says that the answer before it was wrong. Short turns only; English and some other languages.
bool disputes(std::string_view text);

}  // namespace tandem::chat
