#include "routing/work_shape.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"

namespace tandem::routing {

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
    const auto starts = [&] {
        return std::ranges::any_of(kStarts, [&](std::string_view start) { return text.starts_with(start); });
    };
    const auto has_marks = [&] { return text.find_first_of("(){}[]=<>:;_") != std::string_view::npos; };
    // Marks are sought last: that looks at each byte of a line.
    return ends || (text.starts_with("from ") && text.contains(" import ")) || (starts() && has_marks());
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

bool is_japanese(std::string_view text) {
    // Hiragana and katakana are U+3040 to U+30FF: U+3040.. has 81 80 and up, U+3000..303F has 80.
    constexpr char kLead = '\xE3';
    for (auto at = text.find(kLead); at != std::string_view::npos && at + 1 < text.size();
         at = text.find(kLead, at + 1)) {
        const auto next = static_cast<unsigned char>(text[at + 1]);
        if (next == 0x81 || next == 0x82 || next == 0x83) return true;
    }
    return false;
}

const Concept& concept_of(const Hit& hit) {
    return concepts()[hit.concept_index];
}

bool is_verb(const Hit& hit) {
    return concept_of(hit).role != Concept::Role::word;
}

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

std::int64_t tokens_of(std::string_view text) {
    std::int64_t two = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto block = text.substr(at, 255);  // which a byte counts, so that many are counted at once
        std::uint8_t count = 0;
        for (const char c : block)
            count = static_cast<std::uint8_t>(count + (static_cast<std::uint8_t>(c - 0xC2) < 0xE0 - 0xC2));
        two += count;
        at += block.size();
    }
    return (static_cast<std::int64_t>(text.size()) - two + 3) / 4;
}

namespace {

constexpr float kQuoted = 0.1F;

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

Lead read_lead(std::string_view head) {
    const auto text = folded(head);
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

// The beginning of one text is read for its shape and for its demands: each thread keeps the last one.
Lead lead_of(std::string_view text) {
    constexpr std::size_t kLooked = 400;
    thread_local struct {
        std::string head;
        Lead lead;
    } last;
    const auto head = text.substr(0, kLooked);
    if (head != last.head || head.empty()) {
        last.lead = read_lead(head);
        last.head = head;
    }
    return last.lead;
}

// A verb, or a word of a trade, that makes work hard.
bool is_demanding(const Hit& hit) {
    constexpr auto kNames = std::to_array<std::string_view>(
        {"explain",  "implement",   "debug",    "code_object", "code_language", "code_tiny",  "write",
         "systems",  "engineering", "prove",    "calculate",   "mathematics",   "quantities", "logic",
         "plan",     "design",      "analyse",  "compare",     "diagnose",      "advise",     "step_by_step",
         "thorough", "complex",     "roleplay", "creative",    "long_text"});
    return std::ranges::find(kNames, concept_of(hit).name) != kNames.end();
}

bool asks(std::string_view text) {
    return text.find('?') != std::string_view::npos || text.find("\xEF\xBC\x9F") != std::string_view::npos;
}

bool demands(std::string_view text) {
    return std::ranges::any_of(vocabulary().hits_in(folded(text)), is_demanding);
}

constexpr std::size_t kShortHead = 90;  // of a paragraph, in bytes: what is to be done with the rest

// A few words, and a text in quotation marks to the end.
bool ends_with_quote(std::string_view text) {
    constexpr std::size_t kBehind = 8;
    const auto quote = quoted_in(text, 0, 2);
    if (!quote || quote->first > kShortHead || text.size() - quote->second > kBehind) return false;
    const auto head = text.substr(0, quote->first);
    return trim(head).size() >= 4 && !demands(head);
}

// A few words, a colon, and a sentence that asks for nothing.
bool ends_with_statement(std::string_view text) {
    constexpr std::int64_t kSentence = 45;  // in tokens
    const auto colon = after_colon(text);
    if (colon > kShortHead || colon >= text.size()) return false;
    const auto head = text.substr(0, colon), rest = text.substr(colon);
    if (tokens_of(rest) > kSentence || asks(rest)) return false;
    if (text.find_first_of("=^") != std::string_view::npos || head.find('(') != std::string_view::npos) return false;
    if (head.find(". ") != std::string_view::npos || head.find(", ") != std::string_view::npos) return false;
    const auto is_order = [](const Hit& hit) { return is_verb(hit) && is_demanding(hit); };
    return !demands(head) && std::ranges::none_of(vocabulary().hits_in(folded(rest)), is_order);
}

// "al plurale: ...": no word of the lexicon says what to do, but to a text that is handed in.
bool hands_in_text(std::string_view text) {
    return ends_with_quote(text) || ends_with_statement(text);
}

void add_inserted(Shape& shape, std::string_view text, float weight = 0.05F) {
    shape.segments.push_back({text, weight, true});
    shape.inserted_bytes += text.size();
}

}  // namespace

Shape shape_of(std::string_view text, bool task_is_known) {
    Shape shape;
    const auto paragraphs = paragraphs_of(text);
    constexpr std::size_t kShort = 320;
    constexpr std::size_t kLong = 900;
    const auto prose = std::ranges::find_if(paragraphs, [](const Paragraph& p) { return !p.code; });
    Lead lead;
    if (prose != paragraphs.end()) lead = lead_of(prose->text);
    if (paragraphs.size() == 1 && prose != paragraphs.end() && !lead.transforms && hands_in_text(prose->text))
        lead.transforms = shape.handed_in = true;
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

}  // namespace tandem::routing
