// Personal data that has letters in it: addresses of mail, houses, machines and wallets, account numbers, national ids.
#include <optional>

#include "base/hash.h"
#include "privacy/patterns/checks.h"
#include "privacy/patterns/patterns.h"

namespace tandem::privacy {

namespace {

using config::Category;

bool high(char c) {
    return static_cast<unsigned char>(c) >= 0x80;
}
bool name_char(char c) {
    return letter(c) || high(c) || c == '\'' || c == '-' || c == '.';
}

// Letters and digits of text[begin, end) without what parts them, in capitals.
std::string compact(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (digit(c) || letter(c)) out += static_cast<char>(c >= 'a' ? c - 32 : c);
    return out;
}

// Whether all of `text` is written like `shape`: A stands for a letter, 0 for a digit, x? for an x that may be missing.
// Expressions of classes alone make the whole pass slow, so theirs are short and the rest is looked at here.
bool has_shape(std::string_view text, std::string_view shape) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const bool may_miss = i + 1 < shape.size() && shape[i + 1] == '?';
        const char want = shape[i];
        const bool same = at < text.size() && (want == 'A'   ? letter(text[at])
                                               : want == '0' ? digit(text[at])
                                                             : text[at] == want);
        if (!same && !may_miss) return false;
        at += same ? 1 : 0;
        i += may_miss ? 1 : 0;
    }
    return at == text.size();
}

// ---- mail ----

// A mailbox that nobody reads: what programs and their documentation sign with says nothing of a person.
bool is_nobodys(std::string_view mailbox) {
    static constexpr std::array<std::string_view, 4> kNobody = {"noreply", "donotreply", "nepasrepondre",
                                                                "mailerdaemon"};
    std::string plain;
    for (const char c : mailbox)
        if (c != '-' && c != '_' && c != '.') plain += lower(c);
    return std::ranges::find(kNobody, plain) != kNobody.end();
}

// The candidate ends one letter into the domain: what follows is read here, since an expression for it would slow down
// all of the pass.
void email(const Kind& kind, const Candidate& c, Sink& sink) {
    const auto text = c.text;
    std::size_t end = c.end;
    auto host = [&](char x) { return digit(x) || letter(x) || high(x) || x == '-'; };
    while (end < text.size() && (host(text[end]) || (text[end] == '.' && end + 1 < text.size() && host(text[end + 1]))))
        ++end;
    const auto at = c.end - 2;
    if (end - at > 254) return;
    const auto domain = text.substr(at + 1, end - at - 1);
    if (domain.find('.') == std::string_view::npos) return;
    const auto top = domain.substr(domain.rfind('.') + 1);
    if (top.size() < 2 || !std::ranges::all_of(top, [](char x) { return letter(x) || high(x); })) {
        if (!top.starts_with("xn--")) return;
    }
    static constexpr std::array<std::string_view, 14> kFiles = {"png", "jpg",  "jpeg", "gif",  "svg", "css", "js",
                                                                "py",  "json", "webp", "html", "ts",  "so",  "service"};
    if (std::ranges::find(kFiles, top) != kFiles.end()) return;
    if (domain.front() == '.' || domain.front() == '-' || domain.find("..") != std::string_view::npos) return;
    std::size_t begin = at;
    while (begin > 0 && at - begin < 64 &&
           (word(text[begin - 1]) || high(text[begin - 1]) ||
            std::string_view(".%+-'").find(text[begin - 1]) != std::string_view::npos))
        --begin;
    while (begin < at && (text[begin] == '.' || text[begin] == '\'' || text[begin] == '-')) ++begin;
    if (begin == at || text[at - 1] == '.' || is_nobodys(text.substr(begin, at - begin))) return;
    if (begin == 0 || text[begin - 1] != ':') return sink.add(kind, begin, end, 1.0F);
    // user:password@host is somebody else's affair.
    const auto before = text.substr(begin - std::min<std::size_t>(begin, 69), std::min<std::size_t>(begin, 69));
    const auto scheme = before.rfind("://");
    if (scheme != std::string_view::npos && before.rfind(' ') + 1 < scheme + 1) return;
    sink.add(kind, begin, end, 1.0F);
}

// ---- accounts ----

// Length of an IBAN by country (SWIFT IBAN registry); 0: no such country.
std::size_t iban_length(std::string_view country) {
    struct Country {
        std::string_view code;
        std::size_t length;
    };
    static constexpr std::array kCountries = std::to_array<Country>({
        {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22}, {"BH", 22},
        {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22}, {"DK", 18}, {"DO", 28},
        {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23},
        {"GL", 18}, {"GR", 27}, {"GT", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26},
        {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20},
        {"LV", 21}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NL", 18},
        {"NO", 15}, {"PK", 24}, {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"SA", 24},
        {"SC", 31}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"ST", 25}, {"SV", 28}, {"TL", 23}, {"TN", 24},
        {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20},
    });
    // By both letters: many texts have two letters and two digits.
    static constexpr auto kLengths = [] {
        std::array<std::uint8_t, 26 * 26> lengths{};
        for (const auto& [code, length] : kCountries)
            lengths[static_cast<std::size_t>((code[0] - 'A') * 26 + code[1] - 'A')] = static_cast<std::uint8_t>(length);
        return lengths;
    }();
    if (country.size() != 2 || !upper(country[0]) || !upper(country[1])) return 0;
    return kLengths[static_cast<std::size_t>((country[0] - 'A') * 26 + country[1] - 'A')];
}

constexpr std::size_t kLongestIban = 34;
constexpr std::size_t kWidestGap = 4;  // bytes between two characters of one that is parted oddly

// The candidate is the country and the check digits; the rest is read on from there. Modulo 97 is 1 with the first four
// characters moved to the end (ISO 13616-1).
void iban(const Kind& kind, const Candidate& c, Sink& sink) {
    const auto text = c.text;
    const std::size_t start = c.end - 4;
    // A low line is no part of an IBAN, and its check digits are proof enough.
    if (start > 0 && word(text[start - 1]) && text[start - 1] != '_') return;
    const std::size_t wanted = iban_length(compact(text.substr(start, 2)));
    if (wanted == 0) return;
    std::array<char, kLongestIban> all{};
    std::size_t i = start, size = 0, gap = 0, digits_seen = 0;
    bool odd = false;  // parted in a way that IBANs are not
    for (; i < text.size() && size < wanted; ++i) {
        if (digit(text[i]) || letter(text[i])) {
            digits_seen += digit(text[i]) ? 1 : 0;
            all[size++] = static_cast<char>(text[i] >= 'a' ? text[i] - 32 : text[i]);
            gap = 0;
        } else {
            if (++gap > kWidestGap || high(text[i])) return;
            odd = odd || gap > 1 || (text[i] != ' ' && text[i] != '-' && text[i] != '.');
        }
    }
    if (size != wanted || (!ends_word(text, i) && text[i] != '_')) return;
    if (odd && digits_seen * 5 < size * 3) return;  // words, for the most part
    std::rotate(all.begin(), all.begin() + 4, all.begin() + static_cast<std::ptrdiff_t>(size));
    std::uint64_t rest = 0;
    for (const char x : std::string_view(all.data(), size)) {
        rest = digit(x) ? rest * 10 + static_cast<unsigned>(x - '0') : rest * 100 + static_cast<unsigned>(x - 'A') + 10;
        if (rest > 1'000'000'000'000'000) rest %= 97;
    }
    if (rest % 97 == 1) sink.add(kind, start, i, 1.0F);
}

// ---- wallets ----

// Base58 with a checksum (Bitcoin's base58check): the last four bytes are the beginning of a double SHA-256.
void base58(const Kind& kind, const Candidate& c, Sink& sink) {
    static constexpr auto kValues = [] {
        std::array<signed char, 256> values{};
        values.fill(-1);
        signed char value = 0;
        for (const unsigned char x : std::string_view("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"))
            values[x] = value++;
        return values;
    }();
    auto value_of = [&](std::size_t i) { return kValues[static_cast<unsigned char>(c.text[i])]; };
    std::size_t begin = c.end - 1, end = c.end;
    if (!starts_word(c.text, begin)) return;
    while (end < c.text.size() && end - begin <= 35 && value_of(end) >= 0) ++end;
    if (!ends_word(c.text, end) || end - begin < 26 || end - begin > 35) return;
    std::array<std::uint32_t, 7> number{};  // 58^35 has 206 bits; the least come first
    for (std::size_t i = begin; i < end; ++i) {
        auto carry = static_cast<std::uint64_t>(value_of(i));
        for (auto& part : number) {
            carry += std::uint64_t{part} * 58;
            part = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
    }
    if (number[6] > 0xFF) return;  // more than 25 bytes
    std::array<unsigned char, 25> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[24 - i] = static_cast<unsigned char>(number[i / 4] >> (8 * (i % 4)));
    if (bytes[0] != 0 && bytes[0] != 5) return;
    const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto once = sha256(all.substr(0, 21));
    const auto twice = sha256({reinterpret_cast<const char*>(once.data()), once.size()});
    if (!std::equal(twice.begin(), twice.begin() + 4, bytes.begin() + 21)) return;
    sink.add(kind, begin, end, 0.95F);
}

// Bech32 and bech32m (BIP-173, BIP-350): the checksum is computed.
void bech32(const Kind& kind, const Candidate& c, Sink& sink) {
    static constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    static constexpr std::array<std::uint32_t, 5> kGenerator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                                                0x2a1462b3};
    const std::size_t begin = c.end - 3;
    std::size_t end = c.end;
    while (end < c.text.size() && (digit(c.text[end]) || letter(c.text[end]))) ++end;
    if (end - begin < 14 || end - begin > 90) return;
    std::uint32_t check = 1;
    auto feed = [&](std::uint32_t v) {
        const std::uint32_t top = check >> 25;
        check = ((check & 0x1ffffffU) << 5) ^ v;
        for (std::size_t i = 0; i < 5; ++i)
            if ((top >> i) & 1U) check ^= kGenerator[i];
    };
    for (const char x : {c.text[begin], c.text[begin + 1]}) feed(static_cast<std::uint32_t>(lower(x)) >> 5);
    feed(0);
    for (const char x : {c.text[begin], c.text[begin + 1]}) feed(static_cast<std::uint32_t>(lower(x)) & 31U);
    for (std::size_t i = begin + 3; i < end; ++i) {
        const auto v = kAlphabet.find(lower(c.text[i]));
        if (v == std::string_view::npos) return;
        feed(static_cast<std::uint32_t>(v));
    }
    if (check == 1 || check == 0x2bc830a3) sink.add(kind, begin, end, 1.0F);
}

void ethereum(const Kind& kind, const Candidate& c, Sink& sink) {
    if (ends_word(c.text, c.end) && entropy(c.text.substr(c.begin + 2, 40)) > 2.8)
        sink.add(kind, c.begin, c.end,
                 near(c.text, c.begin, c.end, {"eth", "wallet", "address", "crypto", "0x", "contract"}) ? 0.8F : 0.5F);
}

// ---- machines and places ----

void mac(const Kind& kind, const Candidate& c, Sink& sink) {
    auto part = [](char x) { return digit(x) || (lower(x) >= 'a' && lower(x) <= 'f'); };
    if (c.end < c.text.size() && (word(c.text[c.end]) || ((c.text[c.end] == ':' || c.text[c.end] == '-') &&
                                                          c.end + 1 < c.text.size() && part(c.text[c.end + 1]))))
        return;
    if (c.begin > 0 && (word(c.text[c.begin - 1]) || c.text[c.begin - 1] == ':' || c.text[c.begin - 1] == '-')) return;
    const auto value = c.text.substr(c.begin, c.end - c.begin);
    const char separator = value[2];
    for (std::size_t i = 2; i < value.size(); i += 3)
        if (value[i] != separator) return;
    sink.add(kind, c.begin, c.end, 0.9F);
}

constexpr std::size_t kLongestIpv6 = 41;  // eight groups of four, seven colons, two of them doubled

// RFC 4291, section 2.2: the candidate ends behind the second colon.
void ipv6(const Kind& kind, const Candidate& c, Sink& sink) {
    auto part = [](char x) { return digit(x) || (lower(x) >= 'a' && lower(x) <= 'f') || x == ':'; };
    if (c.end <= sink.colons_read) return;  // another end of the one before
    std::size_t begin = c.end, end = c.end;
    while (begin > sink.colons_read && part(c.text[begin - 1]) && c.end - begin <= kLongestIpv6) --begin;
    while (end < c.text.size() && part(c.text[end])) ++end;
    work(end - begin);
    sink.colons_read = end;
    if (end <= sink.numbers_read || end - begin > kLongestIpv6) return;
    if ((begin > 0 && (word(c.text[begin - 1]) || c.text[begin - 1] == '.')) || !ends_word(c.text, end)) return;
    auto value = c.text.substr(begin, end - begin);
    if (value.ends_with(':') && !value.ends_with("::")) {
        value.remove_suffix(1);
        --end;
    }
    std::size_t groups = 0, width = 0, digits_seen = 0, squeezed = 0;
    for (std::size_t i = 0; i <= value.size(); ++i) {
        if (i < value.size() && value[i] != ':') {
            digits_seen += digit(value[i]) ? 1 : 0;
            if (++width > 4) return;
            continue;
        }
        if (width > 0) ++groups;
        if (i + 1 < value.size() && value[i + 1] == ':' && value[i] == ':') ++squeezed;
        width = 0;
    }
    if (squeezed > 1 || groups > 8 || (squeezed == 0 && groups != 8) || groups < 2 || digits_seen < 2) return;
    if (begin > 0 && c.text[begin - 1] == ':') return;
    sink.numbers_read = std::max(sink.numbers_read, end);
    sink.add(kind, begin, end, groups >= 4 ? 0.9F : 0.6F);
}

void coordinates(const Kind& kind, const Candidate& c, Sink& sink) {
    std::size_t end = c.end;
    while (end < c.text.size() && digit(c.text[end])) ++end;
    std::size_t begin = c.end;
    // Back over both numbers and what parts them.
    std::size_t points = 0;
    while (begin > 0 &&
           (digit(c.text[begin - 1]) || c.text[begin - 1] == '.' || c.text[begin - 1] == ',' ||
            c.text[begin - 1] == ' ' || c.text[begin - 1] == '-' || c.text[begin - 1] == ';') &&
           c.end - begin < 40) {
        --begin;
        if (c.text[begin] == '.' && ++points > 2) return;
    }
    while (begin < end && !digit(c.text[begin]) && c.text[begin] != '-') ++begin;
    const auto value = c.text.substr(begin, end - begin);
    const auto comma = value.find_first_of(",;");
    if (comma == std::string_view::npos || points != 2) return;
    auto number = [](std::string_view v) {
        double n = 0, scale = 0;
        for (const char x : v) {
            if (x == '.') scale = 1;
            if (!digit(x)) continue;
            n = n * 10 + (x - '0');
            scale *= 10;
        }
        return scale == 0 ? n : n / (scale);
    };
    if (number(value.substr(0, comma)) > 90 || number(value.substr(comma)) > 180) return;
    const bool context = sink.context.near(c.text, Topic::place, begin, end);
    sink.add(kind, begin, end, context ? 0.9F : 0.5F);
}

// ---- houses ----

std::size_t skip(std::string_view text, std::size_t at, std::string_view what, std::size_t most) {
    std::size_t n = 0;
    while (at < text.size() && n < most && what.find(text[at]) != std::string_view::npos) ++at, ++n;
    return at;
}

std::size_t capital_words(std::string_view text, std::size_t at, std::size_t most) {
    std::size_t end = at;
    for (std::size_t n = 0; n < most; ++n) {
        if (at >= text.size() || !(upper(text[at]) || high(text[at]))) break;
        std::size_t last = at;
        while (last < text.size() && name_char(text[last])) ++last;
        while (last > at && text[last - 1] == '.') --last;
        if (last - at < 2) break;
        end = last;
        if (last >= text.size() || text[last] != ' ') break;
        at = last + 1;
    }
    return end;
}

bool digits_at(std::string_view text, std::size_t at, std::size_t least, std::size_t most, std::size_t& end) {
    end = at;
    while (end < text.size() && digit(text[end]) && end - at < most + 1) ++end;
    return end - at >= least && end - at <= most && ends_word(text, end);
}

// What follows a street: a flat, a town with its code ("12345 Berlin", "Springfield, IL 62704", "London SW1A 1AA").
std::size_t to_end_of_address(std::string_view text, std::size_t end) {
    for (const std::string_view flat : {"Apt", "Suite", "Unit", "Flat", "Apartment", "Ste", "#", "Floor"}) {
        const auto at = skip(text, end, " ,.\n", 2);
        if (at >= text.size() || text[at] != flat[0] || !text.substr(at).starts_with(flat)) continue;
        auto on = skip(text, at + flat.size(), " .#", 2);
        std::size_t last = on;
        while (last < text.size() && (digit(text[last]) || letter(text[last])) && last - on < 6) ++last;
        if (last > on) end = last;
    }
    std::size_t at = skip(text, end, " ,\n", 3);
    if (at == end) return end;
    std::size_t code = 0;
    if (digits_at(text, at, 4, 5, code)) {  // 12345 Berlin
        const auto town = skip(text, code, " ", 1);
        const auto last = capital_words(text, town, 3);
        return last > town ? last : end;
    }
    if (at + 6 < text.size() && digit(text[at]) && digit(text[at + 1]) && text[at + 2] == '-' &&
        digits_at(text, at + 3, 3, 3, code)) {
        const auto town = skip(text, code, " ", 1);  // 00-950 Warszawa
        const auto last = capital_words(text, town, 2);
        return last > town ? last : code;
    }
    const auto town = capital_words(text, at, 4);
    if (town == at) return end;
    at = skip(text, town, " ,\n", 2);
    {  // SW1A 1AA
        std::size_t outward = at;
        while (outward < text.size() && (upper(text[outward]) || digit(text[outward])) && outward - at < 5) ++outward;
        if (outward - at >= 2 && upper(text[at]) && outward + 3 < text.size() && text[outward] == ' ' &&
            digit(text[outward + 1]) && upper(text[outward + 2]) && outward + 3 < text.size() &&
            upper(text[outward + 3]) && ends_word(text, outward + 4))
            return outward + 4;
    }

    if (at + 2 < text.size() && upper(text[at]) && upper(text[at + 1]) && !letter(text[at + 2])) {  // IL 62704
        const auto zip = skip(text, at + 2, " ", 1);
        if (digits_at(text, zip, 5, 5, code)) {
            std::size_t more = 0;
            if (code < text.size() && text[code] == '-' && digits_at(text, code + 1, 4, 4, more)) return more;
            return code;
        }
        return at + 2;
    }
    // The town's last word may be the state: "Lake John MN 12345".
    if (town >= 3 && upper(text[town - 1]) && upper(text[town - 2]) && text[town - 3] == ' ' &&
        digits_at(text, skip(text, town, " ", 1), 5, 5, code))
        return code;
    if (digits_at(text, at, 4, 5, code)) return code;
    return end;
}

// 12 Long Acre Street: the candidate ends with the kind of street.
void street_behind(const Kind& kind, const Candidate& c, Sink& sink) {
    std::size_t end = c.end;
    if (end < c.text.size() && letter(c.text[end])) return;
    std::size_t begin = end, words = 0, number = std::string_view::npos;
    // Back over capitalised words to a number.
    while (begin > 0 && end - begin < 60) {
        std::size_t from = begin;
        while (from > 0 && end - from < 80 &&
               (name_char(c.text[from - 1]) || digit(c.text[from - 1]) || c.text[from - 1] == '/'))
            --from;
        if (from == begin) break;
        if (digit(c.text[from])) {
            if (words == 0 && !letter(c.text[begin - 1])) return;
            const bool ordinal = begin - from > 2 && letter(c.text[begin - 1]) && letter(c.text[begin - 2]);
            number = from;
            if (!ordinal) break;
        }
        if (!digit(c.text[from]) && !upper(c.text[from]) && !high(c.text[from])) break;
        if (++words > 5) return;
        begin = from;
        if (begin == 0 || c.text[begin - 1] != ' ') break;
        --begin;
    }
    if (number == std::string_view::npos || words == 0 || !starts_word(c.text, number)) return;
    std::size_t digits_end = number;
    while (digits_end < c.text.size() && digit(c.text[digits_end])) ++digits_end;
    if (digits_end - number > 6) return;
    if (end < c.text.size() && c.text[end] == '.') ++end;
    sink.add(kind, number, to_end_of_address(c.text, end), 0.9F);
}

// Via Roma 12, Hauptstraße 5a, ul. Długa 3/4: the candidate ends with the first digit of the number.
void street_before(const Kind& kind, const Candidate& c, Sink& sink) {
    std::size_t end = c.end;
    while (end < c.text.size() && (digit(c.text[end]) || c.text[end] == '/') && end - c.end < 7) ++end;
    if (end < c.text.size() && letter(c.text[end]) && (end + 1 >= c.text.size() || !word(c.text[end + 1]))) ++end;
    if (end < c.text.size() && word(c.text[end])) return;
    std::size_t begin = c.end - 1, words = 0;
    while (begin > 0 && words < 6) {
        std::size_t from = begin;
        while (from > 0 && (c.text[from - 1] == ' ' || c.text[from - 1] == ',')) --from;
        std::size_t to = from;
        while (from > 0 && (name_char(c.text[from - 1]) || c.text[from - 1] == '/')) --from;
        if (from == to || c.end - from > 60) break;
        const auto name = c.text.substr(from, to - from);
        static constexpr std::array<std::string_view, 12> kSmall = {"de", "la",  "del", "della", "dei", "da",
                                                                    "do", "van", "von", "der",   "des", "du"};
        const bool small = std::ranges::find(kSmall, name) != kSmall.end();
        if (!upper(name.front()) && !high(name.front()) && !small && !name.starts_with("ul.") &&
            !name.starts_with("rue") && !name.starts_with("al.") && !name.starts_with("calle") &&
            !name.starts_with("via"))
            break;
        begin = from;
        ++words;
        if (name.starts_with("ul") || name == "Via" || name == "Rua" || name == "Calle" || name.starts_with("C/") ||
            name == "Avenida" || name == "Av." || name == "Piazza" || name == "Corso" || name == "Viale" ||
            name == "Plaza" || name == "Paseo")
            break;
        if (name.ends_with("str.") ||
            name.ends_with("stra\xC3\x9F"
                           "e") ||
            name.ends_with("strasse") || name.ends_with("straat") || name.ends_with("weg") || name.ends_with("allee") ||
            name.ends_with("gasse") || name.ends_with("laan") || name.ends_with("gracht") || name.ends_with("platz") ||
            name.ends_with("ring") || name.ends_with("damm") || name.ends_with("ufer"))
            if (name.size() > 7) break;
    }
    if (words == 0) return;
    sink.add(kind, begin, to_end_of_address(c.text, end), 0.88F);
}

bool is_small_in_french(std::string_view name) {
    static constexpr std::array<std::string_view, 7> kSmall = {"de", "la", "du", "des", "le", "les", "et"};
    if (name.size() > 1 && name[1] == '\'' && (name[0] == 'd' || name[0] == 'l')) return true;
    return name.size() <= 3 && std::ranges::find(kSmall, name) != kSmall.end();
}

// 12 rue de la Paix, 75002 Paris: the candidate ends with the kind of street.
void street_french(const Kind& kind, const Candidate& c, Sink& sink) {
    std::size_t begin = c.end;
    while (begin > 0 && !digit(c.text[begin - 1]) && c.end - begin < 24) --begin;
    while (begin > 0 && digit(c.text[begin - 1])) --begin;
    std::size_t end = c.end, words = 0;
    while (end < c.text.size() && words < 6 && c.text[end] == ' ') {
        std::size_t last = end + 1;
        while (last < c.text.size() && (name_char(c.text[last]))) ++last;
        const auto name = c.text.substr(end + 1, last - end - 1);
        if (name.empty() || (!upper(name.front()) && !high(name.front()) && !is_small_in_french(name))) break;
        ++words;
        end = last;
    }
    while (end > c.end && (c.text[end - 1] == '.')) --end;
    if (words == 0 || !digit(c.text[begin]) || !starts_word(c.text, begin)) return;
    sink.add(kind, begin, to_end_of_address(c.text, end), 0.9F);
}

void po_box(const Kind& kind, const Candidate& c, Sink& sink) {
    std::size_t begin = c.end - 1;
    while (begin > 0 && c.end - begin < 14 && lower(c.text[begin]) != 'p') --begin;
    std::size_t end = c.end;
    while (end < c.text.size() && digit(c.text[end])) ++end;
    sink.add(kind, begin, to_end_of_address(c.text, end), 0.7F);
}

void uk_postcode(const Kind& kind, const Candidate& c, Sink& sink) {
    std::size_t begin = c.end - 3;
    while (begin > 0 && (upper(c.text[begin - 1]) || digit(c.text[begin - 1]) || c.text[begin - 1] == ' ') &&
           c.end - begin < 8)
        --begin;
    while (begin < c.end && c.text[begin] == ' ') ++begin;
    if (ends_word(c.text, c.end) && starts_word(c.text, begin) && upper(c.text[begin]))
        sink.add(kind, begin, c.end, 0.55F);
}

// ---- national ids with letters ----

void nino(const Kind& kind, const Candidate& c, Sink& sink) {
    std::size_t begin = c.end;
    std::string all;
    while (begin > 0 && all.size() < 9 &&
           (word(c.text[begin - 1]) || c.text[begin - 1] == ' ' || c.text[begin - 1] == '-')) {
        --begin;
        if (c.text[begin] != ' ' && c.text[begin] != '-')
            all.insert(all.begin(), static_cast<char>(c.text[begin] >= 'a' ? c.text[begin] - 32 : c.text[begin]));
    }
    if (all.size() != 9 || !starts_word(c.text, begin) || !ends_word(c.text, c.end)) return;
    // HMRC's NIM39110: D F I Q U V never, O not second, and pairs that are not given out.
    static constexpr std::string_view kNever = "DFIQUV";
    if (kNever.find(all[0]) != std::string_view::npos || kNever.find(all[1]) != std::string_view::npos || all[1] == 'O')
        return;
    for (const std::string_view pair : {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"})
        if (all.starts_with(pair)) return;
    sink.add(
        kind, begin, c.end,
        near(c.text, begin, c.end, {"national insurance", "nino", "ni number", "ni no", "insurance"}) ? 1.0F : 0.6F);
}

// DNI: eight digits and the letter that their remainder by 23 gives; NIE: X, Y or Z stands for 0, 1 or 2.
void spanish(const Kind& kind, const Candidate& c, Sink& sink) {
    if (!ends_word(c.text, c.end)) return;
    std::size_t begin = c.end;
    std::string all;
    while (begin > 0 && all.size() < 9 &&
           (word(c.text[begin - 1]) || c.text[begin - 1] == '-' || c.text[begin - 1] == '.')) {
        --begin;
        if (word(c.text[begin]))
            all.insert(all.begin(), static_cast<char>(c.text[begin] >= 'a' ? c.text[begin] - 32 : c.text[begin]));
    }
    if (all.size() != 9 || !starts_word(c.text, begin)) return;
    // 12345678Z, 12.345.678-Z, X1234567L, X-1234567-L
    const auto written = c.text.substr(begin, c.end - begin);
    const bool foreign = letter(written.front());
    if (!has_shape(written, foreign ? "A-?0000000-?A" : "00.?000.?000-?A")) return;
    const char check = all.back();
    std::string digits = all.substr(0, 8);
    static const Kind kNie{"es-nie", "ES_NIE", Category::national_id};
    const Kind* found = &kind;
    if (digits[0] >= 'X' && digits[0] <= 'Z') {
        digits[0] = static_cast<char>('0' + (digits[0] - 'X'));
        found = &kNie;
    }
    if (!std::ranges::all_of(digits, digit)) return;
    static constexpr std::string_view kLetters = "TRWAGMYFPDXBNJZSQVHLCKE";
    if (kLetters[modulo(digits, 23)] == check) sink.add(*found, begin, c.end, 0.9F);
}

// Codice fiscale: odd and even places have their own values (DM 23/12/1976).
void italian(const Kind& kind, const Candidate& c, Sink& sink) {
    const auto begin = c.end - std::min<std::size_t>(c.end, 16);
    if (!ends_word(c.text, c.end) || !starts_word(c.text, begin)) return;
    if (!has_shape(c.text.substr(begin, c.end - begin), "AAAAAA00A00A000A")) return;
    static constexpr std::array<int, 26> kOdd = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                                 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
    const auto all = compact(c.text.substr(begin, 16));
    if (std::string_view("ABCDEHLMPRST").find(all[8]) == std::string_view::npos) return;  // the month of birth
    int sum = 0;
    for (std::size_t i = 0; i < 15; ++i) {
        const int place = digit(all[i]) ? all[i] - '0' : all[i] - 'A';
        sum += i % 2 == 0 ? kOdd[static_cast<std::size_t>(place)] : place;
    }
    if ('A' + sum % 26 == all[15]) sink.add(kind, begin, c.end, 1.0F);
}

void indian_pan(const Kind& kind, const Candidate& c, Sink& sink) {
    const auto begin = c.end - std::min<std::size_t>(c.end, 10);
    const auto written = c.text.substr(begin, c.end - begin);
    if (!ends_word(c.text, c.end) || !starts_word(c.text, begin) || !has_shape(written, "AAAAA0000A")) return;
    if (std::ranges::any_of(written, [](char x) { return x >= 'a'; })) return;
    if (std::string_view("ABCFGHJLPT").find(written[3]) == std::string_view::npos) return;
    sink.add(kind, begin, c.end, near(c.text, begin, c.end, {"pan", "permanent account", "income tax"}) ? 0.95F : 0.6F);
}

// HETU: the remainder of the nine digits by 31 gives the last character.
void finnish(const Kind& kind, const Candidate& c, Sink& sink) {
    const auto v = c.text.substr(c.begin, 11);
    if (!ends_word(c.text, c.end)) return;
    std::string digits = std::string(v.substr(0, 6)) + std::string(v.substr(7, 3));
    if (std::string_view("0123456789ABCDEFHJKLMNPRSTUVWXY")[modulo(digits, 31)] == v[10])
        sink.add(kind, c.begin, c.end, 1.0F);
}

void singapore(const Kind& kind, const Candidate& c, Sink& sink) {
    const auto v = c.text.substr(c.begin, 9);
    if (!ends_word(c.text, c.end)) return;
    int sum = weighted(v.substr(1, 7), {2, 7, 6, 5, 4, 3, 2}) + (v[0] == 'T' || v[0] == 'G' ? 4 : 0);
    const std::string_view table = v[0] == 'S' || v[0] == 'T' ? "JZIHGFEDCBA" : "XWUTRQPNMLK";
    if (table[static_cast<std::size_t>(sum % 11)] == v[8]) sink.add(kind, c.begin, c.end, 0.9F);
}

// CURP: the check digit is ten less the weighted sum of the seventeen characters in an alphabet with N-tilde.
void curp(const Kind& kind, const Candidate& c, Sink& sink) {
    if (!ends_word(c.text, c.end)) return;
    const auto v = c.text.substr(c.begin, 18);
    int sum = 0;
    for (std::size_t i = 0; i < 17; ++i) {
        const int value = digit(v[i]) ? v[i] - '0' : v[i] - 'A' + 10 + (v[i] > 'N' ? 1 : 0);
        sum += value * (18 - static_cast<int>(i));
    }
    if ((10 - sum % 10) % 10 == v[17] - '0') sink.add(kind, c.begin, c.end, 1.0F);
}

// ---- in context ----

// The word of digits and capitals that the candidate ends in the first characters of.
void named_number(const Kind& kind, const Candidate& c, Sink& sink) {
    std::size_t begin = c.end - 1;
    while (begin > 0 && (digit(c.text[begin - 1]) || upper(c.text[begin - 1]))) --begin;
    std::size_t end = c.end;
    while (end < c.text.size() && (digit(c.text[end]) || upper(c.text[end]) ||
                                   ((c.text[end] == '-' || c.text[end] == ' ') && end + 1 < c.text.size() &&
                                    digit(c.text[end + 1]) && end - begin < 16)))
        ++end;
    const auto value = c.text.substr(begin, end - begin);
    const auto digits_seen = std::ranges::count_if(value, digit);
    if (value.size() < 5 || value.size() > 20 || digits_seen < 4 || !ends_word(c.text, end)) return;
    sink.add(kind, begin, end, 0.7F);
}

// The candidate ends with the word: the number's first digits stand behind a blank or a mark up to 24 bytes further on
// the line, with up to `letters` letters in front of them. An expression for it takes long where the word is frequent.
template <std::size_t letters, std::size_t digits>
void behind_word(const Kind& kind, const Candidate& c, Sink& sink) {
    constexpr std::size_t kFarthest = 24;
    const auto text = c.text;
    const std::size_t limit = std::min(text.size(), c.end + kFarthest + letters + 2);
    std::size_t first = c.end;
    while (first < limit && !digit(text[first])) ++first;
    work(first - c.end);
    std::size_t end = first;
    while (end < text.size() && end - first < digits && digit(text[end])) ++end;
    if (end - first < digits) return;
    for (std::size_t mark = first; mark-- > c.end && first - mark <= letters + 1;) {
        const char x = text[mark];
        const bool parts = x == ' ' || (x >= '\t' && x <= '\r') || x == ':' || x == '#';
        if (parts && mark - c.end <= kFarthest && text.substr(c.end, mark - c.end).find('\n') == std::string_view::npos)
            return named_number(kind, {text, c.end, end}, sink);
        if (!letter(x)) return;
    }
}

void plate(const Kind& kind, const Candidate& c, Sink& sink) {
    std::size_t begin = c.end - 1, end = c.end;
    while (begin > 0 && (digit(c.text[begin - 1]) || upper(c.text[begin - 1]))) --begin;
    while (
        end < c.text.size() &&
        (digit(c.text[end]) || upper(c.text[end]) ||
         ((c.text[end] == '-' || c.text[end] == ' ' || c.text[end] == '\xC2' || c.text[end] == '\xB7') &&
          end + 1 < c.text.size() && end - begin < 10 &&
          (digit(c.text[end + 1]) || (upper(c.text[end + 1]) && (end + 2 >= c.text.size() || !letter(c.text[end + 2]) ||
                                                                 upper(c.text[end + 2])))))))
        ++end;
    const auto value = c.text.substr(begin, end - begin);
    if (value.size() < 5 || value.size() > 12 || std::ranges::none_of(value, digit) ||
        std::ranges::none_of(value, upper) || !ends_word(c.text, end))
        return;
    sink.add(kind, begin, end, 0.65F);
}

// ---- dates with a month's name ----

void named_date(const Kind& kind, const Candidate& c, Sink& sink) {
    std::size_t begin = c.end, end = c.end;
    // The candidate ends with the month's name, or with the day behind it.
    auto before = [&](std::size_t at) {
        std::size_t from = at;
        while (from > 0 && (c.text[from - 1] == ' ' || c.text[from - 1] == '.' || c.text[from - 1] == '-')) --from;
        if (from >= 3 && (c.text.substr(from - 3, 3) == " de" || c.text.substr(from - 3, 3) == " of")) from -= 3;
        if (from >= 2 && letter(c.text[from - 1]) && letter(c.text[from - 2]) && from >= 3 && digit(c.text[from - 3]))
            from -= 2;  // 1st
        std::size_t first = from;
        while (first > 0 && digit(c.text[first - 1]) && from - first < 2) --first;
        return first < from && starts_word(c.text, first) ? first : at;
    };
    while (begin > 0 && c.end - begin < 40 && (letter(c.text[begin - 1]) || high(c.text[begin - 1]))) --begin;
    const std::size_t day_before = before(begin);
    bool day = day_before < begin;
    begin = day_before;
    if (end < c.text.size() && c.text[end] == '.') ++end;
    std::size_t at = skip(c.text, end, " .", 2), last = 0;
    if (!day && digits_at(c.text, at, 1, 2, last)) {
        day = true;
        end = last;
        at = skip(c.text, end, " ,.", 2);
    } else if (!day && at < c.text.size() && digit(c.text[at])) {
        std::size_t n = at;
        while (n < c.text.size() && digit(c.text[n])) ++n;
        if (n - at <= 2 && n + 2 <= c.text.size() && letter(c.text[n])) {
            day = true;
            end = std::min(c.text.size(), n + 2);
            at = skip(c.text, end, " ,.", 2);
        }
    }
    if (c.text.substr(at).starts_with("de ")) at += 3;
    if (c.text.substr(at).starts_with("del ")) at += 4;
    if (c.text.substr(at).starts_with("-")) at += 1;
    std::size_t year = 0;
    if (digits_at(c.text, at, 4, 4, year) && (c.text[at] == '1' || c.text[at] == '2')) {
        end = year;
        day = true;
    }
    if (!day || end <= sink.numbers_read) return;
    static const Kind kBirth{"birth-date", "DATE_TIME", Category::birth_date};
    const bool birth = sink.context.near(c.text, Topic::birth_of_named_date, begin, end, 40, 10);
    while (end > begin && c.text[end - 1] == '.') --end;
    sink.add(birth ? kBirth : kind, begin, end, birth ? 0.9F : 0.6F);
}

#define TANDEM_NAME "[A-Za-z'.\\x80-\\xff-]"

const auto kPatterns = std::to_array<Pattern>({
    {{"email", "EMAIL_ADDRESS", Category::email},
     "[A-Za-z0-9_%+\\x80-\\xff-]@[A-Za-z0-9\\x80-\\xff]",
     false,
     email,
     "write to jane.doe@example.org!",
     "use @decorator.py"},
    {{"iban", "IBAN_CODE", Category::iban},
     "\\b[A-Z]{2}[0-9]{2}",
     true,
     iban,
     "IBAN DE89 3704 0044 0532 0130 00.",
     "DE89 3704 0044 0532 0130 01"},
    {{"bitcoin", "CRYPTO", Category::crypto},
     "\\b[13]",
     false,
     base58,
     "pay 1BoatSLRHtKNngkdXEeobR76b53LETtpyT now",
     "pay 1BoatSLRHtKNngkdXEeobR76b53LETtpyU now"},
    {{"bech32", "CRYPTO", Category::crypto},
     "\\bbc1",
     true,
     bech32,
     "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
     "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"},
    {{"ethereum", "CRYPTO", Category::crypto},
     "\\b0x[0-9a-fA-F]{40}",
     false,
     ethereum,
     "0x52908400098527886E0F7030069857D2E4169EE7",
     "0x0000000000000000000000000000000000000000"},
    {{"mac", "MAC_ADDRESS", Category::mac},
     "\\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}",
     true,
     mac,
     "at 00:1A:2b:3c:4D:5e",
     "00:1A:2b:3c:4D:5e:6f"},
    {{"ipv6", "IP_ADDRESS", Category::ip},
     ":[0-9a-f]{0,4}:",
     true,
     ipv6,
     "ping 2001:db8::8a2e:370:7334",
     "std::string"},
    {{"coordinates", "COORDINATES", Category::coordinates},
     "[0-9]\\.[0-9]{4,15}[,;] ?-?[0-9]{1,3}\\.[0-9]{4}",
     false,
     coordinates,
     "at 48.858844, 2.294351",
     "1.5, 2.25"},
    {{"street", "LOCATION", Category::address},
     "[ "
     "-](?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Square|Sq|Terrace|Ter|Way|"
     "Close|Crescent|Gardens|Grove|Hill|Row|Mews|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Trail|Trl|Alley|Walk|Park|Rise|"
     "Green|View|Quay|Wharf|Loop|Pike|Plaza|Run|Path|Pass|Point|Ridge|Ford|Creek|Valley|Heights|Harbor|Island|Junction|"
     "Key|Knoll|Lake|Landing|Manor|Meadow|Mill|Mission|Mount|Mountain|Oval|Overpass|Pine|Plain|Port|Prairie|Ranch|"
     "Rapid|Rest|River|Route|Shoal|Shore|Skyway|Spring|Spur|Station|Stravenue|Stream|Summit|Throughway|Trace|Track|"
     "Turnpike|Underpass|Union|Village|Ville|Vista|Well|Bridge|Brook|Burg|Bypass|Camp|Canyon|Cape|Causeway|Center|"
     "Cliff|Club|Common|Corner|Course|Cove|Crossing|Crossroad|Curve|Dale|Dam|Divide|Estate|Expressway|Extension|Fall|"
     "Ferry|Field|Flat|Forest|Forge|Fork|Fort|Freeway|Garden|Gateway|Glen|Haven|Hollow|Inlet|Isle|Land|Light|Loaf|Lock|"
     "Lodge|Mall|Motorway|Neck|Orchard|Parkways|Passage|Radial|Branch|Bottom|Bluff|Bayou|Beach|Bend|Annex|Arcade)s?\\b",
     false,
     street_behind,
     "I live at 221 Old Baker Street, Springfield, IL 62704",
     "in 12 easy Street-wise steps"},
    {{"street-number", "LOCATION", Category::address},
     "(?:-Stra\xC3\x9F"
     "e|-Allee|-Gasse|-Ring|-Weg|-Platz|stra\xC3\x9F"
     "e|strasse|str\\.|straat|weg|allee|gasse|laan|gracht|platz|plein|damm|ufer| Platz| Allee| Ring| "
     "Weg|\\bul\\. " TANDEM_NAME "{2,30}|\\bVia(?: " TANDEM_NAME
     "{2,20}){1,4}|\\b(?:Viale|Piazza|Corso|Calle|C/|Avenida|Av\\.|Avda\\.|Plaza|Paseo|Rua|Pra\xC3\xA7"
     "a|Travessa|Largo)(?: " TANDEM_NAME "{2,20}){1,5}),? (?:n\xC2\xBA ?)?[0-9]",
     false,
     street_before,
     "wohnt Lindenstra\xC3\x9F"
     "e 12a, 10969 Berlin",
     "auf dem Weg nach Hause"},
    {{"street-french", "LOCATION", Category::address},
     "[0-9](?: bis| ter)?,? (?:rue|avenue|boulevard|place|chemin|all\xC3\xA9"
     "e|impasse|quai|route|cours|square|passage)\\b",
     true,
     street_french,
     "au 12 rue de la Paix, 75002 Paris",
     "en 12 rue"},
    {{"po-box", "LOCATION", Category::address}, "\\bP\\.? ?O\\.? Box [0-9]", true, po_box, "PO Box 1234", "Box 1234"},
    {{"postcode", "LOCATION", Category::address},
     "\\b[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][ABD-HJLNP-UW-Z]{2}",
     false,
     uk_postcode,
     "London SW1A 1AA",
     "page A1 1st"},
    {{"uk-nino", "UK_NINO", Category::national_id},
     "\\b[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",
     true,
     nino,
     "NI number AB 12 34 56 C",
     "QQ 12 34 56 C"},
    {{"es-dni", "ES_NIF", Category::national_id}, "[0-9]{3}-?[A-Z]", true, spanish, "DNI 12345678Z", "12345678A"},
    {{"it-fiscal-code", "IT_FISCAL_CODE", Category::national_id},
     "[0-9]{2}[A-Z][0-9]{3}[A-Z]",
     true,
     italian,
     "RSSMRA85T10A562S",
     "RSSMRA85T10A562T"},
    {{"in-pan", "IN_PAN", Category::national_id},
     "[A-Z][0-9]{4}[A-Z]",
     false,
     indian_pan,
     "PAN ABCPE1234F",
     "ABCDE1234F"},
    {{"fi-hetu", "FI_PERSONAL_IDENTITY_CODE", Category::national_id},
     "\\b[0-3][0-9][01][0-9]{3}[-+A-FY][0-9]{3}[0-9A-Y]",
     false,
     finnish,
     "131052-308T",
     "131052-308A"},
    {{"sg-nric", "SG_NRIC_FIN", Category::national_id},
     "\\b[STFG][0-9]{7}[A-Z]",
     false,
     singapore,
     "S1234567D",
     "S1234567A"},
    {{"mx-curp", "MX_CURP", Category::national_id},
     "\\b[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[A-Z0-9][0-9]",
     false,
     curp,
     "BADD110313HCMLNS06",
     "BADD110313HCMLNS08"},
    {{"passport", "PASSPORT", Category::document},
     "(?:passport|pasaporte|passeport|reisepass|passaporto|paspoort|paszport|passaporte)",
     true,
     behind_word<3, 4>,
     "passport no. C01X0006H or passport number: 487654321",
     "passport photo"},
    {{"driver-license", "US_DRIVER_LICENSE", Category::document},
     "(?:driv(?:er|ing)(?:'?s)? ?licen[cs]e|f\xC3\xBChrerschein|permis de conduire|patente|rijbewijs|prawo "
     "jazdy|carnet de conducir|\\bDL\\b|\\bCNH\\b)",
     true,
     behind_word<5, 3>,
     "driver's license number D1234567",
     "driver's license photo"},
    {{"plate", "LICENSE_PLATE", Category::plate},
     "(?:licen[cs]e plate|number plate|plate number|registration number|kennzeichen|matr\xC3\xAD"
     "cula|immatriculation|targa|kenteken|rejestrac|placa)[^0-9\\n]{0,20}[\\s:#][A-Z0-9]{1,3}",
     true,
     plate,
     "license plate: 7ABC123",
     "license plate of the car"},
    {{"date-named", "DATE_TIME", Category::date},
     "\\b(?:Jan(?:uary|uar)?|Feb(?:ruary|ruar)?|Mar(?:ch)?|M\xC3\xA4rz|Apr(?:il)?|May|Mai|June?|Juni|July?|Juli|Aug(?:"
     "ust)?|Sep(?:t(?:ember)?)?|O[ck]t(?:ober)?|Nov(?:ember)?|De[cz](?:ember)?|janvier|f\xC3\xA9vrier|mars|avril|juin|"
     "juillet|ao\xC3\xBBt|septembre|octobre|novembre|d\xC3\xA9"
     "cembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|gennaio|febbraio|"
     "aprile|maggio|giugno|luglio|settembre|ottobre|novembre|dicembre|janeiro|fevereiro|mar\xC3\xA7o|maio|junho|julho|"
     "setembro|outubro|novembro|dezembro|januari|februari|maart|augustus|stycznia|lutego|marca|kwietnia|maja|czerwca|"
     "lipca|sierpnia|wrze\xC5\x9Bnia|pa\xC5\xBA"
     "dziernika|listopada|grudnia)\\b",
     true,
     named_date,
     "on 12 March 1980",
     "you may go"},
});

}  // namespace

std::span<const Pattern> personal_patterns() {
    return kPatterns;
}

}  // namespace tandem::privacy
