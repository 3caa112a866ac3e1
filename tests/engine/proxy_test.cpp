#include "engine/pull/proxy.h"

#include <gtest/gtest.h>

#include <map>

namespace tandem::engine {
namespace {

config::Environment with(std::map<std::string, std::string> values) {
    return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
        const auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    };
}

TEST(Proxies, AreReadAsPeopleWriteThem) {
    const auto whole = proxy_from("http://me:p%40ss@proxy.example:8080/", "HTTPS_PROXY");
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->host, "proxy.example");
    EXPECT_EQ(whole->port, 8080);
    EXPECT_EQ(whole->authorization, "Basic bWU6cEBzcw==");
    EXPECT_EQ(proxy_from("proxy.example", "x")->port, 1080);
    EXPECT_EQ(proxy_from("[::1]:3128", "x")->host, "::1");
    for (const auto* wrong :
         {"https://secret:word@host:1", "socks5://secret:word@host", "http://secret:word@", "http://secret:word@host:0",
          "http://secret:word@host:99999", "http://secret:word@ho st:1", "[::1"}) {
        const auto read = proxy_from(wrong, "HTTPS_PROXY");
        ASSERT_FALSE(read) << wrong;
        EXPECT_EQ(read.error().message.find("word"), std::string::npos) << read.error().message;
    }
}

TEST(Proxies, ALineBreakInCredentialsIsNoHeader) {
    const auto proxy = proxy_from("http://me:a%0d%0ax-evil: 1@host:1", "x");
    ASSERT_TRUE(proxy);
    EXPECT_EQ(proxy->authorization.find('\r'), std::string::npos);
}

TEST(Proxies, NoProxyNamesHostsDomainsAndPorts) {
    constexpr std::string_view kList = "localhost, .example.org,example.com:8443,10.0.0.7 *.lan";
    EXPECT_TRUE(is_direct(kList, "localhost", 80));
    EXPECT_TRUE(is_direct(kList, "hub.EXAMPLE.org", 443));
    EXPECT_TRUE(is_direct(kList, "example.org", 443));
    EXPECT_FALSE(is_direct(kList, "badexample.org", 443));
    EXPECT_TRUE(is_direct(kList, "example.com", 8443));
    EXPECT_FALSE(is_direct(kList, "example.com", 443));
    EXPECT_TRUE(is_direct(kList, "10.0.0.7", 1));
    EXPECT_TRUE(is_direct(kList, "box.lan", 1));
    EXPECT_TRUE(is_direct("*", "anything", 1));
    EXPECT_FALSE(is_direct("", "anything", 1));
}

TEST(Proxies, EachSchemeHasItsOwnAndAllIsForBoth) {
    const net::Url plain{false, "a.example", "a.example", 80, "/"}, tls{true, "a.example", "a.example", 443, "/"};
    auto proxies = Proxies::of(with({{"https_proxy", "one:1"}, {"HTTPS_PROXY", "two:2"}}));
    ASSERT_TRUE(proxies);
    EXPECT_EQ(proxies->for_url(plain), nullptr);
    EXPECT_EQ(proxies->for_url(tls)->host, "one");
    proxies = Proxies::of(with({{"ALL_PROXY", "all:1"}, {"NO_PROXY", "b.example"}}));
    EXPECT_EQ(proxies->for_url(plain)->host, "all");
    EXPECT_EQ(proxies->for_url({true, "b.example", "b.example", 443, "/"}), nullptr);
    EXPECT_FALSE(Proxies::of(with({{"HTTPS_PROXY", "socks5://host"}})));
}

}  // namespace
}  // namespace tandem::engine
