#include "routing/work_words.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"

namespace tandem::routing {

namespace {

// U+00C0 to U+017F without accents. A blank stands for what is no letter; what has two letters is in two_letters.
constexpr std::array<char, 0x180 - 0xC0> latin_letters() {
    std::array<char, 0x180 - 0xC0> letters{};
    constexpr std::string_view first = "aaaaaa?ceeeeiiiidnooooo ouuuuyt?aaaaaa?ceeeeiiiidnooooo ouuuuyty";
    constexpr std::string_view second =
        "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii??jjkkklllllll"
        "lllnnnnnnnnnoooooo??rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
    static_assert(first.size() == 64 && second.size() == 128);
    for (std::size_t i = 0; i < first.size(); ++i) letters[i] = first[i];
    for (std::size_t i = 0; i < second.size(); ++i) letters[64 + i] = second[i];
    return letters;
}
constexpr auto kLatinLetters = latin_letters();

std::string_view two_letters(char32_t c) {
    switch (c) {
        case 0xC6:
        case 0xE6:
            return "ae";
        case 0xDF:
            return "ss";
        case 0x132:
        case 0x133:
            return "ij";
        case 0x152:
        case 0x153:
            return "oe";
        default:
            return {};
    }
}

struct Decoded {
    char32_t c;
    std::size_t size;
};

// The character at a place; a byte that begins none stands for itself.
Decoded decode(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const auto follows = [&](std::size_t n) {
        if (at + n >= text.size()) return false;
        for (std::size_t i = 1; i <= n; ++i)
            if ((byte(i) & 0xC0) != 0x80) return false;
        return true;
    };
    const unsigned char lead = byte(0);
    if (lead >= 0xC2 && lead < 0xE0 && follows(1)) return {(lead & 0x1FU) << 6 | (byte(1) & 0x3FU), 2};
    if (lead >= 0xE0 && lead < 0xF0 && follows(2))
        return {(lead & 0x0FU) << 12 | (byte(1) & 0x3FU) << 6 | (byte(2) & 0x3FU), 3};
    if (lead >= 0xF0 && lead < 0xF5 && follows(3)) return {0x10000, 4};
    return {lead, 1};
}

// The folded text while it grows, in room that is there already: what is compared is made of each request. A blank
// stands before its first letter, so that each blank can be compared with what is before it.
class Folded {
  public:
    explicit Folded(std::size_t most) : text_(most + 1, ' '), end_(text_.data() + 1) {}
    // A letter, or a blank that is none behind another one.
    void plain(char c) {
        *end_ = c;
        end_ += static_cast<std::ptrdiff_t>(!(c == ' ' && end_[-1] == ' '));
    }
    void letter(char c) { *end_++ = c; }
    void letters(std::string_view bytes) { end_ = std::ranges::copy(bytes, end_).out; }
    std::string take() && {
        text_.resize(static_cast<std::size_t>(end_ - text_.data()));
        text_.erase(0, 1);
        return std::move(text_);
    }

  private:
    std::string text_;
    char* end_;
};

// What an ASCII letter or sign is compared as. A comma, and what is not ASCII, is looked at by itself.
constexpr char kNotPlain = '\0';
constexpr std::array<char, 256> plain_letters() {
    std::array<char, 256> letters{};
    for (int i = 0; i < 128; ++i) {
        const char c = static_cast<char>(i);
        const bool parts = c <= ' ' || c == '-' || c == '_' || c == '\'';
        letters[static_cast<std::size_t>(i)] = parts                  ? ' '
                                               : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32)
                                               : c == ','             ? kNotPlain
                                                                      : c;
    }
    return letters;
}
constexpr auto kPlainLetters = plain_letters();

void fold_ascii(char c, Folded& out) {
    out.plain(c == ',' ? c : kPlainLetters[static_cast<unsigned char>(c)]);
}

void append_cyrillic(char32_t c, Folded& out) {
    if (c >= 0x410 && c <= 0x42F) c += 32;
    if (c >= 0x400 && c <= 0x40F) c += 80;
    if (c == 0x451) c = 0x435;  // ё is mostly written as е
    out.letter(static_cast<char>(0xC0 | c >> 6));
    out.letter(static_cast<char>(0x80 | (c & 0x3F)));
}

void fold_wide(std::string_view bytes, char32_t c, Folded& out) {
    if (const auto two = two_letters(c); !two.empty()) {
        out.letters(two);
    } else if (c >= 0xC0 && c < 0x180) {
        const char letter = kLatinLetters[c - 0xC0];
        out.plain(letter);
    } else if (c >= 0x400 && c <= 0x45F) {
        append_cyrillic(c, out);
    } else if (c == 0xA0 || c == 0x3000 || (c >= 0x2010 && c <= 0x2019) || (c >= 0x2000 && c <= 0x200B)) {
        out.plain(' ');
    } else if (c >= 0xFF01 && c <= 0xFF5E) {
        fold_ascii(static_cast<char>(c - 0xFF01 + '!'), out);
    } else if (c < 0x300 || c > 0x36F) {  // combining accents are left out
        out.letters(bytes);
    }
}

// Whether the byte belongs to a word that ends at a blank or a sign.
constexpr bool in_spaced_word(char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    return byte >= 0xC3 && byte != 0xE2 && !begins_unspaced(c);
}

constexpr bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// What a byte is to the search of words.
enum ByteKind : std::uint8_t { kSign = 0, kLetter = 1, kContinuation = 2, kUnspaced = 4 };
constexpr std::array<std::uint8_t, 256> byte_kinds() {
    std::array<std::uint8_t, 256> kinds{};
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        const char c = static_cast<char>(i);
        kinds[i] = begins_unspaced(c)   ? kUnspaced
                   : in_spaced_word(c)  ? kLetter
                   : is_continuation(c) ? kContinuation
                                        : kSign;
    }
    return kinds;
}
constexpr auto kByteKinds = byte_kinds();

std::uint8_t kind_at(std::string_view text, std::size_t at) {
    return kByteKinds[static_cast<unsigned char>(text[at])];
}

// Whether a character begins at the place and belongs to a word of the kind that blanks part.
bool word_goes_on(std::string_view text, std::size_t at) {
    return at < text.size() && kind_at(text, at) == kLetter;
}

// Whether the character before the place belongs to such a word.
bool word_before(std::string_view text, std::size_t at) {
    if (at == 0) return false;
    std::size_t before = at - 1;
    while (before > 0 && is_continuation(text[before])) --before;
    return in_spaced_word(text[before]);
}

// From a place within a word, or at its end.
std::size_t skip_word(std::string_view text, std::size_t at) {
    if (!word_goes_on(text, at)) return at;
    while (at < text.size() && (kind_at(text, at) & (kLetter | kContinuation)) != 0) ++at;
    return at;
}

}  // namespace

std::string folded(std::string_view text) {
    Folded out(text.size());  // nothing becomes longer
    for (std::size_t at = 0; at < text.size();) {
        const char plain = kPlainLetters[static_cast<unsigned char>(text[at])];
        if (plain != kNotPlain) {
            out.plain(plain);
            ++at;
            continue;
        }
        if (text[at] == ',') {
            // A comma between words parts no phrase: "zeige, dass".
            if (at + 1 == text.size() || text[at + 1] != ' ') out.letter(',');
            ++at;
            continue;
        }
        const auto [c, size] = decode(text, at);
        if (size == 1)
            out.letter(text[at]);  // of no character
        else
            fold_wide(text.substr(at, size), c, out);
        at += size;
    }
    return std::move(out).take();
}

Vocabulary::Vocabulary(std::span<const Concept> lexicon) {
    std::vector<Entry> entries;
    for (std::size_t i = 0; i < lexicon.size(); ++i) {
        for (std::string_view rest = lexicon[i].words; !rest.empty();) {
            const auto comma = std::min(rest.find(','), rest.size());
            const auto word = trim(rest.substr(0, comma));
            rest.remove_prefix(std::min(comma + 1, rest.size()));
            if (word.empty()) continue;
            std::string shown(word);
            std::erase(shown, '*');
            entries.push_back({folded(word), static_cast<std::uint16_t>(i), static_cast<std::uint16_t>(words_.size())});
            words_.push_back(std::move(shown));
        }
    }
    std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
        return a.key != b.key ? a.key < b.key : a.concept_index < b.concept_index;
    });
    const auto same = [](const Entry& a, const Entry& b) {
        return a.key == b.key && a.concept_index == b.concept_index;
    };
    entries.erase(std::unique(entries.begin(), entries.end(), same), entries.end());
    for (const auto& entry : entries) begins_.add(std::string_view(entry.key).substr(0, entry.key.find('*')));
    nodes_.emplace_back();
    build(0, entries, 0);
}

void Vocabulary::Beginnings::add(std::string_view key) {
    const auto size = std::min(key.size(), kMost);
    any_ = any_ || size == 0;
    if (size == 0) return;
    const auto known = static_cast<std::uint8_t>(1U << (size - 1));
    if (size == 1)
        for (std::size_t second = 0; second < 256; ++second) sizes_[pair(key[0], static_cast<char>(second))] |= known;
    else
        sizes_[pair(key[0], key[1])] |= known;
    if (size >= kLeast) of_[size - kLeast].set(place(key, size));
}

bool Vocabulary::Beginnings::may_begin(std::string_view text) const {
    if (any_) return true;
    if (text.empty()) return false;
    const auto sizes = sizes_[pair(text[0], text.size() > 1 ? text[1] : ' ')];
    constexpr std::uint8_t kOne = 0b0001, kOneOrTwo = 0b0011;  // which the pair decides
    if ((sizes & (text.size() > 1 ? kOneOrTwo : kOne)) != 0) return true;
    for (std::size_t size = std::min(text.size(), kMost); size >= kLeast; --size)
        if ((sizes >> (size - 1) & 1U) != 0 && of_[size - kLeast].test(place(text, size))) return true;
    return false;
}

std::size_t Vocabulary::Beginnings::pair(char first, char second) {
    return static_cast<std::size_t>(static_cast<unsigned char>(first)) << 8 | static_cast<unsigned char>(second);
}

std::size_t Vocabulary::Beginnings::place(std::string_view text, std::size_t size) {
    std::uint32_t word = 0;
    std::memcpy(&word, text.data(), std::min(text.size(), sizeof word));
    word &= static_cast<std::uint32_t>((std::uint64_t{1} << (8 * size)) - 1);
    return (word * 2'654'435'761U) >> (32 - kBits);
}

void Vocabulary::build(std::uint32_t node, std::span<const Entry> entries, std::size_t depth) {
    nodes_[node].first_end = static_cast<std::uint32_t>(ends_.size());
    std::size_t ends = 0;
    for (; ends < entries.size() && entries[ends].key.size() == depth; ++ends)
        ends_.push_back({entries[ends].concept_index, entries[ends].word});
    nodes_[node].ends = static_cast<std::uint16_t>(ends);
    entries = entries.subspan(ends);

    std::vector<std::span<const Entry>> groups;
    while (!entries.empty()) {
        const char byte = entries.front().key[depth];
        const auto end = std::ranges::find_if(entries, [&](const Entry& e) { return e.key[depth] != byte; });
        const auto size = static_cast<std::size_t>(end - entries.begin());
        groups.push_back(entries.first(size));
        entries = entries.subspan(size);
    }
    const auto first = static_cast<std::uint32_t>(edges_.size());
    nodes_[node].first_edge = first;
    nodes_[node].edges = static_cast<std::uint16_t>(groups.size());
    for (const auto& group : groups) {
        edges_.push_back({group.front().key[depth], static_cast<std::uint32_t>(nodes_.size())});
        nodes_.emplace_back();
    }
    constexpr std::size_t kMany = 4;
    if (groups.size() > kMany) {
        nodes_[node].table = static_cast<std::uint32_t>(tables_.size() + 1);
        auto& table = tables_.emplace_back();
        for (std::size_t i = 0; i < groups.size(); ++i)
            table[static_cast<unsigned char>(edges_[first + i].byte)] = edges_[first + i].node;
    }
    nodes_[node].star = next_of(nodes_[node], '*');
    for (std::size_t i = 0; i < groups.size(); ++i) build(edges_[first + i].node, groups[i], depth + 1);
}

std::uint32_t Vocabulary::next_of(const Node& node, char byte) const {
    if (node.table > 0) return tables_[node.table - 1][static_cast<unsigned char>(byte)];
    const auto* const begin = edges_.data() + node.first_edge;
    const auto* const end = begin + node.edges;
    const auto* const found = std::find_if(begin, end, [&](const Edge& e) { return e.byte == byte; });
    return found == end ? 0 : found->node;
}

void Vocabulary::walk(std::string_view text, std::size_t from, std::size_t at, std::uint32_t node,
                      std::vector<Hit>& hits) const {
    const auto report = [&](const Node& end, std::size_t until) {
        for (std::size_t i = 0; i < end.ends; ++i) {
            const auto& found = ends_[end.first_end + i];
            hits.push_back({found.concept_index, found.word, static_cast<std::uint32_t>(from),
                            static_cast<std::uint32_t>(until - from)});
        }
    };
    while (true) {
        const Node& here = nodes_[node];
        if (here.ends > 0 && (!word_goes_on(text, at) || !word_before(text, at))) report(here, at);
        if (here.star > 0) {
            const auto after = skip_word(text, at);
            const Node& rest = nodes_[here.star];
            report(rest, after);
            if (const auto next = after < text.size() ? next_of(rest, text[after]) : 0; next > 0)
                walk(text, from, after + 1, next, hits);
        }
        if (at >= text.size()) return;
        node = next_of(here, text[at]);
        if (node == 0) return;
        ++at;
    }
}

std::vector<Hit> Vocabulary::hits_in(std::string_view text) const {
    std::vector<Hit> hits;
    for (std::size_t at = 0; at < text.size();) {
        const auto kind = kind_at(text, at);
        // No word goes on here: where one began before, it was skipped to its end.
        if ((kind & (kLetter | kUnspaced)) != 0 && begins_.may_begin(text.substr(at))) walk(text, at, at, 0, hits);
        at = kind == kLetter ? skip_word(text, at) : at + 1;
    }
    return hits;
}

const Vocabulary& vocabulary() {
    static const Vocabulary made(concepts());
    return made;
}

}  // namespace tandem::routing
