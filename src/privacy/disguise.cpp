#include "privacy/disguise.h"

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>

#include "privacy/bytes.h"
#include "privacy/escapes.h"
#include "privacy/unicode/unicode.h"

namespace tandem::privacy {

namespace {

constexpr std::size_t kAround = 400;  // bytes of text on either side of a change that a value may reach over
constexpr std::size_t kWhole = static_cast<std::size_t>(-1);

// Bytes that a disguise may begin with, beyond ASCII besides. Of the frequent ones, quotes and brackets, most are ruled
// out by the bytes beside them.
constexpr ByteSet kQuotes([](char c) { return c == '"' || c == '\'' || c == '`'; });
constexpr ByteSet kBrackets([](char c) { return c == '[' || c == '('; });
constexpr ByteSet kOthers([](char c) {
    const bool control = (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == '\x7F';
    return control || beside::one_of("&%\\=+@", c);
});
constexpr ByteSet kFrequent([](char c) { return kQuotes.has(c) || kBrackets.has(c); });
constexpr ByteSet kBeforeQuote([](char c) {
    return (beside::kTables.is_before[static_cast<unsigned char>(c)] & beside::kValueOrBlank) != 0;
});
constexpr ByteSet kBehindQuote([](char c) {
    return (beside::kTables.is_behind[static_cast<unsigned char>(c)] & beside::kJoins) != 0;
});
constexpr ByteSet kBehindBracket([](char c) {
    return (beside::kTables.is_behind[static_cast<unsigned char>(c)] & beside::kAtOrDot) != 0;
});

// Where in these bytes a disguise may begin; more than may_be_disguised() says.
std::uint64_t interesting(const Bytes& bytes) {
    constexpr std::uint64_t kFirst = 1, kLast = kFirst << 63;  // what stands beside these is not among the bytes
    const auto others = bytes.in(kOthers) | bytes.high();
    if (bytes.in(kFrequent) == 0) return others;
    const auto quotes =
        bytes.in(kQuotes) & (bytes.in(kBeforeQuote) << 1 | kFirst) & (bytes.in(kBehindQuote) >> 1 | kLast);
    return others | quotes | (bytes.in(kBrackets) & (bytes.in(kBehindBracket) >> 1 | kLast));
}

// Calls `visit` with each place where a disguise may begin; it returns where to go on from.
template <typename Visit>
void each_interesting(std::string_view text, Visit&& visit) {
    std::size_t next = 0;
    for (std::size_t block = 0; block < text.size(); block += Bytes::kSize) {
        auto bits = interesting(Bytes(text, block));
        if (text.size() - block < Bytes::kSize) bits &= (std::uint64_t{1} << (text.size() - block)) - 1;
        for (; bits != 0; bits &= bits - 1) {
            const std::size_t at = block + static_cast<std::size_t>(std::countr_zero(bits));
            if (at >= next && may_be_disguised(text, at)) next = visit(at);
        }
    }
}

// A text that is made of another by replacing pieces of it, front to back.
class Rewriting {
  public:
    // `around`: how many unchanged bytes are kept on either side of a change.
    Rewriting(std::string_view text, std::size_t around) : text_(text), around_(around) {}

    std::size_t done() const { return done_; }
    bool changed() const { return changed_; }

    void replace(std::size_t from, std::size_t to, std::string_view plain) {
        changed_ = true;
        // What is far from every change was looked at as it is.
        if (around_ != kWhole && from > done_ + 2 * around_) {
            if (done_ > 0) keep(done_ + around_);
            add("\n", done_, false);
            done_ = from - around_;
        }
        keep(from);
        add(plain, from, false);
        done_ = to;
    }
    Folded take() {
        keep(around_ == kWhole ? text_.size() : std::min(text_.size(), done_ + around_));
        begin_piece(done_, false);
        return std::move(result_);
    }

  private:
    void keep(std::size_t to) {
        if (to <= done_) return;
        add(text_.substr(done_, to - done_), done_, true);
        done_ = to;
    }
    void add(std::string_view bytes, std::size_t origin, bool copied) {
        if (bytes.empty()) return;
        begin_piece(origin, copied);
        result_.text += bytes;
    }
    void begin_piece(std::size_t origin, bool copied) {
        result_.pieces.push_back(
            {static_cast<std::uint32_t>(result_.text.size()), static_cast<std::uint32_t>(origin), copied});
    }
    std::string_view text_;
    std::size_t around_;
    std::size_t done_ = 0;  // up to here it is in the result, or left out
    bool changed_ = false;
    Folded result_;
};

// Whether a place is among bytes that are no text: what is dropped from text as invisible parts words there.
class Binary {
  public:
    explicit Binary(std::string_view text) : text_(text) {}
    bool around(std::size_t at) {
        if (const std::size_t block = at / kBlock; block != block_) {
            block_ = block;
            binary_ = look(block * kBlock);
        }
        return binary_;
    }

  private:
    static constexpr std::size_t kBlock = 256, kBeside = 64;
    bool look(std::size_t begin) const {
        std::size_t at = begin - std::min(begin, kBeside);
        const std::size_t end = std::min(text_.size(), begin + kBlock + kBeside);
        while (at < end && (static_cast<unsigned char>(text_[at]) & 0xC0) == 0x80) ++at;  // of a character before
        while (at < end) {
            const std::size_t size = static_cast<unsigned char>(text_[at]) < 0x80 ? 1 : point_at(text_, at).size;
            if (size == 0) return true;
            at += size;
        }
        return false;
    }
    std::string_view text_;
    std::size_t block_ = kWhole;
    bool binary_ = false;
};

bool is_control(char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == '\x7F';
}

void undo_all(std::string_view text, Rewriting& rewriting) {
    Binary binary(text);
    each_interesting(text, [&](std::size_t at) {
        if (is_control(text[at]) && binary.around(at)) return at + 1;
        const Undone undone = undo(text, at);
        if (undone.size == 0) return at + 1;
        const std::size_t from = std::max(at - undone.before, rewriting.done());
        rewriting.replace(from, at + undone.size, undone.text);
        return at + undone.size;
    });
}

// ---- values that are wrapped over a line ----

constexpr std::size_t kAroundLine = 160;   // bytes that are looked at on either side of a line's end
constexpr std::size_t kLongestPiece = 64;  // of a value, looked at on either side of a line's end
constexpr std::size_t kLeastWrapped = 10;
constexpr std::size_t kMostIndent = 40;

// What a byte of a value is; 0: it is none.
enum : unsigned char { kOther = 1, kDigit = 2, kLetter = 4, kAt = 8 };
constexpr auto kInValue = [] {
    std::array<unsigned char, 256> table{};
    for (unsigned char c = '0'; c <= '9'; ++c) table[c] = kDigit;
    for (unsigned char c = 'a'; c <= 'z'; ++c) table[c] = table[c - 32U] = kLetter;
    for (const unsigned char c : {'.', '_', '-', '+', '/', '='}) table[c] = kOther;
    table['@'] = kAt;
    return table;
}();
unsigned char in_value(char c) {
    return kInValue[static_cast<unsigned char>(c)];
}

// Lines are short: looking for each of their ends by itself costs more than this.
constexpr ByteSet kLineEnd([](char c) { return c == '\n'; });
template <typename Visit>
void each_line_end(std::string_view text, Visit&& visit) {
    for (std::size_t block = 0; block < text.size(); block += Bytes::kSize)
        for (auto bits = Bytes(text, block).in(kLineEnd); bits != 0; bits &= bits - 1)
            visit(block + static_cast<std::size_t>(std::countr_zero(bits)));
}

// Where the line goes on: behind indentation and the marks of quotes and comments. kWhole: it does not. An `@` behind a
// comment's mark begins a word of the documentation ("* @param"), not the rest of an address.
std::size_t next_line(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    bool comment = false;
    while (end < text.size() && end - at < kMostIndent) {
        const char c = text[end];
        if (c == ' ') {
            ++end;
            continue;
        }
        const bool slashes = c == '/' && end + 1 < text.size() && text[end + 1] == '/';
        if (c != '\t' && c != '>' && c != '#' && c != '*' && c != '|' && !slashes) break;
        comment = comment || c == '#' || c == '*' || slashes;
        end += slashes ? 2 : 1;
    }
    if (end >= text.size() || in_value(text[end]) == 0 || (comment && text[end] == '@')) return kWhole;
    return end;
}

// The pieces of `outer`, which was made of `inner`, as pieces of what `inner` was made of.
std::vector<Folded::Piece> behind(const Folded& inner, const Folded& outer) {
    std::vector<Folded::Piece> pieces;
    auto from = inner.pieces.begin();
    for (std::size_t i = 0; i < outer.pieces.size(); ++i) {
        const auto& piece = outer.pieces[i];
        while (std::next(from) != inner.pieces.end() && std::next(from)->begin <= piece.origin) ++from;
        pieces.push_back(
            {piece.begin, static_cast<std::uint32_t>(inner.origin_of(piece.origin)), piece.copied && from->copied});
        if (!piece.copied) continue;
        const auto end = piece.origin + (outer.pieces[i + 1].begin - piece.begin);
        for (auto next = std::next(from); next != inner.pieces.end() && next->begin < end; ++next)
            pieces.push_back({piece.begin + (next->begin - piece.origin), next->origin, next->copied});
    }
    return pieces;
}

}  // namespace

std::vector<Folded::Piece>::const_iterator Folded::piece_at(std::size_t at) const {
    return std::prev(std::ranges::upper_bound(pieces, at, {}, &Piece::begin));
}

std::size_t Folded::origin_of(std::size_t at) const {
    const auto piece = piece_at(at);
    return piece->origin + (piece->copied ? at - piece->begin : 0);
}

std::size_t Folded::end_of(std::size_t end) const {
    const auto origin = origin_of(end);
    if (end == 0 || end >= text.size() || origin_of(end - 1) != origin) return origin;
    auto piece = piece_at(end);
    while (piece->origin == origin && piece->begin < text.size()) ++piece;
    return piece->origin;
}

std::optional<Folded> fold(std::string_view text) {
    Rewriting rewriting(text, kAround);
    undo_all(text, rewriting);
    return rewriting.changed() ? std::optional(rewriting.take()) : std::nullopt;
}

Folded canonical(std::string_view text) {
    Folded result;
    for (int depth = 0; depth < kDisguises; ++depth) {
        Rewriting rewriting(depth == 0 ? text : std::string_view(result.text), kWhole);
        undo_all(depth == 0 ? text : std::string_view(result.text), rewriting);
        const bool changed = rewriting.changed();
        if (depth > 0 && !changed) break;
        auto next = rewriting.take();
        if (depth > 0) next.pieces = behind(result, next);
        result = std::move(next);
        if (!changed) break;
    }
    return result;
}

std::optional<Folded> unwrapped(std::string_view text) {
    Rewriting rewriting(text, kAroundLine);
    each_line_end(text, [&](std::size_t at) {
        std::size_t end = at;
        while (end > 0 && at - end < 4 &&
               (text[end - 1] == ' ' || text[end - 1] == '\r' || text[end - 1] == '\\' || text[end - 1] == '='))
            --end;
        // A full stop ends a sentence.
        if (end == 0 || in_value(text[end - 1]) == 0 || text[end - 1] == '.') return;
        const std::size_t begin = next_line(text, at);
        if (begin == kWhole) return;
        unsigned seen = 0;
        std::size_t from = end, to = begin;
        for (unsigned char kind = 0; from > 0 && end - from < kLongestPiece; --from, seen |= kind)
            if (kind = in_value(text[from - 1]); kind == 0) break;
        for (unsigned char kind = 0; to < text.size() && to - begin < kLongestPiece; ++to, seen |= kind)
            if (kind = in_value(text[to]); kind == 0) break;
        const bool may_be = (seen & kAt) != 0 || (seen & (kLetter | kDigit)) == (kLetter | kDigit);
        if (!may_be || end - from + to - begin < kLeastWrapped || end < rewriting.done()) return;
        rewriting.replace(end, begin, "");
    });
    return rewriting.changed() ? std::optional(rewriting.take()) : std::nullopt;
}

}  // namespace tandem::privacy
