// Base URLs as people copy them.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace tandem::config {

// Without the route at the end: documentation often shows the whole address of one, where a base URL is what stands
// before it. No base URL ends so; `/models` is the end of some.
inline std::string without_route(std::string url) {
    constexpr auto kRoutes = std::to_array<std::string_view>(
        {"/chat/completions", "/completions", "/responses", "/messages", "/embeddings", "/api/chat", "/api/generate"});
    while (url.ends_with('/') && !url.ends_with("//")) url.pop_back();
    for (const auto route : kRoutes)
        if (url.ends_with(route)) {
            url.resize(url.size() - route.size());
            break;
        }
    return url;
}

// About what is_server_address() takes, as a regular expression.
inline constexpr std::string_view kServerAddressPattern = "^https?://[^/?#@]+(/[^?#]*)?$";

// Whether it is the address of a server: http or https, a host, a port that there is, no user, query or fragment.
bool is_server_address(const std::string& url);

}  // namespace tandem::config
