// Secrets that only their name gives away: `password = ...` in a shell, .env, YAML, JSON, XML or source code. The
// candidate ends with a telling word; the rest of the name, the operator and the value are read on from there.
#include <optional>

#include "privacy/patterns/checks.h"
#include "privacy/patterns/patterns.h"

namespace tandem::privacy {

namespace {

using config::Category;

// A service whose keys have no form of their own but an alphabet and a length.
struct Service {
    std::string_view name;
    enum class Alphabet { hex, mixed, dashed, uuid } alphabet;
    std::size_t least, most;
};
using enum Service::Alphabet;
constexpr auto kServices = std::to_array<Service>({
    {"adafruit", dashed, 32, 32},    {"adobe", hex, 32, 32},         {"airtable", mixed, 17, 17},
    {"algolia", mixed, 32, 32},      {"alibaba", mixed, 30, 30},     {"asana", mixed, 16, 32},
    {"atlassian", mixed, 24, 24},    {"confluence", mixed, 24, 24},  {"jira", mixed, 24, 24},
    {"beamer", dashed, 46, 46},      {"bitbucket", dashed, 32, 64},  {"bittrex", mixed, 32, 32},
    {"meraki", hex, 40, 40},         {"cloudflare", dashed, 37, 40}, {"codecov", mixed, 32, 32},
    {"cohere", mixed, 40, 40},       {"co_api_key", mixed, 40, 40},  {"coinbase", dashed, 64, 64},
    {"confluent", mixed, 16, 64},    {"contentful", dashed, 43, 43}, {"datadog", mixed, 32, 40},
    {"discord", dashed, 18, 64},     {"droneci", mixed, 32, 32},     {"dropbox", dashed, 15, 200},
    {"etsy", mixed, 24, 24},         {"facebook", hex, 32, 32},      {"fastly", dashed, 32, 32},
    {"finicity", mixed, 20, 32},     {"finnhub", mixed, 20, 20},     {"flickr", mixed, 32, 32},
    {"freshbooks", mixed, 64, 64},   {"gitter", dashed, 40, 40},     {"heroku", uuid, 36, 36},
    {"hubspot", uuid, 36, 36},       {"intercom", dashed, 60, 60},   {"jfrog", mixed, 64, 73},
    {"artifactory", mixed, 64, 73},  {"bintray", mixed, 40, 73},     {"kraken", dashed, 80, 90},
    {"kucoin", hex, 24, 24},         {"kucoin", uuid, 36, 36},       {"launchdarkly", dashed, 40, 40},
    {"linear", hex, 32, 32},         {"linkedin", mixed, 14, 16},    {"linked_in", mixed, 14, 16},
    {"looker", mixed, 20, 24},       {"mailgun", dashed, 32, 60},    {"mapbox", dashed, 60, 100},
    {"mattermost", mixed, 26, 26},   {"messagebird", mixed, 25, 25}, {"messagebird", uuid, 36, 36},
    {"message_bird", mixed, 25, 25}, {"netlify", dashed, 40, 46},    {"newrelic", mixed, 40, 64},
    {"new_relic", mixed, 40, 64},    {"nytimes", dashed, 32, 32},    {"okta", dashed, 42, 42},
    {"plaid", mixed, 24, 30},        {"privateai", mixed, 32, 32},   {"rapidapi", dashed, 50, 50},
    {"sendbird", hex, 40, 40},       {"sendbird", uuid, 36, 36},     {"sentry", hex, 64, 64},
    {"snyk", uuid, 36, 36},          {"sonar", dashed, 40, 44},      {"squarespace", uuid, 36, 36},
    {"sumo", mixed, 14, 64},         {"travis", mixed, 22, 22},      {"twitch", mixed, 30, 30},
    {"twitter", dashed, 25, 116},    {"typeform", dashed, 40, 66},   {"yandex", dashed, 38, 200},
    {"zendesk", mixed, 40, 40},      {"trello", mixed, 32, 64},      {"pagerduty", dashed, 20, 20},
    {"cloudinary", dashed, 27, 27},  {"softlayer", mixed, 64, 64},   {"cloudant", mixed, 24, 64},
    {"mailchimp", mixed, 32, 37},    {"twilio", hex, 32, 32},        {"stripe", mixed, 24, 99},
    {"openai", dashed, 40, 200},     {"amplitude", hex, 32, 32},     {"segment", mixed, 32, 32},
    {"bugsnag", hex, 32, 32},        {"rollbar", hex, 32, 32},       {"mixpanel", hex, 32, 32},
    {"circleci", hex, 40, 40},       {"circle_token", hex, 40, 40},  {"wandb", hex, 40, 40},
    {"elevenlabs", hex, 32, 32},     {"deepl", uuid, 36, 39},        {"mistral", mixed, 32, 32},
    {"together", hex, 64, 64},       {"infura", hex, 32, 32},        {"alchemy", dashed, 32, 32},
    {"etherscan", mixed, 34, 34},    {"moralis", mixed, 64, 64},     {"deepgram", hex, 40, 40},
    {"assemblyai", hex, 32, 32},     {"telegr", dashed, 40, 46},     {"bundle_enterprise", dashed, 17, 17},
});

bool in(Service::Alphabet alphabet, char c) {
    switch (alphabet) {
        case hex:
            return digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
        case uuid:
            return digit(c) || (lower(c) >= 'a' && lower(c) <= 'f') || c == '-' || c == ':';
        case mixed:
            return digit(c) || letter(c);
        case dashed:
            return word(c) || c == '-' || c == '=' || c == '.' || c == '/' || c == '+' || c == ':' || c == '%';
    }
    return false;
}

bool is_uuid(std::string_view value) {
    if (value.size() != 36) return false;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? value[i] != '-' : !in(hex, value[i])) return false;
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

std::optional<Assignment> read_assignment(const Candidate& c, Sink& sink) {
    const auto text = c.text;
    std::size_t at = c.end;
    // The rest of the operator (=> == := ||), spaces and quotes.
    while (at < text.size() && (text[at] == '=' || text[at] == '>' || text[at] == ':' || text[at] == '~')) ++at;
    if (at - c.end > 2) return {};
    std::size_t spaces = 0;
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t') && spaces++ < 8) ++at;
    for (const std::string_view prefix :
         {"String(", "str(", "b\"", "b'", "r\"", "r'", "f\"", "u'", "u\"", "@\"", "\\\""})
        if (text.substr(at).starts_with(prefix)) {
            at += prefix.size() - 1;
            break;
        }
    char quote = 0;
    while (at < text.size() && (text[at] == '"' || text[at] == '\'' || text[at] == '`') &&
           (quote == 0 || quote == text[at]))
        quote = text[at++];
    const bool listed = text[c.end - 1] == ',';
    if (listed && (quote == 0 || c.end < 2 || text[c.end - 2] != quote)) return {};
    auto& known = sink.values_read[quote == 0 ? 0U : quote == '"' ? 1U : quote == '\'' ? 2U : 3U];
    std::size_t end = end_of_value(text, at, quote, known);
    // One that holds others is judged a few times; the innermost always is.
    if (known.judged >= kMostNested &&
        text.substr(at, end - at).find_first_of("=:") < end - at - std::min<std::size_t>(end - at, 2))
        return {};
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

// What every secret has: letters, and digits or marks; a UUID has what it has.
bool may_be_secret(std::string_view value) {
    bool some_letter = false, other = false;
    for (const char c : value) {
        some_letter = some_letter || letter(c);
        other = other || digit(c) || (!letter(c) && std::string_view("!@#$%^&*?~+").find(c) != std::string_view::npos);
        if (some_letter && other) return true;
    }
    return value.size() == 36;
}

// How sure the form of a service's keys makes it; 0: no service is named that has keys of this form.
float judge_by_service(std::string_view name, std::string_view v, double bits) {
    static const Words kNames([] {
        std::vector<std::string_view> names;
        for (const auto& service : kServices) names.push_back(service.name);
        return names;
    }());
    if (!kNames.in(name)) return 0;
    const bool some_digit = std::ranges::any_of(v, digit), some_letter = std::ranges::any_of(v, letter);
    for (const auto& service : kServices) {
        if (v.size() < service.least || v.size() > service.most || name.find(service.name) == std::string_view::npos)
            continue;
        if (!std::ranges::all_of(v, [&](char c) { return in(service.alphabet, c); })) continue;
        if (service.alphabet == uuid ? bits >= 2.5 : bits >= 3.0 && some_digit && some_letter && !is_wordy(v))
            return 0.8F;
        if (service.alphabet == dashed && bits >= 3.5 && some_digit) return 0.7F;
    }
    return 0;
}

constexpr std::size_t kShortestSecret = 6;
constexpr double kLeastBits = 2.5;  // of entropy a byte

// How sure it is that this is a secret; 0: it is none. What says so soonest comes first: hostile text asks often.
float judge(const Assignment& a) {
    const auto& name = a.name;
    const auto v = a.value;
    if (v.size() < kShortestSecret || !may_be_secret(v)) return 0;
    const double bits = entropy(v);
    if (bits < kLeastBits) return 0;
    // Only the end of the name says what the value is: `token_count`, `password_field` and `secret_name` hold none.
    const auto tail = std::string_view(name).substr(name.size() > 32 ? name.size() - 32 : 0);
    static const Words kNoSecret = {
        "hash",    "sha1",      "sha2",      "md5",      "digest",      "checksum",    "fingerprint", "public_key",
        "pubkey",  "publickey", "integrity", "revision", "commit",      "uuid",        "_id_",        "max_tokens",
        "tokens",  "tokenizer", "_file",     "_path",    "_dir",        "_url",        "_uri",        "_name",
        "_length", "_size",     "_count",    "_field",   "_type",       "_label",      "_column",     "_header",
        "_regex",  "_pattern",  "_format",   "_prompt",  "_hint",       "_policy",     "_age",        "keyboard",
        "monkey",  "keyword",   "key_code",  "keycode",  "primary_key", "foreign_key", "sort_key",    "cache_key",
        "csrf",    "license"};
    if (kNoSecret.in(tail)) return 0;
    if (tail.ends_with("_id") && tail.find("access_key_id") == std::string_view::npos &&
        tail.find("secret_id") == std::string_view::npos)
        return 0;
    if (is_code(a) || is_placeholder(v)) return 0;
    const bool some_digit = std::ranges::any_of(v, digit), some_letter = std::ranges::any_of(v, letter);
    static const Words kPassword = {"passw",        "passphrase", "passwort", "pwd",      "contrase", "senha",
                                    "mot_de_passe", "wachtwoord", "haslo",    "kennwort", "_pass",    "_pw"};
    const bool password = kPassword.in(tail) || tail == "pass" || tail == "pw";
    const bool spaced = v.find(' ') != std::string_view::npos;
    if (const float score = judge_by_service(name, v, bits); score > 0) return score;
    if (password) {
        if (spaced || a.listed) return 0;
        const bool mark = std::ranges::any_of(
            v, [](char c) { return std::string_view("!@#$%^&*?~+").find(c) != std::string_view::npos; });
        if (!some_letter || (!some_digit && !mark)) return 0;
        // Bare values in prose and code must be odder than quoted ones.
        if (a.quote == 0 && !(some_digit && bits >= 2.75) && !(mark && some_digit)) return 0;
        if (a.quote == 0 && std::ranges::all_of(v, [](char c) { return word(c) || c == '.'; }) &&
            v.find('.') != std::string_view::npos)
            return 0;
        return 0.7F;
    }
    static const Words kSecret = {
        "secret",      "token",        "api_key",        "apikey",      "access_key",  "auth_key",
        "private_key", "signing_key",  "encryption_key", "service_key", "master_key",  "account_key",
        "storage_key", "credential",   "creds",          "_auth",       "session_key", "client_key",
        "app_key",     "consumer_key", "x_api_key",      "_key",        "access",      "key"};
    const bool secret = kSecret.in(tail);
    if (!secret || spaced || v.size() < 10 || !some_digit || !some_letter) return 0;
    if (!std::ranges::all_of(
            v, [](char c) { return word(c) || c == '.' || c == '-' || c == '=' || c == '+' || c == '/' || c == '~'; }))
        return 0;
    static const Words kSure = {"secret",      "token",       "api_key",    "apikey",      "access_key",
                                "auth_key",    "private_key", "client_key", "signing_key", "encryption_key",
                                "account_key", "credential",  "creds",      "app_key",     "master_key"};
    const bool sure = kSure.in(tail);
    if (is_uuid(v)) return sure && bits >= 3.0 ? 0.5F : 0;
    if (a.listed && !(sure && bits >= 3.5)) return 0;
    if (a.quote == 0 && v.find('.') != std::string_view::npos && letter(v.front()) && !v.starts_with("ey")) return 0;
    if (is_wordy(v) || bits < (v.size() >= 20 ? 3.4 : 3.1)) return 0;
    if (!sure && (a.quote == 0 || v.size() < 16 || bits < 3.5)) return 0;
    return sure ? 0.75F : 0.55F;
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
