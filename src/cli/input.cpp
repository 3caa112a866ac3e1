#include "cli/input.h"

#include <fmt/format.h>

#include <filesystem>
#include <iostream>

namespace tandem::cli {

Result<std::istream*> open_input(const std::string& name, std::ifstream& file) {
    if (name == "-") return &std::cin;
    std::error_code ignored;
    if (std::filesystem::is_directory(name, ignored))
        return fail(ErrorCode::invalid, fmt::format("{} is a folder; name a file in it", name));
    file.open(name, std::ios::binary);
    if (!file.is_open()) return fail(ErrorCode::not_found, fmt::format("{} cannot be read; is it there?", name));
    return &file;
}

}  // namespace tandem::cli
