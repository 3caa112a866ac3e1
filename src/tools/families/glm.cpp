// GLM 4.5 and later: the name, then a tag for each key and each value. From the chat template of GLM-4.5.
#include "base/text.h"
#include "tools/family.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kMarks[] = {"<tool_call>"};
constexpr std::string_view kKey = "<arg_key>", kKeyEnd = "</arg_key>", kValue = "<arg_value>",
                           kValueEnd = "</arg_value>";

std::optional<Calls> call(std::string_view inside, const Text& text) {
    const auto head = std::min(inside.size(), inside.find(kKey));
    const std::string name(trim(inside.substr(0, head)));
    if (!text.offer->has(name)) return std::nullopt;
    TypedArguments arguments(*text.offer, name);
    auto rest = inside.substr(head);
    while (rest.starts_with(kKey)) {
        const auto key_end = rest.find(kKeyEnd);
        if (key_end == std::string_view::npos) return std::nullopt;
        const std::string key(trim(rest.substr(kKey.size(), key_end - kKey.size())));
        rest = skip_blank(rest.substr(key_end + kKeyEnd.size()));
        const auto value_end = rest.find(kValueEnd);
        if (!rest.starts_with(kValue) || value_end == std::string_view::npos) return std::nullopt;
        arguments.add(key, rest.substr(kValue.size(), value_end - kValue.size()));
        rest = skip_blank(rest.substr(value_end + kValueEnd.size()));
    }
    if (!rest.empty()) return std::nullopt;
    return Calls{arguments.take()};
}

Reading read(const Text& text) {
    const auto name = skip_blank(text.text.substr(kMarks[0].size()));
    if (!text.offer->may_begin(name.substr(0, name.find_first_of("<\n \t\r")))) return no_call();
    return between(text, kMarks[0], "</tool_call>", call);
}

}  // namespace

extern const Family kGlm;
constinit const Family kGlm = {.name = "glm", .marks = kMarks, .read = read};

}  // namespace tandem::tools
