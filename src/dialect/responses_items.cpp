#include "dialect/responses_items.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "dialect/fields.h"

namespace tandem::dialect::openai_responses {

namespace {

using chat::Role;
using json::Kind;
using json::Value;
using Parts = std::vector<chat::Part>;

// What a client's own tool is called elsewhere, and the member that says what to do with it.
struct ClientTool {
    std::string_view call, result, name, member;
};
constexpr std::array kClientTools =
    std::to_array<ClientTool>({{"local_shell_call", "local_shell_call_output", "local_shell", "action"},
                               {"shell_call", "shell_call_output", "shell", "action"},
                               {"apply_patch_call", "apply_patch_call_output", "apply_patch", "operation"},
                               {"computer_call", "computer_call_output", "computer", "action"},
                               {"tool_search_call", "tool_search_output", "tool_search", "arguments"}});

// Records of what a provider did: its answer, which follows, was made with that.
constexpr std::array kIdle =
    std::to_array<std::string_view>({"web_search_call", "file_search_call", "mcp_list_tools", "ghost_snapshot",
                                     "tool_search_call", "tool_search_output"});

chat::Part text_part(std::string text) {
    return {chat::TextPart{std::move(text)}, {}};
}

// The texts of a list of parts, or a string; nothing where something else is in it.
std::optional<std::string> texts_of(const Value& content) {
    if (const auto text = content.string()) return std::string(*text);
    std::string all;
    for (const Value part : content.children()) {
        const auto text = part["text"].string();
        if (!text) return std::nullopt;
        if (!all.empty()) all += "\n";
        all += *text;
    }
    if (all.empty()) return std::nullopt;
    return all;
}

std::string id_of(const Value& item) {
    return std::string(item["call_id"].string().value_or(item["id"].text()));
}

// The output of a client's tool: text, an image, or JSON of its own.
Parts output_of(const Value& item) {
    const Value output = item["output"];
    if (const auto text = texts_of(output)) return {text_part(*text)};
    if (const auto url = output["image_url"].string()) return {{chat::ImagePart{media_of_url(*url), {}}, {}}};
    std::string found;
    for (const Value tool : item["tools"].children()) {
        if (!found.empty()) found += ", ";
        found += tool["name"].text();
    }
    if (given(item["tools"])) return {text_part(fmt::format("Tools that can be called now: {}", found))};
    return {text_part(given(output) ? std::string(output.raw()) : std::string(item["status"].text()))};
}

void add_to_answer(std::vector<chat::Message>& messages, chat::Part part) {
    if (messages.empty() || messages.back().role != Role::assistant) messages.push_back({Role::assistant, {}, {}, {}});
    messages.back().parts.push_back(std::move(part));
}

bool read_client_tool(const Value& item, std::vector<chat::Message>& messages) {
    const auto type = item["type"].text();
    const auto* const tool =
        std::ranges::find_if(kClientTools, [&](const ClientTool& t) { return t.call == type || t.result == type; });
    if (tool == kClientTools.end() || id_of(item).empty()) return false;
    // A search for tools that the provider made itself is no call.
    if (tool->name == "tool_search" && !given(item["call_id"])) return false;
    if (type == tool->call) {
        chat::ToolCallPart call;
        call.id = id_of(item);
        call.name = tool->name;
        const Value what = given(item[tool->member]) ? item[tool->member] : item["actions"];
        call.arguments = what.is(Kind::object) ? std::string(what.raw())
                         : what.string()       ? std::string(what.text())
                         : given(what)         ? fmt::format("{{\"actions\":{}}}", what.raw())
                                               : "{}";
        call.item = raw_of(item);
        add_to_answer(messages, {std::move(call), {}});
        return true;
    }
    chat::ToolResultPart result;
    result.call_id = id_of(item);
    result.name = tool->name;
    result.content = output_of(item);
    result.item = raw_of(item);
    messages.push_back({Role::tool, {{std::move(result), {}}}, {}, {}});
    return true;
}

std::string words_of_code(const Value& item) {
    std::string text = fmt::format("(This code was run:)\n{}", item["code"].text());
    for (const Value output : item["outputs"].children())
        if (const auto logs = output["logs"].string()) text += fmt::format("\n(It printed:)\n{}", *logs);
    return text;
}

std::string words_of_mcp(const Value& item) {
    const auto said = given(item["error"]) ? item["error"] : item["output"];
    return fmt::format("(The tool {} of {} was called with {}. It answered:)\n{}", item["name"].text(),
                       item["server_label"].text(), item["arguments"].text(), said.string() ? said.text() : said.raw());
}

// What another agent said to this one.
std::string words_of_agent(const Value& item, const std::string& text) {
    const auto author = item["author"].text(), recipient = item["recipient"].text();
    if (author.empty()) return text;
    return recipient.empty() ? fmt::format("Message from {}:\n{}", author, text)
                             : fmt::format("Message from {} to {}:\n{}", author, recipient, text);
}

// What of an item can be told in words; nothing where it would be lost, an empty list where nothing is.
std::optional<Parts> words_of(const Value& item) {
    const auto type = item["type"].text();
    if (std::ranges::find(kIdle, type) != kIdle.end()) return Parts{};
    if (type == "code_interpreter_call") return Parts{text_part(words_of_code(item))};
    if (auto picture = picture_in(item)) return Parts{{chat::ImagePart{std::move(*picture), {}}, {}}};
    if (type == "mcp_call") return Parts{text_part(words_of_mcp(item))};
    if (const auto text = texts_of(item["content"])) return Parts{text_part(words_of_agent(item, *text))};
    return std::nullopt;
}

}  // namespace

std::optional<chat::Media> picture_in(const Value& item) {
    const auto data = item["result"].text(), form = item["output_format"].text();
    if (item["type"].text() != kImageCall || data.empty()) return std::nullopt;
    return chat::Media{{}, fmt::format("image/{}", form.empty() ? "png" : form), std::string(data), {}};
}

void read_other_item(const Value& item, const std::string& param, std::vector<chat::Message>& messages) {
    if (read_client_tool(item, messages)) return;
    chat::OtherPart other{std::string(item["type"].text()), raw_of(item), param, words_of(item), true};
    const bool from_elsewhere = other.type == "agent_message" || item["role"].text() == "user";
    if (from_elsewhere)
        messages.push_back({Role::user, {{std::move(other), {}}}, {}, {}});
    else
        add_to_answer(messages, {std::move(other), {}});
}

}  // namespace tandem::dialect::openai_responses
