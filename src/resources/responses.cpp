#include "resources/responses.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "dialect/fields.h"
#include "dialect/openai_responses.h"
#include "gateway/detached.h"
#include "gateway/pulse.h"
#include "gateway/run.h"
#include "gateway/weight.h"
#include "resources/items.h"
#include "resources/promises.h"
#include "resources/quotas.h"
#include "resources/stored.h"
#include "resources/turn.h"
#include "store/query.h"

namespace tandem::resources {

struct Plan {
    std::string id;  // of the response, without its prefix
    std::string previous;
    std::string conversation;
    bool store = true;
    bool background = false;
    bool stream = false;
    std::vector<std::string> input;  // its own items
    std::vector<std::string> history;
    Label label = Label::public_;
    std::string echo;
    mutable Promises::Part items;  // bytes of the input, of what its conversation may have, until they are written
};

namespace {

using dialect::given;
using json::Value;

constexpr seconds kLongestLook{10};           // until it is looked again whether a response has ended
constexpr std::int64_t kMostBackground = 32;  // responses of one key under way in the background
constexpr std::size_t kHistoryCopies = 3;     // while the request is made that goes on with it

Result<Plan> plan_of(const json::Document& document) {
    const Value root = document.root();
    if (!root.is(json::Kind::object)) return fail(Fault::invalid_json, "the body must be a JSON object");
    Plan plan;
    if (auto ok = dialect::read_string(root["previous_response_id"], "previous_response_id", plan.previous); !ok)
        return fail(ok.error());
    if (auto ok = dialect::read_flag(root["store"], "store", plan.store); !ok) return fail(ok.error());
    if (auto ok = dialect::read_flag(root["background"], "background", plan.background); !ok) return fail(ok.error());
    if (auto ok = dialect::read_flag(root["stream"], "stream", plan.stream); !ok) return fail(ok.error());
    const Value conversation = root["conversation"];
    plan.conversation = conversation.is(json::Kind::object) ? conversation["id"].text() : conversation.text();
    if (!plan.conversation.empty() && !plan.previous.empty())
        return fail(Fault::conflicting_fields, "conversation and previous_response_id say the same; give one of them",
                    "previous_response_id");
    if (plan.background && !plan.store)
        return fail(Fault::conflicting_fields,
                    "store: a background response must be stored, so that it can be asked for", "store");
    const Value input = root["input"];
    if (!input.is(json::Kind::array) && !input.string())
        return fail(Fault::invalid_field, "input: expected a string or a list of items", "input");
    plan.input = dialect::openai_responses::input_items(input);
    plan.echo = dialect::openai_responses::echo_of(document);
    return plan;
}

// What is kept of a request while it is answered.
std::size_t size_of(const Plan& plan) {
    std::size_t bytes = plan.echo.size();
    for (const auto& item : plan.input) bytes += item.size() + sizeof(item);
    return bytes;
}

std::unexpected<Error> of_field(Error error, std::string field) {
    error.param = std::move(field);
    return fail(std::move(error));
}

// How much of the earlier items there is, before any of it is read. Errors: not_found, context.
net::Task<Result<std::int64_t>> size_of_history(gateway::Services& services, const std::string& key, const Plan& plan,
                                                std::int64_t most) {
    if (!plan.previous.empty())
        co_return co_await store::query<std::int64_t>(
            services.store,
            [key, id = plan.previous, most](store::Database& d) { return history_bytes(d, key, id, most); });
    co_return co_await store::query<std::int64_t>(
        services.store, [key, id = plan.conversation, most](store::Database& d) -> Result<std::int64_t> {
            auto conversation = find_conversation(d, key, id);
            if (!conversation) return fail(conversation.error());
            if (conversation->bytes <= most) return conversation->bytes;
            return fail(Fault::history_too_long,
                        fmt::format("the conversation has {} MiB, and a request may have {} MiB with all that it goes "
                                    "on from; delete items, or begin a new one with a summary",
                                    conversation->bytes >> 20, most >> 20));
        });
}

// The earlier items, from where the request says that they are: at most `most` bytes, for which `held` has room first.
net::Task<Result<>> load_history(gateway::Services& services, const std::string& key, Plan& plan, std::int64_t most,
                                 Held& held) {
    if (plan.previous.empty() && plan.conversation.empty()) co_return Result<>{};
    const std::string field = plan.previous.empty() ? "conversation" : "previous_response_id";
    const auto bytes = co_await size_of_history(services, key, plan, most);
    if (!bytes) co_return of_field(bytes.error(), field);
    if (auto room = held.grow(kHistoryCopies * static_cast<std::size_t>(*bytes)); !room)
        co_return of_field(room.error(), field);
    auto history = co_await store::query<History>(
        services.store,
        [key, previous = plan.previous, id = plan.conversation, most](store::Database& d) -> Result<History> {
            if (!previous.empty()) return history_of(d, key, previous, most);
            auto conversation = find_conversation(d, key, id);
            if (!conversation) return fail(conversation.error());
            auto items = items_of(d, id);
            if (!items) return fail(items.error());
            return History{std::move(*items), conversation->label};
        });
    if (!history) co_return of_field(history.error(), field);
    plan.history = std::move(history->items);
    plan.label = history->label;
    co_return Result<>{};
}

// Whether what will be kept of it has room. Errors: too_large.
net::Task<Result<>> check_room(gateway::Services& services, Promises& promises, const Quota& quota, Plan& plan) {
    const auto bytes = static_cast<std::int64_t>(size_of(plan));
    if (plan.store && bytes > quota.response_bytes)
        co_return fail(Fault::quota_used_up,
                       fmt::format("store: the request has {} bytes, and all stored responses of this key may have {}; "
                                   "send store: false, or raise limits.response_bytes of the key",
                                   bytes, quota.response_bytes),
                       "store");
    if (plan.conversation.empty()) co_return Result<>{};
    // Requests under way have taken their part already, and this one with them.
    plan.items = promises.take(plan.conversation, bytes);
    const auto promised = promises.of(plan.conversation);
    co_return co_await check_quota(services, [quota, promised, id = plan.conversation](store::Database& d) {
        return check_items(d, id, quota, promised);
    });
}

// The job that keeps a finished response, and what of it belongs to a conversation.
store::Store::Job keep_job(std::shared_ptr<const Plan> shared, const std::string& key, Quota quota, std::int64_t now,
                           std::string response, Label label, const DecisionId& decision) {
    return [shared, key, quota, now, response = std::move(response), label,
            decision = decision.text()](store::Database& database) -> Result<> {
        const auto& plan = *shared;
        // One that was being made in the background may have been deleted meanwhile.
        if (plan.background && !size_of_response(database, key, "resp_" + plan.id)) return {};
        if (plan.store) {
            StoredResponse stored{"resp_" + plan.id,    key,      label, now,     plan.previous, plan.conversation,
                                  array_of(plan.input), response, {},    decision};
            if (auto ok = put(database, stored); !ok) return ok;
            if (auto ok = make_room_for_responses(database, key, quota, stored.id, now); !ok) return ok;
        }
        if (plan.conversation.empty()) return {};
        // One that was deleted meanwhile stays deleted.
        if (const auto found = find_conversation(database, key, plan.conversation); !found)
            return found.error().code == ErrorCode::not_found ? Result<>() : fail(found.error());
        std::vector<std::string> items;
        for (std::size_t i = 0; i < plan.input.size(); ++i)
            items.push_back(with_id(plan.input[i], fmt::format("{}_i{}", plan.id, i)));
        json::Document document;
        if (document.parse(response))
            for (const Value item : document.root()["output"].children()) items.emplace_back(item.raw());
        plan.items.release();
        return add_items(database, plan.conversation, items, label);
    };
}

gateway::Keeping keeping_of(std::shared_ptr<const Plan> shared, const access::Principal& who, std::int64_t now) {
    const auto& plan = *shared;
    gateway::Keeping keeping;
    keeping.id = plan.id;
    keeping.echo = plan.echo;
    keeping.own = {{"id", json::quoted("resp_" + plan.id)},
                   {"store", plan.store ? "true" : "false"},
                   {"previous_response_id", plan.previous.empty() ? "null" : json::quoted(plan.previous)}};
    keeping.own.emplace_back("background", plan.background ? "true" : "false");
    if (!plan.conversation.empty())
        keeping.own.emplace_back("conversation", fmt::format("{{\"id\":{}}}", json::quoted(plan.conversation)));
    keeping.from = plan.previous.empty() ? plan.conversation : plan.previous;
    keeping.label = plan.label;
    keeping.label_reason = "what it goes on from";
    if (plan.store || !plan.conversation.empty())
        keeping.keep = [shared, key = who.id(), quota = quota_of(who), now](const std::string& response, Label label,
                                                                            const DecisionId& decision) {
            return keep_job(shared, key, quota, now, response, label, decision);
        };
    return keeping;
}

std::string first_object(const Plan& plan, std::int64_t now, std::string_view model, std::string_view status) {
    json::Writer out;
    out.begin_object().member("id", "resp_" + plan.id).member("object", "response").member("created_at", now);
    out.key("completed_at")
        .null()
        .member("status", status)
        .key("error")
        .null()
        .key("incomplete_details")
        .null()
        .member("model", model);
    out.key("output").begin_array().end_array().key("usage").null().end_object();
    auto text = out.take();
    text.insert(text.size() - 1, "," + plan.echo);
    return text;
}

constexpr auto kDialect = dialect::Kind::openai_responses;

// ---- background ----

struct BackgroundRun {
    gateway::Gateway& gateway;
    std::shared_ptr<const gateway::Snapshot> snapshot;
    access::Principal who;
    access::RequestHeaders said;
    std::shared_ptr<const ledger::Admission> admission;
    Held memory;  // for the plan and the request
    std::shared_ptr<const Plan> plan;
    net::Request request;
    std::int64_t now;
    std::string model;
    std::shared_ptr<Live> live;
    DecisionId decision;
    Promises::Part place;  // among the key's responses under way
    std::string partial;   // of an event
    bool full = false;     // there was no room for one more event
};

// False where there is no room for what has come.
bool take_bytes(BackgroundRun& run, std::string_view bytes) {
    // An event may come in many pieces: only what is new is searched.
    const std::size_t searched = run.partial.empty() ? 0 : run.partial.size() - 1;
    run.partial += bytes;
    std::size_t begin = 0;
    while (true) {
        const auto end = run.partial.find("\n\n", std::max(begin, searched));
        if (end == std::string::npos) break;
        if (!run.live->add(std::string_view(run.partial).substr(begin, end + 2 - begin))) return false;
        begin = end + 2;
    }
    run.partial.erase(0, begin);
    return run.partial.size() <= Live::kMostEvents;
}

// An error before the answer began: the response has failed, and its stream says so.
std::string failed_object(const BackgroundRun& run, std::string_view body, std::string_view status) {
    json::Document document;
    Value error;
    if (document.parse(body)) error = document.root()["error"];
    json::Writer said;
    said.begin_object().member("code", error["code"].string().value_or("server_error"));
    said.member("message", error["message"].string().value_or("the request failed"));
    if (const auto reason = error["reason"].string()) said.member("reason", *reason);
    said.end_object();
    json::Document object;
    if (!object.parse(first_object(*run.plan, run.now, run.model, status))) return {};
    return dialect::with_members(object.root(), {{"error", status == "failed" ? said.take() : std::string("null")}});
}

net::Task<> run_in_background(std::shared_ptr<BackgroundRun> run, net::Worker& worker, net::Cancel& cancel) {
    std::string failure;
    gateway::Detached exchange(worker, std::move(run->request),
                               {[&](net::Response response) { failure = std::move(response.body); },
                                [&](std::string bytes) {
                                    if (run->full || take_bytes(*run, bytes)) return;
                                    run->full = true;
                                    exchange.cancel().fire(net::Cancel::Reason::not_needed);
                                }});
    exchange.end_with(cancel);
    auto& services = run->gateway.services();
    run->memory.shrink(gateway::weight_of(exchange.request().body));
    auto keeping = keeping_of(run->plan, run->who, run->now);
    keeping.decision = run->decision;
    keeping.begun = [live = run->live](const gateway::Origin& origin) { live->begin(origin); };
    co_await gateway::answer_question(run->gateway, {exchange, run->snapshot, run->who, run->said, run->admission, {}},
                                      {kDialect, translate::Operation::chat}, std::move(keeping));
    if (run->full)
        failure =
            R"({"error":{"code":"too_large","message":"there is no room for the events of this response; ask for )"
            R"(less at once, or raise server.limits.memory_bytes"}})";
    const bool stopped = exchange.cancel().reason() == net::Cancel::Reason::stopping;
    if (stopped)
        failure =
            R"({"error":{"code":"server_error","message":"the server was stopped while this response was made"}})";
    const bool cancelled = exchange.cancel().fired() && !run->full && !stopped;
    std::string object;
    if (cancelled || !failure.empty()) {
        object = failed_object(*run, failure, cancelled ? "cancelled" : "failed");
        take_bytes(*run,
                   fmt::format("event: response.failed\ndata: {{\"type\":\"response.failed\",\"sequence_number\":{},"
                               "\"response\":{}}}\n\n",
                               run->live->count(), object));
    }
    // The events can be asked for later too.
    const auto label = exchange.label();
    auto kept = co_await store::change(services.store, [run, object, label](store::Database& database) -> Result<> {
        auto stored = find_response(database, run->who.id(), "resp_" + run->plan->id);
        if (!stored) return {};  // deleted meanwhile
        // An answer was kept with its label; what failed has that of its decision.
        if (!object.empty() && label) stored->label = higher(higher(*label, run->plan->label), run->said.label);
        if (!label && !run->live->origin()) stored->decision.clear();  // it was refused before there was one
        stored->events = run->live->all();
        if (!object.empty()) stored->response = object;
        return put(database, *stored);
    });
    (void)kept;  // what cannot be kept now is marked as interrupted at the next start
}

// Sends the events of a background response from `first` on, as they come.
net::Task<> follow(net::Exchange& exchange, std::shared_ptr<Live> live, std::size_t first, net::Fields headers) {
    headers.add("content-type", "text/event-stream");
    headers.add("cache-control", "no-cache");
    headers.add("x-accel-buffering", "no");
    exchange.start(200, headers);
    while (!exchange.cancel().fired()) {
        const auto count = live->changed().count();
        auto seen = live->since(first);
        first += seen.events;
        if (seen.ended) {
            co_await exchange.finish(std::move(seen.bytes));
            co_return;
        }
        if (seen.events > 0) {
            if (!co_await exchange.write(std::move(seen.bytes))) co_return;
            continue;
        }
        const auto began = std::chrono::steady_clock::now();
        co_await live->changed().wait(count, exchange.worker().context(), gateway::Pulse::kEvery, exchange.cancel());
        if (live->changed().count() == count && std::chrono::steady_clock::now() - began >= gateway::Pulse::kEvery)
            co_await exchange.write(dialect::of(kDialect).beat({}));
    }
}

// ---- what was stored ----

using Answer = Result<std::string>;

// `held` has room for it before it is read.
net::Task<Result<StoredResponse>> stored_response(gateway::Gateway& gateway, const gateway::Call& call, Held& held) {
    auto& services = gateway.services();
    const auto key = call.who.id();
    auto size = co_await store::query<ResponseSize>(
        services.store,
        [key, id = call.parts[0]](store::Database& database) { return size_of_response(database, key, id); });
    if (!size) co_return fail(size.error());
    const auto bytes = static_cast<std::size_t>(size->bytes);
    auto room = services.memory.take(MemoryKind::answer, key, kStoredCopies * bytes, bytes <= MemoryAccount::kSmall);
    if (!room) co_return fail(room.error());
    held = std::move(*room);
    co_return co_await store::query<StoredResponse>(
        services.store,
        [key, id = call.parts[0]](store::Database& database) { return find_response(database, key, id); });
}

// The place of the first event that a client wants. Errors: invalid, for what is no event's number.
Result<std::size_t> first_event(const net::Request& request, std::size_t events) {
    const auto said = request.parameter("starting_after");
    if (said.empty()) return 0;
    const auto after = whole_number(said);
    if (!after || *after < 0)
        return fail(Fault::invalid_parameter,
                    fmt::format("starting_after: expected the sequence_number of an event, from 0 on, got '{}'",
                                printable(said, 40)),
                    "starting_after");
    if (static_cast<std::size_t>(*after) >= events)
        return fail(Fault::invalid_parameter,
                    fmt::format("starting_after: the response has {} events so far, the last is number {}", events,
                                static_cast<std::int64_t>(events) - 1),
                    "starting_after");
    return static_cast<std::size_t>(*after) + 1;
}

// The events of a response that is not being made any more. One that had no stream has an event: its end.
std::shared_ptr<Live> events_of(const StoredResponse& stored) {
    auto live = std::make_shared<Live>();
    std::string_view rest = stored.events;
    while (!rest.empty()) {
        const auto end = rest.find("\n\n");
        if (end == std::string_view::npos) break;
        live->add(rest.substr(0, end + 2));
        rest.remove_prefix(end + 2);
    }
    if (stored.events.empty())
        live->add(
            fmt::format("event: response.completed\ndata: {{\"type\":\"response.completed\",\"sequence_number\":0,"
                        "\"response\":{}}}\n\n",
                        stored.response));
    live->end();
    return live;
}

// Who answered it, as the headers of its request would have said; nothing where no decision is known.
net::Task<net::Fields> origin_of(gateway::Services& services, const StoredResponse& stored,
                                 const std::shared_ptr<Live>& live) {
    net::Fields headers;
    if (stored.decision.empty()) co_return headers;
    if (live) {
        const auto begun = live->origin();
        if (begun)
            gateway::add_origin(*begun, headers);
        else
            headers.add("x-tandem-decision", stored.decision);
        co_return headers;
    }
    auto origin = co_await store::query<gateway::Origin>(
        services.store, [id = stored.decision](store::Database& database) { return gateway::origin_of(database, id); });
    if (!origin) co_return headers;
    origin->label = stored.label;
    gateway::add_origin(*origin, headers);
    co_return headers;
}

bool is_background(const StoredResponse& stored) {
    json::Document document;
    return document.parse(stored.response) && document.root()["background"].boolean().value_or(false);
}

// As it is kept, it waits for its turn until it has ended; whether a model is asked is known here alone.
std::string in_progress(std::string response) {
    json::Document document;
    if (!document.parse(response) || document.root()["status"].text() != "queued") return response;
    return dialect::with_members(document.root(), {{"status", "\"in_progress\""}});
}

// Reads the request, and makes of it one that has all that it goes on from. `held` has what the plan takes, at the end.
net::Task<Result<std::shared_ptr<const Plan>>> make_plan(gateway::Services& services, Promises& promises,
                                                         const gateway::Call& call, bool counts, Held& held,
                                                         std::string& model) {
    auto& body = call.exchange.request().body;
    const auto key = call.who.id();
    const auto weight = gateway::weight_of(body);
    auto room = services.memory.take(MemoryKind::job, key, weight, gateway::is_small(weight));
    if (!room) co_return fail(room.error());
    held = std::move(*room);
    json::Document document;
    auto plan = std::make_shared<Plan>();
    auto read = co_await in_turn(services, key, body.size(), [&]() -> Result<> {
        if (auto ok = document.parse(body); !ok) return ok;
        auto made = plan_of(document);
        if (!made) return fail(made.error());
        *plan = std::move(*made);
        return {};
    });
    if (!read) co_return fail(read.error());
    model = document.root()["model"].text();
    const auto most = call.snapshot->config->server.limits.body_bytes;
    auto loaded = co_await load_history(services, key, *plan,
                                        static_cast<std::int64_t>(most - std::min(most, body.size())), held);
    if (!loaded) co_return fail(loaded.error());
    plan->id = services.new_id();
    if (!counts)
        if (auto fits = co_await check_room(services, promises, quota_of(call.who), *plan); !fits)
            co_return fail(fits.error());
    const auto own = body.size();
    auto expanded = co_await in_turn(services, key, own + static_cast<std::size_t>(bytes_of(plan->history)), [&] {
        std::vector<std::pair<std::string_view, std::string>> members;
        if (!plan->history.empty()) {
            auto items = std::exchange(plan->history, {});
            items.insert(items.end(), plan->input.begin(), plan->input.end());
            members.emplace_back("input", array_of(items));
        }
        // It streams into what is kept, whether somebody reads along or not.
        if (plan->background && !counts) members.emplace_back("stream", "true");
        if (!members.empty()) body = dialect::with_members(document.root(), members);
        return Result<>();
    });
    if (!expanded) co_return fail(expanded.error());
    document = json::Document();
    if (auto ok = held.resize(size_of(*plan) + (body.size() > own ? body.size() - own : 0)); !ok)
        co_return fail(ok.error());
    co_return plan;
}

}  // namespace

Result<> Responses::fail_interrupted() {
    return gateway_.services().store.run([](store::Database& d) { return resources::fail_interrupted(d); });
}

std::shared_ptr<Live> Responses::live(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = live_.find(id);
    return found == live_.end() ? nullptr : found->second;
}

net::Task<> Responses::start_background(gateway::Call call, std::shared_ptr<const Plan> shared, Held memory,
                                        const std::string& model) {
    auto& services = gateway_.services();
    auto& exchange = call.exchange;
    const auto& plan = *shared;
    const auto key = call.who.id();
    auto place = promises_.take("background of " + key, 1);
    if (promises_.of("background of " + key) > kMostBackground) {
        co_await gateway::reply_json(
            call, kDialect,
            fail(Fault::too_many_under_way,
                 fmt::format("{} responses of this key are under way in the background; wait for one, "
                             "or cancel one",
                             kMostBackground)));
        co_return;
    }
    const auto now = services.unix_seconds();
    const auto object = first_object(plan, now, model, "queued");
    const auto decision = DecisionId::make(services.clock, services.random);
    // Until it is decided what it is, what goes on from it stays home.
    StoredResponse stored{
        "resp_" + plan.id, key, Label::secret, now, plan.previous, plan.conversation, array_of(plan.input), object, {},
        decision.text()};
    auto kept = co_await store::change(
        services.store,
        [stored = std::move(stored), quota = quota_of(call.who), now](store::Database& database) -> Result<> {
            if (auto ok = put(database, stored); !ok) return ok;
            return make_room_for_responses(database, stored.key, quota, stored.id, now);
        });
    if (!kept) {
        co_await gateway::reply_json(call, kDialect, fail(kept.error()));
        co_return;
    }
    auto live = std::make_shared<Live>(services.memory.open(MemoryKind::job, key, false));
    // The body goes; the headers are wanted for the reply.
    auto body = std::move(exchange.request().body);
    net::Request request = exchange.request();
    request.body = std::move(body);
    const bool stream = plan.stream;
    const auto id = "resp_" + plan.id;
    auto run = std::make_shared<BackgroundRun>(BackgroundRun{gateway_,
                                                             call.snapshot,
                                                             call.who,
                                                             call.said,
                                                             call.admission,
                                                             std::move(memory),
                                                             shared,
                                                             std::move(request),
                                                             now,
                                                             model,
                                                             live,
                                                             decision,
                                                             std::move(place),
                                                             {}});
    auto work = [this, run, id](net::Worker& worker, net::Cancel& cancel) -> net::Task<> {
        struct Leave {  // whatever comes of it
            Responses& responses;
            BackgroundRun& run;
            const std::string& id;
            ~Leave() {
                const std::lock_guard lock(responses.mutex_);
                responses.live_.erase(id);
                run.place.release();
                run.live->end();
            }
        } leave{*this, *run, id};
        co_await run_in_background(run, worker, cancel);
    };
    {
        const std::lock_guard lock(mutex_);
        live_.emplace(id, live);
    }
    if (!runner_.start(exchange.worker(), id, std::move(work))) {
        {
            const std::lock_guard lock(mutex_);
            live_.erase(id);
        }
        co_await gateway::reply_json(call, kDialect, fail(Fault::server_stopping, "the server is stopping"));
        co_return;
    }
    net::Fields headers;
    headers.add("x-tandem-decision", decision.text());
    if (stream)
        co_await follow(exchange, live, 0, std::move(headers));
    else
        co_await gateway::reply_json(call, kDialect, object, std::move(headers));
}

net::Task<> Responses::answer(gateway::Call call, bool counts) {
    auto& services = gateway_.services();
    Held held;
    std::string model;
    auto plan = co_await make_plan(services, promises_, call, counts, held, model);
    if (!plan) {
        co_await gateway::reply_json(call, kDialect, fail(plan.error()));
        co_return;
    }
    if ((*plan)->background && !counts) {
        // Its body goes with it, and is not the connection's any more.
        // What it takes to answer is there before it is taken on: run_in_background() gives that part back.
        const auto& body = call.request().body;
        if (auto room = held.grow(body.size() + gateway::weight_of(body)); !room)
            co_await gateway::reply_json(call, kDialect, fail(room.error()));
        else
            co_await start_background(std::move(call), std::move(*plan), std::move(held), model);
        co_return;
    }
    auto keeping = keeping_of(std::move(*plan), call.who, services.unix_seconds());
    co_await gateway::answer_question(gateway_, std::move(call),
                                      {kDialect, counts ? translate::Operation::count : translate::Operation::chat},
                                      std::move(keeping));
}

net::Task<> Responses::read(gateway::Call call) {
    Held held;
    // Before it is read: one that ends meanwhile is read as it ended.
    auto making = live(call.parts[0]);
    auto stored = co_await stored_response(gateway_, call, held);
    if (!stored) {
        co_await gateway::reply_json(call, kDialect, fail(stored.error()));
        co_return;
    }
    auto headers = co_await origin_of(gateway_.services(), *stored, making);
    if (call.request().parameter("stream") != "true") {
        auto object = std::move(stored->response);
        if (making && making->origin()) object = in_progress(std::move(object));
        co_await gateway::reply_json(call, kDialect, std::move(object), std::move(headers));
        co_return;
    }
    if (!making) making = events_of(*stored);
    const auto first = first_event(call.request(), making->count());
    if (first)
        co_await follow(call.exchange, std::move(making), *first, std::move(headers));
    else
        co_await gateway::reply_json(call, kDialect, fail(first.error()));
}

net::Task<Answer> Responses::cancel(const gateway::Call& call) {
    // Only the principal that made it may end it.
    Held held;
    auto stored = co_await stored_response(gateway_, call, held);
    if (!stored) co_return fail(stored.error());
    if (!is_background(*stored))
        co_return fail(Fault::wrong_state,
                       "only a response that was made with background: true can be cancelled; of another one, close "
                       "the connection on which it is answered");
    if (const auto made = live(stored->id)) {
        runner_.cancel(stored->id);
        auto& gone = call.exchange.cancel();
        for (auto count = made->changed().count(); live(stored->id) && !gone.fired(); count = made->changed().count())
            co_await made->changed().wait(count, call.exchange.worker().context(), kLongestLook, gone);
        stored = co_await stored_response(gateway_, call, held);
        if (!stored) co_return fail(stored.error());
    }
    co_return stored->response;
}

net::Task<Answer> Responses::remove(const gateway::Call& call) {
    const auto& id = call.parts[0];
    auto done = co_await store::change(gateway_.services().store, [key = call.who.id(), id](store::Database& database) {
        return remove_response(database, key, id);
    });
    if (!done) co_return fail(done.error());
    runner_.cancel(id);
    co_return deleted(id, "response");
}

net::Task<Answer> Responses::list_items(const gateway::Call& call) {
    Held held;
    auto stored = co_await stored_response(gateway_, call, held);
    if (!stored) co_return fail(stored.error());
    json::Document document;
    std::vector<std::string> items;
    if (document.parse(stored->input))
        for (const Value item : document.root().children())
            items.push_back(
                with_id(std::string(item.raw()), fmt::format("{}_i{}", stored->id.substr(5), items.size())));
    co_return listed(std::move(items), asked_for(call.request()));
}

}  // namespace tandem::resources
