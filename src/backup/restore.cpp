#include "backup/restore.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "backup/archive.h"
#include "backup/restored_config.h"
#include "backup/scratch.h"
#include "base/file.h"
#include "base/text.h"
#include "privacy/checkpoints.h"
#include "store/folder_lock.h"
#include "store/store.h"

namespace tandem::backup {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kDecided = "restore.decided";
constexpr std::string_view kMoving = "restore.moving";
constexpr std::string_view kBefore = "before";  // in either: the name of the folder for what was there
constexpr std::size_t kLongestFacts = 64UL * 1024;

std::unexpected<Error> storage(std::string_view what, const fs::path& file, std::string_view why) {
    return fail(ErrorCode::storage, fmt::format("cannot {} {}: {}", what, file.string(), why));
}

// ---- unpacking ----

// Names that a server or SQLite would act upon, and that no backup has.
bool is_never_restored(std::string_view name) {
    return name == "data/tandem.lock" || name.starts_with("data/ledger.db-") || name.starts_with("data/restore.") ||
           name.starts_with("data/before-") || name.starts_with("data/backup.part.");
}

bool has_a_place(std::string_view name) {
    return name == kSums || name == "backup.json" || name.starts_with("data/") || name.starts_with("config/");
}

// A file of our own, in a folder of our own, that was not there.
class Fresh {
  public:
    explicit Fresh(const fs::path& file)
        : file_(file), fd_(open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) {}
    ~Fresh() {
        if (fd_ >= 0) close(fd_);
    }
    Fresh(const Fresh&) = delete;
    Fresh& operator=(const Fresh&) = delete;
    Result<> opened() const {
        if (fd_ >= 0) return {};
        if (errno == EEXIST) return fail(ErrorCode::invalid, fmt::format("the archive has {} twice", file_.string()));
        return storage("write", file_, std::strerror(errno));
    }
    Result<> write(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto size = ::write(fd_, bytes.data(), bytes.size());
            if (size < 0 && errno == EINTR) continue;
            if (size <= 0) return storage("write", file_, std::strerror(errno));
            bytes.remove_prefix(static_cast<std::size_t>(size));
        }
        return {};
    }

  private:
    fs::path file_;
    int fd_;
};

Result<> unpack_entry(TarReader& reader, const TarEntry& entry, const fs::path& folder, Sums& sums) {
    if (!has_a_place(entry.name) || is_never_restored(entry.name))
        return fail(ErrorCode::invalid, fmt::format("the archive has '{}', which no backup has; nothing was changed",
                                                    printable(entry.name)));
    const auto file = folder / entry.name;
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    if (error == std::errc::not_a_directory || error == std::errc::file_exists)
        return fail(ErrorCode::invalid,
                    fmt::format("'{}' in the archive lies in what is no folder", printable(entry.name)));
    if (error) return storage("make", file.parent_path(), error.message());
    Fresh fresh(file);
    if (auto ok = fresh.opened(); !ok) return ok;
    Sha256 sum;
    auto ok = reader.content(entry, [&](std::string_view piece) {
        sum.add(piece);
        return fresh.write(piece);
    });
    if (!ok || entry.name == kSums) return ok;
    return sums.add(entry.name, sum.finish());
}

Result<std::size_t> unpack(int fd, const fs::path& folder) {
    TarReader reader(fd);
    Sums sums;
    while (true) {
        auto entry = reader.next();
        if (!entry) return fail(entry.error());
        if (!*entry) break;
        if (auto ok = unpack_entry(reader, **entry, folder, sums); !ok) return fail(ok.error());
    }
    std::error_code ignored;
    if (!fs::exists(folder / kSums, ignored))
        return fail(ErrorCode::invalid, fmt::format("the archive has no {}: it is no backup of Tandem", kSums));
    if (auto ok = sums.compare(whole_file(folder / kSums)); !ok) return fail(ok.error());
    return sums.size();
}

// ---- verifying ----

Result<> check_ledger(const fs::path& data, const Facts& facts, std::int64_t newest) {
    std::error_code ignored;
    if (!fs::exists(data / "ledger.db", ignored))
        return fail(ErrorCode::invalid, "the archive has no data/ledger.db: it is no backup of Tandem");
    auto database = store::Database::open_to_read(data / "ledger.db");
    if (!database) return fail(database.error());
    if (auto ok = check_structure(**database); !ok) return ok;
    auto statement = (*database)->prepare("PRAGMA user_version");
    if (auto row = statement.step(); !row) return fail(row.error());
    const auto version = statement.integer(0);
    if (version > newest || version < 1)
        return fail(ErrorCode::invalid,
                    fmt::format("the backup was made by tandem {} with a ledger of version {}, and this tandem knows "
                                "versions 1 to {}; restore it with that version or a newer one",
                                printable(facts.tandem, 40), version, newest));
    const auto verdict = privacy::verify_record(data, data / "egress.checkpoints", **database);
    if (!verdict) return fail(verdict.error());
    // Damage that was there when the backup was made is no reason to lose the rest.
    if (const auto broken = verdict->broken(); !broken.empty() && facts.egress_damage.empty())
        return fail(
            ErrorCode::invalid,
            fmt::format("the egress record in the archive is not whole, and it was when the backup was made: {}",
                        broken));
    return {};
}

struct Unpacked {
    Facts facts;
    std::size_t files = 0;
};

Result<Unpacked> unpack_and_verify(int fd, const fs::path& folder, std::int64_t newest) {
    auto files = unpack(fd, folder);
    if (!files) return fail(files.error());
    const auto text = whole_file(folder / "backup.json");
    if (text.size() > kLongestFacts) return fail(ErrorCode::invalid, "backup.json in the archive is too long");
    auto facts = facts_from_json(text);
    if (!facts) return fail(facts.error());
    if (auto ok = check_ledger(folder / "data", *facts, newest); !ok) return fail(ok.error());
    // What SQLite made to read it; the sums are of the file alone.
    std::error_code ignored;
    for (const auto* name : {"ledger.db-wal", "ledger.db-shm"}) fs::remove(folder / "data" / name, ignored);
    return Unpacked{std::move(*facts), *files};
}

// ---- taking the place ----

// What is not of a server's making, or belongs to no backup, stays where it is.
bool stays(const fs::directory_entry& entry, bool with_models) {
    const auto name = entry.path().filename().string();
    std::error_code ignored;
    return name == "tandem.lock" || name == "lost+found" || (name == "models" && !with_models) ||
           name.starts_with("restore.") || name.starts_with("before-") || name.starts_with("backup.part.") ||
           fs::is_socket(entry.symlink_status(ignored));
}

Result<bool> has_content(const fs::path& data) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(data, error))
        if (!stays(entry, false)) return true;
    if (error) return storage("read", data, error.message());
    return false;
}

Result<> move_all(const fs::path& from, const fs::path& into,
                  const std::function<bool(const fs::directory_entry&)>& is) {
    std::error_code error;
    std::vector<fs::path> names;
    for (const auto& entry : fs::directory_iterator(from, error))
        if (is(entry)) names.push_back(entry.path().filename());
    if (error) return storage("read", from, error.message());
    for (const auto& name : names) {
        fs::rename(from / name, into / name, error);
        if (error) return storage("move", from / name, error.message());
    }
    if (auto ok = flush_folder(into); !ok) return ok;
    return flush_folder(from);
}

// A service runs as its own user, and root restores: what root makes gets the owner that the data folder has.
Result<> give_to_owner_of(const fs::path& data, const std::vector<fs::path>& files) {
    struct stat info{};
    if (geteuid() != 0 || stat(data.c_str(), &info) != 0) return {};
    for (const auto& file : files)
        if (lchown(file.c_str(), info.st_uid, info.st_gid) != 0)
            return storage("give its owner to", file, std::strerror(errno));
    return {};
}

Result<> give_all_to_owner_of(const fs::path& data, const fs::path& tree) {
    std::error_code error;
    std::vector<fs::path> all{tree, data / "tandem.lock"};
    for (const auto& entry : fs::recursive_directory_iterator(tree, error)) all.push_back(entry.path());
    if (error) return storage("read", tree, error.message());
    return give_to_owner_of(data, all);
}

// What was there goes into the folder that the restore named.
Result<> move_old_away(const fs::path& data) {
    const auto decided = data / kDecided;
    const auto name = whole_file(decided / kBefore);
    if (!name.starts_with("before-") || !is_plain_name(name) || name.find('/') != std::string::npos)
        return fail(ErrorCode::storage,
                    fmt::format("{} is damaged; move it away, and restore again", decided.string()));
    std::error_code error;
    fs::create_directory(data / name, error);
    if (error) return storage("make", data / name, error.message());
    if (auto ok = give_to_owner_of(data, {data / name}); !ok) return ok;
    const bool with_models = fs::exists(decided / "data" / "models", error);
    auto moved = move_all(data, data / name, [&](const auto& entry) { return !stays(entry, with_models); });
    if (!moved) return moved;
    fs::remove(data / name, error);  // only where it is empty
    fs::rename(decided, data / kMoving, error);
    if (error) return storage("move", decided, error.message());
    return flush_folder(data);
}

Result<> move_new_in(const fs::path& data) {
    const auto moving = data / kMoving;
    std::error_code error;
    // Gone already, where placing the config or removing the rest was cut off.
    if (!fs::exists(moving / "data", error)) return {};
    if (auto moved = move_all(moving / "data", data, [](const auto&) { return true; }); !moved) return moved;
    fs::remove(moving / "data", error);
    if (error) return storage("remove", moving / "data", error.message());
    return flush_folder(moving);
}

Result<> remove_journal(const fs::path& data) {
    std::error_code error;
    fs::remove_all(data / kMoving, error);
    if (error) return storage("remove", data / kMoving, error.message());
    return flush_folder(data);
}

// The steps that come after the decision, without the config.
Result<> finish_data(const fs::path& data) {
    std::error_code ignored;
    if (fs::exists(data / kDecided, ignored))
        if (auto ok = move_old_away(data); !ok) return ok;
    return move_new_in(data);
}

Result<> flush_all(const fs::path& folder) {
    const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool flushed = fd >= 0 && syncfs(fd) == 0;
    const auto why = errno;
    if (fd >= 0) close(fd);
    if (!flushed) return storage("write to the disk:", folder, std::strerror(why));
    return {};
}

// Two restores in one second keep what was there in two folders.
std::string free_name(const fs::path& data, const std::string& wanted) {
    std::error_code error;
    std::string name = wanted;
    for (int n = 2; fs::exists(data / name, error); ++n) name = fmt::format("{}-{}", wanted, n);
    return name;
}

// From here on kill -9 does not undo it.
Result<> decide(Scratch& scratch, const fs::path& data, const std::string& before, const fs::path& config) {
    if (auto ok = write_private_file(scratch.path() / kBefore, before); !ok) return ok;
    if (!config.empty())
        if (auto ok = write_private_file(scratch.path() / kConfigPath, config.string()); !ok) return ok;
    if (auto ok = give_all_to_owner_of(data, scratch.path()); !ok) return ok;
    if (auto ok = flush_all(scratch.path()); !ok) return ok;
    std::error_code error;
    fs::rename(scratch.path(), data / kDecided, error);
    if (error) return storage("move", scratch.path(), error.message());
    scratch.keep();
    return flush_folder(data);
}

Result<Restored> restore_from(int fd, const Target& target, const Clock& clock) {
    std::error_code error;
    fs::create_directories(target.data, error);
    if (error) return storage("make", target.data, error.message());
    auto lock = store::FolderLock::take(target.data);
    if (!lock)
        return fail(lock.error().code == ErrorCode::unavailable
                        ? Error{ErrorCode::unavailable,
                                fmt::format("a server uses {}; stop it first (systemctl stop tandem), then restore",
                                            target.data.string())}
                        : lock.error());
    auto note = finish_restore(target.data);
    if (!note) return fail(note.error());
    const auto full = has_content(target.data);
    if (!full) return fail(full.error());
    if (*full && !target.force)
        return fail(ErrorCode::invalid,
                    fmt::format("{} is not empty; with --force what is in it moves into a folder beside",
                                target.data.string()));
    auto scratch = Scratch::make(target.data / "restore");
    if (!scratch) return fail(scratch.error());
    auto unpacked = unpack_and_verify(fd, scratch->path(), target.ledger_version);
    if (!unpacked) return fail(unpacked.error());
    const auto files = config_of(scratch->path() / "config", target);
    if (!files) return fail(files.error());
    if (auto ok = check_place(*files, target.config); !ok) return fail(ok.error());
    const auto before = free_name(target.data, "before-" + stamp(clock));
    if (auto ok = decide(*scratch, target.data, before, files->empty() ? fs::path() : target.config); !ok)
        return fail(ok.error());
    if (auto ok = finish_data(target.data); !ok) return fail(ok.error());
    // From what was read before the folder's owner could change it.
    auto config = place_config(*files, target.config, target.data);
    if (!config)
        return fail(config.error().code, fmt::format("the data was restored, and the config was not; the next start "
                                                     "of the server tries again: {}",
                                                     config.error().message));
    if (auto ok = remove_journal(target.data); !ok) return fail(ok.error());
    const bool kept = fs::exists(target.data / before, error);
    return Restored{std::move(unpacked->facts), unpacked->files, kept ? target.data / before : fs::path(),
                    std::move(*config), std::move(*note)};
}

template <typename Work>
Result<Restored> with_archive(const fs::path& archive, Work&& work) {
    const bool piped = archive == "-";
    if (auto ok = piped ? Result<>() : check_readable(archive); !ok)
        return fail(ok.error().code, ok.error().code == ErrorCode::invalid
                                         ? ok.error().message + "; `-` is the standard input"
                                         : ok.error().message);
    const int fd = piped ? STDIN_FILENO : open(archive.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::storage,
                    fmt::format("cannot read {}: {}", archive.string(), std::strerror(errno)));
    const mode_t mask = umask(0077);
    auto result = work(fd);
    umask(mask);
    if (!piped) close(fd);
    return result;
}

}  // namespace

Result<Restored> restore(const fs::path& archive, const Target& target, const Clock& clock) {
    return with_archive(archive, [&](int fd) { return restore_from(fd, target, clock); });
}

Result<Restored> check(const fs::path& archive, std::int64_t ledger_version) {
    return with_archive(archive, [&](int fd) -> Result<Restored> {
        std::error_code error;
        auto folder = fs::temp_directory_path(error);
        if (error) folder = "/tmp";
        auto scratch = Scratch::make(folder / "tandem-check");
        if (!scratch) return fail(scratch.error());
        auto unpacked = unpack_and_verify(fd, scratch->path(), ledger_version);
        if (!unpacked) return fail(unpacked.error());
        return Restored{std::move(unpacked->facts), unpacked->files, {}, {}, {}};
    });
}

bool is_unfinished(const fs::path& data) {
    std::error_code ignored;
    return fs::exists(data / kDecided, ignored) || fs::exists(data / kMoving, ignored);
}

Result<std::string> finish_restore(const fs::path& data) {
    std::string note;
    if (is_unfinished(data)) {
        spdlog::debug("a restore was verified; its files take their places in {}", data.string());
        if (auto ok = finish_data(data); !ok) return fail(ok.error());
        auto left = place_left_config(data, data / kMoving);
        if (!left) return fail(left.error());
        note = std::move(*left);
        if (auto ok = remove_journal(data); !ok) return fail(ok.error());
    }
    // Copies of keys and of the ledger, by work that was killed.
    Scratch::remove_leftovers(data / "restore");
    Scratch::remove_leftovers(data / "backup.part");
    return note;
}

}  // namespace tandem::backup
