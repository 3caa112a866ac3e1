#include "privacy/unicode/unicode.h"

#include <algorithm>
#include <memory>

#include "privacy/unicode/plain.h"

namespace tandem::privacy {

namespace {

constexpr std::size_t kPage = 256;
constexpr std::size_t kPages = 0x110000 / kPage;

// The rows spread out: a page for each 256 code points that have something to say, so that a look-up is two loads.
class Pages {
  public:
    Pages() {
        bytes_.assign(kPage, kStays);
        for (const auto& row : kPlain)
            for (std::uint32_t point = row.first; point <= row.last; ++point)
                page(point)[point % kPage] = static_cast<char>(row.plain + (row.step * (point - row.first)));
    }
    char of(std::uint32_t point) const { return bytes_[page_of_[point / kPage] * kPage + point % kPage]; }

  private:
    char* page(std::uint32_t point) {
        auto& number = page_of_[point / kPage];
        if (number == 0) {
            number = static_cast<std::uint16_t>(bytes_.size() / kPage);
            bytes_.resize(bytes_.size() + kPage, kStays);
        }
        return bytes_.data() + number * kPage;
    }
    std::array<std::uint16_t, kPages> page_of_{};
    std::string bytes_;
};

}  // namespace

Point point_at(std::string_view text, std::size_t at) {
    auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    auto more = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
    const unsigned first = byte(at);
    if (first >= 0xC2 && first < 0xE0 && more(at + 1)) return {(first & 0x1F) << 6 | (byte(at + 1) & 0x3F), 2};
    if (first >= 0xE0 && first < 0xF0 && more(at + 1) && more(at + 2))
        return {(first & 0x0F) << 12 | (byte(at + 1) & 0x3F) << 6 | (byte(at + 2) & 0x3F), 3};
    if (first >= 0xF0 && first < 0xF5 && more(at + 1) && more(at + 2) && more(at + 3)) {
        const auto value =
            (first & 0x07) << 18 | (byte(at + 1) & 0x3F) << 12 | (byte(at + 2) & 0x3F) << 6 | (byte(at + 3) & 0x3F);
        if (value < 0x110000) return {value, 4};
    }
    return {0, 0};
}

void append_utf8(std::string& out, std::uint32_t point) {
    auto tail = [&](int shift) { out += static_cast<char>(0x80 | (point >> shift & 0x3F)); };
    if (point < 0x80) {
        out += static_cast<char>(point);
    } else if (point < 0x800) {
        out += static_cast<char>(0xC0 | point >> 6);
        tail(0);
    } else if (point < 0x10000) {
        out += static_cast<char>(0xE0 | point >> 12);
        tail(6);
        tail(0);
    } else if (point < 0x110000) {
        out += static_cast<char>(0xF0 | point >> 18);
        tail(12);
        tail(6);
        tail(0);
    }
}

char plain_of(std::uint32_t point) {
    static const auto pages = std::make_unique<const Pages>();
    return point < 0x80 || point >= 0x110000 ? kStays : pages->of(point);
}

std::uint32_t base_of(std::uint32_t point) {
    if (point < kAccented.front().point || point > kAccented.back().point) return point;
    const auto* const found = std::ranges::lower_bound(kAccented, point, {}, &Accented::point);
    return found != kAccented.end() && found->point == point ? found->base : point;
}

}  // namespace tandem::privacy
