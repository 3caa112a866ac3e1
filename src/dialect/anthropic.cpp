// Requests of Anthropic Messages; its answers are in anthropic_answer.cpp.
#include "dialect/anthropic.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "dialect/fields.h"
#include "dialect/sequence.h"
#include "dialect/web_search.h"

namespace tandem::dialect::anthropic {

namespace {

using chat::Role;
using json::Kind;
using json::Value;

constexpr std::string_view kName = "anthropic";
constexpr std::int64_t kDefaultMaxTokens = 8192;  // the API wants a number; what is sent is in the warnings

// A block's source: bytes, a URL, a file.
bool read_source(const Value& source, chat::Media& media) {
    const auto type = source["type"].text();
    if (type == "base64") {
        media.media_type = source["media_type"].text();
        media.data = source["data"].text();
        return !media.data.empty() && is_media_type(media.media_type);
    }
    if (type == "url") media.url = source["url"].text();
    if (type == "file") media.file_id = source["file_id"].text();
    return !media.url.empty() || !media.file_id.empty();
}

Result<std::vector<chat::Part>> read_blocks(const Value& value, const std::string& param);

// What other dialects are told of a block that only this one has; `part` is what was read of it.
std::optional<std::vector<chat::Part>> words_of(const Value& block, const chat::Part& part) {
    const auto type = block["type"].text();
    auto text = [](std::string words) { return std::vector<chat::Part>{{chat::TextPart{std::move(words)}, {}}}; };
    if (type == "text") return {{{part.body, {}}}};  // with citations
    if (type == "document" && part.as<chat::DocumentPart>() != nullptr) return {{{part.body, {}}}};
    if (type == "document" && block["source"]["type"].text() == "content") {
        std::string all(block["title"].text());
        const Value content = block["source"]["content"];
        if (content.string()) return text(fmt::format("{}{}{}", all, all.empty() ? "" : ":\n", content.text()));
        for (const Value piece : content.children()) {
            if (!piece["text"].string()) return std::nullopt;
            all += fmt::format("{}{}", all.empty() ? "" : "\n", piece["text"].text());
        }
        return text(std::move(all));
    }
    // What is left of a conversation that was made shorter.
    if (type == "compaction" && block["content"].string()) return text(std::string(block["content"].text()));
    if (type == "tool_reference") return text(fmt::format("{} can be called now.", block["tool_name"].text()));
    if (type == "search_result") {
        std::string all = fmt::format("{} ({}):", block["title"].text(), block["source"].text());
        for (const Value piece : block["content"].children()) all += fmt::format("\n{}", piece["text"].text());
        return text(std::move(all));
    }
    // What Anthropic's own tools did: its answer, which follows, was made with that.
    if (type == "server_tool_use" || type == "mcp_tool_use" || type == "fallback" || type.ends_with("_tool_result"))
        return std::vector<chat::Part>{};
    return std::nullopt;
}

Result<chat::Part> read_block(const Value& block, const std::string& param) {
    const auto type = block["type"].string();
    if (!block.is(Kind::object) || !type) return wrong(param, "an object with a 'type'");
    chat::Part part;
    part.cache = raw_of(block["cache_control"]);
    if (*type == "text") {
        const auto text = block["text"].string();
        if (!text) return wrong(param + ".text", "a string");
        part.body = chat::TextPart{std::string(*text)};
        if (block["citations"].size() == 0) return part;
    } else if (*type == "image") {
        chat::ImagePart image;
        if (!read_source(block["source"], image.media))
            return wrong(param + ".source", "base64 data with its media_type, a url, or a file_id");
        part.body = std::move(image);
        return part;
    } else if (*type == "document") {
        chat::DocumentPart document;
        document.name = block["title"].text();
        const Value source = block["source"];
        const bool plain = !given(block["citations"]) && !given(block["context"]);
        if (source["type"].text() == "text") {
            document.text = source["data"].text();
            if (document.text.empty()) return wrong(param + ".source.data", "the text of the document");
            document.media.media_type = "text/plain";
            part.body = std::move(document);
            if (plain) return part;
        } else if (read_source(source, document.media)) {
            part.body = std::move(document);
            if (plain) return part;
        }
    } else if (*type == "tool_use") {
        chat::ToolCallPart call;
        if (auto ok = read_string(block["id"], param + ".id", call.id); !ok) return fail(ok.error());
        if (auto ok = read_string(block["name"], param + ".name", call.name); !ok) return fail(ok.error());
        const Value input = block["input"];
        // An object; a client that replays what another server gave it may send the text of one.
        call.arguments = input.is(Kind::string) ? std::string(input.text())
                         : input.exists()       ? std::string(input.raw())
                                                : "{}";
        part.body = std::move(call);
        return part;
    } else if (*type == "tool_result") {
        chat::ToolResultPart result;
        if (auto ok = read_string(block["tool_use_id"], param + ".tool_use_id", result.call_id); !ok)
            return fail(ok.error());
        if (auto ok = read_flag(block["is_error"], param + ".is_error", result.is_error); !ok) return fail(ok.error());
        auto content = read_blocks(block["content"], param + ".content");
        if (!content) return fail(content.error());
        result.content = std::move(*content);
        part.body = std::move(result);
        return part;
    } else if (*type == "thinking") {
        chat::ReasoningPart reasoning;
        reasoning.text = block["thinking"].text();
        read_signature(block["signature"].text(), kName, reasoning);
        part.body = std::move(reasoning);
        return part;
    } else if (*type == "redacted_thinking") {
        chat::ReasoningPart reasoning;
        reasoning.redacted = true;
        read_signature(block["data"].text(), kName, reasoning);
        part.body = std::move(reasoning);
        return part;
    }
    chat::OtherPart other{std::string(*type), {std::string(block.raw())}, param, {}, false};
    other.instead = words_of(block, part);
    part.body = std::move(other);
    return part;
}

Result<std::vector<chat::Part>> read_blocks(const Value& value, const std::string& param) {
    return read_parts(value, param, "blocks", read_block);
}

Result<> read_message(const Value& value, const std::string& param, chat::Request& request) {
    if (!value.is(Kind::object)) return wrong(param, "an object with a 'role'");
    const auto role = value["role"].text();
    if (role != "user" && role != "assistant" && role != "system")
        return wrong(param + ".role", "user, assistant or system");
    if (!given(value["content"])) return wrong(param + ".content", "a string or a list of blocks");
    auto parts = read_blocks(value["content"], param + ".content");
    if (!parts) return fail(parts.error());
    chat::Message message;
    message.role = role == "user" ? Role::user : role == "assistant" ? Role::assistant : Role::system;
    keep_unknown(value, {"role", "content"}, message.extra);
    auto flush = [&] {
        if (!message.parts.empty()) request.messages.push_back(message);
        message.parts.clear();
    };
    // Results are messages of their own in the canonical form.
    for (auto& part : *parts) {
        if (part.as<chat::ToolResultPart>()) {
            flush();
            request.messages.push_back({Role::tool, {std::move(part)}, {}, {}});
        } else {
            message.parts.push_back(std::move(part));
        }
    }
    if (parts->empty()) request.messages.push_back(std::move(message));
    flush();
    return {};
}

Result<> read_messages(const Value& root, chat::Request& request) {
    auto system = read_blocks(root["system"], "system");
    if (!system) return fail(system.error());
    if (!system->empty()) request.messages.push_back({Role::system, std::move(*system), {}, {}});
    const Value messages = root["messages"];
    if (!messages.is(Kind::array) || messages.size() == 0) return wrong("messages", "a list with at least one message");
    std::size_t number = 0;
    for (const Value message : messages.children())
        if (auto ok = read_message(message, fmt::format("messages[{}]", number++), request); !ok) return ok;
    return {};
}

Result<> read_tools(const Value& root, chat::Request& request) {
    const Value tools = root["tools"];
    if (given(tools) && !tools.is(Kind::array)) return wrong("tools", "a list");
    for (const Value element : tools.children()) {
        const auto here = fmt::format("tools[{}]", request.tools.size());
        if (!element.is(Kind::object)) return wrong(here, "an object");
        chat::Tool tool;
        const auto type = element["type"].text();
        tool.name = element["name"].text();
        if (!type.empty() && type != "custom") {
            tool.kind = chat::Tool::Kind::hosted;
            tool.service = service_of(type);
            tool.hosted.json = element.raw();
            if (tool.name.empty()) tool.name = type;
        } else {
            if (!element["name"].string()) return wrong(here + ".name", "a string");
            if (auto ok = read_string(element["description"], here + ".description", tool.description); !ok) return ok;
            if (auto ok = read_flag(element["strict"], here + ".strict", tool.strict); !ok) return ok;
            tool.parameters = raw_of(element["input_schema"]);
            tool.cache = raw_of(element["cache_control"]);
            keep_unknown(element, {"type", "name", "description", "strict", "input_schema", "cache_control"},
                         tool.extra);
        }
        request.tools.push_back(std::move(tool));
    }
    const Value choice = root["tool_choice"];
    if (!given(choice)) return {};
    using Choice = chat::ToolChoice::Kind;
    const auto type = choice["type"].text();
    if (type == "auto")
        request.tool_choice.kind = Choice::automatic;
    else if (type == "any")
        request.tool_choice.kind = Choice::required;
    else if (type == "none")
        request.tool_choice.kind = Choice::none;
    else if (type == "tool" && choice["name"].string())
        request.tool_choice = {Choice::named, std::string(choice["name"].text()), {}, {}, false};
    else
        return wrong("tool_choice.type", "auto, any, none, or tool with a name");
    if (const auto off = choice["disable_parallel_tool_use"].boolean()) request.parallel_tool_calls = !*off;
    return {};
}

Result<> read_thinking(const Value& root, chat::Request& request) {
    auto& thinking = request.thinking;
    if (const Value value = root["thinking"]; given(value)) {
        const auto type = value["type"].text();
        if (type != "enabled" && type != "disabled" && type != "adaptive")
            return wrong("thinking.type", "enabled, disabled or adaptive");
        thinking.on = type != "disabled";
        if (auto ok = read_count(value["budget_tokens"], "thinking.budget_tokens", thinking.budget_tokens); !ok)
            return ok;
        if (const auto display = value["display"].string()) thinking.shown = *display != "omitted";
    }
    const Value output = root["output_config"];
    if (auto ok = read_string(output["effort"], "output_config.effort", thinking.effort); !ok) return ok;
    const Value format = given(output["format"]) ? output["format"] : root["output_format"];
    if (given(format)) {
        if (format["type"].text() != "json_schema") return wrong("output_config.format.type", "json_schema");
        request.response_format.kind = chat::ResponseFormat::Kind::json_schema;
        request.response_format.name = "answer";
        request.response_format.schema = raw_of(format["schema"]);
    }
    return {};
}

Result<chat::Request> decode(const json::Document& document, bool counting) {
    const Value root = document.root();
    if (!root.is(Kind::object)) return fail(Fault::invalid_json, "the body must be a JSON object");
    chat::Request request;
    request.dialect = kName;
    const auto model = root["model"].string();
    if (!model || model->empty()) return wrong("model", "the name of an alias or a model, such as \"auto\"");
    request.model = *model;
    if (auto ok = read_count(root["max_tokens"], "max_tokens", request.max_output_tokens, 0); !ok)
        return fail(ok.error());
    if (!counting && !request.max_output_tokens) return wrong("max_tokens", "a whole number of at least 1");
    if (auto ok = read_messages(root, request); !ok) return fail(ok.error());
    if (auto ok = read_tools(root, request); !ok) return fail(ok.error());
    if (auto ok = read_flag(root["stream"], "stream", request.stream); !ok) return fail(ok.error());
    request.include_usage = true;
    if (auto ok = read_stops(root["stop_sequences"], "stop_sequences", request.stop); !ok) return fail(ok.error());
    if (auto ok = read_number(root["temperature"], "temperature", request.sampling.temperature); !ok)
        return fail(ok.error());
    if (auto ok = read_number(root["top_p"], "top_p", request.sampling.top_p); !ok) return fail(ok.error());
    if (auto ok = read_number(root["top_k"], "top_k", request.sampling.top_k); !ok) return fail(ok.error());
    if (auto ok = read_thinking(root, request); !ok) return fail(ok.error());
    keep_unknown(root,
                 {"model", "max_tokens", "messages", "system", "tools", "tool_choice", "stream", "stop_sequences",
                  "temperature", "top_p", "top_k", "thinking", "output_config", "output_format"},
                 request.extra);
    return request;
}

// ---- encoding ----

// Ids of calls have only letters, digits, _ and -; others become a hash of themselves, the same each time.
std::string id_of(const std::string& id) {
    const bool fits =
        !id.empty() &&
        id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == std::string::npos;
    return fits ? id : "toolu_" + hex(sha256(id)).substr(0, 24);
}

void write_source(json::Writer& out, const chat::Media& media) {
    out.key("source").begin_object();
    if (!media.file_id.empty())
        out.member("type", "file").member("file_id", media.file_id);
    else if (!media.url.empty())
        out.member("type", "url").member("url", media.url);
    else
        out.member("type", "base64").member("media_type", media.media_type).member("data", media.data);
    out.end_object();
}

void write_block(json::Writer& out, const chat::Part& part);

void write_result(json::Writer& out, const chat::ToolResultPart& result) {
    out.member("type", "tool_result").member("tool_use_id", id_of(result.call_id));
    const auto& content = result.content;
    if (content.size() == 1 && content[0].as<chat::TextPart>() && !content[0].cache.given()) {
        out.member("content", content[0].as<chat::TextPart>()->text);
    } else if (!content.empty()) {
        out.key("content").begin_array();
        for (const auto& part : content) write_block(out, part);
        out.end_array();
    }
    if (result.is_error) out.member("is_error", true);
}

void write_block(json::Writer& out, const chat::Part& part) {
    if (const auto* other = part.as<chat::OtherPart>()) {
        out.raw(other->json.json);
        return;
    }
    out.begin_object();
    if (const auto* text = part.as<chat::TextPart>()) {
        out.member("type", "text").member("text", text->text);
    } else if (const auto* refusal = part.as<chat::RefusalPart>()) {
        out.member("type", "text").member("text", refusal->text);
    } else if (const auto* image = part.as<chat::ImagePart>()) {
        out.member("type", "image");
        write_source(out, image->media);
    } else if (const auto* document = part.as<chat::DocumentPart>()) {
        out.member("type", "document");
        if (!document->text.empty())
            out.key("source")
                .begin_object()
                .member("type", "text")
                .member("media_type", "text/plain")
                .member("data", document->text)
                .end_object();
        else
            write_source(out, document->media);
        if (!document->name.empty()) out.member("title", document->name);
    } else if (const auto* call = part.as<chat::ToolCallPart>()) {
        out.member("type", "tool_use").member("id", id_of(call->id)).member("name", call->name);
        out.raw_member("input", chat::arguments_object(call->arguments));
    } else if (const auto* result = part.as<chat::ToolResultPart>()) {
        write_result(out, *result);
    } else if (const auto* reasoning = part.as<chat::ReasoningPart>()) {
        if (reasoning->redacted)
            out.member("type", "redacted_thinking").member("data", reasoning->signature);
        else
            out.member("type", "thinking")
                .member("thinking", reasoning->text)
                .member("signature", reasoning->signature);
    }
    write_raw(out, "cache_control", part.cache);
    out.end_object();
}

bool is_empty_text(const chat::Part& part) {
    const auto* text = part.as<chat::TextPart>();
    return text != nullptr && text->text.empty();  // "text content blocks must be non-empty"
}

void write_messages(json::Writer& out, const chat::Request& request) {
    std::size_t first = 0;
    std::vector<const chat::Part*> system;
    for (; first < request.messages.size(); ++first) {
        const auto role = request.messages[first].role;
        if (role != Role::system && role != Role::developer) break;
        for (const auto& part : request.messages[first].parts)
            if (!is_empty_text(part)) system.push_back(&part);
    }
    if (system.size() == 1 && system[0]->as<chat::TextPart>() && !system[0]->cache.given()) {
        out.member("system", system[0]->as<chat::TextPart>()->text);
    } else if (!system.empty()) {
        out.key("system").begin_array();
        for (const auto* part : system) write_block(out, *part);
        out.end_array();
    }
    // Neighbours of one side are one message: users' turns and the results of calls.
    out.key("messages").begin_array();
    std::string_view open;
    for (std::size_t i = first; i < request.messages.size(); ++i) {
        const auto& message = request.messages[i];
        const std::string_view role = message.role == Role::assistant ? "assistant" : "user";
        for (const auto& part : message.parts) {
            if (is_empty_text(part)) continue;
            if (role != open) {
                if (!open.empty()) out.end_array().end_object();
                out.begin_object().member("role", role).key("content").begin_array();
                open = role;
            }
            write_block(out, part);
        }
    }
    if (!open.empty()) out.end_array().end_object();
    out.end_array();
}

void write_tools(json::Writer& out, const chat::Request& request) {
    using Choice = chat::ToolChoice::Kind;
    if (!request.tools.empty()) {
        out.key("tools").begin_array();
        for (const auto& tool : request.tools) {
            if (tool.kind == chat::Tool::Kind::hosted) {
                out.raw(tool.hosted.json);
                continue;
            }
            out.begin_object().member("name", tool.name);
            if (!tool.description.empty()) out.member("description", tool.description);
            out.raw_member("input_schema",
                           tool.parameters.given() ? tool.parameters.json : R"({"type":"object","properties":{}})");
            if (tool.strict) out.member("strict", *tool.strict);
            write_raw(out, "cache_control", tool.cache);
            write_extra(out, tool.extra);
            out.end_object();
        }
        out.end_array();
    }
    const auto& choice = request.tool_choice;
    const bool serial = request.parallel_tool_calls == false;
    if (choice.kind == Choice::unset && !(serial && !request.tools.empty())) return;
    out.key("tool_choice").begin_object();
    out.member("type", choice.kind == Choice::none       ? "none"
                       : choice.kind == Choice::required ? "any"
                       : choice.kind == Choice::named    ? "tool"
                                                         : "auto");
    if (choice.kind == Choice::named) out.member("name", choice.name);
    if (request.parallel_tool_calls && choice.kind != Choice::none) out.member("disable_parallel_tool_use", serial);
    out.end_object();
}

// A budget is at least 1,024 tokens, and less than the answer may have; where that has no room for both, there are no
// thoughts.
chat::Thinking within(chat::Thinking thinking, std::int64_t most) {
    constexpr std::int64_t kLeast = 1024;
    if (!thinking.budget_tokens || thinking.on == false) return thinking;
    if (most / 2 < kLeast) return {};
    const auto fits = std::max(*thinking.budget_tokens, kLeast);
    thinking.budget_tokens = fits < most ? fits : most / 2;
    return thinking;
}

void write_thinking(json::Writer& out, const chat::Request& request, std::int64_t most) {
    const auto thinking = within(request.thinking, most);
    const bool off = thinking.on == false || thinking.effort == "none";
    const bool on = thinking.on == true || thinking.budget_tokens || (!thinking.effort.empty() && !off);
    if (off || on) {
        out.key("thinking").begin_object();
        out.member("type", off ? "disabled" : thinking.budget_tokens ? "enabled" : "adaptive");
        if (!off && thinking.budget_tokens) out.member("budget_tokens", *thinking.budget_tokens);
        if (!off && thinking.shown) out.member("display", *thinking.shown ? "summarized" : "omitted");
        out.end_object();
    }
    const bool effort = !thinking.effort.empty() && thinking.effort != "none";
    const bool schema = request.response_format.kind == chat::ResponseFormat::Kind::json_schema;
    if (!effort && !schema) return;
    out.key("output_config").begin_object();
    if (effort) out.member("effort", thinking.effort == "minimal" ? "low" : thinking.effort);
    if (schema) {
        out.key("format").begin_object().member("type", "json_schema");
        write_raw(out, "schema", request.response_format.schema);
        out.end_object();
    }
    out.end_object();
}

class Anthropic final : public Dialect {
  public:
    dialect::Kind kind() const override { return dialect::Kind::anthropic; }
    std::string_view id_header() const override { return "request-id"; }
    bool has_betas() const override { return true; }
    std::string_view stream_end() const override {
        return "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    }
    std::string beat(const AnswerFrame&) const override {
        std::string out;
        append_event(out, "ping", R"({"type":"ping"})");
        return out;
    }
    Result<chat::Request> decode_request(const Incoming& incoming) const override {
        return decode(incoming.body, incoming.path.ends_with("/count_tokens"));
    }
    Outgoing encode_request(const chat::Request& request, const Target& target) const override {
        json::Writer out;
        const auto room =
            target.context_tokens > 0 ? std::min(kDefaultMaxTokens, target.context_tokens / 4) : kDefaultMaxTokens;
        out.begin_object().member("model", target.model);
        const auto most = bound_of(request, target).value_or(room);
        out.member("max_tokens", most);
        write_messages(out, request);
        write_tools(out, request);
        if (target.stream) out.member("stream", true);
        write_texts(out, "stop_sequences", request.stop);
        write_raw(out, "temperature", request.sampling.temperature);
        write_raw(out, "top_p", request.sampling.top_p);
        write_raw(out, "top_k", request.sampling.top_k);
        write_thinking(out, request, most);
        write_extra(out, request.extra);
        out.end_object();
        return {"/messages", out.take()};
    }
    Outgoing forward_request(const Incoming& incoming, const Target& target) const override {
        Splice splice(incoming.body);
        const Value root = incoming.body.root();
        splice.replace(root["model"], json::quoted(target.model));
        if (const auto most = bound_to_set(root["max_tokens"], target))
            splice.set(root, "max_tokens", std::to_string(*most));
        return {"/messages", splice.take()};
    }
    std::unique_ptr<AnswerReader> reader() const override { return make_reader(); }
    std::unique_ptr<AnswerWriter> writer(AnswerFrame frame) const override { return make_writer(std::move(frame)); }
    ErrorReply encode_error(const Error& error) const override { return anthropic::encode_error(error); }
};

}  // namespace

const Dialect& dialect() {
    static const Anthropic instance;
    return instance;
}

}  // namespace tandem::dialect::anthropic
