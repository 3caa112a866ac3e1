#include "probe/wanted.h"

#include "base/json.h"
#include "base/text.h"

namespace tandem::probe {

namespace {

void write(json::Writer& out, const Outcome& outcome) {
    out.begin_array().value(!outcome.passed ? -1 : *outcome.passed ? 1 : 0).begin_array();
    for (const auto number : outcome.numbers) out.value(number);
    out.end_array();
    if (!outcome.note.empty()) out.value(printable(outcome.note, kMostNote));
    out.end_array();
}

Outcome outcome_from(const json::Value& value) {
    Outcome outcome;
    int at = 0;
    for (const json::Value part : value.children()) {
        if (at == 0 && part.integer().value_or(-1) >= 0) outcome.passed = part.integer() == 1;
        if (at == 1)
            for (const json::Value number : part.children()) outcome.numbers.push_back(number.integer().value_or(0));
        if (at == 2) outcome.note = part.text();
        ++at;
    }
    return outcome;
}

}  // namespace

std::string text_of(const Wanted& wanted) {
    json::Writer out;
    out.begin_object().member("model", wanted.model).member("each", std::int64_t{wanted.each});
    out.key("suites").begin_array();
    for (const auto& suite : wanted.suites) out.value(suite);
    out.end_array().member("seed", static_cast<std::int64_t>(wanted.seed)).member("longest", wanted.longest);
    if (wanted.budget) out.member("budget_micros", wanted.budget->micros());
    return out.member("idle", wanted.idle).end_object().take();
}

Wanted wanted_from(std::string_view payload) {
    json::Document document;
    if (!document.parse(payload)) return {};
    const auto root = document.root();
    Wanted wanted;
    wanted.model = root["model"].text();
    wanted.each = static_cast<int>(root["each"].integer().value_or(0));
    if (root["suites"].is(json::Kind::array)) {
        wanted.suites.clear();
        for (const json::Value suite : root["suites"].children()) wanted.suites.emplace_back(suite.text());
    }
    wanted.seed = static_cast<std::uint64_t>(root["seed"].integer().value_or(kUsualSeed));
    wanted.longest = root["longest"].integer().value_or(0);
    if (const auto budget = root["budget_micros"].integer()) wanted.budget = Money::from_micros(*budget);
    wanted.idle = root["idle"].boolean().value_or(false);
    return wanted;
}

std::string text_of(const Way& way) {
    json::Writer out;
    out.begin_object().member("suite", way.suite).member("before", way.before).key("outcomes").begin_array();
    for (const auto& outcome : way.outcomes) write(out, outcome);
    return out.end_array().end_object().take();
}

Way way_from(std::string_view progress) {
    json::Document document;
    if (!document.parse(progress)) return {};
    const auto root = document.root();
    Way way;
    way.suite = static_cast<std::size_t>(root["suite"].integer().value_or(0));
    way.before = static_cast<std::size_t>(root["before"].integer().value_or(0));
    for (const json::Value outcome : root["outcomes"].children()) way.outcomes.push_back(outcome_from(outcome));
    return way;
}

}  // namespace tandem::probe
