// What is known of a model before its first answer: from its name, its size, and a table of published scores that
// ships.
//
// One scale: `ability` is the difficulty, 0 to 100, at which a model is right half of the time. A size becomes an
// ability by a line over the logarithm of the parameters (kSizes); the line is that of the Qwen2.5 family, whose sizes
// go from 0.5B to 72B. A published score becomes an ability by one line for each benchmark (kMmluPro and its
// neighbours), laid so that Qwen2.5 7B, 14B, 32B and 72B land where their sizes land, and so that models that were
// scored by two benchmarks land at about the same place by both. The formula for a row of the table:
//
//     by_scores = mean over the row's benchmarks b of line_b(score_b)
//     ability   = by_scores                        a model of 40B effective parameters or more, or of unknown size
//               = min(by_scores, (by_scores + by_size) / 2)   a smaller one: scores flatter small models that think
//               long
//
// Where the name or the file tells a size, an ability below that of the size counts by 0.4 of the difference:
// benchmarks are hard work, and what is asked of a small model is light.
// The effective parameters of a mixture of experts are sqrt(total * active). A family without scores of its own size
// is `by_size` and what its scored members were above or below theirs. A row without a score says that it is a
// judgement. The table's date is kTableDate; docs/models.md names its sources. All functions are pure, and linear in
// the name.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tandem::routing {

inline constexpr std::string_view kTableDate = "2026-11";

struct Strength {
    double ability = 0;               // 0 to 100: the difficulty at which the model is right half of the time
    std::array<double, 9> by_kind{};  // added to it for: talk, transform, facts, code, reasoning, planning, writing,
                                      // tools, document
    std::string source = {};          // for people: "table of 2026-11: Qwen2.5 7B", "7B by its name"
    bool known = false;               // false: a guess, from nothing but where the model runs

    bool operator==(const Strength&) const = default;
};

struct ModelFacts {
    std::string name = {};               // as a server lists it, or a file's name
    bool cloud = false;                  // its provider is outside of the owner's zone
    bool engine = false;                 // a file that Tandem runs
    std::int64_t parameters = 0;         // as the file or the server says; 0: not known
    std::string quantization = {};       // the same; empty: as the name says
    std::string family = {};             // the same, an architecture of GGUF ("qwen2"); where the name says nothing
    std::int64_t active_parameters = 0;  // of a mixture of experts; 0: as the name or the table says
};

// Never fails. What is unknown: a cloud model is taken to be strong (82), a local server's middling (45), a file weak
// (20). An embedder's and a reranker's ability is 0. Two and three bits take some points off, not at a cloud provider.
Strength strength_of(const ModelFacts& facts);

// The parameters that a name tells: 7e9 of "qwen2.5:7b-instruct-q4_K_M", 135e6 of "135m", 46.7e9 of "8x7b" (experts
// share a sixth of their layers), 30e9 of "30b-a3b", 2e9 of "e2b" (effective). The last part of a path counts first.
// 0: none; versions, dates, contexts and bits are none.
std::int64_t parameters_in_name(std::string_view name);
// Those that work on one token: 3e9 of "30b-a3b", 12.9e9 of "8x7b". 0: none told.
std::int64_t active_parameters_in_name(std::string_view name);

// As the name spells it: "q4_K_M", "IQ2_XS", "fp16", "AWQ", "gptq-4bit", "mlx-4bit", "2.4bpw"; empty: none.
std::string quantization_in_name(std::string_view name);
// Bits of a weight: 4 of "q4_K_M", "AWQ", "mxfp4" and "w4a16"; 0: not known.
double bits_of_quantization(std::string_view quantization);

// Models that turn texts into vectors, or order texts: neither answers.
bool is_embedder(std::string_view name);
bool is_reranker(std::string_view name);

}  // namespace tandem::routing
