#include "net/server.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <condition_variable>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "base/file.h"
#include "net/connection.h"
#include "net/local.h"

namespace tandem::net {

namespace {

using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;
using Local = asio::local::stream_protocol;
using LocalAcceptor = asio::basic_socket_acceptor<Local, Executor>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

using NotSentLowat = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;

// What the system keeps for a client that does not read; without it, autotuning lets that grow to megabytes.
constexpr int kUnsentBytes = 64 * 1024;
constexpr milliseconds kAcceptPause{100};  // after EMFILE and the like
constexpr int kBacklog = 1024;
constexpr std::size_t kLocalRoom = 64;  // connections of the owner's commands, when all others are taken

}  // namespace

struct Server::State {
    // What one worker has of this server; touched on its thread only.
    struct Side {
        Worker& worker;
        Acceptor acceptor;
        std::optional<LocalAcceptor> local;  // of the first worker alone
        std::unordered_set<Connection*> connections;
        bool stopping = false;
    };

    State(ServerSettings settings, std::vector<Worker*> workers, Service& service, MemoryAccount& memory)
        : shared{.settings = std::move(settings), .service = service, .memory = memory}, workers(std::move(workers)) {}

    Result<> open(Side& side, const Tcp::endpoint& endpoint, bool reuse_port) {
        ErrorCodeOf error;
        side.acceptor.open(endpoint.protocol(), error);
        if (!error) close_on_exec(side.acceptor.native_handle());
        if (!error) side.acceptor.set_option(Acceptor::reuse_address(true), error);
        if (!error && reuse_port) side.acceptor.set_option(ReusePort(true), error);
        if (!error) side.acceptor.bind(endpoint, error);
        if (!error && reuse_port) side.acceptor.listen(kBacklog, error);
        if (!error) return {};
        return fail(ErrorCode::unavailable,
                    fmt::format("cannot listen on {}:{}: {}; stop what runs there, or set server.listen in tandem.yaml",
                                shared.settings.host, endpoint.port(), error.message()));
    }

    // Replaces the socket of a server that has ended. The mode is set before the name is there (Linux takes it from the
    // socket's own), so that nobody else can connect in between.
    Result<> open_local(Side& side) {
        const auto address = LocalAddress::of(shared.settings.local_socket);
        if (!address) return fail(address.error());
        if (auto ok = address->remove_socket(); !ok) return ok;
        auto& acceptor = side.local.emplace(side.worker.context());
        ErrorCodeOf error;
        acceptor.open(Local(), error);
        if (!error) close_on_exec(acceptor.native_handle());
        // Not all kernels do that; those that do not leave it to the folder and to peer_is_ours() for a moment.
        if (!error) fchmod(acceptor.native_handle(), 0600);
        if (!error) acceptor.bind(address->endpoint(), error);
        if (!error && chmod(address->endpoint().path().c_str(), 0600) != 0)
            error = {errno, boost::system::system_category()};
        if (!error) acceptor.listen(kBacklog, error);
        if (!error) return {};
        side.local.reset();
        return fail(ErrorCode::unavailable, error.message());
    }

    template <typename Listener>
    Task<> accept_loop(Side& side, Listener& listener) {
        while (!side.stopping) {
            auto [error, socket] = co_await listener.async_accept(side.worker.context(), asio::as_tuple(use_task));
            if (side.stopping) break;
            if (error) {
                if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) break;
                spdlog::warn("accept: {}", error.message());
                co_await sleep_for(side.worker.context(), kAcceptPause);
                continue;
            }
            take(side, std::move(socket));
        }
    }

    void take(Side& side, asio::basic_stream_socket<Tcp, Executor> socket) {
        ErrorCodeOf ignored;
        socket.set_option(Tcp::no_delay(true), ignored);
        socket.set_option(NotSentLowat(kUnsentBytes), ignored);
        Peer peer{socket.remote_endpoint(ignored).address().to_string()};
        if (shared.connections >= shared.settings.limits.connections) {
            // One attempt, without waiting: a server that is full must not wait for anyone.
            socket.write_some(asio::buffer(full), ignored);
            return;
        }
        auto wire = tls ? Wire(std::move(socket), *tls) : Wire(std::move(socket));
        asio::co_spawn(side.worker.context(), serve(side, std::move(wire), tls != nullptr, std::move(peer)),
                       asio::detached);
    }

    void take(Side& side, asio::basic_stream_socket<Local, Executor> socket) {
        if (!peer_is_ours(socket.native_handle())) return;
        if (shared.connections >= shared.settings.limits.connections + kLocalRoom) return;
        asio::co_spawn(side.worker.context(), serve(side, Wire(std::move(socket)), false, Peer{"", true}),
                       asio::detached);
    }

    Task<> serve(Side& side, Wire wire, bool with_tls, Peer peer) {
        Connection connection(std::move(wire), with_tls, side.worker, shared, std::move(peer));
        side.connections.insert(&connection);
        if (side.stopping) connection.drain();
        try {
            co_await connection.run();
        } catch (const std::exception& error) {
            spdlog::error("a connection ended by an exception: {}", error.what());
        }
        side.connections.erase(&connection);
    }

    // Runs `act` on each worker, and waits until all have.
    void on_each_side(const std::function<void(Side&)>& act) {
        std::mutex mutex;
        std::condition_variable done;
        std::size_t left = sides.size();
        for (auto& side : sides)
            asio::post(side->worker.context(), [&, target = side.get()] {
                act(*target);
                const std::lock_guard lock(mutex);
                if (--left == 0) done.notify_all();
            });
        std::unique_lock lock(mutex);
        done.wait(lock, [&] { return left == 0; });
    }

    bool wait_until_empty(milliseconds at_most) {
        const auto end = std::chrono::steady_clock::now() + at_most;
        while (shared.connections > 0) {
            if (std::chrono::steady_clock::now() >= end) return false;
            std::this_thread::sleep_for(milliseconds(2));
        }
        return true;
    }

    Shared shared;
    std::vector<Worker*> workers;
    std::vector<std::unique_ptr<Side>> sides;
    std::unique_ptr<asio::ssl::context> tls;
    std::uint16_t port = 0;
    bool listening = false;
    std::string full;  // what a connection over the limit gets
};

Server::Server(ServerSettings settings, std::vector<Worker*> workers, Service& service, MemoryAccount& memory)
    : state_(std::make_unique<State>(std::move(settings), std::move(workers), service, memory)) {}

Server::~Server() {
    stop(milliseconds(0));
}

Result<> Server::listen() {
    auto& state = *state_;
    const auto& settings = state.shared.settings;
    if (!settings.tls_certificate.empty()) {
        for (const auto& [field, file] :
             {std::pair("certificate", settings.tls_certificate), std::pair("key", settings.tls_key)})
            if (auto ok = check_readable(file); !ok)
                return fail(Fault::invalid_config, fmt::format("server.tls.{}: {}", field, ok.error().message));
        state.tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
        ErrorCodeOf error;
        state.tls->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, error);
        state.tls->use_certificate_chain_file(settings.tls_certificate, error);
        if (error)
            return fail(Fault::invalid_config,
                        fmt::format("server.tls.certificate {}: {}", settings.tls_certificate, error.message()));
        state.tls->use_private_key_file(settings.tls_key, asio::ssl::context::pem, error);
        if (error)
            return fail(Fault::invalid_config, fmt::format("server.tls.key {}: {}", settings.tls_key, error.message()));
    }
    ErrorCodeOf error;
    const auto address = asio::ip::make_address(settings.host == "localhost" ? "127.0.0.1" : settings.host, error);
    if (error)
        return fail(Fault::invalid_config, fmt::format("server.listen: '{}' is not an IP address", settings.host));
    Tcp::endpoint endpoint(address, settings.port);
    {
        // With SO_REUSEPORT a second Tandem could share the port unseen; one plain bind finds out.
        State::Side probe{*state.workers.front(), Acceptor(state.workers.front()->context()), {}, {}};
        if (auto ok = state.open(probe, endpoint, false); !ok) return ok;
        endpoint.port(probe.acceptor.local_endpoint().port());
    }
    for (Worker* worker : state.workers) {
        auto side = std::make_unique<State::Side>(*worker, Acceptor(worker->context()), std::nullopt,
                                                  std::unordered_set<Connection*>{});
        if (auto ok = state.open(*side, endpoint, true); !ok) return ok;
        state.sides.push_back(std::move(side));
    }
    state.port = endpoint.port();
    const auto body =
        state.shared.service
            .error(
                Request{}, 503,
                {Fault::server_full,
                 fmt::format("all {} connections are taken; try again in a moment, or raise server.limits.connections",
                             settings.limits.connections)})
            .body;
    state.full = fmt::format(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\nconnection: "
        "close\r\ncontent-length: {}\r\n\r\n{}",
        body.size(), body);
    state.listening = true;
    for (auto& side : state.sides)
        asio::co_spawn(side->worker.context(), state.accept_loop(*side, side->acceptor), asio::detached);
    if (settings.local_socket.empty()) return {};
    auto& first = *state.sides.front();
    if (auto ok = state.open_local(first); !ok)
        spdlog::warn("cannot listen on {}: {}; commands on this machine use {}:{}", settings.local_socket.string(),
                     ok.error().message, settings.host, state.port);
    else
        asio::co_spawn(first.worker.context(), state.accept_loop(first, *first.local), asio::detached);
    return {};
}

std::uint16_t Server::port() const {
    return state_->port;
}
std::size_t Server::connections() const {
    return state_->shared.connections;
}

void Server::stop(milliseconds drain, const std::function<void()>& before_cancel) {
    auto& state = *state_;
    if (!state.listening) return;
    state.listening = false;
    state.shared.stopping = true;
    if (state.sides.front()->local)
        if (const auto address = LocalAddress::of(state.shared.settings.local_socket); address)
            if (auto ok = address->remove_socket(); !ok) spdlog::warn("{}", ok.error().message);
    state.on_each_side([](State::Side& side) {
        side.stopping = true;
        ErrorCodeOf ignored;
        side.acceptor.close(ignored);
        if (side.local) side.local->close(ignored);
        for (Connection* connection : side.connections) connection->drain();
    });
    if (state.wait_until_empty(drain)) return;
    if (before_cancel) before_cancel();
    state.on_each_side([](State::Side& side) {
        for (Connection* connection : side.connections) connection->abort();
    });
    state.wait_until_empty(milliseconds(5'000));
}

}  // namespace tandem::net
