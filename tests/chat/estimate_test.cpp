#include "chat/estimate.h"

#include <gtest/gtest.h>

namespace tandem::chat {
namespace {

// What cl100k_base makes of a text, counted with tiktoken on 27 November 2026.
struct Counted {
    const char* text;
    std::int64_t tokens;
};
constexpr Counted kCounted[] = {
    {"The quick brown fox jumps over the lazy dog, and nobody asked it why.", 16},
    {"7,3,9,1,4,2,8,8,5,0,6,1,3,9,2,7,4,4,1,0,9", 41},
    {"aQzXvJqKwZbYxPcGfHjMdNsRtLkWqZ", 28},
    {"dGhlIGtleSBpcyBub3QgaGVyZQ9xQz7Kp2Lm4Vt8Wb", 33},
    {R"(!@#$%^&*()_+{}|:<>?~`[]\;',./)", 20},
    {R"([{"id":1,"score":1.7},{"id":2,"score":3.4}])", 22},
    {"4f9a01c7be33d2e8860b5a1f", 19},
    {"ሰላም ለዓለም እንዴት ነህ", 39},
    {"😀🎉🚀🧪🦀", 14},
    {"今天天气很好，我们去公园散步吧。", 20},
    {"Grüße aus Köln, schöne Straße!", 11},
    {"a b c d e f g h i j k l", 12},
    {"  \n \n\t\n  x", 4},
};

TEST(Estimate, of_the_most_is_never_less_than_a_tokenizer_counts) {
    for (const auto& [text, tokens] : kCounted) {
        EXPECT_GE(most_tokens(text).count, tokens) << text;
        EXPECT_GE(most_tokens(text), estimate_tokens(text)) << text;
    }
    EXPECT_EQ(most_tokens("").count, 0);
    EXPECT_EQ(most_tokens(" ").count, 1);
    // Not much more than what comes of words, or budgets refuse what they have room for.
    EXPECT_LE(most_tokens(kCounted[0].text).count, 3 * kCounted[0].tokens);
}

TEST(Estimate, of_the_most_counts_pages_and_pictures_as_the_dearest_provider_does) {
    Request request;
    const auto with = [&](auto part) {
        Message message;
        message.parts.push_back({std::move(part), {}});
        request.messages = {message};
        return most_prompt(request).count;
    };
    const auto bare = with(TextPart{""});
    EXPECT_GE(with(ImagePart{}) - bare, 4'784);
    DocumentPart sent;
    sent.media.data = std::string(40'000, 'A');
    EXPECT_GE(with(sent) - bare, 40'000);
    DocumentPart named;
    named.media.url = "https://example.org/a.pdf";
    EXPECT_GE(with(named) - bare, 200'000);
    EXPECT_GE(most_prompt(request), estimate_prompt(request));
}

}  // namespace
}  // namespace tandem::chat
