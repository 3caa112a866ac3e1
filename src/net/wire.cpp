#include "net/wire.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>

namespace tandem::net {

namespace {

// A borrowed list of buffers, in the form that Asio asks for.
struct Pieces {
    std::span<const asio::const_buffer> span;
    using value_type = asio::const_buffer;
    using const_iterator = const asio::const_buffer*;
    const_iterator begin() const { return span.data(); }
    const_iterator end() const { return span.data() + span.size(); }
};

constexpr auto kToken = asio::as_tuple(use_task);

}  // namespace

void close_on_exec(int fd) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
}

Wire::Wire(Socket socket) : plain_(std::make_unique<Socket>(std::move(socket))) {
    close_on_exec(fd());
}

Wire::Wire(Socket socket, asio::ssl::context& tls)
    : tls_(std::make_unique<asio::ssl::stream<Socket>>(std::move(socket), tls)) {
    close_on_exec(fd());
}

Wire::Done Wire::read_some(asio::mutable_buffer target) {
    if (tls_) return tls_->async_read_some(target, kToken);
    return plain_->async_read_some(target, kToken);
}

Wire::Done Wire::write(std::span<const asio::const_buffer> pieces) {
    if (tls_) return asio::async_write(*tls_, Pieces{pieces}, kToken);
    return asio::async_write(*plain_, Pieces{pieces}, kToken);
}

Task<ErrorCodeOf> Wire::handshake_as_server() {
    const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::server, kToken);
    co_return error;
}

Task<ErrorCodeOf> Wire::handshake_as_client(std::string host) {
    // Server Name Indication, RFC 6066 section 3.
    if (SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str()) != 1) co_return asio::error::no_memory;
    tls_->set_verify_mode(asio::ssl::verify_peer);
    tls_->set_verify_callback(asio::ssl::host_name_verification(host));
    const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::client, kToken);
    co_return error;
}

std::string Wire::distrust(const ErrorCodeOf& error) const {
    auto* const ssl = tls_->native_handle();
    const auto verdict = SSL_get_verify_result(ssl);
    if (verdict != X509_V_OK) return X509_verify_cert_error_string(verdict);
    // Its chain is good, and the check of the name has refused it.
    const auto reason = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
    return reason == SSL_R_CERTIFICATE_VERIFY_FAILED ? "the certificate is for another name" : "";
}

void Wire::close() noexcept {
    ErrorCodeOf ignored;
    socket().close(ignored);
}

void Wire::shutdown_send() noexcept {
    ErrorCodeOf ignored;
    socket().shutdown(Socket::shutdown_send, ignored);
}

bool Wire::quiet() {
    if (!open()) return false;
    char byte = 0;
    return ::recv(fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace tandem::net
