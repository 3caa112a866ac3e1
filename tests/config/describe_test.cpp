#include <gtest/gtest.h>

#include <map>

#include "config/about.h"
#include "config/config.h"

namespace tandem::config {
namespace {

TEST(Describe, has_something_to_say_of_each_key) {
    const auto keys = describe();
    std::map<std::string, int> times;
    for (const auto& key : keys) {
        EXPECT_FALSE(key.what.empty()) << key.path;
        EXPECT_FALSE(type_of(key).empty()) << key.path;
        ++times[key.path];
    }
    EXPECT_GT(times.size(), 300U);
    // A list or more, a flag or more: all others are read once.
    for (const auto& [path, count] : times)
        EXPECT_EQ(count, path == "aliases.NAME" || path == "policy.rules[].cascade" ? 2 : 1) << path;
}

TEST(Describe, tells_the_default_that_a_config_has) {
    std::map<std::string, std::string> defaults;
    for (const auto& key : describe()) defaults[key.path] = default_of(key);
    const Server server;
    EXPECT_EQ(defaults["server.drain_timeout"], "10s");
    EXPECT_EQ(server.drain_timeout, milliseconds(10'000));
    EXPECT_EQ(defaults["server.limits.body_bytes"], "32MiB");
    EXPECT_EQ(defaults["keys.NAME.limits.file_bytes"], "1GiB");
    EXPECT_EQ(defaults["privacy.detect.card"], "private");
    EXPECT_EQ(defaults["policy.preset"], "hybrid");
}

// Each branch is taken: keys of engines and of others, of windows of both kinds, of presets and rules.
TEST(Describe, takes_the_branches_that_one_file_cannot) {
    std::map<std::string, Described> keys;
    for (const auto& key : describe()) keys[key.path] = key;
    for (const auto* path : {"providers.NAME.base_url", "models.NAME.file", "budgets[].rolling", "budgets[].window",
                             "keys.NAME.budgets[].rolling", "policy.preset", "policy.rules[].cascade.agree",
                             "policy.rules[].failure.on.timeout", "aliases.NAME.limits.rpm", "budgets[].of.workflow"})
        EXPECT_TRUE(keys.contains(path)) << path;
    EXPECT_FALSE(keys.contains("keys.NAME.budgets[].of.workflow"));
}

}  // namespace
}  // namespace tandem::config
