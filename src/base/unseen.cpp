#include "base/unseen.h"

namespace tandem {

namespace {

// Of two bytes: U+0080 to U+009F (controls), U+00AD (soft hyphen), U+061C (Arabic letter mark).
bool is_unseen(unsigned first, unsigned second) {
    if (first == 0xC2) return second <= 0x9F || second == 0xAD;
    return first == 0xD8 && second == 0x9C;
}

bool is_unseen(unsigned first, unsigned second, unsigned third) {
    if (first == 0xE1) return second == 0xA0 && third >= 0x8B && third <= 0x8F;  // U+180B to U+180F
    if (first == 0xE2 && second == 0x80)  // U+200B, U+200E, U+200F, U+2028 to U+202E
        return third == 0x8B || third == 0x8E || third == 0x8F || (third >= 0xA8 && third <= 0xAE);
    if (first == 0xE2) return second == 0x81 && third >= 0xA0 && third <= 0xAF;  // U+2060 to U+206F
    if (first == 0xEF && second == 0xB8) return third >= 0x80 && third <= 0x8E;  // U+FE00 to U+FE0E
    return first == 0xEF && ((second == 0xBB && third == 0xBF) || (second == 0xBF && third >= 0xB9 && third <= 0xBB));
}

// The bytes of the character at the beginning of `text` where it is one that nobody sees, else 0.
std::size_t unseen_at(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const unsigned first = byte(0);
    if (text.empty()) return 0;
    if (first < 0x80) return (first < 0x20 && first != '\n' && first != '\t' && first != '\r') || first == 0x7F ? 1 : 0;
    if (is_unseen(first, byte(1)) && text.size() >= 2) return 2;
    if (text.size() >= 3 && is_unseen(first, byte(1), byte(2))) return 3;
    // Tags, and the variation selectors above U+FE0F: U+E0000 to U+E0FFF.
    return text.size() >= 4 && first == 0xF3 && byte(1) == 0xA0 ? 4 : 0;
}

}  // namespace

std::string without_unseen(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto size = unseen_at(text);
        if (size == 0) out += text.front();
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return out;
}

}  // namespace tandem
