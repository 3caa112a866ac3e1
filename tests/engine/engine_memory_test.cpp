#include "engine/engine_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"

namespace tandem::engine {
namespace {

constexpr double kMib = 1048576;

// As llama-server 11434.0.0 wrote it, and as other versions and devices do.
constexpr std::string_view kLog =
    "0.00.169.378 I load_tensors:   CPU_Mapped model buffer size =    92.10 MiB\n"
    "0.00.169.400 I load_tensors:   CPU_REPACK model buffer size =    54.50 MiB\n"
    "0.00.170.207 I llama_context:        CPU  output buffer size =     0.19 MiB\n"
    "0.00.170.263 I llama_kv_cache:        CPU KV buffer size =    45.00 MiB\n"
    "0.00.170.300 I llama_memory_recurrent:        CPU RS buffer size =    3.50 MiB\n"
    "0.00.299.497 I llama_kv_cache: size =   45.00 MiB (  2048 cells,  30 layers,  1/1 seqs)\n"
    "0.00.302.811 I sched_reserve:        CPU compute buffer size =    16.64 MiB\n"
    "load_tensors:        CUDA0 model buffer size = 17295.40 MiB\n"
    "sched_reserve:  CUDA_Host compute buffer size =   108.01 MiB\n";

TEST(EngineMemory, BuffersOfALogAreSummedByWhatTheyHold) {
    const auto words = words_of(kLog);
    EXPECT_EQ(words.weights, static_cast<std::int64_t>(92.10 * kMib));
    EXPECT_EQ(words.repacked, static_cast<std::int64_t>(54.50 * kMib));
    EXPECT_EQ(words.cache, static_cast<std::int64_t>(45 * kMib));
    EXPECT_EQ(words.recurrent, static_cast<std::int64_t>(3.5 * kMib));
    EXPECT_NEAR(static_cast<double>(words.compute), (0.19 + 16.64 + 108.01) * kMib, 4);
    EXPECT_EQ(words.devices, (DeviceBytes{{"CUDA0", static_cast<std::int64_t>(17295.40 * kMib)}}));
}

TEST(EngineMemory, NoTextCanMakeItSayNonsense) {
    for (const auto* line :
         {"CPU KV buffer size = nan MiB", "CPU KV buffer size = inf MiB", "CPU KV buffer size = -5 MiB",
          "CPU KV buffer size = 1e300 MiB", "CPU KV buffer size = MiB", "CPU KV buffer size = 5", "buffer size = 5 MiB",
          " buffer size =", "CPU KV buffer size =\n MiB"}) {
        EXPECT_EQ(words_of(line).host(), 0) << line;
    }
    // The most lines, each with the most: no sum that runs over.
    std::string many;
    for (int i = 0; i < 30'000; ++i) many += "CPU KV buffer size = 16777216 MiB\n";
    EXPECT_EQ(words_of(many).cache, static_cast<std::int64_t>(kMostBuffers) << 44);
    EXPECT_EQ(words_of(std::string(3 * kMostWords, 'x') + "\nCPU KV buffer size = 5 MiB\n").host(), 0);
}

TEST(EngineMemory, TheFastestAnswerIsOneOfSomeTokens) {
    EXPECT_NEAR(fastest_of("| prompt eval time = 10.00 ms / 100 tokens\n|        eval time =     272.59 ms /    40 "
                           "tokens (    6.99 ms per token)\n"
                           "|        eval time =       0.10 ms /     2 tokens\n|  eval time = 0.00 ms / 40 tokens\n"),
                40 / 0.27259, 0.01);
    EXPECT_EQ(fastest_of(" eval time = x ms / 40 tokens\n eval time ="), 0);
}

TEST(EngineMemory, WhatWasSeenIsKeptAndADamagedFileIsNone) {
    const auto data = std::filesystem::temp_directory_path() / ("tandem-seen-" + std::to_string(getpid()));
    EXPECT_FALSE(kept_of(data, "a/b"));
    EngineMemory memory;
    memory.file = "/models/\"x\".gguf";
    memory.settings = {.context_tokens = 4'096, .slots = 2, .keys = "q8_0", .values = "f16"};
    memory.guess = 7;
    memory.words = words_of(kLog);
    memory.resident = {5, 4, 3};
    memory.tokens_per_second = 12.5;
    memory.bytes_per_token = 1'000;
    memory.when_ms = 99;
    ASSERT_TRUE(keep(data, "a/b", memory));
    const auto kept = kept_of(data, "a/b");
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->file, memory.file);
    EXPECT_EQ(kept->settings.keys, "q8_0");
    EXPECT_EQ(kept->words.host(), memory.words.host());
    EXPECT_EQ(kept->resident.anonymous, 3);
    EXPECT_DOUBLE_EQ(reached(data), 12'500);
    for (const auto* text : {"", "{", "[]", R"({"version":2,"file":"x"})", R"({"version":1})"}) {
        ASSERT_TRUE(write_private_file(data / "engines" / "a_b.memory.json", text));
        EXPECT_FALSE(kept_of(data, "a/b")) << text;
    }
    EXPECT_EQ(reached(data), 0);
    std::filesystem::remove_all(data);
}

TEST(EngineMemory, TheKernelSaysWhatThisProcessHas) {
    const auto resident = resident_of(getpid());
    EXPECT_GT(resident.anonymous, 0);
    EXPECT_GE(resident.now, resident.anonymous);
    EXPECT_GE(resident.peak, resident.now);
    EXPECT_EQ(resident_of(0).peak, 0);
}

}  // namespace
}  // namespace tandem::engine
