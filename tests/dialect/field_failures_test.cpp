// What other gateways were seen to get wrong, each as a test: a provider's stream as it came, and what a client must
// get.
#include <gtest/gtest.h>

#include <algorithm>

#include "chat/filter.h"
#include "chat/order.h"
#include "chat/rendered_tools.h"
#include "dialect/losses.h"
#include "dialect/openai_chat.h"
#include "translate/relay.h"

namespace tandem {
namespace {

using dialect::Kind;

// A provider's stream through the relay, fed in pieces of `size` bytes, to a client of another dialect.
std::string relayed(Kind behind, Kind front, const std::string& stream, std::size_t size = 1'000'000) {
    static const chat::Request request;
    dialect::AnswerFrame frame;
    frame.id = "x";
    frame.request = &request;
    std::vector<std::unique_ptr<chat::EventFilter>> filters;
    filters.push_back(chat::think_filter());
    const auto relay =
        translate::translating_relay(dialect::of(behind), dialect::of(front).writer(frame), 1, std::move(filters));
    std::string out;
    for (std::size_t at = 0; at < stream.size() && !relay->done(); at += size) {
        EXPECT_TRUE(relay->feed(std::string_view(stream).substr(at, size)));
        out += relay->take();
    }
    if (!relay->done()) relay->end();
    if (relay->failed()) return "failed: " + relay->failed()->message;
    if (!relay->done() && !relay->whole()) return "not whole";
    return out + relay->finish(relay->usage().value_or(Usage{}));
}

struct Read {
    std::string text, reasoning, finish;
    std::vector<std::pair<std::string, std::string>> calls;
    std::optional<Usage> usage;
    bool operator==(const Read&) const = delete;
};

// The same stream as the client of a Chat Completions stream would put it together.
Read as_chat(Kind behind, const std::string& stream, std::size_t size = 1'000'000) {
    const auto out = relayed(behind, Kind::openai_chat, stream, size);
    Read read;
    read.finish = out.starts_with("failed") || out == "not whole" ? out : "";
    json::Document document;
    for (std::size_t at = out.find("data: "); at != std::string::npos; at = out.find("data: ", at + 6)) {
        if (!document.parse(std::string_view(out).substr(at + 6, out.find('\n', at) - at - 6))) continue;
        for (const json::Value choice : document.root()["choices"].children()) {
            const auto delta = choice["delta"];
            read.text += delta["content"].text();
            read.reasoning += delta["reasoning_content"].text();
            for (const json::Value call : delta["tool_calls"].children()) {
                const auto index = static_cast<std::size_t>(call["index"].integer().value_or(0));
                if (read.calls.size() <= index) read.calls.resize(index + 1);
                read.calls[index].first += call["function"]["name"].text();
                read.calls[index].second += call["function"]["arguments"].text();
            }
            read.finish += choice["finish_reason"].text();
        }
    }
    return read;
}

using Calls = std::vector<std::pair<std::string, std::string>>;

std::string chunk(const std::string& choice) {
    return R"(data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,)" +
           choice + "}]}\n\n";
}
const std::string kDone = "data: [DONE]\n\n";

std::string anthropic(const std::string& middle) {
    return "event: message_start\ndata: "
           R"({"type":"message_start","message":{"id":"m","model":"m","content":[],"usage":{"input_tokens":5,"output_tokens":1}}})"
           "\n\n" +
           middle + R"(data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":7}})" +
           "\n\ndata: {\"type\":\"message_stop\"}\n\n";
}
std::string event(const std::string& data) {
    return "data: " + data + "\n\n";
}

TEST(FieldFailures, an_upstream_that_numbers_a_choice_absurdly_does_not_decide_how_much_memory_we_take) {
    const auto chat =
        relayed(Kind::openai_chat, Kind::openai_chat,
                "data: {\"id\":\"c\",\"choices\":[{\"index\":900000000000067,\"delta\":{\"content\":\"Hi\"},"
                "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
    EXPECT_NE(chat.find("\"index\":127"), std::string::npos) << chat;
    const auto gemini =
        relayed(Kind::gemini, Kind::openai_chat,
                "data: {\"candidates\":[{\"index\":900000000000067,\"content\":{\"parts\":[{\"text\":\"Hi\"}]},"
                "\"finishReason\":\"STOP\"}]}\n\n");
    EXPECT_NE(gemini.find("\"index\":127"), std::string::npos) << gemini;
}

TEST(FieldFailures, arguments_only_in_the_final_event_of_a_chat_stream) {
    const auto read = as_chat(
        Kind::openai_chat,
        chunk(R"("delta":{"role":"assistant","content":""})") +
            chunk(R"("delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]})") +
            chunk(
                R"("delta":{},"message":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}]},"finish_reason":"tool_calls")") +
            kDone);
    EXPECT_EQ(read.calls, (Calls{{"f", R"({"x":1})"}}));
    EXPECT_EQ(read.finish, "tool_calls");
}

TEST(FieldFailures, arguments_only_in_the_start_of_an_anthropic_block) {
    const auto stream = anthropic(
        event(
            R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"f","input":{"x": 1.50}}})") +
        event(R"({"type":"content_block_stop","index":0})"));
    EXPECT_EQ(as_chat(Kind::anthropic, stream).calls, (Calls{{"f", R"({"x": 1.50})"}}));
}

TEST(FieldFailures, arguments_only_in_the_done_events_of_responses) {
    const std::string start = event(R"({"type":"response.created","response":{"id":"r","model":"m","output":[]}})");
    const std::string item = R"({"type":"function_call","id":"fc","call_id":"a","name":"f","arguments":"{\"x\":1}"})";
    const std::string end =
        event(R"({"type":"response.completed","response":{"id":"r","status":"completed","output":[]}})");
    const std::string added = event(
        R"({"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"fc","call_id":"a","name":"f","arguments":""}})");
    const std::string done =
        event(R"({"type":"response.function_call_arguments.done","output_index":0,"arguments":"{\"x\":1}"})");
    const Calls want{{"f", R"({"x":1})"}};
    EXPECT_EQ(as_chat(Kind::openai_responses, start + added + done + end).calls, want);
    EXPECT_EQ(as_chat(Kind::openai_responses,
                      start + added +
                          event(R"({"type":"response.output_item.done","output_index":0,"item":)" + item + "}") + end)
                  .calls,
              want);
    EXPECT_EQ(
        as_chat(Kind::openai_responses,
                start + event(R"({"type":"response.completed","response":{"id":"r","status":"completed","output":[)" +
                              item + "]}}"))
            .calls,
        want);
    // And not twice where all of them say it.
    EXPECT_EQ(
        as_chat(Kind::openai_responses,
                start + added +
                    event(R"({"type":"response.function_call_arguments.delta","output_index":0,"delta":"{\"x\""})") +
                    done + event(R"({"type":"response.output_item.done","output_index":0,"item":)" + item + "}") + end)
            .calls,
        want);
}

TEST(FieldFailures, a_second_message_start_changes_nothing) {
    const std::string start =
        event(R"({"type":"message_start","message":{"id":"m","model":"m","usage":{"input_tokens":5}}})");
    const auto out = relayed(
        Kind::anthropic, Kind::anthropic,
        start + start +
            anthropic(event(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}})")));
    EXPECT_EQ(out.find("message_start", out.find("\"message_start\"") + 20), std::string::npos);
    EXPECT_NE(out.find("\"hi\""), std::string::npos);
}

TEST(FieldFailures, thinking_inside_a_text_block_is_thinking) {
    const auto read = as_chat(
        Kind::anthropic,
        anthropic(
            event(R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})") +
            event(R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}})") +
            event(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"yes"}})") +
            event(R"({"type":"content_block_stop","index":0})")));
    EXPECT_EQ(read.reasoning, "hm");
    EXPECT_EQ(read.text, "yes");
}

TEST(FieldFailures, a_delta_for_an_index_that_was_never_opened) {
    const auto read = as_chat(
        Kind::anthropic,
        anthropic(
            event(R"({"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"lost?"}})") +
            event(
                R"({"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"{"}})")));
    EXPECT_EQ(read.text, "lost?");
    EXPECT_TRUE(read.calls.empty());
    EXPECT_EQ(read.finish, "stop");
}

TEST(FieldFailures, usage_fields_that_are_missing_in_message_start_or_message_delta) {
    const auto out =
        relayed(Kind::anthropic, Kind::anthropic,
                event(R"({"type":"message_start","message":{"id":"m","model":"m"}})") +
                    event(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}})") +
                    event(R"({"type":"message_delta","delta":{"stop_reason":"end_turn"}})") +
                    event(R"({"type":"message_stop"})"));
    EXPECT_NE(out.find("\"input_tokens\":"), std::string::npos);
    EXPECT_NE(out.find("message_stop"), std::string::npos);
}

TEST(FieldFailures, tool_use_input_as_a_string) {
    const auto stream = anthropic(
        event(
            R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"f","input":"{\"x\":1}"}})") +
        event(R"({"type":"content_block_stop","index":0})"));
    EXPECT_EQ(as_chat(Kind::anthropic, stream).calls, (Calls{{"f", R"({"x":1})"}}));
    json::Document document;
    ASSERT_TRUE(document.parse(
        R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":"{\"x\":1}"}]}]})"));
    const auto request = dialect::of(Kind::anthropic).decode_request({document, "/v1/messages"});
    ASSERT_TRUE(request);
    EXPECT_EQ(request->messages[1].parts[0].as<chat::ToolCallPart>()->arguments, R"({"x":1})");
}

TEST(FieldFailures, two_parallel_calls_interleaved_by_index) {
    const std::string stream =
        chunk(R"("delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]})") +
        chunk(R"("delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{\"y\""}}]})") +
        chunk(R"("delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]})") +
        chunk(R"("delta":{"tool_calls":[{"index":1,"function":{"arguments":":2}"}}]})") +
        chunk(R"("delta":{},"finish_reason":"tool_calls")") + kDone;
    EXPECT_EQ(as_chat(Kind::openai_chat, stream).calls, (Calls{{"f", R"({"x":1})"}, {"g", R"({"y":2})"}}));
    // Anthropic and Responses say one after the other.
    const auto blocks = relayed(Kind::openai_chat, Kind::anthropic, stream);
    const auto f = blocks.find("\"name\":\"f\""), stop = blocks.find("content_block_stop", f),
               g = blocks.find("\"name\":\"g\"");
    EXPECT_LT(f, stop);
    EXPECT_LT(stop, g);
    EXPECT_NE(blocks.find(R"("partial_json":":1}")"), std::string::npos);
    const auto items = relayed(Kind::openai_chat, Kind::openai_responses, stream);
    EXPECT_NE(items.find(R"("arguments":"{\"y\":2}")"), std::string::npos);
    EXPECT_NE(relayed(Kind::openai_chat, Kind::ollama, stream).find(R"("arguments":{"y":2})"), std::string::npos);
}

TEST(FieldFailures, two_parallel_calls_with_all_indexes_zero) {
    const auto read = as_chat(
        Kind::openai_chat,
        chunk(R"("delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]})") +
            chunk(R"("delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]})") +
            chunk(R"("delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}]})") +
            chunk(R"("delta":{},"finish_reason":"tool_calls")") + kDone);
    EXPECT_EQ(read.calls, (Calls{{"f", R"({"x":1})"}, {"g", "{}"}}));
    // Whole calls without ids, all of index 0.
    const auto bare = as_chat(
        Kind::openai_chat,
        chunk(R"("delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\"x\":1}"}}]})") +
            chunk(
                R"("delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\"x\":2}"}}]},"finish_reason":"tool_calls")") +
            kDone);
    EXPECT_EQ(bare.calls, (Calls{{"f", R"({"x":1})"}, {"f", R"({"x":2})"}}));
}

TEST(FieldFailures, a_name_that_is_repeated_in_every_fragment) {
    const auto read = as_chat(
        Kind::openai_chat,
        chunk(R"("delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}]})") +
            chunk(R"("delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"1}"}}]})") +
            chunk(R"("delta":{},"finish_reason":"tool_calls")") + kDone);
    EXPECT_EQ(read.calls, (Calls{{"f", R"({"x":1})"}}));
}

TEST(FieldFailures, a_call_with_empty_arguments) {
    const std::string stream =
        chunk(R"("delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]})") +
        chunk(R"("delta":{},"finish_reason":"tool_calls")") + kDone;
    EXPECT_EQ(as_chat(Kind::openai_chat, stream).calls, (Calls{{"f", ""}}));
    EXPECT_NE(relayed(Kind::openai_chat, Kind::ollama, stream).find(R"("arguments":{})"), std::string::npos);
    EXPECT_NE(relayed(Kind::openai_chat, Kind::gemini, stream).find(R"("args":{})"), std::string::npos);
    const auto blocks = relayed(Kind::openai_chat, Kind::anthropic, stream);
    EXPECT_NE(blocks.find(R"("input":{})"), std::string::npos);
    EXPECT_NE(blocks.find("\"stop_reason\":\"tool_use\""), std::string::npos);
}

TEST(FieldFailures, streams_cut_at_every_byte_give_the_same) {
    const std::string text =
        chunk(R"("delta":{"content":"h\u00e9llo \ud83d)"
              R"(\ude00 )"
              "\xC3\xA9\xF0\x9F\x98\x80"
              R"("})") +
        chunk(R"("delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"k\":\"\\u00e9 )"
              "\xC3\xA9"
              R"(\\\"\"}"}}]})") +
        chunk(R"("delta":{},"finish_reason":"tool_calls")") + kDone;
    const auto want = relayed(Kind::openai_chat, Kind::anthropic, text);
    EXPECT_NE(want.find("h\xC3\xA9llo \xF0\x9F\x98\x80"), std::string::npos);
    for (const std::size_t size : {1, 2, 3, 5, 7, 11})
        EXPECT_EQ(relayed(Kind::openai_chat, Kind::anthropic, text, size), want);
}

TEST(FieldFailures, where_a_chat_stream_says_how_it_ended) {
    const std::string role = chunk(R"("delta":{"role":"assistant","content":""})"),
                      hi = chunk(R"("delta":{"content":"hi"})");
    const std::string usage = R"(data: {"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}})"
                              "\n\n";
    const std::string call =
        chunk(R"("delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]})");
    EXPECT_EQ(
        as_chat(Kind::openai_chat, role + hi + chunk(R"("delta":{},"finish_reason":"stop")") + usage + kDone).finish,
        "stop");
    EXPECT_EQ(as_chat(Kind::openai_chat, role + hi + kDone).finish, "stop");  // missing
    EXPECT_EQ(as_chat(Kind::openai_chat, role + call + chunk(R"("delta":{},"finish_reason":"stop")") + kDone).finish,
              "tool_calls");
    EXPECT_EQ(as_chat(Kind::openai_chat, role + hi + chunk(R"("delta":{},"finish_reason":"stop")")).finish,
              "stop");  // no [DONE]
    EXPECT_EQ(as_chat(Kind::openai_chat, role + hi).finish, "not whole");
    EXPECT_NE(relayed(Kind::openai_chat, Kind::anthropic,
                      role + hi + chunk(R"("delta":{},"finish_reason":"stop")") + usage + kDone)
                  .find("\"input_tokens\":3"),
              std::string::npos);
}

TEST(FieldFailures, reasoning_by_each_of_its_names) {
    for (const std::string name : {"reasoning_content", "reasoning"}) {
        const auto read =
            as_chat(Kind::openai_chat, chunk("\"delta\":{\"" + name + "\":\"hm\"}") +
                                           chunk(R"("delta":{"content":"yes"},"finish_reason":"stop")") + kDone);
        EXPECT_EQ(read.reasoning, "hm");
        EXPECT_EQ(read.text, "yes");
    }
    // Both names at once are one thought.
    EXPECT_EQ(as_chat(Kind::openai_chat,
                      chunk(R"("delta":{"reasoning_content":"hm","reasoning":"hm"},"finish_reason":"stop")") + kDone)
                  .reasoning,
              "hm");
    // Tags, cut at every place.
    const std::string all = "<think>\nhm </thi</think>\n\nyes <think> no";
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {
        auto piece = [](const std::string& text) {
            return chunk("\"delta\":{\"content\":" + json::quoted(text) + "}");
        };
        const auto read = as_chat(Kind::openai_chat, piece(all.substr(0, cut)) + piece(all.substr(cut)) +
                                                         chunk(R"("delta":{},"finish_reason":"stop")") + kDone);
        EXPECT_EQ(read.reasoning, "\nhm </thi") << cut;
        EXPECT_EQ(read.text, "yes <think> no") << cut;
    }
}

TEST(FieldFailures, an_error_object_in_an_answer_that_is_200) {
    EXPECT_EQ(as_chat(Kind::openai_chat, event(R"({"error":{"message":"overloaded"}})")).finish, "failed: overloaded");
    EXPECT_EQ(
        as_chat(Kind::anthropic, event(R"({"type":"error","error":{"type":"overloaded_error","message":"busy"}})"))
            .finish,
        "failed: busy");
    EXPECT_EQ(as_chat(Kind::openai_responses, event(R"({"type":"error","code":"x","message":"no"})")).finish,
              "failed: no");
    EXPECT_EQ(as_chat(Kind::gemini, event(R"({"error":{"code":503,"message":"later"}})")).finish, "failed: later");
    EXPECT_EQ(as_chat(Kind::ollama, "{\"error\":\"no model\"}\n").finish, "failed: no model");
}

TEST(FieldFailures, every_form_of_server_sent_events) {
    const std::string one = R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}})";
    const std::string two =
        "{\"type\":\"content_block_delta\",\ndata: \"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"b\"}}";
    for (const std::string end : {"\n", "\r\n", "\r"}) {
        std::string stream = anthropic(": a comment\n\nevent: content_block_delta\ndata: " + one + "\n\ndata: " + one +
                                       "\nevent: content_block_delta\n\ndata: " + two + "\nid: 5\nretry: 9\n\n");
        std::string with_end;
        for (const char c : stream) with_end += c == '\n' ? end : std::string(1, c);
        while (with_end.ends_with(end)) with_end.resize(with_end.size() - end.size());  // no final blank line
        EXPECT_EQ(as_chat(Kind::anthropic, with_end).text, "aab");
        EXPECT_EQ(as_chat(Kind::anthropic, with_end, 1).text, "aab");
    }
}

TEST(FieldFailures, line_breaks_in_the_json_of_a_model_do_not_break_the_stream) {
    const std::string stream =
        chunk(
            R"("delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\n  \"x\": 1\r\n}"}}]})") +
        chunk(R"("delta":{},"finish_reason":"tool_calls")") + kDone;
    for (const auto front : {Kind::openai_responses, Kind::anthropic, Kind::gemini}) {
        const auto out = relayed(Kind::openai_chat, front, stream);
        for (std::size_t at = 0; at < out.size(); at = out.find('\n', at) + 1) {
            const auto line = out.substr(at, out.find('\n', at) - at);
            EXPECT_TRUE(line.empty() || line.starts_with("data: {") || line.starts_with("event: ")) << line;
        }
    }
    const auto lines = relayed(Kind::openai_chat, Kind::ollama, stream);
    EXPECT_EQ(std::ranges::count(lines, '\n'), 2);
}

TEST(FieldFailures, unknown_events_and_one_malformed_one_kill_nothing) {
    const auto read = as_chat(
        Kind::anthropic,
        anthropic(event(R"({"type":"brand_new","x":1})") + event("{not json") +
                  event(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"on"}})") +
                  event(R"({"type":"content_block_delta","index":0,"delta":{"type":"new_delta"}})")));
    EXPECT_EQ(read.text, "on");
    EXPECT_EQ(read.finish, "stop");
}

// ---- requests ----

Result<chat::Request> decoded(const std::string& messages) {
    static json::Document document;
    EXPECT_TRUE(document.parse(R"({"model":"m","messages":)" + messages + "}"));
    return dialect::openai_chat::decode_request(document);
}

std::string sent(const std::string& messages, dialect::Speaker to) {
    const auto request = decoded(messages);
    EXPECT_TRUE(request) << request.error().message;
    const auto fitted = dialect::fit(*request, to, false);
    EXPECT_FALSE(fitted.refused) << fitted.refused->message;
    return dialect::of(dialect::kind_of(to)).encode_request(fitted.request, {"m", false, true, 0}).body;
}

TEST(FieldFailures, content_as_a_string_as_parts_and_as_null) {
    for (const std::string content : {R"("hi")", R"([{"type":"text","text":"hi"}])"})
        EXPECT_NE(sent(R"([{"role":"user","content":)" + content + "}]", dialect::Speaker::anthropic)
                      .find(R"({"type":"text","text":"hi"})"),
                  std::string::npos);
    const auto body = sent(
        R"([{"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"r"}]}])",
        dialect::Speaker::anthropic);
    EXPECT_NE(body.find(R"({"type":"tool_result","tool_use_id":"a","content":"r"})"), std::string::npos);
}

TEST(FieldFailures, results_find_their_calls_whatever_stands_between) {
    const std::string call =
        R"({"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]})";
    const auto body = sent(
        "[{\"role\":\"user\",\"content\":\"x\"}," + call +
            R"(,{"role":"user","content":"wait"},{"role":"tool","tool_call_id":"b","content":"2"},{"role":"tool","tool_call_id":"a","content":"1"}])",
        dialect::Speaker::anthropic);
    const auto first = body.find("\"tool_use_id\":\"a\""), second = body.find("\"tool_use_id\":\"b\""),
               wait = body.find("wait");
    EXPECT_LT(first, second);
    EXPECT_LT(second, wait);
}

TEST(FieldFailures, a_result_without_its_call_and_a_call_without_its_result) {
    auto body = sent(R"([{"role":"user","content":"x"},{"role":"tool","tool_call_id":"gone","content":"the result"}])",
                     dialect::Speaker::anthropic);
    EXPECT_EQ(body.find("tool_result"), std::string::npos);
    EXPECT_NE(body.find("the result"), std::string::npos);
    body = sent(
        R"([{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"user","content":"never mind"}])",
        dialect::Speaker::gemini);
    EXPECT_NE(body.find("interrupted"), std::string::npos);
}

TEST(FieldFailures, images_in_tool_results_reach_the_model) {
    json::Document document;
    ASSERT_TRUE(document.parse(
        R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"shot","input":{}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}]}]})"));
    const auto request = dialect::of(Kind::anthropic).decode_request({document, "/v1/messages"});
    ASSERT_TRUE(request);
    const auto fitted = dialect::fit(*request, dialect::Speaker::openai_chat, false);
    const auto body = dialect::openai_chat::encode_request(fitted.request, "m");
    EXPECT_LT(body.find("\"role\":\"tool\""), body.find("data:image/png;base64,AAAA"));
}

TEST(FieldFailures, empty_assistant_messages_and_two_system_prompts) {
    const std::string messages =
        R"([{"role":"system","content":"one"},{"role":"system","content":"two"},{"role":"user","content":"x"},{"role":"assistant","content":""},{"role":"user","content":"y"}])";
    const auto body = sent(messages, dialect::Speaker::anthropic);
    EXPECT_NE(body.find(R"("system":[{"type":"text","text":"one"},{"type":"text","text":"two"}])"), std::string::npos);
    EXPECT_NE(body.find(R"([{"role":"user","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]}])"),
              std::string::npos);
}

TEST(FieldFailures, malformed_arguments_in_a_replayed_history) {
    const std::string history =
        R"([{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\": 1"}}]},{"role":"tool","tool_call_id":"a","content":"bad"}])";
    EXPECT_NE(sent(history, dialect::Speaker::anthropic).find(R"("input":{"arguments":"{\"x\": 1"})"),
              std::string::npos);
    EXPECT_NE(sent(history, dialect::Speaker::openai_responses).find(R"("arguments":"{\"x\": 1")"), std::string::npos);
}

TEST(FieldFailures, ids_that_anthropic_does_not_take_are_the_same_in_call_and_result) {
    const auto body = sent(
        R"([{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"call:1/x","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"call:1/x","content":"r"}])",
        dialect::Speaker::anthropic);
    const auto at = body.find("\"id\":\"toolu_");
    ASSERT_NE(at, std::string::npos);
    const auto id = body.substr(at + 6, 30);
    EXPECT_NE(body.find("\"tool_use_id\":\"" + id), std::string::npos);
}

// ---- tools where the model has none ----

TEST(RenderedTools, a_reply_streams_and_calls_come_whole) {
    const std::string
        reply = R"({"reply": "h\u00e9 \"x\" \ud83d\ude00\n"})",
        calls = R"({"tool_calls": [{"name": "f", "arguments": {"x": 1.50}}, {"name": "g", "arguments": {}}]})";
    for (std::size_t cut = 0; cut <= std::max(reply.size(), calls.size()); ++cut) {
        auto run = [&](const std::string& text, chat::Finish reason) {
            const auto filter = chat::rendered_tools_filter("x");
            std::vector<chat::Event> out;
            filter->take(chat::TextDelta{0, text.substr(0, std::min(cut, text.size()))}, out);
            filter->take(chat::TextDelta{0, text.substr(std::min(cut, text.size()))}, out);
            filter->take(chat::Finished{0, reason, {}}, out);
            filter->end(out);
            chat::Assembler assembler("");
            for (const auto& one : out) assembler.take(one);
            return assembler.release();
        };
        EXPECT_EQ(chat::text_of(run(reply, chat::Finish::stop).choices[0].parts), "h\xC3\xA9 \"x\" \xF0\x9F\x98\x80\n")
            << cut;
        const auto answer = run(calls, chat::Finish::stop);
        ASSERT_EQ(answer.choices[0].parts.size(), 2U) << cut;
        EXPECT_EQ(answer.choices[0].parts[0].as<chat::ToolCallPart>()->arguments, R"({"x": 1.50})");
        EXPECT_EQ(answer.choices[0].finished->reason, chat::Finish::tool_calls);
        // Half a call is none.
        EXPECT_TRUE(run(calls.substr(0, calls.size() - 3), chat::Finish::length).choices[0].parts.empty());
    }
}

TEST(RenderedTools, the_schema_allows_what_tool_choice_allows) {
    auto request = *decoded(
        R"([{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"y":{"$ref":"#/$defs/t"}},"$defs":{"t":{"type":"string"}}}}},{"type":"function","function":{"name":"g"}}])");
    auto schema = [&](chat::ToolChoice::Kind kind) {
        auto copy = request;
        copy.tool_choice = {kind, kind == chat::ToolChoice::Kind::named ? "g" : "", {}};
        EXPECT_EQ(chat::render_tools(copy), kind != chat::ToolChoice::Kind::none);
        EXPECT_TRUE(copy.tools.empty());
        return copy.response_format.schema.json;
    };
    using Choice = chat::ToolChoice::Kind;
    EXPECT_NE(schema(Choice::automatic).find("{\"reply\":"), std::string::npos);
    EXPECT_EQ(schema(Choice::required).find("{\"reply\":"), std::string::npos);
    EXPECT_EQ(schema(Choice::named).find(R"("const":"f")"), std::string::npos);
    EXPECT_EQ(schema(Choice::none), "");
    EXPECT_NE(schema(Choice::automatic).find(R"("$ref":"#/$defs/tool_0/$defs/t")"), std::string::npos);
}

}  // namespace
}  // namespace tandem
