// DeepSeek V3.2: tags of its own markup, whose parameters say whether they are texts. From the encoding that comes with
// DeepSeek-V3.2.
#include "base/text.h"
#include "tools/family.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kMarks[] = {"<｜DSML｜function_calls>", "<|DSML|function_calls>"};

// In the words of others: without the sign in front of each tag.
std::optional<Calls> plain(std::string_view inside, const Text& text) {
    std::string tags(inside);
    for (const std::string_view sign : {"｜DSML｜", "|DSML|"})
        for (auto at = tags.find(sign); at != std::string::npos; at = tags.find(sign, at)) tags.erase(at, sign.size());
    return invoke_calls(tags, text);
}

Reading read(const Text& text) {
    const bool wide = text.text.starts_with(kMarks[0]);
    return between(text, kMarks[wide ? 0 : 1], wide ? "</｜DSML｜function_calls>" : "</|DSML|function_calls>", plain);
}

}  // namespace

extern const Family kDeepSeekDsml;
constinit const Family kDeepSeekDsml = {.name = "deepseek-dsml", .marks = kMarks, .read = read};

}  // namespace tandem::tools
