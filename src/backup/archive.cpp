#include "backup/archive.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/descriptor.h"
#include "base/text.h"

namespace tandem::backup {

namespace {

constexpr std::size_t kPiece = 256UL * 1024;
constexpr std::size_t kLongestSums = 256UL << 20;  // bytes

std::unexpected<Error> system_error(std::string_view what, const std::filesystem::path& file) {
    return fail(ErrorCode::storage, fmt::format("cannot {} {}: {}", what, file.string(), std::strerror(errno)));
}

}  // namespace

void ArchiveWriter::note(const Digest& digest, const std::string& name) {
    sums_ += fmt::format("{}  {}\n", hex(digest), name);
    ++count_;
}

Result<> ArchiveWriter::add_text(const std::string& name, std::string_view text) {
    if (auto ok = tar_.begin(name, text.size(), time_); !ok) return ok;
    if (auto ok = tar_.write(text); !ok) return ok;
    if (name != kSums) note(sha256(text), name);
    return tar_.end();
}

Result<> ArchiveWriter::add_file(const std::string& name, const std::filesystem::path& file) {
    const Descriptor in(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    struct stat info{};
    if (in.get() < 0 || fstat(in.get(), &info) != 0) return system_error("read", file);
    if (!S_ISREG(info.st_mode))
        return fail(ErrorCode::storage, fmt::format("{} is no regular file any more", file.string()));
    auto left = static_cast<std::uint64_t>(info.st_size);
    if (auto ok = tar_.begin(name, left, time_); !ok) return ok;
    Sha256 sum;
    std::string piece;
    while (left > 0) {
        piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, kPiece)));
        const auto size = read(in.get(), piece.data(), piece.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return system_error("read", file);
        if (size == 0)
            return fail(ErrorCode::storage,
                        fmt::format("{} became shorter while it was read; try again", file.string()));
        const std::string_view have(piece.data(), static_cast<std::size_t>(size));
        sum.add(have);
        if (auto ok = tar_.write(have); !ok) return ok;
        left -= have.size();
    }
    note(sum.finish(), name);
    return tar_.end();
}

Result<> ArchiveWriter::finish() {
    if (auto ok = add_text(std::string(kSums), sums_); !ok) return ok;
    return tar_.finish();
}

Result<> Sums::add(const std::string& name, const Digest& digest) {
    if (files_.size() >= kMostFiles) return fail(ErrorCode::invalid, "the archive has too many files for a backup");
    if (!files_.emplace(name, digest).second)
        return fail(ErrorCode::invalid, fmt::format("the archive has '{}' twice", printable(name)));
    return {};
}

Result<> Sums::compare(std::string_view text) const {
    std::size_t lines = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        Digest digest;
        if (line.size() < 67 || line.substr(64, 2) != "  " || !from_hex(line.substr(0, 64), digest))
            return fail(ErrorCode::invalid, fmt::format("line {} of {} cannot be read", lines + 1, kSums));
        const auto found = files_.find(std::string(line.substr(66)));
        if (found == files_.end())
            return fail(ErrorCode::invalid, fmt::format("'{}' is missing in the archive", printable(line.substr(66))));
        if (found->second != digest)
            return fail(ErrorCode::invalid,
                        fmt::format("'{}' in the archive is not what was backed up: its SHA-256 differs",
                                    printable(line.substr(66))));
        ++lines;
    }
    if (lines == files_.size()) return {};
    return fail(ErrorCode::invalid,
                fmt::format("the archive has {} files, and {} of them have a sum in {}", files_.size(), lines, kSums));
}

Result<> check_sums(int fd) {
    TarReader reader(fd);
    Sums sums;
    std::string listed;
    bool has_list = false;
    while (true) {
        auto entry = reader.next();
        if (!entry) return fail(entry.error());
        if (!*entry) break;
        const bool is_list = (*entry)->name == kSums;
        Sha256 sum;
        auto ok = reader.content(**entry, [&](std::string_view piece) -> Result<> {
            if (!is_list)
                sum.add(piece);
            else if ((listed += piece).size() > kLongestSums)
                return fail(ErrorCode::invalid, fmt::format("{} is too long", kSums));
            return {};
        });
        if (!ok) return ok;
        has_list = has_list || is_list;
        if (!is_list)
            if (auto added = sums.add((*entry)->name, sum.finish()); !added) return added;
    }
    if (!has_list) return fail(ErrorCode::invalid, fmt::format("the archive has no {}: it is no backup", kSums));
    return sums.compare(listed);
}

Result<> check_structure(store::Database& database) {
    auto statement = database.prepare("PRAGMA integrity_check(1)");
    const auto row = statement.step();
    if (!row) return fail(ErrorCode::invalid, "the ledger is damaged: " + row.error().message);
    if (const auto text = statement.text(0); !*row || text != "ok")
        return fail(ErrorCode::invalid, fmt::format("the ledger is damaged: {}", printable(text, 200)));
    return {};
}

Result<> flush_folder(const std::filesystem::path& folder) {
    const Descriptor fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0 || fsync(fd.get()) != 0) return system_error("write to the disk:", folder);
    return {};
}

}  // namespace tandem::backup
