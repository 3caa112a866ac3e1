// Secrets that only their name gives away: `password = ...` in a shell, .env, YAML, JSON, XML or source code. The
// candidate ends with a telling word; the rest of the name, the operator and the value are read on from there.
#include <optional>
#include <span>

#include "privacy/patterns/checks.h"
#include "privacy/patterns/patterns.h"
#include "privacy/patterns/secret_names.h"

namespace tandem::privacy {

namespace {

using config::Category;

using enum Service::Alphabet;

// What a byte of a value is.
enum Fact : std::uint16_t {
    kDigit = 1,
    kLetter = 2,
    kMark = 4,  // of those that passwords have
    kSpace = 8,
    kDot = 16,
    kInName = 32,         // a letter, a digit, a low line or a dot
    kInSecret = 64,       // of the alphabets of keys
    kFirstAlphabet = 128  // Service::Alphabet's, in their order
};
constexpr std::uint16_t in_alphabet(Service::Alphabet alphabet) {
    return static_cast<std::uint16_t>(kFirstAlphabet << static_cast<unsigned>(alphabet));
}
constexpr auto kFacts = [] {
    std::array<std::uint16_t, 256> facts{};
    for (unsigned i = 0; i < 256; ++i) {
        const char c = static_cast<char>(i);
        auto one_of = [&](std::string_view all) { return all.find(c) != std::string_view::npos; };
        const bool hexes = digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
        facts[i] = static_cast<std::uint16_t>(
            (digit(c) ? kDigit : 0) | (letter(c) ? kLetter : 0) | (one_of("!@#$%^&*?~+") ? kMark : 0) |
            (c == ' ' ? kSpace : 0) | (c == '.' ? kDot : 0) | (word(c) || c == '.' ? kInName : 0) |
            (word(c) || one_of(".-=+/~") ? kInSecret : 0) | (hexes ? in_alphabet(hex) : 0) |
            (digit(c) || letter(c) ? in_alphabet(mixed) : 0) |
            (word(c) || one_of("-=./+:%") ? in_alphabet(dashed) : 0) | (hexes || one_of("-:") ? in_alphabet(uuid) : 0));
    }
    return facts;
}();

// What some of a value's bytes are, and what all of them are.
struct Facts {
    std::uint16_t some = 0, all = 0xFFFF;

    explicit Facts(std::string_view value) {
        work(value.size());
        for (const char c : value) {
            const auto facts = kFacts[static_cast<unsigned char>(c)];
            some |= facts;
            all &= facts;
        }
    }
    bool any(std::uint16_t what) const { return (some & what) != 0; }
    bool are(std::uint16_t what) const { return (all & what) != 0; }
    // What every secret has: letters, and digits or marks; a UUID has what it has.
    bool may_be_secret(std::size_t size) const { return (any(kLetter) && any(kDigit | kMark)) || size == kUuid; }
    static constexpr std::size_t kUuid = 36;
};

bool is_uuid(std::string_view value) {
    if (value.size() != 36) return false;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? value[i] != '-' : (kFacts[static_cast<unsigned char>(value[i])] & in_alphabet(hex)) == 0)
            return false;
    }
    return true;
}

struct Assignment {
    std::string name;  // lower-case, with what stands before it up to 20 bytes
    std::string_view value;
    std::size_t begin;
    char quote;   // 0 where there is none
    bool listed;  // a comma parts them: two arguments, perhaps of a call
};

std::string name_before(std::string_view text, std::size_t op) {
    std::size_t end = op;
    while (end > 0 && !word(text[end - 1]) && text[end - 1] != '\n' && op - end < 12) --end;
    std::size_t begin = end;
    while (begin > 0 && end - begin < 60 &&
           (word(text[begin - 1]) || text[begin - 1] == '-' || text[begin - 1] == '.' || text[begin - 1] == ' '))
        --begin;
    std::string name(text.substr(begin, end - begin));
    for (char& c : name) c = c == '-' || c == '.' || c == ' ' ? '_' : lower(c);
    return name;
}

constexpr std::size_t kLongestValue = 300;
// How many values are judged that hold one another ("token=token=token=..."), besides the innermost.
constexpr unsigned kMostNested = 4;

bool ends_value(char c, char quote) {
    if (quote != 0) return c == quote || c == '\n';
    return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\'' || c == '`' || c == ';' || c == ',' ||
           c == '<' || c == ')' || c == '}' || c == '&' || c == ']' || c == '|';
}

// Where a value ends that begins at `at`. Of values that are parts of one another each byte is read once.
std::size_t end_of_value(std::string_view text, std::size_t at, char quote, Sink::Unended& known) {
    if (at < known.from || at >= known.to) known = {at, at, 0};
    const std::size_t limit = std::min(text.size(), at + kLongestValue);
    std::size_t end = known.to;
    const std::size_t from = end;
    while (end < limit && !ends_value(text[end], quote)) ++end;
    work(end - std::min(from, end));
    known.to = std::max(known.to, end);
    return std::min(end, limit);
}

bool holds_another(std::string_view value) {
    for (std::size_t i = 0; i + 2 < value.size(); ++i)
        if (value[i] == '=' || value[i] == ':') return true;
    return false;
}

// Of what a language writes in front of a string, without its last byte where that is the quote.
std::size_t size_of_prefix(std::string_view text) {
    if (text.empty() || std::string_view("Ssbrfu@\\").find(text[0]) == std::string_view::npos) return 0;
    for (const std::string_view prefix :
         {"String(", "str(", "b\"", "b'", "r\"", "r'", "f\"", "u'", "u\"", "@\"", "\\\""})
        if (text.starts_with(prefix)) return prefix.size() - 1;
    return 0;
}

std::optional<Assignment> read_assignment(const Candidate& c, Sink& sink) {
    const auto text = c.text;
    std::size_t at = c.end;
    // The rest of the operator (=> == := ||), spaces and quotes.
    while (at < text.size() && (text[at] == '=' || text[at] == '>' || text[at] == ':' || text[at] == '~')) ++at;
    if (at - c.end > 2) return {};
    std::size_t spaces = 0;
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t') && spaces++ < 8) ++at;
    at += size_of_prefix(text.substr(at));
    char quote = 0;
    while (at < text.size() && (text[at] == '"' || text[at] == '\'' || text[at] == '`') &&
           (quote == 0 || quote == text[at]))
        quote = text[at++];
    const bool listed = text[c.end - 1] == ',';
    if (listed && (quote == 0 || c.end < 2 || text[c.end - 2] != quote)) return {};
    auto& known = sink.values_read[quote == 0 ? 0U : quote == '"' ? 1U : quote == '\'' ? 2U : 3U];
    std::size_t end = end_of_value(text, at, quote, known);
    // One that holds others is judged a few times; the innermost always is.
    if (known.judged >= kMostNested && holds_another(text.substr(at, end - at))) return {};
    ++known.judged;
    while (quote == 0 && end > at && (text[end - 1] == '.' || text[end - 1] == '!' || text[end - 1] == '?') &&
           end - at < 12)
        --end;
    if (quote != 0 && end > at && text[end - 1] == '\\') --end;  // JSON within a string
    if (end - at < 4) return {};
    return Assignment{name_before(text, c.end - 1), text.substr(at, end - at), at, quote, listed};
}

// A word that a person could have written: letters that one or two separators part, no more than a digit or two.
bool is_wordy(std::string_view value) {
    std::size_t digits_seen = 0, switches = 0;
    for (std::size_t i = 0; i < value.size(); ++i) {
        digits_seen += digit(value[i]) ? 1 : 0;
        if (i > 0 && letter(value[i]) && digit(value[i - 1])) ++switches;
        if (i > 1 && upper(value[i]) && upper(value[i - 1]) != upper(value[i]) && !word(value[i - 2])) ++switches;
    }
    return digits_seen < 2 || (switches == 0 && digits_seen < 5);
}

// Code that gets a value from elsewhere, or a path, a URL, a type, a format.
bool is_code(const Assignment& a) {
    const auto v = a.value;
    static const Words kMarks = {"://", "${", "{{", "%(", "$(", "()", "::", "->", "[\"", "['", "<%", "\\n", "#{"};
    if (kMarks.in(v)) return true;
    if (v.front() == '$' || v.front() == '%' || v.front() == '<' || v.front() == '{' || v.front() == '[' ||
        v.front() == '/' || v.front() == '&' || v.front() == '*' || v.front() == '\\' || v.front() == '(')
        return true;
    if (a.quote == 0) {
        // Bare words in source code are names, calls, members.
        const auto name_end = std::ranges::find_if_not(v, [](char c) { return word(c) || c == '.'; });
        if (name_end != v.end() && (*name_end == '(' || *name_end == '[')) return true;
        static const Words kObjects = {"self.",    "this.", "os.",      "config.", "process.",
                                       "request.", "args.", "options.", "params."};
        if (kObjects.in(v)) return true;
    }
    return v.size() > 40 && v.find(' ') != std::string_view::npos;
}

// How sure the form of a service's keys makes it; 0: no service is named that has keys of this form.
float judge_by_service(std::span<const std::uint8_t> named, std::string_view v, const Facts& facts, double bits) {
    for (const auto i : named) {
        const auto& service = kServices[i];
        if (v.size() < service.least || v.size() > service.most) continue;
        if (!facts.are(in_alphabet(service.alphabet))) continue;
        const bool mixed_well = bits >= 3.0 && facts.any(kDigit) && facts.any(kLetter);
        if (service.alphabet == uuid ? bits >= 2.5 : mixed_well && !is_wordy(v)) return 0.8F;
        if (service.alphabet == dashed && bits >= 3.5 && facts.any(kDigit)) return 0.7F;
    }
    return 0;
}

float judge_password(const Assignment& a, const Facts& facts, double bits) {
    if (facts.any(kSpace) || a.listed) return 0;
    const bool some_digit = facts.any(kDigit), mark = facts.any(kMark);
    if (!facts.any(kLetter) || (!some_digit && !mark)) return 0;
    // Bare values in prose and code must be odder than quoted ones.
    if (a.quote == 0 && !(some_digit && bits >= 2.75) && !(mark && some_digit)) return 0;
    return a.quote == 0 && facts.are(kInName) && facts.any(kDot) ? 0 : 0.7F;
}

float judge_secret(const Assignment& a, const Facts& facts, double bits, bool sure) {
    const auto v = a.value;
    if (is_uuid(v)) return sure && bits >= 3.0 ? 0.5F : 0;
    if (a.listed && !(sure && bits >= 3.5)) return 0;
    if (a.quote == 0 && facts.any(kDot) && letter(v.front()) && !v.starts_with("ey")) return 0;
    if (is_wordy(v) || bits < (v.size() >= 20 ? 3.4 : 3.1)) return 0;
    if (!sure && (a.quote == 0 || v.size() < 16 || bits < 3.5)) return 0;
    return sure ? 0.75F : 0.55F;
}

constexpr std::size_t kShortestSecret = 6, kShortestKey = 10;
constexpr double kLeastBits = 2.5;  // of entropy a byte

// How sure it is that this is a secret; 0: it is none. What says so soonest comes first: hostile text asks often.
float judge(const Assignment& a) {
    const auto v = a.value;
    if (v.size() < kShortestSecret) return 0;
    const std::string_view name = a.name;
    const Meaning meaning = meaning_of(name);
    if (meaning.is(Meaning::kNoSecret)) return 0;
    const auto tail = name.substr(name.size() - std::min<std::size_t>(name.size(), 32));
    if (tail.ends_with("_id") && tail.find("access_key_id") == std::string_view::npos &&
        tail.find("secret_id") == std::string_view::npos)
        return 0;
    const bool password = meaning.is(Meaning::kPassword) || tail == "pass" || tail == "pw";
    const bool secret = meaning.is(Meaning::kSecret) && v.size() >= kShortestKey;
    if (!password && !secret && meaning.named().empty()) return 0;
    const Facts facts(v);
    if (!facts.may_be_secret(v.size())) return 0;
    const double bits = entropy(v);
    if (bits < kLeastBits || is_code(a) || is_placeholder(v)) return 0;
    if (const float score = judge_by_service(meaning.named(), v, facts, bits); score > 0) return score;
    if (password) return judge_password(a, facts, bits);
    if (!secret || facts.any(kSpace) || !facts.any(kDigit) || !facts.any(kLetter) || !facts.are(kInSecret)) return 0;
    return judge_secret(a, facts, bits, meaning.is(Meaning::kSure));
}

// The operator that follows a name whose telling word ends at `at`: up to twenty more characters of the name, quotes or
// brackets, blanks. One past its first character, or 0.
std::size_t operator_behind(std::string_view text, std::size_t at) {
    std::size_t limit = std::min(text.size(), at + 20);
    while (at < limit && (word(text[at]) || text[at] == '.' || text[at] == '-' || text[at] == ' ' || text[at] == '\t'))
        ++at;
    limit = std::min(text.size(), at + 4);
    while (at < limit && std::string_view("\"'`])\\").find(text[at]) != std::string_view::npos) ++at;
    limit = std::min(text.size(), at + 4);
    while (at < limit && (text[at] == ' ' || text[at] == '\t')) ++at;
    if (at < text.size() && (text[at] == '=' || text[at] == ':' || text[at] == ',')) return at + 1;
    return text.substr(at, 2) == "||" ? at + 2 : 0;
}

// The candidate ends with the telling word.
void assignment(const Kind& kind, const Candidate& c, Sink& sink) {
    const std::size_t at = operator_behind(c.text, c.end);
    if (at == 0 || at <= sink.assignments_read) return;
    sink.assignments_read = at;
    const auto read = read_assignment({c.text, at, at}, sink);
    if (!read) return;
    const float score = judge(*read);
    if (score <= 0) return;
    sink.assignments_read = read->begin + read->value.size();
    sink.add(kind, read->begin, read->begin + read->value.size(), score);
}

// Whether `text` ends with <...password, or with <ns:...password.
bool ends_with_tag(std::string_view text) {
    auto letters_before = [&](std::size_t end, std::size_t most) {
        std::size_t at = end;
        while (at > 0 && end - at < most && letter(text[at - 1])) --at;
        return at;
    };
    constexpr std::size_t kLongestName = 16, kLongestSpace = 12, kPassword = 8;
    std::size_t at = letters_before(text.size() - kPassword, kLongestName);
    if (at > 0 && text[at - 1] == ':') {
        const std::size_t colon = at - 1;
        at = letters_before(colon, kLongestSpace);
        if (at == colon) return false;
    }
    return at > 0 && text[at - 1] == '<';
}
// Whether `text` ends with key="...password.
bool ends_with_key(std::string_view text) {
    constexpr std::size_t kLongestName = 12, kPassword = 8;
    std::size_t at = text.size() - kPassword, from = at;
    while (at > 0 && from - at < kLongestName && letter(text[at - 1])) --at;
    constexpr std::string_view kKey = "key=\"";
    return at >= kKey.size() && std::ranges::equal(text.substr(at - kKey.size(), kKey.size()), kKey, {}, lower);
}

// <add key="Password" value="..."/> and <password>...</password>: the candidate ends at the value.
void of_markup(const Kind& kind, const Candidate& c, Sink& sink) {
    const std::size_t name_end = c.text[c.end - 1] == '>' ? c.end - 1 : c.text.rfind('"', c.end - 2);
    const auto before = c.text.substr(0, name_end);
    if (c.text[c.end - 1] == '>' ? !ends_with_tag(before) : !ends_with_key(before)) return;
    const auto end = c.text.find_first_of("\"<\n", c.end);
    if (end != std::string_view::npos && c.text[c.end - 1] == '>' && !c.text.substr(end).starts_with("</")) return;
    if (end == std::string_view::npos || end - c.end > 300) return;
    Assignment a{"password", c.text.substr(c.end, end - c.end), c.end, '"', false};
    if (a.value.size() < 6) return;
    const float score = judge(a);
    if (score > 0) sink.add(kind, a.begin, end, score);
}

// Their names, as alternatives of an expression.
const std::string kServiceNames = [] {
    std::string names;
    for (const auto& service : kServices) {
        names += names.empty() ? "(?:" : "|";
        names += service.name;
    }
    return names + ")";
}();

const auto kPatterns = std::to_array<Pattern>({
    {{"assignment", "CREDENTIAL", Category::credential},
     "(?:passw|passphrase|pwd|passwort|contrase|senha|kennwort|[_-]pass|[_-]pw|\\bpass|\\bpw|secret|token|cred|auth|"
     "key|access"
     "|haslo|wachtwoord)",
     true,
     assignment,
     "DB_PASSWORD=\"hunter2-is-mine\"",
     "password = read_password()"},
    {{"service-key", "CREDENTIAL", Category::credential},
     kServiceNames.c_str(),
     true,
     assignment,
     "HEROKU = \"{8h}-{4h}-{4h}-{4h}-{12h}\"",
     "twitter: @somebody_there_is"},
    {{"markup-password", "CREDENTIAL", Category::credential},
     "password(?:\"\\s{1,4}value=\"|>)",
     true,
     of_markup,
     "<add key=\"ClearTextPassword\" value=\"{16}\" />",
     "<password>changeme</password>"},
});

}  // namespace

std::span<const Pattern> assignment_patterns() {
    return kPatterns;
}

}  // namespace tandem::privacy
