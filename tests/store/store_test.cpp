#include "store/store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/support.h"

namespace tandem::store {
namespace {

const Migration kOne{"CREATE TABLE t (x INTEGER PRIMARY KEY, y BLOB) STRICT;"};
const Migration kTwo{"ALTER TABLE t ADD COLUMN z INTEGER NOT NULL DEFAULT 7;"};

Store::Job put(int x, std::size_t size = 1) {
    return [x, size](Database& database) {
        return database.prepare("INSERT INTO t (x, y) VALUES (?, ?)")
            .bind(1, std::int64_t{x})
            .bind_blob(2, std::string(size, 'y'))
            .run();
    };
}

std::int64_t count(Store& store) {
    std::int64_t n = -1;
    EXPECT_TRUE(store.run([&](Database& database) -> Result<> {
        auto rows = database.prepare("SELECT count(*) FROM t");
        if (auto row = rows.step(); !row) return fail(row.error());
        n = rows.integer(0);
        return {};
    }));
    return n;
}

TEST(Store, what_is_done_is_there_after_it_was_opened_again) {
    const test::Folder folder;
    {
        auto store = Store::open(folder.path / "db", {&kOne, 1}, Durability::process);
        ASSERT_TRUE(store) << store.error().message;
        std::atomic<int> done = 0;
        for (int i = 0; i < 2000; ++i) (*store)->submit(put(i), [&](Result<> ok) { done += ok ? 1 : 0; });
        EXPECT_EQ(count(**store), 2000);
        EXPECT_EQ(done, 2000);
    }
    auto store = Store::open(folder.path / "db", {&kOne, 1}, Durability::power);
    ASSERT_TRUE(store);
    EXPECT_EQ(count(**store), 2000);
}

TEST(Store, a_job_that_fails_fails_alone) {
    const test::Folder folder;
    auto store = Store::open(folder.path / "db", {&kOne, 1}, Durability::process);
    ASSERT_TRUE(store);
    std::vector<int> outcome(300, -1);
    for (int i = 0; i < 300; ++i)
        (*store)->submit(i % 3 == 0 ? Store::Job([](Database&) -> Result<> { return fail(ErrorCode::internal, "no"); })
                         : i % 3 == 1 ? Store::Job([](Database&) -> Result<> { throw std::runtime_error("x"); })
                                      : put(i),
                         [&outcome, i](Result<> ok) { outcome[static_cast<std::size_t>(i)] = ok ? 1 : 0; });
    EXPECT_EQ(count(**store), 100);
    for (int i = 0; i < 300; ++i) EXPECT_EQ(outcome[static_cast<std::size_t>(i)], i % 3 == 2 ? 1 : 0);
}

TEST(Store, what_a_turn_submits_is_committed_together_when_the_turn_ends) {
    const test::Folder folder;
    auto store = Store::open(folder.path / "db", {&kOne, 1}, Durability::process);
    ASSERT_TRUE(store);
    std::atomic<int> done = 0;
    int done_before_the_end = -1;
    std::thread([&] {
        (*store)->end_turn();
        for (int i = 0; i < 100; ++i) (*store)->submit(put(i), [&](Result<> ok) { done += ok ? 1 : 0; });
        std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the writer would have had time
        done_before_the_end = done;
        (*store)->end_turn();
    }).join();
    EXPECT_EQ(done_before_the_end, 0);
    // Another thread has no turns: it waits for the commit of its own job, which is behind those.
    EXPECT_EQ(count(**store), 100);
    EXPECT_EQ(done, 100);
}

TEST(Store, a_thread_that_waits_in_its_turn_gets_what_it_waits_for) {
    const test::Folder folder;
    auto store = Store::open(folder.path / "db", {&kOne, 1}, Durability::process);
    ASSERT_TRUE(store);
    std::int64_t found = -1;
    std::thread([&] {
        (*store)->end_turn();
        (*store)->submit(put(1), [](const Result<>&) {});
        found = count(**store);
    }).join();
    EXPECT_EQ(found, 1);
}

TEST(Store, what_an_open_turn_has_left_is_committed_at_the_end) {
    const test::Folder folder;
    std::atomic<int> done = 0;
    {
        auto store = Store::open(folder.path / "db", {&kOne, 1}, Durability::process);
        ASSERT_TRUE(store);
        std::thread([&] {
            (*store)->end_turn();
            (*store)->submit(put(1), [&](Result<> ok) { done += ok ? 1 : 0; });
        }).join();
    }
    EXPECT_EQ(done, 1);
}

TEST(Store, migrates_step_by_step_and_refuses_a_newer_file_untouched) {
    const test::Folder folder;
    const auto file = folder.path / "db";
    {
        auto store = Store::open(file, {&kOne, 1}, Durability::process);
        ASSERT_TRUE(store);
        ASSERT_TRUE((*store)->run(put(1)));
    }
    const std::array both{kOne, kTwo};
    {
        auto store = Store::open(file, both, Durability::process);
        ASSERT_TRUE(store) << store.error().message;
        EXPECT_EQ(count(**store), 1);
    }
    const auto before = test::read_file(file);
    auto old = Store::open(file, {&kOne, 1}, Durability::process);
    ASSERT_FALSE(old);
    EXPECT_NE(old.error().message.find("version 2"), std::string::npos);
    EXPECT_EQ(test::read_file(file), before);
}

// SQLITE_FULL is what a full disk gives; the page limit gives it without one.
TEST(Store, a_full_disk_fails_clearly_corrupts_nothing_and_service_resumes) {
    const test::Folder folder;
    auto store = Store::open(folder.path / "db", {&kOne, 1}, Durability::process);
    ASSERT_TRUE(store);
    auto pages = [&](const char* sql) {
        return (*store)->run([sql](Database& database) -> Result<> {
            auto s = database.prepare(sql);
            if (auto r = s.step(); !r) return fail(r.error());
            return {};
        });
    };
    ASSERT_TRUE(pages("PRAGMA max_page_count = 30"));
    Result<> last;
    int stored = 0;
    for (; stored < 200 && last; ++stored) last = (*store)->run(put(stored, 4000));
    ASSERT_FALSE(last);
    EXPECT_EQ(last.error().code, ErrorCode::storage);
    EXPECT_NE(last.error().message.find("disk is full"), std::string::npos);
    EXPECT_FALSE((*store)->run(put(1000, 4000)));
    ASSERT_TRUE(pages("PRAGMA max_page_count = 100000"));
    EXPECT_TRUE((*store)->run(put(1001, 4000)));
    EXPECT_EQ(count(**store), stored - 1 + 1);
    ASSERT_TRUE((*store)->run([](Database& database) -> Result<> {
        auto check = database.prepare("PRAGMA integrity_check");
        if (auto row = check.step(); !row) return fail(row.error());
        EXPECT_EQ(check.text(0), "ok");
        return {};
    }));
}

TEST(Store, says_when_there_is_nothing_to_read) {
    const test::Folder folder;
    const auto missing = Database::open_to_read(folder.path / "none");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::not_found);
    test::write_file(folder.path / "junk", std::string(5000, 'j'));
    EXPECT_FALSE(Store::open(folder.path / "junk", {&kOne, 1}, Durability::process));
}

}  // namespace
}  // namespace tandem::store
