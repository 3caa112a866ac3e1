#include "dialect/openai_chat.h"

#include <gtest/gtest.h>

#include <random>

namespace tandem::dialect::openai_chat {
namespace {

using json::Document;

Error error_of(std::string_view body) {
    Document document;
    if (auto ok = document.parse(body); !ok) return ok.error();
    auto request = decode_request(document);
    return request ? Error{ErrorCode::internal, ""} : request.error();
}

std::string forwarded(std::string_view body, std::string_view model, bool usage) {
    Document document;
    EXPECT_TRUE(document.parse(body));
    EXPECT_TRUE(decode_request(document));
    return forward_request(document, {std::string(model), true, usage});
}

TEST(OpenAiChat, says_which_field_is_wrong) {
    EXPECT_EQ(error_of(R"({"messages":[]})").param, "model");
    EXPECT_EQ(error_of(R"({"model":"a"})").param, "messages");
    EXPECT_EQ(error_of(R"({"model":"a","messages":[]})").param, "messages");
    EXPECT_EQ(error_of(R"({"model":"a","messages":[{"role":"user","content":5}]})").param, "messages[0].content");
    EXPECT_EQ(error_of(R"({"model":"a","messages":[{"role":"bot","content":"x"}]})").param, "messages[0].role");
    EXPECT_EQ(error_of(R"({"model":"a","messages":[{"role":"user"}]})").param, "messages[0].content");
    EXPECT_EQ(error_of(R"({"model":"a","messages":[{"role":"user","content":"x"}],"stream":"yes"})").param, "stream");
    EXPECT_EQ(error_of(R"({"model":"a","messages":[{"role":"user","content":"x"}],"max_tokens":0})").param,
              "max_tokens");
    EXPECT_EQ(
        error_of(R"({"model":"a","messages":[{"role":"user","content":"x"}],"max_tokens":1,"max_completion_tokens":1})")
            .param,
        "max_tokens");
    EXPECT_EQ(
        error_of(R"({"model":"a","messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]})").param,
        "messages[0].content[0].image_url.url");
    EXPECT_EQ(
        error_of(
            R"({"model":"a","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{}}]})")
            .param,
        "tools[0].function.name");
    EXPECT_EQ(error_of(R"([1])").code, ErrorCode::invalid);
}

TEST(OpenAiChat, forwards_every_byte_but_the_models_name) {
    EXPECT_EQ(
        forwarded(
            R"({ "seed":1.50, "model" : "auto",  "messages":[{"role":"user","content":"\u00e9"}],"x":12345678901234567890123 })",
            "gpt", false),
        R"({ "seed":1.50, "model" : "gpt",  "messages":[{"role":"user","content":"\u00e9"}],"x":12345678901234567890123 })");
    const std::string same = R"({"model":"gpt","messages":[{"role":"user","content":"x"}]})";
    EXPECT_EQ(forwarded(same, "gpt", false), same);
}

TEST(OpenAiChat, asks_for_usage_wherever_the_option_stands) {
    const std::string start = R"({"model":"m","messages":[{"role":"user","content":"x"}],"stream":true)";
    EXPECT_EQ(forwarded(start + "}", "m", true), start + R"(,"stream_options":{"include_usage":true}})");
    EXPECT_EQ(forwarded(start + R"(,"stream_options":{}})", "m", true),
              start + R"(,"stream_options":{"include_usage":true}})");
    EXPECT_EQ(forwarded(start + R"(,"stream_options":null})", "m", true),
              start + R"(,"stream_options":{"include_usage":true}})");
    EXPECT_EQ(forwarded(start + R"(,"stream_options":{"include_usage":false,"a":1}})", "m", true),
              start + R"(,"stream_options":{"include_usage":true,"a":1}})");
    EXPECT_EQ(forwarded(start + R"(,"stream_options":{"a":1}})", "m", true),
              start + R"(,"stream_options":{"include_usage":true,"a":1}})");
}

TEST(OpenAiChat, reads_tool_calls_with_their_arguments_as_they_are) {
    Document document;
    ASSERT_TRUE(document.parse(
        R"({"model":"a","messages":[{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\": 1.50"}}]},
                                   {"role":"tool","tool_call_id":"1","content":"ok"}]})"));
    const auto request = decode_request(document);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->messages[0].parts[0].as<chat::ToolCallPart>()->arguments, "{\"a\": 1.50");
    EXPECT_EQ(request->messages[1].parts[0].as<chat::ToolResultPart>()->call_id, "1");
}

// A random request, as clients send them: what decodes, encodes, and decodes to the same.
class RandomRequest {
  public:
    explicit RandomRequest(unsigned seed) : random_(seed) {}

    std::string make() {
        json::Writer out;
        out.begin_object().member("model", word()).key("messages").begin_array();
        const int messages = 1 + pick(5);
        for (int i = 0; i < messages; ++i) message(out);
        out.end_array();
        if (pick(2)) out.member("stream", pick(2) == 1);
        if (pick(3) == 0)
            out.raw_member("stream_options",
                           pick(2) ? R"({"include_usage":true})" : R"({"include_usage":true,"x":[1.0]})");
        if (pick(3) == 0) out.member(pick(2) ? "max_tokens" : "max_completion_tokens", 1 + pick(5000));
        if (pick(3) == 0) out.raw_member("temperature", "0.70");
        if (pick(3) == 0) out.member("n", 1 + pick(4));
        if (pick(3) == 0) out.raw_member("stop", pick(2) ? R"("end")" : R"(["a","b\n"])");
        if (pick(3) == 0)
            out.raw_member(
                "tools",
                R"([{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"x":{"minimum":1.50}}}}},{"type":"custom","custom":{"name":"g"}}])");
        if (pick(3) == 0)
            out.raw_member("tool_choice", pick(2) ? R"("required")" : R"({"type":"function","function":{"name":"f"}})");
        if (pick(3) == 0)
            out.raw_member("response_format", R"({"type":"json_schema","json_schema":{"name":"s","schema":{}}})");
        if (pick(3) == 0) out.raw_member("unknown", R"({"deep":[null,12345678901234567890]})");
        out.end_object();
        return out.take();
    }

  private:
    int pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
    std::string word() {
        static constexpr const char* kWords[] = {"auto",        "h\xC3\xA9llo",     "quote\"and\\slash",
                                                 "line\nbreak", "\xF0\x9F\x98\x80", "{\"a\": 1.50}"};
        return kWords[pick(6)];
    }
    void message(json::Writer& out) {
        static constexpr const char* kRoles[] = {"system", "developer", "user", "assistant", "tool"};
        const std::string role = kRoles[pick(5)];
        out.begin_object().member("role", role);
        if (role == "assistant" && pick(2)) {
            if (pick(2)) out.key("content").null();
            out.key("tool_calls")
                .begin_array()
                .begin_object()
                .member("id", word())
                .member("type", "function")
                .key("function")
                .begin_object();
            out.member("name", word()).member("arguments", word()).end_object();
            if (pick(2)) out.raw_member("extra", "[1.0]");
            out.end_object().end_array();
        } else if (pick(2)) {
            out.member("content", word());
        } else {
            out.key("content").begin_array().begin_object().member("type", "text").member("text", word()).end_object();
            out.raw(R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AA==","detail":"low"}})")
                .raw(R"({"type":"input_audio","input_audio":{"data":"x"}})")
                .end_array();
        }
        if (role == "tool") out.member("tool_call_id", word());
        if (role != "tool" && pick(4) == 0) out.member("name", word());
        if (pick(4) == 0) out.raw_member("reasoning_content", R"("because")");
        out.end_object();
    }
    std::mt19937 random_;
};

TEST(OpenAiChat, a_request_survives_decode_and_encode) {
    RandomRequest random(42);
    for (int i = 0; i < 5000; ++i) {
        const auto body = random.make();
        Document first, second;
        ASSERT_TRUE(first.parse(body)) << body;
        const auto request = decode_request(first);
        ASSERT_TRUE(request) << body << request.error().message;
        const auto encoded = encode_request(*request, request->model);
        ASSERT_TRUE(second.parse(encoded)) << encoded;
        const auto again = decode_request(second);
        ASSERT_TRUE(again) << encoded;
        ASSERT_EQ(*request, *again) << body << "\n" << encoded;
        ASSERT_EQ(encoded, encode_request(*again, again->model));
    }
}

TEST(OpenAiChat, errors_have_the_shape_that_clients_know) {
    Document document;
    const auto reply = encode_error({ErrorCode::context, "too \"long\"", "messages"});
    EXPECT_EQ(reply.status, 400);
    ASSERT_TRUE(document.parse(reply.body));
    EXPECT_EQ(document.root()["error"]["code"].text(), "context_length_exceeded");
    EXPECT_EQ(document.root()["error"]["param"].text(), "messages");
    EXPECT_EQ(document.root()["error"]["message"].text(), "too \"long\"");
}

// A picture is what it costs, not the length of its letters; sound is its seconds.
TEST(OpenAiChat, pictures_and_sound_are_content_that_counts_as_what_it_is) {
    auto facts_of = [](const std::string& delta, chat::Told* told = nullptr) {
        Document document;
        EXPECT_TRUE(document.parse(R"({"choices":[{"index":0,"delta":)" + delta + "}]}"));
        return chunk_facts(document.root(), told);
    };
    const std::string bytes(1'000'000, 'A');
    const auto url = R"({"type":"image_url","image_url":{"url":"data:image/png;base64,)" + bytes + R"("},"index":0})";
    for (const auto& delta : {R"({"content":"","images":[)" + url + "]}", R"({"content":[)" + url + "]}"}) {
        chat::Told told;
        const auto facts = facts_of(delta, &told);
        EXPECT_GT(facts.text_bytes, 0U);
        EXPECT_EQ(facts.deltas, 1);
        EXPECT_GE(facts.thousandths, 1'000'000);
        EXPECT_LE(facts.thousandths, 2'000'000) << "about 1,290 tokens";
        EXPECT_TRUE(told.shown);
        EXPECT_EQ(chat::fault_of(told, {}), "");
    }
    const auto sound = facts_of(R"({"audio":{"id":"a","data":")" + bytes.substr(0, 64'000) + "\"}}");
    EXPECT_GE(sound.thousandths, 20'000);
    EXPECT_LE(sound.thousandths, 21'000) << "a second";
    EXPECT_GT(facts_of(R"({"audio":{"transcript":"hello there"}})").thousandths, 1'000);
}

}  // namespace
}  // namespace tandem::dialect::openai_chat
