// Keeps the index as the folders are: one thread of low priority that listens, looks, reads, writes, merges and
// forgets. Whatever it has committed survives `kill -9`, and what it had not it finds again by looking through the
// folders.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/world.h"
#include "config/config.h"
#include "retrieval/extract/extractor.h"
#include "retrieval/index/labels.h"
#include "retrieval/index/library.h"
#include "retrieval/lexical/builder.h"
#include "retrieval/watch/walk.h"
#include "retrieval/watch/watcher.h"
#include "store/store.h"

namespace tandem::retrieval {

// The reason of files that nobody expects to be read: they are counted, and are no failures.
inline constexpr const char* kOtherFormat = "its format is not read";

// After the disk or the sandbox failed us, until it is tried again.
inline constexpr std::chrono::seconds kRetryAfter{10};

// How far one collection is.
struct Progress {
    std::int64_t files = 0, failed = 0, other = 0;  // that are known
    std::int64_t waiting = 0, waiting_bytes = 0;    // that are to be read
    bool looked = false;                            // through the whole folder, since it was added or the start
    bool looking = false;                           // a look is due or under way
    bool watched = true;                            // the system tells of each change
    std::string trouble;                            // what stands against it; empty: nothing
    std::int64_t looked_at = 0;                     // when the last look through all of it ended, Unix ms; 0: never
};

struct Overview {
    std::map<std::int64_t, Progress> collections;
    std::uint64_t bytes = 0;  // of the index on the disk
    bool full = false;        // retrieval.max_bytes is reached: new files are not taken
    std::size_t documents = 0, segments = 0, chunks = 0;
    double bytes_per_second = 0;  // of files, while it reads
    std::uint64_t overflows = 0;  // how often changes were lost, and all folders looked through
    std::string trouble;          // of the whole; empty: nothing
    std::string held;             // what the process that reads files is held to
    bool forgetting = false;      // words of deleted files may still be on the disk
    // Nothing is left to do that is known of.
    bool is_current() const;
};

class Indexer {
  public:
    struct Settings {
        std::filesystem::path folder;              // of the index: data/index
        std::vector<std::filesystem::path> never;  // looked into: our data, our settings with their secrets
        std::filesystem::path program;             // a tandem
        config::Retrieval retrieval;
        config::Sandbox sandbox = config::Sandbox::automatic;
    };
    // Called with each new snapshot, on the indexer's thread.
    using Publish = std::function<void(std::shared_ptr<const Snapshot>)>;

    Indexer(store::Store& store, Random& random, Settings settings, Detectors detectors, Publish publish);
    ~Indexer();
    Indexer(const Indexer&) = delete;
    Indexer& operator=(const Indexer&) = delete;

    // Reads the tables and maps the segments. Errors: storage.
    Result<> load();
    void start();

    // From any thread; each takes effect on the indexer's own.
    void configure(config::Retrieval retrieval, Detectors detectors);
    void collections_changed();             // the table has others now
    void rebuild(std::int64_t collection);  // reads all of its files anew
    Overview overview() const;
    // Waits until nothing is left to do, or `stopped` says so.
    void wait_until_current(const std::function<bool()>& stopped);

  private:
    using Time = std::chrono::steady_clock::time_point;
    struct Look {
        std::int64_t collection;
        std::string folder;
        auto operator<=>(const Look&) const = default;
    };
    struct Due {
        Time time;
        bool deep;
    };
    struct NewDocument {
        DocumentRow row;
        std::vector<ChunkRow> chunks;
    };
    struct Batch {
        std::vector<NewDocument> documents;
        std::map<std::pair<std::int64_t, std::string>, std::optional<FileRow>> files;  // nullopt: it is removed
        std::size_t bytes = 0;
    };
    struct Command {
        bool collections = false;
        std::set<std::int64_t> rebuild;
        std::optional<config::Retrieval> retrieval;
        std::optional<Detectors> detectors;
    };

    // indexer.cpp: the thread
    void run();
    bool step();
    void take_commands();
    void take_collections();
    void take_changes();
    void wait();
    void tell(bool idle);
    void say(const std::string& trouble);

    // look.cpp: what is in the folders
    void schedule(std::int64_t collection, const std::string& folder, bool deep, Time due);
    bool look_at_due();
    void look(const Look& look, bool deep);
    void consider(std::int64_t collection, const std::string& path, const FileState& state);
    void note_folder(std::int64_t collection, const std::string& folder, std::set<std::string>& listed);
    void drop_unseen(const Look& look, bool deep, const std::set<std::string>& seen,
                     const std::set<std::string>& listed);
    void remove_file(std::int64_t collection, const std::string& path);
    Progress& progress(std::int64_t collection) { return now_.collections[collection]; }

    // read.cpp: what is in the files
    bool read_next();
    void read_file(std::int64_t collection, const std::string& path);
    void put_file(FileRow row);
    Document* document_of(const std::string& path, const std::string& bytes, std::string& reason);
    Document* add_document(DocumentRow row, Extracted extracted, const std::string& name);
    void relabel_some();

    // commit.cpp: what is on the disk
    bool flush();
    Result<> write_batch(Batch& batch);
    Result<> write_segment();
    Result<> cover_and_publish();
    Result<> index_again(const std::vector<Library::Missing>& missing);
    Result<> load_segments();
    bool merge_some();
    Result<> replace(const std::vector<std::shared_ptr<const Segment>>& old);
    bool forget_due() const;
    Result<> forget();
    void measure();
    std::filesystem::path segment_file();

    store::Store& store_;
    Random& random_;
    Settings settings_;
    Detectors detectors_;
    Publish publish_;
    Extractor extractor_;
    Library library_;
    Stemmer stemmer_;
    SegmentBuilder builder_;
    Batch batch_;
    std::vector<std::shared_ptr<const Segment>> segments_;  // the newest first
    std::shared_ptr<const Snapshot> snapshot_;
    bool published_ = true;  // the snapshot is of the library as it is

    Watcher watcher_;
    std::map<std::int64_t, Walk> walks_;
    std::map<std::int64_t, std::set<std::string>> folders_;  // that were looked into
    std::map<Look, Due> looks_;
    std::map<std::int64_t, Time> next_look_;  // through all of a collection
    std::deque<std::pair<std::int64_t, std::string>> todo_;
    std::map<std::pair<std::int64_t, std::string>, std::int64_t> waiting_;  // of todo_: bytes
    Time flush_at_, retry_at_, speed_since_;
    std::optional<Time> dead_since_;  // words or names of what is gone are on the disk since then
    std::uint64_t read_bytes_ = 0;
    bool relabelled_ = false;

    Overview now_;  // the indexer's own
    mutable std::mutex mutex_;
    mutable std::condition_variable told_;
    Overview overview_;  // what others see
    Command command_;
    bool idle_ = false;  // nothing is left to do, and no command waits
    std::atomic<bool> stopping_{false};
    std::atomic<bool> hurried_{false};  // somebody waits for the end of all work
    Descriptor wake_;
    std::thread thread_;
};

}  // namespace tandem::retrieval
