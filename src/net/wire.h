// A byte stream over TCP or a UNIX socket, with or without TLS. Private to net/.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <span>
#include <tuple>

#include "net/task.h"

namespace tandem::net {

using Tcp = asio::ip::tcp;
using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;
using ErrorCodeOf = boost::system::error_code;

// Programs that we start shall not hold it.
void close_on_exec(int fd);

class Wire {
  public:
    // Closes the socket in programs that we start (FD_CLOEXEC), which Asio does not.
    explicit Wire(Socket socket);
    Wire(Socket socket, asio::ssl::context& tls);

    // What Asio gives, without a coroutine of our own around it: these are the innermost waits of every request.
    using Done = Task<std::tuple<ErrorCodeOf, std::size_t>>;
    Done read_some(asio::mutable_buffer target);
    // All of the pieces, in order; they are borrowed until it is done.
    Done write(std::span<const asio::const_buffer> pieces);
    Task<ErrorCodeOf> handshake_as_server();
    // Verifies the certificate for `host`.
    Task<ErrorCodeOf> handshake_as_client(std::string host);
    // Why the other side's certificate was not trusted in a handshake that ended with `error`; empty where that was not
    // the reason.
    std::string distrust(const ErrorCodeOf& error) const;

    // Ends every wait on it with an error. The object stays usable for that.
    void close() noexcept;
    void shutdown_send() noexcept;
    bool open() const { return socket().is_open(); }
    int fd() { return socket().native_handle(); }
    // For a kept connection: nothing to read and not closed by the other end.
    bool quiet();

    Socket& socket() { return tls_ ? tls_->next_layer() : *plain_; }
    const Socket& socket() const { return tls_ ? tls_->next_layer() : *plain_; }

  private:
    std::unique_ptr<Socket> plain_;
    std::unique_ptr<asio::ssl::stream<Socket>> tls_;
};

}  // namespace tandem::net
