#include "retrieval/lexical/words.h"

#include <locale.h>
#include <wctype.h>

#include <cstdint>
#include <vector>

#include "privacy/unicode/unicode.h"

namespace tandem::retrieval {

namespace {

constexpr std::uint32_t kTableSize = 0x20000;  // code points beyond are letters of rare scripts, and stay as they are
constexpr std::uint32_t kNoLetter = 0;
constexpr std::uint32_t kIgnored = 0xFFFFFFFF;

// From a code point to its lower case; kNoLetter where it separates words, kIgnored where it is a mark on a letter.
const std::vector<std::uint32_t>& table() {
    static const std::vector<std::uint32_t> made = [] {
        std::vector<std::uint32_t> all(kTableSize, kNoLetter);
        const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
        for (std::uint32_t point = 0; point < kTableSize; ++point) {
            const auto c = static_cast<wint_t>(point);
            if (point >= 0x300 && point < 0x370)
                all[point] = kIgnored;
            else if (locale != nullptr && iswalnum_l(c, locale) != 0)
                all[point] = static_cast<std::uint32_t>(towlower_l(c, locale));
            else if (locale == nullptr && (point >= 0x80 || isalnum(static_cast<int>(point)) != 0))
                all[point] = point < 0x80 ? static_cast<std::uint32_t>(tolower(static_cast<int>(point))) : point;
        }
        all[0xAD] = all[0x200D] = kIgnored;  // a soft hyphen, a joiner
        if (locale != nullptr) freelocale(locale);
        return all;
    }();
    return made;
}

bool is_upper(std::string_view text, std::size_t at) {
    return at < text.size() && text[at] >= 'A' && text[at] <= 'Z';
}
bool is_lower(std::string_view text, std::size_t at) {
    return at < text.size() && text[at] >= 'a' && text[at] <= 'z';
}

class Splitter {
  public:
    Splitter(std::string_view text, const std::function<void(const Word&)>& visit) : text_(text), visit_(visit) {}

    void run() {
        for (std::size_t at = 0; at < text_.size();) {
            const auto byte = static_cast<unsigned char>(text_[at]);
            std::uint32_t point = byte;
            std::size_t size = 1;
            if (byte >= 0x80) {
                const auto read = privacy::point_at(text_, at);
                point = read.size == 0 ? ' ' : read.value;
                size = read.size == 0 ? 1 : read.size;
            }
            take(at, point, size);
            at += size;
        }
        end(text_.size());
    }

  private:
    void take(std::size_t at, std::uint32_t point, std::size_t size) {
        if (point >= 0x0E00 && is_unspaced(point)) return pair(at, point, size);
        const auto letter = point < kTableSize ? letters_[point] : point;
        if (letter == kIgnored) return;
        if (letter == kNoLetter) {
            if (is_apostrophe(point) && !word_.empty() && at + size < text_.size()) {
                apostrophe_ = true;
                return;
            }
            return end(at, at + size);
        }
        last_unspaced_ = 0;
        if (word_.empty()) begin_ = part_begin_ = at;
        // `parseJson`, `HTTPServer`: a part ends where a capital follows a small letter, or begins a word after
        // capitals.
        const bool hump = is_upper(text_, at) && at > begin_ &&
                          (is_lower(text_, at - 1) || (is_upper(text_, at - 1) && is_lower(text_, at + 1)));
        if (hump) humps_.push_back(word_.size());
        digits_ |= point >= '0' && point <= '9';
        if (word_.size() < kLongestWord) privacy::append_utf8(word_, letter);
        word_end_ = at + size;
    }

    static bool is_apostrophe(std::uint32_t point) { return point == '\'' || point == 0x2019; }

    void pair(std::size_t at, std::uint32_t point, std::size_t size) {
        end(at);
        std::string both;
        if (last_unspaced_ != 0 && last_end_ == at) {
            privacy::append_utf8(both, last_unspaced_);
            privacy::append_utf8(both, point);
            visit_({both, last_begin_, at + size, false, true});
            alone_ = false;
        } else {
            alone_ = true;
        }
        last_unspaced_ = point;
        last_begin_ = at;
        last_end_ = at + size;
        // One character between blanks is a word by itself.
        const auto next = privacy::point_at(text_, at + size);
        if (alone_ &&
            (at + size >= text_.size() || next.size == 0 || next.value < 0x0E00 || !is_unspaced(next.value))) {
            both.clear();
            privacy::append_utf8(both, point);
            visit_({both, at, at + size, false, true});
        }
    }

    void end(std::size_t at, std::size_t next = 0) {
        if (next != 0 || at == text_.size()) last_unspaced_ = 0;
        if (word_.empty()) return;
        // "dogs'": the apostrophe was no part of it. "it's" keeps its s.
        apostrophe_ = false;
        const auto signs = signs_behind(at);
        if (!signs.empty()) word_ += signs;
        visit_({word_, begin_, word_end_ + signs.size(), false, digits_ || !signs.empty()});
        if (!humps_.empty() && word_.size() < kLongestWord) {
            humps_.push_back(word_.size());
            std::size_t from = 0;
            for (const auto to : humps_) {
                if (to > from + 1)
                    visit_({std::string_view(word_).substr(from, to - from), begin_, word_end_, true, false});
                from = to;
            }
        }
        word_.clear();
        humps_.clear();
        digits_ = false;
    }

    // `C++`, `F#`: names of languages.
    std::string_view signs_behind(std::size_t at) const {
        if (word_.size() > 2 || at != word_end_) return {};
        const auto behind = text_.substr(at, 2);
        if (behind == "++") return behind;
        if (behind.starts_with('#')) return behind.substr(0, 1);
        return {};
    }

    std::string_view text_;
    const std::function<void(const Word&)>& visit_;
    const std::uint32_t* letters_ = table().data();
    std::string word_;
    std::size_t begin_ = 0, part_begin_ = 0, word_end_ = 0;
    std::vector<std::size_t> humps_;
    bool digits_ = false, apostrophe_ = false, alone_ = false;
    std::uint32_t last_unspaced_ = 0;
    std::size_t last_begin_ = 0, last_end_ = 0;
};

}  // namespace

bool is_unspaced(char32_t point) {
    return (point >= 0x3040 && point <= 0x30FF) || (point >= 0x3400 && point <= 0x4DBF) ||
           (point >= 0x4E00 && point <= 0x9FFF) || (point >= 0xF900 && point <= 0xFAFF) ||
           (point >= 0x20000 && point <= 0x3FFFF) || (point >= 0x0E00 && point <= 0x0EFF) ||
           (point >= 0x1000 && point <= 0x109F) || (point >= 0x1780 && point <= 0x17FF);
}

void each_word(std::string_view text, const std::function<void(const Word&)>& visit) {
    Splitter(text, visit).run();
}

}  // namespace tandem::retrieval
