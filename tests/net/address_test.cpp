#include "net/address.h"

#include <gtest/gtest.h>

namespace tandem::net {
namespace {

bool is_public_text(const char* text) {
    return is_public(boost::asio::ip::make_address(text));
}

TEST(Address, of_this_machine_and_of_private_networks_is_not_public_however_it_is_written) {
    for (const auto* text : {"127.0.0.1",
                             "127.255.255.254",
                             "0.0.0.0",
                             "10.0.0.1",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.168.1.1",
                             "169.254.169.254",
                             "100.64.0.1",
                             "100.127.255.255",
                             "198.18.0.1",
                             "192.0.2.1",
                             "224.0.0.1",
                             "255.255.255.255",
                             "::1",
                             "::",
                             "::ffff:127.0.0.1",
                             "::ffff:10.1.2.3",
                             "fe80::1",
                             "fc00::1",
                             "fd12:3456::1",
                             "ff02::1",
                             "64:ff9b::7f00:1",
                             "64:ff9b::a00:1",
                             "2002:7f00:1::",
                             "2002:c0a8:101::1",
                             "2001:db8::1",
                             "2001::1"})
        EXPECT_FALSE(is_public_text(text)) << text;
    for (const auto* text : {"1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1",
                             "193.0.0.1", "223.255.255.255", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808",
                             "2002:808:808::1", "2a00:1450::1"})
        EXPECT_TRUE(is_public_text(text)) << text;
}

}  // namespace
}  // namespace tandem::net
