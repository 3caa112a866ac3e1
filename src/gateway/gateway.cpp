#include "gateway/gateway.h"

#include <algorithm>

#include "access/origin.h"
#include "base/text.h"

namespace tandem::gateway {

std::string header_text(std::string_view text) {
    constexpr std::size_t kLongest =
        2'000;  // several refusals of budgets, and far from what clients and proxies refuse
    std::string result = printable(text, kLongest);
    std::ranges::replace_if(result, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    return result;
}

Gateway::Gateway(Services& services, const std::vector<net::Worker*>& workers, const Dialer& dialer)
    : services_(services) {
    if (!dialer) client_shared_.emplace();
    for (auto* worker : workers)
        clients_.emplace(worker, dialer ? dialer(*worker) : std::make_unique<net::Client>(*worker, *client_shared_));
}

namespace {

// What official SDKs go by: they retry every 429 and 5xx on their own, unless `x-should-retry` says no, and wait for
// `retry-after` as long as it is a minute at most.
void add_when_to_retry(const Error& error, net::Response& response) {
    constexpr long long kLongestWait = 60, kUsualWait = 5;
    const bool later =
        response.status == 402 || response.status == 429 || response.status == 503 || response.status == 529;
    if (error.certain && response.status >= 500 && !later) response.headers.add("x-should-retry", "false");
    if (!later) return;
    const bool budget = error.code == ErrorCode::over_budget;
    const auto wait = error.again_in.value_or(budget ? kLongestWait + 1 : kUsualWait);
    if (error.certain || (budget && wait > kLongestWait))
        response.headers.add("x-should-retry", "false");
    else
        response.headers.add("retry-after", std::to_string(wait));
}

}  // namespace

net::Response error_response(dialect::Kind dialect, int status, const Error& error) {
    auto encoded = dialect::of(dialect).encode_error(error);
    net::Response response;
    response.status = status != 0 ? status : encoded.status;
    response.headers.add("content-type", "application/json");
    // Not every dialect has a code: this one is the same in all of them (docs/reference/errors.md).
    response.headers.add("x-tandem-error", error.code.name());
    if (response.status == 401) response.headers.add("www-authenticate", "Bearer");
    add_when_to_retry(error, response);
    response.body = std::move(encoded.body);
    return response;
}

net::Task<> reply_json(const Call& call, dialect::Kind dialect, Result<std::string> body, net::Fields headers) {
    net::Response response;
    if (body) {
        response.headers = std::move(headers);
        response.headers.add("content-type", "application/json");
        response.body = std::move(*body);
    } else {
        response = error_response(dialect, 0, body.error());
    }
    if (!call.said.warnings.empty())
        response.headers.add("x-tandem-warnings", header_text(join(call.said.warnings, "; ")));
    access::add_cors(call.snapshot->config->server, call.request().headers, response.headers);
    co_await call.exchange.reply(std::move(response));
}

}  // namespace tandem::gateway
