#include "base/json_mend.h"

#include <optional>

namespace tandem::json {

namespace {

constexpr char32_t kMarks = 0x100000;  // of a half: this and its number, U+10D800 to U+10DFFF
constexpr char32_t kByteMarks = 0x10E000;
constexpr char32_t kHigh = 0xD800, kLow = 0xDC00, kBehind = 0xE000;  // RFC 2781: the halves of a pair
constexpr std::string_view kLost = "\xEF\xBF\xBD";                   // U+FFFD

void append(std::string& out, char32_t c) {
    auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xC0 | (c >> 6));
        tail(0);
    } else if (c < 0x10000) {
        out += static_cast<char>(0xE0 | (c >> 12));
        tail(6);
        tail(0);
    } else {
        out += static_cast<char>(0xF0 | (c >> 18));
        tail(12);
        tail(6);
        tail(0);
    }
}

unsigned byte_at(std::string_view text, std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
}

// How many bytes the character that begins with `first` has; 0 where none does.
std::size_t length_by(unsigned first) {
    return first >= 0xC2 && first <= 0xDF   ? 2
           : first >= 0xE0 && first <= 0xEF ? 3
           : first >= 0xF0 && first <= 0xF4 ? 4
                                            : 0;
}

// The half that an escape at `text[i]` stands for.
std::optional<char32_t> half_at(std::string_view text, std::size_t i) {
    if (i + 6 > text.size() || text[i] != '\\' || text[i + 1] != 'u') return {};
    char32_t value = 0;
    for (std::size_t k = i + 2; k < i + 6; ++k) {
        const auto c = byte_at(text, k);
        const bool digit = c >= '0' && c <= '9';
        const auto low = c | 0x20U;
        if (!digit && (low < 'a' || low > 'f')) return {};
        value = value * 16 + (digit ? c - '0' : low - 'a' + 10);
    }
    return value >= kHigh && value < kBehind ? std::optional(value) : std::nullopt;
}

// The half or the byte of the mark at `text[i]`, as a half's number or 0x100 and a byte's.
std::optional<char32_t> mark_at(std::string_view text, std::size_t i) {
    if (byte_at(text, i) != 0xF4 || character_length(text, i) != kMarkBytes) return {};
    char32_t c = byte_at(text, i) & 0x07;
    for (std::size_t k = i + 1; k < i + kMarkBytes; ++k) c = (c << 6) | (byte_at(text, k) & 0x3F);
    if (c >= kMarks + kHigh && c < kMarks + kBehind) return c - kMarks;
    if (c >= kByteMarks + 0x80 && c <= kByteMarks + 0xFF) return c - kByteMarks + 0x100;
    return {};
}

bool is_high(char32_t mark) {
    return mark >= kHigh && mark < kLow;
}
bool is_low(char32_t mark) {
    return mark >= kLow && mark < kBehind;
}
bool is_byte(char32_t mark) {
    return mark < kHigh;
}

// The bytes of the byte marks from `text[i]` on.
std::string bytes_from(std::string_view text, std::size_t i) {
    std::string bytes;
    for (auto mark = mark_at(text, i); mark && is_byte(*mark); mark = mark_at(text, i += kMarkBytes))
        bytes += static_cast<char>(*mark - 0x100);
    return bytes;
}

}  // namespace

std::size_t character_length(std::string_view text, std::size_t i) {
    const auto tail = [&](std::size_t k, unsigned low = 0x80, unsigned high = 0xBF) {
        return byte_at(text, k) >= low && byte_at(text, k) <= high;
    };
    const unsigned first = byte_at(text, i);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return tail(i + 1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF)
        return tail(i + 1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) && tail(i + 2) ? 3 : 0;
    if (first >= 0xF0 && first <= 0xF4)
        return tail(i + 1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF) && tail(i + 2) && tail(i + 3) ? 4
                                                                                                                   : 0;
    return 0;
}

std::string marked(std::string_view json) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    out.reserve(json.size() + 16);
    bool inside = false;
    for (std::size_t i = 0; i < json.size();) {
        const auto byte = byte_at(json, i);
        if (byte >= 0x80) {
            const auto length = character_length(json, i);
            if (length == 0)
                append(out, kByteMarks + byte);
            else
                out += json.substr(i, length);
            i += length == 0 ? 1 : length;
        } else if (inside && byte == '\\') {
            const auto half = half_at(json, i);
            const auto next = half && is_high(*half) ? half_at(json, i + 6) : std::nullopt;
            const std::size_t length = half ? (next && is_low(*next) ? 12 : 6) : 2;
            if (half && length == 6)
                append(out, kMarks + *half);
            else
                out += json.substr(i, length);
            i += length;
        } else if (inside && byte < 0x20) {
            out.append("\\u00").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
            ++i;
        } else {
            if (byte == '"') inside = !inside;
            out += json[i++];
        }
    }
    return out;
}

std::string unmarked(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const auto mark = mark_at(text, i);
        if (!mark) {
            out += text[i++];
            continue;
        }
        const auto next = mark_at(text, i + kMarkBytes);
        if (is_high(*mark) && next && is_low(*next)) {
            append(out, 0x10000 + ((*mark - kHigh) << 10) + (*next - kLow));
            i += 2 * kMarkBytes;
        } else if (const auto bytes = bytes_from(text, i); !bytes.empty() && character_length(bytes, 0) > 0) {
            const auto length = character_length(bytes, 0);
            out += std::string_view(bytes).substr(0, length);
            i += length * kMarkBytes;
        } else {
            out += kLost;
            i += kMarkBytes;
        }
    }
    return out;
}

std::string mended(std::string_view json) {
    return unmarked(marked(json));
}

std::size_t begun(std::string_view text) {
    constexpr std::size_t kMost = 3;  // bytes of a character that lacks one
    for (std::size_t count = 1; count <= kMost && text.size() >= count * kMarkBytes; ++count) {
        const auto at = text.size() - count * kMarkBytes;
        const auto mark = mark_at(text, at);
        if (!mark) return 0;
        if (is_high(*mark)) return count == 1 ? kMarkBytes : 0;
        if (is_byte(*mark) && length_by(static_cast<unsigned>(*mark - 0x100)) > count) return count * kMarkBytes;
    }
    return 0;
}

std::size_t rest_of(std::string_view beginning, std::string_view text) {
    const auto first = mark_at(beginning, 0);
    const auto next = mark_at(text, 0);
    if (!first || !next) return 0;
    if (is_high(*first)) return is_low(*next) ? kMarkBytes : 0;
    auto bytes = bytes_from(beginning, 0);
    const auto lacks = length_by(byte_at(bytes, 0)) - bytes.size();
    bytes += bytes_from(text, 0).substr(0, lacks);
    return character_length(bytes, 0) == bytes.size() ? lacks * kMarkBytes : 0;
}

}  // namespace tandem::json
