// Signed notes of how long the egress record was and how it ended, in a file apart from it, so that records cut from
// its end are missed. One line of JSON a minute at most, the last of each minute; the newest is at most a second old.
// The database notes how long the file was, so that a file which is cut or removed is missed as well.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"
#include "base/world.h"
#include "privacy/egress.h"
#include "privacy/keys.h"

namespace tandem::privacy {

struct Checkpoint {
    std::int64_t records = 0;  // how many there were, which is the sequence of the last
    std::string hash;          // of the last; 64 zeros where there were none
    std::int64_t time = 0;     // milliseconds since 1970
    Signature signature{};

    std::string signed_text() const;
};

std::string to_json(const Checkpoint& checkpoint);
// Errors: invalid.
Result<Checkpoint> checkpoint_from_json(std::string_view line);

class Checkpoints {
  public:
    // Keys and clock outlive it.
    Checkpoints(std::filesystem::path file, const Keys& keys, const Clock& clock)
        : file_(std::move(file)), keys_(keys), clock_(clock) {}
    ~Checkpoints() { stop(); }
    Checkpoints(const Checkpoints&) = delete;
    Checkpoints& operator=(const Checkpoints&) = delete;

    // Notes where the record is now, and begins to follow it. Where the file says that the record was longer, the next
    // record follows that; where the file is missing or too short, or the record's head is, that is noted in the
    // database. All of it is logged as an error. The store outlives stop(). Errors: storage.
    Result<> start(store::Store& store);
    // Writes what is not written yet, and ends the following. Keys are not used after it.
    void stop();
    // A record that is committed. From any thread.
    void committed(std::int64_t sequence, const std::string& hash);

  private:
    // What the file says, and how the database and it disagree.
    struct Seen {
        Checkpoint newest;
        std::int64_t lines = 0;
        bool any = false;
    };
    Seen read_file();
    Result<> compare(store::Database& database, const Seen& seen);
    Result<> note(store::Database& database, const std::string& damage) const;

    void run();
    Result<> write(const Checkpoint& checkpoint);
    void note_written(std::int64_t records);

    const std::filesystem::path file_;
    const Keys& keys_;
    const Clock& clock_;
    store::Store* store_ = nullptr;
    std::mutex mutex_;
    std::condition_variable wake_;
    Checkpoint last_;
    std::int64_t written_ = -1;
    std::int64_t minute_ = -1;        // of the last line
    std::uintmax_t line_begins_ = 0;  // where that is in the file
    std::uintmax_t end_ = 0;          // of the file, as it was written last
    std::int64_t lines_ = 0;          // of the file
    bool stopping_ = false;
    std::thread thread_;
};

// Compares a file of checkpoints with the record, and with what the database knows of the file: a file that is missing
// or cut is told where there are records. Errors: storage.
struct CheckpointVerdict {
    std::int64_t checkpoints = 0;
    Checkpoint newest;
    std::string broken;  // what is wrong; empty where all agree
};
Result<CheckpointVerdict> verify_checkpoints(const std::filesystem::path& file, const PublicKey& key,
                                             store::Database& database);

// Chain and checkpoints together. `data` is the folder whose key signed them. Errors: storage.
struct RecordVerdict {
    Verdict chain;
    CheckpointVerdict checkpoints;
    std::string broken() const { return chain.broken.empty() ? checkpoints.broken : chain.broken; }
};
Result<RecordVerdict> verify_record(const std::filesystem::path& data, const std::filesystem::path& checkpoints,
                                    store::Database& database);

}  // namespace tandem::privacy
