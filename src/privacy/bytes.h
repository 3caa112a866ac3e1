// Which bytes of a text are in a set, sixty-four at a time: what is sought in every text is sought in these bits first.
// Private to privacy/.
#pragma once

#ifdef __SSSE3__
#include <tmmintrin.h>
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tandem::privacy {

// A set of ASCII characters, as a mask of the columns (the high four bits of a byte) for each row (its low four bits).
class ByteSet {
  public:
    template <typename Test>
    explicit constexpr ByteSet(Test&& holds) {
        for (unsigned c = 0; c < 0x80; ++c)
            if (holds(static_cast<char>(c))) rows_[c & 15U] |= static_cast<std::uint8_t>(1U << (c >> 4));
    }
    constexpr bool has(char c) const {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x80 && (rows_[byte & 15U] >> (byte >> 4) & 1U) != 0;
    }
    const std::uint8_t* rows() const { return rows_.data(); }

  private:
    std::array<std::uint8_t, 16> rows_{};
};

// Files are compiled for different processors: what they share by name has to be the same.
#ifdef __SSSE3__
inline namespace in_registers {
#else
inline namespace in_memory {
#endif

// Sixty-four bytes of a text; behind its end they are zero.
class Bytes {
  public:
    static constexpr std::size_t kSize = 64;

    Bytes(std::string_view text, std::size_t at) {
        std::array<char, kSize> last{};
        if (text.size() - at < kSize) std::memcpy(last.data(), text.data() + at, text.size() - at);
        read(text.size() - at < kSize ? last.data() : text.data() + at);
    }

    // Bits of the bytes that are in the set, the first byte's lowest.
    std::uint64_t in(const ByteSet& set) const {
        std::uint64_t bits = 0;
#ifdef __SSSE3__
        const auto rows = _mm_loadu_si128(reinterpret_cast<const __m128i*>(set.rows()));
        for (std::size_t i = 0; i < bytes_.size(); ++i) {
            const auto missed =
                _mm_cmpeq_epi8(_mm_and_si128(_mm_shuffle_epi8(rows, bytes_[i]), columns_[i]), _mm_setzero_si128());
            bits |= mask(missed) << (16 * i);
        }
        return ~bits;
#else
        for (std::size_t i = 0; i < kSize; ++i) bits |= static_cast<std::uint64_t>(set.has(bytes_[i])) << i;
        return bits;
#endif
    }
    // Those beyond ASCII.
    std::uint64_t high() const {
        std::uint64_t bits = 0;
#ifdef __SSSE3__
        for (std::size_t i = 0; i < bytes_.size(); ++i) bits |= mask(bytes_[i]) << (16 * i);
#else
        for (std::size_t i = 0; i < kSize; ++i)
            bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes_[i]) >> 7) << i;
#endif
        return bits;
    }

  private:
#ifdef __SSSE3__
    static std::uint64_t mask(__m128i bytes) {
        return static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(bytes)));
    }
    void read(const char* at) {
        const auto one_of_columns = _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
        for (std::size_t i = 0; i < bytes_.size(); ++i) {
            bytes_[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * i));
            const auto columns = _mm_and_si128(_mm_srli_epi16(bytes_[i], 4), _mm_set1_epi8(15));
            columns_[i] = _mm_shuffle_epi8(one_of_columns, columns);
        }
    }
    std::array<__m128i, 4> bytes_, columns_;
#else
    void read(const char* at) { std::memcpy(bytes_.data(), at, kSize); }
    std::array<char, kSize> bytes_;
#endif
};

}  // namespace in_registers or in_memory

}  // namespace tandem::privacy
