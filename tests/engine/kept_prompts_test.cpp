#include "engine/kept_prompts.h"

#include <gtest/gtest.h>

#include <fstream>

#include "engine/engine_memory.h"
#include "tests/support.h"

namespace tandem::engine {
namespace {

namespace fs = std::filesystem;

TEST(KeptPrompts, AFilePaysWhereReadingThePromptAgainTakesLongerThanWritingAndReadingTheFile) {
    EXPECT_FALSE(pays({.tokens = 40, .bytes = 1, .tokens_per_second = 1, .bytes_per_second = 1e9}));
    // 700,000 tokens at 300 a second, and 20 GB at 1 GB a second: 39 minutes against 40 s.
    EXPECT_TRUE(pays({.tokens = 700'000, .bytes = 20'000'000'000, .tokens_per_second = 300, .bytes_per_second = 1e9}));
    // 1,000 tokens at 5,000 a second, and 100 MB at 50 MB a second: 0.2 s against 4 s.
    EXPECT_FALSE(pays({.tokens = 1'000, .bytes = 100'000'000, .tokens_per_second = 5'000, .bytes_per_second = 5e7}));
    // Before anything was measured.
    EXPECT_TRUE(pays({.tokens = 1'000, .bytes = 100'000'000, .tokens_per_second = 0, .bytes_per_second = 0}));
}

TEST(KeptPrompts, AFileOfAnotherSetupIsRemoved) {
    const test::Folder folder;
    for (const auto& name : {PromptFolders::name_of("one", 3), PromptFolders::name_of("two", 0),
                             std::string("other.kv"), PromptFolders::name_of("one", 3) + ".kv"})
        std::ofstream(folder.path / name) << "x";
    const auto kept = PromptFolders::in(folder.path, "one");
    ASSERT_EQ(kept.size(), 1);
    EXPECT_EQ(kept[0].slot, 3);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path), {}), 1);
    EXPECT_TRUE(PromptFolders::in(folder.path / "none", "one").empty());
}

TEST(KeptPrompts, TheOldestFilesGoForNewOnes) {
    const test::Folder data;
    const auto now = fs::file_time_type::clock::now();
    for (int i = 0; i < 4; ++i) {
        const auto folder = data.path / "engines" / (i % 2 == 0 ? "a.d" : "b.d") / "prompts";
        fs::create_directories(folder);
        const auto file = folder / PromptFolders::name_of("setup", i);
        std::ofstream(file) << std::string(1'000, 'x');
        fs::last_write_time(file, now - std::chrono::hours(10 - i));
    }
    std::ofstream(data.path / "engines" / "a.log") << std::string(9'000, 'x');
    const PromptFolders folders(data.path);
    EXPECT_FALSE(folders.make_room(5'001, 5'000));
    EXPECT_TRUE(folders.make_room(1'000, 5'000));
    EXPECT_TRUE(fs::exists(data.path / "engines/a.d/prompts" / PromptFolders::name_of("setup", 0)));
    EXPECT_TRUE(folders.make_room(2'500, 5'000));
    EXPECT_FALSE(fs::exists(data.path / "engines/a.d/prompts" / PromptFolders::name_of("setup", 0)));
    EXPECT_FALSE(fs::exists(data.path / "engines/b.d/prompts" / PromptFolders::name_of("setup", 1)));
    EXPECT_TRUE(fs::exists(data.path / "engines/a.d/prompts" / PromptFolders::name_of("setup", 2)));
    folders.remove_all();
    EXPECT_FALSE(fs::exists(data.path / "engines/b.d/prompts" / PromptFolders::name_of("setup", 3)));
    EXPECT_TRUE(fs::exists(data.path / "engines" / "a.log"));
}

TEST(KeptPrompts, TheSpeedOfReadingIsThatOfTheLastLongPrompt) {
    EXPECT_EQ(read_speed_of("prompt eval time =    1000.00 ms /   200 tokens (\n"
                            "       eval time =     100.00 ms /    20 tokens (\n"
                            "prompt eval time =    1000.00 ms /   400 tokens (\n"
                            "prompt eval time =     900.00 ms /     9 tokens (\n"),
              400);
    EXPECT_EQ(read_speed_of("prompt eval time = nonsense"), 0);
}

}  // namespace
}  // namespace tandem::engine
