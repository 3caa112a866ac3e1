// What is published of well-known models. Looked up on 2026-11-26:
//   gpqa, mmlu_pro  the makers' own numbers, as collected at github.com/JonathanChavezTamales/llm-leaderboard (24a9ccf,
//                   2025-10-16), each there with its maker's page; mmlu_pro of models of 2023 and 2024 from the table
//                   of the dataset's card, huggingface.co/datasets/TIGER-Lab/MMLU-Pro (chain of thought)
//   live24, live26  github.com/LiveBench/livebench.github.io (4bf96c8, 2026-07-01), public/table_2024_11_25.csv and
//                   table_2026_01_08.csv; of several efforts that of "high", else the highest there is
//   aider           github.com/Aider-AI/aider, aider/website/_data/polyglot_leaderboard.yml, pass_rate_2
//   whatmodel       github.com/jakemanger/whatmodel, pages/model/*.md, 2026-10
// "Judgement" means: no score was found for the model; its neighbours in its maker's list say about where it stands.
#include "routing/known_models_table.h"

#include <array>

namespace tandem::routing::known {

namespace {

// Models whose weights are not published.
constexpr auto kHosted = std::to_array<Model>({
    // OpenAI. GPT-4 (0613) has GPQA 36, as a 7B of 2024, and writes and codes better than one: a judgement.
    {"gpt-3.5|gpt-35", "GPT-3.5 Turbo", {.gpqa = 31}, 0, kOld},
    {"gpt-4", "GPT-4", {}, 56, kOld},
    {"gpt-4-turbo|gpt-4-1106|gpt-4-0125", "GPT-4 Turbo", {.mmlu_pro = 62.6, .gpqa = 48}},
    {"gpt-4o|chatgpt-4o", "GPT-4o", {.mmlu_pro = 73, .gpqa = 54, .live24 = 55.3}},
    {"gpt-4o-mini|gpt-4omini", "GPT-4o mini", {.gpqa = 40, .live24 = 41.3}, 0, kTools},
    {"gpt-4.1|gpt-41", "GPT-4.1", {.gpqa = 66, .aider = 52.4}, 0, kTools | kObeys},
    {"gpt-4.1-mini|gpt-41-mini", "GPT-4.1 mini", {.gpqa = 65, .aider = 32.4}, 0, kTools},
    {"gpt-4.1-nano|gpt-41-nano", "GPT-4.1 nano", {.gpqa = 50, .aider = 8.9}},
    {"gpt-4.5", "GPT-4.5", {.gpqa = 70, .live24 = 68.9, .aider = 44.9}, 0, kWrites},
    {"o1", "o1", {.gpqa = 78, .live24 = 75.7, .aider = 61.7}, 0, kThinks},
    {"o1-mini", "o1-mini", {.gpqa = 60, .live24 = 57.8, .aider = 32.9}, 0, kThinks},
    {"o1-preview", "o1-preview", {.gpqa = 73}, 0, kThinks},
    {"o3", "o3", {.gpqa = 83, .aider = 79.6}, 0, kThinks},
    {"o3-mini", "o3-mini", {.gpqa = 77, .live24 = 70.0, .aider = 53.8}, 0, kThinks},
    {"o4-mini", "o4-mini", {.gpqa = 81, .aider = 72.0}, 0, kThinks},
    {"gpt-5", "GPT-5", {.gpqa = 86, .aider = 88}, 0, kTools},
    {"gpt-5-mini", "GPT-5 mini", {.gpqa = 82, .live26 = 65.9}, 0, kTools},
    {"gpt-5-nano", "GPT-5 nano", {.gpqa = 71, .live26 = 48.6}},
    {"gpt-5-chat", "GPT-5 chat", {}, 84, kWrites},             // judgement: GPT-5 without its thinking
    {"gpt-5-pro", "GPT-5 pro", {.live26 = 70.5}, 92, kTools},  // judgement: above GPT-5, which it is
    {"gpt-5.1", "GPT-5.1", {.gpqa = 88.1, .live26 = 72.0}, 0, kTools},
    {"gpt-5.1-codex", "GPT-5.1 Codex", {.live26 = 68.6}, 0, kTools | kCoder},
    {"gpt-5.1-codex-max", "GPT-5.1 Codex Max", {.live26 = 74.0}, 0, kTools | kCoder},
    {"gpt-5.1-codex-mini|codex-mini", "GPT-5.1 Codex mini", {.live26 = 60.4}, 0, kTools | kCoder},
    {"gpt-5.1-chat|gpt-5.2-chat", "GPT-5.1 chat", {}, 85, kWrites},  // judgement
    {"gpt-5.2", "GPT-5.2", {.live26 = 74.8}, 0, kTools},
    {"gpt-5.3", "GPT-5.3", {.live26 = 72.8}, 0, kTools},
    {"gpt-5.3-chat|gpt-5.3-instant", "GPT-5.3 instant", {.live26 = 60.0}, 0, kWrites},
    {"gpt-5.4", "GPT-5.4", {.live26 = 75.1}, 0, kTools},
    {"gpt-5.4-mini", "GPT-5.4 mini", {.live26 = 63.6}, 0, kTools},
    {"gpt-5.4-nano", "GPT-5.4 nano", {.live26 = 62.7}, 84, kTools},  // judgement: below the mini, without thinking 32
    {"gpt-5.5", "GPT-5.5", {.live26 = 76.2}, 0, kTools},
    {"gpt-5.6|gpt-5.6-sol", "GPT-5.6 Sol", {}, 94, kTools},  // judgement, with Terra and Luna below it
    {"gpt-5.6-terra", "GPT-5.6 Terra", {}, 90, kTools},
    {"gpt-5.6-luna", "GPT-5.6 Luna", {}, 87, kTools},
    {"gpt-6|gpt-6-astra", "GPT-6 Astra", {.whatmodel = 84.8}, 0, kTools},
    {"gpt-latest", "GPT", {}, 93, kTools},                               // judgement, as the newest
    {"gpt-mini-latest", "GPT mini", {}, 87, kTools},                     // judgement
    {"gpt-6-sol|gpt-6.1-sol|gpt-6.2-sol", "GPT-6 Sol", {}, 95, kTools},  // judgement: its maker puts it near Astra
    {"gpt-6-terra|gpt-6.1-terra", "GPT-6 Terra", {}, 92, kTools},        // judgement
    {"gpt-6-luna|gpt-6.1-luna", "GPT-6 Luna", {}, 88, kTools},           // judgement

    // Anthropic. Those from 3.7 on think where the client asks for it; their scores here are with thinking where there
    // are two. Claude 2 and Instant: judgement.
    {"claude", "Claude", {}, 88, kTools},
    {"claude-opus", "Claude Opus", {}, 93, kTools},
    {"claude-sonnet", "Claude Sonnet", {}, 91, kTools},
    {"claude-haiku", "Claude Haiku", {}, 86, kTools},
    {"claude-instant", "Claude Instant", {}, 40, kOld},
    {"claude-2", "Claude 2", {}, 52, kOld},
    {"claude-3-haiku", "Claude 3 Haiku", {.gpqa = 33}, 0, kTools},
    {"claude-3-sonnet", "Claude 3 Sonnet", {.mmlu_pro = 57.9, .gpqa = 40}},
    {"claude-3-opus", "Claude 3 Opus", {.mmlu_pro = 68, .gpqa = 50, .live24 = 49.2}, 0, kWrites},
    {"claude-3.5-haiku|claude-haiku-3.5",
     "Claude 3.5 Haiku",
     {.mmlu_pro = 65, .gpqa = 42, .live24 = 43.4, .aider = 28.0},
     0,
     kTools},
    {"claude-3.5-sonnet|claude-sonnet-3.5",
     "Claude 3.5 Sonnet",
     {.mmlu_pro = 78, .gpqa = 67, .live24 = 59.0, .aider = 51.6},
     0,
     kTools | kWrites},
    {"claude-3.7-sonnet|claude-sonnet-3.7", "Claude 3.7 Sonnet", {.live24 = 65.6, .aider = 60.4}, 0, kTools},
    {"claude-sonnet-4|claude-4-sonnet", "Claude Sonnet 4", {.gpqa = 75, .live26 = 61.3}, 0, kTools},
    {"claude-opus-4|claude-4-opus", "Claude Opus 4", {.gpqa = 80, .live26 = 61.8}, 0, kTools},
    {"claude-opus-4.1|claude-4.1-opus", "Claude Opus 4.1", {.gpqa = 81, .live26 = 61.8}, 0, kTools},
    {"claude-haiku-4.5|claude-4.5-haiku", "Claude Haiku 4.5", {.gpqa = 73, .live26 = 61.3}, 0, kTools},
    {"claude-sonnet-4.5|claude-4.5-sonnet", "Claude Sonnet 4.5", {.gpqa = 83, .live26 = 68.2}, 0, kTools},
    {"claude-opus-4.5|claude-4.5-opus", "Claude Opus 4.5", {.live26 = 76.0}, 0, kTools},
    {"claude-sonnet-4.6|claude-4.6-sonnet", "Claude Sonnet 4.6", {.live26 = 75.3}, 0, kTools},
    {"claude-opus-4.6|claude-4.6-opus", "Claude Opus 4.6", {.live26 = 76.3}, 0, kTools},
    {"claude-opus-4.7|claude-4.7-opus", "Claude Opus 4.7", {.live26 = 76.9}, 0, kTools},
    {"claude-opus-4.8|claude-4.8-opus", "Claude Opus 4.8", {.live26 = 77.2}, 0, kTools},
    {"claude-sonnet-5", "Claude Sonnet 5", {.live26 = 75.8, .whatmodel = 73.4}, 0, kTools},
    {"claude-fable-5|claude-fable", "Claude Fable 5", {.live26 = 75.5}, 0, kTools},
    {"claude-opus-5", "Claude Opus 5", {.whatmodel = 80.5}, 0, kTools},
    {"claude-haiku-5|claude-haiku-5.5", "Claude Haiku 5.5", {.whatmodel = 75.3}, 0, kTools},
    {"claude-sonnet-5.5", "Claude Sonnet 5.5", {.whatmodel = 81.7}, 0, kTools},
    {"claude-opus-5.5", "Claude Opus 5.5", {.whatmodel = 84.7}, 0, kTools},

    // Google. Names without a version are what its endpoints call the newest: judgement; so are those of 3.5 Flash-Lite
    // and later where no score is given.
    {"gemini", "Gemini", {}, 88, kTools},
    {"gemini-pro", "Gemini Pro", {}, 90, kTools},
    {"gemini-flash", "Gemini Flash", {}, 88, kTools},
    {"gemini-flash-lite", "Gemini Flash-Lite", {}, 82},
    {"gemini-1.0|gemini-1.0-pro", "Gemini 1.0 Pro", {.gpqa = 28}, 0, kOld},
    {"gemini-1.5-flash|gemini-flash-1.5", "Gemini 1.5 Flash", {.mmlu_pro = 67, .gpqa = 51}},
    {"gemini-1.5-flash-8b|gemini-flash-1.5-8b", "Gemini 1.5 Flash-8B", {.mmlu_pro = 59, .gpqa = 38}, 0, 0, 0, 0, true},
    {"gemini-1.5-pro|gemini-pro-1.5", "Gemini 1.5 Pro", {.mmlu_pro = 76, .gpqa = 59}},
    {"gemini-2.0-flash|gemini-2-flash", "Gemini 2.0 Flash", {.mmlu_pro = 76, .gpqa = 62, .live24 = 61.5}},
    {"gemini-2.0-flash-lite", "Gemini 2.0 Flash-Lite", {.mmlu_pro = 72, .gpqa = 52, .live24 = 54.3}},
    {"gemini-2.0-flash-thinking", "Gemini 2.0 Flash Thinking", {.gpqa = 74, .live24 = 66.9}, 0, kThinks},
    {"gemini-2.0-pro", "Gemini 2.0 Pro", {.live24 = 65.1, .aider = 35.6}},
    {"gemini-2.5-flash", "Gemini 2.5 Flash", {.gpqa = 83, .live26 = 53.1, .aider = 47.1}, 0, kTools},
    {"gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite", {.gpqa = 65, .live26 = 42.6, .aider = 27}},
    {"gemini-2.5-pro", "Gemini 2.5 Pro", {.gpqa = 84, .live26 = 58.3, .aider = 72.9}, 0, kTools},
    {"gemini-3-flash", "Gemini 3 Flash", {.live26 = 72.4}, 0, kTools},
    {"gemini-3|gemini-3-pro", "Gemini 3 Pro", {.gpqa = 91.9, .live26 = 73.4}, 0, kTools},
    {"gemini-3.1-flash-lite", "Gemini 3.1 Flash-Lite", {.live26 = 61.7}, 84},  // judgement: the middle of two efforts
    {"gemini-3.1|gemini-3.1-pro", "Gemini 3.1 Pro", {.live26 = 79.9}, 0, kTools},
    {"gemini-3.5-flash-lite", "Gemini 3.5 Flash-Lite", {}, 86},
    {"gemini-3.5-flash", "Gemini 3.5 Flash", {.live26 = 75.0}, 0, kTools},
    {"gemini-3.5|gemini-3.5-pro", "Gemini 3.5 Pro", {}, 94, kTools},
    {"gemini-3.6-flash|gemini-3.7-flash", "Gemini 3.7 Flash", {}, 92, kTools},

    // xAI. Grok 3 is scored without its thinking by Aider; 4.6 and 4.7: judgement.
    {"grok", "Grok", {}, 88, kTools},
    {"grok-1", "Grok 1", {}, 45, kOld},
    {"grok-2|grok-beta", "Grok 2", {.mmlu_pro = 76, .gpqa = 56, .live24 = 54.3}},
    {"grok-2-mini", "Grok 2 mini", {.mmlu_pro = 72, .gpqa = 51}},
    {"grok-3", "Grok 3", {.gpqa = 85, .aider = 53.3}},
    {"grok-3-mini", "Grok 3 mini", {.gpqa = 84, .aider = 34.7}},
    {"grok-4", "Grok 4", {.gpqa = 88, .live26 = 62.0}, 0, kThinks},
    {"grok-4-fast", "Grok 4 Fast", {.gpqa = 86, .live26 = 60.0}},
    {"grok-4.1|grok-4.1-fast", "Grok 4.1 Fast", {.live26 = 60.0}},
    {"grok-4-fast-non-reasoning|grok-4.1-fast-non-reasoning", "Grok 4 Fast without thinking", {.live26 = 33.4}},
    {"grok-4.20", "Grok 4.20", {.live26 = 68.0}},
    {"grok-4.20-non-reasoning|grok-4.20-beta-0309-non-reasoning", "Grok 4.20 without thinking", {.live26 = 39.7}},
    {"grok-4.3", "Grok 4.3", {.live26 = 66.7}},
    {"grok-4.6|grok-4.7", "Grok 4.7", {}, 91, kTools},
    {"grok-code-fast", "Grok Code Fast", {.live26 = 45.1}, 0, kCoder | kTools},
    {"grok-build", "Grok Build", {.live26 = 68.9}, 0, kCoder | kTools},

    // DeepSeek's API and others' without a version: judgement, as DeepSeek chat.
    {"deepseek", "DeepSeek", {}, 85, kTools},
});

// Models with open weights, and those that their makers host beside them.
constexpr auto kOpen = std::to_array<Model>({
    // OpenAI's open ones.
    {"gpt-oss", "gpt-oss 20B", {.gpqa = 72}, 0, kThinks | kTools | kKnowsLittle, 20.9, 3.6},
    {"gpt-oss", "gpt-oss 120B", {.gpqa = 80, .live26 = 46.1}, 0, kThinks | kTools | kKnowsLittle, 116.8, 5.1},

    // DeepSeek. Its API's names are of its newest small model (V4 Flash since 2026-07), chat without thinking:
    // judgement between V3.2 without (51.8) and V4 Flash with it (67.2).
    {"deepseek-chat", "DeepSeek chat", {}, 85, kTools},
    {"deepseek-reasoner", "DeepSeek reasoner", {}, 88, kThinks},
    {"deepseek-v2", "DeepSeek V2", {.mmlu_pro = 54.4}, 0, kOld, 236, 21},
    {"deepseek-v2.5", "DeepSeek V2.5", {.aider = 17.8}, 70},  // judgement: Aider's is of code alone
    {"deepseek-v3|deepseek-chat-v3", "DeepSeek V3", {.mmlu_pro = 76, .gpqa = 59, .live24 = 60.5, .aider = 48.4}},
    {"deepseek-v3-0324|deepseek-chat-v3-0324",
     "DeepSeek V3 0324",
     {.mmlu_pro = 81, .gpqa = 68, .live24 = 66.9, .aider = 55.1}},
    {"deepseek-v3.1|deepseek-chat-v3.1", "DeepSeek V3.1", {.mmlu_pro = 84, .gpqa = 75, .aider = 68}, 0, kTools},
    {"deepseek-v3.2", "DeepSeek V3.2", {.mmlu_pro = 85, .gpqa = 80, .live26 = 51.8}, 0, kTools},
    {"deepseek-v4|deepseek-v4-pro", "DeepSeek V4 Pro", {.live26 = 73.6}, 0, kTools},
    {"deepseek-v4-flash|deepseek-v4.1-flash", "DeepSeek V4 Flash", {.live26 = 67.2, .whatmodel = 72.4}, 0, kTools},
    {"deepseek-r1", "DeepSeek R1", {.live24 = 71.6, .aider = 56.9}, 0, kThinks, 671, 37},
    {"deepseek-r1-0528", "DeepSeek R1 0528", {.mmlu_pro = 85, .gpqa = 81, .aider = 71.4}, 0, kThinks, 671, 37},
    {"r1-1776", "R1 1776", {.live24 = 71.6}, 0, kThinks},
    {"deepseek-r1|deepseek-r1-distill-llama", "DeepSeek R1 distill 70B", {.live24 = 54.5}, 72, kThinks | kLoose, 70},
    {"deepseek-r1|deepseek-r1-distill-qwen", "DeepSeek R1 distill 32B", {.live24 = 45.6}, 0, kThinks | kLoose, 32},
    {"deepseek-coder-v2", "DeepSeek Coder V2", {}, 68, kCoder, 236, 21},       // judgement
    {"deepseek-coder-v2", "DeepSeek Coder V2 Lite", {}, 42, kCoder, 16, 2.4},  // judgement

    // Qwen. The family of 2.5 is the scale itself. Hosted tiers without a version are the newest: judgement. Qwen3 8B
    // stands beside Gemma 3 12B and Phi-4 14B in LiveBench as run by PowerInfer/SmallThinker's card (49.5, 44.5, 42.4).
    {"qwen-max", "Qwen Max", {.live24 = 62.3, .aider = 21.8}, 86},
    {"qwen2.5-max|qwen-max-2025", "Qwen2.5 Max", {.live24 = 62.3, .aider = 21.8}},
    {"qwen-plus", "Qwen Plus", {}, 84},
    {"qwen-turbo|qwen-flash", "Qwen Turbo", {}, 74},
    {"qwen2-72b", "Qwen2 72B", {.mmlu_pro = 64, .gpqa = 42}, 0, 0, 72},
    {"qwq|qwq-32b", "QwQ 32B", {.gpqa = 65, .live24 = 72.0, .aider = 20.9}, 0, kThinks, 32},
    {"qwq-32b-preview", "QwQ 32B preview", {.live24 = 40.2}, 0, kThinks | kLoose, 32},
    {"qwen2.5-coder", "Qwen2.5 Coder 32B", {.live24 = 46.2, .aider = 16.4}, 0, kCoder, 32},
    {"qwen3", "Qwen3 32B", {.live26 = 43.6, .aider = 45.8}, 0, kTools, 32},
    {"qwen3", "Qwen3 30B-A3B", {.live26 = 39.0}, 0, kTools, 30.5, 3.3},
    {"qwen3", "Qwen3 235B-A22B", {.aider = 61.3}, 80, kTools, 235, 22},
    {"qwen3-235b-a22b-2507|qwen3-235b-a22b-instruct",
     "Qwen3 235B-A22B Instruct 2507",
     {.mmlu_pro = 83, .gpqa = 78, .live26 = 48.8, .aider = 57},
     0,
     kTools,
     235,
     22},
    {"qwen3-235b-a22b-thinking",
     "Qwen3 235B-A22B Thinking 2507",
     {.mmlu_pro = 84, .gpqa = 81, .live26 = 53.0},
     0,
     kThinks,
     235,
     22},
    {"qwen3-vl", "Qwen3-VL 30B-A3B", {}, 58, kTools, 30.5, 3.3},  // judgement, as Qwen3
    {"qwen3-vl", "Qwen3-VL 235B-A22B", {}, 80, kTools, 235, 22},  // judgement, as Qwen3
    {"qwen3-next", "Qwen3-Next 80B-A3B", {.mmlu_pro = 81, .gpqa = 73, .live26 = 48.3}, 0, kTools, 80, 3},
    {"qwen3-max", "Qwen3 Max", {}, 87, kTools},                                  // judgement
    {"qwen3-coder", "Qwen3 Coder 480B-A35B", {}, 82, kCoder | kTools, 480, 35},  // judgement
    {"qwen3-coder", "Qwen3 Coder 30B-A3B", {}, 58, kCoder | kTools, 30.5, 3.3},  // judgement
    {"qwen3-coder-next", "Qwen3 Coder Next", {}, 72, kCoder | kTools},           // judgement
    {"qwen3-coder-plus", "Qwen3 Coder Plus", {}, 83, kCoder | kTools},           // judgement
    {"qwen3-coder-flash", "Qwen3 Coder Flash", {}, 66, kCoder | kTools},         // judgement
    {"qwen3.5-plus|qwen3.6-plus", "Qwen3.6 Plus", {.live26 = 70.9}, 0, kTools},
    {"qwen3.5-flash|qwen3.6-flash", "Qwen3.6 Flash", {.live26 = 60.4}, 0, kTools},
    {"qwen3.6|qwen3.5", "Qwen3.6 27B", {.live26 = 65.6}, 0, kTools, 27},
    {"qwen3.6|qwen3.5", "Qwen3.6 35B-A3B", {}, 70, kTools, 35, 3},  // judgement: SWE-bench 73.4, 75.0 of 27B
    {"qwen3.5", "Qwen3.5 122B-A10B", {}, 80, kTools, 122, 10},      // judgement
    {"qwen3.5", "Qwen3.5 397B-A17B", {}, 86, kTools, 397, 17},      // judgement
    {"qwen3.7-max", "Qwen3.7 Max", {.live26 = 74.3}, 0, kTools},
    {"qwen3.7-plus", "Qwen3.7 Plus", {}, 90, kTools},             // judgement
    {"qwen3.8-max|qwen3.8-2.4t", "Qwen3.8 Max", {}, 93, kTools},  // judgement
    {"qwen3.8-flash", "Qwen3.8 Flash", {}, 85, kTools},           // judgement
    {"qwen3.8", "Qwen3.8 27B", {}, 78, kTools, 27},               // judgement: above Qwen3.6 27B

    // Meta. Llama 3 and 3.1 70B are judgements: MMLU-Pro 55.4 and 66 put them below what people find in them; the order
    // of models in huggingface.co/spaces/ibm/benchbench puts 3.1 70B between Claude 3 Opus and Gemini 1.5 Flash, and 3
    // 70B
    // above Claude 3 Haiku and GPT-4. Guards answer "safe" or "unsafe", nothing else.
    {"llama-3", "Llama 3 70B", {.mmlu_pro = 55.4}, 58, kObeys, 70},
    {"llama-3.1", "Llama 3.1 70B", {.mmlu_pro = 66, .gpqa = 42, .live24 = 44.9}, 67, kObeys | kTools, 70},
    {"llama-3.1", "Llama 3.1 405B", {.mmlu_pro = 73, .gpqa = 51, .live24 = 52.4}, 0, kObeys | kTools, 405},
    {"llama-3.2", "Llama 3.2 11B Vision", {.gpqa = 33}, 0, kObeys, 11},
    {"llama-3.2", "Llama 3.2 90B Vision", {.gpqa = 47}, 0, kObeys, 90},
    {"llama-3.3", "Llama 3.3 70B", {.mmlu_pro = 69, .gpqa = 50, .live24 = 50.2}, 0, kObeys | kTools, 70},
    {"llama-4|llama-4-scout|llama-4-16x17b", "Llama 4 Scout", {.mmlu_pro = 74, .gpqa = 57}, 0, 0, 109, 17, true},
    {"llama-4-maverick|llama-4-128x17b",
     "Llama 4 Maverick",
     {.mmlu_pro = 80, .gpqa = 70, .aider = 15.6},
     0,
     0,
     402,
     17,
     true},
    {"muse-spark", "Muse Spark", {}, 91, kTools},  // judgement
    {"llama-guard|llama-guard-3|llama-guard-4|prompt-guard|shieldgemma|granite-guardian|granite3-guardian|wildguard|"
     "qwen3guard|gpt-oss-safeguard",
     "a guard model",
     {},
     4},

    // Google's open models.
    {"gemma-2", "Gemma 2 27B", {.live24 = 38.2}, 0, kOld, 27},
    {"gemma-2", "Gemma 2 9B", {.live24 = 28.7}, 44, kOld | kWrites, 9},  // judgement: human votes put it higher
    {"gemma-3", "Gemma 3 1B", {.mmlu_pro = 15, .gpqa = 19}, 0, kObeys, 1},
    {"gemma-3", "Gemma 3 4B", {.mmlu_pro = 44, .gpqa = 31}, 0, kObeys | kKnowsLittle, 4.3},
    {"gemma-3", "Gemma 3 12B", {.mmlu_pro = 61, .gpqa = 41}, 0, kObeys | kWrites, 12},
    {"gemma-3", "Gemma 3 27B", {.mmlu_pro = 68, .gpqa = 42, .live24 = 50.0}, 0, kObeys | kWrites, 27},
    {"gemma-4", "Gemma 4 31B", {.live26 = 61.6}, 0, kObeys | kTools, 31},
    {"gemma-4", "Gemma 4 26B-A4B", {}, 64, kObeys | kTools, 26, 4},  // judgement

    // Microsoft. Phi scores far above its use: SimpleQA 3, IFEval 63 of Phi-4.
    {"phi-3|phi-3.5", "Phi-3.5 MoE", {.mmlu_pro = 45, .gpqa = 37}, 0, kLoose | kKnowsLittle, 42, 6.6},
    {"phi-4", "Phi-4", {.mmlu_pro = 70, .gpqa = 56, .live24 = 41.6}, 0, kLoose | kKnowsLittle, 14},
    {"phi-4-reasoning", "Phi-4 reasoning", {.mmlu_pro = 74, .gpqa = 66}, 0, kThinks | kKnowsLittle, 14},
    {"phi-4-mini", "Phi-4 mini", {.mmlu_pro = 53, .gpqa = 25}, 0, kKnowsLittle, 3.8},

    // Mistral. "Latest" is Large 3, Medium 3, Small 3 or 4: judgement where no score is given.
    {"mistral-large", "Mistral Large", {}, 79, kTools},
    {"mistral-large", "Mistral Large 2", {.live24 = 48.4}, 0, kTools, 123},
    {"mistral-large-2402|mistral-large-2407|mistral-large-2411|mistral-large-2",
     "Mistral Large 2",
     {.live24 = 48.4},
     0,
     kTools},
    {"mistral-medium", "Mistral Medium", {}, 80, kTools},
    {"mistral-small", "Mistral Small 3", {.mmlu_pro = 67, .gpqa = 46, .live24 = 44.0}, 0, kTools, 24},
    {"mistral-small-4|mistral-small-2603", "Mistral Small 4 119B-A6.5B", {}, 72, kTools},
    {"magistral-medium", "Magistral Medium", {.gpqa = 71, .aider = 47}, 0, kThinks},
    // Judgement: GPQA 68 is of its thinking alone, and far above Mistral Small, which it is made of.
    {"magistral|magistral-small", "Magistral Small", {}, 66, kThinks, 24},
    {"codestral", "Codestral", {.aider = 11.1}, 0, kCoder, 22},
    {"devstral-medium|devstral", "Devstral Medium", {}, 74, kCoder | kTools},
    {"devstral|devstral-small", "Devstral Small", {}, 60, kCoder | kTools, 24},
    {"devstral|devstral-2|devstral-2512", "Devstral 2 123B", {.live26 = 41.2}, 0, kCoder | kTools, 123},
    {"mistral-nemo", "Mistral Nemo 12B", {}, 44, 0, 12},
    {"mistral-tiny", "Mistral Tiny", {}, 28, kOld},
    {"mixtral", "Mixtral 8x7B", {.mmlu_pro = 40.4}, 0, kOld, 46.7, 12.9},
    {"mixtral", "Mixtral 8x22B", {}, 50, kOld, 141, 39},
    {"pixtral-large", "Pixtral Large", {}, 70},

    // Amazon. Premier and Nova 2: judgement.
    {"nova-micro", "Nova Micro", {.gpqa = 40, .live24 = 29.6}},
    {"nova-lite", "Nova Lite", {.gpqa = 42, .live24 = 36.4}},
    {"nova-pro", "Nova Pro", {.gpqa = 47, .live24 = 43.5}},
    {"nova-premier", "Nova Premier", {}, 76},
    {"nova-2-lite", "Nova 2 Lite", {}, 80},
    {"nova-2-pro", "Nova 2 Pro", {}, 86},
    {"titan-text", "Titan Text", {}, 30, kOld},

    // Cohere. Command A: Aider 12.0 says little of it; judgement.
    {"command-r-plus", "Command R+", {.live24 = 31.8}, 0, kTools},
    {"command-r", "Command R", {.live24 = 27.5}, 0, kTools},
    {"command-r7b", "Command R7B", {}, 36, kTools},
    {"command-a", "Command A", {}, 70, kTools},

    // Moonshot, Z.ai, MiniMax and others of China's. Moonshot V1, K3, GLM 5.3, MiniMax before M2.5: judgement.
    {"kimi|kimi-latest", "Kimi", {}, 88, kTools},
    {"moonshot-v1", "Moonshot V1", {}, 60},
    {"kimi-k2", "Kimi K2", {.mmlu_pro = 81, .gpqa = 75, .live26 = 48.1, .aider = 60}, 0, kTools},
    {"kimi-k2-thinking", "Kimi K2 Thinking", {.live26 = 61.6}, 0, kThinks | kTools},
    {"kimi-k2.5", "Kimi K2.5", {.live26 = 69.1}, 0, kTools},
    {"kimi-k2.6", "Kimi K2.6", {.live26 = 72.2}, 0, kTools},
    {"kimi-k2.7", "Kimi K2.7", {.live26 = 71.9}, 0, kTools | kCoder},
    {"kimi-k3", "Kimi K3", {}, 93, kTools},
    {"glm-4-flash|glm-4-air|glm-4-airx", "GLM-4 Flash", {}, 52},  // judgement
    {"glm-4.5", "GLM-4.5", {.mmlu_pro = 85, .gpqa = 79}, 0, kTools},
    {"glm-4.5-air", "GLM-4.5 Air", {.mmlu_pro = 81, .gpqa = 75}, 0, kTools, 106, 12, true},
    {"glm-4.6", "GLM-4.6", {.gpqa = 81, .live26 = 55.2}, 0, kTools},
    {"glm-4.6v|glm-4.5v", "GLM-4.6V", {.live26 = 40.1}, 0, kTools},
    {"glm-4.7", "GLM-4.7", {.live26 = 58.1}, 0, kTools},
    {"glm-4.7-flash|glm-4.5-flash", "GLM-4.7 Flash 30B-A3B", {}, 60, kTools},
    {"glm-5", "GLM-5", {.live26 = 68.9}, 0, kTools},
    {"glm-5.1", "GLM-5.1", {.live26 = 70.2}, 0, kTools},
    {"glm-5.2", "GLM-5.2", {.live26 = 76.2}, 0, kTools},
    {"glm-5.3", "GLM-5.3", {}, 93, kTools},
    {"glm-5.3-flash", "GLM-5.3 Flash", {}, 89, kTools},
    {"minimax", "MiniMax", {}, 84, kTools},
    {"minimax-text|minimax-01", "MiniMax-01", {}, 76},
    {"minimax-m1", "MiniMax M1", {}, 80, kThinks},
    {"minimax-m2", "MiniMax M2", {}, 84, kTools},
    {"minimax-m2.5", "MiniMax M2.5", {.live26 = 60.1}, 0, kTools},
    {"minimax-m2.7", "MiniMax M2.7", {.live26 = 63.5}, 0, kTools},
    {"minimax-m3", "MiniMax M3", {.live26 = 70.0}, 0, kTools},
    {"mimo-v2|mimo-v2-pro|mimo-v2.5", "MiMo V2", {.live26 = 58.1}, 0, kTools},
    {"hunyuan-turbos", "Hunyuan TurboS", {.live24 = 60.6}},
    {"step-2", "Step-2", {.live24 = 56.0}},
    {"ernie-4.5-300b|ernie-4.5-turbo", "ERNIE 4.5", {}, 76},
    {"yi-large", "Yi Large", {.mmlu_pro = 57.5}},
    {"yi-lightning", "Yi Lightning", {.aider = 12.9}, 68},  // judgement: Aider's is of code alone
    {"yi", "Yi 34B", {.mmlu_pro = 40.9}, 0, kOld, 34},

    // NVIDIA, AI21, Perplexity, Arcee and others. Judgement where no score is given.
    {"llama-3.1-nemotron-70b|nemotron-70b|nemotron", "Llama 3.1 Nemotron 70B", {}, 68, kObeys, 70},
    {"nemotron-super|nemotron-super-49b", "Nemotron Super 49B", {.gpqa = 67}, 72, kThinks, 49},
    {"nemotron-ultra|nemotron-ultra-253b", "Nemotron Ultra 253B", {.gpqa = 76}, 80, kThinks, 253},
    {"nemotron-3-nano", "Nemotron 3 Nano 30B-A3B", {}, 58, kThinks | kTools, 30, 3.5},
    {"nemotron-3-super", "Nemotron 3 Super 120B-A12B", {.live26 = 32.5}, 64, kTools},
    {"nemotron-3-ultra", "Nemotron 3 Ultra 550B-A55B", {.live26 = 51.8}, 0, kTools},
    {"nemotron-nano-9b|nemotron-nano-9b-v2", "Nemotron Nano 9B v2", {.gpqa = 64}, 56, kThinks | kTools, 9},
    {"jamba-large|jamba-1.5-large|jamba-1.6-large", "Jamba Large", {.mmlu_pro = 54, .gpqa = 37}},
    {"jamba-mini|jamba-1.5-mini|jamba-1.6-mini", "Jamba Mini", {.mmlu_pro = 42, .gpqa = 32}},
    {"sonar", "Sonar", {.live24 = 46.9}},
    {"sonar-pro", "Sonar Pro", {.live24 = 60.3}},
    {"sonar-reasoning|sonar-deep-research", "Sonar Reasoning", {}, 84, kThinks},
    {"dbrx", "DBRX", {}, 48, kOld},
    {"trinity-large", "Trinity Large", {.live26 = 32.7}, 66},  // judgement: without thinking
    {"hermes-3", "Hermes 3 405B", {}, 70, kLoose, 405},
    {"hermes-4", "Hermes 4 405B", {}, 76, 0, 405},
    {"olmo-2", "OLMo 2 13B", {.live24 = 22.1}, 0, kOld, 13},
    {"olmoe", "OLMoE 1B-7B", {}, 24, kOld, 7, 1.3, true},
    {"marco-o1", "Marco-o1", {}, 44, kThinks, 7, 0, true},

    // Not for chat at all.
    {"whisper|tts|tts-1|dall-e|gpt-image|gpt-audio|stable-diffusion|sdxl|flux|sora|imagen|veo|omni-moderation|"
     "text-moderation|chatgpt-image|kokoro|parakeet|musicgen",
     "a model of sound or images",
     {},
     0.5},
    {"davinci|babbage|text-davinci", "GPT-3", {}, 18, kOld | kBase},
    {"gpt-2|gpt-j|gpt-neo|gpt-neox|opt|bloom|pythia|stories15m|stories260k",
     "a model of before 2023",
     {},
     5,
     kOld | kBase},
});

// `above` is the line's place of a member's score less the place of its size; beside each what it comes from.
constexpr auto kFamilies = std::to_array<Family>({
    {"qwen|qwen1.5", "Qwen1.5", -16, 4, kOld, 72},                                   // judgement
    {"qwen-2", "Qwen2", -9, 7, 0, 0, true},                                          // 7B: MMLU-Pro 44
    {"qwen2.5", "Qwen2.5", 0, 7, 0, 72, true},                                       // 7B: MMLU-Pro 56
    {"qwen2.5-coder|qwen-coder|codeqwen", "Qwen2.5 Coder", -4, 7, kCoder, 0, true},  // 7B: MMLU-Pro 40, HumanEval 88
    {"qwen2-math|qwen2.5-math", "Qwen2.5 Math", -12, 7, kMath},                      // judgement
    {"qwen2-vl|qwen2.5-vl|qwen-vl|qwen2.5-omni", "Qwen2.5-VL", -6, 7, 0, 72},        // Omni 7B: MMLU-Pro 47
    {"qwen3", "Qwen3", 8, 8, kTools, 235},                                           // 8B: MMLU-Pro 63, LiveBench 49.5
    {"qwen3-coder", "Qwen3 Coder", 6, 30.5, kCoder | kTools, 480},                   // judgement
    {"qwen3-vl|qwen3-omni", "Qwen3-VL", 6, 8, kTools, 235},                          // judgement
    {"qwen3-next", "Qwen3-Next", 8, 80, kTools},
    {"qwen3.5", "Qwen3.5", 12, 9, kTools, 397},              // 9B: far above Qwen3 32B in Artificial Analysis' index
    {"qwen3.6|qwen3.7|qwen3.8", "Qwen3.6", 12, 27, kTools},  // 27B: LiveBench 65.6
    {"qwq", "QwQ", 4, 32, kThinks},
    {"qvq", "QVQ", -4, 72, kThinks},                                // judgement
    {"llama", "Llama", -26, 7, kOld},                               // as Llama 2
    {"llama-2", "Llama 2", -29, 7, kOld, 0, true},                  // 7B: MMLU-Pro 19.4; 13B: 24.5
    {"llama-2-70b", "Llama 2 70B", -38, 70, kOld, 0, true},         // 70B: MMLU-Pro 36.1
    {"codellama|code-llama", "Code Llama", -26, 7, kOld | kCoder},  // judgement
    {"llama-3", "Llama 3", -15, 8, kObeys, 0, true},                // 8B: MMLU-Pro 38.3
    {"llama-3.1", "Llama 3.1", -8, 8, kObeys | kTools, 0, true},    // 8B: MMLU-Pro 48, LiveBench 26.0
    {"llama-3.2", "Llama 3.2", -8, 3.2, kObeys, 0, true},           // 1B: MMLU-Pro 18; 3B: 31
    {"llama-3.3", "Llama 3.3", -4, 70, kObeys | kTools},            // 70B: MMLU-Pro 69, LiveBench 50.2
    {"llama-4", "Llama 4", 0, 109},
    {"tinyllama", "TinyLlama", -22, 1.1, kOld},                                // judgement
    {"gemma", "Gemma", -18, 7, kOld, 0, true},                                 // judgement
    {"codegemma", "CodeGemma", -16, 7, kOld | kCoder},                         // judgement
    {"gemma-2", "Gemma 2", -9, 9, kOld, 0, true},                              // 9B: LiveBench 28.7
    {"gemma-3|medgemma|translategemma", "Gemma 3", -2, 4.3, kObeys, 0, true},  // 4B, 12B, 27B: MMLU-Pro 44, 61, 68
    {"gemma-3n", "Gemma 3n", 2, 4, kObeys},                                    // E2B: MMLU-Pro 40; E4B: 51
    {"gemma-4", "Gemma 4", 8, 4.5, kObeys | kTools},                           // E4B: 52.8 of whatmodel, 49.1 of 3n E4B
    {"phi|phi-2|phi-1|phi-1.5", "Phi-2", -12, 2.7, kOld},                      // judgement
    {"phi-3", "Phi-3", -4, 3.8, kLoose | kKnowsLittle},                        // mini: MMLU-Pro 41, LiveBench 22.1
    {"phi-3.5", "Phi-3.5", 0, 3.8, kLoose | kKnowsLittle},                     // mini: MMLU-Pro 47
    {"phi-3-medium", "Phi-3 medium", -4, 14, kLoose | kKnowsLittle},           // judgement
    {"phi-3-small", "Phi-3 small", -6, 7, kLoose | kKnowsLittle},              // LiveBench 24.0
    {"phi-4-multimodal", "Phi-4 multimodal", 0, 5.6, kLoose | kKnowsLittle},   // judgement
    {"phi-4", "Phi-4", 2, 14, kLoose | kKnowsLittle},
    {"phi-4-mini", "Phi-4 mini", 2, 3.8, kKnowsLittle},  // MMLU-Pro 53
    {"smollm", "SmolLM", -8, 1.7},                       // judgement
    {"smollm2", "SmolLM2", -4, 1.7},       // 1.7B: whatmodel 33.0, as Llama 3.2 1B (32.5) and Qwen2 1.5B (33.5)
    {"smollm3", "SmolLM3", 4, 3, kTools},  // judgement
    {"lfm|lfm2|lfm2.5", "LFM2", 2, 1.2},   // judgement
    {"granite|granite-3|granite-3.1|granite-3.2|granite-3.3", "Granite 3", -7, 8,
     kTools},                                                 // 8B: whatmodel 44.4 and 46.8, of Qwen3 8B 55.6
    {"granite-4", "Granite 4", -3, 3.4, kTools},              // judgement
    {"granite-code", "Granite Code", -18, 3, kCoder | kOld},  // judgement
    {"mistral", "Mistral 7B", -18, 7.2, kOld, 0, true},       // MMLU-Pro 29.8
    {"mistral-small", "Mistral Small", -4, 24, kTools},
    {"mistral-large", "Mistral Large", -2, 123, kTools, 675},
    {"mistral-nemo", "Mistral Nemo", -10, 12},
    {"mixtral", "Mixtral", -24, 46.7, kOld},       // 8x7B: MMLU-Pro 40.4
    {"mathstral", "Mathstral", -10, 7, kMath},     // judgement
    {"ministral", "Ministral", -6, 8, kTools},     // 8B: MMLU 65, HumanEval 35; between Mistral and Llama 3.1
    {"ministral-3", "Ministral 3", 3, 8, kTools},  // judgement
    {"codestral", "Codestral", -6, 22, kCoder, 22},
    {"devstral", "Devstral", 0, 24, kCoder | kTools, 123},
    {"devstral-small", "Devstral Small", 0, 24, kCoder | kTools},
    {"devstral-2", "Devstral 2", 0, 123, kCoder | kTools},
    {"devstral-small-2", "Devstral Small 2", 4, 24, kCoder | kTools},
    {"magistral", "Magistral", 4, 24, kThinks},
    {"pixtral", "Pixtral", -10, 12},  // 12B: HumanEval 72, IFEval 61
    {"deepseek-r1|deepseek-r1-distill", "DeepSeek R1 distill", -5, 8, kThinks | kLoose, 671},  // 32B: LiveBench 45.6
    {"deepseek-r1-0528-qwen3", "DeepSeek R1 0528 Qwen3", 4, 8, kThinks | kLoose},
    {"deepseek-r1-0528", "DeepSeek R1 0528", 0, 671, kThinks},
    {"deepseek|deepseek-llm|deepseek-v2-lite|deepseek-vl|deepseek-vl2", "DeepSeek LLM", -18, 7, kOld},  // judgement
    {"deepseek-coder", "DeepSeek Coder", -16, 1.3, kOld | kCoder},                                      // judgement
    {"deepseek-coder-v2", "DeepSeek Coder V2", -8, 16, kCoder},
    {"gpt-oss", "gpt-oss", 6, 20.9, kThinks | kTools | kKnowsLittle},
    {"yi|yi-1.5", "Yi", -18, 6, kOld},                                                 // 34B: MMLU-Pro 40.9; 6B: 25.6
    {"falcon", "Falcon", -30, 7, kOld},                                                // judgement
    {"falcon-3|falcon-h1", "Falcon 3", -5, 7},                                         // judgement
    {"hermes|openhermes|nous-hermes|nous-hermes-2", "Hermes", -16, 7, kOld | kTools},  // judgement, of Mistral 7B
    {"hermes-3|deephermes-3", "Hermes 3", -10, 8, kTools},                             // judgement, of Llama 3.1
    {"hermes-4", "Hermes 4", 0, 70, kTools},                                           // judgement
    {"dolphin|wizardlm|vicuna|orca|orca-mini|alpaca|zephyr|starling|neural-chat|openchat|guanaco|stable-beluga",
     "a tuned model of 2023", -22, 7, kOld},                             // judgement
    {"dolphin3", "Dolphin 3", -10, 8},                                   // judgement, of Llama 3.1
    {"solar", "Solar", -14, 10.7, kOld},                                 // judgement
    {"internlm|internlm2|internlm2.5", "InternLM", -10, 7, 0, 20},       // judgement
    {"exaone|exaone3.5|exaone-deep|exaone-4", "EXAONE", 0, 7.8, 0, 32},  // judgement
    {"olmo", "OLMo", -28, 7, kOld},                                      // judgement
    {"olmo-2", "OLMo 2", -16, 7, kOld},                                  // 13B: LiveBench 22.1
    {"olmo-3", "OLMo 3", -2, 7},                                         // judgement
    {"tulu|tulu-3", "Tulu 3", -8, 8, kObeys},                            // judgement, of Llama 3.1
    {"nemotron", "Nemotron", 0, 8, kThinks, 49},                         // judgement
    {"nemotron-mini", "Nemotron mini", -10, 4},                          // judgement
    {"nemotron-3-nano", "Nemotron 3 Nano", 8, 30, kThinks | kTools},     // judgement
    {"command-r", "Command R", -24, 35, kTools},                         // LiveBench 27.5
    {"command-r7b", "Command R7B", -12, 8, kTools},
    {"command-a", "Command A", -4, 111, kTools},
    {"aya|aya-expanse|c4ai-aya", "Aya", -14, 8, 0, 32},                                // judgement
    {"glm|glm-4|chatglm", "GLM-4", -5, 9, 0, 355},                                     // judgement
    {"ernie|ernie-4.5", "ERNIE 4.5", 2, 21, 0, 300},                                   // judgement
    {"stablelm|stablelm2", "StableLM", -16, 1.6, kOld},                                // judgement
    {"starcoder|starcoder2|stable-code", "StarCoder", -22, 3, kOld | kCoder | kBase},  // judgement
    {"moondream", "Moondream", -14, 1.8},                                              // judgement
    {"athene|athene-v2", "Athene", -2, 72},                                            // judgement, of Qwen2.5 72B
    {"llava|bakllava|minicpm|minicpm-v|internvl", "a model that sees", -14, 7},        // judgement
    {"openthinker|s1|sky-t1|deepscaler|deepcoder", "a model tuned to reason", -4, 7, kThinks},  // judgement
    {"reader-lm|nuextract|duckdb-nsql|sqlcoder", "a model for one task", -30, 1.5, kOld},       // judgement
    {"functiongemma", "FunctionGemma", -4, 0.27, kTools},                                       // judgement
});

constexpr auto kEmbedders = std::to_array<std::string_view>({"embed",
                                                             "embedding",
                                                             "embeddings",
                                                             "embedder",
                                                             "embeddinggemma",
                                                             "textembedding",
                                                             "minilm",
                                                             "mpnet",
                                                             "bge",
                                                             "e5",
                                                             "gte",
                                                             "voyage",
                                                             "labse",
                                                             "sentence-t5",
                                                             "gtr-t5",
                                                             "instructor-xl",
                                                             "instructor-large",
                                                             "uae-large",
                                                             "paraphrase-multilingual",
                                                             "sentence-transformers",
                                                             "bert",
                                                             "modernbert",
                                                             "jina-clip",
                                                             "jina-colbert",
                                                             "colbert",
                                                             "colpali",
                                                             "splade",
                                                             "stella-en",
                                                             "contriever",
                                                             "specter",
                                                             "retriever",
                                                             "siglip",
                                                             "clip-vit"});

constexpr auto kRerankers = std::to_array<std::string_view>(
    {"rerank", "reranker", "reranking", "ms-marco", "cross-encoder", "monot5", "rankt5", "rankllama", "ranker"});

}  // namespace

std::span<const Model> hosted_models() {
    return kHosted;
}
std::span<const Model> open_models() {
    return kOpen;
}
std::span<const Family> families() {
    return kFamilies;
}
std::span<const std::string_view> embedders() {
    return kEmbedders;
}
std::span<const std::string_view> rerankers() {
    return kRerankers;
}

}  // namespace tandem::routing::known
