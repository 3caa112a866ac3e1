#include "cli/remote.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>

#include "app.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/fetch.h"
#include "cli/listener.h"
#include "config/service.h"
#include "net/local.h"

namespace tandem::cli {

namespace {

constexpr std::string_view kServiceStart = "systemctl start tandem";
constexpr milliseconds kStopLook{30};  // between two looks whether a call is still wanted

struct Job {
    const Remote& remote;
    const net::LocalAddress* local;  // null: over TCP
    const RemoteRequest& request;
    const std::function<void(const net::Fields&, std::string_view)>& each;
};

// Why nothing was sent, and what to do.
std::string silence_in_words(const Remote& remote, const Error& error) {
    if (silence_of(error) == Silence::tls)
        return fmt::format(
            "something answers at {}, and its certificate is not taken ({}): server.tls.certificate needs that name, "
            "and its issuer must be one that this machine trusts (SSL_CERT_FILE). The server's own user needs no "
            "certificate: its commands go through {}, which has no server now; `{}` makes it anew",
            remote.url, error.message, remote.socket.string(),
            remote.start == kServiceStart ? "systemctl restart tandem" : remote.start);
    return fmt::format("no server answers at {} ({}); start one with `{}`", remote.url, error.message, remote.start);
}

using Outcome = std::expected<RemoteAnswer, net::CallFailure>;

net::Task<Outcome> perform(net::Client& client, Job job, net::Cancel& cancel) {
    const auto query = std::min(job.request.path.find('?'), job.request.path.size());
    auto url = net::parse_url((job.local != nullptr ? "http://localhost" : job.remote.url) +
                              job.request.path.substr(0, query));
    if (!url) co_return std::unexpected(net::CallFailure{url.error(), true});
    net::Call call;
    call.local = job.local;
    call.method = job.request.method;
    call.url = std::move(*url);
    call.url.path += job.request.path.substr(query);
    call.headers = job.request.headers;
    if (job.local == nullptr && !job.remote.token.empty())
        call.headers.add("Authorization", "Bearer " + job.remote.token);
    call.body = job.request.body;
    call.first_byte_timeout = job.request.timeout;
    call.idle_timeout = job.request.timeout;
    auto answer = co_await client.send(std::move(call), cancel);
    if (!answer) {
        const auto& failure = answer.error();
        co_return std::unexpected(
            net::CallFailure{{Fault::server_unreachable,
                              failure.sent ? failure.error.message : silence_in_words(job.remote, failure.error)},
                             failure.sent});
    }
    RemoteAnswer result{answer->status(), answer->headers(), {}};
    while (true) {
        auto piece = co_await answer->read();
        // The server that is asked here; where one of its providers fails, it says so itself.
        if (!piece)
            co_return std::unexpected(net::CallFailure{
                {Fault::server_unreachable,
                 fmt::format("the tandem server at {} went away before its answer was finished ({}); `tandem health` "
                             "says whether it runs, `tandem logs` what it did",
                             job.local != nullptr ? job.remote.socket.string() : job.remote.url,
                             piece.error().message)},
                true});
        if (piece->empty()) break;
        if (job.each && result.status == 200)
            job.each(result.headers, *piece);
        else
            result.body += *piece;
    }
    co_return result;
}

Outcome send(const Job& job) {
    net::Worker worker;
    net::ClientShared shared;
    net::Client client(worker, shared);
    net::Cancel cancel;
    Outcome result = std::unexpected(net::CallFailure{{ErrorCode::internal, "nothing was sent"}, false});
    net::asio::co_spawn(worker.context(), perform(client, job, cancel), [&](std::exception_ptr thrown, Outcome answer) {
        if (!thrown) result = std::move(answer);
        worker.context().stop();
    });
    if (!job.request.stopped) worker.context().run();
    while (!worker.context().stopped()) {
        worker.context().run_for(kStopLook);
        if (job.request.stopped()) cancel.fire(net::Cancel::Reason::client_gone);
    }
    return result;
}

}  // namespace

Remote remote_of(const config::Config& config) {
    const auto& server = config.server;
    std::string host = server.host;
    if (host == "0.0.0.0" || host == "::") host = "127.0.0.1";
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    Remote remote{fmt::format("{}://{}:{}", server.tls_certificate.empty() ? "http" : "https", host, server.port),
                  {},
                  local_socket(config.data)};
    if (auto token = admin_token(config.data, false)) remote.token = token->reveal();
    if (config.source == config::kServiceConfig) remote.start = kServiceStart;
    struct stat info{};
    if (server.loopback && stat(config.data.c_str(), &info) == 0) remote.owner = info.st_uid;
    return remote;
}

Result<RemoteAnswer> call(const Remote& remote, RemoteRequest request,
                          const std::function<void(const net::Fields&, std::string_view)>& each) {
    if (!remote.socket.empty()) {
        const auto local = net::LocalAddress::of(remote.socket);
        if (local && local->has_socket()) {
            auto answer = send({remote, &*local, request, each});
            if (answer) return std::move(*answer);
            // Where nobody listens there any more, the address may still have a server.
            if (answer.error().sent) return fail(answer.error().error);
        }
    }
    if (remote.url.empty())
        return fail(Fault::server_unreachable, fmt::format("no server answers at {}", remote.socket.string()));
    // Whoever has the port while the server is down would be given the token and the prompt.
    const auto url = net::parse_url(remote.url);
    if (url && remote.owner && !is_trusted_port(url->port, *remote.owner))
        return fail(
            Fault::server_unreachable,
            fmt::format("no server of yours answers: what listens at {} belongs to another user of this machine",
                        remote.url));
    auto answer = send({remote, nullptr, request, each});
    if (!answer) return fail(answer.error().error);
    return std::move(*answer);
}

std::optional<RemoteAnswer> ask(const Globals& globals, const config::Config& config, RemoteRequest request,
                                int& code) {
    auto answer = call(remote_of(config), std::move(request));
    if (!answer) {
        code = answer.error().code == ErrorCode::unavailable ? kUnreachable : kFailed;
        report(globals, answer.error());
        return {};
    }
    if (answer->status == 200) return std::move(*answer);
    // What the server finds wrong in a request that a command made was wrong in its arguments.
    code = answer->status == 404 ? kNotFound : answer->status == 400 ? kUsage : kFailed;
    report(globals, error_of(*answer));
    return {};
}

Error error_of(const RemoteAnswer& answer) {
    const auto named = fault_named(answer.headers.get("x-tandem-error"));
    return {named.value_or(Fault::upstream), error_message(answer)};
}

std::string error_message(const RemoteAnswer& answer) {
    json::Document document;
    if (document.parse(answer.body))
        if (const auto text = document.root()["error"]["message"].string()) return std::string(*text);
    return fmt::format("the server answered with status {}: {}", answer.status, printable(answer.body, 200));
}

}  // namespace tandem::cli
