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

net::Response json_response(std::string body) {
    net::Response response;
    response.headers.add("content-type", "application/json");
    response.body = std::move(body);
    return response;
}

// ---- background ----

struct BackgroundRun {
    Gateway& gateway;
    std::shared_ptr<const Snapshot> snapshot;
    const config::Key& key;
    Plan plan;
    net::Request request;
    std::int64_t now;
    std::string model;
    std::shared_ptr<Live> live;
    std::string partial;  // of an event
    net::Worker& worker;
    bool full = false;  // there was no room for one more event
};

// False where there is no room for what has come.
bool take_bytes(BackgroundRun& run, std::string_view bytes) {
    // An event may come in many pieces: only what is new is searched.
    std::size_t searched = run.partial.empty() ? 0 : run.partial.size() - 1;
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
    said.member("message", error["message"].string().value_or("the request failed")).end_object();
    json::Document object;
    if (!object.parse(first_object(run.plan, run.now, run.model, status))) return {};
    return dialect::with_members(object.root(), {{"error", status == "failed" ? said.take() : std::string("null")}});
}

net::Task<> run_in_background(std::shared_ptr<BackgroundRun> run) {
    std::string failure;
    Detached exchange(run->worker, std::move(run->request),
                      {[&](net::Response response) { failure = std::move(response.body); },
                       [&](std::string bytes) {
                           if (run->full || take_bytes(*run, bytes)) return;
                           run->full = true;
                           exchange.cancel().fire(net::Cancel::Reason::not_needed);
                       }});
    run->live->runs_with(&exchange.cancel());
    auto& services = run->gateway.services();
    co_await answer_question(run->gateway, exchange, run->snapshot, run->key,
                             {dialect::Kind::openai_responses, Operation::chat},
                             keeping_of(run->plan, run->key.id, run->now));
    run->live->runs_with(nullptr);
    if (run->full)
        failure =
            R"({"error":{"code":"too_large","message":"there is no room for the events of this response; ask for )"
            R"(less at once, or raise server.limits.memory_bytes"}})";
    const bool cancelled = exchange.cancel().fired() && !run->full;
    std::string object;
    if (cancelled || !failure.empty()) {
        object = failed_object(*run, failure, cancelled ? "cancelled" : "failed");
        take_bytes(*run,
                   fmt::format("event: response.failed\ndata: {{\"type\":\"response.failed\",\"sequence_number\":{},"
                               "\"response\":{}}}\n\n",
                               run->live->count(), object));
    }
    // The events can be asked for later too.
    auto kept = co_await change(services.store, [run, object](store::Database& database) -> Result<> {
        auto stored = kept::find_response(database, run->key.id, "resp_" + run->plan.id);
        if (!stored) return {};  // deleted meanwhile
        stored->events = run->live->all();
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
        first += seen.events;
        if (seen.ended) {
            co_await exchange.finish(std::move(seen.bytes));
            co_return;
        }
        const bool more = seen.bytes.size() >= Live::kSlice / 2;
        if (!seen.bytes.empty() && !co_await exchange.write(std::move(seen.bytes))) co_return;
        if (more) continue;
        co_await net::sleep_for(exchange.worker().context(), kFollowPause);
    }
}

net::Task<> start_background(Gateway& gateway, net::Exchange& exchange, std::shared_ptr<const Snapshot> snapshot,
                             const config::Key& key, Plan plan, const std::string& model) {
    auto& services = gateway.services();
    const auto now = services.unix_seconds();
    const auto object = first_object(plan, now, model, "queued");
    kept::StoredResponse stored{"resp_" + plan.id,    key.id, plan.label, now, plan.previous, plan.conversation,
                                array_of(plan.input), object, {}};
    auto kept =
        co_await change(services.store, [stored](store::Database& database) { return kept::put(database, stored); });
    if (!kept) {
        co_await exchange.reply(gateway.error("/v1/responses", 0, kept.error()));
        co_return;
    }
    auto live = std::make_shared<Live>(exchange.worker());
    net::Request request = exchange.request();
    const bool stream = plan.stream;
    const auto id = "resp_" + plan.id;
    auto run = std::make_shared<BackgroundRun>(BackgroundRun{gateway,
                                                             std::move(snapshot),
                                                             key,
                                                             std::move(plan),
                                                             std::move(request),
                                                             now,
                                                             model,
                                                             live,
                                                             {},
                                                             exchange.worker()});
    if (!gateway.background().start(exchange.worker(), id, live, [run] { return run_in_background(run); })) {
        co_await exchange.reply(gateway.error("/v1/responses", 0, {ErrorCode::unavailable, "the server is stopping"}));
        co_return;
    }
    if (stream)
        co_await follow(exchange, live, 0);
    else
        co_await exchange.reply(json_response(object));
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

struct Served {
    Gateway& gateway;
    net::Exchange& exchange;
    const config::Key& key;
    std::vector<std::string> parts;  // of the path below /v1/responses or /v1/conversations

    const net::Request& request() const { return exchange.request(); }
    bool is(std::string_view method) const { return exchange.request().method == method; }
    store::Store& store() const { return gateway.services().store; }
};

using Answer = Result<std::string>;

net::Task<Answer> cancel_response(const Served& s, const std::string& id) {
    if (const auto live = s.gateway.background().find(id)) {
        live->cancel();
        while (!live->ended()) co_await net::sleep_for(s.exchange.worker().context(), kFollowPause);
    }
    auto stored = co_await query<kept::StoredResponse>(
        s.store(), [key = s.key.id, id](store::Database& d) { return kept::find_response(d, key, id); });
    if (!stored) co_return fail(stored.error());
    co_return stored->response;
}

net::Task<Answer> response_answer(const Served& s) {
    const auto& id = s.parts[0];
    if (s.parts.size() == 2 && s.parts[1] == "cancel" && s.is("POST")) {
        // Only whoever made it may end it.
        auto mine = co_await query<kept::StoredResponse>(
            s.store(), [key = s.key.id, id](store::Database& d) { return kept::find_response(d, key, id); });
        if (!mine) co_return fail(mine.error());
        co_return co_await cancel_response(s, id);
    }
    if (s.parts.size() == 1 && s.is("DELETE")) {
        auto done = co_await change(
            s.store(), [key = s.key.id, id](store::Database& d) { return kept::remove_response(d, key, id); });
        if (!done) co_return fail(done.error());
        if (const auto live = s.gateway.background().find(id)) live->cancel();
        co_return deleted(id, "response");
    }
    auto stored = co_await query<kept::StoredResponse>(
        s.store(), [key = s.key.id, id](store::Database& d) { return kept::find_response(d, key, id); });
    if (!stored) co_return fail(stored.error());
    if (s.parts.size() == 2 && s.parts[1] == "input_items" && s.is("GET")) {
        json::Document document;
        std::vector<std::string> items;
        if (document.parse(stored->input))
            for (const Value item : document.root().children())
                items.push_back(with_id(std::string(item.raw()), fmt::format("{}_{}", id.substr(5), items.size())));
        co_return listed(std::move(items), s.request());
    }
    if (s.parts.size() != 1 || !s.is("GET"))
        co_return fail(ErrorCode::method, fmt::format("{} takes GET, DELETE, or POST at /cancel", s.request().path));
    co_return stored->response;
}

// The stream of a background response again, from behind the event that the client saw last.
net::Task<bool> stream_again(const Served& s) {
    const auto& id = s.parts[0];
    auto stored = co_await query<kept::StoredResponse>(
        s.store(), [key = s.key.id, id](store::Database& d) { return kept::find_response(d, key, id); });
    if (!stored) co_return false;
    const auto after = whole_number(s.request().parameter("starting_after"));
    const std::size_t first = after ? static_cast<std::size_t>(*after) + 1 : 0;
    if (auto live = s.gateway.background().find(id)) {
        co_await follow(s.exchange, std::move(live), first);
        co_return true;
    }
    auto live = std::make_shared<Live>(s.exchange.worker());
    std::string_view rest = stored->events;
    while (!rest.empty()) {
        const auto end = rest.find("\n\n");
        if (end == std::string_view::npos) break;
        live->add(std::string(rest.substr(0, end + 2)));
        rest.remove_prefix(end + 2);
    }
    if (stored->events.empty())
        live->add(
            fmt::format("event: response.completed\ndata: {{\"type\":\"response.completed\",\"sequence_number\":{},"
                        "\"response\":{}}}\n\n",
                        first, stored->response));
    live->end();
    co_await follow(s.exchange, live, stored->events.empty() ? 0 : first);
    co_return true;
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

// Items that a client puts into a conversation are labelled like a request.
Label label_of(const Served& s, const json::Document& document) {
    privacy::Labelled labelled;
    labelled.raise(s.key.label, "key");
    auto& services = s.gateway.services();
    const auto snapshot = services.snapshot();
    privacy::label_by_content(*snapshot->detector, document, snapshot->config->privacy.detect, labelled);
    return labelled.label;
}

net::Task<Answer> conversation_answer(const Served& s) {
    json::Document document;
    const bool posts = s.is("POST");
    if (posts)
        if (auto ok = document.parse(s.request().body.empty() ? "{}" : s.request().body); !ok)
            co_return fail(ok.error());
    const Value root = document.root();
    const auto& key = s.key.id;
    const auto fresh = s.gateway.services().new_id();
    if (s.parts.empty() && posts) {
        auto items = items_in(root["items"], fresh);
        if (!items) co_return fail(items.error());
        kept::Conversation c{"conv_" + fresh, key, label_of(s, document), s.gateway.services().unix_seconds(),
                             given(root["metadata"]) ? std::string(root["metadata"].raw()) : "{}"};
        auto done = co_await change(s.store(), [c, items = *items](store::Database& d) -> Result<> {
            if (auto ok = kept::put(d, c); !ok) return ok;
            return kept::add_items(d, c.id, items, c.label);
        });
        if (!done) co_return fail(done.error());
        co_return conversation_object(c);
    }
    if (s.parts.empty()) co_return fail(ErrorCode::method, "/v1/conversations takes POST");
    const auto& id = s.parts[0];
    auto found = co_await query<kept::Conversation>(
        s.store(), [key, id](store::Database& d) { return kept::find_conversation(d, key, id); });
    if (!found) co_return fail(found.error());
    if (s.parts.size() == 1) {
        if (s.is("GET")) co_return conversation_object(*found);
        if (posts && given(root["metadata"])) found->metadata = root["metadata"].raw();
        const bool remove = s.is("DELETE");
        auto done = co_await change(s.store(), [key, c = *found, remove](store::Database& d) {
            return remove ? kept::remove_conversation(d, key, c.id) : kept::put(d, c);
        });
        if (!done) co_return fail(done.error());
        co_return remove ? deleted(id, "conversation.deleted") : conversation_object(*found);
    }
    if (s.parts[1] != "items") co_return fail(ErrorCode::not_found, "conversations have items, and nothing else below");
    if (s.parts.size() == 2 && posts) {
        auto items = items_in(root["items"], fresh);
        if (!items) co_return fail(items.error());
        const auto label = label_of(s, document);
        auto done = co_await change(s.store(), [id, items = *items, label](store::Database& d) {
            return kept::add_items(d, id, items, label);
        });
        if (!done) co_return fail(done.error());
        net::Request all;
        all.query = "order=asc&limit=100";
        co_return listed(*items, all);
    }
    auto items =
        co_await query<std::vector<std::string>>(s.store(), [id](store::Database& d) { return kept::items_of(d, id); });
    if (!items) co_return fail(items.error());
    if (s.parts.size() == 2 && s.is("GET")) co_return listed(std::move(*items), s.request());
    if (s.parts.size() == 3 && s.is("GET")) {
        for (const auto& item : *items)
            if (document.parse(item) && document.root()["id"].text() == s.parts[2]) co_return item;
        co_return fail(ErrorCode::not_found, "there is no such item in this conversation");
    }
    if (s.parts.size() == 3 && s.is("DELETE")) {
        auto done = co_await change(
            s.store(), [id, item = s.parts[2]](store::Database& d) { return kept::remove_item(d, id, item); });
        if (!done) co_return fail(done.error());
        co_return conversation_object(*found);
    }
    co_return fail(ErrorCode::method, "items take GET and POST, an item GET and DELETE");
}

}  // namespace

net::Task<> answer_response(Gateway& gateway, net::Exchange& exchange, std::shared_ptr<const Snapshot> snapshot,
                            const config::Key& key) {
    auto& request = exchange.request();
    const bool counts = request.path.ends_with("/input_tokens");
    const Front front{dialect::Kind::openai_responses, counts ? Operation::count : Operation::chat};
    json::Document document;
    Result<Plan> plan = fail(ErrorCode::invalid, "");
    if (auto ok = document.parse(request.body); !ok)
        plan = fail(ok.error());
    else
        plan = plan_of(document);
    if (plan) {
        if (auto loaded = co_await load_history(gateway.services(), key.id, *plan); !loaded)
            plan = fail(loaded.error());
    }
    if (!plan) {
        auto response = gateway.error(request.path, 0, plan.error());
        add_cors(*snapshot, request.headers, response.headers);
        co_await exchange.reply(std::move(response));
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
        co_await start_background(gateway, exchange, std::move(snapshot), key, std::move(*plan), model);
        co_return;
    }
    auto keeping = keeping_of(*plan, key.id, gateway.services().unix_seconds());
    co_await answer_question(gateway, exchange, std::move(snapshot), key, front, std::move(keeping));
}

net::Task<bool> serve_responses(Gateway& gateway, net::Exchange& exchange, const Snapshot& snapshot,
                                const config::Key& key) {
    const auto& path = exchange.request().path;
    constexpr std::string_view kResponses = "/v1/responses", kConversations = "/v1/conversations";
    const bool responses = path.starts_with("/v1/responses/") && !front_of(path);
    const bool conversations = path == kConversations || path.starts_with("/v1/conversations/");
    if (!responses && !conversations) co_return false;
    Served served{gateway, exchange, key, parts_below(path, responses ? kResponses : kConversations)};
    if (responses && served.parts.size() == 1 && served.is("GET") && exchange.request().parameter("stream") == "true" &&
        co_await stream_again(served))
        co_return true;
    Answer body = fail(ErrorCode::not_found, "there is nothing here");
    if (conversations)
        body = co_await conversation_answer(served);
    else if (!served.parts.empty())
        body = co_await response_answer(served);
    auto response = body ? json_response(std::move(*body)) : gateway.error(path, 0, body.error());
    add_cors(snapshot, exchange.request().headers, response.headers);
    co_await exchange.reply(std::move(response));
    co_return true;
}

}  // namespace tandem::gateway
