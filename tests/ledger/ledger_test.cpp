#include "ledger/ledger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <future>
#include <thread>

#include "ledger/bill.h"
#include "ledger/reports/report.h"
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
        static const store::Migration all[] = {
            {kLedgerSchema}, {kLedgerSchema2}, {kLedgerSchema3}, {reports::kReportsSchema}};
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

TEST(Budgets, of_money_bind_what_costs_money_alone) {
    test::ManualClock clock;
    Budgets budgets(clock);
    budgets.reserve(key_with(Money::from_micros(100)), Money::from_micros(100), {1})
        ->settle(Money::from_micros(300), {1});  // a provider that went beyond its bound
    const auto key = key_with(Money::from_micros(100));
    EXPECT_TRUE(budgets.reserve(key, Money{}, {1}));
    EXPECT_FALSE(budgets.reserve(key, Money::from_micros(1), {1}));
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

// A clock whose two hands are set apart: the wall's may go back, the steady one may not.
struct TwoClocks final : Clock {
    milliseconds wall_now{1'700'000'000'000};
    milliseconds steady_now{1'000'000};
    SteadyTime steady() const override { return SteadyTime(steady_now); }
    WallTime wall() const override { return WallTime(wall_now); }
    void pass(milliseconds time) {
        wall_now += time;
        steady_now += time;
    }
};

TEST(Budgets, are_not_opened_again_by_a_clock_that_goes_back) {
    TwoClocks clock;
    Budgets budgets(clock);
    const auto key = key_with(Money::from_micros(100));
    budgets.reserve(key, Money::from_micros(100), {1})->settle(Money::from_micros(100), {1});
    clock.wall_now -= std::chrono::hours(30);
    EXPECT_NE(budgets.refusal(key, Money::from_micros(1)), "");
    // And time goes on: a day later there is a new day.
    clock.pass(std::chrono::hours(24));
    EXPECT_EQ(budgets.refusal(key, Money::from_micros(100)), "");
}

TEST(Budgets, count_an_attempt_across_midnight_on_the_day_of_its_start_before_and_after_a_restart) {
    Opened o;
    o.clock.now = milliseconds(1'700'006'400'000 - 1'000);  // a second before midnight in UTC
    const auto key = key_with(Money::from_micros(100));
    Budgets budgets(o.clock);
    auto held = budgets.reserve(key, Money::from_micros(80), {1});
    ASSERT_TRUE(held);
    o.attempt("alice", Money::from_micros(80));  // its record has the time of its start
    o.clock.now += std::chrono::seconds(2);
    held->settle(Money::from_micros(80), {1});
    Budgets loaded(o.clock);
    ASSERT_TRUE(loaded.load(*o.store));
    for (auto* one : {&budgets, &loaded}) {
        EXPECT_EQ(one->refusal(key, Money::from_micros(100)), "");
        const auto total = key_with(Money::from_micros(100), config::Budget::Window::total);
        EXPECT_EQ(one->refusal(total, Money::from_micros(20)), "");
        EXPECT_NE(one->refusal(total, Money::from_micros(21)), "");
    }
}

TEST(Budgets, count_after_a_restart_an_attempt_that_began_after_midnight_for_a_decision_before_it) {
    Opened o;
    const auto midnight = 1'700'006'400'000;
    o.clock.now = milliseconds(midnight - 500);
    AttemptRecord a;
    a.decision = DecisionId::make(o.clock, *system_random());
    a.time = midnight + 500;
    a.key = "alice";
    a.cost = Money::from_micros(90);
    std::promise<bool> done;
    Ledger ledger(*o.store);
    ledger.close({a}, {}, [&](Result<Receipt> receipt) { done.set_value(receipt.has_value()); });
    ASSERT_TRUE(done.get_future().get());
    o.clock.now = milliseconds(midnight + 2'000);
    Budgets budgets(o.clock);
    ASSERT_TRUE(budgets.load(*o.store));
    EXPECT_NE(budgets.refusal(key_with(Money::from_micros(100)), Money::from_micros(11)), "");
}

TEST(Budgets, say_when_it_helps_to_ask_again) {
    test::ManualClock clock;
    Budgets budgets(clock);
    const auto money = [](std::int64_t micros) { return Money::from_micros(micros); };
    const auto hour = key_with(money(100), config::Budget::Window::hour);
    const auto total = key_with(money(100), config::Budget::Window::total);
    EXPECT_FALSE(budgets.denied(hour, money(100)));
    {
        const auto held = budgets.reserve(hour, money(60), {1});
        for (const auto* key : {&hour, &total}) {
            const auto reserved = budgets.denied(*key, money(50));
            ASSERT_TRUE(reserved);
            EXPECT_FALSE(reserved->certain);
            EXPECT_EQ(reserved->again_in, 5);
            EXPECT_NE(reserved->message.find("0.000060 reserved"), std::string::npos) << reserved->message;
        }
    }
    budgets.reserve(hour, money(60), {1})->settle(money(60), {1});
    const auto spent = budgets.denied(hour, money(50));
    ASSERT_TRUE(spent);
    EXPECT_FALSE(spent->certain);
    EXPECT_GT(*spent->again_in, 0);
    EXPECT_LE(*spent->again_in, 3600);
    EXPECT_NE(spent->message.find("0.000060 spent"), std::string::npos) << spent->message;
    EXPECT_NE(spent->message.find("keys.alice.budgets[0].limit"), std::string::npos) << spent->message;
    clock.now += seconds(*spent->again_in);
    EXPECT_FALSE(budgets.denied(hour, money(50)));
    EXPECT_TRUE(budgets.denied(total, money(50))->certain);
    EXPECT_TRUE(budgets.denied(hour, money(101))->certain);
    EXPECT_EQ(budgets.refusal_of_any(total, money(50)), budgets.refusal_of_any(total, money(60)));
}

TEST(Budgets, say_in_a_refusal_the_currency_when_the_window_ends_and_what_to_set) {
    test::ManualClock clock;
    Budgets budgets(clock);
    budgets.speak_of("EUR");
    const auto refusal = budgets.refusal(key_with(Money::from_micros(100)), Money::from_micros(200));
    for (const auto* part : {"EUR", "until 2023-11-15 00:00 UTC", "keys.alice.budgets", "0.000200"})
        EXPECT_NE(refusal.find(part), std::string::npos) << refusal;
    const auto month = budgets.refusal(key_with(Money{}, config::Budget::Window::month), Money::from_micros(1));
    EXPECT_NE(month.find("2023-12-01 00:00 UTC"), std::string::npos) << month;
}

TEST(Budgets, let_a_reservation_grow_only_into_what_is_left) {
    test::ManualClock clock;
    Budgets budgets(clock);
    const auto key = key_with(Money::from_micros(100));
    auto held = budgets.reserve(key, Money::from_micros(60), {1});
    ASSERT_TRUE(held);
    EXPECT_TRUE(budgets.extend(key, *held, Money::from_micros(40), {1}));
    EXPECT_FALSE(budgets.extend(key, *held, Money::from_micros(1), {1}));
    held->settle(Money::from_micros(10), {1});
    EXPECT_EQ(budgets.refusal(key, Money::from_micros(90)), "");
    EXPECT_FALSE(budgets.extend(key, *held, Money::from_micros(1), {1}));
}

// Whatever is asked and however long it takes: the tokens of attempts that any 60 seconds touch are at most the limit.
TEST(Limits, hold_in_every_sixty_seconds_whatever_the_minute) {
    constexpr std::int64_t kTokens = 1'000, kRequests = 20;
    struct Span {
        std::int64_t from, to, tokens;
    };
    for (unsigned seed = 0; seed < 40; ++seed) {
        auto random = seeded_random(seed);
        TwoClocks clock;
        Budgets budgets(clock);
        auto key = client_named("k");
        key.limits = {kRequests, kTokens, 0};
        struct Held {
            Reservation reservation;
            Span span;
        };
        std::vector<Held> held;
        std::vector<Span> done;
        std::vector<std::int64_t> admitted;
        for (int step = 0; step < 600; ++step) {
            clock.pass(milliseconds(random->next() % 4'000));
            if (random->next() % 10 == 0) clock.wall_now -= std::chrono::hours(1);
            const auto now = clock.steady_now.count();
            if (budgets.admit(key)) admitted.push_back(now);
            const auto want = static_cast<std::int64_t>(1 + random->next() % 300);
            if (auto got = budgets.reserve(key, {}, {want})) held.push_back({std::move(*got), {now, now, want}});
            while (!held.empty() && random->next() % 3 != 0) {
                const auto at = random->next() % held.size();
                auto& one = held[at];
                one.span.to = now;
                one.span.tokens =
                    static_cast<std::int64_t>(random->next() % static_cast<std::uint64_t>(one.span.tokens + 1));
                one.reservation.settle({}, {one.span.tokens});
                done.push_back(one.span);
                held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
            }
        }
        ASSERT_GT(done.size(), 50U);
        for (const auto& first : done) {
            std::int64_t tokens = 0;
            for (const auto& other : done)  // of those that the minute before the start of this one touches
                if (other.from <= first.from && other.to > first.from - 60'000) tokens += other.tokens;
            EXPECT_LE(tokens, kTokens) << "seed " << seed;
        }
        for (const auto first : admitted)
            EXPECT_LE(std::ranges::count_if(admitted, [&](auto t) { return t >= first && t < first + 60'000; }),
                      kRequests)
                << "seed " << seed;
    }
}

TEST(Ledger, counts_what_was_under_way_at_a_crash_at_the_most_that_it_could_cost) {
    Opened o;
    AttemptRecord a;
    a.decision = DecisionId::make(o.clock, *system_random());
    a.time = o.clock.wall().time_since_epoch().count();
    a.key = "alice";
    a.provider = "far";
    a.model = "big";
    a.zone = Zone::cloud;
    a.usage = {{100}, {0}, {1024}, {0}, true};
    a.cost = Money::from_micros(70);
    auto ended = a;
    ended.number = 2;
    ASSERT_TRUE(o.store->run([&](store::Database& database) -> Result<> {
        if (auto ok = open(database, a); !ok) return ok;
        return open(database, ended);
    }));
    ended.outcome = "answered";
    ended.cost = Money::from_micros(5);
    Ledger ledger(*o.store);
    std::promise<bool> done;
    ledger.close({ended}, {}, [&](Result<Receipt> receipt) { done.set_value(receipt.has_value()); });
    ASSERT_TRUE(done.get_future().get());

    const auto lost = settle_lost(*o.store);
    ASSERT_TRUE(lost);
    EXPECT_EQ(lost->attempts, 1);
    EXPECT_EQ(lost->cost.micros(), 70);
    EXPECT_EQ(settle_lost(*o.store)->attempts, 0);
    auto database = store::Database::open_to_read(o.folder.path / "db");
    const auto attempts = attempts_of(**database, a.decision.text());
    ASSERT_TRUE(attempts);
    ASSERT_EQ(attempts->size(), 2U);
    EXPECT_EQ(attempts->at(0).outcome, "lost");
    EXPECT_TRUE(attempts->at(0).usage.estimated);
    EXPECT_EQ(attempts->at(0).usage.output.count, 1024);
    EXPECT_EQ(attempts->at(1).outcome, "answered");
    Budgets budgets(o.clock);
    ASSERT_TRUE(budgets.load(*o.store));
    EXPECT_NE(budgets.refusal(key_with(Money::from_micros(100)), Money::from_micros(26)), "");
    EXPECT_EQ(budgets.refusal(key_with(Money::from_micros(100)), Money::from_micros(25)), "");
}

TEST(Cost, of_hostile_counts_neither_wraps_nor_stops_the_sums) {
    Opened o;
    const auto million = Money::from_micros(1'000'000'000'000);
    const auto price = tariff_of(config::Price{million, {}, million, {}});
    const auto most = bill_of(Usage{{INT64_MAX}, {INT64_MIN}, {INT64_MAX}, {0}}, price, {}, {}, {}).cost;
    for (int i = 0; i < 20; ++i) o.attempt("alice", most);
    auto database = store::Database::open_to_read(o.folder.path / "db");
    EXPECT_TRUE(reports::make_report(**database, {.by = {reports::Dimension::key}}));
    Budgets budgets(o.clock);
    ASSERT_TRUE(budgets.load(*o.store));
    EXPECT_NE(budgets.refusal(key_with(Money::from_micros(100)), Money::from_micros(1)), "");
    EXPECT_GT((Money::from_micros(INT64_MAX) + Money::from_micros(1)).micros(), 0);
    EXPECT_LT((Money::from_micros(INT64_MIN) - Money::from_micros(1)).micros(), 0);
}

TEST(Ledger, adds_up_by_model_zone_key_and_day) {
    Opened o;
    o.attempt("alice", Money::from_micros(7));
    o.attempt("alice", Money::from_micros(8));
    o.attempt("bob", Money::from_micros(1));
    auto database = store::Database::open_to_read(o.folder.path / "db");
    ASSERT_TRUE(database);
    using reports::Dimension;
    const auto report = [&](Dimension by, std::int64_t since = 0) {
        return reports::make_report(**database, {.by = {by}, .since = since})->lines;
    };
    const auto keys = report(Dimension::key);
    ASSERT_EQ(keys.size(), 2U);
    EXPECT_EQ(keys[0].groups[0], "alice");
    EXPECT_EQ(keys[0].figures.sums.cost.micros(), 15);
    EXPECT_EQ(keys[0].figures.sums.usage.input.count, 20);
    EXPECT_EQ(keys[0].figures.estimated, 2);
    EXPECT_EQ(report(Dimension::zone).at(0).groups[0], "cloud");
    EXPECT_EQ(report(Dimension::day).at(0).groups[0], "2023-11-14");
    EXPECT_TRUE(report(Dimension::model, o.clock.now.count() + 1).empty());
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
