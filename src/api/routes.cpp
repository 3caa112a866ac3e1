#include "api/routes.h"

#include <algorithm>
#include <array>

#include "api/advice.h"
#include "api/api.h"
#include "api/local_cost.h"
#include "api/retrieval.h"
#include "base/json.h"
#include "base/text.h"
#include "gateway/models.h"
#include "gateway/run.h"
#include "resources/batches.h"
#include "resources/conversations.h"
#include "resources/files.h"
#include "resources/responses.h"

namespace tandem::api {

namespace {

using dialect::Kind;
using gateway::Call;
using translate::Operation;
using Body = Result<std::string>;

// ---- what answers ----

template <Kind kind, Operation operation>
net::Task<> ask(Api& api, const Route&, Call call) {
    return gateway::answer_question(api.gateway(), std::move(call), {kind, operation});
}

// Ollama's clients ask for nothing to have a model loaded, or let go.
net::Task<> ask_or_load(Api& api, const Route& route, Call call) {
    if (gateway::is_load(call.request()))
        co_await gateway::reply_json(call, route.errors, gateway::load_model(api.gateway(), call));
    else
        co_await gateway::answer_question(api.gateway(), std::move(call), {Kind::ollama, Operation::chat});
}

template <bool counts>
net::Task<> respond(Api& api, const Route&, Call call) {
    return api.responses().answer(std::move(call), counts);
}

// A function of the gateway's that gives a body.
template <auto function>
net::Task<> body(Api& api, const Route& route, Call call) {
    if constexpr (std::is_same_v<decltype(function(api.gateway(), call)), Body>)
        co_await gateway::reply_json(call, route.errors, function(api.gateway(), call));
    else
        co_await gateway::reply_json(call, route.errors, co_await function(api.gateway(), call));
}

// One that answers by itself.
template <auto function>
net::Task<> whole(Api& api, const Route&, Call call) {
    return function(api.gateway(), std::move(call));
}

// A member of Api that gives a body.
template <auto member>
net::Task<> own(Api& api, const Route& route, Call call) {
    if constexpr (std::is_same_v<decltype((api.*member)(call)), Body>)
        co_await gateway::reply_json(call, route.errors, (api.*member)(call));
    else
        co_await gateway::reply_json(call, route.errors, co_await (api.*member)(call));
}

net::Task<> read_response(Api& api, const Route&, Call call) {
    return api.responses().read(std::move(call));
}

// Members of Responses and of Batches that give a body.
template <auto member>
net::Task<> of_responses(Api& api, const Route& route, Call call) {
    co_await gateway::reply_json(call, route.errors, co_await (api.responses().*member)(call));
}
template <auto member>
net::Task<> of_batches(Api& api, const Route& route, Call call) {
    co_await gateway::reply_json(call, route.errors, co_await (api.batches().*member)(call));
}

// A function that is given the index.
template <auto function>
net::Task<> of_index(Api& api, const Route& route, Call call) {
    co_await gateway::reply_json(call, route.errors,
                                 co_await function(api.find_index(), api.gateway().services(), call));
}
net::Task<> index_status(Api& api, const Route& route, Call call) {
    co_await gateway::reply_json(call, route.errors, show_index(api.find_index(), call));
}

net::Task<> plain(Call call, std::string_view type, std::string text) {
    net::Response response;
    response.headers.add("content-type", type);
    response.body = std::move(text);
    co_await call.exchange.reply(std::move(response));
}

net::Task<> lives(Api&, const Route&, Call call) {
    return plain(std::move(call), "application/json", R"({"status":"ok"})");
}
// Config read, ledger open, ports taken: all are before the first request is.
net::Task<> is_ready(Api&, const Route&, Call call) {
    return plain(std::move(call), "application/json", R"({"status":"ready"})");
}
net::Task<> greeting(Api&, const Route&, Call call) {
    return plain(std::move(call), "text/plain; charset=utf-8", "Tandem is running\n");
}
net::Task<> show_metrics(Api& api, const Route&, Call call) {
    auto text = api.metrics_text();
    return plain(std::move(call), Api::kMetricsType, std::move(text));
}
// In the format that was asked for, which need not be JSON.
net::Task<> show_cost(Api& api, const Route& route, Call call) {
    auto report = co_await api.cost(call);
    if (!report)
        co_await gateway::reply_json(call, route.errors, Body(fail(std::move(report.error()))));
    else
        co_await plain(std::move(call), report->type, std::move(report->body));
}
net::Task<> show_openapi(Api&, const Route&, Call call) {
    return plain(std::move(call), "application/json", openapi());
}

// ---- the table ----

using enum Scope;
constexpr auto kChat = Kind::openai_chat;
constexpr auto kResponses = Kind::openai_responses;
constexpr auto kAnthropic = Kind::anthropic;
constexpr auto kGemini = Kind::gemini;
constexpr auto kOllama = Kind::ollama;

constexpr Route kRoutes[] = {
    {"GET", "/", open, kOllama, "Say that the server runs", greeting},
    {"GET", "/healthz", open, kChat, "Say that the process lives", lives},
    {"GET", "/readyz", open, kChat, "Say that requests are taken", is_ready},
    // What checks of others ask: those of llama-server and vLLM, and LiteLLM's.
    {"GET", "/health", open, kChat, "As /readyz", is_ready},
    {"GET", "/health/liveliness", open, kChat, "As /healthz", lives},
    {"GET", "/health/liveness", open, kChat, "As /healthz", lives},
    {"GET", "/health/readiness", open, kChat, "As /readyz", is_ready},
    {"GET", "/metrics", metrics, kChat, "Metrics in Prometheus' format", show_metrics},

    {"POST", "/v1/chat/completions", client, kChat, "OpenAI Chat Completions", ask<kChat, Operation::chat>},
    {"POST", "/v1/completions", client, kChat, "OpenAI Completions", ask<kChat, Operation::completion>},
    {"POST", "/v1/embeddings", client, kChat, "OpenAI Embeddings", ask<kChat, Operation::embed>},
    {"POST", "/openai/deployments/{model}/chat/completions", client, kChat, "The same, as Azure's clients ask for it",
     ask<kChat, Operation::chat>},
    {"POST", "/openai/deployments/{model}/completions", client, kChat, "The same, as Azure's clients ask for it",
     ask<kChat, Operation::completion>},
    {"POST", "/openai/deployments/{model}/embeddings", client, kChat, "The same, as Azure's clients ask for it",
     ask<kChat, Operation::embed>},
    {"POST", "/v1/rerank", client, kChat, "Sort documents by a query", ask<kChat, Operation::rerank>},

    {"POST", "/v1/responses", client, kResponses, "OpenAI Responses", respond<false>},
    {"POST", "/v1/responses/input_tokens", client, kResponses, "Count a prompt's tokens", respond<true>},
    {"GET", "/v1/responses/{id}", client, kResponses, "A stored response, or its events again", read_response},
    {"DELETE", "/v1/responses/{id}", client, kResponses, "Delete a stored response",
     of_responses<&resources::Responses::remove>},
    {"POST", "/v1/responses/{id}/cancel", client, kResponses, "End a background response",
     of_responses<&resources::Responses::cancel>},
    {"GET", "/v1/responses/{id}/input_items", client, kResponses, "What a stored response was asked",
     of_responses<&resources::Responses::list_items>},

    {"POST", "/v1/conversations", client, kResponses, "Begin a conversation", body<resources::create_conversation>},
    {"GET", "/v1/conversations/{id}", client, kResponses, "A conversation", body<resources::read_conversation>},
    {"POST", "/v1/conversations/{id}", client, kResponses, "Change a conversation's metadata",
     body<resources::update_conversation>},
    {"DELETE", "/v1/conversations/{id}", client, kResponses, "Delete a conversation",
     body<resources::delete_conversation>},
    {"POST", "/v1/conversations/{id}/items", client, kResponses, "Add items to a conversation",
     body<resources::add_conversation_items>},
    {"GET", "/v1/conversations/{id}/items", client, kResponses, "A conversation's items",
     body<resources::list_conversation_items>},
    {"GET", "/v1/conversations/{id}/items/{item}", client, kResponses, "One item",
     body<resources::read_conversation_item>},
    {"DELETE", "/v1/conversations/{id}/items/{item}", client, kResponses, "Delete an item",
     body<resources::delete_conversation_item>},

    {"POST", "/v1/files", client, kChat, "Upload a file", body<resources::upload_file>},
    {"GET", "/v1/files", client, kChat, "The caller's files", body<resources::list_files>},
    {"GET", "/v1/files/{id}", client, kChat, "A file", body<resources::read_file_object>},
    {"DELETE", "/v1/files/{id}", client, kChat, "Delete a file", body<resources::delete_file>},
    {"GET", "/v1/files/{id}/content", client, kChat, "A file's bytes", whole<resources::read_file_content>},
    {"POST", "/v1/batches", client, kChat, "Begin a batch", of_batches<&resources::Batches::create>},
    {"GET", "/v1/batches", client, kChat, "The caller's batches", of_batches<&resources::Batches::list>},
    {"GET", "/v1/batches/{id}", client, kChat, "A batch", of_batches<&resources::Batches::read>},
    {"POST", "/v1/batches/{id}/cancel", client, kChat, "End a batch", of_batches<&resources::Batches::cancel>},

    {"POST", "/v1/messages", client, kAnthropic, "Anthropic Messages", ask<kAnthropic, Operation::chat>},
    {"POST", "/v1/messages/count_tokens", client, kAnthropic, "Count a prompt's tokens",
     ask<kAnthropic, Operation::count>},

    {"POST", "/v1beta/models/{model*}:generateContent", client, kGemini, "Gemini", ask<kGemini, Operation::chat>},
    {"POST", "/v1beta/models/{model*}:streamGenerateContent", client, kGemini, "Gemini, streamed",
     ask<kGemini, Operation::chat>},
    {"POST", "/v1beta/models/{model*}:countTokens", client, kGemini, "Count a prompt's tokens",
     ask<kGemini, Operation::count>},
    {"POST", "/v1beta/models/{model*}:embedContent", client, kGemini, "Gemini's embedding",
     ask<kGemini, Operation::embed>},
    {"POST", "/v1beta/models/{model*}:batchEmbedContents", client, kGemini, "Gemini's embeddings",
     ask<kGemini, Operation::embed>},
    {"POST", "/v1/models/{model*}:generateContent", client, kGemini, "Gemini", ask<kGemini, Operation::chat>},
    {"POST", "/v1/models/{model*}:streamGenerateContent", client, kGemini, "Gemini, streamed",
     ask<kGemini, Operation::chat>},
    {"POST", "/v1/models/{model*}:countTokens", client, kGemini, "Count a prompt's tokens",
     ask<kGemini, Operation::count>},
    {"POST", "/v1/models/{model*}:embedContent", client, kGemini, "Gemini's embedding", ask<kGemini, Operation::embed>},
    {"POST", "/v1/models/{model*}:batchEmbedContents", client, kGemini, "Gemini's embeddings",
     ask<kGemini, Operation::embed>},

    {"GET", "/v1/models", client, kChat, "The models that the caller may use", body<gateway::list_models>},
    {"GET", "/v1/models/{model*}", client, kChat, "One model", body<gateway::read_model>},
    {"GET", "/v1beta/models", client, kGemini, "The models, in Gemini's shape", body<gateway::list_models>},
    {"GET", "/v1beta/models/{model*}", client, kGemini, "One model, in Gemini's shape", body<gateway::read_model>},

    {"POST", "/api/chat", client, kOllama, "Ollama's chat", ask_or_load},
    {"POST", "/api/generate", client, kOllama, "Ollama's completion", ask_or_load},
    {"POST", "/api/embed", client, kOllama, "Ollama's embeddings", ask<kOllama, Operation::embed>},
    {"POST", "/api/embeddings", client, kOllama, "Ollama's embedding", ask<kOllama, Operation::embed>},
    {"GET", "/api/tags", client, kOllama, "The models, in Ollama's shape", body<gateway::list_tags>},
    {"GET", "/api/ps", client, kOllama, "The models that are loaded", body<gateway::list_running>},
    {"POST", "/api/show", client, kOllama, "One model, in Ollama's shape", body<gateway::show_model>},
    {"GET", "/api/version", client, kOllama, "The version of Ollama's API", body<gateway::ollama_version>},
    {"POST", "/api/pull", client, kOllama, "Say that a model is there", body<gateway::pull_model>},
    {"POST", "/api/create", client, kOllama, "Refused: the owner names the models", body<gateway::manage_models>},
    {"POST", "/api/copy", client, kOllama, "Refused: the owner names the models", body<gateway::manage_models>},
    {"POST", "/api/push", client, kOllama, "Refused: the owner names the models", body<gateway::manage_models>},
    {"DELETE", "/api/delete", client, kOllama, "Refused: the owner names the models", body<gateway::manage_models>},
    {"POST", "/api/blobs/{digest}", client, kOllama, "Refused: the owner names the models",
     body<gateway::manage_models>},

    {"GET", "/tandem/v1/openapi.json", client, kChat, "This table, as OpenAPI", show_openapi},
    {"GET", "/tandem/v1/config", local, kChat, "The config in force, as it is written", own<&Api::config>},
    {"GET", "/tandem/v1/logs", owner, kChat, "The newest lines of the log", own<&Api::logs>},
    {"GET", "/tandem/v1/status", owner, kChat, "Providers, their health and limits", own<&Api::status>},
    {"GET", "/tandem/v1/cost", owner, kChat, "What was used and paid: by, since, until, format", show_cost},
    {"POST", "/tandem/v1/cost/recompute", owner, kChat, "Price attempts anew", own<&Api::recompute>},
    {"GET", "/tandem/v1/cost/local", owner, kChat, "What a month at home cost: month, against", body<local_cost>},
    {"GET", "/tandem/v1/cost/compare", owner, kChat, "What each set of models would cost: since, until, with",
     body<compare_costs>},
    {"GET", "/tandem/v1/advice", owner, kChat, "What would be better, and why: since, until, with, all",
     body<show_advice>},
    {"GET", "/tandem/v1/advice/applied", owner, kChat, "What was applied, and what it promised", body<list_applied>},
    {"POST", "/tandem/v1/advice/applied", owner, kChat, "Note what is applied", body<note_applied>},
    {"POST", "/tandem/v1/advice/applied/{id}/undone", owner, kChat, "Note that it was taken back", body<note_undone>},
    {"GET", "/tandem/v1/cost/hours", owner, kChat, "The owner's hours of work", body<list_hours>},
    {"POST", "/tandem/v1/cost/hours", owner, kChat, "Note hours of work", body<add_hours>},
    {"DELETE", "/tandem/v1/cost/hours/{id}", owner, kChat, "Take out hours of work", body<remove_hours>},
    {"DELETE", "/tandem/v1/cost/hours/noticed/{id}", owner, kChat, "Forget what was noticed", body<dismiss_noticed>},
    {"GET", "/tandem/v1/decisions/{id}", client, kChat, "Why a request went where it went", own<&Api::decision>},
    {"POST", "/tandem/v1/decide", owner, kChat, "Where a request would go", own<&Api::decide>},
    {"POST", "/tandem/v1/feedback", client, kChat, "Say how an answer was", own<&Api::feedback>},
    {"GET", "/tandem/v1/learning", owner, kChat, "What was learned", own<&Api::learning>},
    {"DELETE", "/tandem/v1/learning", owner, kChat, "Forget what was learned", own<&Api::forget>},
    {"POST", "/tandem/v1/privacy/scan", client, kChat, "What the detectors see in a text", own<&Api::scan>},
    {"POST", "/tandem/v1/labels/release", admin, kChat, "Lower a conversation's label", own<&Api::release>},
    {"POST", "/tandem/v1/labels/forget", admin, kChat, "Forget the labels of a key", own<&Api::forget_labels>},
    {"GET", "/tandem/v1/keys", owner, kChat, "The keys, without their secrets", own<&Api::list_keys>},
    {"POST", "/tandem/v1/keys", admin, kChat, "Make a key", own<&Api::create_key>},
    {"POST", "/tandem/v1/keys/{name*}/rotate", admin, kChat, "Give a key a new secret", own<&Api::rotate_key>},
    {"DELETE", "/tandem/v1/keys/{name*}", admin, kChat, "Revoke a key", own<&Api::revoke_key>},
    {"GET", "/tandem/v1/experiments", owner, kChat, "The experiments", own<&Api::experiments>},
    {"POST", "/tandem/v1/experiments", owner, kChat, "Begin an experiment", own<&Api::experiments>},
    {"GET", "/tandem/v1/experiments/{name}", owner, kChat, "An experiment's report", own<&Api::experiments>},
    {"GET", "/tandem/v1/experiments/{name}/pairs", owner, kChat, "Answers to compare", own<&Api::experiments>},
    {"POST", "/tandem/v1/experiments/{name}/vote", owner, kChat, "Compare two answers", own<&Api::experiments>},
    {"POST", "/tandem/v1/experiments/{name}/stop", owner, kChat, "End an experiment", own<&Api::experiments>},
    {"POST", "/tandem/v1/experiments/{name}/apply", owner, kChat, "Take over an arm", own<&Api::experiments>},
    {"GET", "/tandem/v1/probes", owner, kChat, "What models really did", own<&Api::probes>},
    {"POST", "/tandem/v1/probes", owner, kChat, "Probe a model", own<&Api::probes>},
    {"GET", "/tandem/v1/probes/{model*}", owner, kChat, "What one model did", own<&Api::probes>},
    {"DELETE", "/tandem/v1/probes/{model*}", owner, kChat, "End a probe", own<&Api::probes>},
    {"GET", "/tandem/v1/search", client, kChat, "Search the files of collections: q, collection, limit, explain",
     of_index<search_files>},
    {"GET", "/tandem/v1/index", client, kChat, "The collections, and how far their index is", index_status},
    {"POST", "/tandem/v1/index", admin, kChat, "Add a collection", of_index<add_collection>},
    {"DELETE", "/tandem/v1/index/{name}", admin, kChat, "Remove a collection", of_index<remove_collection>},
    {"POST", "/tandem/v1/index/{name}/rebuild", admin, kChat, "Read a collection anew", of_index<rebuild_collection>},
    {"GET", "/tandem/v1/index/{name}/failures", client, kChat, "Files that are not found, and why",
     of_index<list_failures>},
    {"GET", "/tandem/v1/engines", owner, kChat, "The engines", own<&Api::engines>},
    {"GET", "/tandem/v1/engine-versions", owner, kChat, "Versions of llama-server", own<&Api::engine_versions>},
    {"POST", "/tandem/v1/engine-versions/upgrade", local, kChat, "Take another llama-server",
     own<&Api::upgrade_engine>},
    {"POST", "/tandem/v1/engine-versions/rollback", local, kChat, "Go back to the one before",
     own<&Api::rollback_engine>},
    {"POST", "/tandem/v1/engines/{model*}/start", owner, kChat, "Start an engine", own<&Api::start_engine>},
    {"POST", "/tandem/v1/engines/{model*}/stop", owner, kChat, "Stop an engine", own<&Api::stop_engine>},
};

// ---- matching ----

// Whether `path` is what `pattern` says; what stands at its parameters goes into `parts`.
bool fits(std::string_view pattern, std::string_view path, std::vector<std::string>& parts) {
    while (true) {
        const auto open = pattern.find('{');
        if (open == std::string_view::npos) return path == pattern;
        if (!path.starts_with(pattern.substr(0, open))) return false;
        path.remove_prefix(open);
        const auto close = pattern.find('}', open);
        const bool rest = pattern[close - 1] == '*';
        pattern.remove_prefix(close + 1);
        auto end = path.size();
        if (rest) {
            // The last parameter of its pattern: what follows it stands at the end of the path.
            if (!path.ends_with(pattern)) return false;
            end -= pattern.size();
        } else {
            end = std::min(path.find('/'), path.size());
        }
        if (end == 0) return false;
        parts.emplace_back(path.substr(0, end));
        path.remove_prefix(end);
    }
}

Kind errors_below(std::string_view path) {
    constexpr std::array<std::pair<std::string_view, Kind>, 6> kPrefixes = {{{"/v1/messages", kAnthropic},
                                                                             {"/v1/responses", kResponses},
                                                                             {"/v1/conversations", kResponses},
                                                                             {"/v1beta/", kGemini},
                                                                             {"/upload/v1beta/", kGemini},
                                                                             {"/api/", kOllama}}};
    for (const auto& [prefix, kind] : kPrefixes)
        if (path.starts_with(prefix)) return kind;
    return kChat;
}

}  // namespace

std::span<const Route> routes() {
    return kRoutes;
}

namespace {

// Each slash once, and none at the end.
std::string single_slashes(std::string_view path) {
    std::string plain;
    for (const char c : path)
        if (c != '/' || !plain.ends_with('/')) plain += c;
    while (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
    return plain;
}

// The first route of a path and method is the one that is meant: fixed paths stand before open ones.
bool find_route(std::string_view method, std::string_view path, Match& found) {
    for (const auto& route : kRoutes) {
        found.parts.clear();
        if (route.method != method || !fits(route.path, path, found.parts)) continue;
        found.route = &route;
        found.errors = route.errors;
        return true;
    }
    return false;
}

// Where Google's API for clouds names a model: below a project, a place and a publisher.
std::string below_publisher(const std::string& plain) {
    const auto publisher = plain.find("/publishers/");
    const auto models = publisher == std::string::npos ? publisher : plain.find("/models/", publisher);
    return models == std::string::npos ? std::string() : "/v1beta" + plain.substr(models);
}

// What a client's path may mean, in the order in which that is tried.
std::vector<std::string> meanings_of(std::string_view path) {
    std::vector<std::string> list{single_slashes(path)};
    const std::string plain = list[0];
    if (auto model = below_publisher(plain); !model.empty()) list.push_back(std::move(model));
    for (const std::string_view version : {"/v1alpha/", "/v1beta1/"})
        if (plain.starts_with(version)) list.push_back("/v1beta/" + plain.substr(version.size()));
    // What a base URL may have too much: a version, or the name of an API.
    constexpr std::array<std::string_view, 6> kPrefixes = {"/v1beta/openai", "/v1beta", "/v1",
                                                           "/openai",        "/api",    "/anthropic"};
    for (const auto prefix : kPrefixes) {
        if (!plain.starts_with(prefix) || plain.substr(prefix.size(), 1) != "/") continue;
        const auto rest = plain.substr(prefix.size());
        if (prefix == "/v1beta" && rest.starts_with("/files")) continue;  // Google's, which are not OpenAI's
        list.push_back(rest);
        list.push_back("/v1" + rest);
    }
    list.push_back("/v1" + plain);
    return list;
}

// A base URL that is the whole address of a route already, behind which the client puts its path once more.
std::string second_half(const std::string& plain) {
    const auto is_route = [](const std::string& path) {
        return std::ranges::any_of(kRoutes, [&](const Route& route) { return route.path == path; });
    };
    for (auto at = plain.find('/', 1); at != std::string::npos; at = plain.find('/', at + 1)) {
        const auto first = plain.substr(0, at), rest = plain.substr(at);
        if (!is_route(first) && !is_route("/v1" + first)) continue;
        for (auto& one : {rest, "/v1" + rest})
            if (is_route(one)) return one;
    }
    return {};
}

// The path of the table that a client's must mean: one that takes its method, else any; empty where there is none.
std::string meant_path(std::string_view method, std::string_view path) {
    auto list = meanings_of(path);
    if (auto half = second_half(list[0]); !half.empty()) list.push_back(std::move(half));
    Match found;
    for (const auto& one : list)
        if (find_route(method, one, found)) return one;
    for (const auto& one : list)
        if (!methods_of(one).empty()) return one;
    return {};
}

}  // namespace

Match match(std::string_view method, std::string_view path) {
    const auto wanted = method == "HEAD" ? "GET" : method;
    Match found;
    found.path = path;
    if (find_route(wanted, path, found)) return found;
    if (auto meant = meant_path(wanted, path); !meant.empty()) found.path = std::move(meant);
    if (found.path != path && find_route(wanted, found.path, found)) return found;
    found.errors = errors_below(found.path);
    return found;
}

std::string methods_of(std::string_view path) {
    std::string methods;
    std::vector<std::string> parts;
    for (const auto& route : kRoutes) {
        if (!fits(route.path, path, parts) || methods.find(route.method) != std::string::npos) continue;
        if (!methods.empty()) methods += ", ";
        methods += route.method;
    }
    return methods;
}

std::string nearest_path(std::string_view path) {
    std::vector<std::string> paths;
    for (const auto& route : kRoutes) paths.emplace_back(route.path);
    return suggest(path, paths);
}

std::string openapi() {
    json::Writer out;
    out.begin_object().member("openapi", "3.1.0").key("info").begin_object().member("title", "Tandem");
    out.member("version", TANDEM_VERSION).end_object().key("paths").begin_object();
    for (const auto& route : kRoutes) {
        const auto* const first = std::ranges::find(kRoutes, route.path, &Route::path);
        if (first != &route) continue;  // its path stands already
        out.key(route.path).begin_object();
        for (const auto& one : kRoutes) {
            if (one.path != route.path) continue;
            out.key(lower(one.method)).begin_object().member("summary", one.summary);
            out.member("x-tandem-errors", name_of(one.errors)).key("security").begin_array();
            if (one.scope != open) out.begin_object().key("key").begin_array().end_array().end_object();
            out.end_array().member("x-tandem-scope", kScopeNames[static_cast<std::size_t>(one.scope)]);
            out.key("responses").begin_object().key("200").begin_object().member("description", "The answer");
            out.end_object().end_object().end_object();
        }
        out.end_object();
    }
    out.end_object().key("components").begin_object().key("securitySchemes").begin_object().key("key");
    out.begin_object().member("type", "http").member("scheme", "bearer").end_object();
    return out.end_object().end_object().end_object().take();
}

}  // namespace tandem::api
