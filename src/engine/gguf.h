// The header of a GGUF file, for what it says of the model: nothing in it is trusted. Format:
// ggml's docs/gguf.md, versions 2 and 3, little-endian.
#pragma once

#include <cstdint>
#include <filesystem>
#include <istream>
#include <string>
#include <vector>

#include "base/result.h"

namespace tandem::engine {

// What stands in tensors of one type.
struct GgufQuant {
    std::string type;  // "Q4_K"; "type 77" where it is not known here
    std::int64_t tensors = 0;
    std::int64_t bytes = 0;  // 0 where the type is not known
};

// How positions are stretched beyond what the model was trained on.
struct GgufRope {
    std::string scaling;  // "linear", "yarn", "longrope"; empty: not said
    double factor = 0;    // 0: not said
    double base = 0;      // frequency base; 0: not said
    std::int64_t original_context_tokens = 0;
};

// What its layers need for each token of a conversation. 0: not said.
struct GgufLayers {
    std::int64_t count = 0;
    std::int64_t embedding = 0;  // elements of a token between layers
    std::int64_t heads = 0;
    std::int64_t kv_heads = 0;      // fewer than `heads`: grouped queries. The most of any layer
    std::int64_t kv_heads_sum = 0;  // of all layers, where each says its own
    std::int64_t kv_layers = 0;     // of those: how many have any
    std::int64_t key_length = 0, value_length = 0;
    std::int64_t feed_forward = 0;         // elements of a token inside a layer; the most of any layer
    std::int64_t expert_feed_forward = 0;  // the same of one expert
    std::int64_t sliding_window = 0;       // tokens that such a layer sees
    std::int64_t windowed = 0;             // layers with a window, where each says whether it has one
    std::int64_t window_period = 0;        // else: one layer of so many has none
    std::int64_t kv_lora_rank = 0;         // above 0: latent attention (MLA)
    std::int64_t recurrent_state = 0;      // above 0: layers with a state instead of a cache (SSM)
    std::int64_t inner_size = 0, conv_kernel = 0, groups = 0;  // of such layers (Mamba and its kin)
    std::int64_t short_conv = 0;                               // tokens that a convolution looks back (LFM2)
    std::int64_t attention_period = 0;                         // one layer of so many has a cache (Qwen3-Next)
};

struct GgufTokenizer {
    std::string model;  // "gpt2", "llama", "bert"
    std::string pre;    // how text is cut before: "llama-bpe", "qwen2"
    std::int64_t tokens = 0;
};

// One part of a model that is split into files.
struct GgufSplit {
    std::int64_t number = 0, count = 0;  // number from 0; count 0: it is not split
    std::int64_t tensors = 0;            // of all parts
};

struct GgufFacts {
    std::string architecture;            // "llama", "qwen2", "bert"
    std::string name;                    // as its maker calls it; empty: not said
    std::string quantization;            // "Q4_K_M"; empty: not said
    std::int64_t parameters = 0;         // of all tensors
    std::int64_t active_parameters = 0;  // that one token uses, of a mixture of experts; 0: all
    std::int64_t context_tokens = 0;     // that it claims; 0: not said
    std::int64_t experts = 0, experts_used = 0;
    std::int64_t expert_parameters = 0;  // of all experts together
    std::int64_t tensor_bytes = 0;       // of all tensors whose type is known
    std::int64_t expert_bytes = 0;       // of those that hold experts
    std::int64_t embedding_bytes = 0;    // of the table that turns tokens into what layers take
    std::string embedding_type;          // "Q4_K"; empty: there is no such table
    bool has_output = false;             // it has a table of its own for the way back; else that one is used
    std::vector<GgufQuant> quants;       // the largest first
    GgufRope rope;
    GgufLayers layers;
    GgufTokenizer tokenizer;
    GgufSplit split;
    std::string licence;              // "apache-2.0"; empty: not said
    std::string chat_template;        // empty: it has none; cut at kLongestTemplate
    bool template_has_tools = false;  // it writes tools into the prompt
    std::int64_t tensors = 0;
    std::uint64_t header_bytes = 0;  // where the tensors begin, before alignment
};

inline constexpr std::size_t kLongestTemplate = 1UL << 20;  // bytes

// Reads at most kMostHeader bytes, and keeps none of the arrays. `file_bytes`: how long the file is, where that is
// known: a tensor that would end behind it is an error, as a file that was cut has. Errors: invalid (what is wrong, and
// where): also a key or a tensor that stands twice.
inline constexpr std::uint64_t kMostHeader = 512UL << 20;
Result<GgufFacts> read_gguf(std::istream& in, std::uint64_t file_bytes = 0);
// Errors: also not_found.
Result<GgufFacts> read_gguf(const std::filesystem::path& file);
// Adds the tensors of another part of the same model. Errors: invalid, where both claim more than there can be.
Result<> add_part(GgufFacts& facts, const GgufFacts& part);

}  // namespace tandem::engine
