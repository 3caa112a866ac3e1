#include "tools/bare.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/text.h"
#include "tools/settle.h"

namespace tandem::tools {

namespace {

constexpr std::size_t kLooked = 600;
constexpr std::string_view kFence = "```";
constexpr auto kLanguages =
    std::to_array<std::string_view>({"", "json", "python", "tool_call", "tool_calls", "tool_code", "xml"});
// What an object of a call begins with, without white space, in double quotes.
constexpr auto kNameFirst =
    std::to_array<std::string_view>({R"({"name":")", R"({"tool_name":")", R"({"tool":")", R"({"function":")"});
constexpr auto kOtherFirst = std::to_array<std::string_view>(
    {R"({"function":{"name":")", R"({"type":"function")", R"({"arguments":{)", R"({"parameters":{)", R"({"id":")"});

bool may_begin(std::string_view text, std::string_view wanted) {
    return text.starts_with(wanted) || wanted.starts_with(text);
}

bool may_be_json(std::string_view text, const Offer& offer) {
    std::string plain;
    for (const char c : text.substr(0, kLooked))
        if (kBlank.find(c) == std::string_view::npos) plain += c == '\'' ? '"' : c;
    std::string_view rest = plain;
    if (rest.starts_with('[')) rest.remove_prefix(1);
    if (!rest.empty() && rest[0] != '{') return false;
    // A name without quotes.
    if (rest.starts_with("{name:") || std::string_view("{name:").starts_with(rest)) return true;
    for (const auto first : kNameFirst) {
        if (!may_begin(rest, first)) continue;
        const auto name = rest.substr(std::min(rest.size(), first.size()));
        const auto end = name.find('"');
        if (end == std::string_view::npos ? offer.may_begin(name) : offer.has(name.substr(0, end))) return true;
    }
    return std::ranges::any_of(kOtherFirst, [&](auto first) { return may_begin(rest, first); });
}

bool may_be_python(std::string_view text, const Offer& offer) {
    if (text.starts_with('[')) text = skip_blank(text.substr(1));
    const auto end = text.find_first_of("( \t\r\n");
    if (end == std::string_view::npos) return offer.may_begin(text);
    return offer.has(text.substr(0, end)) && skip_blank(text.substr(end)).substr(0, 1).find_first_not_of('(') != 0;
}

bool may_be_calls(std::string_view text, const Offer& offer) {
    return text.empty() || may_be_json(text, offer) || may_be_python(text, offer);
}

}  // namespace

bool may_be_bare(std::string_view text, const Offer& offer) {
    text = skip_blank(text);
    if (text.empty()) return true;
    if (!text.starts_with('`')) return may_be_calls(text, offer);
    if (!text.starts_with(kFence)) return kFence.starts_with(text);
    const auto line = text.find('\n');
    const auto language =
        trim(text.substr(kFence.size(), line == std::string_view::npos ? line : line - kFence.size()));
    if (line == std::string_view::npos)
        return std::ranges::any_of(kLanguages, [&](auto one) { return one.starts_with(language); });
    if (std::ranges::find(kLanguages, language) == kLanguages.end()) return false;
    const auto inside = skip_blank(text.substr(line));
    return inside.starts_with('<') || may_be_calls(inside, offer);
}

std::optional<Calls> bare_calls(std::string_view text, const Offer& offer) {
    text = trim(text);
    if (text.empty() || !may_be_bare(text, offer)) return std::nullopt;
    // A fence that ends before the answer does has words behind it.
    const bool fenced = text.starts_with(kFence);
    if (const auto close = fenced ? text.find(kFence, kFence.size()) : std::string_view::npos;
        close != std::string_view::npos && close + kFence.size() != text.size())
        return std::nullopt;
    const Text whole{text, false, &offer};
    auto calls = strict_json_calls(text, whole);
    if (!calls) calls = python_calls(text, whole);
    if (!calls) return std::nullopt;
    for (const auto& call : *calls)
        if (!settle(offer, call.name, call.arguments).wrong.empty()) return std::nullopt;
    return calls;
}

}  // namespace tandem::tools
