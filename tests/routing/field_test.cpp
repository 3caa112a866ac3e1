// Public reports of people whose router chose what they did not want; docs/internals/field.md names them. Each is asked
// of a policy that a user has: a toy or a 7B at home, a strong model in the cloud, the preset that is the default.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "routing/routing.h"
#include "tests/routing/table.h"

namespace tandem::routing {
namespace {

constexpr auto kToy = "smollm2:135m", kSeven = "qwen2.5:7b";

Table beside_a_strong_cloud(const std::string& home) {
    return table_from_yaml(
        fmt::format("providers:\n  lab: {{ kind: ollama, zone: local, base_url: 'http://127.0.0.1:11434' }}\n"
                    "  openai: {{ kind: openai, zone: cloud, base_url: 'https://api.openai.com/v1' }}\n"
                    "models:\n  home: {{ provider: lab, name: '{}', context: 16384 }}\n"
                    "  gpt: {{ provider: openai, name: gpt-5.1, price: {{ input: 1.25, output: 10 }} }}\n",
                    home));
}

chat::Message said(chat::Role role, const std::string& text) {
    chat::Message message;
    message.role = role;
    message.parts.push_back({chat::TextPart{text}, {}});
    return message;
}

chat::Request asking(const std::string& text) {
    chat::Request request;
    request.model = "auto";
    request.messages.push_back(said(chat::Role::user, text));
    return request;
}

std::string goes_to(const std::string& home, const chat::Request& request, std::vector<Outlook> outlook = {}) {
    Inputs in;
    in.alias = "auto";
    in.key = "k";
    in.features = features_of(request);
    in.outlook = std::move(outlook);
    const auto decision = decide(beside_a_strong_cloud(home), in);
    EXPECT_TRUE(decision && decision->eligible > 0);
    return decision->candidates.front().model;
}

TEST(FieldRouting, greetings_go_to_no_premium_model) {  // JeffOtano/roni#190, BerriAI/litellm#21789
    for (const auto* home : {kToy, kSeven})
        for (const auto* text : {"hello", "Hi!", "thanks, that's all", "who are you", "who are you?"})
            EXPECT_EQ(goes_to(home, asking(text)), "home") << home << ": " << text;
}

TEST(FieldRouting, spelling_and_a_question_mark_change_nothing) {  // vllm-project/semantic-router#952, #683
    const auto* const right =
        "Please solve the following mathematical problem step by step. Context: The perimeters of two squares are as 3 "
        "to 2, and "
        "their sum is 30. Question: Find the perimeter of the first one. Keep your explanation within 3 sentences.";
    const auto* const wrong =
        "Plese slove th fllowing mathemtical prblem stp by stp. Contxt: Th perimetrs of two sqaures are as 3 to 2, and "
        "thier sum is "
        "30. Questin: Fnd the perimeter of the frst one. Kep your explantion within 3 sentnces.";
    for (const auto* text : {right, wrong})
        for (const auto* home : {kToy, kSeven}) EXPECT_EQ(goes_to(home, asking(text)), "gpt") << text;
}

TEST(FieldRouting, a_number_that_anybody_knows_stays_home) {  // lm-sys/RouteLLM#36
    EXPECT_EQ(goes_to(kSeven, asking("What's the squareroot of 144?")), "home");
}

TEST(FieldRouting, titles_and_tags_beside_a_chat_cost_no_strong_model) {  // open-webui#5547, #9506, #13055
    const auto title = asking(
        "### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.\n### Output:\nJSON "
        "format: { "
        "\"title\": \"your concise title here\" }\n### Chat History:\n<chat_history>\nUSER: my pears go brown inside, "
        "why\nASSISTANT: "
        "Most often they were stored too long or too cold.\n</chat_history>");
    const auto tags = asking(
        "### Task:\nGenerate 1-3 broad tags categorizing the main themes of the chat history.\n### Output:\nJSON "
        "format: { \"tags\": "
        "[\"tag1\", \"tag2\"] }\n### Chat History:\n<chat_history>\nUSER: my pears go brown inside, why\nASSISTANT: "
        "Most often they "
        "were stored too long or too cold.\n</chat_history>");
    EXPECT_EQ(goes_to(kToy, title), "home");
    EXPECT_EQ(goes_to(kSeven, title), "home");
    EXPECT_EQ(goes_to(kSeven, tags), "home");
}

chat::Request agent(const std::string& text) {
    auto request = asking(text);
    request.messages.insert(
        request.messages.begin(),
        said(chat::Role::system,
             "You are a coding agent running in a terminal. You edit files, run commands and tests until the task "
             "is done. Use the tools to look at the repository before you change it."));
    for (const auto* name : {"Bash", "Read", "Edit", "Write", "Grep"}) {
        chat::Tool tool;
        tool.name = name;
        request.tools.push_back(std::move(tool));
    }
    return request;
}

TEST(FieldRouting, an_agents_session_does_not_change_models_in_the_middle) {  // semantic-router#1974, claude-code#27665
    EXPECT_EQ(goes_to(kSeven, agent("rename the function load to read_all, everywhere")), "gpt");
    // What would be light by itself, in the middle of it.
    auto later = agent("fix the failing test");
    later.messages.push_back(said(chat::Role::assistant, "It passes now."));
    later.messages.push_back(said(chat::Role::user, "thanks"));
    EXPECT_EQ(goes_to(kSeven, later, {{.model = "gpt", .warm_tokens = 500, .holds_session = true}}), "gpt");
    EXPECT_EQ(goes_to(kSeven, later, {{.model = "home", .warm_tokens = 500, .holds_session = true}}), "home");
}

TEST(FieldRouting, is_not_the_same_for_everything) {  // arXiv 2608.14641, by way of librefang#7757: routers that choose
                                                      // one tier always
    EXPECT_EQ(goes_to(kSeven, asking("Translate into German: Where is the station?")), "home");
    EXPECT_EQ(goes_to(kSeven,
                      asking("Design a queue on PostgreSQL that survives failover, with the locking argued in detail")),
              "gpt");
}

}  // namespace
}  // namespace tandem::routing
