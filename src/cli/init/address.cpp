// Addresses of servers, as owners write them, and how far from home they are.
#include <fmt/format.h>

#include <array>
#include <boost/asio/ip/address.hpp>

#include "base/text.h"
#include "cli/init/discover.h"
#include "net/client.h"

namespace tandem::cli {

namespace {

constexpr std::array<std::uint16_t, 9> kUsualPorts = {
    11434,  // Ollama
    8080,   // llama-server, LocalAI, and much else
    1234,   // LM Studio
    8000,   // vLLM
    30000,  // SGLang
    5001,   // KoboldCpp
    5000,   // text-generation-webui
    1337,   // Jan
    4000,   // LiteLLM
};

}  // namespace

Result<Address> address_from(std::string_view text, std::uint16_t usual_port) {
    std::string url(trim(text));
    const bool has_scheme = url.find("://") != std::string::npos;
    while (url.ends_with('/')) url.pop_back();
    if (!has_scheme && url.starts_with(':')) url = "127.0.0.1" + url;
    // An IPv6 address of its own.
    if (!has_scheme && std::ranges::count(url, ':') > 1 && !url.starts_with('[')) url = "[" + url + "]";
    const auto parsed = net::parse_url(has_scheme ? url : "http://" + url);
    if (!parsed || url.empty())
        return fail(ErrorCode::invalid, fmt::format("expected an address such as 192.168.1.20:8000 or a URL, got '{}'",
                                                    printable(text, 80)));
    const bool has_port = parsed->authority.find(':', parsed->authority.find(']') + 1) != std::string::npos;
    std::string host = parsed->host;
    if (host == "0.0.0.0" || host == "::") host = "127.0.0.1";
    const auto port = has_port || has_scheme ? parsed->port : usual_port;
    Address address;
    address.url = fmt::format("{}://{}:{}{}", parsed->tls ? "https" : "http",
                              host.find(':') == std::string::npos ? host : "[" + host + "]", port,
                              parsed->path == "/" ? "" : parsed->path);
    address.named = true;
    return address;
}

std::vector<Address> usual_addresses() {
    std::vector<Address> list;
    for (const auto port : kUsualPorts) list.push_back({fmt::format("http://127.0.0.1:{}", port), {}, false});
    return list;
}

bool is_this_machine(std::string_view host) {
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(host, error);
    return error ? host == "localhost" || host.ends_with(".localhost") : address.is_loopback();
}

bool is_private_network(std::string_view host) {
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(host, error);
    if (error) {
        const auto name = lower(host);
        if (name.find('.') == std::string::npos) return true;
        for (const auto* end : {".local", ".lan", ".home.arpa", ".internal"})
            if (name.ends_with(end)) return true;
        return false;
    }
    if (address.is_v6()) {
        const auto bytes = address.to_v6().to_bytes();
        return address.is_loopback() || (bytes[0] & 0xFEU) == 0xFC || (bytes[0] == 0xFE && (bytes[1] & 0xC0U) == 0x80);
    }
    const auto bytes = address.to_v4().to_bytes();
    return address.is_loopback() || bytes[0] == 10 || (bytes[0] == 172 && bytes[1] >= 16 && bytes[1] < 32) ||
           (bytes[0] == 192 && bytes[1] == 168) || (bytes[0] == 169 && bytes[1] == 254) ||
           (bytes[0] == 100 && bytes[1] >= 64 && bytes[1] < 128);
}

}  // namespace tandem::cli
