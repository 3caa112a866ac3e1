#include "chat/rendered_tools.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "chat/answer.h"

namespace tandem::chat {

namespace {

using json::Value;

constexpr int kMostCalls = 8;  // of one answer: an endless list would be one way not to end

// A schema as it stands below `place`: references to its own root point there.
void write_schema(json::Writer& out, const Value& value, const std::string& place) {
    if (value.is(json::Kind::object)) {
        out.begin_object();
        for (const Value member : value.children()) {
            out.key(member.key());
            const auto text = member.text();
            if (member.key() == "$ref" && member.is(json::Kind::string) && text.starts_with('#'))
                out.value(place + std::string(text.substr(1)));
            else
                write_schema(out, member, place);
        }
        out.end_object();
    } else if (value.is(json::Kind::array)) {
        out.begin_array();
        for (const Value element : value.children()) write_schema(out, element, place);
        out.end_array();
    } else {
        out.raw(value.raw());
    }
}

void write_definition(json::Writer& out, const std::string& name, const Raw& schema, std::string_view otherwise) {
    json::Document document;
    out.key(name);
    if (schema.given() && document.parse(schema.json) && document.root().is(json::Kind::object) &&
        document.root().size() > 0)
        write_schema(out, document.root(), "#/$defs/" + name);
    else
        out.raw(otherwise);
}

std::vector<const Tool*> allowed(const Request& request) {
    std::vector<const Tool*> tools;
    for (const auto& tool : request.tools)
        if (request.tool_choice.kind != ToolChoice::Kind::named || tool.name == request.tool_choice.name)
            tools.push_back(&tool);
    return tools;
}

std::string schema_of(const Request& request) {
    const auto tools = allowed(request);
    using Choice = ToolChoice::Kind;
    const auto choice = request.tool_choice.kind;
    const bool must = choice == Choice::required || choice == Choice::named;
    json::Writer out;
    out.begin_object().key("$defs").begin_object();
    for (std::size_t i = 0; i < tools.size(); ++i)
        write_definition(out, fmt::format("tool_{}", i), tools[i]->parameters, R"({"type":"object"})");
    const bool schema = request.response_format.kind == ResponseFormat::Kind::json_schema;
    const bool object = request.response_format.kind == ResponseFormat::Kind::json_object;
    write_definition(out, "reply", schema ? request.response_format.schema : Raw{},
                     object ? R"({"type":"object"})" : R"({"type":"string"})");
    out.end_object().key("anyOf").begin_array();
    if (!must)
        out.begin_object()
            .raw_member("type", R"("object")")
            .raw_member("properties", R"({"reply":{"$ref":"#/$defs/reply"}})")
            .raw_member("required", R"(["reply"])")
            .member("additionalProperties", false)
            .end_object();
    out.begin_object().member("type", "object").key("properties").begin_object().key("tool_calls").begin_object();
    out.member("type", "array").member("minItems", 1);
    const bool single = choice == Choice::named || request.parallel_tool_calls == false;
    out.member("maxItems", single ? 1 : kMostCalls).key("items").begin_object().key("anyOf").begin_array();
    for (std::size_t i = 0; i < tools.size(); ++i) {
        out.begin_object().member("type", "object").key("properties").begin_object();
        out.key("name").begin_object().member("const", tools[i]->name).end_object();
        out.key("arguments").begin_object().member("$ref", fmt::format("#/$defs/tool_{}", i)).end_object();
        out.end_object().raw_member("required", R"(["name","arguments"])").member("additionalProperties", false);
        out.end_object();
    }
    out.end_array().end_object().end_object().end_object().raw_member("required", R"(["tool_calls"])");
    out.member("additionalProperties", false).end_object().end_array().end_object();
    return out.take();
}

std::string prompt_of(const Request& request) {
    std::string text =
        "You can call tools. Answer with one JSON object and nothing else: {\"reply\": \"...\"} to answer, or "
        "{\"tool_calls\": [{\"name\": \"tool\", \"arguments\": {...}}]} to call tools. The results of calls come in "
        "the "
        "next message.\n\nThe tools, with the JSON schema of their arguments:\n";
    for (const auto* tool : allowed(request)) {
        text += "- " + tool->name;
        if (!tool->description.empty()) text += ": " + tool->description;
        text += "\n  " + (tool->parameters.given() ? tool->parameters.json : std::string("{}")) + "\n";
    }
    if (request.tool_choice.kind == ToolChoice::Kind::required) text += "Call at least one tool now.\n";
    if (request.tool_choice.kind == ToolChoice::Kind::named)
        text += fmt::format("Call the tool {} now.\n", request.tool_choice.name);
    return text;
}

// Calls and results of earlier turns as the text that they would have been.
void render_history(Request& request, bool in_schema) {
    std::vector<Message> messages;
    for (auto& message : request.messages) {
        if (message.role == Role::tool) {
            Message user;
            std::string text;
            for (const auto& part : message.parts)
                if (const auto* result = part.as<ToolResultPart>())
                    text += fmt::format("Result of {}:\n{}", result->name.empty() ? "the call" : result->name,
                                        text_of(result->content));
            // Results of one turn are one message: templates want turns to alternate.
            if (!messages.empty() && messages.back().role == Role::user && !messages.back().parts.empty() &&
                messages.back().name == "tool") {
                messages.back().parts[0].as<TextPart>()->text += "\n\n" + text;
                continue;
            }
            user.name = "tool";
            user.parts.push_back({TextPart{std::move(text)}, {}});
            messages.push_back(std::move(user));
            continue;
        }
        const bool calls = std::ranges::any_of(message.parts, [](const Part& p) { return p.as<ToolCallPart>(); });
        if (message.role == Role::assistant && (calls || in_schema)) {
            json::Writer out;
            out.begin_object();
            const auto text = text_of(message.parts);
            if (!calls) {
                out.member("reply", text);
            } else {
                out.key("tool_calls").begin_array();
                for (const auto& part : message.parts)
                    if (const auto* call = part.as<ToolCallPart>())
                        out.begin_object()
                            .member("name", call->name)
                            .raw_member("arguments", arguments_object(call->arguments))
                            .end_object();
                out.end_array();
            }
            out.end_object();
            message.parts.clear();
            message.parts.push_back({TextPart{out.take()}, {}});
        }
        messages.push_back(std::move(message));
    }
    for (auto& message : messages)
        if (message.name == "tool") message.name.clear();
    request.messages = std::move(messages);
}

// Reads the schema's answer as it comes: the text of a reply is said at once, calls when they are whole.
class RenderedToolsFilter final : public EventFilter {
  public:
    explicit RenderedToolsFilter(std::string id) : id_(std::move(id)) {}

    void take(Event event, std::vector<Event>& out) override {
        if (auto* text = std::get_if<TextDelta>(&event); text != nullptr && text->choice == 0) {
            whole_ += text->text;
            read(out);
            return;
        }
        if (auto* finished = std::get_if<Finished>(&event); finished != nullptr && finished->choice == 0) {
            conclude(out);
            if (calls_ > 0 && finished->reason == Finish::stop) finished->reason = Finish::tool_calls;
        }
        out.push_back(std::move(event));
    }
    void end(std::vector<Event>& out) override { conclude(out); }

  private:
    // Where a reply's text begins: behind {"reply":" with any white space between.
    void find_reply() {
        std::size_t at = 0;
        for (const std::string_view token : {"{", "\"reply\"", ":", "\""}) {
            at = whole_.find_first_not_of(" \t\r\n", at);
            if (at == std::string::npos) return;
            const auto there = std::string_view(whole_).substr(at, token.size());
            if (there != token) {
                if (!token.starts_with(there)) state_ = State::collecting;
                return;
            }
            at += token.size();
        }
        read_ = at;
        state_ = State::replying;
    }

    void read(std::vector<Event>& out) {
        if (state_ == State::start) find_reply();
        if (state_ != State::replying) return;
        std::string text;
        while (read_ < whole_.size()) {
            const char c = whole_[read_];
            if (c == '"') {
                state_ = State::done;
                break;
            }
            if (c != '\\') {
                text += c;
                ++read_;
                continue;
            }
            // An escape, of which all must be there; of a pair of surrogates both.
            std::size_t size = 2;
            if (whole_.size() - read_ >= 2 && whole_[read_ + 1] == 'u') size = 6;
            if (whole_.size() - read_ < size) break;
            if (size == 6 && (whole_[read_ + 2] == 'd' || whole_[read_ + 2] == 'D') && whole_[read_ + 3] > '7')
                size = 12;
            if (whole_.size() - read_ < size) break;
            json::Document document;
            const auto quoted = R"({"c":")" + whole_.substr(read_, size) + "\"}";
            text += document.parse(quoted) ? document.root()["c"].text() : std::string_view("\xEF\xBF\xBD");
            read_ += size;
        }
        if (!text.empty()) out.emplace_back(TextDelta{0, std::move(text)});
    }

    void conclude(std::vector<Event>& out) {
        if (state_ == State::replying || state_ == State::done || std::exchange(concluded_, true)) return;
        json::Document document;
        if (!document.parse(whole_)) return;  // cut off: half a call is none
        const auto root = document.root();
        if (const Value reply = root["reply"]; reply.exists())
            out.emplace_back(TextDelta{0, std::string(reply.is(json::Kind::string) ? reply.text() : reply.raw())});
        for (const Value call : root["tool_calls"].children()) {
            out.emplace_back(ToolCallDelta{0, calls_, fmt::format("call_{}_{}", id_, calls_),
                                           std::string(call["name"].text()), std::string(call["arguments"].raw()),
                                           false});
            out.emplace_back(ToolCallEnd{0, calls_++});
        }
    }

    const std::string id_;
    enum class State { start, replying, collecting, done } state_ = State::start;
    std::string whole_;
    std::size_t read_ = 0;
    std::int64_t calls_ = 0;
    bool concluded_ = false;
};

}  // namespace

bool needs_rendered_tools(const Request& request) {
    return !request.tools.empty() || std::ranges::any_of(request.messages, [](const Message& m) {
        return std::ranges::any_of(m.parts,
                                   [](const Part& p) { return p.as<ToolCallPart>() || p.as<ToolResultPart>(); });
    });
}

bool render_tools(Request& request) {
    const bool in_schema = !request.tools.empty() && request.tool_choice.kind != ToolChoice::Kind::none;
    render_history(request, in_schema);
    if (in_schema) {
        const auto prompt = prompt_of(request);
        if (!request.messages.empty() && request.messages[0].role == Role::system &&
            !request.messages[0].parts.empty() && request.messages[0].parts[0].as<TextPart>())
            request.messages[0].parts.back() = {TextPart{text_of({request.messages[0].parts.back()}) + "\n\n" + prompt},
                                                {}};
        else
            request.messages.insert(request.messages.begin(), Message{Role::system, {{TextPart{prompt}, {}}}, {}, {}});
        ResponseFormat format;
        format.kind = ResponseFormat::Kind::json_schema;
        format.name = "answer";
        format.schema.json = schema_of(request);
        request.response_format = std::move(format);
    }
    request.tools.clear();
    request.tool_choice = {};
    request.parallel_tool_calls.reset();
    return in_schema;
}

std::unique_ptr<EventFilter> rendered_tools_filter(std::string id) {
    return std::make_unique<RenderedToolsFilter>(std::move(id));
}

}  // namespace tandem::chat
