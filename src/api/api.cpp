#include "api/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "access/authenticate.h"
#include "access/origin.h"
#include "api/cost.h"
#include "api/experiments.h"
#include "api/explain.h"
#include "api/feedback.h"
#include "api/metrics.h"
#include "api/probes.h"
#include "api/read.h"
#include "base/log.h"
#include "base/text.h"
#include "dialect/openai_chat.h"
#include "gateway/run.h"
#include "privacy/memory.h"
#include "privacy/scan.h"
#include "resources/stored.h"
#include "store/query.h"

namespace tandem::api {

namespace {

constexpr std::string_view kPrefix = "/tandem/v1/";

// What the owner's other rooms call a path: its part below /tandem/v1/.
std::string_view below_prefix(const gateway::Call& call) {
    return std::string_view(call.request().path).substr(kPrefix.size());
}

bool is_owner(const access::Principal& who, const config::Config& config) {
    return who.is_owner() || !config.wants_keys();
}
bool is_owner(const gateway::Call& call) {
    return is_owner(call.who, *call.snapshot->config);
}

// Whether a request is one of those that a key's limits count: what is asked, left or changed here, not what is read. A
// search is asked.
bool counts(const Route& route) {
    return route.scope == Scope::client && (route.method == "POST" || route.path == "/tandem/v1/search");
}

}  // namespace

// ---- the door ----

namespace {

// Some clients put their key into the address. Nobody else's is looked for there: an address stands in more logs than a
// header.
std::string key_in_query(dialect::Kind errors, std::string_view query) {
    const auto name = dialect::of(errors).key_parameter();
    if (name.empty() || query.empty()) return {};
    net::Request asked;
    asked.query = query;
    return asked.parameter(std::string(name));
}

// Who came to the door, by the config of that moment; nobody where the route asks nobody.
struct Guest final : net::Admitted {
    std::shared_ptr<const gateway::Snapshot> snapshot;
    std::optional<access::Principal> who;
    std::string holder() const override { return who ? who->id() : access::Principal::anonymous().id(); }
};

}  // namespace

Result<std::shared_ptr<const net::Admitted>> Api::admit(const net::Head& head) {
    auto guest = std::make_shared<Guest>();
    guest->snapshot = gateway_.services().snapshot();
    const auto& config = *guest->snapshot->config;
    if (auto ok = access::check_origin(config.server, head.headers); !ok) return fail(ok.error());
    if (head.method == "OPTIONS") return guest;
    const auto found = match(head.method, head.path);
    if (found.route != nullptr && found.route->scope == Scope::open) return guest;
    auto who = access::authenticate(config, gateway_.services().admin_token, head.headers,
                                    unix_ms(gateway_.services().clock.wall()), head.local,
                                    key_in_query(found.errors, head.query));
    if (!who) return fail(who.error());
    guest->who = std::move(*who);
    return guest;
}

Result<access::Principal> Api::sender_of(const net::Exchange& exchange, const net::Request& request,
                                         const std::shared_ptr<const gateway::Snapshot>& snapshot) const {
    const auto admitted = exchange.admitted();
    if (const auto* guest = dynamic_cast<const Guest*>(admitted.get());
        guest != nullptr && guest->who && guest->snapshot == snapshot)
        return *guest->who;
    return access::authenticate(*snapshot->config, gateway_.services().admin_token, request.headers,
                                unix_ms(gateway_.services().clock.wall()), request.local,
                                key_in_query(match(request.method, request.path).errors, request.query));
}

net::Response Api::error(const net::Request& request, int status, const Error& error) {
    auto response = gateway::error_response(match("POST", request.path).errors, status, error);
    // A page reads why it was refused only where that says that it may.
    access::add_cors(gateway_.services().snapshot()->config->server, request.headers, response.headers);
    return response;
}

namespace {

// A method of ours: any other is a word of the client's.
std::string_view method_of(const net::Request& request) {
    constexpr std::array<std::string_view, 7> kMethods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    const auto* const found = std::ranges::find(kMethods, request.method);
    return found == kMethods.end() ? "other" : *found;
}

void log_question(log::Line& line, const gateway::RequestNote& note) {
    line.add("decision", note.decision).add("alias", note.alias);
    if (note.label) line.add("label", name_of(*note.label));
    line.add("model", note.model).add("provider", note.provider);
    if (note.zone) line.add("zone", name_of(*note.zone));
    if (note.attempts > 1) line.add("attempts", note.attempts);
    if (note.cached) line.add("cache", "hit");
    if (note.model.empty() && note.attempts == 0) return;
    line.add("tokens_in", note.usage.input.count).add("tokens_out", note.usage.output.count);
    line.add_number("cost", note.cost.text());
}

}  // namespace

void Api::answered(const net::Request& request, const net::Answered& how) {
    const auto* note = dynamic_cast<const gateway::RequestNote*>(request.note.get());
    traffic_.add(note, how.status);
    auto route = note != nullptr ? note->route : std::string_view();
    if (route.empty())
        if (const auto found = match(request.method, request.path); found.route != nullptr) route = found.route->path;
    if (route == "/tandem/v1/logs" && how.status == 200) return;  // or a follower would follow itself
    const bool watched = route.starts_with("/health") || route == "/readyz" || route == "/metrics";
    log::Line line(how.status >= 500             ? log::Level::warning
                   : watched && how.status < 400 ? log::Level::debug
                                                 : log::Level::info,
                   "request");
    line.add("method", method_of(request)).add("route", route.empty() ? "none" : route);
    line.add("status", how.status);
    if (!how.whole) line.add("ended", "early");
    if (note != nullptr) line.add("key", note->key);
    if (note != nullptr && !note->decision.empty()) log_question(line, *note);
    if (note != nullptr && note->refused) line.add("why", name_of(*note->refused));
    const auto first = how.first_byte + (note != nullptr ? note->beating : milliseconds(0));
    line.add("first_byte_ms", first.count()).add("ms", how.total.count());
    if (request.local) line.add("over", "socket");
    // Whoever tries keys can be kept away by that.
    if (how.status == 401 || how.status == 403) line.add("peer", request.peer);
}

Result<gateway::Call> Api::open_door(net::Exchange& exchange, const Match& match,
                                     std::shared_ptr<const gateway::Snapshot> snapshot) {
    const auto& request = exchange.request();
    const auto& config = *snapshot->config;
    auto& services = gateway_.services();
    // First of all: a key that stands twice tells nothing.
    auto said = access::read_headers(request.headers);
    if (!said) return fail(said.error());
    const bool open = match.route->scope == Scope::open;
    auto who = open ? access::Principal::anonymous() : sender_of(exchange, request, snapshot);
    if (!who) return fail(who.error());
    auto note = std::make_shared<gateway::RequestNote>();
    note->route = match.route->path;
    if (!open) note->key = who->id();
    exchange.request().note = std::move(note);
    const auto scope = match.route->scope;
    if (who->only_scrapes() && scope != Scope::metrics && !open)
        return fail(Fault::metrics_only, fmt::format("the key '{}' may read /metrics, and nothing else", who->id()));
    const bool owners = scope == Scope::owner || (scope == Scope::metrics && !who->only_scrapes());
    if (owners && !is_owner(*who, config))
        return fail(Fault::admin_only, "this needs a key with 'admin: true', or the admin token of the data folder");
    // What one user may do to all others is not for whoever reaches the port.
    if (scope == Scope::admin && !who->is_owner())
        return fail(
            Fault::admin_only,
            "this needs the admin token of the data folder, or a key with 'admin: true', also where no keys are "
            "wanted; `tandem` on this machine has the token");
    if (scope == Scope::local && !request.local)
        return fail(Fault::local_only, "this is for the owner's commands on this machine, over the server's socket");
    std::shared_ptr<const ledger::Admission> admission;
    if (counts(*match.route)) {
        auto admitted = services.budgets.admit(*who);
        if (!admitted) return fail(admitted.error());
        admission = std::make_shared<const ledger::Admission>(std::move(*admitted));
    }
    return gateway::Call{exchange,         std::move(snapshot),  std::move(*who),
                         std::move(*said), std::move(admission), match.parts};
}

net::Task<> Api::handle(net::Exchange& exchange) {
    const auto& request = exchange.request();
    auto snapshot = gateway_.services().snapshot();
    auto found = match(request.method, request.path);
    if (found.path != request.path) exchange.request().path = found.path;
    if (found.route == nullptr) return refuse(exchange, std::move(snapshot), std::move(found), {});
    auto call = open_door(exchange, found, snapshot);
    if (!call) return refuse(exchange, std::move(snapshot), std::move(found), std::move(call.error()));
    return found.route->answer(*this, *found.route, std::move(*call));
}

net::Task<> Api::refuse(net::Exchange& exchange, std::shared_ptr<const gateway::Snapshot> snapshot, Match match,
                        std::optional<Error> error) {
    const auto& request = exchange.request();
    const auto& server = snapshot->config->server;
    // A path is looked for only where no route was: what a limit refuses has one.
    const auto methods = match.route == nullptr ? methods_of(request.path) : std::string();
    if (request.method == "OPTIONS" && !methods.empty()) {
        co_await exchange.reply(access::preflight(server, request.headers, methods + ", OPTIONS"));
        co_return;
    }
    if (!error)
        if (auto who = sender_of(exchange, request, snapshot); !who) error = who.error();
    // 426 is what Codex wants to hear before it asks over HTTP; after any other answer it tries again first.
    const bool wants_socket = !error && equals_ignoring_case(request.headers.get("upgrade"), "websocket");
    if (wants_socket)
        error = Error{Fault::no_websocket,
                      fmt::format("{} has no WebSocket here; send the request over HTTP", printable(request.path, 80))};
    if (!error && !methods.empty())
        error = Error{Fault::method_not_allowed, fmt::format("{} takes {}", printable(request.path, 80), methods)};
    if (!error)
        error = Error{Fault::unknown_path,
                      fmt::format("there is nothing at {}{}", printable(request.path, 80), nearest_path(request.path))};
    auto response = gateway::error_response(match.errors, wants_socket ? 426 : 0, *error);
    if (!methods.empty()) response.headers.add("allow", methods + ", OPTIONS");
    access::add_cors(server, request.headers, response.headers);
    co_await exchange.reply(std::move(response));
}

std::string Api::metrics_text() {
    return metrics(gateway_.services(), traffic_);
}

// ---- /tandem/v1 ----

net::Task<Result<std::string>> Api::list_keys(const Call&) {
    return api::list_keys(gateway_.services());
}

net::Task<Result<std::string>> Api::create_key(const Call& call) {
    return api::create_key(gateway_.services(), take_keys_, call.request().body);
}

net::Task<Result<std::string>> Api::rotate_key(const Call& call) {
    return api::rotate_key(gateway_.services(), take_keys_, call.parts[0], call.request().body);
}

net::Task<Result<std::string>> Api::revoke_key(const Call& call) {
    return api::revoke_key(gateway_.services(), take_keys_, call.parts[0]);
}

net::Task<Result<std::string>> Api::experiments(const Call& call) {
    auto answer = co_await serve_experiments(gateway_.services(), experiments_, call.request(), below_prefix(call));
    // Its budget holds from the answer on.
    if (answer && call.request().method == "POST")
        if (auto taken = co_await net::run_on<Result<>>(gateway_.services().pool, take_keys_); !taken)
            co_return fail(taken.error());
    co_return answer;
}

net::Task<Result<std::string>> Api::probes(const Call& call) {
    co_return co_await serve_probes(gateway_, probes_, call.request(), below_prefix(call));
}

net::Task<Result<ledger::reports::Answer>> Api::cost(const Call& call) {
    co_return co_await make_report(gateway_.services(), call);
}

net::Task<Result<std::string>> Api::recompute(const Call& call) {
    co_return co_await recompute_costs(gateway_.services(), call);
}

net::Task<Result<std::string>> Api::decision(const Call& call) {
    const std::string id = call.parts[0];
    auto explanation = co_await read_ledger<Explanation>(
        gateway_.services(), [id](store::Database& database) { return explain(database, id); });
    if (!explanation) co_return fail(explanation.error());
    // Whose decision it is not, does not learn that it exists.
    if (!is_owner(call) && explanation->record.key != call.who.id())
        co_return fail(Fault::unknown_decision, fmt::format("there is no decision {}", printable(id, 60)));
    co_return to_json(*explanation, is_owner(call) ? *call.snapshot->config : config::Config());
}

net::Task<Result<std::string>> Api::scan(const Call& call) {
    json::Document document;
    if (auto ok = document.parse(call.request().body); !ok) co_return fail(ok.error());
    const auto text = document.root()["text"].string();
    if (!text) co_return fail(Fault::invalid_field, "text: expected a string", "text");
    auto& detector = *call.snapshot->detector;
    const auto& detection = call.snapshot->config->privacy.detect;
    auto found = co_await net::run_on<Result<privacy::Scan>>(
        gateway_.services().scans, call.who.id(),
        [&detector, &detection, &text] { return privacy::scan(detector, *text, detection); });
    if (!found) co_return fail(found.error());
    co_return privacy::to_json(*found, document.root()["id"].text());
}

// {"decision": "dec_..."} or {"conversation": NAME, "key": ID}, with "reason" and, unless it is public, "label".
net::Task<Result<std::string>> Api::release(const Call& call) {
    json::Document document;
    if (auto ok = document.parse(call.request().body); !ok) co_return fail(ok.error());
    const auto root = document.root();
    const std::string decision(root["decision"].text()), name(root["conversation"].text());
    const std::string reason(trim(root["reason"].text()));
    const auto& keys = call.snapshot->config->keys;
    std::string key(root["key"].string().value_or(keys.empty() ? access::Principal::anonymous().id() : ""));
    if (std::ranges::find(keys, key, &config::Key::id) != keys.end()) key = access::client_id(key);
    const auto to = label_from(root["label"].string().value_or("public"));
    if (decision.empty() == name.empty())
        co_return fail(Fault::invalid_field, "decision: give a decision, or a conversation and its key, and not both",
                       "decision");
    if (!name.empty() && key.empty())
        co_return fail(Fault::invalid_field, "key: is missing: the name of the key whose conversation it is", "key");
    if (reason.empty()) co_return fail(Fault::invalid_field, "reason: say why; it is recorded", "reason");
    if (!to) co_return fail(Fault::invalid_field, "label: expected public, internal or private", "label");
    auto& services = gateway_.services();
    const auto fingerprint = privacy::fingerprint_of_id(key + "\n" + name);
    if (!name.empty() && !services.privacy.memory().knows(fingerprint))
        co_return fail(Fault::unknown_object, fmt::format("there is no labelled conversation '{}' of {}",
                                                          printable(name, 60), printable(key, 60)));
    auto found = co_await store::query<privacy::LabelledConversation>(
        services.store, [decision, fingerprint](store::Database& database) {
            return decision.empty() ? privacy::conversation_named(database, fingerprint)
                                    : privacy::conversation_of(database, decision);
        });
    if (!found) co_return fail(found.error());
    auto released = services.privacy.memory().release(*found, *to);
    if (!released) co_return fail(released.error());
    auto job = [released = std::move(*released), kept = found->kept, to = *to](store::Database& database) -> Result<> {
        if (auto ok = released(database); !ok) return ok;
        for (const auto& id : kept)
            if (auto ok = resources::lower_label(database, id, to); !ok) return ok;
        return {};
    };
    const auto what = decision.empty() ? fmt::format("{} of {}", name, key) : decision;
    auto recorded = co_await net::wait_for<Result<>>([&](auto resume) {
        services.privacy.record_release(printable(what, 200), *to, printable(reason, 400), std::move(job),
                                        std::move(resume));
    });
    if (!recorded) co_return fail(recorded.error());
    json::Writer out;
    out.begin_object().member("released", what).member("label", name_of(*to));
    // Where more was found than can be released at once, the rest counts as ever.
    out.member("texts", found->leaves.size()).member("whole", !found->more).end_object();
    co_return out.take();
}

// {"key": ID}, or {"all": true}, with "reason".
net::Task<Result<std::string>> Api::forget_labels(const Call& call) {
    json::Document document;
    if (auto ok = document.parse(call.request().body); !ok) co_return fail(ok.error());
    const auto root = document.root();
    std::string key(root["key"].text());
    const std::string reason(trim(root["reason"].text()));
    const auto& keys = call.snapshot->config->keys;
    if (std::ranges::find(keys, key, &config::Key::id) != keys.end()) key = access::client_id(key);
    const bool all = root["all"].boolean().value_or(false);
    if (key.empty() != all) co_return fail(Fault::invalid_field, "key: give a key, or \"all\": true", "key");
    if (reason.empty()) co_return fail(Fault::invalid_field, "reason: say why; it is recorded", "reason");
    auto& services = gateway_.services();
    const auto what = all ? std::string("everything that was remembered") : "everything of " + key;
    auto recorded = co_await net::wait_for<Result<>>([&](auto resume) {
        services.privacy.record_release(printable(what, 200), Label::public_, printable(reason, 400),
                                        services.privacy.memory().forget(key), std::move(resume));
    });
    if (!recorded) co_return fail(recorded.error());
    json::Writer out;
    out.begin_object().member("forgotten", what).end_object();
    co_return out.take();
}

net::Task<Result<std::string>> Api::feedback(const Call& call) {
    json::Document document;
    if (auto ok = document.parse(call.request().body); !ok) co_return fail(ok.error());
    auto said = read_feedback(document.root());
    if (!said) co_return fail(said.error());
    auto& decision = said->decision;
    auto& services = gateway_.services();
    if (!call.snapshot->config->policy.objective.learn)
        co_return fail(Fault::not_enabled, "policy.objective.learn is off in tandem.yaml: nothing is learned here");
    if (decision == "last" && is_owner(call)) {
        auto last = co_await store::query<ledger::DecisionRecord>(
            services.store, [](store::Database& database) { return ledger::last_decision(database); });
        if (!last) co_return fail(last.error());
        decision = last->id.text();
    }
    auto weight = co_await net::wait_for<Result<double>>([&](auto resume) {
        services.learning.feedback(decision, call.who.id(), is_owner(call), said->value, said->comment,
                                   std::move(resume));
    });
    if (!weight) co_return fail(weight.error());
    json::Writer out;
    out.begin_object().member("decision", decision).raw_member("outcome", fmt::format("{}", said->value));
    out.raw_member("weight", fmt::format("{:.3f}", *weight)).end_object();
    co_return out.take();
}

Result<std::string> Api::learning(const Call& call) {
    json::Writer out;
    out.begin_object().member("learns", call.snapshot->config->policy.objective.learn).key("models").begin_array();
    for (const auto& model : gateway_.services().learning.learner().summary()) {
        out.begin_object().member("model", model.model).member("outcomes", model.outcomes);
        out.raw_member("weight", fmt::format("{}", model.weight));
        out.raw_member("prior", fmt::format("{}", model.expected));
        out.raw_member("expected", fmt::format("{}", model.mean));
        out.raw_member("seconds", fmt::format("{}", model.seconds)).member("answer_tokens", model.answer_tokens);
        out.end_object();
    }
    out.end_array().end_object();
    return out.take();
}

net::Task<Result<std::string>> Api::forget(const Call& call) {
    const std::string model(call.request().parameter("model"));
    if (!model.empty() && call.snapshot->config->model(model) == nullptr)
        co_return fail(Fault::unknown_model, fmt::format("there is no model '{}'", printable(model, 60)));
    auto gone = co_await net::wait_for<Result<>>(
        [&](auto resume) { gateway_.services().learning.forget(model, std::move(resume)); });
    if (!gone) co_return fail(gone.error());
    json::Writer out;
    out.begin_object().member("forgotten", model.empty() ? "all" : model).end_object();
    co_return out.take();
}

// The owner's own text, secrets that stand in it included: hence Scope::local.
Result<std::string> Api::config(const Call& call) {
    const auto& config = *call.snapshot->config;
    json::Writer out;
    std::error_code ignored;
    const auto source = config.source.empty() ? config.source : std::filesystem::absolute(config.source, ignored);
    out.begin_object().member("source", source.string()).member("data", config.data.string());
    out.member("text", config.text).end_object();
    return out.take();
}

// ?after=NUMBER&since=MILLISECONDS
Result<std::string> Api::logs(const Call& call) {
    const auto& request = call.request();
    const auto recent = log::recent(whole_number(request.parameter("after")).value_or(0),
                                    whole_number(request.parameter("since")).value_or(0));
    json::Writer out;
    out.begin_object().member("lines", recent.lines).member("next", recent.next).member("first", recent.first);
    out.member("missed", recent.missed).end_object();
    return out.take();
}

namespace {

void write_budgets(json::Writer& out, const gateway::Services& services, const config::Config& config) {
    out.member("currency", config.currency).key("budgets").begin_array();
    for (const auto& state : services.budgets.states()) {
        const auto& budget = state.budget;
        out.begin_object().member("field", budget.field).member("of", ledger::text_of(budget.of));
        if (!budget.of.key.empty()) out.member("key", budget.of.key);
        if (!budget.of.team.empty()) out.member("team", budget.of.team);
        if (!budget.of.owner.empty()) out.member("owner", budget.of.owner);
        if (!budget.of.workflow.empty()) out.member("workflow", budget.of.workflow);
        out.member("window", config::text_of(budget.window));
        if (budget.limit) {
            out.member("limit", budget.limit->text()).member("spent", state.spent.cost.text());
            out.member("reserved", state.reserved.cost.text());
        } else {
            out.member("token_limit", budget.tokens).member("tokens", state.spent.tokens.count);
            out.member("reserved_tokens", state.reserved.tokens.count);
        }
        out.member("on_budget", config::kOnBudgetNames[static_cast<std::size_t>(budget.on_budget)]);
        if (budget.soft) out.member("soft", true);
        if (state.ends > 0) out.member("ends", minute_text(state.ends, budget.window.zone));
        out.end_object();
    }
    out.end_array();
}

// Models that their providers said not to have, until they answer.
void write_refused_models(json::Writer& out, const gateway::Services& services, const config::Config& config) {
    out.key("refused_models").begin_array();
    for (const auto& model : config.models) {
        const auto key = upstream::Health::model_key(*config.provider(model.provider), model.name);
        if (const auto why = services.health.refusal_of_model(key); !why.empty())
            out.begin_object()
                .member("model", model.id)
                .member("provider", model.provider)
                .member("why", why)
                .end_object();
    }
    out.end_array();
}

}  // namespace

Result<std::string> Api::status(const Call& call) {
    auto& services = gateway_.services();
    json::Writer out;
    out.begin_object()
        .member("version", TANDEM_VERSION)
        .member("config", call.snapshot->config->source.string())
        .member("data", call.snapshot->config->data.string());
    if (const auto refused = services.refused_config(); !refused.empty()) out.member("config_refused", refused);
    write_budgets(out, services, *call.snapshot->config);
    out.member("routing_table", call.snapshot->table_id).key("providers").begin_array();
    for (const auto& provider : call.snapshot->config->providers) {
        const auto unhealthy = services.health.unhealthy(provider.id);
        const auto health = services.health.status(provider.id);
        out.begin_object()
            .member("id", provider.id)
            .member("zone", name_of(provider.zone))
            .member("clearance", name_of(provider.clearance));
        const bool refused = health.state == "key refused";
        out.member("healthy", unhealthy.empty() && !refused);
        if (refused || !unhealthy.empty()) out.member("reason", refused ? health.why : unhealthy);
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
    write_refused_models(out, services, *call.snapshot->config);
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
    if (auto ok = document.parse(call.request().body); !ok) return fail(ok.error());
    const auto request = dialect::openai_chat::decode_request(document);
    if (!request) return fail(request.error());
    const auto dry =
        gateway::decide_only(*call.snapshot, &gateway_.services(), call.who, document, *request, call.said);
    if (!dry.decision) return fail(dry.decision.error());
    json::Writer out;
    out.begin_object().member("sentence", dry.decision->sentence()).raw_member("inputs", routing::to_json(dry.inputs));
    out.raw_member("decision", routing::to_json(*dry.decision)).end_object();
    return out.take();
}

}  // namespace tandem::api
