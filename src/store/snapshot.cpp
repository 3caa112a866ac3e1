#include "store/snapshot.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace tandem::store {

namespace {

constexpr int kBusyTimeoutMs = 5'000;

std::unexpected<Error> failed(sqlite3* handle, std::string_view what, const std::filesystem::path& file) {
    const int code = sqlite3_errcode(handle);
    const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return fail(damaged ? ErrorCode::invalid : ErrorCode::storage,
                fmt::format("cannot {} {}: {}", what, file.string(), sqlite3_errmsg(handle)));
}

}  // namespace

void Snapshot::Close::operator()(sqlite3* handle) const {
    sqlite3_close(handle);
}

Result<Snapshot> Snapshot::of(const std::filesystem::path& file) {
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored))
        return fail(Fault::ledger_not_found,
                    fmt::format("there is no ledger at {} yet; `tandem serve` makes it", file.string()));
    sqlite3* raw = nullptr;
    // For writing, since a reader of a WAL takes part in its shared memory; the pragma keeps it a reader.
    const int opened = sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    Handle handle(raw);
    if (opened != SQLITE_OK) return failed(raw, "open", file);
    sqlite3_busy_timeout(raw, kBusyTimeoutMs);
    constexpr auto kBegin =
        "PRAGMA trusted_schema = OFF; PRAGMA query_only = ON; BEGIN; SELECT count(*) FROM sqlite_master;";
    if (sqlite3_exec(raw, kBegin, nullptr, nullptr, nullptr) != SQLITE_OK) return failed(raw, "read", file);
    return Snapshot(std::move(handle));
}

Result<> Snapshot::copy_to(const std::filesystem::path& target) {
    sqlite3* raw = nullptr;
    const int opened = sqlite3_open_v2(target.c_str(), &raw,
                                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    const Handle copy(raw);
    // Nothing is lost where the copy breaks off: it is begun anew.
    constexpr auto kFast = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;";
    if (opened != SQLITE_OK || sqlite3_exec(raw, kFast, nullptr, nullptr, nullptr) != SQLITE_OK)
        return failed(raw, "write", target);
    sqlite3_backup* backup = sqlite3_backup_init(raw, "main", handle_.get(), "main");
    if (backup == nullptr) return failed(raw, "write", target);
    sqlite3_backup_step(backup, -1);
    if (sqlite3_backup_finish(backup) != SQLITE_OK) return failed(raw, "copy the ledger to", target);
    return {};
}

}  // namespace tandem::store
