#include "ledger/prices/names.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "ledger/prices/reading.h"

namespace tandem::prices {

namespace {

// Spellings, letters and digits only, and the book's id.
constexpr std::array<std::pair<std::string_view, std::string_view>, 140> kProviders = {{
    {"openai", "openai"},
    {"openairesponses", "openai"},
    {"openaichat", "openai"},
    {"textcompletionopenai", "openai"},
    {"azure", "azure"},
    {"azureopenai", "azure"},
    {"azureai", "azure"},
    {"azureaifoundry", "azure"},
    {"azurefoundry", "azure"},
    {"microsoft", "azure"},
    {"azuretext", "azure"},
    {"microsoftfoundry", "azure"},
    {"anthropic", "anthropic"},
    {"claude", "anthropic"},
    {"google", "google"},
    {"gemini", "google"},
    {"googleai", "google"},
    {"googleaistudio", "google"},
    {"googlegemini", "google"},
    {"googlegenai", "google"},
    {"geminiapi", "google"},
    {"aistudio", "google"},
    {"googlegenerativeai", "google"},
    {"vertex", "vertex"},
    {"vertexai", "vertex"},
    {"googlevertex", "vertex"},
    {"googlevertexai", "vertex"},
    {"gcpvertexai", "vertex"},
    {"googlecloud", "vertex"},
    {"bedrock", "bedrock"},
    {"awsbedrock", "bedrock"},
    {"amazonbedrock", "bedrock"},
    {"aws", "bedrock"},
    {"amazon", "bedrock"},
    {"bedrockconverse", "bedrock"},
    {"bedrockruntime", "bedrock"},
    {"xai", "xai"},
    {"grok", "xai"},
    {"mistral", "mistral"},
    {"mistralai", "mistral"},
    {"deepseek", "deepseek"},
    {"deepseekai", "deepseek"},
    {"groq", "groq"},
    {"groqcloud", "groq"},
    {"cohere", "cohere"},
    {"coherechat", "cohere"},
    {"moonshot", "moonshot"},
    {"moonshotai", "moonshot"},
    {"kimi", "moonshot"},
    {"together", "together"},
    {"togetherai", "together"},
    {"fireworks", "fireworks"},
    {"fireworksai", "fireworks"},
    {"perplexity", "perplexity"},
    {"perplexityai", "perplexity"},
    {"pplx", "perplexity"},
    {"openrouter", "openrouter"},
    {"openrouterai", "openrouter"},
    {"ollama", "ollama"},
    {"llamacpp", "llama.cpp"},
    {"llamaserver", "llama.cpp"},
    {"ollamachat", "ollama"},
    {"googlegla", "google"},
    {"googlevertexanthropic", "vertex"},
    {"mistralapi", "mistral"},
    {"cerebras", "cerebras"},
    {"zai", "zai"},
    {"zhipuai", "zhipuai"},
    {"zhipu", "zhipuai"},
    {"bigmodel", "zhipuai"},
    {"voyageai", "voyageai"},
    {"voyage", "voyageai"},
    {"minimax", "minimax"},
    {"minimaxai", "minimax"},
    {"databricks", "databricks"},
    {"cloudflare", "cloudflare"},
    {"workersai", "cloudflare"},
    {"cloudflareworkersai", "cloudflare"},
    {"novita", "novita"},
    {"novitaai", "novita"},
    {"deepinfra", "deepinfra"},
    {"nebius", "nebius"},
    {"nebiusai", "nebius"},
    {"sambanova", "sambanova"},
    {"dashscope", "dashscope"},
    {"alibaba", "dashscope"},
    {"alibabacloud", "dashscope"},
    {"qwencloud", "dashscope"},
    {"hyperbolic", "hyperbolic"},
    {"nscale", "nscale"},
    {"ovhcloud", "ovhcloud"},
    {"ovh", "ovhcloud"},
    {"baseten", "baseten"},
    {"avian", "avian"},
    {"arcee", "arcee"},
    {"arceeai", "arcee"},
    {"githubcopilot", "github-copilot"},
    {"modal", "modal"},
    {"elevenlabs", "elevenlabs"},
    {"watsonx", "watsonx"},
    {"oci", "oci"},
    {"replicate", "replicate"},
    {"deepgram", "deepgram"},
    {"jinaai", "jina"},
    {"jina", "jina"},
    {"ai21", "ai21"},
    {"ai21chat", "ai21"},
    {"vercelaigateway", "vercel"},
    {"vercel", "vercel"},
    {"friendliai", "friendliai"},
    {"featherlessai", "featherless"},
    {"lambdaai", "lambda"},
    {"lambda", "lambda"},
    {"heroku", "heroku"},
    {"wandb", "wandb"},
    {"volcengine", "volcengine"},
    {"snowflake", "snowflake"},
    {"nvidianim", "nvidia"},
    {"nvidia", "nvidia"},
    {"anyscale", "anyscale"},
    {"stability", "stability"},
    {"assemblyai", "assemblyai"},
    {"crusoe", "crusoe"},
    {"gmi", "gmi"},
    {"publicai", "publicai"},
    {"morph", "morph"},
    {"inceptionlabs", "inception"},
    {"inception", "inception"},
    {"metallamaapi", "meta"},
    {"doubleword", "doubleword"},
    {"quicksilverpro", "quicksilverpro"},
    {"cursor", "cursor"},
    {"bedrockmantle", "bedrock"},
    {"copilot", "github-copilot"},
    {"gradientai", "gradient"},
    {"togethercomputer", "together"},
    {"siliconflow", "siliconflow"},
    {"vllm", "vllm"},
    {"lmstudio", "lmstudio"},
    {"sglang", "sglang"},
}};

constexpr std::array<std::string_view, 12> kRegions = {"us.", "eu.", "apac.", "global.", "us-gov.", "au.",
                                                       "jp.", "ca.", "sa.",   "ap.",     "uk.",     "me."};

// Makers as Bedrock's ids name them: "<maker>.<model>".
constexpr std::array<std::string_view, 18> kMakers = {
    "anthropic.", "amazon.", "meta.",   "cohere.",   "mistral.", "ai21.",   "deepseek.", "qwen.",       "openai.",
    "stability.", "writer.", "google.", "moonshot.", "minimax.", "nvidia.", "zai.",      "twelvelabs.", "luma."};

constexpr std::array<std::string_view, 17> kOpenWeights = {
    "gpt-oss",    "llama",        "qwen", "qwq",       "deepseek", "kimi-k", "glm-",    "gemma-",        "mixtral",
    "mistral-7b", "mistral-nemo", "phi-", "minimax-m", "nemotron", "olmo",   "granite", "devstral-small"};

bool is_bedrock_id(std::string_view name) {
    if (name.starts_with("arn:aws")) return name.find(":bedrock:") != std::string_view::npos;
    for (const auto region : kRegions)
        if (name.starts_with(region)) {
            name.remove_prefix(region.size());
            break;
        }
    return std::ranges::any_of(kMakers,
                               [&](auto maker) { return name.starts_with(maker) && name.size() > maker.size(); });
}

bool digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Without "-20250929", "-2025-09-29", "-latest", "-001" behind; empty where there is none of them.
std::string without_date(std::string_view name) {
    if (name.ends_with("-latest")) return std::string(name.substr(0, name.size() - 7));
    if (name.size() > 11) {
        const auto tail = name.substr(name.size() - 11);
        if (tail[0] == '-' && digits(tail.substr(1, 4)) && tail[5] == '-' && digits(tail.substr(6, 2)) &&
            tail[8] == '-' && digits(tail.substr(9)))
            return std::string(name.substr(0, name.size() - 11));
    }
    const auto dash = name.rfind('-');
    if (dash == std::string_view::npos || dash == 0) return {};
    const auto tail = name.substr(dash + 1);
    return digits(tail) && (tail.size() == 8 || tail.size() == 3) ? std::string(name.substr(0, dash)) : std::string();
}

void add(std::vector<std::string>& forms, std::string form) {
    if (!form.empty() && std::ranges::find(forms, form) == forms.end()) forms.push_back(std::move(form));
}

// What Bedrock puts around a name: "us." in front, the maker, "-v1:0" behind.
void add_bedrock_forms(std::vector<std::string>& forms, std::string name) {
    for (const auto region : kRegions)
        if (name.starts_with(region)) {
            name.erase(0, region.size());
            add(forms, name);
            break;
        }
    const auto colon = name.rfind(':');
    if (colon == std::string::npos || !digits(std::string_view(name).substr(colon + 1))) return;
    name.erase(colon);
    add(forms, name);
    const auto version = name.rfind("-v");
    if (version != std::string::npos && digits(std::string_view(name).substr(version + 2))) name.erase(version);
    add(forms, name);
    if (const auto dot = name.find('.'); dot != std::string::npos) add(forms, name.substr(dot + 1));
}

}  // namespace

std::string provider_id(std::string_view name) {
    std::string letters;
    for (const char c : lower(name.substr(0, 100)))
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) letters += c;
    const auto* const found =
        std::ranges::find(kProviders, std::string_view(letters), &std::pair<std::string_view, std::string_view>::first);
    if (found != kProviders.end()) return std::string(found->second);
    // "vertex_ai-anthropic_models", "azure_ai/...", "bedrock:us-east-1"
    for (const auto* start : {"vertexai", "azure", "bedrock"})
        if (letters.starts_with(start)) return provider_id(start);
    return lower(trim(name));
}

bool is_known_provider(std::string_view id) {
    return std::ranges::find(kProviders, id, &std::pair<std::string_view, std::string_view>::second) !=
           kProviders.end();
}

std::string provider_at(std::string_view host) {
    // Ends of names, a dot in front where anything may stand before it.
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 36> kHosts = {{
        {"api.openai.com", "openai"},
        {".openai.azure.com", "azure"},
        {".services.ai.azure.com", "azure"},
        {".cognitiveservices.azure.com", "azure"},
        {"api.anthropic.com", "anthropic"},
        {"generativelanguage.googleapis.com", "google"},
        {"aiplatform.googleapis.com", "vertex"},
        {".amazonaws.com", "bedrock"},
        {"api.x.ai", "xai"},
        {"api.mistral.ai", "mistral"},
        {"api.deepseek.com", "deepseek"},
        {"api.groq.com", "groq"},
        {"api.cohere.com", "cohere"},
        {"api.cohere.ai", "cohere"},
        {"api.moonshot.ai", "moonshot"},
        {"api.moonshot.cn", "moonshot"},
        {"api.together.xyz", "together"},
        {"api.together.ai", "together"},
        {"api.fireworks.ai", "fireworks"},
        {"api.perplexity.ai", "perplexity"},
        {"openrouter.ai", "openrouter"},
        {"api.cerebras.ai", "cerebras"},
        {"api.z.ai", "zai"},
        {"open.bigmodel.cn", "zhipuai"},
        {"api.voyageai.com", "voyageai"},
        {"api.minimax.io", "minimax"},
        {"api.novita.ai", "novita"},
        {"api.deepinfra.com", "deepinfra"},
        {".nebius.com", "nebius"},
        {"api.sambanova.ai", "sambanova"},
        {".aliyuncs.com", "dashscope"},
        {"api.hyperbolic.xyz", "hyperbolic"},
        {"inference.baseten.co", "baseten"},
        {"api.jina.ai", "jina"},
        {"api.githubcopilot.com", "github-copilot"},
        {"ai-gateway.vercel.sh", "vercel"},
    }};
    const auto name = lower(host.substr(0, 300));
    for (const auto& [end, id] : kHosts) {
        if (!name.ends_with(end)) continue;
        // "eu.api.openai.com" is of it too, "notapi.openai.com" is not.
        const bool whole = name.size() == end.size() || end.front() == '.' ||
                           name[name.size() - end.size() - 1] == '.' || name[name.size() - end.size() - 1] == '-';
        if (whole) return std::string(id);
    }
    return {};
}

std::string provider_in(std::string_view model) {
    const auto name = lower(trim(model.substr(0, 300)));
    if (name.ends_with(":free")) return "openrouter";
    std::string_view rest = name;
    for (const auto way : {"gateway/", "litellm_proxy/", "litellm/"})
        if (rest.starts_with(way)) rest.remove_prefix(std::string_view(way).size());
    if (is_bedrock_id(rest)) return "bedrock";
    const auto end = rest.find_first_of("/:");
    if (end == std::string_view::npos || rest.substr(0, end) == "ft") return {};
    const auto behind = rest.substr(end + 1);
    // "mistral:7b" and "qwen:latest" are Ollama's names with a tag.
    if (rest[end] == ':' && (behind.empty() || behind == "latest" || (behind[0] >= '0' && behind[0] <= '9'))) return {};
    auto id = provider_id(rest.substr(0, end));
    return is_known_provider(id) ? id : std::string();
}

bool has_open_weights(std::string_view model) {
    const auto name = lower(model.substr(0, 300));
    if (name.ends_with("deepseek-chat") || name.ends_with("deepseek-reasoner")) return false;  // names of its API alone
    return std::ranges::any_of(kOpenWeights, [&](auto part) { return name.find(part) != std::string::npos; });
}

std::vector<std::string> model_forms(std::string_view model) {
    std::vector<std::string> forms;
    auto name = lower(trim(model.substr(0, 300)));
    add(forms, name);
    if (const auto tuned = name.find("ft:");
        tuned != 0 && tuned != std::string::npos && (name[tuned - 1] == '/' || name[tuned - 1] == ':')) {
        name.erase(0, tuned);
        add(forms, name);
    }
    if (name.starts_with("ft:")) {  // ft:gpt-4o-mini-2024-07-18:owner::id
        add(forms, name.substr(0, name.find(':', 3)));
        return forms;
    }
    for (auto slash = name.find('/'); slash != std::string::npos; slash = name.find('/')) {
        name.erase(0, slash + 1);
        add(forms, name);
    }
    if (const auto colon = name.find(':'); colon != std::string::npos && !provider_in(name).empty() &&
                                           is_known_provider(provider_id(name.substr(0, colon)))) {
        name.erase(0, colon + 1);
        add(forms, name);
        for (auto slash = name.find('/'); slash != std::string::npos; slash = name.find('/')) {
            name.erase(0, slash + 1);
            add(forms, name);
        }
    }
    if (name.ends_with(":free")) return forms;
    for (std::size_t i = 0, count = forms.size(); i < count; ++i) add_bedrock_forms(forms, forms[i]);
    for (std::size_t i = 0, count = forms.size(); i < count; ++i)
        if (const auto mark = forms[i].find('@'); mark != std::string::npos) {
            auto dated = forms[i];
            dated[mark] = '-';
            add(forms, std::move(dated));
            add(forms, forms[i].substr(0, mark));
        }
    for (std::size_t i = 0, count = forms.size(); i < count; ++i) add(forms, without_date(forms[i]));
    for (std::size_t i = 0, count = forms.size(); i < count; ++i)
        if (const auto dated = forms[i]; dated.starts_with("gpt-35")) add(forms, "gpt-3.5" + dated.substr(6));
    return forms;
}

}  // namespace tandem::prices
