#include "privacy/bytes.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>

namespace tandem::privacy {
namespace {

// All bytes, each in each place of sixty-four.
std::string all_bytes() {
    std::string text;
    for (unsigned round = 0; round < 65; ++round)
        for (unsigned c = 0; c < 256; ++c) text += static_cast<char>(c);
    return text.substr(0, 65 * 255);
}

TEST(Bytes, are_in_a_set_where_a_look_at_each_says_so) {
    const std::string text = all_bytes();
    const ByteSet letters([](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; });
    const ByteSet ends([](char c) { return c == 0 || c == 0x7F || c == '\n'; });
    for (std::size_t at = 0; at < text.size(); at += 61) {
        const Bytes bytes(text, at);
        for (std::size_t i = 0; i < Bytes::kSize; ++i) {
            const char c = at + i < text.size() ? text[at + i] : '\0';
            EXPECT_EQ(bytes.in(letters) >> i & 1U, letters.has(c)) << at << '+' << i;
            EXPECT_EQ(bytes.in(ends) >> i & 1U, ends.has(c)) << at << '+' << i;
            EXPECT_EQ(bytes.high() >> i & 1U, static_cast<unsigned char>(c) >> 7) << at << '+' << i;
        }
    }
}

TEST(Bytes, of_a_set_are_ascii_only) {
    const ByteSet all([](char) { return true; });
    for (unsigned c = 0; c < 256; ++c) EXPECT_EQ(all.has(static_cast<char>(c)), c < 0x80) << c;
}

}  // namespace
}  // namespace tandem::privacy
