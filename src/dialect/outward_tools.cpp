#include "dialect/outward_tools.h"

#include <algorithm>
#include <array>

#include "dialect/fields.h"

namespace tandem::dialect {

namespace {

using json::Value;

// Run by the client: OpenAI's (local_shell, computer_use, apply_patch) and Anthropic's, whose types end in a date.
constexpr std::array<std::string_view, 7> kClients = {"local_shell",  "computer", "apply_patch", "bash_",
                                                      "text_editor_", "memory_",  "tool_search"};

// Members that ask for such a tool without naming one: OpenAI, Anthropic, OpenRouter, xAI, Qwen, Groq
// (compound_custom), Azure (data_sources), Perplexity (search_mode), and what some servers call them.
constexpr std::array<std::string_view, 12> kMembers = {
    "web_search_options", "mcp_servers",  "plugins",     "search_parameters", "enable_search", "search_settings",
    "compound_custom",    "data_sources", "search_mode", "web_search",        "builtin_tools", "extra_body"};

// A function that Moonshot runs itself: "$web_search". No client's function may have such a name.
bool is_providers(const chat::Tool& tool) {
    return tool.kind == chat::Tool::Kind::function && tool.name.starts_with('$');
}

std::string type_of(const chat::Tool& tool) {
    json::Document document;
    if (!document.parse(tool.hosted.json)) return tool.name;
    const auto type = document.root()["type"].text();
    return type.empty() ? tool.name : std::string(type);
}

bool is_outward_definition(const Value& element, const chat::Request& decoded) {
    return std::ranges::any_of(decoded.tools, [&](const chat::Tool& tool) {
        if (is_providers(tool)) return element["function"]["name"].text() == tool.name;
        return is_outward(tool) && tool.hosted.json == element.raw();
    });
}

// Gemini's tools are members of one object, of which functions are one.
std::string functions_alone(const Value& element) {
    json::Writer out;
    out.begin_object();
    bool any = false;
    for (const Value member : element.children()) {
        if (member.key() != "functionDeclarations" && member.key() != "function_declarations") continue;
        out.raw_member(member.key(), member.raw());
        any = true;
    }
    out.end_object();
    return any ? out.take() : std::string();
}

// The list of tools that are left; empty: none is.
std::string tools_left(Kind kind, const Value& tools, const chat::Request& decoded) {
    if (kind == Kind::gemini && tools.is(json::Kind::object)) return functions_alone(tools);
    json::Writer out;
    out.begin_array();
    bool any = false;
    for (const Value element : tools.children()) {
        if (kind != Kind::gemini && is_outward_definition(element, decoded)) continue;
        const auto left = kind == Kind::gemini ? functions_alone(element) : std::string(element.raw());
        if (left.empty()) continue;
        out.raw(left);
        any = true;
    }
    out.end_array();
    return any ? out.take() : std::string();
}

}  // namespace

bool is_outward(const chat::Tool& tool) {
    if (is_providers(tool)) return true;
    if (tool.kind != chat::Tool::Kind::hosted) return false;
    const auto type = type_of(tool);
    return std::ranges::none_of(kClients, [&](std::string_view client) { return type.starts_with(client); });
}

WithoutOutward without_outward_tools(Kind kind, const Value& request, const chat::Request& decoded) {
    WithoutOutward made;
    std::vector<std::pair<std::string_view, std::string>> members;
    for (const auto& tool : decoded.tools)
        if (is_outward(tool)) made.left_out.push_back(tool.name);
    if (!made.left_out.empty()) {
        auto left = tools_left(kind, request["tools"], decoded);
        if (left.empty())
            for (const auto* member : {"tool_choice", "parallel_tool_calls", "toolConfig", "tool_config"})
                members.emplace_back(member, "");
        members.emplace_back("tools", std::move(left));
    }
    for (const auto member : kMembers) {
        const auto value = request[member];
        if (!value.exists() || value.is_null() || value.raw() == "false") continue;
        made.left_out.emplace_back(member);
        members.emplace_back(member, "");
    }
    if (!members.empty()) made.request = with_members(request, members);
    return made;
}

}  // namespace tandem::dialect
