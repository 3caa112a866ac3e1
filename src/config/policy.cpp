// policy: what decides where work runs.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/names.h"
#include "config/reader.h"

namespace tandem::config {

namespace {

constexpr std::array<std::string_view, 2> kAskedStakesNames = {"normal", "high"};
constexpr Money kLeastValue = Money::from_micros(1);

void read_rule(Section& s, const Config& config, Policy& policy) {
    Rule rule;
    s.text("name", rule.name,
           About("stands in `explain`").like(kNameOrNone, "private-material").or_a_number().required());
    if (!rule.name.empty() && !is_name(rule.name)) s.complain("name", "has only letters, digits and . _ : / -");
    s.choice("label", rule.label, kLabelNames, "a condition: at least this one");
    std::optional<int> value;
    s.renamed("value", "asked_stakes");
    s.choice("asked_stakes", value, kAskedStakesNames, "a condition: as the key or `x-tandem-stakes` says");
    if (value) rule.high_value = *value == 1;
    s.number("difficulty", rule.difficulty, 0, 100, "a condition: at least");
    s.number("prompt_tokens", rule.prompt_tokens, 1, 100'000'000, "a condition: at least");
    s.number("repeats", rule.repeats, 1, 1'000'000,
             "a condition: the same kind of prompt, seen at least so often since the start");
    s.choice("needs", rule.needs, kCapabilityNames, "a condition: what the request needs");
    s.text("key", rule.key, "a condition: a name of `keys`");
    bool known = rule.key.empty();
    for (const auto& key : config.keys) known = known || key.id == rule.key;
    if (!known)
        s.complain("key", fmt::format("no key '{}'{}", printable(rule.key, 60), suggest(rule.key, ids(config.keys))));
    s.choice("prefer", rule.prefer, kPreferNames,
             About("an effect: the zone that comes first, or the measure")
                 .required("; there are: local, cloud, cheapest, best"));
    s.renamed("lean", "zone_bias");
    s.share("zone_bias", rule.lean, 0, 1,
            "an effect: what being in the preferred zone is worth, as a share of a good answer. With 1 it comes first "
            "whatever was learned");
    s.choice("stakes", rule.stakes, kStakesNames, "an effect: before what the request says");
    s.choice("only", rule.only, kZoneNames, "an effect: excludes the other zone");
    s.flag("fallback", rule.fallback, "an effect; false: only the first candidate is tried");
    if (s.describing() || s.is_section("cascade"))
        s.section("cascade", "the same, with more to say", [&](Section& cascade) {
            rule.cascade = true;
            cascade.share("agree", rule.agree, 0, 1, "and one with which a second, short one agrees less than that");
            cascade.share("sure", rule.sure, 0, 1, "and one whose words the model held for less likely than that");
        });
    if (s.describing()) rule.cascade = false;
    if (s.describing() || !s.is_section("cascade"))
        s.flag("cascade", rule.cascade,
               About("an effect: a local answer that does not pass its checks is asked for again elsewhere")
                   .see("concepts/learning.md#cascades"));
    s.texts("context", rule.context,
            About("an effect: collections in which what is asked is looked for", "none")
                .such_as("notes")
                .see("concepts/asking.md"));
    s.flag("outward_tools", rule.outward_tools,
           "an effect: a turn that holds text of files keeps the tools that its provider runs, such as web search");
    s.section("failure", "goes before the policy's",
              [&](Section& failure) { read_failure(failure, rule.failure.emplace(policy.failure)); });
    if (rule.cascade && !rule.fallback) s.complain("cascade", "needs a second model; 'fallback: false' forbids it");
    policy.rules.push_back(std::move(rule));
}

void read_unknown_price(Section& s, UnknownPrice& unknown) {
    constexpr std::string_view kEstimate = "estimate ";
    std::string text = "mark";
    s.text(
        "unknown_price", text,
        About("`mark`, `refuse`, or `estimate RATE` for a million tokens: a cloud model of which nobody says what it "
              "costs")
            .like("^(mark|refuse|estimate +[0-9.]+ *)$", "estimate 10.00")
            .see("prices.md#what-the-ledger-books"));
    if (text == "refuse") unknown.act = UnknownPrice::Do::refuse;
    if (text == "mark" || text == "refuse") return;
    const auto rate = text.starts_with(kEstimate) ? Money::parse(trim(text).substr(kEstimate.size())) : Result<Money>();
    if (!text.starts_with(kEstimate))
        s.complain("unknown_price",
                   fmt::format("expected mark, refuse, or estimate with what a million tokens are taken to cost, such "
                               "as estimate 10.00; got '{}'",
                               printable(text, 40)));
    else if (!rate || *rate == Money{})
        s.complain("unknown_price", rate ? "a rate of 0 would be no estimate" : rate.error().message);
    else
        unknown = {UnknownPrice::Do::estimate, *rate};
}

}  // namespace

// A model that is asked for vectors.
void want_embeddings(Section& s, const Config& config, const char* field, const std::string& id) {
    const auto* model = config.model(id);
    const bool embeds = model != nullptr && model->capabilities && model->capabilities->has(Capability::embeddings);
    if (id.empty() || (embeds && !is_pattern(id))) return;
    s.complain(field, fmt::format("'{}' is no model that claims `capabilities: [embeddings]`", printable(id, 60)));
}

void read_policy(Section& s, const Config& config, Policy& policy) {
    s.section("failure", About("what is done where an attempt fails").see("concepts/attempts-and-failure.md"),
              [&](Section& failure) { read_failure(failure, policy.failure); });
    s.moved("attempts", "failure.attempts");
    s.number("attempts", policy.failure.attempts, 1, 10, "the same as `policy.failure.attempts`");
    s.choice("unbounded", policy.unbounded, kUnboundedNames,
             About("what is done with a request without a maximum under a budget").see("concepts/budgets.md"));
    s.number("answer_bound", policy.answer_bound, 16, 100'000'000, "tokens that such an answer may have");
    read_unknown_price(s, policy.unknown_price);
    s.choice(
        "loops", policy.loops, kLoopsNames,
        About("what is done where a model makes the same call with the same result three times in a row: `warn` says "
              "so, `stop` refuses the request")
            .see("concepts/tool-calls.md#loops"));
    s.section("objective", About("what a choice is made by").see("concepts/learning.md"), [&](Section& objective) {
        objective.renamed("value", "answer_value");
        objective.money("answer_value", policy.objective.value, kLeastValue, kMostMoney, "of a good answer");
        objective.money("second", policy.objective.second, "what a second of waiting costs");
        objective.share("floor", policy.objective.floor, 0, 1,
                        "models that are expected to be right less often come behind all others");
        objective.share("explore", policy.objective.explore, 0, 0.5,
                        "share of requests that try another model, to learn");
        objective.flag("learn", policy.objective.learn, "from feedback and from what happens");
        objective.text("embedding", policy.objective.embedding,
                       {"a model that claims `embeddings`, by which it also learns what prompts mean", "none"});
        want_embeddings(objective, config, "embedding", policy.objective.embedding);
    });
    const auto preset_pattern = fmt::format("^({})$", join(preset_names(), "|"));
    const bool own_rules = s.has("rules");
    if (s.has("preset") && own_rules) s.complain("preset", "give a preset or rules, not both");
    s.text("preset", policy.preset,
           About("`hybrid`, `local-first`, `cloud-first` or `learned`. `tandem policy show NAME` prints its rules",
                 "hybrid")
               .like(preset_pattern, "local-first"));
    if (own_rules) {
        policy.preset.clear();
        s.each_listed(
            "rules",
            About("in place of a preset: the first rule whose conditions all hold counts").see("concepts/decision.md"),
            [&](Section& rule) { read_rule(rule, config, policy); });
        if (policy.rules.empty()) s.complain("rules", "there is no rule; write at least { name: all, prefer: local }");
        return;
    }
    if (policy.preset.empty()) policy.preset = "hybrid";
    const auto text = preset_text(policy.preset);
    if (text.empty()) {
        s.complain("preset", fmt::format("no preset '{}'{}", printable(policy.preset, 40),
                                         suggest(policy.preset, preset_names())));
        return;
    }
    s.elsewhere(YAML::Load(std::string(text)), "preset " + policy.preset, [&](Section& preset) {
        preset.each_listed("rules", "of the preset", [&](Section& rule) { read_rule(rule, config, policy); });
    });
}

}  // namespace tandem::config
