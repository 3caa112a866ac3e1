#include "chat/token_weights.h"

#include <array>

namespace tandem::chat {

namespace {

enum class Class : std::uint8_t { none, lower, upper, digit, sign, blank, line, latin, wide };

constexpr std::array<Class, 128> kClasses = [] {
    std::array<Class, 128> classes{};
    for (std::size_t c = 0; c < classes.size(); ++c)
        classes[c] = c >= 'a' && c <= 'z'     ? Class::lower
                     : c >= 'A' && c <= 'Z'   ? Class::upper
                     : c >= '0' && c <= '9'   ? Class::digit
                     : c == ' ' || c == '\t'  ? Class::blank
                     : c == '\n' || c == '\r' ? Class::line
                                              : Class::sign;
    return classes;
}();

// Thousandths of a token: the first of a run of its kind, and each one behind it. A capital within a word begins a part
// of a name. A blank between words goes with the next, and blanks that indent are one with the line's end.
constexpr std::int64_t kWord = 275, kLetter = 218, kCapital = 600;
constexpr std::int64_t kNumber = 1'400, kDigit = 446;
constexpr std::int64_t kSign = 777, kSignAgain = 366;
constexpr std::int64_t kLine = 787;

// Of a character beyond ASCII, by its first two bytes (Unicode 15, chapter 3.9, UTF-8).
constexpr std::int64_t kLatin = 1'187, kTwoBytes = 372, kSemitic = 417, kIndic = 506, kVietnamese = 300;
constexpr std::int64_t kKana = 628, kHan = 669, kHangul = 700, kSymbol = 1'466, kEmoji = 2'500;

constexpr std::int64_t kFirstLetters = 0xCA, kFirstSemitic = 0xD6, kThree = 0xE0, kFour = 0xF0;

std::int64_t of_three_bytes(unsigned char first, unsigned char second) {
    if (first == 0xE0) return kIndic;
    if (first == 0xE1) return second >= 0xB8 && second <= 0xBB ? kVietnamese : kSymbol;
    if (first == 0xE2 || first >= 0xEE) return kSymbol;
    if (first == 0xE3) return second >= 0x81 && second <= 0x83 ? kKana : kHan;
    if (first < 0xEA) return kHan;
    return first == 0xEA && second < 0xB0 ? kSymbol : kHangul;
}

std::int64_t of_wide(unsigned char first, unsigned char second) {
    if (first < 0xC0) return 0;  // goes on
    if (first >= kFour) return kEmoji;
    if (first >= kThree) return of_three_bytes(first, second);
    return first < kFirstLetters ? kLatin : first < kFirstSemitic ? kTwoBytes : kSemitic;
}

std::int64_t of_ascii(Class now, Class before) {
    const bool in_word = before == Class::lower || before == Class::upper || before == Class::latin;
    switch (now) {
        case Class::lower:
            return in_word ? kLetter : kWord;
        case Class::upper:
            return !in_word ? kWord : before == Class::lower ? kCapital : kLetter;
        case Class::digit:
            return before == now ? kDigit : kNumber;
        case Class::sign:
            return before == now ? kSignAgain : kSign;
        case Class::line:
            return before == Class::line || before == Class::blank ? 0 : kLine;
        default:
            return 0;
    }
}

}  // namespace

std::int64_t thousandths_of(std::string_view text) {
    std::int64_t sum = 0;
    auto before = Class::none;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte >= 0x80) {
            sum += of_wide(byte, at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0);
            if (byte >= 0xC0) before = byte < kFirstLetters ? Class::latin : Class::wide;
            continue;
        }
        const auto now = kClasses[byte];
        sum += of_ascii(now, before);
        before = now;
    }
    return sum;
}

std::int64_t thousandths_of(const Event& event) {
    if (const auto* text = std::get_if<TextDelta>(&event)) return thousandths_of(text->text);
    if (const auto* refusal = std::get_if<RefusalDelta>(&event)) return thousandths_of(refusal->text);
    if (const auto* reasoning = std::get_if<ReasoningDelta>(&event)) return thousandths_of(reasoning->text);
    if (const auto* call = std::get_if<ToolCallDelta>(&event))
        return thousandths_of(call->name) + thousandths_of(call->arguments);
    return std::holds_alternative<MediaSaid>(event) ? kPictureThousandths : 0;
}

}  // namespace tandem::chat
