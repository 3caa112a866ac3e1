// Which addresses are of the public internet.
#pragma once

#include <boost/asio/ip/address.hpp>

namespace tandem::net {

// No address of this machine, of a private or shared network, of a link, for documentation or for many (RFC 6890, 6598,
// 4193, 4291); of one that maps or embeds an IPv4 address (RFC 4291, 6052, 3056), that one counts as well.
bool is_public(const boost::asio::ip::address& address);

}  // namespace tandem::net
