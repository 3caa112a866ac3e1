#include "dialect/wants.h"

#include <gtest/gtest.h>

#include "dialect/openai_chat.h"

namespace tandem::dialect {
namespace {

chat::Request request_of(std::string_view messages) {
    json::Document document;
    EXPECT_TRUE(document.parse(R"({"model": "m", "messages": )" + std::string(messages) + "}"));
    auto request = openai_chat::decode_request(document);
    EXPECT_TRUE(request) << request.error().message;
    return request ? std::move(*request) : chat::Request{};
}

std::string roles_of(const chat::Request& request) {
    std::string roles;
    for (const auto& message : request.messages) roles += "sduat"[static_cast<std::size_t>(message.role)];
    return roles;
}

TEST(Wants, are_read_from_refusals_as_servers_write_them) {
    const auto after = [](int status, std::string_view body) { return with_refusal({}, status, body); };
    EXPECT_TRUE(after(400, R"({"message":"Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9."})")
                    .short_ids);
    EXPECT_TRUE(after(404, "Tool call IDs should be alphanumeric strings with length 9!").short_ids);
    EXPECT_TRUE(after(400, "Unexpected role 'user' after role 'tool'").answered_results);
    EXPECT_TRUE(after(500, "Conversation roles must alternate user/assistant/user/assistant/...").alternating);
    EXPECT_TRUE(after(400, "System role not supported").no_system);
    EXPECT_TRUE(after(400, "property 'reasoning_content' is unsupported").no_thoughts);
    EXPECT_EQ(after(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.").bound,
              Wants::kModernBound);
    EXPECT_EQ(after(422, "max_completion_tokens: Extra inputs are not permitted").bound, Wants::kPlainBound);
}

TEST(Wants, are_not_read_from_what_says_something_else) {
    for (const auto* body : {"Missing `reasoning_content` field in the assistant message", "max_tokens is too large",
                             "the user's message was: Tool call id", "rate limit", ""})
        EXPECT_EQ(with_refusal({}, 400, body), Wants{}) << body;
    EXPECT_EQ(with_refusal({}, 429, "Unexpected role 'user' after role 'tool'"), Wants{});
}

TEST(Wants, ids_become_nine_letters_and_digits_alike_for_a_call_and_its_result) {
    auto request = request_of(R"([{"role":"user","content":"a"},
        {"role":"assistant","tool_calls":[{"id":"call_a-very-long-one","type":"function","function":{"name":"f","arguments":"{}"}},
                                          {"id":"aB3dE6gH9","type":"function","function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"call_a-very-long-one","content":"x"},
        {"role":"tool","tool_call_id":"aB3dE6gH9","content":"y"}])");
    std::vector<std::string> changes;
    const Wants wants{.bound = {}, .short_ids = true};
    EXPECT_TRUE(breaks(wants, request));
    meet(wants, request, changes);
    EXPECT_FALSE(breaks(wants, request));
    const auto id = [&](std::size_t message, std::size_t part) {
        const auto& one = request.messages[message].parts[part];
        const auto* call = one.as<chat::ToolCallPart>();
        return call != nullptr ? call->id : one.as<chat::ToolResultPart>()->call_id;
    };
    EXPECT_EQ(id(1, 0), id(2, 0));
    EXPECT_EQ(id(1, 1), "aB3dE6gH9");
    EXPECT_EQ(id(3, 0), "aB3dE6gH9");
    EXPECT_TRUE(changes.empty());
}

TEST(Wants, order_of_turns_is_kept_and_no_word_is_lost) {
    auto request =
        request_of(R"([{"role":"system","content":"S"},{"role":"user","content":"a"},{"role":"user","content":"b"},
        {"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"1","content":"x"},{"role":"system","content":"T"},{"role":"user","content":"c"},
        {"role":"system","content":"U"}])");
    std::vector<std::string> changes;
    const Wants wants{.bound = {}, .answered_results = true, .alternating = true, .no_system = true};
    meet(wants, request, changes);
    EXPECT_FALSE(breaks(wants, request));
    EXPECT_EQ(roles_of(request), "uatau");
    EXPECT_EQ(request.messages.front().parts.size(), 3U);
    EXPECT_EQ(request.messages.back().parts.size(), 3U);
    EXPECT_EQ(changes.size(), 1U);
}

TEST(Wants, thoughts_are_left_out_with_the_turns_that_had_nothing_else) {
    auto request =
        request_of(R"([{"role":"user","content":"a"},{"role":"assistant","content":"","reasoning_content":"hm"},
        {"role":"assistant","content":"b","reasoning":"hm"},{"role":"user","content":"c"}])");
    std::vector<std::string> changes;
    const Wants wants{.bound = {}, .no_thoughts = true};
    EXPECT_TRUE(breaks(wants, request));
    meet(wants, request, changes);
    EXPECT_EQ(roles_of(request), "uau");
    EXPECT_FALSE(breaks(wants, request));
}

}  // namespace
}  // namespace tandem::dialect
