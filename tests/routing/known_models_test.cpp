// Names as servers list them, and what is known of the models behind them.
#include "routing/known_models.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "routing/known_models_table.h"

namespace tandem::routing {
namespace {

enum class Where : std::uint8_t { local, cloud, file };
using enum Where;

Strength at(Where where, std::string_view name) {
    return strength_of({.name = std::string(name), .cloud = where == cloud, .engine = where == file});
}

struct Named {
    Where where;
    std::string_view name;
    std::string_view title;  // of the table
};

constexpr Named kNames[] = {
    // Ollama's library and its cloud
    {local, "qwen2.5:7b", "Qwen2.5, 7B"},
    {local, "qwen2.5:0.5b-instruct-q8_0", "Qwen2.5, 500M"},
    {local, "qwen2.5-coder:32b", "Qwen2.5 Coder 32B"},
    {local, "qwen2.5-coder", "Qwen2.5 Coder, 7B"},
    {local, "qwen2.5vl:7b", "Qwen2.5-VL, 7B"},
    {local, "qwen2-math:7b", "Qwen2.5 Math, 7B"},
    {local, "qwen:4b", "Qwen1.5, 4B"},
    {local, "qwen3", "Qwen3, 8B"},
    {local, "qwen3:30b-a3b-instruct-2507-q4_K_M", "Qwen3 30B-A3B"},
    {local, "qwen3:32b", "Qwen3 32B"},
    {local, "qwen3-coder", "Qwen3 Coder 30B-A3B"},
    {local, "qwen3-vl:8b", "Qwen3-VL, 8B"},
    {local, "qwen3.5:9b", "Qwen3.5, 9B"},
    {local, "qwq", "QwQ 32B"},
    {local, "llama3", "Llama 3, 8B"},
    {local, "llama3:70b", "Llama 3 70B"},
    {local, "llama3.1:8b-instruct-q4_K_M", "Llama 3.1, 8B"},
    {local, "llama3.2", "Llama 3.2, 3.2B"},
    {local, "llama3.2:1b", "Llama 3.2, 1B"},
    {local, "llama3.2-vision:11b", "Llama 3.2 11B Vision"},
    {local, "llama3.3", "Llama 3.3 70B"},
    {local, "llama2:13b", "Llama 2, 13B"},
    {local, "llama4:16x17b", "Llama 4 Scout"},
    {local, "codellama:13b", "Code Llama, 13B"},
    {local, "tinyllama", "TinyLlama, 1.1B"},
    {local, "gemma3:4b", "Gemma 3 4B"},
    {local, "gemma3:270m", "Gemma 3, 270M"},
    {local, "gemma3n:e4b", "Gemma 3n, 4B"},
    {local, "gemma2", "Gemma 2 9B"},
    {local, "gemma:2b", "Gemma, 2B"},
    {local, "gemma4:31b", "Gemma 4 31B"},
    {local, "phi4", "Phi-4"},
    {local, "phi4-mini", "Phi-4 mini"},
    {local, "phi3:mini", "Phi-3, 3.8B"},
    {local, "phi3.5", "Phi-3.5, 3.8B"},
    {local, "mistral", "Mistral 7B, 7.2B"},
    {local, "mistral:7b-instruct-v0.3-q4_K_M", "Mistral 7B, 7B"},
    {local, "mistral-nemo", "Mistral Nemo 12B"},
    {local, "mistral-small:24b", "Mistral Small 3"},
    {local, "mistral-large:123b", "Mistral Large 2"},
    {local, "mixtral:8x7b", "Mixtral 8x7B"},
    {local, "mixtral:8x22b", "Mixtral 8x22B"},
    {local, "ministral-3:8b", "Ministral 3, 8B"},
    {local, "devstral", "Devstral Small"},
    {local, "magistral:24b", "Magistral Small"},
    {local, "codestral", "Codestral"},
    {local, "deepseek-r1", "DeepSeek R1 distill, 8B"},
    {local, "deepseek-r1:7b", "DeepSeek R1 distill, 7B"},
    {local, "deepseek-r1:671b", "DeepSeek R1"},
    {local, "deepseek-coder-v2:16b", "DeepSeek Coder V2 Lite"},
    {cloud, "deepseek-v3.1:671b-cloud", "DeepSeek V3.1"},
    {local, "gpt-oss", "gpt-oss 20B"},
    {cloud, "gpt-oss:120b-cloud", "gpt-oss 120B"},
    {local, "smollm2:135m", "SmolLM2, 135M"},
    {local, "smollm:1.7b", "SmolLM, 1.7B"},
    {local, "granite3.3:8b", "Granite 3, 8B"},
    {local, "granite4:3b", "Granite 4, 3B"},
    {local, "command-r:35b", "Command R"},
    {local, "command-r-plus", "Command R+"},
    {local, "olmo2:13b", "OLMo 2 13B"},
    {local, "hermes3:8b", "Hermes 3, 8B"},
    {local, "yi:34b", "Yi 34B"},
    {local, "falcon3:7b", "Falcon 3, 7B"},
    {local, "falcon:40b", "Falcon, 40B"},
    {local, "llama-guard3:8b", "a guard model"},
    // Hugging Face's names: vLLM, LM Studio, llama-server, MLX
    {local, "Qwen/Qwen2.5-7B-Instruct-AWQ", "Qwen2.5, 7B"},
    {local, "Qwen/QwQ-32B", "QwQ 32B"},
    {local, "Qwen/Qwen3-235B-A22B-Thinking-2507-FP8", "Qwen3 235B-A22B Thinking 2507"},
    {local, "Qwen/Qwen3-Next-80B-A3B-Instruct", "Qwen3-Next 80B-A3B"},
    {local, "Qwen3-30B-A3B", "Qwen3 30B-A3B"},
    {local, "lmstudio-community/Qwen3-30B-A3B-Instruct-2507-MLX-4bit", "Qwen3 30B-A3B"},
    {local, "bartowski/Meta-Llama-3.1-8B-Instruct-GGUF:Q4_K_M", "Llama 3.1, 8B"},
    {local, "hf.co/unsloth/gemma-3-27b-it-GGUF:Q4_K_M", "Gemma 3 27B"},
    {local, "mlx-community/Llama-3.2-3B-Instruct-4bit", "Llama 3.2, 3B"},
    {local, "meta-llama/Llama-4-Scout-17B-16E-Instruct", "Llama 4 Scout"},
    {local, "NousResearch/Hermes-3-Llama-3.1-8B", "Hermes 3, 8B"},
    {local, "deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "DeepSeek R1 distill 70B"},
    {local, "deepseek-r1-0528-qwen3-8b", "DeepSeek R1 0528 Qwen3, 8B"},
    {local, "mistralai/Mistral-Small-3.2-24B-Instruct-2506", "Mistral Small 3"},
    {local, "mistralai/Devstral-Small-2507", "Devstral Small"},
    {local, "microsoft/Phi-4-mini-reasoning", "Phi-4 mini"},
    {local, "allenai/OLMo-2-1124-7B-Instruct", "OLMo 2, 7B"},
    {local, "allenai/OLMoE-1B-7B-0924-Instruct", "OLMoE 1B-7B"},
    {local, "nvidia/NVIDIA-Nemotron-Nano-9B-v2", "Nemotron Nano 9B v2"},
    {local, "CohereForAI/c4ai-command-r7b-12-2024", "Command R7B"},
    {local, "Qwen3.8-27B-Claude-Opus-Reasoning-Distilled-GGUF", "Qwen3.8 27B"},  // no Claude
    {file, "smollm2-135m-instruct-q4_1.gguf", "SmolLM2, 135M"},
    {file, "/srv/models/Qwen3-8B-Q4_K_M.gguf", "Qwen3, 8B"},
    {file, "gemma-3-1b-it-Q4_K_M.gguf", "Gemma 3 1B"},
    {file, "LFM2-1.2B-Q8_0.gguf", "LFM2, 1.2B"},
    {file, "Llama-3.3-70B-Instruct-Q4_K_M-00001-of-00002.gguf", "Llama 3.3 70B"},
    // OpenAI, Azure's deployments
    {cloud, "gpt-3.5-turbo-0125", "GPT-3.5 Turbo"},
    {cloud, "gpt-35-turbo-16k", "GPT-3.5 Turbo"},
    {cloud, "gpt-4-turbo-2024-04-09", "GPT-4 Turbo"},
    {cloud, "gpt-4o-2024-08-06", "GPT-4o"},
    {cloud, "prod-gpt4o-mini-eu", "GPT-4o mini"},
    {cloud, "chatgpt-4o-latest", "GPT-4o"},
    {cloud, "gpt-4.1-nano-2025-04-14", "GPT-4.1 nano"},
    {cloud, "gpt-41-mini", "GPT-4.1 mini"},
    {cloud, "o1-preview", "o1-preview"},
    {cloud, "o3", "o3"},
    {cloud, "openai/o4-mini-high", "o4-mini"},
    {cloud, "gpt-5", "GPT-5"},
    {cloud, "gpt-5-mini-2025-08-07", "GPT-5 mini"},
    {cloud, "gpt-5.1", "GPT-5.1"},
    {cloud, "gpt-5.1-codex-max", "GPT-5.1 Codex Max"},
    {cloud, "openai/gpt-5.6-terra:batch", "GPT-5.6 Terra"},
    {cloud, "gpt-6-astra", "GPT-6 Astra"},
    {cloud, "ft:gpt-4o-mini-2024-07-18:acme::9xYz1b", "GPT-4o mini"},
    // Anthropic, Bedrock, Vertex
    {cloud, "claude-3-haiku-20240307", "Claude 3 Haiku"},
    {cloud, "us.anthropic.claude-3-5-haiku-20241022-v1:0", "Claude 3.5 Haiku"},
    {cloud, "anthropic.claude-3-5-sonnet-20240620-v1:0", "Claude 3.5 Sonnet"},
    {cloud, "anthropic/claude-3.7-sonnet:thinking", "Claude 3.7 Sonnet"},
    {cloud, "claude-sonnet-4-20250514", "Claude Sonnet 4"},
    {cloud, "claude-opus-4-1@20250805", "Claude Opus 4.1"},
    {cloud, "anthropic/claude-sonnet-4.5", "Claude Sonnet 4.5"},
    {cloud, "claude-sonnet-4-5-20250929", "Claude Sonnet 4.5"},
    {cloud, "claude-haiku-4-5", "Claude Haiku 4.5"},
    {cloud, "claude-opus-4-6[1m]", "Claude Opus 4.6"},
    {cloud, "claude-opus-5-5", "Claude Opus 5.5"},
    {cloud, "us.meta.llama4-maverick-17b-instruct-v1:0", "Llama 4 Maverick"},
    {cloud, "amazon.nova-lite-v1:0", "Nova Lite"},
    {cloud, "us.deepseek.r1-v1:0", "DeepSeek R1"},
    // Google
    {cloud, "models/gemini-2.5-pro", "Gemini 2.5 Pro"},
    {cloud, "gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite"},
    {cloud, "google/gemini-2.0-flash-001", "Gemini 2.0 Flash"},
    {cloud, "gemini-1.5-flash-8b", "Gemini 1.5 Flash-8B"},
    {cloud, "gemini-3-pro-preview", "Gemini 3 Pro"},
    {cloud, "gemini-flash-latest", "Gemini Flash"},
    // OpenRouter, Fireworks, Together, Groq and the makers
    {cloud, "meta-llama/llama-3.3-70b-instruct:free", "Llama 3.3 70B"},
    {cloud, "llama-3.3-70b-versatile", "Llama 3.3 70B"},
    {cloud, "accounts/fireworks/models/llama-v3p1-405b-instruct", "Llama 3.1 405B"},
    {cloud, "accounts/fireworks/models/qwen2p5-coder-32b-instruct", "Qwen2.5 Coder 32B"},
    {cloud, "deepseek-chat", "DeepSeek chat"},
    {cloud, "deepseek/deepseek-chat-v3-0324:free", "DeepSeek V3 0324"},
    {cloud, "deepseek/deepseek-r1", "DeepSeek R1"},
    {cloud, "deepseek-ai/DeepSeek-V3.2-Exp", "DeepSeek V3.2"},
    {cloud, "deepseek-v4-flash", "DeepSeek V4 Flash"},
    {cloud, "qwen/qwen3-coder", "Qwen3 Coder 480B-A35B"},
    {cloud, "qwen/qwen3-235b-a22b-2507", "Qwen3 235B-A22B Instruct 2507"},
    {cloud, "qwen3-max", "Qwen3 Max"},
    {cloud, "mistral-large-latest", "Mistral Large"},
    {cloud, "mistral-small-latest", "Mistral Small 3"},
    {cloud, "devstral-medium-latest", "Devstral Medium"},
    {cloud, "x-ai/grok-4-fast:free", "Grok 4 Fast"},
    {cloud, "grok-3-mini-beta", "Grok 3 mini"},
    {cloud, "moonshotai/kimi-k2-thinking", "Kimi K2 Thinking"},
    {cloud, "accounts/fireworks/models/kimi-k2p5", "Kimi K2.5"},
    {cloud, "z-ai/glm-4.5-air:free", "GLM-4.5 Air"},
    {cloud, "glm-4.6", "GLM-4.6"},
    {cloud, "glm-4-plus", "GLM-4, 355B"},  // a cloud has the large one of a family
    {local, "glm4", "GLM-4, 9B"},
    {cloud, "qwen-vl-max", "Qwen2.5-VL, 72B"},
    {local, "qwen3-vl:30b", "Qwen3-VL 30B-A3B"},
    {cloud, "minimax/minimax-m2", "MiniMax M2"},
    {cloud, "perplexity/sonar-pro", "Sonar Pro"},
    {cloud, "command-a-03-2025", "Command A"},
};
static_assert(std::size(kNames) >= 120);

TEST(KnownModels, are_found_by_the_names_that_servers_list) {
    for (const auto& [where, name, title] : kNames) {
        const auto strength = at(where, name);
        EXPECT_EQ(strength.source, fmt::format("table of {}: {}", kTableDate, title)) << name;
        EXPECT_TRUE(strength.known) << name;
    }
}

// A row that no name reaches says nothing of any model.
TEST(KnownModels, are_all_reached_by_their_own_names) {
    std::set<std::string> titles;
    for (const auto models : {known::hosted_models(), known::open_models()})
        for (const auto& model : models) {
            bool reached = false;
            for (auto rest = model.patterns; !rest.empty();) {
                const auto pattern = rest.substr(0, rest.find('|'));
                rest.remove_prefix(std::min(pattern.size() + 1, rest.size()));
                auto name = std::string(pattern);
                if (model.billions > 0 && !model.any_size && parameters_in_name(name) == 0)
                    name += fmt::format("-{}b", model.billions);
                const auto source = at(cloud, name).source;
                reached = reached || source == fmt::format("table of {}: {}", kTableDate, model.title);
            }
            EXPECT_TRUE(reached) << model.title << " by " << model.patterns;
        }
    for (const auto& family : known::families()) {
        EXPECT_GT(family.home, 0) << family.title;
        EXPECT_TRUE(titles.insert(std::string(family.title)).second) << family.title << " stands twice";
    }
}

// Each is stronger than the one before it.
void expect_order(const std::vector<Named>& names) {
    for (std::size_t i = 1; i < names.size(); ++i) {
        const auto less = at(names[i - 1].where, names[i - 1].name), more = at(names[i].where, names[i].name);
        EXPECT_LT(less.ability, more.ability) << names[i - 1].name << " and " << names[i].name;
    }
}

TEST(KnownModels, of_a_family_are_stronger_the_larger_they_are) {
    expect_order({{file, "smollm2-135m-instruct-q4_1.gguf", ""},
                  {local, "qwen2.5:0.5b", ""},
                  {local, "qwen2.5:1.5b", ""},
                  {local, "qwen2.5:3b", ""},
                  {local, "qwen2.5:7b", ""},
                  {local, "qwen2.5:14b", ""},
                  {local, "qwen2.5:32b", ""},
                  {local, "qwen2.5:72b", ""},
                  {cloud, "claude-sonnet-4-5", ""}});
    expect_order({{local, "qwen3:0.6b", ""},
                  {local, "qwen3:1.7b", ""},
                  {local, "qwen3:4b", ""},
                  {local, "qwen3:8b", ""},
                  {local, "qwen3:14b", ""},
                  {local, "qwen3:32b", ""},
                  {cloud, "qwen3-235b-a22b-2507", ""},
                  {cloud, "qwen3-max", ""}});
    expect_order({{local, "gemma3:270m", ""},
                  {local, "gemma3:1b", ""},
                  {local, "gemma3:4b", ""},
                  {local, "gemma3:12b", ""},
                  {local, "gemma3:27b", ""},
                  {cloud, "gemini-2.5-flash-lite", ""},
                  {cloud, "gemini-2.5-flash", ""},
                  {cloud, "gemini-2.5-pro", ""},
                  {cloud, "gemini-3-pro-preview", ""}});
    expect_order({{local, "llama3.2:1b", ""},
                  {local, "llama3.2:3b", ""},
                  {local, "llama3.1:8b", ""},
                  {local, "llama3.1:70b", ""},
                  {local, "llama3.3:70b", ""},
                  {cloud, "gpt-5", ""}});
    expect_order({{local, "deepseek-r1:1.5b", ""},
                  {local, "deepseek-r1:7b", ""},
                  {local, "deepseek-r1:14b", ""},
                  {local, "deepseek-r1:32b", ""},
                  {local, "deepseek-r1:70b", ""},
                  {cloud, "deepseek-r1", ""}});
}

TEST(KnownModels, of_a_maker_are_stronger_when_full_than_mini_and_when_later) {
    expect_order({{cloud, "gpt-3.5-turbo", ""},
                  {cloud, "gpt-4o-mini", ""},
                  {cloud, "gpt-4o", ""},
                  {cloud, "gpt-4.1", ""},
                  {cloud, "gpt-5", ""}});
    expect_order({{cloud, "gpt-4.1-nano", ""}, {cloud, "gpt-4.1-mini", ""}, {cloud, "gpt-4.1", ""}});
    expect_order({{cloud, "gpt-5-nano", ""}, {cloud, "gpt-5-mini", ""}, {cloud, "gpt-5", ""}, {cloud, "gpt-5.1", ""}});
    expect_order({{cloud, "o1-mini", ""}, {cloud, "o1", ""}, {cloud, "o3", ""}});
    expect_order({{cloud, "claude-3-haiku-20240307", ""},
                  {cloud, "claude-3-5-haiku-latest", ""},
                  {cloud, "claude-3-5-sonnet-latest", ""},
                  {cloud, "claude-sonnet-4-0", ""},
                  {cloud, "claude-sonnet-4-5", ""},
                  {cloud, "claude-opus-4-5", ""},
                  {cloud, "claude-opus-5-5", ""}});
    expect_order({{cloud, "nova-micro", ""}, {cloud, "nova-lite", ""}, {cloud, "nova-pro", ""}});
    expect_order({{local, "llama2", ""}, {local, "llama3", ""}, {local, "llama3.1", ""}, {local, "qwen3:8b", ""}});
    expect_order({{local, "gpt-oss:20b", ""}, {local, "gpt-oss:120b", ""}, {cloud, "o3", ""}});
}

TEST(KnownModels, say_which_work_suits_them) {
    constexpr std::size_t kFacts = 2, kCode = 3, kReasoning = 4, kWriting = 6, kToolUse = 7;
    const auto coder = at(local, "qwen2.5-coder:7b"), plain = at(local, "qwen2.5:7b");
    EXPECT_GT(coder.ability + coder.by_kind[kCode], plain.ability + plain.by_kind[kCode]);
    EXPECT_LT(coder.ability + coder.by_kind[kWriting], plain.ability + plain.by_kind[kWriting]);
    EXPECT_GT(at(local, "deepseek-r1:14b").by_kind[kReasoning], 0);
    EXPECT_GT(at(local, "phi-4-mini-reasoning").by_kind[kReasoning], at(local, "phi4-mini").by_kind[kReasoning]);
    EXPECT_EQ(at(cloud, "grok-4-fast-non-reasoning").by_kind[kReasoning], 0);
    EXPECT_LT(at(local, "llama2:13b").by_kind[kToolUse], 0);
    EXPECT_GT(at(local, "qwen3:8b").by_kind[kToolUse], 0);
    EXPECT_LT(at(local, "phi4").by_kind[kFacts], 0);
    // What an owner calls a deployment is not what its model was trained on.
    EXPECT_EQ(at(cloud, "gpt-4o-base-for-code"), at(cloud, "gpt-4o"));
}

TEST(KnownModels, lose_a_little_to_two_bits_and_much_without_tuning) {
    const auto full = at(local, "llama3.1:8b-instruct-fp16"), four = at(local, "llama3.1:8b-instruct-q4_K_M");
    EXPECT_EQ(full.ability, four.ability);
    expect_order({{local, "llama3.1:8b-instruct-q2_K", ""},
                  {local, "llama3.1:8b-instruct-q3_K_M", ""},
                  {local, "llama3.1:8b-instruct-q4_K_M", ""}});
    EXPECT_NE(at(local, "llama3.1:8b-instruct-q2_K").source.find("less for q2_K"), std::string::npos);
    const auto told = strength_of({.name = "llama3.1:8b", .quantization = "Q2_K"});
    EXPECT_EQ(told.ability, at(local, "llama3.1:8b-instruct-q2_K").ability);
    expect_order({{local, "llama3.1:8b-text-q4_0", ""}, {local, "llama3.1:8b", ""}});
    expect_order({{local, "Qwen/Qwen2.5-7B", ""}, {local, "Qwen/Qwen2.5-7B-Instruct", ""}});
    expect_order({{local, "Qwen/Qwen3-8B-Base", ""}, {local, "Qwen/Qwen3-8B", ""}});
    expect_order({{local, "google/gemma-3-12b-pt", ""}, {local, "google/gemma-3-12b-it", ""}});
    EXPECT_EQ(at(local, "baidu/ERNIE-4.5-21B-A3B-PT").ability, at(local, "ERNIE-4.5-21B-A3B").ability);  // PyTorch
}

TEST(UnknownModels, are_strong_in_the_cloud_middling_at_a_server_and_weak_in_a_file) {
    const auto cloudy = at(cloud, "my-deployment"), server = at(local, "our-model"), weights = at(file, "model.gguf");
    EXPECT_EQ(cloudy.ability, 82);
    EXPECT_EQ(server.ability, 45);
    EXPECT_EQ(weights.ability, 20);
    for (const auto& guess : {cloudy, server, weights}) {
        EXPECT_FALSE(guess.known);
        EXPECT_EQ(guess.source.find("not known"), 0U);
    }
}

TEST(UnknownModels, are_known_by_their_size) {
    EXPECT_EQ(at(local, "acme-chat-7b").source, "7B by its name");
    EXPECT_TRUE(at(local, "acme-chat-7b").known);
    const auto measured = strength_of({.name = "model.gguf", .engine = true, .parameters = 134'515'008});
    EXPECT_EQ(measured.source, "135M by its file");
    EXPECT_NEAR(measured.ability, 8, 0.1);
    EXPECT_EQ(strength_of({.name = "main", .parameters = 70'600'000'000}).source, "70.6B by its server");
    expect_order({{local, "acme-7b", ""},
                  {local, "acme-14b", ""},
                  {local, "acme-70b", ""},
                  {cloud, "acme", ""},
                  {cloud, "claude-opus-4-5", ""}});
    // Between its total and its active parameters.
    expect_order({{local, "acme-3b", ""}, {local, "acme-30b-a3b", ""}, {local, "acme-30b", ""}});
}

TEST(UnknownModels, are_known_by_what_their_server_says_of_them) {
    const auto alias = strength_of({.name = "default", .parameters = 8'190'735'360, .family = "qwen3"});
    EXPECT_EQ(alias.source, "table of 2026-11: Qwen3, 8.19B");
    const auto other = strength_of({.name = "default", .parameters = 8'000'000'000, .family = "llama"});
    EXPECT_EQ(other.source, "8B by its server");  // an architecture that many others have
    // ollama/ollama#15679: packed weights are counted; simonw/llm-llama-server#2: an id is a path.
    EXPECT_EQ(strength_of({.name = "gemma4:26b-mxfp8", .parameters = 8'700'000'000}).source,
              at(local, "gemma4:26b").source);
    EXPECT_EQ(strength_of({.name = "/Users/x/Library/Caches/llama.cpp/unsloth_gemma-3-12b-it-qat-GGUF_gemma-3-12b-it-"
                                   "qat-Q4_K_M.gguf",
                           .parameters = 11'766'034'176})
                  .source,
              "table of 2026-11: Gemma 3 12B");
    // What is run here is counted in its own file.
    EXPECT_EQ(strength_of({.name = "acme-70b.gguf", .engine = true, .parameters = 8'000'000'000}).source,
              "8B by its file");
}

struct Sized {
    std::string_view name;
    double parameters = 0, active = 0;
};

TEST(ModelNames, tell_their_sizes) {
    constexpr Sized kSized[] = {{"qwen2.5:7b-instruct-q4_K_M", 7e9},
                                {"smollm2-135m-instruct-q4_1.gguf", 135e6},
                                {"135M", 135e6},
                                {"Qwen3-0.6B-Q8_0.gguf", 0.6e9},
                                {"qwen1p5-1p8b-chat", 1.8e9},
                                {"mixtral:8x7b", 46.7e9, 12.9e9},
                                {"Qwen3-30B-A3B", 30e9, 3e9},
                                {"gpt-oss-20b-a3.6b", 20e9, 3.6e9},
                                {"gemma3n:e2b", 2e9},
                                {"kimi-k2:1t-cloud", 1e12},
                                {"Meta-Llama-3.1-405B-Instruct-FP8", 405e9},
                                {"/models/70b/Llama-3.2-1B-Instruct.gguf", 1e9},
                                {"gemma-2-27b-it", 27e9},
                                {"codellama7b", 7e9},
                                {"Qwen2.5-7B-Instruct-1M", 7e9}};
    for (const auto& [name, parameters, active] : kSized) {
        EXPECT_NEAR(static_cast<double>(parameters_in_name(name)), parameters, parameters * 0.01) << name;
        EXPECT_NEAR(static_cast<double>(active_parameters_in_name(name)), active, active * 0.01) << name;
    }
}

TEST(ModelNames, have_dates_versions_contexts_and_bits_that_are_no_sizes) {
    for (const auto* name : {"gpt-4o-2024-08-06",
                             "claude-3-5-haiku-20241022-v1:0",
                             "gpt-3.5-turbo-16k",
                             "phi-3-mini-128k-instruct",
                             "mistral-instruct-v0.3",
                             "model-q4_0.gguf",
                             "model-4bit",
                             "model-mlx-8bit",
                             "model-2.4bpw",
                             "gemma-3n",
                             "claude-opus-4-6[1m]",
                             "text-embedding-3-small",
                             "model-w4a16",
                             "model-IQ3_M",
                             "model-00001-of-00003.gguf",
                             "local-gguf/sha256-74a4da8c9fdbcd15bd1f6",
                             "sha256-c67a1d54f8061b",
                             "model-9f7b",
                             "",
                             "b",
                             "7",
                             "0b",
                             "a3b",
                             "99999999999999999999b",
                             "-",
                             ":::",
                             "7billion",
                             "x7b7"})
        EXPECT_EQ(parameters_in_name(name), 0) << name;
}

TEST(ModelNames, tell_their_quantization_and_its_bits) {
    struct Quantized {
        std::string_view name, quantization;
        double bits;
    };
    constexpr Quantized kQuantized[] = {{"qwen2.5:7b-instruct-q4_K_M", "q4_K_M", 4},
                                        {"Qwen3-8B-IQ2_XXS.gguf", "IQ2_XXS", 2},
                                        {"llama-iq2_xs", "iq2_xs", 2},
                                        {"gemma-3-1b-it-UD-Q3_K_XL.gguf", "Q3_K_XL", 3},
                                        {"model_q8_0.gguf", "q8_0", 8},
                                        {"smollm2-135m-instruct-q4_1.gguf", "q4_1", 4},
                                        {"llama3.1:8b-instruct-fp16", "fp16", 16},
                                        {"Qwen2.5-7B-Instruct-AWQ", "AWQ", 4},
                                        {"Qwen3-8B-gptq-4bit", "gptq-4bit", 4},
                                        {"Qwen2.5-7B-Instruct-GPTQ-Int4", "GPTQ-Int4", 4},
                                        {"Qwen3-30B-A3B-MLX-4bit", "MLX-4bit", 4},
                                        {"Qwen3.5-0.8B-3bit", "3bit", 3},
                                        {"unsloth/llama-3-8b-bnb-4bit", "bnb-4bit", 4},
                                        {"qwen-exl2-2.4bpw", "exl2-2.4bpw", 2.4},
                                        {"Llama-3.3-70B-w4a16", "w4a16", 4},
                                        {"gpt-oss-20b-mxfp4.gguf", "mxfp4", 4},
                                        {"gemma4:26b-mxfp8", "mxfp8", 8},
                                        {"hf.co/x/Llama-3.1-8B-Lexi-GGUF:Q8", "Q8", 8},
                                        {"BTL-3-Compact-AVQ2.gguf", "", 0},
                                        {"qwen2.5:7b", "", 0},
                                        {"gpt-4o", "", 0},
                                        {"", "", 0}};
    for (const auto& [name, quantization, bits] : kQuantized) {
        EXPECT_EQ(quantization_in_name(name), quantization) << name;
        EXPECT_EQ(bits_of_quantization(quantization_in_name(name)), bits) << name;
    }
}

TEST(Embedders, are_told_from_models_that_answer) {
    for (const auto* name : {"nomic-embed-text:latest",
                             "mxbai-embed-large",
                             "all-minilm:l6-v2",
                             "bge-m3",
                             "BAAI/bge-large-en-v1.5",
                             "intfloat/multilingual-e5-large-instruct",
                             "gte-large",
                             "Alibaba-NLP/gte-Qwen2-7B-instruct",
                             "text-embedding-3-small",
                             "text-embedding-ada-002",
                             "voyage-3-large",
                             "snowflake-arctic-embed2",
                             "jina-embeddings-v3",
                             "qwen3-embedding:0.6b",
                             "embeddinggemma",
                             "granite-embedding:278m",
                             "paraphrase-multilingual",
                             "amazon.titan-embed-text-v2:0",
                             "gemini-embedding-001",
                             "mistral-embed",
                             "nvidia/nv-embed-v2"}) {
        EXPECT_TRUE(is_embedder(name)) << name;
        EXPECT_FALSE(is_reranker(name)) << name;
        EXPECT_EQ(at(local, name).ability, 0) << name;
    }
    for (const auto* name : {"bge-reranker-v2-m3", "jina-reranker-v2-base-multilingual", "rerank-v3.5", "rerank-2.5",
                             "Qwen3-Reranker-4B", "cross-encoder/ms-marco-MiniLM-L-6-v2", "mxbai-rerank-large"}) {
        EXPECT_TRUE(is_reranker(name)) << name;
        EXPECT_FALSE(is_embedder(name)) << name;
        EXPECT_EQ(at(local, name).ability, 0) << name;
    }
    for (const auto& [where, name, title] : kNames) {
        EXPECT_FALSE(is_embedder(name)) << name;
        EXPECT_FALSE(is_reranker(name)) << name;
    }
}

TEST(ModelNames, of_any_bytes_are_read) {
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
    for (const auto& name :
         {all, std::string(100'000, '7'), std::string(100'000, 'b'), std::string("///"), std::string("ft:"),
          std::string("ft::::"), std::string(1'000, '.') + "7b", std::string("q"), std::string("iq"),
          std::string("w4a"), std::string("8x"), std::string("7."), std::string("2p")}) {
        const auto strength = strength_of({.name = name, .parameters = -1, .quantization = name, .family = name});
        EXPECT_GE(strength.ability, 0);
        EXPECT_LE(strength.ability, 100);
        EXPECT_FALSE(strength.source.empty());
    }
}

}  // namespace
}  // namespace tandem::routing
