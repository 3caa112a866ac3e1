#include "backup/backup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <optional>

#include "backup/archive.h"
#include "backup/scratch.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "privacy/checkpoints.h"
#include "store/snapshot.h"
#include "store/store.h"

namespace tandem::backup {

namespace fs = std::filesystem;

namespace {

constexpr int kLooks = 200;               // for a moment in which ledger and checkpoints agree
constexpr int kDeepest = 12;              // folders below the data folder
constexpr std::size_t kMostOmitted = 50;  // names of what was left out

std::string time_text(const Clock& clock, const char* format) {
    const std::time_t now = unix_ms(clock.wall()) / 1000;
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[32];
    return {text, std::strftime(text, sizeof text, format, &utc)};
}

// One query with one number.
Result<std::int64_t> number_of(store::Database& database, const char* sql) {
    auto statement = database.prepare(sql);
    const auto row = statement.step();
    if (!row) return fail(row.error());
    return *row ? statement.integer(0) : 0;
}

// A copy of the ledger and of the checkpoints as they were at one moment. A line of checkpoints is written after the
// record that it signs, and noted in the ledger after that: where the file does not change around the moment in which
// the ledger's transaction begins, the two agree.
struct Snapshot {
    fs::path ledger;
    std::optional<std::string> checkpoints;
};

Result<Snapshot> snapshot_of(const Source& source, const fs::path& scratch) {
    Snapshot snapshot{scratch / "ledger.db", {}};
    for (int look = 0; look < kLooks; ++look) {
        const auto before = whole_file(source.checkpoints);
        auto ledger = store::Snapshot::of(source.data / "ledger.db");
        if (!ledger) return fail(ledger.error());
        if (const auto after = whole_file(source.checkpoints); before == after) {
            std::error_code ignored;
            if (fs::exists(source.checkpoints, ignored)) snapshot.checkpoints = after;
            if (auto ok = ledger->copy_to(snapshot.ledger); !ok) return fail(ok.error());
            return snapshot;
        }
        usleep(5'000);
    }
    return fail(ErrorCode::storage,
                fmt::format("{} changes all the time; try again when less is asked", source.checkpoints.string()));
}

// The files of a data folder that go into an archive.
class Walk {
  public:
    Walk(const Source& source, std::vector<std::string>& left_out) : source_(source), left_out_(left_out) {}

    // (name in the data folder, path), in the order of names.
    std::vector<std::pair<std::string, fs::path>> files() {
        enter(source_.data, "", 0);
        std::ranges::sort(found_);
        return std::move(found_);
    }

  private:
    // What stands for itself, is made anew, or is in the archive in another way.
    bool is_passed_over(const std::string& name) const {
        static constexpr std::string_view kOwn[] = {"tandem.lock",        "ledger.db", "ledger.db-wal", "ledger.db-shm",
                                                    "egress.checkpoints", "engines",   "lost+found"};
        static constexpr std::string_view kWork[] = {"backup.part.", "restore.", "before-"};
        if (std::ranges::find(kOwn, name) != std::end(kOwn)) return true;
        if (name == "models") return !source_.models;
        return std::ranges::any_of(kWork, [&](std::string_view start) { return name.starts_with(start); });
    }

    void omit(const std::string& name, std::string_view why) {
        if (left_out_.size() < kMostOmitted) left_out_.push_back(fmt::format("{} ({})", printable(name), why));
    }

    void enter(const fs::path& folder, const std::string& prefix, int depth) {
        std::error_code error;
        for (const auto& entry : fs::directory_iterator(folder, error)) {
            const auto name = prefix + entry.path().filename().string();
            if (depth == 0 && is_passed_over(name)) continue;
            // Another disk for one of the folders is usual; a link below that leads anywhere.
            if (entry.is_symlink(error) && depth > 0)
                omit(name, "a link");
            else if (!is_plain_name("data/" + name))
                omit(name, "a name that an archive cannot have");
            else if (entry.is_directory(error) && depth < kDeepest)
                enter(entry.path(), name + "/", depth + 1);
            else if (entry.is_regular_file(error))
                found_.emplace_back(name, entry.path());
            else if (!entry.is_socket(error))
                omit(name, "no regular file");
        }
        if (error) omit(prefix.empty() ? "the data folder" : prefix, error.message());
    }

    const Source& source_;
    std::vector<std::string>& left_out_;
    std::vector<std::pair<std::string, fs::path>> found_;
};

// The copy is looked at as a restore will look at it.
Result<Facts> facts_of(const Source& source, const fs::path& scratch, const Clock& clock) {
    auto database = store::Database::open_to_read(scratch / "ledger.db");
    if (!database) return fail(database.error());
    if (auto ok = check_structure(**database); !ok) return fail(ok.error());
    const auto version = number_of(**database, "PRAGMA user_version");
    if (!version) return fail(version.error());
    const auto verdict = privacy::verify_record(source.data, scratch / "egress.checkpoints", **database);
    if (!verdict) return fail(verdict.error());
    return Facts{TANDEM_VERSION, time_text(clock, "%Y-%m-%dT%H:%M:%SZ"), *version, verdict->chain.records,
                 verdict->broken()};
}

Result<> write_all(const Source& source, const Snapshot& snapshot, const Facts& facts, ArchiveWriter& archive,
                   std::vector<std::string>& left_out) {
    if (auto ok = archive.add_text("backup.json", to_json(facts) + "\n"); !ok) return ok;
    if (auto ok = archive.add_file("data/ledger.db", snapshot.ledger); !ok) return ok;
    if (snapshot.checkpoints)
        if (auto ok = archive.add_text("data/egress.checkpoints", *snapshot.checkpoints); !ok) return ok;
    for (const auto& [name, file] : Walk(source, left_out).files()) {
        auto ok = archive.add_file("data/" + name, file);
        std::error_code ignored;
        if (!ok && fs::exists(file, ignored)) return ok;  // else somebody deleted it meanwhile
    }
    std::vector<std::string> names;
    for (const auto& file : source.config) {
        const auto name = names.empty() ? std::string("tandem.yaml") : file.filename().string();
        if (std::ranges::find(names, name) != names.end()) {
            left_out.push_back(fmt::format("{} (the config reads two files of that name)", file.string()));
            continue;
        }
        if (auto ok = archive.add_file("config/" + name, file); !ok) return ok;
        names.push_back(name);
    }
    return archive.finish();
}

Result<Made> make_into(int fd, const Source& source, const fs::path& scratch, const Clock& clock) {
    auto snapshot = snapshot_of(source, scratch);
    if (!snapshot) return fail(snapshot.error());
    if (snapshot->checkpoints) {
        std::ofstream copy(scratch / "egress.checkpoints", std::ios::binary);
        copy << *snapshot->checkpoints;
    }
    auto facts = facts_of(source, scratch, clock);
    if (!facts) return fail(facts.error());
    Made made{{}, std::move(*facts), 0, 0, {}};
    ArchiveWriter archive(fd, unix_ms(clock.wall()) / 1000);
    if (auto ok = write_all(source, *snapshot, made.facts, archive, made.left_out); !ok) return fail(ok.error());
    made.files = archive.files();
    made.bytes = archive.bytes();
    return made;
}

Result<> put_in_place(const fs::path& fresh, const fs::path& file) {
    std::error_code error;
    fs::rename(fresh, file, error);
    if (error) return fail(ErrorCode::storage, fmt::format("cannot write {}: {}", file.string(), error.message()));
    return flush_folder(file.parent_path());
}

// Whether a file begins as an archive of this module does.
bool is_archive(const fs::path& file) {
    const int fd = open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return false;
    TarReader reader(fd);
    const auto first = reader.next();
    close(fd);
    return first && *first && (*first)->name == "backup.json";
}

Result<> check_replaceable(const Source& source, const fs::path& target) {
    std::error_code error;
    const auto status = fs::status(target, error);
    if (!fs::exists(status)) return {};
    if (!fs::is_regular_file(status))
        return fail(ErrorCode::invalid,
                    fmt::format("{} is no regular file, and would be replaced; `-` writes the archive to stdout, from "
                                "where it can go into a pipe or a device",
                                target.string()));
    for (const auto& file : source.in_use)
        if (fs::equivalent(file, target, error))
            return fail(ErrorCode::invalid, fmt::format("{} is a file of the config, and is not replaced by an "
                                                        "archive; give the archive another name",
                                                        target.string()));
    if (source.force || fs::file_size(target, error) == 0 || is_archive(target)) return {};
    return fail(ErrorCode::invalid,
                fmt::format("{} is there already, and is no archive of `tandem backup`; give another name, or replace "
                            "it with --force",
                            target.string()));
}

// The file that an archive named `file` goes to. Errors: invalid, where that may not be.
Result<fs::path> target_of(const Source& source, const fs::path& file, const Clock& clock) {
    std::error_code error;
    auto named = fs::absolute(file, error);
    if (fs::is_directory(named, error)) named /= fmt::format("tandem-{}.tar", stamp(clock));
    const auto target = behind_links(named);
    if (!target) return fail(target.error());
    const auto folder = fs::weakly_canonical(target->parent_path(), error);
    const auto data = fs::weakly_canonical(source.data, error);
    if (std::mismatch(data.begin(), data.end(), folder.begin(), folder.end()).first == data.end())
        return fail(ErrorCode::storage,
                    fmt::format("{} lies in the data folder, and would be in the next backup and lost with the "
                                "folder; name a file elsewhere, or `-` for stdout",
                                target->string()));
    if (auto ok = check_replaceable(source, *target); !ok) return fail(ok.error());
    return *target;
}

Result<Made> make_file(const Source& source, const fs::path& file, const Clock& clock) {
    auto scratch = Scratch::make(file.string() + ".part");
    if (!scratch) return fail(scratch.error());
    const auto fresh = scratch->path() / "archive";
    const int fd = open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(ErrorCode::storage, fmt::format("cannot write {}: {}", fresh.string(), std::strerror(errno)));
    auto made = make_into(fd, source, scratch->path(), clock);
    if (made && fsync(fd) != 0)
        made = fail(ErrorCode::storage, fmt::format("cannot write {}: {}", fresh.string(), std::strerror(errno)));
    if (made) {
        lseek(fd, 0, SEEK_SET);
        if (auto ok = check_sums(fd); !ok) made = fail(ok.error());
    }
    close(fd);
    if (!made) return made;
    if (auto ok = put_in_place(fresh, file); !ok) return fail(ok.error());
    made->file = file;
    return made;
}

}  // namespace

std::string stamp(const Clock& clock) {
    return time_text(clock, "%Y%m%dT%H%M%SZ");
}

std::string to_json(const Facts& facts) {
    json::Writer out;
    out.begin_object().member("format", 1).member("tandem", facts.tandem).member("created", facts.created);
    out.member("ledger_version", facts.ledger_version).member("egress_records", facts.egress_records);
    if (!facts.egress_damage.empty()) out.member("egress_damage", facts.egress_damage);
    out.end_object();
    return out.take();
}

Result<Facts> facts_from_json(std::string_view text) {
    json::Document document;
    if (auto ok = document.parse(text); !ok)
        return fail(ErrorCode::invalid, "backup.json in the archive is no JSON: " + ok.error().message);
    const auto root = document.root();
    const auto format = root["format"].integer();
    if (!format) return fail(ErrorCode::invalid, "backup.json in the archive has no format");
    if (*format != 1)
        return fail(ErrorCode::invalid,
                    fmt::format("the archive has format {}, and this tandem knows format 1; restore it with the "
                                "version that made it ({})",
                                *format, printable(root["tandem"].text(), 40)));
    return Facts{std::string(root["tandem"].text()), std::string(root["created"].text()),
                 root["ledger_version"].integer().value_or(0), root["egress_records"].integer().value_or(0),
                 std::string(root["egress_damage"].text())};
}

Result<Made> make(const Source& source, const fs::path& file, const Clock& clock) {
    const mode_t mask = umask(0077);
    auto made = [&]() -> Result<Made> {
        if (file == "-") {
            auto scratch = Scratch::make(source.data / "backup.part");
            if (!scratch) return fail(scratch.error());
            return make_into(STDOUT_FILENO, source, scratch->path(), clock);
        }
        auto target = target_of(source, file, clock);
        if (!target) return fail(target.error());
        return make_file(source, *target, clock);
    }();
    umask(mask);
    return made;
}

}  // namespace tandem::backup
