// A random conversation through two dialects, the table of losses, and the document made from it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>

#include "chat/order.h"
#include "dialect/losses.h"

namespace tandem::dialect {
namespace {

using chat::Role;

// Any conversation that a client could mean, with everything that some dialect can say.
class RandomConversation {
  public:
    explicit RandomConversation(unsigned seed) : random_(seed) {}

    chat::Request make() {
        chat::Request r;
        r.dialect = std::string(kKindNames[pick(5)]);
        r.model = "m";
        if (chance(2)) r.messages.push_back(plain(Role::system));
        const int turns = 1 + pick(4);
        for (int i = 0; i < turns; ++i) turn(r);
        if (chance(3)) tools(r);
        if (chance(3)) r.max_output_tokens = 1 + pick(4000);
        if (chance(3)) r.stop = {"end", "a\nb"};
        if (chance(4)) r.choices = 2;
        if (chance(5)) r.logprobs = true;
        auto& s = r.sampling;
        for (auto* raw : {&s.temperature, &s.top_p, &s.seed, &s.presence_penalty, &s.frequency_penalty, &s.top_k})
            if (chance(5)) raw->json = pick(2) != 0 ? "0.70" : "1";
        if (chance(8)) s.temperature.json = "1.50";
        if (chance(8)) s.min_p.json = "0.05";
        if (chance(8)) s.logit_bias.json = R"({"5":-100})";
        if (chance(4)) format(r);
        if (chance(4)) thinking(r);
        if (chance(8)) r.verbosity = "low";
        if (chance(8)) r.extra.emplace_back("metadata", chat::Raw{R"({"user_id":"x"})"});
        return r;
    }

  private:
    int pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
    bool chance(int n) { return pick(n) == 0; }
    std::string word() {
        static constexpr const char* kWords[] = {"hello",       "h\xC3\xA9llo",     "quote\"and\\slash",
                                                 "line\nbreak", "\xF0\x9F\x98\x80", "{\"a\": 1.50}",
                                                 "<think>",     "</system>"};
        return kWords[pick(8)];
    }
    chat::Part part(chat::Part part) {
        if (chance(8)) part.cache.json = R"({"type":"ephemeral"})";
        return part;
    }
    chat::Message plain(Role role) { return {role, {part({chat::TextPart{word()}, {}})}, {}, {}}; }
    chat::Part media() {
        switch (pick(6)) {
            case 0:
                return {chat::ImagePart{{{}, "image/png", "AAAA", {}}, {}}, {}};
            case 1:
                return {chat::ImagePart{{"https://host/a.png", {}, {}, {}}, {}}, {}};
            case 2:
                return {chat::DocumentPart{{{}, "application/pdf", "JVBE", {}}, {}, "a.pdf"}, {}};
            case 3:
                return {chat::DocumentPart{{{}, "text/plain", {}, {}}, "text of it", "a.txt"}, {}};
            case 4:
                return {chat::AudioPart{{{}, "audio/wav", "UklG", {}}}, {}};
            default:
                return {chat::ImagePart{{{}, "image/jpeg", "/9j/", {}}, "low"}, {}};
        }
    }
    void turn(chat::Request& r) {
        if (chance(8)) r.messages.push_back(plain(chance(2) ? Role::developer : Role::system));
        auto user = plain(Role::user);
        if (chance(3)) user.parts.push_back(part(media()));
        if (chance(4)) user.parts.push_back({chat::TextPart{word()}, {}});
        if (chance(8)) user.name = "bob";
        r.messages.push_back(std::move(user));
        chat::Message answer;
        answer.role = Role::assistant;
        if (chance(4)) {
            chat::ReasoningPart thought{word(), "sig|x", false, std::string(kKindNames[pick(5)])};
            if (thought.dialect == "openai-chat" || thought.dialect == "ollama") thought.signature.clear();
            answer.parts.push_back({std::move(thought), {}});
        }
        if (chance(2)) answer.parts.push_back(part({chat::TextPart{word()}, {}}));
        if (chance(8)) answer.parts.push_back({chat::RefusalPart{word()}, {}});
        const int calls = chance(2) ? 1 + pick(2) : 0;
        std::vector<chat::Message> results;
        for (int i = 0; i < calls; ++i) {
            static constexpr const char* kArguments[] = {"{}", R"({"a":1.50})", R"({ "deep" : {"x":["\u00e9",null]} })",
                                                         "not json", ""};
            chat::ToolCallPart call{
                "call_" + std::to_string(++calls_), pick(2) != 0 ? "f" : "g", kArguments[pick(5)], chance(6), {}};
            chat::ToolResultPart result{call.id, call.name, {{chat::TextPart{word()}, {}}}, chance(5), call.custom};
            if (chance(4)) result.content.push_back(media());
            if (chance(6)) result.content.push_back({chat::TextPart{word()}, {}});
            answer.parts.push_back({std::move(call), {}});
            if (!chance(8)) results.push_back({Role::tool, {{std::move(result), {}}}, {}, {}});
        }
        if (chance(8)) answer.parts.push_back({chat::TextPart{word()}, {}});
        if (!answer.parts.empty()) r.messages.push_back(std::move(answer));
        for (auto& result : results) r.messages.push_back(std::move(result));
    }
    void tools(chat::Request& r) {
        chat::Tool f;
        f.name = "f";
        f.description = word();
        f.parameters.json = R"({"type":"object","properties":{"x":{"type":"number","minimum":1.50}}})";
        if (chance(4)) f.strict = chance(2);
        r.tools.push_back(f);
        if (chance(4))
            r.tools.push_back({chat::Tool::Kind::custom, chat::Tool::Service::other, "g", "free", {}, {}, {}, {}, {}});
        if (chance(6) && r.dialect != "ollama" && r.dialect != "gemini")
            r.tools.push_back({chat::Tool::Kind::hosted,
                               chat::Tool::Service::web_search,
                               "web_search",
                               {},
                               {},
                               {},
                               {},
                               {R"({"type":"web_search"})"},
                               {}});
        using Choice = chat::ToolChoice::Kind;
        static constexpr Choice kChoices[] = {Choice::unset, Choice::none, Choice::automatic, Choice::required,
                                              Choice::named};
        r.tool_choice.kind = kChoices[pick(5)];
        if (r.tool_choice.kind == Choice::named) r.tool_choice.name = "f";
        if (chance(3)) r.parallel_tool_calls = chance(2);
    }
    void format(chat::Request& r) {
        using Format = chat::ResponseFormat::Kind;
        static constexpr Format kFormats[] = {Format::text, Format::json_object, Format::json_schema};
        auto& f = r.response_format;
        f.kind = kFormats[pick(3)];
        if (f.kind != Format::json_schema) return;
        f.name = "city";
        f.schema.json = R"({"type":"object"})";
        if (chance(2)) f.strict = true;
    }
    void thinking(chat::Request& r) {
        static constexpr const char* kEfforts[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max"};
        if (chance(2))
            r.thinking.effort = kEfforts[pick(7)];
        else if (chance(2))
            r.thinking.budget_tokens = 1024 + pick(30000);
        else
            r.thinking.on = chance(2);
        if (chance(4)) r.thinking.summary = "auto";
        if (chance(4)) r.thinking.shown = chance(2);
    }
    std::mt19937 random_;
    int calls_ = 0;
};

// What no request says of itself, or says by its path.
chat::Request comparable(chat::Request r) {
    r.stream = r.include_usage = r.legacy_max_tokens = false;
    r.context_tokens = 0;
    if (r.tool_choice.kind == chat::ToolChoice::Kind::automatic) r.tool_choice = {};  // it is what all do anyway
    std::erase_if(r.extra, [](const auto& e) { return e.first == "include"; });       // asked for by the encoder
    for (auto& message : r.messages)
        for (auto& part : message.parts) {
            // Arguments that are no object become one where the dialect has objects.
            if (auto* call = part.as<chat::ToolCallPart>(); call != nullptr && !call->custom)
                call->arguments = chat::arguments_object(call->arguments);
            if (auto* result = part.as<chat::ToolResultPart>()) {
                // The name of a result's call is said only where there is a place for it, and found again by order.
                result->name.clear();
                result->custom = false;
            }
        }
    return r;
}

std::string path_of(Kind kind, const Outgoing& out) {
    return kind == Kind::gemini ? "/v1beta" + out.path : out.path;
}

TEST(Translation, a_random_conversation_survives_two_dialects_up_to_the_table_of_losses) {
    int compared = 0;
    for (unsigned seed = 0; seed < 500; ++seed) {
        const auto original = RandomConversation(seed).make();
        for (int first = 0; first < 6; ++first) {
            auto current = original;
            for (const int speaker : {first, static_cast<int>(seed % 6)}) {
                const auto target = static_cast<Speaker>(speaker);
                const auto& dialect = of(kind_of(target));
                auto fitted = fit(current, target, true);
                ASSERT_FALSE(fitted.refused);
                ASSERT_TRUE(comparable(fit(fitted.request, target, true).request) == comparable(fitted.request))
                    << "fitting twice is not fitting once: seed " << seed << " for "
                    << kSpeakerNames[static_cast<std::size_t>(speaker)];
                // What Anthropic and Ollama must have is filled in by the encoder.
                if (!fitted.request.max_output_tokens && target == Speaker::anthropic)
                    fitted.request.max_output_tokens = 8192;
                // And a budget for thoughts is kept below what the answer may have.
                const auto most = fitted.request.max_output_tokens.value_or(0);
                if (auto& thinking = fitted.request.thinking; target == Speaker::anthropic && thinking.budget_tokens) {
                    if (most / 2 < 1024)
                        thinking = {};
                    else if (*thinking.budget_tokens >= most)
                        thinking.budget_tokens = most / 2;
                }
                const auto out = dialect.encode_request(fitted.request, {"m", false, true, 0});
                json::Document document;
                ASSERT_TRUE(document.parse(out.body)) << out.body;
                const auto decoded = dialect.decode_request({document, path_of(dialect.kind(), out)});
                ASSERT_TRUE(decoded) << decoded.error().message << "\n" << out.body;
                const auto again = dialect.encode_request(*decoded, {"m", false, true, 0});
                ASSERT_EQ(out.body, again.body) << "seed " << seed;
                const auto want = comparable(fitted.request);
                const auto got = comparable(fit(*decoded, target, true).request);
                ASSERT_EQ(want.messages.size(), got.messages.size()) << "seed " << seed << "\n" << out.body;
                for (std::size_t i = 0; i < want.messages.size(); ++i)
                    ASSERT_TRUE(want.messages[i] == got.messages[i])
                        << "seed " << seed << " message " << i << " for "
                        << kSpeakerNames[static_cast<std::size_t>(speaker)] << "\n"
                        << out.body;
                ASSERT_TRUE(want == got) << "seed " << seed << " for "
                                         << kSpeakerNames[static_cast<std::size_t>(speaker)] << "\n"
                                         << out.body;
                current = *decoded;
                ++compared;
            }
        }
    }
    EXPECT_EQ(compared, 6000);
}

TEST(Translation, a_demand_is_refused_by_its_name_and_a_wish_left_out_with_a_warning) {
    chat::Request r;
    r.dialect = "openai-chat";
    r.messages.push_back({Role::user, {{chat::TextPart{"x"}, {}}}, {}, {}});
    r.choices = 2;
    const auto refused = fit(r, Speaker::anthropic, false);
    ASSERT_TRUE(refused.refused);
    EXPECT_EQ(refused.refused->param, "n");
    EXPECT_NE(refused.refused->message.find("translation: drop"), std::string::npos);
    const auto dropped = fit(r, Speaker::anthropic, true);
    EXPECT_FALSE(dropped.refused);
    EXPECT_EQ(dropped.request.choices, 1);
    ASSERT_EQ(dropped.warnings.size(), 1U);
    r.choices = 1;
    r.sampling.top_k.json = "40";
    const auto wished = fit(r, Speaker::openai_responses, false);
    EXPECT_FALSE(wished.refused);
    EXPECT_FALSE(wished.request.sampling.top_k.given());
    ASSERT_EQ(wished.warnings.size(), 1U);
    EXPECT_NE(wished.warnings[0].find("top_k"), std::string::npos);
    EXPECT_TRUE(fit(r, Speaker::gemini, false).warnings.empty());
    r.sampling.top_k = {};
    r.extra = {{"guided_json", chat::Raw{R"({"type":"object"})"}}};
    EXPECT_EQ(fit(r, Speaker::ollama, false).refused->param, "guided_json");
    r.extra = {{"metadata", chat::Raw{R"({"a":1})"}}, {"frobnicate", chat::Raw{"1"}}};
    EXPECT_FALSE(fit(r, Speaker::ollama, false).refused);
    EXPECT_EQ(fit(r, Speaker::ollama, false).warnings.size(), 2U);
    r.extra = {
        {"guided_json", chat::Raw{"{}"}}, {"a", chat::Raw{"[ ]"}}, {"b", chat::Raw{"0.0"}}, {"c", chat::Raw{"false"}}};
    EXPECT_FALSE(fit(r, Speaker::ollama, false).refused);
    EXPECT_EQ(fit(r, Speaker::ollama, false).warnings, std::vector<std::string>{});
}

TEST(Translation, the_document_of_losses_is_made_from_the_table) {
    const char* root = std::getenv("TANDEM_SOURCE");
    ASSERT_NE(root, nullptr) << "set by tests/CMakeLists.txt";
    const std::string file = std::string(root) + "/docs/dialects/translation.md";
    std::ifstream in(file);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    const std::string begin = "<!-- table: made by tests/dialect/translation_test.cpp -->\n",
                      end = "<!-- end of the table -->\n";
    const auto a = text.find(begin), b = text.find(end);
    ASSERT_NE(a, std::string::npos) << file;
    ASSERT_NE(b, std::string::npos) << file;
    const auto table = losses_as_markdown();
    if (std::getenv("TANDEM_UPDATE_DOCS") != nullptr) {
        text.replace(a + begin.size(), b - a - begin.size(), table);
        std::ofstream(file) << text;
        return;
    }
    EXPECT_EQ(text.substr(a + begin.size(), b - a - begin.size()), table)
        << "TANDEM_UPDATE_DOCS=1 build/dev/tests/tandem_tests --gtest_filter='*document_of_losses*' makes it anew";
}

}  // namespace
}  // namespace tandem::dialect
