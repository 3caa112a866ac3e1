#include <gtest/gtest.h>

#include <random>

#include "cli/terminal.h"

namespace tandem::cli {
namespace {

std::string shown(const std::vector<std::string>& pieces) {
    TerminalFilter filter;
    std::string out;
    for (const auto& piece : pieces) filter.feed(piece, out);
    filter.finish(out);
    return out;
}

TEST(TerminalFilter, leaves_text_as_it_is) {
    for (const std::string text :
         {"plain\ttext\nof two lines\n", "für Jürgen: 3 €, 日本語, 🙂, Ω, Ça", "", "عربي עברית"})
        EXPECT_EQ(shown({text}), text);
}

TEST(TerminalFilter, shows_what_a_terminal_would_act_upon) {
    EXPECT_EQ(shown({"a\x1b[2Jb"}), "a␛[2Jb");
    EXPECT_EQ(shown({"\x1b]52;c;eA==\x07"}), "␛]52;c;eA==␇");
    EXPECT_EQ(shown({std::string("a\0b", 3)}), "a␀b");
    EXPECT_EQ(shown({"gone\b\b\x7f"}), "gone␈␈␡");
    EXPECT_EQ(shown({"over\rwritten"}), "over␍written");
    EXPECT_EQ(shown({"a line\r\nanother\r\n"}), "a line\nanother\n");
    EXPECT_EQ(shown({"\r"}), "␍");
    EXPECT_EQ(shown({"\xC2\x9B"
                     "2J"}),
              "\xEF\xBF\xBD"
              "2J");
    EXPECT_EQ(shown({"\x9B"
                     "2J\x9D\x90"}),
              "\xEF\xBF\xBD"
              "2J\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_EQ(shown({"\u202Eexe\u202C\u2066a\u2069\u206F"}),
              "\xEF\xBF\xBD"
              "exe\xEF\xBF\xBD\xEF\xBF\xBD"
              "a\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_EQ(shown({"\u00A0\u2029\u2030\u2060"}), "\u00A0\u2029\u2030\u2060");  // neighbours of those
}

// Overlong and cut sequences, surrogates: a terminal that reads them loosely would see a control.
TEST(TerminalFilter, lets_nothing_pass_that_is_not_utf_8) {
    for (const std::string bad : {"\xC0\x9B", "\xE0\x82\x9B", "\xF0\x80\x82\x9B", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                                  "\xFF", "\xE2\x82", "\xC2"}) {
        const auto out = shown({bad + "x"});
        EXPECT_EQ(out.find('\x9B'), std::string::npos);
        EXPECT_TRUE(out.starts_with("\xEF\xBF\xBD")) << out;
        EXPECT_TRUE(out.ends_with("x")) << out;
    }
}

TEST(TerminalFilter, gives_the_same_however_the_text_is_cut) {
    std::mt19937 random(7);
    const std::string alphabet = "\x1b[]\x07\r\nab\t\xC2\x9B\xE2\x80\xAE\x9D\xF0\x9F\x99\x82\xC3\xBC";
    for (int round = 0; round < 2'000; ++round) {
        std::string text;
        for (int i = 0; i < 40; ++i) text += alphabet[random() % alphabet.size()];
        std::vector<std::string> pieces;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t size = 1 + random() % 4;
            pieces.push_back(text.substr(at, size));
            at += size;
        }
        const auto whole = shown({text});
        EXPECT_EQ(shown(pieces), whole);
        EXPECT_EQ(whole.find_first_of("\x1b\x07\r"), std::string::npos);
        EXPECT_EQ(shown({whole}), whole);  // what is shown is harmless itself
    }
}

}  // namespace
}  // namespace tandem::cli
