#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <tuple>

#include "base/few.h"
#include "base/text.h"
#include "config/names.h"
#include "routing/names.h"
#include "routing/routing.h"

namespace tandem::routing {

namespace {

constexpr std::int64_t kUsualRoom = 1024;

using config::Capability;
using config::Rule;

bool fires(const Rule& rule, const Inputs& in) {
    if (rule.label && in.label < *rule.label) return false;
    if (rule.high_value && (in.stakes == config::Stakes::high) != *rule.high_value) return false;
    if (rule.difficulty && in.features.work.difficulty < *rule.difficulty) return false;
    if (rule.prompt_tokens && in.features.prompt_tokens < *rule.prompt_tokens) return false;
    if (rule.repeats && in.features.repeats < *rule.repeats) return false;
    if (rule.needs && !in.features.needs.has(*rule.needs)) return false;
    return rule.key.empty() || rule.key == in.key;
}

// Models that the alias stands for.
struct Meaning {
    std::vector<const Table::Entry*> models;
    Named name;            // what the client asked for, and what that stands for
    bool ordered = false;  // in the owner's order
    bool ours = false;     // the alias is one of `auto local cloud private`, so that the choice is Tandem's
    bool named = false;    // the alias is a model's own name
};

Result<Meaning> meaning_of(const Table& table, const std::string& alias) {
    Meaning meaning;
    const auto known = named(table, alias);
    if (!known)
        return fail(
            Fault::unknown_model,
            fmt::format("there is no model or alias '{}'{}", printable(alias, 80), suggest(alias, alias_names(table))),
            "model");
    meaning.name = *known;
    const auto& name = known->means;
    const bool local_only = name == "local" || name == "private";
    if (local_only || name == "cloud" || name == "auto") {
        for (const auto& entry : table.models)
            if (!config::is_pattern(entry.model) && (name == "auto" || (entry.zone == Zone::local) == local_only))
                meaning.models.push_back(&entry);
        meaning.ours = true;
        return meaning;
    }
    if (const auto* entry = table.find(name)) {
        meaning.models.push_back(entry);
        meaning.named = true;
        return meaning;
    }
    for (const auto& owned : table.aliases) {
        if (owned.id != name) continue;
        meaning.ordered = true;
        for (const auto& model : owned.models)
            if (const auto* entry = table.find(model)) meaning.models.push_back(entry);
        return meaning;
    }
    return meaning;
}

const Standing* standing_of(const Inputs& in, std::string_view model) {
    const auto found = std::ranges::find(in.standing, model, &Standing::model);
    return found == in.standing.end() ? nullptr : &*found;
}

// Of a pattern, the price of what the client named.
const prices::Tariff& price_of(const Table::Entry& entry, const Inputs& in) {
    const auto* standing = standing_of(in, entry.model);
    return standing != nullptr && standing->price ? *standing->price : entry.price;
}

// The fewest tokens that the prompt may have, as far as known. Of text with many blanks, or of words that a tokenizer
// has whole, the estimate is up to twice what is counted.
std::int64_t least_prompt(const Table::Entry& entry, const Features& features) {
    constexpr int kTooHigh = 2;
    const auto& needs = features.needs;
    const bool counted = entry.counts_tokens && !needs.has(Capability::vision) && !needs.has(Capability::embeddings) &&
                         !needs.has(Capability::rerank);
    return counted ? features.prompt_tokens / kTooHigh : features.prompt_tokens;
}

// " (measured ...)", where a measurement decides.
std::string by_measurement(const std::string& which) {
    return which.empty() ? which : fmt::format(" ({})", which);
}

std::string measured_of(const Table::Entry& entry) {
    if (entry.context_by.empty() || entry.tools_by.empty()) return entry.context_by + entry.tools_by;
    return entry.context_by + "; " + entry.tools_by;
}

// The first hard constraint that the model fails, in the order in which they are documented.
void exclude(Candidate& candidate, const Table& table, const Table::Entry& entry, const Inputs& in, const Rule* rule) {
    auto because = [&](Excluded what, std::string reason) {
        candidate.excluded = what;
        candidate.reason = std::move(reason);
    };
    const auto view = view_of(table, entry.zone, in);
    candidate.redacted = view.redacted;
    candidate.seen = view.label;
    if (view.blocked)
        return because(Excluded::blocked,
                       fmt::format("the content is {}, which privacy.actions blocks where it could go to the {} zone",
                                   name_of(in.label), name_of(entry.zone)));
    if (view.home)
        return because(Excluded::label, fmt::format("the content is {}, which privacy.actions keeps from the {} zone",
                                                    name_of(in.label), name_of(entry.zone)));
    if (view.label > entry.clearance)
        return because(Excluded::label,
                       fmt::format("the content is {}{}, and {} may see {} at most", name_of(view.label),
                                   view.redacted ? " even without what was found in it" : "", entry.provider,
                                   name_of(entry.clearance)));
    if (rule != nullptr && rule->only && entry.zone != *rule->only)
        return because(Excluded::rule, fmt::format("rule {} allows only {}", rule->name, name_of(*rule->only)));
    // These must be claimed: a model that says nothing of itself is taken for one to talk to.
    for (const auto capability : {Capability::embeddings, Capability::rerank})
        if (in.features.needs.has(capability) && !entry.capabilities)
            return because(Excluded::capability, fmt::format("it does not claim {}, which the request needs; add it to "
                                                             "its capabilities in tandem.yaml",
                                                             name_of(capability)));
    if (entry.capabilities)
        for (std::size_t i = 0; i < config::kCapabilityNames.size(); ++i)
            if (const auto capability = static_cast<Capability>(i);
                in.features.needs.has(capability) && !entry.capabilities->has(capability))
                return because(Excluded::capability,
                               fmt::format("it has no {}, which the request needs{}", config::kCapabilityNames[i],
                                           by_measurement(capability == Capability::tools ? entry.tools_by : "")));
    if (entry.context_tokens > 0 && in.features.context_tokens > entry.context_tokens)
        return because(Excluded::context,
                       fmt::format("the client asks for a context of {} tokens, and it has {}{}",
                                   in.features.context_tokens, entry.context_tokens, by_measurement(entry.context_by)));
    if (entry.context_tokens > 0) {
        const auto room = least_room(entry, in.features);
        if (least_prompt(entry, in.features) + room > entry.context_tokens)
            candidate.needed_tokens = in.features.prompt_tokens + room;
        if (candidate.needed_tokens > 0)
            return because(
                Excluded::context,
                fmt::format("about {} tokens of prompt and {} for the answer do not fit its context of {}{}",
                            in.features.prompt_tokens, room, entry.context_tokens, by_measurement(entry.context_by)));
    }
    const auto* standing = standing_of(in, entry.model);
    if (standing == nullptr) return;
    candidate.refused_unpriced = !standing->unpriced.empty();
    if (candidate.refused_unpriced) return because(Excluded::rule, standing->unpriced);
    if (!standing->over_budget.empty()) return because(Excluded::budget, standing->over_budget);
    if (!standing->unhealthy.empty()) because(Excluded::health, standing->unhealthy);
}

const Outlook* outlook_of(const Inputs& in, std::string_view model) {
    const auto found = std::ranges::find(in.outlook, model, &Outlook::model);
    return found == in.outlook.end() ? nullptr : &*found;
}

double rounded(double number) {
    return std::round(number * 1e6) / 1e6;
}
double amount(Money money) {
    return static_cast<double>(money.micros()) / 1e6;
}

// What is lost, as a share of a good answer, where a model gets a conversation without another's thoughts, and where
// an agent's session goes to another model than the one that has begun it: the first turn decides.
constexpr double kLeaving = 0.05;
constexpr double kLeavingSession = 0.6;

double leaving_of(const Inputs& in, const std::string& model) {
    double share = 0;
    for (const auto& other : in.outlook) {
        if (other.model == model && (other.holds_state || other.holds_session)) return 0;
        if (other.model != model && other.holds_state) share = std::max(share, kLeaving);
        if (other.model != model && other.holds_session) share = std::max(share, kLeavingSession);
    }
    return share;
}

// Old records have no strength: there, every request was taken to be alike.
double expected_quality(const Table::Entry& entry, const Features& features) {
    if (!entry.strength) return entry.quality.value_or(0.5);
    return routing::expected_quality(*entry.strength, features.work, features.prompt_tokens);
}

// What its answer is expected to have. Bounds count where they are lower, and are no expectation themselves: a client
// that asks for 32,000 tokens at most gets as many of none.
std::int64_t expected_answer_tokens(const Table::Entry& entry, const Inputs& in, const Outlook* outlook) {
    auto tokens = usual_answer_tokens(in.features.work.kind);
    if (in.usual.answer_tokens > 0) tokens = in.usual.answer_tokens;
    if (outlook != nullptr && outlook->answer_tokens > 0) tokens = outlook->answer_tokens;
    for (const auto bound : {in.features.answer_tokens, in.features.bound_tokens, entry.max_output_tokens})
        if (bound > 0) tokens = std::min(tokens, bound);
    return tokens;
}

double expected_seconds(const Inputs& in, const Outlook* outlook) {
    return outlook != nullptr && outlook->seconds > 0 ? outlook->seconds : in.usual.seconds;
}

Money expected_cost(const Table::Entry& entry, const Inputs& in) {
    const auto* outlook = outlook_of(in, entry.model);
    const auto prompt = in.features.prompt_tokens;
    const auto warm = outlook == nullptr ? 0 : std::min(outlook->warm_tokens, prompt);
    const auto answer = expected_answer_tokens(entry, in, outlook);
    const auto buckets = prices::buckets_of({{prompt}, {warm}, {answer}, {0}, true});
    return price_of(entry, in).cost(buckets, in.features.price).micros();
}

// What a model is taken to cost whose price nobody knows: as much as the dearest of the others, since nothing says that
// it is cheap.
Money dearest_of(const std::vector<const Table::Entry*>& entries, const Inputs& in) {
    Money dearest;
    for (const auto* entry : entries)
        if (price_of(*entry, in).known()) dearest = std::max(dearest, expected_cost(*entry, in));
    return dearest;
}

Terms terms_of(const Table& table, const Table::Entry& entry, const Inputs& in, config::Stakes stakes, double lean,
               Money dearest) {
    const auto& objective = table.objective;
    const auto* outlook = outlook_of(in, entry.model);
    const double value = value_of_answer(table, stakes);
    Terms t;
    t.quality = expected_quality(entry, in.features);
    if (entry.strength) t.expected = t.quality;
    if (outlook != nullptr && outlook->outcomes > 0) {
        if (entry.strength) t.outcomes = outlook->outcomes;
        t.doubt = outlook->doubt;
        // Where much depends on it, what is not known counts against a model.
        t.quality = std::clamp(outlook->quality - (stakes == config::Stakes::high ? outlook->doubt : 0), 0.0, 1.0);
    }
    t.worth = rounded(value * t.quality);
    t.lean = rounded(value * lean);
    t.answer_tokens = expected_answer_tokens(entry, in, outlook);
    t.cost = rounded(amount(price_of(entry, in).known() ? expected_cost(entry, in) : dearest));
    const auto* standing = standing_of(in, entry.model);
    const auto turn = standing == nullptr ? 0.0 : static_cast<double>(standing->wait_seconds);
    t.wait = rounded((expected_seconds(in, outlook) + turn) * amount(objective.second));
    t.leaving = rounded(value * leaving_of(in, entry.model));
    t.utility = rounded(t.worth + t.lean - t.cost - t.wait - t.leaving);
    t.below_floor = t.quality < objective.floor;
    return t;
}

// Now and then another model is tried, to learn: where nothing is private, not much depends on it, and it costs little
// beside what a good answer is worth. With which probability is part of the record.
void explore(const Table& table, const Inputs& in, Decision& decision) {
    constexpr double kMostCost = 0.1;
    const double share = table.objective.explore;
    if (share <= 0 || in.label > Label::public_ || decision.stakes == config::Stakes::high) return;
    std::vector<std::size_t> others;
    for (std::size_t i = 1; i < decision.eligible; ++i) {
        const auto& terms = decision.candidates[i].terms;
        if (!terms.below_floor && terms.cost <= kMostCost * amount(table.objective.value)) others.push_back(i);
    }
    if (others.empty()) return;
    decision.candidates.front().propensity = rounded(1 - share);
    for (const auto i : others) decision.candidates[i].propensity = rounded(share / static_cast<double>(others.size()));
    if (in.dice >= share) return;
    const auto pick =
        std::min(others.size() - 1, static_cast<std::size_t>(in.dice / share * static_cast<double>(others.size())));
    const auto chosen = decision.candidates.begin() + static_cast<std::ptrdiff_t>(others[pick]);
    std::rotate(decision.candidates.begin(), chosen, chosen + 1);
    decision.explored = true;
}

// Both have to be there: else those who get one could not be compared with those who get the other.
void assign(const Assigned& assigned, Decision& decision) {
    const auto end = decision.candidates.begin() + static_cast<std::ptrdiff_t>(decision.eligible);
    const auto chosen = std::ranges::find(decision.candidates.begin(), end, assigned.model, &Candidate::model);
    const auto other = std::ranges::find(decision.candidates.begin(), end, assigned.other, &Candidate::model);
    if (chosen == end || (!assigned.other.empty() && other == end)) return;
    for (auto candidate = decision.candidates.begin(); candidate != end; ++candidate) candidate->propensity = 0;
    chosen->propensity = assigned.share;
    if (!assigned.other.empty()) other->propensity = rounded(1 - assigned.share);
    std::rotate(decision.candidates.begin(), chosen, chosen + 1);
    decision.experiment = assigned.experiment;
    decision.treatment = assigned.treatment;
    decision.explored = false;
}

std::string words_of(const Rule& rule) {
    std::vector<std::string> parts;
    if (rule.label) parts.push_back(fmt::format("the content is {} or more", name_of(*rule.label)));
    if (rule.high_value)
        parts.emplace_back(*rule.high_value ? "it is marked high-value" : "it is not marked high-value");
    if (rule.difficulty) parts.push_back(fmt::format("its difficulty is {} or more", *rule.difficulty));
    if (rule.prompt_tokens) parts.push_back(fmt::format("its prompt has {} tokens or more", *rule.prompt_tokens));
    if (rule.repeats) parts.push_back(fmt::format("its kind was seen {} times or more before", *rule.repeats));
    if (rule.needs) parts.push_back(fmt::format("it needs {}", name_of(*rule.needs)));
    if (!rule.key.empty()) parts.push_back(fmt::format("its key is {}", rule.key));
    const auto prefers = config::kPreferNames[static_cast<std::size_t>(rule.prefer)];
    if (parts.empty()) return fmt::format("rule {} prefers {}", rule.name, prefers);
    return fmt::format("rule {} prefers {}, since {}", rule.name, prefers, join(parts, " and "));
}

std::string why_of(const Meaning& meaning, const Rule* rule, const std::string& alias) {
    const auto& [entry, means, by_pattern, rest] = meaning.name;
    const auto asked = printable(alias, 80);
    if (meaning.named)
        return meaning.models.front()->model == alias ? "the client asked for it by its name"
                                                      : fmt::format("{} stands for it", asked);
    if (meaning.ordered && by_pattern)
        return fmt::format("asked for {}: the alias {} lists its models in this order", asked, means);
    if (meaning.ordered && entry != means)
        return fmt::format("asked for {}, which means {}: that lists its models in this order", asked, means);
    if (meaning.ordered) return fmt::format("the alias {} lists its models in this order", asked);
    std::string why;
    if (entry != means) why = fmt::format("asked for {}, which means {}; ", asked, means);
    // Where all may run in one zone alone, a rule that prefers a zone has no say.
    const bool by_zone = rule == nullptr || rule->prefer == Rule::Prefer::local || rule->prefer == Rule::Prefer::cloud;
    if (means != "auto" && by_zone)
        return why +
               fmt::format("the alias {} is for models {} alone", means, means == "cloud" ? "in the cloud" : "at home");
    return why + (rule == nullptr ? "no rule fires, so local comes first" : words_of(*rule));
}

// The difference in quality from which on people are told of it.
constexpr double kTelling = 0.1;

}  // namespace

View view_of(const Table& table, Zone zone, const Inputs& in) {
    using enum config::Treatment;
    View view;
    const auto& treatments = table.treatments[static_cast<std::size_t>(zone)];
    auto keep_out = [&](std::optional<config::Treatment> treatment) {
        view.blocked = view.blocked || treatment == block;
        view.home = view.home || treatment == local;
    };
    view.label = in.rest;
    // What a source has labelled cannot be taken out.
    keep_out(treatments[static_cast<std::size_t>(in.rest)]);
    for (std::size_t label = 1; label < kLabelNames.size(); ++label) {
        if (((in.found >> label) & 1U) == 0) continue;
        const auto treatment = treatments[label];
        if (treatment == redact || treatment == mask) {
            view.redacted = true;
            continue;
        }
        keep_out(treatment);
        view.label = higher(view.label, static_cast<Label>(label));
    }
    // A label that nothing accounts for cannot be taken out.
    const bool accounted = in.rest == in.label || ((in.found >> static_cast<unsigned>(in.label)) & 1U) != 0;
    if (!accounted) {
        keep_out(treatments[static_cast<std::size_t>(in.label)]);
        view.label = higher(view.label, in.label);
    }
    return view;
}

const Table::Entry* Table::find(std::string_view model) const {
    for (const auto& entry : models)
        if (entry.model == model) return &entry;
    return nullptr;
}

Expectations expectations(const Table& table, const Features& features) {
    Expectations result;
    for (const auto& entry : table.models) result.emplace_back(entry.model, expected_quality(entry, features));
    return result;
}

bool is_choice(const Table& table, const std::string& alias) {
    const auto meaning = meaning_of(table, alias);
    return meaning && meaning->models.size() > 1;
}

const Rule* rule_of(const Table& table, const Inputs& inputs) {
    const auto found = std::ranges::find_if(table.rules, [&](const Rule& rule) { return fires(rule, inputs); });
    return found == table.rules.end() ? nullptr : &*found;
}

std::vector<std::string> alias_names(const Table& table) {
    std::vector<std::string> names(config::kReservedAliases.begin(), config::kReservedAliases.end());
    for (const auto& alias : table.aliases) names.push_back(alias.id);
    for (const auto& entry : table.models) names.push_back(entry.model);
    std::erase_if(names, config::is_pattern);
    return names;
}

std::int64_t least_room(const Table::Entry& entry, const Features& features) {
    const auto room = answer_room(entry, features);
    if (features.answer_tokens == 0 || entry.context_tokens == 0) return room;
    return std::min({room, kUsualRoom, entry.context_tokens / 4});
}

std::int64_t answer_room(const Table::Entry& entry, const Features& features) {
    if (features.answer_tokens > 0) return features.answer_tokens;
    auto room = features.bound_tokens > 0 ? features.bound_tokens : kUsualRoom;
    if (features.bound_tokens > 0 && entry.max_output_tokens > 0) room = std::min(room, entry.max_output_tokens);
    return entry.context_tokens > 0 ? std::min(room, entry.context_tokens / 4) : room;
}

bool needs_bound(const Table::Entry& entry, const Features& features) {
    const bool reserved = features.reserves_most && entry.max_output_tokens > 0;
    return features.bound_tokens > 0 && features.answer_tokens == 0 && !reserved;
}

std::int64_t answer_bound(const Table::Entry& entry, const Features& features) {
    if (features.answer_tokens == 0 && features.bound_tokens > 0 && !needs_bound(entry, features))
        return entry.max_output_tokens;
    auto room = answer_room(entry, features);
    // More than what the prompt leaves cannot come.
    if (entry.context_tokens > features.prompt_tokens)
        room = std::min(room, std::max(entry.context_tokens - features.prompt_tokens, least_room(entry, features)));
    return entry.max_output_tokens > 0 ? std::min(room, entry.max_output_tokens) : room;
}

Usage worst_usage(const Table::Entry& entry, const Features& features) {
    std::int64_t output = 0;
    if (__builtin_mul_overflow(answer_bound(entry, features), features.choices, &output)) output = INT64_MAX;
    return {{std::max(features.prompt_tokens, features.all_tokens)}, {0}, {output}, {0}, true};
}

Tokens most_input(const Features& features) {
    return {std::max({features.prompt_tokens, features.all_tokens, features.most_tokens})};
}

Money worst_cost(const Table::Entry& entry, const Features& features) {
    return worst_cost(entry, features, entry.price);
}

Money worst_cost(const Table::Entry& entry, const Features& features, const prices::Tariff& price) {
    return price.at_most(most_input(features), worst_usage(entry, features).output, features.price).micros();
}

double value_of_answer(const Table& table, config::Stakes stakes) {
    constexpr std::array<double, 3> kWeights = {0.2, 1, 5};
    return amount(table.objective.value) * kWeights[static_cast<std::size_t>(stakes)];
}

std::int64_t usual_answer_tokens(WorkKind kind) {
    // talk, transform, facts, code, reasoning, planning, writing, tools, document
    constexpr std::array<std::int64_t, kWorkKindNames.size()> kTokens = {60, 250, 300, 700, 600, 800, 900, 200, 500};
    return kTokens[static_cast<std::size_t>(kind)];
}

Result<Decision> decide(const Table& table, const Inputs& in) {
    auto meaning = meaning_of(table, in.alias);
    if (!meaning) return fail(meaning.error());
    const auto* const rule = rule_of(table, in);
    const auto prefer = rule == nullptr ? Rule::Prefer::local : rule->prefer;

    Decision decision;
    decision.rule = meaning->ordered ? "alias-order" : rule == nullptr ? "none" : rule->name;
    decision.why = why_of(*meaning, rule, in.alias);
    decision.chosen = !meaning->ordered && !meaning->named;
    decision.work = fmt::format("{} of difficulty {}", kWorkKindNames[static_cast<std::size_t>(in.features.work.kind)],
                                in.features.work.difficulty);
    decision.fallback = rule == nullptr || rule->fallback;
    decision.cascade = rule != nullptr && rule->cascade;
    decision.stakes = rule != nullptr && rule->stakes ? *rule->stakes : in.stakes;
    const auto dearest = dearest_of(meaning->models, in);
    for (const auto* entry : meaning->models) {
        Candidate candidate{entry->model,
                            entry->provider,
                            entry->zone,
                            Excluded::no,
                            {},
                            false,
                            Label::public_,
                            0,
                            {},
                            worst_cost(*entry, in.features, price_of(*entry, in)),
                            decision.candidates.size(),
                            entry->context_tokens,
                            0,
                            0,
                            meaning->ours && entry->auto_use == config::AutoUse::fallback_only,
                            entry->strength ? entry->strength->source : std::string(),
                            worst_usage(*entry, in.features).output.count,
                            in.features.answer_tokens > 0 || in.features.bound_tokens > 0,
                            price_of(*entry, in).known()};
        candidate.measured = measured_of(*entry);
        const bool preferred = (prefer == Rule::Prefer::local && entry->zone == Zone::local) ||
                               (prefer == Rule::Prefer::cloud && entry->zone == Zone::cloud);
        candidate.zone_score = preferred ? 1 : 0;
        candidate.terms =
            terms_of(table, *entry, in, decision.stakes, preferred && rule != nullptr ? rule->lean : 0, dearest);
        exclude(candidate, table, *entry, in, rule);
        // It would not be taken with more money or in better health either.
        const bool may_change = candidate.excluded == Excluded::no || candidate.excluded == Excluded::budget ||
                                candidate.excluded == Excluded::health;
        if (meaning->ours && entry->auto_use == config::AutoUse::no && may_change) {
            candidate.excluded = Excluded::rule;
            candidate.reason = fmt::format("its owner keeps it from {} (auto: false)", in.alias);
        }
        decision.candidates.push_back(std::move(candidate));
    }
    // Who blocks wants to be told, not answered from elsewhere.
    const auto blocked = std::ranges::find(decision.candidates, Excluded::blocked, &Candidate::excluded);
    if (blocked != decision.candidates.end()) {
        const auto reason = blocked->reason;
        for (auto& candidate : decision.candidates)
            if (candidate.excluded == Excluded::no) {
                candidate.excluded = Excluded::blocked;
                candidate.reason = reason + "; ask for 'local' to have it answered at home";
            }
    }
    // Ties stay in the owner's order, so that the result is one and the same always.
    const bool ordered = meaning->ordered;
    const bool by_cost = prefer == Rule::Prefer::cheapest;
    const bool zone_first = !ordered && (rule == nullptr || rule->lean >= 1) && prefer != Rule::Prefer::best;
    std::ranges::sort(decision.candidates, {}, [&](const Candidate& c) {
        return std::tuple(c.excluded != Excluded::no, c.last_resort, !ordered && c.terms.below_floor,
                          zone_first ? -c.zone_score : 0,
                          ordered   ? 0.0
                          : by_cost ? c.terms.cost
                                    : -c.terms.utility,
                          ordered ? Money{} : c.estimate, c.place);
    });
    decision.eligible =
        static_cast<std::size_t>(std::ranges::count(decision.candidates, Excluded::no, &Candidate::excluded));
    if (decision.eligible > 0) decision.candidates.front().propensity = 1;
    if (!ordered && !zone_first && !by_cost) explore(table, in, decision);
    if (in.assigned) assign(*in.assigned, decision);
    if (decision.eligible > 0 && decision.chosen && !decision.explored && decision.experiment.empty())
        decision.why += decision.comparison();
    return decision;
}

// What the choice is made by, where another one would have been near: the model of the zone that the rule prefers and
// that did not come first, or the one that promises much more than the first.
std::string Decision::comparison() const {
    const std::span eligible_ones(candidates.data(), eligible);
    const auto& first = eligible_ones.front();
    const auto others = eligible_ones.subspan(1);
    const auto preferred =
        std::ranges::find_if(others, [](const Candidate& c) { return c.zone_score == 1 && !c.last_resort; });
    if (first.zone_score == 0 && preferred != others.end()) {
        if (first.terms.quality - preferred->terms.quality < kTelling)
            return fmt::format(", but {} promises more after cost and waiting, {:.3f} against {:.3f} of {}",
                               first.model, first.terms.utility, preferred->terms.utility, preferred->model);
        return fmt::format(", but for {} a good answer is expected of {} with {:.2f} and of {} with {:.2f}", work,
                           preferred->model, preferred->terms.quality, first.model, first.terms.quality);
    }
    const auto kept_back =
        std::ranges::find_if(others, [](const Candidate& c) { return c.zone_score == 1 && c.last_resort; });
    if (first.zone_score == 0 && kept_back != others.end())
        return fmt::format(", but {} answers only where no other model may", kept_back->model);
    const auto best = std::ranges::max_element(others, {}, [](const Candidate& c) { return c.terms.quality; });
    if (best == others.end() || best->terms.quality - first.terms.quality < kTelling || best->zone == first.zone)
        return "";
    return fmt::format("; for {} a good answer is expected of it with {:.2f}, and of {} with {:.2f}", work,
                       first.terms.quality, best->model, best->terms.quality);
}

std::string Decision::sentence() const {
    std::string text;
    if (eligible > 0) {
        const auto& first = candidates.front();
        text = fmt::format("{} at {} ({}): {}", first.model, first.provider, name_of(first.zone), why);
        if (!experiment.empty())
            text += fmt::format("; yet the experiment {} gives this conversation to the {}", experiment,
                                treatment ? "treatment" : "control");
        if (explored) text += "; it is tried in place of the one that promised most, to learn";
        if (first.redacted) text += "; what detectors found is taken out before it is asked";
    } else {
        text = "no model may take it";
    }
    std::vector<std::pair<std::string, std::string>> reasons;
    for (const auto& candidate : candidates)
        if (candidate.excluded != Excluded::no) reasons.emplace_back(candidate.model, candidate.reason);
    constexpr std::size_t kReasons = 3;
    std::size_t told = 0, named = 0;
    for (const auto& [names, why] : grouped_by_reason(reasons)) {
        if (told++ == kReasons) break;
        text += fmt::format("; not {}: {}", few(names), why);
        named += names.size();
    }
    if (named < reasons.size()) text += fmt::format("; nor {} more", reasons.size() - named);
    return text;
}

}  // namespace tandem::routing
