#include <gtest/gtest.h>

#include <set>

#include "dialect/openai_responses.h"

namespace tandem::dialect::openai_responses {
namespace {

chat::Request request_with(const std::string& tools) {
    json::Document document;
    EXPECT_TRUE(document.parse(R"({"model":"m","input":"hi","tools":[)" + tools + "]}"));
    auto request = dialect().decode_request({document, "/v1/responses"});
    EXPECT_TRUE(request);
    return request ? std::move(*request) : chat::Request{};
}

std::string space(const std::string& name, const std::string& tool) {
    return R"({"type":"namespace","name":")" + name + R"(","tools":[{"type":"function","name":")" + tool + R"("}]})";
}
std::string plain(const std::string& name) {
    return R"({"type":"function","name":")" + name + R"("})";
}

// By which name the request knows what OpenAI's own server calls so.
std::string known(const chat::Request& request, const std::string& space, const std::string& name) {
    json::Document answer;
    const auto inner = space.empty() ? "" : R"("namespace":")" + space + R"(",)";
    EXPECT_TRUE(answer.parse(R"({"id":"r","status":"completed","output":[{"type":"function_call","call_id":"c",)" +
                             inner + R"("name":")" + name + R"(","arguments":"{}"}]})"));
    Events events;
    dialect().reader()->whole(answer.root(), events);
    know_spaces(request, events);
    for (const auto& event : events)
        if (const auto* call = std::get_if<chat::ToolCallDelta>(&event); call != nullptr && !call->name.empty())
            return call->name;
    return "";
}

TEST(Namespaces, give_no_two_tools_one_name_whatever_comes_first) {
    for (const auto& tools : {space("a", "b") + "," + plain("a__b"), plain("a__b") + "," + space("a", "b")}) {
        const auto request = request_with(tools);
        std::set<std::string> names;
        for (const auto& tool : request.tools) names.insert(tool.name);
        EXPECT_EQ(names.size(), 2U) << tools;
        // The client's own name stays as it is.
        EXPECT_TRUE(names.contains("a__b")) << tools;
        EXPECT_EQ(known(request, "", "a__b"), "a__b");
        const auto in_space = known(request, "a", "b");
        EXPECT_NE(in_space, "a__b") << tools;
        EXPECT_TRUE(names.contains(in_space)) << in_space;
    }
}

TEST(Namespaces, are_told_apart_where_their_names_run_into_one_another) {
    const auto request = request_with(space("a", "b__c") + "," + space("a__b", "c"));
    ASSERT_EQ(request.tools.size(), 2U);
    EXPECT_NE(request.tools[0].name, request.tools[1].name);
    EXPECT_EQ(known(request, "a", "b__c"), request.tools[0].name);
    EXPECT_EQ(known(request, "a__b", "c"), request.tools[1].name);
    EXPECT_EQ(known(request, "x", "y"), "x__y");
}

}  // namespace
}  // namespace tandem::dialect::openai_responses
