#include "net/framing.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"

namespace tandem::net {

namespace {

std::unexpected<Refusal> refuse(int status, std::string message) {
    return std::unexpected(Refusal{status, std::move(message)});
}

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
    static constexpr auto kTable = [] {
        std::array<bool, 256> table{};
        for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
        for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = true;
        for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = true;
        for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
        return table;
    }();
    if (text.empty()) return false;
    for (const char c : text)
        if (!kTable[static_cast<unsigned char>(c)]) return false;
    return true;
}

bool has_control(std::string_view text, bool tab_allowed) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && !(tab_allowed && c == '\t')) || byte == 0x7f) return true;
    }
    return false;
}

// RFC 9112 section 3: method SP request-target SP HTTP-version, single spaces.
std::expected<void, Refusal> check_request_line(std::string_view line, Framing& framing, HeadParts* parts) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last)
        return refuse(400, "the request line is not 'METHOD /path HTTP/1.1'");
    const auto target = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);
    if (!is_token(line.substr(0, first))) return refuse(400, "the method is not a token");
    if (target.empty() || target.find(' ') != std::string_view::npos || has_control(target, false))
        return refuse(400, "the request target has a space or a control character in it; percent-encode it");
    if (target.front() != '/') return refuse(400, "the request target must start with '/': this server is no proxy");
    if (version == "HTTP/1.0")
        framing.http10 = true;
    else if (version != "HTTP/1.1")
        return refuse(version.starts_with("HTTP/") ? 505 : 400, "this server speaks HTTP/1.1 and HTTP/1.0");
    if (parts != nullptr) {
        parts->method = line.substr(0, first);
        parts->target = target;
    }
    return {};
}

struct Seen {
    std::optional<std::string_view> length, encoding, connection, expect;
    std::size_t hosts = 0;
};

std::expected<void, Refusal> once(std::optional<std::string_view>& place, std::string_view value, const char* name) {
    if (place) return refuse(400, fmt::format("{} stands twice", name));
    place = value;
    return {};
}

// RFC 9112 section 5.
std::expected<void, Refusal> check_field(std::string_view line, Seen& seen, HeadParts* parts) {
    if (line.front() == ' ' || line.front() == '\t')
        return refuse(400, "a header line starts with a space: folded lines are not taken");
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
        return refuse(400, "a header line is not 'Name: value' (no space may stand before the colon)");
    const auto name = line.substr(0, colon);
    const auto value = trim(line.substr(colon + 1));
    if (has_control(value, true))
        return refuse(400, fmt::format("a control character in the header {}", printable(name, 40)));
    if (parts != nullptr) parts->fields.emplace_back(name, value);
    switch (name.size()) {  // most lines are none of these, and cost one comparison
        case 4:
            if (equals_ignoring_case(name, "host")) {
                if (++seen.hosts > 1) return refuse(400, "Host stands twice");
                if (value.empty()) return refuse(400, "Host is empty");
            }
            break;
        case 6:
            if (equals_ignoring_case(name, "expect")) return once(seen.expect, value, "Expect");
            break;
        case 7:
            if (equals_ignoring_case(name, "upgrade")) break;  // ignored, as RFC 9110 section 7.8 allows
            if (equals_ignoring_case(name, "trailer"))
                return refuse(400, "trailers are not taken; send the fields in the header");
            break;
        case 10:
            if (equals_ignoring_case(name, "connection")) return once(seen.connection, value, "Connection");
            break;
        case 14:
            if (equals_ignoring_case(name, "content-length")) return once(seen.length, value, "Content-Length");
            break;
        case 17:
            if (equals_ignoring_case(name, "transfer-encoding")) return once(seen.encoding, value, "Transfer-Encoding");
            break;
        default:
            break;
    }
    return {};
}

std::expected<Framing, Refusal> conclude(const Seen& seen, Framing framing) {
    if (seen.hosts == 0 && !framing.http10) return refuse(400, "Host is missing");
    if (seen.encoding) {
        if (framing.http10) return refuse(400, "Transfer-Encoding does not exist in HTTP/1.0");
        if (seen.length)
            return refuse(400, "Content-Length and Transfer-Encoding together leave the end of the body in doubt");
        if (!equals_ignoring_case(*seen.encoding, "chunked"))
            return refuse(501, "the only Transfer-Encoding here is 'chunked'");
        framing.chunked = true;
    }
    if (seen.length) {
        const auto length = whole_number(*seen.length);
        if (!length) return refuse(400, "Content-Length is not one plain whole number");
        framing.content_length = static_cast<std::uint64_t>(*length);
    }
    framing.keep_alive = !framing.http10;
    if (seen.connection) {
        if (equals_ignoring_case(*seen.connection, "close"))
            framing.keep_alive = false;
        else if (equals_ignoring_case(*seen.connection, "keep-alive"))
            framing.keep_alive = true;
    }
    if (seen.expect) {
        if (!equals_ignoring_case(*seen.expect, "100-continue"))
            return refuse(417, "the only Expect here is '100-continue'");
        framing.expect_continue = !framing.http10;
    }
    return framing;
}

}  // namespace

std::size_t head_end(std::string_view bytes, std::size_t from) {
    const auto at = bytes.find("\r\n\r\n", from < 3 ? 0 : from - 3);
    return at == std::string_view::npos ? at : at + 4;
}

std::expected<Framing, Refusal> check_framing(std::string_view head, std::size_t max_fields, HeadParts* parts) {
    Framing framing;
    Seen seen;
    std::size_t fields = 0;
    bool request_line = true;
    while (true) {
        const auto end = head.find("\r\n");
        if (end == std::string_view::npos) return refuse(400, "the header is not ended by a blank line");
        const auto line = head.substr(0, end);
        head.remove_prefix(end + 2);
        if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
            return refuse(400, "a line of the header is not ended by CR LF");
        if (line.empty()) break;
        if (request_line) {
            if (auto ok = check_request_line(line, framing, parts); !ok) return std::unexpected(ok.error());
            request_line = false;
            continue;
        }
        if (++fields > max_fields) return refuse(431, fmt::format("more than {} header fields", max_fields));
        if (auto ok = check_field(line, seen, parts); !ok) return std::unexpected(ok.error());
    }
    if (request_line) return refuse(400, "the request line is missing");
    if (!head.empty()) return refuse(400, "text follows the end of the header");
    return conclude(seen, framing);
}

}  // namespace tandem::net
