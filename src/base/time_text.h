// Times and spans of time as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/world.h"

namespace tandem {

// "2026-11-26" or RFC 3339 ("2026-11-26T10:00:00Z", with an offset or a fraction) as milliseconds since 1970. A time
// without an offset is UTC. HTTP's dates and ISO 8601's basic form are read too.
std::optional<std::int64_t> time_from(std::string_view text);
// "2026-11-26", and "2026-11-26T10:00:00Z" where it is not midnight.
std::string date_text(std::int64_t unix_ms);
std::string time_text(std::int64_t unix_ms);

// "30m", "24h", "7d", "12w": below a million of one unit.
std::optional<milliseconds> span_from(std::string_view text);

}  // namespace tandem
