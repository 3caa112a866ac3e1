#include "dialect/wants.h"

#include <gtest/gtest.h>

#include "dialect/openai_chat.h"
#include "dialect/refused_fields.h"

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
    EXPECT_TRUE(after(500, "Jinja Exception: System message must be at the beginning.").system_first);
    EXPECT_TRUE(after(400, "Unexpected role 'system' after role 'user'").system_first);
    EXPECT_TRUE(after(400, "This model only support stream mode, please enable the stream parameter").streams_only);
    EXPECT_TRUE(after(400, "property 'reasoning_content' is unsupported").no_thoughts);
    EXPECT_EQ(after(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.").bound,
              Wants::kModernBound);
    EXPECT_EQ(after(422, "max_completion_tokens: Extra inputs are not permitted").bound, Wants::kPlainBound);
}

TEST(Wants, fields_are_read_from_refusals_by_their_names) {
    const auto fields = [](std::string_view body) { return with_refusal({}, 400, body).no_fields; };
    using Fields = std::set<std::string>;
    EXPECT_EQ(fields("Unsupported parameter: 'temperature' is not supported with this model."), Fields{"temperature"});
    EXPECT_EQ(fields("invalid temperature: only 1 is allowed for this model"), Fields{"temperature"});
    EXPECT_EQ(fields("`temperature` and `top_p` cannot both be specified for this model. Please use only one."),
              Fields{"top_p"});
    EXPECT_EQ(fields("tools.0.custom.defer_loading: Extra inputs are not permitted"), Fields{"defer_loading"});
    EXPECT_EQ(fields("system.1.cache_control.ephemeral.scope: Extra inputs are not permitted"),
              Fields{"cache_control"});
    EXPECT_EQ(
        fields(R"({"detail":[{"type":"extra_forbidden","loc":["body","user"],"msg":"Extra inputs are not permitted"},
                         {"type":"extra_forbidden","loc":["body","messages",1,"assistant","annotations"]}]})"),
        (Fields{"user", "annotations"}));
    EXPECT_EQ(fields("Unrecognized request argument supplied: store"), Fields{"store"});
    EXPECT_EQ(fields(R"([{"error":{"code":400,"message":"Unknown name \"store\": Cannot find field."}}])"),
              Fields{"store"});
    EXPECT_EQ(fields("#: extraneous key [metadata] is not permitted"), Fields{"metadata"});
    EXPECT_EQ(fields("Model grok-4 does not support parameter presencePenalty."), Fields{"presence_penalty"});
    EXPECT_EQ(fields("Argument not supported on this model: stop"), Fields{"stop"});
    EXPECT_EQ(fields("Penalty is not enabled for models/gemini"), (Fields{"presence_penalty", "frequency_penalty"}));
    for (const auto* body :
         {"Unexpected role 'user' after role 'tool'", "Unknown name \"const\" at 'x': Cannot find field.",
          "temperature must be between 0 and 2", "The model `gpt-x` does not exist",
          R"({"name":"BadRequest","message":"unsupported image"})", "Unsupported value: 'n' is not supported"})
        EXPECT_EQ(fields(body), Fields{}) << body;
}

TEST(Wants, fields_of_the_request_are_left_out_but_for_its_demands) {
    json::Document document;
    ASSERT_TRUE(
        document.parse(R"({"model":"m","messages":[{"role":"user","content":"a","chat_id":"x"}],"keep_alive":"5m",
        "guided_json":{"type":"object"},"n":1})"));
    const auto request = openai_chat::decode_request(document);
    ASSERT_TRUE(request);
    const auto leavable = leavable_fields(*request);
    const auto fields = [&](std::string_view body) { return with_refusal({}, 400, body, leavable).no_fields; };
    using Fields = std::set<std::string>;
    EXPECT_EQ(fields("Unknown parameter: 'keep_alive'."), Fields{"keep_alive"});
    EXPECT_EQ(fields("property 'chat_id' is unsupported"), Fields{"chat_id"});
    EXPECT_EQ(fields("Unsupported parameter: 'n'"), Fields{"n"});
    EXPECT_EQ(fields("Unknown parameter: 'guided_json'."), Fields{});
}

TEST(Wants, thinking_is_read_from_refusals_and_said_so) {
    const auto after = [](std::string_view body) { return with_refusal({}, 400, body); };
    const auto met = [](const Wants& wants, chat::Thinking thinking) {
        chat::Request request;
        request.thinking = std::move(thinking);
        std::vector<std::string> changes;
        meet(wants, request, changes);
        return request.thinking;
    };
    const auto budget = after("adaptive thinking is not supported on this model");
    EXPECT_EQ(met(budget, {true, "high", {}, {}, {}}), (chat::Thinking{true, {}, 16'384, {}, {}}));
    const auto effort =
        after("\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\"");
    EXPECT_EQ(met(effort, {true, {}, 20'000, {}, {}}), (chat::Thinking{true, "high", {}, {}, {}}));
    const auto words = after(
        "Unsupported value: 'reasoning_effort' does not support 'none' with this model. Supported "
        "values are: 'low', 'medium', and 'high'.");
    EXPECT_EQ(met(words, {{}, "none", {}, {}, {}}).effort, "low");
    EXPECT_EQ(met(words, {{}, "xhigh", {}, {}, {}}).effort, "high");
    EXPECT_EQ(met(after("Budget 0 is invalid. This model only works in thinking mode."), {false, {}, {}, {}, {}}),
              chat::Thinking{});
    const auto level = met(after("Thinking level MEDIUM is not supported for this model."), {{}, "medium", {}, {}, {}});
    EXPECT_TRUE(level.effort == "low" || level.effort == "high") << level.effort;
}

TEST(Wants, are_not_read_from_what_says_something_else) {
    for (const auto* body : {"Missing `reasoning_content` field in the assistant message", "max_tokens is too large",
                             "the user's message was: Tool call id", "rate limit", ""})
        EXPECT_EQ(with_refusal({}, 400, body), Wants{}) << body;
    EXPECT_EQ(with_refusal({}, 429, "Unexpected role 'user' after role 'tool'"), Wants{});
}

TEST(Wants, are_not_read_from_what_a_refusal_quotes_of_the_request) {
    json::Document request;
    ASSERT_TRUE(request.parse(
        R"({"metadata":{"bad":"System role not supported, roles must alternate"},"messages":[{"role":"system","content":"x"}]})"));
    const auto words = [&](std::string_view body) { return own_words_of(body, request.root()); };
    EXPECT_EQ(with_refusal({}, 400, words("bad value: 'System role not supported, roles must alternate'")), Wants{});
    EXPECT_EQ(with_refusal({}, 400, words("bad value: 'System role not supported, roles m...'")), Wants{});
    EXPECT_EQ(with_refusal({}, 400, words("bad value: '...supported, roles must alternate'")), Wants{});
    EXPECT_TRUE(with_refusal({}, 400, words("Unexpected role 'user' after role 'tool'")).answered_results);
    EXPECT_TRUE(with_refusal({}, 400, words("System role is not supported")).no_system);
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
