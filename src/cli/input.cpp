#include "cli/input.h"

#include <fmt/format.h>

#include <filesystem>
#include <iostream>

#include "base/file.h"

namespace tandem::cli {

Result<std::istream*> open_input(const std::string& name, std::ifstream& file) {
    if (name == "-") return &std::cin;
    std::error_code ignored;
    if (std::filesystem::is_directory(name, ignored))
        return fail(ErrorCode::invalid, fmt::format("{} is a folder; name a file in it", name));
    if (auto ok = check_readable(name); !ok)
        return fail(ok.error().code == ErrorCode::invalid ? ErrorCode::invalid : ErrorCode::not_found,
                    ok.error().code == ErrorCode::not_found ? fmt::format("{} cannot be read; is it there?", name)
                    : ok.error().code == ErrorCode::invalid ? ok.error().message + "; `-` is the standard input"
                                                            : ok.error().message);
    file.open(name, std::ios::binary);
    if (!file.is_open()) return fail(ErrorCode::not_found, fmt::format("{} cannot be read; is it there?", name));
    return &file;
}

}  // namespace tandem::cli
