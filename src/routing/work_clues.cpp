#include "routing/work_clues.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "routing/work_shape.h"
#include "routing/work_words.h"

namespace tandem::routing {

namespace {

constexpr std::array<std::string_view, kSigns> kSignNames = {
    "bias",      "words",         "tiny",          "few",          "some",    "many",    "very_many", "inserted_share",
    "inserted",  "inserted_long", "inserted_huge", "questions",    "asks",    "numbers", "formula",   "latex",
    "code",      "much_code",     "stub",          "trace",        "table",   "bullets", "verbs",     "parts",
    "sentences", "long_asked",    "longer_asked",  "little_asked", "choices", "nothing", "no_verb"};

struct Pair {
    std::string_view first, second;  // a concept; a concept or a sign
};
constexpr auto kPairs = std::to_array<Pair>({
    {"write", "code_object"},
    {"write", "code_language"},
    {"write", "long_text"},
    {"write", "short_text"},
    {"write", "creative"},
    {"write", "thorough"},
    {"explain", "systems"},
    {"explain", "mathematics"},
    {"explain", "science"},
    {"explain", "code_language"},
    {"explain", "brief"},
    {"design", "systems"},
    {"calculate", "mathematics"},
    {"quantities", "numbers"},
    {"quantities", "asks"},
    {"calculate", "numbers"},
    {"what_is", "few"},
    {"code_object", "brief"},
    {"code_object", "simple"},
    {"code_language", "systems"},
    {"code_object", "code_language"},
    {"long_text", "brief"},
    {"creative", "brief"},
    {"short_text", "brief"},
    {"device", "few"},
    {"greeting", "few"},
    {"plan", "business"},
    {"analyse", "business"},
    {"advise", "few"},
    {"listing", "few"},
    {"explain", "few"},
    {"compare", "systems"},
    {"what_is", "mathematics"},
    {"debug", "code_language"},
    {"debug", "systems"},
    {"in_language", "few"},
    {"convert", "numbers"},
    {"roleplay", "creative"},
    {"design", "thorough"},
    {"asks", "nothing"},
    {"home", "few"},
    {"home", "device"},
    {"what_is", "numbers"},
});

// ---- structure ----

float over(std::size_t count, std::size_t most) {
    return static_cast<float>(std::min(count, most)) / static_cast<float>(most);
}

std::size_t count_of(std::string_view text, std::string_view what) {
    std::size_t count = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) ++count;
    return count;
}

// Which pairs of bytes stand side by side in a text, so that most words need no search of it.
class PairsOfBytes {
  public:
    explicit PairsOfBytes(std::string_view text) {
        for (std::size_t i = 1; i < text.size(); ++i) stand_[place(text[i - 1], text[i])] = true;
    }
    bool may_have(std::string_view word) const {
        for (std::size_t i = 1; i < word.size(); ++i)
            if (!stand_[place(word[i - 1], word[i])]) return false;
        return true;
    }

  private:
    static std::size_t place(char a, char b) {
        return (static_cast<std::size_t>(static_cast<unsigned char>(a)) << 4 ^ static_cast<unsigned char>(b)) % 4096;
    }
    std::array<bool, 4096> stand_{};  // bytes, since a bit has to wait for the one before it in its word
};

template <std::size_t N>
std::size_t count_any(std::string_view text, const PairsOfBytes& pairs, const std::array<std::string_view, N>& words) {
    std::size_t count = 0;
    for (const auto word : words)
        if (pairs.may_have(word)) count += count_of(text, word);
    return count;
}

std::size_t numbers_in(std::string_view text) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (!is_digit(text[at])) continue;
        ++count;
        while (at < text.size() && (is_digit(text[at]) || text[at] == '.' || text[at] == ',')) ++at;
    }
    return count;
}

bool is_bullet(std::string_view line) {
    const auto text = trim(line);
    if (text.starts_with("- ") || text.starts_with("* ") || text.starts_with("\xE2\x80\xA2")) return true;
    const auto digits = text.find_first_not_of("0123456789");
    return digits != std::string_view::npos && digits > 0 && digits <= 2 && digits + 1 < text.size() &&
           (text[digits] == '.' || text[digits] == ')') && text[digits + 1] == ' ';
}

bool is_choice(std::string_view line) {
    const auto text = trim(line);
    if (text.size() < 3) return false;
    const bool in_brackets = text[0] == '(' && text[1] >= 'A' && text[1] <= 'J' && text[2] == ')';
    const bool plain = text[0] >= 'A' && text[0] <= 'J' && (text[1] == '.' || text[1] == ')') && text[2] == ' ';
    return in_brackets || plain;
}

void read_lines(std::string_view text, Clues& clues) {
    std::size_t bullets = 0, choices = 0, cells = 0, code = 0;
    const auto lines = lines_of(text);
    const bool begins_with_code = is_code_line(lines.front());
    for (const auto line : lines) {
        bullets += is_bullet(line);
        choices += is_choice(line);
        cells += std::ranges::count(line, '|') >= 3 || std::ranges::count(line, '\t') >= 2;
        code += is_code_line(line);
    }
    auto set = [&](Sign which, float value) { clues.signs[static_cast<std::size_t>(which)] = value; };
    set(Sign::bullets, over(bullets, 8));
    set(Sign::choices, choices >= 2 ? 1.F : 0.F);
    set(Sign::table, cells >= 2 ? 1.F : 0.F);
    set(Sign::code, code >= 3 || begins_with_code || text.find("```") != std::string_view::npos ? 1.F
                    : code > 0                                                                  ? 0.4F
                                                                                                : 0.F);
}

bool has_trace(std::string_view text, const PairsOfBytes& pairs) {
    constexpr auto kTraces = std::to_array<std::string_view>({"Traceback (most recent",
                                                              "Exception in thread",
                                                              "Caused by:",
                                                              "panicked at",
                                                              "goroutine ",
                                                              "Segmentation fault",
                                                              "SIGSEGV",
                                                              "error[E0",
                                                              "    at ",
                                                              "\tat ",
                                                              "core dumped",
                                                              "undefined reference",
                                                              "Error: ",
                                                              "Exception: ",
                                                              "NullPointerException",
                                                              "AddressSanitizer",
                                                              "stack traceback",
                                                              "fatal error:",
                                                              "TypeError",
                                                              "KeyError",
                                                              "ValueError",
                                                              "OOMKilled",
                                                              "deadlock detected"});
    return count_any(text, pairs, kTraces) > 0;
}

void read_signs(std::string_view text, const Shape& shape, std::string_view instruction, Clues& clues) {
    auto set = [&](Sign which, float value) { clues.signs[static_cast<std::size_t>(which)] = value; };
    const PairsOfBytes pairs(text);
    std::optional<PairsOfBytes> of_instruction;
    if (instruction != text) of_instruction.emplace(instruction);
    const auto& asked = of_instruction ? *of_instruction : pairs;
    const auto tokens = static_cast<std::size_t>(tokens_of(instruction));
    set(Sign::bias, 1);
    set(Sign::words, std::min(1.F, std::log2(1.F + static_cast<float>(tokens)) / 10));
    set(Sign::tiny, tokens <= 4);
    set(Sign::few, tokens <= 14);
    set(Sign::some, tokens > 60);
    set(Sign::many, tokens > 160);
    set(Sign::very_many, tokens > 450);
    const auto inserted = clues.inserted_tokens;
    set(Sign::inserted_share, text.empty() ? 0 : over(shape.inserted_bytes, text.size()));
    set(Sign::inserted, inserted > 40);
    set(Sign::inserted_long, inserted > 600);
    set(Sign::inserted_huge, inserted > 2500);
    const auto questions = count_of(text, "?") + count_of(text, "\xEF\xBC\x9F");
    const auto end = trim(text);
    set(Sign::questions, over(questions, 3));
    set(Sign::asks, end.ends_with('?') || end.ends_with("\xEF\xBC\x9F"));
    set(Sign::numbers, over(numbers_in(instruction), 8));
    constexpr auto kFormula =
        std::to_array<std::string_view>({"=", "^", "\xE2\x88\x9A", "\xE2\x88\x91", "\xE2\x88\xAB", "\xE2\x89\xA4",
                                         "\xE2\x89\xA5", "\xC2\xB2", "\xC3\x97", "\xE2\x88\x88", "\xE2\x86\x92",
                                         "\\frac", "\\int", "\\sum", " + ", " * ", "f(x)", "\xCF\x80", "\xE2\x88\x9E"});
    set(Sign::formula, over(count_any(instruction, asked, kFormula), 6));
    set(Sign::latex, (count_of(text, "$") >= 2 && count_of(text, "\\") > 0) ||
                         text.find("\\(") != std::string_view::npos || text.find("\\frac") != std::string_view::npos ||
                         text.find("\\begin{") != std::string_view::npos);
    read_lines(text, clues);
    set(Sign::much_code, shape.code_bytes > 1200);
    constexpr auto kFunctions =
        std::to_array<std::string_view>({"def ", "fn ", "func ", "function ", "public ", "class "});
    set(Sign::stub, is_code_line(text.substr(0, text.find('\n'))) && count_any(text, pairs, kFunctions) > 0);
    set(Sign::trace, has_trace(text, pairs));
    constexpr auto kParts =
        std::to_array<std::string_view>({", ", "; ", "\xE3\x80\x81", "\xEF\xBC\x8C", "\xEF\xBC\x9B"});
    set(Sign::parts, over(count_any(instruction, asked, kParts), 12));
    constexpr auto kEnds = std::to_array<std::string_view>({". ", ".\n", "! ", "? ", "\xE3\x80\x82", "\xEF\xBC\x9F"});
    set(Sign::sentences, over(count_any(instruction, asked, kEnds), 10));
}

// The number that stands before a place in the folded text, as in "about 1,500 words" or "800字"; 0 where there is
// none.
std::size_t number_before(std::string_view text, std::size_t at) {
    std::size_t end = at;
    while (end > 0 && text[end - 1] == ' ') --end;
    std::size_t number = 0, scale = 1;
    for (; end > 0 && scale <= 100'000; --end) {
        const char c = text[end - 1];
        if (c == ',' || c == '.') continue;
        if (c < '0' || c > '9') break;
        number += static_cast<std::size_t>(c - '0') * scale;
        scale *= 10;
    }
    return number;
}

void read_length_asked(std::string_view text, const std::vector<Hit>& hits, Clues& clues) {
    std::size_t words = 0;
    for (const auto& hit : hits) {
        const auto name = concept_of(hit).name;
        if (!name.starts_with("unit_")) continue;
        auto number = number_before(text, hit.at);
        if (name == "unit_words" && begins_unspaced(text[hit.at])) number = number * 2 / 3;  // of characters
        if (name == "unit_pages") number *= 400;
        if (name == "unit_paragraphs") number *= 90;
        words = std::max(words, number);
    }
    auto set = [&](Sign which, bool value) {
        if (value) clues.signs[static_cast<std::size_t>(which)] = 1;
    };
    set(Sign::long_asked, words >= 150);
    set(Sign::longer_asked, words >= 500);
    set(Sign::little_asked, words > 0 && words <= 80);
}

// ---- words ----

// What is small talk only where it is nearly all there is.
bool is_only_alone(std::string_view name) {
    return name == "greeting" || name == "thanks" || name == "farewell" || name == "assent" || name == "proceed" ||
           name == "smalltalk";
}

// The hits but for what lies inside a phrase of small talk: there is no "how" in "how are you".
std::vector<Hit> without_inner(std::vector<Hit> hits) {
    std::vector<Hit> phrases;
    for (const auto& hit : hits)
        if (is_only_alone(concept_of(hit).name)) phrases.push_back(hit);
    constexpr std::size_t kMostPhrases = 32;  // more of them are no small talk, and each is compared with each hit
    if (phrases.size() > kMostPhrases) return hits;
    std::erase_if(hits, [&](const Hit& hit) {
        return std::ranges::any_of(phrases, [&](const Hit& phrase) {
            return phrase.size > hit.size && hit.at >= phrase.at && hit.at + hit.size <= phrase.at + phrase.size;
        });
    });
    return hits;
}

void read_words(const std::vector<std::pair<std::string, float>>& pieces, Clues& clues) {
    const std::size_t all = concepts().size();
    clues.concepts.assign(all, 0);
    clues.leads.assign(all, 0);
    clues.words.assign(all, 0);
    std::size_t size = 0;
    for (const auto& [text, weight] : pieces) size += weight >= 0.4F ? text.size() : 0;
    std::vector<Hit> instruction_hits;
    std::size_t at = 0;
    bool led = false;
    for (const auto& [text, weight] : pieces) {
        const auto hits = without_inner(vocabulary().hits_in(text));
        for (const auto& hit : hits) {
            float counts = weight;
            const auto name = concept_of(hit).name;
            if (name.starts_with("unit_")) continue;
            if (is_only_alone(name) && size > 60) counts *= at + hit.at < 24 && size < 140 ? 0.5F : 0.05F;
            if ((name == "device" || name == "home") && size > 110) counts *= 0.15F;
            if (counts > clues.concepts[hit.concept_index]) {
                clues.concepts[hit.concept_index] = counts;
                clues.words[hit.concept_index] = hit.word;
            }
        }
        if (weight >= 0.7F && !led) {
            if (const auto* lead = lead_in(hits, is_japanese(text)); lead != nullptr) {
                led = true;
                for (const auto& hit : hits)
                    if (hit.at == lead->at && hit.size == lead->size && is_verb(hit))
                        clues.leads[hit.concept_index] = 1;
                clues.led_by_transform = concept_of(*lead).role == Concept::Role::transform;
            }
        }
        if (weight >= 0.4F) read_length_asked(text, hits, clues);
        at += text.size();
    }
    std::size_t verbs = 0, any = 0;
    for (std::size_t i = 0; i < all; ++i) {
        if (clues.concepts[i] < 0.4F) continue;
        ++any;
        verbs += concepts()[i].role != Concept::Role::word;
    }
    auto set = [&](Sign which, float value) { clues.signs[static_cast<std::size_t>(which)] = value; };
    set(Sign::verbs, over(verbs, 5));
    set(Sign::nothing, any == 0);
    set(Sign::no_verb, !led);
}

std::optional<std::size_t> concept_index(std::string_view name) {
    static const auto places = [] {
        std::unordered_map<std::string_view, std::size_t> made;
        for (std::size_t i = 0; i < concepts().size(); ++i) made.emplace(concepts()[i].name, i);
        return made;
    }();
    const auto found = places.find(name);
    if (found == places.end()) return std::nullopt;
    return found->second;
}

// Where a concept or a sign stands: the signs come after the concepts.
std::size_t place_of(std::string_view name) {
    if (const auto index = concept_index(name)) return *index;
    return concepts().size() + static_cast<std::size_t>(std::ranges::find(kSignNames, name) - kSignNames.begin());
}

using Places = std::array<std::pair<std::size_t, std::size_t>, kPairs.size()>;

// Of both parts of each pair. Made once: names are compared one by one.
const Places& pair_places() {
    static const Places made = [] {
        Places places;
        for (std::size_t i = 0; i < kPairs.size(); ++i)
            places[i] = {place_of(kPairs[i].first), place_of(kPairs[i].second)};
        return places;
    }();
    return made;
}

float at_place(const Clues& clues, std::size_t place) {
    return place < clues.concepts.size() ? clues.concepts[place] : clues.signs[place - clues.concepts.size()];
}

std::string bounded(std::string_view text) {
    if (text.size() <= kCluesHead + kCluesTail) return std::string(text);
    return std::string(text.substr(0, kCluesHead)) + "\n\n" + std::string(text.substr(text.size() - kCluesTail));
}

}  // namespace

float Clues::has(std::string_view concept_name) const {
    const auto index = concept_index(concept_name);
    return index && *index < concepts.size() ? concepts[*index] : 0;
}

float Clues::leads_with(std::string_view concept_name) const {
    const auto index = concept_index(concept_name);
    return index && *index < leads.size() ? leads[*index] : 0;
}

Clues clues_of(std::string_view whole, bool task_is_known) {
    Clues clues;
    clues.tokens = tokens_of(whole);
    const std::string text = bounded(trim(whole));
    const auto shape = shape_of(text, task_is_known);
    std::string instruction;
    std::vector<std::pair<std::string, float>> pieces;
    for (const auto& segment : shape.segments) {
        if (segment.weight <= 0) continue;
        pieces.emplace_back(folded(segment.text), segment.weight);
        if (!segment.inserted) (instruction += segment.text) += '\n';
    }
    clues.inserted_tokens = std::max<std::int64_t>(0, clues.tokens - tokens_of(instruction));
    if (shape.inserted_bytes == 0) clues.inserted_tokens = 0;
    clues.handed_in = shape.handed_in;
    read_words(pieces, clues);
    read_signs(text, shape, trim(instruction), clues);
    for (const auto& [first, second] : pair_places())
        clues.pairs.push_back(at_place(clues, first) * at_place(clues, second));
    return clues;
}

std::vector<std::string> pair_names() {
    std::vector<std::string> names;
    for (const auto& [first, second] : kPairs) names.push_back(std::string(first) + "+" + std::string(second));
    return names;
}

std::string_view sign_name(std::size_t index) {
    return kSignNames[index];
}

}  // namespace tandem::routing
