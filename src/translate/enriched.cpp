#include "translate/enriched.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "dialect/last_question.h"
#include "dialect/outward_tools.h"

namespace tandem::translate {

namespace {

bool has_outward(const chat::Request& request) {
    return std::ranges::any_of(request.tools, dialect::is_outward);
}

// Whether the client demands that one of the tools is called that would be left out.
bool demands_outward(const chat::Request& request) {
    using Kind = chat::ToolChoice::Kind;
    const auto& choice = request.tool_choice;
    if (choice.kind == Kind::named)
        return std::ranges::any_of(
            request.tools, [&](const auto& tool) { return tool.name == choice.name && dialect::is_outward(tool); });
    const bool must = choice.kind == Kind::required || choice.must_call;
    return must && !request.tools.empty() && std::ranges::all_of(request.tools, dialect::is_outward);
}

std::unexpected<Error> refused(std::string_view what) {
    return fail(Fault::unsupported_demand,
                fmt::format("{}: a turn that holds text of files may not reach out of this request, unless the owner's "
                            "rule says `outward_tools: true`",
                            what),
                "tools");
}

}  // namespace

Result<Enriched> enriched(const Question& question, std::string_view text, bool keeps_outward) {
    const auto kind = question.front.kind;
    Enriched made;
    made.question.front = question.front;
    made.question.path = question.path;
    made.question.array = question.array;
    auto with_text = dialect::with_text_before_question(kind, question.document.root(), text);
    if (!with_text)
        return fail(Fault::unsupported_demand,
                    "the request has no text of a user, before which the text of files could stand");
    auto& document = made.question.document;
    if (auto ok = document.take(std::move(*with_text)); !ok) return fail(ok.error());
    if (!keeps_outward) {
        if (demands_outward(question.request)) return refused("tool_choice");
        auto without = dialect::without_outward_tools(kind, document.root(), question.request);
        made.left_out = std::move(without.left_out);
        if (!without.request.empty())
            if (auto ok = document.take(std::move(without.request)); !ok) return fail(ok.error());
    }
    if (auto ok = decode(made.question); !ok) return fail(ok.error());
    if (!keeps_outward && has_outward(made.question.request)) return refused("a tool that stands among the input");
    return made;
}

}  // namespace tandem::translate
