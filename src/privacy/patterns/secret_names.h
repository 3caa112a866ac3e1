// What the name of a value says about it: that it is a password, a secret, of which service, or none of these. Private
// to patterns/.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tandem::privacy {

// A service whose keys have no form of their own but an alphabet and a length.
struct Service {
    std::string_view name;
    enum class Alphabet : std::uint8_t { hex, mixed, dashed, uuid } alphabet;
    std::size_t least, most;
};
inline constexpr std::size_t kServiceCount = 102;
extern const std::array<Service, kServiceCount> kServices;

struct Meaning {
    enum : std::uint8_t { kNoSecret = 1, kPassword = 2, kSecret = 4, kSure = 8 };
    static constexpr std::size_t kMostServices = 16;  // that a name of 60 bytes can name
    std::uint8_t says = 0;
    std::uint8_t count = 0;
    std::array<std::uint8_t, kMostServices> services;  // places in kServices, in their order; `count` are set

    bool is(std::uint8_t what) const { return (says & what) != 0; }
    std::span<const std::uint8_t> named() const { return {services.data(), count}; }
};

// Of a name in small letters with low lines for what parts its words. Only its end says what the value is
// (`token_count`, `password_field` and `secret_name` hold no secret); services count wherever they are named.
Meaning meaning_of(std::string_view name);

}  // namespace tandem::privacy
