#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "retrieval/lexical/builder.h"
#include "retrieval/lexical/score.h"

namespace tandem::retrieval {

namespace fs = std::filesystem;

namespace {

class RetrievalSegment : public testing::Test {
  protected:
    RetrievalSegment() {
        std::string name = (fs::temp_directory_path() / "segmentsXXXXXX").string();
        folder_ = mkdtemp(name.data());
    }
    ~RetrievalSegment() override { fs::remove_all(folder_); }

    void add(SegmentBuilder& to, std::int64_t id, const std::vector<std::string>& texts) {
        std::vector<ChunkText> chunks;
        for (const auto& text : texts) chunks.push_back({text, ""});
        to.add({id, static_cast<std::uint64_t>(id) * 7, Language::english, "", "", chunks}, stemmer_);
    }
    std::shared_ptr<const Segment> written(SegmentBuilder& builder) {
        const auto file = folder_ / (std::to_string(++files_) + ".segment");
        EXPECT_TRUE(builder.write(file));
        return *Segment::open(file);
    }
    static std::vector<std::pair<std::int64_t, float>> ranked(std::span<const std::shared_ptr<const Segment>> segments,
                                                              const std::vector<std::vector<Standing>>& standing,
                                                              const std::vector<AskedWord>& words) {
        std::vector<std::pair<std::int64_t, float>> list;
        for (const auto& place : rank(segments, standing, words, {}, 100).places)
            list.emplace_back(segments[place.segment]->documents()[place.document].id, place.score);
        return list;
    }

    fs::path folder_;
    Stemmer stemmer_;
    int files_ = 0;
};

AskedWord word(std::string term) {
    return {.terms = {std::move(term)}};
}

}  // namespace

TEST_F(RetrievalSegment, RankingIsTheSameOverOneSegmentOrMany) {
    SegmentBuilder all, first, second;
    add(all, 1, {"cats and dogs", "more dogs"});
    add(all, 2, {"a cat"});
    add(all, 3, {"birds alone", "cat bird cat"});
    add(first, 1, {"cats and dogs", "more dogs"});
    add(second, 2, {"a cat"});
    add(second, 3, {"birds alone", "cat bird cat"});
    const std::vector one{written(all)};
    const std::vector many{written(second), written(first)};
    const std::vector<std::vector<Standing>> asked{{Standing::asked, Standing::asked, Standing::asked}};
    const std::vector<std::vector<Standing>> parts{{Standing::asked, Standing::asked}, {Standing::asked}};
    auto whole = ranked(one, asked, {word("cat"), word("dog")});
    ASSERT_EQ(whole.size(), 3U);
    EXPECT_EQ(whole[0].first, 1);
    EXPECT_EQ(ranked(many, parts, {word("cat"), word("dog")}), whole);
}

TEST_F(RetrievalSegment, WhatIsHiddenChangesNoNumber) {
    SegmentBuilder with, without;
    for (auto* builder : {&with, &without}) {
        add(*builder, 1, {"cat dog"});
        add(*builder, 2, {"cat"});
    }
    add(with, 3, {"cat cat cat secret words of somebody else"});
    const std::vector first{written(with)}, second{written(without)};
    const auto hidden = ranked(first, {{Standing::asked, Standing::asked, Standing::hidden}}, {word("cat")});
    EXPECT_EQ(hidden, ranked(second, {{Standing::asked, Standing::asked}}, {word("cat")}));
    // A filter leaves the numbers as they are, and the document out.
    const auto counted = ranked(second, {{Standing::counted, Standing::asked}}, {word("cat")});
    ASSERT_EQ(counted.size(), 1U);
    EXPECT_EQ(counted[0].first, 2);
}

TEST_F(RetrievalSegment, NeededAndExcludedWordsLeaveOut) {
    SegmentBuilder builder;
    add(builder, 1, {"cat dog"});
    add(builder, 2, {"cat", "dog"});
    add(builder, 3, {"cat bird"});
    const std::vector segments{written(builder)};
    const std::vector<std::vector<Standing>> asked{{Standing::asked, Standing::asked, Standing::asked}};
    AskedWord cat = word("cat"), dog = word("dog"), bird = word("bird");
    cat.needed = dog.needed = true;
    EXPECT_EQ(ranked(segments, asked, {cat, dog}).size(), 1U);
    bird.excluded = true;
    EXPECT_EQ(ranked(segments, asked, {word("cat"), bird}).size(), 2U);
}

TEST_F(RetrievalSegment, AMergeLeavesNoWordOfWhatIsNotKept) {
    SegmentBuilder first, second;
    add(first, 1, {"alpha beta"});
    add(first, 2, {"xylophonist gamma"});
    add(second, 3, {"beta gamma"});
    const std::vector old{written(first), written(second)};
    const auto file = folder_ / "merged.segment";
    ASSERT_TRUE(
        merge(old, [](std::size_t segment, std::size_t document) { return segment != 0 || document != 1; }, file));
    const auto merged = *Segment::open(file);
    EXPECT_EQ(merged->documents().size(), 2U);
    EXPECT_EQ(merged->find("beta").size(), 2U);
    EXPECT_TRUE(merged->find("xylophonist").empty());
    std::ifstream in(file, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    EXPECT_EQ(bytes.find("xylophonist"), std::string::npos);
    const std::vector<std::vector<Standing>> asked{{Standing::asked, Standing::asked}};
    const std::vector one{merged};
    EXPECT_EQ(ranked(one, asked, {word("beta")}).size(), 2U);
}

TEST_F(RetrievalSegment, ABrokenFileIsRefusedAndABrokenByteHarmsNothing) {
    SegmentBuilder builder;
    add(builder, 1, {"alpha beta gamma delta", "epsilon"});
    const auto good = written(builder)->file();
    std::ifstream in(good, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    const auto broken = folder_ / "broken.segment";
    for (std::size_t at = 0; at < bytes.size(); at += 13) {
        std::ofstream(broken, std::ios::binary) << bytes.substr(0, at);
        EXPECT_FALSE(Segment::open(broken).has_value());
    }
    for (std::size_t at = 0; at < bytes.size(); at += 3)
        for (const char flip : {'\xFF', '\x80'}) {
            auto changed = bytes;
            changed[at] = static_cast<char>(changed[at] ^ flip);
            std::ofstream(broken, std::ios::binary) << changed;
            const auto segment = Segment::open(broken);
            if (!segment) continue;
            const std::vector one{*segment};
            const std::vector<std::vector<Standing>> asked{
                std::vector<Standing>((*segment)->documents().size(), Standing::asked)};
            (void)rank(one, asked, std::vector{word("alpha"), word("epsilon")}, {}, 10);
        }
}

}  // namespace tandem::retrieval
