#include "engine/memory_need.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "engine/machine_memory.h"

namespace tandem::engine {
namespace {

// Qwen3-8B's lengths.
GgufFacts dense() {
    GgufFacts facts;
    facts.architecture = "qwen3";
    facts.context_tokens = 40'960;
    facts.tensor_bytes = 5'000'000'000;
    facts.quants = {{"Q4_K", 200, 4'000'000'000}, {"Q6_K", 37, 1'000'000'000}};
    facts.tokenizer.tokens = 151'936;
    facts.layers = {.count = 36,
                    .embedding = 4'096,
                    .heads = 32,
                    .kv_heads = 8,
                    .key_length = 128,
                    .value_length = 128,
                    .feed_forward = 12'288};
    return facts;
}

TEST(MemoryNeed, KeysAndValuesGoWithContextSlotsAndType) {
    NeedSettings settings{.context_tokens = 8'192, .slots = 1};
    // 36 layers x 8 heads x (128 + 128) elements x 2 bytes are 147,456 bytes a token.
    EXPECT_EQ(memory_need(dense(), settings).attention, 147'456L * 8'192);
    settings.slots = 3;
    EXPECT_EQ(memory_need(dense(), settings).attention, 147'456L * 8'192 * 3);
    settings.keys = settings.values = "q8_0";
    EXPECT_EQ(memory_need(dense(), settings).attention, 147'456L * 8'192 * 3 / 64 * 34);
}

TEST(MemoryNeed, LayersWithAWindowKeepTheWindowAndABatch) {
    auto facts = dense();
    facts.architecture = "gemma3";  // one layer of six sees all
    facts.layers.sliding_window = 1'024;
    const auto need = memory_need(facts, {.context_tokens = 32'768, .slots = 2});
    EXPECT_EQ(need.attention, 4'096L * 6 * 32'768 * 2);
    EXPECT_EQ(need.window, 4'096L * 30 * (1'024 + 512) * 2);
    // Each layer says it itself, whatever its architecture.
    facts.architecture = "gpt-oss";
    facts.layers.windowed = 18;
    EXPECT_EQ(memory_need(facts, {.context_tokens = 32'768, .slots = 2}).attention, 4'096L * 18 * 32'768 * 2);
}

TEST(MemoryNeed, AnEncoderKeepsNothing) {
    // bge-m3's lengths (gpustack/gpustack#2412: 13.8 GiB said, 926 MiB measured).
    GgufFacts facts;
    facts.architecture = "bert";
    facts.tensor_bytes = 1'150'000'000;
    facts.tokenizer.tokens = 250'002;
    facts.layers = {.count = 24, .embedding = 1'024, .heads = 16, .feed_forward = 4'096};
    const auto need = memory_need(facts, {.context_tokens = 8'192, .slots = 1});
    EXPECT_EQ(need.cache(), 0);
    EXPECT_LT(need.total(), 1'500'000'000);
}

TEST(MemoryNeed, ALargerBatchTakesMoreBetweenLayers) {
    const auto usual = memory_need(dense(), {.context_tokens = 8'192, .slots = 1});
    const auto large = memory_need(dense(), {.context_tokens = 8'192, .slots = 1, .batch = 4'096});
    EXPECT_GT(large.compute, usual.compute * 7);
    EXPECT_EQ(large.cache(), usual.cache());
}

TEST(MemoryNeed, TheTableOfTokensIsNotReorderedWhereAnotherIsTheWayBack) {
    auto facts = dense();
    facts.embedding_type = "Q4_K";
    facts.embedding_bytes = 350'000'000;
    const NeedSettings settings{.repacked = {"Q4_K"}};
    EXPECT_EQ(memory_need(facts, settings).repacked, 4'000'000'000);
    facts.has_output = true;
    EXPECT_EQ(memory_need(facts, settings).repacked, 3'650'000'000);
}

TEST(MemoryNeed, WindowsAndQuantizedKeysOfALargeModel) {
    // gpustack/gpustack#2101: 139 GB were said of Gemma 3 27B at 128,000 tokens with keys in q8_0.
    GgufFacts facts;
    facts.architecture = "gemma3";
    facts.tensor_bytes = 16'546'404'736;
    facts.tokenizer.tokens = 262'144;
    facts.layers = {.count = 62,
                    .embedding = 5'376,
                    .heads = 32,
                    .kv_heads = 16,
                    .key_length = 128,
                    .value_length = 128,
                    .feed_forward = 21'504,
                    .sliding_window = 1'024};
    const auto need = memory_need(facts, {.context_tokens = 128'000, .slots = 1, .keys = "q8_0"});
    EXPECT_GT(need.total(), 24'000'000'000);
    EXPECT_LT(need.total(), 28'000'000'000);
}

TEST(MemoryNeed, MostHybridLayersHaveAStateInstead) {
    auto facts = dense();
    facts.layers.kv_heads_sum = 9 * 8;  // each fourth layer
    facts.layers.kv_layers = 9;
    facts.layers.recurrent_state = 128;
    facts.layers.inner_size = 4'096;
    facts.layers.conv_kernel = 4;
    facts.layers.groups = 16;
    const auto need = memory_need(facts, {.context_tokens = 8'192, .slots = 2});
    EXPECT_EQ(need.attention, 147'456L / 4 * 8'192 * 2);
    EXPECT_EQ(need.recurrent, (3L * (4'096 + 2 * 16 * 128) + 128L * 4'096) * 4 * 27 * 2);
}

TEST(MemoryNeed, WhatTheCpuReordersIsThereTwiceAndThenOnce) {
    const NeedSettings plain, reordered{.repacked = {"Q4_K"}};
    EXPECT_EQ(memory_need(dense(), reordered).total() - memory_need(dense(), plain).total(), 4'000'000'000);
    EXPECT_EQ(memory_need(dense(), reordered).kept(), memory_need(dense(), plain).kept());
}

TEST(MemoryNeed, TheLargestContextIsTheLastThatFits) {
    NeedSettings settings{.slots = 2};
    constexpr std::int64_t kRoom = 8'000'000'000;
    const auto largest = largest_context(dense(), settings, kRoom);
    settings.context_tokens = largest;
    EXPECT_LE(memory_need(dense(), settings).kept(), kRoom);
    settings.context_tokens += 256;
    EXPECT_GT(memory_need(dense(), settings).kept(), kRoom);
    EXPECT_EQ(largest_context(dense(), settings, 64'000'000'000), 40'960);
    EXPECT_EQ(largest_context(dense(), settings, 5'000'000'000), 0);
}

// UndefinedBehaviorSanitizer watches: each number is what a file may claim.
TEST(MemoryNeed, AbsurdFactsGiveABoundedSum) {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    for (const auto* architecture : {"gemma3", "smallthinker", "qwen3"}) {
        auto facts = dense();
        facts.architecture = architecture;
        facts.tensor_bytes = facts.context_tokens = facts.tokenizer.tokens = facts.experts = facts.experts_used = kMost;
        facts.quants = {{"Q4_K", 1, kMost}, {"Q4_0", 1, kMost}};
        facts.layers = {kMost, kMost, kMost, kMost, kMost, kMost, kMost, kMost, kMost, kMost,
                        kMost, 0,     0,     kMost, kMost, kMost, kMost, kMost, kMost, 0};
        const NeedSettings settings{.context_tokens = 100'000'000, .slots = 64, .repacked = {"Q4_K", "Q4_0"}};
        EXPECT_GT(memory_need(facts, settings).total(), 1L << 58);
        EXPECT_EQ(largest_context(facts, settings, 1L << 40), 0);
        facts.layers.window_period = facts.layers.attention_period = kMost;
        EXPECT_GT(memory_need(facts, settings).total(), 1L << 58);
    }
}

class Machine : public ::testing::Test {
  protected:
    void SetUp() override {
        root_ = std::filesystem::temp_directory_path() / ("tandem-machine-" + std::to_string(getpid()));
        write("proc/meminfo", "MemTotal:       16000000 kB\nMemFree:  1 kB\n");
    }
    void TearDown() override { std::filesystem::remove_all(root_); }
    void write(const std::string& name, const std::string& text) {
        std::filesystem::create_directories((root_ / name).parent_path());
        std::ofstream(root_ / name) << text;
    }
    std::filesystem::path root_;
};

TEST_F(Machine, TheLowestLimitAboveTheProcessCounts) {
    EXPECT_EQ(machine_memory(root_).total_bytes, 16'384'000'000);
    write("proc/self/cgroup", "0::/a.slice/b.service\n");
    write("sys/fs/cgroup/a.slice/b.service/memory.max", "max\n");
    EXPECT_FALSE(machine_memory(root_).limited);
    write("sys/fs/cgroup/a.slice/memory.max", "4000000000\n");
    EXPECT_EQ(machine_memory(root_).total_bytes, 4'000'000'000);
    EXPECT_TRUE(machine_memory(root_).limited);
}

TEST_F(Machine, AContainerHasItsLimitAtTheMount) {
    write("proc/self/cgroup", "5:cpu:/\n4:memory:/docker/0123\n");
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    EXPECT_FALSE(machine_memory(root_).limited);
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "2000000000\n");
    EXPECT_EQ(machine_memory(root_).total_bytes, 2'000'000'000);
}

TEST(PromptCache, IsAShareOfTheMemoryWithinBounds) {
    EXPECT_EQ(prompt_cache_mib({}), 256);
    EXPECT_EQ(prompt_cache_mib({.total_bytes = 16L << 30, .limited = false, .models_bytes = 0}), 1'024);
    EXPECT_EQ(prompt_cache_mib({.total_bytes = 1L << 40, .limited = true, .models_bytes = 0}), 8'192);
    EXPECT_EQ(prompt_cache_mib({.total_bytes = 16L << 30, .limited = false, .models_bytes = 2L << 30}), 256);
    EXPECT_EQ(prompt_cache_mib({.total_bytes = 16L << 30, .limited = false, .models_bytes = 12L << 30}), 1'024);
    EXPECT_EQ(prompt_cache_mib({.total_bytes = 16L << 30, .limited = false, .models_bytes = 1L << 20}), 32);
}

}  // namespace
}  // namespace tandem::engine
