#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/json.h"
#include "base/text.h"
#include "cli/doctor.h"
#include "cli/fetch.h"
#include "cli/init/discover.h"
#include "config/key_reference.h"
#include "config/names.h"
#include "ledger/pricing.h"
#include "net/client.h"

namespace tandem::cli {

namespace {

using config::Capability;

constexpr milliseconds kReachTime{5'000};
constexpr std::size_t kMostBytes = 4UL << 20;

net::Fields headers_of(const config::Provider& provider, const provider::Kind& kind) {
    net::Fields headers;
    kind.authorize(headers, *provider.api_key);
    return headers;
}

net::Fields headers_of(const config::Provider& provider) {
    return headers_of(provider, *provider.kind);
}

struct Listing {
    int status = 0;
    json::Document document;
    bool is_json = false;
    std::vector<std::string> names;
    bool is_list = false;
};

Listing listing_of(const Fetched& answer) {
    Listing list;
    list.status = answer.status;
    list.is_json = list.document.parse(answer.body).has_value() && !list.document.root().is(json::Kind::string);
    const auto root = list.document.root();
    for (const auto* field : {"data", "models"}) {
        if (!list.is_json || !root[field].is(json::Kind::array)) continue;
        list.is_list = true;
        for (const json::Value entry : root[field].children()) {
            auto name = entry["id"].string() ? entry["id"].text() : entry["name"].text();
            if (name.starts_with("models/")) name.remove_prefix(7);  // Gemini's
            if (!name.empty()) list.names.emplace_back(name);
        }
        break;
    }
    return list;
}

// ---- why it does not answer ----

Check silent(const config::Provider& provider, const Error& error) {
    const auto url = net::parse_url(provider.base_url);
    const auto host = url ? url->authority : provider.base_url;
    Check check{"provider " + provider.id, Grade::bad, {}, {}};
    switch (silence_of(error)) {
        case Silence::name:
            check.text = fmt::format("no machine is known by the name '{}' (DNS)", url ? url->host : host);
            check.mend = "correct the name in base_url, or the network's DNS";
            break;
        case Silence::refused:
            check.text = fmt::format("nothing listens at {} (connection refused)", host);
            check.mend = "start it, or correct the port in base_url";
            break;
        case Silence::timed_out:
            check.text = fmt::format("{} does not answer in {} s", host, kReachTime.count() / 1000);
            check.mend = "see whether it runs and whether a firewall is between; then correct base_url";
            break;
        case Silence::tls:
            check.text = fmt::format("no TLS connection: {}", printable(error.message, 240));
            check.mend = error.message.find("wrong version number") != std::string::npos
                             ? "it speaks plain HTTP there: write http:// in base_url"
                             : "put its CA among the system's (or SSL_CERT_FILE), or use the name that is in its "
                               "certificate";
            break;
        case Silence::not_http:
            check.text = fmt::format("what answers at {} is not HTTP", host);
            check.mend = url && !url->tls ? "write https:// in base_url if it speaks TLS, or correct the port"
                                          : "correct the port in base_url";
            break;
        default:
            check.text = printable(error.message, 200);
            check.mend = "start it, or correct base_url";
    }
    return check;
}

// Other base URLs that people mean: without what an SDK adds itself, and with the version that it does not.
std::vector<std::string> other_urls(const config::Provider& provider) {
    auto url = provider.base_url;
    for (const auto* end : {"/chat/completions", "/completions", "/responses", "/messages", "/models", "/embeddings"})
        if (url.ends_with(end)) url.resize(url.size() - std::string_view(end).size());
    std::vector<std::string> urls;
    auto add = [&](std::string one) {
        if (one != provider.base_url && std::ranges::find(urls, one) == urls.end()) urls.push_back(std::move(one));
    };
    add(url);
    add(url + "/v1");
    add(provider::root_of(url) + "/api/v1");
    if (const auto parsed = net::parse_url(url); parsed && parsed->path != "/")
        add(url.substr(0, url.size() - parsed->path.size()) + "/v1");
    return urls;
}

// A base URL at which there is a list of models; empty: none was found.
std::string better_url(const config::Provider& provider) {
    if (!provider.kind->url_varies) return {};
    const auto urls = other_urls(provider);
    std::vector<Fetch> questions;
    for (const auto& url : urls) questions.push_back({url + "/models", headers_of(provider), {}});
    const auto answers = fetch_all(questions, kReachTime, kMostBytes);
    for (std::size_t i = 0; i < urls.size(); ++i) {
        if (!answers[i]) continue;
        const auto list = listing_of(*answers[i]);
        if ((list.status == 200 && list.is_list) || (list.status == 401 && list.is_json)) return urls[i];
    }
    return {};
}

// Where a server of a kind is asked, were it at the provider's address.
std::string asking_url(const config::Provider& provider, const provider::Kind& kind) {
    return provider::with_version(kind, provider.base_url) + std::string(kind.asking_path);
}

// The base URL as owners write it for a kind: without the version, where that is added for them.
std::string usual_form(const provider::Kind& kind, const std::string& url) {
    const auto root = provider::root_of(url);
    return provider::with_version(kind, root) == root ? url : root;
}

// A question without anything in it, which every server refuses: only whether there is a route is of interest.
bool has_route(const Result<Fetched>& answer) {
    return answer && answer->status != 404 && answer->status != 405 && answer->status < 500;
}

// Nothing where the provider's kind has its route, or where no other kind has.
std::optional<Check> wrong_kind(const config::Provider& provider) {
    const auto& own = *provider.kind;
    if (own.asking_path.empty()) return {};
    const auto answer = fetch({asking_url(provider, own), headers_of(provider), "{}"}, kReachTime, kMostBytes);
    if (!answer || (answer->status != 404 && answer->status != 405)) return {};
    for (const auto* other : provider::kinds()) {
        if (other == &own || other->asking_path.empty()) continue;
        const auto url = asking_url(provider, *other);
        if (!has_route(fetch({url, headers_of(provider, *other), "{}"}, kReachTime, kMostBytes))) continue;
        return Check{"provider " + provider.id, Grade::bad,
                     fmt::format("{} is not there (status {}), and {} answers: it speaks another dialect",
                                 asking_url(provider, own), answer->status, url),
                     fmt::format("set kind: {} and base_url: {}", other->name, usual_form(*other, provider.base_url))};
    }
    return {};
}

bool lists_models(const config::Provider& provider, const std::string& url) {
    const auto answer = fetch({url, headers_of(provider), {}}, kReachTime, kMostBytes);
    return answer && answer->status == 200 && listing_of(*answer).is_list;
}

// A server of another kind at the same address.
std::string better_kind(const config::Provider& provider) {
    const auto root = provider::root_of(provider.base_url);
    if (const auto other = wrong_kind(provider)) return other->mend;
    if (provider.kind->own_list)
        return lists_models(provider, root + "/v1/models")
                   ? fmt::format("it is no {}: set kind: openai and base_url: {}/v1", provider.kind->product, root)
                   : "";
    for (const auto* other : provider::kinds())
        if (other->own_list && lists_models(provider, root + std::string(other->list_path)))
            return fmt::format("it is an {}: set kind: {} and base_url: {}", other->product, other->name, root);
    return {};
}

Check wrong_path(const config::Provider& provider, const Listing& list) {
    Check check{"provider " + provider.id, Grade::bad, {}, {}};
    check.text = list.is_json ? fmt::format("there is no list of models at {}{} (status {})", provider.base_url,
                                            provider.kind->list_path, list.status)
                              : fmt::format("{}{} gives a page, not JSON (status {})", provider.base_url,
                                            provider.kind->list_path, list.status);
    if (const auto url = better_url(provider); !url.empty())
        check.mend = fmt::format("set base_url: {} (there is a list of models)", url);
    else if (const auto kind = better_kind(provider); !kind.empty())
        check.mend = kind;
    else
        check.mend = "correct base_url: most servers want a path that ends in /v1";
    return check;
}

// Empty text: it answers as it should.
Check reach(const config::Config& config, const config::Provider& provider, const Listing& list) {
    const std::string name = "provider " + provider.id;
    const bool has_key = !provider.api_key->reveal().empty();
    if (list.status == 401 || list.status == 403) {
        const auto named = config::key_reference(config, provider.id);
        return {name, Grade::bad,
                has_key ? fmt::format("it refuses the key (status {})", list.status)
                        : fmt::format("it wants a key (status {}), and none is set", list.status),
                has_key ? fmt::format("set a valid api_key{}", named.empty() ? "" : fmt::format(" ({})", named))
                        : "set api_key: ${NAME}"};
    }
    if (list.status == 429)
        return {name, Grade::warning, "it answers, and limits this key at the moment (status 429)", "wait a while"};
    if (list.status >= 500)
        return {name, Grade::warning, fmt::format("it answers with status {}", list.status),
                "see its own status page or log"};
    if (list.status != 200 || !list.is_json) return wrong_path(provider, list);
    if (!list.is_list)
        return {name, Grade::warning, fmt::format("answers at {}, and gives no list of models", provider.base_url),
                "see whether base_url is right"};
    return {name, Grade::good, {}, {}};
}

// ---- what it says of its models ----

// Names that are not listed as they stand and work all the same: a tag that is the usual one, a version that a date
// follows in the list, a variant after a colon, a name that moves.
bool is_listed(const std::string& name, const std::vector<std::string>& list) {
    const auto colon = name.rfind(':');
    return std::ranges::any_of(list,
                               [&](const std::string& one) {
                                   return one == name || one == name + ":latest" || one + ":latest" == name ||
                                          one.starts_with(name + "-20") ||
                                          (colon != std::string::npos && one == name.substr(0, colon) &&
                                           one.find('/') != std::string::npos);
                               }) ||
           name.ends_with("-latest");
}

void check_listed(const config::Model& model, const config::Provider& provider, const Listing& list,
                  std::vector<Check>& checks) {
    const bool any_name = provider.kind->takes_any_name && list.names.size() == 1;
    if (any_name || list.names.empty() || is_listed(model.name, list.names) ||
        provider.base_url.find(".azure.com") != std::string::npos)
        return;
    checks.push_back(
        {"model " + model.id, Grade::bad,
         fmt::format("{} does not list '{}'{}", provider.id, printable(model.name, 80),
                     suggest(model.name, std::span(list.names).first(std::min<std::size_t>(list.names.size(), 12)))),
         "correct its name, or load it there"});
}

void check_context(const config::Model& model, std::int64_t has, std::string_view whose, std::vector<Check>& checks) {
    if (has > 0 && model.context_tokens > has)
        checks.push_back({"model " + model.id, Grade::bad,
                          fmt::format("the config says context {}, {} has {}", model.context_tokens, whose, has),
                          fmt::format("set context: {}, or start the server with more", has)});
}

// In the entries of a list: vLLM's, SGLang's and others' word on the context.
void check_entry(const config::Model& model, const Listing& list, std::vector<Check>& checks) {
    for (const json::Value entry : list.document.root()["data"].children()) {
        if (entry["id"].text() != model.name) continue;
        for (const auto* field : {"max_model_len", "loaded_context_length"})
            if (const auto tokens = entry[field].integer()) check_context(model, *tokens, "the server", checks);
    }
}

void check_tools(const config::Model& model, bool knows_tools, std::vector<Check>& checks) {
    if (knows_tools && model.render_tools)
        checks.push_back({"model " + model.id, Grade::warning,
                          "its chat template knows tools, and Tandem renders them all the same", "set tools: native"});
    else if (!knows_tools && !model.render_tools && model.capabilities && model.capabilities->has(Capability::tools))
        checks.push_back({"model " + model.id, Grade::bad,
                          "its chat template knows no tools, so the server ignores them in silence",
                          "set tools: rendered, or take `tools` out of its capabilities"});
}

// What the server says of the model, beside what the config claims: measured beats claimed.
void check_description(const config::Model& model, const config::Provider& provider, const provider::Description& said,
                       std::vector<Check>& checks) {
    const std::string name = "model " + model.id;
    check_context(model, said.context_tokens, said.context_is_the_servers ? "the server" : "the model", checks);
    if (said.context_is_the_servers && said.context_tokens > 0 && model.context_tokens <= said.context_tokens)
        checks.push_back({name, Grade::good, fmt::format("the server has a context of {}", said.context_tokens), ""});
    if (said.knows_tools) check_tools(model, *said.knows_tools, checks);
    if (said.elsewhere && provider.zone == Zone::local)
        checks.push_back({name, Grade::bad,
                          fmt::format("{} runs it on machines of its own cloud, and the provider's zone is local",
                                      provider.kind->product),
                          fmt::format("give it a provider with kind: {}, zone: cloud and the same base_url ({})",
                                      provider.kind->name, provider.base_url)});
    if (said.only_embeds && !(model.capabilities && model.capabilities->has(Capability::embeddings)))
        checks.push_back({name, Grade::bad, "it makes vectors and does not talk, and the config lets it answer chats",
                          "set capabilities: [embeddings]"});
}

void check_described(const config::Config& config, const config::Provider& provider,
                     const provider::ModelDescriber& describer, std::vector<Check>& checks) {
    std::vector<Fetch> questions;
    std::vector<const config::Model*> models;
    const bool each = describer.body != nullptr;  // else one answer is about all of them
    for (const auto& model : config.models) {
        if (model.provider != provider.id) continue;
        const bool talks = !model.capabilities || model.capabilities->has(Capability::chat);
        if (each ? config::is_pattern(model.id) : !talks) continue;
        models.push_back(&model);
        if (each || questions.empty())
            questions.push_back({describer.url(provider.base_url), headers_of(provider),
                                 each ? describer.body(model.name) : std::string()});
    }
    const auto answers = fetch_all(questions, kReachTime, kMostBytes);
    for (std::size_t i = 0; i < models.size(); ++i) {
        const auto& answer = answers[each ? i : 0];
        json::Document document;
        if (answer && answer->status == 200 && document.parse(answer->body))
            check_description(*models[i], provider, describer.read(document.root()), checks);
    }
}

// ---- what the config says of it ----

void check_place(const config::Provider& provider, std::vector<Check>& checks) {
    const auto url = net::parse_url(provider.base_url);
    if (!url) return;
    const std::string name = "provider " + provider.id;
    const bool home = is_this_machine(url->host) || is_private_network(url->host);
    if (provider.zone == Zone::cloud && !url->tls && !home)
        checks.push_back({name, Grade::warning, "the connection is not encrypted", "use https"});
    if (provider.zone == Zone::local && !home)
        checks.push_back({name, Grade::warning,
                          fmt::format("its zone is local, so private content goes to {}, which is no address of a home "
                                      "network",
                                      printable(url->host, 60)),
                          "set zone: cloud, unless it is a machine that you trust"});
}

// Prices are per million tokens here, and per token in some lists.
bool looks_per_token(const config::Price& price) {
    constexpr auto kLeast = Money::from_micros(1'000);  // no model is sold for a thousandth of a unit a million tokens
    const auto most = std::max(price.input, price.output);
    return most > Money{} && most < kLeast;
}

void check_prices(const config::Config& config, const config::Provider& provider, const ledger::Pricing& pricing,
                  std::vector<Check>& checks) {
    for (const auto& model : config.models) {
        if (model.provider != provider.id) continue;
        const auto& price = pricing.of(model);
        if (!price.known() && !config::is_pattern(model.id))
            checks.push_back({"model " + model.id, Grade::warning,
                              fmt::format("it has no price: its cost is not known, and keys with budgets may not use "
                                          "it ({})",
                                          price.note()),
                              "add price: { input: ..., output: ... }, or policy.unknown_price"});
        else if (model.price && looks_per_token(*model.price))
            checks.push_back(
                {"model " + model.id, Grade::warning,
                 fmt::format("its price is {} per million tokens at most, so budgets hardly notice it; is that "
                             "the price of one token?",
                             std::max(model.price->input, model.price->output).text()),
                 "write prices per million tokens: 3.00, not 0.000003"});
        else if (provider.kind->charges_cache_writes && model.price && !model.price->cache_write)
            checks.push_back({"model " + model.id, Grade::warning,
                              "it has no price for what goes into its provider's prompt cache, so that is billed as "
                              "other input",
                              "add cache_write to its price, per million tokens"});
    }
}

void check_provider(const config::Config& config, const config::Provider& provider, const Result<Fetched>& answer,
                    std::vector<Check>& checks) {
    if (!answer) {
        checks.push_back(silent(provider, answer.error()));
        return;
    }
    const auto list = listing_of(*answer);
    auto check = reach(config, provider, list);
    if (check.grade == Grade::good)
        if (auto wrong = wrong_kind(provider)) check = std::move(*wrong);
    if (check.text.empty()) check.text = fmt::format("answers at {}", provider.base_url);
    const bool whole = check.grade == Grade::good;
    checks.push_back(std::move(check));
    if (!whole) return;
    for (const auto& model : config.models) {
        if (model.provider != provider.id || config::is_pattern(model.id)) continue;
        check_listed(model, provider, list, checks);
        check_entry(model, list, checks);
    }
    if (provider.kind->describer != nullptr) check_described(config, provider, *provider.kind->describer, checks);
}

}  // namespace

void check_providers(const config::Config& config, const std::set<std::string>& unheard, std::vector<Check>& checks) {
    std::vector<Fetch> questions;
    std::vector<const config::Provider*> providers;
    for (const auto& provider : config.providers) {
        if (provider.kind->runs_here || unheard.contains(provider.id)) continue;
        questions.push_back(
            {fmt::format("{}{}", provider.base_url, provider.kind->list_path), headers_of(provider), {}});
        providers.push_back(&provider);
    }
    const auto answers = fetch_all(questions, kReachTime, kMostBytes);
    const auto pricing = ledger::Pricing::of(config);
    if (!pricing) checks.push_back({"prices", Grade::bad, pricing.error().message, "tandem prices import FILE"});
    for (std::size_t i = 0; i < providers.size(); ++i) {
        check_provider(config, *providers[i], answers[i], checks);
        check_place(*providers[i], checks);
        if (pricing) check_prices(config, *providers[i], **pricing, checks);
    }
}

}  // namespace tandem::cli
