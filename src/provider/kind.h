// The kinds of providers, one row and one file each (kinds/): how a kind is named and reached, what it is spoken to in,
// how it says that something is wrong, and what else is odd about it. Everybody else reads the row; nobody asks which
// kind a provider is (law 7; tests/structure/kinds_test.py).
//
// A new kind is a file in kinds/ and a line of kind.cpp. What this does not do: send anything.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/secret.h"
#include "base/world.h"
#include "net/message.h"

namespace tandem::dialect {
enum class Speaker : std::uint8_t;
}

namespace tandem::provider {

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

// How a server counts the tokens of a prompt exactly: questions at its root, each made of the answer before.
struct TokenCounter {
    struct Step {
        std::string_view path;
        // `request`: the request in the provider's words; `before`: the answer of the step before, if any.
        // Empty: that answer has not what is wanted.
        std::string (*body)(const std::string& request, const json::Value& before);
    };
    std::span<const Step> steps;
    std::optional<std::int64_t> (*tokens)(const json::Value& last);  // nullopt: the answer has no count
};

// What a server says of a model that it has, where a kind of server has words for that.
struct Description {
    std::int64_t context_tokens = 0;      // 0: not said
    bool context_is_the_servers = false;  // what the server runs it with; else what the model was trained for
    std::optional<bool> knows_tools;      // by its chat template
    bool elsewhere = false;               // the server hands it on to machines of somebody else
    bool only_embeds = false;             // it makes vectors, and does not talk
};

struct ModelDescriber {
    std::string (*url)(const std::string& base_url);
    std::string (*body)(const std::string& model);  // empty: a GET, whose answer is the same for all models
    Description (*read)(const json::Value& answer);
};

struct Kind {
    std::string_view name;     // in tandem.yaml
    std::string_view product;  // as people call it
    dialect::Speaker speaker;  // its column of the table of losses

    // ---- where it is ----

    std::string_view usual_url = {};                         // empty: kinds of servers that are in many places
    std::string (*with_version)(std::string url) = nullptr;  // null: the URL is as its owner writes it
    std::string_view list_path = "/models";                  // of its models, below the base URL
    // The list is at a path below the server's root that other kinds do not have.
    bool own_list = false;
    // Its URLs have more forms than one, so `tandem doctor` looks for a better one.
    bool url_varies = true;
    // Where it is asked, by which a server of another kind is told apart; empty: by nothing.
    std::string_view asking_path = {};

    // ---- how it is spoken to ----

    void (*authorize)(net::Fields& headers, const Secret& key);
    Said (*read_error)(const json::Value& body);
    std::string_view stream_type = "text/event-stream";  // what to accept for a stream
    const TokenCounter* counter = nullptr;               // null: tokens are estimated
    const ModelDescriber* describer = nullptr;           // null: its list of models is all that it says

    // ---- what its models do ----

    bool runs_here = false;             // Tandem starts its servers itself
    bool runs_command = false;          // by a command of their owner
    bool signs_reasoning = false;       // its thoughts are signed, and it wants them back
    bool continues_answers = false;     // it goes on with an answer whose beginning it is given
    bool holds_to_grammar = false;      // any model answers in JSON, and tools can be rendered for models without
    bool serves_others_models = false;  // it may hand on a call that a model wrote as the text that it is
    bool takes_grammar = false;         // a grammar of ours beside messages, and tools for its template alone
    bool cuts_prompts = false;          // what is too long is cut without a word, so the config has to say what fits
    bool takes_any_name = false;        // a server of one model answers to whatever name it is asked by
    bool charges_cache_writes = false;
    // Whose prices hold where the address says nothing; empty: the owner's name for the provider may say it.
    std::string_view price_book = {};
};

// All, in the order in which messages name them.
std::span<const Kind* const> kinds();
std::vector<std::string_view> names();
// Null: there is none of that name.
const Kind* find(std::string_view name);
// One that is there: a name in our own code.
const Kind& named(std::string_view name);

// The base URL with the version that the kind's paths stand below.
std::string with_version(const Kind& kind, std::string url);
// A base URL without `/v1` at its end.
std::string root_of(std::string url);

// ---- what the files of kinds share ----

void bearer(net::Fields& headers, const Secret& key);
std::string with_v1(std::string url);
// Of OpenAI, and of the servers that speak its words.
Said read_openai_error(const json::Value& body);
// {"error":{"message"}}, {"error":"..."}, {"message":"..."}: servers differ, and all three are read.
std::string message_in(const json::Value& body);
// Fills in the two numbers of a message about a prompt that is too long; `limit_first`: the context stands before the
// prompt. Leaves them where the message has none.
void take_numbers(Said& said, bool limit_first);
// The numbers of at least two digits in a text, in order: "... 4096 tokens ... 5000 tokens".
std::vector<long long> numbers_in(std::string_view text);

}  // namespace tandem::provider
