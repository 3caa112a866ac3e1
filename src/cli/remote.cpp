#include "cli/remote.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>

#include "app.h"
#include "base/json.h"
#include "base/text.h"

namespace tandem::cli {

namespace {

constexpr milliseconds kStopLook{30};  // between two looks whether a call is still wanted

struct Job {
    const Remote& remote;
    const RemoteRequest& request;
    const std::function<void(const net::Fields&, std::string_view)>& each;
};

net::Task<Result<RemoteAnswer>> perform(net::Client& client, Job job, net::Cancel& cancel) {
    const auto query = std::min(job.request.path.find('?'), job.request.path.size());
    auto url = net::parse_url(job.remote.url + job.request.path.substr(0, query));
    if (!url) co_return fail(url.error());
    net::Call call;
    call.method = job.request.method;
    call.url = std::move(*url);
    call.url.path += job.request.path.substr(query);
    call.headers = job.request.headers;
    if (!job.remote.token.empty()) call.headers.add("Authorization", "Bearer " + job.remote.token);
    call.body = job.request.body;
    call.first_byte_timeout = job.request.timeout;
    call.idle_timeout = job.request.timeout;
    auto answer = co_await client.send(std::move(call), cancel);
    if (!answer) {
        const auto& error = answer.error().error;
        co_return fail(ErrorCode::unavailable,
                       answer.error().sent ? error.message
                                           : fmt::format("no server answers at {} ({}); start one with `tandem serve`",
                                                         job.remote.url, error.message));
    }
    RemoteAnswer result{answer->status(), answer->headers(), {}};
    while (true) {
        auto piece = co_await answer->read();
        if (!piece) co_return fail(piece.error());
        if (piece->empty()) break;
        if (job.each && result.status == 200)
            job.each(result.headers, *piece);
        else
            result.body += *piece;
    }
    co_return result;
}

}  // namespace

Remote remote_of(const config::Config& config) {
    const auto& server = config.server;
    std::string host = server.host;
    if (host == "0.0.0.0" || host == "::") host = "127.0.0.1";
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    Remote remote{fmt::format("{}://{}:{}", server.tls_certificate.empty() ? "http" : "https", host, server.port), {}};
    if (auto token = admin_token(config.data, false)) remote.token = token->reveal();
    return remote;
}

Result<RemoteAnswer> call(const Remote& remote, RemoteRequest request,
                          const std::function<void(const net::Fields&, std::string_view)>& each) {
    net::Worker worker;
    net::ClientShared shared;
    net::Client client(worker, shared);
    net::Cancel cancel;
    Result<RemoteAnswer> result = fail(ErrorCode::internal, "nothing was sent");
    net::asio::co_spawn(worker.context(), perform(client, {remote, request, each}, cancel),
                        [&](std::exception_ptr thrown, Result<RemoteAnswer> answer) {
                            if (!thrown) result = std::move(answer);
                            worker.context().stop();
                        });
    if (!request.stopped) worker.context().run();
    while (!worker.context().stopped()) {
        worker.context().run_for(kStopLook);
        if (request.stopped()) cancel.fire(net::Cancel::Reason::client_gone);
    }
    return result;
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
    code = answer->status == 404 ? kNotFound : kFailed;
    report(globals, {ErrorCode::upstream, error_message(*answer)});
    return {};
}

std::string error_message(const RemoteAnswer& answer) {
    json::Document document;
    if (document.parse(answer.body))
        if (const auto text = document.root()["error"]["message"].string()) return std::string(*text);
    return fmt::format("the server answered with status {}: {}", answer.status, printable(answer.body, 200));
}

}  // namespace tandem::cli
