// Why a combination is proposed, what is not known of it, and what would settle that.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "access/principal.h"
#include "advice/advise.h"
#include "advice/render.h"
#include "base/text.h"

namespace tandem::advice {

namespace {

constexpr double kTelling = 0.005;  // of quality

void say_money(std::vector<std::string>& reasons, std::string_view what, Money now, Money then) {
    const auto difference = then - now;
    constexpr std::int64_t kNothing = 5'000;
    if (std::abs(difference.micros()) < kNothing) return;
    reasons.push_back(fmt::format("{} {} from {} to {}", what, difference < Money{} ? "falls" : "rises",
                                  money_text(now), money_text(then)));
}

std::vector<std::string> reasons_of(const Evaluation& now, const Evaluation& then) {
    std::vector<std::string> reasons;
    say_money(reasons, "what the cloud takes", now.cloud, then.cloud);
    say_money(reasons, "what machines and electricity cost", now.machines(), then.machines());
    say_money(reasons, "what your hours cost", now.work, then.work);
    std::map<std::string, std::int64_t> moved = then.by_model;
    for (const auto& [model, count] : now.by_model) moved[model] -= count;
    std::vector<std::string> more, fewer;
    for (const auto& [model, count] : moved)
        if (count != 0) (count > 0 ? more : fewer).push_back(fmt::format("{} {}", model, std::abs(count)));
    if (!more.empty() || !fewer.empty())
        reasons.push_back(fmt::format("answers move{}{}", fewer.empty() ? "" : " away from " + join(fewer, ", "),
                                      more.empty() ? "" : " to " + join(more, ", ")));
    if (const double better = then.quality - now.quality; std::abs(better) >= kTelling)
        reasons.push_back(fmt::format("a good answer is {} likely: {:.3f} instead of {:.3f}",
                                      better > 0 ? "more" : "less", then.quality, now.quality));
    if (then.answered > now.answered)
        reasons.push_back(fmt::format("{} requests more are answered", then.answered - now.answered));
    if (then.latency_known() && now.latency_known() && std::abs(then.total_p95 - now.total_p95) > 0.1 * now.total_p95)
        reasons.push_back(fmt::format("95 of 100 answers are there within {} instead of {}", time_text(then.total_p95),
                                      time_text(now.total_p95)));
    return reasons;
}

// How much one model's unknown quality makes of the doubt.
struct Doubt {
    std::string model;
    std::size_t kind = 0;
    double share = 0, weight = 0;
};

std::vector<Doubt> doubts_of(const Situation& situation, const Evaluation& now, const Evaluation& then) {
    auto differing = then.loadings;
    for (const auto& [model, by_cell] : now.loadings)
        for (std::size_t cell = 0; cell < kCells; ++cell) differing[model][cell] -= by_cell[cell];
    std::vector<Doubt> list;
    for (const auto& [model, by_cell] : differing) {
        const auto* known = situation.knowledge.find(model);
        Doubt doubt{model};
        double all = 0, most = 0;
        for (std::size_t kind = 0; kind < kKinds; ++kind) {
            double of_kind = 0;
            for (std::size_t band = 0; band < kBands; ++band) of_kind += std::abs(by_cell[kind * kBands + band]);
            all += of_kind;
            if (of_kind <= most) continue;
            most = of_kind;
            doubt.kind = kind;
        }
        doubt.weight = known == nullptr ? 0 : known->belief.weight_kind[doubt.kind];
        // A standard error of what it is believed to be, by how many answers it gives more or fewer.
        doubt.share = all * std::sqrt(Belief::kSpread / (doubt.weight + Belief::kKindPrior));
        if (all > 0.01) list.push_back(std::move(doubt));
    }
    std::ranges::sort(list, [](const Doubt& a, const Doubt& b) { return a.share > b.share; });
    return list;
}

// The model that gives up most answers of those that both have.
std::string counterpart(const Evaluation& now, const Evaluation& then, const std::string& model) {
    std::string found;
    std::int64_t most = 0;
    for (const auto& [other, count] : now.by_model) {
        const auto kept = then.by_model.find(other);
        const auto lost = count - (kept == then.by_model.end() ? 0 : kept->second);
        if (other != model && lost > most) {
            most = lost;
            found = other;
        }
    }
    return found;
}

constexpr double kEnough = 200;  // outcomes by weight, above which more of them settle little

}  // namespace

void explain(const Situation& situation, const config::Config& config, const Evaluation& now, Proposal& proposal) {
    const auto& then = proposal.evaluation;
    proposal.reasons = reasons_of(now, then);
    for (const auto& doubt : doubts_of(situation, now, then)) {
        if (proposal.doubts.size() >= 2 || doubt.weight >= kEnough) break;
        const auto kind = routing::kWorkKindNames[doubt.kind];
        proposal.doubts.push_back(
            doubt.weight < 1
                ? fmt::format("how good {} is at {}: nobody has said so yet", doubt.model, kind)
                : fmt::format("how good {} is at {}: {:.0f} outcomes are on record", doubt.model, kind, doubt.weight));
        if (config.model(doubt.model) == nullptr) {
            proposal.experiments.push_back(
                {fmt::format(
                     "{} is not in tandem.yaml: once it is (with auto: false, so that nobody gets it unasked), a "
                     "probe tells",
                     doubt.model),
                 fmt::format("tandem probe {} --each 20", doubt.model)});
            continue;
        }
        proposal.experiments.push_back({fmt::format("checkable questions to {}", doubt.model),
                                        fmt::format("tandem probe {} --each 20", doubt.model)});
        const auto other = counterpart(now, then, doubt.model);
        if (!other.empty() && config.model(other) != nullptr)
            proposal.experiments.push_back(
                {"both on your own work",
                 fmt::format("tandem experiment start {}-or-{} --kind pairs --control {} "
                             "--treatment {}",
                             printable(other, 20), printable(doubt.model, 20), other, doubt.model)});
    }
    for (const auto& station : then.stations)
        if (!station.speed_known) {
            proposal.doubts.push_back(fmt::format("how fast {} answers, so whether it keeps up", station.model));
            if (config.model(station.model) != nullptr)
                proposal.experiments.push_back({"its speed", fmt::format("tandem probe {}", station.model)});
        }
    constexpr std::int64_t kMonth = 28LL * 86'400'000;
    if (situation.traffic.length_ms() < kMonth && !situation.traffic.of_profile)
        proposal.doubts.push_back(fmt::format("whether other weeks are like the {:.0f} days on record",
                                              static_cast<double>(situation.traffic.length_ms()) / 86'400'000.0));
    constexpr std::size_t kMostExperiments = 3;
    if (proposal.experiments.size() > kMostExperiments) proposal.experiments.resize(kMostExperiments);
}

namespace {

bool same_rights(const config::Key& a, const config::Key& b) {
    return a.team == b.team && a.label == b.label && a.most == b.most && a.dialects == b.dialects &&
           a.high_value == b.high_value && a.admin == b.admin && a.metrics_only == b.metrics_only &&
           a.aliases == b.aliases && a.budgets.empty() && b.budgets.empty() &&
           static_cast<const config::RateLimits&>(a.limits) == static_cast<const config::RateLimits&>(b.limits);
}

double cosine(const std::array<double, kKinds>& a, const std::array<double, kKinds>& b) {
    double product = 0, of_a = 0, of_b = 0;
    for (std::size_t i = 0; i < kKinds; ++i) {
        product += a[i] * b[i];
        of_a += a[i] * a[i];
        of_b += b[i] * b[i];
    }
    return of_a > 0 && of_b > 0 ? product / std::sqrt(of_a * of_b) : 0;
}

}  // namespace

std::vector<std::string> housekeeping(const Situation& situation, const config::Config& config) {
    constexpr double kAlike = 0.98, kFewest = 20;
    const auto& traffic = situation.traffic;
    std::map<std::string, std::array<double, kKinds>> kinds;
    std::map<std::string, double> asked;
    std::map<std::string, std::int64_t> answered;
    for (const auto& one : traffic.requests) {
        kinds[traffic.keys[one.key]][static_cast<std::size_t>(one.kind)] += 1;
        asked[traffic.keys[one.key]] += 1;
        if (one.model >= 0) ++answered[traffic.models[one.model]];
    }
    std::vector<std::string> list;
    for (std::size_t i = 0; i < config.keys.size(); ++i)
        for (std::size_t j = i + 1; j < config.keys.size(); ++j) {
            const auto& a = config.keys[i];
            const auto& b = config.keys[j];
            const auto id_a = access::client_id(a.id), id_b = access::client_id(b.id);
            if (!same_rights(a, b) || asked[id_a] < kFewest || asked[id_b] < kFewest ||
                cosine(kinds[id_a], kinds[id_b]) < kAlike)
                continue;
            list.push_back(fmt::format(
                "the keys {} and {} have the same rights and ask for the same kinds of work ({:.0f} and {:.0f} "
                "requests): one would do. Give {}'s client the secret of {}, then take keys.{} out of tandem.yaml",
                a.id, b.id, asked[id_a], asked[id_b], b.id, a.id, b.id));
        }
    if (traffic.of_profile) return list;
    for (const auto& entry : situation.today.table.models)
        if (entry.auto_use == config::AutoUse::yes && answered[entry.model] == 0 && entry.zone == Zone::local)
            list.push_back(fmt::format("the model {} answered nothing in this time", entry.model));
    return list;
}

}  // namespace tandem::advice
