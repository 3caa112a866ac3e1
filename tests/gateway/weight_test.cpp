// What requests cost in memory, measured with every allocation counted, beside what is taken from the account for them.
#include "gateway/weight.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>

#include "dialect/openai_chat.h"
#include "privacy/privacy.h"
#include "routing/features.h"
#include "routing/work_words.h"
#include "translate/conversion.h"

namespace {

std::atomic<std::ptrdiff_t> live_bytes = 0, most_bytes = 0;

void* counted(std::size_t size) {
    void* const block = std::malloc(size);
    if (block == nullptr) throw std::bad_alloc();
    const auto now = live_bytes += static_cast<std::ptrdiff_t>(malloc_usable_size(block));
    auto most = most_bytes.load();
    while (now > most && !most_bytes.compare_exchange_weak(most, now)) {
    }
    return block;
}

void uncounted(void* block) {
    if (block != nullptr) live_bytes -= static_cast<std::ptrdiff_t>(malloc_usable_size(block));
    std::free(block);
}

}  // namespace

void* operator new(std::size_t size) {
    return counted(size);
}
void* operator new[](std::size_t size) {
    return counted(size);
}
// The library asks in this way too: all must come from one place.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    try {
        return counted(size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return operator new(size, std::nothrow);
}
void operator delete(void* block, const std::nothrow_t&) noexcept {
    uncounted(block);
}
void operator delete[](void* block, const std::nothrow_t&) noexcept {
    uncounted(block);
}
void operator delete(void* block) noexcept {
    uncounted(block);
}
void operator delete[](void* block) noexcept {
    uncounted(block);
}
void operator delete(void* block, std::size_t) noexcept {
    uncounted(block);
}
void operator delete[](void* block, std::size_t) noexcept {
    uncounted(block);
}

namespace tandem::gateway {
namespace {

constexpr std::size_t kSize = 600'000;

std::string many(std::string_view one, std::size_t size = kSize) {
    std::string list;
    for (std::size_t i = 0; list.size() < size; ++i) {
        if (i > 0) list += ',';
        std::string item(one);
        if (const auto number = item.find('#'); number != std::string::npos) item.replace(number, 1, std::to_string(i));
        list += item;
    }
    return list;
}

struct Shape {
    const char* name;
    const char* path;
    std::string body;
};

translate::Front front_at(std::string_view path) {
    using dialect::Kind;
    if (path.starts_with("/v1beta/")) return {Kind::gemini, translate::Operation::chat};
    if (path.starts_with("/api/")) return {Kind::ollama, translate::Operation::chat};
    if (path == "/v1/messages") return {Kind::anthropic, translate::Operation::chat};
    if (path == "/v1/responses") return {Kind::openai_responses, translate::Operation::chat};
    if (path == "/v1/embeddings") return {Kind::openai_chat, translate::Operation::embed};
    if (path == "/v1/rerank") return {Kind::openai_chat, translate::Operation::rerank};
    if (path == "/v1/completions") return {Kind::openai_chat, translate::Operation::completion};
    return {Kind::openai_chat, translate::Operation::chat};
}

// The bodies that cost most for their size, for each dialect.
std::vector<Shape> shapes() {
    const auto chat = [](const std::string& messages, const std::string& more = "") {
        return fmt::format(R"({{"model":"m","messages":[{}]{}}})", messages, more);
    };
    const std::string one = R"({"role":"user","content":"a"})";
    std::string nested;
    for (int i = 0; i < 90; ++i) nested += "[";
    for (int i = 0; i < 90; ++i) nested += "]";
    std::string escapes = "\"";
    while (escapes.size() < kSize) escapes += "\\u0061";
    const auto text = std::string(kSize, 'a');
    const char* const openai = "/v1/chat/completions";
    return {
        {"text", openai, chat(fmt::format(R"({{"role":"user","content":"{}"}})", text))},
        {"escapes", openai, chat(fmt::format(R"({{"role":"user","content":{}"}})", escapes))},
        {"numbers", openai, chat(one, fmt::format(R"(,"x":[{}])", many("0")))},
        {"nesting", openai, chat(one, fmt::format(R"(,"x":[{}])", many(nested)))},
        {"keys", openai, chat(one, fmt::format(R"(,"x":{{{}}})", many(R"("#":0)")))},
        {"unknown fields", openai, chat(one, "," + many(R"("x#":0)"))},
        {"messages", openai, chat(many(R"({"role":"user","content":""})"))},
        {"parts", openai,
         chat(fmt::format(R"({{"role":"user","content":[{}]}})", many(R"({"type":"text","text":""})")))},
        {"tools", openai,
         chat(one, fmt::format(R"(,"tools":[{}])", many(R"({"type":"function","function":{"name":"f#"}})")))},
        {"tool calls", openai,
         chat(fmt::format(R"({{"role":"assistant","tool_calls":[{}]}})",
                          many(R"({"id":"#","type":"function","function":{"name":"f","arguments":"{}"}})")))},
        {"stop", openai, chat(one, fmt::format(R"(,"stop":[{}])", many(R"("a")")))},
        {"anthropic parts", "/v1/messages",
         fmt::format(R"({{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":[{}]}}]}})",
                     many(R"({"type":"text","text":""})"))},
        {"anthropic messages", "/v1/messages",
         fmt::format(R"({{"model":"m","max_tokens":9,"messages":[{}]}})", many(R"({"role":"user","content":""})"))},
        {"responses items", "/v1/responses",
         fmt::format(R"({{"model":"m","input":[{}]}})", many(R"({"role":"user","content":""})"))},
        {"gemini parts", "/v1beta/models/m:generateContent",
         fmt::format(R"({{"contents":[{{"parts":[{}]}}]}})", many(R"({"text":""})"))},
        {"gemini contents", "/v1beta/models/m:generateContent",
         fmt::format(R"({{"contents":[{}]}})", many(R"({"parts":[{"text":""}]})"))},
        {"ollama messages", "/api/chat",
         fmt::format(R"({{"model":"m","messages":[{}]}})", many(R"({"role":"user","content":""})"))},
        {"ollama images", "/api/chat",
         fmt::format(R"({{"model":"m","messages":[{{"role":"user","content":"","images":[{}]}}]}})", many(R"("")"))},
        {"texts to embed", "/v1/embeddings", fmt::format(R"({{"model":"m","input":[{}]}})", many(R"("a")"))},
        {"tokens to embed", "/v1/embeddings", fmt::format(R"({{"model":"m","input":[{}]}})", many("1"))},
        {"texts to rank", "/v1/rerank", fmt::format(R"({{"model":"m","query":"q","documents":[{}]}})", many(R"("a")"))},
        {"a completion", "/v1/completions", fmt::format(R"({{"model":"m","prompt":"{}"}})", text)},
    };
}

TEST(Weight, of_the_most_costly_bodies_of_each_dialect_is_at_least_what_they_take) {
    auto detector = privacy::make_detector();
    ASSERT_TRUE(detector);
    const config::Detection detection;
    // What is made once for the whole process is no body's.
    (void)routing::features_of(chat::Request{});
    (void)routing::vocabulary();
    for (auto& shape : shapes()) {
        const auto size = shape.body.size();
        const auto weight = weight_of(shape.body);
        const auto before = live_bytes.load();
        translate::Question question;
        question.front = front_at(shape.path);
        question.path = shape.path;
        auto read = question.document.take(std::move(shape.body));
        ASSERT_TRUE(read) << shape.name << ": " << read.error().message;
        // The parser's own table is counted by size, though most of it is never touched: see values_at_most().
        most_bytes = live_bytes.load();
        const auto decoded = decode(question);
        privacy::Labelled labelled;
        privacy::label_by_content(**detector, question.document, detection, labelled);
        std::string out;
        if (decoded) {
            (void)routing::features_of(question.request);
            out = dialect::of(dialect::Kind::anthropic).encode_request(question.request, {"m", false, false, 0}).body;
        }
        const auto taken = static_cast<std::size_t>(most_bytes - before);
        fmt::print("{:<20} {:>8} bytes take {:>5.1f} times as much ({}), and are weighed {:>5.1f} times\n", shape.name,
                   size, static_cast<double>(taken) / static_cast<double>(size),
                   decoded ? "decoded" : decoded.error().message.substr(0, 60),
                   static_cast<double>(weight + size) / static_cast<double>(size));
        // Its own bytes are counted as a body's.
        EXPECT_LE(taken, weight + size) << shape.name;
    }
}

TEST(Weight, of_a_conversation_as_people_have_them_is_small) {
    const auto body =
        fmt::format(R"({{"model":"m","messages":[{}]}})",
                    many(R"({"role":"user","content":"How far is it from here to the sea, and back?"})", 60'000));
    EXPECT_TRUE(is_small(weight_of(body)));
    EXPECT_LT(weight_of(body), 40 * body.size());
}

TEST(ValuesAtMost, are_never_fewer_than_there_are) {
    for (const auto& shape : shapes()) {
        json::Document document;
        ASSERT_TRUE(document.parse(shape.body)) << shape.name;
        std::size_t count = 0;
        const std::function<void(json::Value)> walk = [&](json::Value value) {
            ++count;
            for (const auto child : value.children()) walk(child);
        };
        walk(document.root());
        EXPECT_GE(json::values_at_most(shape.body), count) << shape.name;
    }
    EXPECT_EQ(json::values_at_most(R"([1,"a,b",{"c":[2]}])"), 7U)
        << "commas inside strings are few enough not to matter";
    const auto commas = "[\"" + std::string(2 * json::kMaxValues, ',') + "\\\",\"]";
    EXPECT_EQ(json::values_at_most(commas), 2U);
    json::Document document;
    EXPECT_TRUE(document.parse(commas)) << "a long text is no list";
    const auto refused = document.parse("[" + many("0", 4 * json::kMaxValues) + "]");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::too_large);
}

}  // namespace
}  // namespace tandem::gateway
