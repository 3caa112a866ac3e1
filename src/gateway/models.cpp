#include "gateway/models.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "config/names.h"
#include "dialect/anthropic.h"
#include "dialect/fields.h"
#include "dialect/gemini.h"
#include "dialect/ollama.h"
#include "dialect/openai_chat.h"
#include "routing/names.h"
#include "translate/conversion.h"

namespace tandem::gateway {

namespace {

// What Ollama's clients expect of a version: those that look at it want a recent one.
constexpr std::string_view kOllamaVersion = "0.13.0";

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
    // What all of them have; 0 where they differ, since a client that took the least would shorten what most can take.
    std::int64_t common(std::int64_t routing::Table::Entry::* size) const {
        const auto same = [&](const auto* e) { return e->*size == entries.front()->*size; };
        return !entries.empty() && std::ranges::all_of(entries, same) ? entries.front()->*size : 0;
    }
};

// A name as it is asked for, with the models that it stands for.
Listed as_listed(const routing::Table& table, const std::string& id, const std::string& means) {
    Listed entry{id, {}};
    const auto alias = std::ranges::find(table.aliases, means, &config::Alias::id);
    if (const auto* model = table.find(means)) {
        entry.entries.push_back(model);
    } else if (alias != table.aliases.end()) {
        for (const auto& model : alias->models) entry.entries.push_back(table.find(model));
    } else {
        for (const auto& model : table.models)
            if (!config::is_pattern(model.model) &&
                (means == "auto" || (means == "cloud") == (model.zone == Zone::cloud)))
                entry.entries.push_back(&model);
    }
    return entry;
}

// Patterns are not listed: no client could ask for one.
std::vector<Listed> listed(const Snapshot& snapshot, const access::Principal& who) {
    std::vector<Listed> list;
    const auto& table = snapshot.table;
    for (const auto& name : routing::alias_names(table))
        if (routing::may_use(who, table, name))
            if (const auto known = routing::named(table, name)) list.push_back(as_listed(table, name, known->means));
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

dialect::openai_chat::ListedModel in_openai(const Listed& model) {
    using Entry = routing::Table::Entry;
    return {model.id, model.owner(), model.common(&Entry::context_tokens), model.common(&Entry::max_output_tokens)};
}

// What the caller may use.
std::vector<Listed> listed(const Call& call) {
    return listed(*call.snapshot, call.who);
}

// One path, three kinds of clients; each says by its headers which it is.
bool asks_in_gemini(const Call& call) {
    return call.request().path.starts_with("/v1beta/") || call.request().headers.has("x-goog-api-key");
}
bool asks_in_anthropic(const Call& call) {
    return call.request().headers.has("anthropic-version");
}

Result<Listed> find(const Call& call, std::string_view id) {
    // As Gemini's lists name it.
    if (asks_in_gemini(call) && id.starts_with("models/")) id.remove_prefix(7);
    const auto models = listed(call);
    const auto found = std::ranges::find(models, id, &Listed::id);
    if (found != models.end()) return *found;
    // A name that a pattern stands for is not listed, and works all the same.
    const auto& table = call.snapshot->table;
    if (const auto known = routing::named(table, id); known && routing::may_use(call.who, table, id))
        return as_listed(table, std::string(id), known->means);
    std::vector<std::string> names;
    for (const auto& model : models) names.push_back(model.id);
    return fail(Fault::unknown_model, fmt::format("there is no model '{}'{}", printable(id, 80), suggest(id, names)),
                "model");
}

// The model that a body of Ollama's names. Errors: invalid, not_found.
Result<Listed> named_in_body(const Call& call) {
    json::Document document;
    if (auto ok = document.parse(call.request().body); !ok) return fail(ok.error());
    auto name = document.root()["model"].text();
    if (name.empty()) name = document.root()["name"].text();
    if (name.empty()) return fail(Fault::invalid_field, "model: expected the name of a model", "model");
    if (name.ends_with(":latest")) name.remove_suffix(7);
    return find(call, name);
}

}  // namespace

Result<std::string> list_models(Gateway& gateway, const Call& call) {
    if (asks_in_gemini(call)) {
        std::vector<dialect::gemini::ListedModel> list;
        for (const auto& model : listed(call)) list.push_back(in_gemini(model));
        return dialect::gemini::encode_models(list);
    }
    std::vector<dialect::openai_chat::ListedModel> plain;
    for (const auto& model : listed(call)) plain.push_back(in_openai(model));
    return asks_in_anthropic(call) ? dialect::anthropic::encode_models(plain)
                                   : dialect::openai_chat::encode_models(plain, gateway.services().unix_seconds());
}

Result<std::string> read_model(Gateway& gateway, const Call& call) {
    const auto model = find(call, call.parts[0]);
    if (!model) return fail(model.error());
    if (asks_in_gemini(call)) return dialect::gemini::encode_model(in_gemini(*model));
    const auto one = in_openai(*model);
    return asks_in_anthropic(call) ? dialect::anthropic::encode_model(one)
                                   : dialect::openai_chat::encode_model(one, gateway.services().unix_seconds());
}

Result<std::string> list_tags(Gateway& gateway, const Call& call) {
    const auto now = gateway.services().unix_seconds();
    json::Writer out;
    out.begin_object().key("models").begin_array();
    for (const auto& model : listed(call)) write_tag(out, model, now);
    out.end_array().end_object();
    return out.take();
}

Result<std::string> list_running(Gateway& gateway, const Call& call) {
    return running(gateway.services(), listed(call), gateway.services().unix_seconds());
}

Result<std::string> show_model(Gateway& gateway, const Call& call) {
    const auto model = named_in_body(call);
    if (!model) return fail(model.error());
    return show(*model, gateway.services().unix_seconds());
}

Result<std::string> pull_model(Gateway&, const Call& call) {
    const auto model = named_in_body(call);
    if (!model)
        return fail(model.error().code,
                    model.error().message + "; models are named in tandem.yaml, and none is pulled");
    return R"({"status":"success"})";
}

Result<std::string> manage_models(Gateway&, const Call&) {
    return fail(Fault::read_only_models,
                "models are named in tandem.yaml and kept by their providers: none is made, copied, pushed or deleted "
                "over this API");
}

bool is_load(const net::Request& request) {
    constexpr std::size_t kLargest = 4096;
    json::Document document;
    if (request.body.size() > kLargest || !document.parse(request.body)) return false;
    const auto root = document.root();
    const auto said = [&](const char* name) { return root[name].size() > 0 || !root[name].text().empty(); };
    if (!root.is(json::Kind::object)) return false;
    return request.path.ends_with("/generate")
               ? !said("prompt") && !said("images") && !said("suffix")
               : !said("messages") && (root["messages"].is(json::Kind::array) || !dialect::given(root["messages"]));
}

Result<std::string> load_model(Gateway& gateway, const Call& call) {
    const auto model = named_in_body(call);
    if (!model) return fail(model.error());
    json::Document document;
    if (auto ok = document.parse(call.request().body); !ok) return fail(ok.error());
    const auto keep = document.root()["keep_alive"].text();
    json::Writer out;
    out.begin_object().member("model", model->id);
    out.member("created_at", dialect::ollama::time_text(gateway.services().unix_seconds()));
    if (call.request().path.ends_with("/generate"))
        out.member("response", "");
    else
        out.key("message").begin_object().member("role", "assistant").member("content", "").end_object();
    out.member("done", true).member("done_reason", keep == "0" || keep == "0s" ? "unload" : "load").end_object();
    return out.take();
}

Result<std::string> ollama_version(Gateway&, const Call&) {
    return fmt::format("{{\"version\":\"{}\"}}", kOllamaVersion);
}

}  // namespace tandem::gateway
