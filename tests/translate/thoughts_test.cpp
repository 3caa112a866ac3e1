#include "translate/thoughts.h"

#include <gtest/gtest.h>

namespace tandem::translate {
namespace {

constexpr std::string_view kDialect = "openai-chat";

chat::ToolCallPart call_of(std::string id, std::string arguments = R"({"a":1})") {
    chat::ToolCallPart call;
    call.id = std::move(id);
    call.name = "note";
    call.arguments = std::move(arguments);
    return call;
}

chat::Request asking(std::string text) {
    chat::Request request;
    request.messages.push_back({chat::Role::user, {{chat::TextPart{std::move(text)}, {}}}, {}, {}});
    return request;
}

chat::Request with_call(std::string text, chat::ToolCallPart call) {
    auto request = asking(std::move(text));
    request.messages.push_back({chat::Role::assistant, {{std::move(call), {}}}, {}, {}});
    return request;
}

// What `owner` thought and called, as an answer to `request`.
void answer(Thoughts& thoughts, const Thoughts::Owner& owner, const chat::Request& request, const std::string& thought,
            const chat::ToolCallPart& call) {
    std::vector<chat::Event> out;
    const auto watch = thoughts.watch(owner, request);
    watch->take(chat::ReasoningDelta{0, thought}, out);
    watch->take(chat::ToolCallDelta{0, 0, call.id, call.name, "", false}, out);
    watch->take(chat::ToolCallDelta{0, 0, "", "", call.arguments, false}, out);
    watch->take(chat::Finished{0, chat::Finish::tool_calls, {}}, out);
    watch->end(out);
    EXPECT_EQ(out.size(), 4U) << "it changes nothing";
}

std::string thought_in(const chat::Request& request) {
    const auto* thought = request.messages.back().parts.front().as<chat::ReasoningPart>();
    return thought == nullptr ? "" : thought->text;
}

TEST(Thoughts, ComeBackToTheirOwnerAlone) {
    Thoughts thoughts;
    answer(thoughts, {"alice", "deep", "", Label::public_}, asking("do it"), "I call", call_of("call_1"));
    auto back = [&](const Thoughts::Owner& owner, chat::Request request) {
        thoughts.bring_back(owner, kDialect, true, request);
        return thought_in(request);
    };
    EXPECT_EQ(back({"alice", "deep", "", Label::public_}, with_call("do it", call_of("call_1"))), "I call");
    EXPECT_EQ(back({"alice", "deep", "", Label::public_}, with_call("do it", call_of("", R"({ "a" : 1 })"))), "I call")
        << "a client that gives no ids back, and writes JSON in its own way";
    EXPECT_EQ(back({"bob", "deep", "", Label::public_}, with_call("do it", call_of("call_1"))), "");
    EXPECT_EQ(back({"alice", "other", "", Label::public_}, with_call("do it", call_of("call_1"))), "");
    EXPECT_EQ(back({"alice", "deep", "", Label::public_}, with_call("do something else", call_of("call_1"))), "");
    EXPECT_EQ(back({"alice", "deep", "", Label::public_}, with_call("do it", call_of("call_1", R"({"a":2})"))), "");
}

TEST(Thoughts, StayWhereTheyWereThoughtAndUnderTheirLabel) {
    Thoughts thoughts;
    const Thoughts::Owner home{"alice", "deep", "local http://127.0.0.1/v1", Label::private_};
    answer(thoughts, home, asking("do it"), "the card is 4111", call_of("call_1"));
    auto back = [&](const Thoughts::Owner& owner, const std::vector<std::string>& earlier = {}) {
        auto request = with_call("do it", call_of("call_1"));
        for (const auto& text : earlier)
            request.messages.insert(request.messages.begin(), asking(text).messages.front());
        thoughts.bring_back(owner, kDialect, true, request);
        return thought_in(request);
    };
    EXPECT_EQ(back(home), "the card is 4111");
    EXPECT_EQ(back({"alice", "deep", home.where, Label::secret}), "the card is 4111");
    EXPECT_EQ(back({"alice", "deep", home.where, Label::internal}), "") << "a request with a lower label";
    EXPECT_EQ(back({"alice", "deep", "cloud https://far.example/v1", Label::private_}), "") << "the config has changed";
    EXPECT_EQ(back(home, {"another beginning"}), "") << "another conversation that ends alike";
}

TEST(Thoughts, LeaveATurnThatHasItsOwn) {
    Thoughts thoughts;
    answer(thoughts, {"alice", "deep", "", Label::public_}, asking("do it"), "I call", call_of("call_1"));
    auto request = with_call("do it", call_of("call_1"));
    auto& parts = request.messages.back().parts;
    parts.insert(parts.begin(), chat::Part{chat::ReasoningPart{"mine", {}, false, std::string(kDialect)}, {}});
    thoughts.bring_back({"alice", "deep", "", Label::public_}, kDialect, true, request);
    EXPECT_EQ(thought_in(request), "mine");
    EXPECT_EQ(parts.size(), 2U);
}

TEST(Thoughts, TakeNoMoreMemoryThanTheyMay) {
    Thoughts thoughts;
    const std::string long_one(Thoughts::kLargest / 2, 'x');
    for (int i = 0; i < 100; ++i)
        answer(thoughts, {"alice", "deep", "", Label::public_}, asking("turn " + std::to_string(i)), long_one,
               call_of("call_1"));
    EXPECT_LE(thoughts.bytes(), Thoughts::kMostBytes);
    auto last = with_call("turn 99", call_of("call_1")), first = with_call("turn 0", call_of("call_1"));
    thoughts.bring_back({"alice", "deep", "", Label::public_}, kDialect, true, last);
    thoughts.bring_back({"alice", "deep", "", Label::public_}, kDialect, true, first);
    EXPECT_EQ(thought_in(last), long_one);
    EXPECT_EQ(thought_in(first), "") << "the oldest go";
    const auto before = thoughts.bytes();
    answer(thoughts, {"alice", "deep", "", Label::public_}, asking("more"), std::string(Thoughts::kLargest + 1, 'x'),
           call_of("call_1"));
    EXPECT_EQ(thoughts.bytes(), before) << "what is too long is not kept";
}

TEST(Thoughts, ABlankStandsForThoseThatNobodyKnows) {
    auto request = with_call("do it", call_of("call_1"));
    think_blanks(wanted_in("reasoning_content is missing in assistant tool call message at index 1"), request,
                 kDialect);
    EXPECT_EQ(thought_in(request), " ");
    EXPECT_EQ(wanted_in("reasoning_content is not allowed"), Thoughts::Wanted::nothing);
    EXPECT_EQ(wanted_in("Function call is missing a thought_signature in functionCall parts."),
              Thoughts::Wanted::thought_signature);
}

}  // namespace
}  // namespace tandem::translate
