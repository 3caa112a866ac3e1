#include "tools/family.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "tools/loose_json.h"

namespace tandem::tools {

namespace {

using json::Kind;
using json::Value;

constexpr auto kNames = std::to_array<std::string_view>({"name", "tool_name", "tool", "function"});
constexpr auto kArguments =
    std::to_array<std::string_view>({"arguments", "parameters", "args", "input", "tool_input", "action_input"});
constexpr std::size_t kMostCalls = 256;

bool all_of(const Value& value, const auto& holds) {
    for (const auto child : value.children())
        if (!holds(child)) return false;
    return true;
}

Value first_of(const Value& object, std::span<const std::string_view> names) {
    for (const auto name : names)
        if (const auto value = object[name]; value.exists()) return value;
    return {};
}

std::optional<Written> call_of(const Value& object, const Offer& offer) {
    if (!object.is(Kind::object)) return std::nullopt;
    if (const auto inner = object["function"]; inner.is(Kind::object)) return call_of(inner, offer);
    const auto name = first_of(object, kNames), arguments = first_of(object, kArguments);
    if (!name.string() || !offer.has(name.text())) return std::nullopt;
    Written written{std::string(name.text()), "{}", {}};
    if (arguments.is(Kind::object))
        written.arguments = arguments.raw();
    else if (arguments.string())
        written.arguments = arguments.text();
    else if (arguments.exists() && !arguments.is_null())
        return std::nullopt;
    return written;
}

bool add_calls(const Loose& loose, const Offer& offer, Calls& calls) {
    json::Document document;
    if (!document.parse("[" + loose.json + "]")) return false;
    const auto value = *json::begin(document.root().children());
    const auto add = [&](const Value& one) {
        auto call = call_of(one, offer);
        if (!call || calls.size() == kMostCalls) return false;
        call->repairs = loose.repairs;
        calls.push_back(std::move(*call));
        return true;
    };
    if (!value.is(Kind::array)) return add(value);
    return value.size() > 0 && all_of(value, add);
}

// Between ``` and ```, behind the word for what it is.
std::string_view without_fence(std::string_view text) {
    constexpr std::string_view kFence = "```";
    if (!text.starts_with(kFence)) return text;
    const auto line = text.find('\n');
    if (line == std::string_view::npos) return text;
    text.remove_prefix(line + 1);
    text = trim(text);
    if (text.ends_with(kFence)) text.remove_suffix(kFence.size());
    return trim(text);
}

bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
}

// name(argument=value, ...) at the beginning of `text`, which is behind it afterwards.
std::optional<Written> python_call(std::string_view& text, const Text& whole) {
    std::size_t size = 0;
    while (size < text.size() && is_name(text[size])) ++size;
    Written written{std::string(text.substr(0, size)), {}, {}};
    if (!whole.offer->has(written.name)) return std::nullopt;
    text = skip_blank(text.substr(size));
    if (!text.starts_with('(')) return std::nullopt;
    text = skip_blank(text.substr(1));
    std::string arguments;
    while (!text.starts_with(')')) {
        size = 0;
        while (size < text.size() && is_name(text[size])) ++size;
        const auto argument = text.substr(0, size);
        text = skip_blank(text.substr(size));
        if (argument.empty() || !text.starts_with('=')) return std::nullopt;
        const auto value = loose_json(text.substr(1), false);
        if (!value) return std::nullopt;
        arguments += (arguments.empty() ? "" : ",") + json::quoted(argument) + ":" + value->json;
        text = skip_blank(text.substr(1 + value->size));
        if (text.starts_with(','))
            text = skip_blank(text.substr(1));
        else if (!text.starts_with(')'))
            return std::nullopt;
    }
    text = skip_blank(text.substr(1));
    written.arguments = "{" + arguments + "}";
    return written;
}

// The value of an attribute `name="..."` in a tag, and how far it reaches.
std::optional<std::string> attribute(std::string_view tag, std::string_view name) {
    const auto at = tag.find(std::string(name) + "=");
    if (at == std::string_view::npos) return std::nullopt;
    auto rest = tag.substr(at + name.size() + 1);
    if (rest.empty()) return std::nullopt;
    const char quote = rest[0];
    if (quote != '"' && quote != '\'') return std::string(trim(rest));
    const auto end = rest.find(quote, 1);
    return end == std::string_view::npos ? std::nullopt : std::optional(std::string(rest.substr(1, end - 1)));
}

}  // namespace

std::string_view skip_blank(std::string_view text) {
    return text.substr(std::min(text.size(), text.find_first_not_of(kBlank)));
}

Reading no_call() {
    return {};
}

Reading wait_or_none(const Text& text) {
    return {text.ended ? Reading::State::none : Reading::State::more, 0, {}};
}

bool goes_on_with(const Text& text, std::string_view mark, std::string_view characters) {
    const auto behind = skip_blank(text.text.substr(mark.size()));
    return behind.empty() || characters.find(behind[0]) != std::string_view::npos;
}

namespace {

// Whether JSON that ends here would end within a string.
bool is_within_string(std::string_view json) {
    bool within = false;
    for (std::size_t at = 0; at < json.size(); ++at) {
        if (within && json[at] == '\\')
            ++at;
        else if (json[at] == '"')
            within = !within;
    }
    return within;
}

}  // namespace

Reading between(const Text& text, std::string_view open, std::string_view close,
                std::optional<Calls> (*read)(std::string_view, const Text&)) {
    constexpr int kMostCloses = 16;
    auto end = text.text.find(close, open.size());
    for (int tried = 0; tried < kMostCloses; ++tried) {
        const bool closed = end != std::string_view::npos;
        if (!closed && !text.ended) return wait_or_none(text);
        const auto size = closed ? end + close.size() : text.text.size();
        const auto inside = text.text.substr(open.size(), (closed ? end : size) - open.size());
        auto calls = read(trim(inside), {inside, true, text.offer});
        if (calls && !calls->empty()) {
            if (!closed)
                for (auto& call : *calls) call.repairs.emplace_back("a closing tag was missing");
            return {Reading::State::calls, size, std::move(*calls)};
        }
        // The mark may stand in a text of an argument.
        if (!closed || !is_within_string(inside)) break;
        end = text.text.find(close, end + 1);
    }
    return no_call();
}

std::optional<Calls> json_calls(std::string_view inside, const Text& text) {
    Calls calls;
    for (auto rest = without_fence(trim(inside)); !rest.empty();) {
        const auto loose = loose_json(rest, text.ended);
        if (!loose || !add_calls(*loose, *text.offer, calls)) return std::nullopt;
        rest = skip_blank(rest.substr(loose->size));
        if (rest.starts_with(';') || rest.starts_with(',')) rest = skip_blank(rest.substr(1));
        // A bracket too many.
        if (rest == "}" || rest == "]") {
            calls.back().repairs.emplace_back("a bracket too many was left out");
            break;
        }
    }
    return calls.empty() ? std::nullopt : std::optional(std::move(calls));
}

std::optional<Calls> strict_json_calls(std::string_view inside, const Text& text) {
    json::Document document;
    Calls calls;
    const auto rest = trim(inside);
    // One value, which is JSON, and whose members are those of a call alone.
    if (!document.parse("[" + std::string(rest) + "]")) return json_calls(inside, text);
    const auto is_call = [](const Value& one) {
        const bool has_arguments = first_of(one, kArguments).exists() || one["function"].is(Kind::object);
        return has_arguments && all_of(one, [](const Value& member) {
                   const auto key = member.key();
                   return key == "type" || key == "id" || key == "tool_call_id" ||
                          std::ranges::find(kNames, key) != kNames.end() ||
                          std::ranges::find(kArguments, key) != kArguments.end();
               });
    };
    for (const auto one : document.root().children())
        if (one.is(Kind::array) ? !all_of(one, is_call) : !is_call(one)) return std::nullopt;
    return json_calls(inside, text);
}

std::optional<Calls> python_calls(std::string_view inside, const Text& text) {
    auto rest = trim(without_fence(trim(inside)));
    const bool list = rest.starts_with('[');
    if (list) rest = skip_blank(rest.substr(1));
    Calls calls;
    while (!rest.empty() && calls.size() < kMostCalls) {
        if (list && rest.starts_with(']')) {
            rest.remove_prefix(1);
            break;
        }
        auto call = python_call(rest, text);
        if (!call) return std::nullopt;
        calls.push_back(std::move(*call));
        if (rest.starts_with(',') || rest.starts_with(';')) rest = skip_blank(rest.substr(1));
    }
    if (calls.empty() || !trim(rest).empty()) return std::nullopt;
    return calls;
}

std::optional<Calls> invoke_calls(std::string_view inside, const Text& text) {
    constexpr std::string_view kInvoke = "<invoke", kEnd = "</invoke>", kParameter = "<parameter",
                               kClose = "</parameter>";
    Calls calls;
    for (auto rest = skip_blank(inside); !rest.empty(); rest = skip_blank(rest)) {
        if (!rest.starts_with(kInvoke)) return std::nullopt;
        const auto tag = rest.find('>');
        if (tag == std::string_view::npos) return std::nullopt;
        const auto name = attribute(rest.substr(0, tag), "name");
        if (!name || !text.offer->has(*name)) return std::nullopt;
        const auto end = std::min(rest.find(kEnd), rest.size());
        auto body = skip_blank(rest.substr(tag + 1, end - std::min(end, tag + 1)));
        TypedArguments arguments(*text.offer, *name);
        while (body.starts_with(kParameter)) {
            const auto head = body.find('>');
            const auto close = body.find(kClose);
            if (head == std::string_view::npos) return std::nullopt;
            const auto key = attribute(body.substr(0, head), "name");
            if (!key || close == std::string_view::npos || close < head) return std::nullopt;
            arguments.add(*key, body.substr(head + 1, close - head - 1));
            body = skip_blank(body.substr(close + kClose.size()));
        }
        calls.push_back(arguments.take());
        rest.remove_prefix(std::min(rest.size(), end + kEnd.size()));
    }
    return calls.empty() ? std::nullopt : std::optional(std::move(calls));
}

void TypedArguments::add(const std::string& argument, std::string_view value) {
    if (std::ranges::find(known_, argument) != known_.end()) {
        repairs_.push_back(fmt::format("'{}' was given more than once, and the first one counts", printable(argument)));
        return;
    }
    known_.push_back(argument);
    // Models put a text between line breaks of its own.
    if (value.starts_with('\n')) value.remove_prefix(1);
    if (value.ends_with('\n')) value.remove_suffix(1);
    out_.key(argument);
    const auto schema = offer_.argument(name_, argument);
    const bool text = schema["type"].text() == "string" || schema["enum"].exists();
    json::Document document;
    const auto trimmed = trim(value);
    if (!text && document.parse("[" + std::string(trimmed) + "]") && document.root().size() == 1) {
        out_.raw(trimmed);
        return;
    }
    if (const auto loose = text ? std::nullopt : loose_json(trimmed, false); loose && loose->size == trimmed.size())
        out_.raw(loose->json);
    else
        out_.value(value);
}

}  // namespace tandem::tools
