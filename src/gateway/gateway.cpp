#include "gateway/gateway.h"

#include <algorithm>

#include "access/origin.h"
#include "base/text.h"

namespace tandem::gateway {

std::string header_text(std::string_view text) {
    std::string result = printable(text, 600);
    std::ranges::replace_if(result, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    return result;
}

Gateway::Gateway(Services& services, const std::vector<net::Worker*>& workers, const Dialer& dialer)
    : services_(services) {
    if (!dialer) client_shared_.emplace();
    for (auto* worker : workers)
        clients_.emplace(worker, dialer ? dialer(*worker) : std::make_unique<net::Client>(*worker, *client_shared_));
}

void Gateway::remember_batch(const std::string& id, std::function<void()> cancel) {
    const std::lock_guard lock(batches_mutex_);
    batches_[id] = std::move(cancel);
}

void Gateway::forget_batch(const std::string& id) {
    const std::lock_guard lock(batches_mutex_);
    batches_.erase(id);
}

void Gateway::cancel_batch(const std::string& id) {
    const std::lock_guard lock(batches_mutex_);
    if (const auto found = batches_.find(id); found != batches_.end()) found->second();
}

net::Response error_response(dialect::Kind dialect, int status, const Error& error) {
    auto encoded = dialect::of(dialect).encode_error(error);
    net::Response response;
    response.status = status != 0 ? status : encoded.status;
    response.headers.add("content-type", "application/json");
    if (response.status == 401) response.headers.add("www-authenticate", "Bearer");
    // A budget that is used up does not come back in a moment: official SDKs would wait and ask for nothing.
    if (error.code == ErrorCode::over_budget)
        response.headers.add("x-should-retry", "false");
    else if (response.status == 429 || response.status == 503 || response.status == 529)
        response.headers.add("retry-after", "5");
    response.body = std::move(encoded.body);
    return response;
}

net::Task<> reply_json(const Call& call, dialect::Kind dialect, Result<std::string> body) {
    net::Response response;
    if (body) {
        response.headers.add("content-type", "application/json");
        response.body = std::move(*body);
    } else {
        response = error_response(dialect, 0, body.error());
    }
    access::add_cors(call.snapshot->config->server, call.request().headers, response.headers);
    co_await call.exchange.reply(std::move(response));
}

}  // namespace tandem::gateway
