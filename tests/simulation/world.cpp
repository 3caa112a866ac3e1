#include "tests/simulation/world.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "api/api.h"
#include "app.h"
#include "base/hash.h"
#include "base/json.h"
#include "privacy/egress.h"
#include "privacy/keys.h"
#include "privacy/memory.h"
#include "resources/quota.h"
#include "resources/stored.h"

namespace tandem::simulation {

namespace {

using net::Task;

// ---- what providers say ----

std::string as_json(std::string_view text) {
    json::Writer out;
    out.value(text);
    return out.take();
}

json::Value first_of(const json::Value& list) {
    for (const json::Value one : list.children()) return one;
    return {};
}

// The text in pieces of different length.
std::vector<std::string> pieces(std::string_view text, std::mt19937_64& random) {
    std::vector<std::string> list;
    while (!text.empty()) {
        const auto size = std::min<std::size_t>(text.size(), 1 + random() % 30);
        list.emplace_back(text.substr(0, size));
        text.remove_prefix(size);
    }
    return list;
}

std::vector<std::string> stream_of(std::string_view kind, std::string_view text, std::mt19937_64& random) {
    std::vector<std::string> out;
    const auto list = pieces(text, random);
    if (kind == "anthropic") {
        out.emplace_back(
            "event: message_start\ndata: "
            "{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":"
            "\"assistant\",\"model\":\"x\",\"content\":[],\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n");
        out.emplace_back(
            "event: content_block_start\ndata: "
            "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":"
            "\"text\",\"text\":\"\"}}\n\n");
        for (const auto& piece : list)
            out.push_back(
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
                "\"text_delta\",\"text\":" +
                as_json(piece) + "}}\n\n");
        out.emplace_back("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n");
        out.emplace_back(
            "event: message_delta\ndata: "
            "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{"
            "\"output_tokens\":12}}\n\n");
        out.emplace_back("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
    } else if (kind == "ollama") {
        for (const auto& piece : list)
            out.push_back(R"({"model":"x","message":{"role":"assistant","content":)" + as_json(piece) +
                          "},\"done\":false}\n");
        out.emplace_back(
            R"({"model":"x","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":12})"
            "\n");
    } else {
        for (const auto& piece : list)
            out.push_back(
                R"(data: {"id":"c","object":"chat.completion.chunk","model":"x","choices":[{"index":0,"delta":{"content":)" +
                as_json(piece) + "},\"finish_reason\":null}]}\n\n");
        out.emplace_back(
            "data: "
            "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"x\",\"choices\":[{\"index\":0,\"delta\":{},"
            "\"finish_"
            "reason\":\"stop\"}]}\n\n");
        out.emplace_back(
            "data: "
            "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"x\",\"choices\":[],\"usage\":{\"prompt_"
            "tokens\":9,"
            "\"completion_tokens\":12,\"total_tokens\":21}}\n\n");
        out.emplace_back("data: [DONE]\n\n");
    }
    return out;
}

std::string whole_of(std::string_view kind, std::string_view text) {
    if (kind == "anthropic")
        return fmt::format(
            R"({{"id":"m","type":"message","role":"assistant","model":"x","content":[{{"type":"text","text":{}}}],"stop_reason":"end_turn","usage":{{"input_tokens":9,"output_tokens":12}}}})",
            as_json(text));
    if (kind == "ollama")
        return fmt::format(
            R"({{"model":"x","message":{{"role":"assistant","content":{}}},"done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":12}})",
            as_json(text));
    return fmt::format(
        R"({{"id":"c","object":"chat.completion","model":"x","choices":[{{"index":0,"message":{{"role":"assistant","content":{}}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}}}})",
        as_json(text));
}

// What a provider that is asked this has to say: the rest, where it is given a beginning; some say all of it again.
std::string answer_to(const json::Value& body, std::mt19937_64& random) {
    std::string given;
    for (const json::Value message : body["messages"].children()) {
        given.clear();
        if (message["role"].text() != "assistant") continue;
        given = message["content"].text();
        for (const json::Value part : message["content"].children()) given += part["text"].text();
    }
    if (given.empty() || !kAnswer.starts_with(given) || random() % 3 == 0) return std::string(kAnswer);
    return std::string(kAnswer.substr(given.size()));
}

// ---- the network ----

struct Step {
    milliseconds delay;
    std::string bytes;  // none: the end
    bool fails = false;
};

class Script final : public net::AnswerSource {
  public:
    Script(Network& network, net::Worker& worker, net::Cancel& cancel, SteadyTime deadline, milliseconds idle)
        : network_(network), worker_(worker), cancel_(cancel), deadline_(deadline), idle_(idle) {
        ++network_.open;
    }
    ~Script() override { --network_.open; }
    int status() const override { return code; }
    const net::Fields& headers() const override { return fields; }
    Task<Result<std::string>> read() override {
        if (next_ == steps.size()) co_return std::string();
        const auto step = steps[next_++];
        const auto came = network_.clock.steady() + step.delay;
        const auto latest = std::min(deadline_, network_.clock.steady() + idle_);
        if (step.delay.count() > 0) co_await net::sleep_until(worker_, std::min(came, latest), cancel_);
        if (cancel_.fired()) co_return fail(ErrorCode::cancelled, "the request was cancelled");
        if (came > latest) co_return fail(ErrorCode::timeout, "timed out while reading the answer");
        if (step.fails) co_return fail(ErrorCode::upstream, "the connection was reset");
        co_return step.bytes;
    }
    int code = 200;
    net::Fields fields;
    std::vector<Step> steps;

  private:
    Network& network_;
    net::Worker& worker_;
    net::Cancel& cancel_;
    const SteadyTime deadline_;
    const milliseconds idle_;
    std::size_t next_ = 0;
};

class Caller final : public net::Caller {
  public:
    Caller(Network& network, net::Worker& worker) : network_(network), worker_(worker) {}
    Result<net::Url> url_of(const std::string& text) override { return net::parse_url(text); }
    Task<std::expected<net::Answer, net::CallFailure>> send(net::Call call, net::Cancel& cancel) override {
        using Failed = std::unexpected<net::CallFailure>;
        auto& random = network_.random;
        // "home-openai-0.test": the zone, the kind, a number.
        const auto host = call.url.host;
        const auto dash = host.find('-');
        const auto kind = host.substr(dash + 1, host.find('-', dash + 1) - dash - 1);
        network_.seen.push_back({host.substr(0, host.find('.')), host.starts_with("cloud"), std::string(call.body),
                                 network_.clock.steady()});
        json::Document body;
        const bool read = body.parse(call.body).has_value();
        const bool stream = read && body.root()["stream"].boolean().value_or(kind == "ollama");
        const bool wrong = static_cast<int>(random() % 100) < network_.trouble;
        const auto fault = wrong ? random() % 14 : 99;
        const milliseconds connects(random() % 40), thinks(random() % (random() % 8 == 0 ? 6'000 : 400));
        auto script = std::make_unique<Script>(network_, worker_, cancel, call.deadline, call.idle_timeout);
        const auto pause = [&](milliseconds time, milliseconds most) -> Task<bool> {
            return wait(std::min(time, most), call.deadline, cancel);
        };
        co_await pause(connects, call.connect_timeout);
        if (cancel.fired()) co_return Failed({{ErrorCode::cancelled, "the request was cancelled"}, false});
        if (fault == 0) co_return Failed({{ErrorCode::upstream, "connecting: refused"}, false});
        const auto header = fault == 1 ? milliseconds(10'000'000) : thinks;
        co_await pause(header, call.first_byte_timeout);
        if (cancel.fired()) co_return Failed({{ErrorCode::cancelled, "the request was cancelled"}, true});
        if (header > call.first_byte_timeout || network_.clock.steady() >= call.deadline)
            co_return Failed({{ErrorCode::timeout, "timed out while waiting for an answer"}, true});
        if (fault == 2) co_return Failed({{ErrorCode::upstream, "waiting for an answer: reset"}, true});
        auto says = [&](int code, std::string_view type, std::string text) {
            script->code = code;
            script->fields.add("content-type", type);
            script->steps.push_back({milliseconds(random() % 20), std::move(text), false});
        };
        constexpr std::string_view kJson = "application/json";
        if (fault == 3) says(500, kJson, R"({"error":{"message":"broken"}})");
        if (fault == 4) {
            says(429, kJson, R"({"error":{"message":"slow down"}})");
            if (random() % 2 == 0) script->fields.add("retry-after", random() % 2 == 0 ? "1" : "600");
        }
        if (fault == 5) says(400, kJson, R"({"error":{"message":"what?","type":"invalid_request_error"}})");
        if (fault == 6) says(400, kJson, R"({"error":{"message":"too long","code":"context_length_exceeded"}})");
        if (fault == 7) says(401, kJson, R"({"error":{"message":"who?"}})");
        if (fault == 8) says(200, "text/html", "<html>sign in</html>");
        if (fault >= 3 && fault <= 8) co_return net::Answer(std::move(script));
        const auto text = read ? answer_to(body.root(), random) : std::string(kAnswer);
        if (!stream) {
            says(200, kJson, whole_of(kind, text));
            if (fault >= 9 && fault <= 13) {
                auto& last = script->steps.back();
                last.bytes.resize(random() % last.bytes.size());
                if (fault % 2 == 0) script->steps.push_back({milliseconds(3), {}, true});
            }
            co_return net::Answer(std::move(script));
        }
        script->fields.add("content-type", kind == "ollama" ? "application/x-ndjson" : "text/event-stream");
        for (auto& event : stream_of(kind, text, random))
            script->steps.push_back({milliseconds(random() % 60), std::move(event), false});
        auto& steps = script->steps;
        if (fault >= 9) {
            const auto at = random() % steps.size();
            if (fault == 9 || fault == 10) {
                steps.resize(at);
                steps.push_back({milliseconds(5), {}, fault == 9});  // reset, or ends
            } else if (fault == 11) {
                steps[at].delay = milliseconds(10'000'000);  // stalls
            } else if (fault == 12) {
                steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(at),
                             {milliseconds(1), "data: {not json\n\n", false});
            } else if (fault == 13) {  // two events at once, and one in two halves
                auto half = steps[at];
                const auto cut = half.bytes.size() / 2;
                steps[at].bytes.resize(cut);
                half.bytes.erase(0, cut);
                steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(at) + 1, half);
            }
        }
        co_return net::Answer(std::move(script));
    }

  private:
    Task<bool> wait(milliseconds time, SteadyTime deadline, net::Cancel& cancel) {
        if (time.count() > 0)
            co_await net::sleep_until(worker_, std::min(deadline, network_.clock.steady() + time), cancel);
        co_return true;
    }
    Network& network_;
    net::Worker& worker_;
};

// ---- the scenario ----

struct Plan {
    std::string config;
    seconds timeout{};
    bool goes_on = false;
};

template <typename T>
const T& any_of(const std::vector<T>& list, std::mt19937_64& random) {
    return list[random() % list.size()];
}

Plan plan_of(std::mt19937_64& random) {
    Plan plan;
    const std::vector<std::string> kinds = {"openai", "anthropic", "ollama"};
    const auto count = 2 + random() % 3;
    std::string providers, models, names;
    for (std::size_t i = 0; i < count; ++i) {
        const bool cloud = i > 0 && random() % 2 == 0;
        const auto& kind = any_of(kinds, random);
        const auto name = fmt::format("{}-{}-{}", cloud ? "cloud" : "home", kind, i);
        providers += fmt::format(
            "  {}: {{ kind: {}, zone: {}, base_url: 'http://{}.test/v1', api_keys: [key-{}-aaaaaaaaaa{}], "
            "first_byte_timeout: "
            "{}s, idle_timeout: 2s, connect_timeout: 1s }}\n",
            name, kind, cloud ? "cloud" : "local", name, i, random() % 3 == 0 ? ", key-b-bbbbbbbbbbbb" : "",
            1 + random() % 4);
        models +=
            fmt::format("  m{}: {{ provider: {}, context: {}, prefill: {}, price: {{ input: 10, output: 20 }} }}\n", i,
                        name, 8192 << (random() % 2), random() % 4 != 0);
        names += fmt::format("{}m{}", i == 0 ? "" : ", ", i);
    }
    const std::vector<std::string> classes = {
        "connection", "timeout", "rate_limit",     "server_error",   "key",
        "not_found",  "context", "content_filter", "invalid_output", "invalid_request"};
    const std::vector<std::string> reactions = {"retry", "next", "stop"};
    std::string on;
    if (random() % 2 == 0)
        for (const auto& one : classes)
            on += fmt::format("{}{}: {}", on.empty() ? "" : ", ", one, any_of(reactions, random));
    const auto on_cut = any_of(std::vector<std::string>{"error", "continue", "restart"}, random);
    std::string failure =
        fmt::format("attempts: {}, on_cut: {}, longest_wait: {}s", 1 + random() % 3, on_cut, 1 + random() % 3);
    if (!on.empty()) failure += ", on: { " + on + " }";
    if (random() % 2 == 0)
        failure += fmt::format(", hedge: {{ after: {}ms{} }}", 50 + random() % 500,
                               random() % 2 == 0 ? ", quantile: 0.9" : "");
    if (random() % 3 == 0) failure += fmt::format(", attempt_timeout: {}ms", 300 + random() % 1500);
    const std::string redact = random() % 2 == 0 ? ", actions: { cloud: { private: redact } }" : "";
    plan.timeout = seconds(2 + random() % 20);
    plan.goes_on = on_cut != "error";
    plan.config = fmt::format(
        "privacy: {{ detect: {{ card: private }}{} }}\nproviders:\n{}models:\n{}aliases: {{ all: {{ models: [{}] }} "
        "}}\n"
        "policy: {{ preset: {}, failure: {{ {} }}, objective: {{ learn: false }} }}\n"
        "keys: {{ k: {{ secret: client-key-0123456789, budgets: [{{ limit: {}, window: hour }}], limits: {{ "
        "concurrency: 8 }} }} }}\n",
        redact, providers, models, names, random() % 2 == 0 ? "local-first" : "cloud-first", failure,
        random() % 4 == 0 ? "0.05" : "100");
    return plan;
}

net::Request request_of(std::mt19937_64& random, const Plan& plan, bool& is_home) {
    net::Request request;
    request.method = "POST";
    const bool card = random() % 4 == 0;
    is_home = random() % 5 == 0;
    const auto text = fmt::format("tell me {} {} {}", random() % 1000, card ? kCard : "", is_home ? kHome : "");
    const bool stream = random() % 3 != 0;
    const auto model = random() % 3 == 0 ? "auto" : "all";
    const auto messages = fmt::format(R"([{{"role":"user","content":"{}"}}])", text);
    switch (random() % 3) {
        case 0:
            request.path = "/v1/messages";
            request.body =
                fmt::format(R"({{"model":"{}","max_tokens":100,"stream":{},"messages":{}}})", model, stream, messages);
            break;
        case 1:
            request.path = "/api/chat";
            request.body = fmt::format(R"({{"model":"{}","stream":{},"messages":{}}})", model, stream, messages);
            break;
        default:
            request.path = "/v1/chat/completions";
            request.body = fmt::format(R"({{"model":"{}","stream":{},"messages":{}}})", model, stream, messages);
    }
    request.target = request.path;
    request.headers.add("authorization", "Bearer client-key-0123456789");
    request.headers.add("x-tandem-timeout", std::to_string(plan.timeout.count()));
    if (is_home) request.headers.add("x-tandem-label", "private");
    return request;
}

// ---- what must hold ----

// The text of a stream, and how it ended: "whole", "error", or "open" where it just stops. What is wrong goes to
// `broken`.
std::string read_stream(const std::string& path, std::string_view body, std::string& end,
                        std::vector<std::string>& broken) {
    std::string text;
    end = "open";
    json::Document document;
    const bool lines = path == "/api/chat";
    while (!body.empty()) {
        const std::string_view mark = lines ? "\n" : "\n\n";
        const auto at = body.find(mark);
        if (at == std::string_view::npos) {
            broken.push_back("half an event at the end");
            break;
        }
        auto event = body.substr(0, at);
        body.remove_prefix(at + mark.size());
        if (event.starts_with(":")) continue;
        if (const auto data = event.find("data: "); !lines && data != std::string_view::npos)
            event.remove_prefix(data + 6);
        if (end != "open") broken.push_back("something follows the end");
        if (event == "[DONE]") {
            end = "whole";
            continue;
        }
        if (!document.parse(event)) {
            broken.push_back("an event that is not JSON");
            continue;
        }
        const auto root = document.root();
        if (!root["error"].is(json::Kind::null) && root["error"].raw() != "") end = "error";
        text += first_of(root["choices"])["delta"]["content"].text();
        text += root["message"]["content"].text();
        if (root["type"].text() == "content_block_delta") text += root["delta"]["text"].text();
        if (root["type"].text() == "message_stop" || root["done"].boolean() == true) end = "whole";
    }
    return text;
}

std::string text_of_whole(const json::Value& root) {
    return std::string(first_of(root["choices"])["message"]["content"].text()) +
           std::string(root["message"]["content"].text()) + std::string(first_of(root["content"])["text"].text());
}

}  // namespace

std::unique_ptr<net::Caller> Network::caller(net::Worker& worker) {
    return std::make_unique<Caller>(*this, worker);
}

net::Task<bool> Client::reply(net::Response response) {
    wrote_late = wrote_late || replies + finishes > 0 || started_;
    ++replies;
    status = response.status;
    headers = std::move(response.headers);
    body = std::move(response.body);
    co_return !gone;
}
void Client::start(int code, net::Fields fields) {
    wrote_late = wrote_late || replies + finishes > 0 || started_;
    started_ = true;
    ++starts;
    status = code;
    headers = std::move(fields);
}
net::Task<bool> Client::take(std::string bytes) {
    wrote_late = wrote_late || replies + finishes > 0 || !started_;
    if (slow_.count() > 0) co_await net::sleep_until(worker_, clock_.steady() + slow_, cancel_);
    body += bytes;
    co_return !gone;
}
net::Task<bool> Client::write(std::string bytes) {
    co_return co_await take(std::move(bytes));
}
net::Task<bool> Client::finish(std::string last_bytes) {
    const bool taken = co_await take(std::move(last_bytes));
    ++finishes;
    co_return taken;
}

Ground::Ground() {
    store = std::move(*store::Store::open_at_once(":memory:", migrations()));
    detector = std::move(*privacy::make_detector({}));
    engines = std::make_unique<engine::Engines>(
        engine::EnginesSettings{folder.path, folder.path, [](const std::string&) { return std::nullopt; }}, *random,
        clock);
}

Outcome run(Ground& ground, std::uint64_t seed) {
    Outcome out;
    std::mt19937_64 random(seed);
    auto& clock = ground.clock;
    // An hour of its own for each seed.
    clock.now = milliseconds(1'700'000'000'000 / 3'600'000 * 3'600'000) + std::chrono::hours(seed);
    const auto plan = plan_of(random);
    auto config = config::parse(plan.config, "", [](const std::string&) { return std::nullopt; });
    if (!config) return {{"the config: " + config.error().message}, {}};
    config->data = ground.folder.path;
    auto dice = seeded_random(seed);
    auto& store = *ground.store;
    Network network(clock, seed ^ 0x5DEECE66D, static_cast<int>(random() % 90));

    // As App builds them, but for what is simulated.
    auto keys = privacy::Keys::open(ground.folder.path, "");
    privacy::Vault vault(keys ? std::move(*keys) : nullptr, "", clock);
    privacy::Privacy privacy(store, vault, clock);
    ledger::Budgets budgets(clock);
    ledger::Ledger ledger(store, budgets);
    upstream::Health health(clock);
    upstream::Gate gate(clock);
    upstream::Pace pace;
    translate::LearnedWants wants;
    routing::Repeats repeats;
    learning::Learning learning(store, clock, ground.memory, ground.pool,
                                [](const auto&, const auto&) { return std::string(); });
    jobs::Runner runner;
    experiment::Experiments experiments(store, clock, learning, runner);
    cache::AnswerCache cache(ground.memory);
    net::Worker worker(&clock);
    gateway::Services services{.clock = clock,
                               .random = *dice,
                               .store = store,
                               .privacy = privacy,
                               .ledger = ledger,
                               .budgets = budgets,
                               .engines = *ground.engines,
                               .health = health,
                               .gate = gate,
                               .pace = pace,
                               .wants = wants,
                               .repeats = repeats,
                               .learning = learning,
                               .cache = cache,
                               .trials = experiments,
                               .observers = {&experiments},
                               .memory = ground.memory,
                               .scans = ground.scans,
                               .pool = ground.pool,
                               .admin_token = {},
                               .mutex = {},
                               .current = {},
                               .refused = {},
                               .files = {},
                               .stopping = false};
    gateway::Gateway gateway(services, {&worker}, [&](net::Worker& w) { return network.caller(w); });
    resources::Responses responses(gateway, runner);
    jobs::Queue queue(store, clock, runner);
    probe::Probes probes(store, clock, learning, queue, {[] { return Result<>(); }, [] { return Result<>(); }});
    resources::Batches batches(gateway, runner, queue);
    api::Api door(
        gateway, responses, batches, experiments, probes, [] { return Result<>(); },
        [](bool) -> Result<std::shared_ptr<retrieval::Retrieval>> { return nullptr; });
    auto snapshot = gateway::snapshot_of(std::move(*config), config::process_environment(), ground.detector);
    if (!snapshot) return {{"the snapshot: " + snapshot.error().message}, {}};
    services.adopt(*snapshot);
    // The store is that of runs before, whose money this one has not spent.
    (void)store.run([](store::Database& database) -> Result<> {
        for (const char* table : {"attempts", "open_attempts", "budget_windows", "budget_alerts"})
            if (auto ok = database.execute(fmt::format("DELETE FROM {};", table)); !ok) return ok;
        return {};
    });
    if (auto ok = budgets.adopt(*(*snapshot)->config, store); !ok) return {{"the budgets: " + ok.error().message}, {}};
    auto count = [&](const char* sql) {
        std::int64_t number = 0;
        (void)store.run([&](store::Database& database) -> Result<> {
            auto row = database.prepare(sql);
            if (auto ok = row.step(); !ok) return fail(ok.error());
            number = row.integer(0);
            return {};
        });
        return number;
    };
    const auto egress_before = count("SELECT COUNT(*) FROM egress");

    std::vector<std::unique_ptr<Client>> clients;
    std::vector<bool> home;
    std::size_t running = 0;
    auto serve = [](api::Api& to, Client& client, test::ManualClock& time, SteadyTime at, std::size_t& left) -> Task<> {
        net::Cancel never;
        co_await net::sleep_until(client.worker(), at, never);
        client.began = time.steady();
        co_await to.handle(client);
        client.ended = time.steady();
        --left;
    };
    auto leave = [](Client& client, SteadyTime at) -> Task<> {
        net::Cancel never;
        co_await net::sleep_until(client.worker(), at, never);
        if (client.ended != SteadyTime{}) co_return;
        client.gone = true;
        client.cancel().fire(net::Cancel::Reason::client_gone);
    };
    const auto start = clock.steady();
    const auto many = 1 + random() % 4;
    for (std::size_t i = 0; i < many; ++i) {
        bool is_home = false;
        auto request = request_of(random, plan, is_home);
        home.push_back(is_home);
        const milliseconds slow(random() % 5 == 0 ? random() % 200 : 0);
        clients.push_back(std::make_unique<Client>(worker, clock, std::move(request), slow));
        ++running;
        net::asio::co_spawn(worker.context(),
                            serve(door, *clients.back(), clock, start + milliseconds(random() % 300), running),
                            net::asio::detached);
        if (random() % 6 == 0)
            net::asio::co_spawn(worker.context(), leave(*clients.back(), start + milliseconds(random() % 3000)),
                                net::asio::detached);
    }
    for (int turn = 0;; ++turn) {
        worker.context().restart();
        worker.context().poll();
        if (running == 0 && worker.watchdog().size() == 0) break;
        const auto due = worker.watchdog().due();
        if (due == SteadyTime::max() || turn > 100'000) {
            out.broken.push_back(running > 0 ? "a request waits for nothing" : "something is watched for ever");
            break;
        }
        clock.now = std::max(clock.now, std::chrono::ceil<milliseconds>(due.time_since_epoch()));
        worker.watchdog().look();
    }

    // ---- the invariants ----

    auto demand = [&](bool holds, const std::string& what) {
        if (!holds) out.broken.push_back(what);
    };
    const auto finished_by = [&](const Client& client) { return client.finishes + client.replies; };
    SteadyTime latest{};
    for (std::size_t i = 0; i < clients.size(); ++i) {
        auto& client = *clients[i];
        ++out.requests;
        latest = std::max(latest, client.began + plan.timeout);
        demand(!client.wrote_late, "something was written before the start or after the end");
        demand(finished_by(client) <= 1, "a client got two answers");
        demand(client.ended <= client.began + plan.timeout + seconds(1), "a request went on after its deadline");
        const bool stream = client.starts > 0;
        const std::string decision(client.headers.get("x-tandem-decision"));
        out.trace +=
            fmt::format("{}|{}|{}|{}\n", client.status, client.body,
                        client.ended.time_since_epoch().count() - start.time_since_epoch().count(), client.gone);
        if (client.gone) {
            ++out.left;
            continue;
        }
        std::string end = client.status == 200 ? "whole" : "error";
        std::string text;
        if (stream) {
            demand(client.status == 200, "a stream that is no 200");
            text = read_stream(client.request().path, client.body, end, out.broken);
            demand(end != "open", "a stream with neither end nor error");
            demand((end == "whole") == (client.finishes == 1), "a stream whose end and last byte differ");
        } else {
            demand(client.replies == 1, "no answer at all");
            json::Document document;
            demand(document.parse(client.body).has_value(), "an answer that is not JSON");
            if (client.status == 200) text = text_of_whole(document.root());
        }
        ++(end == "whole" ? out.whole : stream ? out.cut : out.refused);
        if (end == "whole") {
            const bool again = text.find("begins again") != std::string::npos;
            demand(again || text == kAnswer, "a whole answer that says something else: " + text);
            std::int64_t number = 0;
            (void)store.run([&](store::Database& database) -> Result<> {
                auto row =
                    database.prepare("SELECT COUNT(*) FROM attempts WHERE decision = ? AND outcome = 'answered'");
                row.bind(1, decision);
                if (auto ok = row.step(); !ok) return fail(ok.error());
                number = row.integer(0);
                return {};
            });
            demand(number == 1, fmt::format("a client has its last byte, and the ledger has {} answers", number));
        }
    }
    std::map<std::string, std::int64_t> calls;
    std::int64_t cloud = 0;
    for (const auto& seen : network.seen) {
        ++calls[seen.provider];
        cloud += seen.cloud ? 1 : 0;
        out.trace += fmt::format("{}|{}|{}\n", seen.provider, seen.body,
                                 seen.time.time_since_epoch().count() - start.time_since_epoch().count());
        demand(
            !seen.cloud || (seen.body.find(kCard) == std::string::npos && seen.body.find(kHome) == std::string::npos),
            "something private left: " + seen.body);
        demand(seen.time < latest, "an attempt after the deadline");
        out.gone_on += seen.body.find(R"("role":"assistant")") != std::string::npos ? 1 : 0;
    }
    out.calls = network.seen.size();
    demand(count("SELECT COUNT(*) FROM egress") - egress_before >= cloud, "something left without an egress record");
    const auto began = clock.wall().time_since_epoch().count() / 3'600'000 * 3'600'000;
    std::map<std::string, std::int64_t> attempts;
    std::int64_t cost = 0;
    (void)store.run([&](store::Database& database) -> Result<> {
        auto rows =
            database.prepare("SELECT provider, cost, outcome, error FROM attempts WHERE time >= ? AND time < ?");
        rows.bind(1, began).bind(2, began + 3'600'000);
        while (true) {
            const auto row = rows.step();
            if (!row) return fail(row.error());
            if (!*row) return {};
            ++attempts[rows.text(0)];
            cost += rows.integer(1);
            out.hedged += rows.text(3).find("another one answered first") != std::string::npos ? 1 : 0;
        }
    });
    for (const auto& [provider, number] : calls)
        demand(attempts[provider] >= number,
               fmt::format("{} was asked {} times, and the ledger has {}", provider, number, attempts[provider]));
    const auto limit = *(*snapshot)->config->keys.front().budgets.front().limit;
    store.run([&](store::Database& database) -> Result<> {
        const auto differences = budgets.check(database);
        demand(differences && differences->empty(), "a budget's row is not the sum of its attempts");
        return {};
    });
    demand(cost <= limit.micros(), "more was spent than the budget has");
    const auto key = access::Principal::client((*snapshot)->config->keys.front());
    demand(budgets.reserve(key, {.key = key.id()}, Money::from_micros(limit.micros() - cost), {}).has_value(),
           "money stays reserved for nobody");
    demand(network.open == 0, "a connection was left open");
    for (const auto& provider : (*snapshot)->config->providers) {
        const auto status = gate.status(provider.id);
        demand(status.running == 0 && status.waiting == 0, "the gate counts somebody who has left");
    }
    worker.stop();
    return out;
}

}  // namespace tandem::simulation
