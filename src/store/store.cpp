#include "store/store.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sqlite3.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

namespace tandem::store {

namespace {

// Jobs of one transaction at most: bounds how long the first of them waits for the rest.
constexpr std::size_t kLargestGroup = 512;
constexpr int kBusyTimeoutMs = 5'000;
// Between the beginnings of two commits at least: under load, groups grow and the fixed cost of a commit is shared; a
// commit after a quiet time does not wait.
constexpr std::chrono::microseconds kCommitInterval{20};
// Once the log has so many pages, or kQuietPages and nobody writes, a thread of its own moves it into the database; the
// writer then moves the little that came meanwhile, since only a log that is moved whole is begun anew. That waits for
// the disk, some milliseconds, so under load the log is long.
constexpr int kCheckpointPages = 48'000;
constexpr int kQuietPages = 1'000;
constexpr std::chrono::milliseconds kQuiet{500};
constexpr int kCheckpointPasses = 2;  // the second takes what came during the first, and is short

struct Turn {
    bool open = false;       // the thread has turns, and will end this one
    bool submitted = false;  // in this turn
};
thread_local Turn turn;

std::unexpected<Error> storage_error(sqlite3* database, std::string_view what) {
    const int code = sqlite3_errcode(database);
    std::string_view advice;
    if (code == SQLITE_FULL)
        advice = "; the disk is full: free some space, and service resumes by itself";
    else if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        advice = "; the file is damaged: restore it from a backup, or move it away to start a new one";
    else if (code == SQLITE_READONLY || code == SQLITE_CANTOPEN || code == SQLITE_PERM)
        advice = "; check the owner and the mode of the data folder";
    return fail(ErrorCode::storage, fmt::format("{}: {}{}", what, sqlite3_errmsg(database), advice));
}

}  // namespace

Statement::~Statement() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

Statement& Statement::bind(int index, std::int64_t value) {
    if (statement_ != nullptr) sqlite3_bind_int64(statement_, index, value);
    return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
    if (statement_ != nullptr)
        sqlite3_bind_text64(statement_, index, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_STATIC,
                            SQLITE_UTF8);
    return *this;
}

Statement& Statement::bind_copy(int index, std::string_view text) {
    if (statement_ != nullptr)
        sqlite3_bind_text64(statement_, index, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8);
    return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
    if (statement_ != nullptr)
        sqlite3_bind_blob64(statement_, index, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(),
                            SQLITE_STATIC);
    return *this;
}

Result<bool> Statement::step() {
    if (statement_ == nullptr) return storage_error(database_, "the database does not take a statement");
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return storage_error(database_, "the database failed");
}

Result<> Statement::run() {
    if (auto row = step(); !row) return fail(row.error());
    return {};
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::string Statement::text(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return bytes == nullptr ? std::string()
                            : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

struct Database::State {
    sqlite3* handle = nullptr;
    std::unordered_map<const char*, sqlite3_stmt*> statements;
    ~State() {
        for (const auto& [sql, statement] : statements) sqlite3_finalize(statement);
        sqlite3_close(handle);
    }
};

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file, bool write) {
    auto state = std::make_unique<State>();
    const int flags =
        (write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(file.c_str(), &state->handle, flags, nullptr) != SQLITE_OK)
        return storage_error(state->handle, fmt::format("cannot open {}", file.string()));
    sqlite3_busy_timeout(state->handle, kBusyTimeoutMs);
    std::unique_ptr<Database> database(new Database(std::move(state)));
    // Refuses the tricks of a crafted file (https://www.sqlite.org/security.html).
    if (auto ok = database->execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"); !ok)
        return fail(ok.error());
    return database;
}

Result<std::unique_ptr<Database>> Database::open_to_read(const std::filesystem::path& file) {
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored))
        return fail(Fault::ledger_not_found,
                    fmt::format("there is no ledger at {} yet; `tandem serve` makes it", file.string()));
    // The file is opened for writing, since a reader of a WAL takes part in its shared memory; the pragma keeps it a
    // reader.
    auto database = open(file, false);
    if (!database) return database;
    if (auto ok = (*database)->execute("PRAGMA query_only = ON;"); !ok) return fail(ok.error());
    return database;
}

Statement Database::prepare(const char* sql) {
    auto& statement = state_->statements[sql];
    if (statement == nullptr &&
        sqlite3_prepare_v3(state_->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
        spdlog::error("cannot prepare '{}': {}", sql, sqlite3_errmsg(state_->handle));
    return {state_->handle, statement};
}

Result<> Database::execute(const std::string& sql) {
    if (sqlite3_exec(state_->handle, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return storage_error(state_->handle, "the database failed");
    return {};
}

std::int64_t Database::changes() const {
    return sqlite3_changes64(state_->handle);
}

struct Store::State {
    struct Entry {
        Job job;
        Done done;
        Result<> result;
    };

    std::unique_ptr<Database> database;
    std::mutex mutex;
    std::condition_variable wake;
    std::vector<Entry> queue;
    bool due = false;      // what is queued is not to wait for the end of a thread's turn
    bool waiting = false;  // the writer, on the condition
    std::atomic<bool> ending{false};
    std::thread thread;
    bool at_once = false;

    std::unique_ptr<Database> checkpointer;
    std::mutex checkpoint_mutex;
    std::condition_variable checkpoint_wake;
    std::atomic<bool> checkpoint_wanted{false};
    std::atomic<bool> checkpoint_rest{false};  // for the writer
    bool checkpoint_ending = false;
    std::thread checkpoint_thread;
    int log_pages = 0;  // for the writer: not in the database yet, at most

    // Whether the writer has to be woken for what is queued. The mutex is held.
    bool make_due() { return !std::exchange(due, true) && waiting; }

    void loop() {
        prctl(PR_SET_TIMERSLACK, 1'000UL, 0, 0, 0);  // nanoseconds: the usual 50 us would double the interval
        std::vector<Entry> group;
        auto next_commit = std::chrono::steady_clock::now();
        while (true) {
            // Not on the condition: what is submitted meanwhile needs to wake nobody.
            if (const auto now = std::chrono::steady_clock::now(); now < next_commit && !ending)
                std::this_thread::sleep_for(next_commit - now);
            {
                std::unique_lock lock(mutex);
                if (!wait_for_work(lock)) {
                    lock.unlock();
                    tidy();
                    continue;
                }
                if (queue.empty()) return;
                if (queue.size() <= kLargestGroup) {
                    group.swap(queue);
                    due = false;
                } else {
                    const auto end = queue.begin() + kLargestGroup;
                    group.assign(std::make_move_iterator(queue.begin()), std::make_move_iterator(end));
                    queue.erase(queue.begin(), end);
                }
            }
            next_commit = std::chrono::steady_clock::now() + kCommitInterval;
            commit(group);
            for (auto& entry : group) entry.done(std::move(entry.result));
            group.clear();
        }
    }

    // False where nothing came for a while and the log is worth moving.
    bool wait_for_work(std::unique_lock<std::mutex>& lock) {
        const auto came_due = [&] { return ending || due; };
        waiting = true;
        const bool worth = log_pages >= kQuietPages || checkpoint_rest;
        const bool came = worth ? wake.wait_for(lock, kQuiet, came_due) : (wake.wait(lock, came_due), true);
        waiting = false;
        return came;
    }

    // Moves the rest of the log, or has it moved.
    void tidy() {
        if (checkpoint_rest.exchange(false)) {
            sqlite3_wal_checkpoint_v2(database->state_->handle, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
            log_pages = 0;
        } else if (!checkpoint_wanted.exchange(true)) {
            const std::lock_guard lock(checkpoint_mutex);
            checkpoint_wake.notify_one();
        }
    }

    // sqlite3_wal_hook: called after each commit, with the pages of the log.
    static int on_commit(void* context, sqlite3*, const char*, int pages) {
        auto& state = *static_cast<State*>(context);
        state.log_pages = pages;
        if (state.checkpoint_rest || pages >= kCheckpointPages) state.tidy();
        return SQLITE_OK;
    }

    // A checkpoint waits for the disk; nobody waits for it.
    void checkpoint_loop() {
        while (true) {
            {
                std::unique_lock lock(checkpoint_mutex);
                checkpoint_wake.wait(lock, [&] { return checkpoint_ending || checkpoint_wanted; });
                if (checkpoint_ending) return;
            }
            for (int pass = 0; pass < kCheckpointPasses; ++pass)
                sqlite3_wal_checkpoint_v2(checkpointer->state_->handle, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                                          nullptr);
            checkpoint_rest = true;
            checkpoint_wanted = false;
        }
    }

    // All jobs in one transaction; where that fails, each in one of its own, so that one job's failure stays its own.
    void commit(std::span<Entry> group) {
        if (const auto together = transaction(group); together || group.size() == 1) {
            for (auto& entry : group) entry.result = together;
            return;
        }
        for (auto& entry : group) entry.result = transaction({&entry, 1});
    }

    Result<> transaction(std::span<Entry> group) {
        if (auto ok = database->prepare("BEGIN IMMEDIATE").run(); !ok) return ok;
        Result<> result;
        for (auto& entry : group) {
            try {
                result = entry.job(*database);
            } catch (const std::exception& error) {
                result = fail(ErrorCode::internal, fmt::format("a database job failed: {}", error.what()));
            }
            if (!result) break;
        }
        if (result) result = database->prepare("COMMIT").run();
        // SQLite may have rolled back on its own, as it does when the disk is full; then this finds nothing to do.
        if (!result && sqlite3_get_autocommit(database->state_->handle) == 0) (void)database->prepare("ROLLBACK").run();
        return result;
    }

    Result<std::int64_t> version() {
        auto statement = database->prepare("PRAGMA user_version");
        if (auto row = statement.step(); !row) return fail(row.error());
        return statement.integer(0);
    }

    Result<> check_version(std::size_t newest) {
        const auto found = version();
        if (!found) return fail(found.error());
        if (*found <= static_cast<std::int64_t>(newest)) return {};
        return fail(ErrorCode::storage,
                    fmt::format("the ledger has version {}, this tandem knows versions up to {}; run the newer tandem "
                                "that wrote it (nothing was changed)",
                                *found, newest));
    }

    Result<> migrate(std::span<const Migration> migrations) {
        const auto found = version();
        if (!found) return fail(found.error());
        for (auto i = static_cast<std::size_t>(*found); i < migrations.size(); ++i) {
            const auto sql =
                fmt::format("BEGIN IMMEDIATE; {} PRAGMA user_version = {}; COMMIT;", migrations[i].sql, i + 1);
            if (auto ok = database->execute(sql); !ok) {
                (void)database->execute("ROLLBACK;");
                return ok;
            }
        }
        return {};
    }
};

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& file, std::span<const Migration> migrations,
                                           Durability durability) {
    auto state = std::make_unique<State>();
    const mode_t mask = umask(0077);  // records name keys and models: for the owner's eyes
    auto database = Database::open(file, true);
    if (database) {
        state->database = std::move(*database);
        const auto pragmas =
            fmt::format("PRAGMA journal_mode = WAL; PRAGMA synchronous = {}; PRAGMA foreign_keys = ON; ",
                        durability == Durability::power ? "FULL" : "NORMAL");
        // The version is checked before anything is written, the journal mode included.
        auto ok = state->check_version(migrations.size());
        if (ok) ok = state->database->execute(pragmas);
        if (ok) ok = state->migrate(migrations);
        if (ok) {
            auto second = Database::open(file, false);
            if (second)
                state->checkpointer = std::move(*second);
            else
                ok = fail(second.error());
            // A connection that has read nothing yet does not know of the log, and its checkpoints do nothing.
            if (ok) ok = state->checkpointer->execute("SELECT count(*) FROM sqlite_master;");
        }
        if (!ok) database = fail(ok.error());
    }
    umask(mask);
    if (!database) return fail(database.error());
    sqlite3_wal_hook(state->database->state_->handle, State::on_commit, state.get());
    state->thread = std::thread([raw = state.get()] { raw->loop(); });
    state->checkpoint_thread = std::thread([raw = state.get()] { raw->checkpoint_loop(); });
    return std::unique_ptr<Store>(new Store(std::move(state)));
}

Result<std::unique_ptr<Store>> Store::open_at_once(const std::filesystem::path& file,
                                                   std::span<const Migration> migrations) {
    auto state = std::make_unique<State>();
    auto database = Database::open(file, true);
    if (!database) return fail(database.error());
    state->database = std::move(*database);
    if (auto ok = state->migrate(migrations); !ok) return fail(ok.error());
    state->at_once = true;
    return std::unique_ptr<Store>(new Store(std::move(state)));
}

Store::~Store() {
    if (state_->at_once) return;
    {
        const std::lock_guard lock(state_->mutex);
        state_->ending = true;
    }
    state_->wake.notify_one();
    state_->thread.join();
    {
        const std::lock_guard lock(state_->checkpoint_mutex);
        state_->checkpoint_ending = true;
    }
    state_->checkpoint_wake.notify_one();
    state_->checkpoint_thread.join();
}

void Store::submit(Job job, Done done) {
    if (state_->at_once) {
        State::Entry entry{std::move(job), std::move(done), {}};
        state_->commit({&entry, 1});
        entry.done(std::move(entry.result));
        return;
    }
    bool wake = false;
    {
        const std::lock_guard lock(state_->mutex);
        state_->queue.push_back({std::move(job), std::move(done), {}});
        if (!turn.open) wake = state_->make_due();
        turn.submitted = turn.open;
    }
    if (wake) state_->wake.notify_one();
}

void Store::end_turn() {
    turn.open = true;
    if (!std::exchange(turn.submitted, false)) return;
    bool wake = false;
    {
        const std::lock_guard lock(state_->mutex);
        // Another thread's turn may have taken them along.
        wake = !state_->queue.empty() && state_->make_due();
    }
    if (wake) state_->wake.notify_one();
}

Result<> Store::run(Job job) {
    std::promise<Result<>> promise;
    auto future = promise.get_future();
    submit(std::move(job), [&](Result<> result) { promise.set_value(std::move(result)); });
    if (turn.open) end_turn();  // this wait is not for its end
    return future.get();
}

}  // namespace tandem::store
