#include "privacy/own.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <clocale>
#include <cwchar>
#include <cwctype>
#include <set>

#include "base/text.h"

namespace tandem::privacy {

namespace {

constexpr float kExact = 0.95F;
constexpr std::size_t kLongestPath = 4096;
constexpr std::size_t kShortestEncoded = 8;
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
    for (const auto& word : words)
        for (const auto& form : cases_of(std::string(trim(word)))) {
            // Blanks between words may be any, one or more would need a width: the usual single one is looked for.
            expressions_.push_back({Expression::Kind::word, &rule, literal(form), form.size(), true});
        }
}

void Own::add_paths(const Rule& rule, const std::vector<std::string>& paths) {
    for (const auto& path : paths)
        expressions_.push_back({Expression::Kind::path, &rule, path_expression(path), 0, false, path.ends_with("**")});
}

void Own::add_value(const Rule& rule, std::string_view value) {
    auto add = [&](std::string text, bool caseless) {
        if (text.size() < kShortestEncoded) return;
        expressions_.push_back({Expression::Kind::value, &rule, literal(text), text.size(), caseless});
    };
    add(std::string(value), false);
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
        if (!rule.pattern.empty()) own->expressions_.push_back({Expression::Kind::pattern, &made, rule.pattern});
    }
    if (own->expressions_.empty()) return own;
    std::vector<const char*> texts;
    std::vector<unsigned> flags, ids;
    for (const auto& e : own->expressions_) {
        ids.push_back(static_cast<unsigned>(ids.size()));
        texts.push_back(e.text.c_str());
        flags.push_back((e.caseless ? HS_FLAG_CASELESS : 0U) |
                        (e.kind == Expression::Kind::pattern ? HS_FLAG_SOM_LEFTMOST : 0U));
    }
    hs_compile_error_t* error = nullptr;
    if (hs_compile_multi(texts.data(), flags.data(), ids.data(), static_cast<unsigned>(ids.size()), HS_MODE_BLOCK,
                         nullptr, &own->database_, &error) == HS_SUCCESS)
        return own;
    std::string why = error == nullptr ? "unknown" : error->message;
    std::string where = "privacy.own";
    if (error != nullptr && error->expression >= 0)
        where += "." + own->expressions_[static_cast<std::size_t>(error->expression)].rule->id.substr(4);
    hs_free_compile_error(error);
    return fail(ErrorCode::invalid, fmt::format("{}: the pattern cannot be used: {}", where, why));
}

void Own::take(unsigned id, std::string_view text, std::size_t from, std::size_t end,
               std::vector<Finding>& findings) const {
    const auto& e = expressions_[id];
    std::size_t begin = from;
    switch (e.kind) {
        case Expression::Kind::word:
            begin = end - e.width;
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
