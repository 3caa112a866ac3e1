// The table behind known_models.h, and how its patterns are found in a name. Private to routing/.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::routing::known {

// A name in pieces, in lower case: runs of letters, runs of digits, and sizes ("7b", "8x7b", "a3b", "e2b", "135m"), so
// that "Qwen-2.5", "qwen2.5", "qwen2p5" and "qwen2_5" are the same. A "v" before a version is left out.
using Pieces = std::vector<std::string>;
Pieces pieces_of(std::string_view name);

// What stands out of a model or a family, in bits.
using Marks = std::uint32_t;
inline constexpr Marks kCoder = 1U << 0U;   // trained on code
inline constexpr Marks kThinks = 1U << 1U;  // reasons before it answers
inline constexpr Marks kOld = 1U << 2U;     // before models learned to call tools and to read long documents
inline constexpr Marks kKnowsLittle = 1U << 3U;
inline constexpr Marks kLoose = 1U << 4U;  // follows instructions badly (IFEval far below its other scores)
inline constexpr Marks kObeys = 1U << 5U;  // follows instructions well for its other scores
inline constexpr Marks kTools = 1U << 6U;  // trained to call tools
inline constexpr Marks kMath = 1U << 7U;   // trained on mathematics alone
inline constexpr Marks kWrites = 1U << 8U;
inline constexpr Marks kBase = 1U << 9U;  // not tuned to answer

// In percent, as published; 0: none was found.
struct Scores {
    double mmlu_pro = 0;   // TIGER-Lab/MMLU-Pro, or the maker's number
    double gpqa = 0;       // GPQA Diamond, the maker's number
    double live24 = 0;     // LiveBench, release of 2024-11-25, mean of its categories
    double live26 = 0;     // LiveBench, release of 2026-01-08, the same
    double aider = 0;      // Aider's polyglot benchmark, second try
    double whatmodel = 0;  // whatmodel.sh, 0 to 100 over many benchmarks
};

// One model. `patterns`: names with | between; the longest that is found in a name counts.
struct Model {
    std::string_view patterns;
    std::string_view title;
    Scores scores{};
    double judged = 0;  // an ability, where no score was found or the scores mislead (said beside it)
    Marks marks = 0;
    double billions = 0;    // of parameters; such a row is for names of about that size. 0: any size
    double active = 0;      // billions, of a mixture of experts
    bool any_size = false;  // what the name has is not the total
};

// A family of models of several sizes.
struct Family {
    std::string_view patterns;
    std::string_view title;
    double above = 0;  // the ability of a 7B of it above (below: negative) that of Qwen2.5; less for smaller sizes
    double home = 0;   // billions, of the one without a size in its name (Ollama's default tag)
    Marks marks = 0;
    double cloud = 0;         // the same at a cloud provider, where it is another one
    bool tuned_says = false;  // its maker calls the tuned ones "instruct", "chat" or "it", and the others nothing
};

// Of models whose weights are not published. A name that tells a size is of another model, distilled from one of them,
// whatever else is in it; but for rows of any size.
std::span<const Model> hosted_models();
std::span<const Model> open_models();
std::span<const Family> families();
std::span<const std::string_view> embedders();
std::span<const std::string_view> rerankers();

}  // namespace tandem::routing::known
