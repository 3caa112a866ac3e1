#include "privacy/transcript.h"

#include <gtest/gtest.h>

#include "privacy/memory.h"

namespace tandem::privacy {

namespace {

struct Said {
    std::string text;
    bool answer;
};

void expect_quoted(std::string_view text, const std::vector<Said>& wanted) {
    const auto quoted = quoted_in(text);
    ASSERT_EQ(quoted.size(), wanted.size()) << text;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        EXPECT_EQ(quoted[i].text.substr(0, wanted[i].text.size()), wanted[i].text);
        EXPECT_EQ(quoted[i].answer, wanted[i].answer) << wanted[i].text;
    }
}

const std::string kAnswer =
    "The walrus project has the code 4711-BLUE, as the plan says.\n\n- and a list\n\nSources:\n[1] /n/plan.md:1";

chat::Request asking(std::string text) {
    chat::Request request;
    request.messages.push_back({chat::Role::user, {{chat::TextPart{std::move(text)}, {}}}, {}, {}});
    return request;
}

}  // namespace

TEST(Transcript, knows_how_clients_quote_conversations) {
    expect_quoted(
        "### Task:\nA title.\n<chat_history>\nUSER: what is it?\nASSISTANT: It is\nthis.\n</chat_history>\nNow!",
        {{"what is it?", false}, {"It is\nthis.", true}});
    expect_quoted("User: \"a\"\nAI: b", {{"\"a\"", false}, {"b", true}});
    expect_quoted("**Human:** a\n\n**Assistant:** b", {{"a\n", false}, {"b", true}});
    expect_quoted("- user: a\n- assistant: b", {{"a", false}, {"b", true}});
    expect_quoted(R"(Summarize [{"role":"user","content":"a \"x\""},{"content":"b\nc","role":"assistant"}])",
                  {{"a \"x\"", false}, {"b\nc", true}});
    // Codex, of a rollout that its memories are made of.
    expect_quoted(R"([{"type":"message","role":"user","content":[{"type":"input_text","text":"a"}]},)"
                  R"({"type":"message","role":"assistant","content":[{"type":"output_text","text":"b"}]}])",
                  {{"a", false}, {"b", true}});
    for (const auto* nobody :
         {"", "just a text", "username: bob", "the user said: x", R"({"content": 5, "content": "open)"})
        EXPECT_TRUE(quoted_in(nobody).empty()) << nobody;
}

TEST(Transcript, is_bounded) {
    std::string text;
    for (int i = 0; i < 5'000; ++i) text += "user: " + std::to_string(i) + "\n";
    const auto quoted = quoted_in(text);
    ASSERT_EQ(quoted.size(), kMostQuoted);
    EXPECT_EQ(quoted.back().text, "4999");
    std::string hostile;
    while (hostile.size() < 8UL << 20) hostile += R"("content":"x","text":"y",)";
    EXPECT_EQ(quoted_in(hostile).size(), kMostQuoted);
}

TEST(Transcript, a_quoted_answer_has_its_label) {
    LabelMemory memory;
    (void)memory.remember_answer(piece_of_answer(kAnswer), 0, {Label::private_, Label::private_}, "alice", "d1");
    const auto label = [&](const std::string& text, const std::string& key) {
        return memory.recall(identify(asking(text), ""), key).known.label;
    };
    const auto title = [](const std::string& said) {
        return "### Task:\nGenerate a title.\n### Chat History:\n<chat_history>\nUSER: and?\nASSISTANT: " + said +
               "\n</chat_history>";
    };
    EXPECT_EQ(label(title(kAnswer), "alice"), Label::private_);
    EXPECT_EQ(label(title("something else that is of no matter to anybody"), "alice"), Label::public_);
    // For another key it is a mark as well: so many bytes of an answer.
    EXPECT_EQ(label(title(kAnswer), "bob"), Label::private_);
    EXPECT_EQ(label("USER: x\nASSISTANT: Yes.", "alice"), Label::public_);
}

}  // namespace tandem::privacy
