// Tokens that can be told by their form: a prefix that its issuer chose, an alphabet, a length. The forms are those
// that the issuers document, and those that scanners of source code (gitleaks, detect-secrets) look for.
//
// In examples {36} stands for so many letters and digits, {36h} for hex digits, {36u} for capitals and digits, {36d}
// for digits, {36l} for letters: no key of anybody stands here, and no scanner mistakes this file for one.
#include "privacy/patterns/checks.h"
#include "privacy/patterns/patterns.h"

namespace tandem::privacy {

namespace {

using config::Category;

bool base64(char c) {
    return word(c) || c == '-' || c == '+' || c == '/' || c == '=';
}

bool in_token(char c) {
    return word(c) || c == '-';
}
bool in_base64_token(char c) {
    return base64(c) || c == '.';
}

// No token is longer: hostile text must not have each of its candidates read to its end.
constexpr std::size_t kLongestToken = 8 * 1024;

std::size_t end_of(std::string_view text, std::size_t at, bool (*in)(char)) {
    const std::size_t limit = std::min(text.size(), at + kLongestToken);
    const std::size_t from = at;
    while (at < limit && in(text[at])) ++at;
    work(at - from);
    return at;
}
constexpr std::size_t kLongestHead = 256;  // of an expression of several widths, in front of its least
std::size_t begin_of(std::string_view text, std::size_t at, bool (*in)(char)) {
    const std::size_t limit = at - std::min(at, kLongestHead);
    const std::size_t from = at;
    while (at > limit && in(text[at - 1])) --at;
    work(from - at);
    return at;
}

// A candidate whose expression has several widths, from where its token begins.
Candidate whole_token(const Candidate& c) {
    return {c.text, begin_of(c.text, c.begin, in_token), c.end};
}

// A token is random: few of its characters repeat, and it is no word that stands for one.
bool looks_random(std::string_view token) {
    const auto tail = token.size() > 24 ? token.substr(token.size() - 24) : token;
    return entropy(tail) >= 2.5 && token.find("EXAMPLE") == std::string_view::npos &&
           token.find("XXXX") == std::string_view::npos && token.find("xxxx") == std::string_view::npos &&
           token.find("your") == std::string_view::npos;
}

void add_token(const Kind& kind, std::string_view text, std::size_t begin, std::size_t end, Sink& sink) {
    if (looks_random(text.substr(begin, end - begin))) sink.add(kind, begin, end, 0.95F);
}

// The whole word: nothing of the alphabet follows.
void whole(const Kind& kind, const Candidate& c, Sink& sink) {
    if (ends_word(c.text, c.end)) add_token(kind, c.text, c.begin, c.end, sink);
}

constexpr unsigned kMostTries = 8;  // of candidates in one token

// Whether the candidate is part of a token that was taken already, or that was tried often enough.
bool was_read(const Candidate& c, Sink& sink) {
    if (c.end > sink.token_read) {
        sink.token_tries = 0;
        sink.token_taken = false;
        return false;
    }
    return sink.token_taken || ++sink.token_tries > kMostTries;
}
void take_token(const Kind& kind, const Candidate& c, std::size_t end, Sink& sink) {
    const auto before = sink.hits.size();
    add_token(kind, c.text, c.begin, end, sink);
    sink.token_taken = sink.hits.size() > before;
    sink.token_read = std::max(sink.token_read, end);
}

// At least so long: it is read on to its end.
void take_longer(const Kind& kind, const Candidate& c, Sink& sink) {
    take_token(kind, c, end_of(c.text, c.end, in_token), sink);
}
void take_longer_base64(const Kind& kind, const Candidate& c, Sink& sink) {
    std::size_t end = end_of(c.text, c.end, in_base64_token);
    while (end > c.end && c.text[end - 1] == '.') --end;
    take_token(kind, c, end, sink);
}
void longer(const Kind& kind, const Candidate& c, Sink& sink) {
    if (!was_read(c, sink)) take_longer(kind, c, sink);
}
void longer_base64(const Kind& kind, const Candidate& c, Sink& sink) {
    if (!was_read(c, sink)) take_longer_base64(kind, c, sink);
}

// The same, of an expression with several widths. Reading back to where it begins costs most, and comes last.
void whole_of_some_width(const Kind& kind, const Candidate& c, Sink& sink) {
    if (ends_word(c.text, c.end)) whole(kind, whole_token(c), sink);
}
void longer_of_some_width(const Kind& kind, const Candidate& c, Sink& sink) {
    if (!was_read(c, sink)) take_longer(kind, whole_token(c), sink);
}
void longer_base64_of_some_width(const Kind& kind, const Candidate& c, Sink& sink) {
    if (!was_read(c, sink)) take_longer_base64(kind, whole_token(c), sink);
}

constexpr std::size_t kLongestKey = 64 * 1024;  // bytes of a key's block

// A private key, to the end of its block.
void private_key(const Kind& kind, const Candidate& c, Sink& sink) {
    const auto begin = c.text.rfind("-----BEGIN", c.end);
    if (begin == std::string_view::npos) return;
    const auto block = c.text.substr(begin, kLongestKey);
    const auto from = std::max(c.end, sink.key_end_sought) - begin;
    auto end = from < block.size() ? block.find("-----END", from) : std::string_view::npos;
    if (end == std::string_view::npos) {
        sink.key_end_sought =
            std::max(sink.key_end_sought, begin + block.size() - std::min<std::size_t>(block.size(), 8));
        end = c.end;
    } else {
        end = block.find("-----", end + 8);
        end = begin + (end == std::string_view::npos ? block.size() : end + 5);
    }
    // The line alone, as in prose or code about keys, holds none.
    std::size_t at = c.end;
    while (at < c.text.size() && (static_cast<unsigned char>(c.text[at]) <= ' ' || c.text[at] == '\\' ||
                                  c.text[at] == 'n' || c.text[at] == 'r'))
        ++at;
    std::size_t body = 0;
    while (at + body < c.text.size() && base64(c.text[at + body]) && body < 40) ++body;
    const auto head = c.text.substr(at, 12);
    if (body >= 36 || head.starts_with("Proc-Type") || head.starts_with("Version:") || head.starts_with("Comment:"))
        sink.add(kind, begin, end, 1.0F);
}

void putty_key(const Kind& kind, const Candidate& c, Sink& sink) {
    const auto begin = c.text.rfind("PuTTY-User-Key-File", c.end);
    if (begin == std::string_view::npos) return;
    const auto block = c.text.substr(begin, kLongestKey);
    const auto from = std::max(c.end, sink.putty_end_sought) - begin;
    const auto end = from < block.size() ? block.find("Private-MAC:", from) : std::string_view::npos;
    if (end == std::string_view::npos)
        sink.putty_end_sought =
            std::max(sink.putty_end_sought, begin + block.size() - std::min<std::size_t>(block.size(), 12));
    sink.add(kind, begin, end == std::string_view::npos ? c.end : begin + std::min(block.find('\n', end), block.size()),
             1.0F);
}

// header.payload.signature, each base64url; the candidate ends in the header.
void jwt(const Kind& kind, const Candidate& c, Sink& sink) {
    if (c.begin < sink.jwt_read) return;  // within the header of the one before, and told with it
    std::size_t at = c.begin, parts = 0, end = c.begin;
    while (parts < 5) {
        const std::size_t from = at;
        while (at < c.text.size() && in_token(c.text[at])) ++at;
        if (parts == 0) sink.jwt_read = at;
        if (at - from < 10 || (parts == 1 && c.text.substr(from, 2) != "ey")) break;
        ++parts;
        end = at;
        if (at >= c.text.size() || c.text[at] != '.') break;
        ++at;
    }
    if (parts >= 2) sink.add(kind, c.begin, end, 0.95F);
}

constexpr bool space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// Whether a URL's scheme stands in front of `end`: two characters to 21.
bool scheme_before(std::string_view text, std::size_t end) {
    for (std::size_t at = end; at > 0 && end - at < 21; --at) {
        const char c = text[at - 1];
        if (letter(c) && end - at >= 1) return true;
        if (!letter(c) && !digit(c) && c != '+' && c != '.' && c != '-') return false;
    }
    return false;
}

// scheme://user:password@ : the candidate ends with the '@'.
void url_password_before(const Kind& kind, const Candidate& c, Sink& sink) {
    const auto scheme = c.text.rfind("://", c.end);
    const auto colon = c.text.rfind(':', c.end - 2);
    if (scheme == std::string_view::npos || colon == std::string_view::npos || colon <= scheme + 1) return;
    const auto password = c.text.substr(colon + 1, c.end - colon - 2);
    const auto host = c.text.substr(c.end, 12);
    if (is_placeholder(password) || is_placeholder(host.substr(0, host.find_first_of("/: \n\"'")))) return;
    if (host.find("example") != std::string_view::npos || password.front() == '$' || password.front() == '{' ||
        password.front() == '%')
        return;
    // A short word stands for a password, it is none.
    if (password.size() < 6 && std::ranges::all_of(password, letter)) return;
    const auto user = c.text.substr(scheme + 3, colon - scheme - 3);
    if (password.starts_with("anon") || (user.size() < 4 && password.size() < 4)) return;
    sink.add(kind, colon + 1, c.end - 1, 0.9F);
}

// The candidate ends with "://". An expression for all of it takes far longer where there are many.
void url_password(const Kind& kind, const Candidate& c, Sink& sink) {
    constexpr std::size_t kLongestUser = 64, kLongestPassword = 128, kLeastPassword = 3;
    const auto text = c.text;
    auto behind = [&](std::size_t at, std::size_t most, bool colons) {
        const std::size_t limit = std::min(text.size(), at + most + 1);
        while (at < limit && !space(text[at]) && text[at] != '@' && text[at] != '/' && text[at] != '"' &&
               text[at] != '\'' && text[at] != '<' && text[at] != '>' && (colons || text[at] != ':'))
            ++at;
        return at;
    };
    const std::size_t colon = behind(c.end, kLongestUser, false);
    if (colon - c.end > kLongestUser || colon >= text.size() || text[colon] != ':') return;
    const std::size_t end = behind(colon + 1, kLongestPassword, true), size = end - colon - 1;
    work(end - c.end);
    if (size < kLeastPassword || size > kLongestPassword || end >= text.size() || text[end] != '@') return;
    if (scheme_before(text, c.end - 3)) url_password_before(kind, {text, c.end, end + 1}, sink);
}

// The 40 characters behind a name with both aws and secret (or key) in it.
void aws_secret_before(const Kind& kind, const Candidate& c, Sink& sink) {
    if (c.end < c.text.size() && base64(c.text[c.end])) return;
    const auto value = c.text.substr(c.end - 40, 40);
    if (entropy(value) >= 3.5 && value.find("EXAMPLE") == std::string_view::npos && std::ranges::any_of(value, upper) &&
        std::ranges::any_of(value, digit))
        sink.add(kind, c.end - 40, c.end, 0.95F);
}

// The candidate ends with the telling word: the 40 characters stand behind a mark up to 40 bytes further on the line.
void aws_secret(const Kind& kind, const Candidate& c, Sink& sink) {
    constexpr std::size_t kSize = 40, kFarthest = 40;
    const auto text = c.text;
    auto in = [](char x) { return letter(x) || digit(x) || x == '/' || x == '+'; };
    if (c.end <= sink.aws_line_end) return;  // what was looked at reached over all of the line
    for (std::size_t at = std::max(c.end, sink.aws_read); at <= c.end + kFarthest && at + kSize < text.size(); ++at) {
        sink.aws_read = at + 1;
        if (space(text[at]) || std::string_view("\"'=:>,").find(text[at]) != std::string_view::npos) {
            std::size_t size = 0;
            while (size < kSize && in(text[at + kSize - size])) ++size;
            work(size);
            if (size == kSize) aws_secret_before(kind, {text, at + 1, at + 1 + kSize}, sink);
        }
        if (text[at] == '\n') {
            sink.aws_line_end = at;
            return;
        }
    }
}

// What stands behind "Authorization: Bearer" or `curl -u`: the candidate ends with its first byte.
void header_value(const Kind& kind, const Candidate& c, Sink& sink) {
    const std::size_t begin = c.end - 1;
    const std::size_t end = end_of(c.text, begin, [](char x) { return in_base64_token(x) || x == '~'; });
    const auto value = c.text.substr(begin, end - begin);
    if (value.size() < 16 || is_placeholder(value) || entropy(value) < 3.0) return;
    if (std::ranges::none_of(value, digit) && entropy(value) < 3.8) return;
    sink.add(kind, begin, end, 0.8F);
}
// Whether the option whose value's first byte ends at `end` is curl's: that word stands in front of it on the line, 200
// bytes away or less.
bool is_of_curl(std::string_view text, std::size_t end, Sink& sink) {
    constexpr std::size_t kFarthest = 200;
    constexpr std::string_view kCurl = "curl", kLong = "--user", kShort = "-u";
    std::size_t at = end - 1;
    if (at > 0 && (text[at - 1] == '"' || text[at - 1] == '\'')) --at;
    while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '=')) --at;
    const auto option = text.substr(0, at).ends_with(kLong) ? kLong : kShort;
    at -= std::min(at, option.size() + 1);  // with the blank in front of it
    const std::size_t limit = at - std::min(at, kFarthest + kCurl.size());
    auto& without = sink.without_curl;
    std::size_t from = at;
    while (from > limit) {
        if (from > without.from && from <= without.to) {
            from = without.from;
            continue;
        }
        work(1);
        if (text[from - 1] == '\n') break;
        const std::size_t begin = --from;
        if (text[begin] != kCurl.front() || begin + kCurl.size() > at || text.substr(begin, kCurl.size()) != kCurl)
            continue;
        const bool starts = starts_word(text, begin) || text[begin - 1] == '_';
        if (starts && ends_word(text, begin + kCurl.size())) return true;
    }
    without = {from, at - std::min(at, kCurl.size() - 1)};
    return false;
}

void curl_user(const Kind& kind, const Candidate& c, Sink& sink) {
    if (!is_of_curl(c.text, c.end, sink)) return;
    const std::size_t begin = c.end - 1;
    const char before = begin > 0 ? c.text[begin - 1] : ' ';
    const char quote = before == '"' || before == '\'' ? before : ' ';
    std::size_t end = begin;
    while (end < c.text.size() && c.text[end] != quote && c.text[end] != '\n' && end - begin < 200) ++end;
    const auto value = c.text.substr(begin, end - begin);
    const auto colon = value.find(':');
    if (colon == std::string_view::npos || value.size() - colon < 4 || is_placeholder(value)) return;
    if (value.find('$') != std::string_view::npos || value.find("://") != std::string_view::npos) return;
    sink.add(kind, begin + colon + 1, end, 0.7F);
}

constexpr Kind token(std::string_view id) {
    return {id, "CREDENTIAL", Category::credential};
}

const auto kPatterns = std::to_array<Pattern>({
    {token("private-key"), "-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----", false, private_key,
     "-----BEGIN OPENSSH PRIVATE KEY-----\n{64}\n{64}\n-----END OPENSSH PRIVATE KEY-----",
     "-----BEGIN PUBLIC KEY-----"},
    {token("putty-key"), "PuTTY-User-Key-File-[23]:", false, putty_key, "PuTTY-User-Key-File-3: ssh-ed25519\nComment",
     "PuTTY-User-Key-File"},
    {token("age-key"), "AGE-SECRET-KEY-1[0-9A-Z]{58}", false, whole, "AGE-SECRET-KEY-1{58u}", "AGE-SECRET-KEY-1"},
    {token("jwt"), "\\bey[JI][A-Za-z0-9_-]{9}", false, jwt, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{43}",
     "eyJhbGciOiJIUzI1NiJ9.notjson"},
    // cloud
    {token("aws-access-key"), "\\b(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16}", false,
     [](const Kind& k, const Candidate& c, Sink& s) {
         // AWS's own example counts too: people try a detector with it.
         if (ends_word(c.text, c.end) || c.text[c.end] == '_') s.add(k, c.begin, c.end, 0.95F);
     },
     "id AKIA{16u}.", "AKIAIOSFODNN7EXAMPLEX"},
    {token("aws-secret-key"), "(?:aws|amazon|secret|s3)", true, aws_secret, "aws_secret_access_key = {40}",
     "aws_secret_access_key is set elsewhere"},
    {token("aws-bedrock"), "\\bABSK[A-Za-z0-9+/]{109}", false, longer_base64, "ABSK{120}", "ABSK12"},
    {token("aws-bedrock-short"), "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t", false, longer_base64,
     "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9{40}", "bedrock-api-key-"},
    {token("google-api-key"), "\\bAIza[0-9A-Za-z_-]{35}", false, whole, "AIza{35}", "AIzaShort"},
    {token("google-oauth"), "\\bya29\\.[0-9A-Za-z_-]{20}", false, longer_base64, "ya29.{60}", "ya29.x"},
    {token("google-oauth-secret"), "\\bGOCSPX-[0-9A-Za-z_-]{28}", false, whole, "GOCSPX-{28}", "GOCSPX-x"},
    {token("azure-storage"), "AccountKey=[A-Za-z0-9+/]{86}==", false, longer_base64,
     "AccountKey={86}==", "AccountKey=short"},
    {token("azure-client-secret"), "[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31}", false, longer, "=abc8Q~{34}",
     "abc8Q~short"},
    {token("azure-devops"), "\\b[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}", false, whole, "{76}AZDO{4}", "AZDO1234"},
    {token("azure-function"), "AzFu[A-Za-z0-9_/+-]{24}", false, longer_base64, "{40}AzFu{30}==", "AzFu"},
    {token("alibaba-key"), "\\bLTAI[A-Za-z0-9]{20}", false, whole, "LTAI{20}", "LTAI5"},
    {token("tencent-key"), "\\bAKID[A-Za-z0-9]{32}", false, whole, "AKID{32}", "AKID5"},
    {token("digitalocean"), "\\bdo[opr]_v1_[a-f0-9]{64}", true, whole, "dop_v1_{64h}", "dop_v1_012"},
    {token("heroku"), "\\bHRKU-[A-Za-z0-9_-]{36}", false, longer, "HRKU-AA{58}", "HRKU-AA"},
    {token("ibm-cloud"), "\\bApiKey-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", false, whole,
     "ApiKey-{8h}-{4h}-{4h}-{4h}-{12h}", "ApiKey-1"},
    {token("cloudflare-ca"), "\\bv1\\.0-[a-f0-9]{24}-[a-f0-9]{146}", false, whole, "v1.0-{24h}-{146h}", "v1.0-{24h}"},
    {token("yandex-key"), "\\bAQVN[A-Za-z0-9_-]{35}", false, longer, "AQVN{35}", "AQVN1"},
    {token("yandex-iam"), "\\bt1\\.[A-Za-z0-9_-]{1,20}={0,2}\\.[A-Za-z0-9_-]{86}", false, whole_of_some_width,
     "t1.{8}.{86}", "t1.x.y"},
    {token("flyio"), "\\b(?:fo1_[A-Za-z0-9_-]{43}|fm[12][ar]?_[A-Za-z0-9+/]{100})", false, whole_of_some_width,
     "fo1_{43}", "fo1_x"},
    {token("planetscale"), "\\bpscale_(?:tkn|pw)_[A-Za-z0-9_=.-]{32}|\\bpscale_oauth_[A-Za-z0-9_=.-]{32}", false,
     longer_of_some_width, "pscale_tkn_{40}", "pscale_tkn_x"},
    {token("scalingo"), "\\btk-us-[A-Za-z0-9_-]{48}", false, whole, "tk-us-{48}", "tk-us-east"},
    {token("openshift"), "\\bsha256~[A-Za-z0-9_-]{43}", false, whole, "sha256~{43}", "sha256:{43}"},
    {token("kubernetes-secret"), "\\bkind:", false,
     [](const Kind& k, const Candidate& kind_of, Sink& s) {
         Candidate c = kind_of;
         const std::size_t blanks = c.text.substr(c.end, 5).find_first_not_of(" \t");
         if (blanks == std::string_view::npos || blanks > 4) return;
         c.end += blanks;
         if (c.text[c.end] == '"' || c.text[c.end] == '\'') ++c.end;
         if (!c.text.substr(c.end).starts_with("Secret") || !ends_word(c.text, c.end + 6)) return;
         c.end += 6;
         if (c.end <= s.secret_read) return;
         // The first value below `data:` or `stringData:`, within the same document.
         const auto rest = c.text.substr(c.end, 1500);
         const std::size_t from = std::max(c.end, s.data_sought) - c.end;
         auto data = rest.find('\n', from);
         while (data != std::string_view::npos && !rest.substr(data).starts_with("\ndata:") &&
                !rest.substr(data).starts_with("\nstringData:"))
             data = rest.find('\n', data + 1);
         if (data == std::string_view::npos) {
             s.data_sought = std::max(s.data_sought, c.end + rest.size() - std::min<std::size_t>(rest.size(), 12));
             return;
         }
         if (rest.substr(0, data).find("\n---") != std::string_view::npos) return;
         s.secret_read = c.end + data;
         auto at = rest.find(": ", rest.find('\n', data + 1));
         if (at == std::string_view::npos) return;
         at += 2;
         std::size_t end = at;
         while (end < rest.size() && (base64(rest[end]))) ++end;
         if (end - at >= 8) s.add(k, c.end + at, c.end + end, 0.8F);
     },
     "apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\ndata:\n  password: cGFzc3cwcmQ5OQ==\n",
     "kind: SecretStore\n"},
    // code, packages, builds
    {token("github-token"), "\\bgh[pousr]_[A-Za-z0-9]{36}", false, longer, "ghp_{36}", "ghp_short"},
    {token("github-fine-grained"), "\\bgithub_pat_[A-Za-z0-9_]{60}", false, longer, "github_pat_{22}_{59}",
     "github_pat_11AAAA"},
    {token("gitlab-token"), "\\bgl(?:pat|ptt|cbt|oas|agent|imt|ffct|soat|dt|ft|rt)-[A-Za-z0-9_.-]{20}", false,
     longer_base64_of_some_width, "glpat-{20}", "glpat-x"},
    {token("gitlab-runner"), "\\bGR1348941[A-Za-z0-9_-]{20}", false, longer, "GR1348941{20}", "GR1348941"},
    {token("gitlab-session"), "_gitlab_session=[0-9a-z]{32}", false, whole, "_gitlab_session={32h}",
     "_gitlab_session=x"},
    {token("bitbucket-app"), "\\bATBB[A-Za-z0-9]{24,32}", false, whole_of_some_width, "ATBB{32}", "ATBB1"},
    {token("atlassian"), "\\bATATT3[A-Za-z0-9_=-]{60}", false, longer_base64, "ATATT3{186}", "ATATT3"},
    {token("npm-token"), "\\bnpm_[A-Za-z0-9]{36}", true, whole, "npm_{36}", "npm_config_registry"},
    {token("npmrc"), "//[A-Za-z0-9./_-]{3,80}/:_authToken=[A-Za-z0-9_-]{20}", false,
     [](const Kind& k, const Candidate& c, Sink& s) {
         const auto at = c.text.rfind("_authToken=", c.end);
         if (at != std::string_view::npos) longer(k, {c.text, at + 11, c.end}, s);
     },
     "//registry.npmjs.org/:_authToken={36}", "//registry.npmjs.org/:_authToken=${NPM_TOKEN}"},
    {token("pypi-token"), "\\bpypi-AgE[A-Za-z0-9_-]{50}", false, longer, "pypi-AgEIcHlwaS5vcmc{80}", "pypi-simple"},
    {token("rubygems"), "\\brubygems_[a-f0-9]{48}", false, whole, "rubygems_{48h}", "rubygems_x"},
    {token("clojars"), "CLOJARS_[a-z0-9]{60}", true, whole, "CLOJARS_{60}", "CLOJARS_x"},
    {token("nuget-key"), "\\boy2[a-z0-9]{43}", false, whole, "oy2{43k}", "oy2x"},
    {token("docker-token"), "\\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{27}", false, longer, "dckr_pat_{27}", "dckr_pat_"},
    {token("artifactory"), "\\bAKCp[A-Za-z0-9]{69}", false, whole, "AKCp{69}", "AKCp5"},
    {token("artifactory-reference"), "\\bcmVmd[A-Za-z0-9]{59}", false, whole, "cmVmd{59}", "cmVmd"},
    {token("terraform"), "\\b[A-Za-z0-9]{14}\\.atlasv1\\.[A-Za-z0-9_=-]{60}", false, longer, "{14}.atlasv1.{67}",
     "x.atlasv1.y"},
    {token("vault-token"), "\\bhv[sbr]\\.[A-Za-z0-9_-]{24}", false, longer, "hvs.{90}", "hvs.x"},
    {token("pulumi"), "\\bpul-[a-f0-9]{40}", false, whole, "pul-{40h}", "pul-x"},
    {token("octopus"), "\\bAPI-[A-Z0-9]{26}", false, whole, "API-{26u}", "API-KEY"},
    {token("doppler"), "\\bdp\\.(?:pt|st|ct|sa|scim|audit)\\.[A-Za-z0-9._-]{40}", false,
     [](const Kind& k, const Candidate& c, Sink& s) {
         const auto at = c.text.rfind("dp.", c.end - 40);
         if (at != std::string_view::npos) longer(k, {c.text, at, c.end}, s);
     },
     "dp.pt.{43}", "dp.pt.x"},
    {token("harness"), "\\b[ps]at\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9]{24}\\.[A-Za-z0-9]{20}", false, whole,
     "pat.{22}.{24}.{20}", "pat.x.y"},
    {token("prefect"), "\\bpn[ub]_[A-Za-z0-9]{36}", false, whole, "pnu_{36}", "pnu_x"},
    {token("postman"), "\\bPMAK-[a-f0-9]{24}-[a-f0-9]{34}", true, whole, "PMAK-{24h}-{34h}", "PMAK-x"},
    {token("readme"), "\\brdme_[a-z0-9]{70}", false, whole, "rdme_{70k}", "rdme_x"},
    {token("sourcegraph"), "\\bsgp_(?:[a-fA-F0-9]{16}_|local_)?[a-fA-F0-9]{40}", false, whole_of_some_width,
     "sgp_{40h}", "sgp_x"},
    {token("sonar"), "\\bsq[upa]_[a-z0-9]{40}", false, whole, "squ_{40h}", "squ_x"},
    {token("infracost"), "\\bico-[A-Za-z0-9]{32}", false, whole, "ico-{32}", "ico-x"},
    {token("1password"), "\\bops_eyJ[A-Za-z0-9+/]{250}", false, longer_base64, "ops_eyJ{260}", "ops_eyJ"},
    {token("1password-secret-key"),
     "\\bA3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}", false,
     whole_of_some_width, "A3-{6u}-{11u}-{5u}-{5u}-{5u}", "A3-{6u}"},
    {token("sentry"), "\\bsntry[us]_[A-Za-z0-9+/=_-]{64}", false, longer_base64, "sntryu_{64h}", "sntryu_x"},
    {token("new-relic"), "\\bNR(?:AK|JS|II|AA|RA)-[A-Za-z0-9-]{19}", false, longer, "NRAK-{27u}", "NRAK-x"},
    {token("grafana"), "\\bgl(?:c_[A-Za-z0-9+/]{32}|sa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8})", false,
     longer_base64_of_some_width, "glsa_{32}_{8h}", "glc_x"},
    {token("dynatrace"), "\\bdt0[a-z][0-9]{2}\\.[A-Za-z0-9]{24}\\.[A-Za-z0-9]{64}", false, whole, "dt0c01.{24u}.{64u}",
     "dt0c01.x"},
    {token("launchdarkly"), "\\b(?:sdk|mob|api)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", false,
     whole, "sdk-{8h}-{4h}-{4h}-{4h}-{12h}", "sdk-version"},
    {token("databricks"), "\\bdapi[a-f0-9]{32}", false, longer, "dapi{32h}", "dapi01"},
    {token("airtable"), "\\bpat[A-Za-z0-9]{14}\\.[a-f0-9]{64}", false, whole, "pat{14}.{64h}", "pattern.x"},
    {token("notion"), "\\bntn_[0-9]{11}[A-Za-z0-9]{35}", false, whole, "ntn_{11d}{35}", "ntn_x"},
    {token("notion-secret"), "\\bsecret_[A-Za-z0-9]{43}", false, whole, "secret_{43}", "secret_x"},
    {token("linear"), "\\blin_(?:api|oauth)_[A-Za-z0-9]{40}", false, whole_of_some_width, "lin_api_{40}", "lin_api_x"},
    {token("figma"), "\\bfig[dou]_[A-Za-z0-9_-]{40}", false, longer, "figd_{40}", "figd_x"},
    {token("typeform"), "\\btfp_[A-Za-z0-9_.=-]{40}", false, longer_base64, "tfp_{59}", "tfp_x"},
    {token("contentful"), "\\bCFPAT-[A-Za-z0-9_-]{43}", false, longer, "CFPAT-{43}", "CFPAT-x"},
    {token("frameio"), "\\bfio-u-[A-Za-z0-9_=-]{64}", false, longer_base64, "fio-u-{64}", "fio-u-x"},
    {token("adobe"), "\\bp8e-[A-Za-z0-9]{32}", false, whole, "p8e-{32}", "p8e-x"},
    {token("intra42"), "\\bs-s4t2(?:ud|af)-[a-f0-9]{64}", false, whole, "s-s4t2ud-{64h}", "s-s4t2ud-x"},
    {token("maxmind"), "\\b[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk", false, whole, "{6}_{29}_mmk", "x_mmk"},
    {token("clickhouse"), "\\b4b1d[A-Za-z0-9]{38}", false, whole, "4b1d{38}", "4b1d"},
    {token("settlemint"), "\\bsm_[aps]at_[A-Za-z0-9]{16}", false, whole, "sm_pat_{16}", "sm_pat_x"},
    {token("authress"),
     "\\b(?:sc|ext|scauth|authress)_[a-z0-9]{5,30}\\.[a-z0-9]{4,6}\\.acc[_-][a-z0-9-]{10,32}\\.[A-Za-z0-9+/_=-]{30}",
     false,
     [](const Kind& k, const Candidate& c,
        Sink& s) { longer_base64(k, {c.text, begin_of(c.text, c.end, in_base64_token), c.end}, s); },
     "sc_{10k}.{4k}.acc-{12k}.{40}", "sc_x.y"},
    {token("defined-networking"), "\\bdnkey-[A-Za-z0-9_=-]{26}-[A-Za-z0-9_=-]{52}", false, whole, "dnkey-{26}-{52}",
     "dnkey-x"},
    {token("supabase"), "\\bsbp_[a-f0-9]{40}", false, whole, "sbp_{40h}", "sbp_x"},
    {token("vercel"), "\\bvc[pikar]_[A-Za-z0-9]{24,}", false, whole_of_some_width, "vcp_{56}", "vcp_x"},
    {token("netlify"), "\\bnf[pcuo]_[A-Za-z0-9]{36}", false, whole, "nfp_{36}", "nfp_x"},
    {token("tailscale"), "\\btskey-[a-z]{3,8}-[A-Za-z0-9_-]{16}", false, longer_of_some_width, "tskey-auth-{12}-{32}",
     "tskey-auth"},
    // chat, mail, phones
    {token("slack-token"), "\\bxox[abeoprs](?:\\.xox[bp])?-[A-Za-z0-9-]{14}", true, longer_of_some_width,
     "xoxb-{12d}-{12d}-{24}", "xoxb-1"},
    {token("slack-app"), "\\bxapp-[0-9]-[A-Z0-9]{5,14}-[0-9]{5,14}-[a-z0-9]{20}", true, longer_of_some_width,
     "xapp-1-A{10u}-{13d}-{64h}", "xapp-1-A"},
    {token("slack-webhook"), "hooks\\.slack\\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{30}", true,
     [](const Kind& k, const Candidate& c, Sink& s) {
         const auto at = c.text.rfind("hooks.", c.end);
         if (at != std::string_view::npos) longer_base64(k, {c.text, at, c.end}, s);
     },
     "https://hooks.slack.com/services/T{10u}/B{10u}/{24}", "https://hooks.slack.com/services/"},
    {token("teams-webhook"),
     "\\.webhook\\.office\\.com/webhookb2/[a-z0-9-]{36}@[a-z0-9-]{36}/IncomingWebhook/[a-z0-9]{32}", true,
     longer_base64,
     "https://x.webhook.office.com/webhookb2/{8h}-{4h}-{4h}-{4h}-{12h}@{8h}-{4h}-{4h}-{4h}-{12h}/IncomingWebhook/{32h}",
     "https://x.webhook.office.com/"},
    {token("discord-webhook"), "discord(?:app)?\\.com/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60}", false, longer,
     "https://discord.com/api/webhooks/{18d}/{68}", "discord.com/api/webhooks/1"},
    {token("discord-bot"), "\\b[MNO][A-Za-z0-9_-]{23,27}\\.[A-Za-z0-9_-]{6}\\.[A-Za-z0-9_-]{27}", false,
     longer_of_some_width, "M{25}.{6}.{38}", "Mx.y.z"},
    {token("telegram-bot"), "\\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}", false, whole_of_some_width, "{9d}:AA{33}",
     "110201543:AAHd"},
    {token("twilio-key"), "\\bSK[0-9a-fA-F]{32}", false, whole, "SK{32h}", "SK0123456789abcdef"},
    {token("sendgrid"), "\\bSG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}", false, longer, "SG.{22}.{43}", "SG.x.y"},
    {token("sendinblue"), "\\bxkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}", false, whole, "xkeysib-{64h}-{16}", "xkeysib-x"},
    {token("mailgun-key"), "\\bkey-[0-9a-f]{32}", false, whole, "key-{32h}", "key-value"},
    {token("mailchimp"), "\\b[0-9a-f]{32}-us[0-9]{1,2}", false, whole_of_some_width, "{32h}-us12", "x-us12"},
    // payment, commerce
    {token("stripe-key"), "\\b[rs]k_(?:live|test|prod)_[A-Za-z0-9]{10}", false, longer, "sk_live_{24}", "sk_live_x"},
    {token("stripe-webhook"), "\\bwhsec_[A-Za-z0-9+/]{32}", false, longer_base64, "whsec_{32}", "whsec_x"},
    {token("square"), "\\bsq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22}", false, longer, "sq0atp-{22}", "sq0atp-"},
    {token("square-access"), "\\bEAAA[A-Za-z0-9_-]{56}", false, longer, "EAAA{60}", "EAAAB"},
    {token("facebook-page"), "\\bEAA[MC][A-Za-z0-9]{100}", false, longer, "EAAC{120}", "EAAC"},
    {token("facebook-app"), "\\b[0-9]{15,16}\\|[0-9A-Za-z_-]{27}", false, whole_of_some_width, "{15d}|{27}", "1|x"},
    {token("paypal-braintree"), "access_token\\$(?:production|sandbox)\\$[0-9a-z]{16}\\$[0-9a-f]{32}", false, whole,
     "access_token$production${16k}${32h}", "access_token$x"},
    {token("shopify"), "\\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}", false, whole, "shpat_{32h}", "shpat_"},
    {token("shippo"), "\\bshippo_(?:live|test)_[a-fA-F0-9]{40}", false, whole, "shippo_live_{40h}", "shippo_x"},
    {token("easypost"), "\\bEZ[AT]K[A-Za-z0-9]{54}", false, whole, "EZAK{54}", "EZAK"},
    {token("duffel"), "\\bduffel_(?:test|live)_[A-Za-z0-9_=-]{43}", false, longer, "duffel_live_{43}", "duffel_x"},
    {token("flutterwave"), "\\bFLW(?:SECK|PUBK)(?:_TEST)?-[a-h0-9]{12}", true, longer_of_some_width,
     "FLWSECK_TEST-{32h}-X", "FLWSECK-x"},
    {token("plaid"),
     "\\baccess-(?:sandbox|development|production)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", false,
     whole_of_some_width, "access-production-{8h}-{4h}-{4h}-{4h}-{12h}", "access-production-x"},
    {token("lob"), "\\b(?:live|test)_(?:pub_[a-f0-9]{31}|[a-f0-9]{35})", false, whole_of_some_width, "live_{35h}",
     "live_x"},
    {token("gocardless"), "\\blive_[A-Za-z0-9_=-]{40}", false, whole, "live_{40}", "live_stream"},
    // AI
    {token("anthropic-key"), "\\bsk-ant-[A-Za-z0-9_-]{24}", false, longer, "sk-ant-api03-{93}AA", "sk-ant-"},
    {token("openai-key"), "\\bsk-(?:proj|svcacct|admin|or-v1|None)-[A-Za-z0-9_-]{20}", false, longer_of_some_width,
     "sk-proj-{74}", "sk-proj-x"},
    {token("sk-key"), "\\bsk-[A-Za-z0-9]{32}", false, longer, "sk-{48}", "sk-learn-is-a-library"},
    {token("huggingface"), "\\bhf_[A-Za-z0-9]{34}", false, whole, "hf_{34l}", "hf_hub_download"},
    {token("huggingface-org"), "\\bapi_org_[A-Za-z]{34}", false, whole, "api_org_{34l}", "api_org_x"},
    {token("groq-key"), "\\bgsk_[A-Za-z0-9]{52}", false, whole, "gsk_{52}", "gsk_x"},
    {token("xai-key"), "\\bxai-[A-Za-z0-9]{70}", false, longer, "xai-{80}", "xai-x"},
    {token("perplexity"), "\\bpplx-[A-Za-z0-9]{48}", false, whole, "pplx-{48}", "pplx-x"},
    {token("replicate"), "\\br8_[A-Za-z0-9]{37}", false, whole, "r8_{37}", "r8_x"},
    {token("nvidia-key"), "\\bnvapi-[A-Za-z0-9_-]{60}", false, longer, "nvapi-{64}", "nvapi-x"},
    {token("langfuse"), "\\b[sp]k-lf-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", false, whole,
     "sk-lf-{8h}-{4h}-{4h}-{4h}-{12h}", "sk-lf-x"},
    {token("langsmith"), "\\blsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}", false, whole, "lsv2_pt_{32h}_{10h}",
     "lsv2_pt_x"},
    {token("wandb"), "WANDB_API_KEY[\"']?\\s{0,3}[:=]\\s{0,3}[\"']?[a-f0-9]{40}", false,
     [](const Kind& k, const Candidate& c, Sink& s) { whole(k, {c.text, c.end - 40, c.end}, s); },
     "WANDB_API_KEY={40h}", "WANDB_API_KEY=x"},
    // in passing
    {token("authorization"),
     "authorization[\"']?\\s{0,3}[:=,]\\s{0,3}[\"']?(?:bearer|basic|token|apikey)\\s{1,3}[^\\s]", true, header_value,
     "Authorization: Bearer {24}", "Authorization: Bearer <token>"},
    {token("bearer"), "[\"'`]bearer\\s{1,3}[^\\s]", true, header_value, "header = \"Bearer {30}\"",
     "\"bearer of bad news\""},
    {token("curl-user"), "\\s(?:-u|--user)[ =]{1,3}[\"']?[^\\s\"']", false, curl_user, "curl -u 'admin:{12}' http://x/",
     "curl -u $USER:$PASS http://x/"},
    {token("url-password"), "://", false, url_password, "postgres://app:s3cr3t-pw@db.internal/app",
     "postgres://app:${PASSWORD}@db/app"},
});

}  // namespace

std::span<const Pattern> credential_patterns() {
    return kPatterns;
}

}  // namespace tandem::privacy
