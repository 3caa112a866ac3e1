// A ledger with budgets, as a config says them: what the tests of budgets share.
#pragma once

#include <gtest/gtest.h>

#include <future>

#include "ledger/ledger.h"
#include "ledger/reports/rollup.h"
#include "tests/support.h"

namespace tandem::ledger::test_house {

// A clock whose two hands are set apart: the wall's may go back, the steady one may not.
struct TwoClocks final : Clock {
    milliseconds wall_now{1'700'000'000'000};  // 2023-11-14 22:13:20 UTC, a Tuesday
    milliseconds steady_now{1'000'000};
    SteadyTime steady() const override { return SteadyTime(steady_now); }
    WallTime wall() const override { return WallTime(wall_now); }
    void pass(milliseconds time) {
        wall_now += time;
        steady_now += time;
    }
};

inline Money micros(std::int64_t count) {
    return Money::from_micros(count);
}

struct House {
    tandem::test::Folder folder;
    TwoClocks clock;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<Budgets> budgets;
    config::Config config;
    int number = 0;

    // `text`: teams, keys, budgets, aliases and limits, after two providers and three models. Amounts are in the
    // config's currency, so 0.0001 is a hundred micro-units.
    explicit House(const std::string& text) {
        static const store::Migration all[] = {{kLedgerSchema},           {kLedgerSchema2}, {kLedgerSchema3},
                                               {reports::kReportsSchema}, {kBudgetsSchema}, {reports::kReportsSchema2},
                                               {kLedgerSchema5}};
        store = std::move(*store::Store::open(folder.path / "db", all, store::Durability::process));
        restart(text);
    }
    void say(const std::string& text) {
        auto read = config::parse(
            "providers: { far: { kind: openai, zone: cloud, base_url: 'http://127.0.0.1:9/v1' }, near: { kind: "
            "openai, zone: local, base_url: 'http://127.0.0.1:8/v1' } }\n"
            "models: { m: { provider: far }, n: { provider: far }, home: { provider: near } }\n" +
                text,
            "tandem.yaml", [](const std::string&) { return std::nullopt; });
        ASSERT_TRUE(read) << read.error().message;
        config = std::move(*read);
        const auto taken = budgets->adopt(config, *store);
        ASSERT_TRUE(taken) << taken.error().message;
    }
    // As after a crash: nothing is known but what the store has.
    void restart(const std::string& text) {
        budgets = std::make_unique<Budgets>(clock);
        say(text);
    }
    access::Principal who(const std::string& name) const {
        for (const auto& key : config.keys)
            if (key.id == name) return access::Principal::client(key);
        config::Key key;
        key.id = name;
        return access::Principal::client(key);
    }
    Subject of(const std::string& name, const std::string& model = "m", const std::string& alias = "auto",
               Label label = Label::public_) const {
        const auto principal = who(name);
        return {.key = principal.id(),
                .team = principal.team(),
                .alias = alias,
                .label = label,
                .provider = model == "home" ? "near" : "far",
                .model = model};
    }
    Result<Reservation> reserve(const Subject& subject, std::int64_t cost, std::int64_t tokens = 1) const {
        return budgets->reserve(who(subject.key), subject, micros(cost), {tokens});
    }
    // Empty: it would not be refused.
    std::string refusal(const Subject& subject, std::int64_t cost, std::int64_t tokens = 1) const {
        const auto denial = budgets->denied(subject, micros(cost), {tokens}, Budgets::Amount::said);
        return denial ? denial->error.message : std::string();
    }
    std::int64_t left(const Subject& subject) const {
        std::int64_t low = 0, high = 1'000'000'000;
        while (low < high) {
            const auto middle = (low + high + 1) / 2;
            (refusal(subject, middle).empty() ? low : high) = refusal(subject, middle).empty() ? middle : middle - 1;
        }
        return low;
    }
    // An attempt from its reservation to its record.
    void spend(const Subject& subject, std::int64_t cost, std::int64_t tokens = 1) {
        auto held = reserve(subject, cost, tokens);
        ASSERT_TRUE(held) << held.error().message;
        held->settle(micros(cost), {tokens});
        book(subject, cost, tokens, held->start());
    }
    // Its record alone, of an attempt that began at `begun`.
    void book(const Subject& subject, std::int64_t cost, std::int64_t tokens, WallTime begun) {
        tandem::test::ManualClock then;
        then.now = begun.time_since_epoch();
        AttemptRecord a;
        a.decision = DecisionId::make(then, *seeded_random(static_cast<std::uint64_t>(++number)));
        a.time = begun.time_since_epoch().count();
        a.key = subject.key;
        a.team = subject.team;
        a.alias = subject.alias;
        a.label = subject.label;
        a.provider = subject.provider;
        a.model = subject.model;
        a.zone = Zone::cloud;
        a.usage.input = {tokens};
        a.cost = micros(cost);
        DecisionRecord decision{.id = a.decision,
                                .time = a.time,
                                .key = a.key,
                                .alias = a.alias,
                                .label = a.label,
                                .rule = {},
                                .table = {},
                                .inputs = "{}",
                                .outcome = "{}"};
        Ledger ledger(*store, *budgets);
        std::promise<bool> done;
        ledger.close(
            {a}, [decision](store::Database& database) { return insert(database, decision); },
            [&](Result<Receipt> receipt) { done.set_value(receipt.has_value()); });
        ASSERT_TRUE(done.get_future().get());
    }
    // That what the rows say is what the attempts come to.
    void expect_whole() const {
        const auto ok = store->run([this](store::Database& database) -> Result<> {
            const auto differences = budgets->check(database);
            if (!differences) return fail(differences.error());
            EXPECT_TRUE(differences->empty()) << (differences->empty() ? "" : differences->front());
            return {};
        });
        EXPECT_TRUE(ok);
    }
};

// The key alice with budgets as YAML flow entries.
inline std::string alice(const std::string& budgets) {
    return "keys: { alice: { secret: alice-0123456789abcdef, budgets: [" + budgets + "] } }\n";
}

}  // namespace tandem::ledger::test_house
