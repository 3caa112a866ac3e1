#include "api/cost.h"

#include <fmt/format.h>

#include <array>

#include "api/parameters.h"
#include "api/read.h"
#include "base/json.h"
#include "base/text.h"
#include "ledger/local/month.h"
#include "ledger/reports/recompute.h"
#include "routing/names.h"
#include "store/query.h"

namespace tandem::api {

namespace reports = ledger::reports;

namespace {

// The parameters of a report. Errors: invalid.
Result<reports::Asked> asked_for_report(std::string_view query) {
    reports::Asked asked;
    const std::array<Parameter, 4> parameters = {
        {{"by", asked.by, true}, {"since", asked.since}, {"until", asked.until}, {"format", asked.format}}};
    if (auto ok = read_parameters(query, parameters); !ok) return fail(ok.error());
    if (asked.format.empty()) asked.format = "json";
    return asked;
}

}  // namespace

net::Task<Result<reports::Answer>> make_report(gateway::Services& services, const gateway::Call& call) {
    auto asked = asked_for_report(call.request().query);
    if (!asked) co_return fail(asked.error());
    const auto now = unix_ms(services.clock.wall());
    const auto config = call.snapshot->config;
    co_return co_await read_ledger<reports::Answer>(
        services, [asked = std::move(*asked), config, now](store::Database& database) -> Result<reports::Answer> {
            reports::Beyond beyond;
            if (asked.format == "html") {
                auto known = ledger::local::beyond_of(database, *config, asked, now);
                if (!known) return fail(known.error());
                beyond = std::move(*known);
            }
            return reports::answer(database, asked, config->currency, now, std::move(beyond));
        });
}

namespace {

Result<reports::Correcting> asked_to_correct(const std::string& body, std::int64_t now) {
    json::Document document;
    if (auto ok = document.parse(body); !ok) return fail(ok.error());
    reports::Correcting asked;
    asked.write = true;
    const auto root = document.root();
    for (const auto field : root.children()) {
        const auto name = field.key();
        const auto text = field.string();
        const auto flag = field.boolean();
        if ((name == "since" || name == "until") && text) {
            const auto time = reports::time_from(*text, now, name);
            if (!time) return fail(time.error());
            (name == "since" ? asked.since : asked.until) = *time;
        } else if ((name == "own_prices" || name == "dry_run") && flag) {
            if (name == "own_prices")
                asked.own_prices = *flag;
            else
                asked.write = !*flag;
        } else {
            return fail(Fault::invalid_field,
                        fmt::format("{}: expected since and until as times, own_prices and dry_run as true or false",
                                    printable(name, 40)),
                        printable(name, 40));
        }
    }
    if (!root["since"].exists())
        return fail(Fault::invalid_field, "since: is missing: from when on the price was wrong, such as 2026-11-01",
                    "since");
    return asked;
}

// A model of the config by the name that the ledger has; only where it is still at the same provider.
std::optional<reports::Present> present_price(const gateway::Snapshot& snapshot, const ledger::Pricing& pricing,
                                              const ledger::AttemptRecord& attempt) {
    const auto& config = *snapshot.config;
    const auto* model = config.model(attempt.model);
    std::string rest;
    if (model == nullptr) {
        const auto named = routing::named(snapshot.table, attempt.model);
        if (named) model = config.model(named->entry);
        if (named) rest = named->rest;
    }
    if (model == nullptr || model->provider != attempt.provider) return {};
    const auto name = rest.empty() ? model->name : routing::provider_name(model->name, rest);
    return reports::Present{rest.empty() ? pricing.of(*model) : pricing.of(*model, name),
                            {pricing.book_id(model->provider), name, ""}};
}

std::string to_json(const reports::Corrected& sum, bool written, std::int64_t now) {
    json::Writer out;
    out.begin_object().member("corrected", now).member("written", written).key("days").begin_array();
    Money before, after;
    std::int64_t attempts = 0;
    for (const auto& [number, day] : sum.days) {
        out.begin_object().member("day", reports::day_text(number)).member("attempts", day.attempts);
        out.member("before_micros", day.before.micros()).member("after_micros", day.after.micros()).end_object();
        attempts += day.attempts;
        before += day.before;
        after += day.after;
    }
    out.end_array().member("attempts", attempts).member("before_micros", before.micros());
    out.member("after_micros", after.micros()).member("seen", sum.seen).key("left").begin_object();
    out.member("charged_by_provider", sum.charged).member("priced_by_owner", sum.owners);
    return out.member("model_gone", sum.gone).end_object().end_object().take();
}

}  // namespace

net::Task<Result<std::string>> recompute_costs(gateway::Services& services, const gateway::Call& call) {
    const auto now = unix_ms(services.clock.wall());
    const auto asked = asked_to_correct(call.request().body, now);
    if (!asked) co_return fail(asked.error());
    const auto snapshot = call.snapshot;
    // The book as it is on the disk now, which may be newer than the one that requests go by.
    using Priced = Result<std::shared_ptr<const ledger::Pricing>>;
    const auto pricing = co_await net::run_on<Priced>(
        services.pool, [snapshot]() -> Priced { return ledger::Pricing::of(*snapshot->config); });
    if (!pricing) co_return fail(pricing.error());
    reports::Corrections corrections(
        *asked,
        [snapshot, pricing = *pricing](const ledger::AttemptRecord& attempt) {
            return present_price(*snapshot, *pricing, attempt);
        },
        **pricing, now);
    bool more = true;
    while (more && !call.exchange.cancel().fired()) {
        auto step = co_await store::query<reports::Corrections::Step>(
            services.store, [&corrections](store::Database& database) { return corrections.some(database); });
        if (!step) co_return fail(step.error());
        more = step->more;
        corrections.take(std::move(*step));
    }
    if (more)
        co_return fail(Fault::client_gone,
                       "the client has gone; what was priced anew stays so, and the same command "
                       "goes on with the rest");
    // Money that was never owed is there again.
    if (asked->write) {
        const auto counted = co_await store::change(
            services.store, [&services](store::Database& database) { return services.budgets.recount(database); });
        if (!counted) co_return fail(counted.error());
    }
    co_return to_json(corrections.sum(), asked->write, now);
}

}  // namespace tandem::api
