#include "experiment/report.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "base/json.h"

namespace tandem::experiment {

namespace {

using config::ExperimentKind;
using config::Metric;

// What the metric says of the answer that the client got.
std::optional<double> value_of(const Measured& m, Metric metric) {
    switch (metric) {
        case Metric::feedback:
            return m.feedback;
        case Metric::checks:
            return m.trial.faulty ? 0.0 : 1.0;
        case Metric::cost:
            return m.cost;
        case Metric::latency:
            return m.seconds;
        case Metric::judge:
            break;
    }
    return {};
}

std::optional<double> other_value_of(const Measured& m, Metric metric) {
    if (m.trial.other.empty()) return {};
    switch (metric) {
        case Metric::checks:
            return m.trial.other_faulty ? 0.0 : 1.0;
        case Metric::cost:
            return m.other_cost;
        case Metric::latency:
            return m.other_seconds;
        default:
            return {};
    }
}

// Conversations that were assigned at random; one counts once, by the mean of its answers.
void compare_units(const std::vector<Measured>& all, Report& r) {
    struct Unit {
        bool treatment = false;
        double sum = 0;
        int count = 0;
    };
    std::vector<Unit> units;
    std::map<std::string, std::size_t> places;
    for (const auto& m : all) {
        const auto value = value_of(m, r.definition.metric);
        if (!value) continue;
        const auto [place, fresh] = places.try_emplace(m.trial.unit, units.size());
        if (fresh) units.push_back({m.trial.treatment, 0, 0});
        auto& unit = units[place->second];
        unit.sum += *value;
        ++unit.count;
    }
    Effect effect(r.definition.share);
    for (const auto& unit : units) effect.add(unit.treatment, unit.sum / unit.count);
    r.control = effect.count(false);
    r.treatment = effect.count(true);
    r.control_mean = effect.mean(false);
    r.treatment_mean = effect.mean(true);
    r.effect = effect.interval();
}

// Two answers to one question.
void compare_pairs(const std::vector<Measured>& all, Report& r) {
    MeanSequence differences, of_control, of_treatment;
    for (const auto& m : all) {
        if (r.definition.metric == Metric::judge) {
            if (m.trial.judged) differences.add(*m.trial.judged);
            continue;
        }
        const auto seen = value_of(m, r.definition.metric), other = other_value_of(m, r.definition.metric);
        if (!seen || !other) continue;
        const double treatment = m.trial.treatment ? *seen : *other, control = m.trial.treatment ? *other : *seen;
        differences.add(treatment - control);
        of_control.add(control);
        of_treatment.add(treatment);
    }
    r.control = r.treatment = differences.count();
    r.control_mean = of_control.mean();
    r.treatment_mean = of_treatment.mean();
    // The differences spread at least as much as one whole win among them would make them.
    const double least = r.definition.metric == Metric::judge || r.definition.metric == Metric::checks
                             ? 1.0 / std::max(1.0, static_cast<double>(differences.count()))
                             : 0;
    r.effect = differences.interval(least);
}

std::string unit_of(Metric metric) {
    return metric == Metric::latency ? " s" : "";
}

std::string verdict_of(const Report& r) {
    const auto& d = r.definition;
    const bool pairs = d.kind != ExperimentKind::ab;
    if (!r.enough)
        return pairs ? fmt::format("too early to say: {} of at least {} comparisons", r.control, d.minimum)
                     : fmt::format("too early to say: {} and {} conversations with an outcome, of at least {} each",
                                   r.control, r.treatment, d.minimum);
    const auto& e = *r.effect;
    const auto range = fmt::format("{} minus {} is {:.4g} ({:.4g} to {:.4g}){}", d.treatment, d.control, e.mean, e.low,
                                   e.high, unit_of(d.metric));
    const auto metric = config::kMetricNames[static_cast<std::size_t>(d.metric)];
    if (r.better == 0) return fmt::format("no difference found in {}: {}", metric, range);
    return fmt::format("{} is better by {}: {}", r.better > 0 ? d.treatment : d.control, metric, range);
}

}  // namespace

Result<Report> report(store::Database& database, const Record& record, config::Experiment definition) {
    auto all = measured(database, record.name, record.first);
    if (!all) return fail(all.error());
    Report r;
    r.record = record;
    r.definition = std::move(definition);
    r.trials = all->size();
    if (r.definition.kind == ExperimentKind::ab)
        compare_units(*all, r);
    else
        compare_pairs(*all, r);
    std::vector<std::pair<int, int>> verdicts;
    for (const auto& m : *all) {
        r.spent_besides += m.other_cost;
        const auto& t = m.trial;
        if (t.judged) ++(*t.judged > 0 ? r.wins : *t.judged < 0 ? r.losses : r.ties);
        if (!t.judged && !t.note.empty()) ++r.unclear;
        if (t.judged && t.voted) verdicts.emplace_back(*t.judged, *t.voted);
    }
    r.votes = verdicts.size();
    r.agreement = kappa(verdicts);
    r.enough = static_cast<std::int64_t>(std::min(r.control, r.treatment)) >= r.definition.minimum;
    if (r.enough && r.effect->excludes_zero())
        r.better = (r.effect->mean > 0) != config::less_is_better(r.definition.metric) ? 1 : -1;
    r.verdict = verdict_of(r);
    return r;
}

std::string to_json(const Report& r) {
    constexpr std::array<std::string_view, 3> kStates = {"running", "stopped", "applied"};
    auto number = [](double value) { return fmt::format("{}", std::round(value * 1e9) / 1e9); };
    json::Writer out;
    out.begin_object().member("name", r.record.name).member("state", kStates[static_cast<std::size_t>(r.record.state)]);
    if (r.record.state == State::applied)
        out.member("applied", r.record.treatment ? r.definition.treatment : r.definition.control);
    out.raw_member("definition", config::to_json(r.definition)).member("trials", r.trials);
    for (const auto& [name, model, count, mean] :
         {std::tuple("control", r.definition.control, r.control, r.control_mean),
          {"treatment", r.definition.treatment, r.treatment, r.treatment_mean}}) {
        out.key(name).begin_object().member("model", model).member("count", count);
        if (r.definition.metric != Metric::judge) out.raw_member("mean", number(mean));
        out.end_object();
    }
    if (r.effect && std::isfinite(r.effect->low)) {
        out.key("effect").begin_object().raw_member("mean", number(r.effect->mean));
        out.raw_member("low", number(r.effect->low)).raw_member("high", number(r.effect->high)).end_object();
    }
    out.member("enough", r.enough);
    if (r.better != 0) out.member("better", r.better > 0 ? r.definition.treatment : r.definition.control);
    if (r.definition.metric == Metric::judge) {
        out.key("judge").begin_object().member("wins", r.wins).member("ties", r.ties).member("losses", r.losses);
        out.member("unclear", r.unclear).member("votes", r.votes);
        if (r.agreement) out.raw_member("kappa", number(*r.agreement));
        out.end_object();
    }
    if (r.definition.kind != ExperimentKind::ab) out.raw_member("spent_besides", number(r.spent_besides));
    return out.member("verdict", r.verdict).end_object().take();
}

}  // namespace tandem::experiment
