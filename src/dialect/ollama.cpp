#include "dialect/ollama.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "base/text.h"
#include "dialect/failure.h"
#include "dialect/fields.h"
#include "dialect/pairing.h"
#include "dialect/sequence.h"

namespace tandem::dialect::ollama {

namespace {

using chat::Role;
using json::Kind;
using json::Value;

constexpr std::string_view kName = "ollama";
constexpr std::string_view kOptions = "options.";

// The type of an image by its first bytes: Ollama's images are base64 without a word on what they are.
std::string image_type(std::string_view base64) {
    if (base64.starts_with("/9j/")) return "image/jpeg";
    if (base64.starts_with("R0lGOD")) return "image/gif";
    if (base64.starts_with("UklGR")) return "image/webp";
    return "image/png";
}

Result<> read_images(const Value& images, const std::string& param, std::vector<chat::Part>& parts) {
    if (given(images) && !images.is(Kind::array)) return wrong(param, "a list of base64 strings");
    for (const Value image : images.children()) {
        const auto data = image.string();
        if (!data) return wrong(param, "a list of base64 strings");
        parts.push_back({chat::ImagePart{{{}, image_type(*data), std::string(*data), {}}, {}}, {}});
    }
    return {};
}

Result<chat::Message> read_message(const Value& value, const std::string& param, Pairing& pairing) {
    chat::Message message;
    const auto role = value["role"].text();
    if (role == "system")
        message.role = Role::system;
    else if (role == "user")
        message.role = Role::user;
    else if (role == "assistant")
        message.role = Role::assistant;
    else if (role == "tool")
        message.role = Role::tool;
    else
        return wrong(param + ".role", "system, user, assistant or tool");
    std::string content;
    if (auto ok = read_string(value["content"], param + ".content", content); !ok) return fail(ok.error());
    if (message.role == Role::tool) {
        const auto name = given(value["tool_name"]) ? value["tool_name"].text() : value["name"].text();
        chat::ToolResultPart result;
        result.call_id = pairing.result(value["tool_call_id"].text(), name);
        result.name = name;
        result.content.push_back({chat::TextPart{std::move(content)}, {}});
        message.parts.push_back({std::move(result), {}});
        return message;
    }
    if (const auto thought = value["thinking"].string(); thought && !thought->empty())
        message.parts.push_back({chat::ReasoningPart{std::string(*thought), {}, false, std::string(kName)}, {}});
    if (!content.empty()) message.parts.push_back({chat::TextPart{std::move(content)}, {}});
    if (auto ok = read_images(value["images"], param + ".images", message.parts); !ok) return fail(ok.error());
    for (const Value call : value["tool_calls"].children()) {
        const Value function = call["function"];
        chat::ToolCallPart part;
        part.name = function["name"].text();
        part.id = pairing.call(call["id"].text(), part.name);
        const Value arguments = function["arguments"];
        part.arguments = arguments.is(Kind::string) ? arguments.text() : arguments.raw();
        message.parts.push_back({std::move(part), {}});
    }
    // A user who says nothing still takes a turn.
    if (message.parts.empty() && message.role == Role::user) message.parts.push_back({chat::TextPart{}, {}});
    return message;
}

Result<> read_prompt(const Value& root, chat::Request& request) {
    for (const auto* field : {"suffix", "template", "context", "raw"})
        if (const Value value = root[field]; given(value) && value.boolean() != false && !value.text().empty())
            return fail(Fault::unsupported_demand,
                        fmt::format("{}: models are asked through their chat template here; leave it out, and send "
                                    "earlier turns with /api/chat",
                                    field),
                        field);
    std::string system, prompt;
    if (auto ok = read_string(root["system"], "system", system); !ok) return ok;
    if (auto ok = read_string(root["prompt"], "prompt", prompt); !ok) return ok;
    if (!system.empty()) request.messages.push_back({Role::system, {{chat::TextPart{system}, {}}}, {}, {}});
    chat::Message message;
    message.parts.push_back({chat::TextPart{prompt}, {}});
    if (auto ok = read_images(root["images"], "images", message.parts); !ok) return ok;
    request.messages.push_back(std::move(message));
    return {};
}

Result<> read_options(const Value& options, chat::Request& request) {
    if (!given(options)) return {};
    if (!options.is(Kind::object)) return wrong("options", "an object");
    if (auto ok = read_sampling(options, std::string(kOptions), request.sampling); !ok) return ok;
    if (auto ok = read_stops(options["stop"], "options.stop", request.stop); !ok) return ok;
    if (const Value most = options["num_predict"]; given(most)) {
        const auto count = most.integer();
        if (!count) return wrong("options.num_predict", "a whole number");
        if (*count > 0) request.max_output_tokens = count;  // -1 and -2: as many as it takes
    }
    if (const Value context = options["num_ctx"]; given(context)) {
        const auto count = context.integer();
        if (!count || *count < 1) return wrong("options.num_ctx", "a whole number of at least 1");
        request.context_tokens = *count;
    }
    chat::Extra rest;
    keep_unknown(options,
                 {"temperature", "top_p", "top_k", "min_p", "seed", "presence_penalty", "frequency_penalty",
                  "repeat_penalty", "stop", "num_predict", "num_ctx"},
                 rest);
    for (auto& [name, raw] : rest) request.extra.emplace_back(std::string(kOptions) + name, std::move(raw));
    return {};
}

Result<> read_tools(const Value& tools, chat::Request& request) {
    if (given(tools) && !tools.is(Kind::array)) return wrong("tools", "a list");
    for (const Value element : tools.children()) {
        const Value function = element["function"];
        if (!function["name"].string())
            return wrong(fmt::format("tools[{}].function.name", request.tools.size()), "a string");
        chat::Tool tool;
        tool.name = function["name"].text();
        tool.description = function["description"].text();
        tool.parameters = raw_of(function["parameters"]);
        request.tools.push_back(std::move(tool));
    }
    return {};
}

Result<> read_format(const Value& root, chat::Request& request) {
    const Value format = root["format"];
    if (format.is(Kind::object)) {
        request.response_format.kind = chat::ResponseFormat::Kind::json_schema;
        request.response_format.name = "answer";
        request.response_format.schema.json = format.raw();
    } else if (format.text() == "json") {
        request.response_format.kind = chat::ResponseFormat::Kind::json_object;
    } else if (given(format) && !format.text().empty()) {
        return wrong("format", "\"json\" or a JSON schema");
    }
    const Value think = root["think"];
    if (const auto flag = think.boolean()) request.thinking.on = flag;
    if (const auto level = think.string(); level && !level->empty()) request.thinking.effort = *level;
    return {};
}

// ---- encoding ----

void write_message(json::Writer& out, const chat::Message& message) {
    static constexpr std::string_view kRoles[] = {"system", "system", "user", "assistant", "tool"};
    out.begin_object().member("role", kRoles[static_cast<std::size_t>(message.role)]);
    std::string text, thinking;
    std::vector<std::string_view> images;
    std::vector<const chat::ToolCallPart*> calls;
    auto take = [&](const chat::Part& part) {
        if (const auto* piece = part.as<chat::TextPart>()) text += piece->text;
        if (const auto* piece = part.as<chat::RefusalPart>()) text += piece->text;
        if (const auto* piece = part.as<chat::ReasoningPart>()) thinking += piece->text;
        if (const auto* image = part.as<chat::ImagePart>()) images.emplace_back(image->media.data);
        if (const auto* call = part.as<chat::ToolCallPart>()) calls.push_back(call);
    };
    for (const auto& part : message.parts) {
        if (const auto* result = part.as<chat::ToolResultPart>()) {
            for (const auto& inner : result->content) take(inner);
            if (!result->name.empty()) out.member("tool_name", result->name);
            if (!result->call_id.empty()) out.member("tool_call_id", result->call_id);
        } else {
            take(part);
        }
    }
    out.member("content", text);
    if (!thinking.empty()) out.member("thinking", thinking);
    if (!images.empty()) {
        out.key("images").begin_array();
        for (const auto image : images) out.value(image);
        out.end_array();
    }
    if (!calls.empty()) {
        out.key("tool_calls").begin_array();
        for (const auto* call : calls) {
            out.begin_object();
            if (!call->id.empty()) out.member("id", call->id);
            out.key("function").begin_object().member("name", call->name);
            out.raw_member("arguments", chat::arguments_object(call->arguments)).end_object().end_object();
        }
        out.end_array();
    }
    out.end_object();
}

void write_options(json::Writer& out, const chat::Request& request, const Target& target) {
    json::Writer options;
    options.begin_object();
    write_sampling(options, request.sampling);
    if (const auto most = bound_of(request, target)) options.member("num_predict", *most);
    // Without it Ollama takes a context of its own choice and cuts what is longer, without a word.
    const auto context = request.context_tokens > 0 ? request.context_tokens : target.context_tokens;
    if (context > 0) options.member("num_ctx", context);
    write_texts(options, "stop", request.stop);
    for (const auto& [name, raw] : request.extra)
        if (name.starts_with(kOptions)) options.raw_member(std::string_view(name).substr(kOptions.size()), raw.json);
    options.end_object();
    if (options.text() != "{}") out.raw_member("options", options.text());
}

class Reader final : public AnswerReader {
  public:
    void whole(const Value& answer, Events& events) override { piece(answer, events); }
    void piece(const Value& data, Events& events) override {
        if (auto error = failure_in(data)) {
            events.emplace_back(chat::Failed{std::move(*error)});
            return;
        }
        if (!std::exchange(started_, true)) events.emplace_back(chat::Started{{}, std::string(data["model"].text())});
        const Value message = data["message"];
        for (const Value source : {message["thinking"], data["thinking"]})
            if (const auto text = source.string(); text && !text->empty())
                events.emplace_back(chat::ReasoningDelta{0, std::string(*text)});
        for (const Value source : {message["content"], data["response"]})
            if (const auto text = source.string(); text && !text->empty())
                events.emplace_back(chat::TextDelta{0, std::string(*text)});
        for (const Value image : message["images"].children()) say_image(image, events);
        say_image(data["image"], events);  // of /api/generate
        for (const Value call : message["tool_calls"].children()) {
            const Value function = call["function"];
            const Value arguments = function["arguments"];
            auto id = std::string(call["id"].text());
            events.emplace_back(chat::ToolCallDelta{
                0, calls_, std::move(id), std::string(function["name"].text()),
                std::string(arguments.is(Kind::string) ? arguments.text() : arguments.raw()), false});
            events.emplace_back(chat::ToolCallEnd{0, calls_++});
        }
        if (data["done"].boolean() != true) return;
        done_ = true;
        Usage usage;
        usage.input.count = count_of(data["prompt_eval_count"]);
        usage.output.count = count_of(data["eval_count"]);
        if (data["eval_count"].exists() || data["prompt_eval_count"].exists()) events.emplace_back(chat::Used{usage});
        const auto reason = data["done_reason"].text();
        // "load" and "unload": it was asked for nothing.
        events.emplace_back(end_event(0, reason.ends_with("load") || reason.empty() ? "stop" : reason, calls_ > 0));
    }
    bool done() const override { return done_; }

  private:
    static void say_image(const Value& image, Events& events) {
        if (const auto data = image.string(); data && !data->empty())
            events.emplace_back(chat::MediaSaid{0, {{}, image_type(*data), std::string(*data), {}}});
    }

    std::int64_t calls_ = 0;
    bool started_ = false;
    bool done_ = false;
};

class Writer final : public SequencedWriter {
  public:
    explicit Writer(AnswerFrame frame) : SequencedWriter(std::move(frame)) {}

    void end(const Usage& usage, std::string& out) override {
        finish_parts(out);
        out += line({}, &usage) + "\n";
    }

    void fail(const Error& error, std::string& out) override { out += encode_error(error).body + "\n"; }

    bool says(const chat::Media& media) const override {
        return !frame_.generate && media.media_type.starts_with("image/") && !media.data.empty();
    }

    std::string whole(const chat::Answer& answer, const Usage& usage) override {
        if (!answer.model.empty()) model_ = answer.model;
        Message message;
        if (!answer.choices.empty()) {
            finished_ = answer.choices[0].finished.value_or(chat::Finished{});
            for (const auto& part : answer.choices[0].parts) {
                if (const auto* text = part.as<chat::TextPart>()) message.text += text->text;
                if (const auto* refusal = part.as<chat::RefusalPart>()) message.text += refusal->text;
                if (const auto* reasoning = part.as<chat::ReasoningPart>()) message.thinking += reasoning->text;
                if (const auto* call = part.as<chat::ToolCallPart>()) message.calls.push_back(call_json(*call));
                if (const auto* media = chat::media_of(part); media != nullptr && says(*media))
                    message.images.push_back(media->data);
            }
        }
        return line(message, &usage);
    }

  private:
    struct Message {
        std::string text, thinking;
        std::vector<std::string> calls;
        std::vector<std::string> images;  // base64
    };

    static std::string call_json(const chat::ToolCallPart& call) {
        json::Writer w;
        w.begin_object();
        if (!call.id.empty()) w.member("id", call.id);
        w.key("function").begin_object().member("name", call.name);
        w.raw_member("arguments", chat::arguments_object(call.arguments)).end_object().end_object();
        return w.take();
    }

    // One object of the stream; with usage the last.
    std::string line(const Message& message, const Usage* usage) const {
        json::Writer w;
        w.begin_object().member("model", model_).member("created_at", time_text(frame_.created));
        if (frame_.generate) {
            w.member("response", message.text);
            if (!message.thinking.empty()) w.member("thinking", message.thinking);
        } else {
            w.key("message").begin_object().member("role", "assistant").member("content", message.text);
            if (!message.thinking.empty()) w.member("thinking", message.thinking);
            if (!message.calls.empty()) {
                w.key("tool_calls").begin_array();
                for (const auto& call : message.calls) w.raw(call);
                w.end_array();
            }
            if (!message.images.empty()) {
                w.key("images").begin_array();
                for (const auto& image : message.images) w.value(image);
                w.end_array();
            }
            w.end_object();
        }
        w.member("done", usage != nullptr);
        if (usage != nullptr) {
            w.member("done_reason",
                     finished_.reason == chat::Finish::length || finished_.reason == chat::Finish::context ? "length"
                                                                                                           : "stop");
            // Times are not ours to tell from here; clients want the fields.
            w.member("total_duration", 0).member("load_duration", 0).member("prompt_eval_count", usage->input.count);
            w.member("prompt_eval_duration", 0).member("eval_count", usage->output.count).member("eval_duration", 0);
        }
        w.end_object();
        return on_one_line(w.take());
    }

    void open(const Piece&) override {}
    void delta(const Piece& piece, std::string_view added) override {
        Message message;
        if (piece.kind == Piece::Kind::text || piece.kind == Piece::Kind::refusal)
            message.text = added;
        else if (piece.kind == Piece::Kind::reasoning)
            message.thinking = added;
        else
            return;
        *out_ += line(message, nullptr) + "\n";
    }
    void close(const Piece& piece) override {
        Message message;
        if (piece.kind == Piece::Kind::call)
            message.calls.push_back(call_json({piece.id, piece.name, piece.text, false, {}}));
        else if (piece.kind == Piece::Kind::media)
            message.images.push_back(piece.media.data);
        else
            return;
        *out_ += line(message, nullptr) + "\n";
    }
};

std::string object_of(const std::vector<std::pair<std::string_view, std::string>>& members) {
    json::Writer out;
    out.begin_object();
    for (const auto& [name, raw] : members) out.raw_member(name, raw);
    out.end_object();
    return out.take();
}

class Ollama final : public Dialect {
  public:
    dialect::Kind kind() const override { return dialect::Kind::ollama; }
    Framing framing() const override { return Framing::ndjson; }
    // An empty message: its clients read every line.
    std::string beat(const AnswerFrame& frame) const override {
        json::Writer out;
        out.begin_object().member("model", frame.model).member("created_at", time_text(frame.created));
        if (frame.generate)
            out.member("response", "");
        else
            out.key("message").begin_object().member("role", "assistant").member("content", "").end_object();
        out.member("done", false).end_object();
        return out.take() + "\n";
    }

    Result<chat::Request> decode_request(const Incoming& incoming) const override {
        const Value root = incoming.body.root();
        if (!root.is(Kind::object)) return fail(Fault::invalid_json, "the body must be a JSON object");
        chat::Request request;
        request.dialect = kName;
        auto model = root["model"].text();
        if (model.empty()) model = root["name"].text();
        if (model.empty()) return wrong("model", "the name of an alias or a model, such as \"auto\"");
        // ":latest" is what its clients add to a name without a tag.
        if (model.ends_with(":latest")) model.remove_suffix(7);
        request.model = model;
        request.stream = true;  // unless told otherwise
        request.include_usage = true;
        if (auto ok = read_flag(root["stream"], "stream", request.stream); !ok) return fail(ok.error());
        if (incoming.path.ends_with("/generate")) {
            if (auto ok = read_prompt(root, request); !ok) return fail(ok.error());
        } else {
            const Value messages = root["messages"];
            if (!messages.is(Kind::array)) return wrong("messages", "a list of messages");
            Pairing pairing;
            for (const Value message : messages.children()) {
                auto read = read_message(message, fmt::format("messages[{}]", request.messages.size()), pairing);
                if (!read) return fail(read.error());
                request.messages.push_back(std::move(*read));
            }
        }
        if (auto ok = read_tools(root["tools"], request); !ok) return fail(ok.error());
        if (auto ok = read_format(root, request); !ok) return fail(ok.error());
        if (auto ok = read_options(root["options"], request); !ok) return fail(ok.error());
        keep_unknown(root,
                     {"model", "name", "messages", "stream", "tools", "format", "think", "options", "prompt", "system",
                      "images", "suffix", "template", "context", "raw"},
                     request.extra);
        return request;
    }

    Outgoing encode_request(const chat::Request& request, const Target& target) const override {
        json::Writer out;
        out.begin_object().member("model", target.model).key("messages").begin_array();
        for (const auto& message : request.messages) write_message(out, message);
        out.end_array();
        // It has no word for "none": there are no tools then.
        if (!request.tools.empty() && request.tool_choice.kind != chat::ToolChoice::Kind::none) {
            out.key("tools").begin_array();
            for (const auto& tool : request.tools) {
                out.begin_object().member("type", "function").key("function").begin_object().member("name", tool.name);
                if (!tool.description.empty()) out.member("description", tool.description);
                write_raw(out, "parameters", tool.parameters);
                out.end_object().end_object();
            }
            out.end_array();
        }
        out.member("stream", target.stream);
        using Format = chat::ResponseFormat::Kind;
        if (request.response_format.kind == Format::json_object) out.member("format", "json");
        if (request.response_format.kind == Format::json_schema)
            out.raw_member("format",
                           request.response_format.schema.given() ? request.response_format.schema.json : "{}");
        const auto& thinking = request.thinking;
        if (thinking.on == false || thinking.effort == "none")
            out.member("think", false);
        else if (!thinking.effort.empty())
            out.member("think", thinking.effort);
        else if (thinking.on == true)
            out.member("think", true);
        write_options(out, request, target);
        for (const auto& [name, raw] : request.extra)
            if (!name.starts_with(kOptions)) out.raw_member(name, raw.json);
        out.end_object();
        return {"/api/chat", out.take()};
    }

    Outgoing forward_request(const Incoming& incoming, const Target& target) const override {
        const Value root = incoming.body.root();
        Splice splice(incoming.body);
        splice.set(root, "model", json::quoted(target.model));
        const Value options = root["options"];
        std::vector<std::pair<std::string_view, std::string>> members;
        if (!given(options["num_ctx"]) && target.context_tokens > 0)
            members.emplace_back("num_ctx", std::to_string(target.context_tokens));
        if (const auto most = bound_to_set(options["num_predict"], target))
            members.emplace_back("num_predict", std::to_string(*most));
        if (options.is(Kind::object) && options.size() > 0)
            for (const auto& [name, number] : members) splice.set(options, name, number);
        else if (!members.empty())
            splice.set(root, "options", object_of(members));
        return {incoming.path.ends_with("/generate") ? "/api/generate" : "/api/chat", splice.take()};
    }

    std::unique_ptr<AnswerReader> reader() const override { return std::make_unique<Reader>(); }
    std::unique_ptr<AnswerWriter> writer(AnswerFrame frame) const override {
        return std::make_unique<Writer>(std::move(frame));
    }
    ErrorReply encode_error(const Error& error) const override { return ollama::encode_error(error); }
};

int status_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid:
        case ErrorCode::context:
        case ErrorCode::policy:
            return 400;
        case ErrorCode::unauthenticated:
            return 401;
        case ErrorCode::forbidden:
            return 403;
        case ErrorCode::not_found:
            return 404;
        case ErrorCode::method:
            return 405;
        case ErrorCode::too_large:
            return 413;
        case ErrorCode::rate_limited:
        case ErrorCode::over_budget:
            return 429;
        case ErrorCode::upstream:
            return 502;
        case ErrorCode::timeout:
            return 504;
        case ErrorCode::unavailable:
        case ErrorCode::cancelled:
        case ErrorCode::storage:
            return 503;
        case ErrorCode::internal:
            break;
    }
    return 500;
}

}  // namespace

const Dialect& dialect() {
    static const Ollama instance;
    return instance;
}

ErrorReply encode_error(const Error& error) {
    json::Writer out;
    // The words of llama.cpp's server, which Ollama hands on.
    const bool numbers = error.code == ErrorCode::context && error.prompt_tokens > 0 && error.context_tokens > 0;
    out.begin_object().member("error", numbers ? fmt::format("the request ({} tokens) exceeds the available context "
                                                             "size ({} tokens)",
                                                             error.prompt_tokens, error.context_tokens)
                                               : error.message);
    out.member("code", error.code.name()).end_object();
    return {status_of(error.code), out.take()};
}

std::string time_text(std::int64_t seconds) {
    const auto time = static_cast<std::time_t>(seconds);
    std::tm parts{};
    gmtime_r(&time, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                       parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace tandem::dialect::ollama
