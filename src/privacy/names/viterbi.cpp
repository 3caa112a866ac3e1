#include "privacy/names/model.h"

namespace tandem::privacy {

void best_tags(std::span<const Fit> fits, const Transitions& transitions, std::vector<Tag>& tags) {
    const std::size_t n = fits.size();
    tags.resize(n);
    if (n == 0) return;
    static thread_local std::vector<std::array<std::uint8_t, kTags>> from;
    from.resize(n);
    Fit best;
    for (std::size_t t = 0; t < kTags; ++t) best[t] = transitions[kTags][t] + fits[0][t];
    for (std::size_t i = 1; i < n; ++i) {
        Fit next;
        for (std::size_t t = 0; t < kTags; ++t) {
            std::size_t from_tag = 0;
            std::int32_t top = best[0] + transitions[0][t];
            for (std::size_t s = 1; s < kTags; ++s)
                if (const auto value = best[s] + transitions[s][t]; value > top) {
                    top = value;
                    from_tag = s;
                }
            next[t] = top + fits[i][t];
            from[i][t] = static_cast<std::uint8_t>(from_tag);
        }
        best = next;
    }
    auto tag = static_cast<std::size_t>(std::ranges::max_element(best) - best.begin());
    for (std::size_t i = n; i-- > 0;) {
        tags[i] = static_cast<Tag>(tag);
        if (i > 0) tag = from[i][tag];
    }
}

void each_name(std::span<const Token> tokens, const Zone& zone, std::span<const Tag> tags, std::vector<Name>& names) {
    for (std::size_t i = 0; i < tags.size();) {
        const Tag tag = tags[i];
        std::size_t end = i + 1;
        while (end < tags.size() && tags[end] == tag) ++end;
        std::size_t first = zone.begin + i, last = zone.begin + end;
        i = end;
        if (tag == kNoName) continue;
        const auto loose = [&](const Token& token) {
            return token.shape == Shape::mark || token.shape == Shape::line || (tag != kAddress && token.joins());
        };
        while (first < last && loose(tokens[first])) ++first;
        while (last > first && loose(tokens[last - 1])) --last;
        if (first < last) names.push_back({first, last, tag});
    }
}

}  // namespace tandem::privacy
