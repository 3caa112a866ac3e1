// What is kept between requests: each store is filled to its bound, and its bytes are looked at.
#include <gtest/gtest.h>

#include "cache/cache.h"
#include "learning/learning.h"
#include "learning/outcomes.h"
#include "privacy/vault.h"
#include "tests/support.h"

namespace tandem::gateway {
namespace {

chat::Request asking(std::string text) {
    chat::Request request;
    request.model = "m";
    request.messages.push_back({chat::Role::user, {{chat::TextPart{std::move(text)}, {}}}, {}, {}});
    return request;
}

struct Learned {
    explicit Learned(std::size_t bytes = MemoryAccount::kBytes) : memory(bytes) {
        const std::array migrations{store::Migration{learning::kOutcomesSchema},
                                    store::Migration{learning::kOutcomesSchema2}};
        store = std::move(*store::Store::open_at_once(folder.path / "ledger.db", migrations));
        learning.emplace(*store, clock, memory, pool, [](const auto&, const auto&) { return std::string("same"); });
    }
    ~Learned() { pool.join(); }
    // One answer of 200 KB to a prompt of 200 KB, as 2,100 of them took 465 MiB.
    void answer(int i) {
        const auto number = std::to_string(i);
        auto place =
            learning->place(asking(number + std::string(200'000, 'p')), who, true, true, routing::WorkKind::facts, {});
        EXPECT_LE(place.prompt->capacity(), learning::Learning::kLooked + 16) << "the whole prompt is kept";
        learning::Learning::Answered answered;
        answered.decision = "dec_" + number;
        answered.key = who;
        answered.model = "m";
        answered.text = number + std::string(200'000, 'a');
        learning->answered(place, std::move(answered));
    }
    test::Folder folder;
    test::ManualClock clock;
    MemoryAccount memory;
    net::asio::thread_pool pool{1};
    std::unique_ptr<store::Store> store;
    std::optional<learning::Learning> learning;
    std::string who = "alice";
};

TEST(Bounds, PromptsAndAnswersToLearnFromAreFewBytesHoweverLongTheyWere) {
    Learned learned;
    for (int i = 0; i < 3'000; ++i) learned.answer(i);
    EXPECT_GT(learned.learning->bytes(), learning::Learning::kMostKept / 2) << "the test fills it";
    EXPECT_LE(learned.learning->bytes(), learning::Learning::kMostKept);
    EXPECT_EQ(learned.memory.status().held, learned.learning->bytes()) << "and the account knows";
}

TEST(Bounds, WhatIsLearnedFromMakesRoomWhereTheAccountHasNone) {
    Learned learned(MemoryAccount::kSmallest);
    for (int i = 0; i < 3'000; ++i) learned.answer(i);
    EXPECT_LE(learned.learning->bytes(), MemoryAccount::kSmallest);
    EXPECT_GT(learned.learning->bytes(), 0U);
    EXPECT_EQ(learned.memory.status().held, learned.learning->bytes());
}

TEST(Bounds, OutcomesOfManyModelsTogether) {
    for (const int models : {1, 20}) {
        learning::Learner learner;
        std::vector<learning::Learner::Model> all;
        for (int m = 0; m < models; ++m) all.push_back({"m" + std::to_string(m), "same", {}});
        learner.configure(all);
        std::vector<learning::Outcome> outcomes;
        for (int i = 0; i < 800; ++i) {
            learning::Outcome outcome;
            outcome.decision = std::to_string(i);
            outcome.model = "m" + std::to_string(i % models);
            outcome.identity = "same";
            outcome.value = i % 2;
            // As many words as fit into what is looked at.
            for (std::uint32_t t = 0; t < 4'000; ++t)
                outcome.traits.emplace_back((t * 2 + static_cast<std::uint32_t>(i)) % learning::kHashedTraits, 0.01F);
            outcomes.push_back(std::move(outcome));
            if (outcomes.size() == 400) learner.learn(std::exchange(outcomes, {}));
        }
        EXPECT_LE(learner.bytes(), 3 * learning::Learner::kMostBytes) << models << " models";
        EXPECT_GT(learner.bytes(), learning::Learner::kMostBytes / 8) << models << " models";
    }
}

TEST(Bounds, AnswersThatAreGivenAgainAndWhatTheyMean) {
    MemoryAccount memory;
    cache::AnswerCache cache(memory);
    constexpr std::size_t kBytes = 8UL << 20;
    for (int i = 0; i < 5'000; ++i) {
        const auto request = std::to_string(i);
        cache::AnswerCache::Answer answer;
        answer.body.reserve(100'000);
        answer.body = std::string(5'000, 'a');
        cache.keep(request, std::move(answer), kBytes);
        cache.keep_meaning(request, {"scope", std::string(20'000, 'f'), std::vector<float>(4'096)});
    }
    EXPECT_GT(cache.bytes(), kBytes);
    EXPECT_LE(cache.bytes(), kBytes + cache::AnswerCache::kMostMeaningBytes);
    EXPECT_EQ(memory.status().held, cache.bytes());
    EXPECT_NE(cache.find("4999", {}, milliseconds(1)), nullptr);
    EXPECT_EQ(cache.find("0", {}, milliseconds(1)), nullptr);
}

TEST(Bounds, StandInsOfAllConversations) {
    test::Folder folder;
    test::ManualClock clock;
    privacy::Vault vault(std::move(*privacy::Keys::open(folder.path, "")), "", clock);
    const std::array migrations{store::Migration{privacy::kVaultSchema}};
    auto store = std::move(*store::Store::open_at_once(folder.path / "ledger.db", migrations));
    const auto last = *vault.scope_of("alice", "199");
    for (int i = 0; i < 200; ++i) {
        std::vector<privacy::StandIn> fresh;
        for (int n = 0; n < 1'000; ++n)
            fresh.push_back({"CARD", n, "<CARD_" + std::to_string(n) + ">", "4111111111111111" + std::to_string(n)});
        auto scope = vault.scope_of("alice", std::to_string(i));
        ASSERT_TRUE(scope);
        ASSERT_TRUE(store->run(vault.keep(*scope, fresh, std::chrono::hours(1))));
        clock.now += std::chrono::milliseconds(1);
    }
    EXPECT_LE(vault.bytes(), privacy::Vault::kMostBytes);
    EXPECT_GT(vault.bytes(), privacy::Vault::kMostBytes / 2);
    EXPECT_EQ(vault.entries(last)->size(), 1'000U) << "the newest stay";
    EXPECT_TRUE(vault.entries(*vault.scope_of("alice", "0"))->empty());
    // The disk has what the memory has.
    privacy::Vault again(std::move(*privacy::Keys::open(folder.path, "")), "", clock);
    ASSERT_TRUE(again.load(*store));
    EXPECT_EQ(again.entries(last)->size(), 1'000U);
    EXPECT_NEAR(static_cast<double>(again.bytes()), static_cast<double>(vault.bytes()), 4e6);
    clock.now += std::chrono::hours(2);
    (void)vault.keep(last, {{"CARD", 1, "<CARD_1>", "4111111111111111"}}, std::chrono::hours(1));
    EXPECT_LE(vault.bytes(), 1'000U) << "what has expired goes";
}

}  // namespace
}  // namespace tandem::gateway
