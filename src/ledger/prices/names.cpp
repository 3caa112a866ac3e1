#include "ledger/prices/names.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "ledger/prices/reading.h"

namespace tandem::prices {

namespace {

// Spellings, letters and digits only, and the book's id.
constexpr std::array<std::pair<std::string_view, std::string_view>, 62> kProviders = {{
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
}};

constexpr std::array<std::string_view, 12> kRegions = {"us.", "eu.", "apac.", "global.", "us-gov.", "au.",
                                                       "jp.", "ca.", "sa.",   "ap.",     "uk.",     "me."};

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

std::string provider_in(std::string_view model) {
    const auto slash = model.find('/');
    if (slash == std::string_view::npos) return {};
    const auto id = provider_id(model.substr(0, slash));
    const bool known = std::ranges::find(kProviders, std::string_view(id),
                                         &std::pair<std::string_view, std::string_view>::second) != kProviders.end();
    return known ? id : std::string();
}

std::vector<std::string> model_forms(std::string_view model) {
    std::vector<std::string> forms;
    auto name = lower(trim(model.substr(0, 300)));
    add(forms, name);
    if (name.starts_with("ft:")) {  // ft:gpt-4o-mini-2024-07-18:owner::id
        add(forms, name.substr(0, name.find(':', 3)));
        return forms;
    }
    for (auto slash = name.find('/'); slash != std::string::npos; slash = name.find('/')) {
        name.erase(0, slash + 1);
        add(forms, name);
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
