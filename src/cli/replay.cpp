// tandem replay: what another policy would have done with the traffic that is on record.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/json.h"
#include "cli/cli.h"
#include "learning/offpolicy.h"
#include "learning/outcomes.h"
#include "ledger/ledger.h"
#include "ledger/pricing.h"
#include "routing/routing.h"

namespace tandem::cli {

namespace {

constexpr int kMostOutcomes = 1'000'000;

struct Totals {
    std::size_t decisions = 0, moved = 0, refused = 0, unread = 0;
    Money was, would;
    std::map<std::string, std::pair<std::size_t, std::size_t>> models;  // answers by each: as it was, as it would be
    std::vector<learning::Logged> log;
};

// What people said of an answer counts before what was seen of it.
std::map<std::string, double> outcomes_of(const std::vector<learning::OutcomeRecord>& records) {
    std::map<std::string, double> result;
    std::map<std::string, double> weight;
    for (const auto& r : records) {
        const double counts = r.source == "feedback" ? 10 : r.weight;
        if (r.source == "escalated" || counts < weight[r.decision]) continue;
        weight[r.decision] = counts;
        result[r.decision] = r.value;
    }
    return result;
}

const routing::Candidate* candidate(const routing::Decision& decision, std::string_view model) {
    const auto found = std::ranges::find(decision.candidates, model, &routing::Candidate::model);
    return found == decision.candidates.end() ? nullptr : &*found;
}

void add(Totals& totals, const routing::Decision& was, const routing::Decision& would, const routing::Table& table,
         const std::vector<ledger::AttemptRecord>& attempts, const prices::Asked& asked, const double* outcome) {
    const auto answered = std::ranges::find(attempts, "answered", &ledger::AttemptRecord::outcome);
    if (answered == attempts.end()) return;
    ++totals.decisions;
    Money cost;
    for (const auto& attempt : attempts) cost += attempt.cost;
    totals.was += cost;
    ++totals.models[answered->model].first;
    if (would.eligible == 0) {
        ++totals.refused;
        return;
    }
    const auto& first = would.candidates.front();
    ++totals.models[first.model].second;
    const auto* entry = table.find(first.model);
    if (first.model == answered->model) {
        totals.would += cost;
    } else {
        ++totals.moved;
        auto usage = answered->usage;
        usage.cached_input = {0};
        totals.would += entry->price.cost(prices::buckets_of(usage), asked).micros();
    }
    // Only where the model that was to come first did answer, the propensity is that of the answer.
    const auto* chosen = candidate(was, answered->model);
    if (outcome == nullptr || chosen == nullptr || chosen->propensity <= 0 ||
        was.candidates.front().model != answered->model)
        return;
    const auto* again = candidate(would, answered->model);
    learning::Logged one{chosen->propensity, again == nullptr ? 0 : again->propensity, *outcome, chosen->terms.quality,
                         0};
    for (const auto& c : would.candidates) one.expected_target += c.propensity * c.terms.quality;
    totals.log.push_back(one);
}

int print(const Globals& globals, const Totals& totals, const std::string& currency) {
    const auto quality = learning::estimate(totals.log);
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("decisions", totals.decisions).member("moved", totals.moved);
        out.member("refused", totals.refused).member("unread", totals.unread);
        out.member("cost_micros", totals.was.micros()).member("would_cost_micros", totals.would.micros());
        out.key("models").begin_array();
        for (const auto& [model, answers] : totals.models)
            out.begin_object()
                .member("model", model)
                .member("answers", answers.first)
                .member("would", answers.second)
                .end_object();
        out.end_array().key("quality").begin_object().member("outcomes", quality.decisions);
        for (const auto& [name, number] : {std::pair("mean", quality.mean),
                                           {"low", quality.low},
                                           {"high", quality.high},
                                           {"inverse_propensity", quality.ips},
                                           {"effective", quality.effective}})
            out.raw_member(name, fmt::format("{:.4f}", number));
        out.member("thin", quality.thin).end_object().end_object();
        fmt::print("{}\n", out.text());
        return kOk;
    }
    fmt::print("{} answered requests; {} would go elsewhere, {} would be refused\n", totals.decisions, totals.moved,
               totals.refused);
    if (totals.unread > 0) fmt::print("{} more are of another version and cannot be read\n", totals.unread);
    fmt::print("{:<28} {:>9} {:>9}\n", "model", "was", "would be");
    for (const auto& [model, answers] : totals.models)
        fmt::print("{:<28} {:>9} {:>9}\n", model, answers.first, answers.second);
    fmt::print("cost         {} {}, would be {} (the same tokens, at the other model's price, nothing cached)\n",
               totals.was.text(), currency, totals.would.text());
    if (quality.decisions == 0) {
        fmt::print("quality      nobody has said how these answers were; see `tandem feedback`\n");
        return kOk;
    }
    fmt::print("quality      {:.3f}, between {:.3f} and {:.3f} (95 %), from {} outcomes worth {:.0f}\n", quality.mean,
               quality.low, quality.high, quality.decisions, quality.effective);
    if (quality.thin)
        fmt::print(
            "             BEWARE: the other policy does what was hardly ever tried, so this is mostly what the "
            "predictor believes. policy.objective.explore makes such traffic comparable\n");
    return kOk;
}

Result<routing::Table> table_from(const std::string& text) {
    json::Document document;
    if (auto ok = document.parse(text); !ok) return fail(ok.error());
    return routing::table_from_json(document.root());
}

int replay(const Globals& globals, const std::string& since_text, const std::string& policy) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    const auto since = since_from(since_text);
    if (!since) {
        report(globals, since.error());
        return kUsage;
    }
    auto other = config::load(policy, true, globals.environment, config::Missing::left_out);
    if (!other) return report(globals, other.error());
    const auto pricing = ledger::Pricing::of(*other);
    if (!pricing) return report(globals, pricing.error());
    const auto price_of = [&](const config::Model& model) { return (*pricing)->of(model); };
    const auto table = routing::table_of(*other, {}, price_of);
    auto database = open_ledger(*config);
    if (!database) return report(globals, database.error());
    const auto records = learning::newest_outcomes(**database, "", kMostOutcomes);
    if (!records) return report(globals, records.error());
    const auto outcomes = outcomes_of(*records);
    std::map<std::string, std::optional<routing::Table>> tables;
    Totals totals;
    const auto each = [&](const ledger::DecisionRecord& record, const std::string& stored) -> Result<> {
        auto& known = tables[record.table];
        if (!known)
            if (auto read = table_from(stored)) known = std::move(*read);
        json::Document document;
        if (!known || !document.parse(record.inputs)) {
            ++totals.unread;
            return {};
        }
        auto inputs = routing::inputs_from_json(document.root());
        const auto was = inputs ? routing::decide(*known, *inputs) : fail(inputs.error());
        if (!was) {
            ++totals.unread;
            return {};
        }
        inputs->assigned.reset();  // an experiment's choice is nobody's policy
        auto would = routing::decide(table, *inputs);
        if (!would) would = routing::Decision{};
        const auto attempts = ledger::attempts_of(**database, record.id.text());
        if (!attempts) return fail(attempts.error());
        const auto outcome = outcomes.find(record.id.text());
        add(totals, *was, *would, table, *attempts, inputs->features.price,
            outcome == outcomes.end() ? nullptr : &outcome->second);
        return {};
    };
    if (auto ok = ledger::each_decision(**database, *since, each); !ok) return report(globals, ok.error());
    const auto currency = ledger::currency_of(**database, config->currency);
    if (!currency) return report(globals, currency.error());
    return print(globals, totals, *currency);
}

}  // namespace

void add_replay(CLI::App& app, Globals& globals, Action& action) {
    struct Asked {
        std::string since = "7d", policy;
    };
    auto asked = std::make_shared<Asked>();
    auto* command = app.add_subcommand("replay", "What another tandem.yaml would have done with the recorded traffic");
    command->add_option("--since", asked->since, "24h, 7d (the default), a date or a time");
    command->add_option("--policy", asked->policy, "The other tandem.yaml")->required();
    command->callback(
        [&, asked] { action = [&globals, asked] { return replay(globals, asked->since, asked->policy); }; });
}

}  // namespace tandem::cli
