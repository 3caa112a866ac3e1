#include "base/id.h"

#include <algorithm>

namespace tandem {

namespace {
constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
}

DecisionId DecisionId::first_of(WallTime time) {
    auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.time_since_epoch().count()));
    std::string text = "dec_00000000000000000000000000";
    for (std::size_t i = 13; i >= 4; --i) {
        text[i] = kAlphabet[ms & 31];
        ms >>= 5;
    }
    return DecisionId(std::move(text));
}

DecisionId DecisionId::make(const Clock& clock, Random& random) {
    auto id = first_of(clock.wall());
    for (std::size_t half = 0; half < 2; ++half) {
        std::uint64_t bits = random.next();
        for (std::size_t i = 0; i < 8; ++i) {
            id.text_[14 + half * 8 + i] = kAlphabet[bits & 31];
            bits >>= 5;
        }
    }
    return id;
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
