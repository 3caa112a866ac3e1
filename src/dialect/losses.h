// What each target can say, as one table, and the fitting of a request to a target by it. docs/dialects/translation.md
// is made from the table (a test fails when it is stale).
//
// Nothing is lost in silence: what a target cannot say is refused by its name, or, where the owner's config allows it,
// left out with a warning; what no answer depends on (a cache hint, a user id) is left out with a warning; what can be
// said in another way is.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "chat/conversation.h"
#include "dialect/dialect.h"

namespace tandem::dialect {

// A dialect as one kind of server speaks it: llama.cpp's server takes more and less than OpenAI in the same words.
enum class Speaker : std::uint8_t { openai_chat, llama_server, openai_responses, anthropic, gemini, ollama };
inline constexpr std::array<std::string_view, 6> kSpeakerNames = {"openai",    "llama-server", "responses",
                                                                  "anthropic", "gemini",       "ollama"};
Kind kind_of(Speaker speaker);

enum class Verdict : std::uint8_t {
    kept,     // as it is
    changed,  // said in another way, with the same meaning
    hint,     // left out, with a warning: no answer depends on it
    refused,  // an error, or left out with a warning where the owner allows it
};

// One thing of a request that cannot be said: what it is, and its place.
struct Named {
    std::string name, field;
};

struct Feature {
    std::string_view name;    // for people
    std::string_view field;   // in the error
    std::string_view advice;  // how it is changed, or what to do
    std::array<Verdict, 6> verdicts;
    bool (*present)(const chat::Request&, Speaker);
    // Takes it out, or says it in the target's way.
    void (*apply)(chat::Request&, Speaker);
    // The first one in a request, where the error can name it better than `name` and `field` do.
    std::optional<Named> (*first)(const chat::Request&) = nullptr;
};
const std::vector<Feature>& features();

struct Fitted {
    chat::Request request;
    std::vector<std::string> warnings;
    std::optional<Error> refused;     // invalid, with the field as param
    std::set<std::string> applied{};  // what was said in another way, or left out: names of features, and of extras
};
// `request` as `target` can say it. `drop`: leave out instead of refusing.
Fitted fit(chat::Request request, Speaker target, bool drop);

// Whether an answer to a request without this member of its dialect is an answer to the same question: it says neither
// what the answer is to be, nor a part of the prompt, or it asks for nothing.
bool can_be_left_out(const std::string& name, const chat::Raw& value);

// System messages behind the first other message, and these as a user's text in <system> marks.
bool has_late_system(const chat::Request& request);
void say_late_system_as_user(chat::Request& request);

// Custom tools, and their calls and results, as functions with one text.
void make_custom_tools_functions(chat::Request& request);

// The table as Markdown.
std::string losses_as_markdown();

}  // namespace tandem::dialect
