#include "cli/input.h"

#include <fmt/format.h>

#include <iostream>

namespace tandem::cli {

Result<std::istream*> open_input(const std::string& name, std::ifstream& file) {
    if (name == "-") return &std::cin;
    file.open(name, std::ios::binary);
    if (!file.is_open()) return fail(ErrorCode::not_found, fmt::format("{} cannot be read; is it there?", name));
    return &file;
}

}  // namespace tandem::cli
