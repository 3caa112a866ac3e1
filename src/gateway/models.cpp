#include "gateway/models.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "dialect/anthropic.h"
#include "dialect/gemini.h"
#include "dialect/ollama.h"
#include "dialect/openai_chat.h"
#include "gateway/conversion.h"

namespace tandem::gateway {

namespace {

// What Ollama's clients expect of a version: those that look at it want a recent one.
constexpr std::string_view kOllamaVersion = "0.13.0";

bool key_may_use(const config::Key& key, const std::string& alias) {
    return key.aliases.empty() || std::ranges::find(key.aliases, alias) != key.aliases.end();
}

struct Listed {
    std::string id;
    std::vector<const routing::Table::Entry*> entries;  // the models that it stands for

    std::string owner() const { return entries.size() == 1 ? entries[0]->provider : "tandem"; }
    bool has(config::Capability capability) const {
        return std::ranges::any_of(entries, [&](const auto* e) {
            return e->capabilities
                       ? e->capabilities->has(capability)
                       : capability != config::Capability::embeddings && capability != config::Capability::rerank;
        });
    }
    // What really fits, whichever of them answers.
    std::int64_t context_tokens() const {
        std::int64_t least = 0;
        for (const auto* e : entries)
            if (e->context_tokens > 0) least = least == 0 ? e->context_tokens : std::min(least, e->context_tokens);
        return least;
    }
};

std::vector<Listed> listed(const Snapshot& snapshot, const config::Key& key) {
    std::vector<Listed> list;
    const auto& table = snapshot.table;
    for (const auto& name : routing::alias_names(table)) {
        if (!key_may_use(key, name)) continue;
        Listed entry{name, {}};
        const auto alias = std::ranges::find(table.aliases, name, &config::Alias::id);
        if (const auto* model = table.find(name)) {
            entry.entries.push_back(model);
        } else if (alias != table.aliases.end()) {
            for (const auto& model : alias->models) entry.entries.push_back(table.find(model));
        } else {
            for (const auto& model : table.models)
                if (name == "auto" || (name == "cloud") == (model.zone == Zone::cloud)) entry.entries.push_back(&model);
        }
        list.push_back(std::move(entry));
    }
    return list;
}

void write_details(json::Writer& out) {
    out.key("details").begin_object().member("parent_model", "").member("format", "gguf").member("family", "tandem");
    out.key("families").begin_array().value("tandem").end_array().member("parameter_size", "");
    out.member("quantization_level", "").end_object();
}

void write_tag(json::Writer& out, const Listed& model, std::int64_t now) {
    out.begin_object().member("name", model.id).member("model", model.id);
    out.member("modified_at", dialect::ollama::time_text(now))
        .member("size", 0)
        .member("digest", hex(sha256(model.id)));
    write_details(out);
    out.end_object();
}

std::string show(const Listed& model, std::int64_t now) {
    json::Writer out;
    out.begin_object().member("modelfile", "").member("parameters", "").member("template", "");
    write_details(out);
    out.key("model_info").begin_object().member("general.architecture", "tandem");
    if (const auto context = model.context_tokens(); context > 0) out.member("tandem.context_length", context);
    out.end_object().key("capabilities").begin_array();
    using config::Capability;
    if (model.has(Capability::chat)) out.value("completion");
    if (model.has(Capability::chat) && model.has(Capability::tools)) out.value("tools");
    if (model.has(Capability::chat) && model.has(Capability::vision)) out.value("vision");
    if (model.has(Capability::chat) && model.has(Capability::reasoning)) out.value("thinking");
    if (model.has(Capability::embeddings)) out.value("embedding");
    out.end_array().member("modified_at", dialect::ollama::time_text(now)).end_object();
    return out.take();
}

std::string running(const Services& services, const std::vector<Listed>& models, std::int64_t now) {
    json::Writer out;
    out.begin_object().key("models").begin_array();
    for (const auto& engine : services.engines.status()) {
        if (engine.state != "ready") continue;
        const auto found = std::ranges::find(models, engine.model, &Listed::id);
        if (found == models.end()) continue;
        out.begin_object().member("name", engine.model).member("model", engine.model).member("size", 0);
        out.member("digest", hex(sha256(engine.model)));
        write_details(out);
        out.member("expires_at", dialect::ollama::time_text(now + 900)).member("size_vram", 0);
        out.member("context_length", found->context_tokens()).end_object();
    }
    out.end_array().end_object();
    return out.take();
}

dialect::gemini::ListedModel in_gemini(const Listed& model) {
    return {model.id, model.context_tokens(), !model.has(config::Capability::chat)};
}

std::optional<std::string> body_of(const net::Request& request, const Services& services,
                                   const std::vector<Listed>& models, std::int64_t now, Error& error) {
    const auto& path = request.path;
    auto find = [&](std::string_view id) -> const Listed* {
        const auto found = std::ranges::find(models, id, &Listed::id);
        if (found != models.end()) return &*found;
        std::vector<std::string> names;
        for (const auto& model : models) names.push_back(model.id);
        error = {ErrorCode::not_found, fmt::format("there is no model '{}'{}", printable(id, 80), suggest(id, names)),
                 "model"};
        return nullptr;
    };
    // One path, three kinds of clients; each says by its headers which it is.
    const bool anthropic = request.headers.has("anthropic-version");
    const bool gemini = path.starts_with("/v1beta/") || request.headers.has("x-goog-api-key");
    namespace chat = dialect::openai_chat;
    const auto below = path.find("/models/");
    if (below != std::string::npos) {
        const auto* model = find(std::string_view(path).substr(below + 8));
        if (model == nullptr) return std::nullopt;
        if (gemini) return dialect::gemini::encode_model(in_gemini(*model));
        const chat::ListedModel one{model->id, model->owner()};
        return anthropic ? dialect::anthropic::encode_model(one) : chat::encode_model(one, now);
    }
    if (path.ends_with("/models") && gemini) {
        std::vector<dialect::gemini::ListedModel> list;
        for (const auto& model : models) list.push_back(in_gemini(model));
        return dialect::gemini::encode_models(list);
    }
    if (path.ends_with("/models")) {
        std::vector<chat::ListedModel> plain;
        for (const auto& model : models) plain.push_back({model.id, model.owner()});
        return anthropic ? dialect::anthropic::encode_models(plain) : chat::encode_models(plain, now);
    }
    if (path == "/api/version") return fmt::format("{{\"version\":\"{}\"}}", kOllamaVersion);
    if (path == "/api/ps") return running(services, models, now);
    if (path == "/api/tags") {
        json::Writer out;
        out.begin_object().key("models").begin_array();
        for (const auto& model : models) write_tag(out, model, now);
        out.end_array().end_object();
        return out.take();
    }
    // /api/show, whose request has the name in its body.
    json::Document document;
    if (auto ok = document.parse(request.body); !ok) {
        error = ok.error();
        return std::nullopt;
    }
    auto name = document.root()["model"].text();
    if (name.empty()) name = document.root()["name"].text();
    if (name.ends_with(":latest")) name.remove_suffix(7);
    const auto* model = find(name);
    if (model == nullptr) return std::nullopt;
    return show(*model, now);
}

}  // namespace

net::Task<bool> list_models(Gateway& gateway, net::Exchange& exchange, const Snapshot& snapshot,
                            const config::Key& key) {
    const auto& request = exchange.request();
    const auto& path = request.path;
    const bool reads = request.method == "GET" || request.method == "HEAD";
    const bool list = path == "/v1/models" || path.starts_with("/v1/models/") || path == "/v1beta/models" ||
                      path.starts_with("/v1beta/models/") || path == "/api/tags" || path == "/api/ps" ||
                      path == "/api/version";
    const bool show = path == "/api/show";
    if ((!list && !show) || front_of(path)) co_return false;
    if (show ? request.method != "POST" : !reads) {
        co_await exchange.reply(
            gateway.error(path, 405, {ErrorCode::method, fmt::format("{} takes {}", path, show ? "POST" : "GET")}));
        co_return true;
    }
    const auto now = gateway.services().unix_seconds();
    Error error;
    auto body = body_of(request, gateway.services(), listed(snapshot, key), now, error);
    net::Response response;
    if (body) {
        response.headers.add("content-type", "application/json");
        response.body = std::move(*body);
    } else {
        response = gateway.error(path, 0, error);
    }
    add_cors(snapshot, request.headers, response.headers);
    co_await exchange.reply(std::move(response));
    co_return true;
}

}  // namespace tandem::gateway
