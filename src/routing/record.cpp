// Tables, inputs and decisions as JSON, and back.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "access/principal.h"
#include "ledger/pricing.h"
#include "routing/routing.h"

namespace tandem::routing {

namespace {

using json::Value;

std::string str(const Value& value) {
    return std::string(value.text());
}

template <typename Enum, std::size_t N>
std::optional<Enum> named(const Value& value, const std::array<std::string_view, N>& names) {
    const auto text = value.string();
    if (!text) return std::nullopt;
    const auto* const found = std::ranges::find(names, *text);
    if (found == names.end()) return std::nullopt;
    return static_cast<Enum>(found - names.begin());
}

Money micros(const Value& value) {
    return Money::from_micros(value.integer().value_or(0));
}

// As short as it can be and still be read back as the same number.
void put(json::Writer& out, std::string_view name, double number) {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.raw_member(name, std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
}

void write_rule(json::Writer& out, const config::Rule& rule) {
    out.begin_object().member("name", rule.name);
    if (rule.label) out.member("label", name_of(*rule.label));
    if (rule.high_value) out.member("high_value", *rule.high_value);
    if (rule.difficulty) out.member("difficulty", *rule.difficulty);
    if (rule.prompt_tokens) out.member("prompt_tokens", *rule.prompt_tokens);
    if (rule.repeats) out.member("repeats", *rule.repeats);
    if (rule.needs) out.member("needs", name_of(*rule.needs));
    if (!rule.key.empty()) out.member("key", rule.key);
    out.member("prefer", config::kPreferNames[static_cast<std::size_t>(rule.prefer)]);
    if (rule.only) out.member("only", name_of(*rule.only));
    if (rule.lean != 1) put(out, "lean", rule.lean);
    if (rule.stakes) out.member("stakes", config::kStakesNames[static_cast<std::size_t>(*rule.stakes)]);
    if (!rule.fallback) out.member("fallback", false);
    if (rule.cascade) out.member("cascade", true);
    out.end_object();
}

config::Rule read_rule(const Value& value) {
    config::Rule rule;
    rule.name = str(value["name"]);
    rule.label = named<Label>(value["label"], kLabelNames);
    rule.high_value = value["high_value"].boolean();
    if (const auto n = value["difficulty"].integer()) rule.difficulty = static_cast<int>(*n);
    rule.prompt_tokens = value["prompt_tokens"].integer();
    if (const auto n = value["repeats"].integer()) rule.repeats = static_cast<int>(*n);
    rule.needs = named<config::Capability>(value["needs"], config::kCapabilityNames);
    rule.key = str(value["key"]);
    rule.prefer =
        named<config::Rule::Prefer>(value["prefer"], config::kPreferNames).value_or(config::Rule::Prefer::local);
    rule.only = named<Zone>(value["only"], kZoneNames);
    rule.lean = value["lean"].number().value_or(1);
    rule.stakes = named<config::Stakes>(value["stakes"], config::kStakesNames);
    rule.fallback = value["fallback"].boolean().value_or(true);
    rule.cascade = value["cascade"].boolean().value_or(false);
    return rule;
}

void write_strength(json::Writer& out, const Strength& strength) {
    out.key("strength").begin_object().member("source", strength.source);
    put(out, "ability", strength.ability);
    if (strength.known) out.member("known", true);
    for (std::size_t kind = 0; kind < kWorkKindNames.size(); ++kind)
        if (strength.by_kind[kind] != 0) put(out, kWorkKindNames[kind], strength.by_kind[kind]);
    out.end_object();
}

std::optional<Strength> read_strength(const Value& value) {
    if (!value.is(json::Kind::object)) return std::nullopt;
    Strength strength;
    strength.source = str(value["source"]);
    strength.ability = value["ability"].number().value_or(0);
    strength.known = value["known"].boolean().value_or(false);
    for (std::size_t kind = 0; kind < kWorkKindNames.size(); ++kind)
        strength.by_kind[kind] = value[kWorkKindNames[kind]].number().value_or(0);
    return strength;
}

void write_work(json::Writer& out, const Work& work) {
    out.key("work").begin_object().member("kind", kWorkKindNames[static_cast<std::size_t>(work.kind)]);
    put(out, "sure", work.sure);
    out.member("difficulty", work.difficulty).key("telling").begin_array();
    for (const auto& word : work.telling) out.value(word);
    out.end_array().end_object();
}

Work read_work(const Value& value) {
    Work work;
    work.kind = named<WorkKind>(value["kind"], kWorkKindNames).value_or(WorkKind::talk);
    work.sure = value["sure"].number().value_or(0);
    work.difficulty = static_cast<int>(value["difficulty"].integer().value_or(0));
    for (const Value word : value["telling"].children()) work.telling.push_back(str(word));
    return work;
}

}  // namespace

ModelFacts facts_of(const config::Config& config, const config::Model& model) {
    const auto* provider = config.provider(model.provider);
    ModelFacts facts;
    facts.engine = provider->kind->runs_here;
    facts.name = facts.engine         ? std::filesystem::path(model.file).filename().string()
                 : model.name.empty() ? model.id
                                      : model.name;
    facts.cloud = provider->zone == Zone::cloud;
    return facts;
}

namespace {

// What a model claims, or, where its owner says nothing, what is known by its name: an embedder answers no chat.
std::optional<config::Capabilities> capabilities_of(const config::Model& model, const ModelFacts& facts) {
    if (model.capabilities) return model.capabilities;
    config::Capabilities known;
    if (is_embedder(facts.name)) known.add(config::Capability::embeddings);
    if (is_reranker(facts.name)) known.add(config::Capability::rerank);
    return known.bits == 0 ? std::nullopt : std::optional(known);
}

}  // namespace

namespace {

// "4096 of 32768 claimed, measured 2026-11-28 ..."; empty: nobody has measured.
std::string context_by(const catalog::Known& known) {
    if (!known.measured.context_tokens) return {};
    const auto claimed = known.claims.context_tokens;
    return fmt::format("context of {}{}, {}", *known.measured.context_tokens,
                       claimed > 0 ? fmt::format(", of {} claimed", claimed) : std::string(),
                       known.measured.context_by);
}

std::string tools_by(const catalog::Known& known) {
    if (known.measured.tools_by.empty()) return {};
    const bool none = known.measured.lacks.has(config::Capability::tools);
    return fmt::format("tools {}, {}",
                       none                                           ? "none"
                       : known.measured.renders_tools.value_or(false) ? "rendered"
                                                                      : "native",
                       known.measured.tools_by);
}

}  // namespace

prices::Tariff owners_price(const config::Model& model) {
    return model.price ? ledger::tariff_of(*model.price) : prices::Tariff();
}

Table table_of(const config::Config& config, const FileFacts& file_facts, const PriceOf& price_of,
               const catalog::MeasuredOf& measured_of) {
    Table table;
    for (const auto& model : config.models) {
        const auto* provider = config.provider(model.provider);
        const auto facts = file_facts ? file_facts(model) : facts_of(config, model);
        const catalog::Known known{{model.context_tokens, capabilities_of(model, facts), model.max_output_tokens},
                                   measured_of ? measured_of(model) : catalog::Measured()};
        table.models.push_back({model.id, model.provider, provider->zone, provider->clearance, known.context_tokens(),
                                known.capabilities(), price_of(model), model.quality, known.max_output_tokens(),
                                model.quality ? strength_by_quality(*model.quality) : strength_of(facts),
                                model.auto_use, provider->kind->counter != nullptr, context_by(known), tools_by(known),
                                known.measured.renders_tools});
    }
    table.aliases = config.aliases;
    table.rules = config.policy.rules;
    // Requests carry the ids of principals, and rules name keys as the owner does.
    for (auto& rule : table.rules)
        if (!rule.key.empty()) rule.key = access::client_id(rule.key);
    table.objective = config.policy.objective;
    table.treatments = config.privacy.treatments;
    return table;
}

std::string to_json(const Table& table) {
    json::Writer out;
    out.begin_object().key("models").begin_array();
    for (const auto& m : table.models) {
        out.begin_object()
            .member("model", m.model)
            .member("provider", m.provider)
            .member("zone", name_of(m.zone))
            .member("clearance", name_of(m.clearance));
        out.member("context", m.context_tokens);
        if (m.capabilities) out.member("capabilities", static_cast<int>(m.capabilities->bits));
        if (m.price.source() != prices::PriceSource::free) {
            out.key("price");
            m.price.write(out);
        }
        if (m.max_output_tokens > 0) out.member("max_output", m.max_output_tokens);
        if (m.quality) put(out, "quality", *m.quality);
        if (m.strength) write_strength(out, *m.strength);
        if (m.auto_use != config::AutoUse::yes)
            out.member("auto", config::kAutoUseNames[static_cast<std::size_t>(m.auto_use)]);
        if (m.counts_tokens) out.member("counts", true);
        if (!m.context_by.empty()) out.member("context_by", m.context_by);
        if (!m.tools_by.empty()) out.member("tools_by", m.tools_by);
        if (m.renders_tools) out.member("renders_tools", *m.renders_tools);
        out.end_object();
    }
    out.end_array().key("aliases").begin_array();
    for (const auto& alias : table.aliases) {
        out.begin_object().member("id", alias.id).key("models").begin_array();
        for (const auto& model : alias.models) out.value(model);
        out.end_array();
        if (!alias.means.empty()) out.member("means", alias.means);
        out.end_object();
    }
    out.end_array().key("rules").begin_array();
    for (const auto& rule : table.rules) write_rule(out, rule);
    const auto& objective = table.objective;
    out.end_array().key("objective").begin_object().member("value", objective.value.micros());
    out.member("second", objective.second.micros());
    put(out, "floor", objective.floor);
    put(out, "explore", objective.explore);
    out.member("learn", objective.learn).end_object().key("treatments").begin_object();
    for (std::size_t zone = 0; zone < kZoneNames.size(); ++zone) {
        out.key(kZoneNames[zone]).begin_object();
        for (std::size_t label = 0; label < kLabelNames.size(); ++label)
            if (const auto treatment = table.treatments[zone][label])
                out.member(kLabelNames[label], config::kTreatmentNames[static_cast<std::size_t>(*treatment)]);
        out.end_object();
    }
    out.end_object().end_object();
    return out.take();
}

namespace {

// Tables of before the price book had the owner's four rates.
Result<prices::Tariff> price_in(const Value& model) {
    if (model["price"].exists()) return prices::Tariff::read(model["price"]);
    if (!model["input"].exists()) return prices::Tariff();
    const auto written = model["cache_write"].exists() ? std::optional(micros(model["cache_write"])) : std::nullopt;
    return ledger::tariff_of({micros(model["input"]), micros(model["cached_input"]), micros(model["output"]), written});
}

}  // namespace

Result<Table> table_from_json(const Value& value) {
    if (!value["models"].is(json::Kind::array)) return fail(ErrorCode::invalid, "the stored routing table is damaged");
    Table table;
    for (const Value m : value["models"].children()) {
        Table::Entry entry{str(m["model"]),
                           str(m["provider"]),
                           named<Zone>(m["zone"], kZoneNames).value_or(Zone::cloud),
                           named<Label>(m["clearance"], kLabelNames).value_or(Label::public_),
                           m["context"].integer().value_or(0),
                           std::nullopt,
                           {},
                           m["quality"].number(),
                           m["max_output"].integer().value_or(0),
                           read_strength(m["strength"]),
                           named<config::AutoUse>(m["auto"], config::kAutoUseNames).value_or(config::AutoUse::yes),
                           m["counts"].boolean().value_or(false),
                           str(m["context_by"]),
                           str(m["tools_by"]),
                           m["renders_tools"].boolean()};
        auto price = price_in(m);
        if (!price) return fail(price.error());
        entry.price = std::move(*price);
        if (const auto bits = m["capabilities"].integer())
            entry.capabilities = config::Capabilities{static_cast<std::uint8_t>(*bits)};
        table.models.push_back(std::move(entry));
    }
    for (const Value a : value["aliases"].children()) {
        config::Alias alias{str(a["id"]), {}, {}, str(a["means"]), {}, {}};
        for (const Value model : a["models"].children()) alias.models.push_back(str(model));
        table.aliases.push_back(std::move(alias));
    }
    for (const Value rule : value["rules"].children()) table.rules.push_back(read_rule(rule));
    if (const auto objective = value["objective"]; objective.is(json::Kind::object)) {
        table.objective.value = micros(objective["value"]);
        table.objective.second = micros(objective["second"]);
        table.objective.floor = objective["floor"].number().value_or(0);
        table.objective.explore = objective["explore"].number().value_or(0);
        table.objective.learn = objective["learn"].boolean().value_or(true);
    }
    for (std::size_t zone = 0; zone < kZoneNames.size(); ++zone)
        for (std::size_t label = 0; label < kLabelNames.size(); ++label)
            table.treatments[zone][label] = named<config::Treatment>(
                value["treatments"][kZoneNames[zone]][kLabelNames[label]], config::kTreatmentNames);
    return table;
}

std::string to_json(const Inputs& in) {
    json::Writer out;
    out.begin_object().member("alias", in.alias).member("key", in.key).member("label", name_of(in.label));
    if (!in.workflow.empty()) out.member("workflow", in.workflow);
    out.key("label_reasons").begin_array();
    for (const auto& reason : in.label_reasons) out.value(reason);
    out.end_array()
        .member("rest", name_of(in.rest))
        .member("found", static_cast<int>(in.found))
        .member("stakes", config::kStakesNames[static_cast<std::size_t>(in.stakes)])
        .member("prompt_tokens", in.features.prompt_tokens);
    if (in.features.context_tokens > 0) out.member("context_tokens", in.features.context_tokens);
    if (in.features.all_tokens > 0) out.member("all_tokens", in.features.all_tokens);
    if (in.features.most_tokens > 0) out.member("most_tokens", in.features.most_tokens);
    if (in.features.choices != 1) out.member("choices", in.features.choices);
    if (in.features.bound_tokens > 0) out.member("bound_tokens", in.features.bound_tokens);
    if (in.features.reserves_most) out.member("reserves_most", true);
    const auto& price = in.features.price;
    if (price.time_ms > 0) out.member("time", price.time_ms);
    if (!price.service_tier.empty()) out.member("service_tier", price.service_tier);
    if (!price.region.empty()) out.member("region", price.region);
    if (price.keeps_cache_an_hour) out.member("keeps_cache_an_hour", true);
    if (price.calls > 0) out.member("calls", price.calls);
    if (price.any_tier) out.member("any_tier", true);
    out.member("answer_tokens", in.features.answer_tokens).member("needs", static_cast<int>(in.features.needs.bits));
    write_work(out, in.features.work);
    out.member("repeats", in.features.repeats);
    if (!in.standing.empty()) {
        out.key("standing").begin_array();
        for (const auto& s : in.standing) {
            out.begin_object().member("model", s.model);
            if (!s.unhealthy.empty()) out.member("unhealthy", s.unhealthy);
            if (!s.over_budget.empty()) out.member("over_budget", s.over_budget);
            if (!s.unpriced.empty()) out.member("unpriced", s.unpriced);
            if (s.wait_seconds > 0) out.member("wait_seconds", s.wait_seconds);
            if (s.price) {
                out.key("price");
                s.price->write(out);
            }
            out.end_object();
        }
        out.end_array();
    }
    if (!in.outlook.empty()) {
        out.key("outlook").begin_array();
        for (const auto& o : in.outlook) {
            out.begin_object().member("model", o.model);
            put(out, "quality", o.quality);
            put(out, "doubt", o.doubt);
            put(out, "outcomes", o.outcomes);
            put(out, "seconds", o.seconds);
            out.member("answer_tokens", o.answer_tokens).member("warm_tokens", o.warm_tokens);
            if (o.holds_state) out.member("holds_state", true);
            if (o.holds_session) out.member("holds_session", true);
            out.end_object();
        }
        out.end_array();
    }
    if (in.usual.answer_tokens > 0) {
        out.key("usual").begin_object().member("answer_tokens", in.usual.answer_tokens);
        put(out, "seconds", in.usual.seconds);
        out.end_object();
    }
    if (in.assigned) {
        const auto& a = *in.assigned;
        out.key("experiment").begin_object().member("name", a.experiment).member("model", a.model);
        out.member("other", a.other).member("treatment", a.treatment);
        put(out, "share", a.share);
        out.end_object();
    }
    if (!in.context.empty()) out.raw_member("context", in.context);
    if (in.dice != 1) put(out, "dice", in.dice);
    out.end_object();
    return out.take();
}

Result<Inputs> inputs_from_json(const Value& value) {
    const auto label = named<Label>(value["label"], kLabelNames);
    if (!value["alias"].string() || !label) return fail(ErrorCode::invalid, "the stored inputs are damaged");
    Inputs in;
    in.alias = str(value["alias"]);
    in.workflow = str(value["workflow"]);
    in.key = str(value["key"]);
    in.label = *label;
    in.rest = named<Label>(value["rest"], kLabelNames).value_or(in.label);
    in.found = static_cast<std::uint8_t>(value["found"].integer().value_or(0));
    for (const Value reason : value["label_reasons"].children()) in.label_reasons.push_back(str(reason));
    in.stakes =
        named<config::Stakes>(value["stakes"], config::kStakesNames)
            .value_or(value["high_value"].boolean().value_or(false) ? config::Stakes::high : config::Stakes::normal);
    in.context = value["context"].raw();
    in.dice = value["dice"].number().value_or(1);
    for (const Value o : value["outlook"].children())
        in.outlook.push_back({str(o["model"]), o["quality"].number().value_or(0), o["doubt"].number().value_or(0),
                              o["outcomes"].number().value_or(0), o["seconds"].number().value_or(0),
                              o["answer_tokens"].integer().value_or(0), o["warm_tokens"].integer().value_or(0),
                              o["holds_state"].boolean().value_or(false),
                              o["holds_session"].boolean().value_or(false)});
    in.usual = {value["usual"]["seconds"].number().value_or(0), value["usual"]["answer_tokens"].integer().value_or(0)};
    if (const auto a = value["experiment"]; a.is(json::Kind::object))
        in.assigned = Assigned{str(a["name"]), str(a["model"]), str(a["other"]),
                               a["treatment"].boolean().value_or(false), a["share"].number().value_or(1)};
    in.features.prompt_tokens = value["prompt_tokens"].integer().value_or(0);
    in.features.answer_tokens = value["answer_tokens"].integer().value_or(0);
    in.features.context_tokens = value["context_tokens"].integer().value_or(0);
    in.features.all_tokens = value["all_tokens"].integer().value_or(0);
    in.features.most_tokens = value["most_tokens"].integer().value_or(0);
    in.features.choices = value["choices"].integer().value_or(1);
    in.features.bound_tokens = value["bound_tokens"].integer().value_or(0);
    in.features.price = {value["time"].integer().value_or(0),
                         str(value["service_tier"]),
                         str(value["region"]),
                         value["keeps_cache_an_hour"].boolean().value_or(false),
                         static_cast<int>(std::clamp<std::int64_t>(value["calls"].integer().value_or(0), 0, 1'000)),
                         value["any_tier"].boolean().value_or(false)};
    in.features.reserves_most = value["reserves_most"].boolean().value_or(false);
    in.features.needs.bits = static_cast<std::uint8_t>(value["needs"].integer().value_or(0));
    in.features.work = read_work(value["work"]);
    // Records of before there were kinds of work.
    if (const auto difficulty = value["difficulty"].integer())
        in.features.work.difficulty = static_cast<int>(*difficulty);
    in.features.repeats = static_cast<int>(value["repeats"].integer().value_or(0));
    for (const Value s : value["standing"].children()) {
        Standing standing{str(s["model"]), str(s["unhealthy"]), str(s["over_budget"]), {}, str(s["unpriced"])};
        if (s["price"].exists()) {
            auto price = prices::Tariff::read(s["price"]);
            if (!price) return fail(price.error());
            standing.price = std::move(*price);
        }
        standing.wait_seconds = s["wait_seconds"].integer().value_or(0);
        in.standing.push_back(std::move(standing));
    }
    return in;
}

std::string to_json(const Decision& decision) {
    json::Writer out;
    out.begin_object().member("rule", decision.rule).member("why", decision.why).member("eligible", decision.eligible);
    out.member("stakes", config::kStakesNames[static_cast<std::size_t>(decision.stakes)]);
    if (decision.cascade) out.member("cascade", true);
    if (decision.explored) out.member("explored", true);
    if (!decision.experiment.empty())
        out.member("experiment", decision.experiment).member("treatment", decision.treatment);
    out.member("fallback", decision.fallback).key("candidates").begin_array();
    for (const auto& c : decision.candidates) {
        out.begin_object().member("model", c.model).member("provider", c.provider).member("zone", name_of(c.zone));
        if (c.excluded != Excluded::no)
            out.member("excluded", kExcludedNames[static_cast<std::size_t>(c.excluded)]).member("reason", c.reason);
        if (!c.measured.empty()) out.member("measured", c.measured);
        if (c.last_resort) out.member("last_resort", true);
        if (c.redacted) out.member("redacted", true).member("seen", name_of(c.seen));
        out.key("scores").begin_object().member("zone", c.zone_score).member("estimate_micros", c.estimate.micros());
        const auto& t = c.terms;
        for (const auto& [name, number] : {std::pair("quality", t.quality),
                                           {"expected", t.expected == t.quality ? 0 : t.expected},
                                           {"outcomes", t.outcomes},
                                           {"doubt", t.doubt},
                                           {"worth", t.worth},
                                           {"lean", t.lean},
                                           {"cost", t.cost},
                                           {"wait", t.wait},
                                           {"leaving", t.leaving},
                                           {"utility", t.utility}})
            if (number != 0) put(out, name, number);
        out.member("answer_tokens", t.answer_tokens);
        if (t.below_floor) out.member("below_floor", true);
        out.end_object();
        if (c.excluded == Excluded::no) put(out, "propensity", c.propensity);
        out.end_object();
    }
    out.end_array().end_object();
    return out.take();
}

}  // namespace tandem::routing
