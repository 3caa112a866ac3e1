#include "cli/input.h"

#include <fmt/format.h>

#include <filesystem>
#include <iostream>

#include "base/file.h"
#include "base/text.h"

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
    if (!file.is_open()) return fail(Fault::file_not_found, fmt::format("{} cannot be read; is it there?", name));
    return &file;
}

Result<std::string> read_profile_file(const std::string& name, std::string_view page) {
    constexpr std::size_t kMostBytes = 16UL << 20;
    auto text = read_regular(name, kMostBytes + 1);
    if (!text)
        return fail(ErrorCode::not_found,
                    fmt::format("{} cannot be read; --profile needs a file, and {} has one to start from",
                                printable(name), page));
    if (text->size() > kMostBytes)
        return fail(ErrorCode::too_large, fmt::format("{} is larger than 16 MiB", printable(name)));
    return text;
}

}  // namespace tandem::cli
