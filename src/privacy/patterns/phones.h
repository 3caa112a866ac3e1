// Calling codes and the lengths of the numbers behind them. Private to patterns/.
#pragma once

#include <cstdint>
#include <string_view>

namespace tandem::privacy {

// Whether `digits`, which begins with a country's calling code, is as long as a number of that country may be
// (ITU-T E.164; the lengths are those of Google's libphonenumber metadata).
bool is_international(std::string_view digits);

}  // namespace tandem::privacy
