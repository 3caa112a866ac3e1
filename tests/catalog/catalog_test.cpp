// What is measured of a model goes before what is claimed of it.
#include <gtest/gtest.h>

#include <array>

#include "catalog/measurements.h"
#include "routing/routing.h"
#include "tests/support.h"

namespace tandem::catalog {
namespace {

using config::Capability;

config::Capabilities of(std::initializer_list<Capability> list) {
    config::Capabilities set;
    for (const auto one : list) set.add(one);
    return set;
}

Measurement measured(Quantity quantity, std::int64_t value, std::string identity = "as it is") {
    return {"m", quantity, value, std::move(identity), "a test", 1};
}

TEST(Known, what_was_measured_decides) {
    Known known{{8'000, of({Capability::chat, Capability::tools}), 500}, {}};
    EXPECT_EQ(known.context_tokens(), 8'000);
    EXPECT_EQ(known.max_output_tokens(), 500);
    EXPECT_EQ(known.capabilities(), of({Capability::chat, Capability::tools}));
    known.measured = measured_of({measured(Quantity::context, 2'000), measured(Quantity::max_output, 300),
                                  measured(Quantity::tools, 0), measured(Quantity::json, 1)},
                                 "m", "as it is");
    EXPECT_EQ(known.context_tokens(), 2'000);
    EXPECT_EQ(known.max_output_tokens(), 300);
    EXPECT_EQ(known.capabilities(), of({Capability::chat, Capability::json}));
}

TEST(Known, a_context_of_none_says_nothing_of_length_and_tools_are_told_as_was_found_best) {
    const auto none = measured_of({measured(Quantity::context, 0)}, "m", "as it is");
    EXPECT_EQ(none.context_tokens, std::nullopt);
    EXPECT_TRUE(none.context_by.empty());
    EXPECT_EQ(measured_of({measured(Quantity::tools, kNative)}, "m", "as it is").renders_tools, false);
    const auto rendered = measured_of({measured(Quantity::tools, kRendered)}, "m", "as it is");
    EXPECT_EQ(rendered.renders_tools, true);
    EXPECT_EQ(rendered.tools_by, "measured 1970-01-01 by a test");
    EXPECT_EQ(measured_of({measured(Quantity::tools, 0)}, "m", "as it is").renders_tools, std::nullopt);
}

TEST(Known, what_is_not_claimed_is_assumed_but_for_what_it_was_found_to_lack) {
    Known known;
    EXPECT_EQ(known.capabilities(), std::nullopt);
    known.measured.has.add(Capability::tools);
    EXPECT_EQ(known.capabilities(), std::nullopt);
    known.measured.lacks.add(Capability::json);
    ASSERT_TRUE(known.capabilities());
    EXPECT_FALSE(known.capabilities()->has(Capability::json));
    EXPECT_TRUE(known.capabilities()->has(Capability::vision));
    EXPECT_TRUE(known.capabilities()->has(Capability::tools));
}

TEST(Measurements, of_another_model_under_the_same_name_say_nothing) {
    const std::vector list{measured(Quantity::context, 2'000, "as it was")};
    EXPECT_EQ(measured_of(list, "m", "as it is").context_tokens, std::nullopt);
    EXPECT_EQ(measured_of(list, "m", "as it was").context_tokens, 2'000);
    EXPECT_EQ(measured_of(list, "n", "as it was").context_tokens, std::nullopt);
}

TEST(Measurements, are_kept_the_newest_of_each_quantity) {
    static const std::array kTables{store::Migration{kMeasurementsSchema}, store::Migration{kMeasurementsSchema2}};
    const test::Folder folder;
    auto store = store::Store::open_at_once(folder.path / "db", kTables);
    ASSERT_TRUE(store);
    const auto kept = [&] {
        std::vector<Measurement> list;
        EXPECT_TRUE((*store)->run([&](store::Database& database) -> Result<> {
            auto all = measurements(database);
            if (!all) return fail(all.error());
            list = std::move(*all);
            return {};
        }));
        return list;
    };
    const auto old = measured(Quantity::context, 1'000), now = measured(Quantity::context, 2'000),
               tools = measured(Quantity::tools, 1);
    for (const auto& one : {old, tools, now})
        ASSERT_TRUE((*store)->run([&](store::Database& database) { return put(database, one); }));
    EXPECT_EQ(kept(), (std::vector{now, tools}));
    ASSERT_TRUE((*store)->run([](store::Database& database) { return forget(database, "m"); }));
    EXPECT_TRUE(kept().empty());
}

TEST(Measurements, make_the_routing_table) {
    const auto config = config::parse(
        "providers: { lab: { kind: openai, zone: local, base_url: http://127.0.0.1:1/v1 } }\n"
        "models: { m: { provider: lab, context: 8000, capabilities: [tools] }, n: { provider: lab, context: 8000 } }\n",
        "tandem.yaml", config::process_environment());
    ASSERT_TRUE(config);
    const std::vector list{measured(Quantity::context, 2'000), measured(Quantity::tools, 0)};
    const auto table = routing::table_of(*config, {}, routing::owners_price, [&](const config::Model& model) {
        return measured_of(list, model.id, "as it is");
    });
    EXPECT_EQ(table.find("m")->context_tokens, 2'000);
    EXPECT_FALSE(table.find("m")->capabilities->has(Capability::tools));
    EXPECT_EQ(table.find("n")->context_tokens, 8'000);
    // A prompt that the model claims to take, and does not, goes to another.
    routing::Inputs inputs;
    inputs.alias = "auto";
    inputs.features.prompt_tokens = 4'000;
    const auto decision = routing::decide(table, inputs);
    ASSERT_TRUE(decision);
    ASSERT_EQ(decision->eligible, 1U);
    EXPECT_EQ(decision->candidates.front().model, "n");
    EXPECT_EQ(decision->candidates.back().excluded, routing::Excluded::context);
    EXPECT_NE(decision->candidates.back().reason.find("context of 2000, of 8000 claimed, measured 1970-01-01"),
              std::string::npos)
        << decision->candidates.back().reason;
    // So it does from its record.
    json::Document document;
    ASSERT_TRUE(document.parse(routing::to_json(table)));
    const auto read = routing::table_from_json(document.root());
    ASSERT_TRUE(read);
    EXPECT_EQ(routing::to_json(*routing::decide(*read, inputs)), routing::to_json(*decision));
}

}  // namespace
}  // namespace tandem::catalog
