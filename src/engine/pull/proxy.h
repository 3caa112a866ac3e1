// The proxy that the environment names for what leaves this machine: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY,
// in capitals or not, as curl reads them (everything.curl.dev, "proxy environment variables").
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "config/config.h"
#include "net/client.h"

namespace tandem::engine {

// "http://[USER:PASSWORD@]HOST[:PORT]", the scheme may be missing; the port is 1080 where it is. Errors: invalid,
// without a word of the text, which may hold a password: a proxy that is spoken to over TLS or SOCKS, or no such text.
Result<net::Proxy> proxy_from(std::string_view text, std::string_view variable);

// Whether NO_PROXY ("localhost, .example.org, example.com:8443, 10.0.0.7, *") has this host at this port.
bool is_direct(std::string_view list, std::string_view host, std::uint16_t port);

class Proxies {
  public:
    // Errors: as proxy_from().
    static Result<Proxies> of(const config::Environment& environment);
    // nullptr: none. Valid as long as this.
    const net::Proxy* for_url(const net::Url& url) const;

  private:
    std::optional<net::Proxy> http_, https_;
    std::string direct_;
};

}  // namespace tandem::engine
