// Mails (RFC 5322 with MIME) and mailboxes of them: who wrote what about which subject, and the text of each part.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "retrieval/extract/charset.h"
#include "retrieval/extract/formats.h"
#include "retrieval/extract/lines.h"

namespace tandem::retrieval {

namespace {

constexpr std::size_t kMostParts = 1'000;
constexpr std::size_t kMostHeaders = 1'000;

int hex_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// RFC 2045, 6.7; in headers '_' is a blank (RFC 2047, 4.2).
std::string from_quoted(std::string_view text, bool header) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '=' && at + 2 < text.size() && hex_of(text[at + 1]) >= 0 && hex_of(text[at + 2]) >= 0) {
            out += static_cast<char>(hex_of(text[at + 1]) * 16 + hex_of(text[at + 2]));
            at += 2;
        } else if (c == '=' && !header && at + 1 < text.size() && (text[at + 1] == '\n' || text[at + 1] == '\r')) {
            at += text[at + 1] == '\r' && at + 2 < text.size() && text[at + 2] == '\n' ? 2 : 1;
        } else {
            out += header && c == '_' ? ' ' : c;
        }
    }
    return out;
}

// What is no digit of base64 is left out, as mails have line breaks in it.
std::string from_base64(std::string_view text) {
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        int value = -1;
        if (c >= 'A' && c <= 'Z') value = c - 'A';
        if (c >= 'a' && c <= 'z') value = c - 'a' + 26;
        if (c >= '0' && c <= '9') value = c - '0' + 52;
        if (c == '+') value = 62;
        if (c == '/') value = 63;
        if (value < 0) continue;
        bits = bits << 6U | static_cast<std::uint32_t>(value);
        if (++count < 4) continue;
        for (const int shift : {16, 8, 0}) out += static_cast<char>(bits >> static_cast<unsigned>(shift) & 0xFFU);
        bits = 0;
        count = 0;
    }
    if (count == 3) {
        out += static_cast<char>(bits >> 10U & 0xFFU);
        out += static_cast<char>(bits >> 2U & 0xFFU);
    } else if (count == 2) {
        out += static_cast<char>(bits >> 4U & 0xFFU);
    }
    return out;
}

std::string in_utf8(std::string text, const std::string& charset, std::size_t most) {
    if (charset.empty() || equals_ignoring_case(charset, "utf-8")) {
        if (is_utf8(text)) return text;
        std::string own;
        const auto made = to_utf8(text, own, most);
        return made ? std::string(*made) : std::string();
    }
    auto made = from_charset(text, charset, most);
    return made ? std::move(*made) : in_utf8(std::move(text), "", most);
}

// Words in another charset: =?charset?B or Q?text?= (RFC 2047).
std::string decoded_header(std::string_view text, std::size_t most) {
    std::string out;
    bool after_word = false;
    for (std::size_t at = 0; at < text.size();) {
        const auto open = text.substr(at, 2) == "=?" ? at : text.find("=?", at);
        auto plain = text.substr(at, std::min(open, text.size()) - at);
        if (!(after_word && is_blank_line(plain) && open != std::string_view::npos)) out += plain;
        if (open == std::string_view::npos) break;
        const auto first = text.find('?', open + 2);
        const auto second = first == std::string_view::npos ? first : text.find('?', first + 1);
        const auto close = second == std::string_view::npos ? second : text.find("?=", second + 1);
        if (close == std::string_view::npos || second != first + 2) {
            out += "=?";
            at = open + 2;
            after_word = false;
            continue;
        }
        const auto content = text.substr(second + 1, close - second - 1);
        const bool base64 = text[first + 1] == 'B' || text[first + 1] == 'b';
        out += in_utf8(base64 ? from_base64(content) : from_quoted(content, true),
                       std::string(text.substr(open + 2, first - open - 2)), most);
        at = close + 2;
        after_word = true;
    }
    return is_utf8(out) ? out : in_utf8(std::move(out), "", most);
}

using Headers = std::map<std::string, std::string>;

// Reads the headers of `mail`; what is left is its body.
Headers take_headers(std::string_view& mail) {
    Headers headers;
    std::string* last = nullptr;
    std::size_t count = 0;
    while (!mail.empty() && count < kMostHeaders) {
        const auto end = std::min(mail.find('\n'), mail.size());
        auto line = mail.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        const bool blank = line.empty();
        const auto colon = line.find(':');
        const bool goes_on = !blank && (line.front() == ' ' || line.front() == '\t');
        if (!blank && !goes_on && (colon == std::string_view::npos || colon == 0)) break;  // a body without headers
        mail.remove_prefix(std::min(end + 1, mail.size()));
        if (blank) break;
        if (goes_on) {
            if (last != nullptr) (*last += ' ') += trim(line);
            continue;
        }
        ++count;
        auto [found, added] = headers.emplace(lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
        last = added ? &found->second : nullptr;
    }
    return headers;
}

std::string header(const Headers& headers, const std::string& name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
}

// `charset` of `text/plain; charset="utf-8"`.
std::string parameter(const std::string& value, std::string_view name) {
    const auto low = lower(value);
    for (auto at = low.find(';'); at != std::string::npos; at = low.find(';', at + 1)) {
        const auto begin = low.find_first_not_of(" \t", at + 1);
        if (begin == std::string::npos || low.compare(begin, name.size(), name) != 0) continue;
        const auto equal = low.find('=', begin);
        if (equal == std::string::npos) continue;
        auto rest = trim(std::string_view(value).substr(equal + 1));
        if (rest.starts_with('"')) return std::string(rest.substr(1, rest.find('"', 1) - 1));
        return std::string(trim(rest.substr(0, rest.find(';'))));
    }
    return {};
}

class Mail {
  public:
    Mail(const Input& input, Extracted& to, std::uint32_t first_line, std::uint32_t last_line, std::size_t begin,
         std::size_t end)
        : input_(input), to_(to), first_(first_line), last_(last_line), begin_(begin), end_(end) {}

    bool read(std::string_view mail, bool is_title) {
        const auto headers = take_headers(mail);
        const auto subject = decoded_header(header(headers, "subject"), input_.most_text);
        if (is_title && to_.title.empty()) to_.title = subject;
        if (!put(BlockKind::heading, subject.empty() ? "(no subject)" : subject)) return false;
        std::string who;
        for (const char* name : {"from", "to", "cc", "date"})
            if (const auto value = decoded_header(header(headers, name), input_.most_text); !value.empty())
                who += fmt::format("{}{}: {}", who.empty() ? "" : "\n", name, value);
        return put(BlockKind::paragraph, who) && part(headers, mail, 0);
    }

  private:
    bool put(BlockKind kind, std::string text) {
        Block block;
        block.kind = kind;
        block.level = kind == BlockKind::heading ? 1 : 0;
        block.first_line = first_;
        block.last_line = last_;
        block.begin = begin_;
        block.end = end_;
        block.text = std::move(text);
        return add(to_, input_, std::move(block));
    }

    bool part(const Headers& headers, std::string_view body, int depth) {
        if (++parts_ > kMostParts || depth > kDeepest) return true;
        const auto type = header(headers, "content-type");
        const auto kind = lower(type.substr(0, type.find(';')));
        if (kind.starts_with("multipart/")) return parts_of(parameter(type, "boundary"), body, depth, kind);
        if (kind == "message/rfc822") {
            const auto inner = take_headers(body);
            return put(BlockKind::heading, decoded_header(header(inner, "subject"), input_.most_text)) &&
                   part(inner, body, depth + 1);
        }
        const bool attached = header(headers, "content-disposition").starts_with("attachment");
        if (!kind.empty() && !kind.starts_with("text/")) return true;
        const auto coding = lower(trim(header(headers, "content-transfer-encoding")));
        std::string bytes(body);
        if (coding == "base64") bytes = from_base64(body);
        if (coding == "quoted-printable") bytes = from_quoted(body, false);
        auto text = in_utf8(std::move(bytes), parameter(type, "charset"), input_.most_text);
        if (kind == "text/html") return page(text);
        if (attached && text.empty()) return true;
        bool room = true;
        std::string paragraph;
        each_line(text, [&](const Line& line) {
            if (is_blank_line(line.text)) return room = put(BlockKind::paragraph, std::exchange(paragraph, {}));
            if (!paragraph.empty()) paragraph += '\n';
            paragraph += line.text;
            return true;
        });
        return room && put(BlockKind::paragraph, std::move(paragraph));
    }

    bool page(const std::string& text) {
        Extracted inner;
        std::string why;
        if (!read_html({text, "part.html", input_.most_text, input_.depth + 1}, inner, why)) return true;
        for (auto& block : inner.blocks)
            if (!put(block.kind == BlockKind::heading ? BlockKind::paragraph : block.kind, std::move(block.text)))
                return false;
        return true;
    }

    // Of alternatives the plain text, where there is one.
    bool parts_of(const std::string& boundary, std::string_view body, int depth, const std::string& kind) {
        if (boundary.empty()) return true;
        std::vector<std::string_view> parts;
        const auto mark = "--" + boundary;
        std::size_t from = std::string_view::npos;
        for (auto at = body.find(mark); at != std::string_view::npos; at = body.find(mark, at + mark.size())) {
            if (at != 0 && body[at - 1] != '\n') continue;
            if (from != std::string_view::npos && parts.size() < kMostParts)
                parts.push_back(body.substr(from, at - from));
            from = std::min(body.find('\n', at), body.size() - 1) + 1;
            if (body.substr(at + mark.size(), 2) == "--") break;
        }
        if (parts.empty() && from != std::string_view::npos && from < body.size()) parts.push_back(body.substr(from));
        if (kind == "multipart/alternative") {
            const auto is_plain = [](std::string_view one) {
                return lower(header(take_headers(one), "content-type")).starts_with("text/plain");
            };
            if (const auto plain = std::ranges::find_if(parts, is_plain); plain != parts.end()) parts = {*plain};
        }
        for (auto one : parts) {
            const auto headers = take_headers(one);
            if (!part(headers, one, depth + 1)) return false;
        }
        return true;
    }

    const Input& input_;
    Extracted& to_;
    std::uint32_t first_, last_;
    std::size_t begin_, end_;
    std::size_t parts_ = 0;
};

}  // namespace

bool read_mail(const Input& input, Extracted& to, std::string& why) {
    const auto lines = static_cast<std::uint32_t>(std::ranges::count(input.bytes, '\n') + 1);
    const bool room = Mail(input, to, 1, lines, 0, input.bytes.size()).read(input.bytes, true);
    if (!room) why = "the mail has more text than is read";
    return room;
}

bool read_mailbox(const Input& input, Extracted& to, std::string& why) {
    const auto box = input.bytes;
    if (!box.starts_with("From ")) {
        why = "the mailbox does not begin with a line `From `";
        return false;
    }
    LineTable lines(box);
    for (std::size_t at = 0; at < box.size();) {
        auto next = box.find("\nFrom ", at);
        next = next == std::string_view::npos ? box.size() : next + 1;
        const auto body = std::min(box.find('\n', at), next - 1) + 1;
        Mail mail(input, to, lines.line_of(at), lines.line_of(next - 1), at, next);
        if (body < next && !mail.read(box.substr(body, next - body), false)) {
            why = "the mailbox has more text than is read";
            return false;
        }
        at = next;
    }
    return true;
}

}  // namespace tandem::retrieval
