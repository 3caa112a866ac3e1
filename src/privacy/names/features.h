// What is known of a token among its neighbours, as hashes. Private to names/; shared by the model and its trainer.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "privacy/names/gazetteer.h"
#include "privacy/names/tokens.h"

namespace tandem::privacy {

enum Tag : std::uint8_t { kNoName, kPerson, kOrganization, kPlace, kAddress };
inline constexpr std::size_t kTags = 5;

inline constexpr std::size_t kFeatures = 26;
using Features = std::array<std::uint64_t, kFeatures>;

// Tokens with capitals side by side, small words between them allowed.
struct Run {
    std::size_t begin, end;
};

class Sentence {
  public:
    explicit Sentence(std::span<const Token> tokens) : tokens_(tokens) {}

    // The run that token `at` is in, or an empty one at `at`. To be asked in ascending order.
    Run run_of(std::size_t at) {
        if (at >= run_.begin && at < run_.end) return run_;
        if (!tokens_[at].capital()) return {at, at};
        std::size_t end = at + 1;
        while (end < tokens_.size() && end - at < 12) {
            if (tokens_[end].capital())
                ++end;
            else if (end + 1 < tokens_.size() && tokens_[end + 1].capital() &&
                     ((tokens_[end].joins() && tokens_[end].word != hash_of_word("and")) ||
                      tokens_[end].word == hash_of_word("&")))
                end += 2;
            else
                break;
        }
        return run_ = {at, end};
    }

    Features features(std::size_t at) {
        const Token &t = tokens_[at], &a = near(at, -1), &b = near(at, -2), &y = near(at, 1), &z = near(at, 2);
        const Run run = run_of(at);
        const std::uint64_t length = std::min<std::size_t>(run.end - run.begin, 5),
                            place = std::min<std::size_t>(at - run.begin, 4);
        const std::uint64_t s = code(t), sa = code(a), sb = code(b), sy = code(y), sz = code(z);
        const std::uint32_t before = run.begin > 0 ? tokens_[run.begin - 1].word : 1,
                            after = run.end < tokens_.size() ? tokens_[run.end].word : 1;
        const std::uint32_t before2 = run.begin > 1 ? tokens_[run.begin - 2].word : 1;
        const std::uint32_t last = run.end > run.begin ? tokens_[run.end - 1].word : 0, first = tokens_[run.begin].word;
        const bool start = opens_sentence(at);
        std::uint64_t id = 0;
        const auto f = [&id](std::uint64_t x, std::uint64_t y2 = 0) {
            ++id;
            std::uint64_t value = (x + (id << 56U)) * 0x9E3779B97F4A7C15U;
            value = ((value ^ value >> 29U) + y2) * 0xBF58476D1CE4E5B9U;
            return value ^ value >> 32U;
        };
        const std::uint64_t w = t.word;
        return {f(w),
                f(w, s << 8U | start),
                f(a.word),
                f(y.word),
                f(b.word),
                f(z.word),
                f(w, a.word),
                f(w, y.word),
                f(a.word, b.word),
                f(t.head, s & 15U),
                f(t.tail, s & 15U),
                f(t.tail & 0xFFFFFFU, s),
                f(t.tail & 0xFFFFU, s & 15U),
                f(sa << 16U | s << 8U | sy, start),
                f(sb << 32U | sa << 24U | s << 16U | sy << 8U | sz),
                f(s, sy << 8U | sz | start << 16U),
                f(a.word, s),
                f(y.word, s),
                f(b.word, std::uint64_t{a.word} << 8U | s),
                f(last, place << 8U | (length == place + 1) << 4U | (s & 15U)),
                f(before, length << 8U | (s >> 4U) << 4U | place),
                f(after, length << 8U | (s >> 4U) << 4U | place),
                f(first, place << 8U | (s & 15U)),
                f(std::uint64_t{before2} << 32U | before, place),
                f(length << 8U | place, s << 8U | start),
                f(t.glue, s << 8U | sy)};
    }

  private:
    const Token& near(std::size_t at, int by) const {
        static constexpr Token kNothing{0, 0, 1, 0, 0, Shape::none, 0, 0};
        const auto where = static_cast<std::ptrdiff_t>(at) + by;
        return where >= 0 && where < std::ssize(tokens_) ? tokens_[static_cast<std::size_t>(where)] : kNothing;
    }
    static std::uint64_t code(const Token& token) {
        return static_cast<std::uint64_t>(token.kinds & 15U) << 4U | static_cast<std::uint64_t>(token.shape);
    }
    bool opens_sentence(std::size_t at) const {
        if (at == 0) return true;
        const Token& before = tokens_[at - 1];
        if (before.shape == Shape::line) return true;
        return before.shape == Shape::mark && before.end - before.begin == 1 &&
               (before.word == hash_of_word(".") || before.word == hash_of_word("!") ||
                before.word == hash_of_word("?") || before.word == hash_of_word("\"") ||
                before.word == hash_of_word("*"));
    }

    std::span<const Token> tokens_;
    Run run_{0, 0};
};

}  // namespace tandem::privacy
