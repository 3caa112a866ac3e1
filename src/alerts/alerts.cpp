#include "alerts/alerts.h"

#include <fmt/format.h>

#include "alerts/command.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "store/query.h"

namespace tandem::alerts {

namespace {

constexpr milliseconds kLooksEvery{60'000};
constexpr std::int64_t kSlot = 600'000;  // ten minutes
constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kHistoryDays = 7;
constexpr std::int64_t kLeastSlots = 12;  // fewer say nothing about what is usual
constexpr seconds kGivesUp{86'400};
constexpr milliseconds kLongestCall{15'000}, kLongestCommand{30'000};

struct Way {
    std::string_view name;
    bool wanted;
};

std::vector<Way> ways_of(const config::Alerts& wanted) {
    return {{"webhook", !wanted.webhook.empty()}, {"command", !wanted.command.empty()}};
}

std::string payload_of(const Alert& alert, std::string_view way) {
    json::Writer out;
    out.begin_object().member("way", way).member("id", alert.id).member("type", alert.type).member("time", alert.time);
    out.raw_member("detail", alert.detail).end_object();
    return out.take();
}

Alert alert_of(const json::Value& payload) {
    return {.id = std::string(payload["id"].text()),
            .type = std::string(payload["type"].text()),
            .detail = std::string(payload["detail"].raw()),
            .time = payload["time"].integer().value_or(0)};
}

// 5 s, 30 s, 3 min, then every quarter of an hour.
seconds wait_before_try(std::int64_t begun) {
    return begun <= 1 ? seconds(5) : begun == 2 ? seconds(30) : begun == 3 ? seconds(180) : seconds(900);
}

struct Untold {
    std::string budget, detail;
    std::int64_t start = 0, percent = 0, time = 0;
};

Result<std::vector<Untold>> untold(store::Database& database) {
    std::vector<Untold> all;
    auto rows = database.prepare("SELECT budget, start, percent, time, detail FROM budget_alerts WHERE told = 0");
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return all;
        all.push_back({rows.text(0), rows.text(4), rows.integer(1), rows.integer(2), rows.integer(3)});
    }
}

}  // namespace

Alerts::Alerts(store::Store& store, const Clock& clock, ledger::Budgets& budgets, jobs::Runner& runner,
               jobs::Queue& queue, net::FairPool& pool)
    : store_(store), clock_(clock), budgets_(budgets), runner_(runner), queue_(queue), pool_(pool) {}

void Alerts::configure(std::shared_ptr<const config::Config> config) {
    const std::lock_guard lock(mutex_);
    config_ = std::move(config);
}

std::shared_ptr<const config::Config> Alerts::config() const {
    const std::lock_guard lock(mutex_);
    return config_;
}

void Alerts::start(net::Worker& worker) {
    runner_.start(worker, "alerts", [this](net::Worker& on, net::Cancel& cancel) { return watch(on, cancel); });
}

net::Task<> Alerts::watch(net::Worker& worker, net::Cancel& cancel) {
    while (!cancel.fired()) {
        const auto seen = budgets_.alerts().count();
        co_await look_for_runaways();
        co_await tell();
        co_await budgets_.alerts().wait(seen, worker.context(), kLooksEvery, cancel);
    }
}

net::Task<> Alerts::tell() {
    const auto wanted = config();
    const auto now = unix_ms(clock_.wall());
    const auto told = co_await store::query<std::vector<jobs::Job>>(
        store_, [this, wanted, now](store::Database& database) -> Result<std::vector<jobs::Job>> {
            if (auto ok = budgets_.note_full(database); !ok) return fail(ok.error());
            const auto all = untold(database);
            if (!all) return fail(all.error());
            std::vector<jobs::Job> made;
            for (const auto& one : *all) {
                const auto name = fmt::format("{}\n{}\n{}", one.budget, one.start, one.percent);
                const Alert alert{.id = "alert_" + hex(sha256(name)).substr(0, 24),
                                  .type = one.budget.starts_with("runaway|") ? "runaway" : "budget",
                                  .detail = one.detail,
                                  .time = one.time};
                log::Line(log::Level::warning, "an alert").add("type", alert.type).add("text", sentence_of(alert));
                for (const auto& way : ways_of(wanted->alerts)) {
                    if (!way.wanted) continue;
                    jobs::Job job{.id = fmt::format("{}_{}", alert.id, way.name),
                                  .kind = std::string(kJob),
                                  .owner = "admin",
                                  .label = Label::internal,  // what a key spends
                                  .payload = payload_of(alert, way.name),
                                  .created = now / 1000,
                                  .due = now};
                    if (auto ok = jobs::put(database, job); !ok) return fail(ok.error());
                    made.push_back(std::move(job));
                }
                auto mark = database.prepare(
                    "UPDATE budget_alerts SET told = 1 WHERE budget = ?1 AND start = ?2 AND percent = ?3");
                if (auto ok = mark.bind(1, one.budget).bind(2, one.start).bind(3, one.percent).run(); !ok)
                    return fail(ok.error());
            }
            return made;
        });
    if (!told) {
        log::Line(log::Level::error, "alerts could not be read").add("error", told.error().message);
        co_return;
    }
    for (auto& job : *told) queue_.enter(job);
}

// ---- out of the ordinary ----

net::Task<> Alerts::learn_what_is_usual(const config::Config& config, std::int64_t now) {
    const auto file = config.data / "ledger.db";
    const auto learned = co_await net::run_on<Result<std::unordered_map<
        std::string, Usual>>>(pool_, "alerts", [file, now]() -> Result<std::unordered_map<std::string, Usual>> {
        auto database = store::Database::open_to_read(file);
        if (!database) return fail(database.error());
        const auto since = now - kHistoryDays * kDay;
        const auto first = DecisionId::first_of(WallTime(milliseconds(std::max<std::int64_t>(0, since - kDay)))).text();
        auto rows = (*database)->prepare(
            "SELECT key, count(*), sum(spent) FROM (SELECT key, sum(cost) AS spent FROM attempts WHERE decision >= ?1 "
            "AND time >= ?2 AND time < ?3 AND cost > 0 GROUP BY key, time / 600000) GROUP BY key");
        rows.bind(1, first).bind(2, since).bind(3, now - kSlot);
        std::unordered_map<std::string, Usual> usual;
        while (true) {
            const auto row = rows.step();
            if (!row) return fail(row.error());
            if (!*row) return usual;
            const auto slots = std::max<std::int64_t>(1, rows.integer(1));
            usual[rows.text(0)] = {Money::from_micros(rows.integer(2) / slots), slots};
        }
    });
    if (!learned) co_return;  // the ledger is new; it is tried again in the next hour
    usual_ = *learned;
}

net::Task<> Alerts::look_for_runaways() {
    const auto wanted = config();
    const auto now = unix_ms(clock_.wall());
    if (wanted->alerts.runaway == 0 || now - looked_ < kLooksEvery.count() / 2) co_return;
    looked_ = now;
    if (std::exchange(usual_of_, now / kHour) != now / kHour) co_await learn_what_is_usual(*wanted, now);
    const auto noted = co_await store::change(store_, [this, wanted, now](store::Database& database) -> Result<> {
        const auto first = DecisionId::first_of(WallTime(milliseconds(std::max<std::int64_t>(0, now - kDay)))).text();
        std::vector<std::pair<std::string, Money>> spent;
        {
            auto rows = database.prepare(
                "SELECT key, sum(cost) FROM attempts WHERE decision >= ?1 AND time >= ?2 AND cost > 0 GROUP BY key");
            rows.bind(1, first).bind(2, now - kSlot);
            while (true) {
                const auto row = rows.step();
                if (!row) return fail(row.error());
                if (!*row) break;
                spent.emplace_back(rows.text(0), Money::from_micros(rows.integer(1)));
            }
        }
        for (const auto& [key, sum] : spent) {
            const auto usual = usual_.find(key);
            if (usual == usual_.end() || usual->second.slots < kLeastSlots || sum < wanted->alerts.runaway_least)
                continue;
            if (static_cast<double>(sum.micros()) <
                wanted->alerts.runaway * static_cast<double>(usual->second.mean.micros()))
                continue;
            json::Writer detail;
            detail.begin_object().member("key", key).member("spent", sum.text()).member("currency", wanted->currency);
            detail.member("usual", usual->second.mean.text())
                .member("minutes", std::int64_t{kSlot / 60'000})
                .end_object();
            const auto name = "runaway|" + key, text = detail.take();
            if (auto ok = ledger::note_alert(database, {name, now - now % kHour, 0, now, text}); !ok)
                return fail(ok.error());
        }
        return {};
    });
    if (!noted) log::Line(log::Level::error, "alerts could not be noted").add("error", noted.error().message);
}

// ---- ways to the owner ----

net::Task<jobs::Queue::Outcome> Alerts::deliver(jobs::Queue::Context& context) {
    json::Document payload;
    if (!payload.parse(context.job.payload)) co_return jobs::Queue::done();
    const auto alert = alert_of(payload.root());
    const auto way = payload.root()["way"].text();
    const auto wanted = config();
    Result<> delivered;
    if (way == "webhook" && !wanted->alerts.webhook.empty())
        delivered = co_await call_webhook(wanted->alerts, alert, context);
    else if (way == "command" && !wanted->alerts.command.empty())
        delivered = co_await net::run_on<Result<>>(
            pool_, "alerts", [command = wanted->alerts.command, body = body_of(alert), text = sentence_of(alert)] {
                return run_command(command, body, text, kLongestCommand);
            });
    if (delivered) co_return jobs::Queue::done();
    if (context.cancel.fired()) co_return jobs::Queue::interrupted();
    const auto age = seconds(unix_ms(clock_.wall()) / 1000 - context.job.created);
    const bool hopeless = delivered.error().code == ErrorCode::forbidden || age > kGivesUp;
    log::Line(hopeless ? log::Level::error : log::Level::warning, "an alert was not delivered")
        .add("way", way)
        .add("error", delivered.error().message)
        .add("text", sentence_of(alert))
        .add("again", hopeless ? "never" : fmt::format("in {} s", wait_before_try(context.job.begun).count()));
    if (hopeless) co_return jobs::Queue::done();
    co_return jobs::Queue::again(wait_before_try(context.job.begun), delivered.error().message);
}

net::Task<Result<>> Alerts::call_webhook(const config::Alerts& wanted, const Alert& alert,
                                         jobs::Queue::Context& context) {
    auto url = net::parse_url(wanted.webhook);
    if (!url) co_return fail(ErrorCode::forbidden, url.error().message);
    const auto body = body_of(alert);
    const auto now = unix_ms(clock_.wall()) / 1000;
    net::Call call;
    call.url = std::move(*url);
    call.body = body;
    call.deadline = clock_.steady() + kLongestCall;
    call.headers.add("content-type", "application/json");
    call.headers.add("user-agent", "tandem/" TANDEM_VERSION);
    call.headers.add("webhook-id", alert.id);
    call.headers.add("webhook-timestamp", std::to_string(now));
    if (!wanted.webhook_secret->empty())
        call.headers.add("webhook-signature", signature_of(wanted.webhook_secret->reveal(), alert.id, now, body));
    call.public_only = !wanted.webhook_private;
    net::Client client(context.worker, client_);
    auto answer = co_await client.send(std::move(call), context.cancel);
    if (!answer) {
        if (answer.error().error.code == ErrorCode::forbidden)
            co_return fail(ErrorCode::forbidden,
                           answer.error().error.message + "; set alerts.webhook.private: true if that is meant");
        co_return fail(answer.error().error);
    }
    const int status = answer->status();
    if (status >= 200 && status < 300) co_return Result<>{};
    co_return fail(
        ErrorCode::unavailable,
        fmt::format("the webhook answered with status {}{}", status,
                    status >= 300 && status < 400 ? ": redirects are not followed, write the address itself" : ""));
}

}  // namespace tandem::alerts
