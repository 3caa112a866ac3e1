#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace tandem {

Result<> write_private_file(const std::filesystem::path& file, std::string_view bytes) {
    const std::filesystem::path fresh = file.string() + ".new";
    const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = fd >= 0;
    while (written && !bytes.empty()) {
        const auto size = write(fd, bytes.data(), bytes.size());
        written = size > 0 || (size < 0 && errno == EINTR);
        if (size > 0) bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    int why = errno;
    if (fd >= 0 && close(fd) != 0 && written) {
        written = false;
        why = errno;
    }
    std::error_code error;
    if (written) std::filesystem::rename(fresh, file, error);
    if (written && !error) return {};
    return fail(ErrorCode::storage,
                "cannot write " + file.string() + ": " + (error ? error.message() : std::strerror(why)));
}

std::string whole_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace tandem
