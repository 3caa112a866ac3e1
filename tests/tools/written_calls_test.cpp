// Calls as models of each family write them, cut anywhere, and texts that are none.
#include <gtest/gtest.h>

#include "chat/answer.h"
#include "tools/loose_json.h"
#include "tools/reader.h"
#include "tools/settle.h"

namespace tandem::tools {

namespace {

std::shared_ptr<const Offer> offer() {
    auto tool = [](std::string name, std::string schema) {
        chat::Tool made;
        made.name = std::move(name);
        made.parameters.json = std::move(schema);
        return made;
    };
    return std::make_shared<const Offer>(std::vector<chat::Tool>{
        tool("get_weather", R"({"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"},)"
                            R"("wind":{"type":"boolean"}},"required":["city"]})"),
        tool("write", R"({"type":"object","properties":{"path":{"type":"string"},"content":{"type":"string"},)"
                      R"("lines":{"type":"array","items":{"type":"integer"}}},"required":["path"]})"),
        tool("now", R"({"type":"object","properties":{}})")});
}

struct Said {
    std::string text;
    std::string calls;  // name(arguments), one a line
    std::string warnings;
    std::size_t early = 0;  // bytes of text that were said before the end
};

// What a client gets of an answer that comes in pieces of `size` bytes.
Said said(const std::string& answer, std::size_t size, bool bare = true, const Holding& holding = {}) {
    auto notes = std::make_shared<CallNotes>();
    const auto read = written_calls(offer(), "x", bare, notes), held = held_calls(offer(), holding, notes);
    std::vector<chat::Event> events;
    auto through = [&](std::vector<chat::Event> some) {
        for (auto& event : some) held->take(std::move(event), events);
    };
    for (std::size_t at = 0; at < answer.size(); at += size) {
        std::vector<chat::Event> out;
        read->take(chat::TextDelta{0, answer.substr(at, size)}, out);
        through(std::move(out));
    }
    Said all;
    for (const auto& event : events)
        if (const auto* text = std::get_if<chat::TextDelta>(&event)) all.early += text->text.size();
    std::vector<chat::Event> out;
    read->take(chat::Finished{}, out);
    read->end(out);
    through(std::move(out));
    held->end(events);
    for (const auto& event : events) {
        if (const auto* text = std::get_if<chat::TextDelta>(&event)) all.text += text->text;
        if (const auto* call = std::get_if<chat::ToolCallDelta>(&event))
            all.calls += call->name + "(" + call->arguments + ")\n";
    }
    for (const auto& warning : notes->warnings) all.warnings += warning + "\n";
    return all;
}

struct Case {
    const char* family;
    const char* answer;
    const char* text;
    const char* calls;
};

// From the chat templates and documents that the files of families name.
const Case kCases[] = {
    {"hermes", "I look.\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>",
     "I look.\n", "get_weather({\"city\": \"Paris\"})\n"},
    {"two of hermes",
     "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>\n<tool_call>\n{\"name\": \"get_weather\", "
     "\"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>",
     "", "now({})\nget_weather({\"city\": \"Oslo\"})\n"},
    {"hermes, not closed", "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}", "",
     "get_weather({\"city\": \"Paris\"})\n"},
    {"hermes, a brace too many", "<tool_call>{\"name\": \"now\", \"arguments\": {}}}</tool_call>", "", "now({})\n"},
    {"qwen3-coder",
     "<tool_call>\n<function=write>\n<parameter=path>\na.txt\n</parameter>\n<parameter=content>\n5\n</parameter>\n"
     "<parameter=lines>\n[1, 2]\n</parameter>\n</function>\n</tool_call>",
     "", "write({\"path\":\"a.txt\",\"content\":\"5\",\"lines\":[1, 2]})\n"},
    {"qwen3-coder without its outer tag",
     "<function=get_weather>\n<parameter=city>\nRome\n</parameter>\n<parameter=days>\n3\n</parameter>\n</function>\n</"
     "tool_call>",
     "", "get_weather({\"city\":\"Rome\",\"days\":3})\n"},
    {"llama 3.1's function tag", "<function=get_weather>{\"city\": \"Rome\"}</function>", "",
     "get_weather({\"city\": \"Rome\"})\n"},
    {"glm",
     "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Bern</arg_value>\n<arg_key>days</"
     "arg_key>\n<arg_value>2</arg_value>\n</tool_call>",
     "", "get_weather({\"city\":\"Bern\",\"days\":2})\n"},
    {"llama 3", "<|python_tag|>{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Paris\"}}", "",
     "get_weather({\"city\": \"Paris\"})\n"},
    {"llama 4", "<|python_start|>[get_weather(city=\"Paris\", days=2), now()]<|python_end|>", "",
     "get_weather({\"city\":\"Paris\",\"days\":2})\nnow({})\n"},
    {"mistral", "[TOOL_CALLS][{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}]", "",
     "get_weather({\"city\": \"Paris\"})\n"},
    {"mistral 11", "[TOOL_CALLS]get_weather[ARGS]{\"city\": \"Paris\"}[TOOL_CALLS]now[ARGS]{}", "",
     "get_weather({\"city\": \"Paris\"})\nnow({})\n"},
    {"mistral 13 with an id", "[TOOL_CALLS]get_weather[CALL_ID]abc[ARGS]{\"city\": \"Paris\"}", "",
     "get_weather({\"city\": \"Paris\"})\n"},
    {"deepseek v3",
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{\"city\": "
     "\"Paris\"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
     "", "get_weather({\"city\": \"Paris\"})\n"},
    {"deepseek v3.1",
     "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{\"city\": "
     "\"Paris\"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
     "", "get_weather({\"city\": \"Paris\"})\n"},
    {"deepseek v3.2",
     "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"get_weather\">\n<｜DSML｜parameter name=\"city\" "
     "string=\"true\">Paris</｜DSML｜parameter>\n"
     "</｜DSML｜invoke>\n</｜DSML｜function_calls>",
     "", "get_weather({\"city\":\"Paris\"})\n"},
    {"functionary", ">>>get_weather\n{\"city\": \"Paris\"}", "", "get_weather({\"city\": \"Paris\"})\n"},
    {"command",
     "<|START_ACTION|>[{\"tool_call_id\": \"0\", \"tool_name\": \"get_weather\", \"parameters\": {\"city\": "
     "\"Paris\"}}]<|END_ACTION|>",
     "", "get_weather({\"city\": \"Paris\"})\n"},
    {"command r", "Action: ```json\n[\n{\"tool_name\": \"get_weather\", \"parameters\": {\"city\": \"Paris\"}}\n]\n```",
     "", "get_weather({\"city\": \"Paris\"})\n"},
    {"granite", "<|tool_call|>[{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}]", "",
     "get_weather({\"city\": \"Paris\"})\n"},
    {"phi 4 mini", "<|tool_call|>[{\"name\": \"now\", \"arguments\": {}}]<|/tool_call|>", "", "now({})\n"},
    {"kimi",
     "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>{\"city\": "
     "\"Paris\"}<|tool_call_end|>"
     "<|tool_calls_section_end|>",
     "", "get_weather({\"city\": \"Paris\"})\n"},
    {"harmony",
     "<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{\"city\": \"Paris\"}<|call|>", "",
     "get_weather({\"city\": \"Paris\"})\n"},
    {"gemma", "```tool_code\nget_weather(city='Paris')\n```", "", "get_weather({\"city\":\"Paris\"})\n"},
    {"functiongemma", "<start_function_call>call:get_weather{city:<escape>Pa\"ris<escape>,days:2}<end_function_call>",
     "", "get_weather({\"city\":\"Pa\\\"ris\",\"days\":2})\n"},
    {"gemma 4", "<|tool_call>call:get_weather{city:<|\"|>Paris<|\"|>}<tool_call|>", "",
     "get_weather({\"city\":\"Paris\"})\n"},
    {"minimax m1", "<tool_calls>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_calls>", "",
     "get_weather({\"city\": \"Paris\"})\n"},
    {"minimax m2",
     "<minimax:tool_call>\n<invoke name=\"get_weather\">\n<parameter "
     "name=\"city\">Paris</parameter>\n</invoke>\n</minimax:tool_call>",
     "", "get_weather({\"city\":\"Paris\"})\n"},
    {"lfm2", "<|tool_call_start|>[get_weather(city=\"Paris\")]<|tool_call_end|>Let me look.", "Let me look.",
     "get_weather({\"city\":\"Paris\"})\n"},
    {"nemotron", "<TOOLCALL>[{\"name\": \"now\", \"arguments\": {}}]</TOOLCALL>", "", "now({})\n"},
    {"phi 4", "functools[{\"name\": \"now\", \"arguments\": {}}]", "", "now({})\n"},
    {"bare", "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}", "",
     "get_weather({\"city\": \"Paris\"})\n"},
    {"bare, the arguments first", "{\"arguments\": {\"city\": \"Paris\"}, \"name\": \"get_weather\"}", "",
     "get_weather({\"city\": \"Paris\"})\n"},
    {"a fence", "```json\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n```", "",
     "get_weather({\"city\": \"Paris\"})\n"},
    {"a fence around tags", "```xml\n<tool_call>{\"name\": \"now\", \"arguments\": {}}</tool_call>\n```",
     "```xml\n\n```", "now({})\n"},
    {"python alone", "[get_weather(city='Paris'), now()]", "", "get_weather({\"city\":\"Paris\"})\nnow({})\n"},
    {"two objects",
     "{\"name\": \"now\", \"arguments\": {}}\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Rome\"}}", "",
     "now({})\nget_weather({\"city\": \"Rome\"})\n"},
    // What is none.
    {"a word on the tag", "The <tool_call> tag begins a call, </tool_call> ends it.",
     "The <tool_call> tag begins a call, </tool_call> ends it.", ""},
    {"another tool", "<tool_call>{\"name\": \"rm\", \"arguments\": {}}</tool_call> and more",
     "<tool_call>{\"name\": \"rm\", \"arguments\": {}}</tool_call> and more", ""},
    {"JSON that the user wanted",
     "{\"name\": \"get_weather\", \"kind\": \"function\", \"arguments\": {\"city\": \"Paris\"}}",
     "{\"name\": \"get_weather\", \"kind\": \"function\", \"arguments\": {\"city\": \"Paris\"}}", ""},
    {"bare JSON with words behind", "{\"name\": \"now\", \"arguments\": {}}\nThat is how it looks.",
     "{\"name\": \"now\", \"arguments\": {}}\nThat is how it looks.", ""},
    {"bare JSON that lacks an argument", "{\"name\": \"get_weather\", \"arguments\": {}}",
     "{\"name\": \"get_weather\", \"arguments\": {}}", ""},
    {"a fence with words behind", "```json\n{\"name\": \"now\", \"arguments\": {}}\n```\nRun it.",
     "```json\n{\"name\": \"now\", \"arguments\": {}}\n```\nRun it.", ""},
    {"code", "```python\nnow = 5\nprint(now)\n```", "```python\nnow = 5\nprint(now)\n```", ""},
    {"Python's prompt", ">>> now\n>>>print(1)\n1", ">>> now\n>>>print(1)\n1", ""},
    {"words that begin as a tool", "now we go", "now we go", ""},
};

constexpr const char* kTwoCalls =
    "<tool_call>{\"name\": \"now\", \"arguments\": {}}</tool_call>"
    "<tool_call>{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Rome\"}}</tool_call>";

TEST(HeldCalls, OneIsLeftOfSeveralWhereOneWasWanted) {
    EXPECT_EQ(said(kTwoCalls, 9).calls, "now({})\nget_weather({\"city\": \"Rome\"})\n");
    const auto one = said(kTwoCalls, 9, true, {.one = true});
    EXPECT_EQ(one.calls, "now({})\n");
    EXPECT_NE(one.warnings.find("the call of 'get_weather' was left out"), std::string::npos) << one.warnings;
}

TEST(HeldCalls, ACallWhereNoneWasWantedIsWrong) {
    const auto given = said(kTwoCalls, 9, true, {.none = true});
    EXPECT_NE(given.warnings.find("no tool was to be called"), std::string::npos) << given.warnings;
    // Where the model can be asked again, the client sees neither.
    EXPECT_EQ(said(kTwoCalls, 9, true, {.again = true, .none = true}).calls, "");
}

TEST(WrittenCalls, AnArgumentThatStandsTwiceIsSaid) {
    const auto twice = said(
        "<function=write>\n<parameter=path>\na.txt\n</parameter>\n<parameter=path>\nb.txt\n</parameter>\n</function>",
        7);
    EXPECT_EQ(twice.calls, "write({\"path\":\"a.txt\"})\n");
    EXPECT_NE(twice.warnings.find("'path' was given more than once, and the first one counts"), std::string::npos)
        << twice.warnings;
}

}  // namespace

TEST(WrittenCalls, of_each_family_are_read_however_they_are_cut) {
    for (const auto& one : kCases)
        for (const std::size_t size : {1, 2, 3, 7, 4096}) {
            const auto all = said(one.answer, size);
            EXPECT_EQ(all.text, one.text) << one.family << ", in pieces of " << size;
            EXPECT_EQ(all.calls, one.calls) << one.family << ", in pieces of " << size;
        }
}

TEST(WrittenCalls, hold_back_no_text_that_can_be_none) {
    const std::string text = "Here is a story about a < b and {braces}, with `code` and [lists]. It goes on.";
    EXPECT_EQ(said(text, 1).early, text.size());
    const std::string object = R"({"title": "Nothing", "kind": "a plain object that was asked for"})";
    EXPECT_EQ(said(object, 1).early, object.size());
}

TEST(WrittenCalls, that_the_user_wants_as_json_are_none) {
    const std::string object = R"({"name": "now", "arguments": {}})";
    EXPECT_EQ(said(object, 3, false).text, object);
}

TEST(WrittenCalls, say_what_was_put_right) {
    const auto all = said("<tool_call>{'name': 'get_weather', 'arguments': {'city': 'Paris', \"days\": \"2\",}}", 5);
    EXPECT_EQ(all.calls, "get_weather({\"city\":\"Paris\",\"days\":2})\n");
    for (const auto* word : {"single quotes", "a comma too many", "a closing tag", "the text of 'days' became integer"})
        EXPECT_NE(all.warnings.find(word), std::string::npos) << word << " in: " << all.warnings;
}

TEST(WrittenCalls, that_were_cut_are_no_calls) {
    for (const auto* text : {"<tool_call>{\"name\":\"write\",\"arguments\":{\"path\":\"/home/me/tm",
                             "<tool_call>\n<function=write>\n<parameter=path>/home/me/tm",
                             "<start_function_call>call:write{path:<escape>/home/me/tm",
                             "<tool_call>{\"name\":\"get_weather\",\"arguments\":{\"city\":\"a\",\"days\":1",
                             "<tool_call>{\"name\":\"write\",\"arguments\":{\"path\":\"a\",\"lines\":[1,2"})
        for (const std::size_t size : {1, 7, 4096}) {
            const auto all = said(text, size);
            EXPECT_EQ(all.calls, "") << text;
            EXPECT_EQ(all.text, text);
        }
}

TEST(WrittenCalls, keep_a_closing_mark_that_stands_in_a_text) {
    const std::string arguments = R"({"path":"a.md","content":"doc: </tool_call> is the end"})";
    const auto all = said("<tool_call>{\"name\":\"write\",\"arguments\":" + arguments + "}</tool_call>", 3);
    EXPECT_EQ(all.calls, "write(" + arguments + ")\n");
    EXPECT_EQ(all.text, "");
}

TEST(WrittenCalls, that_are_shown_or_thought_are_none) {
    const std::string call = R"(<tool_call>{"name":"now","arguments":{}}</tool_call>)";
    for (const auto& text : {"It looks so:\n```xml\n" + call + "\n```\nThat is all.", "Write `" + call + "` for that.",
                             "The page says: \"" + call + "\". I will not do that.",
                             "<think>I could write " + call + " but no</think>Hello"})
        for (const std::size_t size : {1, 7, 4096}) {
            const auto all = said(text, size);
            EXPECT_EQ(all.calls, "") << text;
            EXPECT_EQ(all.text, text);
        }
    EXPECT_EQ(said("<think>Hm.</think>\n" + call, 5).calls, "now({})\n");
    EXPECT_EQ(said("I look.\n" + call, 5).calls, "now({})\n");
}

TEST(Settled, makes_up_nothing) {
    const auto some = offer();
    EXPECT_EQ(settle(*some, "get_weather", "{}").wrong, "it lacks the required member 'city'");
    EXPECT_EQ(settle(*some, "get_weather", R"({"town": "Paris"})").wrong, "it lacks the required member 'city'");
    EXPECT_FALSE(settle(*some, "get_weather", R"({"city": "Paris", "days": "two"})").wrong.empty());
    EXPECT_FALSE(settle(*some, "get_weather", R"({"city": "Paris", "days": "05"})").wrong.empty());
    EXPECT_FALSE(settle(*some, "get_weather", R"({"city": "Paris", "days": 1.5})").wrong.empty());
    EXPECT_FALSE(settle(*some, "get_weather", R"({"city": null})").wrong.empty());
    EXPECT_FALSE(settle(*some, "get_weather", "Paris").wrong.empty());
}

TEST(Settled, says_a_value_in_the_type_that_is_wanted_where_nothing_is_lost) {
    const auto some = offer();
    EXPECT_EQ(settle(*some, "get_weather", R"({"city": 5, "days": "5", "wind": "true"})").arguments,
              R"({"city":"5","days":5,"wind":true})");
    EXPECT_EQ(settle(*some, "write", R"({"path": "a", "content": null, "lines": "[1, 2]"})").arguments,
              R"({"path":"a","lines":[1, 2]})");
    EXPECT_EQ(settle(*some, "get_weather", R"({"city": "Paris", "days": 1.50e1})").arguments,
              R"({"city": "Paris", "days": 1.50e1})");
    EXPECT_EQ(settle(*some, "now", "").arguments, "{}");
}

TEST(LooseJson, reads_what_is_meant) {
    auto read = [](std::string_view text) {
        const auto loose = loose_json(text, true);
        return loose ? loose->json : std::string("nothing");
    };
    EXPECT_EQ(read("{'a': \"it's\", b: True, \"c\": [1, 2,],}"), R"({"a":"it's","b":true,"c":[1,2]})");
    EXPECT_EQ(read("{\"a\": \"x\ny\", \"p\": \"C:\\dir\"}"), R"({"a":"x\ny","p":"C:\\dir"})");
    EXPECT_EQ(read("{\"a\": {\"b\": \"c\""), R"({"a":{"b":"c"}})");
    EXPECT_EQ(read("{\"a\": {\"b\": \"c"), "nothing");
    EXPECT_EQ(read("{\"a\": 100"), "nothing");
    EXPECT_EQ(read("{\"a\": [1, 2"), "nothing");
    EXPECT_EQ(read("{\"a\": 1.50, \"b\": 12345678901234567890}"), R"({"a": 1.50, "b": 12345678901234567890})");
    EXPECT_EQ(read("{\"a\":"), "nothing");
    EXPECT_EQ(read("{\"a\": b}"), "nothing");
    EXPECT_FALSE(loose_json(R"({"a": 1)", false));
    EXPECT_FALSE(loose_json(std::string(100'000, '['), true));
}

}  // namespace tandem::tools
