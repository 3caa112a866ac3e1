// tandem.yaml as typed, validated values. Nothing here is optional to check later: a Config that exists is consistent
// (each name that it mentions is defined, each number is in its bounds, secrets are resolved).
//
// What it does not do: look at the network, start anything, or know whether a file or a server is there.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/label.h"
#include "base/log.h"
#include "base/money.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/world.h"
#include "config/alerts.h"
#include "config/budget.h"
#include "config/category.h"
#include "config/command.h"
#include "config/experiment.h"
#include "config/failure.h"
#include "config/hardware.h"
#include "config/retrieval.h"
#include "net/limits.h"
#include "provider/kind.h"

namespace tandem::config {

struct Server {
    std::string host = "127.0.0.1";
    std::uint16_t port = 7117;
    bool loopback = true;                   // host is a loopback address
    std::string tls_certificate;            // PEM file, with chain; empty: plain HTTP
    std::string tls_key;                    // PEM file
    std::vector<std::string> hosts;         // further names that a Host header on loopback may carry
    std::vector<std::string> cors;          // origins that a browser page may call from; none by default
    unsigned workers = 0;                   // 0: one per core
    milliseconds drain_timeout{10'000};     // how long a stop waits for requests under way
    milliseconds request_timeout{600'000};  // deadline of a request that names none
    net::ServerLimits limits;
    bool operator==(const Server&) const;  // of what a reload cannot change
};

struct Provider {
    std::string id;
    const provider::Kind* kind = &provider::named("openai");  // never null
    Zone zone = Zone::cloud;
    std::string base_url;                                 // without a trailing slash; empty for engines
    std::shared_ptr<const Secret> api_key;                // never null; the first of them
    std::vector<std::shared_ptr<const Secret>> api_keys;  // all, at least one; each with limits of its own
    Label clearance = Label::internal;                    // the highest label that it may see
    bool stream_usage = true;                             // understands stream_options.include_usage
    bool drop_untranslatable = false;  // what its dialect cannot say is left out with a warning, not refused
    std::size_t concurrency = 0;       // requests at once; 0: learned from how it answers
    milliseconds connect_timeout{5'000};
    milliseconds first_byte_timeout{120'000};
    milliseconds idle_timeout{120'000};  // between two reads of an answer
};

enum class Capability { tools, vision, json, reasoning, embeddings, rerank, chat };
inline constexpr std::array<std::string_view, 7> kCapabilityNames = {"tools",      "vision", "json", "reasoning",
                                                                     "embeddings", "rerank", "chat"};
inline std::string_view name_of(Capability c) {
    return kCapabilityNames[static_cast<std::size_t>(c)];
}

// A set of capabilities, as bits.
struct Capabilities {
    std::uint8_t bits = 0;
    bool has(Capability c) const { return (bits >> static_cast<unsigned>(c)) & 1U; }
    void add(Capability c) { bits = static_cast<std::uint8_t>(bits | 1U << static_cast<unsigned>(c)); }
    bool operator==(const Capabilities&) const = default;
};

// How fast something may be used. 0: no limit.
struct RateLimits {
    std::int64_t requests_per_minute = 0;
    std::int64_t tokens_per_minute = 0;
    std::int64_t concurrency = 0;
    bool operator==(const RateLimits&) const = default;
    bool any() const { return requests_per_minute > 0 || tokens_per_minute > 0 || concurrency > 0; }
};

// Whether a model is among those that `auto`, `local`, `cloud` and `private` choose from. By its own name, and by an
// alias that lists it, it is asked whatever this says.
enum class AutoUse {
    yes,
    fallback_only,  // only where no other model may take the request
    no,
};
inline constexpr std::array<std::string_view, 3> kAutoUseNames = {"yes", "fallback-only", "no"};

// What the owner says that one model costs, per million tokens.
struct Price {
    Money input;
    Money cached_input;
    Money output;
    std::optional<Money> cache_write;  // of input that is put into the provider's cache; nullopt: as input
};

struct Model {
    std::string id;  // with a `*` in it: every model of the provider, by the name that stands for the `*`
    std::string provider;
    std::string name;                          // what the provider calls it; its `*` is what stands for that of the id
    std::int64_t context_tokens = 0;           // 0: not claimed, so not checked
    std::optional<Capabilities> capabilities;  // nullopt: not claimed; assumed able
    std::optional<Price> price;                // the owner's; nullopt: the price book's, where it has one
    std::int64_t max_output_tokens = 0;        // the most that it answers with, as its owner says; 0: not claimed
    std::optional<double> quality;             // the owner's word on how often its answers are good, 0 to 1
    // The model has no tools of its own; Tandem renders them into its prompt and holds its answer to a grammar.
    bool render_tools = false;
    // It goes on with an answer whose beginning it is given as the last message. Nullopt: as its kind of provider does.
    std::optional<bool> prefill;
    AutoUse auto_use = AutoUse::yes;
    // engines only
    std::string file;  // GGUF: absolute, or relative to the data folder's models/, the cache or the config file
    int slots = 1;
    milliseconds idle_unload{900'000};
    milliseconds load_timeout{120'000};
    bool pin = false;               // of an engine: never unloaded
    bool preload = false;           // loaded at the start
    std::string group;              // loaded and unloaded with those of the same; empty: alone
    std::vector<std::string> args;  // further arguments of llama-server
    Command command;                // of a server that its owner names
    RateLimits limits;              // of all that ask it
};

struct Alias {
    std::string id;                        // may be a pattern, see config/names.h
    std::vector<std::string> models;       // in the owner's order; none where it has `means`
    std::optional<FailurePolicy> failure;  // before a rule's and the policy's
    std::string means;                     // auto, local, cloud, private or an alias that is no pattern; or empty
    RateLimits limits;                     // of all that ask by it
    std::vector<std::string> context{};    // collections in which what is asked is looked for
};

// How much depends on an answer. It multiplies what a good one is worth.
enum class Stakes { low, normal, high };
inline constexpr std::array<std::string_view, 3> kStakesNames = {"low", "normal", "high"};
std::optional<Stakes> stakes_from(std::string_view name);

// One rule of the policy. The first rule whose conditions all hold gives the objective of a request.
struct Rule {
    std::string name;
    std::optional<Label> label;  // at least this label
    std::optional<bool> high_value;
    std::optional<int> difficulty;              // at least, 0 to 100
    std::optional<std::int64_t> prompt_tokens;  // at least
    std::optional<int> repeats;                 // seen this often before, in this process
    std::optional<Capability> needs;
    std::string key;  // id of the key
    enum class Prefer { local, cloud, cheapest, best } prefer = Prefer::local;
    // What being in the preferred zone is worth, as a share of a good answer. 1: it comes first whatever was learned.
    double lean = 1;
    std::optional<Stakes> stakes;          // before what the request says
    std::optional<Zone> only;              // excludes the other zone
    bool fallback = true;                  // false: only the first candidate is tried
    std::optional<FailurePolicy> failure;  // before the policy's
    bool cascade = false;                  // a local answer that does not pass its checks is asked for again elsewhere
    double agree = 0;  // and one with which a second, short one agrees less than that; 0: none is asked for
    double sure = 0;   // and one whose words the model held for less likely than that
    std::vector<std::string> context;  // collections in which what is asked is looked for
    bool outward_tools = false;        // a turn with text of files keeps the tools that its provider runs
};
inline constexpr std::array<std::string_view, 4> kPreferNames = {"local", "cloud", "cheapest", "best"};

// What a choice between models is made by, in the owner's terms.
struct Objective {
    Money value = Money::from_micros(1'000'000);  // of a good answer
    Money second;                                 // what a second of waiting costs
    double floor = 0;       // models that are expected to be right less often come behind all others; 0 to 1
    double explore = 0;     // share of requests that try another model, to learn; 0 to 0.5
    bool learn = true;      // from feedback and from what happens
    std::string embedding;  // the model by which it also learns what prompts mean; empty: by their words alone
    bool operator==(const Objective&) const = default;
};

// How an answer is bounded whose client sets no bound, where its key has a budget or a limit of tokens.
enum class Unbounded {
    bound,    // a bound is set in the request that is sent
    reserve,  // the request stays as it is, and the most that the model says it answers with is reserved
};
inline constexpr std::array<std::string_view, 2> kUnboundedNames = {"bound", "reserve"};

// What is done with a conversation in which a model makes the same call again and again.
enum class Loops {
    warn,  // it is said, and goes on
    stop,  // the request is refused
};
inline constexpr std::array<std::string_view, 2> kLoopsNames = {"warn", "stop"};

// What is done with a cloud model of which nobody says what it costs.
struct UnknownPrice {
    // mark: keys with budgets may not use it, for others its cost counts as 0, and all say that it is not known.
    // refuse: nobody may use it. estimate: it costs `rate`.
    enum class Do { mark, refuse, estimate } act = Do::mark;
    Money rate;  // of a million tokens of any kind
};

struct Policy {
    std::string preset;  // empty where the owner wrote rules
    Unbounded unbounded = Unbounded::bound;
    std::int64_t answer_bound = 4096;  // tokens that such an answer may have
    UnknownPrice unknown_price;
    Loops loops = Loops::warn;
    std::vector<Rule> rules;
    Objective objective;
    FailurePolicy failure;
};

struct KeyLimits : RateLimits {
    // What is left with us; of a conversation: of each.
    std::int64_t files = 1'000;
    std::size_t file_bytes = 1UL << 30;
    std::int64_t responses = 10'000;
    std::size_t response_bytes = 256UL << 20;
    std::int64_t conversations = 1'000;
    std::size_t conversation_bytes = 64UL << 20;
};

// Keys that share budgets and limits.
struct Team {
    std::string id;
    std::vector<Budget> budgets;
    RateLimits limits;
};

// The dialects that clients speak, as keys name them.
inline constexpr std::array<std::string_view, 5> kDialectNames = {"openai-chat", "openai-responses", "anthropic",
                                                                  "gemini", "ollama"};

struct Key {
    std::string id;
    std::string team;                      // empty: none
    std::string owner;                     // who answers for it; empty: nobody is said
    std::shared_ptr<const Secret> secret;  // never null; empty where the owner wrote its hash alone
    Digest digest{};                       // SHA-256 of the secret
    Digest old_digest{};                   // of the secret before it, which counts until `old_until`
    std::int64_t old_until = 0;            // milliseconds of Unix time
    std::int64_t expires = 0;              // the same: it is nobody's from then on; 0: never
    bool stored = false;                   // of the store, not of the file
    Label label = Label::public_;
    std::optional<Label> most;          // the highest label that what it sends may have; nullopt: any
    std::vector<std::string> dialects;  // which it may speak, of kDialectNames; empty: all
    bool high_value = false;
    bool admin = false;                // may read decisions, cost and engines over the API
    bool metrics_only = false;         // may read /metrics, and nothing else
    std::vector<std::string> aliases;  // empty: all
    std::vector<Budget> budgets;
    KeyLimits limits;
};

// Something of the owner's own that detectors look for.
struct OwnRule {
    std::string name;
    Label label = Label::private_;
    std::vector<std::string> words;                      // in any case, as whole words
    std::string pattern;                                 // a regular expression as Vectorscan (PCRE) reads it
    std::vector<std::string> paths;                      // names of files that the text mentions: *, ** and ?
    std::vector<std::shared_ptr<const Secret>> secrets;  // exact values, however encoded
    std::size_t too_short = 0;                           // values of a file that are too short to be looked for
};

// What is done where content has a label that a zone may not see, or that the owner wants to be handled anyway.
enum class Treatment { allow, local, block, redact, mask };
inline constexpr std::array<std::string_view, 5> kTreatmentNames = {"allow", "local", "block", "redact", "mask"};

// By zone and label; where the owner says nothing, the clearance decides: allow or local.
using Treatments = std::array<std::array<std::optional<Treatment>, 4>, 2>;

// What is done with an answer in which detectors find something that its request did not hold.
struct AnswerRule {
    std::optional<Zone> from;       // of the model; none: any
    bool tool_calls_only = false;   // only in the arguments of calls
    Label label = Label::private_;  // of what is found, at least
    enum class Do { mask, stop } act = Do::stop;
};
inline constexpr std::array<std::string_view, 2> kAnswerDoNames = {"mask", "stop"};

struct Privacy {
    Label local_clearance = Label::secret;
    Label cloud_clearance = Label::internal;
    Detection detect;
    std::vector<OwnRule> own;
    Treatments treatments;
    bool realistic = false;  // stand-ins that look like what they stand for, where there is such a kind
    milliseconds vault_keeps{7 * 86'400'000LL};
    std::shared_ptr<const Secret> vault_key;  // never null; empty: the key is a file of the data folder
    std::vector<AnswerRule> answers;
    std::size_t label_memory = 200'000;  // entries that each key may have in the memory of labels
    std::filesystem::path checkpoints;   // file of the egress record's signed checkpoints; empty: in the data folder
};

// Answers that are given again to exactly the same request.
struct Cache {
    milliseconds ttl{0};  // 0: off
    std::size_t bytes = 64UL << 20;
    // Also to a request whose last turn means nearly the same, by a model's embeddings. Empty: only to the same.
    std::string similar;
    double at_least = 0.95;  // cosine of the two
};

// What is kept of requests.
struct Ledger {
    std::int64_t keep_days = 0;  // single attempts and decisions; their sums by day stay. 0: for ever
    static constexpr std::int64_t kLeastDays = 35;  // a calendar month's budget is read from them at a start
};

enum class Durability { process, power };
// As much of a sandbox for engines as the system has; no start where it has less than all; none.
enum class Sandbox { automatic, require, off };

// A value that was left out because what it stands for is not to be had here.
struct Unresolved {
    std::string field;    // "providers.openai.api_key"
    std::string missing;  // "the environment variable OPENAI_API_KEY", "the file /etc/tandem/key"
    bool secret = false;  // the field is a secret; any other has its default
};

struct Config {
    std::filesystem::path source;                // the file, or empty for the built-in default
    std::string text;                            // what was read, as it is written
    std::filesystem::path data;                  // absolute
    std::vector<std::filesystem::path> watched;  // further files whose content is part of it
    Server server;
    std::vector<Provider> providers;
    std::vector<Model> models;   // in the owner's order, which breaks ties
    std::vector<Alias> aliases;  // the owner's; `auto local cloud private` and model ids exist besides
    Policy policy;
    Privacy privacy;
    std::vector<Key> keys;
    bool keys_are_stored = false;  // there are keys in the store, or were: nobody asks without one
    std::vector<Team> teams;
    std::vector<Budget> budgets;  // of the whole system, or of what their scope says
    Alerts alerts;
    Cache cache;
    std::vector<Experiment> experiments;
    Ledger ledger;
    std::vector<Hardware> hardware;  // machines at home, in the owner's order; none: what they cost is not known
    Energy energy;
    Hours hours;
    Retrieval retrieval;
    std::string currency = "USD";
    Window usual_window;  // of budgets: a day, in the zone and with the weeks of the owner
    Durability durability = Durability::process;
    log::Settings logging;
    std::vector<std::string> bare_secrets;   // where a secret stands in the file itself, for `tandem doctor`
    std::vector<std::string> warnings;       // "tandem.yaml:3: `value` is now called `stakes`"
    std::vector<Unresolved> unresolved;      // only where it was read with Missing::left_out
    std::string engine_binary;               // llama-server to use; empty: PATH, then the cache
    std::size_t engine_prompts = 2UL << 30;  // bytes of disk for what unloaded engines have read; 0: none
    std::size_t engine_memory = 0;           // bytes that engines share; 0: nine tenths of the machine's
    milliseconds engine_patience{10'000};    // how long a request waits before a model in use makes room for its own
    milliseconds engine_stall{60'000};       // without a byte of an answer, before an engine counts as hanging
    Sandbox engine_sandbox = Sandbox::automatic;
    std::vector<std::string> engine_readable;  // absolute paths that engines may read besides

    std::filesystem::path checkpoints_file() const;
    // What to read again when one of them changes; the first is `source`.
    std::vector<std::filesystem::path> files() const;
    const Provider* provider(std::string_view id) const;
    const Model* model(std::string_view id) const;
    const Alias* alias(std::string_view id) const;
    const Team* team(std::string_view id) const;
    // Nobody asks without a key.
    bool wants_keys() const { return !keys.empty() || keys_are_stored; }
};

// Where the values of ${NAME} come from; a test gives its own.
using Environment = std::function<std::optional<std::string>(const std::string&)>;
Environment process_environment();

// What becomes of a value whose environment variable, file or credential is not there. A server needs all of them; a
// command of the owner's, whose shell has no provider's secret, goes without.
enum class Missing { is_error, left_out };

// Reads and checks a config. `source` names it in messages, which read "tandem.yaml:12:5: ..." and say what was
// expected and the nearest valid name. All errors are found at once, a line each. Errors: invalid.
Result<Config> parse(const std::string& text, const std::filesystem::path& source, const Environment& environment,
                     Missing missing = Missing::is_error);

// The line, from 1, in which a second YAML document begins; nullopt: there is one at most. YAML::Load() takes the first
// in silence, and yaml-cpp 0.7's LoadAll() does not end on text that is none (",").
std::optional<std::size_t> second_document(std::string_view text);

// The members of a key but its secret, as a mapping of YAML or JSON. Errors: invalid.
Result<Key> parse_key(const std::string& id, const std::string& settings, const Config& config);

// parse() of a file; an absent `path` that was not asked for by name gives the built-in default.
// Errors: not_found, invalid.
Result<Config> load(const std::filesystem::path& path, bool must_exist, const Environment& environment,
                    Missing missing = Missing::is_error);

// The data folder as far as a file tells that may be wrong in any other place, or not be there: absolute.
std::filesystem::path data_folder_of(const std::filesystem::path& path, const Environment& environment);

// $TANDEM_CONFIG, ./tandem.yaml, the user's, the service's in /etc: the first that is there, or the user's (config.md).
std::filesystem::path default_path(const Environment& environment);

// Folder of what is downloaded or built once: $TANDEM_CACHE, $XDG_CACHE_HOME/tandem, ~/.cache/tandem;
// that of the service where the config is its.
std::filesystem::path cache_folder(const Config& config, const Environment& environment);

// The rules of a preset as the owner would write them; empty where there is no such preset.
std::string_view preset_text(std::string_view preset);
std::vector<std::string> preset_names();

// Rules as YAML, for `tandem policy show`.
std::string rules_as_yaml(const Policy& policy);

}  // namespace tandem::config
