#include "ledger/reports/report.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <map>
#include <random>

#include "base/json.h"
#include "ledger/reports/recompute.h"
#include "ledger/reports/render.h"
#include "ledger/reports/retention.h"
#include "tests/support.h"

namespace tandem::ledger::reports {
namespace {

using prices::PriceSource;

constexpr std::int64_t kBegin = 1'766'000'000'000;  // 2025-12-17: the span goes over the end of a year

struct Fixture {
    test::Folder folder;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<store::Database> database;
    std::vector<AttemptRecord> written;
    Fixture() {
        static const store::Migration all[] = {{kLedgerSchema},  {kLedgerSchema2},  {kLedgerSchema3}, {kReportsSchema},
                                               {kBudgetsSchema}, {kReportsSchema2}, {kLedgerSchema5}};
        store = std::move(*store::Store::open(folder.path / "db", all, store::Durability::process));
        database = std::move(*store::Database::open_to_read(folder.path / "db"));
    }
    void close(std::vector<AttemptRecord> attempts) {
        test::ManualClock clock;
        Budgets budgets(clock);
        Ledger ledger(*store, budgets);
        std::promise<bool> done;
        written.insert(written.end(), attempts.begin(), attempts.end());
        ledger.close(std::move(attempts), {}, [&](Result<Receipt> receipt) { done.set_value(receipt.has_value()); });
        ASSERT_TRUE(done.get_future().get());
    }
    Report report(Question question) const {
        auto made = make_report(*database, question);
        EXPECT_TRUE(made) << made.error().message;
        return made ? *made : Report{};
    }
};

// Traffic without rhyme: `days` of it, requests of several attempts, each kind of outcome, price and tier.
std::vector<AttemptRecord> traffic(std::uint64_t seed, std::size_t requests, std::int64_t days) {
    std::mt19937_64 random(seed);
    const auto up_to = [&](std::int64_t most) { return std::uniform_int_distribution<std::int64_t>(0, most)(random); };
    const auto one_of = [&](const auto& list) {
        return std::string(list[static_cast<std::size_t>(up_to(std::ssize(list) - 1))]);
    };
    constexpr std::string_view keys[] = {"alice", "bob", "carol@team", "anonymous"},
                               models[] = {"gpt", "sonnet", "small", "=1+1", "größe"};
    constexpr std::string_view aliases[] = {"auto", "best", ""}, works[] = {"code", "talk", ""},
                               tiers[] = {"", "flex", "batch"};
    constexpr std::string_view outcomes[] = {"answered",  "answered", "answered", "failed",
                                             "cancelled", "cut",      "cached",   "skipped"};
    std::vector<AttemptRecord> all;
    for (std::size_t i = 0; i < requests; ++i) {
        test::ManualClock clock;
        clock.now = std::chrono::milliseconds(kBegin + up_to(days * kDayMs));
        const auto id = DecisionId::make(clock, *system_random());
        const auto key = one_of(keys), alias = one_of(aliases), work = one_of(works);
        const auto label = static_cast<Label>(up_to(3));
        const auto attempts = 1 + up_to(2);
        for (int number = 1; number <= attempts; ++number) {
            AttemptRecord a;
            a.decision = id;
            a.number = number;
            a.time = clock.now.count() + (number - 1) * up_to(3'600'000);
            a.key = key;
            a.team = key.front() < 'b' ? "lab" : "";
            a.owner = key.front() < 'c' ? "anna" : "";
            a.workflow = a.time % 3 == 0 ? "nightly" : "";
            a.alias = alias;
            a.work = work;
            a.label = label;
            a.model = one_of(models);
            a.zone = a.model == "small" ? Zone::local : Zone::cloud;
            a.provider = a.model == "small" ? "home" : "far";
            a.outcome = one_of(outcomes);
            a.total_ms = up_to(5'000);
            a.usage = {{up_to(100'000)}, {up_to(1'000)}, {up_to(9'000)}, {up_to(100)}, up_to(4) == 0, {up_to(50)}};
            a.source = static_cast<PriceSource>(up_to(5));
            if (a.source != PriceSource::free && a.source != PriceSource::unknown)
                a.cost = Money::from_micros(up_to(2'000'000));
            const auto tier = one_of(tiers);
            if (!tier.empty()) a.bill = fmt::format(R"({{"usage":{{"input":3}},"tier":"{}"}})", tier);
            all.push_back(a);
        }
    }
    return all;
}

std::string name_in(Dimension dimension, const AttemptRecord& a) {
    const auto when = [&](const char* format) {
        const std::time_t time = a.time / 1000;
        std::tm utc{};
        gmtime_r(&time, &utc);
        char text[32];
        return std::string(text, std::strftime(text, sizeof text, format, &utc));
    };
    switch (dimension) {
        case Dimension::model:
            return a.model;
        case Dimension::provider:
            return a.provider;
        case Dimension::zone:
            return std::string(name_of(a.zone));
        case Dimension::key:
            return a.key;
        case Dimension::team:
            return a.team;
        case Dimension::owner:
            return a.owner;
        case Dimension::workflow:
            return a.workflow;
        case Dimension::alias:
            return a.alias;
        case Dimension::label:
            return std::string(name_of(a.label));
        case Dimension::work:
            return a.work;
        case Dimension::source:
            return std::string(prices::name_of(a.source));
        case Dimension::tier:
            return a.bill.find("flex") != std::string::npos    ? "flex"
                   : a.bill.find("batch") != std::string::npos ? "batch"
                                                               : "standard";
        case Dimension::outcome:
            return a.outcome;
        case Dimension::day:
            return when("%Y-%m-%d");
        case Dimension::week:
            return when("%G-W%V");
        case Dimension::month:
            return when("%Y-%m");
    }
    return {};
}

// The same report by adding up single attempts, in other code.
std::map<std::vector<std::string>, Figures> added_up(const std::vector<AttemptRecord>& attempts, const Question& q) {
    std::map<std::vector<std::string>, Figures> groups;
    for (const auto& a : attempts) {
        if (a.time < q.since || a.time >= q.until) continue;
        std::vector<std::string> names;
        for (const auto d : q.by) names.push_back(name_in(d, a));
        auto& f = groups[names];
        Figures one;
        one.sums = sums_of(a);
        one.answered = a.outcome == "answered" || a.outcome == "cached" ? 1 : 0;
        one.estimated = a.usage.estimated ? 1 : 0;
        one.unpriced = a.source == PriceSource::unknown ? 1 : 0;
        one.sources[static_cast<std::size_t>(a.source)] = a.cost;
        f += one;
    }
    return groups;
}

void expect_same(const Report& report, const std::vector<AttemptRecord>& attempts, const Question& question) {
    const auto wanted = added_up(attempts, question);
    ASSERT_EQ(report.lines.size(), wanted.size());
    Figures total;
    for (const auto& line : report.lines) {
        const auto found = wanted.find(line.groups);
        ASSERT_NE(found, wanted.end());
        const auto& f = line.figures;
        EXPECT_EQ(f.sums, found->second.sums);
        EXPECT_EQ(f.answered, found->second.answered);
        EXPECT_EQ(f.estimated, found->second.estimated);
        EXPECT_EQ(f.unpriced, found->second.unpriced);
        EXPECT_EQ(f.sources, found->second.sources);
        total += f;
    }
    EXPECT_EQ(report.total.sums, total.sums);
}

TEST(Reports, by_any_two_dimensions_are_what_the_attempts_add_up_to) {
    Fixture f;
    f.close(traffic(1, 900, 80));
    for (std::size_t one = 0; one < kDimensionNames.size(); ++one)
        for (std::size_t other = one; other < kDimensionNames.size(); ++other) {
            Question question{.by = {static_cast<Dimension>(one)}};
            if (other != one) question.by.push_back(static_cast<Dimension>(other));
            SCOPED_TRACE(fmt::format("{} {}", kDimensionNames[one], kDimensionNames[other]));
            expect_same(f.report(question), f.written, question);
        }
}

TEST(Reports, of_any_span_are_exact_also_where_it_begins_and_ends_within_a_day) {
    Fixture f;
    f.close(traffic(2, 900, 80));
    std::mt19937_64 random(7);
    for (int i = 0; i < 60; ++i) {
        auto from = kBegin + static_cast<std::int64_t>(random() % (85 * kDayMs)),
             to = kBegin + static_cast<std::int64_t>(random() % (85 * kDayMs));
        if (i % 3 == 0) from -= from % kDayMs;
        if (i % 4 == 0) to -= to % kDayMs;
        if (i % 5 == 0) to = from + static_cast<std::int64_t>(random() % (20 * 3'600'000));  // within a day or two
        if (to <= from) std::swap(from, to);
        if (to == from) ++to;
        for (const auto by : {Dimension::model, Dimension::day, Dimension::month, Dimension::week}) {
            const Question question{.by = {by, Dimension::key}, .since = from, .until = to};
            SCOPED_TRACE(fmt::format("{} to {} by {}", from, to, name_of(by)));
            expect_same(f.report(question), f.written, question);
        }
    }
}

TEST(Reports, come_in_order_of_time_or_of_cost) {
    Fixture f;
    f.close(traffic(3, 300, 40));
    const auto days = f.report({.by = {Dimension::day}});
    EXPECT_TRUE(std::ranges::is_sorted(days.lines, {}, [](const Line& line) { return line.groups[0]; }));
    const auto models = f.report({.by = {Dimension::model}});
    EXPECT_TRUE(
        std::ranges::is_sorted(models.lines, std::greater(), [](const Line& line) { return line.figures.sums.cost; }));
}

TEST(Reports, of_a_ledger_of_before_are_complete_after_its_migration) {
    test::Folder folder;
    const auto all = traffic(4, 300, 50);
    const store::Migration old[] = {{kLedgerSchema}, {kLedgerSchema2}, {kLedgerSchema3}};
    std::vector<AttemptRecord> wanted;
    {
        auto store = store::Store::open(folder.path / "db", old, store::Durability::process);
        ASSERT_TRUE((*store)->run([&](store::Database& database) -> Result<> {
            for (auto a : all) {
                // What an old row cannot say of its request stands in its decision.
                const DecisionRecord decision{
                    a.decision, a.time, a.key, a.alias,
                    a.label,    "r",    "t",   fmt::format(R"({{"work":{{"kind":"{}"}}}})", a.work),
                    "{}"};
                if (auto ok = insert(database, decision); !ok) return ok;
                auto ok =
                    database.prepare("INSERT INTO attempts VALUES (?,?,?,?,?,?,?,?,200,'',1,?,?,?,?,?,?,?,'',?,?,?)")
                        .bind(1, a.decision.text())
                        .bind(2, static_cast<std::int64_t>(a.number))
                        .bind(3, a.time)
                        .bind(4, a.key)
                        .bind(5, a.provider)
                        .bind(6, a.model)
                        .bind(7, static_cast<std::int64_t>(a.zone))
                        .bind(8, a.outcome)
                        .bind(9, a.total_ms)
                        .bind(10, a.usage.input.count)
                        .bind(11, a.usage.cached_input.count)
                        .bind(12, a.usage.output.count)
                        .bind(13, a.usage.reasoning.count)
                        .bind(14, static_cast<std::int64_t>(a.usage.estimated))
                        .bind(15, a.cost.micros())
                        .bind(16, a.usage.cache_write.count)
                        .bind(17, prices::name_of(a.source))
                        .bind(18, a.bill)
                        .run();
                if (!ok) return ok;
                wanted.push_back(a);
            }
            return {};
        }));
    }
    const store::Migration now[] = {{kLedgerSchema},  {kLedgerSchema2},  {kLedgerSchema3},
                                    {kReportsSchema}, {kReportsSchema2}, {kLedgerSchema5}};
    auto store = store::Store::open(folder.path / "db", now, store::Durability::process);
    ASSERT_TRUE(store) << store.error().message;
    auto database = store::Database::open_to_read(folder.path / "db");
    for (const auto& by : {std::vector{Dimension::work, Dimension::alias},
                           {Dimension::tier, Dimension::label},
                           {Dimension::month, Dimension::source}}) {
        const Question question{.by = by};
        const auto report = make_report(**database, question);
        ASSERT_TRUE(report) << report.error().message;
        expect_same(*report, wanted, question);
    }
}

TEST(Reports, of_a_ledger_that_an_older_version_wrote_last_say_what_to_do) {
    test::Folder folder;
    const store::Migration old[] = {{kLedgerSchema}, {kLedgerSchema2}, {kLedgerSchema3}};
    auto store = store::Store::open(folder.path / "db", old, store::Durability::process);
    auto database = store::Database::open_to_read(folder.path / "db");
    const auto report = make_report(**database, {.by = {Dimension::model}});
    ASSERT_FALSE(report);
    EXPECT_NE(report.error().message.find("start `tandem serve`"), std::string::npos);
}

TEST(Retention, keeps_every_total_of_whole_days_after_the_rows_are_gone) {
    Fixture f;
    f.close(traffic(5, 900, 80));
    const auto now = kBegin + 80 * kDayMs + 5;
    const Retention retention;
    const Question question{.by = {Dimension::model, Dimension::day}};
    const auto before = f.report(question);
    int calls = 0;
    for (bool more = true; more; ++calls) {
        ASSERT_LT(calls, 100);
        ASSERT_TRUE(f.store->run([&](store::Database& database) -> Result<> {
            auto some = retention.forget_some(database, 40, now);
            if (!some) return fail(some.error());
            more = *some;
            return {};
        }));
    }
    std::int64_t left = 0;
    const auto kept = (day_of(now) - 40) * kDayMs;
    ASSERT_TRUE(each_attempt(*f.database, 0, INT64_MAX, [&](const AttemptRecord& a) -> Result<> {
        EXPECT_GE(a.time, kept - kDayMs);
        ++left;
        return {};
    }));
    EXPECT_LT(left, std::ssize(f.written) * 2 / 3);
    EXPECT_GT(left, std::ssize(f.written) / 3);
    expect_same(f.report(question), f.written, question);
    EXPECT_EQ(as_json(before, "USD"), as_json(f.report(question), "USD"));
    // A part of a day whose rows are gone is its whole day, and says so; one whose rows are there is exact.
    const auto edge = f.report({.by = {Dimension::key}, .since = kept - 10 * kDayMs + 5'000});
    EXPECT_EQ(edge.question.since, kept - 10 * kDayMs);
    ASSERT_EQ(edge.notes.size(), 1U);
    expect_same(edge, f.written, {.by = {Dimension::key}, .since = kept - 10 * kDayMs});
    const Question late{.by = {Dimension::key}, .since = kept + 3 * kDayMs + 5'000};
    expect_same(f.report(late), f.written, late);
    EXPECT_TRUE(f.report(late).notes.empty());
    // A budget without a window goes by all that was ever spent.
    Money alices;
    for (const auto& a : f.written)
        if (a.key == "alice") alices += a.cost;
    test::ManualClock clock;
    clock.now = std::chrono::milliseconds(now);
    Budgets budgets(clock);
    auto config = config::parse(
        "keys: { alice: { secret: alice-0123456789abcdef, budgets: [{ limit: 1000000, window: total }] } }\n", "t.yaml",
        [](const std::string&) { return std::nullopt; });
    ASSERT_TRUE(config) << config.error().message;
    ASSERT_TRUE(budgets.adopt(*config, *f.store));
    ASSERT_EQ(budgets.states().size(), 1U);
    EXPECT_EQ(budgets.states().front().spent.cost, alices);
}

TEST(Retention, leaves_decisions_that_somebody_needs) {
    Fixture f;
    f.close(traffic(6, 100, 10));
    const auto needed = f.written.front().decision.text();
    const Retention retention(fmt::format("SELECT '{}'", needed));
    ASSERT_TRUE(f.store->run([&](store::Database& database) -> Result<> {
        auto some = retention.forget_some(database, 40, kBegin + 200 * kDayMs);
        return some ? Result<>() : fail(some.error());
    }));
    std::int64_t left = 0;
    ASSERT_TRUE(each_attempt(*f.database, 0, INT64_MAX, [&](const AttemptRecord& a) -> Result<> {
        EXPECT_EQ(a.decision.text(), needed);
        ++left;
        return {};
    }));
    EXPECT_EQ(left, std::ranges::count(f.written, needed, [](const AttemptRecord& a) { return a.decision.text(); }));
}

TEST(Rollups, of_hostile_names_stop_growing_and_stay_exact) {
    Fixture f;
    ASSERT_TRUE(f.store->run([](store::Database& database) {
        return database.execute(fmt::format(
            "INSERT INTO cost_kinds VALUES ({}, 'k', 'a', 0, 'p', 'm', 0, '', 'free', '', 'x', 0, '', '', '')",
            kMostKinds));
    }));
    auto all = traffic(8, 50, 3);
    for (std::size_t i = 0; i < all.size(); ++i) all[i].model = "made up " + std::to_string(i);
    f.close(all);
    const auto report = f.report({.by = {Dimension::model}});
    ASSERT_EQ(report.lines.size(), 1U);
    EXPECT_EQ(report.lines[0].groups[0], "(other)");
    Money sum;
    for (const auto& a : all) sum += a.cost;
    EXPECT_EQ(report.total.sums.cost, sum);
}

// ---- corrected prices ----

TEST(Recompute, changes_rows_and_sums_in_one_commit_and_keeps_what_was_booked) {
    Fixture f;
    auto all = traffic(9, 400, 20);
    for (auto& a : all)
        a.bill = a.usage.input.count % 2 == 0 ? R"({"usage":{"input":100,"output":10},"tier":"flex"})" : "";
    f.close(all);
    const auto pricing = *Pricing::of(config::Config{});
    const auto tariff = prices::Tariff::flat(
        PriceSource::book,
        {prices::Amount::from_pico(2'000'000'000'000), {}, {}, prices::Amount::from_pico(30'000'000'000'000)});
    const auto price = [&](const AttemptRecord& a) -> std::optional<Present> {
        if (a.model == "sonnet") return {};
        return Present{tariff, {"far", a.model, ""}};
    };
    const auto run = [&](bool write) {
        Corrections corrections({.since = kBegin + 5 * kDayMs, .write = write}, price, *pricing, 99);
        for (bool more = true; more;) {
            Corrections::Step step;
            EXPECT_TRUE(f.store->run([&](store::Database& database) -> Result<> {
                auto some = corrections.some(database);
                if (!some) return fail(some.error());
                step = std::move(*some);
                return {};
            }));
            more = step.more;
            corrections.take(std::move(step));
        }
        return corrections.sum();
    };
    const auto dry = run(false);
    expect_same(f.report({.by = {Dimension::day, Dimension::source}}), f.written,
                {.by = {Dimension::day, Dimension::source}});
    const auto done = run(true);
    EXPECT_EQ(dry.days.size(), done.days.size());
    EXPECT_GT(done.charged, 0);
    EXPECT_GT(done.owners, 0);
    EXPECT_GT(done.gone, 0);
    std::int64_t changed = 0;
    for (auto& a : f.written) {
        const bool may =
            a.source == PriceSource::book || a.source == PriceSource::estimate || a.source == PriceSource::unknown;
        if (!may || a.time < kBegin + 5 * kDayMs || a.model == "sonnet") continue;
        const bool by_bill = !a.bill.empty();
        const auto in = by_bill ? 100
                                : a.usage.input.count - std::min(a.usage.cached_input.count + a.usage.cache_write.count,
                                                                 a.usage.input.count);
        const auto out = by_bill ? 10 : a.usage.output.count;
        const auto cost = Money::from_micros(in * 2 + out * 30);
        if (cost == a.cost && a.source == PriceSource::book) continue;
        ++changed;
        a.cost = cost;
        a.source = PriceSource::book;
    }
    EXPECT_GT(changed, 50);
    for (const auto by : {Dimension::day, Dimension::month}) {
        const Question question{.by = {by, Dimension::source}};
        expect_same(f.report(question), f.written, question);
    }
    const auto report = f.report({.by = {Dimension::model}});
    std::int64_t told = 0;
    for (const auto& c : report.corrections) told += c.attempts;
    EXPECT_EQ(told, changed);
    auto rows = f.database->prepare("SELECT count(*) FROM corrected_attempts WHERE corrected = 99");
    ASSERT_TRUE(rows.step());
    EXPECT_EQ(rows.integer(0), changed);
    // The same once more finds nothing to do.
    EXPECT_TRUE(run(true).days.empty());
}

// ---- what it is written as ----

Report hostile_report() {
    Report report;
    report.question = {.by = {Dimension::model, Dimension::key}};
    for (const auto* name :
         {"=cmd|' /C calc'!A0", "+1", "-1", "@cf/meta", "\tx", "a,b\"c\nd", "<script>alert(1)</script>",
          "\"><img src=x onerror=alert(1)>", "\xff\xfe", "&amp;", "größe"})
        report.lines.push_back({{name, name}, {.sums = {1, {}, Money::from_micros(5), 1}, .answered = 1}});
    return report;
}

TEST(Csv, runs_no_formula_and_keeps_its_columns) {
    EXPECT_EQ(csv_field("=1+1"), "'=1+1");
    EXPECT_EQ(csv_field("@cf/meta"), "'@cf/meta");
    EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
    EXPECT_EQ(csv_field("a\"b\nc"), "\"a\"\"b\nc\"");
    EXPECT_EQ(csv_field("gpt-5"), "gpt-5");
    EXPECT_EQ(csv_field("\t=1"), "\"'\t=1\"");
    const auto text = as_csv(hostile_report(), "USD");
    EXPECT_EQ(text.find("\r\n="), std::string::npos);
    EXPECT_EQ(text.find(",="), std::string::npos);
}

TEST(Html, has_nothing_of_a_hostile_name_but_its_letters) {
    Page page;
    page.spend = page.zones = page.work = page.models = page.aliases = hostile_report();
    page.periods = {"=cmd|' /C calc'!A0", "<script>alert(1)</script>"};
    page.models.notes = {"<b>"};
    page.asked = hostile_report();
    page.beyond.energy = std::vector<Spent>{{"<i>box</i>", "<u>1</u> kWh", "modelled", Money::from_micros(1)}};
    const auto text = as_html(page, "<U>");
    for (const auto* bad :
         {"<script", "<img", "<i>", "<u>", "<U>", "<b></", "onerror=alert(1)>", "http:", "https:", "@import", "\xff"})
        EXPECT_EQ(text.find(bad), std::string::npos) << json::quoted(bad);
    EXPECT_NE(text.find("&lt;script&gt;"), std::string::npos);
    EXPECT_NE(text.find("Where the hours went</h2>\n<p class=\"dim\">Hours for operation, upgrades and debugging: not "
                        "recorded yet"),
              std::string::npos);
    EXPECT_EQ(text.find("Energy of machines at home: not recorded"), std::string::npos);
}

TEST(Question, takes_the_words_of_people_and_refuses_what_it_would_misread) {
    const std::int64_t now = 1'800'000'000'000;
    EXPECT_EQ(question_from("model, day", "7d", "", now)->since, now - 7 * kDayMs);
    EXPECT_EQ(question_from("", "2026-11-01", "2026-12-01", now)->until, 1'796'083'200'000);
    for (const auto* by : {"modell", "model,model", "model,day,key", "model,", "; DROP TABLE"})
        EXPECT_FALSE(question_from(by, "", "", now)) << by;
    for (const auto* when : {"2026-02-30", "yesterday", "11/12/2026", "7x", "-3d", "d"})
        EXPECT_FALSE(question_from("", when, "", now)) << when;
    EXPECT_FALSE(question_from("", "2026-12-01", "2026-11-01", now));
    EXPECT_EQ(week_text(day_of(1'767'225'600'000)), "2026-W01");  // 2026-01-01, a Thursday
    EXPECT_EQ(week_text(day_of(1'609'459'200'000)), "2020-W53");  // 2021-01-01, a Friday
}

}  // namespace
}  // namespace tandem::ledger::reports
