// Grammars for engines: every rule that is named is there, none leads back to itself with nothing between, and what
// they cannot say is known. That they hold a model is shown by tests/conformance/held_engine_test.py.
#include "tools/hold.h"

#include <gtest/gtest.h>

#include <map>
#include <regex>

namespace tandem::tools {

namespace {

chat::Request request(const std::vector<std::pair<std::string, std::string>>& tools,
                      chat::ToolChoice::Kind choice = chat::ToolChoice::Kind::unset) {
    chat::Request made;
    for (const auto& [name, schema] : tools) {
        chat::Tool tool;
        tool.name = name;
        tool.parameters.json = schema;
        made.tools.push_back(std::move(tool));
    }
    made.tool_choice.kind = choice;
    if (choice == chat::ToolChoice::Kind::named) made.tool_choice.name = tools.front().first;
    return made;
}

// The rules of a grammar by name, without what stands in quotes and brackets.
std::map<std::string, std::string> rules(const std::string& grammar) {
    std::map<std::string, std::string> all;
    const std::regex quoted(R"("(\\.|[^"\\])*")"), classes(R"(\[(\\.|[^\]\\])*\])");
    for (std::size_t at = 0; at < grammar.size();) {
        const auto end = grammar.find('\n', at);
        const auto line = grammar.substr(at, end - at);
        const auto middle = line.find(" ::= ");
        auto body = line.substr(middle + 5);
        body = std::regex_replace(body, quoted, "'");
        all[line.substr(0, middle)] = std::regex_replace(body, classes, "'");
        at = end + 1;
    }
    return all;
}

void expect_whole(const std::string& grammar) {
    const auto all = rules(grammar);
    const std::regex word("[a-z][a-z0-9-]*");
    for (const auto& [name, body] : all)
        for (std::sregex_iterator it(body.begin(), body.end(), word); it != std::sregex_iterator(); ++it)
            EXPECT_TRUE(all.contains(it->str())) << name << " ::= " << body;
    // What may come first leads from rule to rule, and never back.
    std::map<std::string, std::set<std::string>> firsts;
    const std::regex begin("^[ (]*([a-z][a-z0-9-]*)");
    for (const auto& [name, body] : all) {
        std::string rest = body + " |";
        for (std::size_t bar = 0; (bar = rest.find('|')) != std::string::npos; rest.erase(0, bar + 1)) {
            std::smatch first;
            const auto alternative = rest.substr(0, bar);
            if (std::regex_search(alternative, first, begin)) firsts[name].insert(first[1].str());
        }
    }
    for (const auto& [name, body] : all) {
        std::set<std::string> seen;
        std::vector<std::string> left{name};
        while (!left.empty()) {
            const auto at = left.back();
            left.pop_back();
            for (const auto& next : firsts[at])
                if (seen.insert(next).second) left.push_back(next);
        }
        EXPECT_FALSE(seen.contains(name)) << name << " leads back to itself";
    }
}

}  // namespace

TEST(Hold, grammars_are_whole_whatever_the_schemas) {
    const char* kSchemas[] = {
        R"({"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"]})",
        R"({"type":"object","properties":{"a":{"type":"array","items":{"$ref":"#/$defs/n"}}},"$defs":{"n":{"type":"object",)"
        R"("properties":{"next":{"$ref":"#/$defs/n"}}}}})",
        R"({"anyOf":[{"$ref":"#"},{"type":"null"}]})",
        R"({"type":"object","properties":{"t":{"$ref":"#/$defs/t"}},"$defs":{"t":{"anyOf":[{"type":"array","items":)"
        R"({"$ref":"#/$defs/t"}},{"$ref":"#/$defs/t"},{"type":"string"}]}}})",
        R"({"type":"object","properties":{},"additionalProperties":false})",
        R"({"type":"object","additionalProperties":{"type":"integer"}})",
        R"({"type":["string","null"],"minLength":2,"maxLength":5})",
        R"({"enum":["a\"b","c\\d",1.50,null,{"x":[1]}]})",
        R"({"type":"object","required":["x"],"properties":{"y":{"const":"q"}},"allOf":[{"required":["y"]}]})",
        "true",
        "{}",
        R"({"type":"array","prefixItems":[{"type":"string"},{"type":"number"}],"items":false})",
        R"({"type":"array","minItems":2,"maxItems":4,"items":{"type":"boolean"}})",
        R"({"type":"array","minItems":4000,"maxItems":1})"};
    using Choice = chat::ToolChoice::Kind;
    for (const auto* schema : kSchemas) {
        chat::ResponseFormat format;
        format.kind = chat::ResponseFormat::Kind::json_schema;
        format.schema.json = schema;
        expect_whole(hold_answer(format)->grammar);
        for (const auto choice : {Choice::automatic, Choice::required, Choice::named}) {
            auto one = request({{"get", schema}, {"get_all", schema}, {"b.c-d", "{}"}}, choice);
            expect_whole(hold_calls(one)->grammar);
            if (choice != Choice::required && choice != Choice::automatic) continue;
            one.response_format = format;
            expect_whole(hold_calls(one)->grammar);
        }
    }
    EXPECT_FALSE(hold_calls(request({{"get", "{}"}}, Choice::none)));
}

TEST(Hold, what_a_grammar_cannot_say_is_known) {
    chat::ResponseFormat format;
    format.kind = chat::ResponseFormat::Kind::json_schema;
    format.schema.json =
        R"({"type":"object","properties":{"id":{"type":"string","pattern":"^\\d+$"},"n":{"type":"integer",)"
        R"("minimum":5},"x":{"not":{"type":"null"}}}})";
    EXPECT_EQ(hold_answer(format)->relaxed, (std::set<std::string>{"minimum", "not", "pattern"}));
    format.schema.json = R"({"type":"object","properties":{"n":{"type":"integer","minimum":1,"maximum":7}}})";
    EXPECT_TRUE(hold_answer(format)->relaxed.empty());
}

TEST(Hold, a_schema_that_is_too_large_is_not_held) {
    std::string properties;
    for (int i = 0; i < 20'000; ++i)
        properties += (i ? ",\"p" : "\"p") + std::to_string(i) + R"(":{"type":"string","maxLength":9})";
    chat::ResponseFormat format;
    format.kind = chat::ResponseFormat::Kind::json_schema;
    format.schema.json = R"({"type":"object","properties":{)" + properties + "}}";
    EXPECT_FALSE(hold_answer(format));
}

}  // namespace tandem::tools
