// The framing check against Beast's parser: what the check lets through, Beast must read with the same bounds.
#include "net/framing.h"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdlib>

namespace http = boost::beast::http;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto end = tandem::net::head_end(text, 0);
    const auto head = text.substr(0, end == std::string_view::npos ? text.size() : end);
    const auto framing = tandem::net::check_framing(head, 100);
    if (!framing) return 0;
    http::request_parser<http::string_body> parser;
    parser.eager(false);
    parser.header_limit(64 * 1024);
    parser.body_limit(boost::none);
    boost::system::error_code error;
    parser.put(boost::asio::const_buffer(head.data(), head.size()), error);
    if (!parser.is_header_done()) return 0;  // Beast is stricter here, and the server refuses that too
    if (parser.chunked() != framing->chunked) std::abort();
    const auto length = parser.content_length();
    if (!framing->chunked && length.value_or(0) != framing->content_length) std::abort();
    return 0;
}
