// Models that are split into files, as gguf-split names them: "NAME-00002-of-00003.gguf". llama-server is given the
// first and finds the others beside it by their names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/gguf.h"

namespace tandem::engine {

inline constexpr int kMostParts = 999;  // files of one model

// What stands before the number, and both numbers: 1 <= number <= count <= kMostParts.
struct SplitName {
    std::string stem;  // "NAME"
    int number = 0, count = 0;
};
std::optional<SplitName> split_name_of(std::string_view file);
std::string split_name(const SplitName& name);

// The file itself where its name is not that of a part; else all parts, in order, whether they are there or not.
std::vector<std::filesystem::path> parts_beside(const std::filesystem::path& file);
// The header of a model with the tensors of all its parts. Errors: as read_gguf(), of the part that is not there or
// wrong; invalid, where the header says that there are others and the name does not say which.
Result<GgufFacts> read_whole_gguf(const std::filesystem::path& file);

}  // namespace tandem::engine
