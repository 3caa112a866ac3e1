#include "ledger/budgets/budgets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/ledger/budgets/house.h"

namespace tandem::ledger {
namespace {

using namespace test_house;

static_assert(!std::is_default_constructible_v<Reservation> && !std::is_copy_constructible_v<Reservation>);

WallTime at(std::string_view utc) {  // "2026-03-29 00:30"
    int y = 0, mo = 0, d = 0, h = 0, mi = 0;
    std::sscanf(std::string(utc).c_str(), "%d-%d-%d %d:%d", &y, &mo, &d, &h, &mi);
    const std::chrono::sys_days day = std::chrono::year(y) / mo / d;
    return WallTime(day) + std::chrono::hours(h) + std::chrono::minutes(mi);
}

void set(House& house, std::string_view utc) {
    const auto to = at(utc).time_since_epoch();
    house.clock.steady_now += std::max(milliseconds(0), to - house.clock.wall_now);
    house.clock.wall_now = to;
}

TEST(Budgets, hold_however_many_ask_at_once) {
    House house(alice("{ limit: 0.001 }"));
    std::atomic<int> granted = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t)
            threads.emplace_back([&] {
                for (int i = 0; i < 200; ++i)
                    if (auto reservation = house.reserve(house.of("alice"), 10)) {
                        ++granted;
                        reservation->settle(micros(10), {1});
                    }
            });
    }
    EXPECT_EQ(granted, 100);
}

TEST(Budgets, what_is_not_spent_comes_back) {
    House house(alice("{ limit: 0.0001 }"));
    const auto alice = house.of("alice");
    {
        auto held = house.reserve(alice, 90);
        ASSERT_TRUE(held);
        const auto refused = house.reserve(alice, 20);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::over_budget);
        held->settle(micros(30), {1});
    }
    auto next = house.reserve(alice, 70);
    ASSERT_TRUE(next);
    {
        auto moved = std::move(*next);
    }  // gone without being settled
    EXPECT_EQ(house.left(alice), 70);
}

TEST(Budgets, of_money_bind_what_costs_money_alone) {
    House house(alice("{ limit: 0.0001 }"));
    house.reserve(house.of("alice"), 100)->settle(micros(300), {1});  // a provider that went beyond its bound
    EXPECT_TRUE(house.reserve(house.of("alice"), 0));
    EXPECT_FALSE(house.reserve(house.of("alice"), 1));
}

TEST(Budgets, of_tokens_bind_every_model) {
    House house(alice("{ tokens: 1000 }"));
    house.spend(house.of("alice", "home"), 0, 900);
    EXPECT_TRUE(house.reserve(house.of("alice", "home"), 0, 100));
    EXPECT_FALSE(house.reserve(house.of("alice", "home"), 0, 101));
    const auto refusal = house.refusal(house.of("alice"), 5, 101);
    EXPECT_NE(refusal.find("1000 tokens per day of the key 'alice' has 100 tokens left"), std::string::npos) << refusal;
    EXPECT_NE(refusal.find("raise keys.alice.budgets[0].tokens"), std::string::npos) << refusal;
}

TEST(Budgets, of_keys_teams_providers_labels_and_all_hold_at_once) {
    House house(
        "teams: { lab: { budgets: [{ limit: 0.0005 }] } }\n"
        "keys:\n"
        "  alice: { secret: alice-0123456789abcdef, team: lab, budgets: [{ limit: 0.0003 }, { limit: 0.0004, window: "
        "week }] }\n"
        "  bob: { secret: bob-0123456789abcdef, team: lab }\n"
        "  carol: { secret: carol-0123456789abcdef }\n"
        "aliases: { strong: [m, n] }\n"
        "budgets:\n"
        "  - { limit: 0.001, window: month }\n"
        "  - { limit: 0.0007, of: { provider: far } }\n"
        "  - { limit: 0.0002, of: { model: n, team: lab } }\n"
        "  - { limit: 0.0001, of: { label: internal } }\n"
        "  - { limit: 0.00015, of: { alias: strong } }\n");
    EXPECT_EQ(house.left(house.of("alice")), 300);
    EXPECT_EQ(house.left(house.of("alice", "n")), 200);
    EXPECT_EQ(house.left(house.of("bob", "n")), 200);
    EXPECT_EQ(house.left(house.of("carol", "n")), 700);
    EXPECT_EQ(house.left(house.of("carol", "m", "auto", Label::internal)), 100);
    EXPECT_EQ(house.left(house.of("carol", "m", "strong")), 150);
    house.spend(house.of("alice"), 250);
    EXPECT_EQ(house.left(house.of("alice")), 50);
    EXPECT_EQ(house.left(house.of("bob")), 250);    // the team's
    EXPECT_EQ(house.left(house.of("carol")), 450);  // the provider's
    house.spend(house.of("carol"), 450);
    EXPECT_EQ(house.left(house.of("bob")), 0);
    set(house, "2023-11-15 01:00");
    EXPECT_EQ(house.left(house.of("alice")), 150);  // its week
    EXPECT_EQ(house.left(house.of("carol")), 300);  // the month of the whole system
    house.expect_whole();
}

TEST(Budgets, begin_anew_with_their_window_in_utc) {
    House house(alice("{ limit: 0.0001 }, { limit: 0.00015, window: total }"));
    house.spend(house.of("alice"), 100);
    EXPECT_EQ(house.left(house.of("alice")), 0);
    house.clock.pass(std::chrono::hours(24));
    EXPECT_EQ(house.left(house.of("alice")), 50);
}

TEST(Budgets, begin_at_midnight_of_their_zone_also_where_the_clock_changes) {
    House house("time_zone: Europe/Berlin\n" + alice("{ limit: 0.0001 }"));
    const auto alice = house.of("alice");
    set(house, "2026-03-28 22:59");  // 23:59 in Berlin
    house.spend(alice, 100);
    EXPECT_EQ(house.left(alice), 0);
    set(house, "2026-03-28 23:00");  // the 29th begins, which has 23 hours
    EXPECT_EQ(house.left(alice), 100);
    house.spend(alice, 100);
    set(house, "2026-03-29 21:59");
    EXPECT_EQ(house.left(alice), 0);
    set(house, "2026-03-29 22:00");  // summer time
    EXPECT_EQ(house.left(alice), 100);
    set(house, "2026-10-24 22:00");  // the 25th has 25 hours
    house.spend(alice, 100);
    set(house, "2026-10-25 22:59");
    EXPECT_EQ(house.left(alice), 0);
    const auto refusal = house.refusal(alice, 50);
    EXPECT_NE(refusal.find("until 2026-10-26 00:00 CET"), std::string::npos) << refusal;
    set(house, "2026-10-25 23:00");
    EXPECT_EQ(house.left(alice), 100);
}

TEST(Budgets, have_weeks_that_begin_on_the_day_that_the_owner_says) {
    House house("week_starts: sunday\n" + alice("{ limit: 0.0001, window: week }"));
    set(house, "2026-11-28 23:59");  // a Saturday
    house.spend(house.of("alice"), 100);
    EXPECT_EQ(house.left(house.of("alice")), 0);
    set(house, "2026-11-29 00:00");
    EXPECT_EQ(house.left(house.of("alice")), 100);
    const auto monday = span_of(Period::week, at("2026-11-29 00:00"), "UTC", Weekday::monday);
    EXPECT_EQ(monday.start, at("2026-11-23 00:00").time_since_epoch().count());
}

TEST(Budgets, that_roll_never_give_more_than_the_limit_in_any_such_time) {
    House house(alice("{ limit: 0.001, rolling: 1h }"));
    const auto alice = house.of("alice");
    const auto random = seeded_random(7);
    std::vector<std::pair<std::int64_t, std::int64_t>> spent;
    for (int i = 0; i < 400; ++i) {
        house.clock.pass(milliseconds(random->next() % 240'000));
        const auto amount =
            std::min<std::int64_t>(house.left(alice), 1 + static_cast<std::int64_t>(random->next() % 200));
        if (amount == 0) continue;
        house.reserve(alice, amount)->settle(micros(amount), {1});
        spent.emplace_back(house.clock.wall_now.count(), amount);
    }
    ASSERT_GT(spent.size(), 100U);
    std::int64_t most = 0;
    for (const auto& [end, ignored] : spent) {
        std::int64_t sum = 0;
        for (const auto& [time, amount] : spent)
            if (time <= end && time > end - 3'600'000) sum += amount;
        most = std::max(most, sum);
    }
    EXPECT_LE(most, 1000);
    EXPECT_GT(most, 900);
    const auto denial = house.budgets->denied(alice, micros(1000), {1}, Budgets::Amount::said);
    ASSERT_TRUE(denial);
    house.clock.pass(seconds(*denial->error.again_in));
    EXPECT_EQ(house.left(alice), 1000);
}

TEST(Budgets, know_after_a_restart_what_was_spent) {
    const auto text = alice("{ limit: 0.0001 }, { limit: 0.0001, rolling: 2d }");
    House house(text);
    house.spend(house.of("alice"), 60);
    house.spend(house.of("bob"), 1000);
    house.restart(text);
    EXPECT_EQ(house.left(house.of("alice")), 40);
    house.clock.pass(std::chrono::hours(30));
    house.restart(text);
    EXPECT_EQ(house.left(house.of("alice")), 40);  // the one that rolls
    house.clock.pass(std::chrono::hours(30));
    EXPECT_EQ(house.left(house.of("alice")), 100);
    house.expect_whole();
}

TEST(Budgets, that_are_new_know_what_the_ledger_has) {
    House house(alice("{ limit: 0.0001 }"));
    house.spend(house.of("alice"), 60);
    house.spend(house.of("alice", "n", "strong"), 30);
    house.spend(house.of("bob", "m", "auto", Label::internal), 10);
    house.say(
        alice("{ limit: 0.0001 }") +
        "budgets: [{ limit: 0.0002, window: month, of: { provider: far } }, { limit: 0.0001, of: { alias: cloud } }, "
        "{ limit: 0.00005, of: { label: internal } }, { limit: 0.00008, of: { model: n } }]\n");
    EXPECT_EQ(house.left(house.of("bob")), 100);
    EXPECT_EQ(house.left(house.of("bob", "n")), 50);
    EXPECT_EQ(house.left(house.of("bob", "m", "auto", Label::internal)), 40);
    house.expect_whole();
    // One that was left out for a while has missed nothing.
    house.say(alice(""));
    house.spend(house.of("alice"), 500);
    house.restart(alice(""));
    house.spend(house.of("alice"), 500);
    house.restart(alice("{ limit: 0.0012 }"));
    EXPECT_EQ(house.left(house.of("alice")), 1200 - 1090);
    house.expect_whole();
}

TEST(Budgets, of_a_pattern_count_the_names_that_it_stands_for_before_and_after_a_restart) {
    const std::string text = "aliases: { 'gpt-4o*': m }\nbudgets: [{ limit: 0.0001, of: { alias: 'gpt-4o*' } }]\n";
    House house(text);
    house.spend(house.of("alice", "m", "gpt-4o-mini"), 60);
    EXPECT_EQ(house.left(house.of("alice", "m", "gpt-4o")), 40);
    EXPECT_GT(house.left(house.of("alice", "m", "auto")), 1000);
    house.say("");
    house.say(text);
    EXPECT_EQ(house.left(house.of("alice", "m", "gpt-4o")), 40);
}

TEST(Budgets, that_are_soft_refuse_nothing) {
    House house(alice("{ limit: 0.0001, soft: true }"));
    house.spend(house.of("alice"), 1000);
    EXPECT_EQ(house.refusal(house.of("alice"), 1000), "");
}

TEST(Budgets, say_the_strictest_of_their_wishes) {
    House house(
        alice("{ limit: 0.0001 }, { limit: 0.0001, window: month, on_budget: local }, { limit: 0.0001, window: "
              "week, on_budget: refuse }"));
    const auto denial = house.budgets->denied(house.of("alice"), micros(101), {1}, Budgets::Amount::said);
    ASSERT_TRUE(denial);
    EXPECT_EQ(denial->act, config::OnBudget::refuse);
}

TEST(Budgets, are_not_opened_again_by_a_clock_that_goes_back) {
    House house(alice("{ limit: 0.0001 }"));
    house.spend(house.of("alice"), 100);
    house.clock.wall_now -= std::chrono::hours(30);
    EXPECT_EQ(house.left(house.of("alice")), 0);
    // And time goes on: a day later there is a new day.
    house.clock.pass(std::chrono::hours(24));
    EXPECT_EQ(house.left(house.of("alice")), 100);
}

TEST(Budgets, count_an_attempt_across_midnight_on_the_day_of_its_start_before_and_after_a_restart) {
    const auto text = alice("{ limit: 0.0001 }, { limit: 0.0001, window: total }");
    House house(text);
    set(house, "2023-11-15 23:59");
    const auto subject = house.of("alice");
    auto held = house.reserve(subject, 80);
    ASSERT_TRUE(held);
    const auto begun = held->start();
    house.clock.pass(std::chrono::minutes(2));
    held->settle(micros(80), {1});
    house.book(subject, 80, 1, begun);
    house.expect_whole();
    for (int restarts = 0; restarts < 2; ++restarts) {
        EXPECT_EQ(house.left(subject), 20);  // the total
        for (const auto& state : house.budgets->states())
            EXPECT_EQ(state.spent.cost.micros(), state.budget.window.period == Period::day ? 0 : 80);
        house.restart(text);
    }
}

TEST(Budgets, count_after_a_restart_an_attempt_that_began_after_midnight_for_a_decision_before_it) {
    House house("");
    set(house, "2023-11-15 00:01");
    house.book(house.of("alice"), 90, 1, at("2023-11-15 00:00"));
    house.restart(alice("{ limit: 0.0001 }"));
    EXPECT_EQ(house.left(house.of("alice")), 10);
}

TEST(Budgets, say_when_it_helps_to_ask_again) {
    House house(alice("{ limit: 0.0001, window: hour }") +
                "budgets: [{ limit: 0.0001, window: total, of: { model: n } }]\n");
    const auto hour = house.of("alice"), total = house.of("bob", "n");
    const auto denied = [&](const Subject& subject, std::int64_t cost, Budgets::Amount says = Budgets::Amount::said) {
        return house.budgets->denied(subject, micros(cost), {1}, says);
    };
    EXPECT_FALSE(denied(hour, 100));
    {
        const auto held = house.reserve(hour, 60), other = house.reserve(total, 60);
        for (const auto* subject : {&hour, &total}) {
            const auto reserved = denied(*subject, 50);
            ASSERT_TRUE(reserved);
            EXPECT_FALSE(reserved->error.certain);
            EXPECT_EQ(reserved->error.again_in, 5);
            EXPECT_NE(reserved->error.message.find("0.000060 USD reserved"), std::string::npos)
                << reserved->error.message;
        }
    }
    house.spend(hour, 60);
    house.spend(total, 60);
    const auto spent = denied(hour, 50);
    ASSERT_TRUE(spent);
    EXPECT_FALSE(spent->error.certain);
    EXPECT_GT(*spent->error.again_in, 0);
    EXPECT_LE(*spent->error.again_in, 3600);
    EXPECT_NE(spent->error.message.find("0.000060 USD spent"), std::string::npos) << spent->error.message;
    EXPECT_NE(spent->error.message.find("keys.alice.budgets[0].limit"), std::string::npos) << spent->error.message;
    house.clock.pass(seconds(*spent->error.again_in));
    EXPECT_FALSE(denied(hour, 50));
    EXPECT_TRUE(denied(total, 50)->error.certain);
    EXPECT_TRUE(denied(hour, 101)->error.certain);
    EXPECT_EQ(denied(total, 50, Budgets::Amount::left_out)->error.message,
              denied(total, 60, Budgets::Amount::left_out)->error.message);
}

TEST(Budgets, say_in_a_refusal_the_currency_when_the_window_ends_and_what_to_set) {
    House house("currency: EUR\n" + alice("{ limit: 0.0001 }, { limit: 0, window: month }"));
    const auto refusal = house.refusal(house.of("alice"), 200);
    for (const auto* part : {"EUR", "of the key 'alice'", "keys.alice.budgets", "0.000200"})
        EXPECT_NE(refusal.find(part), std::string::npos) << refusal;
    const auto month = house.refusal(house.of("alice"), 1);
    EXPECT_NE(month.find("2023-12-01 00:00 UTC"), std::string::npos) << month;
}

TEST(Budgets, let_a_reservation_grow_only_into_what_is_left) {
    House house(alice("{ limit: 0.0001 }"));
    const auto alice = house.who("alice");
    auto held = house.reserve(house.of("alice"), 60);
    ASSERT_TRUE(held);
    EXPECT_TRUE(house.budgets->extend(alice, *held, micros(40), {1}));
    EXPECT_FALSE(house.budgets->extend(alice, *held, micros(1), {1}));
    held->settle(micros(10), {1});
    EXPECT_EQ(house.left(house.of("alice")), 90);
    EXPECT_FALSE(house.budgets->extend(alice, *held, micros(1), {1}));
}

TEST(Budgets, count_what_was_under_way_at_a_crash_at_the_most_that_it_could_cost) {
    const auto text =
        alice("{ limit: 0.0001 }") + "budgets: [{ limit: 0.0001, of: { alias: cloud, label: internal } }]\n";
    House house(text);
    AttemptRecord a;
    a.decision = DecisionId::make(house.clock, *system_random());
    a.time = house.clock.wall_now.count();
    a.key = "alice";
    a.provider = "far";
    a.model = "m";
    a.alias = "cloud";
    a.label = Label::internal;
    a.zone = Zone::cloud;
    a.usage = {{100}, {0}, {1024}, {0}, true};
    a.cost = micros(70);
    ASSERT_TRUE(house.store->run([&](store::Database& database) -> Result<> { return open(database, a); }));
    for (int restarts = 0; restarts < 2; ++restarts) {
        house.restart(text);
        const auto lost = settle_lost(*house.store, *house.budgets);
        ASSERT_TRUE(lost);
        EXPECT_EQ(lost->attempts, restarts == 0 ? 1 : 0);
        EXPECT_EQ(house.left(house.of("alice")), 30);
        EXPECT_EQ(house.left(house.of("bob", "m", "cloud", Label::internal)), 30);
    }
}

// ---- rates ----

TEST(Limits, of_rate_tokens_and_concurrency_hold) {
    House house("keys: { k: { secret: k-0123456789abcdef0, limits: { rpm: 3, tpm: 100, concurrency: 2 } } }\n");
    const auto key = house.who("k");
    auto& budgets = *house.budgets;
    {
        auto a = budgets.admit(key), b = budgets.admit(key);
        ASSERT_TRUE(a && b);
        EXPECT_EQ(budgets.admit(key).error().code, ErrorCode::rate_limited);  // concurrency
    }
    {
        ASSERT_TRUE(budgets.admit(key));
    }
    EXPECT_FALSE(budgets.admit(key));  // three in this minute
    house.clock.pass(std::chrono::minutes(1));
    EXPECT_TRUE(budgets.admit(key));
    auto tokens = house.reserve(house.of("k"), 0, 90);
    ASSERT_TRUE(tokens);
    EXPECT_FALSE(house.reserve(house.of("k"), 0, 20));
    tokens->settle({}, {50});
    EXPECT_TRUE(house.reserve(house.of("k"), 0, 50));
}

TEST(Limits, of_teams_models_and_aliases_are_shared_by_all_who_use_them) {
    House house(
        "teams: { lab: { limits: { rpm: 2 } } }\n"
        "keys: { a: { secret: a-0123456789abcdef0, team: lab }, b: { secret: b-0123456789abcdef0, team: lab }, c: { "
        "secret: c-0123456789abcdef0 } }\n"
        "aliases: { strong: { models: [m], limits: { concurrency: 1 } } }\n");
    auto& budgets = *house.budgets;
    const auto a = house.who("a"), b = house.who("b"), c = house.who("c");
    ASSERT_TRUE(budgets.admit(a));
    ASSERT_TRUE(budgets.admit(b));
    const auto refused = budgets.admit(a);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("the team 'lab'"), std::string::npos) << refused.error().message;
    EXPECT_NE(refused.error().message.find("teams.lab.limits.rpm"), std::string::npos) << refused.error().message;
    EXPECT_TRUE(budgets.admit(c));
    {
        const auto first = budgets.admit_alias("strong");
        ASSERT_TRUE(first);
        const auto second = budgets.admit_alias("strong");
        ASSERT_FALSE(second);
        EXPECT_NE(second.error().message.find("aliases.strong.limits.concurrency"), std::string::npos);
        EXPECT_TRUE(budgets.admit_alias("auto"));
    }
    EXPECT_TRUE(budgets.admit_alias("strong"));
}

// Whatever is asked and however long it takes: the tokens of attempts that any 60 seconds touch are at most the limit.
TEST(Limits, hold_in_every_sixty_seconds_whatever_the_minute) {
    constexpr std::int64_t kTokens = 1'000, kRequests = 20;
    struct Spell {
        std::int64_t from, to, tokens;
    };
    for (unsigned seed = 0; seed < 40; ++seed) {
        auto random = seeded_random(seed);
        TwoClocks clock;
        Budgets budgets(clock);
        config::Key configured;
        configured.id = "k";
        configured.limits.requests_per_minute = kRequests;
        configured.limits.tokens_per_minute = kTokens;
        const auto key = access::Principal::client(configured);
        struct Held {
            Reservation reservation;
            Spell span;
        };
        std::vector<Held> held;
        std::vector<Spell> done;
        std::vector<std::int64_t> admitted;
        for (int step = 0; step < 600; ++step) {
            clock.pass(milliseconds(random->next() % 4'000));
            if (random->next() % 10 == 0) clock.wall_now -= std::chrono::hours(1);
            const auto now = clock.steady_now.count();
            if (budgets.admit(key)) admitted.push_back(now);
            const auto want = static_cast<std::int64_t>(1 + random->next() % 300);
            if (auto got = budgets.reserve(key, {.key = "k"}, {}, {want}))
                held.push_back({std::move(*got), {now, now, want}});
            while (!held.empty() && random->next() % 3 != 0) {
                const auto place = random->next() % held.size();
                auto& one = held[place];
                one.span.to = now;
                one.span.tokens =
                    static_cast<std::int64_t>(random->next() % static_cast<std::uint64_t>(one.span.tokens + 1));
                one.reservation.settle({}, {one.span.tokens});
                done.push_back(one.span);
                held.erase(held.begin() + static_cast<std::ptrdiff_t>(place));
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

}  // namespace
}  // namespace tandem::ledger
