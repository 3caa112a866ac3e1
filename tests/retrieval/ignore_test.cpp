#include "retrieval/watch/ignore.h"

#include <gtest/gtest.h>

namespace tandem::retrieval {

TEST(RetrievalIgnore, GlobsMatchAsGitsDo) {
    EXPECT_TRUE(glob_matches("*.md", "a.md"));
    EXPECT_FALSE(glob_matches("*.md", "a/b.md"));
    EXPECT_TRUE(glob_matches("**/b.md", "b.md"));
    EXPECT_TRUE(glob_matches("**/b.md", "x/y/b.md"));
    EXPECT_TRUE(glob_matches("a/**", "a/b/c"));
    EXPECT_TRUE(glob_matches("a/**/c", "a/c"));
    EXPECT_TRUE(glob_matches("a/**/c", "a/b/x/c"));
    EXPECT_FALSE(glob_matches("a/**/c", "ac"));
    EXPECT_TRUE(glob_matches("[a-c]?[!x].t", "bzy.t"));
    EXPECT_FALSE(glob_matches("[a-c]?[!x].t", "bzx.t"));
    EXPECT_TRUE(glob_matches("\\*", "*"));
    EXPECT_FALSE(glob_matches("\\*", "a"));
    EXPECT_TRUE(glob_matches("*a*b*c", "xxaxxbxxc"));
    EXPECT_FALSE(glob_matches(std::string(50, '*') + "b", std::string(5'000, 'a')));
}

TEST(RetrievalIgnore, TheLastRuleThatMatchesDecides) {
    const auto rules = IgnoreRules().with("", "# no\n*.log\n!keep.log\nbuild/\n/top.txt\ndocs/*.tmp\n");
    EXPECT_TRUE(rules.ignores("a/b.log", false));
    EXPECT_FALSE(rules.ignores("a/keep.log", false));
    EXPECT_TRUE(rules.ignores("a/build", true));
    EXPECT_FALSE(rules.ignores("a/build", false));
    EXPECT_TRUE(rules.ignores("top.txt", false));
    EXPECT_FALSE(rules.ignores("a/top.txt", false));
    EXPECT_TRUE(rules.ignores("docs/x.tmp", false));
    EXPECT_FALSE(rules.ignores("docs/a/x.tmp", false));
    const auto deeper = rules.with("a/", "!b.log\n/only.txt\n");
    EXPECT_FALSE(deeper.ignores("a/b.log", false));
    EXPECT_TRUE(deeper.ignores("b.log", false));
    EXPECT_TRUE(deeper.ignores("a/only.txt", false));
    EXPECT_FALSE(deeper.ignores("only.txt", false));
}

}  // namespace tandem::retrieval
