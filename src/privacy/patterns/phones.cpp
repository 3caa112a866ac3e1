#include "privacy/patterns/phones.h"

#include <algorithm>

#include "privacy/patterns/calling_codes.h"

namespace tandem::privacy {

bool is_international(std::string_view digits) {
    unsigned code = 0;
    for (std::size_t i = 0; i < 3 && i < digits.size(); ++i) {
        code = code * 10 + static_cast<unsigned>(digits[i] - '0');
        const auto* const found = std::ranges::find(kCodes, code, &CallingCode::code);
        if (found != kCodes.end())
            return digits.size() > i + 1 && ((found->lengths >> (digits.size() - i - 1)) & 1U) != 0;
    }
    return false;
}

}  // namespace tandem::privacy
