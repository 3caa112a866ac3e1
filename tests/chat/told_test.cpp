#include "chat/told.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tandem::chat {
namespace {

Told said(std::string text, Finish finish = Finish::stop) {
    Told told;
    told.text = std::move(text);
    told.finish = finish;
    return told;
}

TEST(Fault, of_text) {
    Request request;
    EXPECT_EQ(fault_of(said("A lake is still water."), request), "");
    EXPECT_EQ(fault_of(said(" \n"), request), "empty");
    EXPECT_EQ(fault_of(said("It beg", Finish::length), request), "cut");
    EXPECT_EQ(fault_of(said("I'm sorry, but I can't help with that."), request), "refused");
    EXPECT_EQ(fault_of(said("Some answer", Finish::content_filter), request), "refused");
    std::string loop = "A beginning that is fine. ";
    for (int i = 0; i < 40; ++i) loop += "and then again ";
    EXPECT_EQ(fault_of(said(loop), request), "loop");
    std::string list;
    for (int i = 0; i < 60; ++i) list += std::to_string(i * i) + ". an item of the list, and what it is\n";
    EXPECT_EQ(fault_of(said(list), request), "");
    request.max_output_tokens = 5;
    EXPECT_EQ(fault_of(said("It beg", Finish::length), request), "") << "the client wanted it short";
}

TEST(Agreement, is_of_numbers_first_and_of_so_much_as_both_say) {
    EXPECT_NEAR(agreement("There are 17 lakes.", "There are 17 lakes."), 1, 1e-9);
    EXPECT_LT(agreement("There are 17 lakes.", "There are 42 lakes."), 0.5);
    EXPECT_GT(agreement("A lake is still water that lies in a basin, as of old.", "A lake is still water that lies in"),
              0.7);
    EXPECT_LT(agreement("A lake is still water.", "Nobody knows, perhaps rivers."), 0.1);
    EXPECT_NEAR(agreement("", ""), 1, 1e-9);
}

TEST(Sureness, is_the_mean_of_what_the_tokens_were_worth) {
    json::Document document;
    ASSERT_TRUE(document.parse(
        R"({"content":[{"token":"a","logprob":-0.1},{"token":"b","logprob":-1.9},{"token":"c","logprob":-1e30},{"token":"d","logprob":2},{"token":"e"}]})"));
    Told told;
    told.take(Logprobs{0, {std::string(document.root().raw())}});
    told.take(Logprobs{1, {std::string(document.root().raw())}});
    told.take(Logprobs{0, {"[no"}});
    EXPECT_EQ(told.sure.tokens, 3);
    EXPECT_EQ(told.sure.doubted, 2);
    EXPECT_NEAR(told.sure.mean(), std::exp(-22.0 / 3), 1e-9);
    EXPECT_NEAR(told.sure.least, -20, 1e-9);
    EXPECT_FALSE(Sureness().known());
}

TEST(Fault, of_json) {
    Request request;
    request.response_format.kind = ResponseFormat::Kind::json_object;
    EXPECT_EQ(fault_of(said("{\"a\":1}"), request), "");
    EXPECT_EQ(fault_of(said("[1]"), request), "json");
    EXPECT_EQ(fault_of(said("Here you are: {\"a\":1}"), request), "json");
    request.response_format.kind = ResponseFormat::Kind::json_schema;
    request.response_format.schema.json = R"({"type":"object","required":["city"]})";
    EXPECT_EQ(fault_of(said("{\"a\":1}"), request), "json");
    EXPECT_EQ(fault_of(said("{\"city\":\"Bern\"}"), request), "");
}

TEST(Fault, of_a_tool_call) {
    Request request;
    Tool tool;
    tool.name = "weather";
    tool.parameters.json = R"({"type":"object","required":["city"]})";
    request.tools.push_back(tool);
    auto called = [&](std::string name, std::string arguments) {
        Told told;
        told.call(0, name, arguments.substr(0, arguments.size() / 2), false);
        told.call(0, "", arguments.substr(arguments.size() / 2), false);
        told.finish = Finish::tool_calls;
        return fault_of(told, request);
    };
    EXPECT_EQ(called("weather", R"({"city":"Bern"})"), "");
    EXPECT_EQ(called("weather", R"({"city":"Bern")"), "tool call");
    EXPECT_EQ(called("weather", R"({"town":"Bern"})"), "tool call");
    EXPECT_EQ(called("weather", ""), "tool call");
    EXPECT_EQ(called("wether", R"({"city":"Bern"})"), "tool call");
}

TEST(Dispute, is_a_short_turn_that_says_so) {
    EXPECT_TRUE(disputes("No, that's wrong."));
    EXPECT_TRUE(disputes("Das ist falsch!"));
    EXPECT_FALSE(disputes("Thank you. And the next?"));
    EXPECT_FALSE(disputes(std::string(500, 'x') + " that's wrong"));
}

}  // namespace
}  // namespace tandem::chat
