#include "upstream/upstream.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "upstream/manner.h"

namespace tandem::upstream {

namespace {

Failure from_status(int status, std::string body, const net::Fields& headers, const Endpoint& endpoint,
                    const std::string& provider) {
    Failure failure;
    failure.status = status;
    json::Document document;
    Said said;
    if (document.parse(body))
        said = manner_of(endpoint.kind).read_error(document.root());
    else
        said.message = printable(trim(body), kQuotedError);
    failure.error = {ErrorCode::upstream, fmt::format("{} answered with status {}{}{}", provider, status,
                                                      said.message.empty() ? "" : ": ", said.message)};
    failure.error.prompt_tokens = said.prompt_tokens;
    failure.error.context_tokens = said.context_tokens;
    failure.body = std::move(body);
    failure.retry_after = said.retry_after;
    if (const auto wait = whole_number(headers.get("retry-after"))) failure.retry_after = seconds(*wait);
    if (status == 401 || status == 403) {
        failure.remedy = Remedy::next;
        failure.error.message += "; check its api_key in tandem.yaml";
    } else if (said.too_long) {
        failure.remedy = Remedy::next;
        failure.error.code = ErrorCode::context;
    } else if (status == 404) {
        failure.remedy = Remedy::next;
    } else if (status == 429 || status == 408) {
        failure.remedy = Remedy::retry;
        failure.error.code = ErrorCode::unavailable;
    } else if (status >= 500) {
        failure.remedy = Remedy::retry;
        failure.provider_unwell = true;
    } else if (status >= 300 && status < 400) {
        failure.remedy = Remedy::next;
        failure.error.message += "; redirects are not followed, give the right base_url";
    } else {
        failure.remedy = Remedy::give_up;
        failure.error.code = ErrorCode::invalid;
    }
    return failure;
}

Failure from_transport(Error error) {
    Failure failure;
    failure.provider_unwell = error.code == ErrorCode::upstream || error.code == ErrorCode::timeout;
    if (error.code == ErrorCode::cancelled)
        failure.remedy = Remedy::give_up;
    else if (error.code == ErrorCode::timeout)
        failure.remedy = Remedy::next;  // it may still be at work on it
    failure.error = std::move(error);
    return failure;
}

}  // namespace

Endpoint endpoint_of(const config::Provider& provider) {
    return {provider.kind,
            provider.base_url,
            provider.api_key,
            provider.connect_timeout,
            provider.first_byte_timeout,
            provider.idle_timeout};
}

net::Task<std::expected<Sent, Failure>> send(net::Client& client, privacy::Clearance clearance,
                                             const ledger::Reservation&, const Endpoint& endpoint, Call asked,
                                             SteadyTime deadline, net::Cancel& cancel) {
    using Failed = std::unexpected<Failure>;
    const auto& manner = manner_of(endpoint.kind);
    const auto query = asked.path.find('?');
    auto url = client.url_of(endpoint.base_url + asked.path.substr(0, query));
    if (!url) co_return Failed(Failure{.error = url.error(), .remedy = Remedy::next, .body = {}, .retry_after = {}});
    net::Call call;
    const bool far = url->host != "127.0.0.1" && url->host != "localhost" && url->host != "::1";
    call.url = std::move(*url);
    if (query != std::string::npos) call.url.path += asked.path.substr(query);
    call.method = asked.method;
    call.headers.add("Content-Type", "application/json");
    call.headers.add("Accept", asked.stream ? manner.stream_type : "application/json");
    call.headers.add("User-Agent", "tandem/" TANDEM_VERSION);
    if (far && !asked.stream) call.headers.add("Accept-Encoding", "gzip");
    manner.authorize(call.headers, *endpoint.api_key);
    asked.headers.each([&](std::string_view name, std::string_view value) { call.headers.add(name, value); });
    call.body = clearance.body();
    call.deadline = deadline;
    call.connect_timeout = endpoint.connect_timeout;
    call.first_byte_timeout = endpoint.first_byte_timeout;
    call.idle_timeout = endpoint.idle_timeout;
    auto answer = co_await client.send(std::move(call), cancel);
    if (!answer) {
        auto failure = from_transport(answer.error().error);
        if (std::chrono::steady_clock::now() >= deadline) failure.remedy = Remedy::give_up;
        co_return Failed(std::move(failure));
    }
    const int status = answer->status();
    if (status != 200) {
        const net::Fields headers = answer->headers();
        auto body = co_await answer->read_all();
        co_return Failed(from_status(status, body ? std::move(*body) : "", headers, endpoint, clearance.provider()));
    }
    const auto type = lower(answer->headers().get("content-type"));
    const bool stream = type.starts_with("text/event-stream") || type.starts_with("application/x-ndjson");
    co_return Sent{std::move(*answer), stream};
}

void Health::succeeded(const std::string& provider) {
    const std::lock_guard lock(mutex_);
    if (const auto found = entries_.find(provider); found != entries_.end()) entries_.erase(found);
}

void Health::failed(const std::string& provider, const std::string& why) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[provider];
    entry.why = why;
    if (++entry.failures < kFailures) return;
    entry.pause = std::min(kLongestPause, std::max(kFirstPause, entry.pause * 2));
    entry.until = clock_.steady() + entry.pause;
}

std::string Health::unhealthy(const std::string& provider) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(provider);
    if (found == entries_.end() || clock_.steady() >= found->second.until) return {};
    return fmt::format("{} failed {} times in a row and is left alone for a moment: {}", provider,
                       found->second.failures, found->second.why);
}

}  // namespace tandem::upstream
