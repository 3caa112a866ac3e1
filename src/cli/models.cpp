// tandem models: every model of the config, with its claims, and how it is where a server knows.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/remote.h"

namespace tandem::cli {

namespace {

constexpr milliseconds kTime{2'000};

// What the server says of a model; empty where none answers.
using States = std::map<std::string, std::string>;

json::Document ask_quietly(const Remote& remote, const std::string& path) {
    json::Document document;
    const auto answer = call(remote, {.path = path, .headers = {}, .body = {}, .timeout = kTime});
    if (!answer || answer->status != 200 || !document.parse(answer->body)) return {};
    return document;
}

// An engine has a state of its own; a model elsewhere is as its provider is.
States states_of(const config::Config& config) {
    const auto remote = remote_of(config);
    const auto status = ask_quietly(remote, "/tandem/v1/status");
    if (!status.root()) return {};
    std::map<std::string, std::string> providers;
    for (const auto provider : status.root()["providers"].children()) {
        const auto reason = provider["reason"].text();
        const bool healthy = provider["healthy"].boolean().value_or(false);
        providers[std::string(provider["id"].text())] =
            healthy ? "up" : fmt::format("resting{}{}", reason.empty() ? "" : ": ", reason);
    }
    States states;
    for (const auto& model : config.models)
        if (const auto found = providers.find(model.provider); found != providers.end())
            states[model.id] = found->second;
    const auto engines = ask_quietly(remote, "/tandem/v1/engines");
    for (const auto engine : engines.root()["engines"].children())
        states[std::string(engine["model"].text())] = engine["state"].text();
    return states;
}

std::vector<std::string> aliases_of(const config::Config& config, const std::string& model) {
    std::vector<std::string> names;
    for (const auto& alias : config.aliases)
        if (std::ranges::find(alias.models, model) != alias.models.end()) names.push_back(alias.id);
    return names;
}

std::vector<std::string> claims_of(const config::Model& model) {
    std::vector<std::string> names;
    for (std::size_t i = 0; model.capabilities && i < config::kCapabilityNames.size(); ++i)
        if (model.capabilities->has(static_cast<config::Capability>(i)))
            names.emplace_back(config::kCapabilityNames[i]);
    return names;
}

// Of a million tokens: "1.250000 / 10.000000".
std::string price_of(const config::Model& model, Zone zone) {
    if (!model.priced) return zone == Zone::local ? "-" : "unknown";
    return fmt::format("{} / {}", model.price.input.text(), model.price.output.text());
}

void print_json(const config::Config& config, const States& states) {
    json::Writer out;
    out.begin_object()
        .member("server", !states.empty())
        .member("currency", config.currency)
        .key("models")
        .begin_array();
    for (const auto& model : config.models) {
        const auto& provider = *config.provider(model.provider);
        out.begin_object().member("id", model.id).member("provider", model.provider);
        out.member("name", model.name)
            .member("zone", name_of(provider.zone))
            .member("kind", config::kProviderKindNames[static_cast<std::size_t>(provider.kind)]);
        if (model.context_tokens > 0) out.member("context", model.context_tokens);
        if (model.capabilities) {
            out.key("capabilities").begin_array();
            for (const auto& name : claims_of(model)) out.value(name);
            out.end_array();
        }
        if (model.priced) {
            out.key("price")
                .begin_object()
                .member("input", model.price.input.text())
                .member("output", model.price.output.text());
            out.end_object();
        }
        out.key("aliases").begin_array();
        for (const auto& name : aliases_of(config, model.id)) out.value(name);
        out.end_array();
        if (const auto found = states.find(model.id); found != states.end()) out.member("state", found->second);
        out.end_object();
    }
    out.end_array().end_object();
    fmt::print("{}\n", out.text());
}

void print_table(const config::Config& config, const States& states) {
    std::size_t widest = 5;
    for (const auto& model : config.models) widest = std::max(widest, std::min<std::size_t>(model.id.size(), 40));
    fmt::print("{:<{}} {:<14} {:<5} {:>8}  {:<28} {:<22} {:<10} {}\n", "model", widest, "provider", "zone", "context",
               "claims", "price in / out", "state", "aliases");
    for (const auto& model : config.models) {
        const auto& provider = *config.provider(model.provider);
        const auto state = states.find(model.id);
        const auto claims = join(claims_of(model), " ");
        fmt::print("{:<{}} {:<14} {:<5} {:>8}  {:<28} {:<22} {:<10} {}\n", model.id, widest, model.provider,
                   name_of(provider.zone), model.context_tokens > 0 ? std::to_string(model.context_tokens) : "-",
                   model.capabilities ? claims : "none said", price_of(model, provider.zone),
                   state != states.end() ? state->second : "-", join(aliases_of(config, model.id), " "));
    }
    fmt::print(
        "\nprices are in {} per million tokens; clients may ask for a model, an alias, or auto, local, cloud, "
        "private\n",
        config.currency);
    if (states.empty()) fmt::print("no server answers, so their states are not known: tandem serve\n");
}

int models(const Globals& globals) {
    const auto config = globals.load();
    if (!config) return report(globals, config.error());
    const auto states = states_of(*config);
    if (globals.json)
        print_json(*config, states);
    else
        print_table(*config, states);
    return kOk;
}

}  // namespace

void add_models(CLI::App& app, Globals& globals, Action& action) {
    app.add_subcommand("models", "The models of the config: claims, prices, aliases, and how they are")->callback([&] {
        action = [&globals] { return models(globals); };
    });
}

}  // namespace tandem::cli
