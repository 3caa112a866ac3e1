#include "config/base_url.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "base/text.h"

namespace tandem::config {

bool is_server_address(const std::string& text) {
    const auto url = boost::urls::parse_uri(text);
    if (!url || (url->scheme() != "http" && url->scheme() != "https") || url->host().empty()) return false;
    constexpr std::int64_t kLastPort = 65'535;
    const std::string_view port(url->port().data(), url->port().size());
    const auto number = whole_number(port);
    if (!port.empty() && (!number || *number < 1 || *number > kLastPort)) return false;
    return !url->has_userinfo() && !url->has_query() && !url->has_fragment();
}

}  // namespace tandem::config
