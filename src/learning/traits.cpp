#include "learning/traits.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <set>
#include <string>

#include "base/splitmix.h"

namespace tandem::learning {

namespace {

constexpr std::size_t kLooked = 4 * 1024;
constexpr float kAnswerScale = 2.0F;  // answers say more than prompts

bool is_digit(unsigned char c) {
    return c >= '0' && c <= '9';
}
// What a byte of lower-case text is: 1 of a word, 2 of a number, 0 neither.
constexpr auto kClasses = [] {
    std::array<std::uint8_t, 256> classes{};
    for (unsigned c = 0; c < 256; ++c)
        classes[c] = (c >= 'a' && c <= 'z') || c >= 0x80 ? 1 : c >= '0' && c <= '9' ? 2 : 0;
    return classes;
}();
float log_of(double count) {
    return static_cast<float>(std::log1p(count));
}

std::string lowered(std::string_view text) {
    std::string out(text.substr(0, kLooked));
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return out;
}

// Words and numbers, in order.
std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    words.reserve(text.size() / 5 + 1);
    auto class_at = [&](std::size_t at) { return kClasses[static_cast<unsigned char>(text[at])]; };
    for (std::size_t at = 0; at < text.size();) {
        const auto same = class_at(at);
        std::size_t end = at + 1;
        while (end < text.size() && class_at(end) == same) ++end;
        if (same != 0) words.push_back(text.substr(at, end - at));
        at = end;
    }
    return words;
}

bool is_number(std::string_view word) {
    return is_digit(static_cast<unsigned char>(word[0]));
}

constexpr std::uint64_t hash_of(std::string_view text, std::uint64_t from = 14695981039346656037ULL) {
    for (const char c : text) from = (from ^ static_cast<unsigned char>(c)) * 1099511628211ULL;  // FNV-1a
    return from;
}

// Each word's hash, in order.
std::vector<std::uint64_t> hashes_of(const std::vector<std::string_view>& words) {
    std::vector<std::uint64_t> hashes;
    hashes.reserve(words.size());
    for (const auto word : words) hashes.push_back(hash_of(word));
    return hashes;
}

// Words and pairs of words with the numbers in them made alike; signed hashing (Weinberger et al. 2009), square roots
// of the counts, length 1.
void add_hashed(const std::vector<std::string_view>& words, const std::vector<std::uint64_t>& hashes, Traits& out) {
    // What is counted is marked, so that the few that are can be found in order without a sort.
    std::array<std::int16_t, kHashedTraits> counts{};
    std::array<std::uint64_t, kHashedTraits / 64> marked{};
    auto add = [&](std::uint64_t hash) {
        hash ^= hash >> 29;
        const auto index = static_cast<std::uint32_t>(hash % kHashedTraits);
        counts[index] = static_cast<std::int16_t>(counts[index] + (((hash >> 40) & 1U) != 0 ? 1 : -1));
        marked[index / 64] |= 1ULL << (index % 64);
    };
    static const std::uint64_t kNumber = hash_of("#");
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const bool number = is_number(words[i]);
        const auto hash = number ? kNumber : hashes[i];
        add(hash);
        if (i > 0) add(hash_of(number ? std::string_view("#") : words[i], before * 31 + 7));
        before = hash;
    }
    double square = 0;
    for (std::size_t word = 0; word < marked.size(); ++word)
        for (auto bits = marked[word]; bits != 0; bits &= bits - 1) {
            const auto index = static_cast<std::uint32_t>(word * 64 + static_cast<std::size_t>(std::countr_zero(bits)));
            const float count = counts[index];
            if (count == 0) continue;
            square += std::abs(count);
            out.emplace_back(index, std::copysign(std::sqrt(std::abs(count)), count));
        }
    const auto scale = square > 0 ? static_cast<float>(1 / std::sqrt(square)) : 0.0F;
    for (auto& [index, value] : out) value *= scale;
}

// How many different ones there are, by a table of open addresses.
double distinct(const std::vector<std::uint64_t>& hashes) {
    std::vector<std::uint64_t> table(std::bit_ceil(hashes.size() * 2 + 1));
    std::size_t found = 0;
    for (const auto hash : hashes) {
        const auto key = hash | 1U;  // 0 is an empty place
        auto at = (hash >> 20) & (table.size() - 1);
        while (table[at] != 0 && table[at] != key) at = (at + 1) & (table.size() - 1);
        if (table[at] == 0) ++found;
        table[at] = key;
    }
    return static_cast<double>(found);
}

// Words that say what kind of task it is.
enum Kind : std::uint8_t { parts, compared, each, order, asked, kinds };
struct Telling {
    std::string_view word;
    Kind kind;
};
constexpr Telling kTelling[] = {
    Telling{"half", parts}, {"third", parts},    {"quarter", parts},    {"twice", parts},   {"double", parts},
    {"triple", parts},      {"times", parts},    {"percent", parts},    {"average", parts}, {"ratio", parts},
    {"fraction", parts},    {"rate", parts},     {"more", compared},    {"less", compared}, {"than", compared},
    {"fewer", compared},    {"older", compared}, {"younger", compared}, {"most", compared}, {"least", compared},
    {"between", compared},  {"if", each},        {"each", each},        {"every", each},    {"per", each},
    {"when", each},         {"not", order},      {"without", order},    {"except", order},  {"before", order},
    {"after", order},       {"until", order},    {"first", order},      {"then", order},    {"only", order},
    {"what", asked},        {"which", asked},    {"who", asked},        {"how", asked},     {"why", asked},
    {"where", asked}};

// By their hash, in a table of open addresses: places of kTelling from 1 on, 0 for none.
constexpr std::size_t kPlaces = 256;
constexpr std::size_t place_of(std::uint64_t hash) {
    return (hash >> 24) % kPlaces;
}
constexpr auto kByHash = [] {
    std::array<std::uint8_t, kPlaces> table{};
    for (std::size_t i = 0; i < std::size(kTelling); ++i) {
        auto at = place_of(hash_of(kTelling[i].word));
        while (table[at] != 0) at = (at + 1) % kPlaces;
        table[at] = static_cast<std::uint8_t>(i + 1);
    }
    return table;
}();

// How many words of each kind there are.
std::array<double, kinds> telling_words(const std::vector<std::string_view>& words,
                                        const std::vector<std::uint64_t>& hashes) {
    std::array<double, kinds> counts{};
    for (std::size_t i = 0; i < words.size(); ++i)
        for (auto at = place_of(hashes[i]); kByHash[at] != 0; at = (at + 1) % kPlaces) {
            const auto& known = kTelling[kByHash[at] - 1U];
            if (known.word != words[i]) continue;
            ++counts[known.kind];
            break;
        }
    return counts;
}

double number_of(std::string_view word) {
    return std::strtod(std::string(word.substr(0, 12)).c_str(), nullptr);
}

void add_counted(std::string_view text, const std::vector<std::string_view>& words,
                 const std::vector<std::uint64_t>& hashes, Traits& out) {
    const auto size = static_cast<double>(text.size()), n = static_cast<double>(words.size());
    std::vector<std::uint64_t> numbers;
    double largest = 0, length = 0;
    for (std::size_t i = 0; i < words.size(); ++i) {
        length += static_cast<double>(words[i].size());
        if (!is_number(words[i])) continue;
        numbers.push_back(hashes[i]);
        largest = std::max(largest, number_of(words[i]));
    }
    const auto count = static_cast<double>(numbers.size());
    std::array<std::uint32_t, 256> bytes{};
    for (const char c : text) ++bytes[static_cast<unsigned char>(c)];
    auto chars = [&](std::string_view which) {
        double sum = 0;
        for (const char c : which) sum += bytes[static_cast<unsigned char>(c)];
        return sum;
    };
    auto range = [&](std::size_t from, std::size_t to) {
        double sum = 0;
        for (std::size_t c = from; c <= to; ++c) sum += bytes[c];
        return sum;
    };
    const double sentences = chars(".?!\n") + 1;
    const double capitals = range('A', 'Z');
    const double high = range(0xC0, 0xFF);
    const double bytes_in_all = std::max(1.0, size);
    const auto telling = telling_words(words, hashes);
    const std::array<double, kCountedTraits> values = {log_of(size) / 2 - 2.5,
                                                       log_of(n) / 2 - 2,
                                                       log_of(count),
                                                       log_of(distinct(numbers)),
                                                       log_of(largest) / 4,
                                                       log_of(chars("%")),
                                                       log_of(chars("/$")),
                                                       log_of(sentences) - 1,
                                                       log_of(telling[parts]),
                                                       log_of(telling[compared]),
                                                       log_of(telling[each]),
                                                       log_of(telling[order]),
                                                       log_of(telling[asked]),
                                                       n > 0 ? length / n / 2 - 2 : 0,
                                                       distinct(hashes) / std::max(1.0, n) * 2 - 1,
                                                       log_of(size / sentences) / 2 - 2,
                                                       chars("{}();=<>[]`") / bytes_in_all * 10,
                                                       capitals / bytes_in_all * 5,
                                                       high / bytes_in_all * 5,
                                                       log_of(chars("\n")),
                                                       chars("?") > 1 ? 1.0 : 0.0};
    const double scale = 1 / std::sqrt(static_cast<double>(kCountedTraits));
    for (std::uint32_t i = 0; i < kCountedTraits; ++i)
        out.emplace_back(kHashedTraits + i, static_cast<float>(values[i] * scale));
}

constexpr std::array<std::string_view, 7> kUnsure = {"i cannot",   "i'm sorry", "as an ai", "cannot determine",
                                                     "not enough", "unclear",   "assume"};

}  // namespace

Traits traits_of(std::string_view prompt) {
    const auto low = lowered(prompt);
    const auto words = words_of(low);
    Traits out;
    const auto hashes = hashes_of(words);
    add_hashed(words, hashes, out);
    add_counted(prompt.substr(0, kLooked), words, hashes, out);
    return out;
}

Traits traits_of(std::string_view prompt, std::string_view answer, const chat::Sureness& sure) {
    auto out = traits_of(prompt);
    const auto asked = lowered(prompt), low = lowered(answer);
    const auto asked_words = words_of(asked), words = words_of(low);
    std::set<std::string_view> given, used, distinct(words.begin(), words.end());
    double numbers = 0, fresh = 0, largest = 0;
    for (const auto word : asked_words)
        if (is_number(word)) given.insert(word);
    for (const auto word : words) {
        if (!is_number(word)) continue;
        ++numbers;
        used.insert(word);
        largest = std::max(largest, number_of(word));
        if (!given.contains(word)) ++fresh;
    }
    const auto left = static_cast<double>(std::ranges::count_if(given, [&](auto w) { return !used.contains(w); }));
    auto end = low.find_last_not_of(" \t\r\n");
    const char last = end == std::string::npos ? ' ' : low[end];
    const auto tail = std::string_view(low).substr(low.size() > 200 ? low.size() - 200 : 0);
    const auto last_line = std::string_view(low).substr(
        end == std::string::npos || low.rfind('\n', end) == std::string::npos ? 0 : low.rfind('\n', end) + 1);
    const double lines = static_cast<double>(std::ranges::count(low, '\n')) + 1;
    const std::array<double, kAnswerTraits> values = {
        log_of(static_cast<double>(answer.size())) / 2 - 2.5,
        log_of(lines) - 1,
        log_of(numbers) - 1,
        tail.find("####") != std::string_view::npos ? 1.0 : 0.0,
        std::ranges::any_of(tail, [](char c) { return is_digit(static_cast<unsigned char>(c)); }) ? 1.0 : 0.0,
        std::string_view(".!?0123456789)}`\"").find(last) != std::string_view::npos ? 1.0 : 0.0,  // not cut
        log_of(fresh) - 1,
        log_of(left),
        log_of(static_cast<double>(std::ranges::count(low, '='))),
        static_cast<double>(distinct.size()) / std::max(1.0, static_cast<double>(words.size())),  // no loop
        std::ranges::any_of(kUnsure, [&](auto w) { return low.find(w) != std::string::npos; }) ? 1.0 : 0.0,
        log_of(largest) / 4,
        last_line.find('.') != std::string_view::npos ? 1.0 : 0.0,
        log_of(static_cast<double>(answer.size()) / std::max<double>(1, static_cast<double>(prompt.size())))};
    const double scale = kAnswerScale / std::sqrt(static_cast<double>(kAnswerTraits));
    for (std::uint32_t i = 0; i < kAnswerTraits; ++i)
        out.emplace_back(kFirstOfAnswer + i, static_cast<float>(values[i] * scale));
    if (!sure.known()) return out;
    const std::array<double, kSureTraits> of_tokens = {
        1.0, sure.mean() * 2 - 1, static_cast<double>(sure.doubted) / static_cast<double>(sure.tokens) * 4 - 0.5,
        std::exp(sure.least) * 2 - 0.5};
    for (std::uint32_t i = 0; i < kSureTraits; ++i)
        out.emplace_back(kFirstOfAnswer + kAnswerTraits + i, static_cast<float>(of_tokens[i] * scale));
    return out;
}

Meaning meaning_of(const std::vector<float>& vector) {
    Meaning meaning(kMeaningTraits);
    SplitMix64 signs(0);
    static_assert(kMeaningTraits == 64);  // a sign for each, in one number
    for (const auto number : vector) {
        const auto bits = signs.next();
        for (std::uint32_t t = 0; t < kMeaningTraits; ++t) meaning[t] += ((bits >> t) & 1U) != 0 ? number : -number;
    }
    const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(kMeaningTraits)));
    for (auto& number : meaning) number *= scale;
    return meaning;
}

void add_meaning(Traits& traits, const Meaning& meaning) {
    for (std::uint32_t i = 0; i < std::min<std::size_t>(meaning.size(), kMeaningTraits); ++i)
        traits.emplace_back(kFirstOfMeaning + i, meaning[i]);
}

std::string to_bytes(const Traits& traits) {
    constexpr float kSteps = 4096;
    std::string bytes;
    bytes.reserve(traits.size() * 4);
    for (const auto& [index, value] : traits) {
        const auto steps = static_cast<std::uint16_t>(
            static_cast<std::int16_t>(std::lround(std::clamp(value * kSteps, -32767.0F, 32767.0F))));
        for (const unsigned part : {index, index >> 8U, std::uint32_t{steps}, std::uint32_t{steps} >> 8U})
            bytes += static_cast<char>(part & 0xFFU);
    }
    return bytes;
}

Result<Traits> traits_from_bytes(std::string_view bytes) {
    constexpr float kSteps = 4096;
    Traits traits;
    auto two = [&](std::size_t at) {
        return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) |
                                          static_cast<unsigned char>(bytes[at + 1]) << 8U);
    };
    if (bytes.size() % 4 != 0) return fail(ErrorCode::invalid, "the stored traits are damaged");
    traits.reserve(bytes.size() / 4);
    for (std::size_t at = 0; at < bytes.size(); at += 4) {
        const std::uint32_t index = two(at);
        if (index >= kAllTraits || (!traits.empty() && index <= traits.back().first))
            return fail(ErrorCode::invalid, "the stored traits are damaged");
        traits.emplace_back(index, static_cast<float>(static_cast<std::int16_t>(two(at + 2))) / kSteps);
    }
    return traits;
}

}  // namespace tandem::learning
