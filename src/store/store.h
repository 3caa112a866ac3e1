// The database: one SQLite file in WAL mode, one thread that writes, groups of jobs committed together.
//
// A job is a piece of work inside a transaction. It is "done" when its group is committed, and what is done survives
// `kill -9` of this process; with Durability::power the group is also on the disk. Tables belong to the modules that
// use them; their migrations are handed in at open.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace tandem::store {

enum class Durability { process, power };

// A prepared statement in use. Parameters are numbered from 1, columns from 0.
class Statement {
  public:
    Statement(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
    ~Statement();  // ready for the next use
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    Statement& bind(int index, std::int64_t value);
    Statement& bind(int index, std::string_view text);  // borrowed until the statement goes
    Statement& bind_copy(int index, std::string_view text);
    Statement& bind_blob(int index, std::string_view bytes);
    // True for a row. Errors: storage.
    Result<bool> step();
    // For a statement without rows. Errors: storage.
    Result<> run();
    std::int64_t integer(int column) const;
    std::string text(int column) const;

  private:
    sqlite3* database_;
    sqlite3_stmt* statement_;
};

// An open database with its prepared statements, for one thread.
class Database {
  public:
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    // Read-only, for commands beside a running server. Errors: not_found, storage.
    static Result<std::unique_ptr<Database>> open_to_read(const std::filesystem::path& file);

    // `sql` is a literal, or else lives as long as the database; it is prepared once.
    Statement prepare(const char* sql);
    // Statements without parameters, separated by semicolons. Errors: storage.
    Result<> execute(const std::string& sql);
    std::int64_t changes() const;

  private:
    friend class Store;
    struct State;
    explicit Database(std::unique_ptr<State> state);
    static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file, bool write);
    std::unique_ptr<State> state_;
};

// A step from one version of the schema to the next. Never changed once released; new ones are added behind.
struct Migration {
    const char* sql;
};

class Store {
  public:
    using Job = std::function<Result<>(Database&)>;
    using Done = std::function<void(Result<>)>;

    // Opens or creates the file, brings it to the newest version, and starts the writer.
    // Errors: storage; a file of a newer version than `migrations` has is refused untouched.
    static Result<std::unique_ptr<Store>> open(const std::filesystem::path& file, std::span<const Migration> migrations,
                                               Durability durability);
    // The same without threads: submit() commits each job at once, and calls its `done`, on the caller's thread. For a
    // simulation, which has one.
    static Result<std::unique_ptr<Store>> open_at_once(const std::filesystem::path& file,
                                                       std::span<const Migration> migrations);
    // Commits what is queued, then ends the thread.
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    // Queues a job; from any thread, in order. `done` is called once, on the writer thread, after the commit or with
    // the error (storage) that undid the job alone.
    void submit(Job job, Done done);
    // The same, and waits. Not from the writer thread.
    Result<> run(Job job);

    // For a thread that works in turns: what it submits in one is committed together, and wakes the writer once, when
    // it calls end_turn(). It must do so before it waits for anything. Before the first call a thread has no turns, and
    // each submit() of it wakes the writer.
    void end_turn();

  private:
    struct State;
    explicit Store(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace tandem::store
