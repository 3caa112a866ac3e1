#include "api/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "net/message.h"

namespace tandem::api {

Result<> read_parameters(std::string_view query, std::span<const Parameter> parameters) {
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const auto pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (pair.empty()) continue;
        const auto equals = std::min(pair.find('='), pair.size());
        const auto name = net::percent_decoded(pair.substr(0, equals));
        const auto found = std::ranges::find(parameters, name, &Parameter::name);
        if (found == parameters.end()) {
            std::vector<std::string> names;
            for (const auto& one : parameters) names.emplace_back(one.name);
            return fail(
                Fault::unknown_parameter,
                fmt::format("there is no parameter '{}'; there are: {}", printable(name, 40), join(names, ", ")),
                printable(name, 40));
        }
        if (!found->value.empty() && !found->listed)
            return fail(Fault::invalid_parameter, fmt::format("{}: stands there twice", name), name);
        found->value +=
            (found->value.empty() ? "" : ",") + net::percent_decoded(pair.substr(std::min(equals + 1, pair.size())));
    }
    return {};
}

}  // namespace tandem::api
