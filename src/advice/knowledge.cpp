#include "advice/knowledge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <queue>
#include <unordered_map>

#include "learning/learner.h"

namespace tandem::advice {

namespace {

// ---- speeds: least squares without negative coefficients ----

struct Sample {
    std::array<double, 3> x;  // 1, tokens read, tokens written
    double y = 0;             // milliseconds
};

// Solves the normal equations over the coefficients in `use` (bits); nullopt where they are not independent.
std::optional<std::array<double, 3>> solved(const std::vector<Sample>& samples, unsigned use) {
    std::array<std::array<double, 4>, 3> m{};
    std::array<std::size_t, 3> column{};
    std::size_t n = 0;
    for (std::size_t i = 0; i < 3; ++i)
        if ((use >> i & 1U) != 0) column[n++] = i;
    for (const auto& one : samples)
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) m[i][j] += one.x[column[i]] * one.x[column[j]];
            m[i][3] += one.x[column[i]] * one.y;
        }
    std::array<double, 3> scale{};
    for (std::size_t i = 0; i < n; ++i) scale[i] = m[i][i];
    for (std::size_t i = 0; i < n; ++i) {
        if (scale[i] <= 0 || std::abs(m[i][i]) < 1e-9 * scale[i]) return std::nullopt;
        for (std::size_t k = 0; k < n; ++k) {
            if (k == i) continue;
            const double factor = m[k][i] / m[i][i];
            for (std::size_t j = 0; j < 4; ++j) m[k][j] -= factor * m[i][j];
        }
    }
    std::array<double, 3> result{};
    for (std::size_t i = 0; i < n; ++i) result[column[i]] = m[i][3] / m[i][i];
    return result;
}

double value_of(const std::array<double, 3>& by, const Sample& sample) {
    return by[0] * sample.x[0] + by[1] * sample.x[1] + by[2] * sample.x[2];
}

// Of all subsets of `allowed` whose solution has no negative coefficient, the one that misses least; of two that miss
// about the same, the one with fewer coefficients: answers that are all of one size tell one number alone.
std::array<double, 3> fitted_once(const std::vector<Sample>& samples, unsigned allowed) {
    std::array<double, 3> best{};
    double least = -1;
    std::vector<unsigned> subsets = {2, 4, 1, 6, 3, 5, 7};
    for (const auto use : subsets) {
        if ((use & ~allowed) != 0) continue;
        const auto one = solved(samples, use);
        if (!one || std::ranges::any_of(*one, [](double c) { return c < 0; })) continue;
        double missed = 0, all = 0;
        for (const auto& sample : samples) {
            const double error = sample.y - value_of(*one, sample);
            missed += error * error;
            all += sample.y * sample.y;
        }
        if (least >= 0 && missed >= least - 1e-9 * all) continue;
        least = missed;
        best = *one;
    }
    return best;
}

// The same without those that are far off: a model that had to be loaded first, a machine that slept.
std::array<double, 3> fitted(std::vector<Sample> samples, unsigned allowed) {
    constexpr double kFarOff = 6;
    constexpr std::size_t kFew = 8;
    auto by = fitted_once(samples, allowed);
    for (int round = 0; round < 3 && samples.size() >= kFew; ++round) {
        std::vector<double> errors;
        for (const auto& one : samples) errors.push_back(std::abs(one.y - value_of(by, one)));
        auto sorted = errors;
        const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
        std::ranges::nth_element(sorted, middle);
        const double most = kFarOff * std::max(*middle, 1.0);
        std::vector<Sample> kept;
        for (std::size_t i = 0; i < samples.size(); ++i)
            if (errors[i] <= most) kept.push_back(samples[i]);
        if (kept.size() == samples.size() || kept.size() * 2 < samples.size()) break;
        samples = std::move(kept);
        by = fitted_once(samples, allowed);
    }
    return by;
}

double inverse(double per_token_ms) {
    return per_token_ms > 0 ? 1 / per_token_ms : 0;
}

constexpr std::size_t kMostSamples = 20'000;  // the newest, of a model

std::optional<Speed> speed_of(std::vector<const Request*> answers) {
    if (answers.size() > kMostSamples) answers.erase(answers.begin(), answers.end() - kMostSamples);
    std::vector<Sample> first, whole;
    double rest = 0, rest_tokens = 0, all = 0;
    for (const auto* one : answers) {
        const auto read =
            static_cast<double>(std::max<std::int64_t>(0, one->usage.input.count - one->usage.cached_input.count));
        const auto written = static_cast<double>(one->usage.output.count);
        const auto total = static_cast<double>(one->total_ms);
        whole.push_back({{1, read, written}, total});
        all += total;
        if (one->first_byte_ms < 0 || one->first_byte_ms > one->total_ms) continue;
        first.push_back({{1, read, 0}, static_cast<double>(one->first_byte_ms)});
        rest += total - static_cast<double>(one->first_byte_ms);
        rest_tokens += written;
    }
    if (whole.empty()) return std::nullopt;
    Speed speed;
    speed.answers = static_cast<std::int64_t>(whole.size());
    speed.source = fmt::format("measured by {} answer{}", speed.answers, speed.answers == 1 ? "" : "s");
    // Answers that come whole tell their first token's time together with their last one's.
    constexpr double kStreams = 0.05;
    if (!first.empty() && rest > kStreams * all && rest_tokens > 0) {
        const auto by = fitted(std::move(first), 3);
        speed.start_ms = by[0];
        speed.input_per_ms = inverse(by[1]);
        speed.output_per_ms = rest_tokens / rest;
        return speed;
    }
    const auto by = fitted(std::move(whole), 7);
    speed.start_ms = by[0];
    speed.input_per_ms = inverse(by[1]);
    speed.output_per_ms = inverse(by[2]);
    return speed;
}

// Of a local model's answers, those that waited for no other: they began while fewer than `slots` were under way.
std::vector<const Request*> unwaiting(const std::vector<const Request*>& answers, std::vector<Span> busy, int slots) {
    std::ranges::sort(busy, {}, &Span::start);
    std::vector<const Request*> in_order = answers, result;
    std::ranges::sort(in_order, {}, [](const Request* one) { return std::pair(one->attempt_ms, one->time_ms); });
    std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>> ends;
    auto next = busy.begin();
    for (const auto* one : in_order) {
        // All that began before it, or with it and was written down before.
        while (next != busy.end() && next->start < one->attempt_ms) ends.push((next++)->end);
        while (!ends.empty() && ends.top() <= one->attempt_ms) ends.pop();
        std::size_t with_it = 0;
        for (auto same = next; same != busy.end() && same->start == one->attempt_ms; ++same) ++with_it;
        if (ends.size() + with_it <= static_cast<std::size_t>(slots)) result.push_back(one);
    }
    return result;
}

void learn_speeds(const Traffic& traffic, const std::map<std::string, int>& slots, Knowledge& knowledge) {
    std::unordered_map<std::int32_t, std::vector<const Request*>> by_model;
    std::vector<const Request*> cloud;
    for (const auto* list : {&traffic.trials, &traffic.requests})
        for (const auto& one : *list) {
            if (one.outcome != Outcome::answered || !one.whole || one.model < 0 || one.total_ms <= 0) continue;
            by_model[one.model].push_back(&one);
            if (one.zone == Zone::cloud) cloud.push_back(&one);
        }
    std::unordered_map<std::int32_t, std::vector<Span>> busy;
    for (const auto& one : traffic.busy) busy[one.model].push_back(one.span);
    for (auto& [model, answers] : by_model) {
        const auto& name = traffic.models[model];
        const auto found = slots.find(name);
        if (found != slots.end()) answers = unwaiting(answers, std::move(busy[model]), found->second);
        if (auto speed = speed_of(answers)) knowledge.models[name].speed = std::move(*speed);
    }
    knowledge.usual_cloud = speed_of(std::move(cloud));
    if (knowledge.usual_cloud) knowledge.usual_cloud->source = "as cloud models answer on the whole";
}

// ---- lengths and caches ----

// Of prompts whose beginning the provider had seen a moment ago, how much of that it had kept; of the others, how much
// of all.
struct CachedSums {
    double warm = 0, warm_all = 0, cold = 0, cold_all = 0;
    std::int64_t warm_prompts = 0, cold_prompts = 0;

    void add(const Request& one) {
        const auto cached = static_cast<double>(one.usage.cached_input.count);
        const auto input = static_cast<double>(one.usage.input.count);
        if (one.warm == one.model && one.warm_tokens > 0) {
            warm += cached;
            warm_all += std::min(input, static_cast<double>(one.warm_tokens));
            ++warm_prompts;
            return;
        }
        cold += cached;
        cold_all += input;
        ++cold_prompts;
    }
    Cached shares() const {
        return {warm_all > 0 ? std::min(1.0, warm / warm_all) : 0, cold_all > 0 ? cold / cold_all : 0, warm_prompts,
                cold_prompts};
    }
};

void learn_lengths(const Traffic& traffic, Knowledge& knowledge) {
    std::array<double, kKinds> tokens{};
    std::array<std::int64_t, kKinds> answers{};
    std::unordered_map<std::int32_t, CachedSums> cached;
    CachedSums cloud;
    for (const auto& one : traffic.requests) {
        if (one.outcome != Outcome::answered || one.model < 0 || one.usage.estimated) continue;
        auto& known = knowledge.models[traffic.models[one.model]];
        const auto kind = static_cast<std::size_t>(one.kind);
        const auto output = static_cast<double>(one.usage.output.count);
        if (one.whole) {
            known.answer_tokens[kind] += output;
            ++known.answers[kind];
            tokens[kind] += output;
            ++answers[kind];
        }
        cached[one.model].add(one);
        if (one.zone == Zone::cloud) cloud.add(one);
    }
    for (auto& [name, known] : knowledge.models)
        for (std::size_t kind = 0; kind < kKinds; ++kind)
            if (known.answers[kind] > 0) known.answer_tokens[kind] /= static_cast<double>(known.answers[kind]);
    for (const auto& [model, sums] : cached) knowledge.models[traffic.models[model]].cached = sums.shares();
    for (std::size_t kind = 0; kind < kKinds; ++kind)
        if (answers[kind] > 0) knowledge.usual_tokens[kind] = tokens[kind] / static_cast<double>(answers[kind]);
    knowledge.usual_cached = cloud.shares();
}

// ---- how answers turned out ----

struct Sums {
    double residual = 0, weight = 0;
    void add(double value, double expected, double by) {
        residual += by * (value - expected);
        weight += by;
    }
};

// Of one model.
struct OfModel {
    Sums all;
    std::array<Sums, kKinds> by_kind;
    std::array<Sums, kCells> by_cell;
    void add(const Request& request, double value, double expected, double by) {
        all.add(value, expected, by);
        by_kind[static_cast<std::size_t>(request.kind)].add(value, expected, by);
        by_cell[cell_of(request)].add(value, expected, by);
    }
};
using Learned = std::map<std::string, OfModel>;

// What is only seen of an answer, and of some answers alone. Else somebody has looked at it and could have said either.
bool is_sign(std::string_view source) {
    static constexpr std::array<std::string_view, 5> kSigns = {"check", "regenerated", "disputed", "continued",
                                                               "escalated"};
    return std::ranges::find(kSigns, source) != kSigns.end();
}

void settle(const routing::Table& table, const Learned& learned, Knowledge& knowledge) {
    constexpr double kGuess = 4;
    static const OfModel kNone;
    for (const auto& entry : table.models) {
        auto& belief = knowledge.models[entry.model].belief;
        const bool guess = entry.strength && !entry.strength->known && !entry.quality;
        if (guess) belief.prior = kGuess;
        const auto found = learned.find(entry.model);
        const auto& [all, by_kind, by_cell] = found == learned.end() ? kNone : found->second;
        belief.weight = all.weight;
        belief.correction = all.residual / (all.weight + belief.prior);
        for (std::size_t kind = 0; kind < kKinds; ++kind) {
            belief.weight_kind[kind] = by_kind[kind].weight;
            belief.by_kind[kind] = (by_kind[kind].residual + Belief::kKindPrior * belief.correction) /
                                   (by_kind[kind].weight + Belief::kKindPrior);
        }
        for (std::size_t cell = 0; cell < kCells; ++cell) {
            belief.weight_cell[cell] = by_cell[cell].weight;
            belief.by_cell[cell] = (by_cell[cell].residual + Belief::kCellPrior * belief.by_kind[kind_of_cell(cell)]) /
                                   (by_cell[cell].weight + Belief::kCellPrior);
        }
    }
}

// Answers among which signs are as likely: of one kind of work, to one key.
struct Group {
    double bad = 0, rest = 0;  // sums of what makes signs say as much good as bad, see learn_signs
    double signs = 0;          // weight of those that have one
    std::int64_t others = 0;   // how many have none
    std::int32_t model = -1;   // who gave them
    bool several = false;      // more than one did
};

// Signs say that an answer was bad, never that it was good, so they cannot tell how good answers are. They tell which
// of the models that answer such requests is worse than the others: each answer without a sign counts as a good one,
// with the weight with which all signs of its group together say what is expected anyway,
//     e = sum over signs (w q) / sum over the others (1 - q).
// Together they weigh no more than as many signs tell where a quarter of the answers is bad: a hundred answers without
// a sign beside one with it are one event. Where one model gave all answers of a group, its signs say nothing.
void learn_signs(const Traffic& traffic, const std::vector<float>& signs, const routing::Table& table,
                 const Knowledge& knowledge, Learned& learned) {
    std::map<std::pair<std::int32_t, routing::WorkKind>, Group> groups;
    const auto each = [&](const auto& visit) {
        for (std::size_t i = 0; i < signs.size(); ++i) {
            const auto& request = traffic.requests[i];
            if (request.outcome != Outcome::answered || request.model < 0) continue;
            const auto* entry = table.find(traffic.models[request.model]);
            if (entry != nullptr) visit(request, *entry, signs[i], groups[{request.key, request.kind}]);
        }
    };
    each([&](const Request& request, const routing::Table::Entry& entry, float sign, Group& group) {
        const double quality = quality_of(entry, knowledge.find(entry.model), request);
        (sign > 0 ? group.bad : group.rest) += sign > 0 ? sign * quality : 1 - quality;
        group.signs += sign;
        group.others += sign > 0 ? 0 : 1;
        group.several = group.several || (group.model >= 0 && group.model != request.model);
        group.model = request.model;
    });
    each([&](const Request& request, const routing::Table::Entry& entry, float sign, const Group& group) {
        if (!group.several || group.rest <= 0 || group.signs <= 0) return;
        constexpr double kMost = 4;
        const double good = group.bad / group.rest;
        const double all = group.signs + good * static_cast<double>(group.others);
        const double part = std::min(1.0, kMost * group.signs / all);
        learned[entry.model].add(request, sign > 0 ? 0 : 1, expected_of(entry, request),
                                 part * (sign > 0 ? sign : good));
    });
}

void learn_quality(const Traffic& traffic, const std::vector<learning::OutcomeRecord>& outcomes,
                   const routing::Table& table, Knowledge& knowledge) {
    std::unordered_map<std::string_view, std::size_t> requests;
    requests.reserve(traffic.ids.size());
    for (std::size_t i = 0; i < traffic.ids.size(); ++i) requests.emplace(traffic.ids[i], i);
    Learned learned;
    std::vector<float> signs(traffic.ids.size(), 0);  // by request: the weight with which it was bad
    // They are in order of time: the model that is there now is the one that the last of them was of.
    std::unordered_map<std::string_view, std::string_view> identities;
    for (const auto& one : outcomes) identities[one.model] = one.identity;
    for (const auto& one : outcomes) {
        const auto* entry = table.find(one.model);
        if (entry == nullptr || one.weight <= 0) continue;
        const double weight =
            one.weight * (one.identity == identities[one.model] ? 1 : learning::Learner::kOtherIdentity);
        const auto found = requests.find(one.decision);
        const auto* request = found == requests.end() ? nullptr : &traffic.requests[found->second];
        if (is_sign(one.source)) {
            if (request != nullptr && one.value < 0.5 && traffic.models[request->model] == one.model)
                signs[found->second] = std::max(signs[found->second], static_cast<float>(weight));
            continue;
        }
        const double expected = request != nullptr ? expected_of(*entry, *request) : one.expected ? *one.expected : -1;
        if (expected < 0) continue;
        ++knowledge.said;
        if (request != nullptr)
            learned[one.model].add(*request, one.value, expected, weight);
        else
            learned[one.model].all.add(one.value, expected, weight);
    }
    settle(table, learned, knowledge);
    learn_signs(traffic, signs, table, knowledge, learned);
    settle(table, learned, knowledge);
}

void learn_thoughts(const Traffic& traffic, const routing::Table& table, Knowledge& knowledge) {
    if (traffic.thoughts.empty()) return;
    const std::size_t first = traffic.thoughts.front().request, all = traffic.thoughts.back().request - first + 1;
    for (std::size_t i = 0; i < knowledge.thirds.size(); ++i)
        knowledge.thirds[i] = traffic.requests[first + (i + 1) * all / 3].time_ms;
    for (const auto& one : traffic.thoughts) {
        if (one.model < 0) continue;
        const auto& request = traffic.requests[one.request];
        const auto* entry = table.find(traffic.models[one.model]);
        if (entry == nullptr) continue;
        auto& thinks = knowledge.models[entry->model].thinks[knowledge.third_of(request.time_ms)];
        const auto kind = static_cast<std::size_t>(request.kind);
        const auto mean = [&, count = static_cast<double>(++thinks.requests[kind])](double& of, double value) {
            of += (value - of) / count;
        };
        mean(thinks.above[kind], static_cast<double>(one.quality) - expected_of(*entry, request));
        mean(thinks.doubt[kind], static_cast<double>(one.doubt));
        mean(thinks.outcomes[kind], static_cast<double>(one.outcomes));
    }
}

}  // namespace

double Speed::first_ms(std::int64_t input, std::int64_t cached) const {
    const auto read = static_cast<double>(std::max<std::int64_t>(0, input - cached));
    return start_ms + (input_per_ms > 0 ? read / input_per_ms : 0);
}

double Speed::total_ms(std::int64_t input, std::int64_t cached, std::int64_t output) const {
    return first_ms(input, cached) + (output_per_ms > 0 ? static_cast<double>(output) / output_per_ms : 0);
}

const ModelKnowledge* Knowledge::find(const std::string& model) const {
    const auto found = models.find(model);
    return found == models.end() ? nullptr : &found->second;
}

Knowledge knowledge_of(const Traffic& traffic, const std::vector<learning::OutcomeRecord>& outcomes,
                       const routing::Table& table, const std::map<std::string, int>& slots) {
    Knowledge knowledge;
    learn_speeds(traffic, slots, knowledge);
    learn_lengths(traffic, knowledge);
    learn_quality(traffic, outcomes, table, knowledge);
    learn_thoughts(traffic, table, knowledge);
    return knowledge;
}

void note_outcomes(Traffic& traffic, const std::vector<learning::OutcomeRecord>& outcomes) {
    // What people said of an answer counts before what was seen of it.
    constexpr double kSaid = 10;
    std::unordered_map<std::string_view, std::pair<double, double>> best;  // weight, value
    for (const auto& one : outcomes) {
        if (one.source == "escalated") continue;
        const double counts = one.source == "feedback" ? kSaid : one.weight;
        auto& known = best[one.decision];
        if (counts >= known.first) known = {counts, one.value};
    }
    for (std::size_t i = 0; i < traffic.ids.size(); ++i)
        if (const auto found = best.find(traffic.ids[i]); found != best.end())
            traffic.requests[i].good = static_cast<float>(found->second.second);
}

std::size_t cell_of(const Request& request) {
    constexpr int kHarder = 34, kHard = 60;  // of 100
    const std::size_t band = request.difficulty < kHarder ? 0 : request.difficulty < kHard ? 1 : 2;
    return static_cast<std::size_t>(request.kind) * kBands + band;
}

double expected_of(const routing::Table::Entry& entry, const Request& request) {
    if (!entry.strength) return entry.quality.value_or(0.5);
    const routing::Work work{request.kind, request.sure, request.difficulty, {}};
    return routing::expected_quality(*entry.strength, work, request.prompt_tokens);
}

double quality_of(const routing::Table::Entry& entry, const ModelKnowledge* known, const Request& request) {
    const double correction = known == nullptr ? 0 : known->belief.by_cell[cell_of(request)];
    return std::clamp(expected_of(entry, request) + correction, 0.0, 1.0);
}

std::int64_t output_of(const Knowledge& knowledge, const std::string& model, const std::string& answered_by,
                       routing::WorkKind kind, std::int64_t output) {
    if (model == answered_by) return output;
    const auto which = static_cast<std::size_t>(kind);
    const auto* to = knowledge.find(model);
    const auto* from = knowledge.find(answered_by);
    if (to == nullptr || from == nullptr || to->answers[which] < kFewestAnswers ||
        from->answers[which] < kFewestAnswers || from->answer_tokens[which] <= 0)
        return output;
    return std::llround(static_cast<double>(output) * to->answer_tokens[which] / from->answer_tokens[which]);
}

}  // namespace tandem::advice
