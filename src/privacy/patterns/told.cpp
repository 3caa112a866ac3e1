// Passwords that are told in plain words: "my password is ...", "das Passwort lautet ...". The candidate ends with the
// telling word; what links it to its value, and the value, are read on from there. Most sentences about passwords hold
// none ("is wrong", "is too short"), so a value has a digit or a mark in it, or stands in quotes.
#include "privacy/patterns/checks.h"
#include "privacy/patterns/patterns.h"

namespace tandem::privacy {

namespace {

using config::Category;

constexpr std::size_t kFarthest = 60;  // bytes from the telling word to the verb
constexpr std::size_t kLongestValue = 100;
constexpr std::size_t kShortestPlain = 5, kShortestQuoted = 4, kFewestDigits = 6;
constexpr std::string_view kMarks = "!@#$%^&*?~+=";

bool part_of_word(char c) {
    return word(c) || static_cast<unsigned char>(c) >= 0x80;
}

// Small letters of ASCII, the others as they are.
std::string small(std::string_view text) {
    std::string out;
    for (const char c : text) out += lower(c);
    return out;
}

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view text) {
    return std::ranges::find(words, small(text)) != words.end();
}

constexpr auto kVerbs = std::to_array<std::string_view>(
    {"is",       "was",      "ist", "lautet", "war",   "est",  "c'est", "\xC3\xA9tait", "es",          "era",
     "\xC3\xA8", "\xC3\xA9", "e'",  "to",     "brzmi", "will", "wird",  "sera",         "ser\xC3\xA1", "wordt"});
// What a password may be for; other words behind it name another thing: a policy, a field, a manager.
constexpr auto kFor = std::to_array<std::string_view>(
    {"for", "of",  "to", "at",    "on",  "in", "here", "f\xC3\xBCr", "zu", "zum", "zur",  "vom", "von",
     "des", "der", "am", "beim",  "auf", "im", "pour", "de",         "du", "d'",  "para", "del", "do",
     "da",  "per", "di", "della", "al",  "a",  "voor", "van",        "op", "la",  "le",   "do"});
constexpr auto kBetween = std::to_array<std::string_view>(
    {"now",     "still",     "currently", "just",       "simply",   "set",      "to",    "as",      "follows",
     "the",     "following", "be",        "jetzt",      "nun",      "noch",     "immer", "einfach", "aktuell",
     "derzeit", "wie",       "folgt",     "maintenant", "toujours", "le",       "la",    "suivant", "siguiente",
     "ahora",   "agora",     "adesso",    "ora",        "seguente", "seguinte", "nu",    "nog"});
constexpr auto kStates = std::to_array<std::string_view>(
    {"wrong",    "incorrect", "invalid", "correct", "expired",    "required",   "null",       "none",
     "empty",    "weak",      "strong",  "missing", "unset",      "unknown",    "undefined",  "password",
     "passwort", "falsch",    "richtig", "leer",    "incorrecto", "incorrecta", "incorrecte", "vide",
     "errata",   "incorreta", "onjuist", "true",    "false"});

// A word of the trade with a digit in it, a length or an ordinal: "SHA256", "2FA", "12-character", "3rd".
bool is_of_the_trade(std::string_view value) {
    static constexpr auto kNames = std::to_array<std::string_view>(
        {"sha",       "md4",  "md5", "base64", "base32", "bcrypt", "scrypt", "pbkdf",    "argon",
         "oauth",     "utf",  "aes", "rsa",    "x509",   "pkcs",   "ntlm",   "kerberos", "rot13",
         "1password", "http", "ssl", "tls",    "wpa",    "iso",    "ps2"});
    static constexpr auto kUnits = std::to_array<std::string_view>(
        {"fa",    "char",   "chars", "character", "characters", "digit",   "digits",  "bit",     "bits",    "byte",
         "bytes", "day",    "days",  "hour",      "hours",      "minutes", "min",     "year",    "years",   "months",
         "weeks", "st",     "nd",    "rd",        "th",         "x",       "zeichen", "stellig", "stellen", "tage",
         "jahre", "caract", "jours", "tekens",    "caratteri",  "letters", "factor",  "step",    "way",     "words"});
    const auto text = small(value);
    for (const auto name : kNames)
        if (text.starts_with(name)) return true;
    std::size_t at = 0;
    while (at < text.size() && digit(text[at])) ++at;
    if (at == 0 || at > 4) return false;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    return std::ranges::any_of(kUnits, [&](std::string_view unit) { return text.substr(at).starts_with(unit); });
}

bool stands_for_one(std::string_view value) {
    static const Words kPlaceholders = {"example", "placeholder", "changeme", "your", "xxx", "****",
                                        "${",      "{{",          "redacted", "...",  "://"};
    return value.starts_with('<') || kPlaceholders.in(value);
}

bool is_marked(std::string_view value) {
    return std::ranges::any_of(value, [](char c) { return kMarks.find(c) != std::string_view::npos; });
}

// Bare, a value must be odd enough to be no word.
bool is_plain_secret(std::string_view value) {
    if (value.size() < kShortestPlain || value.size() > kLongestValue || is_of_the_trade(value)) return false;
    const auto digits = std::ranges::count_if(value, digit);
    const bool letters = std::ranges::any_of(value, [](char c) { return part_of_word(c) && !digit(c); });
    if (!letters) return static_cast<std::size_t>(digits) >= kFewestDigits;
    if (digits == 0 && !is_marked(value)) return false;
    // Versions, files and hosts: "v2.1", "login2.html".
    const bool dotted = value.find('.') != std::string_view::npos && !is_marked(value);
    return !dotted && value.find_first_of("/\\()[]|") == std::string_view::npos;
}

// In quotes, a word will do that is no state of a password.
bool is_quoted_secret(std::string_view value) {
    constexpr std::ptrdiff_t kPhrase = 3;  // blanks of a pass phrase of words alone
    if (value.size() < kShortestQuoted || value.size() > kLongestValue || is_one_of(kStates, value)) return false;
    const auto blanks = std::ranges::count(value, ' ');
    const bool odd = std::ranges::any_of(value, digit) || is_marked(value);
    return blanks == 0 ? !is_of_the_trade(value) : odd || blanks >= kPhrase;
}

// Goes through the words behind a place.
class Reader {
  public:
    Reader(std::string_view text, std::size_t at) : text_(text), begun_(at), at_(at) {}
    ~Reader() { work(at_ - begun_); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    std::size_t at() const { return at_; }
    std::string_view rest() const { return text_.substr(at_); }
    void skip_blanks() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    }
    void skip(std::size_t bytes) { at_ += bytes; }
    // The next word, or what stands between blanks in place of one; empty at the end of the line or a sentence.
    std::string_view next() {
        skip_blanks();
        const auto begin = at_;
        while (at_ < text_.size() && at_ - begin < kFarthest &&
               (part_of_word(text_[at_]) || text_[at_] == '\'' || text_[at_] == '-' || text_[at_] == '.'))
            ++at_;
        return text_.substr(begin, at_ - begin);
    }
    // The same, without going on.
    std::string_view ahead() {
        const auto before = at_;
        const auto found = next();
        at_ = before;
        return found;
    }

  private:
    const std::string_view text_;
    const std::size_t begun_;
    std::size_t at_;
};

// Behind "is", "lautet" and their like; false where no such word comes. `to_is_verb`: in Polish it is "is".
bool go_behind_verb(Reader& reader, bool to_is_verb) {
    const auto from = reader.at();
    for (bool first = true; reader.at() - from < kFarthest; first = false) {
        const auto one = reader.next();
        if (one.empty() || one.ends_with('.')) return false;
        if (is_one_of(kVerbs, one) && (to_is_verb || !first || one != "to")) break;
        if (first && !is_one_of(kFor, one)) return false;
    }
    for (int i = 0; i < 4; ++i) {
        const auto before = reader.ahead();
        if (!is_one_of(kBetween, before)) break;
        (void)reader.next();
    }
    reader.skip_blanks();
    if (reader.rest().starts_with(':')) reader.skip(1);
    reader.skip_blanks();
    return true;
}

struct Quotes {
    std::string_view open, close;
};
constexpr auto kQuotes = std::to_array<Quotes>({{"\"", "\""},
                                                {"'", "'"},
                                                {"`", "`"},
                                                {"\\\"", "\\\""},  // in a string of JSON
                                                {"\xE2\x80\x9C", "\xE2\x80\x9D"},
                                                {"\xE2\x80\x9E", "\xE2\x80\x9C"},
                                                {"\xE2\x80\x98", "\xE2\x80\x99"},
                                                {"\xC2\xAB", "\xC2\xBB"}});

void told(const Kind& kind, const Candidate& c, Sink& sink) {
    const auto text = c.text;
    if (c.end < text.size() && part_of_word(text[c.end])) return;
    constexpr std::size_t kBefore = 24;
    if (near(text, c.begin, c.end, {"default", "example", "sample", "standard", "beispiel", "exemple", "ejemplo"},
             kBefore, 0))
        return;
    Reader reader(text, c.end);
    const bool polish = text[c.end - 1] == 'o';
    if (!go_behind_verb(reader, polish)) return;
    while (reader.rest().starts_with('*')) reader.skip(1);  // Markdown's
    for (const auto& [open, close] : kQuotes) {
        if (!reader.rest().starts_with(open)) continue;
        reader.skip(open.size());
        const auto begin = reader.at();
        const auto line = text.substr(begin, kLongestValue + 8);
        const auto size = line.substr(0, line.find('\n')).find(close);
        if (size == std::string_view::npos) return;
        const auto value = text.substr(begin, size);
        reader.skip(size);
        if (is_quoted_secret(value) && !stands_for_one(value)) sink.add(kind, begin, begin + size, 0.7F);
        return;
    }
    const auto begin = reader.at();
    std::size_t end = begin;
    while (end < text.size() && end - begin <= kLongestValue && static_cast<unsigned char>(text[end]) > ' ' &&
           text[end] != '"' && text[end] != ',' && text[end] != ';' && text[end] != '\\')
        ++end;
    reader.skip(end - begin);
    while (end > begin && std::string_view(".!?:)*'`").find(text[end - 1]) != std::string_view::npos) --end;
    const auto value = text.substr(begin, end - begin);
    if (is_plain_secret(value) && !stands_for_one(value)) sink.add(kind, begin, end, 0.7F);
}

const auto kPatterns = std::to_array<Pattern>({
    {{"told-password", "CREDENTIAL", Category::credential},
     "(?:passwor[dt]|pass ?phrase|passcode|kennwort|contrase(?:\\xc3\\xb1|n)a|senha|wachtwoord|mot de passe"
     "|palavra[ -]passe|parola d'ordine|has(?:l|\\xc5\\x82)o)",
     true,
     told,
     "my password is hunter2",
     "my password is wrong"},
});

}  // namespace

std::span<const Pattern> told_patterns() {
    return kPatterns;
}

}  // namespace tandem::privacy
