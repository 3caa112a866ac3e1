#include "api/experiments.h"

#include <fmt/format.h>

#include "api/read.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "dialect/fields.h"
#include "experiment/report.h"

namespace tandem::api {

namespace {

using experiment::Experiments;
using experiment::Report;
using Known = Experiments::Known;

net::Task<Result<Report>> report_of(gateway::Services& services, Known known) {
    co_return co_await read_ledger<Report>(services, [known](store::Database& database) {
        return experiment::report(database, known.record, known.definition);
    });
}

// Which of the two answers of a pair is shown first: always the same, and nobody can tell whose it is.
bool treatment_first(const experiment::Trial& trial) {
    return (sha256("pair\n" + trial.decision)[0] & 1U) != 0;
}

// Nullopt for a pair that nobody can compare.
std::optional<std::string> pair_json(const experiment::Trial& trial) {
    if (trial.other.empty() || trial.said.empty() || trial.other_said.empty()) return {};
    // `said` is the treatment's where the client got that.
    const bool said_first = treatment_first(trial) == trial.treatment;
    json::Writer out;
    out.begin_object().member("number", trial.number).member("question", trial.question);
    out.member("answer_1", said_first ? trial.said : trial.other_said);
    out.member("answer_2", said_first ? trial.other_said : trial.said);
    out.member("voted", trial.voted.has_value()).end_object();
    return out.take();
}

net::Task<Result<std::string>> pairs(gateway::Services& services, Known known) {
    using List = std::vector<experiment::Measured>;
    const auto all = co_await read_ledger<List>(services, [known](store::Database& database) {
        return experiment::measured(database, known.record.name, known.record.first);
    });
    if (!all) co_return fail(all.error());
    json::Writer out;
    out.begin_object().key("pairs").begin_array();
    for (const auto& one : *all)
        if (const auto pair = pair_json(one.trial)) out.raw(*pair);
    out.end_array().end_object();
    co_return out.take();
}

// {"pair": NUMBER, "better": 1, 2 or "tie"}: 1 and 2 as pairs shows them.
net::Task<Result<std::string>> vote(gateway::Services& services, Known known, const json::Value& body) {
    const auto number = body["pair"].integer();
    const auto better = body["better"];
    const bool tie = better.text() == "tie";
    if (!number) co_return fail(Fault::invalid_field, "pair: expected its number", "pair");
    if (!tie && better.text() != "1" && better.text() != "2")
        co_return fail(Fault::invalid_field, "better: expected 1, 2 or tie", "better");
    const bool first = better.text() == "1";
    auto slot = co_await net::wait_for<Result<>>([&](auto resume) {
        services.store.submit(
            [known, number = *number, tie, first](store::Database& database) -> Result<> {
                const auto all = experiment::measured(database, known.record.name, number);
                if (!all) return fail(all.error());
                int verdict = 0;
                if (!tie && !all->empty()) verdict = treatment_first(all->front().trial) == first ? 1 : -1;
                return experiment::vote(database, known.record.name, number, verdict);
            },
            std::move(resume));
    });
    if (!slot) co_return fail(slot.error());
    co_return R"({"noted":true})";
}

}  // namespace

net::Task<Result<std::string>> serve_experiments(gateway::Services& services, Experiments& experiments,
                                                 const net::Request& request, std::string_view rest) {
    const bool get = request.method == "GET" || request.method == "HEAD";
    const bool post = request.method == "POST";
    json::Document document;
    if (post && !request.body.empty())
        if (auto ok = document.parse(request.body); !ok) co_return fail(ok.error());
    if (rest == "experiments" && get) {
        json::Writer out;
        out.begin_object().key("experiments").begin_array();
        for (const auto& known : experiments.all()) {
            const auto made = co_await report_of(services, known);
            if (!made) co_return fail(made.error());
            out.raw(experiment::to_json(*made));
        }
        out.end_array().end_object();
        co_return out.take();
    }
    if (rest == "experiments" && post) {
        const std::string name(document.root()["name"].text());
        const auto definition = config::parse_experiment(name, dialect::with_members(document.root(), {{"name", ""}}),
                                                         *services.snapshot()->config);
        if (!definition) co_return fail(definition.error());
        auto started =
            co_await net::wait_for<Result<>>([&](auto resume) { experiments.start(*definition, std::move(resume)); });
        if (!started) co_return fail(started.error());
        co_return fmt::format("{{\"started\":\"{}\"}}", name);
    }
    auto below = rest.substr(std::min(rest.size(), std::string_view("experiments/").size()));
    const auto slash = std::min(below.find('/'), below.size());
    const std::string name(below.substr(0, slash)), act(below.substr(std::min(slash + 1, below.size())));
    auto known = experiments.find(name);
    if (!known) co_return fail(known.error());
    if (get && act.empty()) {
        const auto made = co_await report_of(services, *known);
        if (!made) co_return fail(made.error());
        co_return experiment::to_json(*made);
    }
    if (get && act == "pairs") co_return co_await pairs(services, *known);
    if (post && act == "vote") co_return co_await vote(services, *known, document.root());
    if (post && act == "stop") {
        auto stopped =
            co_await net::wait_for<Result<>>([&](auto resume) { experiments.stop(name, std::move(resume)); });
        if (!stopped) co_return fail(stopped.error());
        co_return fmt::format("{{\"stopped\":\"{}\"}}", name);
    }
    if (post && act == "apply") {
        const auto made = co_await report_of(services, *known);
        if (!made) co_return fail(made.error());
        const auto arm = document.root()["arm"].text();
        if (!arm.empty() && arm != "control" && arm != "treatment")
            co_return fail(Fault::invalid_field, "arm: expected control or treatment", "arm");
        if (arm.empty() && made->better == 0)
            co_return fail(Fault::wrong_state,
                           made->verdict + "; name the arm to apply it all the same (control or treatment)", "arm");
        const bool treatment = arm.empty() ? made->better > 0 : arm == "treatment";
        auto applied = co_await net::wait_for<Result<>>(
            [&](auto resume) { experiments.apply(name, treatment, std::move(resume)); });
        if (!applied) co_return fail(applied.error());
        co_return fmt::format("{{\"applied\":\"{}\",\"model\":\"{}\"}}", name,
                              treatment ? known->definition.treatment : known->definition.control);
    }
    co_return fail(Fault::unknown_path, fmt::format("there is no {} {} here; there are GET experiments, GET "
                                                    "experiments/NAME, GET experiments/NAME/pairs, POST experiments, "
                                                    "POST experiments/NAME/stop, apply, vote",
                                                    request.method, printable(request.path, 80)));
}

}  // namespace tandem::api
