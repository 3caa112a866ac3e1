// Addresses of servers, as owners write them, and how far from home they are.
#include <fmt/format.h>

#include <array>
#include <boost/asio/ip/address.hpp>

#include "base/text.h"
#include "cli/init/discover.h"
#include "config/base_url.h"
#include "config/plain_value.h"
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

// Beginnings of keys: one that stands in the place of an address is not to be looked up as the name of a machine.
constexpr auto kKeyBeginnings = std::to_array<std::string_view>(
    {"sk-", "sk_", "gsk_", "AIza", "hf_", "xai-", "pk-", "pplx-", "csk-", "nvapi-", "Bearer", "tandem-"});

constexpr std::string_view kSchemeMark = "://";

// What is wrong with an address, in words that do not repeat it; empty where it looks like one.
std::string fault_in(std::string_view url) {
    if (url.empty()) return "it is empty";
    const auto begins = [url](std::string_view word) { return url.starts_with(word); };
    if (std::ranges::any_of(kKeyBeginnings, begins)) return "it looks like a key";
    if (std::ranges::any_of(url, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\''; }))
        return "it has a blank or a quote in it";
    if (url.find_first_of("${}<>%") != std::string_view::npos)
        return "it has the name of something in it that was not filled in";
    const auto word = lower(url);
    if (word == "none" || word == "null" || word == "undefined") return "it is no address";
    const auto mark = url.find(kSchemeMark);
    if (mark != std::string_view::npos) {
        const auto scheme = lower(url.substr(0, mark));
        if (scheme != "http" && scheme != "https") return "it begins with another scheme than http:// or https://";
    } else if (word.starts_with("http:") || word.starts_with("https:") || word.starts_with("http/") ||
               word.starts_with("https/")) {
        return "its beginning is neither http:// nor https://";
    }
    const auto rest = url.substr(mark == std::string_view::npos ? 0 : mark + kSchemeMark.size());
    const auto authority = rest.substr(0, rest.find('/'));
    if (authority.empty()) return "it names no machine";
    if (authority.find('@') != std::string_view::npos) return "it has a user name or a password in it";
    if (url.find_first_of("?#") != std::string_view::npos) return "it has a query in it";
    const auto behind = authority.rfind(']');
    const auto colon = authority.find(':', behind == std::string_view::npos ? 0 : behind);
    const bool one_colon = behind != std::string_view::npos || std::ranges::count(authority, ':') == 1;
    if (colon == std::string_view::npos || !one_colon) return {};
    constexpr std::int64_t kHighestPort = 65'535;
    const auto port = whole_number(authority.substr(colon + 1));
    return port && *port >= 1 && *port <= kHighestPort ? "" : "its port is no number from 1 to 65535";
}

// Schemes have no case.
void lower_scheme(std::string& url) {
    const auto mark = url.find(kSchemeMark);
    if (mark != std::string::npos) url.replace(0, mark, lower(url.substr(0, mark)));
}

}  // namespace

Result<Address> address_from(std::string_view text, std::uint16_t usual_port) {
    auto url = config::without_route(config::plain_value(text));
    const bool has_scheme = url.find(kSchemeMark) != std::string::npos;
    lower_scheme(url);
    while (url.ends_with('/') && !url.ends_with(kSchemeMark)) url.pop_back();
    if (!has_scheme && url.starts_with(':')) url = "127.0.0.1" + url;
    // An IPv6 address of its own.
    if (!has_scheme && std::ranges::count(url, ':') > 1 && !url.starts_with('[')) url = "[" + url + "]";
    auto fault = fault_in(url);
    const auto parsed = net::parse_url(has_scheme ? url : "http://" + url);
    if (fault.empty() && !parsed) fault = "it is neither a URL nor an address";
    if (!fault.empty())
        return fail(
            ErrorCode::invalid,
            fmt::format("{}; expected an address such as 192.168.1.20:8000 or a URL such as https://host/v1", fault));
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
