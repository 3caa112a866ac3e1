#include "base/descriptor.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace tandem {

Descriptor::~Descriptor() {
    if (fd_ >= 0) close(fd_);
}

bool Descriptor::closed() {
    return close(std::exchange(fd_, -1)) == 0;
}

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto size = write(fd, bytes.data(), bytes.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
}

}  // namespace tandem
