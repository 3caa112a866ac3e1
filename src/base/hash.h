// SHA-256 and its text form.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tandem {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view bytes);
std::string hex(std::span<const std::uint8_t> bytes);  // two lower-case digits for each
// Fills `bytes`. False where `text` is not two lower-case digits for each of them.
bool from_hex(std::string_view text, std::span<std::uint8_t> bytes);

}  // namespace tandem
