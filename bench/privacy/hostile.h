// Texts that are made to be slow to scan: the trigger of each detector, its words of context, near misses, long runs
// and deep escapes, each repeated to the size that is asked for. The bench takes its time with them, a test counts
// work.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "privacy/patterns/patterns.h"

namespace tandem::bench {

struct Hostile {
    std::string name;
    std::string unit;  // repeated
};

inline std::string repeated(std::string_view unit, std::size_t size) {
    std::string text;
    text.reserve(size + unit.size());
    while (text.size() < size) text += unit;
    text.resize(size);
    return text;
}

// Letters and digits that look random and are the same each time.
inline std::string noise(std::string_view alphabet, std::size_t size) {
    std::string text;
    std::uint64_t state = 88172645463325252ULL;
    while (text.size() < size) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text += alphabet[(state >> 33) % alphabet.size()];
    }
    return text;
}

inline std::vector<Hostile> hostile_texts() {
    constexpr std::string_view kHex = "0123456789abcdef";
    constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    constexpr std::string_view kDigits = "0123456789";
    std::vector<Hostile> all;
    for (const auto* unit : {"password=",
                             "pwd=1a@",
                             "token: ",
                             "secret=abc",
                             "key,",
                             "auth:\"",
                             "password=\"x",
                             "access_key=",
                             "token=a1",
                             "api_key='",
                             "passwd \t\t\t ",
                             "twitter=",
                             "password||",
                             "key=\"password\" value=\"x",
                             "<password>",
                             "password password ",
                             "card ",
                             "card 4",
                             "visa 4111 ",
                             "4111 1111 1111 1112 ",
                             "4111-1111-1111-111",
                             "4111111111111111 ",
                             "1 2 3 4 5 6 7 8 9 ",
                             "12.34.56.78 ",
                             "1.2.3.4.5.6.7.8.",
                             "+49 ",
                             "+49 171 1234567 ",
                             "tel 0",
                             "(0)",
                             "DE89",
                             "DE89 ",
                             "DE89 3704 0044 0532 0130 01 ",
                             "GB82 WEST 1234 ",
                             "a@b.cc",
                             "@",
                             "a@",
                             "@a",
                             "a@a.",
                             "-----BEGIN",
                             "-----BEGIN PRIVATE KEY-----",
                             "-----BEGIN PRIVATE KEY-----AAAA",
                             "PuTTY-User-Key-File-3:",
                             "eyJhbGciOiJI",
                             "-eyJhbGciOiJI",
                             "eyJhbGciOiJI.",
                             "ghp_",
                             "ghp_kV7mXq2RtL9cZs4WnB8yHd3GfJ6pTgQ5xMvK",
                             "-ghp_kV7mXq2RtL9cZs4WnB8yHd3GfJ6pTgQ5xMvK",
                             "AKIA",
                             "sk-",
                             "xoxb-",
                             "http://a:",
                             "a://b:c@",
                             "://:@",
                             "http://a:bcd@",
                             "Authorization: Bearer x",
                             "curl -u a",
                             "curl ",
                             "\"bearer a",
                             "aws=",
                             "aws secret ",
                             "kind: Secret\n",
                             ":::",
                             "a:b:c:",
                             "1:2:",
                             "::1 ",
                             "fe80::",
                             "00:11:22:33:44:",
                             "0x",
                             "bc1",
                             "1A",
                             "3J",
                             "12 Old Street ",
                             " Street",
                             "Via Roma 1",
                             " de la ",
                             "Hauptstrasse 1",
                             "12 rue de ",
                             "PO Box 1",
                             "May ",
                             "12 May ",
                             "May 12 ",
                             "\xC3\xA9May ",
                             "passport ",
                             "passport 1234",
                             "driver license A123",
                             "license plate AB1",
                             "A1 1AA ",
                             "AB 12 34 56 ",
                             "123Z ",
                             "ABCDE1234F",
                             "12A123A",
                             "S1234567A ",
                             "ssn 123-45-678",
                             "born 1/1/",
                             "01/01/1980 ",
                             "12:34:56 ",
                             "1.0000,2.0000 ",
                             "%41",
                             "%25",
                             "%2525",
                             "%252541",
                             "\\u0034",
                             "\\\\u0034",
                             "\\x41",
                             "\\101",
                             "&#65;",
                             "&#0000065;",
                             "&amp;",
                             "&amp;amp;#65;",
                             "&",
                             "\\",
                             "%",
                             "=",
                             "=41",
                             "=\n",
                             "[at]",
                             " [at] ",
                             " [dot] ",
                             "(",
                             "\xE2\x80\x8B",
                             "4\xE2\x80\x8B",
                             "\xEF\xBC\x94",
                             "\xD0\xB0",
                             "e\xCC\x81",
                             "\xF3\xA0\x81\x81",
                             "\x01",
                             "a\x01",
                             "\"+\"",
                             "\"a\" + \"b\" ",
                             "'a' . ",
                             "\"a1\"\n\"b2\"",
                             "a1b2c3d4e5f6\n",
                             "a@b\n",
                             "4111\n",
                             "4111\t",
                             "4 1 ",
                             "4,1,",
                             "\"4\",\"1\",",
                             "4d 79 ",
                             "4d:79:",
                             "\\x4d",
                             "0x4d, ",
                             "4d79 2063 ",
                             "00000000: 4d79 2063 6172 6420  My card \n",
                             "00000000  4d 79 20 63 61 72 64 20  |My card |\n",
                             "TXkgY2FyZCBp",
                             "TXkgY2FyZCBp\n",
                             "VFhrZ1kyRnlaQ0JwY3lB",
                             "TQB5ACAAYwBhAHIA",
                             "3431313131",
                             "34 31 31 31 ",
                             "{\"a\":",
                             "{\"a\":\"b\"},",
                             "[\"a\",",
                             "{\\\"a\\\":\\\"",
                             "\n",
                             " ",
                             "\t",
                             "-",
                             "_",
                             ".",
                             "/",
                             ",",
                             "0",
                             "a",
                             "\xFF",
                             "FALCON-1",
                             "FALCON-",
                             "falcon"})
        all.push_back({unit, unit});
    for (auto& text : all)
        for (char& c : text.name)
            if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F || c == '"') c = '?';
    all.push_back({"hex noise", noise(kHex, 65'536)});
    all.push_back({"base64 noise", noise(kBase64, 65'536)});
    all.push_back({"digit noise", noise(kDigits, 65'536)});
    all.push_back({"digits in fours", [&] {
                       std::string text;
                       const auto digits = noise(kDigits, 40'000);
                       for (std::size_t i = 0; i < digits.size(); i += 4) text += digits.substr(i, 4) + " ";
                       return text;
                   }()});
    for (const auto& pattern : privacy::patterns()) {
        // The beginning of what matches, up to where it would have to be random; and what looks alike.
        const auto match = std::string(pattern.match);
        all.push_back({"head of " + std::string(pattern.kind.id), match.substr(0, match.find('{')) + " "});
        all.push_back({"near miss of " + std::string(pattern.kind.id), std::string(pattern.no_match) + " "});
    }
    return all;
}

}  // namespace tandem::bench
