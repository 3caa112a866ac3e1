#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <tuple>
#include <unordered_set>

#include "base/file.h"
#include "base/text.h"
#include "config/base_url.h"
#include "config/config.h"
#include "config/names.h"
#include "config/reader.h"
#include "config/service.h"

namespace tandem::config {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestFile = 1 << 20;
constexpr std::size_t kLongestName = 1'000;  // bytes of a path in an error
constexpr std::array<std::string_view, 2> kTranslationNames = {"refuse", "drop"};
constexpr std::array<std::string_view, 3> kToolsNames = {"native", "rendered", "refuse"};
constexpr std::array<std::string_view, 2> kDurabilityNames = {"process", "power"};
constexpr std::array<std::string_view, 1> kFallbackNames = {"only"};
constexpr std::array<std::string_view, 2> kValueNames = {"normal", "high"};

bool is_loopback_host(std::string_view host) {
    return host == "localhost" || host == "::1" || host == "[::1]" || host.starts_with("127.");
}

// is_name() with a `*` in it.
bool good_pattern(std::string_view name) {
    std::string plain(name);
    std::erase(plain, '*');
    return plain.empty() ? name == "*" : name.size() <= 100 && is_name(plain);
}

std::vector<std::string> ids(const auto& entries) {
    std::vector<std::string> names;
    for (const auto& entry : entries) names.push_back(entry.id);
    return names;
}

void read_limits(Section& s, net::ServerLimits& limits) {
    s.bytes("header_bytes", limits.header_bytes, 1024, 60 * 1024);  // below the connection's buffer, see net/
    s.number("header_count", limits.header_count, 1, 1000);
    s.bytes("body_bytes", limits.body_bytes, 1024, 1024UL * 1024 * 1024);
    s.bytes("bodies_bytes", limits.bodies_bytes, 1024, 64UL * 1024 * 1024 * 1024);
    s.bytes("memory_bytes", limits.memory_bytes, MemoryAccount::kSmallest, 64UL * 1024 * 1024 * 1024);
    s.duration("header_timeout", limits.header_timeout);
    s.duration("body_timeout", limits.body_timeout);
    s.duration("idle_timeout", limits.idle_timeout);
    s.duration("write_timeout", limits.write_timeout);
    s.number("connections", limits.connections, 1, 1'000'000);
    s.number("requests_per_connection", limits.requests_per_connection, 1, 1'000'000'000);
}

void read_server(Section& s, Server& server) {
    std::string listen;
    s.text("listen", listen);
    if (!listen.empty()) {
        const auto colon = listen.rfind(':');
        const auto port =
            colon == std::string::npos ? std::nullopt : whole_number(std::string_view(listen).substr(colon + 1));
        if (!port || *port > 65535) {
            s.complain("listen",
                       fmt::format("expected address:port such as 127.0.0.1:7117, got '{}'", printable(listen, 60)));
        } else {
            server.host = listen.substr(0, colon);
            if (server.host.starts_with('[') && server.host.ends_with(']'))
                server.host = server.host.substr(1, server.host.size() - 2);
            server.port = static_cast<std::uint16_t>(*port);
        }
    }
    server.loopback = is_loopback_host(server.host);
    s.section("tls", [&](Section& tls) {
        tls.required_text("certificate", server.tls_certificate);
        tls.required_text("key", server.tls_key);
    });
    s.texts("hosts", server.hosts);
    s.texts("cors", server.cors);
    s.number("workers", server.workers, 1, 256);
    s.duration("drain_timeout", server.drain_timeout);
    s.duration("request_timeout", server.request_timeout);
    s.section("limits", [&](Section& limits) { read_limits(limits, server.limits); });
}

std::vector<std::string> names_of(auto& names) {
    return {names.begin(), names.end()};
}

// One that turns out to be empty, as a variable without a value may make it, is no word for the usual one: what is
// asked would go elsewhere than its owner thinks.
void read_base_url(Section& s, std::string& url) {
    const std::string usual = url.empty() ? "" : fmt::format("; leave it out for {}", url);
    const std::string unsaid(1, '\0');  // a variable that is not set leaves it so
    auto said = unsaid;
    s.text("base_url", said);
    if (said == unsaid) return;
    if (trim(said).empty()) return s.complain("base_url", "is empty" + usual);
    url = std::move(said);
}

void read_provider(const std::string& id, Section& s, Config& config) {
    Provider provider;
    provider.id = id;
    if (!is_name(id)) s.complain("a provider's name has only letters, digits and . _ : / -");
    const auto kinds = provider::names();
    if (!s.has("kind")) s.complain(fmt::format("'kind' is missing; there are: {}", join(names_of(kinds), ", ")));
    std::optional<std::size_t> kind;
    s.choice("kind", kind, kinds);
    if (kind) provider.kind = provider::kinds()[*kind];
    const bool engine = provider.kind->runs_here;
    provider.zone = engine ? Zone::local : Zone::cloud;
    if (!engine && !s.has("zone"))
        s.complain("'zone' is missing: local (this machine or a network that you trust) or cloud");
    s.choice("zone", provider.zone, kZoneNames);
    if (engine && provider.zone != Zone::local)
        s.complain("zone", "an engine runs on this machine, so its zone is local");
    if (!engine) {
        const std::string usual(provider.kind->usual_url);
        provider.base_url = usual;
        if (usual.empty() && !s.has("base_url"))
            s.required_text("base_url", provider.base_url);
        else
            read_base_url(s, provider.base_url);
        provider.base_url = without_route(std::move(provider.base_url));
        while (provider.base_url.ends_with('/')) provider.base_url.pop_back();
        if (!provider.base_url.empty()) {
            const bool user = provider.base_url.find('@') != std::string::npos;
            if (!is_server_address(provider.base_url))
                s.complain(
                    "base_url",
                    fmt::format("expected a URL such as https://host/v1, without a query or a password in it, got '{}'",
                                user ? "a URL with a password" : printable(provider.base_url, 80)));
        }
        provider.base_url = provider::with_version(*provider.kind, std::move(provider.base_url));
    }
    provider.api_key = std::make_shared<const Secret>();
    s.secret("api_key", provider.api_key, false);
    s.secrets("api_keys", provider.api_keys);
    if (s.has("api_key") && !provider.api_keys.empty()) s.complain("api_keys", "give api_key or api_keys, not both");
    if (provider.api_keys.empty()) provider.api_keys.push_back(provider.api_key);
    provider.api_key = provider.api_keys.front();
    provider.clearance = provider.zone == Zone::local ? config.privacy.local_clearance : config.privacy.cloud_clearance;
    s.label("clearance", provider.clearance);
    s.flag("stream_usage", provider.stream_usage);
    std::optional<int> translation;
    s.choice("translation", translation, kTranslationNames);
    provider.drop_untranslatable = translation == 1;
    s.number("concurrency", provider.concurrency, 1, 100'000);
    s.duration("connect_timeout", provider.connect_timeout);
    s.duration("first_byte_timeout", provider.first_byte_timeout);
    s.duration("idle_timeout", provider.idle_timeout);
    config.providers.push_back(std::move(provider));
}

void read_price(Section& s, Model& model) {
    s.section("price", [&](Section& price) {
        auto& own = model.price.emplace();
        price.money("input", own.input);
        price.money("output", own.output);
        own.cached_input = own.input;
        price.money("cached_input", own.cached_input);
        if (price.has("cache_write")) price.money("cache_write", own.cache_write.emplace());
    });
}

// Who makes tool calls where the model's chat template knows no tools.
void read_tools(Section& s, bool llama, Model& model) {
    std::optional<int> tools;
    s.choice("tools", tools, kToolsNames);
    if (tools && !llama) s.complain("tools", "only models of engines and of llama-server have it");
    if (!llama || !model.capabilities->has(Capability::chat)) return;
    if (tools == 0) model.capabilities->add(Capability::tools);
    if (tools == 2 || model.capabilities->has(Capability::tools)) return;
    model.render_tools = true;
    model.capabilities->add(Capability::tools);
}

void read_auto_use(Section& s, Model& model) {
    bool use = true;
    s.flag("auto", use);
    std::optional<int> fallback;
    s.choice("fallback", fallback, kFallbackNames);
    if (!use && fallback)
        s.complain("fallback", "says that `auto` may use it, and `auto: false` that it may not; give one of them");
    model.auto_use = !use ? AutoUse::no : fallback ? AutoUse::fallback_only : AutoUse::yes;
}

void read_model(const std::string& id, Section& s, Config& config) {
    Model model;
    model.id = id;
    const bool pattern = is_pattern(id);
    if (!good_pattern(id) || std::ranges::count(id, '*') > 1)
        s.complain(
            "a model's name has only letters, digits and . _ : / -, and one * where it stands for all models of "
            "its provider");
    for (const auto reserved : kReservedAliases)
        if (id == reserved) s.complain(fmt::format("'{}' is an alias that exists already; choose another name", id));
    s.required_text("provider", model.provider);
    const Provider* provider = config.provider(model.provider);
    if (provider == nullptr && !model.provider.empty())
        s.complain("provider", fmt::format("no provider '{}'{}", printable(model.provider, 60),
                                           suggest(model.provider, ids(config.providers))));
    model.name = pattern ? "*" : id;
    s.text("name", model.name);
    if (pattern && std::ranges::count(model.name, '*') != 1)
        s.complain("name", fmt::format("needs one *, where what stands for that of '{}' goes", printable(id, 60)));
    if (pattern && provider != nullptr && provider->kind->runs_here)
        s.complain("an engine runs one file: give the model a name without *");
    read_auto_use(s, model);
    s.number("context", model.context_tokens, 64, 100'000'000);
    if (s.has("capabilities")) {
        std::vector<std::string> names;
        s.texts("capabilities", names);
        const std::vector<std::string> valid(kCapabilityNames.begin(), kCapabilityNames.end());
        Capabilities capabilities;
        for (const auto& name : names) {
            bool known = false;
            for (std::size_t i = 0; i < kCapabilityNames.size(); ++i)
                if (kCapabilityNames[i] == name) {
                    capabilities.add(static_cast<Capability>(i));
                    known = true;
                }
            if (!known)
                s.complain("capabilities",
                           fmt::format("no capability '{}'{}", printable(name, 40), suggest(name, valid)));
        }
        if (!capabilities.has(Capability::embeddings) && !capabilities.has(Capability::rerank))
            capabilities.add(Capability::chat);
        model.capabilities = capabilities;
    }
    read_price(s, model);
    s.number("max_output", model.max_output_tokens, 1, 100'000'000);
    s.share("quality", model.quality);
    if (s.has("prefill")) s.flag("prefill", model.prefill.emplace(false));
    if (provider != nullptr && provider->kind->runs_here) {
        s.required_text("file", model.file);
        s.number("slots", model.slots, 1, 64);
        s.duration("idle_unload", model.idle_unload);
        s.duration("load_timeout", model.load_timeout);
        s.texts("args", model.args);
        if (model.context_tokens == 0) model.context_tokens = 4096;
    }
    if (provider != nullptr && provider->kind->cuts_prompts && model.context_tokens == 0)
        s.complain(
            fmt::format("'context' is missing: {} cuts what is longer than its own setting without a word, so Tandem "
                        "must know how much to ask for and what fits",
                        provider->kind->product));
    const bool llama = provider != nullptr && provider->kind->holds_to_grammar;
    if (llama && !model.capabilities) {
        // It constrains JSON by grammar with any model; tools need a chat template that knows them (HAZARDS 14).
        model.capabilities = Capabilities{};
        model.capabilities->add(Capability::json);
        model.capabilities->add(Capability::chat);
    }
    read_tools(s, llama, model);
    s.section("limits", [&](Section& limits) { read_rates(limits, model.limits); });
    config.models.push_back(std::move(model));
}

void read_rule(Section& s, const Config& config, Policy& policy) {
    Rule rule;
    s.required_text("name", rule.name);
    if (!rule.name.empty() && !is_name(rule.name)) s.complain("name", "has only letters, digits and . _ : / -");
    s.choice("label", rule.label, kLabelNames);
    std::optional<int> value;
    s.choice("value", value, kValueNames);
    if (value) rule.high_value = *value == 1;
    s.number("difficulty", rule.difficulty, 0, 100);
    s.number("prompt_tokens", rule.prompt_tokens, 1, 100'000'000);
    s.number("repeats", rule.repeats, 1, 1'000'000);
    s.choice("needs", rule.needs, kCapabilityNames);
    s.text("key", rule.key);
    bool known = rule.key.empty();
    for (const auto& key : config.keys) known = known || key.id == rule.key;
    if (!known)
        s.complain("key", fmt::format("no key '{}'{}", printable(rule.key, 60), suggest(rule.key, ids(config.keys))));
    if (!s.has("prefer")) s.complain("'prefer' is missing; there are: local, cloud, cheapest, best");
    s.choice("prefer", rule.prefer, kPreferNames);
    s.share("lean", rule.lean);
    s.choice("stakes", rule.stakes, kStakesNames);
    s.choice("only", rule.only, kZoneNames);
    s.flag("fallback", rule.fallback);
    if (s.is_section("cascade"))
        s.section("cascade", [&](Section& cascade) {
            rule.cascade = true;
            cascade.share("agree", rule.agree);
            cascade.share("sure", rule.sure);
        });
    else
        s.flag("cascade", rule.cascade);
    s.section("failure", [&](Section& failure) { read_failure(failure, rule.failure.emplace(policy.failure)); });
    if (rule.cascade && !rule.fallback) s.complain("cascade", "needs a second model; 'fallback: false' forbids it");
    policy.rules.push_back(std::move(rule));
}

// A model that is asked for vectors.
void want_embeddings(Section& s, const Config& config, const char* field, const std::string& id) {
    const auto* model = config.model(id);
    const bool embeds = model != nullptr && model->capabilities && model->capabilities->has(Capability::embeddings);
    if (id.empty() || (embeds && !is_pattern(id))) return;
    s.complain(field, fmt::format("'{}' is no model that claims `capabilities: [embeddings]`", printable(id, 60)));
}

void read_unknown_price(Section& s, UnknownPrice& unknown) {
    constexpr std::string_view kEstimate = "estimate ";
    std::string text = "mark";
    s.text("unknown_price", text);
    if (text == "refuse") unknown.act = UnknownPrice::Do::refuse;
    if (text == "mark" || text == "refuse") return;
    const auto rate = text.starts_with(kEstimate) ? Money::parse(trim(text).substr(kEstimate.size())) : Result<Money>();
    if (!text.starts_with(kEstimate))
        s.complain("unknown_price",
                   fmt::format("expected mark, refuse, or estimate with what a million tokens are taken to cost, such "
                               "as estimate 10.00; got '{}'",
                               printable(text, 40)));
    else if (!rate || *rate == Money{})
        s.complain("unknown_price", rate ? "a rate of 0 would be no estimate" : rate.error().message);
    else
        unknown = {UnknownPrice::Do::estimate, *rate};
}

void read_policy(Section& s, const Config& config, Policy& policy, Problems& problems, const Environment& environment) {
    s.section("failure", [&](Section& failure) { read_failure(failure, policy.failure); });
    s.number("attempts", policy.failure.attempts, 1, 10);
    s.choice("unbounded", policy.unbounded, kUnboundedNames);
    s.number("answer_bound", policy.answer_bound, 16, 100'000'000);
    read_unknown_price(s, policy.unknown_price);
    s.section("objective", [&](Section& objective) {
        objective.money("value", policy.objective.value);
        if (policy.objective.value == Money{}) objective.complain("value", "a good answer is worth more than nothing");
        objective.money("second", policy.objective.second);
        objective.share("floor", policy.objective.floor);
        objective.share("explore", policy.objective.explore, 0.5);
        objective.flag("learn", policy.objective.learn);
        objective.text("embedding", policy.objective.embedding);
        want_embeddings(objective, config, "embedding", policy.objective.embedding);
    });
    const bool own_rules = s.has("rules");
    if (s.has("preset") && own_rules) s.complain("preset", "give a preset or rules, not both");
    s.text("preset", policy.preset);
    if (own_rules) {
        policy.preset.clear();
        s.each_listed("rules", [&](Section& rule) { read_rule(rule, config, policy); });
        if (policy.rules.empty()) s.complain("rules", "there is no rule; write at least { name: all, prefer: local }");
        return;
    }
    if (policy.preset.empty()) policy.preset = "hybrid";
    const auto text = preset_text(policy.preset);
    if (text.empty()) {
        s.complain("preset", fmt::format("no preset '{}'{}", printable(policy.preset, 40),
                                         suggest(policy.preset, preset_names())));
        return;
    }
    Section preset(YAML::Load(std::string(text)), "preset " + policy.preset, problems, environment);
    preset.each_listed("rules", [&](Section& rule) { read_rule(rule, config, policy); });
}

// Shorter values would be found everywhere.
constexpr std::size_t kShortestSecret = 8;
constexpr std::size_t kMostSecrets = 2'000;
constexpr std::size_t kLargestValues = 16UL << 20;  // bytes

// The values of an .env file, or each line of any other.
void read_values(const fs::path& file, Section& s, OwnRule& rule) {
    const auto content = read_regular(file, kLargestValues + 1);
    if (!content) return s.lacks("values_of", content.error().message);
    if (content->size() > kLargestValues)
        return s.complain("values_of", fmt::format("{} is larger than 16 MiB", file.string()));
    for (std::size_t at = 0; at < content->size();) {
        const auto end = std::min(content->find('\n', at), content->size());
        std::string_view text = trim(std::string_view(*content).substr(at, end - at));
        at = end + 1;
        if (text.empty() || text.starts_with('#')) continue;
        if (text.starts_with("export ")) text = trim(text.substr(7));
        const auto equals = text.find('=');
        const bool assignment =
            equals != std::string_view::npos && equals > 0 &&
            text.substr(0, equals).find_first_not_of(
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == std::string_view::npos;
        if (assignment) text = trim(text.substr(equals + 1));
        if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front())
            text = text.substr(1, text.size() - 2);
        if (text.size() < kShortestSecret)
            ++rule.too_short;
        else
            rule.secrets.push_back(std::make_shared<const Secret>(std::string(text)));
        if (rule.secrets.size() > kMostSecrets)
            return s.complain("values_of", fmt::format("{} has more than {} values", file.string(), kMostSecrets));
    }
}

fs::path beside_config(const std::string& text, const fs::path& source, const Environment& environment) {
    if (text.starts_with("~/")) return fs::path(environment("HOME").value_or("/")) / text.substr(2);
    return fs::path(text).is_absolute() || source.empty() ? fs::path(text) : fs::absolute(source).parent_path() / text;
}

void read_own(const std::string& name, Section& s, Config& config, const Environment& environment) {
    OwnRule rule;
    rule.name = name;
    if (!is_name(name)) s.complain("a name has only letters, digits and . _ : / -");
    s.texts("words", rule.words);
    for (const auto& word : rule.words)
        if (trim(word).size() < 2) s.complain("words", "a word of one character would be found everywhere");
    s.text("pattern", rule.pattern);
    s.texts("paths", rule.paths);
    for (auto& path : rule.paths)
        if (path.starts_with("~/")) path = environment("HOME").value_or("") + path.substr(1);
    std::vector<std::string> values;
    s.texts("values", values, true);
    for (auto& value : values) {
        if (value.size() < kShortestSecret)
            s.complain("values", fmt::format("a value of less than {} characters would be found everywhere; make it "
                                             "one of 'words'",
                                             kShortestSecret));
        rule.secrets.push_back(std::make_shared<const Secret>(std::move(value)));
    }
    std::string file;
    s.text("values_of", file);
    if (!file.empty()) {
        const auto path = beside_config(file, config.source, environment);
        config.watched.push_back(path);
        read_values(path, s, rule);
    }
    if (s.has("values") || s.has("values_of")) rule.label = Label::secret;
    s.label("label", rule.label);
    if (rule.words.empty() && rule.pattern.empty() && rule.paths.empty() && !s.has("values") && file.empty())
        s.complain("nothing to look for; give one of words, pattern, paths, values, values_of");
    config.privacy.own.push_back(std::move(rule));
}

void read_treatments(Section& s, Privacy& privacy) {
    for (std::size_t zone = 0; zone < kZoneNames.size(); ++zone)
        s.section(std::string(kZoneNames[zone]), [&](Section& of_zone) {
            const auto clearance = zone == 0 ? privacy.local_clearance : privacy.cloud_clearance;
            for (std::size_t label = 1; label < kLabelNames.size(); ++label) {
                auto& treatment = privacy.treatments[zone][label];
                const std::string name(kLabelNames[label]);
                of_zone.choice(name, treatment, kTreatmentNames);
                if (treatment == Treatment::allow && static_cast<Label>(label) > clearance)
                    of_zone.complain(name,
                                     fmt::format("the clearance of {} is {}; to allow {}, set clearance: {{ {}: "
                                                 "{} }}",
                                                 kZoneNames[zone], name_of(clearance), name, kZoneNames[zone], name));
            }
        });
}

void read_answer_rule(Section& s, Privacy& privacy) {
    constexpr std::array<std::string_view, 2> kPlaces = {"anywhere", "tool_calls"};
    AnswerRule rule;
    s.choice("from", rule.from, kZoneNames);
    std::optional<int> place;
    s.choice("in", place, kPlaces);
    rule.tool_calls_only = place == 1;
    if (!s.has("label")) s.complain("'label' is missing: of what is found, at least");
    s.label("label", rule.label);
    if (rule.label == Label::public_) s.complain("label", "everything is at least public; name a higher one");
    if (!s.has("do")) s.complain("'do' is missing; there are: mask, stop");
    s.choice("do", rule.act, kAnswerDoNames);
    privacy.answers.push_back(rule);
}

void read_privacy(Section& s, Config& config, const Environment& environment) {
    auto& privacy = config.privacy;
    s.section("clearance", [&](Section& clearance) {
        clearance.label("local", privacy.local_clearance);
        clearance.label("cloud", privacy.cloud_clearance);
    });
    s.section("detect", [&](Section& detect) {
        for (std::size_t i = 0; i < kCategories; ++i)
            detect.label(std::string(kCategoryNames[i]), privacy.detect.labels[i]);
    });
    s.each_named("own", [&](const std::string& name, Section& own) { read_own(name, own, config, environment); });
    s.section("actions", [&](Section& actions) { read_treatments(actions, privacy); });
    constexpr std::array<std::string_view, 2> kStandIns = {"typed", "realistic"};
    std::optional<int> stand_ins;
    s.choice("placeholders", stand_ins, kStandIns);
    privacy.realistic = stand_ins == 1;
    s.section("vault", [&](Section& vault) {
        vault.duration("keeps", privacy.vault_keeps);
        vault.secret("key", privacy.vault_key, false);
        if (!privacy.vault_key->empty() && privacy.vault_key->reveal().size() < 32)
            vault.complain("key", "is shorter than 32 characters; `openssl rand -hex 32` makes a good one");
    });
    s.number("label_memory", privacy.label_memory, 100, 1'000'000);
    std::string checkpoints;
    s.text("checkpoints", checkpoints);
    if (!checkpoints.empty()) privacy.checkpoints = beside_config(checkpoints, config.source, environment);
    s.each_listed("answers", [&](Section& rule) { read_answer_rule(rule, privacy); });
}

// What a key is but for its secret.
void read_key_settings(Section& s, Key& key, const Config& config) {
    if (!is_name(key.id)) s.complain("a key's name has only letters, digits and . _ : / -");
    s.label("label", key.label);
    s.choice("most", key.most, kLabelNames);
    if (key.most && *key.most < key.label)
        s.complain("most", fmt::format("is below the label {} that all of it has: it could send nothing",
                                       kLabelNames[static_cast<std::size_t>(key.label)]));
    std::optional<int> value;
    s.choice("value", value, kValueNames);
    key.high_value = value == 1;
    s.flag("admin", key.admin);
    s.flag("metrics", key.metrics_only);
    if (key.admin && key.metrics_only) s.complain("metrics", "a key with `admin: true` may read them already");
    s.texts("aliases", key.aliases);
    s.texts("dialects", key.dialects);
    const std::vector<std::string> dialects(kDialectNames.begin(), kDialectNames.end());
    for (const auto& name : key.dialects)
        if (std::ranges::find(dialects, name) == dialects.end())
            s.complain("dialects", fmt::format("no dialect '{}'{}", printable(name, 40), suggest(name, dialects)));
    s.time("expires", key.expires);
    s.text("team", key.team);
    if (!key.team.empty() && config.team(key.team) == nullptr)
        s.complain("team",
                   fmt::format("no team '{}'{}", printable(key.team, 60), suggest(key.team, ids(config.teams))));
    s.name("owner", key.owner);
    read_budgets(s, {.key = key.id}, config.usual_window, config, key.budgets);
    s.section("limits", [&](Section& limits) {
        read_rates(limits, key.limits);
        constexpr std::size_t kMostBytes = 1UL << 44;
        limits.number("files", key.limits.files, 0, 1'000'000);
        limits.bytes("file_bytes", key.limits.file_bytes, 0, kMostBytes);
        limits.number("responses", key.limits.responses, 0, 10'000'000);
        limits.bytes("response_bytes", key.limits.response_bytes, 0, kMostBytes);
        limits.number("conversations", key.limits.conversations, 0, 1'000'000);
        limits.bytes("conversation_bytes", key.limits.conversation_bytes, 0, kMostBytes);
    });
}

void read_key(const std::string& id, Section& s, Config& config) {
    Key key;
    key.id = id;
    key.secret = std::make_shared<const Secret>();
    s.secret("secret", key.secret, true);
    constexpr std::string_view kHashed = "sha256:";
    if (key.secret->reveal().starts_with(kHashed)) {
        if (!from_hex(lower(key.secret->reveal().substr(kHashed.size())), key.digest))
            s.complain("secret", "expected sha256: and 64 hexadecimal digits; `printf %s KEY | sha256sum` makes them");
        key.secret = std::make_shared<const Secret>();
    } else {
        if (!key.secret->empty() && key.secret->reveal().size() < 16)
            s.complain("secret", "is shorter than 16 characters; `openssl rand -hex 24` makes a good one");
        key.digest = sha256(key.secret->reveal());
    }
    for (const auto& other : config.keys)
        if (other.digest == key.digest && key.digest != sha256(""))
            s.complain("secret", fmt::format("is the same as that of '{}'", other.id));
    read_key_settings(s, key, config);
    config.keys.push_back(std::move(key));
}

void read_team(const std::string& id, Section& s, Config& config) {
    Team team;
    team.id = id;
    if (!is_name(id)) s.complain("a team's name has only letters, digits and . _ : / -");
    read_budgets(s, {.team = id}, config.usual_window, config, team.budgets);
    s.section("limits", [&](Section& limits) { read_rates(limits, team.limits); });
    config.teams.push_back(std::move(team));
}

// Names that a client may send, and patterns that stand for some.
std::vector<std::string> all_names(const Config& config) {
    std::vector<std::string> names(kReservedAliases.begin(), kReservedAliases.end());
    for (const auto& id : ids(config.aliases)) names.push_back(id);
    for (const auto& id : ids(config.models)) names.push_back(id);
    return names;
}

void check_model_of_alias(const std::string& id, const std::string& model, Section& s, const Config& config) {
    if (is_reserved(model))
        s.complain(id, fmt::format("'{}' is a choice of its own: write it alone, or list models", model));
    else if (config.model(model) == nullptr)
        s.complain(id, fmt::format("no model '{}'{}", printable(model, 60), suggest(model, ids(config.models))));
    else if (is_pattern(model))
        s.complain(id, fmt::format("'{}' stands for many models; give the one that you mean a name of its own under "
                                   "'models:'",
                                   printable(model, 60)));
}

void read_alias(const std::string& id, Alias alias, Section& s, Config& config) {
    if (is_reserved(id)) s.complain(id, "this alias exists already; choose another name");
    if (config.model(id) != nullptr) s.complain(id, "a model has this name; each model's name is an alias already");
    if (!good_pattern(id)) s.complain(id, "an alias has only letters, digits and . _ : / -, and * for any text");
    if (alias.models.empty())
        s.complain(id, "expected a list of models such as [gpt, smollm2], or the name of one alias such as auto");
    // One that is no model is the name of another alias, which may follow in the file.
    if (alias.models.size() == 1 && config.model(alias.models[0]) == nullptr) {
        alias.means = std::move(alias.models[0]);
        alias.models.clear();
    }
    for (const auto& model : alias.models) check_model_of_alias(id, model, s, config);
    alias.id = id;
    config.aliases.push_back(std::move(alias));
}

// What an alias stands for, once all are read: a reserved one, or one that lists models.
void check_meaning(const Alias& alias, Section& s, const Config& config) {
    if (alias.means.empty() || is_reserved(alias.means)) return;
    const auto* other = config.alias(alias.means);
    auto names = all_names(config);
    std::erase(names, alias.id);
    std::erase_if(names, is_pattern);
    if (other == nullptr)
        s.complain(alias.id,
                   fmt::format("no model or alias '{}'{}", printable(alias.means, 60), suggest(alias.means, names)));
    else if (is_pattern(other->id))
        s.complain(alias.id, fmt::format("'{}' stands for names of clients, not for models", other->id));
    else if (!other->means.empty())
        s.complain(alias.id, fmt::format("'{}' stands for '{}' itself; write that", other->id, other->means));
}

// A key may name what is there, and a name that a pattern stands for.
void check_key_aliases(const Key& key, Section& root, const Config& config) {
    const auto names = all_names(config);
    const std::vector<std::string_view> patterns(names.begin(), names.end());
    for (const auto& alias : key.aliases)
        if (std::ranges::find(names, alias) == names.end() && (is_pattern(alias) || !most_specific(patterns, alias)))
            root.complain("keys", fmt::format("{}: no alias or model '{}'{}", key.id, printable(alias, 60),
                                              suggest(alias, names)));
}

// What an empty config means: the embedded engine with its small model.
void add_embedded_default(Config& config) {
    Provider home;
    home.id = "home";
    home.kind = &provider::named("engine");
    home.zone = Zone::local;
    home.api_key = std::make_shared<const Secret>();
    home.clearance = config.privacy.local_clearance;
    config.providers.push_back(std::move(home));
    Model model;
    model.id = "smollm2";
    model.provider = "home";
    model.name = "smollm2";
    model.file = "smollm2-135m-instruct-q4_1.gguf";
    model.context_tokens = 8192;
    model.slots = 2;
    model.capabilities = Capabilities{};
    for (const auto capability : {Capability::json, Capability::chat, Capability::tools})
        model.capabilities->add(capability);
    model.render_tools = true;
    config.models.push_back(std::move(model));
}

fs::path home_of(const Environment& environment) {
    if (const auto home = environment("HOME"); home && !home->empty()) return *home;
    return "/";
}

fs::path xdg(const Environment& environment, const std::string& variable, const char* below_home) {
    if (const auto folder = environment(variable); folder && !folder->empty()) return *folder;
    return home_of(environment) / below_home;
}

void read_data(Section& root, Config& config, const Environment& environment) {
    std::string data;
    root.text("data", data);
    if (data.empty() && config.source == kServiceConfig)
        config.data = kServiceData;
    else if (data.empty())
        config.data = xdg(environment, "XDG_DATA_HOME", ".local/share") / "tandem";
    else if (data.starts_with("~/"))
        config.data = home_of(environment) / data.substr(2);
    else
        config.data = fs::path(data).is_absolute() || config.source.empty()
                          ? fs::path(data)
                          : fs::absolute(config.source).parent_path() / data;
    if (config.data.is_relative()) config.data = fs::absolute(config.data);
    config.data = config.data.lexically_normal();
}

void read_root(Section& root, Config& config, Problems& problems, const Environment& environment) {
    root.section("server", [&](Section& s) { read_server(s, config.server); });
    read_data(root, config, environment);
    config.privacy.vault_key = std::make_shared<const Secret>();
    root.section("privacy", [&](Section& s) { read_privacy(s, config, environment); });
    root.each_named("providers", [&](const std::string& id, Section& s) { read_provider(id, s, config); });
    root.each_named("models", [&](const std::string& id, Section& s) { read_model(id, s, config); });
    if (config.providers.empty() && config.models.empty()) add_embedded_default(config);
    if (config.models.empty()) root.complain("there is no model; add one under 'models:'");
    read_time_zone(root, config.usual_window.zone);
    root.choice("week_starts", config.usual_window.first_of_week, kWeekdayNames);
    root.each_named("teams", [&](const std::string& id, Section& s) { read_team(id, s, config); });
    root.each_named("keys", [&](const std::string& id, Section& s) { read_key(id, s, config); });
    bool policy_read = false;
    root.section("policy", [&](Section& s) {
        read_policy(s, config, config.policy, problems, environment);
        policy_read = true;
    });
    if (!policy_read) {
        Section none(YAML::Node(), "policy", problems, environment);
        read_policy(none, config, config.policy, problems, environment);
    }
    root.section("aliases", [&](Section& s) {
        for (const auto& id : s.keys()) {
            Alias alias;
            if (s.is_section(id))
                s.section(id, [&](Section& one) {
                    one.texts("models", alias.models);
                    one.section("limits", [&](Section& limits) { read_rates(limits, alias.limits); });
                    one.section("failure", [&](Section& failure) {
                        read_failure(failure, alias.failure.emplace(config.policy.failure));
                    });
                });
            else
                s.texts(id, alias.models);
            read_alias(id, std::move(alias), s, config);
        }
        for (const auto& alias : config.aliases) check_meaning(alias, s, config);
    });
    for (const auto& key : config.keys) check_key_aliases(key, root, config);
    read_budgets(root, {}, config.usual_window, config, config.budgets);
    config.alerts.webhook_secret = std::make_shared<const Secret>();
    root.section("alerts", [&](Section& s) { read_alerts(s, config.alerts); });
    root.section("cache", [&](Section& s) {
        if (!s.has("ttl")) s.complain("'ttl' is missing: how long an answer may be given again, such as 10m");
        s.duration("ttl", config.cache.ttl);
        s.bytes("size", config.cache.bytes, 1UL << 20, 64UL << 30);
        s.section("similar", [&](Section& one) {
            one.required_text("model", config.cache.similar);
            want_embeddings(one, config, "model", config.cache.similar);
            one.share("at_least", config.cache.at_least);
            if (config.cache.at_least < 0.5)
                one.complain("at_least", "expected a number from 0.5 to 1: below that, texts have little in common");
        });
    });
    root.each_named("experiments", [&](const std::string& id, Section& s) {
        config.experiments.push_back(read_experiment(id, s, config));
    });
    root.section("ledger", [&](Section& s) {
        s.number("keep_days", config.ledger.keep_days, config::Ledger::kLeastDays, 36'500);
    });
    root.each_named("hardware", [&](const std::string& id, Section& s) { read_hardware(id, s, config); });
    config.energy.zone = config.usual_window.zone;
    root.section("energy", [&](Section& s) { read_energy(s, config.energy); });
    root.section("hours", [&](Section& s) { read_hours(s, config.hours); });
    check_hardware(root, config);
    root.section("engine", [&](Section& s) { s.text("binary", config.engine_binary); });
    root.section("log", [&](Section& s) {
        s.choice("level", config.logging.level, log::kLevelNames);
        s.choice("format", config.logging.format, log::kFormatNames);
    });
    root.text("currency", config.currency);
    if (config.currency.size() != 3 ||
        config.currency.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos)
        root.complain("currency", "expected three capital letters such as USD or EUR");
    root.choice("durability", config.durability, kDurabilityNames);
    if (!config.server.loopback && config.keys.empty())
        root.complain(
            "server",
            fmt::format("{} is not a loopback address, and there is no API key: everyone on the network could use "
                        "your models. Add one under 'keys:', or listen on 127.0.0.1",
                        config.server.host));
}

}  // namespace

Result<Key> parse_key(const std::string& id, const std::string& settings, const Config& config) {
    Problems problems;
    problems.source = fmt::format("the key '{}'", id);
    Key key;
    key.id = id;
    key.secret = std::make_shared<const Secret>();
    key.stored = true;
    const Environment none = [](const std::string&) { return std::optional<std::string>(); };
    try {
        Section s(YAML::Load(settings), "keys." + id, problems, none);
        read_key_settings(s, key, config);
        check_key_aliases(key, s, config);
    } catch (const YAML::Exception& error) {
        problems.lines.push_back(error.what());
    }
    if (!problems.lines.empty()) return fail(ErrorCode::invalid, join(problems.lines, "; "));
    return key;
}

bool Server::operator==(const Server& other) const {
    auto fixed = [](const Server& s) {
        return std::tie(s.host, s.port, s.tls_certificate, s.tls_key, s.workers, s.hosts, s.limits, s.drain_timeout);
    };
    return fixed(*this) == fixed(other);
}

fs::path Config::checkpoints_file() const {
    return privacy.checkpoints.empty() ? data / "egress.checkpoints" : privacy.checkpoints;
}

std::vector<fs::path> Config::files() const {
    std::vector<fs::path> list = {source};
    list.insert(list.end(), watched.begin(), watched.end());
    return list;
}

std::optional<Stakes> stakes_from(std::string_view name) {
    const auto* const found = std::ranges::find(kStakesNames, name);
    if (found == kStakesNames.end()) return {};
    return static_cast<Stakes>(found - kStakesNames.begin());
}

const Provider* Config::provider(std::string_view id) const {
    for (const auto& entry : providers)
        if (entry.id == id) return &entry;
    return nullptr;
}

const Team* Config::team(std::string_view id) const {
    for (const auto& entry : teams)
        if (entry.id == id) return &entry;
    return nullptr;
}

const Model* Config::model(std::string_view id) const {
    for (const auto& entry : models)
        if (entry.id == id) return &entry;
    return nullptr;
}

const Alias* Config::alias(std::string_view id) const {
    for (const auto& entry : aliases)
        if (entry.id == id) return &entry;
    return nullptr;
}

namespace {

// The home that the system knows of the user: services and containers are often started without HOME.
std::optional<std::string> home_of_user() {
    constexpr std::size_t kMostBytes = 16 * 1024;
    std::string buffer(kMostBytes, '\0');
    passwd entry{};
    passwd* found = nullptr;
    if (getpwuid_r(getuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
        return std::nullopt;
    return std::string(found->pw_dir);
}

}  // namespace

Environment process_environment() {
    return [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        if (value != nullptr) return std::string(value);
        return name == "HOME" ? home_of_user() : std::nullopt;
    };
}

namespace {

// What the words of yaml-cpp mean for the owner: where they point is where the parser gave up, often a line too late.
std::string_view hint_of(const std::string& text, const YAML::Mark& mark, std::string_view words) {
    if (mark.is_null() || mark.pos < 0 || static_cast<std::size_t>(mark.pos) > text.size()) return "";
    const auto begin = text.rfind('\n', std::max(mark.pos, 1) - 1);
    const auto from = begin == std::string::npos ? 0 : begin + 1;
    const auto line = std::string_view(text).substr(from, text.find('\n', from) - from);
    // A name that begins with `*` is the mark of YAML's own aliases.
    const auto star = line.find('*');
    const bool quoted = star != std::string_view::npos && star > 0 && (line[star - 1] == '"' || line[star - 1] == '\'');
    if (star != std::string_view::npos && !quoted) return "; a name that begins with * needs quotes: \"*\"";
    const auto indent = line.substr(0, line.find_first_not_of(" \t"));
    if (indent.find('\t') != std::string_view::npos) return "; a tab stands before it: indent with blanks";
    if (words.find("end of map flow") != std::string_view::npos)
        return "; in this line or the one before, a comma, a quote or a `}` is missing, or a value with `: ` in it has "
               "no quotes";
    if (words.find("end of sequence flow") != std::string_view::npos)
        return "; in this line or the one before, a comma, a quote or a `]` is missing";
    if (words.find("illegal map value") != std::string_view::npos)
        return "; a value with `: ` in it needs quotes, and the line before may lack its `:`";
    return "";
}

}  // namespace

Result<Config> parse(const std::string& text, const fs::path& source, const Environment& environment, Missing missing) {
    Problems problems;
    problems.source = source.empty() ? "tandem.yaml" : source.string();
    problems.missing = missing;
    Config config;
    config.source = source;
    config.text = text;
    if (text.size() > kLargestFile)
        return fail(ErrorCode::invalid, fmt::format("{}: larger than 1 MiB", printable(problems.source, kLongestName)));
    if (text.find("$`") != std::string::npos)
        return fail(ErrorCode::invalid,
                    fmt::format("{}: '$`' is not taken anywhere in it", printable(problems.source, kLongestName)));
    try {
        // Of several documents, all but the first would be left out in silence.
        if (const auto line = second_document(text))
            problems.lines.push_back(
                fmt::format("{}:{}:1: a second document begins here (---): put everything into one, without ---",
                            problems.source, *line));
        const YAML::Node document = YAML::Load(shield_variables(text));
        if (const auto line = first_content(text); line && (!document.IsDefined() || document.IsNull()))
            problems.lines.push_back(fmt::format("{}:{}:1: this is no YAML mapping: a config is lines of `name: value`",
                                                 problems.source, *line));
        find_twins(document, problems);
        Section root(document, "", problems, environment);
        read_root(root, config, problems, environment);
    } catch (const YAML::Exception& error) {
        problems.add(error.mark, fmt::format("not valid YAML: {}{}", error.msg, hint_of(text, error.mark, error.msg)));
    }
    config.bare_secrets = std::move(problems.bare_secrets);
    config.unresolved = std::move(problems.unresolved);
    config.watched.insert(config.watched.end(), problems.watched.begin(), problems.watched.end());
    // Names of the file and of the path stand in them, and what is said goes to a terminal and into the log.
    for (auto& line : problems.lines) line = printable(line, kLongestProblem);
    if (!problems.lines.empty()) return fail(ErrorCode::invalid, join(problems.lines, "\n"));
    return config;
}

namespace {

// Why there is no text of the config `path`, and what to do.
Error unread(const fs::path& path, const Error& error, const Environment& environment) {
    const auto name = printable(path.string(), kLongestName);
    std::error_code ignored;
    if (error.code == ErrorCode::invalid) return {ErrorCode::invalid, printable(error.message, kLongestName)};
    if (error.code == ErrorCode::not_found && fs::is_symlink(path, ignored))
        return {ErrorCode::not_found, fmt::format("cannot read {}: it is a link to a file that is not there", name)};
    if (error.code == ErrorCode::not_found)
        return {ErrorCode::not_found,
                fmt::format("cannot read {}{}; `tandem init --config {}` writes one", name,
                            environment("TANDEM_CONFIG") == path.string() ? ", which $TANDEM_CONFIG names" : "", name)};
    if (access(path.c_str(), R_OK) != 0 && errno == EACCES)
        return {ErrorCode::not_found,
                fmt::format("cannot read {}: this user may not; sudo, or the user whose it is", name)};
    return {ErrorCode::not_found, printable(error.message, kLongestName)};
}

}  // namespace

Result<Config> load(const fs::path& path, bool must_exist, const Environment& environment, Missing missing) {
    std::error_code none;
    if (fs::is_directory(path, none))
        return fail(
            ErrorCode::invalid,
            fmt::format("{} is a folder, and the config is a file. Docker makes such a folder where the file that "
                        "it is to mount is not there: remove it, and write the file (`tandem init`)",
                        printable(path.string(), kLongestName)));
    const auto text = read_regular(path, kLargestFile + 1);
    if (text) return parse(*text, path, environment, missing);
    // A file that $TANDEM_CONFIG names is wanted as much as one of --config.
    const bool is_wanted = must_exist || environment("TANDEM_CONFIG") == path.string() || fs::is_symlink(path, none);
    if (is_wanted || text.error().code != ErrorCode::not_found) return fail(unread(path, text.error(), environment));
    return parse("", {}, environment, missing);
}

fs::path data_folder_of(const fs::path& path, const Environment& environment) {
    const auto text = read_regular(path, kLargestFile + 1).value_or(std::string());
    auto read = [&](const std::string& yaml) {
        Problems ignored;
        ignored.missing = Missing::left_out;
        Config config;
        config.source = path;
        Section root(YAML::Load(shield_variables(yaml)), "", ignored, environment);
        read_data(root, config, environment);
        return config.data;
    };
    try {
        return read(text);
    } catch (const YAML::Exception&) {
    }
    // The line alone, where the rest is no YAML.
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        at = end + 1;
        if (!line.starts_with("data:")) continue;
        try {
            return read(line);
        } catch (const YAML::Exception&) {
        }
    }
    return read("");
}

fs::path default_path(const Environment& environment) {
    if (const auto named = environment("TANDEM_CONFIG"); named && !named->empty()) return *named;
    std::error_code ignored;
    if (fs::exists("tandem.yaml", ignored)) return "tandem.yaml";
    auto own = xdg(environment, "XDG_CONFIG_HOME", ".config") / "tandem" / "tandem.yaml";
    // For those who may read the service's: sudo tandem status.
    if (!fs::exists(own, ignored) && access(kServiceConfig, R_OK) == 0) return kServiceConfig;
    return own;
}

fs::path cache_folder(const Config& config, const Environment& environment) {
    if (config.source == kServiceConfig && !environment("TANDEM_CACHE")) return kServiceCache;
    if (const auto named = environment("TANDEM_CACHE"); named && !named->empty()) return *named;
    return xdg(environment, "XDG_CACHE_HOME", ".cache") / "tandem";
}

}  // namespace tandem::config
