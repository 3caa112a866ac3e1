#include "privacy/own.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <clocale>
#include <cwchar>
#include <cwctype>
#include <set>

#include "base/text.h"
#include "privacy/disguise.h"
#include "privacy/unicode/unicode.h"

namespace tandem::privacy {

namespace {

constexpr float kExact = 0.95F;
constexpr std::size_t kLongestPath = 4096;
constexpr std::size_t kShortestEncoded = 8;
// Letters and digits that a secret value must have to be found by them alone: with a digit among them, or without.
constexpr std::size_t kShortestCompact = 10, kShortestLetters = 16;
constexpr std::size_t kCompactAtOnce = 64 * 1024;
// Between the words of one that has blanks: "Blue Heron", "blue_heron", over a line's end.
constexpr std::string_view kParting = " \t\r\n_-./";
constexpr std::size_t kMostParting = 4;
// What ends the name of a file in running text.
constexpr std::string_view kNoPath = " \t\r\n\"'`<>|,;()[]{}";

std::string literal(std::string_view bytes) {
    std::string out;
    for (const unsigned char c : bytes) out += fmt::format("\\x{:02x}", c);
    return out;
}

bool word_byte(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// The word in small letters, capitals and as it is, beyond ASCII too: Vectorscan folds only ASCII's case here, since it
// may not be told that a text is UTF-8 when it might not be.
std::set<std::string> cases_of(const std::string& word) {
    std::set<std::string> cases = {word};
    bool ascii = true;
    for (const char c : word) ascii = ascii && static_cast<unsigned char>(c) < 0x80;
    if (ascii) return cases;
    static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (utf8 == nullptr) return cases;
    const locale_t before = uselocale(utf8);
    std::string small, large, title;
    std::mbstate_t in{}, out{};
    const char* at = word.data();
    const char* const end = at + word.size();
    bool first = true;
    while (at < end) {
        wchar_t wide = 0;
        const auto used = std::mbrtowc(&wide, at, static_cast<std::size_t>(end - at), &in);
        if (used == 0 || used > static_cast<std::size_t>(end - at)) break;
        std::array<char, 16> bytes{};
        auto add = [&](std::string& to, wint_t c) {
            const auto n = std::wcrtomb(bytes.data(), static_cast<wchar_t>(c), &out);
            if (n != static_cast<std::size_t>(-1)) to.append(bytes.data(), n);
        };
        add(small, std::towlower(static_cast<wint_t>(wide)));
        add(large, std::towupper(static_cast<wint_t>(wide)));
        add(title, first ? std::towupper(static_cast<wint_t>(wide)) : std::towlower(static_cast<wint_t>(wide)));
        first = false;
        at += used;
    }
    uselocale(before);
    if (at == end) cases.insert({small, large, title});
    return cases;
}

// The characters of a value's base64 that do not depend on what stands around it, `shift` bytes after a beginning.
std::string base64_core(std::string_view value, std::size_t shift, std::string_view alphabet) {
    std::string bytes(shift, '\0');
    bytes += value;
    std::string all;
    unsigned bits = 0, count = 0;
    for (const unsigned char c : bytes) {
        bits = (bits << 8) | c;
        count += 8;
        while (count >= 6) {
            count -= 6;
            all += alphabet[(bits >> count) & 63U];
        }
    }
    const std::size_t first = (shift * 8 + 5) / 6;
    return all.size() > first ? all.substr(first) : "";
}

// A value as canonical texts have it, which have no marks on letters.
std::string canonical_of(std::string_view text) {
    std::string bare;
    for (std::size_t at = 0; at < text.size();) {
        const auto point = point_at(text, at);
        if (point.size == 0)
            bare += text[at];
        else
            append_utf8(bare, base_of(point.value));
        at += std::max<std::size_t>(point.size, 1);
    }
    return canonical(bare).text;
}

// What is left of a text when only its letters (small) and digits count.
bool counts(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80;
}
char small(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
std::string compact(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (counts(c)) out += small(c);
    return out;
}

// A word's expression: its blanks may be any of what parts words.
std::string word_expression(std::string_view word) {
    std::string out;
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (word[i] != ' ') {
            out += literal(word.substr(i, 1));
            continue;
        }
        while (i + 1 < word.size() && word[i + 1] == ' ') ++i;
        out += fmt::format("[\\s_./-]{{1,{}}}", kMostParting);
    }
    return out;
}

std::string path_expression(std::string_view glob) {
    const std::string within = "[^/" + std::string("\\s\"'`<>|,;()\\[\\]{}") + "]";
    std::string out;
    for (std::size_t i = 0; i < glob.size(); ++i) {
        if (glob[i] == '*' && i + 1 < glob.size() && glob[i + 1] == '*') {
            out += "[^\\s\"'`<>|,;()\\[\\]{}]*";
            ++i;
        } else if (glob[i] == '*') {
            out += within + "*";
        } else if (glob[i] == '?') {
            out += within;
        } else {
            out += literal(glob.substr(i, 1));
        }
    }
    return out;
}

}  // namespace

void Own::add_words(const Rule& rule, const std::vector<std::string>& words) {
    auto add = [&](const std::string& form, bool canonical) {
        const bool parted = form.find(' ') != std::string::npos;
        expressions_.push_back({Expression::Kind::word, &rule, word_expression(form), form.size(), true, false,
                                canonical, parted ? form : ""});
    };
    for (const auto& word : words) {
        auto forms = cases_of(std::string(trim(word)));
        for (const auto& form : forms) add(form, false);
        for (const auto& form : std::set(forms))
            for (auto plain : {canonical(form).text, canonical_of(form)})
                if (!plain.empty() && forms.insert(plain).second) add(plain, true);
    }
}

void Own::add_paths(const Rule& rule, const std::vector<std::string>& paths) {
    for (const auto& path : paths)
        expressions_.push_back(
            {Expression::Kind::path, &rule, path_expression(path), 0, false, path.ends_with("**"), false, {}});
}

void Own::add_value(const Rule& rule, std::string_view value) {
    auto add = [&](std::string text, bool caseless) {
        if (text.size() < kShortestEncoded) return;
        expressions_.push_back(
            {Expression::Kind::value, &rule, literal(text), text.size(), caseless, false, false, {}});
    };
    add(std::string(value), false);
    if (auto plain = canonical_of(value); plain != value)
        if (plain.size() >= kShortestEncoded)
            expressions_.push_back(
                {Expression::Kind::value, &rule, literal(plain), plain.size(), false, false, true, {}});
    const auto bare = compact(canonical_of(value));
    const bool digit = std::ranges::any_of(bare, [](unsigned char c) { return std::isdigit(c) != 0; });
    if (bare.size() >= (digit ? kShortestCompact : kShortestLetters)) compact_.push_back({&rule, bare});
    std::string hex;
    for (const unsigned char c : value) hex += fmt::format("{:02x}", c);
    add(hex, true);
    constexpr std::string_view kCommon = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    for (std::size_t shift = 0; shift < 3; ++shift) {
        const auto plain = base64_core(value, shift, std::string(kCommon) + "+/");
        const auto url = base64_core(value, shift, std::string(kCommon) + "-_");
        add(plain, false);
        if (url != plain) add(url, false);
    }
}

Result<std::unique_ptr<Own>> Own::compile(const std::vector<config::OwnRule>& rules) {
    std::unique_ptr<Own> own(new Own);
    for (const auto& rule : rules) {
        std::string type;
        for (const char c : rule.name)
            type += std::isalnum(static_cast<unsigned char>(c)) != 0
                        ? static_cast<char>(std::toupper(static_cast<unsigned char>(c)))
                        : '_';
        const auto& made = own->rules_.emplace_back(Rule{"own:" + rule.name, std::move(type), rule.label});
        own->add_words(made, rule.words);
        own->add_paths(made, rule.paths);
        for (const auto& secret : rule.secrets) own->add_value(made, secret->reveal());
        if (!rule.pattern.empty())
            own->expressions_.push_back({Expression::Kind::pattern, &made, rule.pattern, 0, false, false, false, {}});
    }
    if (auto ok = own->compile_expressions(); !ok) return fail(ok.error());
    if (auto ok = own->compile_values(); !ok) return fail(ok.error());
    return own;
}

Result<> Own::compile_expressions() {
    if (expressions_.empty()) return {};
    std::vector<const char*> texts;
    std::vector<unsigned> flags, ids;
    for (const auto& e : expressions_) {
        ids.push_back(static_cast<unsigned>(ids.size()));
        texts.push_back(e.text.c_str());
        flags.push_back((e.caseless ? HS_FLAG_CASELESS : 0U) |
                        (e.kind == Expression::Kind::pattern ? HS_FLAG_SOM_LEFTMOST : 0U));
    }
    hs_compile_error_t* error = nullptr;
    if (hs_compile_multi(texts.data(), flags.data(), ids.data(), static_cast<unsigned>(ids.size()), HS_MODE_BLOCK,
                         nullptr, &database_, &error) == HS_SUCCESS)
        return {};
    std::string why = error == nullptr ? "unknown" : error->message;
    std::string where = "privacy.own";
    if (error != nullptr && error->expression >= 0)
        where += "." + expressions_[static_cast<std::size_t>(error->expression)].rule->id.substr(4);
    hs_free_compile_error(error);
    return fail(ErrorCode::invalid, fmt::format("{}: the pattern cannot be used: {}", where, why));
}

Result<> Own::compile_values() {
    if (compact_.empty()) return {};
    std::vector<std::string> expressions;
    for (const auto& value : compact_) expressions.push_back(literal(value.text));
    std::vector<const char*> texts;
    std::vector<unsigned> flags(compact_.size(), 0), ids;
    for (const auto& text : expressions) {
        ids.push_back(static_cast<unsigned>(ids.size()));
        texts.push_back(text.c_str());
    }
    hs_compile_error_t* error = nullptr;
    if (hs_compile_multi(texts.data(), flags.data(), ids.data(), static_cast<unsigned>(ids.size()), HS_MODE_BLOCK,
                         nullptr, &values_, &error) == HS_SUCCESS)
        return {};
    std::string why = error == nullptr ? "unknown" : error->message;
    hs_free_compile_error(error);
    return fail(ErrorCode::invalid, fmt::format("privacy.own: the secret values cannot be used: {}", why));
}

bool Own::find_values(std::string_view text, hs_scratch_t* scratch, std::vector<Finding>& findings) const {
    std::size_t longest = 0;
    for (const auto& value : compact_) longest = std::max(longest, value.text.size());
    struct Piece {
        const Own* own;
        std::string_view text;
        std::string bare;
        std::vector<std::size_t> origin;  // of each byte, in the text
        std::vector<Finding>* findings;
    } piece{this, text, {}, {}, &findings};
    auto on_match = [](unsigned id, unsigned long long, unsigned long long end, unsigned, void* context) {
        auto& at = *static_cast<Piece*>(context);
        const auto& value = at.own->compact_[id];
        const auto last = static_cast<std::size_t>(end) - 1;
        const std::size_t from = at.origin[last + 1 - value.text.size()], to = at.origin[last] + 1;
        // Within a word only the value's own bytes are sure.
        if ((from > 0 && word_byte(at.text[from - 1])) || (to < at.text.size() && word_byte(at.text[to]))) return 0;
        at.findings->push_back(
            {value.rule->id, value.rule->type, config::Category::own, from, to, kExact, value.rule->label});
        return 0;
    };
    for (std::size_t at = 0; at < text.size();) {
        while (at < text.size() && piece.bare.size() < kCompactAtOnce + longest) {
            if (counts(text[at])) {
                piece.bare += small(text[at]);
                piece.origin.push_back(at);
            }
            ++at;
        }
        if (hs_scan(values_, piece.bare.data(), static_cast<unsigned>(piece.bare.size()), 0, scratch, on_match,
                    &piece) != HS_SUCCESS)
            return false;
        // The end stays: a value may go on behind it. What is found twice stands once when all is sorted.
        const auto gone = piece.bare.size() - std::min(piece.bare.size(), longest - 1);
        piece.bare.erase(0, gone);
        piece.origin.erase(piece.origin.begin(), piece.origin.begin() + static_cast<std::ptrdiff_t>(gone));
    }
    return true;
}

std::size_t Own::begin_of_word(const Expression& e, std::string_view text, std::size_t end) const {
    if (e.word.empty()) return end - e.width;
    std::size_t at = end;
    for (std::size_t i = e.word.size(); i-- > 0;) {
        if (e.word[i] != ' ') {
            at -= std::min<std::size_t>(at, 1);
            continue;
        }
        while (i > 0 && e.word[i - 1] == ' ') --i;
        for (std::size_t n = 0; at > 0 && n < kMostParting && kParting.find(text[at - 1]) != std::string_view::npos;
             ++n)
            --at;
    }
    return at;
}

void Own::take(unsigned id, std::string_view text, std::size_t from, std::size_t end, bool canonical,
               std::vector<Finding>& findings) const {
    const auto& e = expressions_[id];
    if (e.canonical && !canonical) return;
    std::size_t begin = from;
    switch (e.kind) {
        case Expression::Kind::word:
            begin = begin_of_word(e, text, end);
            if (begin > 0 && word_byte(text[begin]) && word_byte(text[begin - 1])) return;
            if (end < text.size() && word_byte(text[end - 1]) && word_byte(text[end])) return;
            break;
        case Expression::Kind::value:
            begin = end - e.width;
            break;
        case Expression::Kind::path:
            if (!e.open_end && end < text.size() && (word_byte(text[end]) || text[end] == '-')) return;
            // Each of its lengths matches; it is one name.
            if (e.open_end)
                while (end < text.size() && kNoPath.find(text[end]) == std::string_view::npos) ++end;
            while (end > 1 && e.open_end && (text[end - 1] == '.' || text[end - 1] == ':')) --end;
            begin = end;
            while (begin > 0 && end - begin < kLongestPath && kNoPath.find(text[begin - 1]) == std::string_view::npos)
                --begin;
            if (begin == end) return;
            break;
        case Expression::Kind::pattern:
            break;
    }
    findings.push_back({e.rule->id, e.rule->type, config::Category::own, begin, end, kExact, e.rule->label});
}

}  // namespace tandem::privacy
