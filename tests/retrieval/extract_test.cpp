#include <gtest/gtest.h>

#include <algorithm>

#include "retrieval/chunk/chunk.h"
#include "retrieval/extract/formats.h"
#include "retrieval/extract/wire.h"

namespace tandem::retrieval {

namespace {

struct Read {
    Extracted extracted;
    std::string why;
    bool good = false;
    std::string all() const {
        std::string text;
        for (const auto& block : extracted.blocks) (text += block.text) += '\n';
        return text;
    }
};

Read read(std::string_view name, std::string_view bytes) {
    Read made;
    made.good = extract(*format_of(name), {bytes, name}, made.extracted, made.why);
    return made;
}

}  // namespace

TEST(RetrievalExtract, TextHasParagraphsWithTheirLinesAndBytes) {
    const auto text = read("a.txt", "Title\n\nFirst line\nsecond line\n\n\nLast\n");
    ASSERT_TRUE(text.good);
    EXPECT_EQ(text.extracted.title, "Title");
    ASSERT_EQ(text.extracted.blocks.size(), 3U);
    const auto& second = text.extracted.blocks[1];
    EXPECT_EQ(second.text, "First line\nsecond line");
    EXPECT_EQ(second.first_line, 3U);
    EXPECT_EQ(second.last_line, 4U);
    EXPECT_EQ(second.begin, 7U);
    EXPECT_EQ(second.end, 29U);
}

TEST(RetrievalExtract, AnyCharsetIsRead) {
    EXPECT_EQ(read("a.txt", std::string("\xFF\xFEG\0r\0\xFC\0n\0", 10)).all(), "Gr\u00fcn\n");
    EXPECT_EQ(read("a.txt", std::string("\0G\0r\0\xFC\0n", 8)).all(), "Gr\u00fcn\n");
    EXPECT_EQ(read("a.txt", "\xEF\xBB\xBFGr\xC3\xBCn").all(), "Gr\u00fcn\n");
    EXPECT_NE(read("a.txt",
                   "Die \xDC"
                   "bergr\xF6\xDF"
                   "e f\xFCr m\xFC"
                   "de Stra\xDF"
                   "en und sch\xF6ne G\xE4rten")
                  .all()
                  .find("\u00dcbergr\u00f6\u00dfe f\u00fcr m\u00fcde"),
              std::string::npos);
}

TEST(RetrievalExtract, WhatIsNoTextIsAFailureWithAReason) {
    for (const auto& bytes : {std::string(), std::string("\0\1\2\3\4\0\0\0", 8), std::string(" \n\t\n")}) {
        const auto nothing = read("a.txt", bytes);
        EXPECT_FALSE(nothing.good);
        EXPECT_FALSE(nothing.why.empty());
    }
    EXPECT_EQ(read("a.html", "<script>only()</script>").why, "nothing in the file is text");
}

TEST(RetrievalExtract, MarkdownHasHeadingsAndPlaces) {
    const auto page = read("a.md",
                           "# Install\n\nSome *bold* text.\n\n## On Debian\n\n```sh\napt install x\n```\n\n| a | b "
                           "|\n|---|---|\n| 1 | 2 |\n");
    ASSERT_TRUE(page.good);
    EXPECT_EQ(page.extracted.title, "Install");
    const auto& blocks = page.extracted.blocks;
    ASSERT_GE(blocks.size(), 5U);
    EXPECT_EQ(blocks[1].text, "Some bold text.");
    EXPECT_EQ(blocks[1].first_line, 3U);
    EXPECT_EQ(blocks[2].level, 2);
    EXPECT_EQ(blocks[3].kind, BlockKind::code);
    EXPECT_EQ(blocks.back().text, "1 | 2");
    const auto chunks = chunks_of(page.extracted);
    ASSERT_FALSE(chunks.empty());
    EXPECT_EQ(chunks.front().heading, "Install");
}

TEST(RetrievalExtract, HtmlIsItsContent) {
    std::string body;
    for (int i = 0; i < 20; ++i) body += "<p>Sentence number " + std::to_string(i) + " of the article.</p>";
    const auto page = read("a.html",
                           "<html><head><title> The  page </title><style>p{}</style></head><body><nav>Menu "
                           "Home</nav><main><h1>Heading</h1>" +
                               body + "<pre>a\n  b</pre></main><footer>Imprint</footer></body></html>");
    ASSERT_TRUE(page.good);
    EXPECT_EQ(page.extracted.title, "The page");
    EXPECT_EQ(page.extracted.blocks[0].text, "Heading");
    EXPECT_EQ(page.all().find("Menu"), std::string::npos);
    EXPECT_EQ(page.all().find("Imprint"), std::string::npos);
    EXPECT_NE(page.all().find("a\n  b"), std::string::npos);
}

TEST(RetrievalExtract, CodeNamesTheDefinitionAround) {
    const auto code =
        read("a.py", "import os\n\ndef first(a):\n    return a\n\n    # more\n\nclass Second:\n    pass\n");
    ASSERT_TRUE(code.good);
    const auto scopes = std::ranges::count(code.extracted.blocks, BlockKind::scope, &Block::kind);
    EXPECT_EQ(scopes, 2);
    EXPECT_EQ(chunks_of(code.extracted).back().heading, "class Second:");
}

TEST(RetrievalExtract, TablesAndJsonNameEachValue) {
    EXPECT_EQ(read("a.csv", "name;age\n\"Doe; Jane\";44\n").all(), "name, age\nname: Doe; Jane; age: 44\n");
    EXPECT_EQ(read("a.json", R"({"a":{"b":[1,"two"]},"title":"T"})").all(), "a.b: 1\na.b: two\ntitle: T\n");
    EXPECT_EQ(read("a.json", "{\"a\":1}\n{\"a\":2}\n").extracted.blocks.size(), 1U);  // lines of JSON
}

TEST(RetrievalExtract, MailsAreDecoded) {
    const auto mail =
        read("a.eml",
             "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= =?utf-8?B?IGF1cw==?=\r\nFrom: a@x.example\r\n"
             "Content-Type: multipart/alternative; boundary=\"B\"\r\n\r\n--B\r\nContent-Type: text/plain; "
             "charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSch=F6ne =\r\nZeit\r\n"
             "--B\r\nContent-Type: text/html\r\n\r\n<p>other</p>\r\n--B--\r\n");
    ASSERT_TRUE(mail.good);
    EXPECT_EQ(mail.extracted.title, "Gr\u00fc\u00dfe aus");
    EXPECT_NE(mail.all().find("Sch\u00f6ne Zeit"), std::string::npos);
    EXPECT_EQ(mail.all().find("other"), std::string::npos);
    const auto box = read("a.mbox", "From x\nSubject: One\n\nfirst\n\nFrom y\nSubject: Two\n\nsecond\n");
    ASSERT_TRUE(box.good);
    EXPECT_EQ(box.extracted.blocks.size(), 4U);
    EXPECT_EQ(box.extracted.blocks[2].first_line, 6U);
}

TEST(RetrievalChunk, HoldsItsBoundAndItsPlaces) {
    std::string text;
    for (int i = 1; i <= 2000; ++i) text += "Line number " + std::to_string(i) + " says something of its own.\n";
    const auto chunks = chunks_of(read("a.txt", text).extracted);
    ASSERT_GT(chunks.size(), 10U);
    for (const auto& chunk : chunks) {
        EXPECT_LE(tokens_at_most(chunk.text) + tokens_at_most(chunk.heading), kMostChunkTokens);
        EXPECT_EQ(text.substr(chunk.begin, chunk.text.size()), chunk.text);
        EXPECT_EQ(chunk.first_line, 1 + std::ranges::count(text.substr(0, chunk.begin), '\n'));
    }
    EXPECT_EQ(chunks.back().last_line, 2000U);
}

TEST(RetrievalChunk, OneEndlessWordIsCut) {
    const auto chunks = chunks_of(read("a.txt", std::string(100'000, 'x') + "\n").extracted);
    ASSERT_FALSE(chunks.empty());
    std::size_t all = 0;
    for (const auto& chunk : chunks) all += chunk.text.size();
    EXPECT_EQ(all, 100'000U);
}

TEST(RetrievalWire, TakesWhatItWroteAndNothingElse) {
    Answer answer;
    answer.extracted = read("a.md", "# T\n\ntext\n").extracted;
    const auto frame = encode(answer);
    const auto back = decode_answer(frame);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->extracted.blocks.size(), 2U);
    EXPECT_EQ(back->extracted.blocks[1].text, "text");
    for (std::size_t cut = 0; cut < frame.size(); ++cut) EXPECT_FALSE(decode_answer(frame.substr(0, cut)));
    EXPECT_FALSE(decode_answer(frame + "x"));
}

}  // namespace tandem::retrieval
