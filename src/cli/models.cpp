// tandem models: every model of the config, with its claims, and how it is where a server knows.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/few.h"
#include "base/json.h"
#include "base/text.h"
#include "base/world.h"
#include "cli/cli.h"
#include "cli/measured.h"
#include "cli/remote.h"
#include "config/names.h"
#include "ledger/pricing.h"

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
            healthy ? "up"
            : provider["breaker"].text() == "key refused"
                ? fmt::format("down: {}", reason)
                : fmt::format("resting{}{}", reason.empty() ? "" : ": ", reason);
    }
    States states;
    for (const auto& model : config.models)
        if (const auto found = providers.find(model.provider); found != providers.end())
            states[model.id] = found->second;
    for (const auto refused : status.root()["refused_models"].children())
        states[std::string(refused["model"].text())] = fmt::format("refused: {}", refused["why"].text());
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

std::string claims_text(const config::Model& model) {
    return model.capabilities ? join(claims_of(model), " ") : "none said";
}

// The rate of a bucket now, for a million tokens, with six digits after the point or more; empty where there is none.
std::string rate_of(const prices::Tariff& price, prices::Bucket bucket) {
    const auto* entry = price.at(unix_ms(system_clock()->wall()));
    const auto* base = entry == nullptr ? nullptr : entry->base();
    const auto* rate = base == nullptr ? nullptr : base->rate(bucket);
    if (rate == nullptr) return {};
    const auto rounded = rate->micros();
    return ledger::amount_of(rounded) == *rate ? rounded.text() : rate->plain();
}

// Of a million tokens, and whose word it is: "1.250000 / 10.000000 (book)".
std::string price_of(const prices::Tariff& price, const std::string& model) {
    if (price.source() == prices::PriceSource::free) return "-";
    const bool by_name = config::is_pattern(model) && price.source() != prices::PriceSource::owner;
    if (!price.known()) return by_name ? "by its name" : "unknown";
    if (by_name) return fmt::format("by its name, else {}", rate_of(price, prices::Bucket::input));
    return fmt::format("{} / {} ({})", rate_of(price, prices::Bucket::input), rate_of(price, prices::Bucket::output),
                       prices::name_of(price.source()));
}

void write_price(json::Writer& out, const prices::Tariff& price) {
    if (const auto* entry = price.at(0); entry != nullptr) {
        out.key("price").begin_object();
        for (const auto bucket : {prices::Bucket::input, prices::Bucket::cache_read, prices::Bucket::cache_write,
                                  prices::Bucket::cache_write_1h, prices::Bucket::output})
            if (const auto rate = rate_of(price, bucket); !rate.empty()) out.member(name_of(bucket), rate);
        out.end_object();
        if (price.source() == prices::PriceSource::book)
            out.member("price_entry", fmt::format("{}/{}", entry->provider, entry->model));
    }
    out.member("price_source", prices::name_of(price.source()));
    if (!price.note().empty()) out.member("price_note", price.note());
}

using Measured = std::map<std::string, std::string>;

void print_json(const config::Config& config, const ledger::Pricing& pricing, const States& states,
                const Measured& measured) {
    json::Writer out;
    out.begin_object()
        .member("server", !states.empty())
        .member("currency", config.currency)
        .key("models")
        .begin_array();
    for (const auto& model : config.models) {
        const auto& provider = *config.provider(model.provider);
        out.begin_object().member("id", model.id).member("provider", model.provider);
        out.member("name", model.name).member("zone", name_of(provider.zone)).member("kind", provider.kind->name);
        if (model.context_tokens > 0) out.member("context", model.context_tokens);
        if (model.capabilities) {
            out.key("capabilities").begin_array();
            for (const auto& name : claims_of(model)) out.value(name);
            out.end_array();
        }
        write_price(out, pricing.of(model));
        out.key("aliases").begin_array();
        for (const auto& name : aliases_of(config, model.id)) out.value(name);
        out.end_array();
        if (const auto found = states.find(model.id); found != states.end()) out.member("state", found->second);
        if (const auto found = measured.find(model.id); found != measured.end()) out.member("measured", found->second);
        out.end_object();
    }
    out.end_array().end_object();
    fmt::print("{}\n", out.text());
}

// What is said of prices, each reason once: "'10.0.0.7' is no provider of the book: a as openai's a, and 3 more".
void print_price_notes(const config::Config& config, const ledger::Pricing& pricing) {
    constexpr std::string_view kPricedAs = ": priced as ";
    std::vector<std::pair<std::string, std::vector<std::string>>> reasons;
    for (const auto& model : config.models) {
        const auto& note = pricing.of(model).note();
        if (note.empty() || config::is_pattern(model.id)) continue;
        const auto at = note.find(kPricedAs);
        const auto why = at == std::string::npos ? note : note.substr(0, at) + ", so its price is by name";
        auto found = std::ranges::find(reasons, why, &std::pair<std::string, std::vector<std::string>>::first);
        if (found == reasons.end()) found = reasons.insert(reasons.end(), {why, {}});
        found->second.push_back(
            at == std::string::npos ? model.id : fmt::format("{} as {}", model.id, note.substr(at + kPricedAs.size())));
    }
    std::string_view before = "\n";
    for (const auto& [why, models] : reasons) {
        fmt::print("{}{}: {}\n", std::exchange(before, ""), why, few(models));
    }
}

void print_measured(const Measured& measured) {
    if (!measured.empty()) fmt::print("\nmeasured, which decides over what is claimed:\n");
    for (const auto& [model, text] : measured) fmt::print("  {}: {}\n", model, text);
}

void print_table(const config::Config& config, const ledger::Pricing& pricing, const States& states) {
    std::size_t widest = 5;
    for (const auto& model : config.models) widest = std::max(widest, std::min<std::size_t>(model.id.size(), 64));
    std::size_t provider_width = 8, claims_width = 6, price_width = 22, state_width = 5;
    for (const auto& model : config.models) {
        provider_width = std::max(provider_width, std::min<std::size_t>(model.provider.size(), 32));
        claims_width = std::max(claims_width, claims_text(model).size());
        price_width = std::max(price_width, price_of(pricing.of(model), model.id).size());
        if (const auto found = states.find(model.id); found != states.end())
            state_width = std::max(state_width, std::min<std::size_t>(found->second.size(), 10));
    }
    fmt::print("{:<{}} {:<{}} {:<5} {:>8}  {:<{}} {:<{}} {:<{}} {}\n", "model", widest, "provider", provider_width,
               "zone", "context", "claims", claims_width, "price in / out (whose)", price_width, "state", state_width,
               "aliases");
    for (const auto& model : config.models) {
        const auto& provider = *config.provider(model.provider);
        const auto state = states.find(model.id);
        fmt::print("{:<{}} {:<{}} {:<5} {:>8}  {:<{}} {:<{}} {:<{}} {}\n", model.id, widest, model.provider,
                   provider_width, name_of(provider.zone),
                   model.context_tokens > 0 ? std::to_string(model.context_tokens) : "-", claims_text(model),
                   claims_width, price_of(pricing.of(model), model.id), price_width,
                   state != states.end() ? state->second : "-", state_width, join(aliases_of(config, model.id), " "));
    }
    print_price_notes(config, pricing);
    fmt::print(
        "\nprices are in {} per million tokens; clients may ask for a model, an alias, or auto, local, cloud, "
        "private\n",
        config.currency);
    if (states.empty()) fmt::print("no server answers, so their states are not known: tandem serve\n");
}

int models(const Globals& globals) {
    const auto config = globals.load();
    if (!config) return report(globals, config.error());
    const auto pricing = ledger::Pricing::of(*config);
    if (!pricing) return report(globals, pricing.error());
    const auto states = states_of(*config);
    const auto measured = states.empty() ? Measured() : measured_of_all(remote_of(*config));
    if (globals.json) {
        print_json(*config, **pricing, states, measured);
        return kOk;
    }
    print_table(*config, **pricing, states);
    print_measured(measured);
    return kOk;
}

}  // namespace

void add_models(CLI::App& app, Globals& globals, Action& action) {
    app.add_subcommand("models", "The models of the config: claims, prices, aliases, and how they are")->callback([&] {
        action = [&globals] { return models(globals); };
    });
}

}  // namespace tandem::cli
