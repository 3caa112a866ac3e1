#include "ledger/ledger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <future>
#include <thread>

#include "ledger/bill.h"
#include "ledger/reports/report.h"
#include "ledger/reports/rollup.h"
#include "tests/support.h"

namespace tandem::ledger {
namespace {

static_assert(!std::is_default_constructible_v<Receipt> && !std::is_copy_constructible_v<Receipt>);

struct Opened {
    test::Folder folder;
    std::unique_ptr<store::Store> store;
    test::ManualClock clock;
    Budgets budgets{clock};
    Opened() {
        static const store::Migration all[] = {{kLedgerSchema},           {kLedgerSchema2}, {kLedgerSchema3},
                                               {reports::kReportsSchema}, {kBudgetsSchema}, {reports::kReportsSchema2},
                                               {kLedgerSchema5}};
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
        Ledger ledger(*store, budgets);
        std::promise<bool> done;
        ledger.close({a}, {}, [&](Result<Receipt> receipt) { done.set_value(receipt.has_value()); });
        ASSERT_TRUE(done.get_future().get());
    }
    int number = 0;
};

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
    Ledger ledger(*o.store, o.budgets);
    std::promise<bool> done;
    ledger.close({ended}, {}, [&](Result<Receipt> receipt) { done.set_value(receipt.has_value()); });
    ASSERT_TRUE(done.get_future().get());

    const auto lost = settle_lost(*o.store, o.budgets);
    ASSERT_TRUE(lost);
    EXPECT_EQ(lost->attempts, 1);
    EXPECT_EQ(lost->cost.micros(), 70);
    EXPECT_EQ(settle_lost(*o.store, o.budgets)->attempts, 0);
    auto database = store::Database::open_to_read(o.folder.path / "db");
    const auto attempts = attempts_of(**database, a.decision.text());
    ASSERT_TRUE(attempts);
    ASSERT_EQ(attempts->size(), 2U);
    EXPECT_EQ(attempts->at(0).outcome, "lost");
    EXPECT_TRUE(attempts->at(0).usage.estimated);
    EXPECT_EQ(attempts->at(0).usage.output.count, 1024);
    EXPECT_EQ(attempts->at(1).outcome, "answered");
}

TEST(Cost, of_hostile_counts_neither_wraps_nor_stops_the_sums) {
    Opened o;
    const auto million = Money::from_micros(1'000'000'000'000);
    const auto price = tariff_of(config::Price{million, {}, million, {}});
    const auto most = bill_of(Usage{{INT64_MAX}, {INT64_MIN}, {INT64_MAX}, {0}}, price, {}, {}, {}).cost;
    for (int i = 0; i < 20; ++i) o.attempt("alice", most);
    auto database = store::Database::open_to_read(o.folder.path / "db");
    EXPECT_TRUE(reports::make_report(**database, {.by = {reports::Dimension::key}}));
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
    Ledger ledger(*o.store, o.budgets);
    std::promise<ErrorCode> done;
    ledger.close({AttemptRecord{}}, {}, [&](Result<Receipt> receipt) {
        done.set_value(receipt ? FaultCode(ErrorCode::internal) : receipt.error().code);
    });
    EXPECT_EQ(done.get_future().get(), ErrorCode::storage);
}

}  // namespace
}  // namespace tandem::ledger
