// The reader of archives. What it gives has a plain name and as many bytes as it says, and never more than there are.
#include "backup/archive.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    static const int fd = memfd_create("archive", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
    lseek(fd, 0, SEEK_SET);
    tandem::backup::TarReader reader(fd);
    while (true) {
        const auto entry = reader.next();
        if (!entry && entry.error().message.empty()) std::abort();
        if (!entry || !*entry) break;
        if (!tandem::backup::is_plain_name((*entry)->name)) std::abort();
        std::uint64_t seen = 0;
        const auto ok = reader.content(**entry, [&](std::string_view piece) -> tandem::Result<> {
            seen += piece.size();
            return {};
        });
        if (seen > size || (ok && seen != (*entry)->size)) std::abort();
        if (!ok) break;
    }
    lseek(fd, 0, SEEK_SET);
    (void)tandem::backup::check_sums(fd);
    return 0;
}
