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
const std::string kNone(64, '0');

// Each line of the file with where it begins.
template <typename Visit>
void each_line(const std::filesystem::path& file, Visit&& visit) {
    std::ifstream in(file, std::ios::binary);
    std::string line;
    std::uintmax_t at = 0;
    while (std::getline(in, line)) {
        visit(line, at);
        at += line.size() + 1;
    }
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

Result<> Checkpoints::start(store::Store& store) {
    Checkpoint newest;
    bool any = false;
    each_line(file_, [&](const std::string& line, std::uintmax_t at) {
        const auto read = checkpoint_from_json(line);
        if (!read) return;
        newest = *read;
        any = true;
        minute_ = read->time / kMinute;
        line_begins_ = at;
    });
    auto ok = store.run([this](store::Database& database) -> Result<> {
        auto last = database.prepare("SELECT sequence, hash FROM egress ORDER BY sequence DESC LIMIT 1");
        const auto row = last.step();
        if (!row) return fail(row.error());
        last_.records = *row ? last.integer(0) : 0;
        last_.hash = *row ? last.text(1) : kNone;
        return {};
    });
    if (!ok) return ok;
    if (any && newest.records > last_.records) {
        spdlog::error(
            "the egress record has {} entries, and it had {}: its end is missing; `tandem audit verify` says "
            "more",
            last_.records, newest.records);
        minute_ = -1;  // that line is evidence, and stays
    }
    last_.time = clock_.wall().time_since_epoch().count();
    written_ = any && newest.records == last_.records && newest.hash == last_.hash ? last_.records : -1;
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
    last_.time = clock_.wall().time_since_epoch().count();
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
    const int fd = open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(ErrorCode::storage, fmt::format("cannot write {}: {}", file_.string(), std::strerror(errno)));
    const auto end = lseek(fd, 0, SEEK_END);
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
    return {};
}

Result<CheckpointVerdict> verify_checkpoints(const std::filesystem::path& file, const PublicKey& key,
                                             store::Database& database) {
    CheckpointVerdict verdict;
    std::string why;
    auto break_with = [&](std::string text) {
        if (verdict.broken.empty()) verdict.broken = std::move(text);
    };
    std::optional<Error> failed;
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
    return verdict;
}

Result<RecordVerdict> verify_record(const std::filesystem::path& data, const std::filesystem::path& checkpoints,
                                    store::Database& database) {
    RecordVerdict verdict;
    auto chain = verify_egress(database);
    if (!chain) return fail(chain.error());
    verdict.chain = std::move(*chain);
    const auto key = public_key_of(data);
    if (!key && key.error().code == ErrorCode::not_found) return verdict;  // of a version before checkpoints
    if (!key) return fail(key.error());
    auto compared = verify_checkpoints(checkpoints, *key, database);
    if (!compared) return fail(compared.error());
    verdict.checkpoints = std::move(*compared);
    return verdict;
}

}  // namespace tandem::privacy
