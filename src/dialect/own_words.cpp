#include "dialect/own_words.h"

#include <fmt/format.h>

#include <functional>

#include "base/text.h"
#include "dialect/fields.h"

namespace tandem::dialect {

namespace {

using json::Kind;
using json::Value;

bool is_empty_list(const Value& value) {
    return value.is(Kind::array) && value.size() == 0;
}

void put_in_list(const Value& value, Splice& splice) {
    splice.insert(value.offset(), "[");
    splice.insert(value.offset() + value.raw().size(), "]");
}

void leave_out(const Value& object, std::initializer_list<std::string_view> names, Splice& splice) {
    splice.leave_out(object,
                     [&](const Value& member) { return std::ranges::find(names, member.key()) != names.end(); });
}

// Arguments of a call that has none: many servers parse them, and "" is no JSON.
void fill_arguments(const Value& call, Splice& splice) {
    const Value arguments = call["arguments"];
    if (!call.is(Kind::object) || (given(arguments) && (!arguments.string() || !trim(arguments.text()).empty())))
        return;
    splice.set(call, "arguments", "\"{}\"");
}

// ---- tools, which Chat Completions nests and Responses and Anthropic do not ----

// What Chat Completions has in a definition, from one that is flat.
std::string nested_tool(const Value& tool, bool custom) {
    json::Writer out;
    out.begin_object().member("type", custom ? "custom" : "function").key(custom ? "custom" : "function");
    out.begin_object().raw_member("name", tool["name"].raw());
    for (const auto* name : {"description", "strict"})
        if (given(tool[name])) out.raw_member(name, tool[name].raw());
    const Value schema = given(tool["parameters"]) ? tool["parameters"] : tool["input_schema"];
    if (!custom && given(schema)) out.raw_member("parameters", schema.raw());
    if (const Value format = tool["format"]; custom && given(format)) {
        out.key("format");
        if (format["type"].text() == "grammar" && !given(format["grammar"]))
            out.begin_object()
                .member("type", "grammar")
                .raw_member("grammar", with_members(format, {{"type", ""}}))
                .end_object();
        else
            out.raw(format.raw());
    }
    out.end_object();
    if (given(tool["cache_control"])) out.raw_member("cache_control", tool["cache_control"].raw());
    out.end_object();
    return out.take();
}

void nest_tool(const Value& tool, Splice& splice) {
    const auto type = tool["type"].text();
    if (given(tool["function"])) {
        if (!given(tool["type"])) splice.set(tool, "type", "\"function\"");
        return;
    }
    const bool custom = type == "custom" && !given(tool["input_schema"]);
    if (!tool["name"].string() || given(tool["custom"]) || (!type.empty() && type != "function" && type != "custom"))
        return;
    splice.replace(tool, nested_tool(tool, custom));
}

// The choice of a tool in the words of any dialect; empty where it is this one's already, or nobody's.
std::string choice_of_tool(const Value& choice, bool nested) {
    const auto type = choice.is(Kind::object) ? choice["type"].text() : choice.text();
    if (type == "any") return "\"required\"";
    if (!choice.is(Kind::object)) return {};
    if (type == "auto" || type == "none" || type == "required") return json::quoted(type);
    const bool custom = type == "custom";
    if (type != "function" && type != "tool" && !custom) return {};
    const Value inner = choice[custom ? "custom" : "function"]["name"];
    const Value name = choice["name"];
    if (nested ? given(inner) || !given(name) : given(name) || !given(inner)) return {};
    const auto word = json::quoted(custom ? "custom" : "function");
    return nested ? fmt::format(R"({{"type":{0},{0}:{{"name":{1}}}}})", word, name.raw())
                  : fmt::format(R"({{"type":{},"name":{}}})", word, inner.raw());
}

void say_choice(const Value& root, bool nested, Splice& splice) {
    if (auto choice = choice_of_tool(root["tool_choice"], nested); !choice.empty())
        splice.replace(root["tool_choice"], std::move(choice));
}

// ---- Chat Completions ----

// The image of a part of Responses or Anthropic as Chat Completions has it; empty where it is none.
std::string image_part(const Value& part) {
    const auto type = part["type"].text();
    const Value source = part["source"];
    std::string url;
    if (type == "input_image" && part["image_url"].string())
        url = part["image_url"].text();
    else if (type == "image" && source["type"].text() == "base64")
        url = fmt::format("data:{};base64,{}", source["media_type"].text(), source["data"].text());
    else if (type == "image" && source["type"].text() == "url")
        url = source["url"].text();
    if (url.empty()) return {};
    json::Writer out;
    out.begin_object().member("type", "image_url").key("image_url").begin_object().member("url", url);
    if (const auto detail = part["detail"].text(); !detail.empty()) out.member("detail", detail);
    return out.end_object().end_object().take();
}

void say_chat_part(const Value& part, Splice& splice) {
    const auto type = part["type"].text();
    if (part.string())
        splice.replace(part, fmt::format(R"({{"type":"text","text":{}}})", part.raw()));
    else if ((type == "input_text" || type == "output_text") && part["text"].string())
        splice.replace(part, fmt::format(R"({{"type":"text","text":{}}})", part["text"].raw()));
    else if (type == "image_url" && part["image_url"].string())
        splice.replace(part["image_url"], fmt::format(R"({{"url":{}}})", part["image_url"].raw()));
    else if (auto image = image_part(part); !image.empty())
        splice.replace(part, std::move(image));
}

bool has_blocks(const Value& content) {
    for (const Value part : content.is(Kind::array) ? content.children() : Value().children())
        if (const auto type = part["type"].text(); type == "tool_use" || type == "tool_result") return true;
    return false;
}

// What a result of Anthropic's says, as the content of a tool's message. Images in it move to `rest`.
std::string text_of_result(const Value& content, std::vector<std::string>& rest) {
    if (content.string()) return std::string(content.raw());
    std::string text;
    for (const Value part : content.children()) {
        if (part["type"].text() != "text") {
            auto image = image_part(part);
            rest.push_back(image.empty() ? std::string(part.raw()) : std::move(image));
            continue;
        }
        if (!text.empty()) text += "\n";
        text += part["text"].text();
    }
    return json::quoted(text);
}

// A message with blocks of Anthropic, as Cursor sends it for models that are called like Claude: calls stand beside its
// content, and results are messages of their own, before what else the user says.
std::string without_blocks(const Value& message) {
    std::vector<std::string> rest, calls, results;
    for (const Value part : message["content"].children()) {
        const auto type = part["type"].text();
        if (type == "tool_use") {
            const Value input = part["input"];
            json::Writer call;
            call.begin_object()
                .raw_member("id", given(part["id"]) ? part["id"].raw() : "\"\"")
                .member("type", "function");
            call.key("function").begin_object().raw_member("name", given(part["name"]) ? part["name"].raw() : "\"\"");
            call.member("arguments", input.string() ? input.text() : given(input) ? input.raw() : "{}");
            calls.push_back(call.end_object().end_object().take());
        } else if (type == "tool_result") {
            json::Writer result;
            result.begin_object().member("role", "tool");
            result.member("tool_call_id", part["tool_use_id"].text());
            result.raw_member("content", text_of_result(part["content"], rest));
            results.push_back(result.end_object().take());
        } else {
            auto image = image_part(part);
            rest.push_back(image.empty() ? std::string(part.raw()) : std::move(image));
        }
    }
    for (const Value call : message["tool_calls"].children()) calls.emplace_back(call.raw());
    const auto content = rest.empty() ? std::string(calls.empty() ? "\"\"" : "null") : "[" + join(rest, ",") + "]";
    if (!rest.empty() || results.empty())
        results.push_back(with_members(
            message,
            {{"content", content}, {"tool_calls", calls.empty() ? std::string() : "[" + join(calls, ",") + "]"}}));
    return join(results, ",");
}

void say_chat_message(const Value& message, Splice& splice) {
    if (has_blocks(message["content"])) return splice.replace(message, without_blocks(message));
    const auto role = message["role"].text();
    const Value content = message["content"];
    const bool result = role == "tool" || role == "function";
    if (result && !given(content))
        splice.set(message, "content", "\"\"");
    else if (is_empty_list(content) && message["tool_calls"].size() > 0)
        splice.replace(content, "null");
    else if (content.is(Kind::object) && given(content["type"]))
        put_in_list(content, splice);
    else if (content.is(Kind::object) && result)
        splice.replace(content, json::quoted(content.raw()));
    for (const Value part : content.children()) {
        if (!content.is(Kind::array)) break;
        say_chat_part(part, splice);
    }
    for (const Value call : message["tool_calls"].children())
        if (call["type"].text() != "custom") fill_arguments(call["function"], splice);
    if (is_empty_list(message["tool_calls"])) leave_out(message, {"tool_calls"}, splice);
}

// Two words for the bound of an answer: the smaller number counts. -1 is no bound.
std::string_view unwanted_bound(const Value& root) {
    const Value modern = root["max_completion_tokens"], legacy = root["max_tokens"];
    const auto most = modern.integer(), most_legacy = legacy.integer();
    if (most_legacy == -1) return legacy.key();
    if (most == -1) return modern.key();
    if (!most || !most_legacy) return {};
    return *most <= *most_legacy ? legacy.key() : modern.key();
}

void say_chat(const Value& root, Splice& splice) {
    for (const Value message : root["messages"].children()) say_chat_message(message, splice);
    for (const Value tool : root["tools"].children()) nest_tool(tool, splice);
    say_choice(root, true, splice);
    if (root["response_format"].string())
        splice.replace(root["response_format"], fmt::format(R"({{"type":{}}})", root["response_format"].raw()));
    const bool tools = root["tools"].size() > 0 || root["functions"].size() > 0;
    const auto choice = root["tool_choice"].text();
    const auto bound = unwanted_bound(root);
    splice.leave_out(root, [&](const Value& member) {
        const auto key = member.key();
        if ((key == "tools" || key == "functions") && is_empty_list(member)) return true;
        if (key == "tool_choice" && !tools) return choice == "auto" || choice == "none";
        if (key == "parallel_tool_calls") return !tools;
        return !bound.empty() && key == bound;
    });
}

// ---- Responses ----

void say_responses_part(const Value& part, Splice& splice) {
    const auto type = part["type"].text();
    const Value image = part["image_url"];
    if ((type != "image_url" && type != "input_image") || !given(image)) return;
    if (type == "image_url") splice.replace(part["type"], "\"input_image\"");
    if (!image.is(Kind::object) || !image["url"].string()) return;
    splice.replace(image, std::string(image["url"].raw()));
    if (given(image["detail"]) && !part["detail"].exists())
        splice.set(part, "detail", std::string(image["detail"].raw()));
}

// Texts of an answer and of a prompt have types of their own, which OpenAI insists on.
void say_whose_text(const Value& part, bool answered, Splice& splice) {
    const Value type = part["type"];
    const std::string_view wanted = answered ? "output_text" : "input_text",
                           other = answered ? "input_text" : "output_text";
    if (type.text() == other || (type.text() == "text" && part["text"].string()))
        splice.replace(type, json::quoted(wanted));
}

void say_responses(const Value& root, Splice& splice) {
    for (const Value item : root["input"].children()) {
        const auto type = item["type"].text();
        if (type == "function_call") fill_arguments(item, splice);
        if (item["content"].is(Kind::array))
            for (const Value part : item["content"].children()) {
                say_responses_part(part, splice);
                if (item["role"].string()) say_whose_text(part, item["role"].text() == "assistant", splice);
            }
    }
    for (const Value tool : root["tools"].children()) {
        const Value function = tool["function"];
        if (tool["type"].text() == "function" && function.is(Kind::object) && !tool["name"].exists())
            splice.replace(tool, with_members(function, {{"type", "\"function\""}}));
    }
    say_choice(root, false, splice);
}

// ---- Anthropic ----

void say_anthropic(const Value& root, Splice& splice) {
    const auto choice = root["tool_choice"]["type"].text();
    if (root["tools"].size() == 0 && (choice == "auto" || choice == "none")) leave_out(root, {"tool_choice"}, splice);
}

// ---- Gemini: where its API has a list, a single element stands for one, as in every field of its kind ----

std::string text_part(const Value& text) {
    return fmt::format(R"({{"text":{}}})", text.raw());
}

void say_content(const Value& content, Splice& splice) {
    const auto role = content["role"].text();
    if (role == "tool") splice.replace(content["role"], "\"user\"");
    if (role == "assistant") splice.replace(content["role"], "\"model\"");
    const Value parts = content["parts"];
    if (parts.string())
        splice.replace(parts, "[" + text_part(parts) + "]");
    else if (parts.is(Kind::object))
        put_in_list(parts, splice);
    if (!parts.is(Kind::array)) return;
    for (const Value part : parts.children())
        if (part.string()) splice.replace(part, text_part(part));
    splice.leave_out(parts, [](const Value& part) { return part.is(Kind::object) && part.size() == 0; });
}

void say_contents(const Value& contents, Splice& splice) {
    if (contents.string()) {
        splice.replace(contents, fmt::format(R"([{{"role":"user","parts":[{}]}}])", text_part(contents)));
    } else if (contents.is(Kind::object)) {
        put_in_list(contents, splice);
        say_content(contents, splice);
    } else {
        for (const Value content : contents.children()) {
            if (content.string())
                splice.replace(content, fmt::format(R"({{"role":"user","parts":[{}]}})", text_part(content)));
            else
                say_content(content, splice);
        }
    }
}

void say_system(const Value& system, Splice& splice) {
    if (system.string()) {
        splice.replace(system, fmt::format(R"({{"parts":[{}]}})", text_part(system)));
    } else if (system.is(Kind::array) || (given(system["text"]) && !system["parts"].exists())) {
        splice.insert(system.offset(), system.is(Kind::array) ? R"({"parts":)" : R"({"parts":[)");
        splice.insert(system.offset() + system.raw().size(), system.is(Kind::array) ? "}" : "]}");
    } else {
        say_content(system, splice);
    }
}

void say_gemini(const Value& root, Splice& splice) {
    if (given(root["generateContentRequest"])) return say_gemini(root["generateContentRequest"], splice);
    say_contents(root["contents"], splice);
    say_content(root["content"], splice);
    for (const Value request : root["requests"].children()) say_content(request["content"], splice);
    for (const auto* name : {"systemInstruction", "system_instruction"})
        if (given(root[name])) say_system(root[name], splice);
    const Value tools = root["tools"];
    if (tools.is(Kind::object)) put_in_list(tools, splice);
    auto one = [&](const Value& tool) {
        for (const auto* name : {"functionDeclarations", "function_declarations"})
            if (tool[name].is(Kind::object)) put_in_list(tool[name], splice);
    };
    if (tools.is(Kind::object)) one(tools);
    if (tools.is(Kind::array))
        for (const Value tool : tools.children()) one(tool);
}

// ---- Ollama ----

void say_images(const Value& images, Splice& splice) {
    constexpr std::string_view kMark = ";base64,";
    for (const Value image : images.children()) {
        const auto text = image.text();
        const auto mark = text.starts_with("data:") ? text.substr(0, 200).find(kMark) : std::string_view::npos;
        if (mark != std::string_view::npos) splice.replace(image, json::quoted(text.substr(mark + kMark.size())));
    }
}

void say_ollama_message(const Value& message, Splice& splice) {
    if (message["role"].text() == "developer") splice.replace(message["role"], "\"system\"");
    const Value content = message["content"];
    if (content.exists() && content.is_null()) splice.replace(content, "\"\"");
    std::string text;
    bool texts = content.is(Kind::array);
    for (const Value part : content.children()) {
        texts = texts && part["text"].string();
        if (!text.empty()) text += "\n";
        text += part["text"].text();
    }
    if (texts) splice.replace(content, json::quoted(text));
    say_images(message["images"], splice);
    for (const Value call : message["tool_calls"].children()) {
        const Value function = call["function"], arguments = function["arguments"];
        json::Document read;
        if (!function.is(Kind::object) || arguments.is(Kind::object)) continue;
        if (!given(arguments) || trim(arguments.text()).empty())
            splice.set(function, "arguments", "{}");
        else if (read.parse(arguments.text()) && read.root().is(Kind::object))
            splice.replace(arguments, std::string(arguments.text()));
    }
}

void say_ollama(const Value& root, Splice& splice) {
    for (const Value message : root["messages"].children()) say_ollama_message(message, splice);
    say_images(root["images"], splice);
}

// The model that Azure's clients name in their address.
std::string deployment_in(std::string_view path) {
    constexpr std::string_view kBegin = "/openai/deployments/";
    if (!path.starts_with(kBegin)) return {};
    path.remove_prefix(kBegin.size());
    return std::string(path.substr(0, path.find('/')));
}

}  // namespace

std::optional<std::string> in_own_words(dialect::Kind kind, const Incoming& incoming) {
    const Value root = incoming.body.root();
    if (!root.is(json::Kind::object)) return std::nullopt;
    Splice splice(incoming.body);
    switch (kind) {
        case dialect::Kind::openai_chat:
            say_chat(root, splice);
            break;
        case dialect::Kind::openai_responses:
            say_responses(root, splice);
            break;
        case dialect::Kind::anthropic:
            say_anthropic(root, splice);
            break;
        case dialect::Kind::gemini:
            say_gemini(root, splice);
            break;
        case dialect::Kind::ollama:
            say_ollama(root, splice);
            break;
    }
    if (const auto model = deployment_in(incoming.path); !model.empty()) splice.set(root, "model", json::quoted(model));
    if (splice.empty()) return std::nullopt;
    return splice.take();
}

}  // namespace tandem::dialect
