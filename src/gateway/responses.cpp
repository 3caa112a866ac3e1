#include "gateway/responses.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "dialect/fields.h"
#include "dialect/openai_responses.h"
#include "gateway/detached.h"
#include "gateway/query.h"
#include "gateway/run.h"
#include "kept/kept.h"

namespace tandem::gateway {

namespace {

using dialect::given;
using json::Value;

constexpr milliseconds kFollowPause{20};  // between two looks for new events of a background response
constexpr std::size_t kMostListed = 100;

std::string array_of(const std::vector<std::string>& items) {
    return "[" + join(items, ",") + "]";
}

// An item with an id; one without gets ours.
std::string with_id(const std::string& item, const std::string& id) {
    json::Document document;
    if (!document.parse(item) || document.root()["id"].string()) return item;
    const auto type = document.root()["type"].string().value_or("message");
    const auto* prefix = type == "function_call" ? "fc" : type == "function_call_output" ? "fco" : "msg";
    std::vector<std::pair<std::string_view, std::string>> members = {
        {"id", json::quoted(fmt::format("{}_{}", prefix, id))}};
    if (!document.root()["type"].exists()) members.emplace_back("type", "\"message\"");
    // A message that came as a string is shown as its part.
    const Value content = document.root()["content"];
    if (const auto text = content.string())
        members.emplace_back("content", fmt::format("[{{\"type\":\"{}_text\",\"text\":{}}}]",
                                                    document.root()["role"].text() == "assistant" ? "output" : "input",
                                                    json::quoted(*text)));
    return dialect::with_members(document.root(), members);
}

// What a request says of what is kept.
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
};

Result<Plan> plan_of(const json::Document& document) {
    const Value root = document.root();
    if (!root.is(json::Kind::object)) return fail(ErrorCode::invalid, "the body must be a JSON object");
    Plan plan;
    if (auto ok = dialect::read_string(root["previous_response_id"], "previous_response_id", plan.previous); !ok)
        return fail(ok.error());
    if (auto ok = dialect::read_flag(root["store"], "store", plan.store); !ok) return fail(ok.error());
    if (auto ok = dialect::read_flag(root["background"], "background", plan.background); !ok) return fail(ok.error());
    if (auto ok = dialect::read_flag(root["stream"], "stream", plan.stream); !ok) return fail(ok.error());
    const Value conversation = root["conversation"];
    plan.conversation = conversation.is(json::Kind::object) ? conversation["id"].text() : conversation.text();
    if (!plan.conversation.empty() && !plan.previous.empty())
        return fail(ErrorCode::invalid, "conversation and previous_response_id say the same; give one of them",
                    "previous_response_id");
    if (plan.background && !plan.store)
        return fail(ErrorCode::invalid, "store: a background response must be stored, so that it can be asked for",
                    "store");
    const Value input = root["input"];
    if (!input.is(json::Kind::array) && !input.string())
        return fail(ErrorCode::invalid, "input: expected a string or a list of items", "input");
    plan.input = dialect::openai_responses::input_items(input);
    plan.echo = dialect::openai_responses::echo_of(document);
    if (plan.background) plan.echo += ",\"background\":true";
    return plan;
}

// The earlier items, from where the request says that they are.
net::Task<Result<>> load_history(Services& services, const std::string& key, Plan& plan) {
    if (!plan.previous.empty()) {
        auto history = co_await query<kept::History>(
            services.store,
            [key, id = plan.previous](store::Database& database) { return kept::history_of(database, key, id); });
        if (!history) {
            Error error = history.error();
            error.param = "previous_response_id";
            co_return fail(std::move(error));
        }
        plan.history = std::move(history->items);
        plan.label = history->label;
    } else if (!plan.conversation.empty()) {
        auto history = co_await query<kept::History>(
            services.store, [key, id = plan.conversation](store::Database& database) -> Result<kept::History> {
                auto conversation = kept::find_conversation(database, key, id);
                if (!conversation) return fail(conversation.error());
                auto items = kept::items_of(database, id);
                if (!items) return fail(items.error());
                return kept::History{std::move(*items), conversation->label};
            });
        if (!history) {
            Error error = history.error();
            error.param = "conversation";
            co_return fail(std::move(error));
        }
        plan.history = std::move(history->items);
        plan.label = history->label;
    }
    co_return Result<>{};
}

// The job that keeps a finished response, and what of it belongs to a conversation.
store::Store::Job keep_job(const Plan& plan, const std::string& key, std::int64_t now, std::string response,
                           Label label) {
    return [plan, key, now, response = std::move(response), label](store::Database& database) -> Result<> {
        if (plan.store) {
            kept::StoredResponse stored{"resp_" + plan.id,    key,      label, now, plan.previous, plan.conversation,
                                        array_of(plan.input), response, {}};
            if (auto ok = kept::put(database, stored); !ok) return ok;
        }
        if (plan.conversation.empty()) return {};
        std::vector<std::string> items;
        for (std::size_t i = 0; i < plan.input.size(); ++i)
            items.push_back(with_id(plan.input[i], fmt::format("{}_{}", plan.id, i)));
        json::Document document;
        if (document.parse(response))
            for (const Value item : document.root()["output"].children()) items.emplace_back(item.raw());
        return kept::add_items(database, plan.conversation, items, label);
    };
}

Keeping keeping_of(const Plan& plan, const std::string& key, std::int64_t now) {
    Keeping keeping;
    keeping.id = plan.id;
    keeping.echo = plan.echo;
    keeping.own = {{"id", json::quoted("resp_" + plan.id)},
                   {"store", plan.store ? "true" : "false"},
                   {"previous_response_id", plan.previous.empty() ? "null" : json::quoted(plan.previous)}};
    if (plan.background) keeping.own.emplace_back("background", "true");
    if (!plan.conversation.empty())
        keeping.own.emplace_back("conversation", fmt::format("{{\"id\":{}}}", json::quoted(plan.conversation)));
    keeping.from = plan.previous.empty() ? plan.conversation : plan.previous;
    keeping.label = plan.label;
    keeping.label_reason = "what it goes on from";
    if (plan.store || !plan.conversation.empty())
        keeping.keep = [plan, key, now](const std::string& response, Label label) {
            return keep_job(plan, key, now, response, label);
        };
    return keeping;
}

std::string first_object(const Plan& plan, std::int64_t now, std::string_view model, std::string_view status) {
    json::Writer out;
    out.begin_object().member("id", "resp_" + plan.id).member("object", "response").member("created_at", now);
    out.member("status", status).key("error").null().key("incomplete_details").null().member("model", model);
    out.key("output").begin_array().end_array().key("usage").null().end_object();
    auto text = out.take();
    text.insert(text.size() - 1, "," + plan.echo);
    return text;
}

constexpr auto kDialect = dialect::Kind::openai_responses;

// ---- background ----

struct BackgroundRun {
    Gateway& gateway;
    std::shared_ptr<const Snapshot> snapshot;
    access::Principal who;
    access::RequestHeaders said;
    std::shared_ptr<const ledger::Admission> admission;
    Plan plan;
    net::Request request;
    std::int64_t now;
    std::string model;
    std::shared_ptr<Live> live;
    std::string partial;  // of an event
    std::string all;      // of the events
    net::Worker& worker;
};

void take_bytes(BackgroundRun& run, std::string_view bytes) {
    run.partial += bytes;
    while (true) {
        const auto end = run.partial.find("\n\n");
        if (end == std::string::npos) return;
        auto event = run.partial.substr(0, end + 2);
        run.partial.erase(0, end + 2);
        run.all += event;
        run.live->add(std::move(event));
    }
}

// An error before the answer began: the response has failed, and its stream says so.
std::string failed_object(const BackgroundRun& run, std::string_view body, std::string_view status) {
    json::Document document;
    Value error;
    if (document.parse(body)) error = document.root()["error"];
    json::Writer said;
    said.begin_object().member("code", error["code"].string().value_or("server_error"));
    said.member("message", error["message"].string().value_or("the request failed")).end_object();
    json::Document object;
    if (!object.parse(first_object(run.plan, run.now, run.model, status))) return {};
    return dialect::with_members(object.root(), {{"error", status == "failed" ? said.take() : std::string("null")}});
}

net::Task<> run_in_background(std::shared_ptr<BackgroundRun> run) {
    std::string failure;
    Detached exchange(run->worker, std::move(run->request),
                      {[&](net::Response response) { failure = std::move(response.body); },
                       [&](std::string bytes) { take_bytes(*run, bytes); }});
    run->live->runs_with(&exchange.cancel());
    auto& services = run->gateway.services();
    co_await answer_question(run->gateway, {exchange, run->snapshot, run->who, run->said, run->admission, {}},
                             {kDialect, Operation::chat}, keeping_of(run->plan, run->who.id(), run->now));
    run->live->runs_with(nullptr);
    const bool cancelled = exchange.cancel().fired();
    std::string object;
    if (cancelled || !failure.empty()) {
        object = failed_object(*run, failure, cancelled ? "cancelled" : "failed");
        take_bytes(*run,
                   fmt::format("event: response.failed\ndata: {{\"type\":\"response.failed\",\"sequence_number\":{},"
                               "\"response\":{}}}\n\n",
                               run->live->since(0).events.size(), object));
    }
    // The events can be asked for later too.
    auto kept = co_await change(services.store, [run, object](store::Database& database) -> Result<> {
        auto stored = kept::find_response(database, run->who.id(), "resp_" + run->plan.id);
        if (!stored) return {};  // deleted meanwhile
        stored->events = run->all;
        if (!object.empty()) stored->response = object;
        return kept::put(database, *stored);
    });
    (void)kept;  // what cannot be kept now is marked as interrupted at the next start
    run->live->end();
}

// Sends the events of a background response from `first` on, as they come.
net::Task<> follow(net::Exchange& exchange, std::shared_ptr<Live> live, std::size_t first) {
    net::Fields headers;
    headers.add("content-type", "text/event-stream");
    headers.add("cache-control", "no-cache");
    headers.add("x-accel-buffering", "no");
    exchange.start(200, headers);
    while (!exchange.cancel().fired()) {
        auto seen = live->since(first);
        first += seen.events.size();
        std::string bytes;
        for (const auto& event : seen.events) bytes += event;
        if (seen.ended) {
            co_await exchange.finish(std::move(bytes));
            co_return;
        }
        if (!bytes.empty() && !co_await exchange.write(std::move(bytes))) co_return;
        co_await net::sleep_for(exchange.worker().context(), kFollowPause);
    }
}

net::Task<> start_background(Gateway& gateway, Call call, Plan plan, const std::string& model) {
    auto& services = gateway.services();
    auto& exchange = call.exchange;
    const auto now = services.unix_seconds();
    const auto object = first_object(plan, now, model, "queued");
    kept::StoredResponse stored{"resp_" + plan.id,
                                call.who.id(),
                                higher(plan.label, call.said.label),
                                now,
                                plan.previous,
                                plan.conversation,
                                array_of(plan.input),
                                object,
                                {}};
    auto kept =
        co_await change(services.store, [stored](store::Database& database) { return kept::put(database, stored); });
    if (!kept) {
        co_await reply_json(call, kDialect, fail(kept.error()));
        co_return;
    }
    auto live = std::make_shared<Live>(exchange.worker());
    net::Request request = exchange.request();
    const bool stream = plan.stream;
    const auto id = "resp_" + plan.id;
    auto run = std::make_shared<BackgroundRun>(BackgroundRun{gateway,
                                                             call.snapshot,
                                                             call.who,
                                                             call.said,
                                                             call.admission,
                                                             std::move(plan),
                                                             std::move(request),
                                                             now,
                                                             model,
                                                             live,
                                                             {},
                                                             {},
                                                             exchange.worker()});
    if (!gateway.background().start(exchange.worker(), id, live, [run] { return run_in_background(run); })) {
        co_await reply_json(call, kDialect, fail(ErrorCode::unavailable, "the server is stopping"));
        co_return;
    }
    if (stream)
        co_await follow(exchange, live, 0);
    else
        co_await reply_json(call, kDialect, object);
}

// ---- what was stored ----

std::string listed(std::vector<std::string> items, const net::Request& request) {
    if (request.parameter("order") != "asc") std::ranges::reverse(items);
    auto id_of = [](const std::string& item) {
        json::Document document;
        return document.parse(item) ? std::string(document.root()["id"].text()) : std::string();
    };
    if (const auto after = request.parameter("after"); !after.empty()) {
        const auto place = std::ranges::find(items, after, id_of);
        if (place != items.end()) items.erase(items.begin(), place + 1);
    }
    const auto limit = std::clamp<std::size_t>(
        static_cast<std::size_t>(whole_number(request.parameter("limit")).value_or(20)), 1, kMostListed);
    const bool more = items.size() > limit;
    if (more) items.resize(limit);
    json::Writer out;
    out.begin_object().member("object", "list").raw_member("data", array_of(items)).key("first_id");
    if (items.empty())
        out.null().key("last_id").null();
    else
        out.value(id_of(items.front())).member("last_id", id_of(items.back()));
    out.member("has_more", more).end_object();
    return out.take();
}

std::string deleted(const std::string& id, std::string_view object) {
    json::Writer out;
    out.begin_object().member("id", id).member("object", object).member("deleted", true).end_object();
    return out.take();
}

std::string conversation_object(const kept::Conversation& c) {
    json::Writer out;
    out.begin_object().member("id", c.id).member("object", "conversation").member("created_at", c.created);
    out.raw_member("metadata", c.metadata.empty() ? "{}" : c.metadata).end_object();
    return out.take();
}

using Answer = Result<std::string>;

net::Task<Result<kept::StoredResponse>> stored_response(Gateway& gateway, const Call& call) {
    co_return co_await query<kept::StoredResponse>(
        gateway.services().store, [key = call.who.id(), id = call.parts[0]](store::Database& database) {
            return kept::find_response(database, key, id);
        });
}

// The stream of a background response again, from behind the event that the client saw last.
net::Task<> stream_again(Gateway& gateway, const Call& call, const kept::StoredResponse& stored) {
    const auto after = whole_number(call.request().parameter("starting_after"));
    const std::size_t first = after ? static_cast<std::size_t>(*after) + 1 : 0;
    if (auto live = gateway.background().find(stored.id)) {
        co_await follow(call.exchange, std::move(live), first);
        co_return;
    }
    auto live = std::make_shared<Live>(call.exchange.worker());
    std::string_view rest = stored.events;
    while (!rest.empty()) {
        const auto end = rest.find("\n\n");
        if (end == std::string_view::npos) break;
        live->add(std::string(rest.substr(0, end + 2)));
        rest.remove_prefix(end + 2);
    }
    if (stored.events.empty())
        live->add(
            fmt::format("event: response.completed\ndata: {{\"type\":\"response.completed\",\"sequence_number\":{},"
                        "\"response\":{}}}\n\n",
                        first, stored.response));
    live->end();
    co_await follow(call.exchange, live, stored.events.empty() ? 0 : first);
}

Result<std::vector<std::string>> items_in(const Value& items, const std::string& id) {
    std::vector<std::string> list;
    if (!given(items)) return list;
    if (!items.is(json::Kind::array)) return fail(ErrorCode::invalid, "items: expected a list", "items");
    for (const Value item : items.children()) {
        if (!item.is(json::Kind::object)) return fail(ErrorCode::invalid, "items: expected objects", "items");
        list.push_back(with_id(std::string(item.raw()), fmt::format("{}_{}", id, list.size())));
    }
    return list;
}

// What a client puts into a conversation is labelled like a request.
Label label_of(const Call& call, const json::Document& document) {
    privacy::Labelled labelled;
    labelled.raise(call.who.label, "key");
    labelled.raise(call.said.label, "header x-tandem-label");
    privacy::label_by_content(*call.snapshot->detector, document, call.snapshot->config->privacy.detect, labelled);
    return labelled.label;
}

// The body of a request that may have none.
Result<> parse_body(const Call& call, json::Document& document) {
    const auto& body = call.request().body;
    return document.parse(body.empty() ? "{}" : body);
}

net::Task<Result<kept::Conversation>> conversation_of(Gateway& gateway, const Call& call) {
    co_return co_await query<kept::Conversation>(gateway.services().store,
                                                 [key = call.who.id(), id = call.parts[0]](store::Database& database) {
                                                     return kept::find_conversation(database, key, id);
                                                 });
}

net::Task<Result<std::vector<std::string>>> items_of(Gateway& gateway, const Call& call) {
    auto found = co_await conversation_of(gateway, call);
    if (!found) co_return fail(found.error());
    co_return co_await query<std::vector<std::string>>(
        gateway.services().store,
        [id = call.parts[0]](store::Database& database) { return kept::items_of(database, id); });
}

}  // namespace

net::Task<> answer_response(Gateway& gateway, Call call, bool counts) {
    auto& request = call.exchange.request();
    json::Document document;
    Result<Plan> plan = fail(ErrorCode::invalid, "");
    if (auto ok = document.parse(request.body); !ok)
        plan = fail(ok.error());
    else
        plan = plan_of(document);
    if (plan) {
        if (auto loaded = co_await load_history(gateway.services(), call.who.id(), *plan); !loaded)
            plan = fail(loaded.error());
    }
    if (!plan) {
        co_await reply_json(call, kDialect, fail(plan.error()));
        co_return;
    }
    plan->id = gateway.services().new_id();
    if (!plan->history.empty()) {
        auto items = plan->history;
        items.insert(items.end(), plan->input.begin(), plan->input.end());
        request.body = dialect::with_members(document.root(), {{"input", array_of(items)}});
    }
    if (plan->background && !counts) {
        // It streams into what is kept, whether somebody reads along or not.
        json::Document expanded;
        if (expanded.parse(request.body)) request.body = dialect::with_members(expanded.root(), {{"stream", "true"}});
        const std::string model(document.root()["model"].text());
        co_await start_background(gateway, std::move(call), std::move(*plan), model);
        co_return;
    }
    auto keeping = keeping_of(*plan, call.who.id(), gateway.services().unix_seconds());
    co_await answer_question(gateway, std::move(call), {kDialect, counts ? Operation::count : Operation::chat},
                             std::move(keeping));
}

net::Task<> read_response(Gateway& gateway, Call call) {
    auto stored = co_await stored_response(gateway, call);
    if (stored && call.request().parameter("stream") == "true")
        co_await stream_again(gateway, call, *stored);
    else
        co_await reply_json(call, kDialect, stored ? Answer(stored->response) : fail(stored.error()));
}

net::Task<Answer> cancel_response(Gateway& gateway, const Call& call) {
    // Only the principal that made it may end it.
    auto stored = co_await stored_response(gateway, call);
    if (!stored) co_return fail(stored.error());
    if (const auto live = gateway.background().find(stored->id)) {
        live->cancel();
        while (!live->since(0).ended) co_await net::sleep_for(call.exchange.worker().context(), kFollowPause);
        stored = co_await stored_response(gateway, call);
        if (!stored) co_return fail(stored.error());
    }
    co_return stored->response;
}

net::Task<Answer> delete_response(Gateway& gateway, const Call& call) {
    const auto& id = call.parts[0];
    auto done = co_await change(gateway.services().store, [key = call.who.id(), id](store::Database& database) {
        return kept::remove_response(database, key, id);
    });
    if (!done) co_return fail(done.error());
    if (const auto live = gateway.background().find(id)) live->cancel();
    co_return deleted(id, "response");
}

net::Task<Answer> list_response_items(Gateway& gateway, const Call& call) {
    auto stored = co_await stored_response(gateway, call);
    if (!stored) co_return fail(stored.error());
    json::Document document;
    std::vector<std::string> items;
    if (document.parse(stored->input))
        for (const Value item : document.root().children())
            items.push_back(with_id(std::string(item.raw()), fmt::format("{}_{}", stored->id.substr(5), items.size())));
    co_return listed(std::move(items), call.request());
}

net::Task<Answer> create_conversation(Gateway& gateway, const Call& call) {
    json::Document document;
    if (auto ok = parse_body(call, document); !ok) co_return fail(ok.error());
    const Value root = document.root();
    const auto fresh = gateway.services().new_id();
    auto items = items_in(root["items"], fresh);
    if (!items) co_return fail(items.error());
    kept::Conversation c{"conv_" + fresh, call.who.id(), label_of(call, document), gateway.services().unix_seconds(),
                         given(root["metadata"]) ? std::string(root["metadata"].raw()) : "{}"};
    auto done = co_await change(gateway.services().store, [c, items = *items](store::Database& database) -> Result<> {
        if (auto ok = kept::put(database, c); !ok) return ok;
        return kept::add_items(database, c.id, items, c.label);
    });
    if (!done) co_return fail(done.error());
    co_return conversation_object(c);
}

net::Task<Answer> read_conversation(Gateway& gateway, const Call& call) {
    auto found = co_await conversation_of(gateway, call);
    if (!found) co_return fail(found.error());
    co_return conversation_object(*found);
}

net::Task<Answer> update_conversation(Gateway& gateway, const Call& call) {
    json::Document document;
    if (auto ok = parse_body(call, document); !ok) co_return fail(ok.error());
    auto found = co_await conversation_of(gateway, call);
    if (!found) co_return fail(found.error());
    if (const Value metadata = document.root()["metadata"]; given(metadata)) found->metadata = metadata.raw();
    found->label = higher(found->label, label_of(call, document));
    auto done = co_await change(gateway.services().store,
                                [c = *found](store::Database& database) { return kept::put(database, c); });
    if (!done) co_return fail(done.error());
    co_return conversation_object(*found);
}

net::Task<Answer> delete_conversation(Gateway& gateway, const Call& call) {
    const auto& id = call.parts[0];
    auto done = co_await change(gateway.services().store, [key = call.who.id(), id](store::Database& database) {
        return kept::remove_conversation(database, key, id);
    });
    if (!done) co_return fail(done.error());
    co_return deleted(id, "conversation.deleted");
}

net::Task<Answer> add_conversation_items(Gateway& gateway, const Call& call) {
    json::Document document;
    if (auto ok = parse_body(call, document); !ok) co_return fail(ok.error());
    auto found = co_await conversation_of(gateway, call);
    if (!found) co_return fail(found.error());
    auto items = items_in(document.root()["items"], gateway.services().new_id());
    if (!items) co_return fail(items.error());
    auto done = co_await change(gateway.services().store,
                                [id = found->id, items = *items, label = label_of(call, document)](
                                    store::Database& database) { return kept::add_items(database, id, items, label); });
    if (!done) co_return fail(done.error());
    net::Request all;
    all.query = "order=asc&limit=100";
    co_return listed(*items, all);
}

net::Task<Answer> list_conversation_items(Gateway& gateway, const Call& call) {
    auto items = co_await items_of(gateway, call);
    if (!items) co_return fail(items.error());
    co_return listed(std::move(*items), call.request());
}

net::Task<Answer> read_conversation_item(Gateway& gateway, const Call& call) {
    const auto items = co_await items_of(gateway, call);
    if (!items) co_return fail(items.error());
    json::Document document;
    for (const auto& item : *items)
        if (document.parse(item) && document.root()["id"].text() == call.parts[1]) co_return item;
    co_return fail(ErrorCode::not_found,
                   fmt::format("there is no item '{}' in this conversation", printable(call.parts[1], 80)));
}

net::Task<Answer> delete_conversation_item(Gateway& gateway, const Call& call) {
    auto found = co_await conversation_of(gateway, call);
    if (!found) co_return fail(found.error());
    auto done =
        co_await change(gateway.services().store, [id = found->id, item = call.parts[1]](store::Database& database) {
            return kept::remove_item(database, id, item);
        });
    if (!done) co_return fail(done.error());
    co_return conversation_object(*found);
}

}  // namespace tandem::gateway
