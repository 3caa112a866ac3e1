// What is expected of models without experience, and where `auto` goes by that: the character of the presets.
#include "routing/prior.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "routing/routing.h"
#include "tests/routing/table.h"

namespace tandem::routing {
namespace {

// A model at home of the given name beside a strong one in the cloud, as `tandem init` would write them.
Table home_and_cloud(const std::string& home, const std::string& policy = "policy: { preset: hybrid }") {
    return table_from_yaml(
        fmt::format("providers:\n  lab: {{ kind: ollama, zone: local, base_url: 'http://127.0.0.1:11434' }}\n"
                    "  openai: {{ kind: openai, zone: cloud, base_url: 'https://api.openai.com/v1' }}\n"
                    "models:\n  home: {{ provider: lab, name: '{}', context: 32768 }}\n"
                    "  cloud-one: {{ provider: openai, name: gpt-5.1, price: {{ input: 1.25, output: 10 }} }}\n{}\n",
                    home, policy));
}

Inputs asking(int difficulty) {
    Inputs in;
    in.alias = "auto";
    in.key = "k";
    in.features.prompt_tokens = 100;
    in.features.work.kind = WorkKind::facts;
    in.features.work.sure = 1;
    in.features.work.difficulty = difficulty;
    in.features.needs.add(config::Capability::chat);
    return in;
}

std::string first(const Table& table, const Inputs& in) {
    const auto decision = decide(table, in);
    EXPECT_TRUE(decision);
    return decision->eligible == 0 ? "none" : decision->candidates.front().model;
}

// The difficulty from which on the work leaves home; 101: never.
int leaves_at(const Table& table) {
    for (int difficulty = 0; difficulty <= 100; ++difficulty)
        if (first(table, asking(difficulty)) != "home") {
            for (int harder = difficulty; harder <= 100; ++harder)
                EXPECT_NE(first(table, asking(harder)), "home") << harder;
            return difficulty;
        }
    return 101;
}

TEST(Demand, grows_with_difficulty_and_with_long_prompts) {
    for (int difficulty = 1; difficulty <= 100; ++difficulty)
        EXPECT_GE(demand_of(difficulty, 100), demand_of(difficulty - 1, 100)) << difficulty;
    EXPECT_GT(demand_of(40, 30'000), demand_of(40, 1'000));
    EXPECT_EQ(demand_of(-5, 0), demand_of(0, 0));
    EXPECT_EQ(demand_of(500, 0), demand_of(100, 0));
}

TEST(Prior, is_the_owners_quality_at_ordinary_work) {
    Work work;
    work.difficulty = kOrdinaryDifficulty;
    for (const double quality : {0.1, 0.5, 0.75, 0.9})
        EXPECT_NEAR(expected_quality(strength_by_quality(quality), work, 100), quality, 1e-4);
    // No word of an owner makes a model that is always right.
    EXPECT_LT(expected_quality(strength_by_quality(1), work, 100), 1);
    EXPECT_GT(expected_quality(strength_by_quality(0), work, 100), 0);
}

TEST(Hybrid, keeps_by_what_the_model_at_home_can_do) {
    const int toy = leaves_at(home_and_cloud("smollm2:135m"));
    EXPECT_GT(toy, 8);  // greetings and commands stay
    EXPECT_LT(toy, 20);
    const int seven = leaves_at(home_and_cloud("qwen2.5:7b-instruct"));
    EXPECT_GT(seven, 32);  // light work stays
    EXPECT_LT(seven, 52);  // hard work goes
    const int fourteen = leaves_at(home_and_cloud("qwen2.5:14b-instruct"));
    EXPECT_GT(fourteen, seven);
    EXPECT_LT(fourteen, 62);
    EXPECT_GT(leaves_at(home_and_cloud("llama3.3:70b-instruct")), 70);  // nearly all of it stays
}

TEST(Hybrid, takes_an_unknown_cloud_model_for_strong_and_an_unknown_file_for_weak) {
    const auto table = table_from_yaml(
        "providers:\n  home: { kind: engine }\n  far: { kind: openai, zone: cloud, base_url: 'https://x/v1' }\n"
        "models:\n  home: { provider: home, file: my-model.gguf }\n  far: { provider: far, name: our-own-deployment, "
        "price: { input: 1, output: 2 } }\n");
    EXPECT_EQ(first(table, asking(5)), "home");
    EXPECT_EQ(first(table, asking(45)), "far");
}

TEST(Hybrid, keeps_what_is_private_at_home_however_hard) {
    const auto table = home_and_cloud("smollm2:135m");
    auto in = asking(95);
    in.label = Label::private_;
    EXPECT_EQ(first(table, in), "home");
}

TEST(Presets, without_a_cloud_keep_all_at_home) {
    for (const auto& preset : config::preset_names()) {
        const auto table = table_from_yaml(
            "providers:\n  home: { kind: engine }\nmodels:\n  home: { provider: home, file: smollm2-135m.gguf }\n"
            "policy: { preset: " +
            preset + " }");
        for (int difficulty = 0; difficulty <= 100; difficulty += 10)
            EXPECT_EQ(first(table, asking(difficulty)), "home") << preset << " " << difficulty;
    }
}

TEST(LocalFirst, says_what_it_costs_in_quality) {
    const auto table = home_and_cloud("smollm2:135m", "policy: { preset: local-first }");
    const auto decision = decide(table, asking(80));
    EXPECT_EQ(decision->candidates.front().model, "home");
    EXPECT_NE(decision->sentence().find("a good answer is expected of it with 0.0"), std::string::npos)
        << decision->sentence();
    EXPECT_NE(decision->sentence().find("and of cloud-one with 0."), std::string::npos) << decision->sentence();
    // Where it costs nothing, nothing is said.
    EXPECT_EQ(decide(home_and_cloud("llama3.3:70b", "policy: { preset: local-first }"), asking(10))
                  ->sentence()
                  .find("expected"),
              std::string::npos);
}

TEST(Sentence, says_why_work_leaves_the_zone_that_its_rule_prefers) {
    const auto sentence = decide(home_and_cloud("smollm2:135m"), asking(80))->sentence();
    EXPECT_NE(sentence.find("rule everyday prefers local, but for facts of difficulty 80 a good answer is expected of "
                            "home with 0.0"),
              std::string::npos)
        << sentence;
}

TEST(Sentence, of_a_model_that_is_asked_for_by_name_speaks_of_no_preference) {
    auto in = asking(80);
    in.alias = "home";
    EXPECT_EQ(decide(home_and_cloud("smollm2:135m"), in)->sentence(),
              "home at lab (local): the client asked for it by its name");
}

TEST(Sentence, says_which_alias_was_asked_for) {
    const auto table = [](const char* aliases) {
        return table_from_yaml(std::string("providers:\n  lab: { kind: openai, zone: local, base_url: 'http://h/v1' "
                                           "}\n  far: { kind: openai, zone: "
                                           "cloud, base_url: 'https://x/v1' }\nmodels:\n  home: { provider: lab, "
                                           "context: 8192 }\n  big: { provider: "
                                           "far, context: 8192 }\n") +
                               aliases);
    };
    const auto why = [&](const char* aliases, const std::string& alias) {
        auto in = asking(10);
        in.alias = alias;
        return decide(table(aliases), in)->why;
    };
    // The zone is what was asked for, whatever a rule prefers.
    EXPECT_EQ(why("", "cloud"), "the alias cloud is for models in the cloud alone");
    EXPECT_EQ(why("", "private"), "the alias private is for models at home alone");
    EXPECT_EQ(why("", "auto").find("asked for"), std::string::npos);
    constexpr auto kAliases = "aliases: { fixed: auto, 'claude-*': cloud, best: [big, home], 'gpt-*': best }\n";
    EXPECT_TRUE(why(kAliases, "fixed").starts_with("asked for fixed, which means auto; rule "))
        << why(kAliases, "fixed");
    EXPECT_EQ(why(kAliases, "claude-opus-9"),
              "asked for claude-opus-9, which means cloud; the alias cloud is for models in the cloud alone");
    EXPECT_EQ(why(kAliases, "best"), "the alias best lists its models in this order");
    EXPECT_EQ(why(kAliases, "gpt-9"), "asked for gpt-9: the alias best lists its models in this order");
}

TEST(Hybrid, asks_no_embedder_for_an_answer) {
    for (const auto* embedder : {"nomic-embed-text:latest", "mxbai-embed-large", "bge-m3", "all-minilm:l6-v2"}) {
        const auto table = home_and_cloud(embedder);
        EXPECT_EQ(first(table, asking(0)), "cloud-one") << embedder;
        auto in = asking(0);
        in.alias = "local";
        EXPECT_EQ(decide(table, in)->eligible, 0U) << embedder;
    }
}

TEST(AutoUse, keeps_a_model_for_last_or_out_of_what_tandem_chooses) {
    auto table = home_and_cloud("smollm2:135m");
    table.models[0].auto_use = config::AutoUse::fallback_only;
    EXPECT_EQ(first(table, asking(0)), "cloud-one");
    auto in = asking(0);
    in.standing = {{"cloud-one", "it is down", ""}};
    EXPECT_EQ(first(table, in), "home");
    in = asking(0);
    in.label = Label::private_;
    EXPECT_EQ(first(table, in), "home");
    table.models[0].auto_use = config::AutoUse::no;
    const auto decision = decide(table, in);
    EXPECT_EQ(decision->eligible, 0U);
    EXPECT_NE(decision->refusal().message.find("its owner keeps it from auto (auto: false)"), std::string::npos);
    in.alias = "home";
    EXPECT_EQ(first(table, in), "home");
}

TEST(Strength, goes_through_the_record_as_it_is) {
    const auto table = home_and_cloud("qwen2.5-coder:7b");
    json::Document document;
    ASSERT_TRUE(document.parse(to_json(table)));
    const auto back = table_from_json(document.root());
    ASSERT_TRUE(back);
    for (std::size_t i = 0; i < table.models.size(); ++i) {
        EXPECT_EQ(back->models[i].strength, table.models[i].strength);
        EXPECT_EQ(back->models[i].auto_use, table.models[i].auto_use);
    }
}

}  // namespace
}  // namespace tandem::routing
