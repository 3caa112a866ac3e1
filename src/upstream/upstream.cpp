#include "upstream/upstream.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "provider/kind.h"
#include "upstream/credit.h"

namespace tandem::upstream {

namespace {

constexpr std::size_t kErrorBytes = 256 * 1024;  // of an answer that is an error

// Some providers repeat the key that they refuse. It is the owner's, and none of the client's business.
void take_out_key(std::string& text, const Secret& key) {
    constexpr std::size_t kShortestKey = 8;
    const auto& secret = key.reveal();
    if (secret.size() < kShortestKey) return;
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
        text.replace(at, secret.size(), "(the provider's key)");
}

Failure from_status(int status, std::string body, const net::Fields& headers, const Endpoint& endpoint,
                    const std::string& provider, WallTime now) {
    Failure failure;
    failure.status = status;
    take_out_key(body, *endpoint.api_key);
    json::Document document;
    provider::Said said;
    if (document.parse(body))
        said = endpoint.kind->read_error(document.root());
    else
        said.message = printable(trim(body), provider::kQuotedError);
    failure.error = {Fault::provider_error, fmt::format("{} answered with status {}{}{}", provider, status,
                                                        said.message.empty() ? "" : ": ", said.message)};
    failure.error.prompt_tokens = said.prompt_tokens;
    failure.error.context_tokens = said.context_tokens;
    failure.body = std::move(body);
    // The headers know better than the body.
    const auto by_headers = rest_wanted(headers, now);
    auto wait = by_headers;
    if (!wait && said.retry_after) wait = *said.retry_after;
    if (wait) failure.retry_after = std::chrono::ceil<seconds>(*wait);
    using enum config::FailureClass;
    const bool later = status == 429 || status == 408;
    if (later)
        failure.rest = wait;
    else if (status == 503)
        failure.rest = by_headers;
    if (said.filtered) {
        failure.what = content_filter;
        failure.error.code = Fault::content_filtered;
    } else if (status == 401 || status == 403 || lacks_credit(status, said.message)) {
        failure.what = key;
        failure.error.code = Fault::provider_refused_key;
    } else if (said.too_long) {
        failure.what = context;
        failure.error.code = Fault::prompt_too_long;
    } else if (later) {
        failure.what = rate_limit;
        failure.error.code = Fault::provider_rate_limited;
    } else if (said.misspoke) {
        failure.what = invalid_output;
        failure.error.code = Fault::provider_misspoke;
    } else if (status >= 500) {
        failure.what = server_error;
        failure.provider_unwell = true;
    } else if (status == 404 || status < 400) {
        failure.what = not_found;
        failure.error.code = Fault::provider_unknown_model;
        if (status != 404) failure.error.message += "; redirects are not followed, give the right base_url";
    } else {
        failure.what = invalid_request;
        failure.error.code = Fault::provider_refused;
    }
    failure.sent = true;
    return failure;
}

Failure from_transport(Error error, bool sent) {
    Failure failure;
    failure.sent = sent;
    failure.provider_unwell = error.code == ErrorCode::upstream || error.code == ErrorCode::timeout;
    if (error.code == ErrorCode::cancelled)
        failure.remedy = Remedy::give_up;
    else
        failure.what =
            error.code == ErrorCode::timeout ? config::FailureClass::timeout : config::FailureClass::connection;
    failure.error = std::move(error);
    return failure;
}

}  // namespace

Endpoint endpoint_of(const config::Provider& provider) {
    return {provider.kind,        provider.base_url,        nullptr,
            provider.api_key,     provider.connect_timeout, provider.first_byte_timeout,
            provider.idle_timeout};
}

net::Task<std::expected<Sent, Failure>> send(net::Caller& client, privacy::Clearance clearance,
                                             const ledger::Reservation&, const Endpoint& endpoint, Call asked,
                                             SteadyTime deadline, net::Cancel& cancel, const Clock& clock) {
    using Failed = std::unexpected<Failure>;
    const auto query = asked.path.find('?');
    auto url = client.url_of(endpoint.base_url + asked.path.substr(0, query));
    if (!url) {
        Failure failure;
        failure.error = url.error();
        failure.remedy = Remedy::next;
        co_return Failed(std::move(failure));
    }
    net::Call call;
    const bool far =
        endpoint.local == nullptr && url->host != "127.0.0.1" && url->host != "localhost" && url->host != "::1";
    call.url = std::move(*url);
    call.local = endpoint.local.get();
    if (query != std::string::npos) call.url.path += asked.path.substr(query);
    call.method = asked.method;
    call.headers.add("Content-Type", "application/json");
    call.headers.add("Accept", asked.stream ? endpoint.kind->stream_type : "application/json");
    call.headers.add("User-Agent", "tandem/" TANDEM_VERSION);
    if (far && !asked.stream) call.headers.add("Accept-Encoding", "gzip");
    endpoint.kind->authorize(call.headers, *endpoint.api_key);
    for (const auto& header : clearance.headers()) call.headers.add(header.name, header.value);
    call.body = clearance.body();
    call.deadline = deadline;
    call.connect_timeout = endpoint.connect_timeout;
    call.first_byte_timeout = endpoint.first_byte_timeout;
    call.idle_timeout = endpoint.idle_timeout;
    auto answer = co_await client.send(std::move(call), cancel);
    if (!answer) co_return Failed(from_transport(answer.error().error, answer.error().sent));
    const int status = answer->status();
    if (status < 200 || status > 299) {
        const net::Fields headers = answer->headers();
        auto body = co_await answer->read_first(kErrorBytes);
        co_return Failed(
            from_status(status, body ? std::move(*body) : "", headers, endpoint, clearance.provider(), clock.wall()));
    }
    const auto type = lower(answer->headers().get("content-type"));
    const bool stream = type.starts_with("text/event-stream") || type.starts_with("application/x-ndjson");
    co_return Sent{std::move(*answer), stream};
}

}  // namespace tandem::upstream
