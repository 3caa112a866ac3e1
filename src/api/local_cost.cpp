#include "api/local_cost.h"

#include <fmt/format.h>

#include <array>

#include "api/parameters.h"
#include "api/read.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time_text.h"
#include "ledger/ledger.h"
#include "ledger/local/month.h"
#include "ledger/local/noticed.h"
#include "store/query.h"

namespace tandem::api {

namespace {

namespace local = ledger::local;

struct Asked {
    local::Entry entry;
    std::int64_t noticed = 0;  // what it is the work of; 0: of nothing that was noticed
    bool kind = false, text = false, date = false;
};

Result<Asked> entry_from(const std::string& body, std::int64_t now) {
    json::Document document;
    if (auto ok = document.parse(body); !ok) return fail(ok.error());
    const auto root = document.root();
    for (const auto field : root.children())
        if (const auto name = field.key(); !field.string() || (name != "time" && name != "kind" && name != "text" &&
                                                               name != "date" && name != "noticed"))
            return fail(Fault::invalid_field,
                        fmt::format("{}: expected time, kind, text, date and noticed as strings", printable(name, 40)),
                        printable(name, 40));
    Asked asked{.entry = {},
                .noticed = 0,
                .kind = root["kind"].exists(),
                .text = root["text"].exists(),
                .date = root["date"].exists()};
    auto& entry = asked.entry;
    if (root["noticed"].exists()) {
        const auto id = whole_number(root["noticed"].text());
        if (!id || *id <= 0)
            return fail(Fault::invalid_field, "noticed: expected a number that GET /tandem/v1/cost/hours has",
                        "noticed");
        asked.noticed = *id;
    }
    const auto ms = local::work_from(root["time"].text());
    if (!ms) return fail(ms.error());
    entry.ms = *ms;
    if (asked.kind || asked.noticed == 0) {
        const auto kind = local::kind_from(root["kind"].text());
        if (!kind) return fail(kind.error());
        entry.kind = *kind;
    }
    entry.text = root["text"].text();
    entry.time = now;
    if (root["date"].exists()) {
        const auto date = time_from(root["date"].text());
        if (!date || *date < 0 || *date > now)
            return fail(Fault::invalid_field,
                        fmt::format("date: expected a day that has begun, such as 2026-11-20, got '{}'",
                                    printable(root["date"].text(), 40)),
                        "date");
        entry.time = *date;
    }
    return asked;
}

// What is not said is as it was noticed.
Result<local::Entry> add_asked(store::Database& database, Asked asked) {
    if (asked.noticed != 0) {
        const auto noticed = local::take_noticed(database, asked.noticed);
        if (!noticed) return fail(noticed.error());
        if (!asked.kind) asked.entry.kind = noticed->kind;
        if (!asked.text) asked.entry.text = noticed->text;
        if (!asked.date) asked.entry.time = noticed->last;
    }
    const auto id = local::add(database, asked.entry);
    if (!id) return fail(id.error());
    asked.entry.id = *id;
    return asked.entry;
}

void write_entry(json::Writer& out, const local::Entry& entry) {
    out.begin_object().member("id", entry.id).member("date", time_text(entry.time / 1000 * 1000));
    out.member("time", entry.time).member("ms", entry.ms).member("hours", local::hours_text(entry.ms));
    out.member("kind", local::kKindNames[static_cast<std::size_t>(entry.kind)]).member("text", entry.text);
    out.end_object();
}

void write_noticed(json::Writer& out, const local::Noticed& one) {
    out.begin_object().member("id", one.id).member("date", time_text(one.last / 1000 * 1000)).member("time", one.last);
    out.member("first", one.first).member("count", one.count);
    out.member("kind", local::kKindNames[static_cast<std::size_t>(one.kind)]).member("text", one.text).end_object();
}

// The number at the end of a path. Errors: not_found.
Result<std::int64_t> number_in(const gateway::Call& call) {
    if (const auto id = whole_number(call.parts[0])) return *id;
    return fail(Fault::unknown_object, fmt::format("there is no entry '{}'; `tandem cost hours list` shows them all",
                                                   printable(call.parts[0], 40)));
}

net::Task<Result<std::string>> removed(gateway::Gateway& gateway, std::int64_t id, store::Store::Job job) {
    if (const auto done = co_await store::change(gateway.services().store, std::move(job)); !done)
        co_return fail(done.error());
    json::Writer out;
    co_return out.begin_object().member("removed", id).end_object().take();
}

}  // namespace

net::Task<Result<std::string>> local_cost(gateway::Gateway& gateway, const gateway::Call& call) {
    local::Asked asked;
    const std::array<Parameter, 2> parameters = {{{"month", asked.month}, {"against", asked.against}}};
    if (auto ok = read_parameters(call.request().query, parameters); !ok) co_return fail(ok.error());
    auto& services = gateway.services();
    const auto now = unix_ms(services.clock.wall());
    const auto config = call.snapshot->config;
    co_return co_await read_ledger<std::string>(
        services, [asked = std::move(asked), config, now](store::Database& database) -> Result<std::string> {
            const auto month = local::month_of(database, *config, asked, now);
            if (!month) return fail(month.error());
            return local::as_json(*month, config->currency);
        });
}

net::Task<Result<std::string>> add_hours(gateway::Gateway& gateway, const gateway::Call& call) {
    auto& services = gateway.services();
    const auto asked = entry_from(call.request().body, unix_ms(services.clock.wall()));
    if (!asked) co_return fail(asked.error());
    const auto entry = co_await store::query<local::Entry>(
        services.store, [asked = *asked](store::Database& database) { return add_asked(database, asked); });
    if (!entry) co_return fail(entry.error());
    json::Writer out;
    write_entry(out, *entry);
    co_return out.take();
}

net::Task<Result<std::string>> list_hours(gateway::Gateway& gateway, const gateway::Call&) {
    using Both = std::pair<std::vector<local::Entry>, std::vector<local::Noticed>>;
    const auto both =
        co_await store::query<Both>(gateway.services().store, [](store::Database& database) -> Result<Both> {
            auto entries = local::entries(database, 0, INT64_MAX);
            if (!entries) return fail(entries.error());
            auto noticed = local::noticed(database);
            if (!noticed) return fail(noticed.error());
            return Both{std::move(*entries), std::move(*noticed)};
        });
    if (!both) co_return fail(both.error());
    json::Writer out;
    out.begin_object().key("entries").begin_array();
    for (const auto& entry : both->first) write_entry(out, entry);
    out.end_array().key("noticed").begin_array();
    for (const auto& one : both->second) write_noticed(out, one);
    co_return out.end_array().end_object().take();
}

net::Task<Result<std::string>> remove_hours(gateway::Gateway& gateway, const gateway::Call& call) {
    const auto id = number_in(call);
    if (!id) co_return fail(id.error());
    co_return co_await removed(gateway, *id,
                               [id = *id](store::Database& database) { return local::remove(database, id); });
}

net::Task<Result<std::string>> dismiss_noticed(gateway::Gateway& gateway, const gateway::Call& call) {
    const auto id = number_in(call);
    if (!id) co_return fail(id.error());
    co_return co_await removed(gateway, *id, [id = *id](store::Database& database) -> Result<> {
        const auto taken = local::take_noticed(database, id);
        if (!taken) return fail(taken.error());
        return {};
    });
}

}  // namespace tandem::api
