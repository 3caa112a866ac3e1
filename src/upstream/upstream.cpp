#include "upstream/upstream.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"

namespace tandem::upstream {

namespace {

constexpr std::size_t kQuotedError = 300;

// What an OpenAI-compatible server says in an error body; servers differ, so all three common shapes are read.
std::string message_in(const std::string& body, bool& context) {
    json::Document document;
    if (!document.parse(body)) return printable(trim(body), kQuotedError);
    const auto error = document.root()["error"];
    const auto text =
        error["message"].string().value_or(error.string().value_or(document.root()["message"].string().value_or("")));
    const auto code = error["code"].text();
    const auto type = error["type"].text();
    context = code == "context_length_exceeded" || type == "exceed_context_size_error";
    auto message = printable(text, kQuotedError);
    // llama-server gives both numbers beside its message.
    if (const auto prompt = error["n_prompt_tokens"].integer(), limit = error["n_ctx"].integer();
        context && prompt && limit)
        message += fmt::format(" (prompt {} tokens, context {})", *prompt, *limit);
    return message;
}

Failure from_status(int status, std::string body, std::string_view retry_after, const std::string& provider) {
    Failure failure;
    failure.status = status;
    bool context = false;
    const auto said = message_in(body, context);
    failure.error = {ErrorCode::upstream,
                     fmt::format("{} answered with status {}{}{}", provider, status, said.empty() ? "" : ": ", said)};
    failure.body = std::move(body);
    if (const auto wait = whole_number(retry_after)) failure.retry_after = seconds(*wait);
    if (status == 401 || status == 403) {
        failure.remedy = Remedy::next;
        failure.error.message += "; check its api_key in tandem.yaml";
    } else if (context) {
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
    return {provider.base_url, provider.api_key, provider.connect_timeout, provider.first_byte_timeout,
            provider.idle_timeout};
}

net::Task<std::expected<Sent, Failure>> send(net::Client& client, privacy::Clearance clearance,
                                             const ledger::Reservation&, const Endpoint& endpoint, std::string path,
                                             bool stream, SteadyTime deadline, net::Cancel& cancel) {
    using Failed = std::unexpected<Failure>;
    auto url = client.url_of(endpoint.base_url + path);
    if (!url) co_return Failed(Failure{.error = url.error(), .remedy = Remedy::next, .body = {}, .retry_after = {}});
    net::Call call;
    const bool far = url->host != "127.0.0.1" && url->host != "localhost" && url->host != "::1";
    call.url = std::move(*url);
    call.headers.add("Content-Type", "application/json");
    call.headers.add("Accept", stream ? "text/event-stream" : "application/json");
    call.headers.add("User-Agent", "tandem/" TANDEM_VERSION);
    if (far && !stream) call.headers.add("Accept-Encoding", "gzip");
    if (!endpoint.api_key->empty())
        call.headers.add("Authorization", fmt::format("Bearer {}", endpoint.api_key->reveal()));
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
        const std::string retry_after(answer->headers().get("retry-after"));
        auto body = co_await answer->read_all();
        co_return Failed(from_status(status, body ? std::move(*body) : "", retry_after, clearance.provider()));
    }
    const bool event_stream = lower(answer->headers().get("content-type")).starts_with("text/event-stream");
    co_return Sent{std::move(*answer), event_stream};
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
