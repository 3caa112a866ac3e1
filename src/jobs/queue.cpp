#include "jobs/queue.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "net/event.h"
#include "store/query.h"
#include "store/row.h"

namespace tandem::jobs {

const char* const kJobsSchema =
    "CREATE TABLE jobs (id TEXT PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL, payload TEXT NOT NULL, progress "
    "TEXT NOT NULL, created INTEGER NOT NULL, due INTEGER NOT NULL, begun INTEGER NOT NULL, ends INTEGER NOT NULL) "
    "STRICT;"
    // Batches that an earlier version has left.
    "INSERT INTO jobs SELECT id, 'batch', key, '', '', created, 0, 0, status = 'cancelling' FROM kept_batches WHERE "
    "status IN ('in_progress', 'cancelling', 'finalizing');";

const char* const kJobsSchema2 =
    "ALTER TABLE jobs ADD COLUMN label INTEGER NOT NULL DEFAULT 3;"
    "ALTER TABLE jobs ADD COLUMN budget TEXT NOT NULL DEFAULT '';"
    "UPDATE jobs SET budget = owner, label = COALESCE((SELECT b.label FROM kept_batches b WHERE b.id = jobs.id), 3) "
    "WHERE kind = 'batch';"
    "UPDATE jobs SET label = 1 WHERE kind = 'alert';";

namespace {

constexpr seconds kFirstPause{2}, kLongestPause{600};  // before a job is begun again that has thrown

Result<> check_size(std::string_view what, std::string_view text) {
    if (text.size() <= kMostPayload) return {};
    return fail(ErrorCode::too_large,
                fmt::format("the {} of a job has {} bytes, and {} are kept at most", what, text.size(), kMostPayload));
}

const store::Table<Job>& table() {
    static const store::Table<Job> jobs(
        "jobs", {store::column("id", &Job::id), store::column("kind", &Job::kind), store::column("owner", &Job::owner),
                 store::label("label", &Job::label), store::column("budget", &Job::budget),
                 store::column("payload", &Job::payload), store::column("progress", &Job::progress),
                 store::column("created", &Job::created), store::column("due", &Job::due),
                 store::column("begun", &Job::begun), store::column("ends", &Job::ends)});
    return jobs;
}

// Of the one that was begun so often: what an earlier one does late changes nothing.
constexpr const char* kEnd = "DELETE FROM jobs WHERE id = ? AND begun = ?";
constexpr const char* kAgain = "UPDATE jobs SET due = ? WHERE id = ? AND begun = ?";
constexpr const char* kEnds = "SELECT ends FROM jobs WHERE id = ?";
constexpr const char* kNote = "UPDATE jobs SET progress = ? WHERE id = ? AND begun = ?";

}  // namespace

Result<> put(store::Database& database, const Job& job) {
    if (auto ok = check_size("payload", job.payload); !ok) return ok;
    if (auto ok = check_size("progress", job.progress); !ok) return ok;
    return table().insert(database, job);
}

Result<> want_ended(store::Database& database, const std::string& id) {
    return database.prepare("UPDATE jobs SET ends = 1 WHERE id = ?").bind(1, id).run();
}

Result<std::vector<Job>> open_jobs(store::Database& database, std::string_view kind) {
    static const auto kOldestFirst = table().select("WHERE ?1 = '' OR kind = ?1 ORDER BY created, id");
    auto rows = database.prepare(kOldestFirst.c_str());
    rows.bind(1, kind);
    return table().all(rows);
}

void Queue::add(std::string kind, Turns::Limits limits, Run run) {
    kinds_[std::move(kind)] = std::make_unique<Kind>(limits, std::move(run));
}

Result<> Queue::start(const std::vector<net::Worker*>& workers) {
    workers_ = workers;
    std::vector<Job> jobs;
    auto read = store_.run([&](store::Database& database) -> Result<> {
        auto list = open_jobs(database);
        if (!list) return fail(list.error());
        jobs = std::move(*list);
        return {};
    });
    if (!read) return read;
    for (auto& job : jobs) {
        spdlog::info("{} {} goes on", job.kind, job.id);
        enter(std::move(job));
    }
    return {};
}

net::Worker& Queue::next_worker() {
    return *workers_[next_worker_.fetch_add(1) % workers_.size()];
}

void Queue::enter(Job job) {
    const auto kind = kinds_.find(job.kind);
    if (kind == kinds_.end()) {
        // A newer version has left it; it stays for that one.
        spdlog::warn("job {} is of a kind, {}, that this version does not know; it stays as it is", job.id, job.kind);
        return;
    }
    auto open = std::make_shared<Open>(std::move(job));
    {
        const std::lock_guard lock(mutex_);
        open_[open->job.id] = open;
    }
    wait(open, *kind->second);
}

void Queue::wait(const std::shared_ptr<Open>& open, Kind& kind) {
    if (!is_due(*open)) {
        runner_.start(next_worker(), "later#" + open->job.id, [this, open, &kind](net::Worker& worker, net::Cancel& c) {
            return sleep(open, kind, worker, c);
        });
        return;
    }
    take_turn(open, kind);
}

bool Queue::is_due(const Open& open) const {
    return open.job.due <= now() || (open.ends && !open.again);
}

void Queue::take_turn(const std::shared_ptr<Open>& open, Kind& kind) {
    kind.turns.enter(open->job.owner, open->job.id, [this, open, &kind] { begin(open, kind, true); });
    if (open->ends) end_waiting(open, kind);
}

// It has nothing left to do but to end, for which it needs no turn.
void Queue::end_waiting(const std::shared_ptr<Open>& open, Kind& kind) {
    if (kind.turns.take_out(open->job.owner, open->job.id)) begin(open, kind, false);
}

void Queue::begin(const std::shared_ptr<Open>& open, Kind& kind, bool in_turn) {
    open->in_turn = in_turn;
    // Each begin has a name of its own: one that ends may still be there when the next one is begun.
    const auto name = fmt::format("{}@{}", open->job.id, open->job.begun + 1);
    runner_.start(next_worker(), name, [this, open, &kind](net::Worker& worker, net::Cancel& cancel) {
        return run(open, kind, worker, cancel);
    });
}

net::Task<> Queue::sleep(std::shared_ptr<Open> open, Kind& kind, net::Worker& worker, net::Cancel& cancel) {
    // The wall clock may be set meanwhile, so it is asked again.
    while (!is_due(*open) && !runner_.stopping()) {
        const milliseconds left(open->job.due - now());
        co_await net::sleep_for(worker.context(), std::min<milliseconds>(left, kLongestPause), cancel);
        if (cancel.fired()) break;  // at a stop, or since its owner wants it ended
    }
    if (!runner_.stopping()) take_turn(open, kind);
}

net::Task<Queue::Outcome> Queue::run_once(Open& open, Kind& kind, net::Worker& worker, net::Cancel& cancel) {
    auto& job = open.job;
    ++job.begun;
    // Its owner may have wanted it ended before it was entered: the row knows.
    const auto ends = co_await store::query<bool>(
        store_, [id = job.id, count = job.begun](store::Database& database) -> Result<bool> {
            auto begun = database.prepare("UPDATE jobs SET begun = ? WHERE id = ?").bind(1, count).bind(2, id).run();
            if (!begun) return fail(begun.error());
            auto row = database.prepare(kEnds);
            const auto found = row.bind(1, id).step();
            if (!found) return fail(found.error());
            return *found && row.integer(0) != 0;
        });
    if (!ends) co_return again(kFirstPause, ends.error().message);
    if (*ends) open.ends = true;
    Context context{
        job, worker, cancel, open.ends, open.told, [this, &job](std::string progress) -> net::Task<Result<>> {
            if (auto ok = check_size("progress", progress); !ok) co_return ok;
            job.progress = progress;
            co_return co_await store::change(
                store_, [id = job.id, count = job.begun, progress = std::move(progress)](store::Database& database) {
                    return database.prepare(kNote).bind(1, progress).bind(2, id).bind(3, count).run();
                });
        }};
    std::string thrown;
    try {
        co_return co_await kind.run(context);
    } catch (const std::exception& error) {
        thrown = error.what();
    }
    const auto pause =
        std::min<std::int64_t>(kLongestPause.count(), kFirstPause.count() << std::min<std::int64_t>(job.begun, 20));
    co_return again(seconds(pause), "it ended with: " + thrown);
}

net::Task<> Queue::run(std::shared_ptr<Open> open, Kind& kind, net::Worker& worker, net::Cancel& cancel) {
    auto outcome = co_await run_once(*open, kind, worker, cancel);
    auto& job = open->job;
    // At a stop it may have ended in the middle; the next start begins it again, and it finds out what is left.
    if (runner_.stopping() && outcome.again.count() > 0) co_return;
    if (outcome.again.count() == 0) {
        const auto ended = co_await store::change(store_, [id = job.id, count = job.begun](store::Database& database) {
            return database.prepare(kEnd).bind(1, id).bind(2, count).run();
        });
        // Its row stays, and so the next start begins it again: a job that was done finds nothing left to do.
        if (!ended) spdlog::error("the end of {} {} was not kept: {}", job.kind, job.id, ended.error().message);
        {
            const std::lock_guard lock(mutex_);
            open_.erase(job.id);
        }
        if (open->in_turn) kind.turns.leave(job.owner);
        co_return;
    }
    spdlog::warn("{} {} is begun again in {} s: {}", job.kind, job.id, outcome.again.count(), outcome.why);
    job.due = now() + milliseconds(outcome.again).count();
    open->again = true;
    (void)co_await store::change(store_, [id = job.id, count = job.begun, due = job.due](store::Database& database) {
        return database.prepare(kAgain).bind(1, due).bind(2, id).bind(3, count).run();
    });
    if (open->in_turn) kind.turns.leave(job.owner);
    wait(open, kind);
}

void Queue::end(const std::string& id) {
    std::shared_ptr<Open> open;
    {
        const std::lock_guard lock(mutex_);
        const auto found = open_.find(id);
        if (found == open_.end()) return;
        open = found->second;
    }
    open->ends = true;
    open->told.notify();
    // One that waits for its time, or for its turn, does not wait any longer.
    runner_.cancel("later#" + id);
    end_waiting(open, *kinds_.at(open->job.kind));
}

std::size_t Queue::open_of(std::string_view kind, const std::string& owner) const {
    const auto found = kinds_.find(std::string(kind));
    return found == kinds_.end() ? 0 : found->second->turns.open_of(owner);
}

}  // namespace tandem::jobs
