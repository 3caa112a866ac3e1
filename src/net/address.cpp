#include "net/address.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>

namespace tandem::net {

namespace {

using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

struct Block {
    std::uint32_t network;
    int bits;
};
constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
    return a << 24U | b << 16U | c << 8U | d;
}
constexpr std::array kNotPublic = {
    Block{v4(0, 0, 0, 0), 8},      Block{v4(10, 0, 0, 0), 8},     Block{v4(100, 64, 0, 0), 10},
    Block{v4(127, 0, 0, 0), 8},    Block{v4(169, 254, 0, 0), 16}, Block{v4(172, 16, 0, 0), 12},
    Block{v4(192, 0, 0, 0), 24},   Block{v4(192, 0, 2, 0), 24},   Block{v4(192, 88, 99, 0), 24},
    Block{v4(192, 168, 0, 0), 16}, Block{v4(198, 18, 0, 0), 15},  Block{v4(198, 51, 100, 0), 24},
    Block{v4(203, 0, 113, 0), 24}, Block{v4(224, 0, 0, 0), 3},
};

bool is_public_v4(std::uint32_t address) {
    for (const auto& block : kNotPublic)
        if ((address ^ block.network) >> (32 - block.bits) == 0) return false;
    return true;
}

}  // namespace

bool is_public(const boost::asio::ip::address& address) {
    if (address.is_v4()) return is_public_v4(address.to_v4().to_uint());
    const auto bytes = address.to_v6().to_bytes();
    const auto embedded = [&](std::size_t at) {
        return is_public_v4(v4(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]));
    };
    const auto starts = [&](std::initializer_list<std::uint8_t> prefix) {
        return std::equal(prefix.begin(), prefix.end(), bytes.begin());
    };
    if (address.to_v6().is_v4_mapped() || starts({0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return embedded(12);
    if (starts({0x20, 0x02})) return embedded(2);                                      // 6to4
    if (starts({0x20, 0x01, 0x0d, 0xb8}) || starts({0x20, 0x01, 0, 0})) return false;  // documentation, Teredo
    return (bytes[0] & 0xe0U) == 0x20;                                                 // 2000::/3 is what is given out
}

}  // namespace tandem::net
