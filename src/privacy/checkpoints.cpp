#include "privacy/checkpoints.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/hash.h"
#include "base/json.h"

namespace tandem::privacy {

namespace {

constexpr milliseconds kEvery{1'000};
constexpr std::int64_t kMinute = 60'000;

// Each line of the file with where it begins.
template <typename Visit>
void each_line(const std::filesystem::path& file, Visit&& visit) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) return;  // a pipe would be waited for
    std::ifstream in(file, std::ios::binary);
    std::string line;
    std::uintmax_t at = 0;
    while (std::getline(in, line)) {
        visit(line, at);
        at += line.size() + 1;
    }
}

// What of the file is gone, as far as the database knows; empty where nothing is. `newest` is what its last line says,
// -1 where there is none.
std::string missing_of_file(const std::optional<Head>& head, std::int64_t lines, std::int64_t newest,
                            std::int64_t records) {
    const auto known = head.value_or(Head{});
    if (lines == 0 && (records > 0 || known.signed_lines > 0))
        return fmt::format("the file of checkpoints is missing or empty, and there were {} records", records);
    if (lines < known.signed_lines || newest < known.signed_records)
        return fmt::format("the file of checkpoints was cut: it had {} lines, the last of record {}, and has {}",
                           known.signed_lines, known.signed_records, lines);
    return {};
}

Result<std::int64_t> count_records(store::Database& database, const char* sql) {
    auto row = database.prepare(sql);
    const auto found = row.step();
    if (!found) return fail(found.error());
    return row.integer(0);
}

}  // namespace

std::string Checkpoint::signed_text() const {
    return fmt::format("tandem egress checkpoint\n{}\n{}\n{}\n", records, hash, time);
}

std::string to_json(const Checkpoint& c) {
    json::Writer out;
    out.begin_object().member("records", c.records).member("hash", c.hash).member("time", c.time);
    out.member("signature", hex(c.signature)).end_object();
    return out.take();
}

Result<Checkpoint> checkpoint_from_json(std::string_view line) {
    json::Document document;
    if (auto ok = document.parse(line); !ok) return fail(ok.error());
    const auto root = document.root();
    Checkpoint c{root["records"].integer().value_or(-1),
                 std::string(root["hash"].text()),
                 root["time"].integer().value_or(0),
                 {}};
    if (c.records < 0 || !from_hex(root["signature"].text(), c.signature))
        return fail(ErrorCode::invalid, "a checkpoint is damaged");
    return c;
}

Checkpoints::Seen Checkpoints::read_file() {
    Seen seen;
    each_line(file_, [&](const std::string& line, std::uintmax_t at) {
        ++seen.lines;
        const auto read = checkpoint_from_json(line);
        if (!read || !verify(keys_.public_key(), read->signed_text(), read->signature)) return;
        seen.newest = *read;
        seen.any = true;
        minute_ = read->time / kMinute;
        line_begins_ = at;
    });
    lines_ = seen.lines;
    std::error_code none;
    const auto size = std::filesystem::file_size(file_, none);
    end_ = none ? 0 : size;
    return seen;
}

Result<> Checkpoints::note(store::Database& database, const std::string& damage) const {
    spdlog::error("{}; `tandem audit verify` says more", damage);
    return note_damage(database, unix_ms(clock_.wall()), damage);
}

Result<> Checkpoints::compare(store::Database& database, const Seen& seen) {
    const auto head = head_of(database);
    if (!head) return fail(head.error());
    auto end = end_of(database, *head);
    if (!end) return fail(end.error());
    const auto there = count_records(database, "SELECT count(*) FROM egress");
    if (!there) return fail(there.error());
    // Records of the first version are of a program that wrote no checkpoints.
    const auto since_checkpoints =
        count_records(database, "SELECT EXISTS (SELECT 1 FROM egress WHERE operation != '')");
    if (!since_checkpoints) return fail(since_checkpoints.error());
    Result<> noted;
    auto tell = [&](const std::string& damage) {
        if (noted) noted = note(database, damage);
    };
    if (!*head) tell("the head of the egress record is missing");
    if (*there < end->records || (*head && (*head)->records < end->records))
        tell(fmt::format(
            "the egress record has {} entries, its head says {}, and its last one is {}: its end is missing or "
            "its head was changed",
            *there, *head ? (*head)->records : 0, end->records));
    if (seen.any && seen.newest.records > end->records) {
        tell(fmt::format("the egress record has {} entries, and it had {}: its end is missing", *there,
                         seen.newest.records));
        minute_ = -1;  // that line is evidence, and stays
        end->records = seen.newest.records;
        end->hash = seen.newest.hash;
    }
    const auto missing = missing_of_file(*head, seen.lines, seen.any ? seen.newest.records : -1, end->records);
    if (!missing.empty() && ((*head && (*head)->signed_lines > 0) || *since_checkpoints > 0)) tell(missing);
    if (!noted) return noted;
    if (!*head || (*head)->records != end->records)
        if (auto ok = raise_head(database, end->records, end->hash); !ok) return ok;
    last_.records = end->records;
    last_.hash = end->hash;
    return {};
}

Result<> Checkpoints::start(store::Store& store) {
    store_ = &store;
    const auto seen = read_file();
    auto ok = store.run([&](store::Database& database) { return compare(database, seen); });
    if (!ok) return ok;
    last_.time = unix_ms(clock_.wall());
    const auto& newest = seen.newest;
    written_ = seen.any && newest.records == last_.records && newest.hash == last_.hash ? last_.records : -1;
    if (written_ >= 0) note_written(written_);
    thread_ = std::thread([this] { run(); });
    return {};
}

void Checkpoints::stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

void Checkpoints::committed(std::int64_t sequence, const std::string& hash) {
    const std::lock_guard lock(mutex_);
    if (sequence <= last_.records) return;
    last_.records = sequence;
    last_.hash = hash;
    last_.time = unix_ms(clock_.wall());
}

void Checkpoints::run() {
    bool told = false;
    std::unique_lock lock(mutex_);
    while (true) {
        if (last_.records != written_) {
            auto checkpoint = last_;
            lock.unlock();
            checkpoint.signature = keys_.sign(checkpoint.signed_text());
            const auto ok = write(checkpoint);
            if (ok) note_written(checkpoint.records);
            if (!ok && !std::exchange(told, true))
                spdlog::error("a checkpoint of the egress record could not be written: {}", ok.error().message);
            lock.lock();
            if (ok) {
                written_ = checkpoint.records;
                told = false;
            } else if (stopping_) {
                return;
            }
        }
        if (stopping_ && last_.records == written_) return;
        wake_.wait_for(lock, kEvery, [this] { return stopping_; });
    }
}

Result<> Checkpoints::write(const Checkpoint& checkpoint) {
    const int fd = open(file_.c_str(), O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(ErrorCode::storage, fmt::format("cannot write {}: {}", file_.string(), std::strerror(errno)));
    const auto end = lseek(fd, 0, SEEK_END);
    if (end >= 0 && static_cast<std::uintmax_t>(end) < end_) {
        minute_ = -1;
        const auto cut = store_->run([&](store::Database& database) {
            return note(
                database,
                fmt::format("the file of checkpoints {} was cut or removed while the server ran: it had {} lines",
                            file_.string(), lines_));
        });
        if (!cut) spdlog::error("that could not be noted: {}", cut.error().message);
    }
    // The last line of this minute is written over; a crash in between loses a note, not a record.
    const bool over = checkpoint.time / kMinute == minute_ && static_cast<off_t>(line_begins_) < end;
    const auto at = over ? static_cast<off_t>(line_begins_) : end;
    const auto line = to_json(checkpoint) + "\n";
    const bool good = pwrite(fd, line.data(), line.size(), at) == static_cast<ssize_t>(line.size()) &&
                      ftruncate(fd, at + static_cast<off_t>(line.size())) == 0;
    close(fd);
    if (!good)
        return fail(ErrorCode::storage, fmt::format("cannot write {}: {}", file_.string(), std::strerror(errno)));
    minute_ = checkpoint.time / kMinute;
    line_begins_ = static_cast<std::uintmax_t>(at);
    end_ = line_begins_ + line.size();
    if (!over) ++lines_;
    return {};
}

// After the file, never before it: the file may be ahead of what the database knows of it, not behind.
void Checkpoints::note_written(std::int64_t records) {
    const auto ok = store_->run([&](store::Database& database) { return note_signed(database, records, lines_); });
    if (!ok) spdlog::error("the length of the file of checkpoints could not be noted: {}", ok.error().message);
}

Result<CheckpointVerdict> verify_checkpoints(const std::filesystem::path& file, const PublicKey& key,
                                             store::Database& database) {
    CheckpointVerdict verdict;
    std::string why;
    auto break_with = [&](std::string text) {
        if (verdict.broken.empty()) verdict.broken = std::move(text);
    };
    std::optional<Error> failed;
    // Read before the file, which is written first.
    const auto head = head_of(database);
    if (!head) return fail(head.error());
    const auto there = count_records(database, "SELECT count(*) FROM egress");
    if (!there) return fail(there.error());
    each_line(file, [&](const std::string& line, std::uintmax_t) {
        const auto number = ++verdict.checkpoints;
        const auto read = checkpoint_from_json(line);
        if (!read || !verify(key, read->signed_text(), read->signature))
            return break_with(fmt::format("checkpoint {} is not signed by this folder's key, or was changed", number));
        verdict.newest = *read;
        if (read->records == 0) return;
        auto row = database.prepare("SELECT hash FROM egress WHERE sequence = ?");
        row.bind(1, read->records);
        const auto found = row.step();
        if (!found) {
            failed = found.error();
        } else if (!*found) {
            break_with(fmt::format("the record had {} entries at checkpoint {}, and its end is missing", read->records,
                                   number));
        } else if (row.text(0) != read->hash) {
            break_with(fmt::format("record {} is not the one that checkpoint {} saw", read->records, number));
        }
    });
    if (failed) return fail(*failed);
    break_with(
        missing_of_file(*head, verdict.checkpoints, verdict.checkpoints > 0 ? verdict.newest.records : -1, *there));
    return verdict;
}

Result<RecordVerdict> verify_record(const std::filesystem::path& data, const std::filesystem::path& checkpoints,
                                    store::Database& database) {
    RecordVerdict verdict;
    auto chain = verify_egress(database);
    if (!chain) return fail(chain.error());
    verdict.chain = std::move(*chain);
    const auto key = public_key_of(data);
    if (!key && key.error().code == ErrorCode::not_found) {
        // A version before checkpoints had no key, and signed nothing.
        const auto head = head_of(database);
        if (!head) return fail(head.error());
        if (head->value_or(Head{}).signed_lines > 0 || std::filesystem::exists(checkpoints))
            verdict.checkpoints.broken =
                "the key that signed the checkpoints (privacy.key in the data folder) is gone, so they prove nothing; "
                "put it back from a backup";
        return verdict;
    }
    if (!key) return fail(key.error());
    auto compared = verify_checkpoints(checkpoints, *key, database);
    if (!compared) return fail(compared.error());
    verdict.checkpoints = std::move(*compared);
    return verdict;
}

}  // namespace tandem::privacy
