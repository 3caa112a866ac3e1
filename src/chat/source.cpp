#include <fmt/format.h>

#include "chat/conversation.h"

namespace tandem::chat {

namespace {

// What a URL's path has as it is (RFC 3986, 3.3), as far as file names have it.
bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/-._~").find(c) != std::string_view::npos;
}

}  // namespace

std::string Source::place() const {
    if (page > 0) return fmt::format("{}, page {}", path, page);
    return first_line > 0 ? fmt::format("{}:{}", path, first_line) : path;
}

std::string Source::url() const {
    std::string url = "file://";
    for (const char c : path)
        url += is_plain(c) ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    if (page > 0) return fmt::format("{}#page={}", url, page);
    return first_line > 0 ? fmt::format("{}#L{}", url, first_line) : url;
}

std::string Source::name() const {
    return title.empty() ? path.substr(path.rfind('/') + 1) : title;
}

}  // namespace tandem::chat
