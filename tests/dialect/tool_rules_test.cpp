#include "dialect/tool_rules.h"

#include <gtest/gtest.h>

namespace tandem::dialect {
namespace {

std::string kept(const std::string& schema) {
    chat::Request request;
    chat::Tool tool;
    tool.name = "f";
    tool.parameters.json = schema;
    request.tools.push_back(tool);
    if (breaks_tool_rules(request, Speaker::openai_chat)) (void)keep_tool_rules(request, Speaker::openai_chat);
    return request.tools[0].parameters.json;
}

TEST(ToolRules, put_nothing_right_in_what_is_data) {
    for (const std::string data : {R"("enum":[{"type":"array"},null])", R"("const":{"type":"array","title":null})",
                                   R"("default":{"type":"array","items":null})", R"("examples":[{"type":"array"}])",
                                   R"("x-own":{"type":"array","description":null})"}) {
        const auto plain = R"({"type":"object","properties":{"a":{)" + data + "}}}";
        EXPECT_EQ(kept(plain), plain);
        // Beside a schema that lacks something too.
        const auto filled = kept(R"({"type":"object","properties":{"a":{)" + data + R"(},"b":{"type":"array"}}})");
        EXPECT_EQ(filled, R"({"type":"object","properties":{"a":{)" + data + R"(},"b":{"type":"array","items":{}}}})");
    }
}

TEST(ToolRules, say_what_arrays_hold_wherever_a_schema_stands) {
    const auto properties = [](const std::string& text) { return R"({"type":"object","properties":{)" + text + "}}"; };
    EXPECT_EQ(kept(properties(R"("a":{"type":["array","null"]})")),
              properties(R"("a":{"type":["array","null"],"items":{}})"));
    EXPECT_EQ(kept(properties(R"("a":{"anyOf":[{"type":"array","items":null},{"type":"string","title":null}]})")),
              properties(R"("a":{"anyOf":[{"type":"array","items":{}},{"type":"string"}]})"));
    // Properties may be called as keywords are.
    EXPECT_EQ(kept(properties(R"("default":{"type":"array"},"enum":{"type":"string"},"items":{"type":"array"})")),
              properties(R"("default":{"type":"array","items":{}},"enum":{"type":"string"},)"
                         R"("items":{"type":"array","items":{}})"));
}

}  // namespace
}  // namespace tandem::dialect
