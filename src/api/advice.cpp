#include "api/advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "advice/advise.h"
#include "advice/compare.h"
#include "advice/record.h"
#include "advice/situation.h"
#include "api/parameters.h"
#include "api/read.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time_text.h"
#include "store/query.h"

namespace tandem::api {

namespace {

// The parameters of both questions. Errors: invalid.
Result<advice::Asked> asked_in(std::string_view query, bool* all = nullptr) {
    advice::Asked asked;
    std::string with, said;
    const std::array<Parameter, 4> parameters = {
        {{"since", asked.since}, {"until", asked.until}, {"with", with, true}, {"all", said}}};
    const auto count = all == nullptr ? parameters.size() - 1 : parameters.size();
    if (auto ok = read_parameters(query, std::span(parameters).first(count)); !ok) return fail(ok.error());
    if (!said.empty() && said != "true" && said != "false")
        return fail(Fault::invalid_parameter, "all: expected true or false", "all");
    if (all != nullptr) *all = said == "true";
    for (std::size_t at = 0; at < with.size();) {
        const auto end = std::min(with.find(',', at), with.size());
        if (const auto model = trim(std::string_view(with).substr(at, end - at)); !model.empty())
            asked.with.emplace_back(model);
        at = end + 1;
    }
    return asked;
}

}  // namespace

net::Task<Result<std::string>> compare_costs(gateway::Gateway& gateway, const gateway::Call& call) {
    auto asked = asked_in(call.request().query);
    if (!asked) co_return fail(asked.error());
    auto& services = gateway.services();
    const auto now = unix_ms(services.clock.wall());
    const auto config = call.snapshot->config;
    co_return co_await read_ledger<std::string>(
        services, [asked = std::move(*asked), config, now](store::Database& database) -> Result<std::string> {
            const auto situation = advice::read_situation(&database, *config, asked, nullptr, now);
            if (!situation) return fail(situation.error());
            return advice::as_json(*situation, advice::compare(*situation));
        });
}

net::Task<Result<std::string>> show_advice(gateway::Gateway& gateway, const gateway::Call& call) {
    bool all = false;
    auto asked = asked_in(call.request().query, &all);
    if (!asked) co_return fail(asked.error());
    auto& services = gateway.services();
    const auto now = unix_ms(services.clock.wall());
    const auto config = call.snapshot->config;
    co_return co_await read_ledger<std::string>(
        services, [asked = std::move(*asked), all, config, now](store::Database& database) -> Result<std::string> {
            const auto situation = advice::read_situation(&database, *config, asked, nullptr, now);
            if (!situation) return fail(situation.error());
            return advice::as_json(*situation, advice::advise(*situation, *config, {}), all);
        });
}

net::Task<Result<std::string>> list_applied(gateway::Gateway& gateway, const gateway::Call&) {
    co_return co_await read_ledger<std::string>(
        gateway.services(), [](store::Database& database) -> Result<std::string> {
            const auto list = advice::applied(database);
            if (!list) return fail(list.error());
            json::Writer out;
            out.begin_object().key("applied").begin_array();
            for (const auto& one : *list) {
                out.begin_object().member("id", one.id).member("date", time_text(one.time / 1000 * 1000));
                out.member("time", one.time).member("name", one.name).member("file", one.file);
                out.member("backup", one.backup).member("undone", one.undone);
                out.raw_member("predicted", one.predicted.empty() ? "null" : one.predicted).end_object();
            }
            out.end_array().end_object();
            return out.take();
        });
}

namespace {

Result<advice::Applied> applied_from(const std::string& body, std::int64_t now) {
    json::Document document, predicted;
    if (auto ok = document.parse(body); !ok) return fail(ok.error());
    const auto root = document.root();
    advice::Applied applied;
    applied.time = now;
    for (const auto& [name, target] : {std::pair("name", &applied.name),
                                       {"file", &applied.file},
                                       {"backup", &applied.backup},
                                       {"before", &applied.before},
                                       {"after", &applied.after},
                                       {"predicted", &applied.predicted}}) {
        const auto text = root[name].string();
        if (!text) return fail(Fault::invalid_field, fmt::format("{}: is missing, or no string", name), name);
        *target = *text;
    }
    if (applied.predicted.size() > advice::kMostPredicted)
        return fail(Fault::field_too_large, fmt::format("predicted: is larger than {} bytes", advice::kMostPredicted),
                    "predicted");
    if (auto ok = predicted.parse(applied.predicted); !ok)
        return fail(Fault::invalid_field, "predicted: is no JSON: " + ok.error().message, "predicted");
    return applied;
}

}  // namespace

net::Task<Result<std::string>> note_applied(gateway::Gateway& gateway, const gateway::Call& call) {
    auto& services = gateway.services();
    const auto applied = applied_from(call.request().body, unix_ms(services.clock.wall()));
    if (!applied) co_return fail(applied.error());
    const auto kept = *applied;
    const auto id = co_await store::query<std::int64_t>(
        services.store, [kept](store::Database& database) { return advice::add(database, kept); });
    if (!id) co_return fail(id.error());
    json::Writer out;
    co_return out.begin_object().member("id", *id).end_object().take();
}

net::Task<Result<std::string>> note_undone(gateway::Gateway& gateway, const gateway::Call& call) {
    const auto id = whole_number(call.parts[0]);
    if (!id)
        co_return fail(Fault::unknown_object,
                       fmt::format("no advice was applied under the number '{}'", printable(call.parts[0], 40)));
    auto& services = gateway.services();
    const auto now = unix_ms(services.clock.wall());
    const std::int64_t which = *id;
    const auto done = co_await store::change(
        services.store, [which, now](store::Database& database) { return advice::note_undone(database, which, now); });
    if (!done) co_return fail(done.error());
    json::Writer out;
    co_return out.begin_object().member("undone", which).end_object().take();
}

}  // namespace tandem::api
