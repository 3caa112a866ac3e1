#include "api/api.h"

#include <fmt/format.h>

#include "api/experiments.h"
#include "api/explain.h"
#include "api/feedback.h"
#include "api/metrics.h"
#include "api/probes.h"
#include "api/read.h"
#include "base/text.h"
#include "dialect/openai_chat.h"
#include "gateway/query.h"
#include "gateway/run.h"
#include "kept/kept.h"
#include "privacy/memory.h"
#include "privacy/scan.h"

namespace tandem::api {

namespace {

constexpr std::string_view kPrefix = "/tandem/v1/";
constexpr std::string_view kMetrics = "/metrics";
constexpr seconds kLongestStart{600};

bool is_health(std::string_view path) {
    return path == "/healthz" || path == "/readyz";
}

std::unexpected<Error> no_such(std::string_view path) {
    return fail(ErrorCode::not_found,
                fmt::format("there is nothing at {}; there are: decisions/ID, decide, engines, experiments, feedback, "
                            "learning, privacy/scan, probes, status",
                            printable(path, 80)));
}

}  // namespace

struct Api::Call {
    net::Request& request;
    const gateway::Snapshot& snapshot;
    const config::Key& key;
    bool owner;
    std::string_view rest;  // of the path, behind the prefix
    net::Worker& worker;
};

net::Task<> Api::handle(net::Exchange& exchange) {
    const std::string_view path = exchange.request().path;
    if (is_health(path) || path == kMetrics || path.starts_with(kPrefix)) return handle_own(exchange);
    return gateway_.handle(exchange);
}

net::Task<> Api::handle_own(net::Exchange& exchange) {
    auto& request = exchange.request();
    net::Response response;
    response.headers.add("content-type", "application/json");
    if (is_health(request.path)) {
        // Ready means: config read, ledger open, ports taken. All are before the first request is.
        response.body = request.path == "/healthz" ? R"({"status":"ok"})" : R"({"status":"ready"})";
        co_await exchange.reply(std::move(response));
        co_return;
    }
    const auto snapshot = gateway_.services().snapshot();
    const auto key = gateway_.authenticate(*snapshot, request.headers);
    if (!key) {
        co_await exchange.reply(error(request.path, 0, key.error()));
        co_return;
    }
    const Call call{request,
                    *snapshot,
                    **key,
                    (*key)->admin || snapshot->config->keys.empty(),
                    std::string_view(request.path).substr(std::min(request.path.size(), kPrefix.size())),
                    exchange.worker()};
    if (request.path == kMetrics && call.owner) {
        response.headers = {};
        response.headers.add("content-type", kMetricsType);
        response.body = metrics(gateway_.services());
        co_await exchange.reply(std::move(response));
        co_return;
    }
    auto body = co_await dispatch(call);
    if (body)
        response.body = std::move(*body);
    else
        response = error(request.path, 0, body.error());
    gateway::add_cors(*snapshot, request.headers, response.headers);
    co_await exchange.reply(std::move(response));
}

net::Task<Result<std::string>> Api::dispatch(const Call& call) {
    const bool get = call.request.method == "GET" || call.request.method == "HEAD";
    if (call.rest.starts_with("decisions/") && get) co_return co_await decisions(call);
    if (call.rest == "privacy/scan" && call.request.method == "POST") co_return co_await scan(call);
    if (call.rest == "feedback" && call.request.method == "POST") co_return co_await feedback(call);
    if (!call.owner)
        co_return fail(ErrorCode::forbidden,
                       "this needs a key with 'admin: true', or the admin token of the data folder");
    if (call.rest == "status" && get) co_return status(call);
    if (call.rest == "decide" && call.request.method == "POST") co_return decide(call);
    if (call.rest == "learning" && get) co_return learning(call);
    if (call.rest == "learning" && call.request.method == "DELETE") co_return co_await forget(call);
    if (call.rest == "labels/release" && call.request.method == "POST") co_return co_await release(call);
    if (call.rest == "experiments" || call.rest.starts_with("experiments/"))
        co_return co_await serve_experiments(gateway_.services(), experiments_, call.request, call.rest);
    if (call.rest == "probes" || call.rest.starts_with("probes/"))
        co_return co_await serve_probes(gateway_, call.worker, probes_, call.request, call.rest);
    if (call.rest == "engines" || call.rest.starts_with("engines/")) co_return co_await engines(call);
    if (call.rest == "status" || call.rest == "decide" || call.rest == "feedback" || call.rest == "learning" ||
        call.rest == "privacy/scan" || call.rest == "labels/release" || call.rest.starts_with("decisions/"))
        co_return fail(ErrorCode::method, fmt::format("{} does not take {}", call.request.path, call.request.method));
    co_return no_such(call.request.path);
}

net::Task<Result<std::string>> Api::decisions(const Call& call) {
    const std::string id(call.rest.substr(call.rest.find('/') + 1));
    auto explanation = co_await read_ledger<Explanation>(
        gateway_.services(), [id](store::Database& database) { return explain(database, id); });
    if (!explanation) co_return fail(explanation.error());
    // Whose decision it is not, does not learn that it exists.
    if (!call.owner && explanation->record.key != call.key.id)
        co_return fail(ErrorCode::not_found, fmt::format("there is no decision {}", printable(id, 60)));
    co_return to_json(*explanation);
}

net::Task<Result<std::string>> Api::scan(const Call& call) {
    json::Document document;
    if (auto ok = document.parse(call.request.body); !ok) co_return fail(ok.error());
    const auto text = document.root()["text"].string();
    if (!text) co_return fail(ErrorCode::invalid, "text: expected a string", "text");
    auto& detector = *call.snapshot.detector;
    const auto& detection = call.snapshot.config->privacy.detect;
    auto found = co_await net::run_on<Result<privacy::Scan>>(
        gateway_.services().scans, call.key.id,
        [&detector, &detection, &text] { return privacy::scan(detector, *text, detection); });
    if (!found) co_return fail(found.error());
    co_return privacy::to_json(*found, document.root()["id"].text());
}

// {"decision": "dec_..."} or {"conversation": NAME, "key": ID}, with "reason" and, unless it is public, "label".
net::Task<Result<std::string>> Api::release(const Call& call) {
    json::Document document;
    if (auto ok = document.parse(call.request.body); !ok) co_return fail(ok.error());
    const auto root = document.root();
    const std::string decision(root["decision"].text()), name(root["conversation"].text());
    const std::string reason(trim(root["reason"].text()));
    const std::string key(root["key"].string().value_or(call.snapshot.config->keys.empty() ? "anonymous" : ""));
    const auto to = label_from(root["label"].string().value_or("public"));
    if (decision.empty() == name.empty())
        co_return fail(ErrorCode::invalid, "give a decision, or a conversation and its key", "decision");
    if (!name.empty() && key.empty()) co_return fail(ErrorCode::invalid, "key: which key's conversation is it?", "key");
    if (reason.empty()) co_return fail(ErrorCode::invalid, "reason: say why; it is recorded", "reason");
    if (!to) co_return fail(ErrorCode::invalid, "label: expected public, internal or private", "label");
    auto& services = gateway_.services();
    privacy::LabelledDecision found{privacy::fingerprint_of_id(key + "\n" + name), {}};
    if (!decision.empty()) {
        auto looked = co_await gateway::query<privacy::LabelledDecision>(
            services.store,
            [decision](store::Database& database) { return privacy::conversation_of(database, decision); });
        if (!looked) co_return fail(looked.error());
        found = std::move(*looked);
    }
    if (!services.privacy.memory().knows(found.fingerprint))
        co_return fail(ErrorCode::not_found, fmt::format("there is no labelled conversation '{}' of {}",
                                                         printable(name, 60), printable(key, 60)));
    auto released = services.privacy.memory().release(found.fingerprint, *to);
    auto job = [released = std::move(released), response = found.response,
                to = *to](store::Database& database) -> Result<> {
        if (auto ok = released(database); !ok) return ok;
        return response.empty() ? Result<>() : kept::lower_label(database, "resp_" + response, to);
    };
    const auto what = decision.empty() ? fmt::format("{} of {}", name, key) : decision;
    auto recorded = co_await net::wait_for<Result<>>([&](auto resume) {
        services.privacy.record_release(printable(what, 200), *to, printable(reason, 400), std::move(job),
                                        std::move(resume));
    });
    if (!recorded) co_return fail(recorded.error());
    json::Writer out;
    out.begin_object().member("released", what).member("label", name_of(*to)).end_object();
    co_return out.take();
}

net::Task<Result<std::string>> Api::feedback(const Call& call) {
    json::Document document;
    if (auto ok = document.parse(call.request.body); !ok) co_return fail(ok.error());
    auto said = read_feedback(document.root());
    if (!said) co_return fail(said.error());
    auto& decision = said->decision;
    auto& services = gateway_.services();
    if (!call.snapshot.config->policy.objective.learn)
        co_return fail(ErrorCode::not_found, "policy.objective.learn is off in tandem.yaml: nothing is learned here");
    if (decision == "last" && call.owner) {
        auto last = co_await gateway::query<ledger::DecisionRecord>(
            services.store, [](store::Database& database) { return ledger::last_decision(database); });
        if (!last) co_return fail(last.error());
        decision = last->id.text();
    }
    auto weight = co_await net::wait_for<Result<double>>([&](auto resume) {
        services.learning.feedback(decision, call.key, call.owner, said->value, said->comment, std::move(resume));
    });
    if (!weight) co_return fail(weight.error());
    json::Writer out;
    out.begin_object().member("decision", decision).raw_member("outcome", fmt::format("{}", said->value));
    out.raw_member("weight", fmt::format("{:.3f}", *weight)).end_object();
    co_return out.take();
}

Result<std::string> Api::learning(const Call& call) {
    json::Writer out;
    out.begin_object().member("learns", call.snapshot.config->policy.objective.learn).key("models").begin_array();
    for (const auto& model : gateway_.services().learning.learner().summary()) {
        out.begin_object().member("model", model.model).member("outcomes", model.outcomes);
        out.raw_member("weight", fmt::format("{}", model.weight));
        if (model.quality) out.raw_member("quality", fmt::format("{}", *model.quality));
        out.raw_member("expected", fmt::format("{}", model.mean));
        out.raw_member("seconds", fmt::format("{}", model.seconds)).member("answer_tokens", model.answer_tokens);
        out.end_object();
    }
    out.end_array().end_object();
    return out.take();
}

net::Task<Result<std::string>> Api::forget(const Call& call) {
    const std::string model(call.request.parameter("model"));
    if (!model.empty() && call.snapshot.config->model(model) == nullptr)
        co_return fail(ErrorCode::not_found, fmt::format("there is no model '{}'", printable(model, 60)));
    auto gone = co_await net::wait_for<Result<>>(
        [&](auto resume) { gateway_.services().learning.forget(model, std::move(resume)); });
    if (!gone) co_return fail(gone.error());
    json::Writer out;
    out.begin_object().member("forgotten", model.empty() ? "all" : model).end_object();
    co_return out.take();
}

Result<std::string> Api::status(const Call& call) {
    auto& services = gateway_.services();
    json::Writer out;
    out.begin_object()
        .member("version", TANDEM_VERSION)
        .member("config", call.snapshot.config->source.string())
        .member("data", call.snapshot.config->data.string());
    out.member("routing_table", call.snapshot.table_id).key("providers").begin_array();
    for (const auto& provider : call.snapshot.config->providers) {
        const auto unhealthy = services.health.unhealthy(provider.id);
        const auto health = services.health.status(provider.id);
        out.begin_object()
            .member("id", provider.id)
            .member("zone", name_of(provider.zone))
            .member("clearance", name_of(provider.clearance));
        out.member("healthy", unhealthy.empty());
        if (!unhealthy.empty()) out.member("reason", unhealthy);
        out.member("breaker", health.state).member("attempts", health.attempts);
        out.raw_member("failure_share", fmt::format("{:.3f}", health.failure_share));
        if (health.seconds_left > 0) out.member("seconds_left", health.seconds_left);
        const auto gate = services.gate.status(provider.id);
        out.raw_member("limit", fmt::format("{:.1f}", gate.limit)).member("running", gate.running);
        out.member("waiting", gate.waiting);
        out.member("keys", provider.api_keys.size()).member("keys_resting", health.keys_resting);
        out.end_object();
    }
    out.end_array();
    const auto memory = services.memory.status();
    out.key("memory").begin_object().member("limit_bytes", memory.limit).member("held_bytes", memory.held);
    out.member("most_bytes", memory.most).member("refused", static_cast<std::int64_t>(memory.refused));
    for (std::size_t kind = 0; kind < kMemoryKindNames.size(); ++kind)
        out.member(fmt::format("{}_bytes", kMemoryKindNames[kind]), memory.by_kind[kind]);
    out.end_object().end_object();
    return out.take();
}

Result<std::string> Api::decide(const Call& call) {
    json::Document document;
    if (auto ok = document.parse(call.request.body); !ok) return fail(ok.error());
    const auto request = dialect::openai_chat::decode_request(document);
    if (!request) return fail(request.error());
    Label label = Label::public_;
    if (const auto name = call.request.headers.get("x-tandem-label"); !name.empty()) {
        const auto named = label_from(name);
        if (!named)
            return fail(ErrorCode::invalid, fmt::format("x-tandem-label: there is no label '{}'", printable(name, 40)));
        label = *named;
    }
    auto& services = gateway_.services();
    const auto dry = gateway::decide_only(
        call.snapshot, &services, call.key, document, *request, label,
        config::stakes_from(call.request.headers.get("x-tandem-value")).value_or(config::Stakes::normal));
    if (!dry.decision) return fail(dry.decision.error());
    json::Writer out;
    out.begin_object().member("sentence", dry.decision->sentence()).raw_member("inputs", routing::to_json(dry.inputs));
    out.raw_member("decision", routing::to_json(*dry.decision)).end_object();
    return out.take();
}

net::Task<Result<std::string>> Api::engines(const Call& call) {
    auto& engines = gateway_.services().engines;
    if (call.rest != "engines") {
        const auto slash = call.rest.rfind('/');
        const std::string act(call.rest.substr(slash + 1));
        if (call.request.method != "POST" || slash <= 8 || (act != "start" && act != "stop"))
            co_return no_such(call.request.path);
        const std::string model(call.rest.substr(8, slash - 8));
        if (act == "start") {
            const auto deadline = gateway_.services().clock.steady() + kLongestStart;
            auto lease = co_await net::wait_for<Result<engine::Lease>>(
                [&](auto resume) { engines.acquire(model, deadline, std::move(resume)); });
            if (!lease) co_return fail(lease.error());
        } else {
            auto stopped =
                co_await net::wait_for<Result<>>([&](auto resume) { engines.stop(model, std::move(resume)); });
            if (!stopped) co_return fail(stopped.error());
        }
    } else if (call.request.method != "GET") {
        co_return fail(ErrorCode::method, "engines takes GET; engines/MODEL/start and engines/MODEL/stop take POST");
    }
    json::Writer out;
    out.begin_object().key("engines").begin_array();
    for (const auto& e : engines.status()) {
        out.begin_object()
            .member("model", e.model)
            .member("state", e.state)
            .member("pid", e.pid)
            .member("port", static_cast<int>(e.port));
        out.member("in_use", e.in_use).member("restarts", e.restarts).member("log", e.log.string());
        if (!e.last_error.empty()) out.member("last_error", e.last_error);
        out.end_object();
    }
    out.end_array().end_object();
    co_return out.take();
}

}  // namespace tandem::api
