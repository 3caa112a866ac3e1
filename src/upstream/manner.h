// How each kind of provider is spoken to over HTTP, and how it says that something is wrong. What is odd about one kind
// is in its file: openai.cpp, anthropic.cpp, gemini.cpp, ollama.cpp, llama_server.cpp. Private to upstream/.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/secret.h"
#include "base/world.h"
#include "config/config.h"
#include "net/message.h"

namespace tandem::upstream {

inline constexpr std::size_t kQuotedError = 300;

// What an error body says.
struct Said {
    std::string message;
    bool too_long = false;  // the prompt does not fit the model's context
    bool filtered = false;  // it will not answer such a thing
    bool misspoke = false;  // the model's answer could not be read: the request is not to blame
    long long prompt_tokens = 0;
    long long context_tokens = 0;
    std::optional<seconds> retry_after;
};

struct Manner {
    void (*authorize)(net::Fields& headers, const Secret& key);
    Said (*read_error)(const json::Value& body);
    std::string_view stream_type;  // what to accept for a stream
};

extern const Manner kOpenAi;
extern const Manner kAnthropic;
extern const Manner kGemini;
extern const Manner kOllama;
extern const Manner kLlamaServer;

const Manner& manner_of(config::ProviderKind kind);

// ---- what they share ----

void bearer(net::Fields& headers, const Secret& key);
// {"error":{"message"}}, {"error":"..."}, {"message":"..."}: servers differ, and all three are read.
std::string message_in(const json::Value& body);
// Fills in the two numbers of a message about a prompt that is too long; `limit_first`: the context stands before the
// prompt. Leaves them where the message has none.
void take_numbers(Said& said, bool limit_first);
// The numbers of at least two digits in a text, in order: "... 4096 tokens ... 5000 tokens".
std::vector<long long> numbers_in(std::string_view text);

}  // namespace tandem::upstream
