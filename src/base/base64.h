// Base64 (RFC 4648 section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tandem {

std::string to_base64(std::string_view bytes);
// Nothing where it is none: characters of another alphabet, or a length that cannot be. Padding may be left out.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace tandem
