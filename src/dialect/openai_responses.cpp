// Requests of OpenAI Responses; its answers are in openai_responses_answer.cpp.
#include "dialect/openai_responses.h"

#include <fmt/format.h>

#include <algorithm>

#include "dialect/fields.h"
#include "dialect/responses_items.h"
#include "dialect/sequence.h"
#include "dialect/web_search.h"

namespace tandem::dialect::openai_responses {

namespace {

using chat::Role;
using json::Kind;
using json::Value;

constexpr std::string_view kName = "openai-responses";

Result<chat::Part> read_part(const Value& value, const std::string& param) {
    const auto type = value["type"].string();
    if (!value.is(Kind::object) || !type) return wrong(param, "an object with a 'type'");
    chat::Part part;
    if (*type == "input_text" || *type == "output_text" || *type == "text") {
        const auto text = value["text"].string();
        if (!text) return wrong(param + ".text", "a string");
        part.body = chat::TextPart{std::string(*text)};
        return part;
    }
    if (*type == "refusal") {
        part.body = chat::RefusalPart{std::string(value["refusal"].text())};
        return part;
    }
    if (*type == "input_image") {
        chat::ImagePart image;
        if (const auto url = value["image_url"].string()) image.media = media_of_url(*url);
        image.media.file_id = value["file_id"].text();
        if (value["detail"].text() != "auto") image.detail = value["detail"].text();
        if (image.media == chat::Media{}) return wrong(param + ".image_url", "a URL, or a file_id");
        part.body = std::move(image);
        return part;
    }
    if (*type == "input_file") {
        chat::DocumentPart document;
        if (const auto data = value["file_data"].string()) document.media = media_of_url(*data);
        if (const auto url = value["file_url"].string()) document.media.url = *url;
        document.media.file_id = value["file_id"].text();
        document.name = value["filename"].text();
        if (document.media.data.empty() && document.media.url.empty() && document.media.file_id.empty())
            return wrong(param, "an input_file with file_data (a data: URL), file_url or file_id");
        part.body = std::move(document);
        return part;
    }
    if (*type == "input_audio" && !value["input_audio"]["data"].text().empty()) {
        const Value audio = value["input_audio"];
        part.body = chat::AudioPart{
            {{}, "audio/" + std::string(audio["format"].text()), std::string(audio["data"].text()), {}}};
        return part;
    }
    // An item in a part's place would be sent on as an item, which is not what its client said.
    for (const auto* item : {"message", "reasoning", "function_call", "function_call_output", "custom_tool_call",
                             "custom_tool_call_output"})
        if (*type == item) return wrong(param, fmt::format("a part; {} is an item of input", item));
    if (*type == "summary_text" || *type == "reasoning_text") {
        part.body = chat::TextPart{std::string(value["text"].text())};
        return part;
    }
    part.body = chat::OtherPart{std::string(*type), {std::string(value.raw())}, param, {}, false};
    return part;
}

// Items of the model that follow each other are one turn.
void add_to_answer(chat::Request& request, chat::Part part) {
    if (request.messages.empty() || request.messages.back().role != Role::assistant)
        request.messages.push_back({Role::assistant, {}, {}, {}});
    request.messages.back().parts.push_back(std::move(part));
}

chat::ReasoningPart read_reasoning(const Value& item) {
    chat::ReasoningPart part;
    read_signature(item["encrypted_content"].text(), kName, part);
    if (part.dialect == kName && !part.signature.empty())
        part.signature = fmt::format("{}|{}", item["id"].text(), part.signature);
    for (const auto* field : {"summary", "content"})
        for (const Value piece : item[field].children()) {
            if (!part.text.empty()) part.text += "\n\n";
            part.text += piece["text"].text();
        }
    return part;
}

// By what name the request knows a tool that its client calls so.
std::string name_of_call(const chat::Request& request, std::string_view space, const std::string& name) {
    if (space.empty()) return name;
    for (const auto& tool : request.tools)
        if (tool.space == space && tool.name_in_space == name) return tool.name;
    return name_in(space, name);
}

Result<> read_item(const Value& item, const std::string& param, chat::Request& request) {
    if (!item.is(Kind::object)) return wrong(param, "an object");
    const auto type = item["type"].string().value_or("message");
    if (type == "message") {
        const auto role = item["role"].text();
        if (role != "user" && role != "assistant" && role != "system" && role != "developer")
            return wrong(param + ".role", "user, assistant, system or developer");
        auto parts = read_parts(item["content"], param + ".content", "parts", read_part);
        if (!parts) return fail(parts.error());
        if (role == "assistant") {
            for (auto& part : *parts) add_to_answer(request, std::move(part));
        } else {
            request.messages.push_back({role == "user"     ? Role::user
                                        : role == "system" ? Role::system
                                                           : Role::developer,
                                        std::move(*parts),
                                        {},
                                        {}});
        }
    } else if (type == "function_call" || type == "custom_tool_call") {
        chat::ToolCallPart call;
        call.custom = type == "custom_tool_call";
        if (auto ok = read_string(item["call_id"], param + ".call_id", call.id); !ok) return ok;
        if (auto ok = read_string(item["name"], param + ".name", call.name); !ok) return ok;
        call.name = name_of_call(request, item["namespace"].text(), call.name);
        const char* field = call.custom ? "input" : "arguments";
        if (item[field].is(Kind::object))
            call.arguments = item[field].raw();
        else if (auto ok = read_string(item[field], param + "." + field, call.arguments); !ok)
            return ok;
        add_to_answer(request, {std::move(call), {}});
    } else if (type == "function_call_output" || type == "custom_tool_call_output") {
        chat::ToolResultPart result;
        result.custom = type == "custom_tool_call_output";
        if (auto ok = read_string(item["call_id"], param + ".call_id", result.call_id); !ok) return ok;
        const Value output = item["output"];
        // A string or a list of parts; an object, as some clients send it, is its JSON.
        if (output.is(Kind::object)) {
            result.content.push_back({chat::TextPart{std::string(output.raw())}, {}});
        } else {
            auto content = read_parts(output, param + ".output", "parts", read_part);
            if (!content) return fail(content.error());
            result.content = std::move(*content);
        }
        request.messages.push_back({Role::tool, {{std::move(result), {}}}, {}, {}});
    } else if (type == "reasoning") {
        add_to_answer(request, {read_reasoning(item), {}});
    } else if (type != "additional_tools") {  // whose tools stand among the others
        read_other_item(item, param, request.messages);
    }
    return {};
}

Result<> read_input(const Value& root, chat::Request& request) {
    if (const auto text = root["instructions"].string(); text && !text->empty())
        request.messages.push_back({Role::system, {{chat::TextPart{std::string(*text)}, {}}}, {}, {}});
    const Value input = root["input"];
    if (const auto text = input.string()) {
        request.messages.push_back({Role::user, {{chat::TextPart{std::string(*text)}, {}}}, {}, {}});
        return {};
    }
    if (!input.is(Kind::array)) return wrong("input", "a string or a list of items");
    std::size_t number = 0;
    for (const Value item : input.children())
        if (auto ok = read_item(item, fmt::format("input[{}]", number++), request); !ok) return ok;
    if (request.messages.empty()) return wrong("input", "at least one item");
    return {};
}

// A name that no tool of the request has.
std::string unused(const chat::Request& request, const std::string& wanted) {
    auto name = wanted;
    for (int number = 2; std::ranges::find(request.tools, name, &chat::Tool::name) != request.tools.end(); ++number)
        name = fmt::format("{}_{}", wanted, number);
    return name;
}

bool is_same_place(const chat::Tool& a, const chat::Tool& b) {
    const auto& own_name = [](const chat::Tool& t) -> const std::string& {
        return t.space.empty() ? t.name : t.name_in_space;
    };
    return a.kind != chat::Tool::Kind::hosted && b.kind != chat::Tool::Kind::hosted && a.space == b.space &&
           own_name(a) == own_name(b);
}

// The newest definition of a tool counts.
void add_tool(chat::Request& request, chat::Tool tool) {
    const auto same = std::ranges::find_if(request.tools, [&](const auto& t) { return is_same_place(t, tool); });
    if (same != request.tools.end()) {
        tool.name = same->name;
        *same = std::move(tool);
        return;
    }
    const auto taken = std::ranges::find(request.tools, tool.name, &chat::Tool::name);
    if (!tool.space.empty()) {
        tool.name = unused(request, name_in(tool.space, tool.name_in_space));
    } else if (taken != request.tools.end() && !taken->space.empty()) {
        // The client calls this one so itself; that of a namespace has its name from us, and takes another one.
        const auto other = static_cast<std::size_t>(taken - request.tools.begin());
        request.tools.push_back(std::move(tool));
        auto& renamed = request.tools[other];
        renamed.name = unused(request, name_in(renamed.space, renamed.name_in_space));
        return;
    }
    request.tools.push_back(std::move(tool));
}

Result<> read_tool(const Value& element, const std::string& here, chat::Request& request, const Value& space) {
    if (!element.is(Kind::object)) return wrong(here, "an object");
    const auto type = element["type"].text();
    if (type == "namespace" && !given(space)) {
        if (!element["name"].string()) return wrong(here + ".name", "a string");
        std::size_t number = 0;
        for (const Value inner : element["tools"].children())
            if (auto ok = read_tool(inner, fmt::format("{}.tools[{}]", here, number++), request, element); !ok)
                return ok;
        return {};
    }
    chat::Tool tool;
    if (type == "function" || type == "custom") {
        const bool custom = type == "custom";
        if (!element["name"].string()) return wrong(here + ".name", "a string");
        tool.kind = custom ? chat::Tool::Kind::custom : chat::Tool::Kind::function;
        tool.name = element["name"].text();
        if (auto ok = read_string(element["description"], here + ".description", tool.description); !ok) return ok;
        if (auto ok = read_flag(element["strict"], here + ".strict", tool.strict); !ok) return ok;
        tool.parameters = raw_of(element[custom ? "format" : "parameters"]);
        keep_unknown(element, {"type", "name", "description", "strict", custom ? "format" : "parameters"}, tool.extra);
        if (given(space)) {
            tool.space = space["name"].text();
            tool.space_description = space["description"].text();
            tool.name_in_space = tool.name;
        }
    } else if (type == "tool_search" && element["execution"].text() == "client") {
        // The client searches for more tools itself: to everybody else that is a function.
        tool.name = type;
        tool.description = element["description"].text();
        tool.parameters = raw_of(element["parameters"]);
        tool.hosted.json = element.raw();
    } else {
        tool.kind = chat::Tool::Kind::hosted;
        tool.service = service_of(type);
        tool.name = type;
        tool.hosted.json = element.raw();
    }
    if (request.tools.size() >= chat::kMostTools)
        return fail(
            Fault::too_many_items,
            fmt::format("the request has more than {} tools, which are the most that is taken", chat::kMostTools));
    add_tool(request, std::move(tool));
    return {};
}

Result<> read_tool_list(const Value& tools, const std::string& param, chat::Request& request) {
    if (given(tools) && !tools.is(Kind::array)) return wrong(param, "a list");
    std::size_t number = 0;
    for (const Value element : tools.children())
        if (auto ok = read_tool(element, fmt::format("{}[{}]", param, number++), request, Value()); !ok) return ok;
    return {};
}

// Those of the request, and those that items of its input bring along.
Result<> read_all_tools(const Value& root, chat::Request& request) {
    if (auto ok = read_tool_list(root["tools"], "tools", request); !ok) return ok;
    std::size_t number = 0;
    for (const Value item : root["input"].children()) {
        const auto here = fmt::format("input[{}].tools", number++);
        const auto type = item["type"].text();
        if (type == "additional_tools" || type == "tool_search_output")
            if (auto ok = read_tool_list(item["tools"], here, request); !ok) return ok;
    }
    return {};
}

void read_allowed_tools(const Value& value, chat::ToolChoice& choice) {
    if (value["type"].text() != "allowed_tools") return;
    choice.must_call = value["mode"].text() == "required";
    for (const Value tool : value["tools"].children())
        if (const auto name = tool["name"].string()) choice.allowed.emplace_back(*name);
}

Result<> read_tool_choice(const Value& root, chat::Request& request) {
    using Choice = chat::ToolChoice::Kind;
    auto& choice = request.tool_choice;
    const Value value = root["tool_choice"];
    if (!given(value)) return {};
    if (read_choice(value.text(), choice)) return {};
    const auto type = value["type"].text();
    const auto hosted = std::ranges::find_if(request.tools, [&](const chat::Tool& tool) {
        return tool.kind == chat::Tool::Kind::hosted && tool.name == type;
    });
    if (!value.is(Kind::object)) return wrong("tool_choice", "none, auto, required, or an object that names a tool");
    if ((type == "function" || type == "custom") && value["name"].string()) {
        choice.kind = Choice::named;
        choice.name = name_of_call(request, value["namespace"].text(), std::string(value["name"].text()));
    } else if (hosted != request.tools.end()) {
        choice.kind = Choice::named;
        choice.name = hosted->name;
    } else {
        choice.kind = Choice::other;
        choice.other = raw_of(value);
        read_allowed_tools(value, choice);
    }
    return {};
}

Result<> read_text(const Value& text, chat::Request& request) {
    if (!given(text)) return {};
    if (auto ok = read_string(text["verbosity"], "text.verbosity", request.verbosity); !ok) return ok;
    const Value value = text["format"];
    if (!given(value)) return {};
    using Format = chat::ResponseFormat::Kind;
    auto& format = request.response_format;
    const auto type = value["type"].text();
    if (type == "text") {
        format.kind = Format::text;
    } else if (type == "json_object") {
        format.kind = Format::json_object;
    } else if (type == "json_schema") {
        format.kind = Format::json_schema;
        if (auto ok = read_string(value["name"], "text.format.name", format.name); !ok) return ok;
        if (auto ok = read_flag(value["strict"], "text.format.strict", format.strict); !ok) return ok;
        format.description = value["description"].text();
        format.schema = raw_of(value["schema"]);
    } else {
        format.kind = Format::other;
        format.other.json = value.raw();
    }
    return {};
}

// ---- encoding ----

void write_part(json::Writer& out, const chat::Part& part, bool answer) {
    if (const auto* other = part.as<chat::OtherPart>()) {
        out.raw(other->json.json);
        return;
    }
    out.begin_object();
    if (const auto* text = part.as<chat::TextPart>()) {
        out.member("type", answer ? "output_text" : "input_text").member("text", text->text);
        if (answer) out.key("annotations").begin_array().end_array();
    } else if (const auto* refusal = part.as<chat::RefusalPart>()) {
        out.member("type", "refusal").member("refusal", refusal->text);
    } else if (const auto* image = part.as<chat::ImagePart>()) {
        out.member("type", "input_image");
        if (!image->media.file_id.empty())
            out.member("file_id", image->media.file_id);
        else
            out.member("image_url", url_of(image->media));
        out.member("detail", image->detail.empty() ? "auto" : image->detail);
    } else if (const auto* document = part.as<chat::DocumentPart>()) {
        out.member("type", "input_file");
        if (!document->media.file_id.empty())
            out.member("file_id", document->media.file_id);
        else if (!document->media.url.empty())
            out.member("file_url", document->media.url);
        else
            out.member("file_data", url_of(document->media));
        if (!document->name.empty()) out.member("filename", document->name);
    }
    out.end_object();
}

// The name of a tool, and the namespace in which it has it at the client. `plain`: for a server that is not OpenAI
// itself, and knows no namespaces.
void write_name(json::Writer& out, const chat::Request& request, const std::string& name, bool plain) {
    const auto tool = std::ranges::find(request.tools, name, &chat::Tool::name);
    const bool spaced = !plain && tool != request.tools.end() && !tool->space.empty();
    out.member("name", spaced ? tool->name_in_space : name);
    if (spaced) out.member("namespace", tool->space);
}

void write_call(json::Writer& out, const chat::ToolCallPart& call, const chat::Request& request, bool plain) {
    if (call.item.given()) {
        out.raw(call.item.json);
        return;
    }
    out.begin_object().member("type", call.custom ? "custom_tool_call" : "function_call").member("call_id", call.id);
    write_name(out, request, call.name, plain);
    out.member(call.custom ? "input" : "arguments", call.arguments).end_object();
}

void write_result(json::Writer& out, const chat::ToolResultPart& result) {
    if (result.item.given()) {
        out.raw(result.item.json);
        return;
    }
    out.begin_object().member("type", result.custom ? "custom_tool_call_output" : "function_call_output");
    out.member("call_id", result.call_id).key("output");
    if (result.content.size() == 1 && result.content[0].as<chat::TextPart>()) {
        out.value(result.content[0].as<chat::TextPart>()->text);
    } else if (result.content.empty()) {
        out.value("");
    } else {
        out.begin_array();
        for (const auto& part : result.content) write_part(out, part, false);
        out.end_array();
    }
    out.end_object();
}

void write_reasoning(json::Writer& out, const chat::ReasoningPart& reasoning) {
    const auto bar = reasoning.signature.find('|');
    out.begin_object().member("type", "reasoning");
    if (bar != std::string::npos) out.member("id", reasoning.signature.substr(0, bar));
    out.key("summary").begin_array();
    if (!reasoning.text.empty())
        out.begin_object().member("type", "summary_text").member("text", reasoning.text).end_object();
    out.end_array();
    if (bar != std::string::npos) out.member("encrypted_content", reasoning.signature.substr(bar + 1));
    out.end_object();
}

// One turn: texts that follow each other are one message item, calls and reasoning are items of their own.
void write_turn(json::Writer& out, const chat::Message& message, const chat::Request& request, bool plain) {
    static constexpr std::array<std::string_view, 5> kRoles = {"system", "developer", "user", "assistant", "tool"};
    const bool answer = message.role == Role::assistant;
    const auto role = plain && message.role == Role::developer ? Role::system : message.role;
    bool open = false;
    auto close = [&] {
        if (std::exchange(open, false)) out.end_array().end_object();
    };
    for (const auto& part : message.parts) {
        const auto* other = part.as<chat::OtherPart>();
        if (const auto* call = part.as<chat::ToolCallPart>()) {
            close();
            write_call(out, *call, request, plain);
        } else if (const auto* result = part.as<chat::ToolResultPart>()) {
            close();
            write_result(out, *result);
        } else if (const auto* reasoning = part.as<chat::ReasoningPart>()) {
            close();
            write_reasoning(out, *reasoning);
        } else if (other != nullptr && (answer || other->alone)) {  // an item that we do not know
            close();
            out.raw(other->json.json);
        } else {
            if (!std::exchange(open, true)) {
                out.begin_object().member("type", "message").member("role", kRoles[static_cast<std::size_t>(role)]);
                out.key("content").begin_array();
            }
            write_part(out, part, answer);
        }
    }
    close();
}

void write_tool(json::Writer& out, const chat::Tool& tool, bool plain) {
    if (tool.kind == chat::Tool::Kind::hosted || (tool.hosted.given() && !plain)) {
        out.raw(tool.hosted.json);
        return;
    }
    const bool custom = tool.kind == chat::Tool::Kind::custom;
    out.begin_object().member("type", custom ? "custom" : "function");
    out.member("name", plain || tool.space.empty() ? tool.name : tool.name_in_space);
    if (!tool.description.empty()) out.member("description", tool.description);
    write_raw(out, custom ? "format" : "parameters", tool.parameters);
    // Left out, it means true here and false in every other dialect.
    if (!custom) out.member("strict", tool.strict.value_or(false));
    write_extra(out, tool.extra);
    out.end_object();
}

// With those of its namespace that stand behind it.
void write_space(json::Writer& out, const std::vector<chat::Tool>& tools, const chat::Tool& first) {
    out.begin_object().member("type", "namespace").member("name", first.space);
    out.member("description", first.space_description).key("tools").begin_array();
    for (const auto& tool : tools)
        if (tool.space == first.space) write_tool(out, tool, false);
    out.end_array().end_object();
}

void write_tools(json::Writer& out, const chat::Request& request, bool plain) {
    const auto& tools = request.tools;
    if (!tools.empty()) {
        out.key("tools").begin_array();
        for (const auto& tool : tools) {
            if (plain || tool.space.empty())
                write_tool(out, tool, plain);
            else if (&*std::ranges::find(tools, tool.space, &chat::Tool::space) == &tool)
                write_space(out, tools, tool);
        }
        out.end_array();
    }
    using Choice = chat::ToolChoice::Kind;
    const auto& choice = request.tool_choice;
    write_choice(out, choice);
    if (choice.kind == Choice::named) {
        const auto tool = std::ranges::find(request.tools, choice.name, &chat::Tool::name);
        const auto kind = tool == request.tools.end() ? chat::Tool::Kind::function : tool->kind;
        out.key("tool_choice").begin_object();
        if (kind == chat::Tool::Kind::hosted) {
            out.member("type", tool->name).end_object();
        } else {
            out.member("type", kind == chat::Tool::Kind::custom ? "custom" : "function");
            write_name(out, request, choice.name, plain);
            out.end_object();
        }
    }
    if (request.parallel_tool_calls) out.member("parallel_tool_calls", *request.parallel_tool_calls);
}

void write_text(json::Writer& out, const chat::Request& request) {
    using Format = chat::ResponseFormat::Kind;
    const auto& format = request.response_format;
    if (format.kind == Format::unset && request.verbosity.empty()) return;
    out.key("text").begin_object();
    if (format.kind == Format::other) {
        out.raw_member("format", format.other.json);
    } else if (format.kind != Format::unset) {
        out.key("format").begin_object();
        out.member("type", format.kind == Format::text          ? "text"
                           : format.kind == Format::json_object ? "json_object"
                                                                : "json_schema");
        if (format.kind == Format::json_schema) {
            out.member("name", format.name);
            if (!format.description.empty()) out.member("description", format.description);
            write_raw(out, "schema", format.schema);
            if (format.strict) out.member("strict", *format.strict);
        }
        out.end_object();
    }
    if (!request.verbosity.empty()) out.member("verbosity", request.verbosity);
    out.end_object();
}

bool is_developers(const Value& item) {
    return item["role"].text() == "developer";
}

bool has_developer(const Value& input) {
    for (const Value item : input.children())
        if (is_developers(item)) return true;
    return false;
}

std::string without_developer(const Value& input) {
    json::Writer out;
    out.begin_array();
    for (const Value item : input.children())
        out.raw(is_developers(item) ? with_members(item, {{"role", "\"system\""}}) : std::string(item.raw()));
    out.end_array();
    return out.take();
}

class OpenAiResponses final : public Dialect {
  public:
    dialect::Kind kind() const override { return dialect::Kind::openai_responses; }
    std::string encode_count(std::int64_t tokens) const override {
        return fmt::format("{{\"object\":\"response.input_tokens\",\"input_tokens\":{}}}", tokens);
    }
    void know_names(const chat::Request& request, Events& events) const override { know_spaces(request, events); }
    std::unique_ptr<chat::EventFilter> names_filter(const chat::Request& request) const override {
        return spaces_filter(request);
    }

    Result<chat::Request> decode_request(const Incoming& incoming) const override {
        const Value root = incoming.body.root();
        if (!root.is(Kind::object)) return fail(Fault::invalid_json, "the body must be a JSON object");
        chat::Request request;
        request.dialect = kName;
        const auto model = root["model"].string();
        if (!model || model->empty()) return wrong("model", "the name of an alias or a model, such as \"auto\"");
        request.model = *model;
        if (auto ok = read_all_tools(root, request); !ok) return fail(ok.error());
        if (auto ok = read_input(root, request); !ok) return fail(ok.error());
        if (auto ok = read_tool_choice(root, request); !ok) return fail(ok.error());
        if (auto ok = read_text(root["text"], request); !ok) return fail(ok.error());
        if (auto ok = read_rest(root, request); !ok) return fail(ok.error());
        keep_unknown(root,
                     {"model", "input", "instructions", "tools", "tool_choice", "text", "stream", "parallel_tool_calls",
                      "reasoning", "max_output_tokens", "temperature", "top_p", "top_logprobs", "store",
                      "previous_response_id", "conversation", "background", "presence_penalty", "frequency_penalty"},
                     request.extra);
        return request;
    }

    Outgoing encode_request(const chat::Request& request, const Target& target) const override {
        json::Writer out;
        out.begin_object().member("model", target.model);
        std::size_t first = 0;
        if (!request.messages.empty()) {
            const auto& m = request.messages[0];
            if (m.role == Role::system && m.parts.size() == 1 && m.parts[0].as<chat::TextPart>() &&
                !m.parts[0].as<chat::TextPart>()->text.empty() && m.extra.empty()) {
                out.member("instructions", m.parts[0].as<chat::TextPart>()->text);
                first = 1;
            }
        }
        out.key("input").begin_array();
        for (std::size_t i = first; i < request.messages.size(); ++i)
            write_turn(out, request.messages[i], request, target.plain);
        out.end_array();
        write_tools(out, request, target.plain);
        write_text(out, request);
        if (const auto most = bound_of(request, target)) out.member("max_output_tokens", *most);
        if (target.stream) out.member("stream", true);
        write_raw(out, "temperature", request.sampling.temperature);
        write_raw(out, "top_p", request.sampling.top_p);
        if (request.top_logprobs) out.member("top_logprobs", *request.top_logprobs);
        if (!request.thinking.effort.empty() || !request.thinking.summary.empty()) {
            out.key("reasoning").begin_object();
            if (!request.thinking.effort.empty()) out.member("effort", request.thinking.effort);
            if (!request.thinking.summary.empty()) out.member("summary", request.thinking.summary);
            out.end_object();
        }
        // The conversation is kept here: nothing is left at the provider, and what it thought comes back sealed.
        if (target.takes_store) out.member("store", false);
        const bool includes = std::ranges::any_of(request.extra, [](const auto& e) { return e.first == "include"; });
        if (!includes && target.takes_include)
            out.key("include").begin_array().value("reasoning.encrypted_content").end_array();
        write_extra(out, request.extra);
        out.end_object();
        return {"/responses", out.take()};
    }

    Outgoing forward_request(const Incoming& incoming, const Target& target) const override {
        const Value root = incoming.body.root();
        std::vector<std::pair<std::string_view, std::string>> members = {{"model", json::quoted(target.model)},
                                                                         {"store", target.takes_store ? "false" : ""}};
        for (const auto* ours : {"previous_response_id", "conversation", "background"})
            if (root[ours].exists()) members.emplace_back(ours, "");
        if (const auto most = bound_to_set(root["max_output_tokens"], target))
            members.emplace_back("max_output_tokens", std::to_string(*most));
        if (target.plain && has_developer(root["input"]))
            members.emplace_back("input", without_developer(root["input"]));
        // Whether it streams to us is our matter: a background request is stored as it comes.
        if (root["stream"].boolean().value_or(false) != target.stream)
            members.emplace_back("stream", target.stream ? "true" : "false");
        return {"/responses", with_members(root, members)};
    }

    std::unique_ptr<AnswerReader> reader() const override { return make_reader(); }
    std::unique_ptr<AnswerWriter> writer(AnswerFrame frame) const override { return make_writer(std::move(frame)); }
    ErrorReply encode_error(const Error& error) const override { return openai_responses::encode_error(error); }

  private:
    static Result<> read_rest(const Value& root, chat::Request& request) {
        if (auto ok = read_flag(root["stream"], "stream", request.stream); !ok) return ok;
        request.include_usage = true;
        if (auto ok = read_flag(root["parallel_tool_calls"], "parallel_tool_calls", request.parallel_tool_calls); !ok)
            return ok;
        const Value reasoning = root["reasoning"];
        if (given(reasoning) && !reasoning.is(Kind::object)) return wrong("reasoning", "an object");
        if (auto ok = read_string(reasoning["effort"], "reasoning.effort", request.thinking.effort); !ok) return ok;
        if (auto ok = read_string(reasoning["summary"], "reasoning.summary", request.thinking.summary); !ok) return ok;
        if (auto ok = read_count(root["max_output_tokens"], "max_output_tokens", request.max_output_tokens); !ok)
            return ok;
        if (auto ok = read_count(root["top_logprobs"], "top_logprobs", request.top_logprobs, 0); !ok) return ok;
        if (auto ok = read_number(root["temperature"], "temperature", request.sampling.temperature); !ok) return ok;
        if (auto ok = read_number(root["presence_penalty"], "presence_penalty", request.sampling.presence_penalty); !ok)
            return ok;
        if (auto ok = read_number(root["frequency_penalty"], "frequency_penalty", request.sampling.frequency_penalty);
            !ok)
            return ok;
        return read_number(root["top_p"], "top_p", request.sampling.top_p);
    }
};

}  // namespace

const Dialect& dialect() {
    static const OpenAiResponses instance;
    return instance;
}

namespace {

constexpr std::string_view kPlainText = R"({"type":"text"})";

std::string text_of(const Value& text) {
    if (!text.is(Kind::object)) return fmt::format("{{\"format\":{}}}", kPlainText);
    return given(text["format"]) ? std::string(text.raw()) : with_members(text, {{"format", std::string(kPlainText)}});
}

// Functions with all members that the schema of a response has for them.
std::string tools_of(const Value& tools) {
    json::Writer out;
    out.begin_array();
    for (const Value tool : tools.children()) {
        std::vector<std::pair<std::string_view, std::string>> missing;
        if (tool["type"].text() == "function")
            for (const auto* name : {"description", "parameters", "strict"})
                if (!tool[name].exists()) missing.emplace_back(name, "null");
        out.raw(missing.empty() ? std::string(tool.raw()) : with_members(tool, missing));
    }
    out.end_array();
    return out.take();
}

}  // namespace

std::string as_ours(const Value& response, const AnswerFrame& frame) {
    auto members = frame.own;
    const auto now = frame.now ? frame.now() : frame.created;
    auto add = [&](std::string_view name, std::string json) {
        const bool ours = std::ranges::find(members, name, [](const auto& m) { return m.first; }) != members.end();
        if (!ours && !response[name].exists()) members.emplace_back(name, std::move(json));
    };
    json::Document echo;
    if (echo.parse("{" + frame.echo + "}"))
        for (const Value member : echo.root().children()) add(member.key(), std::string(member.raw()));
    add("object", "\"response\"");
    add("created_at", std::to_string(frame.created));
    add("completed_at", response["status"].text() == "completed" ? std::to_string(now) : "null");
    for (const auto* name : {"error", "incomplete_details", "usage"}) add(name, "null");
    add("output", "[]");
    return with_members(response, members);
}

std::string echo_of(const json::Document& request) {
    const Value root = request.root();
    json::Writer out;
    out.begin_object();
    auto repeat = [&](const char* name, std::string_view otherwise) {
        out.raw_member(name, given(root[name]) ? root[name].raw() : otherwise);
    };
    repeat("background", "false");
    repeat("frequency_penalty", "0.0");
    repeat("instructions", "null");
    repeat("max_output_tokens", "null");
    repeat("max_tool_calls", "null");
    repeat("metadata", "{}");
    repeat("parallel_tool_calls", "true");
    repeat("previous_response_id", "null");
    if (given(root["conversation"])) {
        const Value conversation = root["conversation"];
        out.key("conversation").begin_object();
        out.member("id", conversation.is(Kind::object) ? conversation["id"].text() : conversation.text()).end_object();
    }
    repeat("presence_penalty", "0.0");
    repeat("prompt_cache_key", "null");
    const Value reasoning = root["reasoning"];
    out.key("reasoning").begin_object();
    out.raw_member("effort", given(reasoning["effort"]) ? reasoning["effort"].raw() : "null");
    out.raw_member("summary", given(reasoning["summary"]) ? reasoning["summary"].raw() : "null").end_object();
    repeat("safety_identifier", "null");
    repeat("service_tier", "\"default\"");
    repeat("store", "true");
    repeat("temperature", "1.0");
    out.raw_member("text", text_of(root["text"]));
    repeat("tool_choice", "\"auto\"");
    out.raw_member("tools", tools_of(root["tools"]));
    repeat("top_logprobs", "0");
    repeat("top_p", "1.0");
    repeat("truncation", "\"disabled\"");
    repeat("user", "null");
    out.end_object();
    const auto text = out.take();
    return text.substr(1, text.size() - 2);
}

std::string qualified(std::string_view space, std::string_view name) {
    return fmt::format("{}{{{}}}", space, name);
}

void know_spaces(const chat::Request& request, Events& events) {
    for (auto& event : events) {
        auto* call = std::get_if<chat::ToolCallDelta>(&event);
        if (call == nullptr || !call->name.ends_with('}')) continue;
        const auto brace = call->name.find('{');
        if (brace == std::string::npos) continue;
        const std::string_view all = call->name;
        const auto space = all.substr(0, brace), name = all.substr(brace + 1, all.size() - brace - 2);
        call->name = name_of_call(request, space, std::string(name));
    }
}

std::unique_ptr<chat::EventFilter> spaces_filter(const chat::Request& request) {
    class Filter final : public chat::EventFilter {
      public:
        explicit Filter(const chat::Request& request) : request_(request) {}
        void take(chat::Event event, std::vector<chat::Event>& out) override {
            Events one;
            one.push_back(std::move(event));
            know_spaces(request_, one);
            out.push_back(std::move(one.front()));
        }

      private:
        const chat::Request& request_;
    };
    return std::make_unique<Filter>(request);
}

std::string name_in(std::string_view space, std::string_view name) {
    return fmt::format("{}{}{}", space, space.ends_with("__") ? "" : "__", name);
}

std::vector<std::string> input_items(const Value& input) {
    std::vector<std::string> items;
    if (const auto text = input.string()) {
        json::Writer out;
        out.begin_object().member("type", "message").member("role", "user").key("content").begin_array();
        out.begin_object().member("type", "input_text").member("text", *text).end_object().end_array().end_object();
        items.push_back(out.take());
    }
    for (const Value item : input.children()) items.emplace_back(item.raw());
    return items;
}

}  // namespace tandem::dialect::openai_responses
