#include "privacy/patterns.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace tandem::privacy {

namespace {

bool digit(char c) {
    return c >= '0' && c <= '9';
}
bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool word(char c) {
    return digit(c) || letter(c);
}

// Payment card: 13 to 19 digits with single spaces or dashes between them, not part of a longer run, an issuer's first
// digit, and the Luhn sum (ISO/IEC 7812-1).
bool is_card(std::string_view text, std::size_t end) {
    std::size_t last = end;
    auto separator = [&](std::size_t i) { return text[i] == ' ' || text[i] == '-'; };
    while (last < text.size() &&
           (digit(text[last]) || (separator(last) && last + 1 < text.size() && digit(text[last + 1])))) {
        if (last - end > 20) return false;
        ++last;
    }
    if (last < text.size() && letter(text[last])) return false;
    std::array<int, 20> digits{};
    std::size_t count = 0;
    std::size_t i = last;
    // Longest first would join two numbers that stand side by side; so the digits of one run without the separators
    // around are taken from its end, and each plausible length is tried.
    while (i > 0 && count < digits.size() && (digit(text[i - 1]) || separator(i - 1))) {
        --i;
        if (digit(text[i]))
            digits[count++] = text[i] - '0';
        else if (i == 0 || !digit(text[i - 1]))
            break;
        const bool at_start = i == 0 || !(digit(text[i - 1]) || letter(text[i - 1]) || text[i - 1] == '.');
        if (!digit(text[i]) || !at_start || count < 13 || count > 19) continue;
        const int first = digits[count - 1];
        if (first < 2 || first > 6) continue;
        int sum = 0;
        for (std::size_t k = 0; k < count; ++k) {
            const int doubled = digits[k] * (k % 2 == 1 ? 2 : 1);
            sum += doubled > 9 ? doubled - 9 : doubled;
        }
        const bool all_same = std::all_of(digits.begin(), digits.begin() + static_cast<std::ptrdiff_t>(count),
                                          [&](int d) { return d == digits[0]; });
        if (sum % 10 == 0 && !all_same) return true;
    }
    return false;
}

// Length of an IBAN by country (SWIFT IBAN registry); 0: no such country.
std::size_t iban_length(std::string_view country) {
    struct Country {
        std::string_view code;
        std::size_t length;
    };
    static constexpr std::array kCountries = std::to_array<Country>({
        {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22}, {"BH", 22},
        {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22}, {"DK", 18}, {"DO", 28},
        {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23},
        {"GL", 18}, {"GR", 27}, {"GT", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26},
        {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20},
        {"LV", 21}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NL", 18},
        {"NO", 15}, {"PK", 24}, {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"SA", 24},
        {"SC", 31}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"ST", 25}, {"SV", 28}, {"TL", 23}, {"TN", 24},
        {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20},
    });
    const auto* const found = std::ranges::find(kCountries, country, &Country::code);
    return found == kCountries.end() ? 0 : found->length;
}

// The candidate is the first eight characters, maybe with a space or dash behind four; the rest is read on from there.
// Modulo 97 is 1 with the first four characters moved to the end (ISO 13616-1).
bool is_iban(std::string_view text, std::size_t end) {
    std::size_t start = end - 8;
    if (text[end - 5] == ' ' || text[end - 5] == '-') --start;
    if (start > 0 && word(text[start - 1])) return false;
    std::string compact;
    std::size_t wanted = 0;
    for (std::size_t i = start; i < text.size() && (wanted == 0 || compact.size() < wanted); ++i) {
        if (word(text[i]))
            compact += static_cast<char>(std::toupper(static_cast<unsigned char>(text[i])));
        else if ((text[i] != ' ' && text[i] != '-') || i + 1 >= text.size() || !word(text[i + 1]))
            break;
        if (compact.size() == 2 && (wanted = iban_length(compact)) == 0) return false;
        if (compact.size() == wanted && i + 1 < text.size() && word(text[i + 1])) return false;
    }
    if (wanted == 0 || compact.size() != wanted) return false;
    int remainder = 0;
    for (const char c : compact.substr(4) + compact.substr(0, 4)) {
        if (digit(c))
            remainder = (remainder * 10 + (c - '0')) % 97;
        else
            remainder = (remainder * 100 + (c - 'A' + 10)) % 97;
    }
    return remainder == 1;
}

// The candidate ends two letters into the top-level domain.
bool is_email(std::string_view text, std::size_t end) {
    while (end < text.size() && (letter(text[end]))) ++end;
    if (end < text.size() && (digit(text[end]) || text[end] == '@')) return false;
    const auto at = text.rfind('@', end - 1);
    if (at == std::string_view::npos || at == 0 || end - at > 254) return false;
    const auto domain = text.substr(at + 1, end - at - 1);
    if (domain.front() == '.' || domain.front() == '-' || domain.find("..") != std::string_view::npos) return false;
    const char before = text[at - 1];
    return before != '.' && (word(before) || before == '_' || before == '%' || before == '+' || before == '-');
}

bool is_placeholder(std::string_view value) {
    static constexpr std::array<std::string_view, 14> kWords = {"example",  "placeholder", "changeme", "your", "xxxx",
                                                                "****",     "....",        "<",        "${",   "{{",
                                                                "redacted", "dummy",       "insert",   "null"};
    std::string low(value);
    std::ranges::transform(low, low.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (std::ranges::any_of(kWords, [&](std::string_view w) { return low.find(w) != std::string::npos; })) return true;
    return std::ranges::all_of(low, [&](char c) { return c == low.front(); });
}

// The value behind "password = ": the candidate ends eight characters into it. Code such as `password = get_password()`
// and prose are no secrets: a value mixes letters with digits or punctuation, and calls nothing.
bool is_assigned_secret(std::string_view text, std::size_t end) {
    auto outside = [](char c) {
        return c == '"' || c == '\'' || c == '`' || c == ',' || c == ';' || static_cast<unsigned char>(c) <= ' ';
    };
    std::size_t start = end;
    while (start > 0 && !outside(text[start - 1]) && text[start - 1] != '=' &&
           !(text[start - 1] == ':' && end - start >= 8))
        --start;
    while (end < text.size() && !outside(text[end]) && end - start < 256) ++end;
    const auto value = text.substr(start, end - start);
    if (value.size() < 8 || is_placeholder(value)) return false;
    // A call, an index or a member is code that gets a value from elsewhere.
    const auto name_end = std::ranges::find_if_not(value, [](char c) { return word(c) || c == '_' || c == '.'; });
    if (name_end != value.end() && name_end != value.begin() && (*name_end == '(' || *name_end == '[')) return false;
    if (value.find("::") != std::string_view::npos || value.find("->") != std::string_view::npos) return false;
    const bool has_letter = std::ranges::any_of(value, letter);
    const bool has_digit = std::ranges::any_of(value, digit);
    const bool has_mark =
        std::ranges::any_of(value, [](char c) { return !word(c) && c != '.' && c != '_' && c != '-'; });
    return has_letter && (has_digit || has_mark);
}

// scheme://user:password@ : the candidate ends with the '@'.
bool is_url_password(std::string_view text, std::size_t end) {
    const auto colon = text.rfind(':', end - 2);
    if (colon == std::string_view::npos) return false;
    return !is_placeholder(text.substr(colon + 1, end - colon - 2));
}

// Tokens of one family are words of their own.
bool ends_word(std::string_view text, std::size_t end) {
    return end >= text.size() || !word(text[end]);
}

constexpr auto kPatterns = std::to_array<Pattern>({
    {"private-key", Finds::credential, "-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----", false, nullptr,
     "-----BEGIN OPENSSH PRIVATE KEY-----", "-----BEGIN PUBLIC KEY-----"},
    {"putty-key", Finds::credential, "PuTTY-User-Key-File-[23]:", false, nullptr, "PuTTY-User-Key-File-3: ssh-ed25519",
     "PuTTY-User-Key-File"},
    {"age-key", Finds::credential, "AGE-SECRET-KEY-1[0-9A-Z]{58}", false, nullptr,
     "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ", "AGE-SECRET-KEY-1"},
    {"aws-access-key", Finds::credential, "\\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}", false, ends_word,
     "id AKIAIOSFODNN7EXAMPLE.", "AKIAIOSFODNN7EXAMPLEX"},
    {"aws-secret-key", Finds::credential, "aws.{0,20}secret.{0,20}[\"'=:\\s][A-Za-z0-9/+]{40}", true, ends_word,
     "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzzzz", "aws_secret_access_key is set elsewhere"},
    {"github-token", Finds::credential, "\\bgh[pousr]_[A-Za-z0-9]{36}", false, ends_word,
     "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_short"},
    {"github-fine-grained", Finds::credential, "\\bgithub_pat_[A-Za-z0-9_]{82}", false, nullptr,
     "github_pat_11AAAAAAA0aaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
     "github_pat_11AAAA"},
    {"gitlab-token", Finds::credential, "\\bgl(?:pat|ptt|dt|rt|soat)-[A-Za-z0-9_-]{20}", false, nullptr,
     "glpat-aB3dE6gH9jK2mN5pQ8sT", "glpat-x"},
    {"slack-token", Finds::credential, "\\bxox[abeoprs]-[A-Za-z0-9-]{20}", false, nullptr,
     "xoxb-123456789012-abcdefghijkl", "xoxb-1"},
    {"slack-webhook", Finds::credential, "hooks\\.slack\\.com/(?:services|workflows)/[A-Za-z0-9+/]{40}", false, nullptr,
     "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
     "https://hooks.slack.com/services/"},
    {"stripe-key", Finds::credential, "\\b[rs]k_(?:live|test|prod)_[A-Za-z0-9]{16}", false, nullptr,
     "sk_live_4eC39HqLyjWDarjtT1zdp7dc", "sk_live_x"},
    {"anthropic-key", Finds::credential, "\\bsk-ant-[A-Za-z0-9_-]{24}", false, nullptr,
     "sk-ant-api03-abcdefghijklmnopqrstuvwx", "sk-ant-"},
    {"openai-key", Finds::credential, "\\bsk-(?:proj|svcacct|admin|or-v1)-[A-Za-z0-9_-]{24}", false, nullptr,
     "sk-proj-abcdefghijklmnopqrstuvwxyz012345", "sk-proj-x"},
    {"sk-key", Finds::credential, "\\bsk-[A-Za-z0-9]{32}", false, nullptr, "sk-abcdEFGH0123abcdEFGH0123abcdEFGH0123",
     "sk-learn-is-a-library"},
    {"google-api-key", Finds::credential, "\\bAIza[0-9A-Za-z_-]{35}", false, ends_word,
     "AIzaSyA1234567890abcdefghijklmnopqrstuv", "AIzaShort"},
    {"google-oauth", Finds::credential, "\\bya29\\.[0-9A-Za-z_-]{30}", false, nullptr,
     "ya29.a0AfH6SMBxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "ya29.x"},
    {"azure-storage", Finds::credential, "AccountKey=[A-Za-z0-9+/]{86}==", false, nullptr,
     "AccountKey=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
     "AccountKey=short"},
    {"digitalocean", Finds::credential, "\\bdo[opr]_v1_[a-f0-9]{64}", false, nullptr,
     "dop_v1_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "dop_v1_012"},
    {"npm-token", Finds::credential, "\\bnpm_[A-Za-z0-9]{36}", false, ends_word,
     "npm_abcdefghijklmnopqrstuvwxyz0123456789", "npm_config_registry"},
    {"pypi-token", Finds::credential, "\\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50}", false, nullptr,
     "pypi-AgEIcHlwaS5vcmcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "pypi-simple"},
    {"huggingface", Finds::credential, "\\bhf_[A-Za-z]{34}", false, ends_word, "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH",
     "hf_hub_download"},
    {"groq-key", Finds::credential, "\\bgsk_[A-Za-z0-9]{52}", false, nullptr,
     "gsk_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOP", "gsk_x"},
    {"sendgrid", Finds::credential, "\\bSG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}", false, nullptr,
     "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", "SG.x.y"},
    {"twilio-key", Finds::credential, "\\bSK[0-9a-f]{32}", false, ends_word, "SK0123456789abcdef0123456789abcdef",
     "SK0123456789abcdef"},
    {"mailgun-key", Finds::credential, "\\bkey-[0-9a-f]{32}", false, ends_word, "key-0123456789abcdef0123456789abcdef",
     "key-value"},
    {"telegram-bot", Finds::credential, "\\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}", false, nullptr,
     "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw8", "110201543:AAHd"},
    {"shopify", Finds::credential, "\\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}", false, nullptr,
     "shpat_0123456789abcdef0123456789abcdef", "shpat_"},
    {"square", Finds::credential, "\\bsq0(?:atp|csp)-[A-Za-z0-9_-]{22}", false, nullptr,
     "sq0atp-abcdefghijklmnopqrstuv", "sq0atp-"},
    {"databricks", Finds::credential, "\\bdapi[a-f0-9]{32}", false, ends_word, "dapi0123456789abcdef0123456789abcdef",
     "dapi01"},
    {"docker-token", Finds::credential, "\\bdckr_pat_[A-Za-z0-9_-]{27}", false, nullptr,
     "dckr_pat_abcdefghijklmnopqrstuvwxyz0", "dckr_pat_"},
    {"vault-token", Finds::credential, "\\bhv[sbr]\\.[A-Za-z0-9_-]{24}", false, nullptr,
     "hvs.abcdefghijklmnopqrstuvwxyz", "hvs.x"},
    {"jwt", Finds::credential, "\\beyJ[A-Za-z0-9_-]{10,400}\\.eyJ[A-Za-z0-9_-]{10,2000}\\.[A-Za-z0-9_-]{10}", false,
     nullptr, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
     "eyJhbGciOiJIUzI1NiJ9.notjson"},
    {"authorization", Finds::credential,
     "authorization[\"']?\\s{0,3}[:=]\\s{0,3}[\"']?(?:bearer|basic|token)\\s{1,3}[A-Za-z0-9._~+/=-]{16}", true, nullptr,
     "Authorization: Bearer abcdef0123456789abcdef", "Authorization: Bearer <token>"},
    {"url-password", Finds::credential, "[a-z][a-z0-9+.-]{1,20}://[^\\s:@/\"'<>]{0,64}:[^\\s@/\"'<>]{3,128}@", true,
     is_url_password, "postgres://app:s3cr3t-pw@db.internal/app", "postgres://app:${PASSWORD}@db/app"},
    {"assignment", Finds::credential,
     "(?:passw(?:or)?d|passphrase|pwd|secret|api[_-]?key|access[_-]?key|auth[_-]?token|access[_-]?token|private[_-]?"
     "token|client[_-]?secret)"
     "[\"'`]?\\s{0,3}(?::|=|:=|=>)\\s{0,3}[\"'`]?[^\\s\"'`]{8}",
     true, is_assigned_secret, "DB_PASSWORD=\"hunter2-is-mine\"", "password = read_password()"},
    {"card", Finds::card, "[0-9](?:[ -]?[0-9]){12}", false, is_card, "card 4111 1111 1111 1111, thanks",
     "order 4111 1111 1111 1112"},
    {"iban", Finds::iban, "[A-Z]{2}[0-9]{2}[ -]?[A-Z0-9]{4}", true, is_iban, "IBAN DE89 3704 0044 0532 0130 00.",
     "DE89 3704 0044 0532 0130 01"},
    {"email", Finds::email, "[A-Za-z0-9_%+-]@[A-Za-z0-9][A-Za-z0-9.-]{0,100}\\.[A-Za-z]{2}", false, is_email,
     "write to jane.doe@example.org!", "use @decorator.py"},
});

}  // namespace

std::span<const Pattern> patterns() {
    return kPatterns;
}

}  // namespace tandem::privacy
