#include "engine/open_models.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine/disk/manifest.h"
#include "engine/pull/reference.h"
#include "engine/speed.h"

namespace tandem::engine {
namespace {

constexpr std::int64_t kGb = 1'000'000'000;

ModelRoom room(std::int64_t memory_gb, std::int64_t gpu_gb = 0, double gbs = 0, double slowest = 0) {
    return {.memory = memory_gb * kGb / 10 * 9,
            .gpu = gpu_gb * kGb / 10 * 9,
            .bytes_per_second = gbs * 1e9,
            .slowest = slowest};
}

std::vector<std::string_view> names(const std::vector<Suggestion>& list) {
    std::vector<std::string_view> found;
    for (const auto& one : list) found.push_back(one.model->name);
    return found;
}

TEST(OpenModels, EachRowCanBePulledAndSaysWhereItWasRead) {
    std::set<std::string_view> sums;
    for (const auto& model : open_models()) {
        const auto reference = reference_of(model.reference());
        ASSERT_TRUE(reference) << model.name;
        EXPECT_EQ(reference->name, model.repository);
        EXPECT_TRUE(is_model_name(model.file)) << model.file;
        EXPECT_NE(model.file.find(model.tag), std::string_view::npos) << model.file;
        EXPECT_EQ(model.sha256.size(), 64U);
        EXPECT_TRUE(sums.insert(model.sha256).second) << model.name;
        EXPECT_FALSE(model.recorded.empty() || model.licence.empty() || model.good_at.empty()) << model.name;
        EXPECT_LE(model.context, model.claims);
        EXPECT_EQ(open_model(model.repository, model.file), &model);
    }
    EXPECT_EQ(open_model("Qwen/Qwen3-8B-GGUF", "other.gguf"), nullptr);
}

TEST(OpenModels, WhatIsSuggestedFitsInOrderOfWhatItKnows) {
    for (const auto memory : {4, 8, 16, 32, 64, 128}) {
        const auto space = room(memory);
        const auto list = suggestions(space);
        ASSERT_FALSE(list.empty()) << memory;
        EXPECT_LE(list.size(), 3U);
        std::set<std::string_view> once;
        for (const auto& one : list) {
            EXPECT_LE(one.need.kept(), space.memory) << one.model->name;
            EXPECT_TRUE(once.insert(one.model->name).second);
        }
    }
    EXPECT_TRUE(suggestions({.memory = 300'000'000}).empty());
}

TEST(OpenModels, MoreMemoryIsMoreToChooseFrom) {
    EXPECT_EQ(names(suggestions(room(4))).front(), "Gemma 3 4B");
    EXPECT_EQ(names(suggestions(room(8))).front(), "Qwen3 8B");
    EXPECT_EQ(names(suggestions(room(16))).front(), "gpt-oss 20B");
    std::size_t before = 0;
    for (const auto memory : {2, 4, 8, 16, 32, 64, 128}) {
        const auto fit = fitting(room(memory)).size();
        EXPECT_GE(fit, before);
        before = fit;
    }
    EXPECT_EQ(before, open_models().size());
}

TEST(OpenModels, WhatIsTooSlowIsNotSuggestedWhereOtherThingsAre) {
    const auto slow = suggestions(room(64, 0, 30, 8));
    ASSERT_FALSE(slow.empty());
    for (const auto& one : slow) EXPECT_GE(one.tokens_per_second, 8) << one.model->name;
    // A dense one of 27 B would be read whole for each token; a mixture is not.
    EXPECT_EQ(std::ranges::count(names(slow), "Gemma 3 27B"), 0);
    EXPECT_EQ(slow.front().model->name, "gpt-oss 20B");
    // Nothing is fast enough: the fastest of them.
    const auto crawl = suggestions(room(64, 0, 1, 8));
    ASSERT_EQ(crawl.size(), 1U);
    EXPECT_EQ(crawl.front().model->name, "Qwen3 0.6B");
}

TEST(OpenModels, AGpuTakesWhatFitsIntoItsOwnMemory) {
    const auto list = suggestions(room(16, 24, 30, 8));
    ASSERT_FALSE(list.empty());
    EXPECT_TRUE(list.front().on_gpu);
    EXPECT_LE(list.front().need.on_gpu(), 24 * kGb / 10 * 9);
    EXPECT_EQ(list.front().model->name, "gpt-oss 20B");
    EXPECT_EQ(std::ranges::count(names(list), "Qwen3 Coder 30B"), 1);
}

TEST(OpenModels, AMixtureReadsItsExpertsInUseAndATableOneRow) {
    GgufFacts facts;
    facts.tensor_bytes = 1'000;
    EXPECT_EQ(bytes_per_token(facts, {}, 0), 1'000);
    facts.embedding_bytes = 100;
    EXPECT_EQ(bytes_per_token(facts, {}, 0), 1'000);  // it is the way back as well
    facts.has_output = true;
    EXPECT_EQ(bytes_per_token(facts, {}, 0), 900);
    facts.experts = 8;
    facts.experts_used = 2;
    facts.expert_bytes = 800;
    EXPECT_EQ(bytes_per_token(facts, {}, 0), 300);
}

TEST(OpenModels, MemoryIsMeasuredWithinItsBoundAndGivenBack) {
    const auto measured = measure_bandwidth(2, 64LL << 20);
    EXPECT_GT(measured.bytes_per_second, 1e8);
    EXPECT_LE(measured.buffer_bytes, 64LL << 20);
    EXPECT_EQ(measured.threads, 2);
    EXPECT_EQ(measure_bandwidth(2, 1 << 20).bytes_per_second, 0);
}

}  // namespace
}  // namespace tandem::engine
