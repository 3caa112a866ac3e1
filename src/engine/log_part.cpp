#include "engine/log_part.h"

#include <algorithm>
#include <fstream>

namespace tandem::engine {

namespace fs = std::filesystem;

std::string part_of(const fs::path& log, std::uintmax_t begin, std::uintmax_t most) {
    std::ifstream in(log, std::ios::binary);
    std::string text(static_cast<std::size_t>(most), '\0');
    in.seekg(static_cast<std::streamoff>(begin));
    in.read(text.data(), static_cast<std::streamsize>(most));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, in.gcount())));
    return text;
}

std::string end_of(const fs::path& log, std::uintmax_t most) {
    std::error_code error;
    const auto size = fs::file_size(log, error);
    return error ? std::string() : part_of(log, size - std::min(size, most), most);
}

}  // namespace tandem::engine
