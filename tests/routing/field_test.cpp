// Public reports of people whose router chose what they did not want; docs/internals/field.md names them. Each is asked
// of a policy that a user has: a toy or a 7B at home, a strong model in the cloud, the preset that is the default.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "chat/answer.h"
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

// What clients ask beside a conversation, in the shapes of their requests and in words of our own.
chat::Request beside(const std::string& system, const std::string& user, const std::string& schema = {}) {
    auto request = asking(user);
    if (!system.empty()) request.messages.insert(request.messages.begin(), said(chat::Role::system, system));
    if (schema.empty()) return request;
    request.response_format.kind = chat::ResponseFormat::Kind::json_schema;
    request.response_format.schema.json = schema;
    return request;
}

std::string schema_of(std::initializer_list<const char*> members) {
    std::string properties;
    for (const auto* member : members)
        properties += fmt::format(R"({}"{}":{{"type":"string"}})", properties.empty() ? "" : ",", member);
    return fmt::format(R"({{"type":"object","properties":{{{}}},"additionalProperties":false}})", properties);
}

constexpr auto kHard =
    "Write a multi-threaded TCP proxy in Rust with backpressure, prove that it cannot deadlock, and add tests for "
    "half-closed connections.";
constexpr auto kIdentity = "You are Claude Code, Anthropic's official CLI for Claude.";

std::string long_system(const std::string& text) {
    auto long_one = text;
    while (long_one.size() < 1'500) long_one += " Keep to sentence case and to the names that the session uses.";
    return long_one;
}

// musistudio/claude-code-router#1654, #930; dyndynjyxa/aio-coding-hub#276; openai/codex#40223; open-webui#8950
TEST(FieldRouting, small_calls_beside_a_session_stay_home_whatever_the_session_is_about) {
    const std::string history =
        fmt::format("<chat_history>\nUSER: {}\nASSISTANT: fn main() {{}}\n</chat_history>", kHard);
    std::vector<chat::Request> requests = {
        // Claude Code: a topic, a title with a schema, a title with a branch, one beside a long system prompt.
        beside(std::string(kIdentity) + "\n\nLook whether this message begins a new topic of conversation, and if so "
                                        "extract a two-word title for it. Answer as JSON with isNewTopic and title.",
               kHard),
        beside(
            long_system(std::string(kIdentity) + "\n\nWrite a concise, sentence-case title of a few words for the goal "
                                                 "of this coding session."),
            fmt::format("<session>\n{}\n</session>", kHard), schema_of({"title"})),
        beside(std::string(kIdentity) +
                   "\n\nYou come up with a succinct title and a git branch name for a coding session.",
               fmt::format("<description>{}</description>", kHard), schema_of({"title", "branch"})),
        // Codex: the prompt of the task stands behind the instruction, which is a user's message.
        beside(
            long_system("You are Codex, based on GPT-5. You are running as a coding agent in the Codex CLI."),
            fmt::format("You get a prompt of a user, and give a short title for a task that is made of it. Generate a "
                        "concise UI title (36 characters at most). Fill the title field.\nUser prompt:\n{}",
                        kHard),
            schema_of({"title", "description"})),
        // LibreChat, in one piece and as the arguments of a tool that must be called.
        beside("",
               fmt::format("Provide a concise title of five words or less for the conversation, in title case. Only "
                           "give back the title itself.\n\nConversation:\nUser: {}\nAI: fn main() {{}}",
                           kHard)),
        // Open WebUI: title, tags, follow-up questions, queries.
        beside(
            "",
            "### Task:\nGenerate a concise title of 3-5 words for the chat, with an emoji.\n### Output:\nJSON format: "
            "{ \"title\": \"...\" }\n### Chat History:\n" +
                history),
        beside("",
               "### Task:\nGenerate some broad tags for the main themes of the chat.\n### Output:\nJSON format: { "
               "\"tags\": [] }\n### Chat History:\n" +
                   history),
        beside("",
               "### Task:\nSuggest three to five follow-up questions that the user may well ask next.\n### "
               "Guidelines:\n- Write them from the user's point of view.\n### Output:\nJSON format: { \"follow_ups\": "
               "[] }\n### Chat History:\n" +
                   history),
        beside("",
               "### Task:\nAnalyze the chat to see whether search queries are needed, and generate them in its "
               "language.\n### Output:\n{ \"queries\": [] }\n### Chat History:\n" +
                   history),
    };
    auto by_tool = beside(
        "", fmt::format("Analyze this conversation and give its language and a concise title.\nUser: {}", kHard));
    by_tool.tools.emplace_back().name = "title_and_language";
    by_tool.tools.front().parameters.json = schema_of({"language", "title"});
    by_tool.tool_choice.kind = chat::ToolChoice::Kind::required;
    requests.push_back(by_tool);
    for (const auto& request : requests) {
        EXPECT_EQ(goes_to(kSeven, request), "home") << chat::text_of(request.messages.back().parts).substr(0, 200);
        EXPECT_EQ(goes_to("qwen2.5:1.5b", request), "home")
            << chat::text_of(request.messages.back().parts).substr(0, 200);
    }
    // Whether there is a quota left.
    auto quota = asking("quota");
    quota.max_output_tokens = 1;
    for (const auto* home : {kToy, kSeven}) EXPECT_EQ(goes_to(home, quota), "home");
}

TEST(FieldRouting, work_that_only_mentions_titles_or_tasks_is_no_small_call) {
    const std::vector<chat::Request> requests = {
        // Open WebUI's task to answer by documents begins as its small ones do.
        beside("", fmt::format(
                       "### Task:\nRespond to the user query using the provided context.\n### Output:\nA clear answer."
                       "\n<context>\n<source id=\"1\">The proxy of the <chat_history> module is written in "
                       "Rust.</source>\n</context>\n{}",
                       kHard)),
        // Structured output of an application that has a title among other things.
        beside("", kHard, schema_of({"title", "code", "tests"})),
        // A compaction of an agent's session is not small.
        beside(
            std::string(kIdentity) + long_system(" You help with software engineering tasks."),
            "Write a detailed summary of this whole conversation, with all files, decisions, errors and code, so that "
            "the implementation and debugging of the distributed scheduler can be continued from it without loss."),
    };
    for (const auto& request : requests)
        EXPECT_EQ(goes_to(kToy, request), "gpt") << chat::text_of(request.messages.back().parts).substr(0, 200);
    // Its session is an agent's whatever the last turn is called.
    auto session = asking("add a title to the page");
    session.messages.insert(session.messages.begin(), said(chat::Role::system, long_system(kIdentity)));
    for (const auto* name : {"Bash", "Read", "Edit"}) session.tools.emplace_back().name = name;
    EXPECT_EQ(goes_to(kSeven, session), "gpt");
    // One token of an answer to real work is real work.
    auto judge = asking("Is this proof of the convergence of the series right? Answer with one letter, A or B. " +
                        std::string(kHard));
    judge.max_output_tokens = 1;
    EXPECT_EQ(goes_to(kToy, judge), "gpt");
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
