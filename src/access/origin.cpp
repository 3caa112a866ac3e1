#include "access/origin.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace tandem::access {

namespace {

constexpr std::size_t kLongestRequestedHeaders = 2'000;

bool is_allowed(const config::Server& server, std::string_view origin) {
    return !origin.empty() && std::ranges::find(server.cors, origin) != server.cors.end();
}

// Names of headers, separated by commas.
bool is_header_list(std::string_view text) {
    return !text.empty() && text.size() <= kLongestRequestedHeaders &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_, ") ==
               std::string_view::npos;
}

}  // namespace

Result<> check_origin(const config::Server& server, const net::Fields& headers) {
    const auto origin = headers.get("origin");
    if (origin.empty() || is_allowed(server, origin)) return {};
    const auto scheme = origin.find("://");
    if (scheme != std::string_view::npos && origin.substr(scheme + 3) == headers.get("host")) return {};
    return fail(
        Fault::origin_not_allowed,
        fmt::format("pages of {} may not call this server; add the origin to server.cors in tandem.yaml to allow it",
                    printable(origin, 80)));
}

void add_cors(const config::Server& server, const net::Fields& request, net::Fields& answer) {
    const auto origin = request.get("origin");
    if (!is_allowed(server, origin)) return;
    answer.add("access-control-allow-origin", origin);
    answer.add("vary", "origin");
    answer.add("access-control-expose-headers",
               "x-tandem-decision, x-tandem-model, x-tandem-provider, x-tandem-zone, x-tandem-label, "
               "x-tandem-redacted, x-tandem-warnings, x-tandem-cache, x-tandem-count, x-tandem-error, x-request-id, "
               "request-id, retry-after, x-should-retry");
}

net::Response preflight(const config::Server& server, const net::Fields& request, std::string_view methods) {
    net::Response response;
    response.status = 204;
    add_cors(server, request, response.headers);
    response.headers.add("vary", "access-control-request-headers");
    response.headers.add("access-control-allow-methods", methods);
    const auto wanted = request.get("access-control-request-headers");
    response.headers.add("access-control-allow-headers",
                         is_allowed(server, request.get("origin")) && is_header_list(wanted)
                             ? wanted
                             : "authorization, content-type, x-api-key, x-goog-api-key, anthropic-version, "
                               "anthropic-beta, x-tandem-label, x-tandem-stakes, x-tandem-value, "
                               "x-tandem-conversation, x-tandem-workflow, "
                               "x-tandem-timeout, x-tandem-cache");
    // Chrome asks so for a page of the internet that calls a server at home.
    if (is_allowed(server, request.get("origin")) && request.get("access-control-request-private-network") == "true")
        response.headers.add("access-control-allow-private-network", "true");
    response.headers.add("access-control-max-age", "600");
    return response;
}

}  // namespace tandem::access
