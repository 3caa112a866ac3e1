// Jobs that are rows until they have ended: on a real store, real workers, and over starts of the process.
#include "jobs/queue.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <mutex>
#include <thread>

#include "net/event.h"
#include "tests/support.h"

namespace tandem::jobs {
namespace {

using namespace std::chrono_literals;

// The queue's own schema takes over batches of an earlier version.
constexpr const char* kBefore =
    "CREATE TABLE kept_batches (id TEXT, key TEXT, created INTEGER, status TEXT, label INTEGER) STRICT;"
    "INSERT INTO kept_batches VALUES ('old', 'alice', 5, 'in_progress', 2), ('gone', 'alice', 5, 'completed', 0), "
    "('ending', 'bob', 6, 'cancelling', 0);";

// One start of the process on the same data.
struct Process {
    explicit Process(const std::filesystem::path& file, const Clock& clock)
        : store(std::move(*store::Store::open(
              file,
              std::array{store::Migration{kBefore}, store::Migration{kJobsSchema}, store::Migration{kJobsSchema2}},
              store::Durability::process))),
          queue(*store, clock, runner) {
        one.start();
        two.start();
    }
    ~Process() { stop(); }
    void stop() {
        runner.stop();
        one.stop();
        two.stop();
    }
    std::vector<Job> rows() {
        std::vector<Job> list;
        EXPECT_TRUE(store->run([&](store::Database& database) -> Result<> {
            list = *open_jobs(database);
            return {};
        }));
        return list;
    }
    void submit(Job job) {
        EXPECT_TRUE(store->run([&](store::Database& database) { return put(database, job); }));
        queue.enter(std::move(job));
    }
    std::unique_ptr<store::Store> store;
    net::Worker one, two;
    Runner runner;
    Queue queue;
};

void wait_until(const std::function<bool()>& holds) {
    while (!holds()) std::this_thread::sleep_for(1ms);
}

Job job_of(std::string id, std::string kind = "work", std::string owner = "alice") {
    return {.id = std::move(id), .kind = std::move(kind), .owner = std::move(owner), .created = 7};
}

TEST(Queue, TakesOverWhatAnEarlierVersionLeft) {
    test::Folder folder;
    test::ManualClock clock;
    Process process(folder.path / "db", clock);
    const auto rows = process.rows();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0], (Job{.id = "old",
                            .kind = "batch",
                            .owner = "alice",
                            .label = Label::private_,
                            .budget = "alice",
                            .created = 5}));
    EXPECT_TRUE(rows[1].ends);
    EXPECT_EQ(rows[1].label, Label::public_);
    // No kind of this process knows them: they stay.
    ASSERT_TRUE(process.queue.start({&process.one, &process.two}));
    EXPECT_EQ(process.rows().size(), 2U);
}

TEST(Queue, KeepsHowPrivateAJobIsAndWhoPaysOverAStart) {
    test::Folder folder;
    test::ManualClock clock;
    {
        Process first(folder.path / "db", clock);
        first.submit({.id = "said", .kind = "work", .owner = "alice", .label = Label::internal, .budget = "probe"});
        first.submit({.id = "unsaid", .kind = "work", .owner = "alice"});
    }
    Process second(folder.path / "db", clock);
    std::mutex mutex;
    std::map<std::string, std::pair<Label, std::string>> seen;
    second.queue.add("work", {}, [&](Queue::Context& context) -> net::Task<Queue::Outcome> {
        const std::lock_guard lock(mutex);
        seen[context.job.id] = {context.job.label, context.job.budget};
        co_return Queue::done();
    });
    ASSERT_TRUE(second.queue.start({&second.one, &second.two}));
    wait_until([&] { return second.rows().size() == 2; });  // those of kBefore
    const std::lock_guard lock(mutex);
    EXPECT_EQ(seen["said"], std::pair(Label::internal, std::string("probe")));
    // Nobody has said that it is less.
    EXPECT_EQ(seen["unsaid"], std::pair(Label::secret, std::string()));
}

TEST(Queue, EndsEachJobOnceAndForgetsIt) {
    test::Folder folder;
    test::ManualClock clock;
    Process process(folder.path / "db", clock);
    std::atomic<int> ran = 0;
    process.queue.add("work", {}, [&](Queue::Context& context) -> net::Task<Queue::Outcome> {
        EXPECT_EQ(context.job.begun, 1);
        ++ran;
        co_return Queue::done();
    });
    ASSERT_TRUE(process.queue.start({&process.one, &process.two}));
    for (int i = 0; i < 200; ++i) process.submit(job_of(std::to_string(i), "work", i % 2 == 0 ? "alice" : "bob"));
    wait_until([&] { return process.rows().size() == 2; });  // those of above
    EXPECT_EQ(ran, 200);
    wait_until([&] { return process.queue.open_of("work", "alice") == 0; });
}

TEST(Queue, BeginsAgainAfterAStopWhatHadNotEnded) {
    test::Folder folder;
    test::ManualClock clock;
    {
        Process first(folder.path / "db", clock);
        first.queue.add("work", {}, [](Queue::Context& context) -> net::Task<Queue::Outcome> {
            EXPECT_TRUE(co_await context.note("half"));
            co_await net::sleep_for(context.worker.context(), 1h, context.cancel);
            co_return Queue::interrupted();
        });
        ASSERT_TRUE(first.queue.start({&first.one}));
        first.submit(job_of("one"));
        wait_until([&] { return first.rows().back().progress == "half"; });
    }
    Process second(folder.path / "db", clock);
    std::atomic<std::int64_t> begun = 0;
    second.queue.add("work", {}, [&](Queue::Context& context) -> net::Task<Queue::Outcome> {
        EXPECT_EQ(context.job.progress, "half");
        begun = context.job.begun;
        co_return Queue::done();
    });
    ASSERT_TRUE(second.queue.start({&second.one}));
    wait_until([&] { return second.rows().size() == 2; });
    EXPECT_EQ(begun, 2);
}

TEST(Queue, BeginsAgainWhatThrewAndWaitsForTheTimeOfWhatIsDueLater) {
    test::Folder folder;
    test::ManualClock clock;
    Process process(folder.path / "db", clock);
    std::atomic<int> tries = 0;
    process.queue.add("work", {}, [&](Queue::Context&) -> net::Task<Queue::Outcome> {
        if (++tries == 1) throw std::runtime_error("as a bug would");
        co_return Queue::done();
    });
    ASSERT_TRUE(process.queue.start({&process.one}));
    process.submit(job_of("thrown"));
    wait_until([&] { return process.rows().back().due > 0; });
    EXPECT_EQ(tries, 1);
    // Its time is the wall clock's, also for the next start; an owner who wants its end does not wait for that time.
    ASSERT_TRUE(process.store->run([](store::Database& database) { return want_ended(database, "thrown"); }));
    // Said again until it is heard: the row may be there a moment before the queue waits for its time.
    wait_until([&] {
        process.queue.end("thrown");
        return process.rows().size() == 2;
    });
    EXPECT_EQ(tries, 2);
}

TEST(Queue, TellsAJobThatItsOwnerWantsItEnded) {
    test::Folder folder;
    test::ManualClock clock;
    Process process(folder.path / "db", clock);
    std::atomic<bool> begun = false;
    process.queue.add("work", {}, [&](Queue::Context& context) -> net::Task<Queue::Outcome> {
        begun = true;
        while (!context.ends) co_await net::sleep_for(context.worker.context(), 1ms, context.cancel);
        co_return Queue::done();
    });
    ASSERT_TRUE(process.queue.start({&process.one}));
    process.submit(job_of("one"));
    wait_until([&] { return begun.load(); });
    process.queue.end("nothing of that name");
    process.queue.end("one");
    wait_until([&] { return process.rows().size() == 2; });
}

TEST(Queue, AJobThatShallEndBeforeItIsEnteredHearsOfIt) {
    test::Folder folder;
    test::ManualClock clock;
    Process process(folder.path / "db", clock);
    std::atomic<bool> heard = false;
    process.queue.add("work", {}, [&](Queue::Context& context) -> net::Task<Queue::Outcome> {
        heard = context.ends.load();
        co_return Queue::done();
    });
    ASSERT_TRUE(process.queue.start({&process.one}));
    auto job = job_of("one");
    ASSERT_TRUE(process.store->run([&](store::Database& database) { return put(database, job); }));
    ASSERT_TRUE(process.store->run([&](store::Database& database) { return want_ended(database, "one"); }));
    process.queue.end("one");  // it is not there yet
    process.queue.enter(std::move(job));
    wait_until([&] { return process.rows().size() == 2; });
    EXPECT_TRUE(heard);
}

TEST(Queue, WhatShallEndDoesNotWaitForItsTurn) {
    test::Folder folder;
    const auto clock = system_clock();
    Process process(folder.path / "db", *clock);
    std::atomic<int> held = 0;
    process.queue.add("work", {.at_work = 2, .at_work_of_owner = 1},
                      [&](Queue::Context& context) -> net::Task<Queue::Outcome> {
                          if (context.ends) co_return Queue::done();
                          ++held;
                          co_await net::sleep_for(context.worker.context(), 1h, context.cancel);
                          co_return Queue::interrupted();
                      });
    ASSERT_TRUE(process.queue.start({&process.one, &process.two}));
    process.submit(job_of("first"));
    process.submit(job_of("waits"));
    process.submit(job_of("waits too"));
    wait_until([&] { return held == 1; });
    process.queue.end("waits");
    wait_until([&] { return process.rows().size() == 4; });
    EXPECT_EQ(process.queue.open_of("work", "alice"), 2U) << "it has taken no turn, and gives none back";
    EXPECT_EQ(held, 1);
}

// As a batch does whose owner has cancelled it, and whose end cannot be written for a while.
TEST(Queue, BeginsAgainAlsoWhatShallEndAndFreesItsTurnEachTime) {
    test::Folder folder;
    const auto clock = system_clock();
    Process process(folder.path / "db", *clock);
    std::atomic<int> tries = 0;
    std::atomic<bool> works = false;
    process.queue.add(
        "work", {.at_work = 1, .at_work_of_owner = 1}, [&](Queue::Context& context) -> net::Task<Queue::Outcome> {
            ++tries;
            if (context.job.id == "one")
                while (!context.ends)
                    co_await context.told.wait(context.told.count(), context.worker.context(), 1ms, context.cancel);
            if (!works && context.job.id == "one") co_return Queue::again(1s, "the disk is full");
            co_return Queue::done();
        });
    ASSERT_TRUE(process.queue.start({&process.one, &process.two}));
    process.submit(job_of("one"));
    process.submit(job_of("two"));
    process.queue.end("one");
    // The other one gets its turn while the first waits for its next begin.
    wait_until([&] { return process.rows().size() == 3; });
    EXPECT_EQ(process.rows().back().id, "one");
    works = true;
    wait_until([&] { return process.rows().size() == 2; });
    EXPECT_GE(tries, 3);
    wait_until([&] { return process.queue.open_of("work", "alice") == 0; });
}

TEST(Queue, KeepsNothingThatIsTooLarge) {
    test::Folder folder;
    test::ManualClock clock;
    Process process(folder.path / "db", clock);
    auto job = job_of("large");
    job.payload.assign(kMostPayload + 1, 'x');
    const auto refused = process.store->run([&](store::Database& database) { return put(database, job); });
    EXPECT_EQ(refused.error().code, ErrorCode::too_large);
    EXPECT_EQ(process.rows().size(), 2U);
}

}  // namespace
}  // namespace tandem::jobs
