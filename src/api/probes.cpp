#include "api/probes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "api/read.h"
#include "base/json.h"
#include "base/text.h"
#include "catalog/measurements.h"
#include "probe/tasks.h"

namespace tandem::api {

namespace {

using probe::Found;
using probe::Record;

constexpr std::int64_t kMostSeed = 1'000'000'000'000;
constexpr std::int64_t kFewestLongest = 512, kMostLongest = 1'000'000;

// All that is known of models by probes.
struct Known {
    std::vector<Record> records;
    std::vector<Found> found;
    std::vector<catalog::Measurement> measured;
};

using Progresses = std::map<std::string, probe::Probes::Progress>;  // by model

// In thousandths or hundredths, as it is kept: 0.833, 12.34.
std::string number_text(std::string_view unit, std::int64_t number) {
    if (unit == "share") return fmt::format("{:.3f}", static_cast<double>(number) / 1'000);
    if (unit == "tokens/s") return fmt::format("{:.2f}", static_cast<double>(number) / 100);
    return std::to_string(number);
}

void write_record(json::Writer& out, const Record& r, const std::string& identity) {
    out.begin_object().member("suite", r.suite).member("task", r.task).member("kind", r.kind);
    if (r.passed) out.member("passed", *r.passed);
    if (!r.note.empty()) out.member("note", r.note);
    if (!r.decision.empty()) out.member("decision", r.decision);
    // Another model may have taken the name since.
    out.member("milliseconds", r.milliseconds).member("time", r.time).member("current", r.identity == identity);
    out.end_object();
}

void write_found(json::Writer& out, const Found& found, const std::string& identity) {
    const auto& one = found.finding;
    out.begin_object().member("suite", found.suite).member("name", one.name);
    if (!one.unit.empty()) {
        out.member("unit", one.unit).raw_member("value", number_text(one.unit, one.value));
        if (one.high > 0)
            out.raw_member("low", number_text(one.unit, one.low)).raw_member("high", number_text(one.unit, one.high));
    }
    if (one.asked > 0) out.member("asked", one.asked);
    if (one.unit == "share") out.member("right", one.right);
    if (!one.word.empty()) out.member("word", one.word);
    out.member("seed", found.seed).member("time", found.time).member("current", found.identity == identity);
    out.end_object();
}

void write_measured(json::Writer& out, const catalog::Measurement& one, const std::string& identity) {
    out.begin_object().member("quantity", catalog::kQuantityNames[static_cast<std::size_t>(one.quantity)]);
    out.member("value", one.value);
    if (one.high > 0) out.member("low", one.low).member("high", one.high);
    out.member("asked", one.asked).member("source", one.source).member("time", one.time);
    out.member("current", one.identity == identity).end_object();
}

void write_progress(json::Writer& out, const probe::Probes::Progress* progress) {
    out.member("running", progress != nullptr && progress->runs);
    if (progress == nullptr) return;
    out.member("done", progress->done).member("of", progress->of);
    if (!progress->suite.empty()) out.member("suite", progress->suite);
    if (!progress->ended.empty()) out.member("ended", progress->ended);
}

void write_model(json::Writer& out, const gateway::Services& services, const Progresses& progresses,
                 const config::Model& model, const Known& known) {
    out.begin_object().member("model", model.id);
    const auto progress = progresses.find(model.id);
    write_progress(out, progress == progresses.end() ? nullptr : &progress->second);
    const auto identity = services.learning.identity(model.id);
    if (model.context_tokens > 0) out.member("claimed_context", model.context_tokens);
    out.key("measured").begin_array();
    for (const auto& one : known.measured)
        if (one.model == model.id) write_measured(out, one, identity);
    out.end_array().key("findings").begin_array();
    for (const auto& one : known.found)
        if (one.model == model.id) write_found(out, one, identity);
    out.end_array().key("results").begin_array();
    for (const auto& one : known.records)
        if (one.model == model.id) write_record(out, one, identity);
    out.end_array().end_object();
}

// A whole number of the body within bounds. Errors: invalid.
Result<std::int64_t> number_of(const json::Value& root, std::string_view name, std::int64_t usual, std::int64_t least,
                               std::int64_t most) {
    if (!root[name].exists()) return usual;
    const auto number = root[name].integer();
    if (!number || *number < least || *number > most)
        return fail(Fault::invalid_field, fmt::format("{}: expected {} to {}", name, least, most), std::string(name));
    return *number;
}

// Errors: invalid.
Result<> read_suites(const json::Value& root, probe::Wanted& wanted) {
    if (!root["suites"].exists()) return {};
    wanted.suites.clear();
    for (const json::Value suite : root["suites"].children()) {
        if (suite.text() == "all")
            for (const auto& row : probe::suites()) wanted.suites.emplace_back(row.name);
        else
            wanted.suites.emplace_back(suite.text());
    }
    if (wanted.suites.empty() || wanted.suites.size() > probe::suites().size())
        return fail(Fault::invalid_field, "suites: expected a list of names, each once, or [\"all\"]", "suites");
    return {};
}

// {"model", "suites", "each", "seed", "longest", "budget", "idle"}, all but the first as they like. Errors: invalid.
Result<probe::Wanted> wanted_in(const json::Value& root) {
    probe::Wanted wanted;
    const auto model = root["model"].string();
    if (!model) return fail(Fault::invalid_field, "model: expected the name of a model", "model");
    wanted.model = *model;
    if (auto ok = read_suites(root, wanted); !ok) return fail(ok.error());
    const auto each = number_of(root, "each", probe::kUsualEach, 1, probe::kMostEach);
    if (!each) return fail(each.error());
    wanted.each = static_cast<int>(*each);
    const auto seed = number_of(root, "seed", probe::kUsualSeed, 0, kMostSeed);
    if (!seed) return fail(seed.error());
    wanted.seed = static_cast<std::uint64_t>(*seed);
    const auto longest = number_of(root, "longest", 0, kFewestLongest, kMostLongest);
    if (!longest) return fail(longest.error());
    wanted.longest = *longest;
    if (root["budget"].exists()) {
        const auto budget = Money::parse(root["budget"].text());
        if (!budget || *budget == Money{})
            return fail(Fault::invalid_field, "budget: expected an amount above 0, such as 0.50", "budget");
        wanted.budget = *budget;
    }
    wanted.idle = root["idle"].boolean().value_or(false);
    return wanted;
}

net::Task<Result<std::string>> post(gateway::Gateway& gateway, probe::Probes& probes, const std::string& body) {
    json::Document document;
    if (auto ok = document.parse(body); !ok) co_return fail(ok.error());
    auto wanted = wanted_in(document.root());
    if (!wanted) co_return fail(wanted.error());
    const auto model = wanted->model;
    json::Writer out;
    if (document.root()["forget"].boolean() == true) {
        if (auto ok = co_await probes.forget(gateway, model); !ok) co_return fail(ok.error());
        co_return out.begin_object().member("model", model).member("forgotten", true).end_object().take();
    }
    const auto count = co_await probes.start(gateway, std::move(*wanted));
    if (!count) co_return fail(count.error());
    out.begin_object().member("started", model).member("questions", *count).end_object();
    co_return out.take();
}

}  // namespace

net::Task<Result<std::string>> serve_probes(gateway::Gateway& gateway, probe::Probes& probes,
                                            const net::Request& request, std::string_view rest) {
    auto& services = gateway.services();
    const auto snapshot = services.snapshot();
    const bool get = request.method == "GET" || request.method == "HEAD";
    if (rest == "probes" && request.method == "POST") co_return co_await post(gateway, probes, request.body);
    const std::string one(rest.substr(std::min(rest.size(), std::string_view("probes/").size())));
    if (!one.empty() && request.method == "DELETE") {
        if (auto ok = co_await probes.cancel(one); !ok) co_return fail(ok.error());
        json::Writer out;
        co_return out.begin_object().member("model", one).member("cancelled", true).end_object().take();
    }
    if (!get)
        co_return fail(Fault::method_not_allowed, fmt::format("{} does not take {}", request.path, request.method));
    const auto* model = snapshot->config->model(one);
    if (!one.empty() && model == nullptr)
        co_return fail(Fault::unknown_model, fmt::format("there is no model '{}'", printable(one, 60)));
    // Before what was found is read: a probe that has ended by now has written all of it.
    Progresses progresses;
    for (const auto& each : snapshot->config->models)
        if (auto progress = probes.progress(each.id)) progresses.emplace(each.id, std::move(*progress));
    const auto known = co_await read_ledger<Known>(services, [one](store::Database& database) -> Result<Known> {
        auto records = probe::records(database, one);
        if (!records) return fail(records.error());
        auto found = probe::findings(database, one);
        if (!found) return fail(found.error());
        auto measured = catalog::measurements(database);
        if (!measured) return fail(measured.error());
        return Known{std::move(*records), std::move(*found), std::move(*measured)};
    });
    if (!known) co_return fail(known.error());
    json::Writer out;
    if (model != nullptr) {
        write_model(out, services, progresses, *model, *known);
        co_return out.take();
    }
    const auto is_known = [&](const std::string& id) {
        return progresses.contains(id) ||
               std::ranges::find(known->records, id, &Record::model) != known->records.end() ||
               std::ranges::find(known->measured, id, &catalog::Measurement::model) != known->measured.end();
    };
    out.begin_object().key("models").begin_array();
    for (const auto& each : snapshot->config->models)
        if (is_known(each.id)) write_model(out, services, progresses, each, *known);
    out.end_array().end_object();
    co_return out.take();
}

}  // namespace tandem::api
