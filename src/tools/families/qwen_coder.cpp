// Qwen3-Coder, and Seed-OSS, which took the form over: tags for the function and for each parameter, values as plain
// text. The outer tag is often left out. From the chat template of Qwen3-Coder-30B-A3B.
#include "base/text.h"
#include "tools/family.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kMarks[] = {"<tool_call>", "<seed:tool_call>", "<function="};
constexpr std::string_view kFunction = "<function=", kEnd = "</function>",
                           kParameter = "<parameter=", kClose = "</parameter>";

// One function at the beginning of `text`, which is behind it afterwards. Values may hold anything but the closing tag.
std::optional<Written> function_of(std::string_view& text, const Offer& offer) {
    if (!text.starts_with(kFunction)) return std::nullopt;
    const auto head = text.find('>');
    if (head == std::string_view::npos) return std::nullopt;
    const std::string name(trim(text.substr(kFunction.size(), head - kFunction.size())));
    if (!offer.has(name)) return std::nullopt;
    auto body = skip_blank(text.substr(head + 1));
    // Llama writes one JSON object in the same tag.
    if (body.starts_with('{')) {
        const auto end = std::min(body.size(), body.find(kEnd));
        Written written{name, std::string(trim(body.substr(0, end))), {}};
        text = body.substr(std::min(body.size(), end + kEnd.size()));
        return written;
    }
    TypedArguments arguments(offer, name);
    while (body.starts_with(kParameter)) {
        // Models forget the bracket too.
        const auto tag = body.find_first_of(">\n");
        if (tag == std::string_view::npos) return std::nullopt;
        auto value = body.substr(tag + 1);
        const auto close = value.find(kClose), next = value.find(kParameter);
        // A model that forgets to close one goes on with the next.
        const auto end = std::min({close, next, value.find(kEnd)});
        if (end == std::string_view::npos) return std::nullopt;  // it may be a part of what was meant
        arguments.add(std::string(trim(body.substr(kParameter.size(), tag - kParameter.size()))), value.substr(0, end));
        body = skip_blank(value.substr(end + (end == close ? kClose.size() : 0)));
    }
    if (!body.empty() && !body.starts_with(kEnd)) return std::nullopt;
    text = body.substr(std::min(body.size(), kEnd.size()));
    return arguments.take();
}

std::optional<Calls> functions(std::string_view inside, const Text& text) {
    Calls calls;
    for (auto rest = skip_blank(inside); !rest.empty(); rest = skip_blank(rest)) {
        auto call = function_of(rest, *text.offer);
        if (!call) return std::nullopt;
        calls.push_back(std::move(*call));
    }
    return calls;
}

Reading read(const Text& text) {
    if (!text.text.starts_with(kMarks[2]) && !goes_on_with(text, text.text.substr(0, text.text.find('>') + 1), "<"))
        return no_call();
    if (text.text.starts_with(kMarks[0])) return between(text, kMarks[0], "</tool_call>", functions);
    if (text.text.starts_with(kMarks[1])) return between(text, kMarks[1], "</seed:tool_call>", functions);
    const auto end = text.text.find(kEnd);
    if (end == std::string_view::npos && !text.ended) return wait_or_none(text);
    const auto size = std::min(text.text.size(), end == std::string_view::npos ? end : end + kEnd.size());
    auto calls = functions(text.text.substr(0, size), text);
    if (!calls || calls->empty()) return no_call();
    // The closing tag of a call that was never opened.
    const auto rest = text.text.substr(size);
    constexpr std::string_view kLeft = "</tool_call>";
    const auto behind = skip_blank(rest);
    if (behind.starts_with(kLeft))
        return {Reading::State::calls, size + (rest.size() - behind.size()) + kLeft.size(), std::move(*calls)};
    if (!text.ended && kLeft.starts_with(behind)) return wait_or_none(text);
    return {Reading::State::calls, size, std::move(*calls)};
}

}  // namespace

extern const Family kQwenCoder;
constinit const Family kQwenCoder = {.name = "qwen3-coder", .marks = kMarks, .read = read};

}  // namespace tandem::tools
