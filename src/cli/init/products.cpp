#include "cli/init/products.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace tandem::cli {

using config::Capability;

namespace {

constexpr std::size_t kMostModels = 200;  // of one server

void add_capability(FoundModel& model, Capability capability) {
    model.capabilities.add(capability);
}

// Models that do other work by their names, where the server does not say.
void guess_work(FoundModel& model) {
    if (const auto work = other_work_in(model.name); work && !model.known) {
        model.known = true;
        model.capabilities = {};
        add_capability(model, *work);
    }
    if (model.parameters == 0) model.parameters = parameters_in(model.name);
}

// ---- what each product says of its models ----

// OpenAI's list: ids, and the context where vLLM, SGLang and their like say it.
std::vector<FoundModel> listed_models(const json::Value& root) {
    std::vector<FoundModel> list;
    for (const json::Value entry : root["data"].children()) {
        const auto id = entry["id"].string();
        if (!id || id->empty() || list.size() == kMostModels) continue;
        FoundModel model;
        model.name = std::string(*id);
        for (const auto* field : {"max_model_len", "context_length", "max_context_length"})
            if (const auto tokens = entry[field].integer(); tokens && *tokens > 0 && model.context_tokens == 0)
                model.context_tokens = *tokens;
        guess_work(model);
        list.push_back(std::move(model));
    }
    return list;
}

std::vector<FoundModel> lmstudio_models(const json::Value& root) {
    constexpr std::int64_t kUsualContext = 4096;  // of a model that LM Studio loads because it is asked for
    std::vector<FoundModel> list;
    for (const json::Value entry : root["data"].children()) {
        const auto id = entry["id"].string();
        if (!id || id->empty() || list.size() == kMostModels) continue;
        FoundModel model;
        model.name = std::string(*id);
        model.known = true;
        model.trained_tokens = entry["max_context_length"].integer().value_or(0);
        model.context_tokens = entry["loaded_context_length"].integer().value_or(0);
        if (model.context_tokens == 0 && model.trained_tokens > 0)
            model.context_tokens = std::min(kUsualContext, model.trained_tokens);
        const auto type = entry["type"].text();
        if (type == "embeddings") {
            add_capability(model, Capability::embeddings);
        } else {
            add_capability(model, Capability::json);
            if (type == "vlm") add_capability(model, Capability::vision);
            for (const json::Value can : entry["capabilities"].children())
                if (can.text() == "tool_use") add_capability(model, Capability::tools);
        }
        model.parameters = parameters_in(model.name);
        list.push_back(std::move(model));
    }
    return list;
}

std::vector<FoundModel> ollama_models(const json::Value& root) {
    std::vector<FoundModel> list;
    for (const json::Value entry : root["models"].children()) {
        const auto name = entry["name"].string() ? entry["name"].string() : entry["model"].string();
        if (!name || name->empty() || list.size() == kMostModels) continue;
        FoundModel model;
        model.name = std::string(*name);
        model.parameters = parameters_in(entry["details"]["parameter_size"].text());
        // Ollama's own cloud: the name is here, the model is not.
        model.elsewhere =
            entry["remote_host"].exists() || model.name.ends_with("-cloud") || model.name.ends_with(":cloud");
        guess_work(model);
        list.push_back(std::move(model));
    }
    return list;
}

void read_props(FoundModel& model, const json::Value& props, bool embeds) {
    model.context_tokens = props["default_generation_settings"]["n_ctx"].integer().value_or(0);
    if (embeds) {
        model.known = true;
        model.capabilities = {};
        add_capability(model, Capability::embeddings);
    }
    if (model.known) return;
    model.known = true;
    add_capability(model, Capability::json);
    const auto caps = props["chat_template_caps"]["supports_tools"].boolean();
    const bool tools = caps ? *caps : props["chat_template"].text().find("tools") != std::string_view::npos;
    if (tools) add_capability(model, Capability::tools);
    if (props["modalities"]["vision"].boolean().value_or(false)) add_capability(model, Capability::vision);
}

// ---- which product it is ----

bool has_list(const Answers& answers) {
    return answers[models].status == 200 && answers[models].json()["data"].is(json::Kind::array);
}

std::string_view owner_in(const Answers& answers) {
    for (const json::Value entry : answers[models].json()["data"].children()) return entry["owned_by"].text();
    return {};
}

}  // namespace

bool is_tandem(const Answers& answers) {
    // Others repeat the path in their errors.
    const bool says_so = answers[own].status == 200 && answers[own].json()["paths"]["/tandem/v1/status"].exists();
    return says_so || (has_list(answers) && owner_in(answers) == "tandem");
}

namespace {

// A gateway's list has what no machine at home runs.
bool names_cloud_models(const std::vector<FoundModel>& list) {
    return std::ranges::any_of(list, [](const FoundModel& model) {
        auto name = lower(model.name);
        if (const auto slash = name.rfind('/'); slash != std::string::npos) name = name.substr(slash + 1);
        return name.starts_with("claude-") || name.starts_with("gemini-") ||
               (name.starts_with("gpt-") && !name.starts_with("gpt-oss"));
    });
}

// Anthropic's list has no `object`; its entries say that they are models by `type`.
bool is_anthropic_list(const json::Value& list) {
    for (const json::Value entry : list["data"].children())
        return entry["type"].text() == "model" && !entry["object"].exists();
    return list["data"].is(json::Kind::array) && list["has_more"].exists() && !list["object"].exists();
}

// Whether the server speaks Anthropic's dialect: its list says so, or what a variable of Anthropic's names has the
// route.
bool speaks_anthropic(const FoundServer& server, const Answers& answers) {
    constexpr int kNoRoute = 404, kNoMethod = 405;
    if (is_anthropic_list(answers[models].json())) return true;
    const auto& asked = answers[native];
    return server.kind == "anthropic" && asked.is_json && asked.status != kNoRoute && asked.status != kNoMethod;
}

bool speaks_gemini(const FoundServer& server, const Answers& answers) {
    const auto& list = answers[native];
    return server.kind == "gemini" && list.status == 200 && list.json()["models"].is(json::Kind::array);
}

std::vector<FoundModel> gemini_models(const json::Value& root) {
    std::vector<FoundModel> list;
    for (const json::Value entry : root["models"].children()) {
        auto name = entry["name"].text();
        if (name.starts_with("models/")) name.remove_prefix(7);
        if (name.empty() || list.size() == kMostModels) continue;
        FoundModel model;
        model.name = std::string(name);
        model.context_tokens = entry["inputTokenLimit"].integer().value_or(0);
        guess_work(model);
        list.push_back(std::move(model));
    }
    return list;
}

void name_by_list(FoundServer& server, const Answers& answers, std::uint16_t port) {
    const auto owner = owner_in(answers);
    const auto says = lower(answers[version].body) + lower(answers[root].body.substr(0, 4096));
    const std::string_view dialect = speaks_anthropic(server, answers) ? "anthropic"
                                     : speaks_gemini(server, answers)  ? "gemini"
                                                                       : "openai";
    server.kind = dialect;
    if (dialect == "openai") server.base_url += "/v1";
    if (owner == "vllm") {
        server.product = "vLLM";
        server.id = "vllm";
    } else if (owner == "sglang") {
        server.product = "SGLang";
        server.id = "sglang";
    } else if (says.find("litellm") != std::string::npos) {
        server.product = "LiteLLM";
        server.id = "litellm";
        server.hands_on = true;
    } else if (says.find("localai") != std::string::npos) {
        server.product = "LocalAI";
        server.id = "localai";
    } else if (port == 1337 && (owner == "jan" || says.find("jan") != std::string::npos)) {
        server.product = "Jan";
        server.id = "jan";
    } else {
        server.product = dialect == "anthropic" ? "an Anthropic-compatible server"
                         : dialect == "gemini"  ? "a Gemini-compatible server"
                                                : "an OpenAI-compatible server";
        server.hands_on = names_cloud_models(server.models);
        server.id = fmt::format("{}-{}", server.hands_on ? "proxy" : "local", port);
    }
}

}  // namespace

// A port proves nothing; only answers that no other product gives do.
std::optional<FoundServer> recognise(const Answers& answers, FoundServer server, std::uint16_t port, bool named) {
    if (is_tandem(answers)) return {};
    const auto& listing = answers[models];
    if (answers[kobold].json()["result"].text() == "KoboldCpp") {
        server.product = "KoboldCpp";
        server.id = "koboldcpp";
        server.kind = "openai";
        server.base_url += "/v1";
        server.models = listed_models(listing.json());
        return server;
    }
    if (answers[props].json()["default_generation_settings"].is(json::Kind::object) ||
        (has_list(answers) && owner_in(answers) == "llamacpp")) {
        server.product = "llama-server";
        server.id = "llamacpp";
        server.kind = "llama-server";
        server.base_url += "/v1";
        server.models = listed_models(listing.json());
        return server;
    }
    const auto lm = answers[lmstudio].json();
    if (answers[lmstudio].status == 200 && lm["data"].is(json::Kind::array)) {
        server.product = "LM Studio";
        server.id = "lmstudio";
        server.kind = "openai";
        server.base_url += "/v1";
        server.models = lmstudio_models(lm);
        return server;
    }
    if (answers[tags].status == 200 && answers[tags].json()["models"].is(json::Kind::array)) {
        server.product = "Ollama";
        server.id = "ollama";
        server.kind = "ollama";
        server.models = ollama_models(answers[tags].json());
        return server;
    }
    if (answers[webui].status == 200 && answers[webui].json()["model_name"].string()) {
        // Its list has names of OpenAI's models that stand for whatever is loaded.
        server.product = "text-generation-webui";
        server.id = "textgen";
        server.kind = "openai";
        server.base_url += "/v1";
        FoundModel model;
        model.name = std::string(answers[webui].json()["model_name"].text());
        guess_work(model);
        if (!model.name.empty() && model.name != "None") server.models.push_back(std::move(model));
        return server;
    }
    const bool gemini = speaks_gemini(server, answers);
    if (has_list(answers) || gemini || (named && listing.status == 404 && speaks_anthropic(server, answers))) {
        server.models = gemini ? gemini_models(answers[native].json()) : listed_models(listing.json());
        name_by_list(server, answers, port);
        return server;
    }
    if (named && (listing.status == 401 || listing.status == 403) && listing.json()["error"].exists()) {
        name_by_list(server, answers, port);
        server.wants_key = true;
        return server;
    }
    return {};
}

std::string description_of(const Answers& answers) {
    const auto& listing = answers[models];
    if (is_tandem(answers)) return "this is a Tandem: it would ask itself";
    if (listing.status == 401 || listing.status == 403) return "it wants a key, and is no model server that is known";
    if (!listing.is_json) return "it is no model server: it answers with a page, not with JSON";
    return fmt::format("it is no model server that is known: /v1/models gives status {}", listing.status);
}

// ---- what its models are like ----

std::vector<Fetch> detail_questions(const FoundServer& server, const net::Fields& headers) {
    std::vector<Fetch> questions;
    const auto base = without_version(server.base_url);
    if (server.product == "Ollama") {
        for (const auto& model : server.models) {
            json::Writer body;
            body.begin_object().member("model", model.name).end_object();
            questions.push_back({base + "/api/show", headers, body.take()});
        }
        questions.push_back({base + "/api/ps", headers, {}});
    } else if (server.product == "llama-server") {
        // Answered with 501 where it was not started for embeddings, and no other is then.
        questions.push_back({base + "/v1/embeddings", headers, R"({"input":"a"})"});
    } else if (server.product == "KoboldCpp") {
        questions.push_back({base + "/api/extra/true_max_context_length", headers, {}});
    }
    return questions;
}

namespace {

// num_ctx among the parameters of a Modelfile, which stand in a text of lines.
std::int64_t num_ctx_in(std::string_view parameters) {
    constexpr std::string_view kName = "num_ctx";
    const auto at = parameters.find(kName);
    if (at == std::string_view::npos) return 0;
    auto rest = parameters.substr(at + kName.size());
    rest = rest.substr(0, rest.find('\n'));
    return whole_number(trim(rest)).value_or(0);
}

void read_show(FoundModel& model, const json::Value& show, std::int64_t usual) {
    constexpr std::int64_t kAffordable = 16'384;  // more takes gigabytes of memory, which are the owner's to give
    const json::Value info = show["model_info"];
    for (const json::Value member : info.children())
        if (member.key().ends_with(".context_length")) model.trained_tokens = member.integer().value_or(0);
    if (const auto count = info["general.parameter_count"].number(); count && *count > 0)
        model.parameters = *count / 1e9;
    if (show["remote_host"].exists() || show["remote_model"].exists()) model.elsewhere = true;
    const auto own = num_ctx_in(show["parameters"].text());
    model.context_tokens = own > 0 ? own : usual > 0 ? usual : kAffordable;
    if (model.elsewhere && model.trained_tokens > 0) model.context_tokens = model.trained_tokens;
    if (model.trained_tokens > 0) model.context_tokens = std::min(model.context_tokens, model.trained_tokens);
    const json::Value can = show["capabilities"];
    if (!can.is(json::Kind::array)) {  // before Ollama 0.6.4
        if (info["general.architecture"].text().find("bert") != std::string_view::npos) {
            model.known = true;
            model.capabilities = {};
            add_capability(model, Capability::embeddings);
        }
        return;
    }
    model.known = true;
    model.capabilities = {};
    for (const json::Value one : can.children()) {
        const auto name = one.text();
        if (name == "completion") add_capability(model, Capability::json);
        if (name == "tools") add_capability(model, Capability::tools);
        if (name == "vision") add_capability(model, Capability::vision);
        if (name == "thinking") add_capability(model, Capability::reasoning);
        if (name == "embedding") add_capability(model, Capability::embeddings);
    }
}

// Of a model that is loaded, Ollama says with how much context.
std::int64_t running_context(const json::Value& ps, std::string_view name) {
    for (const json::Value one : ps["models"].children())
        if (one["name"].text() == name) return one["context_length"].integer().value_or(0);
    return 0;
}

}  // namespace

void read_details(FoundServer& server, const Answers& answers, std::span<const Answer> details,
                  std::int64_t ollama_context) {
    if (server.product == "Ollama") {
        const auto ps = details.back().json();
        for (std::size_t i = 0; i < server.models.size(); ++i) {
            auto& model = server.models[i];
            const auto running = running_context(ps, model.name);
            read_show(model, details[i].json(), running > 0 ? running : ollama_context);
        }
    } else if (server.product == "llama-server") {
        const bool embeds = details[0].status == 200 && details[0].json()["data"].is(json::Kind::array);
        // In its router mode it has several, and says of none what it is like.
        if (server.models.size() == 1) read_props(server.models[0], answers[props].json(), embeds);
    } else if (server.product == "KoboldCpp") {
        for (auto& model : server.models)
            model.context_tokens = details[0].json()["value"].integer().value_or(model.context_tokens);
    }
    std::erase_if(server.models, [](const FoundModel& model) { return !is_plain_name(model.name); });
    for (const auto& model : server.models)
        if (is_no_chat_model(model.name)) server.left_out.push_back(model.name);
    std::erase_if(server.models, [](const FoundModel& model) { return is_no_chat_model(model.name); });
}

std::string without_version(std::string url) {
    if (url.ends_with("/v1")) url.resize(url.size() - 3);
    return url;
}

}  // namespace tandem::cli
