#include "api/probes.h"

#include <fmt/format.h>

#include "api/read.h"
#include "base/json.h"
#include "base/text.h"

namespace tandem::api {

namespace {

using probe::Record;

void write_model(json::Writer& out, const gateway::Services& services, const probe::Probes& probes,
                 const std::string& model, const std::vector<Record>& records) {
    out.begin_object().member("model", model);
    const auto progress = probes.progress(model);
    out.member("running", progress && progress->runs);
    if (progress) out.member("done", progress->done).member("of", progress->of);
    if (progress && !progress->ended.empty()) out.member("ended", progress->ended);
    const auto identity = services.learning.identity(model);
    out.key("results").begin_array();
    for (const auto& r : records) {
        if (r.model != model) continue;
        out.begin_object().member("task", r.task).member("kind", r.kind);
        if (r.passed) out.member("passed", *r.passed);
        if (!r.note.empty()) out.member("note", r.note);
        if (!r.decision.empty()) out.member("decision", r.decision);
        // Another model may have taken the name since.
        out.member("milliseconds", r.milliseconds).member("time", r.time).member("current", r.identity == identity);
        out.end_object();
    }
    out.end_array().end_object();
}

}  // namespace

// POST takes {"model": NAME, "each": 1 to 20}.
net::Task<Result<std::string>> serve_probes(gateway::Gateway& gateway, probe::Probes& probes,
                                            const net::Request& request, std::string_view rest) {
    auto& services = gateway.services();
    const auto snapshot = services.snapshot();
    const bool get = request.method == "GET" || request.method == "HEAD";
    if (rest == "probes" && request.method == "POST") {
        json::Document document;
        if (auto ok = document.parse(request.body); !ok) co_return fail(ok.error());
        const auto root = document.root();
        const auto model = root["model"].string();
        const auto each =
            root["each"].exists() ? root["each"].integer() : std::optional(std::int64_t{probe::kUsualEach});
        if (!model) co_return fail(Fault::invalid_field, "model: expected the name of a model", "model");
        if (!each || *each < 1 || *each > probe::kMostEach)
            co_return fail(Fault::invalid_field, fmt::format("each: expected 1 to {}", probe::kMostEach), "each");
        const auto count = co_await probes.start(gateway, std::string(*model), static_cast<int>(*each));
        if (!count) co_return fail(count.error());
        json::Writer out;
        out.begin_object().member("started", *model).member("questions", *count).end_object();
        co_return out.take();
    }
    const std::string one(rest.substr(std::min(rest.size(), std::string_view("probes/").size())));
    if (!one.empty() && request.method == "DELETE") {
        if (auto ok = co_await probes.cancel(one); !ok) co_return fail(ok.error());
        json::Writer out;
        co_return out.begin_object().member("model", one).member("cancelled", true).end_object().take();
    }
    if (!get)
        co_return fail(Fault::method_not_allowed, fmt::format("{} does not take {}", request.path, request.method));
    if (!one.empty() && snapshot->config->model(one) == nullptr)
        co_return fail(Fault::unknown_model, fmt::format("there is no model '{}'", printable(one, 60)));
    const auto records = co_await read_ledger<std::vector<Record>>(
        services, [one](store::Database& database) { return probe::records(database, one); });
    if (!records) co_return fail(records.error());
    json::Writer out;
    if (!one.empty()) {
        write_model(out, services, probes, one, *records);
        co_return out.take();
    }
    out.begin_object().key("models").begin_array();
    for (const auto& model : snapshot->config->models)
        if (probes.progress(model.id) || std::ranges::find(*records, model.id, &Record::model) != records->end())
            write_model(out, services, probes, model.id, *records);
    out.end_array().end_object();
    co_return out.take();
}

}  // namespace tandem::api
