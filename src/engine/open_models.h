// Open models that a newcomer is told of: a list of a day, which ships. Of each it says what it is good at, under which
// licence, and the repository and file that had it then, with their bytes and SHA-256.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/gguf.h"
#include "engine/memory_need.h"

namespace tandem::engine {

inline constexpr std::string_view kOpenModelsDate = "2026-11-27";

struct OpenModel {
    std::string_view name;        // for people: "Qwen3 8B"
    std::string_view repository;  // "Qwen/Qwen3-8B-GGUF", on the Hugging Face hub
    std::string_view tag;         // the word of its file's name that `tandem model pull` chooses by
    std::string_view file;
    std::int64_t bytes = 0;
    std::string_view sha256;
    std::int64_t context = 0;  // tokens of a slot that the list reckons with
    std::string_view good_at;
    std::string_view licence;
    bool for_code = false;
    // In what public text file name, bytes and SHA-256 were read. Not the hub itself: that could not be asked.
    std::string_view recorded;
    // The lengths of the model's own config.json.
    std::string_view architecture;
    std::int64_t claims = 0;  // tokens of context
    std::int64_t vocabulary = 0;
    GgufLayers layers;
    std::int64_t experts = 0, experts_used = 0;
    double expert_share = 0;     // of its bytes, that are experts
    double embedding_share = 0;  // of its bytes, of a table of tokens that only one row of is read

    // As the header of its file would say it, as far as memory and speed go.
    GgufFacts facts() const;
    // What `tandem model pull` takes.
    std::string reference() const;
};

// From those that know least to those that know most, in the makers' own measurements.
std::span<const OpenModel> open_models();
// The one whose file this is; nullptr: none.
const OpenModel* open_model(std::string_view repository, std::string_view file);

// What there is for a model.
struct ModelRoom {
    std::int64_t memory = 0;      // bytes that an engine may take
    std::int64_t gpu = 0;         // bytes of the largest GPU that it may take; 0: none
    double bytes_per_second = 0;  // that an engine reads from memory; 0: not known
    double slowest = 0;           // tokens a second below which it is no use; 0: none
};

struct Suggestion {
    const OpenModel* model = nullptr;
    MemoryNeed need;               // at its context, one slot
    bool on_gpu = false;           // it fits there whole; else it is the CPU's
    double tokens_per_second = 0;  // on the CPU, at an empty context; 0: not known
};

// Two or three that fit: the one that knows most and is not slower than `slowest`; one of at most half its bytes;
// one for code, where neither is. Where all that fit are slower, the fastest of them. The best first; empty: none fits.
std::vector<Suggestion> suggestions(const ModelRoom& room);

// All that fit, in the order of the list.
std::vector<Suggestion> fitting(const ModelRoom& room);

}  // namespace tandem::engine
