#include "routing/routing.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/routing/table.h"

namespace tandem::routing {
namespace {

Table table_with(const std::string& policy) {
    return table_from_yaml(
        "providers:\n  home: { kind: engine }\n  far: { kind: openai, zone: cloud, base_url: 'https://x/v1' }\n"
        "models:\n  small: { provider: home, file: x, context: 4096, tools: refuse }\n  big: { provider: far, context: "
        "100000, price: "
        "{ input: 1, output: 10 } }\n"
        "  cheap: { provider: far, context: 100000, price: { input: 0.1, output: 1 } }\naliases: { both: [big, small] "
        "}\n" +
        policy);
}

Inputs plain(std::string alias = "auto") {
    Inputs in;
    in.alias = std::move(alias);
    in.key = "k";
    in.features.prompt_tokens = 100;
    return in;
}

std::string first(const Table& table, const Inputs& in) {
    const auto decision = decide(table, in);
    EXPECT_TRUE(decision);
    return decision->eligible == 0 ? "none" : decision->candidates.front().model;
}

TEST(Hybrid, sends_light_private_and_repeated_work_home_and_hard_and_valuable_work_away) {
    const auto table = table_with("policy: { preset: hybrid }");
    EXPECT_EQ(first(table, plain()), "small");
    auto hard = plain();
    hard.features.work.difficulty = 70;
    EXPECT_EQ(first(table, hard), "cheap");
    auto valuable = plain();
    valuable.stakes = config::Stakes::high;
    EXPECT_EQ(first(table, valuable), "cheap");
    hard.label = Label::private_;
    EXPECT_EQ(first(table, hard), "small");
    auto repeated = plain();
    repeated.features.repeats = 5;
    EXPECT_EQ(decide(table, repeated)->rule, "repetitive-work");
}

TEST(Presets, local_first_and_cloud_first_do_what_they_say) {
    EXPECT_EQ(first(table_with("policy: { preset: local-first }"), plain()), "small");
    EXPECT_EQ(first(table_with("policy: { preset: cloud-first }"), plain()), "cheap");
}

TEST(Constraints, come_before_every_objective) {
    const auto table = table_with("policy: { preset: cloud-first }");
    auto in = plain();
    in.label = Label::secret;
    const auto decision = decide(table, in);
    ASSERT_TRUE(decision);
    EXPECT_EQ(decision->eligible, 1U);
    EXPECT_EQ(decision->candidates[0].model, "small");
    EXPECT_EQ(decision->candidates[1].excluded, Excluded::label);
    in.features.prompt_tokens = 10'000;  // half of that would not fit: its server is not asked to count
    const auto none = decide(table, in);
    EXPECT_EQ(none->eligible, 0U);
    EXPECT_EQ(none->refusal().code, ErrorCode::policy);
    EXPECT_NE(none->refusal().message.find("small: about 10000 tokens"), std::string::npos);
    EXPECT_NE(none->refusal().message.find("big: the content is secret"), std::string::npos);
}

TEST(Constraints, tell_policy_health_context_and_budget_apart) {
    const auto table = table_with("policy: { preset: hybrid }");
    auto in = plain("small");
    in.features.prompt_tokens = 8192;
    EXPECT_EQ(decide(table, in)->refusal().code, ErrorCode::context);
    in = plain("small");
    in.standing = {{"small", "it is down", ""}};
    EXPECT_EQ(decide(table, in)->refusal().code, ErrorCode::unavailable);
    in.standing = {{"small", "", "nothing left"}};
    EXPECT_EQ(decide(table, in)->refusal().code, ErrorCode::over_budget);
    in = plain("small");
    in.features.needs.add(config::Capability::tools);
    EXPECT_EQ(decide(table, in)->refusal().code, ErrorCode::policy);
    EXPECT_EQ(decide(table, in)->candidates[0].reason, "it has no tools, which the request needs");
}

TEST(Aliases, are_the_owners_order_and_unknown_ones_name_the_nearest) {
    const auto table = table_with("policy: { preset: local-first }");
    EXPECT_EQ(first(table, plain("both")), "big");
    EXPECT_EQ(decide(table, plain("local"))->candidates.size(), 1U);
    EXPECT_EQ(decide(table, plain("cloud"))->candidates.size(), 2U);
    const auto unknown = decide(table, plain("smal"));
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::not_found);
    EXPECT_NE(unknown.error().message.find("did you mean 'small'?"), std::string::npos);
}

TEST(Rules, can_forbid_a_zone_and_the_fallback) {
    const auto table = table_with("policy: { rules: [{ name: stay, prefer: cloud, only: local, fallback: false }] }");
    const auto decision = decide(table, plain());
    EXPECT_EQ(decision->eligible, 1U);
    EXPECT_FALSE(decision->fallback);
    EXPECT_EQ(decision->candidates[1].excluded, Excluded::rule);
}

TEST(Decision, is_the_same_when_it_is_made_again_from_its_record) {
    const std::vector<Table> tables = {
        table_with("policy: { preset: hybrid }"), table_with("policy: { preset: cloud-first }"),
        table_with("policy: { rules: [{ name: a, needs: tools, prefer: cheapest }, { name: b, repeats: 2, difficulty: "
                   "30, key: '', prefer: local, only: local }] }")};
    std::mt19937 random(7);
    auto pick = [&](unsigned n) { return random() % n; };
    const char* const aliases[] = {"auto", "local", "cloud", "private", "small", "big", "both"};
    for (int i = 0; i < 10'000; ++i) {
        const auto& table = tables[pick(3)];
        auto in = plain(aliases[pick(7)]);
        in.label = static_cast<Label>(pick(4));
        in.label_reasons = {"key k: \"quoted\"\n"};
        in.stakes = static_cast<config::Stakes>(pick(3));
        in.features.prompt_tokens = pick(6000);
        in.features.answer_tokens = pick(3) * 1000;
        in.features.work.difficulty = static_cast<int>(pick(101));
        in.features.repeats = static_cast<int>(pick(6));
        in.features.needs.bits = static_cast<std::uint8_t>(pick(16));
        in.features.work.kind = static_cast<WorkKind>(pick(9));
        in.features.work.sure = pick(101) / 100.0;
        in.features.work.telling = {"prove", "4 demands"};
        if (pick(2) == 0)
            in.outlook = {{.model = "big", .quality = pick(101) / 100.0, .doubt = 0.1, .outcomes = 3.5},
                          {.model = "small", .quality = pick(101) / 100.0, .doubt = 0.2, .outcomes = 1}};
        if (pick(3) == 0) in.standing.push_back({"big", "down", ""});
        if (pick(3) == 0) in.standing.push_back({"small", "", "no money"});
        const auto decision = decide(table, in);
        ASSERT_TRUE(decision);
        json::Document table_json, inputs_json;
        ASSERT_TRUE(table_json.parse(to_json(table)));
        ASSERT_TRUE(inputs_json.parse(to_json(in)));
        const auto table_again = table_from_json(table_json.root());
        const auto inputs_again = inputs_from_json(inputs_json.root());
        ASSERT_TRUE(table_again && inputs_again);
        const auto again = decide(*table_again, *inputs_again);
        ASSERT_TRUE(again);
        ASSERT_EQ(*decision, *again);
        ASSERT_EQ(to_json(*decision), to_json(*again));
        // Law 1, on every one of them: what may not see it, is not eligible.
        for (std::size_t c = 0; c < decision->eligible; ++c)
            ASSERT_LE(in.label, table.find(decision->candidates[c].model)->clearance);
    }
}

chat::Request asking(const std::string& text) {
    chat::Request request;
    chat::Message message;
    message.parts.push_back({chat::TextPart{text}, {}});
    request.messages.push_back(message);
    return request;
}

TEST(Repeats, count_the_same_kind_with_other_numbers) {
    Repeats repeats;
    EXPECT_EQ(repeats.count(asking("classify ticket 17")), 0);
    EXPECT_EQ(repeats.count(asking("classify ticket 18")), 1);
    EXPECT_EQ(repeats.count(asking("something else")), 0);
    EXPECT_EQ(repeats.count(asking("classify ticket 4711")), 2);
}

}  // namespace
}  // namespace tandem::routing
