// Gemma: FunctionGemma and Gemma 4 write call:NAME{key:value} between marks, with marks of their own around texts;
// Gemma 3, which was asked in words, fences of tool_code with calls of Python. https://ai.google.dev/gemma/docs
#include "base/text.h"
#include "tools/family.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kMarks[] = {"<start_function_call>", "<|tool_call>", "```tool_code"};

// call:NAME{...}, whose texts stand between marks where JSON has quotes.
std::optional<Calls> marked(std::string_view inside, const Text& text) {
    constexpr std::string_view kCall = "call:";
    Calls calls;
    for (auto rest = trim(inside); !rest.empty();) {
        const auto object = rest.find('{');
        if (!rest.starts_with(kCall) || object == std::string_view::npos) return std::nullopt;
        const std::string name(trim(rest.substr(kCall.size(), object - kCall.size())));
        if (!text.offer->has(name)) return std::nullopt;
        // Inside a text its mark is the only end, so that quotes in it are its own.
        std::string json;
        auto body = rest.substr(object);
        for (const std::string_view mark : {"<escape>", "<|\"|>"}) {
            if (body.find(mark) == std::string_view::npos) continue;
            while (!body.empty()) {
                const auto open = body.find(mark);
                json += body.substr(0, open);
                if (open == std::string_view::npos) break;
                body.remove_prefix(open + mark.size());
                const auto close = body.find(mark);
                if (close == std::string_view::npos) return std::nullopt;  // it may be a part of what was meant
                json::append_string(json, body.substr(0, close));
                body.remove_prefix(close + mark.size());
            }
            calls.push_back({name, json, {}});
            return calls;
        }
        calls.push_back({name, std::string(body), {}});
        return calls;
    }
    return std::nullopt;
}

Reading read(const Text& text) {
    if (text.text.starts_with(kMarks[0])) return between(text, kMarks[0], "<end_function_call>", marked);
    if (text.text.starts_with(kMarks[1])) return between(text, kMarks[1], "<tool_call|>", marked);
    return between(text, kMarks[2], "```", python_calls);
}

}  // namespace

extern const Family kGemma;
constinit const Family kGemma = {.name = "gemma", .marks = kMarks, .read = read};

}  // namespace tandem::tools
