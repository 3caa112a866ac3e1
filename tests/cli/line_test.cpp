#include "cli/line.h"

#include <gtest/gtest.h>

namespace tandem::cli {
namespace {

using Key = LineEdit::Key;

TEST(LineEdit, moves_and_erases_by_characters_not_by_bytes) {
    LineEdit line;
    line.insert("grün日本");
    line.press(Key::backspace);
    EXPECT_EQ(line.text(), "grün日");
    line.press(Key::left);
    line.press(Key::left);
    line.press(Key::left);
    line.press(Key::erase);
    EXPECT_EQ(line.text(), "grn日");
    line.insert("ü");
    EXPECT_EQ(line.text(), "grün日");
    line.press(Key::home);
    line.press(Key::backspace);
    line.press(Key::left);
    line.press(Key::end);
    line.press(Key::erase);
    line.press(Key::right);
    EXPECT_EQ(line.text(), "grün日");
}

TEST(LineEdit, kills_to_both_ends_and_a_word) {
    LineEdit line;
    line.insert("one two  three ");
    line.press(Key::kill_word);
    EXPECT_EQ(line.text(), "one two  ");
    line.press(Key::left);
    line.press(Key::left);
    line.press(Key::kill_to_end);
    EXPECT_EQ(line.text(), "one two");
    line.press(Key::kill_to_begin);
    EXPECT_TRUE(line.empty());
}

TEST(LineEdit, takes_no_control_characters) {
    LineEdit line;
    line.insert("a\x1b[2J\tb\nc\x7f");
    EXPECT_EQ(line.text(), "a[2J b\nc");
}

TEST(LineEdit, shows_the_part_around_the_cursor_that_fits) {
    LineEdit line;
    line.insert("0123456789");
    EXPECT_EQ(line.view(20).text, "0123456789");
    EXPECT_EQ(line.view(20).cursor, 10U);
    EXPECT_EQ(line.view(5).text, "6789");
    EXPECT_EQ(line.view(5).cursor, 4U);
    line.press(Key::home);
    EXPECT_EQ(line.view(5).text, "0123");
    EXPECT_EQ(line.view(5).cursor, 0U);
}

TEST(LineEdit, counts_columns_as_a_terminal_does) {
    EXPECT_EQ(columns_of(U'a'), 1);
    EXPECT_EQ(columns_of(U'ü'), 1);
    EXPECT_EQ(columns_of(U'日'), 2);
    EXPECT_EQ(columns_of(U'🙂'), 2);
    EXPECT_EQ(columns_of(U'\u0301'), 0);
    LineEdit line;
    line.insert("日本語");
    EXPECT_EQ(line.view(20).cursor, 6U);
    EXPECT_EQ(line.view(5).text, "本語");
    line.set("a\nb");
    EXPECT_EQ(line.view(20).text, "a↵b");
    line.set("x\u202Ey");
    EXPECT_EQ(line.view(20).text, "x\uFFFDy");
}

}  // namespace
}  // namespace tandem::cli
