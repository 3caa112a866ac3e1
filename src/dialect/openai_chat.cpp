// Requests of Chat Completions; its answers are read in openai_chat_answer.cpp and written in openai_chat_writer.cpp.
#include "dialect/openai_chat.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "dialect/fields.h"
#include "dialect/web_search.h"

namespace tandem::dialect::openai_chat {

namespace {

using chat::Role;
using json::Kind;
using json::Value;

constexpr std::array<std::string_view, 5> kRoles = {"system", "developer", "user", "assistant", "tool"};
constexpr std::int64_t kMostChoices = 128;
constexpr std::string_view kName = "openai-chat";

// The id of a call that came as a legacy function_call, which has none: its number in the conversation.
std::string legacy_id(std::size_t number) {
    return fmt::format("call_function_{}", number);
}

Result<chat::Part> read_part(const Value& value, const std::string& param) {
    const auto type = value["type"].string();
    if (!value.is(Kind::object) || !type) return wrong(param, "an object with a 'type'");
    chat::Part part;
    part.cache = raw_of(value["cache_control"]);
    const auto members = value.size() - (part.cache.given() ? 1 : 0);
    const bool known = *type == "text" || *type == "refusal" || *type == "image_url";
    if (*type == "thinking") {  // Mistral's thoughts stand among its text
        part.body = chat::ReasoningPart{thinking_text(value), {}, false, std::string(kName)};
        return part;
    }
    if (*type == "text" || *type == "refusal") {
        const auto text = value[*type].string();
        if (!text) return wrong(param + "." + std::string(*type), "a string");
        if (*type == "refusal")
            part.body = chat::RefusalPart{std::string(*text)};
        else
            part.body = chat::TextPart{std::string(*text)};
        if (members == 2) return part;
    } else if (*type == "image_url") {
        const Value image = value["image_url"];
        const auto url = image["url"].string();
        if (!url) return wrong(param + ".image_url.url", "a string");
        chat::ImagePart body{media_of_url(*url), {}};
        if (auto ok = read_string(image["detail"], param + ".image_url.detail", body.detail); !ok)
            return fail(ok.error());
        part.body = std::move(body);
        if (members == 2 && image.size() == 1U + (given(image["detail"]) ? 1U : 0U)) return part;
    } else if (*type == "input_audio") {
        const Value audio = value["input_audio"];
        if (!audio["data"].text().empty() && audio["format"].string() && audio.size() == 2) {
            part.body = chat::AudioPart{
                {{}, "audio/" + std::string(audio["format"].text()), std::string(audio["data"].text()), {}}};
            return part;
        }
    } else if (*type == "file") {
        const Value file = value["file"];
        chat::DocumentPart body;
        if (const auto data = file["file_data"].string()) body.media = media_of_url(*data);
        body.media.file_id = file["file_id"].text();
        body.name = file["filename"].text();
        if (body.media.data.empty() == body.media.file_id.empty()) {
            part.body = chat::OtherPart{std::string(*type), {std::string(value.raw())}, param, {}, false};
            return part;
        }
        part.body = std::move(body);
        return part;
    }
    // Anything beside what we know is kept by keeping the whole; the others are told what we know of it.
    chat::OtherPart whole{std::string(*type), {std::string(value.raw())}, param, {}, false};
    if (known) whole.instead = std::vector<chat::Part>{{std::move(part.body), {}}};
    part.body = std::move(whole);
    return part;
}

// A string, or, from servers and clients that do not know that it is one, the object itself.
Result<> read_arguments(const Value& value, const std::string& param, std::string& target) {
    if (value.is(Kind::object)) {
        target = value.raw();
        return {};
    }
    return read_string(value, param, target);
}

Result<> read_tool_calls(const Value& value, const std::string& param, chat::Message& message) {
    if (!given(value)) return {};
    if (!value.is(Kind::array)) return wrong(param, "a list");
    std::size_t number = 0;
    for (const Value element : value.children()) {
        const std::string here = fmt::format("{}[{}]", param, number++);
        if (!element.is(Kind::object)) return wrong(here, "an object");
        chat::ToolCallPart call;
        call.custom = element["type"].text() == "custom";
        if (auto ok = read_string(element["id"], here + ".id", call.id); !ok) return ok;
        const Value body = element[call.custom ? "custom" : "function"];
        const std::string inside = here + (call.custom ? ".custom" : ".function");
        if (auto ok = read_string(body["name"], inside + ".name", call.name); !ok) return ok;
        if (auto ok = call.custom ? read_string(body["input"], inside + ".input", call.arguments)
                                  : read_arguments(body["arguments"], inside + ".arguments", call.arguments);
            !ok)
            return ok;
        keep_unknown(element, {"id", "type", "function", "custom", "index"}, call.extra);
        message.parts.push_back({std::move(call), {}});
    }
    return {};
}

// What an assistant thought: the text, and OpenRouter's list, in which the text stands too.
void read_thought(const Value& value, chat::Message& message) {
    chat::ReasoningPart thought{{}, {}, false, std::string(kName)};
    for (const auto* key : {"reasoning_content", "reasoning"})
        if (thought.text.empty()) thought.text = value[key].text();
    if (const Value details = value["reasoning_details"]; details.is(Kind::array) && details.size() > 0)
        thought.signature = std::string(kReasoningDetails) + on_one_line(std::string(details.raw()));
    if (!thought.text.empty() || !thought.signature.empty()) message.parts.push_back({std::move(thought), {}});
}

Result<chat::Message> read_message(const Value& value, const std::string& param, std::size_t& functions) {
    if (!value.is(Kind::object)) return wrong(param, "an object with a 'role'");
    chat::Message message;
    const auto role = value["role"].text();
    const auto* const place = std::ranges::find(kRoles, role);
    const bool function = role == "function";
    if (place == kRoles.end() && !function)
        return wrong(param + ".role", "one of system, developer, user, assistant, tool, function");
    message.role = function ? Role::tool : static_cast<Role>(place - kRoles.begin());
    if (message.role == Role::assistant) read_thought(value, message);
    auto content = read_parts(value["content"], param + ".content", "parts", read_part);
    if (!content) return fail(content.error());
    if (auto ok = read_string(value["name"], param + ".name", message.name); !ok) return fail(ok.error());
    if (!given(value["content"]) && message.role != Role::assistant)
        return wrong(param + ".content", "a string or a list of parts");
    if (message.role == Role::tool) {
        chat::ToolResultPart result;
        if (auto ok = read_string(value["tool_call_id"], param + ".tool_call_id", result.call_id); !ok)
            return fail(ok.error());
        if (function) result.call_id = legacy_id(functions == 0 ? 0 : functions - 1);
        result.name = std::exchange(message.name, {});
        result.content = std::move(*content);
        message.parts.push_back({std::move(result), {}});
        keep_unknown(value, {"role", "content", "tool_call_id", "name"}, message.extra);
        return message;  // a result neither calls nor refuses, whatever stands beside it
    }
    // An assistant that only called, or only thought, says "" or null.
    const bool said = message.role != Role::assistant || value["content"].string() != "";
    if (said) std::ranges::move(*content, std::back_inserter(message.parts));
    if (const auto refusal = value["refusal"].string(); refusal && !refusal->empty())
        message.parts.push_back({chat::RefusalPart{std::string(*refusal)}, {}});
    // Pictures that a model made stand beside its words (OpenRouter); clients send them back so.
    if (message.role == Role::assistant)
        for (const Value image : value["images"].children())
            if (const auto url = image["image_url"]["url"].string())
                message.parts.push_back({chat::ImagePart{media_of_url(*url), {}}, {}});
    if (auto ok = read_tool_calls(value["tool_calls"], param + ".tool_calls", message); !ok) return fail(ok.error());
    if (const Value call = value["function_call"]; given(call)) {
        chat::ToolCallPart part;
        part.id = legacy_id(functions++);
        if (auto ok = read_string(call["name"], param + ".function_call.name", part.name); !ok) return fail(ok.error());
        if (auto ok = read_arguments(call["arguments"], param + ".function_call.arguments", part.arguments); !ok)
            return fail(ok.error());
        message.parts.push_back({std::move(part), {}});
    }
    keep_unknown(
        value,
        {"role", "content", "tool_calls", "tool_call_id", "name", "refusal", "function_call",
         message.role == Role::assistant ? "reasoning_content" : "role",
         message.role == Role::assistant ? "reasoning" : "role", message.role == Role::assistant ? "images" : "role",
         message.role == Role::assistant ? "reasoning_details" : "role"},
        message.extra);
    return message;
}

Result<> read_messages(const Value& value, chat::Request& request) {
    if (!value.is(Kind::array) || value.size() == 0) return wrong("messages", "a list with at least one message");
    std::size_t functions = 0;
    for (const Value element : value.children()) {
        auto message = read_message(element, fmt::format("messages[{}]", request.messages.size()), functions);
        if (!message) return fail(message.error());
        request.messages.push_back(std::move(*message));
    }
    return {};
}

Result<> read_function(const Value& function, const std::string& here, chat::Tool& tool) {
    const auto name = function["name"].string();
    if (!name) return wrong(here + ".name", "a string");
    tool.name = *name;
    if (auto ok = read_string(function["description"], here + ".description", tool.description); !ok) return ok;
    if (auto ok = read_flag(function["strict"], here + ".strict", tool.strict); !ok) return ok;
    tool.parameters = raw_of(function["parameters"]);
    keep_unknown(function, {"name", "description", "strict", "parameters"}, tool.extra);
    return {};
}

Result<> read_tools(const Value& root, chat::Request& request) {
    const Value tools = root["tools"];
    if (given(tools) && !tools.is(Kind::array)) return wrong("tools", "a list");
    for (const Value element : tools.children()) {
        const auto here = fmt::format("tools[{}]", request.tools.size());
        if (!element.is(Kind::object)) return wrong(here, "an object");
        chat::Tool tool;
        tool.cache = raw_of(element["cache_control"]);
        const auto type = element["type"].text();
        if (type == "function") {
            if (auto ok = read_function(element["function"], here + ".function", tool); !ok) return ok;
        } else if (type == "custom") {
            const Value custom = element["custom"];
            tool.kind = chat::Tool::Kind::custom;
            if (!custom["name"].string()) return wrong(here + ".custom.name", "a string");
            tool.name = custom["name"].text();
            tool.description = custom["description"].text();
            tool.parameters = raw_of(custom["format"]);
        } else {
            tool.kind = chat::Tool::Kind::hosted;
            tool.service = service_of(type);
            tool.name = type;
            tool.hosted.json = element.raw();
        }
        request.tools.push_back(std::move(tool));
    }
    const Value functions = root["functions"];
    if (!given(functions)) return {};
    if (!functions.is(Kind::array)) return wrong("functions", "a list");
    request.legacy_functions = true;
    for (const Value element : functions.children()) {
        chat::Tool tool;
        if (auto ok = read_function(element, fmt::format("functions[{}]", request.tools.size()), tool); !ok) return ok;
        request.tools.push_back(std::move(tool));
    }
    return {};
}

Result<> read_tool_choice(const Value& root, chat::Request& request) {
    using Choice = chat::ToolChoice::Kind;
    const bool legacy = given(root["function_call"]);
    const Value value = legacy ? root["function_call"] : root["tool_choice"];
    if (!given(value)) return {};
    const auto text = value.text();
    auto& choice = request.tool_choice;
    if (value.is(Kind::object)) {
        const auto name =
            legacy ? value["name"] : value[value["type"].text() == "custom" ? "custom" : "function"]["name"];
        if (const auto named = name.string()) {
            choice.kind = Choice::named;
            choice.name = *named;
        } else {
            choice.kind = Choice::other;
            choice.other.json = value.raw();
            choice.must_call = value["allowed_tools"]["mode"].text() == "required";
            for (const Value tool : value["allowed_tools"]["tools"].children())
                if (const auto allowed = tool["function"]["name"].string()) choice.allowed.emplace_back(*allowed);
        }
    } else if (!read_choice(text, choice)) {
        return wrong(legacy ? "function_call" : "tool_choice", "none, auto, required, or an object that names a tool");
    }
    return {};
}

Result<> read_response_format(const Value& value, chat::Request& request) {
    using Format = chat::ResponseFormat::Kind;
    if (!given(value)) return {};
    const auto type = value["type"].string();
    if (!type) return wrong("response_format.type", "text, json_object or json_schema");
    auto& format = request.response_format;
    if (*type == "text") {
        format.kind = Format::text;
    } else if (*type == "json_object") {
        format.kind = Format::json_object;
        // llama-server's form: a schema beside it.
        if (given(value["schema"])) {
            format.kind = Format::json_schema;
            format.name = "answer";
            format.schema = raw_of(value["schema"]);
        }
    } else if (*type == "json_schema") {
        const Value schema = value["json_schema"];
        format.kind = Format::json_schema;
        if (auto ok = read_string(schema["name"], "response_format.json_schema.name", format.name); !ok) return ok;
        if (auto ok = read_flag(schema["strict"], "response_format.json_schema.strict", format.strict); !ok) return ok;
        format.description = schema["description"].text();
        format.schema = raw_of(schema["schema"]);
    } else {
        format.kind = Format::other;
        format.other.json = value.raw();
    }
    return {};
}

Result<> read_max_tokens(const Value& root, chat::Request& request) {
    const Value modern = root["max_completion_tokens"];
    const Value legacy = root["max_tokens"];
    if (given(modern) && given(legacy))
        return fail(Fault::conflicting_fields, "max_tokens and max_completion_tokens mean the same; give one of them",
                    "max_tokens");
    request.legacy_max_tokens = given(legacy);
    return given(modern) ? read_count(modern, "max_completion_tokens", request.max_output_tokens)
                         : read_count(legacy, "max_tokens", request.max_output_tokens);
}

Result<> read_rest(const Value& root, chat::Request& request) {
    if (auto ok = read_flag(root["stream"], "stream", request.stream); !ok) return ok;
    const Value options = root["stream_options"];
    if (given(options) && !options.is(Kind::object)) return wrong("stream_options", "an object");
    if (auto ok = read_flag(options["include_usage"], "stream_options.include_usage", request.include_usage); !ok)
        return ok;
    request.include_usage = request.include_usage && request.stream;
    if (auto ok = read_flag(root["parallel_tool_calls"], "parallel_tool_calls", request.parallel_tool_calls); !ok)
        return ok;
    if (auto ok = read_string(root["reasoning_effort"], "reasoning_effort", request.thinking.effort); !ok) return ok;
    if (auto ok = read_string(root["verbosity"], "verbosity", request.verbosity); !ok) return ok;
    if (const Value n = root["n"]; given(n)) {
        const auto count = n.integer();
        if (!count || *count < 1 || *count > kMostChoices)
            return wrong("n", fmt::format("a whole number from 1 to {}", kMostChoices));
        request.choices = *count;
    }
    if (auto ok = read_stops(root["stop"], "stop", request.stop); !ok) return ok;
    if (auto ok = read_max_tokens(root, request); !ok) return ok;
    if (auto ok = read_sampling(root, "", request.sampling); !ok) return ok;
    if (const Value bias = root["logit_bias"]; given(bias)) {
        if (!bias.is(Kind::object) && !bias.is(Kind::array)) return wrong("logit_bias", "an object");
        request.sampling.logit_bias.json = bias.raw();
    }
    return {};
}

// ---- encoding ----

constexpr std::string_view kMost = "max_completion_tokens", kLegacyMost = "max_tokens";

// What the bound of an answer is called: by the server's word, where that is known, else by the client's.
std::string_view most_word(std::string_view clients, const Target& target) {
    return target.most_word.empty() ? clients : target.most_word;
}

void write_part(json::Writer& out, const chat::Part& part) {
    if (const auto* other = part.as<chat::OtherPart>()) {
        out.raw(other->json.json);
        return;
    }
    out.begin_object();
    if (const auto* text = part.as<chat::TextPart>()) {
        out.member("type", "text").member("text", text->text);
    } else if (const auto* refusal = part.as<chat::RefusalPart>()) {
        out.member("type", "refusal").member("refusal", refusal->text);
    } else if (const auto* image = part.as<chat::ImagePart>()) {
        out.member("type", "image_url").key("image_url").begin_object().member("url", url_of(image->media));
        if (!image->detail.empty()) out.member("detail", image->detail);
        out.end_object();
    } else if (const auto* audio = part.as<chat::AudioPart>()) {
        const auto slash = audio->media.media_type.find('/');
        out.member("type", "input_audio")
            .key("input_audio")
            .begin_object()
            .member("data", audio->media.data)
            .member("format", audio->media.media_type.substr(slash == std::string::npos ? 0 : slash + 1))
            .end_object();
    } else if (const auto* document = part.as<chat::DocumentPart>()) {
        out.member("type", "file").key("file").begin_object();
        if (!document->media.file_id.empty())
            out.member("file_id", document->media.file_id);
        else
            out.member("file_data", url_of(document->media));
        if (!document->name.empty()) out.member("filename", document->name);
        out.end_object();
    }
    write_raw(out, "cache_control", part.cache);
    out.end_object();
}

bool is_plain_text(const chat::Part* part) {
    return part->as<chat::TextPart>() != nullptr && !part->cache.given();
}

// One plain text is a string, as every server takes it, and for a plain server several are one; everything else is a
// list.
void write_content(json::Writer& out, const std::vector<const chat::Part*>& parts, bool plain) {
    if ((plain || parts.size() == 1) && std::ranges::all_of(parts, is_plain_text)) {
        std::string text;
        for (const auto* part : parts) {
            if (!text.empty()) text += "\n";
            text += part->as<chat::TextPart>()->text;
        }
        out.value(text);
        return;
    }
    out.begin_array();
    for (const auto* part : parts) write_part(out, *part);
    out.end_array();
}

void write_tool_call(json::Writer& out, const chat::ToolCallPart& call, const std::string& beside) {
    out.begin_object().member("id", call.id).member("type", call.custom ? "custom" : "function");
    out.key(call.custom ? "custom" : "function").begin_object().member("name", call.name);
    out.member(call.custom ? "input" : "arguments", call.arguments).end_object();
    write_extra(out, call.extra);
    const bool has_one = std::ranges::any_of(call.extra, [](const auto& e) { return e.first == "extra_content"; });
    if (!beside.empty() && !has_one) out.raw_member("extra_content", beside);
    out.end_object();
}

// The extra_content that a signature is; empty where it is none.
std::string extra_content_of(const chat::ReasoningPart& thought) {
    if (!thought.signature.starts_with(kExtraContent)) return {};
    const auto json = thought.signature.substr(kExtraContent.size());
    return chat::is_json_object(json) ? json : std::string();
}

void write_message(json::Writer& out, const chat::Message& message, bool plain) {
    const auto role = plain && message.role == Role::developer ? Role::system : message.role;
    out.begin_object().member("role", kRoles[static_cast<std::size_t>(role)]);
    std::vector<const chat::Part*> content;
    std::vector<std::pair<const chat::ToolCallPart*, std::string>> calls;  // and what stands beside each
    std::string reasoning, beside, details;
    for (const auto& part : message.parts) {
        if (const auto* result = part.as<chat::ToolResultPart>()) {
            for (const auto& inner : result->content) content.push_back(&inner);
            out.member("tool_call_id", result->call_id);
        } else if (const auto* call = part.as<chat::ToolCallPart>()) {
            calls.emplace_back(call, std::exchange(beside, {}));
        } else if (const auto* thought = part.as<chat::ReasoningPart>()) {
            if (const auto list = reasoning_details_of(thought->signature); !list.empty()) {
                details += (details.empty() ? "" : ",") + list;
                continue;  // the text stands in it
            }
            reasoning += thought->text;
            if (auto extra = extra_content_of(*thought); !extra.empty()) beside = std::move(extra);
        } else {
            content.push_back(&part);
        }
    }
    if (!message.name.empty()) out.member("name", message.name);
    out.key("content");
    if (!content.empty())
        write_content(out, content, plain);
    else if (calls.empty() || message.role != Role::assistant)
        out.value("");
    else
        out.null();
    if (!reasoning.empty()) out.member("reasoning_content", reasoning);
    if (!details.empty()) out.raw_member("reasoning_details", "[" + details + "]");
    if (!calls.empty()) {
        out.key("tool_calls").begin_array();
        for (const auto& [call, extra] : calls) write_tool_call(out, *call, extra);
        out.end_array();
    }
    write_extra(out, message.extra);
    out.end_object();
}

void write_tool(json::Writer& out, const chat::Tool& tool) {
    if (tool.kind == chat::Tool::Kind::hosted) {
        out.raw(tool.hosted.json);
        return;
    }
    const bool custom = tool.kind == chat::Tool::Kind::custom;
    out.begin_object().member("type", custom ? "custom" : "function");
    out.key(custom ? "custom" : "function").begin_object().member("name", tool.name);
    if (!tool.description.empty()) out.member("description", tool.description);
    write_raw(out, custom ? "format" : "parameters", tool.parameters);
    if (tool.strict) out.member("strict", *tool.strict);
    write_extra(out, tool.extra);
    out.end_object();
    write_raw(out, "cache_control", tool.cache);
    out.end_object();
}

void write_tools(json::Writer& out, const chat::Request& request) {
    using Choice = chat::ToolChoice::Kind;
    if (!request.tools.empty()) {
        out.key("tools").begin_array();
        for (const auto& tool : request.tools) write_tool(out, tool);
        out.end_array();
    }
    const auto& choice = request.tool_choice;
    write_choice(out, choice);
    if (choice.kind == Choice::named) {
        const auto tool = std::ranges::find(request.tools, choice.name, &chat::Tool::name);
        const bool custom = tool != request.tools.end() && tool->kind == chat::Tool::Kind::custom;
        out.key("tool_choice").begin_object().member("type", custom ? "custom" : "function");
        out.key(custom ? "custom" : "function").begin_object().member("name", choice.name).end_object().end_object();
    }
    if (request.parallel_tool_calls) out.member("parallel_tool_calls", *request.parallel_tool_calls);
}

void write_format(json::Writer& out, const chat::ResponseFormat& format) {
    using Format = chat::ResponseFormat::Kind;
    if (format.kind == Format::unset) return;
    out.key("response_format");
    if (format.kind == Format::other) {
        out.raw(format.other.json);
        return;
    }
    out.begin_object().member("type", format.kind == Format::text          ? "text"
                                      : format.kind == Format::json_object ? "json_object"
                                                                           : "json_schema");
    if (format.kind == Format::json_schema) {
        out.key("json_schema").begin_object().member("name", format.name);
        if (!format.description.empty()) out.member("description", format.description);
        write_raw(out, "schema", format.schema);
        if (format.strict) out.member("strict", *format.strict);
        out.end_object();
    }
    out.end_object();
}

void write_controls(json::Writer& out, const chat::Request& request) {
    write_sampling(out, request.sampling);
    write_raw(out, "logit_bias", request.sampling.logit_bias);
    const bool weighs = request.logprobs || request.top_logprobs.value_or(0) > 0;
    if (weighs) out.member("logprobs", true);
    if (weighs && request.top_logprobs) out.member("top_logprobs", *request.top_logprobs);
    if (request.choices != 1) out.member("n", request.choices);
    write_texts(out, "stop", request.stop);
    if (!request.thinking.effort.empty()) out.member("reasoning_effort", request.thinking.effort);
    if (!request.verbosity.empty()) out.member("verbosity", request.verbosity);
}

std::string encode(const chat::Request& request, const Target& target) {
    json::Writer out;
    out.begin_object().member("model", target.model).key("messages").begin_array();
    for (const auto& message : request.messages) write_message(out, message, target.plain);
    out.end_array();
    write_tools(out, request);
    write_format(out, request.response_format);
    if (const auto most = bound_of(request, target))
        out.member(most_word(request.legacy_max_tokens ? kLegacyMost : kMost, target), *most);
    if (target.stream) out.member("stream", true);
    if (target.stream && target.ask_for_usage)
        out.key("stream_options").begin_object().member("include_usage", true).end_object();
    write_controls(out, request);
    if (target.ask_for_logprobs) out.member("logprobs", true).member("top_logprobs", 1);
    write_extra(out, request.extra);
    out.end_object();
    return out.take();
}

class OpenAiChat final : public Dialect {
  public:
    dialect::Kind kind() const override { return dialect::Kind::openai_chat; }
    bool ends_anywhere() const override { return true; }
    bool may_demand_thoughts() const override { return true; }
    Result<chat::Request> decode_request(const Incoming& incoming) const override {
        return openai_chat::decode_request(incoming.body);
    }
    Outgoing encode_request(const chat::Request& request, const Target& target) const override {
        return {"/chat/completions", encode(request, target)};
    }
    Outgoing forward_request(const Incoming& incoming, const Target& target) const override {
        return {"/chat/completions", openai_chat::forward_request(incoming.body, target)};
    }
    std::unique_ptr<AnswerReader> reader() const override { return make_reader(); }
    std::unique_ptr<AnswerWriter> writer(AnswerFrame frame) const override { return make_writer(std::move(frame)); }
    ErrorReply encode_error(const Error& error) const override { return openai_chat::encode_error(error); }
};

}  // namespace

const Dialect& dialect() {
    static const OpenAiChat instance;
    return instance;
}

std::string thinking_text(const json::Value& part) {
    if (part["type"].text() != "thinking") return {};
    const Value thinking = part["thinking"];
    std::string text(thinking.text());
    for (const Value piece : thinking.children()) text += piece["text"].text();
    return text;
}

Result<chat::Request> decode_request(const json::Document& document) {
    const Value root = document.root();
    if (!root.is(Kind::object)) return fail(Fault::invalid_json, "the body must be a JSON object");
    chat::Request request;
    request.dialect = kName;
    const auto model = root["model"].string();
    if (!model || model->empty()) return wrong("model", "the name of an alias or a model, such as \"auto\"");
    request.model = *model;
    if (auto ok = read_messages(root["messages"], request); !ok) return fail(ok.error());
    if (auto ok = read_tools(root, request); !ok) return fail(ok.error());
    if (auto ok = read_tool_choice(root, request); !ok) return fail(ok.error());
    if (auto ok = read_response_format(root["response_format"], request); !ok) return fail(ok.error());
    if (auto ok = read_flag(root["logprobs"], "logprobs", request.logprobs); !ok) return fail(ok.error());
    if (auto ok = read_count(root["top_logprobs"], "top_logprobs", request.top_logprobs, 0); !ok)
        return fail(ok.error());
    if (auto ok = read_rest(root, request); !ok) return fail(ok.error());
    keep_unknown(root,
                 {"model",
                  "messages",
                  "tools",
                  "tool_choice",
                  "functions",
                  "function_call",
                  "response_format",
                  "max_completion_tokens",
                  "max_tokens",
                  "stream",
                  "stream_options",
                  "logprobs",
                  "top_logprobs",
                  "n",
                  "stop",
                  "parallel_tool_calls",
                  "reasoning_effort",
                  "verbosity",
                  "temperature",
                  "top_p",
                  "top_k",
                  "min_p",
                  "seed",
                  "presence_penalty",
                  "frequency_penalty",
                  "repeat_penalty",
                  "logit_bias"},
                 request.extra);
    return request;
}

Result<chat::Request> decode_completion(const json::Document& document) {
    const Value root = document.root();
    if (!root.is(Kind::object)) return fail(Fault::invalid_json, "the body must be a JSON object");
    chat::Request request;
    request.dialect = kName;
    const auto model = root["model"].string();
    if (!model || model->empty()) return wrong("model", "the name of an alias or a model, such as \"auto\"");
    request.model = *model;
    std::vector<std::string> prompts;
    if (!given(root["prompt"])) return wrong("prompt", "a string");
    if (auto ok = read_texts(root["prompt"], "prompt", prompts); !ok) return fail(ok.error());
    if (prompts.size() != 1)
        return fail(Fault::unsupported_demand, "prompt: give one string; for several prompts send several requests",
                    "prompt");
    const auto asks = [&](std::string_view field) {
        const Value value = root[field];
        if (field == "best_of") return given(value) && value.integer() != 1;
        return given(value) && value.boolean() != false && value.integer() != 0 && value.string() != "";
    };
    for (const auto* field : {"suffix", "echo", "best_of", "logprobs"})
        if (asks(field))
            return fail(Fault::unsupported_demand,
                        fmt::format("{}: /v1/completions is answered by chat models here, which have no {}; leave it "
                                    "out, or use /v1/chat/completions",
                                    field, field),
                        field);
    chat::Message message;
    message.parts.push_back({chat::TextPart{prompts[0]}, {}});
    request.messages.push_back(std::move(message));
    if (auto ok = read_rest(root, request); !ok) return fail(ok.error());
    keep_unknown(root,
                 {"model",
                  "prompt",
                  "suffix",
                  "echo",
                  "best_of",
                  "logprobs",
                  "max_tokens",
                  "stream",
                  "stream_options",
                  "n",
                  "stop",
                  "temperature",
                  "top_p",
                  "top_k",
                  "min_p",
                  "seed",
                  "presence_penalty",
                  "frequency_penalty",
                  "repeat_penalty",
                  "logit_bias"},
                 request.extra);
    return request;
}

std::string encode_request(const chat::Request& request, std::string_view model) {
    return encode(request, {std::string(model), request.stream, request.include_usage});
}

std::string reasoning_details_of(std::string_view signature) {
    json::Document document;
    if (!signature.starts_with(kReasoningDetails) || !document.parse(signature.substr(kReasoningDetails.size())) ||
        !document.root().is(Kind::array) || document.root().size() == 0)
        return {};
    const auto list = document.root().raw();
    return std::string(list.substr(1, list.size() - 2));
}

namespace {

// Texts alone, without a member that their server may know.
bool is_text_alone(const Value& content) {
    if (!content.is(Kind::array) || content.size() == 0) return false;
    for (const Value part : content.children())
        if (part["type"].text() != "text" || !part["text"].string() || part.size() != 2) return false;
    return true;
}

// Members of a message that say nothing: SDKs send an answer back with every member that it had.
bool is_idle(const Value& member) {
    const auto key = member.key();
    return (member.is_null() && key != "content") || (key == "annotations" && member.size() == 0) ||
           (key == "refusal" && member.string() == "");
}

// Members of a body that may be set below, though the client said null.
constexpr std::array<std::string_view, 5> kSetHere = {"stream_options", "max_tokens", "max_completion_tokens",
                                                      "logprobs", "top_logprobs"};

// What a server that is not OpenAI itself may not take is said in the way that all of them do.
void say_plainly(const Value& root, Splice& splice) {
    for (const Value message : root["messages"].children()) {
        splice.leave_out(message, is_idle);
        if (message["role"].text() == "developer") splice.replace(message["role"], "\"system\"");
        const Value content = message["content"];
        const bool empty = content.is(Kind::array) ? content.size() == 0
                                                   : content.is_null() && message["tool_calls"].size() == 0 &&
                                                         !given(message["function_call"]);
        if (empty) splice.replace(content, "\"\"");
        if (!is_text_alone(content)) continue;
        std::string text;
        for (const Value part : content.children()) {
            if (!text.empty()) text += "\n";
            text += part["text"].text();
        }
        splice.replace(content, json::quoted(text));
    }
}

// The bound of the answer, in the server's word and not above what it has room for.
void forward_bound(const Value& root, const Target& target, Splice& splice) {
    const auto clients = given(root[kLegacyMost]) ? kLegacyMost : kMost;
    const Value said = root[clients];
    const auto word = most_word(clients, target);
    const auto most = bound_to_set(said, target);
    if (!given(said)) {
        if (most)
            splice.set(root, target.most_word.empty() && target.plain ? kLegacyMost : word, std::to_string(*most));
        return;
    }
    if (word != clients) splice.rename(said, word);
    if (most) splice.replace(said, std::to_string(*most));
}

}  // namespace

std::string forward_request(const json::Document& document, const Target& target) {
    Splice splice(document);
    const Value root = document.root();
    if (root["model"].text() != target.model) splice.replace(root["model"], json::quoted(target.model));
    if (target.plain) say_plainly(root, splice);
    forward_bound(root, target, splice);
    if (target.ask_for_logprobs) {
        splice.set(root, "logprobs", "true");
        splice.set(root, "top_logprobs", "1");
    }
    const Value options = root["stream_options"];
    const Value flag = options["include_usage"];
    splice.leave_out(root, [&](const Value& member) {
        const auto key = member.key();
        if (key == "stream_options" && given(member)) return !target.stream;  // vLLM refuses them there
        return target.plain && member.is_null() && std::ranges::find(kSetHere, key) == kSetHere.end();
    });
    if (target.stream && target.ask_for_usage && flag.boolean() != true) {
        if (options.is(Kind::object) && !flag.exists())
            splice.insert(options.offset() + 1,
                          std::string(R"("include_usage":true)") + (options.size() > 0 ? "," : ""));
        else if (flag.exists())
            splice.replace(flag, "true");
        else
            splice.set(root, "stream_options", R"({"include_usage":true})");
    }
    return splice.take();
}

std::string without_end(const json::Document& chunk) {
    Splice splice(chunk);
    for (const Value choice : chunk.root()["choices"].children())
        if (const Value reason = choice["finish_reason"]; given(reason)) splice.replace(reason, "null");
    return splice.take();
}

std::string without_logprobs(const json::Document& answer) {
    Splice splice(answer);
    for (const Value choice : answer.root()["choices"].children())
        if (const Value logprobs = choice["logprobs"]; logprobs.is(Kind::object)) splice.replace(logprobs, "null");
    return splice.take();
}

}  // namespace tandem::dialect::openai_chat
