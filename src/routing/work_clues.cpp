#include "routing/work_clues.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <utility>

#include "base/text.h"
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

// ---- segments ----

// A piece of the text, and how much its words say of what is asked for: 1 for the instruction, less for what is
// inserted.
struct Segment {
    std::string_view text;
    float weight = 1;
    bool inserted = false;
};

struct Shape {
    std::vector<Segment> segments;
    std::size_t inserted_bytes = 0;
    std::size_t code_bytes = 0;
};

constexpr float kQuoted = 0.1F;

bool is_code_line(std::string_view line) {
    const auto text = trim(line);
    if (text.size() < 2) return text == "}" || text == "{";
    const char last = text.back();
    const bool ends = last == ';' || last == '{' || last == '}' ||
                      (text.ends_with("):") && (text.starts_with("def ") || text.starts_with("class ") ||
                                                text.starts_with("if ") || text.starts_with("for "))) ||
                      text.ends_with("=>") || text.ends_with(");");
    constexpr auto kStarts = std::to_array<std::string_view>(
        {"#include", "import ", "from ",   "def ",      "class ",   "func ",    "fn ",    "pub fn", "const ",
         "let ",     "var ",    "return ", "public ",   "private ", "package ", "using ", "@",      "//",
         "/*",       ">>>",     "$ ",      "SELECT ",   "CREATE ",  "INSERT ",  "<?php",  "<div",   "<html",
         "</",       "assert ", "struct ", "template<", "async ",   "elif ",    "else:",  "try:",   "except"});
    const bool starts = std::ranges::any_of(kStarts, [&](std::string_view start) { return text.starts_with(start); });
    const bool marks = text.find_first_of("(){}[]=<>:;_") != std::string_view::npos;
    const bool imports = text.starts_with("from ") && text.contains(" import ");
    return ends || imports || (starts && marks);
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

// Paragraphs: runs of lines between empty lines; code is apart.
struct Paragraph {
    std::string_view text;
    bool code = false;
};

std::string_view between(std::string_view text, const char* begin, const char* end) {
    return text.substr(static_cast<std::size_t>(begin - text.data()), static_cast<std::size_t>(end - begin));
}

std::vector<Paragraph> paragraphs_of(std::string_view text) {
    std::vector<Paragraph> found;
    bool fenced = false;
    const char* begin = nullptr;
    bool code = false;
    const auto close = [&](const char* end) {
        if (begin != nullptr && end > begin) found.push_back({between(text, begin, end), code});
        begin = nullptr;
    };
    for (const auto line : lines_of(text)) {
        const auto trimmed = trim(line);
        if (trimmed.starts_with("```")) {
            close(line.data());
            fenced = !fenced && trimmed.find("```", 3) == std::string_view::npos;
            if (!fenced && trimmed.size() > 3) found.push_back({line, true});
            continue;
        }
        const bool line_is_code = fenced || is_code_line(line);
        if (trimmed.empty() && !fenced) {
            close(line.data());
            continue;
        }
        if (begin != nullptr && line_is_code != code) close(line.data());
        if (begin == nullptr) {
            begin = line.data();
            code = line_is_code;
        }
    }
    close(text.data() + text.size());
    return found;
}

// Where a text in quotation marks of at least `least` bytes begins and ends, from a place on.
std::optional<std::pair<std::size_t, std::size_t>> quoted_in(std::string_view text, std::size_t from,
                                                             std::size_t least) {
    struct Marks {
        std::string_view open, close;
    };
    constexpr auto kMarks = std::to_array<Marks>({{"\"", "\""},
                                                  {"\xE2\x80\x9C", "\xE2\x80\x9D"},
                                                  {"\xE2\x80\x9E", "\""},
                                                  {"\xE2\x80\x9E", "\xE2\x80\x9C"},
                                                  {"\xE2\x80\x9E", "\xE2\x80\x9D"},
                                                  {"\xC2\xAB", "\xC2\xBB"},
                                                  {"\xE3\x80\x8C", "\xE3\x80\x8D"},
                                                  {"\xE3\x80\x8E", "\xE3\x80\x8F"}});
    std::optional<std::pair<std::size_t, std::size_t>> first;
    for (const auto& [open, close] : kMarks) {
        const auto begin = text.find(open, from);
        if (begin == std::string_view::npos) continue;
        const auto inside = begin + open.size();
        const auto end = text.find(close, inside);
        if (end == std::string_view::npos || end - inside < least) continue;
        if (!first || begin < first->first) first = {inside, end};
    }
    // An apostrophe is a mark only where a blank or a sign stands before it.
    for (auto begin = text.find('\'', from); begin != std::string_view::npos; begin = text.find('\'', begin + 1)) {
        if (first && begin >= first->first) break;
        if (begin > 0 && text[begin - 1] != ' ' && text[begin - 1] != ':' && text[begin - 1] != '(') continue;
        auto end = text.find('\'', begin + 1);
        while (end != std::string_view::npos && end + 1 < text.size() && text[end + 1] >= 'a' && text[end + 1] <= 'z')
            end = text.find('\'', end + 1);
        if (end != std::string_view::npos && end - begin > least) {
            first = {begin + 1, end};
            break;
        }
        break;
    }
    return first;
}

// Adds a piece of the instruction; what it quotes counts as inserted.
void add_instruction(Shape& shape, std::string_view text, float weight, bool transforms) {
    const std::size_t least = transforms ? 2 : 60;
    std::size_t at = 0;
    while (const auto quote = quoted_in(text, at, least)) {
        shape.segments.push_back({text.substr(at, quote->first - at), weight});
        const auto inside = text.substr(quote->first, quote->second - quote->first);
        shape.segments.push_back({inside, transforms ? kQuoted : 0.6F, transforms || inside.size() > 200});
        if (shape.segments.back().inserted) shape.inserted_bytes += inside.size();
        at = quote->second;
    }
    shape.segments.push_back({text.substr(at), weight});
}

// The place after a colon that ends the instruction of a line, or npos.
std::size_t after_colon(std::string_view text) {
    constexpr std::size_t kWithin = 280;
    constexpr std::string_view kWideColon = "\xEF\xBC\x9A";
    const auto wide = text.find(kWideColon);
    auto plain = text.find(':');
    while (plain != std::string_view::npos && plain + 1 < text.size() && text[plain + 1] != ' ' &&
           text[plain + 1] != '\n' && text[plain + 1] != '"' && static_cast<unsigned char>(text[plain + 1]) < 0x80)
        plain = text.find(':', plain + 1);
    const auto at = std::min(wide == std::string_view::npos ? wide : wide + kWideColon.size(),
                             plain == std::string_view::npos ? plain : plain + 1);
    return at == std::string_view::npos || at > kWithin ? std::string_view::npos : at;
}

struct Lead {
    bool transforms = false;  // the first verb is one whose object is a text
    bool names_text = false;  // "the following text"
    bool any_verb = false;
};

bool is_japanese(std::string_view text) {
    // Hiragana and katakana are U+3040 to U+30FF.
    for (std::size_t at = 0; at + 1 < text.size(); ++at) {
        const auto next = static_cast<unsigned char>(text[at + 1]);
        if (static_cast<unsigned char>(text[at]) == 0xE3 && (next == 0x81 || next == 0x82 || next == 0x83)) {
            // U+3040.. has 81 80 and up; U+3000..303F has 80.
            return true;
        }
    }
    return false;
}

const Concept& concept_of(const Hit& hit) {
    return concepts()[hit.concept_index];
}
bool is_verb(const Hit& hit) {
    return concept_of(hit).role != Concept::Role::word;
}

// The verb that says what is asked for: the first, and in Japanese the last; the longest where several begin at one
// place.
const Hit* lead_in(const std::vector<Hit>& hits, bool last) {
    const Hit* lead = nullptr;
    for (const auto& hit : hits) {
        if (!is_verb(hit)) continue;
        const bool closes = last && concept_of(hit).name == "explain";
        const bool better = lead == nullptr || (hit.at == lead->at ? hit.size > lead->size : last && !closes);
        if (better) lead = &hit;
    }
    return lead;
}

Lead lead_of(std::string_view head) {
    const auto text = folded(head.substr(0, 400));
    const auto hits = vocabulary().hits_in(text);
    Lead found;
    if (const auto* lead = lead_in(hits, is_japanese(text)); lead != nullptr) {
        found.any_verb = true;
        found.transforms = std::ranges::any_of(hits, [&](const Hit& hit) {
            return hit.at == lead->at && hit.size == lead->size && concept_of(hit).role == Concept::Role::transform;
        });
    }
    found.names_text = std::ranges::any_of(hits, [](const Hit& hit) { return concept_of(hit).name == "document"; });
    return found;
}

void add_inserted(Shape& shape, std::string_view text, float weight = 0.05F) {
    shape.segments.push_back({text, weight, true});
    shape.inserted_bytes += text.size();
}

// Which parts of the text are the instruction: its first paragraph up to a colon, and a short last one; what stands
// between or after them is inserted where the instruction is to do something with a text.
Shape shape_of(std::string_view text, bool task_is_known) {
    Shape shape;
    const auto paragraphs = paragraphs_of(text);
    constexpr std::size_t kShort = 320;
    constexpr std::size_t kLong = 900;
    const auto prose = std::ranges::find_if(paragraphs, [](const Paragraph& p) { return !p.code; });
    Lead lead;
    if (prose != paragraphs.end()) lead = lead_of(prose->text);
    std::size_t index = 0;
    bool after_head = false;
    for (const auto& [paragraph, code] : paragraphs) {
        const bool last = ++index == paragraphs.size();
        if (code) {
            shape.segments.push_back({paragraph, 0, true});
            shape.code_bytes += paragraph.size();
            shape.inserted_bytes += paragraph.size();
        } else if (task_is_known) {
            add_inserted(shape, paragraph);
        } else if (!after_head) {
            after_head = true;
            const auto colon = lead.transforms || lead.names_text ? after_colon(paragraph) : std::string_view::npos;
            const bool transforms = lead.transforms;
            if (colon != std::string_view::npos && colon < paragraph.size()) {
                add_instruction(shape, paragraph.substr(0, colon), 1, transforms);
                add_inserted(shape, paragraph.substr(colon));
            } else if (const auto line = paragraph.find('\n');
                       transforms && line != std::string_view::npos && line < kShort) {
                add_instruction(shape, paragraph.substr(0, line), 1, transforms);
                add_inserted(shape, paragraph.substr(line));
            } else if (paragraph.size() > kLong && paragraphs.size() > 1) {
                add_instruction(shape, paragraph.substr(0, kShort), 0.7F, transforms);
                add_inserted(shape, paragraph.substr(kShort), 0.3F);
            } else {
                add_instruction(shape, paragraph, 1, transforms);
            }
        } else if (last && index > 2 && paragraph.size() < kShort && shape.inserted_bytes > 0) {
            add_instruction(shape, paragraph, 0.9F, lead_of(paragraph).transforms);
        } else if (lead.transforms || lead.names_text) {
            add_inserted(shape, paragraph, lead.transforms ? 0.05F : 0.2F);
        } else {
            std::size_t before = 0;
            for (const auto& s : shape.segments) before += s.text.size();
            add_instruction(shape, paragraph, before < 1500 ? 1 : 0.4F, false);
        }
    }
    // A long text first and a short instruction last: the last one says what is asked for.
    if (!task_is_known && paragraphs.size() == 2 && !paragraphs[1].code && paragraphs[0].text.size() > kShort &&
        paragraphs[1].text.size() < kShort && lead_of(paragraphs[1].text).any_verb && !lead.transforms) {
        const auto second = lead_of(paragraphs[1].text);
        if (second.transforms || second.names_text) {
            Shape turned;
            add_inserted(turned, paragraphs[0].text, 0.1F);
            add_instruction(turned, paragraphs[1].text, 1, second.transforms);
            turned.code_bytes = shape.code_bytes;
            return turned;
        }
    }
    return shape;
}

// ---- structure ----

// About how many tokens of English a text would be: four bytes are one, where a letter of two bytes counts as one byte,
// so that Russian is not twice as long as Polish; a Chinese character says as much as three letters do.
std::int64_t tokens_of(std::string_view text) {
    const auto two = std::ranges::count_if(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0xC2 && byte < 0xE0;
    });
    return (static_cast<std::int64_t>(text.size()) - two + 3) / 4;
}

float over(std::size_t count, std::size_t most) {
    return static_cast<float>(std::min(count, most)) / static_cast<float>(most);
}

std::size_t count_of(std::string_view text, std::string_view what) {
    std::size_t count = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) ++count;
    return count;
}

template <std::size_t N>
std::size_t count_any(std::string_view text, const std::array<std::string_view, N>& words) {
    std::size_t count = 0;
    for (const auto word : words) count += count_of(text, word);
    return count;
}

std::size_t numbers_in(std::string_view text) {
    std::size_t count = 0;
    bool before = false;
    for (const char c : text) {
        const bool digit = c >= '0' && c <= '9';
        count += digit && !before;
        before = digit || (before && (c == '.' || c == ','));
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

bool has_trace(std::string_view text) {
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
    return count_any(text, kTraces) > 0;
}

void read_signs(std::string_view text, const Shape& shape, std::string_view instruction, Clues& clues) {
    auto set = [&](Sign which, float value) { clues.signs[static_cast<std::size_t>(which)] = value; };
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
    set(Sign::formula, over(count_any(instruction, kFormula), 6));
    set(Sign::latex, (count_of(text, "$") >= 2 && count_of(text, "\\") > 0) ||
                         text.find("\\(") != std::string_view::npos || text.find("\\frac") != std::string_view::npos ||
                         text.find("\\begin{") != std::string_view::npos);
    read_lines(text, clues);
    set(Sign::much_code, shape.code_bytes > 1200);
    constexpr auto kFunctions =
        std::to_array<std::string_view>({"def ", "fn ", "func ", "function ", "public ", "class "});
    set(Sign::stub, is_code_line(text.substr(0, text.find('\n'))) && count_any(text, kFunctions) > 0);
    set(Sign::trace, has_trace(text));
    constexpr auto kParts =
        std::to_array<std::string_view>({", ", "; ", "\xE3\x80\x81", "\xEF\xBC\x8C", "\xEF\xBC\x9B"});
    set(Sign::parts, over(count_any(instruction, kParts), 12));
    constexpr auto kEnds = std::to_array<std::string_view>({". ", ".\n", "! ", "? ", "\xE3\x80\x82", "\xEF\xBC\x9F"});
    set(Sign::sentences, over(count_any(instruction, kEnds), 10));
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
    const auto all = concepts();
    const auto found = std::ranges::find(all, name, &Concept::name);
    if (found == all.end()) return std::nullopt;
    return static_cast<std::size_t>(found - all.begin());
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
