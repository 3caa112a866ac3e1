#include "retrieval/chunk/chunk.h"

#include <algorithm>
#include <array>

namespace tandem::retrieval {

namespace {

constexpr std::size_t kLettersOfToken = 6, kDigitsOfToken = 2;
constexpr std::size_t kLongestHeading = 120;  // bytes of one in the path
constexpr std::size_t kShort = kMostChunkTokens / 4;
constexpr std::size_t kLevels = 7;
constexpr std::size_t kLongestStep = 1'024;  // bytes of a word that are looked at together; what follows is another one

bool is_letter(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(unsigned char c) {
    return c >= '0' && c <= '9';
}
bool continues(unsigned char c) {
    return (c & 0xC0U) == 0x80U;
}

// One word or sign from `at`: where it ends, and what it counts.
struct Step {
    std::size_t end, tokens;
};
Step step_at(std::string_view text, std::size_t at) {
    const auto first = static_cast<unsigned char>(text[at]);
    if (first <= ' ') return {at + 1, 0};
    if (first >= 0x80U) {
        auto end = at + 1;
        while (end < text.size() && continues(static_cast<unsigned char>(text[end]))) ++end;
        return {end, 1};
    }
    if (!is_letter(first) && !is_digit(first)) return {at + 1, 1};
    bool digits = false;
    auto end = at;
    for (const auto most = std::min(text.size(), at + kLongestStep); end < most; ++end) {
        const auto c = static_cast<unsigned char>(text[end]);
        if (!is_letter(c) && !is_digit(c)) break;
        digits |= is_digit(c);
    }
    return {end, 1 + (end - at) / (digits ? kDigitsOfToken : kLettersOfToken)};
}

std::string cut(std::string_view text, std::size_t most) {
    std::string line;
    for (const char c : text.substr(0, text.size())) line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    if (line.size() <= most) return line;
    auto end = most;
    while (end > 0 && continues(static_cast<unsigned char>(line[end]))) --end;
    return line.substr(0, end);
}

// The tokens of a text, or a number above `most` where there are more: what is left of a long text is not looked at
// again for each chunk of it.
std::size_t tokens_up_to(std::string_view text, std::size_t most) {
    std::size_t tokens = 0;
    for (std::size_t at = 0; at < text.size() && tokens <= most;) {
        const auto step = step_at(text, at);
        tokens += step.tokens;
        at = step.end;
    }
    return tokens;
}

// The end of the longest beginning of `text` that has at most `most` tokens, at the best place to cut; more than 0.
std::size_t cut_at(std::string_view text, std::size_t most) {
    std::size_t at = 0, used = 0, line = 0, sentence = 0, word = 0;
    while (at < text.size()) {
        const auto step = step_at(text, at);
        if (used + step.tokens > most) break;
        used += step.tokens;
        if (text[at] == '\n') line = step.end;
        if (text[at] == ' ') {
            word = step.end;
            if (at > 0 && (text[at - 1] == '.' || text[at - 1] == '?' || text[at - 1] == '!')) sentence = step.end;
        }
        at = step.end;
    }
    if (at >= text.size()) return text.size();
    for (const auto place : {line, sentence, word})
        if (place > at / 2) return place;
    if (at > 0) return at;
    // One word that is longer than a chunk.
    at = std::min<std::size_t>(text.size(), most * kDigitsOfToken);
    while (at > 1 && at < text.size() && continues(static_cast<unsigned char>(text[at]))) --at;
    return std::max<std::size_t>(at, 1);
}

class Cutter {
  public:
    explicit Cutter(std::vector<Chunk>& to) : to_(to) {}

    void take(const Block& block) {
        if (block.kind == BlockKind::heading || block.kind == BlockKind::scope) {
            if (used_ > kShort || block.level <= 1) flush();
            set_heading(block);
        }
        if (block.kind != BlockKind::scope) put(block);
    }
    void flush() {
        if (open_.text.empty()) return;
        to_.push_back(std::exchange(open_, {}));
        used_ = 0;
    }

  private:
    void set_heading(const Block& block) {
        const auto level = std::clamp<std::size_t>(block.level, 1, kLevels - 1);
        path_[level] = cut(block.text, kLongestHeading);
        for (auto below = level + 1; below < kLevels; ++below) path_[below].clear();
        heading_.clear();
        for (const auto& one : path_) {
            if (one.empty()) continue;
            if (!heading_.empty()) heading_ += " > ";
            heading_ += one;
        }
        // A third of a chunk at most is its heading.
        heading_.resize(cut_at(heading_, kMostChunkTokens / 3));
        heading_tokens_ = tokens_at_most(heading_);
    }

    std::size_t room() const { return kMostChunkTokens - (open_.text.empty() ? heading_tokens_ : open_heading_); }

    void put(const Block& block) {
        std::string_view text = block.text;
        std::uint64_t at = block.begin;
        std::uint32_t line = block.first_line;
        while (!text.empty()) {
            const auto tokens = tokens_up_to(text, kMostChunkTokens);
            if (used_ + tokens <= room()) return append(block, text, at, line, true);
            // What follows a full chunk begins the next one, if it fits there whole.
            if (!open_.text.empty() && (tokens <= kMostChunkTokens - heading_tokens_ || room() - used_ < kShort)) {
                flush();
                continue;
            }
            const auto end = cut_at(text, room() - used_);
            append(block, text.substr(0, end), at, line, end == text.size());
            flush();
            if (block.verbatim) {
                at += end;
                line += static_cast<std::uint32_t>(std::ranges::count(text.substr(0, end), '\n'));
            }
            text.remove_prefix(end);
        }
    }

    void append(const Block& block, std::string_view piece, std::uint64_t at, std::uint32_t line, bool last) {
        if (open_.text.empty()) {
            open_.heading = heading_;
            open_heading_ = heading_tokens_;
            open_.first_line = line;
            open_.begin = at;
            open_.page = block.page;
        } else {
            open_.text += block.kind == BlockKind::row ? "\n" : "\n\n";
        }
        open_.text += piece;
        used_ += tokens_at_most(piece);
        const bool exact = block.verbatim && !last;
        const auto inner = piece.substr(0, piece.size() - (piece.ends_with('\n') ? 1 : 0));
        open_.last_line =
            std::max(open_.first_line,
                     exact ? line + static_cast<std::uint32_t>(std::ranges::count(inner, '\n')) : block.last_line);
        open_.end = std::max<std::uint64_t>(open_.begin, exact ? at + piece.size() : block.end);
    }

    std::vector<Chunk>& to_;
    Chunk open_;
    std::size_t used_ = 0, open_heading_ = 0;
    std::array<std::string, kLevels> path_;
    std::string heading_;
    std::size_t heading_tokens_ = 0;
};

}  // namespace

std::size_t tokens_at_most(std::string_view text) {
    std::size_t tokens = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto step = step_at(text, at);
        tokens += step.tokens;
        at = step.end;
    }
    return tokens;
}

std::vector<Chunk> chunks_of(const Extracted& extracted) {
    std::vector<Chunk> list;
    Cutter cutter(list);
    for (const auto& block : extracted.blocks) cutter.take(block);
    cutter.flush();
    return list;
}

}  // namespace tandem::retrieval
