#include "advice/advise.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "advice/compare.h"
#include "advice/render.h"
#include "base/text.h"
#include "config/names.h"

namespace tandem::advice {

namespace {

constexpr std::size_t kMostCandidates = 160;
// A search among all candidates looks at so many requests; the best of them are then evaluated on all.
constexpr std::size_t kSearched = 20'000, kKept = 24;

const routing::Table::Entry* entry_of(const Combination& combination, const std::string& model) {
    return combination.table.find(model);
}

Combination changed(const Combination& from, const std::string& id, const std::string& name, Change change) {
    auto result = from;
    const bool plain = from.changes.empty();
    result.id = plain ? id : from.id + "+" + id;
    result.name = plain ? name : from.name + ", " + name;
    result.changes.push_back(std::move(change));
    return result;
}

// The rules of a preset.
std::vector<config::Rule> rules_of(const std::string& preset) {
    const auto parsed = config::parse(fmt::format("policy: {{ preset: {} }}\n", preset), "preset",
                                      [](const std::string&) { return std::optional<std::string>(); });
    return parsed ? parsed->policy.rules : std::vector<config::Rule>();
}

Combination with_preset(const Combination& from, const std::string& preset, const std::vector<config::Rule>& rules) {
    auto result = changed(from, preset, "policy " + preset, {Change::What::preset, {}, preset});
    result.table.rules = rules;
    return result;
}

Combination without_model(const Combination& from, const std::string& model) {
    auto result = changed(from, "without-" + model, "without " + model, {Change::What::auto_use, model, "false"});
    for (auto& entry : result.table.models)
        if (entry.model == model) entry.auto_use = config::AutoUse::no;
    return result;
}

Combination added_to(const Combination& from, const Added& added) {
    auto result = with_model(from, added);
    if (from.changes.empty()) return result;
    result.id = from.id + "+" + result.id;
    result.name = from.name + ", " + result.name;
    return result;
}

// Without a machine and the models that run on it.
Combination sold(const Combination& from, const std::string& machine) {
    std::vector<std::string> keep;
    std::vector<std::string> gone;
    for (const auto& entry : from.table.models) {
        const bool there = std::ranges::any_of(from.stations, [&](const Station& station) {
            return station.model == entry.model && station.machine == machine;
        });
        (there ? gone : keep).push_back(entry.model);
    }
    auto result = changed(from, "sell-" + machine, "without the machine " + machine, {Change::What::sell, machine, {}});
    const auto changes = result.changes;
    const auto id = result.id, name = result.name;
    result = only(result, id, name, keep);
    result.changes = changes;
    for (const auto& model : gone) result.changes.push_back({Change::What::auto_use, model, "false"});
    std::erase_if(result.machines, [&](const Machine& one) { return one.hardware.id == machine; });
    return result;
}

Combination bought(const Combination& from, const Offer& offer, Label clearance) {
    auto hardware = offer.hardware;
    while (std::ranges::any_of(from.machines, [&](const Machine& one) { return one.hardware.id == hardware.id; }))
        hardware.id += "-new";
    auto result =
        changed(from, "buy-" + hardware.id, "with the machine " + hardware.id, {Change::What::buy, hardware.id, "1"});
    for (const auto& runs : offer.runs) {
        auto model = runs.model;
        while (entry_of(result, model) != nullptr) model += "-" + hardware.id;
        routing::Table::Entry entry;
        entry.model = model;
        entry.provider = hardware.id;
        entry.zone = Zone::local;
        entry.clearance = clearance;
        entry.context_tokens = runs.context_tokens;
        entry.capabilities = runs.capabilities;
        entry.quality = runs.quality;
        entry.strength =
            runs.quality ? routing::strength_by_quality(*runs.quality) : routing::strength_of({.name = runs.model});
        result.table.models.push_back(std::move(entry));
        Station station;
        station.model = model;
        station.machine = hardware.id;
        station.slots = runs.slots;
        station.speed = runs.speed;
        result.stations.push_back(std::move(station));
    }
    result.machines.push_back({hardware, 1, true});
    return result;
}

bool is_choosable(const routing::Table::Entry& entry) {
    return entry.auto_use == config::AutoUse::yes && !config::is_pattern(entry.model);
}

// What changes the set of models or machines, one thing at a time.
std::vector<Combination> structures(const Situation& situation, const config::Config& config,
                                    const std::vector<Offer>& offers) {
    const auto& today = situation.today;
    std::vector<Combination> list;
    const auto choosable = std::ranges::count_if(today.table.models, is_choosable);
    for (const auto& entry : today.table.models)
        if (choosable > 1 && is_choosable(entry)) list.push_back(without_model(today, entry.model));
    for (const auto& added : situation.with) list.push_back(added_to(today, added));
    std::vector<Combination> without_machine;
    for (const auto& machine : today.machines) {
        const bool all_gone = std::ranges::all_of(today.table.models, [&](const auto& entry) {
            return std::ranges::any_of(today.stations, [&](const Station& station) {
                return station.model == entry.model && station.machine == machine.hardware.id;
            });
        });
        if (!all_gone) without_machine.push_back(sold(today, machine.hardware.id));
    }
    for (const auto& one : without_machine) {
        list.push_back(one);
        for (const auto& added : situation.with) list.push_back(added_to(one, added));
    }
    for (const auto& offer : offers) {
        list.push_back(bought(today, offer, config.privacy.local_clearance));
        for (const auto& one : without_machine) list.push_back(bought(one, offer, config.privacy.local_clearance));
    }
    return list;
}

std::int64_t unserved_of(const Evaluation& e) {
    return e.requests - e.answered;
}

// What is nearer to each other makes no difference to anybody: half a percent of the cost, a fifth of a percent of the
// answers, a hundredth of the time.
constexpr double kSameShare = 0.005, kSameQuality = 0.002, kSameTime = 0.01;
constexpr std::int64_t kSameMicros = 5'000;

// 1 where `a` is better than `b`, -1 where it is worse, 0 where it is the same.
int beside(double a, double b, double same) {
    return std::abs(a - b) <= same ? 0 : a > b ? 1 : -1;
}

// The three that a front is made of. A time that is not known is left out.
std::array<int, 3> beside(const Evaluation& a, const Evaluation& b) {
    const auto cost_a = static_cast<double>(a.total().micros()), cost_b = static_cast<double>(b.total().micros());
    const double same_cost = std::max(static_cast<double>(kSameMicros), kSameShare * std::min(cost_a, cost_b));
    const bool timed = a.latency_known() && b.latency_known();
    const double same_time = std::max(1.0, kSameTime * std::min(a.total_p95, b.total_p95));
    return {beside(-cost_a, -cost_b, same_cost), beside(a.quality, b.quality, kSameQuality),
            timed ? beside(-a.total_p95, -b.total_p95, same_time) : 0};
}

// Whether `a` is at least as good as `b` in all three, and better in one.
bool beats(const Evaluation& a, const Evaluation& b) {
    const auto by = beside(a, b);
    return std::ranges::min(by) >= 0 && std::ranges::max(by) > 0;
}

bool same(const Evaluation& a, const Evaluation& b) {
    return beside(a, b) == std::array<int, 3>{};
}

// Those that are worth a look on all requests: by what they are worth, and the cheapest and the best of them.
std::vector<Combination> searched(Evaluator& evaluator, std::vector<Combination> all) {
    if (all.size() <= kKept) return all;
    std::vector<std::pair<double, std::size_t>> by_worth;
    std::vector<std::pair<Money, std::size_t>> by_cost;
    std::vector<std::pair<double, std::size_t>> by_quality;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto evaluation = evaluator.evaluate(all[i], kSearched);
        by_worth.emplace_back(-evaluation.worth, i);
        by_cost.emplace_back(evaluation.total(), i);
        by_quality.emplace_back(-evaluation.quality, i);
    }
    std::set<std::size_t> keep;
    const auto take = [&](auto& list, std::size_t most) {
        std::ranges::sort(list);
        for (std::size_t i = 0; i < most && i < list.size(); ++i) keep.insert(list[i].second);
    };
    take(by_worth, kKept * 2 / 3);
    take(by_cost, kKept / 6);
    take(by_quality, kKept / 6);
    std::vector<Combination> result;
    for (const auto i : keep) result.push_back(std::move(all[i]));
    return result;
}

}  // namespace

std::vector<Combination> candidates_of(const Situation& situation, const config::Config& config,
                                       const std::vector<Offer>& offers) {
    std::vector<std::pair<std::string, std::vector<config::Rule>>> presets;
    // Rules that the owner wrote are the owner's word.
    if (!config.policy.preset.empty())
        for (const auto& preset : config::preset_names())
            if (preset != config.policy.preset) presets.emplace_back(preset, rules_of(preset));
    std::vector<Combination> list;
    for (const auto& [name, rules] : presets) list.push_back(with_preset(situation.today, name, rules));
    for (const auto& structure : structures(situation, config, offers)) {
        list.push_back(structure);
        for (const auto& [name, rules] : presets)
            if (list.size() < kMostCandidates) list.push_back(with_preset(structure, name, rules));
    }
    if (list.size() > kMostCandidates) list.resize(kMostCandidates);
    return list;
}

std::string refusal_of(const Evaluation& now, const Evaluation& then) {
    std::vector<std::string> why;
    const auto more = unserved_of(then) - unserved_of(now);
    if (more > 0) {
        std::vector<std::string> reasons;
        for (std::size_t i = 0; i < then.unserved.size(); ++i)
            if (const auto count = then.unserved[i] - now.unserved[i]; count > 0)
                reasons.push_back(fmt::format("{} {}", kUnservedNames[i], count));
        why.push_back(fmt::format("{} requests that are answered now would not be ({})", more, join(reasons, ", ")));
    }
    if (const auto away = now.private_home - then.private_home; away > 0)
        why.push_back(fmt::format("{} private requests fewer would be answered at home", away));
    if (const auto renamed = then.renamed - now.renamed; renamed > 0)
        why.push_back(fmt::format(
            "{} requests named what would be gone: their clients would have to ask by another name", renamed));
    if (!then.keeps_up() && now.keeps_up()) why.emplace_back("what is at home would not keep up");
    for (const auto& model : then.unpriced)
        if (std::ranges::find(now.unpriced, model) == now.unpriced.end())
            why.push_back(fmt::format("nobody knows the price of {}", model));
    return join(why, "; ");
}

void mark_dominated(const Evaluation& now, std::vector<Proposal>& proposals) {
    for (std::size_t i = 0; i < proposals.size(); ++i) {
        auto& one = proposals[i];
        one.dominated = beats(now, one.evaluation) || same(now, one.evaluation);
        for (std::size_t j = 0; j < proposals.size() && !one.dominated; ++j) {
            const auto& other = proposals[j];
            if (i == j || !other.refused.empty()) continue;
            const auto shorter =
                std::pair(other.combination.changes.size(), j) < std::pair(one.combination.changes.size(), i);
            one.dominated =
                beats(other.evaluation, one.evaluation) || (same(other.evaluation, one.evaluation) && shorter);
        }
    }
}

namespace {

// Of less, nothing is said for sure: no week is on record with all its days.
constexpr std::int64_t kLeastRecord = 7 * 86'400'000LL;

bool is_enough(const Traffic& traffic) {
    return traffic.of_profile || traffic.length_ms() >= kLeastRecord;
}

std::string verdict_of(const Situation& situation, const Advice& advice) {
    const auto& list = advice.proposals;
    const auto best = std::ranges::find(list, advice.best, &Proposal::number);
    if (advice.best > 0 && best != list.end() && advice.sure)
        return fmt::format("{} ({}) is worth {:.2f} {} a month more than today's, more than what is not known ({:.2f})",
                           best->number, best->combination.name, best->gain.mean, situation.currency,
                           kNormal * best->gain.error);
    if (advice.best > 0 && best != list.end())
        return fmt::format(
            "{} ({}) is the best bet, not a sure one: {:.2f} {} a month more than today's are expected, and that it is "
            "better at all is {:.0f} % likely; what is not known is as much as {:.2f}{}",
            best->number, best->combination.name, best->gain.mean, situation.currency, 100 * best->gain.likely(),
            kNormal * best->gain.error,
            best->experiments.empty() ? "" : fmt::format("; `{}` would tell more", best->experiments.front().command));
    const auto promising =
        std::ranges::find_if(list, [](const Proposal& one) { return one.number > 0 && one.gain.mean > 0; });
    if (promising == list.end()) return "change nothing: no other combination is better";
    if (!is_enough(situation.traffic))
        return fmt::format(
            "change nothing yet: {} ({}) promises {:.2f} {} a month more, but less than a week is on record",
            promising->number, promising->combination.name, promising->gain.mean, situation.currency);
    return fmt::format(
        "change nothing yet: {} ({}) promises {:.2f} {} a month more, and that it is better at all is {:.0f} % likely",
        promising->number, promising->combination.name, promising->gain.mean, situation.currency,
        100 * promising->gain.likely());
}

// Among those that are shown and changing nothing.
void find_ties(const Situation& situation, Advice& advice) {
    const auto shown = [&](auto&& visit) {
        for (auto& one : advice.proposals)
            if (one.number > 0) visit(one);
    };
    shown([&](Proposal& one) {
        if (!one.gain.tells_apart()) one.ties.push_back(0);
        shown([&](Proposal& other) {
            if (one.number != other.number && !gain_of(situation, one.evaluation, other.evaluation).tells_apart())
                one.ties.push_back(other.number);
        });
    });
}

// An evaluation of the config as it is that comes to something else than what happened is a reason to doubt the others.
void note_difference(const Evaluation& recorded, const Evaluation& now, std::vector<std::string>& notes) {
    constexpr double kMuch = 0.2;
    const auto was = static_cast<double>(recorded.cloud.micros()), is = static_cast<double>(now.cloud.micros());
    if (std::abs(is - was) > kMuch * std::max(was, is) && std::abs(is - was) > 1e6)
        notes.push_back(fmt::format(
            "the cloud took {} a month, and tandem.yaml as it is now comes to {}: the config, what was learned "
            "or who was well has changed meanwhile, and proposals are compared with the latter",
            money_text(recorded.cloud), money_text(now.cloud)));
}

// For a machine that is bought, as many as it takes.
Combination enough(Evaluator& evaluator, Combination combination) {
    const bool buys = std::ranges::any_of(combination.machines, [](const Machine& one) { return one.new_; });
    if (!buys) return combination;
    auto grows = grown(evaluator, combination);
    if (!grows) return combination;
    // Only of what is bought there can be more.
    for (auto& machine : grows->machines) {
        const auto before = std::ranges::find_if(
            combination.machines, [&](const Machine& one) { return one.hardware.id == machine.hardware.id; });
        if (!machine.new_ && machine.count != before->count) return combination;
        for (auto& change : grows->changes)
            if (change.what == Change::What::buy && change.name == machine.hardware.id)
                change.value = fmt::format("{}", machine.count);
    }
    return std::move(*grows);
}

}  // namespace

Advice advise(const Situation& situation, const config::Config& config, const std::vector<Offer>& offers) {
    Evaluator evaluator(situation);
    Advice advice;
    if (!situation.traffic.of_profile) {
        auto recorded = situation.today;
        recorded.as_recorded = true;
        recorded.name = "as it was routed";
        advice.recorded = evaluator.evaluate(recorded);
    }
    advice.now = evaluator.evaluate(situation.today);
    for (auto& candidate : searched(evaluator, candidates_of(situation, config, offers))) {
        Proposal proposal;
        proposal.combination = enough(evaluator, std::move(candidate));
        proposal.evaluation = evaluator.evaluate(proposal.combination);
        proposal.gain = gain_of(situation, proposal.evaluation, advice.now);
        proposal.refused = refusal_of(advice.now, proposal.evaluation);
        advice.proposals.push_back(std::move(proposal));
    }
    mark_dominated(advice.now, advice.proposals);
    std::ranges::sort(advice.proposals, {}, [](const Proposal& one) {
        return std::tuple(!one.refused.empty(), one.dominated, -one.gain.mean, one.combination.id);
    });
    for (auto& one : advice.proposals) {
        if (!one.refused.empty() || one.dominated) continue;
        const auto number = 1 + static_cast<int>(&one - advice.proposals.data());
        if (number > kMostProposals) break;
        one.number = number;
        explain(situation, config, advice.now, one);
        if (advice.best != 0 || one.gain.mean <= 0 || one.gain.likely() < kLikely || !is_enough(situation.traffic))
            continue;
        advice.best = number;
        advice.sure = one.gain.sure();
    }
    find_ties(situation, advice);
    advice.verdict = verdict_of(situation, advice);
    advice.housekeeping = housekeeping(situation, config);
    advice.notes = situation.notes;
    if (advice.recorded) note_difference(*advice.recorded, advice.now, advice.notes);
    if (config.policy.preset.empty())
        advice.notes.emplace_back("the rules of the policy are your own: no other policy is proposed");
    return advice;
}

}  // namespace tandem::advice
