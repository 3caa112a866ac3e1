#include "privacy/disguise.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>

#include "privacy/escapes.h"

namespace tandem::privacy {

namespace {

constexpr std::size_t kAround = 400;  // bytes of text on either side of a change that a value may reach over
constexpr std::size_t kWhole = static_cast<std::size_t>(-1);

// From `at` on, the first byte that a disguise could begin with; the text's size where there is none.
std::size_t next_interesting(std::string_view text, std::size_t at) {
#ifdef __SSE2__
    const auto low = _mm_set1_epi8(0x20);
    for (; at + 16 <= text.size(); at += 16) {
        const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
        // Signed: all beyond ASCII, and control characters with tabs and line breaks, which are looked at below.
        auto found = _mm_cmplt_epi8(bytes, low);
        for (const char c : {'\t', '\n', '\r'})
            found = _mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)), found);
        for (const char c : {'&', '%', '\\', '[', '(', '=', '"', '\'', '`', '+', '@', '\x7F'})
            found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
        if (const auto bits = static_cast<unsigned>(_mm_movemask_epi8(found)); bits != 0)
            return at + static_cast<std::size_t>(std::countr_zero(bits));
    }
#endif
    while (at < text.size() && !may_be_disguised(text[at])) ++at;
    return at;
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
            result_.text += '\n';
            result_.origin.push_back(static_cast<std::uint32_t>(done_));
            done_ = from - around_;
        }
        keep(from);
        result_.text += plain;
        result_.origin.insert(result_.origin.end(), plain.size(), static_cast<std::uint32_t>(from));
        done_ = to;
    }
    Folded take() {
        keep(around_ == kWhole ? text_.size() : std::min(text_.size(), done_ + around_));
        result_.origin.push_back(static_cast<std::uint32_t>(done_));
        return std::move(result_);
    }

  private:
    void keep(std::size_t to) {
        if (to <= done_) return;
        result_.text += text_.substr(done_, to - done_);
        const auto from = result_.origin.size();
        result_.origin.resize(from + to - done_);
        for (std::size_t i = 0; i < to - done_; ++i) result_.origin[from + i] = static_cast<std::uint32_t>(done_ + i);
        done_ = to;
    }
    std::string_view text_;
    std::size_t around_;
    std::size_t done_ = 0;  // up to here it is in the result, or left out
    bool changed_ = false;
    Folded result_;
};

void undo_all(std::string_view text, Rewriting& rewriting) {
    for (std::size_t at = 0; (at = next_interesting(text, at)) < text.size(); ++at) {
        if (!may_be_disguised(text[at])) continue;
        const Undone undone = undo(text, at);
        if (undone.size == 0) continue;
        const std::size_t from = std::max(at - undone.before, rewriting.done());
        rewriting.replace(from, at + undone.size, undone.text);
        at += undone.size - 1;
    }
}

// ---- values that are wrapped over a line ----

constexpr std::size_t kAroundLine = 160;   // bytes that are looked at on either side of a line's end
constexpr std::size_t kLongestPiece = 64;  // of a value, looked at on either side of a line's end
constexpr std::size_t kLeastWrapped = 10;
constexpr std::size_t kMostIndent = 40;

constexpr auto kInValue = [] {
    std::array<bool, 256> table{};
    for (unsigned char c = '0'; c <= '9'; ++c) table[c] = true;
    for (unsigned char c = 'a'; c <= 'z'; ++c) table[c] = table[c - 32U] = true;
    for (const unsigned char c : {'@', '.', '_', '-', '+', '/', '='}) table[c] = true;
    return table;
}();
bool in_value(char c) {
    return kInValue[static_cast<unsigned char>(c)];
}

// What one side of a line's end has of a value.
struct Piece {
    std::size_t size = 0;
    bool letter = false, digit = false, at = false;
    void add(char c) {
        ++size;
        digit = digit || (c >= '0' && c <= '9');
        letter = letter || (c | 32) >= 'a';
        at = at || c == '@';
    }
};

// Where the line goes on: behind indentation and the marks of quotes and comments. kWhole: it does not.
std::size_t next_line(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    while (end < text.size() && end - at < kMostIndent &&
           (text[end] == ' ' || text[end] == '\t' || text[end] == '>' || text[end] == '#' || text[end] == '*' ||
            text[end] == '|' || (text[end] == '/' && end + 1 < text.size() && text[end + 1] == '/')))
        end += text[end] == '/' ? 2 : 1;
    return end < text.size() && in_value(text[end]) ? end : kWhole;
}

}  // namespace

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
        if (depth > 0)
            for (auto& origin : next.origin) origin = result.origin[origin];
        result = std::move(next);
        if (!changed) break;
    }
    return result;
}

std::optional<Folded> unwrapped(std::string_view text) {
    Rewriting rewriting(text, kAroundLine);
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string_view::npos; ++at) {
        std::size_t end = at;
        while (end > 0 && at - end < 4 && (text[end - 1] == ' ' || text[end - 1] == '\r' || text[end - 1] == '\\'))
            --end;
        // A full stop ends a sentence.
        if (end == 0 || !in_value(text[end - 1]) || text[end - 1] == '.') continue;
        const std::size_t begin = next_line(text, at);
        if (begin == kWhole) continue;
        Piece piece;
        for (std::size_t i = end; i > 0 && end - i < kLongestPiece && in_value(text[i - 1]); --i)
            piece.add(text[i - 1]);
        for (std::size_t i = begin; i < text.size() && i - begin < kLongestPiece && in_value(text[i]); ++i)
            piece.add(text[i]);
        if (piece.size < kLeastWrapped || !(piece.at || (piece.letter && piece.digit))) continue;
        if (end < rewriting.done()) continue;
        rewriting.replace(end, begin, "");
    }
    return rewriting.changed() ? std::optional(rewriting.take()) : std::nullopt;
}

}  // namespace tandem::privacy
