// server: where it listens, and what it takes.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/reader.h"

namespace tandem::config {

namespace {

bool is_loopback_host(std::string_view host) {
    return host == "localhost" || host == "::1" || host == "[::1]" || host.starts_with("127.");
}

void read_limits(Section& s, net::ServerLimits& limits) {
    // Below the connection's buffer, see net/.
    s.bytes("header_bytes", limits.header_bytes, 1024, 60 * 1024, "of a request's head; 431 beyond it");
    s.number("header_count", limits.header_count, 1, 1000, "header lines of a request");
    s.bytes("body_bytes", limits.body_bytes, 1024, 1UL << 30, "of one request; 413 beyond it");
    s.bytes("bodies_bytes", limits.bodies_bytes, 1024, 64UL << 30, "of all bodies under way together; 503 beyond it");
    s.bytes("memory_bytes", limits.memory_bytes, MemoryAccount::kSmallest, 64UL << 30,
            "of all that is held for clients: bodies, documents, answers, jobs, what is kept. A request that finds no "
            "room gets 503");
    s.duration("header_timeout", limits.header_timeout, "from the first byte of a request to the end of its head");
    s.duration("body_timeout", limits.body_timeout, "from there to the end of the body");
    s.duration("idle_timeout", limits.idle_timeout, "between two requests of a connection");
    s.duration("write_timeout", limits.write_timeout, "for the client to take what is in flight");
    s.number("connections", limits.connections, 1, 1'000'000, "of the whole server");
    s.number("requests_per_connection", limits.requests_per_connection, 1, 1'000'000'000,
             "then the connection is closed");
}

}  // namespace

void read_server(Section& s, Server& server) {
    std::string listen;
    s.text("listen", listen,
           About("address and port. Beyond this machine it needs `keys`", "`127.0.0.1:7117`")
               .like("^(.*:[0-9]{1,5})?$", "0.0.0.0:7117"));
    if (!listen.empty()) {
        const auto colon = listen.rfind(':');
        const auto port =
            colon == std::string::npos ? std::nullopt : whole_number(std::string_view(listen).substr(colon + 1));
        if (!port || *port > 65535) {
            s.complain("listen",
                       fmt::format("expected address:port such as 127.0.0.1:7117, got '{}'", printable(listen, 60)));
        } else {
            server.host = listen.substr(0, colon);
            if (server.host.starts_with('[') && server.host.ends_with(']'))
                server.host = server.host.substr(1, server.host.size() - 2);
            server.port = static_cast<std::uint16_t>(*port);
        }
    }
    server.loopback = is_loopback_host(server.host);
    s.section("tls", "with it, the server speaks HTTPS only", [&](Section& tls) {
        tls.text("certificate", server.tls_certificate, About("PEM file with its chain").required());
        tls.text("key", server.tls_key, About("PEM file").required());
    });
    s.texts("hosts", server.hosts,
            "further names that a `Host` header may carry on loopback; localhost, 127.0.0.1 and [::1] always may");
    s.texts("cors", server.cors, {"origins whose pages may call from a browser", "none"});
    s.number("workers", server.workers, 1, 256, {"threads that serve", "one per core"});
    s.duration("drain_timeout", server.drain_timeout, "how long a stop waits for requests under way");
    s.duration("request_timeout", server.request_timeout, "deadline of a request that names none (`x-tandem-timeout`)");
    s.section("limits", "the bounds of the HTTP server", [&](Section& limits) { read_limits(limits, server.limits); });
}

}  // namespace tandem::config
