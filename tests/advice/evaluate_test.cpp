// Combinations of a situation that is made by hand, beside what follows from its numbers.
#include "advice/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "advice/advise.h"
#include "advice/compare.h"
#include "advice/queue.h"
#include "base/splitmix.h"
#include "ledger/pricing.h"

namespace tandem::advice {

namespace {

constexpr std::int64_t kStart = 1'772'323'200'000;  // 2026-03-01 00:00 UTC
constexpr std::int64_t kDay = 86'400'000;

routing::Table::Entry model(const std::string& id, Zone zone, double quality, const char* input = nullptr,
                            const char* output = nullptr) {
    routing::Table::Entry entry;
    entry.model = id;
    entry.provider = zone == Zone::local ? "lab" : "far";
    entry.zone = zone;
    entry.clearance = zone == Zone::local ? Label::secret : Label::internal;
    entry.quality = quality;
    entry.strength = routing::strength_by_quality(quality);
    if (input != nullptr)
        entry.price = ledger::tariff_of(
            config::Price{*Money::parse(input), *Money::parse(input), *Money::parse(output), std::nullopt});
    return entry;
}

// Small at home, gpt in the cloud, 10 days, every 1,000 s a request of 1,000 tokens in and 200 out; each fifth private.
Situation situation_of(int requests = 864) {
    Situation situation;
    auto& traffic = situation.traffic;
    traffic.span = {kStart, kStart + 10 * kDay};
    for (int i = 0; i < requests; ++i) {
        Request request;
        request.time_ms = request.attempt_ms = kStart + 1'000'000LL * i;
        request.alias = traffic.aliases.number_of("auto");
        request.key = traffic.keys.number_of("anonymous");
        request.model = traffic.models.number_of("gpt");
        request.zone = Zone::cloud;
        request.whole = true;
        request.kind = routing::WorkKind::code;
        request.difficulty = 35;
        request.sure = 1;
        request.prompt_tokens = 1'000;
        request.usage = {{1'000}, {0}, {200}, {0}};
        request.cost = Money::from_micros(3'250);  // 1,000 x 1.25 + 200 x 10 a million
        request.first_byte_ms = 300;
        request.total_ms = 2'000;
        if (i % 5 == 0) {
            request.label = request.rest = Label::private_;
            request.model = traffic.models.number_of("small");
            request.zone = Zone::local;
            request.cost = {};
        }
        traffic.requests.push_back(request);
    }
    auto& today = situation.today;
    today.id = "today";
    today.table.models = {model("small", Zone::local, 0.6), model("gpt", Zone::cloud, 0.9, "1.25", "10")};
    today.stations.resize(1);
    today.stations[0].model = "small";
    today.stations[0].machine = "box";
    config::Hardware box;
    box.id = "box";
    box.price = *Money::parse("2400");
    box.life_months = 48;
    box.bought = kStart - 100 * kDay;
    box.idle_watts = 50'000'000;
    box.busy_watts = 300'000'000;
    box.providers = {"lab"};
    today.machines.push_back({box});
    situation.energy.tariff = *Money::parse("0.30");
    situation.knowledge.models["small"].speed = Speed{0, 1, 0.02, 100, "measured"};  // 1 s and 10 s
    situation.knowledge.models["gpt"].speed = Speed{300, 0, 0.2, 100, "measured"};
    return situation;
}

double months() {
    return static_cast<double>(kMonthMs) / (10.0 * kDay);
}

}  // namespace

TEST(Evaluate, pricesTheCloudByTheBookingFunctionAndLeavesPrivateWorkUnserved) {
    const auto situation = situation_of();
    const auto result = evaluate(situation, only(situation.today, "cloud-only", "cloud only", {"gpt"}));
    // 864 requests, 173 of them private: none may see those.
    EXPECT_EQ(result.unserved[static_cast<std::size_t>(Unserved::label)], 173);
    EXPECT_EQ(result.answered, 691);
    EXPECT_EQ(result.private_home, 0);
    EXPECT_EQ(result.private_requests, 173);
    // 691 x 3,250 micro-units in 10 days; a month is 730 hours.
    EXPECT_EQ(result.cloud.micros(), std::llround(691 * 3250.0 * 730 / 240));
    // The machine is sold.
    EXPECT_EQ(result.machines(), Money{});
    EXPECT_NEAR(result.quality, 691 * 0.9 / 864, 0.001);
    EXPECT_TRUE(result.keeps_up());
}

TEST(Evaluate, reckonsMachinesEnergyAndCapitalUsedAndIdle) {
    auto situation = situation_of();
    situation.today.machines[0].hardware.cost_of_capital = 5 * config::kMillion;
    const auto result = evaluate(situation, only(situation.today, "local-only", "local only", {"small"}));
    EXPECT_EQ(result.answered, 864);
    EXPECT_EQ(result.private_home, 173);
    EXPECT_EQ(result.cloud, Money{});
    EXPECT_EQ(result.depreciation.micros(), 50'000'000);
    EXPECT_EQ(result.capital.micros(), 5'000'000);  // 2400 / 2 x 5 % / 12
    // 864 x 11 s busy of 240 h: 2.64 h, a month 8.03 h at 300 W; the rest at 50 W.
    EXPECT_NEAR(static_cast<double>(result.energy_used.micros()), 2.64 * 730 / 240 * 0.3 * 0.30 * 1e6, 2);
    EXPECT_NEAR(static_cast<double>(result.energy_idle.micros()), (240 - 2.64) * 730 / 240 * 0.05 * 0.30 * 1e6, 2);
    EXPECT_NEAR(static_cast<double>(result.hardware_used.micros()), 55e6 * 2.64 / 240, 2);
    EXPECT_EQ(result.used() + result.idle(), result.machines());
    EXPECT_EQ(result.total(), result.cloud + result.machines() + result.work);
    ASSERT_EQ(result.stations.size(), 1);
    EXPECT_NEAR(result.stations[0].utilisation, 2.64 / 240, 1e-9);
    EXPECT_EQ(result.stations[0].wait_p95, 0);
    EXPECT_EQ(result.total_p50, 11'000);
    EXPECT_EQ(result.first_p50, 1'000);
}

TEST(Evaluate, takesWhatWasBookedAsItWas) {
    auto situation = situation_of();
    auto recorded = situation.today;
    recorded.as_recorded = true;
    const auto result = evaluate(situation, recorded);
    EXPECT_EQ(result.answered, 864);
    EXPECT_EQ(result.by_model.at("gpt"), 691);
    EXPECT_EQ(result.cloud.micros(), std::llround(691 * 3250.0 * 730 / 240));
    EXPECT_EQ(result.private_home, 173);
    EXPECT_EQ(result.total_p50, 2'000);
}

TEST(Evaluate, namesWhatDoesNotFit) {
    auto situation = situation_of(100);
    auto& requests = situation.traffic.requests;
    for (int i = 0; i < 10; ++i) requests[static_cast<std::size_t>(i * 5 + 1)].prompt_tokens = 50'000;
    for (int i = 0; i < 7; ++i) requests[static_cast<std::size_t>(i * 5 + 2)].needs.add(config::Capability::vision);
    auto local = only(situation.today, "local-only", "local only", {"small"});
    local.table.models[0].context_tokens = 8'192;
    local.table.models[0].capabilities = config::Capabilities{};
    const auto result = evaluate(situation, local);
    EXPECT_EQ(result.unserved[static_cast<std::size_t>(Unserved::context)], 10);
    EXPECT_EQ(result.unserved[static_cast<std::size_t>(Unserved::capability)], 7);
    EXPECT_EQ(result.answered, 83);
}

// The bound of a context lies between prompts that are routed alike otherwise.
TEST(Evaluate, findsTheBoundOfAContextToTheToken) {
    auto situation = situation_of(100);
    auto local = only(situation.today, "local-only", "local only", {"small"});
    local.table.models[0].context_tokens = 8'192;  // 1,024 for the answer
    for (std::size_t i = 0; i < 100; ++i)
        situation.traffic.requests[i].prompt_tokens = 7'118 + static_cast<std::int64_t>(i);
    const auto result = evaluate(situation, local);
    EXPECT_EQ(result.answered, 51);  // up to 7,168
    EXPECT_EQ(result.unserved[static_cast<std::size_t>(Unserved::context)], 49);
}

TEST(Evaluate, waitsInTheQueueOfAModelAtHomeAsTheSimulationSays) {
    auto situation = situation_of(0);
    SplitMix64 random(9);
    double at = 0;
    std::vector<Arrival> arrivals;
    for (int i = 0; i < 40'000; ++i) {
        at += -std::log((static_cast<double>(random.next() >> 11U) + 0.5) / 9007199254740992.0) * 12'500;
        Request request;
        request.time_ms = kStart + std::llround(at);
        request.alias = situation.traffic.aliases.number_of("auto");
        request.prompt_tokens = 1'000;
        request.usage = {{1'000}, {0}, {180}, {0}};  // 1 s and 9 s: 10 s at a rate of 1 in 12.5 s
        situation.traffic.requests.push_back(request);
        arrivals.push_back({static_cast<double>(request.time_ms), 10'000});
    }
    situation.traffic.span.end = situation.traffic.requests.back().time_ms + 1;
    auto local = only(situation.today, "local-only", "local only", {"small"});
    local.stations[0].patience_ms = 1e12;
    const auto result = evaluate(situation, local);
    const auto alone = simulate(arrivals, 1);
    ASSERT_EQ(result.stations.size(), 1);
    EXPECT_NEAR(result.stations[0].wait_p95, alone.p95, 2);
    EXPECT_NEAR(result.stations[0].utilisation, 0.8, 0.02);
    EXPECT_NEAR(alone.mean / md1_wait(1.0 / 12'500, 10'000), 1, 0.1);
}

TEST(Evaluate, says_how_many_machines_would_keep_up) {
    auto situation = situation_of();
    for (auto& one : situation.traffic.requests) one.usage.output = {60'000};  // 3,000 s each, one in 1,000 s
    auto local = only(situation.today, "local-only", "local only", {"small"});
    const auto result = evaluate(situation, local);
    EXPECT_FALSE(result.keeps_up());
    EXPECT_GT(result.stations[0].turned_away, 0);
    EXPECT_EQ(result.unserved[static_cast<std::size_t>(Unserved::failed)], result.stations[0].turned_away);
    Evaluator evaluator(situation);
    const auto enough = grown(evaluator, local);
    ASSERT_TRUE(enough);
    EXPECT_EQ(enough->machines[0].count, 4);
    const auto grown_result = evaluator.evaluate(*enough);
    EXPECT_TRUE(grown_result.keeps_up());
    EXPECT_EQ(grown_result.depreciation.micros(), 200'000'000);
}

TEST(Evaluate, hasAnIntervalThatNarrowsWithWhatWasSaid) {
    auto situation = situation_of();
    const auto local = only(situation.today, "local-only", "local only", {"small"});
    const auto before = evaluate(situation, local);
    // s2 (1/(0+12) of the model, whole, 1/(0+12) of the kind, 1/(0+24) of the cell): 0.25 / 12 + 0.25 / 12 + 0.25 / 24.
    const double wide = 1.96 * std::sqrt(0.25 / 12 + 0.25 / 12 + 0.25 / 24);
    EXPECT_NEAR(before.high - before.low, std::min(1.0, before.quality + wide) - std::max(0.0, before.quality - wide),
                1e-9);
    auto& belief = situation.knowledge.models["small"].belief;
    belief.weight = 300;
    belief.weight_kind[static_cast<std::size_t>(routing::WorkKind::code)] = 300;
    belief.weight_cell[cell_of(situation.traffic.requests.front())] = 300;
    const auto after = evaluate(situation, local);
    const double of_kind = 24.0 / 324, of_model = of_kind * 12.0 / 312;
    const double variance = 0.25 / 324 + of_kind * of_kind * 0.25 / 312 + of_model * of_model * 0.25 / 312;
    EXPECT_NEAR(after.high - after.low, 2 * 1.96 * std::sqrt(variance), 1e-9);
}

TEST(Evaluate, neverSendsWhatALabelForbidsWhateverTheRules) {
    const auto situation = situation_of();
    config::Config config;
    config.policy.preset = "hybrid";
    const auto list = candidates_of(situation, config, {});
    EXPECT_GE(list.size(), 8);
    Evaluator evaluator(situation);
    for (const auto& one : list) {
        const auto result = evaluator.evaluate(one);
        const auto away = result.private_requests - result.private_home;
        EXPECT_EQ(away, result.unserved[static_cast<std::size_t>(Unserved::label)] +
                            result.unserved[static_cast<std::size_t>(Unserved::other)])
            << one.id << ": a private request was answered elsewhere";
    }
}

// Of a normal: the share above 0, and the mean of what is below it, with a minus.
TEST(Gain, saysHowLikelyItIsAndWhatIsLostWhereItIsNot) {
    const Gain even{0, 2}, good{4, 2}, bad{-4, 2}, certain{1, 0};
    EXPECT_NEAR(even.likely(), 0.5, 1e-12);
    EXPECT_NEAR(even.expected_loss(), 2 / std::sqrt(2 * 3.14159265358979), 1e-9);
    EXPECT_NEAR(good.likely(), 0.977249868, 1e-9);
    EXPECT_NEAR(good.expected_loss(), 2 * 0.008490702617, 1e-9);  // the unit normal loss at 2
    EXPECT_NEAR(bad.expected_loss(), 4 + good.expected_loss(), 1e-9);
    EXPECT_TRUE(good.sure() && good.tells_apart() && bad.tells_apart() && !bad.sure());
    EXPECT_FALSE(even.tells_apart() || Gain({3.9, 2}).tells_apart());
    EXPECT_EQ(certain.likely(), 1);
    EXPECT_EQ(certain.expected_loss(), 0);
}

TEST(Advise, proposesNothingThatAnswersLessAndSaysWhy) {
    const auto situation = situation_of();
    config::Config config;
    config.policy.preset = "hybrid";
    const auto advice = advise(situation, config, {});
    bool found = false;
    for (const auto& one : advice.proposals) {
        EXPECT_FALSE(one.number > 0 && one.evaluation.private_home < 173) << one.combination.id;
        if (one.combination.id != "sell-box") continue;
        found = true;
        EXPECT_NE(one.refused.find("label 173"), std::string::npos) << one.refused;
        EXPECT_EQ(one.number, 0);
    }
    EXPECT_TRUE(found);
}

TEST(Advise, changesNothingWhereNothingIsBetter) {
    auto situation = situation_of();
    situation.today.table.models = {model("gpt", Zone::cloud, 0.9, "1.25", "10")};
    situation.today.stations.clear();
    situation.today.machines.clear();
    for (auto& one : situation.traffic.requests) one.label = one.rest = Label::public_;
    config::Config config;
    config.policy.preset = "hybrid";
    const auto advice = advise(situation, config, {});
    EXPECT_EQ(advice.best, 0);
    EXPECT_TRUE(advice.verdict.starts_with("change nothing")) << advice.verdict;
    for (const auto& one : advice.proposals) EXPECT_EQ(one.number, 0) << one.combination.id;
}

// A machine that costs 50 a month and whose model nobody may miss: without private work it is better sold.
TEST(Advise, sellsAMachineThatNobodyNeeds) {
    auto situation = situation_of();
    for (auto& one : situation.traffic.requests) {
        one.label = one.rest = Label::public_;
        one.model = situation.traffic.models.number_of("gpt");
        one.zone = Zone::cloud;
    }
    auto rules = situation.today.table.rules;
    config::Rule rule;
    rule.name = "cloud-first";
    rule.prefer = config::Rule::Prefer::cloud;
    situation.today.table.rules = {rule};
    config::Config config;  // rules of its own: no preset is tried
    const auto advice = advise(situation, config, {});
    ASSERT_GT(advice.best, 0) << advice.verdict;
    const auto& best = advice.proposals[static_cast<std::size_t>(advice.best - 1)];
    EXPECT_EQ(best.combination.id, "sell-box");
    EXPECT_NEAR(best.gain.mean, 50 + 730 * 0.05 * 0.30, 0.01);
    EXPECT_NEAR(best.gain.error, 0, 1e-9);
    EXPECT_NEAR(months(), 730.0 / 240, 1e-12);
}

TEST(Advise, buysOnlyWhatTheOwnerNamedAndAsManyAsItTakes) {
    auto situation = situation_of();
    for (auto& one : situation.traffic.requests) {
        one.usage.output = {40'000};  // 0.4 a request in the cloud
        one.cost = one.zone == Zone::cloud ? Money::from_micros(401'250) : Money{};
    }
    Offer offer;
    offer.hardware.id = "rack";
    offer.hardware.price = *Money::parse("960");
    offer.hardware.life_months = 48;
    offer.hardware.idle_watts = 10'000'000;
    offer.hardware.busy_watts = 400'000'000;
    Runs runs;
    runs.model = "large";
    runs.speed = {0, 10, 0.03, 0, "from the profile"};  // 0.1 s and 1,333 s
    runs.quality = 0.9;
    offer.runs.push_back(runs);
    config::Config config;
    config.policy.preset = "hybrid";
    const auto advice = advise(situation, config, {offer});
    const auto found = std::ranges::find_if(
        advice.proposals, [](const Proposal& one) { return one.combination.id.starts_with("buy-rack"); });
    ASSERT_NE(found, advice.proposals.end());
    const auto rack =
        std::ranges::find_if(found->combination.machines, [](const Machine& one) { return one.hardware.id == "rack"; });
    ASSERT_NE(rack, found->combination.machines.end());
    EXPECT_TRUE(rack->new_);
    EXPECT_GT(rack->count, 1);
    EXPECT_LT(found->evaluation.total(), advice.now.total());
    for (const auto& change : found->combination.changes)
        if (change.what == Change::What::buy) EXPECT_EQ(change.value, std::to_string(rack->count));
}

TEST(Advise, leavesOutWhatIsDominated) {
    Evaluation now;
    now.cloud = Money::from_micros(10'000'000);
    now.quality = 0.8;
    now.total_p95 = 1000;
    now.answered = now.timed = 10;
    const auto proposal = [&](const char* id, std::int64_t cost, double quality, double p95, const char* refused = "") {
        Proposal one;
        one.combination.id = id;
        one.evaluation = now;
        one.evaluation.cloud = Money::from_micros(cost);
        one.evaluation.quality = quality;
        one.evaluation.total_p95 = p95;
        one.refused = refused;
        return one;
    };
    std::vector<Proposal> list = {proposal("cheaper", 5'000'000, 0.8, 1000),
                                  proposal("worse", 6'000'000, 0.79, 1000),
                                  proposal("faster", 10'000'000, 0.8, 500),
                                  proposal("like-now", 10'000'000, 0.8, 1000),
                                  proposal("cheapest-but-refused", 1'000'000, 0.9, 100, "why"),
                                  proposal("dearer", 11'000'000, 0.8, 1000),
                                  proposal("twin", 5'000'000, 0.8, 1000)};
    mark_dominated(now, list);
    std::vector<std::string> front;
    for (const auto& one : list)
        if (!one.dominated && one.refused.empty()) front.push_back(one.combination.id);
    EXPECT_EQ(front, (std::vector<std::string>{"cheaper", "faster"}));
}

}  // namespace tandem::advice
