#include "advice/plans.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "base/splitmix.h"
#include "config/names.h"
#include "routing/names.h"

namespace tandem::advice {

namespace {

constexpr double kPerDoubling = 4;  // steps of the length of a prompt
constexpr int kDifficultyStep = 5;
constexpr float kSureSteps = 3;

bool any_in(const routing::Table& table, Zone zone) {
    return std::ranges::any_of(
        table.models, [&](const auto& entry) { return entry.zone == zone && !config::is_pattern(entry.model); });
}

// The routing's features of a request, as far as they are on record.
routing::Features features_of(const Request& request, const Traffic& traffic) {
    routing::Features features;
    features.prompt_tokens = request.prompt_tokens;
    features.answer_tokens = request.answer_tokens;
    features.context_tokens = request.context_tokens;
    features.needs = request.needs;
    if (request.asked >= 0) features.price = traffic.asked[static_cast<std::size_t>(request.asked)];
    features.price.time_ms = request.time_ms;
    features.work = {request.kind, request.sure, request.difficulty, {}};
    features.repeats = request.repeats;
    return features;
}

Unserved reason_of(const routing::Decision& decision) {
    using routing::Excluded;
    const auto any = [&](Excluded what) {
        return std::ranges::any_of(decision.candidates, [&](const auto& c) { return c.excluded == what; });
    };
    // Labels are looked at first: where a context or a need is what is missing, the label was no hindrance.
    if (any(Excluded::context)) return Unserved::context;
    if (any(Excluded::capability)) return Unserved::capability;
    if (any(Excluded::label) || any(Excluded::blocked)) return Unserved::label;
    return Unserved::other;
}

}  // namespace

namespace {

using Key = std::array<std::int64_t, 8>;
struct Hash {
    std::size_t operator()(const Key& key) const {
        std::uint64_t sum = 0;
        for (const auto part : key) sum = SplitMix64(sum ^ static_cast<std::uint64_t>(part)).next();
        return sum;
    }
};

// What the router thought of the models, roughly: a text tells it more than is on record. At most so many of one shape
// are told apart; others count as one of those.
class Thoughts {
  public:
    std::int64_t number_of(Key key, std::span<const Thought> thoughts) {
        if (thoughts.empty()) return 0;
        std::uint64_t sum = 0;
        for (const auto& one : thoughts) {
            const auto steps = std::lround(static_cast<double>(one.quality) * kSteps);
            sum ^= SplitMix64(static_cast<std::uint64_t>(one.model) << 8 ^ static_cast<std::uint64_t>(steps)).next();
        }
        key.back() = 0;
        auto& known = known_[key];
        const auto found = std::ranges::find(known, sum);
        if (found != known.end()) return 1 + (found - known.begin());
        if (known.size() >= kMost) return 1 + static_cast<std::int64_t>(sum % kMost);
        known.push_back(sum);
        return static_cast<std::int64_t>(known.size());
    }

  private:
    static constexpr double kSteps = 10;
    static constexpr std::size_t kMost = 6;
    std::unordered_map<Key, std::vector<std::uint64_t>, Hash> known_;
};

}  // namespace

Shapes::Shapes(const Traffic& traffic, const routing::Table& table) {
    bool by_key = false;
    int most_repeats = 3;  // that a preset looks at
    for (const auto& rule : table.rules) {
        by_key = by_key || !rule.key.empty();
        most_repeats = std::max(most_repeats, rule.repeats.value_or(0));
    }
    std::unordered_map<Key, std::uint32_t, Hash> numbers;
    Thoughts thoughts;
    const auto pack = [](std::int64_t high, std::int64_t low) { return high << 32 | low; };
    of_.reserve(traffic.requests.size());
    for (std::size_t i = 0; i < traffic.requests.size(); ++i) {
        const auto& one = traffic.requests[i];
        const auto length = std::floor(kPerDoubling * std::log2(static_cast<double>(one.prompt_tokens) + 1));
        const auto labels =
            static_cast<std::int64_t>(one.label) << 16 | static_cast<std::int64_t>(one.rest) << 8 | one.found;
        const auto work =
            static_cast<std::int64_t>(one.kind) << 16 | static_cast<std::int64_t>(one.stakes) << 8 | one.needs.bits;
        Key key = {pack(one.alias + 1, by_key ? one.key + 1 : 0),
                   pack(labels, work),
                   pack(one.difficulty / kDifficultyStep, std::lround(one.sure * kSureSteps)),
                   pack(std::min(one.repeats, most_repeats), one.asked + 1),
                   pack(static_cast<std::int64_t>(length), (one.warm >= 0 ? 2 : 0) + (one.in_session ? 1 : 0)),
                   one.answer_tokens,
                   one.context_tokens,
                   0};
        key.back() = thoughts.number_of(key, traffic.thoughts_of(i));
        const auto [found, fresh] = numbers.try_emplace(key, static_cast<std::uint32_t>(shapes_.size()));
        if (fresh) shapes_.push_back({i, one.prompt_tokens, one.prompt_tokens, one.difficulty, one.difficulty});
        auto& shape = shapes_[found->second];
        shape.short_ = std::min(shape.short_, one.prompt_tokens);
        shape.long_ = std::max(shape.long_, one.prompt_tokens);
        shape.easy = std::min<int>(shape.easy, one.difficulty);
        shape.hard = std::max<int>(shape.hard, one.difficulty);
        of_.push_back(found->second);
    }
}

Plans::Plans(const Situation& situation, const Combination& combination, const Shapes& shapes)
    : situation_(situation),
      combination_(combination),
      shapes_(shapes),
      known_(shapes.all().size() * (combination.table.models.size() + 1), Known::no),
      plans_(known_.size()) {
    const auto& traffic = situation.traffic;
    for (std::size_t i = 0; i < traffic.aliases.size(); ++i)
        names_.push_back(name_of(traffic.aliases[static_cast<std::int32_t>(i)]));
    const auto& models = combination.table.models;
    for (std::size_t i = 0; i < traffic.models.size(); ++i) {
        const auto& name = traffic.models[static_cast<std::int32_t>(i)];
        auto found = std::ranges::find(models, name, &routing::Table::Entry::model);
        if (found == models.end())
            if (const auto known = routing::named(combination.table, name))
                found = std::ranges::find(models, known->entry, &routing::Table::Entry::model);
        recorded_.push_back(found == models.end() ? -1 : static_cast<int>(found - models.begin()));
    }
}

// A name of a model that is not there, and of a zone without models, is taken as `auto`. Not `private`: who asks for
// that wants no other place.
Plans::Name Plans::name_of(const std::string& alias) const {
    const auto& table = combination_.table;
    const auto known = routing::named(table, alias);
    if (!known) return {"auto", true};
    if (known->means == "local" && !any_in(table, Zone::local)) return {"auto", true};
    if (known->means == "cloud" && !any_in(table, Zone::cloud)) return {"auto", true};
    const auto owned = std::ranges::find(table.aliases, known->means, &config::Alias::id);
    if (owned == table.aliases.end() || !owned->means.empty()) return {alias, false};
    const bool there =
        std::ranges::any_of(owned->models, [&](const std::string& model) { return table.find(model) != nullptr; });
    return there ? Name{alias, false} : Name{"auto", true};
}

// Whether a bound lies between the requests of a shape.
bool Plans::holds_a_bound(const Shapes::Shape& shape) const {
    routing::Features features;
    features.answer_tokens = situation_.traffic.requests[shape.first].answer_tokens;
    for (const auto& entry : combination_.table.models) {
        if (entry.context_tokens <= 0) continue;
        const auto room = routing::least_room(entry, features);
        if (shape.short_ + room <= entry.context_tokens && shape.long_ + room > entry.context_tokens) return true;
    }
    return std::ranges::any_of(combination_.table.rules, [&](const config::Rule& rule) {
        const bool length =
            rule.prompt_tokens && shape.short_ < *rule.prompt_tokens && *rule.prompt_tokens <= shape.long_;
        return length || (rule.difficulty && shape.easy < *rule.difficulty && *rule.difficulty <= shape.hard);
    });
}

// What the router would think of a model: what it thought of it for this request, moved by as much as it has learned
// since of such work; where that is not on record, as it did lately of such work; else what is believed here.
routing::Outlook Plans::outlook_of(const routing::Table::Entry& entry, const ModelKnowledge& known,
                                   std::size_t request_number, std::span<const Thought> thoughts) const {
    const auto& request = situation_.traffic.requests[request_number];
    const auto kind = static_cast<std::size_t>(request.kind);
    routing::Outlook outlook{.model = entry.model};
    const auto& now = known.thinks.back();
    if (now.requests[kind] == 0) {
        const auto& belief = known.belief;
        outlook.quality = quality_of(entry, &known, request);
        outlook.outcomes = belief.weight_kind[kind] + belief.weight;
        outlook.doubt = std::sqrt(Belief::kSpread / (belief.weight_kind[kind] + Belief::kKindPrior));
        return outlook;
    }
    outlook.quality = expected_of(entry, request) + now.above[kind];
    outlook.outcomes = now.outcomes[kind];
    outlook.doubt = now.doubt[kind];
    for (const auto& one : thoughts) {
        if (one.model < 0 || situation_.traffic.models[one.model] != entry.model) continue;
        const auto& then = known.thinks[situation_.knowledge.third_of(request.time_ms)];
        outlook.quality = static_cast<double>(one.quality) + now.above[kind] - then.above[kind];
        outlook.doubt = static_cast<double>(one.doubt);
    }
    outlook.quality = std::clamp(outlook.quality, 0.0, 1.0);
    return outlook;
}

Plan Plans::decided(std::size_t number, int held) const {
    const auto& traffic = situation_.traffic;
    const auto& request = traffic.requests[number];
    const auto& table = combination_.table;
    routing::Inputs in;
    const auto name = request.alias < 0 ? Name{"auto", false} : names_[static_cast<std::size_t>(request.alias)];
    in.alias = name.alias;
    in.key = traffic.keys[request.key];
    in.label = request.label;
    in.rest = request.rest;
    in.found = request.found;
    in.stakes = request.stakes;
    in.features = features_of(request, traffic);
    const auto kind = static_cast<std::size_t>(request.kind);
    in.usual.answer_tokens = std::llround(situation_.knowledge.usual_tokens[kind]);
    const auto thoughts = traffic.thoughts_of(number);
    for (std::size_t i = 0; i < table.models.size(); ++i) {
        const auto& entry = table.models[i];
        static const ModelKnowledge kNothing;
        const auto* known = situation_.knowledge.find(entry.model);
        const bool holds = static_cast<int>(i) == held;
        if (known == nullptr && !holds) continue;
        if (known == nullptr) known = &kNothing;
        auto outlook = outlook_of(entry, *known, number, thoughts);
        if (holds) {
            outlook.warm_tokens = request.warm_tokens;
            outlook.holds_session = request.in_session;
        }
        outlook.answer_tokens = std::llround(known->answer_tokens[kind]);
        const auto tokens = outlook.answer_tokens > 0 ? outlook.answer_tokens : in.usual.answer_tokens;
        if (known->speed) outlook.seconds = known->speed->total_ms(request.prompt_tokens, 0, tokens) / 1000;
        in.outlook.push_back(std::move(outlook));
    }
    const auto decision = routing::decide(table, in);
    Plan plan;
    plan.renamed = name.renamed;
    if (!decision) return plan;
    plan.reason = reason_of(*decision);
    const auto eligible = decision->fallback ? decision->eligible : std::min<std::size_t>(decision->eligible, 1);
    for (std::size_t i = 0; i < eligible; ++i) {
        const auto& model = decision->candidates[i].model;
        const auto at = std::ranges::find(table.models, model, &routing::Table::Entry::model) - table.models.begin();
        plan.order.push_back(static_cast<std::uint16_t>(at));
    }
    return plan;
}

const Plan& Plans::of(std::size_t request, int held) {
    const auto number = shapes_.of(request);
    const auto& shape = shapes_.all()[number];
    const auto at = number * (combination_.table.models.size() + 1) + static_cast<std::size_t>(held + 1);
    auto& known = known_[at];
    if (known == Known::no) {
        known = holds_a_bound(shape) ? Known::one_by_one : Known::yes;
        if (known == Known::yes) plans_[at] = decided(shape.first, held);
    }
    if (known == Known::yes) return plans_[at];
    return scratch_ = decided(request, held);
}

}  // namespace tandem::advice
