#include "dialect/openai_chat.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tandem::dialect::openai_chat {

namespace {

using chat::Role;
using json::Kind;
using json::Value;

constexpr std::array<std::string_view, 6> kRoles = {"system", "developer", "user", "assistant", "tool", "function"};
constexpr std::int64_t kMostChoices = 128;
constexpr std::size_t kMostStops = 64;

std::unexpected<Error> wrong(std::string param, std::string_view expected) {
    auto message = fmt::format("{}: expected {}", param, expected);
    return fail(ErrorCode::invalid, std::move(message), std::move(param));
}

// A field that may be absent or null.
bool given(const Value& value) {
    return value.exists() && !value.is_null();
}

Result<> read_string(const Value& value, const std::string& param, std::string& target) {
    if (!given(value)) return {};
    const auto text = value.string();
    if (!text) return wrong(param, "a string");
    target = *text;
    return {};
}

Result<> read_flag(const Value& value, const std::string& param, bool& target) {
    if (!given(value)) return {};
    const auto flag = value.boolean();
    if (!flag) return wrong(param, "true or false");
    target = *flag;
    return {};
}

Result<chat::Part> read_part(const Value& value, const std::string& param) {
    const auto type = value["type"].string();
    if (!value.is(Kind::object) || !type) return wrong(param, "an object with a 'type'");
    if (*type == "text" && value.size() == 2) {
        const auto text = value["text"].string();
        if (!text) return wrong(param + ".text", "a string");
        return chat::TextPart{std::string(*text)};
    }
    if (*type == "text" && !value["text"].string()) return wrong(param + ".text", "a string");
    if (*type == "image_url") {
        const Value image = value["image_url"];
        const auto url = image["url"].string();
        if (!url) return wrong(param + ".image_url.url", "a string");
        std::string detail;
        if (auto ok = read_string(image["detail"], param + ".image_url.detail", detail); !ok) return fail(ok.error());
        // Anything beside url and detail is kept by keeping the whole.
        if (value.size() == 2 && image.size() == 1U + (image["detail"].exists() ? 1U : 0U) &&
            !image["detail"].is_null())
            return chat::ImagePart{std::string(*url), std::move(detail)};
    }
    return chat::OtherPart{std::string(*type), {std::string(value.raw())}};
}

Result<> read_content(const Value& value, const std::string& param, chat::Message& message) {
    if (!given(value)) return {};
    if (const auto text = value.string()) {
        message.content = std::vector<chat::Part>{chat::TextPart{std::string(*text)}};
        return {};
    }
    if (!value.is(Kind::array)) return wrong(param, "a string or a list of parts");
    message.content_is_string = false;
    message.content.emplace();
    for (const Value element : value.children()) {
        auto part = read_part(element, fmt::format("{}[{}]", param, message.content->size()));
        if (!part) return fail(part.error());
        message.content->push_back(std::move(*part));
    }
    return {};
}

Result<> read_tool_calls(const Value& value, const std::string& param, chat::Message& message) {
    if (!given(value)) return {};
    if (!value.is(Kind::array)) return wrong(param, "a list");
    for (const Value element : value.children()) {
        const std::string here = fmt::format("{}[{}]", param, message.tool_calls.size());
        if (!element.is(Kind::object)) return wrong(here, "an object");
        chat::ToolCall call;
        if (auto ok = read_string(element["id"], here + ".id", call.id); !ok) return ok;
        const Value function = element["function"];
        if (auto ok = read_string(function["name"], here + ".function.name", call.name); !ok) return ok;
        if (auto ok = read_string(function["arguments"], here + ".function.arguments", call.arguments); !ok) return ok;
        for (const Value member : element.children()) {
            const auto key = member.key();
            const bool plain_type = key == "type" && member.string() == "function";
            const bool plain_function = key == "function" && function["name"].string() &&
                                        function["arguments"].string() && function.size() == 2;
            if (key != "id" && !plain_type && !plain_function)
                call.extra.emplace_back(key, chat::Raw{std::string(member.raw())});
        }
        message.tool_calls.push_back(std::move(call));
    }
    return {};
}

Result<chat::Message> read_message(const Value& value, const std::string& param) {
    if (!value.is(Kind::object)) return wrong(param, "an object with a 'role'");
    chat::Message message;
    const auto role = value["role"].string();
    const auto* const place = std::ranges::find(kRoles, role.value_or(""));
    if (place == kRoles.end())
        return wrong(param + ".role", "one of system, developer, user, assistant, tool, function");
    message.role = static_cast<Role>(place - kRoles.begin());
    if (auto ok = read_content(value["content"], param + ".content", message); !ok) return fail(ok.error());
    if (auto ok = read_tool_calls(value["tool_calls"], param + ".tool_calls", message); !ok) return fail(ok.error());
    if (auto ok = read_string(value["tool_call_id"], param + ".tool_call_id", message.tool_call_id); !ok)
        return fail(ok.error());
    if (auto ok = read_string(value["name"], param + ".name", message.name); !ok) return fail(ok.error());
    if (!message.content && message.role != Role::assistant)
        return wrong(param + ".content", "a string or a list of parts");
    for (const Value member : value.children()) {
        static constexpr std::array<std::string_view, 5> kKnown = {"role", "content", "tool_calls", "tool_call_id",
                                                                   "name"};
        if (std::ranges::find(kKnown, member.key()) == kKnown.end())
            message.extra.emplace_back(member.key(), chat::Raw{std::string(member.raw())});
    }
    return message;
}

Result<> read_messages(const Value& value, chat::Request& request) {
    if (!value.is(Kind::array) || value.size() == 0) return wrong("messages", "a list with at least one message");
    for (const Value element : value.children()) {
        auto message = read_message(element, fmt::format("messages[{}]", request.messages.size()));
        if (!message) return fail(message.error());
        request.messages.push_back(std::move(*message));
    }
    return {};
}

Result<> read_tools(const Value& value, chat::Request& request) {
    if (!given(value)) return {};
    if (!value.is(Kind::array)) return wrong("tools", "a list");
    for (const Value element : value.children()) {
        const auto here = fmt::format("tools[{}]", request.tools.size());
        if (!element.is(Kind::object)) return wrong(here, "an object");
        const Value function = element["function"];
        if (element["type"].string() == "function" && !function["name"].string())
            return wrong(here + ".function.name", "a string");
        request.tools.push_back({std::string(function["name"].text()), {std::string(element.raw())}});
    }
    return {};
}

Result<> read_tool_choice(const Value& value, chat::Request& request) {
    using Choice = chat::ToolChoice::Kind;
    if (!given(value)) return {};
    if (const auto text = value.string()) {
        if (*text == "none")
            request.tool_choice.kind = Choice::none;
        else if (*text == "auto")
            request.tool_choice.kind = Choice::automatic;
        else if (*text == "required")
            request.tool_choice.kind = Choice::required;
        else
            return wrong("tool_choice", "none, auto, required, or an object that names a tool");
        return {};
    }
    if (!value.is(Kind::object)) return wrong("tool_choice", "none, auto, required, or an object that names a tool");
    request.tool_choice = {Choice::other, {std::string(value.raw())}};
    return {};
}

Result<> read_response_format(const Value& value, chat::Request& request) {
    using Format = chat::ResponseFormat::Kind;
    if (!given(value)) return {};
    const auto type = value["type"].string();
    if (!type) return wrong("response_format.type", "text, json_object or json_schema");
    request.response_format.kind = *type == "text"          ? Format::text
                                   : *type == "json_object" ? Format::json_object
                                   : *type == "json_schema" ? Format::json_schema
                                                            : Format::other;
    request.response_format.json.json = value.raw();
    return {};
}

Result<> read_stop(const Value& value, chat::Request& request) {
    if (!given(value)) return {};
    if (const auto text = value.string()) {
        request.stop.emplace_back(*text);
        return {};
    }
    if (!value.is(Kind::array) || value.size() > kMostStops)
        return wrong("stop", fmt::format("a string or a list of at most {} strings", kMostStops));
    for (const Value element : value.children()) {
        const auto text = element.string();
        if (!text) return wrong(fmt::format("stop[{}]", request.stop.size()), "a string");
        request.stop.emplace_back(*text);
    }
    return {};
}

Result<> read_max_tokens(const Value& root, chat::Request& request) {
    const Value modern = root["max_completion_tokens"];
    const Value legacy = root["max_tokens"];
    if (given(modern) && given(legacy))
        return fail(ErrorCode::invalid, "max_tokens and max_completion_tokens mean the same; give one of them",
                    "max_tokens");
    const Value value = given(modern) ? modern : legacy;
    if (!given(value)) return {};
    const auto count = value.integer();
    if (!count || *count < 1)
        return wrong(given(modern) ? "max_completion_tokens" : "max_tokens", "a whole number of at least 1");
    request.max_output_tokens = count;
    request.legacy_max_tokens = !given(modern);
    return {};
}

Result<> read_rest(const Value& root, chat::Request& request) {
    if (auto ok = read_flag(root["stream"], "stream", request.stream); !ok) return ok;
    if (auto ok = read_flag(root["logprobs"], "logprobs", request.logprobs); !ok) return ok;
    const Value options = root["stream_options"];
    if (given(options) && !options.is(Kind::object)) return wrong("stream_options", "an object");
    if (auto ok = read_flag(options["include_usage"], "stream_options.include_usage", request.include_usage); !ok)
        return ok;
    if (const Value n = root["n"]; given(n)) {
        const auto count = n.integer();
        if (!count || *count < 1 || *count > kMostChoices)
            return wrong("n", fmt::format("a whole number from 1 to {}", kMostChoices));
        request.choices = *count;
    }
    static constexpr std::array<std::string_view, 12> kKnown = {
        "model",  "messages", "tools", "tool_choice", "response_format", "max_completion_tokens", "max_tokens",
        "stream", "logprobs", "n",     "stop",        "stream_options"};
    for (const Value member : root.children()) {
        const bool known = std::ranges::find(kKnown, member.key()) != kKnown.end();
        // stream_options may hold more than we read.
        const bool whole = member.key() != "stream_options" || (member.size() <= 1 && given(member["include_usage"]));
        if (!known || (!whole && given(member)))
            request.extra.emplace_back(member.key(), chat::Raw{std::string(member.raw())});
    }
    return {};
}

// ---- encoding ----

void write_part(json::Writer& out, const chat::Part& part) {
    if (const auto* text = std::get_if<chat::TextPart>(&part)) {
        out.begin_object().member("type", "text").member("text", text->text).end_object();
    } else if (const auto* image = std::get_if<chat::ImagePart>(&part)) {
        out.begin_object().member("type", "image_url").key("image_url").begin_object().member("url", image->url);
        if (!image->detail.empty()) out.member("detail", image->detail);
        out.end_object().end_object();
    } else {
        out.raw(std::get<chat::OtherPart>(part).json.json);
    }
}

void write_tool_call(json::Writer& out, const chat::ToolCall& call) {
    const auto has = [&](std::string_view key) {
        return std::ranges::any_of(call.extra, [&](const auto& e) { return e.first == key; });
    };
    out.begin_object();
    if (!call.id.empty()) out.member("id", call.id);
    if (!has("type")) out.member("type", "function");
    if (!has("function"))
        out.key("function").begin_object().member("name", call.name).member("arguments", call.arguments).end_object();
    for (const auto& [key, raw] : call.extra) out.raw_member(key, raw.json);
    out.end_object();
}

void write_message(json::Writer& out, const chat::Message& message) {
    out.begin_object().member("role", kRoles[static_cast<std::size_t>(message.role)]);
    if (!message.name.empty()) out.member("name", message.name);
    if (!message.tool_call_id.empty()) out.member("tool_call_id", message.tool_call_id);
    out.key("content");
    if (!message.content) {
        out.null();
    } else if (message.content_is_string && message.content->size() == 1 &&
               std::holds_alternative<chat::TextPart>(message.content->front())) {
        out.value(std::get<chat::TextPart>(message.content->front()).text);
    } else {
        out.begin_array();
        for (const auto& part : *message.content) write_part(out, part);
        out.end_array();
    }
    if (!message.tool_calls.empty()) {
        out.key("tool_calls").begin_array();
        for (const auto& call : message.tool_calls) write_tool_call(out, call);
        out.end_array();
    }
    for (const auto& [key, raw] : message.extra) out.raw_member(key, raw.json);
    out.end_object();
}

void write_choices_of_tools(json::Writer& out, const chat::Request& request) {
    using Choice = chat::ToolChoice::Kind;
    if (!request.tools.empty()) {
        out.key("tools").begin_array();
        for (const auto& tool : request.tools) out.raw(tool.json.json);
        out.end_array();
    }
    switch (request.tool_choice.kind) {
        case Choice::unset:
            break;
        case Choice::none:
            out.member("tool_choice", "none");
            break;
        case Choice::automatic:
            out.member("tool_choice", "auto");
            break;
        case Choice::required:
            out.member("tool_choice", "required");
            break;
        case Choice::other:
            out.raw_member("tool_choice", request.tool_choice.json.json);
            break;
    }
}

// ---- answers ----

Usage read_usage(const Value& usage) {
    Usage result;
    result.input.count = std::max<std::int64_t>(0, usage["prompt_tokens"].integer().value_or(0));
    result.output.count = std::max<std::int64_t>(0, usage["completion_tokens"].integer().value_or(0));
    result.cached_input.count =
        std::max<std::int64_t>(0, usage["prompt_tokens_details"]["cached_tokens"].integer().value_or(0));
    result.reasoning.count =
        std::max<std::int64_t>(0, usage["completion_tokens_details"]["reasoning_tokens"].integer().value_or(0));
    return result;
}

void write_usage(json::Writer& out, const Usage& usage) {
    out.begin_object()
        .member("prompt_tokens", usage.input.count)
        .member("completion_tokens", usage.output.count)
        .member("total_tokens", usage.input.count + usage.output.count);
    out.key("prompt_tokens_details").begin_object().member("cached_tokens", usage.cached_input.count).end_object();
    out.key("completion_tokens_details").begin_object().member("reasoning_tokens", usage.reasoning.count).end_object();
    out.end_object();
}

Error read_error(const Value& error) {
    auto message = error["message"].string().value_or(error.string().value_or("the provider answered with an error"));
    return {ErrorCode::upstream, printable(message, 500)};
}

void read_piece(const Value& piece, std::int64_t choice, std::vector<chat::Event>& events) {
    if (const auto text = piece["content"].string(); text && !text->empty())
        events.emplace_back(chat::TextDelta{choice, std::string(*text)});
    for (const auto* key : {"reasoning_content", "reasoning"})
        if (const auto text = piece[key].string(); text && !text->empty())
            events.emplace_back(chat::ReasoningDelta{choice, std::string(*text)});
    if (const auto text = piece["refusal"].string(); text && !text->empty())
        events.emplace_back(chat::TextDelta{choice, std::string(*text)});
    std::int64_t position = 0;
    for (const Value call : piece["tool_calls"].children()) {
        const Value function = call["function"];
        events.emplace_back(chat::ToolCallDelta{choice, call["index"].integer().value_or(position++),
                                                std::string(call["id"].text()), std::string(function["name"].text()),
                                                std::string(function["arguments"].text())});
    }
}

void read_choices(const Value& root, const char* piece_key, std::vector<chat::Event>& events) {
    if (const Value error = root["error"]; given(error)) {
        events.emplace_back(chat::Failed{read_error(error)});
        return;
    }
    for (const Value choice : root["choices"].children()) {
        const auto index = choice["index"].integer().value_or(0);
        read_piece(choice[piece_key], index, events);
        if (const auto reason = choice["finish_reason"].string())
            events.emplace_back(chat::Finished{index, std::string(*reason)});
    }
    if (const Value usage = root["usage"]; usage.is(Kind::object)) events.emplace_back(chat::Used{read_usage(usage)});
}

struct ErrorShape {
    int status;
    std::string_view type;
    std::string_view code;
};

// The one place that maps an error to this dialect.
ErrorShape shape_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid:
            return {400, "invalid_request_error", "invalid_request"};
        case ErrorCode::unauthenticated:
            return {401, "invalid_request_error", "invalid_api_key"};
        case ErrorCode::forbidden:
            return {403, "permission_error", "forbidden"};
        case ErrorCode::not_found:
            return {404, "invalid_request_error", "model_not_found"};
        case ErrorCode::method:
            return {405, "invalid_request_error", "method_not_allowed"};
        case ErrorCode::too_large:
            return {413, "invalid_request_error", "too_large"};
        case ErrorCode::rate_limited:
            return {429, "rate_limit_error", "rate_limit_exceeded"};
        case ErrorCode::over_budget:
            return {429, "insufficient_quota", "insufficient_quota"};
        case ErrorCode::policy:
            return {422, "policy_error", "no_eligible_model"};
        case ErrorCode::unavailable:
            return {503, "server_error", "unavailable"};
        case ErrorCode::context:
            return {400, "invalid_request_error", "context_length_exceeded"};
        case ErrorCode::upstream:
            return {502, "server_error", "upstream_error"};
        case ErrorCode::timeout:
            return {504, "server_error", "timeout"};
        case ErrorCode::cancelled:
            return {503, "server_error", "cancelled"};
        case ErrorCode::storage:
            return {503, "server_error", "storage_error"};
        case ErrorCode::internal:
            break;
    }
    return {500, "server_error", "internal_error"};
}

void write_model(json::Writer& out, const ListedModel& model, std::int64_t created) {
    out.begin_object()
        .member("id", model.id)
        .member("object", "model")
        .member("created", created)
        .member("owned_by", model.owner)
        .end_object();
}

}  // namespace

Result<chat::Request> decode_request(const json::Document& document) {
    const Value root = document.root();
    if (!root.is(Kind::object)) return fail(ErrorCode::invalid, "the body must be a JSON object");
    chat::Request request;
    const auto model = root["model"].string();
    if (!model || model->empty()) return wrong("model", "the name of an alias or a model, such as \"auto\"");
    request.model = *model;
    if (auto ok = read_messages(root["messages"], request); !ok) return fail(ok.error());
    if (auto ok = read_tools(root["tools"], request); !ok) return fail(ok.error());
    if (auto ok = read_tool_choice(root["tool_choice"], request); !ok) return fail(ok.error());
    if (auto ok = read_response_format(root["response_format"], request); !ok) return fail(ok.error());
    if (auto ok = read_stop(root["stop"], request); !ok) return fail(ok.error());
    if (auto ok = read_max_tokens(root, request); !ok) return fail(ok.error());
    if (auto ok = read_rest(root, request); !ok) return fail(ok.error());
    return request;
}

std::string encode_request(const chat::Request& request, std::string_view model) {
    json::Writer out;
    out.begin_object().member("model", model).key("messages").begin_array();
    for (const auto& message : request.messages) write_message(out, message);
    out.end_array();
    write_choices_of_tools(out, request);
    if (!request.response_format.json.json.empty())
        out.raw_member("response_format", request.response_format.json.json);
    if (request.max_output_tokens)
        out.member(request.legacy_max_tokens ? "max_tokens" : "max_completion_tokens", *request.max_output_tokens);
    if (request.stream) out.member("stream", true);
    const bool own_options =
        std::ranges::any_of(request.extra, [](const auto& e) { return e.first == "stream_options"; });
    if (request.include_usage && !own_options)
        out.key("stream_options").begin_object().member("include_usage", true).end_object();
    if (request.logprobs) out.member("logprobs", true);
    if (request.choices != 1) out.member("n", request.choices);
    if (!request.stop.empty()) {
        out.key("stop").begin_array();
        for (const auto& stop : request.stop) out.value(stop);
        out.end_array();
    }
    for (const auto& [key, raw] : request.extra) out.raw_member(key, raw.json);
    out.end_object();
    return out.take();
}

std::string forward_request(const json::Document& document, std::string_view model, bool ask_for_usage) {
    struct Edit {
        std::size_t offset;
        std::size_t length;
        std::string text;
    };
    static constexpr std::string_view kAsk = R"("include_usage":true)";
    std::vector<Edit> edits;
    const Value root = document.root();
    const Value name = root["model"];
    if (name.text() != model) edits.push_back({name.offset(), name.raw().size(), json::quoted(model)});
    const Value options = root["stream_options"];
    const Value flag = options["include_usage"];
    if (ask_for_usage && flag.boolean() != true) {
        if (flag.exists())
            edits.push_back({flag.offset(), flag.raw().size(), "true"});
        else if (options.is(Kind::object))
            edits.push_back({options.offset() + 1, 0, std::string(kAsk) + (options.size() > 0 ? "," : "")});
        else if (options.exists())
            edits.push_back({options.offset(), options.raw().size(), fmt::format("{{{}}}", kAsk)});
        else
            edits.push_back(
                {root.offset() + root.raw().size() - 1, 0, fmt::format(",\"stream_options\":{{{}}}", kAsk)});
    }
    std::ranges::sort(edits, {}, &Edit::offset);
    const std::string_view source = document.source();
    std::string out;
    out.reserve(source.size() + 64);
    std::size_t at = 0;
    for (const auto& edit : edits) {
        out += source.substr(at, edit.offset - at);
        out += edit.text;
        at = edit.offset + edit.length;
    }
    out += source.substr(at);
    return out;
}

void decode_chunk(const Value& chunk, std::vector<chat::Event>& events) {
    read_choices(chunk, "delta", events);
}

ChunkFacts chunk_facts(const Value& chunk) {
    ChunkFacts facts;
    for (const Value member : chunk.children()) {
        const auto key = member.key();
        if (key == "error" && given(member)) facts.error = read_error(member);
        if (key == "usage" && member.is(Kind::object)) facts.usage = read_usage(member);
        if (key != "choices") continue;
        for (const Value choice : member.children()) {
            facts.only_usage = false;
            for (const Value field : choice.children()) {
                if (field.key() == "finish_reason" && field.is(Kind::string)) ++facts.finished;
                if (field.key() != "delta") continue;
                for (const Value piece : field.children()) {
                    const auto name = piece.key();
                    if (name == "content" || name == "reasoning_content" || name == "reasoning" || name == "refusal")
                        facts.text_bytes += piece.text().size();
                    else if (name == "tool_calls")
                        for (const Value call : piece.children())
                            facts.text_bytes += call["function"]["name"].text().size() +
                                                call["function"]["arguments"].text().size() + call["id"].text().size();
                }
            }
        }
    }
    return facts;
}

void decode_answer(const Value& answer, std::vector<chat::Event>& events) {
    read_choices(answer, "message", events);
}

std::string encode_chunk(const chat::Event& event, const StreamFrame& frame) {
    json::Writer out;
    if (const auto* failed = std::get_if<chat::Failed>(&event)) return encode_error(failed->error).body;
    out.begin_object()
        .member("id", frame.id)
        .member("object", "chat.completion.chunk")
        .member("created", frame.created)
        .member("model", frame.model);
    auto choice = [&](std::int64_t index, auto&& write_delta, std::string_view reason) {
        out.key("choices").begin_array().begin_object().member("index", index).key("delta").begin_object();
        write_delta();
        out.end_object().key("finish_reason");
        if (reason.empty())
            out.null();
        else
            out.value(reason);
        out.end_object().end_array();
    };
    if (const auto* text = std::get_if<chat::TextDelta>(&event)) {
        choice(text->choice, [&] { out.member("content", text->text); }, "");
    } else if (const auto* reasoning = std::get_if<chat::ReasoningDelta>(&event)) {
        choice(reasoning->choice, [&] { out.member("reasoning_content", reasoning->text); }, "");
    } else if (const auto* call = std::get_if<chat::ToolCallDelta>(&event)) {
        choice(
            call->choice,
            [&] {
                out.key("tool_calls").begin_array().begin_object().member("index", call->index);
                if (!call->id.empty()) out.member("id", call->id).member("type", "function");
                out.key("function").begin_object();
                if (!call->name.empty()) out.member("name", call->name);
                out.member("arguments", call->arguments).end_object().end_object().end_array();
            },
            "");
    } else if (const auto* finished = std::get_if<chat::Finished>(&event)) {
        choice(finished->choice, [] {}, finished->reason);
    } else if (const auto* used = std::get_if<chat::Used>(&event)) {
        out.key("choices").begin_array().end_array().key("usage");
        write_usage(out, used->usage);
    } else {
        return "";
    }
    out.end_object();
    return out.take();
}

ErrorReply encode_error(const Error& error) {
    const auto shape = shape_of(error.code);
    json::Writer out;
    out.begin_object()
        .key("error")
        .begin_object()
        .member("message", error.message)
        .member("type", shape.type)
        .key("param");
    if (error.param.empty())
        out.null();
    else
        out.value(error.param);
    out.member("code", shape.code).end_object().end_object();
    return {shape.status, out.take()};
}

std::string encode_models(const std::vector<ListedModel>& models, std::int64_t created) {
    json::Writer out;
    out.begin_object().member("object", "list").key("data").begin_array();
    for (const auto& model : models) write_model(out, model, created);
    out.end_array().end_object();
    return out.take();
}

std::string encode_model(const ListedModel& model, std::int64_t created) {
    json::Writer out;
    write_model(out, model, created);
    return out.take();
}

}  // namespace tandem::dialect::openai_chat
