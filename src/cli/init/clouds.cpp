#include "cli/init/clouds.h"

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
               {"ANTHROPIC_BASE_URL"},
               "claude-sonnet-4-5",
               "context: 200000, max_output: 64000, capabilities: [tools, vision, json, reasoning]"},
    KnownCloud{"gemini",
               {"GEMINI_API_KEY", "GOOGLE_API_KEY"},
               "gemini",
               "https://generativelanguage.googleapis.com",
               {"GOOGLE_GEMINI_BASE_URL", "GEMINI_BASE_URL"},
               "gemini-2.5-flash",
               "context: 1048576, max_output: 65536, capabilities: [tools, vision, json, reasoning]"},
    KnownCloud{"mistral", {"MISTRAL_API_KEY"}, "openai", "https://api.mistral.ai/v1", {}, "mistral-large-latest", ""},
    KnownCloud{"openrouter",
               {"OPENROUTER_API_KEY"},
               "openai",
               "https://openrouter.ai/api/v1",
               {},
               "openai/gpt-5.1",
               "context: 400000, max_output: 128000, capabilities: [tools, vision, json, reasoning]"},
    KnownCloud{"groq",
               {"GROQ_API_KEY"},
               "openai",
               "https://api.groq.com/openai/v1",
               {},
               "llama-3.3-70b-versatile",
               "context: 131072, max_output: 32768, capabilities: [tools, json]"},
    KnownCloud{"deepseek", {"DEEPSEEK_API_KEY"}, "openai", "https://api.deepseek.com/v1", {}, "deepseek-chat", ""},
};

}  // namespace

std::span<const KnownCloud> known_clouds() {
    return kClouds;
}

}  // namespace tandem::cli
