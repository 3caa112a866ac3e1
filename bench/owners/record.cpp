#include "owners/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "access/principal.h"
#include "learning/outcomes.h"
#include "ledger/ledger.h"
#include "ledger/local/hours.h"
#include "ledger/local/measured.h"
#include "ledger/pricing.h"
#include "ledger/reports/report.h"

namespace tandem::owners {

namespace {

const store::Migration kMigrations[] = {
    {ledger::kLedgerSchema},          {learning::kOutcomesSchema},        {ledger::kLedgerSchema2},
    {learning::kOutcomesSchema2},     {ledger::kLedgerSchema3},           {ledger::reports::kReportsSchema},
    {ledger::kBudgetsSchema},         {ledger::kLedgerSchema4},           {ledger::local::kHoursSchema},
    {ledger::local::kMeasuredSchema}, {ledger::reports::kReportsSchema2}, {ledger::kLedgerSchema5},
};

template <typename T>
T need(Result<T> result) {
    if (result) return std::move(*result);
    fmt::print(stderr, "{}\n", result.error().message);
    std::exit(1);
}
void need(Result<> result) {
    if (result) return;
    fmt::print(stderr, "{}\n", result.error().message);
    std::exit(1);
}

class SetClock final : public tandem::Clock {
  public:
    SteadyTime steady() const override { return SteadyTime(milliseconds(now)); }
    WallTime wall() const override { return WallTime(milliseconds(now)); }
    std::int64_t now = 0;
};

// Writes what the gateway does as it does it.
class Recorder {
  public:
    Recorder(const World& world, const Looks& looks, Past& past, Gateway& gateway, store::Store& store)
        : world_(world),
          looks_(looks),
          past_(past),
          gateway_(gateway),
          store_(store),
          budgets_(clock_),
          ledger_(store, budgets_) {
        need(budgets_.adopt(past.config, store));
        const auto json = routing::to_json(past.table);
        need(store_.run([&](store::Database& database) {
            return database.prepare("INSERT INTO routing_tables VALUES ('today', ?)").bind(1, json).run();
        }));
    }
    void before(double at_ms);
    void done(const Done& done);
    void probes(double at_ms);
    void finish(double from_ms);

  private:
    ledger::AttemptRecord attempt(const Done& done, const Try& one, int number, const DecisionId& id) const;
    void keep(const learning::Outcome& outcome, std::int64_t time);
    void hours(double from_ms);
    void electricity(double from_ms);

    const World& world_;
    const Looks& looks_;
    Past& past_;
    Gateway& gateway_;
    store::Store& store_;
    SetClock clock_;
    ledger::Budgets budgets_;
    ledger::Ledger ledger_;
    std::unique_ptr<Random> random_ = seeded_random(world_.seed + 77);
    std::vector<learning::Outcome> fresh_;
    std::vector<learning::OutcomeRecord> rows_;
    std::vector<std::pair<double, double>> busy_;  // of the machine
    double learns_at_ = 0;
};

// The learner of a server learns at once; here it does so every third day, so that what alike requests get is reckoned
// once.
void Recorder::before(double at_ms) {
    if (at_ms < learns_at_) return;
    learns_at_ = at_ms + 3 * kDayMs;
    past_.mind->learn(std::exchange(fresh_, {}));
    gateway_.think(past_.mind);
}

ledger::AttemptRecord Recorder::attempt(const Done& done, const Try& one, int number, const DecisionId& id) const {
    const auto& model = world_.models[static_cast<std::size_t>(one.model)];
    const auto& look = looks_[done.turn->look];
    const auto& stream = world_.streams[static_cast<std::size_t>(look.stream)];
    ledger::AttemptRecord row;
    row.decision = id;
    row.number = number;
    row.time = std::llround(one.at_ms);
    row.key = access::client_id(stream.key);
    row.provider = model.provider;
    row.model = model.id;
    row.zone = model.local ? Zone::local : Zone::cloud;
    row.outcome = one.answered ? "answered" : "failed";
    row.status = one.answered ? 200 : 502;
    row.first_byte_ms = one.answered ? std::llround(one.first_ms) : -1;
    row.total_ms = std::llround(one.total_ms);
    row.usage = {{std::llround(one.input)}, {std::llround(one.cached)}, {std::llround(one.output)}, {0}, false};
    row.cost = Money::from_micros(std::llround(one.cost * 1e6));
    row.source = model.local ? prices::PriceSource::free : prices::PriceSource::owner;
    row.alias = stream.alias;
    row.label = static_cast<Label>(look.label);
    row.work = std::string(routing::kWorkKindNames[static_cast<std::size_t>(look.kind)]);
    return row;
}

void Recorder::keep(const learning::Outcome& outcome, std::int64_t time) {
    learning::OutcomeRecord row;
    row.decision = outcome.decision;
    row.source = outcome.source;
    row.key = outcome.key;
    row.time = time;
    row.model = outcome.model;
    row.value = outcome.value;
    row.weight = outcome.weight;
    row.traits = learning::to_bytes(outcome.traits);
    row.expected = outcome.expected;
    rows_.push_back(std::move(row));
}

void Recorder::done(const Done& done) {
    const auto& look = looks_[done.turn->look];
    const auto& stream = world_.streams[static_cast<std::size_t>(look.stream)];
    auto in = gateway_.inputs(done.turn->look, done.held);
    in.key = access::client_id(stream.key);
    if (world_.explore > 0) in.dice = std::round(1e6 * static_cast<double>(done.turn->dice)) / 1e6;
    const auto decision = need(routing::decide(past_.table, in));
    clock_.now = std::llround(done.at_ms);
    const auto id = DecisionId::make(clock_, *random_);
    const ledger::DecisionRecord record{id,      clock_.now,  in.key,           in.alias, in.label, decision.rule,
                                        "today", to_json(in), to_json(decision)};
    std::vector<ledger::AttemptRecord> attempts;
    for (const auto& one : done.tries) {
        attempts.push_back(attempt(done, one, static_cast<int>(attempts.size()) + 1, id));
        if (world_.models[static_cast<std::size_t>(one.model)].local)
            busy_.emplace_back(one.at_ms, one.at_ms + one.total_ms);
    }
    auto outcomes = outcomes_of(world_, looks_, *past_.mind, done, id.text());
    for (const auto& outcome : outcomes) keep(outcome, clock_.now + 60'000);
    fresh_.insert(fresh_.end(), outcomes.begin(), outcomes.end());
    if (done.model >= 0)
        past_.mind->measured(world_.models[static_cast<std::size_t>(done.model)].id,
                             static_cast<std::size_t>(look.kind), done.waited_ms / 1000, done.tries.back().output);
    ledger_.close_unwatched(std::move(attempts),
                            [record](store::Database& database) { return ledger::insert(database, record); });
}

// Questions whose answers can be checked: of kinds and difficulties of their own.
void Recorder::probes(double at_ms) {
    Dice dice(world_.seed * 31 + 5);
    for (const auto& model : world_.models)
        for (int i = 0; i < world_.feedback.probes; ++i) {
            static constexpr std::array<std::size_t, 5> kAsked = {1, 2, 3, 4, 7};
            const auto kind = kAsked[static_cast<std::size_t>(i) % kAsked.size()];
            routing::Features features;
            features.prompt_tokens = 300;
            features.work = {static_cast<routing::WorkKind>(kind), 0.9, static_cast<int>(dice.uniform(20, 65)), {}};
            const double truly = model.quality(kind, features.work.difficulty, 300) + model.on_probes;
            learning::Outcome outcome;
            outcome.decision = fmt::format("probe:{}:{}", model.id, i);
            outcome.model = model.id;
            outcome.source = "probe";
            outcome.key = "probe";
            outcome.value = dice.chance(truly) ? 1 : 0;
            outcome.weight = 0.5;
            outcome.traits = learning::traits_of(fmt::format("checkable question {} {}", kind, i));
            outcome.expected = routing::expected_of(routing::expectations(past_.table, features), model.id);
            keep(outcome, std::llround(at_ms));
            fresh_.push_back(std::move(outcome));
        }
}

void Recorder::hours(double from_ms) {
    Dice dice(world_.seed * 131 + 9);
    const auto& house = world_.house;
    constexpr double kEach = 0.75;  // hours, on average
    const double months = (static_cast<double>(kNow) - from_ms) / kHourMs / 730;
    need(store_.run([&](store::Database& database) -> Result<> {
        for (int left = dice.poisson(house.hours * months / kEach); left > 0; --left) {
            const double took = -kEach * std::log(1 - dice.uniform());
            const bool noted = dice.chance(house.noted);
            const auto when = std::llround(dice.uniform(from_ms, static_cast<double>(kNow)));
            if (!noted) continue;
            ledger::local::Entry entry;
            entry.time = when;
            entry.ms = std::max<std::int64_t>(60'000, std::llround(took * kHourMs));
            entry.kind = dice.chance(0.5) ? ledger::local::Kind::operation : ledger::local::Kind::debug;
            entry.text = "the box";
            if (auto id = ledger::local::add(database, entry); !id) return fail(id.error());
        }
        return {};
    }));
}

void Recorder::electricity(double from_ms) {
    const auto& house = world_.house;
    if (!house.measured) return;
    constexpr double kQuarter = 900'000;
    const auto count = static_cast<std::size_t>((static_cast<double>(kNow) - from_ms) / kQuarter);
    std::vector<double> busy(count, 0);
    std::ranges::sort(busy_);
    double until = from_ms;
    for (auto [start, end] : busy_) {
        start = std::max(start, until);
        until = std::max(until, end);
        while (start < end) {
            const auto quarter = static_cast<std::size_t>((start - from_ms) / kQuarter);
            if (quarter >= count) break;
            const double stop = std::min(end, from_ms + (static_cast<double>(quarter) + 1) * kQuarter);
            busy[quarter] += stop - start;
            start = stop;
        }
    }
    ledger::local::Quarters quarters;
    for (std::size_t i = 0; i < count; ++i) {
        const double joules =
            house.true_draw * (house.idle_watts * (kQuarter - busy[i]) + house.busy_watts * busy[i]) / 1000;
        quarters.push_back({std::llround(from_ms + static_cast<double>(i) * kQuarter), std::llround(joules * 1e6),
                            static_cast<std::int64_t>(kQuarter)});
    }
    need(store_.run([&](store::Database& database) { return ledger::local::add_measured(database, "box", quarters); }));
}

void Recorder::finish(double from_ms) {
    need(store_.run([&](store::Database& database) -> Result<> {
        for (const auto& row : rows_)
            if (auto ok = learning::insert(database, row); !ok) return ok;
        return {};
    }));
    hours(from_ms);
    electricity(from_ms);
    past_.mind->learn(std::exchange(fresh_, {}));
}

}  // namespace

std::vector<learning::Outcome> outcomes_of(const World& world, const Looks& looks, Mind& mind, const Done& done,
                                           const std::string& decision) {
    std::vector<learning::Outcome> outcomes;
    const auto signs = signs_of(world, looks, done);
    if (signs.empty()) return outcomes;
    const auto& model = world.models[static_cast<std::size_t>(done.model)].id;
    const auto& stream = world.streams[static_cast<std::size_t>(looks[done.turn->look].stream)];
    for (const auto& sign : signs) {
        learning::Outcome outcome;
        outcome.decision = decision;
        outcome.model = model;
        outcome.source = sign.source;
        outcome.key = "key-" + stream.key;
        outcome.value = sign.value;
        outcome.weight = sign.weight;
        outcome.traits = mind.traits(done.turn->look);
        outcome.expected = mind.expected(done.turn->look, model);
        outcomes.push_back(std::move(outcome));
    }
    return outcomes;
}

std::unique_ptr<Past> past_of(const World& world, Looks& looks, int days, const std::filesystem::path& folder) {
    auto past = std::make_unique<Past>();
    const auto home = folder.string();
    past->config = need(config::parse(world.yaml + "data: " + home + "\n", "tandem.yaml",
                                      [](const std::string&) { return std::optional<std::string>("/"); }));
    const auto pricing = need(ledger::Pricing::of(past->config));
    past->table = routing::table_of(past->config, {}, [&](const config::Model& model) { return pricing->of(model); });
    past->file = folder / "tandem.db";
    const double from = static_cast<double>(kNow) - days * kDayMs;
    const auto asked = asked_in(world, looks, from, static_cast<double>(kNow), world.seed * 8191 + 1);
    past->mind = std::make_shared<Mind>(world, looks, past->table);
    Gateway gateway(world, past->table, past->mind);
    auto store = need(store::Store::open(past->file, kMigrations, store::Durability::process));
    Recorder recorder(world, looks, *past, gateway, *store);
    recorder.probes(from);
    past->came = play(
        world, looks, asked, gateway, [&](const Done& done) { recorder.done(done); },
        [&](double at_ms) { recorder.before(at_ms); });
    recorder.finish(from);
    return past;
}

}  // namespace tandem::owners
