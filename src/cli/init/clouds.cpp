#include "cli/init/clouds.h"

#include <algorithm>
#include <array>

namespace tandem::cli {

namespace {

// Sources of contexts and limits: platform.openai.com/docs/models, docs.anthropic.com (models overview),
// ai.google.dev/gemini-api/docs/models, console.groq.com/docs/models.
constexpr std::array kClouds = {
    KnownCloud{"openai",
               {"OPENAI_API_KEY"},
               "openai",
               "https://api.openai.com/v1",
               {"OPENAI_BASE_URL", "OPENAI_API_BASE"},
               "gpt-5.1",
               "context: 400000, max_output: 128000, capabilities: [tools, vision, json, reasoning]"},
    KnownCloud{"anthropic",
               {"ANTHROPIC_API_KEY"},
               "anthropic",
               "https://api.anthropic.com",
               {"ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"},
               "claude-sonnet-4-5",
               "context: 200000, max_output: 64000, capabilities: [tools, vision, json, reasoning]"},
    KnownCloud{"gemini",
               {"GEMINI_API_KEY", "GOOGLE_API_KEY"},
               "gemini",
               "https://generativelanguage.googleapis.com",
               {"GOOGLE_GEMINI_BASE_URL", "GEMINI_BASE_URL"},
               "gemini-2.5-flash",
               "context: 1048576, max_output: 65536, capabilities: [tools, vision, json, reasoning]"},
    KnownCloud{"mistral",
               {"MISTRAL_API_KEY"},
               "openai",
               "https://api.mistral.ai/v1",
               {"MISTRAL_BASE_URL", "MISTRAL_API_BASE"},
               "mistral-large-latest",
               ""},
    KnownCloud{"openrouter",
               {"OPENROUTER_API_KEY"},
               "openai",
               "https://openrouter.ai/api/v1",
               {"OPENROUTER_BASE_URL", "OPENROUTER_API_BASE"},
               "openai/gpt-5.1",
               "context: 400000, max_output: 128000, capabilities: [tools, vision, json, reasoning]"},
    KnownCloud{"groq",
               {"GROQ_API_KEY"},
               "openai",
               "https://api.groq.com/openai/v1",
               {"GROQ_API_BASE", "GROQ_BASE_URL"},
               "llama-3.3-70b-versatile",
               "context: 131072, max_output: 32768, capabilities: [tools, json]"},
    KnownCloud{"deepseek",
               {"DEEPSEEK_API_KEY"},
               "openai",
               "https://api.deepseek.com/v1",
               {"DEEPSEEK_BASE_URL", "DEEPSEEK_API_BASE"},
               "deepseek-chat",
               ""},
};

// Models that people have behind a server of theirs. Of OpenAI's the sources are the pages above and LiteLLM's
// model_prices_and_context_window.json (1.80.11), whose limit of a prompt is the context less the longest answer.
struct Claims {
    std::string_view name, rest;
};
constexpr std::string_view kGpt5 =
    "context: 400000, max_output: 128000, capabilities: [tools, vision, json, reasoning]";
constexpr std::string_view kGpt5Chat =
    "context: 128000, max_output: 16384, capabilities: [tools, vision, json, reasoning]";
constexpr std::string_view kGpt41 = "context: 1047576, max_output: 32768, capabilities: [tools, vision, json]";
constexpr std::string_view kGpt4o = "context: 128000, max_output: 16384, capabilities: [tools, vision, json]";
constexpr std::string_view kGpt4 = "context: 128000, max_output: 4096, capabilities: [tools, vision, json]";
constexpr std::string_view kO3 = "context: 200000, max_output: 100000, capabilities: [tools, vision, json, reasoning]";
constexpr std::string_view kSonnet =
    "context: 200000, max_output: 64000, capabilities: [tools, vision, json, reasoning]";
constexpr std::string_view kGemini25 =
    "context: 1048576, max_output: 65536, capabilities: [tools, vision, json, reasoning]";
constexpr auto kClaims = std::to_array<Claims>({
    {"gpt-5", kGpt5},
    {"gpt-5-mini", kGpt5},
    {"gpt-5-nano", kGpt5},
    {"gpt-5-codex", kGpt5},
    {"gpt-5-pro", "context: 400000, max_output: 272000, capabilities: [tools, vision, json, reasoning]"},
    {"gpt-5-chat", kGpt5Chat},
    {"gpt-5-chat-latest", kGpt5Chat},
    {"gpt-5.1", kGpt5},
    {"gpt-5.1-codex", kGpt5},
    {"gpt-5.1-codex-max", kGpt5},
    {"gpt-5.1-codex-mini", kGpt5},
    {"gpt-5.1-chat-latest", kGpt5Chat},
    {"gpt-5.2", kGpt5},
    {"gpt-5.2-pro", kGpt5},
    {"gpt-5.2-codex", kGpt5},
    {"gpt-5.2-chat-latest", kGpt5Chat},
    {"codex-mini-latest", kO3},
    {"gpt-4.1", kGpt41},
    {"gpt-4.1-mini", kGpt41},
    {"gpt-4.1-nano", kGpt41},
    {"gpt-4o", kGpt4o},
    {"gpt-4o-mini", kGpt4o},
    {"chatgpt-4o-latest", "context: 128000, max_output: 16384, capabilities: [vision]"},
    {"gpt-4-turbo", kGpt4},
    {"gpt-4", "context: 8192, max_output: 4096, capabilities: [tools]"},
    {"gpt-3.5-turbo", "context: 16385, max_output: 4096, capabilities: [tools, json]"},
    {"o1", kO3},
    {"o1-pro", kO3},
    {"o3", kO3},
    {"o3-pro", kO3},
    {"o3-mini", "context: 200000, max_output: 100000, capabilities: [tools, json, reasoning]"},
    {"o4-mini", kO3},
    {"claude-sonnet-4", kSonnet},
    {"claude-sonnet-4-5", kSonnet},
    {"claude-haiku-4-5", kSonnet},
    {"gemini-2.5-pro", kGemini25},
    {"gemini-2.5-flash", kGemini25},
    {"llama-3.3-70b-versatile", "context: 131072, max_output: 32768, capabilities: [tools, json]"},
});

}  // namespace

std::span<const KnownCloud> known_clouds() {
    return kClouds;
}

std::string_view without_date(std::string_view name) {
    constexpr std::string_view kDigits = "0123456789";
    auto end = name.size();
    std::size_t digits = 0;
    for (; end > 0 && (kDigits.contains(name[end - 1]) || name[end - 1] == '-'); --end)
        if (name[end - 1] != '-' && ++digits == 8) break;
    if (digits != 8 || end < 2 || name[end - 2] != '-') return name;
    return name.substr(0, end - 2);
}

std::string_view known_claims(std::string_view name) {
    if (const auto slash = name.rfind('/'); slash != std::string_view::npos) name.remove_prefix(slash + 1);
    name = without_date(name);
    const auto* const found = std::ranges::find(kClaims, name, &Claims::name);
    return found == kClaims.end() ? std::string_view() : found->rest;
}

}  // namespace tandem::cli
