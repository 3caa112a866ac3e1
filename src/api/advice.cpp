#include "api/advice.h"

#include <algorithm>
#include <array>

#include "advice/compare.h"
#include "advice/situation.h"
#include "api/parameters.h"
#include "api/read.h"
#include "base/text.h"

namespace tandem::api {

namespace {

// The parameters of both questions. Errors: invalid.
Result<advice::Asked> asked_in(std::string_view query) {
    advice::Asked asked;
    std::string with;
    const std::array<Parameter, 3> parameters = {
        {{"since", asked.since}, {"until", asked.until}, {"with", with, true}}};
    if (auto ok = read_parameters(query, parameters); !ok) return fail(ok.error());
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

}  // namespace tandem::api
