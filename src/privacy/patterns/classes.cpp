#include "privacy/patterns/classes.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>

#include "privacy/patterns/checks.h"
#include "privacy/patterns/patterns.h"

namespace tandem::privacy {

namespace {

// A candidate begins in the first kStep bytes of a block; what shows it stands within the kBlock bytes.
constexpr std::size_t kBlock = 64, kStep = 56;
constexpr std::uint64_t kBeginnings = (std::uint64_t{1} << kStep) - 1;

enum Which : unsigned {
    kPhone,
    kEmail,
    kIban,
    kBitcoin,
    kEthereum,
    kMac,
    kIpv6,
    kCoordinates,
    kPostcode,
    kNino,
    kDni,
    kFiscalCode,
    kPan,
    kHetu,
    kNric,
    kCurp,
    kDiscord
};
constexpr auto kIds = std::to_array<std::string_view>({"phone", "email", "iban", "bitcoin", "ethereum", "mac", "ipv6",
                                                       "coordinates", "postcode", "uk-nino", "es-dni", "it-fiscal-code",
                                                       "in-pan", "fi-hetu", "sg-nric", "mx-curp", "discord-bot"});

// Where each stands in patterns().
const unsigned* places() {
    static const auto kPlaces = [] {
        std::array<unsigned, kIds.size()> places{};
        for (std::size_t i = 0; i < kIds.size(); ++i)
            places[i] = static_cast<unsigned>(
                std::ranges::find(patterns(), kIds[i], [](const Pattern& p) { return p.kind.id; }) -
                patterns().begin());
        return places;
    }();
    return kPlaces.data();
}

constexpr bool hex(char c) {
    return digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}
constexpr bool high(char c) {
    return static_cast<unsigned char>(c) >= 0x80;
}

#ifdef __SSE2__

// 64 bytes.
struct Block {
    std::array<__m128i, 4> bytes;

    explicit Block(const char* at) {
        for (std::size_t i = 0; i < bytes.size(); ++i)
            bytes[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 16 * i));
    }
    template <typename Test>
    std::uint64_t bits(Test&& test) const {
        std::uint64_t all = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i)
            all |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(test(bytes[i])))) << (16 * i);
        return all;
    }
    std::uint64_t are(char c) const {
        return bits([c](__m128i b) { return _mm_cmpeq_epi8(b, _mm_set1_epi8(c)); });
    }
    // From `low` to `low + count - 1`: moved so that `low` is the least signed byte.
    static __m128i among(__m128i b, char low, char count) {
        const auto moved = _mm_sub_epi8(b, _mm_set1_epi8(static_cast<char>(low + 128)));
        return _mm_cmplt_epi8(moved, _mm_set1_epi8(static_cast<char>(-128 + count)));
    }
    std::uint64_t among(char low, char count) const {
        return bits([=](__m128i b) { return among(b, low, count); });
    }
    // Letters from `low` on, small or capital; `low` is small.
    std::uint64_t letters(char low, char count) const {
        return bits([=](__m128i b) { return among(_mm_or_si128(b, _mm_set1_epi8(32)), low, count); });
    }
};

#else

struct Block {
    const char* bytes;

    explicit Block(const char* at) : bytes(at) {}
    template <typename Test>
    std::uint64_t bits(Test&& test) const {
        std::uint64_t all = 0;
        for (std::size_t i = 0; i < kBlock; ++i) all |= static_cast<std::uint64_t>(test(bytes[i])) << i;
        return all;
    }
    std::uint64_t are(char c) const {
        return bits([c](char b) { return b == c; });
    }
    std::uint64_t among(char low, char count) const {
        return bits([=](char b) { return b >= low && b < low + count; });
    }
    std::uint64_t letters(char low, char count) const {
        return bits([=](char b) { return lower(b) >= low && lower(b) < low + count; });
    }
};

#endif

// What is left of `text` from a place on, with what an expression asks for there.
class Rest {
  public:
    Rest(std::string_view text, std::size_t at) : text_(text), at_(at) {}

    std::size_t at() const { return at_; }
    template <typename Test>
    bool take(std::size_t count, Test&& test) {
        for (; count > 0; --count, ++at_)
            if (at_ >= text_.size() || !test(text_[at_])) return false;
        return true;
    }
    bool take(std::string_view one_of) {
        return take(1, [&](char c) { return one_of.find(c) != std::string_view::npos; });
    }
    void may_take(char c) { at_ += at_ < text_.size() && text_[at_] == c ? 1 : 0; }
    // As many as there are.
    template <typename Test>
    std::size_t take_all(Test&& test, std::size_t most) {
        const std::size_t from = at_;
        while (at_ < text_.size() && at_ - from < most && test(text_[at_])) ++at_;
        return at_ - from;
    }

  private:
    std::string_view text_;
    std::size_t at_;
};

// "SW1A 1AA", whose blank is at `at`: a letter or two, a digit, perhaps another of either; a digit and two letters.
bool is_postcode(std::string_view text, std::size_t at) {
    Rest behind(text, at + 1);
    if (!behind.take(1, digit) || !behind.take("ABDEFGHJLNPQRSTUWXYZ") || !behind.take("ABDEFGHJLNPQRSTUWXYZ"))
        return false;
    auto ends_outward = [&](std::size_t end) {  // letters and a digit
        if (end < 2 || !digit(text[end - 1]) || !upper(text[end - 2])) return false;
        return starts_word(text, end - 2) || (end > 2 && upper(text[end - 3]) && starts_word(text, end - 3));
    };
    if (ends_outward(at)) return true;
    return at > 0 && (digit(text[at - 1]) || upper(text[at - 1])) && ends_outward(at - 1);
}

// Discord's tokens: 24 to 28 characters of which the first is M, N or O; six; 27. The first point is at `at`. 0: none.
std::size_t end_of_discord(std::string_view text, std::size_t at) {
    constexpr std::size_t kLeast = 24, kMost = 28, kMiddle = 6, kLast = 27;
    auto in_token = [](char c) { return word(c) || c == '-'; };
    Rest behind(text, at + 1);
    if (!behind.take(kMiddle, in_token) || !behind.take(".") || !behind.take(kLast, in_token)) return 0;
    std::size_t begin = at;
    while (begin > 0 && at - begin < kMost && in_token(text[begin - 1])) {
        --begin;
        const char c = text[begin];
        const bool starts = begin == 0 || !word(text[begin - 1]) || text[begin - 1] == '_';
        if (at - begin >= kLeast && starts && (c == 'M' || c == 'N' || c == 'O')) return behind.at();
    }
    return 0;
}

}  // namespace

// Bits of a block.
struct ClassScan::Masks {
    std::uint64_t digits, letters, dashes, blanks;
    std::uint64_t starts = 0;             // neither a letter nor a digit stands before it
    std::uint64_t twice = 0, thrice = 0;  // so many digits begin here
};

bool is_of_classes(std::string_view id) {
    return std::ranges::find(kIds, id) != kIds.end();
}

ClassScan::ClassScan(std::string_view text, Take take, void* context)
    : text_(text), take_(take), context_(context), places_(places()) {}

bool ClassScan::advance(std::size_t to) {
    for (;;) {
        const std::size_t within = std::min(to - std::min(to, block_), kStep);
        for (auto bits = (numbers_ | colons_) & ((std::uint64_t{1} << within) - 1); bits != 0 && !stopped_;
             bits &= bits - 1) {
            const auto one = bits & (~bits + 1);
            const std::size_t at = block_ + static_cast<std::size_t>(std::countr_zero(bits));
            if ((numbers_ & one) != 0)
                give_number(at);
            else
                give(kIpv6, at + 1);
            numbers_ &= ~one;
            colons_ &= ~one;
        }
        if (stopped_) return false;
        if (next_ >= to || next_ >= text_.size()) return true;
        read_block();
    }
}

void ClassScan::give(unsigned which, std::size_t end) {
    if (!stopped_) stopped_ = !take_(context_, places_[which], end);
}

void ClassScan::give_number(std::size_t at) {
    give(kPhone, at + 1);
    if ((text_[at] == '1' || text_[at] == '3') && starts_word(text_, at)) give(kBitcoin, at + 1);
}

template <typename Look>
void ClassScan::each(std::uint64_t bits, Look&& look) {
    for (bits &= kBeginnings; bits != 0; bits &= bits - 1)
        look(block_ + static_cast<std::size_t>(std::countr_zero(bits)));
}

void ClassScan::read_block() {
    block_ = next_;
    next_ += kStep;
    std::array<char, kBlock> last{};
    auto bytes = text_.substr(block_, kBlock);
    if (bytes.size() < kBlock) {
        std::ranges::copy(bytes, last.begin());
        bytes = {last.data(), kBlock};
    }
    const Block block(bytes.data());
    const auto digits = block.among('0', 10);
    each(block.are('@'), [&](std::size_t at) {
        if (at == 0 || at + 1 >= text_.size()) return;
        const char before = text_[at - 1], behind = text_[at + 1];
        if ((word(before) || high(before) || before == '%' || before == '+' || before == '-') &&
            (letter(behind) || digit(behind) || high(behind)))
            give(kEmail, at + 2);
    });
    colons_ = colons_behind_;
    colons_behind_ = 0;
    if (const auto colons = block.are(':'); colons != 0) {
        auto hexes = digits | block.letters('a', 6);
        auto open = colons & kBeginnings;  // from here on all were hex digits
        auto ends = std::uint64_t{0};
        for (unsigned width = 1; width <= 5 && open != 0; ++width) {
            open <<= 1;
            ends |= open & colons;
            open &= hexes;
        }
        colons_ |= ends & kBeginnings;
        colons_behind_ = ends >> kStep;
    }
    if (const auto points = block.are('.'); points != 0)
        each(points & points >> 7, [&](std::size_t at) {
            if (const auto end = end_of_discord(text_, at); end != 0) give(kDiscord, end);
        });
    numbers_ = 0;
    if (digits != 0) look_at_digits(bytes, digits);
}

// What has a digit in it. In comments D is a digit, L a letter, C a capital, H a hex digit.
void ClassScan::look_at_digits(std::string_view bytes, std::uint64_t digits) {
    const Block block(bytes.data());
    const char before = block_ == 0 ? ' ' : text_[block_ - 1];
    Masks masks{
        .digits = digits, .letters = block.letters('a', 26), .dashes = block.are('-'), .blanks = block.are(' ')};
    masks.starts = ~((digits | masks.letters) << 1 | static_cast<std::uint64_t>(letter(before) || digit(before)));
    masks.twice = digits & digits >> 1;
    masks.thrice = masks.twice & digits >> 2;
    numbers_ = digits & masks.starts & kBeginnings;
    look_behind_letters(masks);
    look_before_letters(masks);
    look_at_numbers(masks, block.are('.'));
    // HH-HH- or with colons
    const auto hexes = digits | block.letters('a', 6), marks = masks.dashes | block.are(':');
    each(masks.starts & hexes & hexes >> 1 & marks >> 2 & hexes >> 3 & hexes >> 4 & marks >> 5, [&](std::size_t at) {
        Rest rest(text_, at + 2);
        for (int i = 0; i < 5; ++i)
            if (!rest.take(":-") || !rest.take(2, hex)) return;
        if (starts_word(text_, at)) give(kMac, rest.at());
    });
}

// Letters, then digits.
void ClassScan::look_behind_letters(const Masks& m) {
    const auto pairs = m.letters & m.starts & m.letters >> 1;
    each(pairs & m.twice >> 2, [&](std::size_t at) { give(kIban, at + 4); });
    each(pairs & (m.twice >> 2 | (m.blanks >> 2 & m.twice >> 3)), [&](std::size_t at) {
        Rest rest(text_, at + 2);
        for (int i = 0; i < 3; ++i) {
            rest.may_take(' ');
            if (!rest.take(2, digit)) return;
        }
        rest.may_take(' ');
        if (rest.take("ABCDabcd") && starts_word(text_, at)) give(kNino, rest.at());
    });
    each(m.letters & m.starts & m.thrice >> 1 & m.thrice >> 4, [&](std::size_t at) {  // LDDDDDD
        Rest rest(text_, at);
        if (rest.take("STFG") && rest.take(7, digit) && rest.take(1, upper) && starts_word(text_, at))
            give(kNric, rest.at());
    });
    each(pairs & m.letters >> 2 & m.letters >> 3 & m.thrice >> 4, [&](std::size_t at) {  // LLLLDDD
        Rest rest(text_, at);
        if (rest.take(4, upper) && rest.take(6, digit) && rest.take("HMX") && rest.take(5, upper) &&
            rest.take(1, [](char c) { return digit(c) || upper(c); }) && rest.take(1, digit) && starts_word(text_, at))
            give(kCurp, rest.at());
    });
}

// Digits, then letters.
void ClassScan::look_before_letters(const Masks& m) {
    each(m.thrice & m.letters >> 3, [&](std::size_t at) { give(kDni, at + 4); });
    each(m.thrice & m.dashes >> 3 & m.letters >> 4, [&](std::size_t at) { give(kDni, at + 5); });
    each(m.twice & m.letters >> 2 & m.thrice >> 3 & m.letters >> 6, [&](std::size_t at) { give(kFiscalCode, at + 7); });
    each(m.letters & m.thrice >> 1 & m.digits >> 4 & m.letters >> 5, [&](std::size_t at) {
        if (upper(text_[at]) && upper(text_[at + 5])) give(kPan, at + 6);
    });
    each(m.blanks & m.digits >> 1 & m.letters >> 2 & m.letters >> 3, [&](std::size_t at) {
        if (is_postcode(text_, at)) give(kPostcode, at + 4);
    });
}

// Digits and marks.
void ClassScan::look_at_numbers(const Masks& m, std::uint64_t points) {
    each(m.digits & points >> 1 & m.thrice >> 2 & m.digits >> 5, [&](std::size_t at) {
        Rest rest(text_, at + 2);
        const auto places = rest.take_all(digit, 16);
        if (places > 15 || !rest.take(",;")) return;
        rest.may_take(' ');
        rest.may_take('-');
        const auto whole = rest.take_all(digit, 4);
        if (whole > 0 && whole < 4 && rest.take(".") && rest.take(4, digit)) give(kCoordinates, rest.at());
    });
    each(numbers_ & m.letters >> 1, [&](std::size_t at) {
        Rest rest(text_, at);
        if (rest.take("0") && rest.take("x") && rest.take(40, hex) && starts_word(text_, at))
            give(kEthereum, rest.at());
    });
    each(numbers_ & m.thrice >> 1 & m.twice >> 4, [&](std::size_t at) {  // DDDDDD
        Rest rest(text_, at);
        if (rest.take("0123") && rest.take(1, digit) && rest.take("01") && rest.take(3, digit) &&
            rest.take("-+ABCDEFY") && rest.take(3, digit) &&
            rest.take(1, [](char c) { return digit(c) || (upper(c) && c != 'Z'); }) && starts_word(text_, at))
            give(kHetu, rest.at());
    });
}

}  // namespace tandem::privacy
