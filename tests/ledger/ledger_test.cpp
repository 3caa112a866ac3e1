#include "ledger/ledger.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "tests/support.h"

namespace tandem::ledger {
namespace {

static_assert(!std::is_default_constructible_v<Receipt> && !std::is_copy_constructible_v<Receipt>);
static_assert(!std::is_default_constructible_v<Reservation> && !std::is_copy_constructible_v<Reservation>);

access::Principal client_named(std::string name) {
    config::Key key;
    key.id = std::move(name);
    return access::Principal::client(key);
}

access::Principal key_with(Money limit, config::Budget::Window window = config::Budget::Window::day) {
    auto client = client_named("alice");
    client.budgets.push_back({limit, window});
    return client;
}

struct Opened {
    test::Folder folder;
    std::unique_ptr<store::Store> store;
    test::ManualClock clock;
    Opened() {
        static const store::Migration all[] = {{kLedgerSchema}};
        store = std::move(*store::Store::open(folder.path / "db", all, store::Durability::process));
    }
    void attempt(const std::string& key, Money cost) {
        AttemptRecord a;
        a.decision = DecisionId::from_text("dec_" + std::to_string(++number));
        a.time = clock.wall().time_since_epoch().count();
        a.key = key;
        a.model = "m";
        a.zone = Zone::cloud;
        a.usage = {{10}, {4}, {5}, {1}, true};
        a.cost = cost;
        Ledger ledger(*store);
        std::promise<bool> done;
        ledger.close({a}, {}, [&](Result<Receipt> receipt) { done.set_value(receipt.has_value()); });
        ASSERT_TRUE(done.get_future().get());
    }
    int number = 0;
};

TEST(Budgets, hold_however_many_ask_at_once) {
    test::ManualClock clock;
    Budgets budgets(clock);
    const auto key = key_with(Money::from_micros(1000));
    std::atomic<int> granted = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < 200; ++i)
                    if (auto reservation = budgets.reserve(key, Money::from_micros(10), {1})) {
                        ++granted;
                        reservation->settle(Money::from_micros(10), {1});
                    }
            });
    }
    EXPECT_EQ(granted, 100);
}

TEST(Budgets, what_is_not_spent_comes_back) {
    test::ManualClock clock;
    Budgets budgets(clock);
    const auto key = key_with(Money::from_micros(100));
    {
        auto held = budgets.reserve(key, Money::from_micros(90), {1});
        ASSERT_TRUE(held);
        const auto refused = budgets.reserve(key, Money::from_micros(20), {1});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::over_budget);
        held->settle(Money::from_micros(30), {1});
    }
    auto next = budgets.reserve(key, Money::from_micros(70), {1});
    ASSERT_TRUE(next);
    {
        auto moved = std::move(*next);
    }  // gone without being settled
    EXPECT_EQ(budgets.refusal(key, Money::from_micros(70)), "");
    EXPECT_NE(budgets.refusal(key, Money::from_micros(71)), "");
}

TEST(Budgets, begin_anew_with_their_window_in_utc) {
    test::ManualClock clock;
    Budgets budgets(clock);
    const auto key = key_with(Money::from_micros(100));
    budgets.reserve(key, Money::from_micros(100), {1})->settle(Money::from_micros(100), {1});
    EXPECT_NE(budgets.refusal(key, Money::from_micros(1)), "");
    clock.now += std::chrono::hours(24);
    EXPECT_EQ(budgets.refusal(key, Money::from_micros(100)), "");
    EXPECT_NE(budgets.refusal(key_with(Money::from_micros(100), config::Budget::Window::total), Money::from_micros(1)),
              "");
}

TEST(Budgets, know_after_a_restart_what_was_spent) {
    Opened o;
    o.attempt("alice", Money::from_micros(60));
    o.attempt("bob", Money::from_micros(1000));
    Budgets budgets(o.clock);
    ASSERT_TRUE(budgets.load(*o.store));
    EXPECT_EQ(budgets.refusal(key_with(Money::from_micros(100)), Money::from_micros(40)), "");
    EXPECT_NE(budgets.refusal(key_with(Money::from_micros(100)), Money::from_micros(41)), "");
}

TEST(Limits, of_rate_tokens_and_concurrency_hold) {
    test::ManualClock clock;
    Budgets budgets(clock);
    auto key = client_named("k");
    key.limits = {3, 100, 2};
    {
        auto a = budgets.admit(key), b = budgets.admit(key);
        ASSERT_TRUE(a && b);
        EXPECT_EQ(budgets.admit(key).error().code, ErrorCode::rate_limited);  // concurrency
    }
    {
        ASSERT_TRUE(budgets.admit(key));
    }
    EXPECT_FALSE(budgets.admit(key));  // three in this minute
    clock.now += std::chrono::minutes(1);
    EXPECT_TRUE(budgets.admit(key));
    auto tokens = budgets.reserve(key, {}, {90});
    ASSERT_TRUE(tokens);
    EXPECT_FALSE(budgets.reserve(key, {}, {20}));
    tokens->settle({}, {50});
    EXPECT_TRUE(budgets.reserve(key, {}, {50}));
}

TEST(Ledger, adds_up_by_model_zone_key_and_day) {
    Opened o;
    o.attempt("alice", Money::from_micros(7));
    o.attempt("alice", Money::from_micros(8));
    o.attempt("bob", Money::from_micros(1));
    auto database = store::Database::open_to_read(o.folder.path / "db");
    ASSERT_TRUE(database);
    const auto keys = cost_by(**database, CostBy::key, 0);
    ASSERT_TRUE(keys);
    ASSERT_EQ(keys->size(), 2U);
    EXPECT_EQ(keys->at(0).group, "alice");
    EXPECT_EQ(keys->at(0).cost.micros(), 15);
    EXPECT_EQ(keys->at(0).usage.input.count, 20);
    EXPECT_TRUE(keys->at(0).usage.estimated);
    EXPECT_EQ(cost_by(**database, CostBy::zone, 0)->at(0).group, "cloud");
    EXPECT_EQ(cost_by(**database, CostBy::day, 0)->at(0).group, "2023-11-14");
    EXPECT_TRUE(cost_by(**database, CostBy::model, o.clock.now.count() + 1)->empty());
}

TEST(Ledger, gives_no_receipt_for_what_it_could_not_write) {
    Opened o;
    ASSERT_TRUE(o.store->run(
        [](store::Database& database) { return database.execute("ALTER TABLE attempts RENAME TO gone"); }));
    Ledger ledger(*o.store);
    std::promise<ErrorCode> done;
    ledger.close({AttemptRecord{}}, {}, [&](Result<Receipt> receipt) {
        done.set_value(receipt ? ErrorCode::internal : receipt.error().code);
    });
    EXPECT_EQ(done.get_future().get(), ErrorCode::storage);
}

}  // namespace
}  // namespace tandem::ledger
