// Mistral: [TOOL_CALLS] and a list of objects, or, from the tokenizer of version 11 on, the name, [ARGS] and an object,
// for each call; some write the object behind the name without [ARGS]. https://docs.mistral.ai, mistral-common.
#include "base/text.h"
#include "tools/family.h"
#include "tools/loose_json.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kMarks[] = {"[TOOL_CALLS]"};
constexpr std::string_view kArguments = "[ARGS]", kId = "[CALL_ID]";

Reading read_list(const Text& text, std::size_t begin) {
    const auto loose = loose_json(text.text.substr(begin), text.ended);
    if (!loose) return wait_or_none(text);
    auto calls = json_calls(text.text.substr(begin, loose->size), text);
    if (!calls) return no_call();
    return {Reading::State::calls, begin + loose->size, std::move(*calls)};
}

Reading read(const Text& text) {
    const auto begin = text.text.find_first_not_of(kBlank, kMarks[0].size());
    if (begin == std::string_view::npos) return wait_or_none(text);
    if (text.text[begin] == '[' || text.text[begin] == '{') return read_list(text, begin);
    const auto rest = text.text.substr(begin);
    const auto name_end = rest.find_first_of("[{ \t\r\n");
    if (name_end == std::string_view::npos) return text.offer->may_begin(rest) ? wait_or_none(text) : no_call();
    const std::string name(rest.substr(0, name_end));
    if (!text.offer->has(name)) return no_call();
    const auto object = rest.find('{', name_end);
    if (object == std::string_view::npos) return wait_or_none(text);
    const auto middle = trim(rest.substr(name_end, object - name_end));
    if (!middle.empty() && !middle.ends_with(kArguments) && !middle.starts_with(kId)) return no_call();
    const auto loose = loose_json(rest.substr(object), text.ended);
    if (!loose) return wait_or_none(text);
    return {Reading::State::calls, begin + object + loose->size, {Written{name, loose->json, loose->repairs}}};
}

}  // namespace

extern const Family kMistral;
constinit const Family kMistral = {.name = "mistral", .marks = kMarks, .read = read};

}  // namespace tandem::tools
