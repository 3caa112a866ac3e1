#include "privacy/names/model.h"

#include "privacy/names/weights.h"

namespace tandem::privacy {

namespace {

constexpr std::size_t kSlots = std::size(kWeights);
static_assert((kSlots & (kSlots - 1)) == 0);

// A slot of the table: from its lowest byte on a weight for each tag (plus 128), a one, and 16 bits that tell features
// apart. A bucket has two slots. Sums are made of three bytes at a time, each in 16 bits.
Fit fit_of(const Features& features) {
    constexpr std::uint64_t kEven = 0x000000FF00FF00FF;
    static_assert(kTags == 5 && kFeatures * 255 < 65536);
    std::uint64_t even = 0, odd = 0;
    for (const std::uint64_t feature : features) {
        const std::uint64_t* const bucket = kWeights + (feature & (kSlots / 2 - 1)) * 2;
        const std::uint64_t check = feature >> 48U, first = bucket[0], second = bucket[1];
        const std::uint64_t other = second >> 48U == check ? second : 0;
        const std::uint64_t row = first >> 48U == check ? first : other;
        even += row & kEven;
        odd += row >> 8U & kEven;
    }
    const auto bias = static_cast<std::int32_t>(odd >> 32U & 0xFFFFU) * 128;
    const auto part = [bias](std::uint64_t sums, unsigned which) {
        return static_cast<std::int32_t>(sums >> (16 * which) & 0xFFFFU) - bias;
    };
    return {part(even, 0), part(odd, 0), part(even, 1), part(odd, 1), part(even, 2)};
}

}  // namespace

void read_names(std::span<const Token> tokens, const Zone& zone, Reading& reading) {
    reading.fits.clear();
    Sentence sentence(tokens);
    for (std::size_t i = zone.begin; i < zone.end; ++i) reading.fits.push_back(fit_of(sentence.features(i)));
    best_tags(reading.fits, kTransitions, reading.tags);
}

}  // namespace tandem::privacy
