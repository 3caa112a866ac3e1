#include "gateway/gateway.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "gateway/batches.h"
#include "gateway/models.h"
#include "gateway/responses.h"
#include "gateway/run.h"

namespace tandem::gateway {

namespace {

bool is_open(std::string_view path) {
    return path == "/healthz" || path == "/readyz";
}

std::string_view presented_key(const net::Fields& headers) {
    const auto authorization = headers.get("authorization");
    constexpr std::string_view kBearer = "bearer ";
    if (authorization.size() > kBearer.size() && equals_ignoring_case(authorization.substr(0, kBearer.size()), kBearer))
        return trim(authorization.substr(kBearer.size()));
    // Anthropic's and Gemini's clients have headers of their own.
    const auto anthropic = headers.get("x-api-key");
    return anthropic.empty() ? headers.get("x-goog-api-key") : anthropic;
}

}  // namespace

void add_cors(const Snapshot& snapshot, const net::Fields& request, net::Fields& answer) {
    const std::string origin(request.get("origin"));
    if (origin.empty() || std::ranges::find(snapshot.config->server.cors, origin) == snapshot.config->server.cors.end())
        return;
    answer.add("access-control-allow-origin", origin);
    answer.add("vary", "origin");
    answer.add("access-control-expose-headers",
               "x-tandem-decision, x-tandem-model, x-tandem-provider, x-tandem-zone, x-tandem-label, "
               "x-tandem-redacted, x-tandem-warnings, x-tandem-cache");
}

std::vector<std::string> parts_below(std::string_view path, std::string_view prefix) {
    std::vector<std::string> parts;
    path.remove_prefix(prefix.size());
    while (!path.empty()) {
        path.remove_prefix(1);
        const auto slash = std::min(path.find('/'), path.size());
        if (slash > 0) parts.emplace_back(path.substr(0, slash));
        path.remove_prefix(slash);
    }
    return parts;
}

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
    anonymous_.id = "anonymous";
    admin_.id = "admin";
    admin_.admin = true;
}

Result<const config::Key*> Gateway::authenticate(const Snapshot& snapshot, const net::Fields& headers) const {
    const auto presented = presented_key(headers);
    if (!services_.admin_token.empty() && services_.admin_token.equals(presented)) return &admin_;
    if (snapshot.config->keys.empty()) return &anonymous_;
    const config::Key* found = nullptr;
    const auto digest = sha256(presented);
    for (const auto& key : snapshot.config->keys)  // all of them, so that time does not tell which
        if (CRYPTO_memcmp(key.digest.data(), digest.data(), digest.size()) == 0) found = &key;
    if (found != nullptr) return found;
    return fail(ErrorCode::unauthenticated, presented.empty()
                                                ? "no API key; send it as 'Authorization: Bearer KEY'"
                                                : "this API key is not known; see 'keys:' in tandem.yaml");
}

const config::Key* Gateway::key_named(const Snapshot& snapshot, const std::string& id) const {
    if (id == admin_.id) return &admin_;
    if (snapshot.config->keys.empty()) return id == anonymous_.id ? &anonymous_ : nullptr;
    const auto found = std::ranges::find(snapshot.config->keys, id, &config::Key::id);
    return found == snapshot.config->keys.end() ? nullptr : &*found;
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

// A page in the owner's browser must not use a loopback server behind the owner's back.
Result<> Gateway::check_origin(const Snapshot& snapshot, const net::Head& head) const {
    const auto origin = head.headers.get("origin");
    if (origin.empty()) return {};
    const auto& allowed = snapshot.config->server.cors;
    if (std::ranges::find(allowed, origin) != allowed.end()) return {};
    const auto scheme = origin.find("://");
    if (scheme != std::string_view::npos && origin.substr(scheme + 3) == head.headers.get("host")) return {};
    return fail(
        ErrorCode::forbidden,
        fmt::format("pages of {} may not call this server; add the origin to server.cors in tandem.yaml to allow it",
                    printable(origin, 80)));
}

Result<> Gateway::admit(const net::Head& head) {
    const auto snapshot = services_.snapshot();
    if (auto ok = check_origin(*snapshot, head); !ok) return ok;
    if (is_open(head.path) || head.method == "OPTIONS") return {};
    if (auto key = authenticate(*snapshot, head.headers); !key) return fail(key.error());
    return {};
}

std::string Gateway::holder_of(const net::Head& head) {
    const auto snapshot = services_.snapshot();
    const auto key = authenticate(*snapshot, head.headers);
    return key ? (*key)->id : anonymous_.id;
}

net::Response Gateway::error(std::string_view path, int status, const Error& error) {
    auto encoded = dialect::of(errors_of(path)).encode_error(error);
    net::Response response;
    response.status = status != 0 ? status : encoded.status;
    response.headers.add("content-type", "application/json");
    if (response.status == 401) response.headers.add("www-authenticate", "Bearer");
    if (response.status == 429 || response.status == 503 || response.status == 529)
        response.headers.add("retry-after", "5");
    response.body = std::move(encoded.body);
    return response;
}

net::Task<> Gateway::handle(net::Exchange& exchange) {
    const auto& request = exchange.request();
    if (const auto front = request.method == "POST" ? front_of(request.path) : std::nullopt) {
        auto snapshot = services_.snapshot();
        if (const auto key = authenticate(*snapshot, request.headers))
            return front->kind == dialect::Kind::openai_responses
                       ? answer_response(*this, exchange, std::move(snapshot), **key)
                       : answer_question(*this, exchange, std::move(snapshot), **key, *front);
    }
    return handle_rest(exchange);
}

net::Task<> Gateway::handle_rest(net::Exchange& exchange) {
    const auto snapshot = services_.snapshot();
    auto& request = exchange.request();
    const auto& path = request.path;
    if (request.method == "OPTIONS") {
        net::Response response;
        response.status = 204;
        add_cors(*snapshot, request.headers, response.headers);
        response.headers.add("access-control-allow-methods", "GET, POST, DELETE, OPTIONS");
        response.headers.add("access-control-allow-headers",
                             "authorization, content-type, x-api-key, x-goog-api-key, anthropic-version, "
                             "anthropic-beta, x-tandem-label, x-tandem-value, "
                             "x-tandem-conversation, x-tandem-timeout, x-tandem-cache");
        response.headers.add("access-control-max-age", "600");
        co_await exchange.reply(std::move(response));
        co_return;
    }
    const auto key = authenticate(*snapshot, request.headers);
    if (!key) {
        co_await exchange.reply(error(path, 0, key.error()));
        co_return;
    }
    if (co_await list_models(*this, exchange, *snapshot, **key)) co_return;
    if (co_await serve_responses(*this, exchange, *snapshot, **key)) co_return;
    if (co_await serve_batches(*this, exchange, snapshot, **key)) co_return;
    if (front_of(path)) {
        co_await exchange.reply(error(path, 405, {ErrorCode::method, fmt::format("{} takes POST", path)}));
        co_return;
    }
    const std::vector<std::string> paths = {"/v1/chat/completions",
                                            "/v1/completions",
                                            "/v1/responses",
                                            "/v1/messages",
                                            "/v1/embeddings",
                                            "/v1/rerank",
                                            "/v1/models",
                                            "/api/chat",
                                            "/api/generate",
                                            "/api/embed",
                                            "/api/tags",
                                            "/healthz",
                                            "/readyz",
                                            "/v1/files",
                                            "/v1/batches",
                                            "/tandem/v1/decisions",
                                            "/tandem/v1/status"};
    co_await exchange.reply(error(
        path, 404,
        {ErrorCode::not_found, fmt::format("there is nothing at {}{}", printable(path, 80), suggest(path, paths))}));
}

}  // namespace tandem::gateway
