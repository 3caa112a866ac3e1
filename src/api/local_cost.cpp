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
#include "store/query.h"

namespace tandem::api {

namespace {

namespace local = ledger::local;

Result<local::Entry> entry_from(const std::string& body, std::int64_t now) {
    json::Document document;
    if (auto ok = document.parse(body); !ok) return fail(ok.error());
    const auto root = document.root();
    for (const auto field : root.children())
        if (const auto name = field.key();
            !field.string() || (name != "time" && name != "kind" && name != "text" && name != "date"))
            return fail(ErrorCode::invalid,
                        fmt::format("{}: expected time, kind, text and date as strings", printable(name, 40)),
                        printable(name, 40));
    local::Entry entry;
    const auto ms = local::work_from(root["time"].text());
    if (!ms) return fail(ms.error());
    const auto kind = local::kind_from(root["kind"].text());
    if (!kind) return fail(kind.error());
    entry.ms = *ms;
    entry.kind = *kind;
    entry.text = root["text"].text();
    entry.time = now;
    if (root["date"].exists()) {
        const auto date = time_from(root["date"].text());
        if (!date || *date < 0 || *date > now)
            return fail(ErrorCode::invalid,
                        fmt::format("date: expected a day that has begun, such as 2026-11-20, got '{}'",
                                    printable(root["date"].text(), 40)),
                        "date");
        entry.time = *date;
    }
    return entry;
}

void write_entry(json::Writer& out, const local::Entry& entry) {
    out.begin_object().member("id", entry.id).member("date", time_text(entry.time / 1000 * 1000));
    out.member("time", entry.time).member("ms", entry.ms).member("hours", local::hours_text(entry.ms));
    out.member("kind", local::kKindNames[static_cast<std::size_t>(entry.kind)]).member("text", entry.text);
    out.end_object();
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
    auto entry = entry_from(call.request().body, unix_ms(services.clock.wall()));
    if (!entry) co_return fail(entry.error());
    const auto kept = *entry;
    auto id = co_await store::query<std::int64_t>(
        services.store, [kept](store::Database& database) { return local::add(database, kept); });
    if (!id) co_return fail(id.error());
    entry->id = *id;
    json::Writer out;
    write_entry(out, *entry);
    co_return out.take();
}

net::Task<Result<std::string>> list_hours(gateway::Gateway& gateway, const gateway::Call&) {
    auto list = co_await store::query<std::vector<local::Entry>>(
        gateway.services().store, [](store::Database& database) { return local::entries(database, 0, INT64_MAX); });
    if (!list) co_return fail(list.error());
    json::Writer out;
    out.begin_object().key("entries").begin_array();
    for (const auto& entry : *list) write_entry(out, entry);
    co_return out.end_array().end_object().take();
}

net::Task<Result<std::string>> remove_hours(gateway::Gateway& gateway, const gateway::Call& call) {
    const auto id = whole_number(call.parts[0]);
    if (!id)
        co_return fail(ErrorCode::not_found,
                       fmt::format("there is no entry '{}'; `tandem cost hours list` shows them all",
                                   printable(call.parts[0], 40)));
    const std::int64_t which = *id;
    const auto done = co_await store::change(
        gateway.services().store, [which](store::Database& database) { return local::remove(database, which); });
    if (!done) co_return fail(done.error());
    json::Writer out;
    co_return out.begin_object().member("removed", which).end_object().take();
}

}  // namespace tandem::api
