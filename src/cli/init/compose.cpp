#include "cli/init/compose.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/few.h"
#include "base/json.h"
#include "base/text.h"
#include "config/names.h"
#include "provider/kind.h"

namespace tandem::cli {

using config::Capability;

namespace {

constexpr std::size_t kMostWritten = 16;  // models of one server

// A line of `models:`, and what decides where it stands.
struct Line {
    std::string id;
    std::string provider;
    std::string text;       // what follows the id
    std::string comment;    // behind the line
    int rank = 0;           // cloud, then home, then embedders, then the toy
    double parameters = 0;  // of those at home, the largest first
    std::size_t place = 0;  // as they were found
};

// A model's name as an id that tandem.yaml takes.
std::string id_of(std::string_view name) {
    std::string id(name.substr(name.rfind('/') == std::string_view::npos ? 0 : name.rfind('/') + 1));
    if (lower(id).ends_with(".gguf")) id.resize(id.size() - 5);
    if (id.ends_with(":latest")) id.resize(id.size() - 7);
    for (char& c : id)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_' && c != '-' && c != ':') c = '-';
    return id.substr(0, 80);
}

std::string yaml_text(std::string_view text) {
    return json::quoted(text);  // JSON strings are YAML strings
}

// 5, 2.50
std::string amount_text(Money money) {
    auto text = money.text();
    while (text.find('.') != std::string::npos && text.ends_with("000")) text.pop_back();
    return text;
}

// Text in a comment: one line, whatever a server says.
std::string comment_text(std::string_view text) {
    return printable(text, 100);
}

class Composer {
  public:
    explicit Composer(const Plan& plan) : plan_(plan) {}

    Composed compose() {
        for (std::size_t i = 0; i < plan_.clouds.size(); ++i) add_cloud(plan_.clouds[i]);
        for (const auto& silent : plan_.silent) add_silent(silent);
        for (std::size_t i = 0; i < plan_.found.servers.size(); ++i) add_server(plan_.found.servers[i], plan_.zones[i]);
        add_home();
        return {text(), std::move(notes_)};
    }

  private:
    // ---- names ----

    std::string provider_id(const std::string& wanted) {
        auto id = wanted;
        for (int n = 2; std::ranges::find(providers_used_, id) != providers_used_.end(); ++n)
            id = fmt::format("{}-{}", wanted, n);
        providers_used_.push_back(id);
        return id;
    }

    bool is_free(const std::string& id) const {
        return !id.empty() && !config::is_reserved(id) && std::ranges::find(ids_, id) == ids_.end();
    }

    // No name stands for two models: the second one has its provider's in front.
    std::string model_id(const std::string& name, const std::string& provider) {
        auto id = id_of(name);
        if (!is_free(id)) {
            const auto plain = id;
            id = fmt::format("{}-{}", provider, plain);
            for (int n = 2; !is_free(id); ++n) id = fmt::format("{}-{}-{}", provider, plain, n);
            notes_.push_back(config::is_reserved(plain)
                                 ? fmt::format("'{}' is a name of Tandem's own: the model of {} is '{}' here", plain,
                                               provider, printable(id, 80))
                                 : fmt::format("there are two models called '{}': that of {} is '{}' here",
                                               printable(plain, 60), provider, printable(id, 80)));
        }
        ids_.push_back(id);
        return id;
    }

    // ---- what was found ----

    void add_cloud(const Cloud& cloud) {
        const auto& known = cloud.known;
        const auto provider = provider_id(std::string(known.id));
        providers_ += fmt::format("  {}: {{ kind: {}, zone: cloud, base_url: {}, api_key: \"${{{}}}\" }}\n", provider,
                                  known.kind, yaml_text(cloud.base_url), cloud.variable);
        Line line{model_id(std::string(known.model), provider),
                  provider,
                  fmt::format("name: {}", yaml_text(known.model)),
                  {},
                  0,
                  0};
        if (!known.rest.empty()) line.text += fmt::format(", {}", known.rest);
        any_priced_ = true;
        lines_.push_back(std::move(line));
    }

    // Nothing answers there now: the line is there for when it does.
    void add_silent(const Cloud& silent) {
        const auto provider = provider_id(std::string(silent.known.id));
        providers_ += fmt::format(
            "  # {}: {{ kind: {}, zone: local, base_url: {}, api_key: \"${{{}}}\" }}   # gave no answer when this was "
            "written\n",
            provider, silent.known.kind, yaml_text(silent.base_url), silent.variable);
        notes_.push_back(
            fmt::format("{} is for {}, which gave no answer: when it runs, take the # from the line of {} in the file "
                        "and add its models, or run init again",
                        silent.variable, comment_text(silent.base_url), provider));
    }

    void add_server(const FoundServer& server, Zone zone) {
        const auto provider = provider_id(server.id);
        add_provider(server, provider, zone, server.kind);
        std::string elsewhere;  // provider of the models that a server at home hands on
        std::string responses;  // provider of the models that answer on the Responses API alone
        std::size_t written = 0;
        for (const auto& model : server.models) {
            if (written++ == kMostWritten) {
                notes_.push_back(fmt::format("{} has {} more models; add those that you want under models:", provider,
                                             server.models.size() - kMostWritten));
                break;
            }
            if (model.elsewhere && zone == Zone::local && elsewhere.empty()) {
                elsewhere = provider_id(provider + "-cloud");
                add_provider(server, elsewhere, Zone::cloud, server.kind);
                notes_.push_back(
                    fmt::format("models of {} that run on somebody else's machines are in the zone cloud, "
                                "as provider {}",
                                server.product, elsewhere));
            }
            const bool away = model.elsewhere && zone == Zone::local;
            const bool apart = !away && server.kind == "openai" && is_responses_only(model.name);
            if (apart && responses.empty()) {
                responses = provider_id(provider + "-responses");
                add_provider(server, responses, zone, "responses");
                notes_.push_back(
                    fmt::format("OpenAI serves some models of {} on its Responses API alone: they are at provider {}, "
                                "of kind responses, with the same address",
                                provider, responses));
            }
            add_model(model, server, away ? elsewhere : apart ? responses : provider, away ? Zone::cloud : zone);
        }
        add_left_out(server, provider);
        if (server.models.empty() && !server.wants_key)
            notes_.push_back(fmt::format("{} has no model yet; add its models under models: when it has", provider));
    }

    void add_left_out(const FoundServer& server, const std::string& provider) {
        if (server.left_out.empty()) return;
        std::vector<std::string> names;
        for (const auto& name : server.left_out) names.push_back(comment_text(name));
        notes_.push_back(
            fmt::format("{} lists {} that {} no model for a conversation (sound, images, search, old "
                        "completions), which {} left out: {}",
                        provider, server.left_out.size(), server.left_out.size() == 1 ? "is" : "are",
                        server.left_out.size() == 1 ? "is" : "are", few(names)));
    }

    void add_provider(const FoundServer& server, const std::string& provider, Zone zone, std::string_view kind) {
        const bool off = server.wants_key || server.models.empty();
        std::string key = server.key_variable.empty() ? "" : fmt::format(", api_key: \"${{{}}}\"", server.key_variable);
        if (server.wants_key && key.empty()) key = ", api_key: \"${NAME}\"";
        providers_ += fmt::format("  {}{}: {{ kind: {}, zone: {}, base_url: {}{} }}   # {}, {}\n", off ? "# " : "",
                                  provider, kind, name_of(zone), yaml_text(server.base_url), key, server.product,
                                  server.wants_key ? "which wants a key: put the name of a variable for NAME, and add "
                                                     "its models"
                                                   : "found running");
        if (server.wants_key)
            notes_.push_back(fmt::format("{} at {} wants a key: see the line of {} in the file", server.product,
                                         server.base_url, provider));
    }

    void add_model(const FoundModel& model, const FoundServer& server, const std::string& provider, Zone zone) {
        Line line{model_id(model.name, provider),
                  provider,
                  fmt::format("name: {}", yaml_text(model.name)),
                  {},
                  1,
                  model.parameters};
        // Behind a server that hands on are models of clouds, which are the same there.
        if (server.hands_on && !model.known && model.context_tokens == 0)
            if (const auto claims = known_claims(model.name); !claims.empty()) line.text += fmt::format(", {}", claims);
        auto context = model.context_tokens;
        constexpr std::int64_t kOwnDefault = 4096;  // of those that cut what does not fit
        const auto* const kind = provider::find(server.kind);
        if (context == 0 && kind != nullptr && kind->cuts_prompts) context = kOwnDefault;
        if (context >= 64) line.text += fmt::format(", context: {}", context);
        if (model.known) line.text += fmt::format(", capabilities: [{}]", capabilities_of(model));
        if (model.trained_tokens > context && context > 0)
            line.comment = fmt::format("trained for {} tokens; more context takes more memory", model.trained_tokens);
        if (zone == Zone::cloud) {
            line.rank = 0;
            any_priced_ = true;
        }
        const bool talks =
            !model.known ||
            !(model.capabilities.has(Capability::embeddings) || model.capabilities.has(Capability::rerank)) ||
            model.capabilities.has(Capability::json);
        if (!talks) line.rank = 2;
        talks_ = talks_ || talks;
        lines_.push_back(std::move(line));
    }

    static std::string capabilities_of(const FoundModel& model) {
        std::vector<std::string> names;
        const auto& has = model.capabilities;
        for (std::size_t i = 0; i < config::kCapabilityNames.size(); ++i)
            if (has.has(static_cast<Capability>(i))) names.emplace_back(config::kCapabilityNames[i]);
        // One that makes vectors talks only where it says so.
        if (has.has(Capability::embeddings) && has.has(Capability::json)) names.emplace_back("chat");
        return join(names, ", ");
    }

    // The engine that Tandem runs itself, with the tiny model behind everything that is better.
    void add_home() {
        const bool others = talks_ || !plan_.clouds.empty();
        const bool off = others && !plan_.engine_here;
        const auto provider = provider_id("home");
        providers_ += fmt::format(
            "  {}{}: {{ kind: engine }}   # llama-server processes that Tandem starts and stops "
            "itself\n",
            off ? "# " : "", provider);
        Line line{model_id("smollm2", provider),
                  provider,
                  "file: smollm2-135m-instruct-q4_1.gguf, context: 8192, slots: 2",
                  {},
                  3,
                  0};
        if (others) line.text += ", fallback: only";
        line.comment = others ? "tiny: it answers where nothing else can" : "tiny: good for trying things out";
        if (off) {
            line.id = "# " + line.id;
            line.comment += "; its engine is not installed";
        }
        lines_.push_back(std::move(line));
    }

    // ---- the file ----

    std::string models_text() {
        for (std::size_t i = 0; i < lines_.size(); ++i) lines_[i].place = i;
        std::ranges::sort(lines_, {},
                          [](const Line& line) { return std::tuple(line.rank, -line.parameters, line.place); });
        std::string out;
        for (const auto& line : lines_)
            out += fmt::format("  {}: {{ provider: {}, {} }}{}\n", line.id, line.provider, line.text,
                               line.comment.empty() ? "" : "   # " + line.comment);
        return out;
    }

    std::string_view price_text() const {
        if (!any_priced_) return "";
        return "# What a model of a cloud costs is what the price book has for its name, as `tandem models` says; "
               "where "
               "that is none or wrong,\n# add price: { input: ..., output: ... } to it, per million tokens.\n";
    }

    std::string privacy_text() const {
        std::string out =
            fmt::format("  clearance: {{ local: secret, cloud: {} }}   # the highest label that a zone may see\n",
                        plan_.cloud_sees == CloudSees::public_ ? "public" : "internal");
        if (plan_.cloud_sees == CloudSees::redacted)
            out +=
                "  actions: { cloud: { private: redact } }   # the cloud sees placeholders, you see what they stand "
                "for\n";
        return out;
    }

    std::string keys_text() const {
        if (plan_.daily_budget)
            return fmt::format(
                "# Every client needs this key, and all of them together have the budget. `tandem connect` fills it "
                "in.\n"
                "keys:\n  me: {{ secret: file:{}, budgets: [{{ limit: {}, window: day }}] }}\n",
                kKeyFile, amount_text(*plan_.daily_budget));
        return "# With keys, only those who have one may ask; each can have a label, a budget, limits.\n"
               "# keys:\n#   alice: { secret: \"${ALICE_KEY}\", label: internal, aliases: [auto, local],\n"
               "#            budgets: [{ limit: 5.00, window: day }], limits: { rpm: 600, tpm: 200000, concurrency: 8 "
               "} "
               "}\n";
    }

    std::string text() {
        const auto models = models_text();
        if (plan_.clouds.empty() && plan_.silent.empty())
            providers_ +=
                "  # openai: { kind: openai, zone: cloud, base_url: https://api.openai.com/v1, api_key: "
                "\"${OPENAI_API_KEY}\" }\n";
        return fmt::format(R"(# Tandem's config. Everything has a default; docs/reference/config.md explains each key.
# A changed file is read again by itself; a wrong one keeps the old config and says so in the log.

server: {{ listen: 127.0.0.1:7117 }}       # beyond this machine it needs `keys:` below

providers:
{}
# The first of those that are worth the same is taken. `fallback: only`: where no other may; `auto: false`: by name alone.
{}models:
{}  # mine: {{ provider: home, file: /path/to/model.gguf, context: 32768, capabilities: [tools, json] }}

# Names that clients can use besides `auto`, `local`, `cloud`, `private` and each model's own. With a *, names that
# clients have fixed; "*" alone is for every name that is not known.
# aliases: {{ strong: [gpt-5.1], "claude-*": auto, "*": auto }}

# hybrid: private, light and repetitive work at home; hard work in the cloud. Also: local-first, cloud-first.
# `tandem policy show` prints the rules, ready to copy here and change.
policy: {{ preset: hybrid }}

privacy:
{}  # What detectors find raises the label: public < internal < private < secret.
  detect: {{ email: internal, card: private, iban: private, credential: secret }}

{}
currency: USD
)",
                           providers_, price_text(), models, privacy_text(), keys_text());
    }

    const Plan& plan_;
    std::vector<std::string> providers_used_, ids_, notes_;
    std::string providers_;
    std::vector<Line> lines_;
    bool talks_ = false;       // a model that was found answers in text
    bool any_priced_ = false;  // a model of a cloud is there
};

}  // namespace

Composed compose(const Plan& plan) {
    return Composer(plan).compose();
}

}  // namespace tandem::cli
