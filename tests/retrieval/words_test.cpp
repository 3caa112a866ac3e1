#include "retrieval/lexical/words.h"

#include <gtest/gtest.h>

#include "retrieval/lexical/stem.h"
#include "retrieval/search/query.h"
#include "retrieval/search/words.h"

namespace tandem::retrieval {

namespace {

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> list;
    each_word(text, [&](const Word& word) { list.push_back((word.part ? "+" : "") + std::string(word.text)); });
    return list;
}

using List = std::vector<std::string>;

}  // namespace

TEST(RetrievalWords, AreLettersAndDigitsInLowerCase) {
    EXPECT_EQ(words("Hello, World! It is 2026."), (List{"hello", "world", "it", "is", "2026"}));
    EXPECT_EQ(words("don't stop O\u2019Neill's"), (List{"dont", "stop", "oneills"}));
    EXPECT_EQ(words("\u00c4RGER na\u00efve \u03a3\u03bf\u03c6\u03af\u03b1"),
              (List{"\u00e4rger", "na\u00efve", "\u03c3\u03bf\u03c6\u03af\u03b1"}));
    EXPECT_EQ(words(""), List{});
    EXPECT_EQ(words("\xFF\xFE broken \x80"), List{"broken"});
}

TEST(RetrievalWords, NamesOfLanguagesKeepTheirSigns) {
    EXPECT_EQ(words("C++ and C# and F#, a++b"), (List{"c++", "and", "c#", "and", "f#", "a++", "b"}));
}

TEST(RetrievalWords, NamesInCodeGiveTheirParts) {
    EXPECT_EQ(words("parse_json"), (List{"parse", "json"}));
    EXPECT_EQ(words("parseJsonValue"), (List{"parsejsonvalue", "+parse", "+json", "+value"}));
    EXPECT_EQ(words("HTTPServer"), (List{"httpserver", "+http", "+server"}));
}

TEST(RetrievalWords, ScriptsWithoutBlanksArePairs) {
    EXPECT_EQ(words("\u6771\u4eac\u90fd"), (List{"\u6771\u4eac", "\u4eac\u90fd"}));
    EXPECT_EQ(words("\u732b a"), (List{"\u732b", "a"}));
}

TEST(RetrievalWords, StemsAreOfTheTextsLanguageAndWithoutAccents) {
    Stemmer stemmer;
    EXPECT_EQ(stemmer.term(Language::english, "running", false), "run");
    EXPECT_EQ(stemmer.term(Language::german, "h\u00e4user", false), "haus");
    EXPECT_EQ(stemmer.term(Language::french, "h\u00f4tel", false), "hotel");
    EXPECT_EQ(stemmer.term(Language::english, "c++", true), "c++");
    EXPECT_EQ(language_of("Das ist nicht der Text, den wir f\u00fcr die Frage haben"), Language::german);
    EXPECT_EQ(language_of("This is the text that we have for it"), Language::english);
    EXPECT_EQ(language_of("int main() { return 0; }"), Language::english);
}

TEST(RetrievalQuery, TakesFiltersPhrasesAndWhatIsNotWanted) {
    const auto query =
        parse_query(R"(solar "roof panel" -garage path:notes/ type:MD after:2026-11-01 collection:home)", 0);
    EXPECT_EQ(query.words, "solar roof panel");
    ASSERT_EQ(query.phrases.size(), 1U);
    EXPECT_EQ(query.phrases[0].text, "roof panel");
    EXPECT_EQ(query.not_words, List{"garage"});
    EXPECT_EQ(query.paths, List{"notes/"});
    EXPECT_EQ(query.types, List{"md"});
    EXPECT_EQ(query.collections, List{"home"});
    EXPECT_EQ(query.after, 1'793'491'200'000);
    EXPECT_TRUE(query.notes.empty());
}

TEST(RetrievalQuery, RefusesNothing) {
    for (const char* text : {"C++", "don't", "\"open", "\"", "-", "--", "after:", "after:soon", "path:", "a:b",
                             ":::", "\"\"", "-\"\"", "(x OR y) AND *", "\\", "\xFF\xFE"}) {
        const auto query = parse_query(text, 0);
        const std::array languages{Language::english};
        (void)words_of(query, languages);
    }
    EXPECT_EQ(parse_query("\"open end", 0).words, "\"open end");
    EXPECT_EQ(parse_query("after:soon", 0).words, "soon");
    EXPECT_EQ(parse_query("after:soon", 0).notes.size(), 1U);
    EXPECT_EQ(parse_query("time - money", 0).words, "time - money");
    EXPECT_EQ(parse_query("after:7d x", 604'800'000).after, 0);
}

TEST(RetrievalQuery, ASentenceHasNoSyntax) {
    std::string sentence = "\"quoted words\" -not";
    for (int i = 0; i < 30; ++i) sentence += " word";
    const auto query = parse_query(sentence, 0);
    EXPECT_TRUE(query.phrases.empty());
    EXPECT_TRUE(query.not_words.empty());
    EXPECT_NE(query.words.find("quoted words"), std::string::npos);
}

TEST(RetrievalQuery, WordsThatSayNothingAreLeftOutUnlessThereIsNothingElse) {
    const std::array languages{Language::english};
    const auto asked = words_of(parse_query("what is the capital of France", 0), languages);
    ASSERT_EQ(asked.asked.size(), 2U);
    EXPECT_EQ(asked.asked[0].terms, List{"capit"});
    EXPECT_EQ(words_of(parse_query("to be or not to be", 0), languages).asked.size(), 4U);
    EXPECT_TRUE(has_phrase("The roof's panel, is Red", "PANEL is red"));
    EXPECT_FALSE(has_phrase("The panel was red", "panel is red"));
}

}  // namespace tandem::retrieval
