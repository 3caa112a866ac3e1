#include "engine/disk/check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPiece = 1UL << 20;  // bytes that are read at once

}  // namespace

Result<std::string> sha256_of_file(const fs::path& file, const Reading& reading) {
    if (auto ok = read_regular(file, 0); !ok) return fail(ok.error());
    const Descriptor fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    const auto failed = [&file] {
        return fail(ErrorCode::storage, fmt::format("cannot read {}: {}", file.string(), std::strerror(errno)));
    };
    if (fd.get() < 0) return failed();
    posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    Sha256 sha;
    std::vector<char> piece(kPiece);
    std::int64_t done = 0;
    while (true) {
        const auto size = read(fd.get(), piece.data(), piece.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return failed();
        if (size == 0) return hex(sha.finish());
        sha.add({piece.data(), static_cast<std::size_t>(size)});
        done += size;
        if (reading) reading(done);
    }
}

std::string_view name_of(FileState state) {
    switch (state) {
        case FileState::good:
            return "good";
        case FileState::missing:
            return "missing";
        case FileState::wrong_size:
            return "wrong size";
        case FileState::changed:
            return "changed";
        case FileState::unreadable:
            break;
    }
    return "unreadable";
}

FileState check_file(const Manifest& manifest, const DiskFile& file, const Reading& reading) {
    const auto path = manifest.path_of(file);
    std::error_code error;
    if (!fs::exists(path, error)) return FileState::missing;
    const auto size = fs::file_size(path, error);
    if (error) return FileState::unreadable;
    if (size != static_cast<std::uintmax_t>(file.size)) return FileState::wrong_size;
    const auto sha256 = sha256_of_file(path, reading);
    if (!sha256) return FileState::unreadable;
    return *sha256 == file.sha256 ? FileState::good : FileState::changed;
}

Result<> remove_model(const fs::path& models, const std::string& name) {
    return change_manifest(models, [&](std::vector<DiskModel>& listed) -> Result<> {
        const auto found = std::ranges::find(listed, name, &DiskModel::name);
        if (found == listed.end()) return fail(no_model(listed, name));
        const auto removed = std::move(*found);
        listed.erase(found);
        for (const auto& file : removed.files) {
            const auto same = [&file](const DiskFile& other) { return other.path == file.path; };
            const bool shared = std::ranges::any_of(
                listed, [&](const DiskModel& model) { return std::ranges::any_of(model.files, same); });
            std::error_code error;
            if (removed.adopted || shared) continue;
            fs::remove(models / file.path, error);
            if (error)
                return fail(ErrorCode::storage,
                            fmt::format("cannot delete {}: {}", (models / file.path).string(), error.message()));
        }
        return {};
    });
}

}  // namespace tandem::engine
