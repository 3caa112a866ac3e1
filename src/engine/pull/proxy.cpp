#include "engine/pull/proxy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/base64.h"
#include "base/text.h"

namespace tandem::engine {

namespace {

constexpr std::uint16_t kPort = 1080;  // curl's, where a proxy's URL has none

std::string set_in(const config::Environment& environment, const std::string& name) {
    for (const auto& one : {lower(name), name})
        if (auto value = environment(one); value && !trim(*value).empty()) return std::string(trim(*value));
    return {};
}

bool is_word(char c) {
    return c > ' ' && c < 0x7f;
}

}  // namespace

Result<net::Proxy> proxy_from(std::string_view text, std::string_view variable) {
    const auto wrong = [&](std::string_view what) {
        return fail(ErrorCode::invalid,
                    fmt::format("{}: {}; it is http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT", variable, what));
    };
    if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
        if (lower(text.substr(0, scheme)) != "http")
            return wrong("only proxies that are spoken to by http are known here, no TLS and no SOCKS");
        text.remove_prefix(scheme + 3);
    }
    text = text.substr(0, text.find('/'));
    net::Proxy proxy;
    if (const auto at = text.rfind('@'); at != std::string_view::npos) {
        proxy.authorization = "Basic " + to_base64(net::percent_decoded(text.substr(0, at)));
        text.remove_prefix(at + 1);
    }
    auto host = text;
    std::string_view port;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return wrong("an address that does not end");
        host = text.substr(1, end - 1);
        port = text.substr(end + 1);
        if (!port.empty() && !port.starts_with(':')) return wrong("no port behind the address");
        if (!port.empty()) port.remove_prefix(1);
    } else if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
    }
    const auto number = port.empty() ? kPort : whole_number(port).value_or(0);
    if (host.empty() || !std::ranges::all_of(host, is_word) || number < 1 || number > 65'535)
        return wrong("no host or no port");
    proxy.host = host;
    proxy.port = static_cast<std::uint16_t>(number);
    return proxy;
}

bool is_direct(std::string_view list, std::string_view host, std::uint16_t port) {
    const auto name = lower(host);
    while (!list.empty()) {
        const auto end = std::min(list.find_first_of(", "), list.size());
        auto one = lower(trim(list.substr(0, end)));
        list.remove_prefix(std::min(end + 1, list.size()));
        if (one == "*") return true;
        if (const auto colon = one.rfind(':'); colon != std::string::npos && one.find(':') == colon) {
            if (whole_number(std::string_view(one).substr(colon + 1)) != port) continue;
            one.resize(colon);
        }
        if (one.starts_with("*.")) one.erase(0, 1);
        while (one.starts_with('.')) one.erase(0, 1);
        if (one.empty()) continue;
        if (name == one ||
            (name.size() > one.size() && name.ends_with(one) && name[name.size() - one.size() - 1] == '.'))
            return true;
    }
    return false;
}

Result<Proxies> Proxies::of(const config::Environment& environment) {
    Proxies proxies;
    proxies.direct_ = set_in(environment, "NO_PROXY");
    for (const auto& [name, proxy] :
         {std::pair{"HTTP_PROXY", &proxies.http_}, std::pair{"HTTPS_PROXY", &proxies.https_}}) {
        auto variable = std::string(name);
        auto text = set_in(environment, variable);
        if (text.empty()) text = set_in(environment, variable = "ALL_PROXY");
        if (text.empty()) continue;
        auto read = proxy_from(text, variable);
        if (!read) return fail(read.error());
        *proxy = std::move(*read);
    }
    return proxies;
}

const net::Proxy* Proxies::for_url(const net::Url& url) const {
    const auto& proxy = url.tls ? https_ : http_;
    return proxy && !is_direct(direct_, url.host, url.port) ? &*proxy : nullptr;
}

}  // namespace tandem::engine
