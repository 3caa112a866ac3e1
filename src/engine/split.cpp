#include "engine/split.h"

#include <fmt/format.h>

#include "base/text.h"

namespace tandem::engine {

namespace fs = std::filesystem;

std::optional<SplitName> split_name_of(std::string_view file) {
    // "-00001-of-00003.gguf", as gguf-split writes it.
    constexpr std::size_t kEnd = 20;
    if (file.size() <= kEnd || !lower(file).ends_with(".gguf")) return {};
    const auto end = file.substr(file.size() - kEnd, kEnd - 5);
    if (end[0] != '-' || end.substr(6, 4) != "-of-") return {};
    const auto number = whole_number(end.substr(1, 5)), count = whole_number(end.substr(10, 5));
    if (!number || !count || *number < 1 || *number > *count || *count > kMostParts) return {};
    return SplitName{std::string(file.substr(0, file.size() - kEnd)), static_cast<int>(*number),
                     static_cast<int>(*count)};
}

std::string split_name(const SplitName& name) {
    return fmt::format("{}-{:05}-of-{:05}.gguf", name.stem, name.number, name.count);
}

std::vector<fs::path> parts_beside(const fs::path& file) {
    const auto name = split_name_of(file.filename().string());
    if (!name) return {file};
    std::vector<fs::path> parts;
    for (int number = 1; number <= name->count; ++number)
        parts.push_back(file.parent_path() / split_name({name->stem, number, name->count}));
    return parts;
}

Result<GgufFacts> read_whole_gguf(const fs::path& file) {
    auto facts = read_gguf(file);
    if (!facts || facts->split.count <= 1) return facts;
    const auto parts = parts_beside(file);
    if (static_cast<std::int64_t>(parts.size()) != facts->split.count)
        return fail(ErrorCode::invalid,
                    fmt::format("{} is one of {} files, and its name does not say how they are called", file.string(),
                                facts->split.count));
    for (const auto& part : parts) {
        if (part == file) continue;
        const auto more = read_gguf(part);
        if (!more) return fail(more.error());
        if (auto ok = add_part(*facts, *more); !ok) return fail(ok.error());
    }
    return facts;
}

}  // namespace tandem::engine
