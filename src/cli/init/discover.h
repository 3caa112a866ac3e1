// The model servers that `tandem init` finds: each answer is checked before a server gets a name, and what the server
// itself says of its models is taken (context, capabilities), nothing else. Private to cli/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/label.h"
#include "config/config.h"

namespace tandem::cli {

struct FoundModel {
    std::string name;                 // as its server calls it
    std::int64_t context_tokens = 0;  // as the server runs it; 0: the server does not say
    std::int64_t trained_tokens = 0;  // the most that the model was trained for; 0: not said
    double parameters = 0;            // in billions, of the server or of the name; 0: not known
    bool known = false;               // the server says what the model can do: `capabilities` is all of it
    config::Capabilities capabilities;
    bool elsewhere = false;  // the server hands it on to a machine of somebody else's
};

struct FoundServer {
    std::string product;   // "Ollama", "llama-server", "an OpenAI-compatible server"
    std::string id;        // for the provider: ollama, llamacpp, vllm, local-8080, proxy-8080
    std::string kind;      // of provider
    std::string base_url;  // as the provider's kind wants it
    bool loopback = false;
    bool private_network = false;  // its address is one of those that never leave a network
    bool hands_on = false;         // it is a gateway to models that run elsewhere
    bool wants_key = false;        // it gives no list without a key
    std::string key_variable;      // environment variable whose key opened it; empty: none was needed
    std::vector<FoundModel> models;
    std::vector<std::string> left_out;  // names of its list that are no models for a conversation
};

// An address that was looked at and has no model server, and what answered there.
struct NotFound {
    std::string address;
    std::string what;
    bool silent = false;  // nothing answered
};

struct Found {
    std::vector<FoundServer> servers;
    std::vector<NotFound> others;
};

struct Address {
    std::string url;           // http://host:port, and a path where the owner named one
    std::string key_variable;  // environment variable that holds its key; empty: none
    bool named = false;        // by the owner, so that an empty answer is worth a word
    std::string kind = {};     // of provider: the dialect of the variable that names the address; empty: none is said
};

// "host:port", "host", ":port", or a URL, as OLLAMA_HOST and --probe take them. 0.0.0.0, where a server listens, is
// this machine. Errors: invalid, with what is wrong and without the value, which may hold a secret.
Result<Address> address_from(std::string_view text, std::uint16_t usual_port);

// Where local servers usually listen, on this machine.
std::vector<Address> usual_addresses();

// Looks at all of them at once; takes two seconds at most, plus two for what models are like.
Found discover(const std::vector<Address>& addresses, const config::Environment& environment);

// What a name says of a model: how many billions of parameters (7b, 135m), 0 where it does not.
double parameters_in(std::string_view name);
// The capabilities of embedders and rerankers, by names that are usual for them.
std::optional<config::Capability> other_work_in(std::string_view name);
// A name that can stand in a config as it is: short, one line, and no ${NAME}, for which the config would put in the
// value of a variable that the server then gets.
bool is_plain_name(std::string_view name);
// Names of sounds and images: no model for text.
bool is_no_text_model(std::string_view name);
// Those, and models of clouds for text that is no conversation, or that answer only with tools of their provider's:
// the completions of old, computer use, search, deep research.
bool is_no_chat_model(std::string_view name);
// Models that OpenAI serves on its Responses API and not on its Chat Completions API.
bool is_responses_only(std::string_view name);
// Loopback; one of a home's or an office's own network (RFC 1918, RFC 4193, RFC 6598, link-local, names without a dot,
// .local, .lan, .home.arpa, .internal).
bool is_this_machine(std::string_view host);
bool is_private_network(std::string_view host);

}  // namespace tandem::cli
