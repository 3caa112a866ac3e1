#include "chat/token_weights.h"

#include <gtest/gtest.h>

#include <string>

namespace tandem::chat {
namespace {

std::int64_t tokens(std::string_view text) {
    return tokens_of_thousandths(thousandths_of(text));
}

// Counts of tiktoken's o200k_base and cl100k_base for the same texts, the lower and the higher one.
TEST(TokenWeights, come_near_to_tokenizers_in_use) {
    struct Known {
        const char* text;
        std::int64_t low, high;
    };
    for (const auto& [text, low, high] :
         {Known{
              "The pump was checked on Tuesday, and nobody found a reason for the noise that the neighbours had heard.",
              21, 21},
          Known{"for (std::size_t i = 0; i < list.size(); ++i)\n    if (list[i].isOpen()) total += list[i].amountDue;",
                35, 36},
          Known{"{\"id\": 4711, \"name\": \"Miller\", \"tags\": [\"new\", \"late\"], \"amount\": 1299.95, \"open\": "
                "true}",
                36, 37},
          Known{"| North | 12,345 | 98.1 % | open |\n| South | 9,871 | 77.4 % | late |\n", 32, 32},
          Known{"Die Überweisung wurde gestern geprüft und enthält keinen Fehler, den wir melden müssten.", 17, 24},
          Known{"Насос проверили во вторник, и никто не нашёл причины шума, который слышали соседи.", 24, 39},
          Known{"水泵在星期二进行了检查，没有人找到邻居听到的噪音的原因。", 22, 31},
          Known{"ポンプは火曜日に点検されましたが、近所の人が聞いた騒音の原因は見つかりませんでした。", 32, 44},
          Known{"펌프는 화요일에 점검되었지만 이웃이 들은 소음의 원인은 아무도 찾지 못했습니다.", 29, 48}}) {
        EXPECT_GE(tokens(text), low - low * 4 / 10) << text;
        EXPECT_LE(tokens(text), high + high * 4 / 10) << text;
    }
}

TEST(TokenWeights, of_pieces_add_up_to_those_of_the_whole) {
    const std::string text = "The answer is 42.\n  - first\n  - second, caf\xC3\xA9";
    std::int64_t sum = 0;
    for (const auto piece : {"The answer", " is 42.", "\n", "  - first\n  - ", "second, caf", "\xC3\xA9"})
        sum += thousandths_of(piece);
    EXPECT_NEAR(static_cast<double>(sum), static_cast<double>(thousandths_of(text)), 1'500);
}

TEST(TokenWeights, of_damaged_text_are_bounded) {
    std::string bytes;
    for (int i = 0; i < 10'000; ++i) bytes += static_cast<char>(i * 37 % 256);
    EXPECT_GT(thousandths_of(bytes), 0);
    EXPECT_LT(thousandths_of(bytes), 10'000 * 2'500);
    EXPECT_EQ(thousandths_of(""), 0);
}

}  // namespace
}  // namespace tandem::chat
