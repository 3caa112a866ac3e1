// Work that has to be done whatever happens. A job is a row until it has ended: it waits for its time and its turn, is
// begun again after a crash, and hears when its owner wants it ended. What comes of it is its kind's to keep.
//
// A new kind of job is a file and a line in src/job_kinds.cpp.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/label.h"
#include "base/world.h"
#include "jobs/runner.h"
#include "jobs/turns.h"
#include "net/event.h"
#include "store/store.h"

namespace tandem::jobs {

extern const char* const kJobsSchema;
extern const char* const kJobsSchema2;  // how private a job is, and who pays

struct Job {
    std::string id;  // no other job of any kind has it
    std::string kind;
    std::string owner;            // id of a principal
    Label label = Label::secret;  // of the payload and the progress, and of what it asks, at least
    std::string budget = {};      // id of the principal who pays for what it asks; empty: it asks no model
    std::string payload = {};     // what its kind wants to know; at most kMostPayload bytes
    std::string progress = {};    // what its kind has noted of it, as payload
    std::int64_t created = 0;     // Unix seconds
    std::int64_t due = 0;         // Unix milliseconds; it is not begun before
    std::int64_t begun = 0;       // how often it was: an end that an earlier one tells late does not count
    bool ends = false;            // its owner wants it ended
    bool operator==(const Job&) const = default;
};
inline constexpr std::size_t kMostPayload = 64UL << 10;

// Inside a transaction, which may hold what the job is about. Errors: storage; too_large, for a payload or progress.
Result<> put(store::Database& database, const Job& job);
// Its owner wants it ended; of a job that is none, nothing happens. Errors: storage.
Result<> want_ended(store::Database& database, const std::string& id);
// Of one kind, or all where it is empty; oldest first. Errors: storage.
Result<std::vector<Job>> open_jobs(store::Database& database, std::string_view kind = {});

// Safe from any thread.
class Queue {
  public:
    // What a job under way has. On the worker's thread.
    struct Context {
        const Job& job;
        net::Worker& worker;
        net::Cancel& cancel;            // fired when the server stops: then the job is begun again at its next start
        const std::atomic<bool>& ends;  // its owner wants it ended
        net::Event& told;               // happens when `ends` becomes true
        // Keeps how far it is, for the next time that it is begun. Errors: storage, too_large.
        std::function<net::Task<Result<>>(std::string progress)> note;
    };
    // How a job ended, this time.
    struct Outcome {
        seconds again{0};  // 0: it is done
        std::string why;   // it is begun again, for the log
    };
    static Outcome done() { return {}; }
    static Outcome again(seconds after, std::string why) { return {after, std::move(why)}; }
    // The server stops in its middle: the next start begins it again.
    static Outcome interrupted() { return {seconds(1), "the server stops"}; }
    using Run = std::function<net::Task<Outcome>(Context& context)>;

    Queue(store::Store& store, const Clock& clock, Runner& runner) : store_(store), clock_(clock), runner_(runner) {}

    // Before start(). An exception of `run` is an outcome too: the job is begun again, later each time.
    void add(std::string kind, Turns::Limits limits, Run run);
    // Takes up all that has not ended. Workers outlive the runner's work. Errors: storage.
    Result<> start(const std::vector<net::Worker*>& workers);

    // After the commit of put().
    void enter(Job job);
    // After the commit of want_ended(). A job that is not entered yet finds that out when it is begun.
    void end(const std::string& id);
    // At work, or waiting for its turn.
    std::size_t open_of(std::string_view kind, const std::string& owner) const;

  private:
    struct Kind {
        Kind(Turns::Limits limits, Run of) : turns(limits), run(std::move(of)) {}
        Turns turns;
        Run run;
    };
    // A job that has not ended.
    struct Open {
        explicit Open(Job of) : job(std::move(of)), ends(job.ends) {}
        Job job;
        std::atomic<bool> ends;
        net::Event told;
        bool again = false;    // it waits for another begin, which takes its time also where it shall end
        bool in_turn = false;  // it was begun in its turn: one that shall end does not wait for that
    };
    net::Worker& next_worker();
    // A job has its time first, then its turn. Where the server is stopping, it is begun at the next start.
    void wait(const std::shared_ptr<Open>& open, Kind& kind);
    void take_turn(const std::shared_ptr<Open>& open, Kind& kind);
    void end_waiting(const std::shared_ptr<Open>& open, Kind& kind);
    void begin(const std::shared_ptr<Open>& open, Kind& kind, bool in_turn);
    bool is_due(const Open& open) const;
    std::int64_t now() const { return unix_ms(clock_.wall()); }  // Unix milliseconds
    net::Task<> run(std::shared_ptr<Open> open, Kind& kind, net::Worker& worker, net::Cancel& cancel);
    net::Task<Outcome> run_once(Open& open, Kind& kind, net::Worker& worker, net::Cancel& cancel);
    net::Task<> sleep(std::shared_ptr<Open> open, Kind& kind, net::Worker& worker, net::Cancel& cancel);

    store::Store& store_;
    const Clock& clock_;
    Runner& runner_;
    std::unordered_map<std::string, std::unique_ptr<Kind>> kinds_;  // as it is once it has started
    std::vector<net::Worker*> workers_;
    std::atomic<std::size_t> next_worker_ = 0;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<Open>> open_;
};

}  // namespace tandem::jobs
