#include "engine/open_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/machine_memory.h"
#include "engine/speed.h"

namespace tandem::engine {

namespace {

constexpr std::string_view kGemma = "Gemma terms";
constexpr std::string_view kApache = "Apache-2.0";
constexpr std::string_view kLists = "download lists of several public programs, alike, of 2026";
constexpr std::string_view kHeaders =
    "the hub's x-linked-size and x-linked-etag, as public programs recorded them in 2026";

// clang-format off
constexpr std::array<OpenModel, 13> kModels{{
    {.name = "Qwen3 0.6B", .repository = "Qwen/Qwen3-0.6B-GGUF", .tag = "Q8_0", .file = "Qwen3-0.6B-Q8_0.gguf", .bytes = 639'446'688,
     .sha256 = "9465e63a22add5354d9bb4b99e90117043c7124007664907259bd16d043bb031", .context = 8'192,
     .good_at = "short answers and sorting text on the smallest machines; thinks first, calls tools", .licence = kApache, .recorded = kLists,
     .architecture = "qwen3", .claims = 40'960, .vocabulary = 151'936,
     .layers = {.count = 28, .embedding = 1'024, .heads = 16, .kv_heads = 8, .key_length = 128, .value_length = 128, .feed_forward = 3'072}},
    {.name = "Gemma 3 1B", .repository = "ggml-org/gemma-3-1b-it-GGUF", .tag = "Q4_K_M", .file = "gemma-3-1b-it-Q4_K_M.gguf", .bytes = 806'058'240,
     .sha256 = "8ccc5cd1f1b3602548715ae25a66ed73fd5dc68a210412eea643eb20eb75a135", .context = 8'192,
     .good_at = "short answers and summaries, in English", .licence = kGemma, .recorded = kLists,
     .architecture = "gemma3", .claims = 32'768, .vocabulary = 262'144,
     .layers = {.count = 26, .embedding = 1'152, .heads = 4, .kv_heads = 1, .key_length = 256, .value_length = 256, .feed_forward = 6'912,
                .sliding_window = 512}},
    {.name = "Llama 3.2 3B", .repository = "bartowski/Llama-3.2-3B-Instruct-GGUF", .tag = "Q4_K_M", .file = "Llama-3.2-3B-Instruct-Q4_K_M.gguf",
     .bytes = 2'019'377'696, .sha256 = "6c1a2b41161032677be168d354123594c0e6e67d2b9227c84f296ad037c728ff", .context = 8'192,
     .good_at = "conversation and rewriting, in eight languages; calls tools", .licence = "Llama 3.2 licence", .recorded = kLists,
     .architecture = "llama", .claims = 131'072, .vocabulary = 128'256,
     .layers = {.count = 28, .embedding = 3'072, .heads = 24, .kv_heads = 8, .key_length = 128, .value_length = 128, .feed_forward = 8'192}},
    {.name = "Gemma 3 4B", .repository = "ggml-org/gemma-3-4b-it-GGUF", .tag = "Q4_K_M", .file = "gemma-3-4b-it-Q4_K_M.gguf", .bytes = 2'489'757'856,
     .sha256 = "882e8d2db44dc554fb0ea5077cb7e4bc49e7342a1f0da57901c0802ea21a0863", .context = 8'192,
     .good_at = "conversation and text in many languages; long texts cost it little memory", .licence = kGemma, .recorded = kHeaders,
     .architecture = "gemma3", .claims = 131'072, .vocabulary = 262'144,
     .layers = {.count = 34, .embedding = 2'560, .heads = 8, .kv_heads = 4, .key_length = 256, .value_length = 256, .feed_forward = 10'240,
                .sliding_window = 1'024}},
    {.name = "Qwen3 4B", .repository = "Qwen/Qwen3-4B-GGUF", .tag = "Q4_K_M", .file = "Qwen3-4B-Q4_K_M.gguf", .bytes = 2'497'280'256,
     .sha256 = "7485fe6f11af29433bc51cab58009521f205840f5b4ae3a32fa7f92e8534fdf5", .context = 8'192,
     .good_at = "reasoning, code and tools for its size; thinks first", .licence = kApache, .recorded = kLists,
     .architecture = "qwen3", .claims = 40'960, .vocabulary = 151'936,
     .layers = {.count = 36, .embedding = 2'560, .heads = 32, .kv_heads = 8, .key_length = 128, .value_length = 128, .feed_forward = 9'728}},
    {.name = "Qwen2.5 7B", .repository = "bartowski/Qwen2.5-7B-Instruct-GGUF", .tag = "Q4_K_M", .file = "Qwen2.5-7B-Instruct-Q4_K_M.gguf",
     .bytes = 4'683'074'240, .sha256 = "65b8fcd92af6b4fefa935c625d1ac27ea29dcb6ee14589c55a8f115ceaaa1423", .context = 8'192,
     .good_at = "answers at once, without thinking first; tools and structured output", .licence = kApache, .recorded = kLists,
     .architecture = "qwen2", .claims = 32'768, .vocabulary = 152'064,
     .layers = {.count = 28, .embedding = 3'584, .heads = 28, .kv_heads = 4, .key_length = 128, .value_length = 128, .feed_forward = 18'944},
     .embedding_share = 0.065},
    {.name = "Qwen3 8B", .repository = "Qwen/Qwen3-8B-GGUF", .tag = "Q4_K_M", .file = "Qwen3-8B-Q4_K_M.gguf", .bytes = 5'027'783'488,
     .sha256 = "d98cdcbd03e17ce47681435b5150e34c1417f50b5c0019dd560e4882c5745785", .context = 8'192,
     .good_at = "reasoning, code and tools; thinks first", .licence = kApache, .recorded = kLists,
     .architecture = "qwen3", .claims = 40'960, .vocabulary = 151'936,
     .layers = {.count = 36, .embedding = 4'096, .heads = 32, .kv_heads = 8, .key_length = 128, .value_length = 128, .feed_forward = 12'288},
     .embedding_share = 0.07},
    {.name = "Gemma 3 12B", .repository = "ggml-org/gemma-3-12b-it-GGUF", .tag = "Q4_K_M", .file = "gemma-3-12b-it-Q4_K_M.gguf", .bytes = 7'300'574'976,
     .sha256 = "7bb69bff3f48a7b642355d64a90e481182a7794707b3133890646b1efa778ff5", .context = 8'192,
     .good_at = "writing and conversation in many languages; long texts cost it little memory", .licence = kGemma, .recorded = kLists,
     .architecture = "gemma3", .claims = 131'072, .vocabulary = 262'144,
     .layers = {.count = 48, .embedding = 3'840, .heads = 16, .kv_heads = 8, .key_length = 256, .value_length = 256, .feed_forward = 15'360,
                .sliding_window = 1'024}},
    {.name = "Qwen3 14B", .repository = "Qwen/Qwen3-14B-GGUF", .tag = "Q4_K_M", .file = "Qwen3-14B-Q4_K_M.gguf", .bytes = 9'001'752'960,
     .sha256 = "500a8806e85ee9c83f3ae08420295592451379b4f8cf2d0f41c15dffeb6b81f0", .context = 8'192,
     .good_at = "reasoning, code and tools; thinks first", .licence = kApache, .recorded = kLists,
     .architecture = "qwen3", .claims = 40'960, .vocabulary = 151'936,
     .layers = {.count = 40, .embedding = 5'120, .heads = 40, .kv_heads = 8, .key_length = 128, .value_length = 128, .feed_forward = 17'408},
     .embedding_share = 0.05},
    {.name = "Gemma 3 27B", .repository = "ggml-org/gemma-3-27b-it-GGUF", .tag = "Q4_K_M", .file = "gemma-3-27b-it-Q4_K_M.gguf",
     .bytes = 16'546'404'736, .sha256 = "edc9aff4d811a285b9157618130b08688b0768d94ee5355b02dc0cb713012e15", .context = 8'192,
     .good_at = "writing and conversation in many languages", .licence = kGemma, .recorded = "the download list of one public program",
     .architecture = "gemma3", .claims = 131'072, .vocabulary = 262'144,
     .layers = {.count = 62, .embedding = 5'376, .heads = 32, .kv_heads = 16, .key_length = 128, .value_length = 128, .feed_forward = 21'504,
                .sliding_window = 1'024}},
    {.name = "gpt-oss 20B", .repository = "ggml-org/gpt-oss-20b-GGUF", .tag = "MXFP4", .file = "gpt-oss-20b-MXFP4.gguf", .bytes = 12'109'566'624,
     .sha256 = "27cd6c432c7672cb812a92f611cf3ba7bbc35928262bb1e1253ff4ee6ae35901", .context = 8'192,
     .good_at = "reasoning and tools, and fast for its size (3.6 B for a token); thinks first", .licence = kApache, .recorded = kLists,
     .architecture = "gpt-oss", .claims = 131'072, .vocabulary = 201'088,
     .layers = {.count = 24, .embedding = 2'880, .heads = 64, .kv_heads = 8, .key_length = 64, .value_length = 64, .feed_forward = 2'880,
                .expert_feed_forward = 2'880, .sliding_window = 128},
     .experts = 32, .experts_used = 4, .expert_share = 0.84, .embedding_share = 0.05},
    {.name = "Qwen3 Coder 30B", .repository = "unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF", .tag = "Q4_K_M",
     .file = "Qwen3-Coder-30B-A3B-Instruct-Q4_K_M.gguf", .bytes = 18'556'689'568,
     .sha256 = "fadc3e5f8d42bf7e894a785b05082e47daee4df26680389817e2093056f088ad", .context = 16'384,
     .good_at = "code and coding agents, and fast for its size (3.3 B for a token); answers at once", .licence = kApache, .for_code = true,
     .recorded = kLists, .architecture = "qwen3moe", .claims = 262'144, .vocabulary = 151'936,
     .layers = {.count = 48, .embedding = 2'048, .heads = 32, .kv_heads = 4, .key_length = 128, .value_length = 128, .feed_forward = 6'144,
                .expert_feed_forward = 768},
     .experts = 128, .experts_used = 8, .expert_share = 0.94, .embedding_share = 0.01},
    {.name = "gpt-oss 120B", .repository = "ggml-org/gpt-oss-120b-GGUF", .tag = "MXFP4", .file = "gpt-oss-120b-MXFP4.gguf", .bytes = 63'387'346'208,
     .sha256 = "582bd40f6886200101f4c4ed9f25f3fe80cc14c86e9e2b37746cd8904a0c622d", .context = 16'384,
     .good_at = "the hardest questions that a machine at home can take (5.1 B for a token); thinks first", .licence = kApache, .recorded = kLists,
     .architecture = "gpt-oss", .claims = 131'072, .vocabulary = 201'088,
     .layers = {.count = 36, .embedding = 2'880, .heads = 64, .kv_heads = 8, .key_length = 64, .value_length = 64, .feed_forward = 2'880,
                .expert_feed_forward = 2'880, .sliding_window = 128},
     .experts = 128, .experts_used = 4, .expert_share = 0.96, .embedding_share = 0.01},
}};
// clang-format on

constexpr std::int64_t kMuchSmaller = 2;  // times

// Bytes of an engine's own that stay with the CPU, where a GPU holds the rest.
bool fits_gpu(const MemoryNeed& need, const ModelRoom& room) {
    return room.gpu > 0 && need.on_gpu() <= room.gpu && need.program <= room.memory;
}

double speed_of(const OpenModel& model, const ModelRoom& room) {
    if (room.bytes_per_second <= 0) return 0;
    const auto bytes = bytes_per_token(model.facts(), {.context_tokens = model.context, .slots = 1}, 0);
    return room.bytes_per_second / static_cast<double>(std::max<std::int64_t>(1, bytes));
}

// A GPU's memory is many times faster than a CPU's.
bool is_quick(const Suggestion& one, double slowest) {
    return one.on_gpu || one.tokens_per_second == 0 || one.tokens_per_second >= slowest;
}

}  // namespace

GgufFacts OpenModel::facts() const {
    GgufFacts facts;
    facts.architecture = architecture;
    facts.context_tokens = claims;
    facts.tensor_bytes = bytes;  // and the header, which is less than a hundredth
    facts.layers = layers;
    facts.tokenizer.tokens = vocabulary;
    facts.experts = experts;
    facts.experts_used = experts_used;
    facts.expert_bytes = static_cast<std::int64_t>(static_cast<double>(bytes) * expert_share);
    facts.embedding_bytes = static_cast<std::int64_t>(static_cast<double>(bytes) * embedding_share);
    facts.has_output = embedding_share > 0;
    return facts;
}

std::string OpenModel::reference() const {
    return fmt::format("hf:{}:{}", repository, tag);
}

std::span<const OpenModel> open_models() {
    return kModels;
}

const OpenModel* open_model(std::string_view repository, std::string_view file) {
    const auto* found = std::ranges::find_if(
        kModels, [&](const OpenModel& one) { return one.repository == repository && one.file == file; });
    return found == kModels.end() ? nullptr : found;
}

std::vector<Suggestion> fitting(const ModelRoom& room) {
    std::vector<Suggestion> fit;
    for (const auto& model : kModels) {
        Suggestion one{.model = &model,
                       .need = memory_need(model.facts(), {.context_tokens = model.context, .slots = 1})};
        one.on_gpu = fits_gpu(one.need, room);
        if (!one.on_gpu && one.need.kept() > room.memory) continue;
        one.tokens_per_second = one.on_gpu ? 0 : speed_of(model, room);
        fit.push_back(one);
    }
    return fit;
}

std::vector<Suggestion> suggestions(const ModelRoom& room) {
    const auto fit = fitting(room);
    if (fit.empty()) return {};
    std::vector<Suggestion> chosen;
    const auto quick = [&](const Suggestion& one) { return is_quick(one, room.slowest); };
    const auto best = std::ranges::find_if(fit.rbegin(), fit.rend(),
                                           [&](const auto& one) { return quick(one) && !one.model->for_code; });
    if (best == fit.rend()) {
        chosen.push_back(*std::ranges::max_element(fit, {}, &Suggestion::tokens_per_second));
        return chosen;
    }
    chosen.push_back(*best);
    const auto smaller = std::ranges::find_if(fit.rbegin(), fit.rend(), [&](const auto& one) {
        return quick(one) && !one.model->for_code && one.model->bytes * kMuchSmaller <= best->model->bytes;
    });
    if (smaller != fit.rend()) chosen.push_back(*smaller);
    const auto code = std::ranges::find_if(fit.rbegin(), fit.rend(),
                                           [&](const auto& one) { return quick(one) && one.model->for_code; });
    if (code != fit.rend()) chosen.push_back(*code);
    return chosen;
}

}  // namespace tandem::engine
