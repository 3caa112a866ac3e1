#include "cli/input.h"

#include <fmt/format.h>

#include <iostream>

#include "base/file.h"

namespace tandem::cli {

Result<std::istream*> open_input(const std::string& name, std::ifstream& file) {
    if (name == "-") return &std::cin;
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
