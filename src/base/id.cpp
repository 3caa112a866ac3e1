#include "base/id.h"

namespace tandem {

DecisionId DecisionId::make(const Clock& clock, Random& random) {
    static constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    auto ms = static_cast<std::uint64_t>(clock.wall().time_since_epoch().count());
    std::string text = "dec_00000000000000000000000000";
    for (int i = 9; i >= 0; --i) {
        text[static_cast<std::size_t>(4 + i)] = kAlphabet[ms & 31];
        ms >>= 5;
    }
    for (std::size_t half = 0; half < 2; ++half) {
        std::uint64_t bits = random.next();
        for (std::size_t i = 0; i < 8; ++i) {
            text[14 + half * 8 + i] = kAlphabet[bits & 31];
            bits >>= 5;
        }
    }
    return DecisionId(std::move(text));
}

std::string random_hex(Random& random, std::size_t digits) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text(digits, '0');
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (i % 16 == 0) bits = random.next();
        text[i] = kDigits[bits & 15];
        bits >>= 4;
    }
    return text;
}

}  // namespace tandem
