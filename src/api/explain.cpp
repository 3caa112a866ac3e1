#include "api/explain.h"

#include <fmt/format.h>

#include <ctime>
#include <span>

#include "access/principal.h"
#include "base/few.h"
#include "base/text.h"
#include "ledger/local/cost.h"

namespace tandem::api {

namespace {

// What an attempt at home cost besides what is booked for it; nullopt where nobody said what its machine costs.
std::optional<ledger::local::AnswerCost> cost_at_home(const config::Config& config, const ledger::AttemptRecord& a) {
    if (a.zone != Zone::local || a.outcome == "skipped" || a.outcome == "cached") return {};
    return ledger::local::cost_of_answer(config, a.provider, a.time, a.total_ms);
}

void write_attempt(json::Writer& out, const config::Config& config, const ledger::AttemptRecord& a) {
    out.begin_object()
        .member("number", a.number)
        .member("time", a.time)
        .member("model", a.model)
        .member("provider", a.provider);
    out.member("zone", name_of(a.zone)).member("outcome", a.outcome).member("status", a.status);
    if (!a.error.empty()) out.member("error", a.error);
    if (!a.code.empty()) out.member("code", a.code);
    if (!a.warnings.empty()) out.member("warnings", a.warnings);
    out.member("first_byte_ms", a.first_byte_ms).member("total_ms", a.total_ms).key("usage").begin_object();
    out.member("input", a.usage.input.count)
        .member("cached_input", a.usage.cached_input.count)
        .member("cache_write", a.usage.cache_write.count)
        .member("output", a.usage.output.count);
    out.member("reasoning", a.usage.reasoning.count).member("estimated", a.usage.estimated).end_object();
    out.member("cost_micros", a.cost.micros()).member("source", prices::name_of(a.source));
    if (!a.bill.empty()) out.raw_member("bill", a.bill);
    if (const auto home = cost_at_home(config, a)) {
        out.key("at_home").begin_object().member("machine", home->machine);
        out.member("energy_micros", home->energy.micros()).member("energy_source", home->energy_source());
        out.member("hardware_micros", home->hardware.micros()).member("total_micros", home->total().micros());
        out.member("text", home->text()).end_object();
    }
    out.end_object();
}

// Whose word the cost is, and what else is known of it: " (by openai/gpt-5.1 of the price book, tier flex)".
std::string source_text(const ledger::AttemptRecord& a) {
    json::Document bill;
    if (a.bill.empty() || !bill.parse(a.bill)) {
        if (a.source == prices::PriceSource::unknown) return " (NOT ITS COST: no price is known)";
        return a.source == prices::PriceSource::estimate ? " (by policy.unknown_price)" : "";
    }
    const auto said = bill.root();
    std::string out;
    switch (a.source) {
        case prices::PriceSource::free:
            return {};
        case prices::PriceSource::owner:
            out = "by models.*.price";
            break;
        case prices::PriceSource::book:
            out = fmt::format("by {} of the price book", said["entry"].text());
            break;
        case prices::PriceSource::estimate:
            out = "no price is known: by policy.unknown_price";
            break;
        case prices::PriceSource::unknown:
            out = "NOT ITS COST: no price is known";
            break;
        case prices::PriceSource::provider:
            out = "as its provider charged";
            break;
    }
    if (const auto ours = said["by_book"].text(); !ours.empty())
        out += fmt::format("; by its price it would be {}", ours);
    if (const auto tier = said["tier"].text(); !tier.empty()) out += fmt::format(", tier {}", tier);
    if (const auto region = said["region"].text(); !region.empty()) out += fmt::format(", region {}", region);
    return fmt::format(" ({})", out);
}

// The buckets where there is more than tokens in and out: ", counted as 10 input, 90 cache_read, 5 output".
std::string buckets_text(const ledger::AttemptRecord& a) {
    json::Document bill;
    if (a.bill.empty() || !bill.parse(a.bill)) return {};
    std::vector<std::string> parts;
    bool more = false;
    for (const auto bucket : bill.root()["usage"].children()) {
        parts.push_back(fmt::format("{} {}", bucket.text(), bucket.key()));
        more = more || (bucket.key() != "input" && bucket.key() != "output");
    }
    return more ? fmt::format(", counted as {}", join(parts, ", ")) : std::string();
}

std::string term(std::string_view name, double amount) {
    return amount == 0 ? "" : fmt::format("{} {:.4f}", name, amount);
}

std::string cost_text(const routing::Terms& terms) {
    const auto cost = term(" - cost", terms.cost);
    return cost.empty() ? "" : fmt::format("{} (an answer of about {} tokens)", cost, terms.answer_tokens);
}

// "at most" only where the answer has a bound.
std::string estimate_text(const routing::Candidate& c, std::string_view currency) {
    if (!c.priced) return "price unknown";
    if (c.bounded || c.estimate == Money{}) return fmt::format("at most {} {}", c.estimate.text(), currency);
    return fmt::format("about {} {} for {} tokens of answer, no maximum was asked", c.estimate.text(), currency,
                       c.estimated_tokens);
}

std::string work_text(const routing::Inputs& in) {
    const auto& work = in.features.work;
    std::string out =
        fmt::format("  work        {} ({:.0f} % sure), difficulty {} of 100",
                    routing::kWorkKindNames[static_cast<std::size_t>(work.kind)], work.sure * 100, work.difficulty);
    for (const auto& word : work.telling)
        out += fmt::format("{}{}", &word == &work.telling.front() ? "; told by: " : ", ", word);
    out += fmt::format("\n              about {} tokens of prompt, ", in.features.prompt_tokens);
    out += in.features.answer_tokens > 0 ? fmt::format("an answer of at most {}", in.features.answer_tokens)
                                         : "the answer's length not given";
    if (in.stakes != config::Stakes::normal)
        out += fmt::format(", stakes {}", config::kStakesNames[static_cast<std::size_t>(in.stakes)]);
    if (in.features.repeats > 0) out += fmt::format(", the same kind seen {} times before", in.features.repeats);
    return out + "\n";
}

// What the quality that a candidate was reckoned with comes from.
std::string evidence_text(const routing::Candidate& c) {
    const auto& t = c.terms;
    if (t.doubt == 0) return c.strength.empty() ? "a guess" : c.strength;
    const auto learned = fmt::format("+- {:.2f}, learned from {:.1f} outcomes", t.doubt, t.outcomes);
    return c.strength.empty() ? learned : fmt::format("{}; {:.2f} before that, {}", learned, t.expected, c.strength);
}

bool was_asked(const ledger::AttemptRecord& attempt) {
    return attempt.outcome != "skipped";
}

// The reasons of the attempts before the last one, of those that were asked or of those that were not.
std::string reasons_before_last(const Explanation& e, bool asked) {
    std::vector<std::pair<std::string, std::string>> reasons;
    for (const auto& a : std::span(e.attempts).first(e.attempts.size() - 1))
        if (was_asked(a) == asked) reasons.emplace_back(a.model, a.error.empty() ? a.outcome : a.error);
    std::string out;
    for (const auto& [models, why] : grouped_by_reason(reasons))
        out += fmt::format("{}{}: {}", out.empty() ? "" : ". ", few(models), why);
    return out;
}

// A line for a request that another model answered than the one it was first meant for; else nothing.
std::string after_failures(const Explanation& e) {
    if (e.attempts.size() < 2) return "";
    const auto& last = e.attempts.back();
    if (last.outcome != "answered" || last.model == e.attempts.front().model) return "";
    const auto failed = reasons_before_last(e, true);
    const auto skipped = reasons_before_last(e, false);
    return fmt::format("  {} at {} ({}) answered{}{}{}{}\n", last.model, last.provider, name_of(last.zone),
                       failed.empty() ? "" : ", after others failed: ", failed,
                       skipped.empty() ? "" : "; not asked: ", skipped);
}

// What is booked; where its machine's cost is known, that of an attempt at home.
std::string whole_cost_text(const config::Config& config, const ledger::AttemptRecord& a, std::string_view currency) {
    const auto home = cost_at_home(config, a);
    if (!home) return fmt::format("{} {}{}", a.cost.text(), currency, source_text(a));
    const auto booked = a.cost == Money{}
                            ? std::string()
                            : fmt::format("{} {}{} and at home ", a.cost.text(), currency, source_text(a));
    return fmt::format("{}{} {} ({})", booked, home->total().text(), currency, home->text());
}

std::string attempt_text(const config::Config& config, const ledger::AttemptRecord& a, std::string_view currency) {
    std::string out =
        fmt::format("{} at {} ({}): {}", a.model, a.provider, name_of(a.zone), was_asked(a) ? a.outcome : "not asked");
    if (!a.error.empty()) out += fmt::format(" ({}{}{})", a.error, a.code.empty() ? "" : "; ", a.code);
    if (was_asked(a)) {
        out += fmt::format(
            ", {}{} tokens in{} and {} out{}, {}, {} ms", a.usage.estimated ? "about " : "", a.usage.input.count,
            a.usage.cache_write.count > 0 ? fmt::format(" ({} into its cache)", a.usage.cache_write.count) : "",
            a.usage.output.count, buckets_text(a), whole_cost_text(config, a, currency), a.total_ms);
        if (a.first_byte_ms >= 0) out += fmt::format(" (first byte {} ms)", a.first_byte_ms);
    }
    if (!a.warnings.empty()) out += fmt::format("; {}", a.warnings);
    return out;
}

}  // namespace

Result<Explanation> explain(store::Database& database, const std::string& id) {
    auto record = id == "last" ? ledger::last_decision(database) : ledger::find_decision(database, id);
    if (!record) return fail(record.error());
    Explanation explanation{.record = std::move(*record), .attempts = {}, .inputs = {}, .decision = {}};
    auto attempts = ledger::attempts_of(database, explanation.record.id.text());
    if (!attempts) return fail(attempts.error());
    explanation.attempts = std::move(*attempts);

    std::string stored_table;
    {
        auto row = database.prepare("SELECT json FROM routing_tables WHERE id = ?");
        row.bind(1, explanation.record.table);
        const auto found = row.step();
        if (!found) return fail(found.error());
        if (!*found)
            return fail(Fault::unknown_object, fmt::format("the routing table {} of this decision is not in the ledger",
                                                           explanation.record.table));
        stored_table = row.text(0);
    }
    json::Document document;
    if (auto ok = document.parse(stored_table); !ok) return fail(ok.error());
    const auto table = routing::table_from_json(document.root());
    if (!table) return fail(table.error());
    if (auto ok = document.parse(explanation.record.inputs); !ok) return fail(ok.error());
    auto inputs = routing::inputs_from_json(document.root());
    if (!inputs) return fail(inputs.error());
    explanation.inputs = std::move(*inputs);
    auto decision = routing::decide(*table, explanation.inputs);
    if (!decision) return fail(decision.error());
    explanation.decision = std::move(*decision);
    explanation.same = routing::to_json(explanation.decision) == explanation.record.outcome;
    return explanation;
}

std::string to_json(const Explanation& e, const config::Config& config) {
    json::Writer out;
    out.begin_object()
        .member("id", e.record.id.text())
        .member("time", e.record.time)
        .member("key", e.record.key)
        .member("alias", e.record.alias);
    out.member("label", name_of(e.record.label))
        .member("rule", e.record.rule)
        .member("sentence", e.decision.sentence());
    out.member("routing_table", e.record.table)
        .raw_member("inputs", e.record.inputs)
        .raw_member("decision", e.record.outcome);
    // Why nobody was asked. What budgets and health said of it more finely is in the candidates.
    if (e.decision.eligible == 0) {
        const auto refusal = e.decision.refusal(config.currency);
        out.key("refusal").begin_object().member("code", refusal.code.name()).member("message", refusal.message);
        out.end_object();
    }
    out.member("replay_is_same", e.same).key("attempts").begin_array();
    Money cost;
    for (const auto& attempt : e.attempts) {
        write_attempt(out, config, attempt);
        cost += attempt.cost;
    }
    out.end_array().member("cost_micros", cost.micros()).end_object();
    return out.take();
}

std::string time_text(std::int64_t ms) {
    const std::time_t time = ms / 1000;
    std::tm utc{};
    gmtime_r(&time, &utc);
    char text[32];
    const auto size = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &utc);
    return {text, size};
}

namespace {

// What of the owner's files was put into the request.
std::string context_text(const routing::Inputs& in) {
    json::Document document;
    if (in.context.empty() || !document.parse(in.context)) return {};
    const auto context = document.root();
    std::vector<std::string> collections, tools;
    for (const json::Value name : context["collections"].children()) collections.emplace_back(name.text());
    for (const json::Value tool : context["left_out"].children()) tools.emplace_back(tool.text());
    const auto count = context["passages"].size();
    std::string out =
        fmt::format("  files       {} ({}): ", join(collections, ", "), printable(context["from"].text(), 200));
    out += count == 0 ? "nothing was found\n"
                      : fmt::format("{} of {} pieces, about {} tokens; there was room for {}\n", count,
                                    context["found"].raw(), context["tokens"].raw(), context["room"].raw());
    std::size_t rank = 0;
    for (const json::Value one : context["passages"].children()) {
        const auto page = one["page"], line = one["line"];
        const auto place = page.exists()   ? fmt::format(", page {}", page.raw())
                           : line.exists() ? fmt::format(":{}", line.raw())
                                           : std::string();
        out +=
            fmt::format("    {}. {}{} ({}, {}), score {}, {} tokens\n", ++rank, printable(one["path"].text(), 1'000),
                        place, one["collection"].text(), one["label"].text(), one["score"].raw(), one["tokens"].raw());
    }
    if (!tools.empty())
        out += fmt::format("    left out: {}, which would reach out of the request\n", join(tools, ", "));
    return out;
}

}  // namespace

std::string decision_text(const routing::Inputs& in, const routing::Decision& decision, std::string_view currency) {
    const bool keyless = in.key == access::Principal::anonymous().id();
    std::string out = fmt::format("  asked for   {} with {}\n  label       {}", in.alias,
                                  keyless ? "no key" : "the key " + in.key, name_of(in.label));
    for (const auto& reason : in.label_reasons)
        out += fmt::format("{}{}", &reason == &in.label_reasons.front() ? " (" : ", ", reason);
    if (!in.label_reasons.empty()) out += ")";
    out += fmt::format("\n  why         {}\n", decision.why);
    out += context_text(in);
    out += work_text(in);
    out += "  candidates\n";
    std::size_t place = 0;
    for (const auto& c : decision.candidates) {
        if (c.excluded == routing::Excluded::no)
            out += fmt::format(
                "    {}. {} at {} ({}), utility {:.4f} = worth {:.4f} (good with {:.2f}; {}){}{}{}{}{}{}, {}{}\n",
                ++place, c.model, c.provider, name_of(c.zone), c.terms.utility, c.terms.worth, c.terms.quality,
                evidence_text(c), term(" + zone_bias", c.terms.lean), cost_text(c.terms), term(" - wait", c.terms.wait),
                term(" - switch_cost", c.terms.leaving), c.terms.below_floor ? ", below the floor" : "",
                c.last_resort ? ", only where no other may (fallback: only)" : "", estimate_text(c, currency),
                c.propensity > 0 && c.propensity < 1 ? fmt::format(", first with a probability of {:.3f}", c.propensity)
                                                     : "");
        else
            out += fmt::format("    -  {} at {} ({}) excluded by {}: {}\n", c.model, c.provider, name_of(c.zone),
                               routing::kExcludedNames[static_cast<std::size_t>(c.excluded)], c.reason);
        if (c.excluded == routing::Excluded::no && !c.measured.empty())
            out += fmt::format("       measured: {}\n", c.measured);
    }
    if (decision.candidates.empty()) out += "    none\n";
    return out;
}

std::string to_text(const Explanation& e, const config::Config& config, std::string_view currency) {
    std::string out = fmt::format("{}  {}\n{}  {}\n{}", e.record.id.text(), time_text(e.record.time), after_failures(e),
                                  e.decision.sentence(), decision_text(e.inputs, e.decision, currency));
    out += "  attempts\n";
    std::size_t asked = 0;
    for (const auto& a : e.attempts)
        out += fmt::format("    {} {}\n", was_asked(a) ? fmt::format("{}.", ++asked) : "- ",
                           attempt_text(config, a, currency));
    if (e.attempts.empty()) out += "    none is recorded\n";
    out += e.same ? "  replay      the same inputs give the same decision\n"
                  : "  replay      DIFFERS from the record: another version of tandem made it\n";
    return out;
}

}  // namespace tandem::api
