#include "engine/pull/parts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "base/hash.h"
#include "base/sha256.h"
#include "base/text.h"
#include "engine/disk/manifest.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPiece = 1UL << 20;            // bytes that are read at once
constexpr std::size_t kLargestJournal = 64UL << 20;  // bytes

std::unexpected<Error> failed(std::string_view what, const fs::path& file) {
    const int why = errno;
    return fail(ErrorCode::storage, fmt::format("cannot {} {}: {}{}", what, file.string(), std::strerror(why),
                                                why == ENOSPC || why == EDQUOT
                                                    ? "; make room and run the command again: what is there is kept"
                                                    : ""));
}

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (!line.empty()) {
        const auto end = std::min(line.find(' '), line.size());
        if (end > 0) words.push_back(line.substr(0, end));
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return words;
}

// "NUMBER LENGTH SHA256" of a range that is whole, "NUMBER BYTES" of another: false for a line that a killed process
// left half.
bool take_line(std::string_view line, std::vector<FileRange>& ranges) {
    const auto words = words_of(line);
    Digest digest{};
    if (words.size() == 2) {
        const auto number = whole_number(words[0]), have = whole_number(words[1]);
        if (!number || !have || *number >= static_cast<long long>(ranges.size())) return false;
        auto& range = ranges[static_cast<std::size_t>(*number)];
        range.have = *have < range.size() ? *have : 0;
        return true;
    }
    if (words.size() != 3 || !from_hex(words[2], digest)) return false;
    const auto number = whole_number(words[0]), length = whole_number(words[1]);
    if (!number || !length || *number >= static_cast<long long>(ranges.size())) return false;
    auto& range = ranges[static_cast<std::size_t>(*number)];
    if (*length != range.size()) return false;
    range.came = words[2];
    return true;
}

Result<> add_between(int fd, std::int64_t first, std::int64_t last, const fs::path& file, Sha256& sha) {
    std::string piece(kPiece, '\0');
    while (first <= last) {
        const auto wanted = std::min<std::int64_t>(static_cast<std::int64_t>(kPiece), last - first + 1);
        const auto size = pread(fd, piece.data(), static_cast<std::size_t>(wanted), first);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return failed("read", file);
        if (size == 0) return fail(ErrorCode::storage, fmt::format("{} has become shorter", file.string()));
        sha.add({piece.data(), static_cast<std::size_t>(size)});
        first += size;
    }
    return {};
}

Result<std::string> sha256_between(int fd, std::int64_t first, std::int64_t last, const fs::path& file) {
    Sha256 sha;
    if (auto ok = add_between(fd, first, last, file, sha); !ok) return fail(ok.error());
    return hex(sha.finish());
}

}  // namespace

std::vector<FileRange> ranges_of(std::int64_t size) {
    const auto step = std::max(kSmallestRange, (size / kMostRanges + 1 + 0xfffff) & ~std::int64_t{0xfffff});
    std::vector<FileRange> ranges;
    for (std::int64_t first = 0; first < size; first += step)
        ranges.push_back({.first = first, .last = std::min(size, first + step) - 1, .sha256 = {}, .came = {}});
    return ranges;
}

bool covers(const std::vector<FileRange>& ranges, std::int64_t size) {
    std::int64_t at = 0;
    for (const auto& range : ranges) {
        if (range.first != at || range.last < range.first || range.last >= size) return false;
        at = range.last + 1;
    }
    return at == size;
}

Result<PartFile> PartFile::open(const fs::path& folder, const std::string& key, const std::string& identity,
                                std::int64_t size, std::vector<FileRange> ranges) {
    PartFile file;
    file.part_ = folder / (key + ".part");
    file.journal_ = folder / (key + ".ranges");
    file.size_ = size;
    file.ranges_ = std::move(ranges);
    if (auto ok = make_folder_of(file.part_); !ok) return fail(ok.error());
    file.bytes_ =
        std::make_unique<Descriptor>(::open(file.part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.bytes_->get() < 0) return failed("write", file.part_);
    if (flock(file.bytes_->get(), LOCK_EX | LOCK_NB) != 0)
        return fail(ErrorCode::unavailable,
                    fmt::format("another process pulls the same file ({})", file.part_.string()));
    struct stat info{};
    if (fstat(file.bytes_->get(), &info) != 0) return failed("read", file.part_);
    const auto journal = read_regular(file.journal_, kLargestJournal).value_or(std::string());
    std::string_view lines = journal;
    const auto first = lines.substr(0, lines.find('\n'));
    const bool same =
        info.st_size == size && !identity.starts_with("- ") && first == identity && first.size() < lines.size();
    if (same)
        for (lines.remove_prefix(first.size() + 1); !lines.empty();) {
            const auto end = lines.find('\n');
            if (end == std::string_view::npos) break;  // torn
            take_line(lines.substr(0, end), file.ranges_);
            lines.remove_prefix(end + 1);
        }
    if (auto ok = file.begin_journal(identity); !ok) return fail(ok.error());
    return file;
}

// The journal anew, with the lines that count: a torn one would join the next.
Result<> PartFile::begin_journal(const std::string& identity) {
    auto text = identity + "\n";
    for (std::size_t i = 0; i < ranges_.size(); ++i)
        if (!ranges_[i].came.empty())
            text += fmt::format("{} {} {}\n", i, ranges_[i].size(), ranges_[i].came);
        else if (ranges_[i].have > 0)
            text += fmt::format("{} {}\n", i, ranges_[i].have);
    if (done() + begun() == 0 && ftruncate(bytes_->get(), 0) != 0) return failed("write", part_);
    if (ftruncate(bytes_->get(), size_) != 0) return failed("write", part_);
    if (auto ok = write_private_file(journal_, text); !ok) return ok;
    lines_ = std::make_unique<Descriptor>(::open(journal_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
    if (lines_->get() < 0) return failed("write", journal_);
    return {};
}

std::int64_t PartFile::done() const {
    std::int64_t sum = 0;
    for (const auto& range : ranges_)
        if (!range.came.empty()) sum += range.size();
    return sum;
}

std::int64_t PartFile::begun() const {
    std::int64_t sum = 0;
    for (const auto& range : ranges_)
        if (range.came.empty()) sum += range.have;
    return sum;
}

void PartFile::note_part(std::size_t range, std::int64_t bytes) {
    (void)write_all(lines_->get(), fmt::format("{} {}\n", range, bytes));
}

Result<> PartFile::read_into(std::int64_t first, std::int64_t size, Sha256& sha) const {
    return add_between(bytes_->get(), first, first + size - 1, part_, sha);
}

Result<> PartFile::write(std::int64_t at, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto size = pwrite(bytes_->get(), bytes.data(), bytes.size(), at);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return failed("write", part_);
        at += size;
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return {};
}

Result<> PartFile::keep(std::size_t range, const std::string& sha256) {
    ranges_[range].came = sha256;
    if (!write_all(lines_->get(), fmt::format("{} {} {}\n", range, ranges_[range].size(), sha256)))
        return failed("write", journal_);
    return {};
}

Result<std::string> PartFile::sha256_of(const FileRange& range) const {
    return sha256_between(bytes_->get(), range.first, range.last, part_);
}

Result<std::string> PartFile::sha256() const {
    return sha256_between(bytes_->get(), 0, size_ - 1, part_);
}

std::string PartFile::head(std::size_t most) const {
    std::string bytes(most, '\0');
    const auto size = pread(bytes_->get(), bytes.data(), most, 0);
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return bytes;
}

Result<> PartFile::finish(const fs::path& target, bool replaces) {
    if (fsync(bytes_->get()) != 0) return failed("write", part_);
    if (auto ok = give_name(part_, target, replaces); !ok) return ok;
    unlink(journal_.c_str());
    return {};
}

void PartFile::discard() {
    unlink(part_.c_str());
    unlink(journal_.c_str());
}

std::vector<Unfinished> unfinished_in(const fs::path& folder) {
    std::vector<Unfinished> files;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        struct stat info{};
        if (at->path().extension() != ".part" || stat(at->path().c_str(), &info) != 0) continue;
        Unfinished file{.name = at->path().filename().string(), .size = info.st_size};
        file.on_disk = static_cast<std::int64_t>(info.st_blocks) * 512;
        auto journal = at->path();
        journal.replace_extension(".ranges");
        const auto text = read_regular(journal, kLargestJournal).value_or(std::string());
        const auto first = words_of(std::string_view(text).substr(0, text.find('\n')));
        if (first.size() == 2) file.name = printable(first[1], 200);
        file.done = std::min(file.on_disk, file.size);
        files.push_back(std::move(file));
    }
    std::ranges::sort(files, {}, &Unfinished::name);
    return files;
}

std::int64_t discard_unfinished(const fs::path& folder) {
    std::int64_t freed = 0;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        const auto& file = at->path();
        const Descriptor fd(::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
        struct stat info{};
        if (file.extension() == ".ranges" || fd.get() < 0 || flock(fd.get(), LOCK_EX | LOCK_NB) != 0) continue;
        if (fstat(fd.get(), &info) == 0) freed += static_cast<std::int64_t>(info.st_blocks) * 512;
        auto journal = file;
        unlink(journal.replace_extension(".ranges").c_str());
        unlink(file.c_str());
    }
    return freed;
}

Result<std::int64_t> free_bytes(const fs::path& folder) {
    std::error_code ignored;
    auto there = fs::absolute(folder, ignored);
    while (!fs::exists(there, ignored) && there.has_relative_path()) there = there.parent_path();
    struct statvfs info{};
    if (statvfs(there.c_str(), &info) != 0) return failed("ask for the room of", there);
    return static_cast<std::int64_t>(info.f_bavail) * static_cast<std::int64_t>(info.f_frsize);
}

Result<> check_room(const fs::path& folder, std::int64_t bytes, const std::string& name, const fs::path& models) {
    const auto room = free_bytes(folder);
    if (!room) return fail(room.error());
    const auto needed = bytes + kSpare;
    if (*room >= needed) return {};
    return fail(
        ErrorCode::unavailable,
        fmt::format("{} needs {:.3f} GB more, {:.3f} GB stay free, and {} has {:.3f} GB free; `tandem model rm` makes "
                    "room, or set `data:` to another disk",
                    name, static_cast<double>(bytes) / 1e9, static_cast<double>(kSpare) / 1e9, models.string(),
                    static_cast<double>(*room) / 1e9));
}

}  // namespace tandem::engine
