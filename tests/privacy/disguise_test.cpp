// Values in disguise: the grammar of docs/privacy.md drawn from at random, each disguise that was once missed, and what
// must not be taken for a value.
#include "privacy/disguise.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "bench/privacy/hostile.h"
#include "privacy/detect.h"
#include "privacy/patterns/checks.h"
#include "privacy/privacy.h"
#include "privacy/unicode/unicode.h"

namespace tandem::privacy {
namespace {

using Random = std::mt19937;

constexpr std::string_view kSecretValue = "hunter2-The Value!";

config::OwnRule own_rule(std::string name) {
    config::OwnRule rule;
    rule.name = std::move(name);
    rule.label = Label::secret;
    return rule;
}

Detector& detector() {
    static const auto made = [] {
        auto words = own_rule("project");
        words.words = {"Falcon", "Blue Heron", "M\u00fcllerhof", "\u041c\u043e\u0441\u043a\u0432\u0430"};
        auto values = own_rule("env");
        values.secrets.push_back(std::make_shared<const Secret>(std::string(kSecretValue)));
        return make_detector({words, values});
    }();
    return **made;
}

bool finds(std::string_view type, std::string_view text) {
    const auto findings = detector().scan(text, false);
    return findings &&
           std::ranges::any_of(*findings, [&](const Finding& f) { return f.type == type && f.score >= kSure; });
}

std::string types_in(std::string_view text) {
    std::string types;
    const config::Detection detection;
    for (const auto& f : *detector().scan(text, false))
        if (f.score >= kSure && label_of(f, detection) > Label::public_)
            types += fmt::format("{} ({}) ", f.type, f.detector);
    return types;
}

// ---- the grammar ----

enum class Form { number, account, address, key, phone, word, secret };
struct Value {
    Form form;
    std::string_view type, text;
};
constexpr auto kValues = std::to_array<Value>({
    {Form::number, "CREDIT_CARD", "4111 1111 1111 1111"},
    {Form::number, "CREDIT_CARD", "5555555555554444"},
    {Form::number, "CREDIT_CARD", "3782 822463 10005"},
    {Form::account, "IBAN_CODE", "DE89 3704 0044 0532 0130 00"},
    {Form::account, "IBAN_CODE", "GB82WEST12345698765432"},
    {Form::address, "EMAIL_ADDRESS", "jane.doe@example.org"},
    {Form::address, "EMAIL_ADDRESS", "m_k-77@mail.example.co.uk"},
    {Form::key, "CREDENTIAL", "ghp_kV7mXq2RtL9cZs4WnB8yHd3GfJ6pTgQ5xMvK"},
    {Form::key, "CREDENTIAL", "sk-ant-api03-kV7mXq2RtL9cZs4WnB8yHd3GfJ6pTgQ5xMvKwZ"},
    {Form::key, "CREDENTIAL", "glpat-kV7mXq2RtL9cZs4WnB8y"},
    {Form::phone, "PHONE_NUMBER", "+49 171 1234567"},
    {Form::phone, "PHONE_NUMBER", "+44 20 7946 0958"},
    {Form::word, "PROJECT", "Falcon"},
    {Form::secret, "ENV", kSecretValue},
});

std::vector<std::uint32_t> invisible_points() {
    std::vector<std::uint32_t> points;
    for (std::uint32_t p = 0x80; p < 0x110000; ++p)
        if (plain_of(p) == kNothing) points.push_back(p);
    for (const std::uint32_t p : {1U, 2U, 7U, 8U, 11U, 12U, 14U, 27U, 31U, 127U}) points.push_back(p);
    return points;
}

std::map<char, std::vector<std::uint32_t>> look_alikes() {
    std::map<char, std::vector<std::uint32_t>> points;
    for (std::uint32_t p = 0x80; p < 0x110000; ++p)
        if (plain_of(p) > ' ') points[plain_of(p)].push_back(p);
    return points;
}

std::string utf8(std::uint32_t point) {
    std::string out;
    append_utf8(out, point);
    return out;
}

std::string with_invisible(std::string_view text, Random& random) {
    static const auto points = invisible_points();
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        out += text[i];
        // Between characters: half of one is no UTF-8, and no request has that.
        const bool within = i + 1 < text.size() && (static_cast<unsigned char>(text[i + 1]) & 0xC0) == 0x80;
        if (!within && random() % 3 == 0) out += utf8(points[random() % points.size()]);
    }
    return out;
}

std::string with_look_alikes(std::string_view text, Random& random) {
    static const auto points = look_alikes();
    std::string out;
    for (const char c : text) {
        const auto found = points.find(c);
        out += found != points.end() && random() % 2 == 0 ? utf8(found->second[random() % found->second.size()])
                                                          : std::string(1, c);
    }
    return out;
}

std::string escaped(std::string_view text, Random& random) {
    const auto way = random() % 11;
    // Quoted-printable needs company; what is escaped already is escaped again as a whole.
    const bool all = random() % 2 == 0 || way == 8 ||
                     text.find_first_of("\\&%=") != std::string_view::npos;  // quoted-printable needs company
    const std::string zeros(random() % 6, '0');
    std::string out;
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        // A byte of a longer code point is none of its own.
        if ((!all && random() % 2 == 0) || (code >= 0x80 && (way <= 2 || way == 6 || way == 7 || way == 10))) {
            out += c;
            continue;
        }
        switch (way) {
            case 0:
                out += fmt::format("&#{}{};", zeros, code);
                break;
            case 1:
                out += fmt::format("&#x{}{:x};", zeros, code);
                break;
            case 2:
                out += fmt::format("\\u{:04x}", code);
                break;
            case 3:
                out += fmt::format("\\x{:02X}", code);
                break;
            case 4:
                out += fmt::format("\\{:03o}", code);
                break;
            case 5:
                out += fmt::format("%{:02x}", code);
                break;
            case 6:
                out += fmt::format("%u{:04X}", code);
                break;
            case 7:
                out += fmt::format("\\u{{{:x}}}", code);
                break;
            case 8:
                out += fmt::format("={:02X}", code);
                break;
            case 9:
                out += fmt::format("%25{:02x}", code);
                break;
            default:
                out += fmt::format("\\\\u{:04x}", code);
                break;
        }
    }
    return out;
}

std::string base64(std::string_view bytes, bool url, bool pad) {
    const std::string alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + std::string(url ? "-_" : "+/");
    std::string out;
    unsigned bits = 0, count = 0;
    for (const unsigned char c : bytes) {
        bits = (bits << 8) | c;
        for (count += 8; count >= 6; count -= 6) out += alphabet[(bits >> (count - 6)) & 63U];
    }
    if (count > 0) out += alphabet[(bits << (6 - count)) & 63U];
    while (pad && out.size() % 4 != 0) out += '=';
    return out;
}

std::string utf16(std::string_view text, bool little) {
    std::string out;
    for (const char c : text) {
        if (!little) out += '\0';
        out += c;
        if (little) out += '\0';
    }
    return out;
}

std::string wrapped(std::string_view text, std::size_t width, std::string_view end) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += width)
        out += std::string(i > 0 ? end : "") + std::string(text.substr(i, width));
    return out;
}

std::string hex(std::string_view text, std::string_view before, std::string_view between) {
    std::string out;
    for (const unsigned char c : text)
        out += (out.empty() ? "" : std::string(between)) + std::string(before) + fmt::format("{:02x}", c);
    return out;
}

std::string dump(std::string_view text, bool canonical) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += 16) {
        const auto line = text.substr(at, 16);
        out += canonical ? fmt::format("{:08x}  ", at) : fmt::format("{:08x}: ", at);
        for (std::size_t i = 0; i < 16; ++i) {
            out += i < line.size() ? fmt::format("{:02x}", static_cast<unsigned char>(line[i])) : "  ";
            if (canonical || i % 2 == 1) out += i == 7 && canonical ? "  " : " ";
        }
        std::string shown(line);
        for (char& c : shown)
            if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) c = '.';
        out += canonical ? fmt::format(" |{}|\n", shown) : fmt::format(" {}\n", shown);
    }
    return out;
}

std::string carried(std::string_view text) {
    std::string out;
    for (const char c : text) out += utf8(0xE0000 + static_cast<unsigned char>(c));
    return out;
}

std::string encoded(std::string_view text, Random& random) {
    const bool ascii = std::ranges::all_of(text, [](unsigned char c) { return c > 0 && c < 0x7F; });
    const bool shown = std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20; });
    auto choice = random() % 12;
    if (!ascii && (choice == 3 || choice == 4 || choice > 8)) choice = 0;
    if (!shown && choice == 11) choice = 0;  // there are tag characters for what can be shown only
    if (text.size() < 12 && choice <= 2) choice = 5;
    switch (choice) {
        case 0:
            return base64(text, false, true);
        case 1:
            return base64(text, true, false);
        case 2:
            return wrapped(base64(text, false, true), 16 + random() % 4 * 4, random() % 2 == 0 ? "\n" : "\r\n");
        case 3:
            return base64(utf16(text, true), false, true);
        case 4:
            return base64(utf16(text, false), true, true);
        case 5:
            return hex(text, "", "");
        case 6:
            return "0x" + hex(text, "", "");
        case 7:
            return hex(text, "", random() % 2 == 0 ? " " : ":");
        case 8:
            return hex(text, "0x", ", ");
        case 9:
            return dump(text, true);
        case 10:
            return dump(text, false);
        default:
            return carried(text);
    }
}

std::string spelled(std::string_view text, Random& random) {
    static constexpr std::array<std::string_view, 6> kBetween = {" ", "-", ", ", "\n", "\t", "\",\""};
    auto between = kBetween[random() % kBetween.size()];
    if (between == "-" && text.find('-') != std::string_view::npos) between = " ";
    std::string out;
    for (const char c : text) {
        if (c == ' ' || (c == '-' && between == "-")) continue;
        out += (out.empty() ? "" : std::string(between)) + c;
    }
    return between == "\",\"" ? "[\"" + out + "\"]" : out;
}

std::string digits_of(std::string_view text) {
    std::string out;
    std::ranges::copy_if(text, std::back_inserter(out),
                         [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; });
    return out;
}

// Groups of four, of an American Express card of its own sizes, with one separator.
std::string grouped(std::string_view text, Random& random) {
    static constexpr std::array<std::string_view, 12> kBetween = {"\t",  "\n",   "  ",  "_",  "/", ".",
                                                                  " - ", "\r\n", " . ", "__", ":", "~"};
    const auto between = kBetween[random() % kBetween.size()];
    const auto bare = digits_of(text);
    std::string out;
    for (std::size_t i = 0; i < bare.size(); ++i) {
        const bool begins = bare.size() == 15 ? i == 4 || i == 10 : i % 4 == 0 && i > 0;
        out += (begins ? std::string(between) : "") + bare[i];
    }
    return out;
}

std::string over_lines(std::string_view text, Random& random) {
    static constexpr std::array<std::string_view, 5> kEnds = {"\n", "\r\n", "\n    ", "\n> ", "\\\n"};
    std::size_t at = 4 + random() % (text.size() - 8);
    if (text[at - 1] == '.') ++at;  // would end a sentence
    return std::string(text.substr(0, at)) + std::string(kEnds[random() % kEnds.size()]) + std::string(text.substr(at));
}

std::string joined(std::string_view text, Random& random) {
    static constexpr std::array<std::string_view, 8> kJoints = {"\" + \"", "' + '",  "\" . \"",    "\" & \"",
                                                                "' .. '",  "' || '", "\"\n    \"", "\" +\n \""};
    std::size_t at = 4 + random() % (text.size() - 8);
    while (text[at] == ' ' || text[at - 1] == ' ') ++at;
    const auto joint = kJoints[random() % kJoints.size()];
    return fmt::format("x = {0}{1}{2}{3}{0}", joint.front(), text.substr(0, at), joint, text.substr(at));
}

bool can_be_text(char c) {
    return static_cast<unsigned char>(c) >= 0x20 ? c != 0x7F : c == '\n' || c == '\r' || c == '\t';
}

// One disguise that the value's form allows.
std::string disguised(const Value& value, std::string_view text, Random& random, std::string& how) {
    const bool first = text == value.text;
    for (;;) {
        const auto choice = random() % 8;
        const bool form_is_digits = value.form == Form::number || value.form == Form::account;
        how += fmt::format("{} ", choice);
        switch (choice) {
            case 0:
                // Among characters that carry bytes an invisible one would be one of them.
                if (text.find("\xF3\xA0") == std::string_view::npos) return with_invisible(text, random);
                break;
            case 1:
                if (value.form != Form::secret) return with_look_alikes(text, random);
                break;
            case 2:
                return escaped(text, random);
            case 3:
                // What a coding stands for is text: it has no control characters.
                return text.size() >= 8 && std::ranges::all_of(text, can_be_text) ? encoded(text, random)
                                                                                  : escaped(text, random);
            case 4:
                if (first && value.form != Form::secret && value.form != Form::phone) return spelled(text, random);
                break;
            case 5:
                if (first && form_is_digits) return grouped(text, random);
                break;
            case 6:
                if (first && (value.form == Form::address || value.form == Form::key)) return over_lines(text, random);
                break;
            default:
                if (first && value.form != Form::word) return joined(text, random);
                break;
        }
        how.erase(how.size() - 2);
    }
}

std::string in_quotes(std::string_view text) {
    return json::quoted(text);
}

// A request of each dialect around a text, and a tool's arguments.
std::vector<std::string> bodies(std::string_view text) {
    return {
        fmt::format(R"({{"model":"m","messages":[{{"role":"user","content":{}}}]}})", in_quotes(text)),
        fmt::format(R"({{"model":"m","input":[{{"role":"user","content":[{{"type":"input_text","text":{}}}]}}]}})",
                    in_quotes(text)),
        fmt::format(
            R"({{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":[{{"type":"text","text":{}}}]}}]}})",
            in_quotes(text)),
        fmt::format(R"({{"model":"m","prompt":{},"stream":false}})", in_quotes(text)),
        fmt::format(
            R"({{"messages":[{{"role":"assistant","tool_calls":[{{"function":{{"name":"f","arguments":{}}}}}]}}]}})",
            in_quotes(fmt::format(R"({{"a":{}}})", in_quotes(text)))),
    };
}

bool is_whole_in_json(std::string_view text) {
    json::Document document;
    return document.parse("[" + in_quotes(text) + "]").has_value() && all_text(document) == std::string(text) + "\n";
}

Label label_of_body(const std::string& body) {
    json::Document document;
    EXPECT_TRUE(document.parse(body)) << body;
    Labelled labelled;
    label_by_content(detector(), document, {}, labelled);
    return labelled.label;
}

TEST(Disguises, of_the_grammar_are_undone_wherever_they_stand) {
    Random random(14);
    constexpr int kRounds = 3000;
    int missed = 0;
    for (int round = 0; round < kRounds; ++round) {
        const auto& value = kValues[random() % kValues.size()];
        std::string how, text(value.text);
        // To a depth of two, and a coding around them.
        for (auto depth = 1 + random() % 2; depth > 0; --depth) text = disguised(value, text, random, how);
        const auto all = fmt::format("please look at this: {}\nand tell me", text);
        if (!finds(value.type, all)) {
            ++missed;
            fmt::print("missed: {} by {}: {}\n", value.text, how, in_quotes(all));
            continue;
        }
        // A letter of which a disguise wrote some bytes only is not text, and cannot stand in a JSON string.
        if (!is_whole_in_json(all)) continue;
        const auto dialects = bodies(all);
        const auto& body = dialects[random() % dialects.size()];
        EXPECT_GE(label_of_body(body),
                  value.form == Form::address || value.form == Form::phone ? Label::internal : Label::private_)
            << body;
    }
    // Two disguises at once, a coding around them: as docs/privacy.md says, nearly all.
    EXPECT_LE(missed, kRounds / 500);
}

// Copied bytes stand in the other text where they are said to come from; places never go back.
void expect_origins(const Folded& plain, std::string_view other) {
    ASSERT_FALSE(plain.pieces.empty());
    EXPECT_EQ(plain.pieces.back().begin, plain.text.size());
    std::size_t last = 0;
    for (std::size_t i = 0; i + 1 < plain.pieces.size(); ++i) {
        const auto& piece = plain.pieces[i];
        const std::size_t size = plain.pieces[i + 1].begin - piece.begin;
        EXPECT_GE(plain.origin_of(piece.begin), last);
        last = plain.origin_of(piece.begin + size - 1);
        EXPECT_LE(last, plain.end_of(piece.begin + size));
        if (piece.copied) {
            EXPECT_EQ(plain.text.substr(piece.begin, size), other.substr(piece.origin, size));
        }
    }
    EXPECT_LE(plain.origin_of(plain.text.size()), other.size());
}

TEST(Disguises, say_where_each_byte_came_from) {
    Random random(16);
    for (int round = 0; round < 500; ++round) {
        const auto& value = kValues[random() % kValues.size()];
        std::string how, text = std::string(random() % 900, 'x') + " ";
        for (int part = 0; part < 3; ++part)
            text += disguised(value, value.text, random, how) + "\n&#97;" + std::string(random() % 900, '-');
        expect_origins(canonical(text), text);
        for (const auto& plain : {fold(text), unwrapped(text)})
            if (plain) expect_origins(*plain, text);
    }
}

TEST(Disguises, three_codings_deep_are_undone) {
    Random random(3);
    for (const auto& value : kValues) {
        if (value.text.size() < 8) continue;
        for (int i = 0; i < 40; ++i) {
            std::string text = encoded(value.text, random);
            text = encoded(text, random);
            if (text.size() < 2000) text = base64(text, false, true);
            EXPECT_TRUE(finds(value.type, "see " + text + " there")) << value.text << ": " << in_quotes(text);
        }
    }
}

// ---- each that was missed once ----

TEST(Disguises, that_were_missed_are_undone) {
    for (const std::string& text : std::initializer_list<std::string>{
             "0x34313131313131313131313131313131",
             "34 31 31 31 31 31 31 31 31 31 31 31 31 31 31 31",
             "34:31:31:31:31:31:31:31:31:31:31:31:31:31:31:31",
             "34-31-31-31-31-31-31-31-31-31-31-31-31-31-31-31",
             "0x34, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31",
             "00000000: 3431 3131 2031 3131 3120 3131 3131 2031  4111 1111 1111 1\n00000010: 3131 310a                 "
             "            111.\n",
             "00000000  34 31 31 31 20 31 31 31  31 20 31 31 31 31 20 31  |4111 1111 1111 1|\n00000010  31 31 31  "
             "|111|\n",
             "0000000 3134 3131 3120 3131 2031 3131 3131 3120\n0000010 3131 0a31\n",
             R"(\064\061\061\061 1111 1111 1111)",
             R"(\x34\x31\x31\x31 1111 1111 1111)",
             "&#0000052;&#0000049;11 1111 1111 1111",
             "&#x0034;111 1111 1111 1111",
             "4111\uFE0F1111\u31641111\uFFA01111",
             "4111\u2063 1111\U000E0041 1111 \u115F1111",
             std::string("4111\x01 1111\x02 1111 11\x7F") + "11",
             "4111\t1111\t1111\t1111",
             "4111\n1111\n1111\n1111",
             "4111  1111  1111  1111",
             "4111_1111_1111_1111",
             "4111/1111/1111/1111",
             "4111 1111 11\n11 1111",
             "41111111\n11111111",
             "=34=31=31=31 1111 1111 1111",
             "41111111=\n11111111",
             "NAAxADEAMQAxADEAMQAxADEAMQAxADEAMQAxADEAMQA=",
             "NDExMTExMTExMTExMTExMQ==",
             "NDExMTExMTExMTEx\n  MTExMQ==",
             R"("41111111" + "11111111")",
             R"('4111 1111 ' . '1111 1111')",
             "\"41111111\" + \\\n    \"11111111\"",
             "\"41111111\" \\\n    + \"11111111\"",
             "\"41111111\" & _\r\n    \"11111111\"",
             "\n\t4111\t1111\n\t1111\t1111\n",
             "\n> \t4111 1111\n> \t1111 1111\n",
             "\u0664\u0661\u0661\u0661 \u0967\u0967\u0967\u0967 \uFF11\uFF11\uFF11\uFF11 "
             "\U0001D7CF\U0001D7CF\U0001D7CF\U0001D7CF",
             "\U0001D7D2\U0001D7CF11 1111 1111 1111",
             "[4,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]",
             "[4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]",
             R"(["4","1","1","1","1","1","1","1","1","1","1","1","1","1","1","1"])",
             "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
             "4111111111111111.0",
             "4111111111111111e0",
             "4.111111111111111e15",
             "4.111111111111111E+15",
             "U+0034 U+0031 U+0031 U+0031 U+0031 U+0031 U+0031 U+0031 U+0031 U+0031 U+0031 U+0031 U+0031 U+0031 U+0031 "
             "U+0031",
         })
        EXPECT_TRUE(finds("CREDIT_CARD", "the number " + text + " is mine")) << text;
    for (const auto* text :
         {"jane.doe@\nexample.org", "jane.doe@exam\nple.org", R"("jane.doe" + "@example.org")",
          "jane.doe=40example.org", "jane.doe @ example.org", "j a n e . d o e @ e x a m p l e . o r g"})
        EXPECT_TRUE(finds("EMAIL_ADDRESS", std::string("write to ") + text + " now")) << text;
    for (const auto* text :
         {"DE89\n3704\n0044\n0532\n0130\n00", "DE89_3704_0044_0532_0130_00", "DE89/3704/0044/0532/0130/00",
          "DE89\t3704\t0044\t0532\t0130\t00", "D E 8 9 3 7 0 4 0 0 4 4 0 5 3 2 0 1 3 0 0 0"})
        EXPECT_TRUE(finds("IBAN_CODE", std::string("pay ") + text + " now")) << text;
    for (const auto* text : {"+49\t171\t1234567", "+49_171_1234567", "+49\n171\n1234567"})
        EXPECT_TRUE(finds("PHONE_NUMBER", std::string("at ") + text + " now")) << text;
}

TEST(Disguises, of_the_owners_words_and_values_are_undone) {
    for (const auto* text :
         {"F a l c o n", "f\u200Balcon", "blue\nheron", "Blue  Heron", "blue_heron", "Mu\u0308llerhof",
          "M\u00fcll\u200Berhof", "\u041c\u043e\u0441\u200B\u043a\u0432\u0430", "RmFsY29uIGZsaWVz"})
        EXPECT_TRUE(finds("PROJECT", std::string("see ") + text + " there")) << text;
    for (const auto* text : {"hunter2-\nThe Value!", "hunter2 - the - value", "h-u-n-t-e-r-2-T-h-e-V-a-l-u-e",
                             "\"hunter2\" + \"-The Value!\"", "HUNTER2THEVALUE", "hunter2_the_value"})
        EXPECT_TRUE(finds("ENV", std::string("see ") + text + " there")) << text;
    EXPECT_FALSE(finds("PROJECT", "falconry and a bluish heron"));
}

TEST(Disguises, over_the_seams_of_a_request_are_undone) {
    for (
        const auto* body : {
            R"({"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{\"a\":\"4111 1111 \",\"b\":\"1111 1111\"}"}}]}]})",
            R"({"messages":[{"role":"assistant","tool_calls":[{"id":"call_1","function":{"name":"f","arguments":"{\"a\":\"4111 1111 \"}"}},{"id":"call_2","function":{"name":"f","arguments":"{\"a\":\"1111 1111\"}"}}]}]})",
            R"({"messages":[{"role":"user","name":"4111 1111 ","content":"1111 1111"}]})",
            R"({"messages":[{"role":"user","content":"1111 1111","name":"4111 1111 "}]})",
            R"({"messages":[{"role":"user","content":"digits","metadata":{"4111 1111 ":"1111 1111"}}]})",
            R"({"messages":[{"role":"user","content":"it is 4111 1111"},{"role":"user","content":"1111 1111"}]})",
            R"({"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{\"a\":\"4111 1111\",\"b\":\"1111 1111\"}"}}]}]})",
            R"({"messages":[{"role":"user","content":[{"type":"text","text":"4111"},{"type":"text","text":"1111 1111 1111"}]}]})",
            R"({"input":"{\"digits\":[4,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}"})",
            R"({"amount":4111111111111111.0})",
            R"({"amount":4.111111111111111e15})",
        })
        EXPECT_EQ(label_of_body(body), Label::private_) << body;
}

// ---- what is no value ----

std::string noise(Random& random, std::string_view alphabet, std::size_t size) {
    std::string out;
    while (out.size() < size) out += alphabet[random() % alphabet.size()];
    return out;
}

TEST(Disguises, are_not_seen_in_code_logs_and_tables) {
    Random random(5);
    constexpr std::string_view kHex = "0123456789abcdef", kDigits = "0123456789";
    for (const auto* text : {
             "f(a, b, c, d, e, i, j, k)",
             "x = 'abc' + 'def'; y = \"a\" + \"b\"",
             "for (i = 0; i < n; ++i) a[i] = b[i] & 0xFF;",
             "#define X 0x41, 0x42, 0x43, 0x44",
             "2026-11-25 20:43:38,123 INFO 12:34:56 took 12 ms",
             "std::vector<int> v{1, 2, 3, 4, 5, 6, 7, 8, 9};",
             "| a | b | c | d | e | f | g | h |",
             "width=50px;height=255px;margin=10",
             "1.2.3.4.5.6.7.8.9.10",
             "see RFC 2045, 4.5.6 and 7.8",
             "git log: 05a6fb6 f498f77 5970368 eb65c3f 4a42582",
             "chmod 0755; umask 0022; \\1 \\2 \\3",
             "a@property\ndef b1(self): pass",
             "2019\n2020\n2021\n2022\n2023\n2024",
             "10,20,30\n40,50,60\n70,80,90\n",
             "no 10 items, be 12 of them, at 34 places",
         })
        EXPECT_EQ(types_in(text), "") << text;
    // Tables of numbers, hex dumps of binaries, hashes, images.
    std::string column, table, hashes, dumped, image;
    for (int i = 0; i < 3000; ++i) {
        column += noise(random, "123456789", 4) + "\n";
        table += fmt::format("{},{},{}\n", noise(random, "123456789", 4), noise(random, kDigits, 3),
                             noise(random, kDigits, 5));
        hashes += noise(random, kHex, 40) + " file" + std::to_string(i) + ".o\n";
        dumped += fmt::format("{:08x}: ", i * 16);
        for (int k = 0; k < 8; ++k) dumped += noise(random, kHex, 4) + " ";
        dumped += " ................\n";
        image += noise(random, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 76) + "\n";
    }
    EXPECT_EQ(types_in(column), "");
    EXPECT_EQ(types_in(table), "");
    EXPECT_EQ(types_in(hashes), "");
    EXPECT_EQ(types_in(dumped).find("CRED"), std::string::npos);
    EXPECT_EQ(types_in(image), "");
}

// ---- work ----

std::uint64_t work_of(std::string_view text) {
    const auto before = work_done;
    EXPECT_TRUE(detector().scan(text, false));
    return work_done - before;
}

// Twice the text may not be more than about twice the work, and no text more than a few times its bytes.
TEST(Scanning, hostile_texts_cost_work_in_proportion_to_their_size) {
    constexpr std::size_t kSize = 32 * 1024;
    constexpr std::uint64_t kMost = 100;  // bytes looked at for each byte of the text
    for (const auto& text : bench::hostile_texts()) {
        const auto once = work_of(bench::repeated(text.unit, kSize)),
                   twice = work_of(bench::repeated(text.unit, 2 * kSize));
        EXPECT_LE(once, kMost * kSize) << text.name;
        EXPECT_LE(twice, once * 5 / 2 + kSize) << text.name;
    }
}

}  // namespace
}  // namespace tandem::privacy
