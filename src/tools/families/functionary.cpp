// Functionary 3.2: >>> and the name on a line, the object on the next. https://github.com/MeetKai/functionary. Python's
// prompt is >>> too, so that only the name of a tool that is offered counts.
#include "tools/family.h"
#include "tools/loose_json.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kMarks[] = {">>>"};

Reading read(const Text& text) {
    const auto rest = text.text.substr(kMarks[0].size());
    const auto line = rest.find('\n');
    if (line == std::string_view::npos) return text.offer->may_begin(rest) ? wait_or_none(text) : no_call();
    const std::string name(rest.substr(0, line));
    const auto body = skip_blank(rest.substr(line));
    if (!text.offer->has(name)) return no_call();
    if (body.empty()) return wait_or_none(text);
    if (!body.starts_with('{')) return no_call();
    const auto loose = loose_json(body, text.ended);
    if (!loose) return wait_or_none(text);
    const auto size = static_cast<std::size_t>(body.data() - text.text.data()) + loose->size;
    return {Reading::State::calls, size, {Written{name, loose->json, loose->repairs}}};
}

}  // namespace

extern const Family kFunctionary;
constinit const Family kFunctionary = {.name = "functionary", .marks = kMarks, .read = read};

}  // namespace tandem::tools
