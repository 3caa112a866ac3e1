#include "tools/kept_grammars.h"

#include <gtest/gtest.h>

namespace tandem::tools {

namespace {

chat::Request offering(const std::string& name, const std::string& parameters) {
    chat::Request request;
    chat::Tool tool;
    tool.name = name;
    tool.parameters = chat::Raw{parameters};
    request.tools.push_back(std::move(tool));
    return request;
}

const std::string kCity = R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})";

}  // namespace

TEST(KeptGrammars, are_those_that_would_be_made) {
    KeptGrammars kept;
    const auto request = offering("weather", kCity);
    const auto first = kept.calls(request);
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(first->grammar, hold_calls(request)->grammar);
    EXPECT_EQ(kept.calls(offering("weather", kCity)), first);
}

TEST(KeptGrammars, are_others_for_whatever_decides) {
    KeptGrammars kept;
    const auto first = kept.calls(offering("weather", kCity));
    auto must = offering("weather", kCity), single = must, with_format = must, wider = must;
    must.tool_choice.kind = chat::ToolChoice::Kind::required;
    single.parallel_tool_calls = false;
    with_format.response_format.kind = chat::ResponseFormat::Kind::json_object;
    wider.tools.push_back(offering("time", kCity).tools.front());
    for (const auto& request :
         {must, single, with_format, wider, offering("weather", "{}"), offering("weathe", "r" + kCity)}) {
        const auto held = kept.calls(request);
        ASSERT_NE(held, nullptr);
        EXPECT_NE(held, first);
        EXPECT_EQ(held->grammar, hold_calls(request)->grammar);
    }
    EXPECT_EQ(kept.calls(offering("weather", kCity)), first);
}

TEST(KeptGrammars, of_answers_are_not_those_of_calls_and_none_is_none) {
    KeptGrammars kept;
    chat::ResponseFormat format;
    EXPECT_EQ(kept.answer(format), nullptr);
    EXPECT_EQ(kept.calls({}), nullptr);
    format.kind = chat::ResponseFormat::Kind::json_schema;
    format.schema = chat::Raw{kCity};
    ASSERT_NE(kept.answer(format), nullptr);
    EXPECT_EQ(kept.answer(format)->grammar, hold_answer(format)->grammar);
}

TEST(KeptGrammars, are_so_many_and_the_ones_used_lately) {
    KeptGrammars kept;
    const auto first = kept.calls(offering("t0", kCity));
    std::weak_ptr<const Held> second = kept.calls(offering("t1", kCity));
    for (std::size_t i = 2; i < KeptGrammars::kMost; ++i) kept.calls(offering("t" + std::to_string(i), kCity));
    EXPECT_EQ(kept.calls(offering("t0", kCity)), first);
    EXPECT_FALSE(second.expired());
    kept.calls(offering("one-more", kCity));
    EXPECT_TRUE(second.expired()) << "nothing else holds it";
    EXPECT_EQ(kept.calls(offering("t0", kCity)), first);
}

}  // namespace tandem::tools
