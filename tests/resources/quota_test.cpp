#include "resources/quota.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>

#include "resources/stored.h"
#include "tests/support.h"

namespace tandem::resources {
namespace {

struct Quotas : testing::Test {
    Quotas() {
        static const std::array migrations{store::Migration{kKeptSchema}, store::Migration{kKeptSchema2},
                                           store::Migration{kQuotaSchema}, store::Migration{kKeptSchema3}};
        store = std::move(*store::Store::open_at_once(folder.path / "ledger.db", migrations));
    }
    template <typename T>
    Result<T> ask(std::function<Result<T>(store::Database&)> question) {
        Result<T> answer = fail(ErrorCode::internal, "not asked");
        (void)store->run([&](store::Database& database) -> Result<> {
            answer = question(database);
            return answer ? Result<>() : fail(answer.error());
        });
        return answer;
    }
    Result<> change(std::function<Result<>(store::Database&)> job) { return store->run(std::move(job)); }

    static StoredResponse response(int i, std::int64_t created, std::size_t bytes, std::string previous = {}) {
        return {"resp_" + std::to_string(i),
                "alice",
                Label::public_,
                created,
                std::move(previous),
                {},
                "[\"" + std::string(bytes, 'i') + "\"]",
                R"({"status":"completed","output":["o"]})",
                {}};
    }
    test::Folder folder;
    std::unique_ptr<store::Store> store;
};

TEST_F(Quotas, TheOldestResponsesGoWhereThereAreTooManyOrTooManyBytes) {
    const Quota few{.responses = 10}, small{.response_bytes = 5'000};
    for (const auto& quota : {few, small}) {
        for (int i = 0; i < 40; ++i)
            ASSERT_TRUE(change([&](store::Database& d) -> Result<> {
                if (auto ok = put(d, response(i, 1'000 + i, 900)); !ok) return ok;
                return make_room_for_responses(d, "alice", quota, "resp_" + std::to_string(i), 2'000);
            }));
        const auto usage = ask<Usage>([](store::Database& d) { return usage_of(d, "alice"); });
        ASSERT_TRUE(usage);
        EXPECT_LE(usage->responses, quota.responses);
        EXPECT_LE(usage->response_bytes, quota.response_bytes);
        EXPECT_GE(usage->responses, 5);
        EXPECT_TRUE(ask<StoredResponse>([](store::Database& d) { return find_response(d, "alice", "resp_39"); }));
        EXPECT_FALSE(ask<StoredResponse>([](store::Database& d) { return find_response(d, "alice", "resp_0"); }));
    }
}

TEST_F(Quotas, OneThatIsUnderWayStaysAndOneThatIsTooOldGoes) {
    auto working = response(1, 1'000, 100);
    working.response = R"({"status":"in_progress","output":[]})";
    const std::int64_t now = 1'000 + kKeptDays * 86'400 + 100;
    ASSERT_TRUE(change([&](store::Database& d) -> Result<> {
        for (const auto& r : {working, response(2, 1'000, 100), response(3, now - 10, 100), response(4, now, 100)})
            if (auto ok = put(d, r); !ok) return ok;
        return make_room_for_responses(d, "alice", {}, "resp_4", now);
    }));
    const auto has = [&](int i) {
        return ask<StoredResponse>(
                   [i](store::Database& d) { return find_response(d, "alice", "resp_" + std::to_string(i)); })
            .has_value();
    };
    EXPECT_TRUE(has(1));
    EXPECT_FALSE(has(2));
    EXPECT_TRUE(has(3));
    EXPECT_TRUE(has(4));
}

TEST_F(Quotas, FilesAndConversationsBeyondThemAreRefusedWithHowToMakeRoom) {
    const Quota quota{.files = 3, .file_bytes = 1'000, .conversations = 2, .conversation_bytes = 500};
    const auto add = [&](int i, std::int64_t bytes) {
        return change([&](store::Database& d) -> Result<> {
            if (auto ok = check_file(d, "alice", quota, bytes); !ok) return ok;
            return put(d, File{"file-" + std::to_string(i), "alice", "f", "batch", bytes, 1});
        });
    };
    EXPECT_TRUE(add(1, 600));
    const auto large = add(2, 600);
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().code, ErrorCode::too_large);
    EXPECT_NE(large.error().message.find("DELETE /v1/files/"), std::string::npos);
    EXPECT_TRUE(add(2, 400));
    EXPECT_TRUE(add(3, 0));
    EXPECT_FALSE(add(4, 0)) << "three at most";
    ASSERT_TRUE(change([](store::Database& d) { return remove_file(d, "alice", "file-1"); }));
    EXPECT_TRUE(add(4, 600));

    for (const auto* id : {"conv_1", "conv_2"})
        ASSERT_TRUE(change([&](store::Database& d) -> Result<> {
            if (auto ok = check_conversation(d, "alice", quota); !ok) return ok;
            return put(d, Conversation{id, "alice", Label::public_, 1, "{}"});
        }));
    EXPECT_FALSE(change([&](store::Database& d) { return check_conversation(d, "alice", quota); }));
    EXPECT_TRUE(change([&](store::Database& d) { return check_conversation(d, "bob", quota); }));
    const std::string item = R"({"id":"a","text":")" + std::string(300, 'x') + "\"}";
    ASSERT_TRUE(change([&](store::Database& d) -> Result<> {
        if (auto ok = check_items(d, "conv_1", quota, static_cast<std::int64_t>(item.size())); !ok) return ok;
        return add_items(d, "conv_1", {item}, Label::private_);
    }));
    EXPECT_FALSE(change(
        [&](store::Database& d) { return check_items(d, "conv_1", quota, static_cast<std::int64_t>(item.size())); }));
    ASSERT_TRUE(change([](store::Database& d) { return remove_item(d, "conv_1", "a"); }));
    const auto c = ask<Conversation>([](store::Database& d) { return find_conversation(d, "alice", "conv_1"); });
    ASSERT_TRUE(c);
    EXPECT_EQ(c->bytes, 0) << "what was deleted is given back";
    EXPECT_EQ(c->label, Label::private_);
}

TEST_F(Quotas, AHistoryIsNotReadWhereItIsTooLong) {
    ASSERT_TRUE(change([&](store::Database& d) -> Result<> {
        for (int i = 0; i < 10; ++i)
            if (auto ok = put(d, response(i, 1'000 + i, 1'000, i > 0 ? "resp_" + std::to_string(i - 1) : "")); !ok)
                return ok;
        return {};
    }));
    const auto bytes =
        ask<std::int64_t>([](store::Database& d) { return history_bytes(d, "alice", "resp_9", 20'000); });
    ASSERT_TRUE(bytes) << bytes.error().message;
    EXPECT_GT(*bytes, 10'000);
    const auto whole = ask<History>([](store::Database& d) { return history_of(d, "alice", "resp_9", 20'000); });
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->items.size(), 20U);
    EXPECT_EQ(whole->items[1], "\"o\"");
    for (const std::int64_t most : {0, 5'000}) {
        const auto refused =
            ask<History>([most](store::Database& d) { return history_of(d, "alice", "resp_9", most); });
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::context);
    }
    EXPECT_FALSE(ask<History>([](store::Database& d) { return history_of(d, "bob", "resp_9", 20'000); }));
}

TEST_F(Quotas, SomeItemsAreReadWithoutAllTheOthers) {
    ASSERT_TRUE(change([](store::Database& d) -> Result<> {
        if (auto ok = put(d, Conversation{"conv_1", "alice", Label::public_, 1, "{}"}); !ok) return ok;
        std::vector<std::string> items;
        for (int i = 0; i < 9; ++i)
            items.push_back(R"({"id":"i)" + std::to_string(i) + R"(","x":")" + std::string(100, 'x') + "\"}");
        return add_items(d, "conv_1", items, Label::public_);
    }));
    const auto some = [&](ItemsAsked asked) {
        return *ask<SomeItems>([asked](store::Database& d) { return some_items_of(d, "conv_1", asked); });
    };
    const auto first = some({"", true, 4, 1'000'000});
    ASSERT_EQ(first.items.size(), 4U);
    EXPECT_TRUE(first.more);
    EXPECT_NE(first.items[3].find("i3"), std::string::npos);
    const auto rest = some({"i3", true, 100, 1'000'000});
    EXPECT_EQ(rest.items.size(), 5U);
    EXPECT_FALSE(rest.more);
    EXPECT_NE(some({"", false, 1, 1'000'000}).items.at(0).find("i8"), std::string::npos);
    EXPECT_NE(some({"i8", false, 1, 1'000'000}).items.at(0).find("i7"), std::string::npos);
    EXPECT_EQ(some({"", true, 100, 250}).items.size(), 2U) << "bytes bound it too";
    EXPECT_EQ(some({"", true, 100, 1}).items.size(), 1U) << "but for the first";
    EXPECT_TRUE(ask<std::string>([](store::Database& d) { return find_item(d, "conv_1", "i5"); }));
    EXPECT_FALSE(ask<std::string>([](store::Database& d) { return find_item(d, "conv_1", "i99"); }));
}

TEST_F(Quotas, ABatchesAnswersAreReadAPartAtATime) {
    ASSERT_TRUE(change([](store::Database& d) -> Result<> {
        for (int i = 0; i < 10; ++i)
            if (auto ok = put(d, "batch_1", BatchLine{i, "c", 200, "", std::string(1'000, 'x'), Label::public_}); !ok)
                return ok;
        return {};
    }));
    std::size_t count = 0, looks = 0;
    for (std::int64_t after = -1;; ++looks) {
        const auto lines = *ask<std::vector<BatchLine>>(
            [after](store::Database& d) { return next_lines(d, "batch_1", after, 3'000); });
        if (lines.empty()) break;
        EXPECT_LE(lines.size(), 3U);
        count += lines.size();
        after = lines.back().number;
    }
    EXPECT_EQ(count, 10U);
    EXPECT_GE(looks, 4U);
    EXPECT_EQ(ask<std::int64_t>([](store::Database& d) { return bytes_of_lines(d, "batch_1"); }), 10'000);
    ASSERT_TRUE(change([](store::Database& d) { return remove_lines(d, "batch_1"); }));
    EXPECT_TRUE(
        ask<std::vector<BatchLine>>([](store::Database& d) { return next_lines(d, "batch_1", -1, 9'999); })->empty());
}

Batch batch_of(int number, std::int64_t finished) {
    Batch batch;
    batch.id = fmt::format("batch_{:06}", number);
    batch.key = "alice";
    batch.status = finished > 0 ? "completed" : "in_progress";
    batch.created = 1'000'000;
    batch.finished = finished;
    batch.completed = 3;
    batch.failed = 4;
    return batch;
}

TEST_F(Quotas, BatchesThatWereFinishedFirstGoAndThoseUnderWayStay) {
    constexpr std::int64_t kDay = 86'400, kNow = 100 * kDay;
    const auto left = [&] {
        std::vector<std::string> ids;
        ListAsked asked{{}, false, 5'000};
        const auto page = *ask<Page<Batch>>([asked](store::Database& d) { return batches_of(d, "alice", asked); });
        for (const auto& batch : page.entries) ids.push_back(batch.id);
        return ids;
    };
    const auto add = [&](const Batch& batch) {
        return change([&](store::Database& d) -> Result<> {
            if (auto ok = put(d, batch); !ok) return ok;
            return make_room_for_batches(d, "alice", batch.id, kNow);
        });
    };
    ASSERT_TRUE(add(batch_of(1, 0)));
    ASSERT_TRUE(add(batch_of(2, kNow - 31 * kDay)));  // the newest one stays, however old
    ASSERT_TRUE(add(batch_of(3, kNow - 29 * kDay)));
    EXPECT_EQ(left(), (std::vector<std::string>{"batch_000003", "batch_000001"}));
    // In number, and what comes of them in bytes.
    constexpr int kFirst = 4, kFull = kFirst + kMostBatches - 10;
    ASSERT_TRUE(change([&](store::Database& d) -> Result<> {
        for (int i = kFirst; i < kFull; ++i)
            if (auto ok = put(d, batch_of(i, kNow - 1'000'000 + i)); !ok) return ok;
        return {};
    }));
    for (int i = kFull; i < kFull + 60; ++i) ASSERT_TRUE(add(batch_of(i, kNow - 1'000'000 + i)));
    EXPECT_EQ(left().size(), static_cast<std::size_t>(kMostBatches));
    EXPECT_EQ(left().back(), "batch_000001");
    auto large = batch_of(9'999, kNow);
    large.errors.assign(kMostBatchBytes - 10, 'x');
    ASSERT_TRUE(add(large));
    EXPECT_EQ(left().size(), static_cast<std::size_t>(kMostBatches));
    large.id = "batch_010000";
    ASSERT_TRUE(add(large));
    EXPECT_EQ(left(), (std::vector<std::string>{"batch_010000", "batch_000001"}));
    // Finished ones keep how their lines ended.
    const auto one = *ask<Batch>([](store::Database& d) { return find_batch(d, "alice", "batch_010000"); });
    EXPECT_EQ((std::pair(one.completed, one.failed)), (std::pair<std::int64_t, std::int64_t>(3, 4)));
}

TEST_F(Quotas, BatchesAndTheFilesThatTheyWillLeaveAreCounted) {
    Quota quota{.files = 5};
    const auto may = [&] { return change([&](store::Database& d) { return check_batch(d, "alice", quota); }); };
    const auto may_upload = [&] {
        return change([&](store::Database& d) { return check_file(d, "alice", quota, 1); });
    };
    ASSERT_TRUE(change([](store::Database& d) {
        return put(d, File{"file-1", "alice", "n", "batch", 1, 1, Label::public_, Label::public_});
    }));
    EXPECT_TRUE(may());
    ASSERT_TRUE(change([](store::Database& d) { return put(d, batch_of(1, 0)); }));
    EXPECT_TRUE(may());
    ASSERT_TRUE(change([](store::Database& d) { return put(d, batch_of(2, 0)); }));
    EXPECT_EQ(may().error().code, ErrorCode::too_large);
    EXPECT_EQ(may_upload().error().code, ErrorCode::too_large);
    quota.files = 6;
    EXPECT_TRUE(may_upload());
    quota.files = 10'000;
    for (int i = 3; i <= kMostOpenBatches; ++i)
        ASSERT_TRUE(change([i](store::Database& d) { return put(d, batch_of(i, 0)); }));
    EXPECT_EQ(may().error().code, ErrorCode::rate_limited);
}

TEST_F(Quotas, ListsOfFilesAndBatchesGoOnWhereTheyStopped) {
    for (int i = 0; i < 5; ++i)
        ASSERT_TRUE(change([i](store::Database& d) -> Result<> {
            if (auto ok = put(d, batch_of(i, 1)); !ok) return ok;
            return put(d, File{fmt::format("file-{}", i), "alice", "n", i == 2 ? "other" : "batch", 1, 1,
                               Label::public_, Label::public_});
        }));
    const auto files = [&](std::string purpose, ListAsked asked) {
        const auto page =
            *ask<Page<File>>([purpose, asked](store::Database& d) { return files_of(d, "alice", purpose, asked); });
        std::string ids;
        for (const auto& file : page.entries) ids += file.id.substr(5);
        return ids + (page.more ? "+" : "");
    };
    EXPECT_EQ(files("", {"", false, 2}), "43+");
    EXPECT_EQ(files("", {"file-3", false, 2}), "21+");
    EXPECT_EQ(files("", {"file-1", false, 2}), "0");
    EXPECT_EQ(files("", {"file-1", true, 9}), "234");
    EXPECT_EQ(files("batch", {"", true, 9}), "0134");
    const auto page = *ask<Page<Batch>>(
        [](store::Database& d) { return batches_of(d, "alice", ListAsked{"batch_000003", false, 2}); });
    ASSERT_EQ(page.entries.size(), 2U);
    EXPECT_EQ(page.entries[0].id, "batch_000002");
    EXPECT_TRUE(page.more);
}

}  // namespace
}  // namespace tandem::resources
