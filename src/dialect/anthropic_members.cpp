// Members of Anthropic's answers that every client reads and some servers of the dialect leave out.
#include <fmt/format.h>

#include "base/json.h"
#include "dialect/anthropic.h"
#include "dialect/fields.h"

namespace tandem::dialect::anthropic {

namespace {

using json::Kind;
using json::Value;
using Members = std::vector<std::pair<std::string_view, std::string>>;

std::string usage_of(const Usage& usage, bool whole) {
    if (!whole) return fmt::format(R"({{"output_tokens":{}}})", usage.output.count);
    return fmt::format(
        R"({{"input_tokens":{},"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":{}}})",
        usage.input.count, usage.output.count);
}

bool lacks_of_message(const Value& message, bool begun) {
    if (!message.is(Kind::object)) return begun;
    return !message["usage"].is(Kind::object) || !message["content"].is(Kind::array) ||
           (!begun && !message["stop_reason"].string());
}

std::string whole_message(const Value& message, const Usage& usage, bool begun, bool calls) {
    Members members;
    if (!message["type"].string()) members.emplace_back("type", "\"message\"");
    if (!message["role"].string()) members.emplace_back("role", "\"assistant\"");
    if (const auto text = message["content"].string())
        members.emplace_back("content", fmt::format(R"([{{"type":"text","text":{}}}])", json::quoted(*text)));
    else if (!message["content"].is(Kind::array))
        members.emplace_back("content", "[]");
    if (!begun && !message["stop_reason"].string())
        members.emplace_back("stop_reason", calls ? "\"tool_use\"" : "\"end_turn\"");
    if (!message["usage"].is(Kind::object)) members.emplace_back("usage", usage_of(usage, true));
    return with_members(message, members);
}

}  // namespace

bool lacks_members(const Value& said) {
    const auto type = said["type"].text();
    if (type == "message_start") return lacks_of_message(said["message"], true);
    if (type == "message_delta") return !said["usage"].is(Kind::object);
    return (type == "message" || said["content"].exists()) && lacks_of_message(said, false);
}

std::string with_all_members(const json::Document& said, const Usage& usage, bool calls) {
    const Value root = said.root();
    const auto type = root["type"].text();
    if (type == "message_start")
        return with_members(root, {{"message", whole_message(root["message"], usage, true, calls)}});
    if (type == "message_delta") return with_members(root, {{"usage", usage_of(usage, false)}});
    return whole_message(root, usage, false, calls);
}

}  // namespace tandem::dialect::anthropic
