#include "resources/batch_file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support.h"

namespace tandem::resources {
namespace {

constexpr auto kEndpoint = "/v1/chat/completions";

std::string line(std::string_view id, const std::string& more = "") {
    return fmt::format(R"({{"custom_id":"{}","method":"POST","url":"{}","body":{{"model":"m"{}}}}})", id, kEndpoint,
                       more);
}

Result<> always(std::string_view) {
    return {};
}

TEST(BatchFile, KnowsWhereItsLinesStandAndReadsOneWhenItsTurnComes) {
    const test::Folder folder;
    const auto file = folder.path / "input";
    const auto large = line("big", R"(,"x":")" + std::string(200'000, 'x') + "\"");
    test::write_file(file, line("a") + "\r\n\n  \n" + large + "\n" + line("c"));
    const auto read = read_lines(file, kEndpoint, 1 << 20, always);
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->errors.empty()) << read->errors[0];
    ASSERT_EQ(read->lines.size(), 3U);
    EXPECT_EQ(read_line(file, read->lines[0])->custom_id, "a");
    EXPECT_EQ(read_line(file, read->lines[0])->body, R"({"model":"m"})");
    EXPECT_EQ(read_line(file, read->lines[1])->custom_id, "big");
    EXPECT_GT(read_line(file, read->lines[1])->body.size(), 200'000U);
    EXPECT_EQ(read_line(file, read->lines[2])->custom_id, "c");
    EXPECT_EQ(read->lines[2].number, 2);
    EXPECT_LE(sizeof(LinePlace), 16U) << "50,000 of them are kept for each batch at work";
}

TEST(BatchFile, SaysWhatIsWrongWithEachLine) {
    const test::Folder folder;
    const auto file = folder.path / "input";
    const std::pair<std::string, std::string> cases[] = {
        {"no json", "invalid_json_line"},
        {"[1]", "invalid_json_line"},
        {R"({"method":"POST"})", "missing_required_parameter"},
        {line("a") + "\n" + line("a"), "duplicate_custom_id"},
        {R"({"custom_id":"a","method":"GET","url":"/v1/chat/completions","body":{}})", "invalid_url"},
        {R"({"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{}})", "invalid_url"},
        {R"({"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":[]})", "invalid_request"},
        {line("a", R"(,"stream":true)"), "invalid_request"},
        {line("a", R"(,"x":")" + std::string(2'000, 'x') + "\""), "line_too_long"},
        {"", "empty_file"},
        {"\n\n", "empty_file"}};
    for (const auto& [text, code] : cases) {
        test::write_file(file, text);
        const auto read = read_lines(file, kEndpoint, 1'000, always);
        ASSERT_TRUE(read) << text;
        ASSERT_EQ(read->errors.size(), 1U) << text;
        EXPECT_NE(read->errors[0].find(code), std::string::npos) << read->errors[0];
    }
    std::string many;
    for (std::size_t i = 0; i <= kMostLines; ++i) many += line(std::to_string(i)) + "\n";
    test::write_file(file, many);
    const auto read = read_lines(file, kEndpoint, 1'000, always);
    EXPECT_NE(read->errors.at(0).find("too_many_lines"), std::string::npos);
    EXPECT_FALSE(read_lines(folder.path / "gone", kEndpoint, 1'000, always));
}

TEST(BatchFile, AsksForRoomBeforeALongLineIsLookedAt) {
    const test::Folder folder;
    const auto file = folder.path / "input";
    test::write_file(file, line("a", R"(,"x":")" + std::string(200'000, 'x') + "\""));
    std::size_t asked = 0;
    const auto read = read_lines(file, kEndpoint, 1 << 20, [&](std::string_view text) -> Result<> {
        asked = text.size();
        return fail(ErrorCode::unavailable, "no room");
    });
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::unavailable);
    EXPECT_GT(asked, 200'000U);
}

TEST(FileWriter, LeavesNothingBehindUnlessItIsFinished) {
    const test::Folder folder;
    {
        FileWriter writer(folder.path / "files" / "one");
        ASSERT_TRUE(writer.write("half"));
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path / "files"));
    FileWriter writer(folder.path / "files" / "one");
    ASSERT_TRUE(writer.write("first\n"));
    EXPECT_FALSE(std::filesystem::exists(folder.path / "files" / "one"));
    ASSERT_TRUE(writer.write("second\n"));
    ASSERT_TRUE(writer.finish());
    EXPECT_EQ(writer.bytes(), 13);
    EXPECT_EQ(test::read_file(folder.path / "files" / "one"), "first\nsecond\n");
    EXPECT_EQ(std::filesystem::status(folder.path / "files" / "one").permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    FileWriter nowhere("/proc/nothing/here");
    EXPECT_EQ(nowhere.write("x").error().code, ErrorCode::storage);
}

}  // namespace
}  // namespace tandem::resources
