#include "routing/features.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "base/text.h"
#include "chat/answer.h"
#include "chat/estimate.h"

namespace tandem::routing {

namespace {

// What makes work hard or light, by the words of its last message. Each group counts each word once, up to its bound.
constexpr std::array kHardWords =
    std::to_array<std::string_view>({"prove",        "derive",          "theorem",          "step by step",
                                     "reason about", "trade-off",       "tradeoff",         "architecture",
                                     "design a",     "plan ",           "strategy",         "roadmap",
                                     "refactor",     "debug",           "optimiz",          "algorithm",
                                     "implement",    "write a program", "write a function", "essay",
                                     "article",      "proposal",        "in depth",         "in detail",
                                     "analyz",       "analys",          "compare",          "evaluate",
                                     "critique",     "root cause",      "complexity",       "migrate",
                                     "legal",        "contract",        "edge cases"});
constexpr std::array kLightWords = std::to_array<std::string_view>(
    {"translate", "summarize",    "summarise",    "classify",  "extract", "rewrite",
     "rephrase",  "spelling",     "grammar",      "title for", "tag",     "yes or no",
     "one word",  "one sentence", "short answer", "hello",     "thanks",  "what is the capital",
     "convert",   "format this",  "sentiment"});

constexpr int kPerWord = 14;
constexpr int kMostByWords = 56;
constexpr std::size_t kSearched = 8 * 1024;  // words are looked for in so much of the last message

// The words of a list by their first two letters, as bits: at most places of a text no word can begin, and one look
// tells.
template <std::size_t N>
struct Index {
    static_assert(N <= 64);
    std::array<std::uint64_t, 32 * 32> by_letters{};
    consteval explicit Index(const std::array<std::string_view, N>& words) {
        for (std::size_t i = 0; i < N; ++i) by_letters[place(words[i][0], words[i][1])] |= 1ULL << i;
    }
    static constexpr std::size_t place(char a, char b) {
        return (static_cast<std::size_t>(a) & 31) * 32 + (static_cast<std::size_t>(b) & 31);
    }
};
constexpr Index kHardIndex(kHardWords);
constexpr Index kLightIndex(kLightWords);

struct WordCounts {
    int hard = 0;
    int light = 0;
};

// Which of at most 64 characters are lower-case letters, as bits.
std::uint64_t letters_in(std::string_view block) {
    std::uint64_t bits = 0;
    std::size_t at = 0;
#ifdef __SSE2__
    for (; at + 16 <= block.size(); at += 16) {
        const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block.data() + at));
        // Moved so that 'a' is the least signed byte, the letters are those below it plus 26.
        const auto moved = _mm_sub_epi8(bytes, _mm_set1_epi8(static_cast<char>('a' + 128)));
        const auto is_letter = _mm_cmplt_epi8(moved, _mm_set1_epi8(-128 + 26));
        bits |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(is_letter))) << at;
    }
#endif
    for (; at < block.size(); ++at) bits |= static_cast<std::uint64_t>(block[at] >= 'a' && block[at] <= 'z') << at;
    return bits;
}

// How many words of each list stand in the lower-case text, each counted once, at the beginning of a word.
WordCounts count_words(std::string_view text) {
    std::uint64_t hard = 0, light = 0;
    auto look = [&](std::size_t at, std::uint64_t candidates, const auto& words, std::uint64_t& found) {
        for (std::uint64_t left = candidates & ~found; left != 0; left &= left - 1) {
            const auto i = static_cast<std::size_t>(std::countr_zero(left));
            if (at + 2 < text.size() && words[i][2] != text[at + 2])
                continue;  // "th" begins many words, "the" few of these
            if (text.substr(at, words[i].size()) == words[i]) found |= 1ULL << i;
        }
    };
    // Sixty-four places at a time, and of those only the beginnings of words: a branch for each letter would be guessed
    // wrong twice a word.
    std::uint64_t before = 0;  // whether the letter before the block is one
    for (std::size_t base = 0; base < text.size(); base += 64) {
        const auto letters = letters_in(text.substr(base, 64));
        for (std::uint64_t begins = letters & ~(letters << 1 | before); begins != 0; begins &= begins - 1) {
            const std::size_t at = base + static_cast<std::size_t>(std::countr_zero(begins));
            if (at + 1 >= text.size()) break;
            const auto place = Index<1>::place(text[at], text[at + 1]);
            if (const auto candidates = kHardIndex.by_letters[place]; candidates != 0)
                look(at, candidates, kHardWords, hard);
            if (const auto candidates = kLightIndex.by_letters[place]; candidates != 0)
                look(at, candidates, kLightWords, light);
        }
        before = letters >> 63;
    }
    return {std::popcount(hard), std::popcount(light)};
}

bool asks_high_effort(const chat::Request& request) {
    constexpr std::int64_t kMuchThinking = 16'384;
    const auto& effort = request.thinking.effort;
    return effort == "high" || effort == "xhigh" || effort == "max" ||
           request.thinking.budget_tokens.value_or(0) >= kMuchThinking;
}

bool has_image(const std::vector<chat::Part>& parts) {
    return std::ranges::any_of(parts, [](const chat::Part& part) {
        const auto* result = part.as<chat::ToolResultPart>();
        const auto* other = part.as<chat::OtherPart>();
        return part.as<chat::ImagePart>() != nullptr || (result != nullptr && has_image(result->content)) ||
               (other != nullptr && other->type == "image_url");
    });
}

}  // namespace

Features features_of(const chat::Request& request) {
    Features f;
    f.prompt_tokens = chat::estimate_prompt(request).count;
    f.answer_tokens = request.max_output_tokens.value_or(0);
    f.choices = std::max<std::int64_t>(1, request.choices);
    f.context_tokens = request.context_tokens;
    f.needs.add(config::Capability::chat);
    if (!request.tools.empty() && request.tool_choice.kind != chat::ToolChoice::Kind::none)
        f.needs.add(config::Capability::tools);
    if (request.response_format.asks_json() || request.response_format.kind == chat::ResponseFormat::Kind::other)
        f.needs.add(config::Capability::json);
    if (std::ranges::any_of(request.messages, [](const auto& m) { return has_image(m.parts); }))
        f.needs.add(config::Capability::vision);

    const std::string text = chat::last_user_text(request);
    const std::string searched = lower(std::string_view(text).substr(0, kSearched));
    auto term = [&](const char* name, int points) {
        if (points == 0) return;
        f.terms.emplace_back(name, points);
        f.difficulty += points;
    };
    const auto words = count_words(searched);
    term("hard words", std::min(kMostByWords, kPerWord * words.hard));
    term("light words", -std::min(kMostByWords, kPerWord * words.light));
    const auto tokens = chat::estimate_tokens(text).count;
    term("long message", tokens > 1500 ? 25 : tokens > 400 ? 12 : 0);
    term("code", searched.find("```") != std::string::npos ? 12 : 0);
    term("several questions", std::ranges::count(searched, '?') > 2 ? 8 : 0);
    term("tools", f.needs.has(config::Capability::tools) ? 10 : 0);
    term("deep conversation", request.messages.size() > 12 ? 10 : 0);
    term("long answer", f.answer_tokens >= 2000 ? 12 : 0);
    term("high effort", asks_high_effort(request) ? 40 : 0);
    f.difficulty = std::clamp(f.difficulty, 0, 100);
    return f;
}

int Repeats::count(const chat::Request& request) {
    // FNV-1a; nothing depends on its quality but an estimate.
    std::uint64_t hash = 14695981039346656037ULL;
    auto add = [&](std::string_view text) {
        for (const char c : text) {
            if (c >= '0' && c <= '9') continue;
            hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
        }
    };
    constexpr std::size_t kBeginning = 48;
    for (const auto& message : request.messages)
        if (message.role == chat::Role::system || message.role == chat::Role::developer)
            add(chat::text_of(message.parts).substr(0, kSearched));
    add(std::string_view(chat::last_user_text(request)).substr(0, kBeginning));
    const std::lock_guard lock(mutex_);
    if (seen_.size() >= kMostKinds && !seen_.contains(hash)) seen_.clear();
    int& seen = seen_[hash];
    if (seen == std::numeric_limits<int>::max()) return seen;
    return seen++;
}

}  // namespace tandem::routing
