// Requests of Gemini; its answers are in gemini_answer.cpp.
#include "dialect/gemini.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/base64.h"
#include "base/text.h"
#include "dialect/fields.h"
#include "dialect/pairing.h"
#include "dialect/sequence.h"
#include "dialect/web_search.h"

namespace tandem::dialect::gemini {

namespace {

using chat::Role;
using json::Kind;
using json::Value;

constexpr std::string_view kName = "gemini";

Value either(const Value& object, std::string_view camel, std::string_view snake) {
    const Value first = object[camel];
    return first.exists() ? first : object[snake];
}

// Both spellings of one member: a server may go by the one that was not read here. Errors: invalid.
Result<> check_spellings(const Value& object) {
    std::set<std::string> seen;
    for (const Value member : object.children()) {
        std::string plain;
        for (const char c : member.key())
            if (c != '_') plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        if (!seen.insert(plain).second)
            return fail(
                Fault::conflicting_fields,
                fmt::format("{}: stands twice, in two spellings; give one of them", printable(member.key(), 60)),
                printable(member.key(), 60));
    }
    return {};
}

// Whole numbers of Gemini's schemas, which Google's libraries write as texts.
bool is_count(std::string_view key) {
    static constexpr std::string_view kCounts[] = {"minItems",  "maxItems",      "minLength",
                                                   "maxLength", "minProperties", "maxProperties"};
    return std::ranges::find(kCounts, key) != std::end(kCounts);
}

// Gemini's own schemas say "OBJECT" where JSON Schema says "object", and "2" where it says 2; everything else is the
// same.
void write_schema(json::Writer& out, const Value& value, bool is_type) {
    if (value.is(Kind::object)) {
        out.begin_object();
        for (const Value member : value.children()) {
            out.key(member.key());
            if (is_count(member.key()) && member.string() && whole_number(member.text()))
                out.raw(member.text());
            else
                write_schema(out, member, member.key() == "type");
        }
        out.end_object();
    } else if (value.is(Kind::array)) {
        out.begin_array();
        for (const Value element : value.children()) write_schema(out, element, is_type);
        out.end_array();
    } else if (is_type && value.is(Kind::string)) {
        out.value(lower(value.text()));
    } else {
        out.raw(value.raw());
    }
}

chat::Raw schema_of(const Value& object, std::string_view own, std::string_view standard, std::string_view snake) {
    if (const Value schema = either(object, standard, snake); given(schema)) return raw_of(schema);
    const Value schema = object[own];
    if (!given(schema)) return {};
    json::Writer out;
    write_schema(out, schema, false);
    return {out.take()};
}

// Bytes in JSON of Google's may have the letters of URLs, and no padding; nobody else takes them so.
std::string plain_base64(std::string_view text) {
    std::string plain(text);
    std::ranges::replace(plain, '-', '+');
    std::ranges::replace(plain, '_', '/');
    while (plain.size() % 4 > 1) plain += '=';
    return plain;
}

// A signature that we tagged and sealed, open; any other as it is.
std::string unsealed(std::string_view signature) {
    constexpr std::string_view kSealed = "dGFuZGVtO";  // base64 of "tandem:"
    if (!signature.starts_with(kSealed)) return std::string(signature);
    return from_base64(signature).value_or(std::string(signature));
}

// Code that Google ran, and what it printed, in words; nothing for any other part.
std::optional<std::vector<chat::Part>> words_of_code(const Value& part) {
    const Value code = either(part, "executableCode", "executable_code");
    const Value result = either(part, "codeExecutionResult", "code_execution_result");
    if (given(code)) return {{{chat::TextPart{fmt::format("(This code was run:)\n{}", code["code"].text())}, {}}}};
    if (given(result)) return {{{chat::TextPart{fmt::format("(It printed:)\n{}", result["output"].text())}, {}}}};
    return std::nullopt;
}

Result<> read_part(const Value& value, const std::string& param, Pairing& pairing, std::vector<chat::Part>& parts,
                   std::vector<chat::Message>& results) {
    if (!value.is(Kind::object)) return wrong(param, "an object");
    const auto signature = either(value, "thoughtSignature", "thought_signature").text();
    auto sign = [&] {
        chat::ReasoningPart reasoning;
        read_signature(unsealed(signature), kName, reasoning);
        return reasoning;
    };
    if (const auto text = value["text"].string()) {
        if (value["thought"].boolean() == true) {
            auto reasoning = sign();
            reasoning.text = *text;
            parts.push_back({std::move(reasoning), {}});
            return {};
        }
        if (!signature.empty()) parts.push_back({sign(), {}});
        parts.push_back({chat::TextPart{std::string(*text)}, {}});
    } else if (const Value data = either(value, "inlineData", "inline_data"); given(data)) {
        auto media = media_in(value);
        if (!media) return wrong(param, "inlineData with a mimeType and base64 data");
        if (!signature.empty()) parts.push_back({sign(), {}});
        parts.push_back(chat::part_of(std::move(*media)));
    } else if (const Value file = either(value, "fileData", "file_data"); given(file)) {
        auto media = media_in(value);
        if (!media) return wrong(param, "fileData with a fileUri");
        parts.push_back(chat::part_of(std::move(*media)));
    } else if (const Value call = either(value, "functionCall", "function_call"); given(call)) {
        if (!signature.empty()) parts.push_back({sign(), {}});
        chat::ToolCallPart part;
        part.name = call["name"].text();
        part.id = pairing.call(call["id"].text(), part.name);
        part.arguments = given(call["args"]) ? call["args"].raw() : "{}";
        parts.push_back({std::move(part), {}});
    } else if (const Value answer = either(value, "functionResponse", "function_response"); given(answer)) {
        chat::ToolResultPart result;
        result.name = answer["name"].text();
        result.call_id = pairing.result(answer["id"].text(), result.name);
        const Value response = answer["response"];
        const bool plain = response.size() == 1 && response["output"].string();
        result.is_error = response.size() == 1 && response["error"].string();
        result.content.push_back({chat::TextPart{std::string(plain             ? response["output"].text()
                                                             : result.is_error ? response["error"].text()
                                                                               : response.raw())},
                                  {}});
        results.push_back({Role::tool, {{std::move(result), {}}}, {}, {}});
    } else {
        parts.push_back({chat::OtherPart{std::string(value.size() > 0 ? (*begin(value.children())).key() : "part"),
                                         {std::string(value.raw())},
                                         param,
                                         words_of_code(value),
                                         false},
                         {}});
    }
    return {};
}

Result<> read_contents(const Value& root, chat::Request& request) {
    Pairing pairing;
    std::vector<chat::Message> no_results;
    if (const Value system = either(root, "systemInstruction", "system_instruction"); given(system)) {
        chat::Message message;
        message.role = Role::system;
        if (const auto text = system.string()) message.parts.push_back({chat::TextPart{std::string(*text)}, {}});
        for (const Value part : system["parts"].children())
            if (auto ok = read_part(part, "systemInstruction.parts", pairing, message.parts, no_results); !ok)
                return ok;
        if (!message.parts.empty()) request.messages.push_back(std::move(message));
    }
    const Value contents = root["contents"];
    if (!contents.is(Kind::array) || contents.size() == 0) return wrong("contents", "a list with at least one content");
    std::size_t number = 0;
    for (const Value content : contents.children()) {
        const auto here = fmt::format("contents[{}]", number++);
        const auto role = content["role"].text();
        if (!role.empty() && role != "user" && role != "model" && role != "function")
            return wrong(here + ".role", "user or model");
        chat::Message message;
        message.role = role == "model" ? Role::assistant : Role::user;
        for (const Value part : content["parts"].children()) {
            std::vector<chat::Message> results;
            if (auto ok = read_part(part, here + ".parts", pairing, message.parts, results); !ok) return ok;
            if (results.empty()) continue;
            if (!message.parts.empty()) request.messages.push_back(message);
            message.parts.clear();
            std::ranges::move(results, std::back_inserter(request.messages));
        }
        if (!message.parts.empty()) request.messages.push_back(std::move(message));
    }
    if (request.messages.empty()) return wrong("contents", "at least one part");
    return {};
}

void read_allowed_tools(const Value& names, bool must_call, chat::Raw config, chat::ToolChoice& choice) {
    choice.kind = chat::ToolChoice::Kind::other;
    choice.other = std::move(config);
    choice.must_call = must_call;
    for (const Value name : names.children()) choice.allowed.emplace_back(name.text());
    // "validated" without names is auto with schemas that are kept to.
    if (choice.allowed.empty()) choice = {chat::ToolChoice::Kind::automatic, {}, {}, {}, false};
}

Result<> read_tools(const Value& root, chat::Request& request) {
    const Value tools = root["tools"];
    // A list; the API takes a single one too.
    auto read = [&](const Value& tool) -> Result<> {
        for (const Value declaration : either(tool, "functionDeclarations", "function_declarations").children()) {
            if (!declaration["name"].string()) return wrong("tools.functionDeclarations.name", "a string");
            chat::Tool function;
            function.name = declaration["name"].text();
            function.description = declaration["description"].text();
            function.parameters =
                schema_of(declaration, "parameters", "parametersJsonSchema", "parameters_json_schema");
            request.tools.push_back(std::move(function));
        }
        for (const Value member : tool.children()) {
            if (member.key() == "functionDeclarations" || member.key() == "function_declarations") continue;
            chat::Tool hosted;
            hosted.kind = chat::Tool::Kind::hosted;
            hosted.name = member.key();
            hosted.service = service_of(member.key());
            json::Writer out;
            out.begin_object().raw_member(member.key(), member.raw()).end_object();
            hosted.hosted.json = out.take();
            request.tools.push_back(std::move(hosted));
        }
        return {};
    };
    if (tools.is(Kind::object))
        if (auto ok = read(tools); !ok) return ok;
    if (tools.is(Kind::array))
        for (const Value tool : tools.children())
            if (auto ok = read(tool); !ok) return ok;
    const Value config =
        either(either(root, "toolConfig", "tool_config"), "functionCallingConfig", "function_calling_config");
    const auto mode = lower(config["mode"].text());
    const Value names = either(config, "allowedFunctionNames", "allowed_function_names");
    using Choice = chat::ToolChoice::Kind;
    if (mode == "none") request.tool_choice.kind = Choice::none;
    if (mode == "auto") request.tool_choice.kind = Choice::automatic;
    if (mode == "any" && names.size() == 1)
        request.tool_choice = {Choice::named, std::string((*begin(names.children())).text()), {}, {}, false};
    else if (mode == "any" && names.size() == 0)
        request.tool_choice.kind = Choice::required;
    else if (mode == "any" || mode == "validated")
        read_allowed_tools(names, mode == "any", raw_of(either(root, "toolConfig", "tool_config")),
                           request.tool_choice);
    return {};
}

Result<> read_config(const Value& config, chat::Request& request) {
    if (!given(config)) return {};
    if (!config.is(Kind::object)) return wrong("generationConfig", "an object");
    auto& s = request.sampling;
    const std::tuple<const char*, const char*, chat::Raw*> numbers[] = {
        {"temperature", "temperature", &s.temperature},
        {"topP", "top_p", &s.top_p},
        {"topK", "top_k", &s.top_k},
        {"seed", "seed", &s.seed},
        {"presencePenalty", "presence_penalty", &s.presence_penalty},
        {"frequencyPenalty", "frequency_penalty", &s.frequency_penalty}};
    for (const auto& [camel, snake, target] : numbers)
        if (auto ok = read_number(either(config, camel, snake), std::string("generationConfig.") + camel, *target); !ok)
            return ok;
    if (auto ok = read_count(either(config, "maxOutputTokens", "max_output_tokens"), "generationConfig.maxOutputTokens",
                             request.max_output_tokens);
        !ok)
        return ok;
    if (auto ok = read_stops(either(config, "stopSequences", "stop_sequences"), "generationConfig.stopSequences",
                             request.stop);
        !ok)
        return ok;
    if (const auto count = either(config, "candidateCount", "candidate_count").integer()) request.choices = *count;
    const auto type = either(config, "responseMimeType", "response_mime_type").text();
    auto& format = request.response_format;
    format.schema = schema_of(config, config["responseSchema"].exists() ? "responseSchema" : "response_schema",
                              "responseJsonSchema", "response_json_schema");
    using Format = chat::ResponseFormat::Kind;
    if (type == "text/x.enum") {
        // One of a schema's words, bare: what other dialects would give is that word in quotes.
        format.kind = Format::other;
        format.other = std::exchange(format.schema, {});
    } else if (format.schema.given()) {
        format.kind = Format::json_schema;
        format.name = "answer";
    } else if (type == "application/json") {
        format.kind = Format::json_object;
    } else if (type == "text/plain") {
        format.kind = Format::text;
    } else if (!type.empty()) {
        return wrong("generationConfig.responseMimeType", "application/json or text/plain");
    }
    const Value thinking = either(config, "thinkingConfig", "thinking_config");
    if (const auto budget = either(thinking, "thinkingBudget", "thinking_budget").integer()) {
        if (*budget == 0)
            request.thinking.on = false;
        else if (*budget < 0)
            request.thinking.on = true;
        else
            request.thinking.budget_tokens = budget;
    }
    request.thinking.effort = lower(either(thinking, "thinkingLevel", "thinking_level").text());
    if (const auto shown = either(thinking, "includeThoughts", "include_thoughts").boolean())
        request.thinking.shown = shown;
    keep_unknown(config,
                 {"temperature",
                  "topP",
                  "top_p",
                  "topK",
                  "top_k",
                  "seed",
                  "presencePenalty",
                  "presence_penalty",
                  "frequencyPenalty",
                  "frequency_penalty",
                  "maxOutputTokens",
                  "max_output_tokens",
                  "stopSequences",
                  "stop_sequences",
                  "candidateCount",
                  "candidate_count",
                  "responseMimeType",
                  "response_mime_type",
                  "responseSchema",
                  "response_schema",
                  "responseJsonSchema",
                  "response_json_schema",
                  "thinkingConfig",
                  "thinking_config"},
                 request.extra);
    return {};
}

// ---- encoding ----

// A signature without thought belongs to the part behind it.
const chat::ReasoningPart* lone_signature(const chat::Part& part) {
    const auto* reasoning = part.as<chat::ReasoningPart>();
    return reasoning != nullptr && reasoning->text.empty() && !reasoning->signature.empty() ? reasoning : nullptr;
}

// Gemini 3 and later refuse a call without the signature that came with it. Where there is none, since another model
// made the call, this word of Google's own says so (ai.google.dev/gemini-api/docs/thought-signatures).
constexpr std::string_view kNoSignature = "skip_thought_signature_validator";

bool wants_signatures(std::string_view model) {
    constexpr std::string_view kFamily = "gemini-";
    const auto at = model.rfind(kFamily);
    if (at == std::string_view::npos || at + kFamily.size() >= model.size()) return false;
    const char version = model[at + kFamily.size()];
    return version >= '3' && version <= '9';
}

void write_part(json::Writer& out, const chat::Part& part, const chat::ReasoningPart* signature,
                bool wants_one = false) {
    if (const auto* other = part.as<chat::OtherPart>()) {
        out.raw(other->json.json);
        return;
    }
    out.begin_object();
    if (const auto* text = part.as<chat::TextPart>()) {
        out.member("text", text->text);
    } else if (const auto* refusal = part.as<chat::RefusalPart>()) {
        out.member("text", refusal->text);
    } else if (const auto* image = part.as<chat::ImagePart>()) {
        write_media(out, image->media);
    } else if (const auto* audio = part.as<chat::AudioPart>()) {
        write_media(out, audio->media);
    } else if (const auto* document = part.as<chat::DocumentPart>()) {
        if (!document->text.empty())
            out.member("text", document->text);
        else
            write_media(out, document->media);
    } else if (const auto* reasoning = part.as<chat::ReasoningPart>()) {
        out.member("text", reasoning->text).member("thought", true);
        if (!reasoning->signature.empty()) out.member("thoughtSignature", reasoning->signature);
    } else if (const auto* call = part.as<chat::ToolCallPart>()) {
        out.key("functionCall").begin_object();
        if (!call->id.empty()) out.member("id", call->id);
        out.member("name", call->name).raw_member("args", chat::arguments_object(call->arguments)).end_object();
    } else if (const auto* result = part.as<chat::ToolResultPart>()) {
        out.key("functionResponse").begin_object();
        if (!result->call_id.empty()) out.member("id", result->call_id);
        out.member("name", result->name).key("response").begin_object();
        out.member(result->is_error ? "error" : "output", chat::text_of(result->content)).end_object().end_object();
    }
    if (signature != nullptr)
        out.member("thoughtSignature", signature->signature);
    else if (wants_one && part.as<chat::ToolCallPart>() != nullptr)
        out.member("thoughtSignature", kNoSignature);
    out.end_object();
}

void write_contents(json::Writer& out, const chat::Request& request, const Target& target) {
    std::size_t first = 0;
    json::Writer system;
    system.begin_array();
    bool has_system = false;
    for (; first < request.messages.size(); ++first) {
        const auto& message = request.messages[first];
        if (message.role != Role::system && message.role != Role::developer) break;
        for (const auto& part : message.parts) write_part(system, part, nullptr);
        has_system = has_system || !message.parts.empty();
    }
    system.end_array();
    if (has_system) out.key("systemInstruction").begin_object().raw_member("parts", system.text()).end_object();
    // Neighbours of one side are one content.
    out.key("contents").begin_array();
    std::string_view open;
    for (std::size_t i = first; i < request.messages.size(); ++i) {
        const auto& message = request.messages[i];
        const std::string_view role = message.role == Role::assistant ? "model" : "user";
        const chat::ReasoningPart* signature = nullptr;
        bool wants_one = wants_signatures(target.model);  // the first call of a turn, whether or not it calls several
        for (const auto& part : message.parts) {
            if (const auto* lone = lone_signature(part)) {
                signature = lone;
                continue;
            }
            if (role != open) {
                if (!open.empty()) out.end_array().end_object();
                out.begin_object().member("role", role).key("parts").begin_array();
                open = role;
            }
            write_part(out, part, std::exchange(signature, nullptr), wants_one);
            wants_one = wants_one && part.as<chat::ToolCallPart>() == nullptr;
        }
    }
    if (!open.empty()) out.end_array().end_object();
    out.end_array();
}

void write_tools(json::Writer& out, const chat::Request& request) {
    if (!request.tools.empty()) {
        out.key("tools").begin_array();
        const bool any =
            std::ranges::any_of(request.tools, [](const auto& t) { return t.kind != chat::Tool::Kind::hosted; });
        if (any) {
            out.begin_object().key("functionDeclarations").begin_array();
            for (const auto& tool : request.tools) {
                if (tool.kind == chat::Tool::Kind::hosted) continue;
                out.begin_object().member("name", tool.name);
                if (!tool.description.empty()) out.member("description", tool.description);
                write_raw(out, "parametersJsonSchema", tool.parameters);
                out.end_object();
            }
            out.end_array().end_object();
        }
        for (const auto& tool : request.tools)
            if (tool.kind == chat::Tool::Kind::hosted) out.raw(tool.hosted.json);
        out.end_array();
    }
    using Choice = chat::ToolChoice::Kind;
    const auto& choice = request.tool_choice;
    if (choice.kind == Choice::unset) return;
    if (choice.kind == Choice::other) {
        out.raw_member("toolConfig", choice.other.json);
        return;
    }
    out.key("toolConfig").begin_object().key("functionCallingConfig").begin_object();
    out.member("mode", choice.kind == Choice::none ? "NONE" : choice.kind == Choice::automatic ? "AUTO" : "ANY");
    if (choice.kind == Choice::named) out.key("allowedFunctionNames").begin_array().value(choice.name).end_array();
    out.end_object().end_object();
}

// Which of the unknown members belong into generationConfig: those that the client had there.
bool is_root_member(std::string_view name) {
    static constexpr std::string_view kRoot[] = {"safetySettings", "safety_settings", "cachedContent", "cached_content",
                                                 "labels"};
    return std::ranges::find(kRoot, name) != std::end(kRoot);
}

// What write_config() says itself.
bool in_config(std::string_view name) {
    static constexpr std::string_view kOwn[] = {"temperature",
                                                "topP",
                                                "topK",
                                                "seed",
                                                "presencePenalty",
                                                "frequencyPenalty",
                                                "maxOutputTokens",
                                                "candidateCount",
                                                "stopSequences",
                                                "responseMimeType",
                                                "responseJsonSchema",
                                                "thinkingConfig"};
    return std::ranges::find(kOwn, name) != std::end(kOwn);
}

// Unknown members of the body and of its generationConfig stand in one list: of two with one name the first counts.
chat::Extra unique(const chat::Extra& extra) {
    chat::Extra result;
    for (const auto& entry : extra)
        if (std::ranges::find(result, entry.first, [](const auto& e) { return e.first; }) == result.end())
            result.push_back(entry);
    return result;
}

void write_config(json::Writer& out, const chat::Request& request, const Target& target) {
    json::Writer c;
    c.begin_object();
    const auto& s = request.sampling;
    write_raw(c, "temperature", s.temperature);
    write_raw(c, "topP", s.top_p);
    write_raw(c, "topK", s.top_k);
    write_raw(c, "seed", s.seed);
    write_raw(c, "presencePenalty", s.presence_penalty);
    write_raw(c, "frequencyPenalty", s.frequency_penalty);
    if (const auto most = bound_of(request, target)) c.member("maxOutputTokens", *most);
    if (request.choices != 1) c.member("candidateCount", request.choices);
    write_texts(c, "stopSequences", request.stop);
    using Format = chat::ResponseFormat::Kind;
    const auto& format = request.response_format;
    if (format.asks_json()) c.member("responseMimeType", "application/json");
    if (format.kind == Format::text) c.member("responseMimeType", "text/plain");
    if (format.kind == Format::other)
        c.member("responseMimeType", "text/x.enum")
            .raw_member("responseSchema", format.other.given() ? format.other.json : "{}");
    if (format.kind == Format::json_schema)
        c.raw_member("responseJsonSchema", format.schema.given() ? format.schema.json : "{}");
    const auto& thinking = request.thinking;
    const bool off = thinking.on == false || thinking.effort == "none";
    if (off || thinking.on || thinking.budget_tokens || !thinking.effort.empty() || thinking.shown) {
        c.key("thinkingConfig").begin_object();
        if (off)
            c.member("thinkingBudget", 0);
        else if (thinking.budget_tokens)
            c.member("thinkingBudget", *thinking.budget_tokens);
        else if (!thinking.effort.empty())
            c.member("thinkingLevel", thinking.effort);
        else if (thinking.on)
            c.member("thinkingBudget", -1);
        if (thinking.shown) c.member("includeThoughts", *thinking.shown);
        c.end_object();
    }
    for (const auto& [name, raw] : unique(request.extra))
        if (!is_root_member(name) && !in_config(name)) c.raw_member(name, raw.json);
    c.end_object();
    if (c.text() != "{}") out.raw_member("generationConfig", c.text());
    for (const auto& [name, raw] : unique(request.extra))
        if (is_root_member(name)) out.raw_member(name, raw.json);
}

std::string path_of(const Target& target) {
    return fmt::format("/models/{}:{}", target.model,
                       target.stream ? "streamGenerateContent?alt=sse" : "generateContent");
}

class Gemini final : public Dialect {
  public:
    dialect::Kind kind() const override { return dialect::Kind::gemini; }
    // Its clients take any line that is no data for a broken stream.
    bool has_comments() const override { return false; }
    std::string beat(const AnswerFrame&) const override { return "\n"; }
    bool streams_array(std::string_view alt) const override { return alt != "sse"; }
    std::string_view key_parameter() const override { return "key"; }
    std::string encode_count(std::int64_t tokens) const override {
        return fmt::format("{{\"totalTokens\":{}}}", tokens);
    }
    Beginning beginning(std::string_view text) const override {
        json::Writer message;
        message.begin_object().member("role", "model").key("parts").begin_array();
        message.begin_object().member("text", text).end_object().end_array().end_object();
        return {"contents", message.take()};
    }

    Result<chat::Request> decode_request(const Incoming& incoming) const override {
        Value root = incoming.body.root();
        if (!root.is(Kind::object)) return fail(Fault::invalid_json, "the body must be a JSON object");
        const auto call = call_of(incoming.path);
        if (call.method == "countTokens" && given(root["generateContentRequest"]))
            root = root["generateContentRequest"];
        chat::Request request;
        request.dialect = kName;
        request.model = call.model;
        request.stream = call.method == "streamGenerateContent";
        request.include_usage = true;
        for (const Value one :
             {root, either(root, "generationConfig", "generation_config"), either(root, "toolConfig", "tool_config")})
            if (one.is(Kind::object))
                if (auto ok = check_spellings(one); !ok) return fail(ok.error());
        if (auto ok = read_contents(root, request); !ok) return fail(ok.error());
        if (auto ok = read_tools(root, request); !ok) return fail(ok.error());
        if (auto ok = read_config(either(root, "generationConfig", "generation_config"), request); !ok)
            return fail(ok.error());
        keep_unknown(root,
                     {"contents", "systemInstruction", "system_instruction", "tools", "toolConfig", "tool_config",
                      "generationConfig", "generation_config", "model"},
                     request.extra);
        return request;
    }

    Outgoing encode_request(const chat::Request& request, const Target& target) const override {
        json::Writer out;
        out.begin_object();
        write_contents(out, request, target);
        write_tools(out, request);
        write_config(out, request, target);
        out.end_object();
        return {path_of(target), out.take()};
    }

    Outgoing forward_request(const Incoming& incoming, const Target& target) const override {
        const Value root = incoming.body.root();
        const Value config = either(root, "generationConfig", "generation_config");
        const Value said = either(config, "maxOutputTokens", "max_output_tokens");
        const auto most = bound_to_set(said, target);
        if (!most) return {path_of(target), std::string(incoming.body.source())};
        Splice splice(incoming.body);
        const auto bound = std::to_string(*most);
        if (given(said))
            splice.replace(said, bound);
        else if (config.is(Kind::object))
            splice.set(config, "maxOutputTokens", bound);
        else
            splice.set(root, "generationConfig", "{\"maxOutputTokens\":" + bound + "}");
        return {path_of(target), splice.take()};
    }

    std::unique_ptr<AnswerReader> reader() const override { return make_reader(); }
    std::unique_ptr<AnswerWriter> writer(AnswerFrame frame) const override { return make_writer(std::move(frame)); }
    ErrorReply encode_error(const Error& error) const override { return gemini::encode_error(error); }
};

}  // namespace

std::optional<chat::Media> media_in(const Value& part) {
    chat::Media media;
    if (const Value data = either(part, "inlineData", "inline_data"); given(data)) {
        media.media_type = either(data, "mimeType", "mime_type").text();
        media.data = plain_base64(data["data"].text());
    } else {
        const Value file = either(part, "fileData", "file_data");
        media.media_type = either(file, "mimeType", "mime_type").text();
        media.url = either(file, "fileUri", "file_uri").text();
    }
    if ((media.data.empty() && media.url.empty()) || !is_media_type(media.media_type)) return std::nullopt;
    return media;
}

void write_media(json::Writer& out, const chat::Media& media) {
    if (!media.url.empty()) {
        out.key("fileData").begin_object();
        if (!media.media_type.empty()) out.member("mimeType", media.media_type);
        out.member("fileUri", media.url).end_object();
    } else {
        out.key("inlineData")
            .begin_object()
            .member("mimeType", media.media_type)
            .member("data", plain_base64(media.data))
            .end_object();
    }
}

std::string sealed_signature(const std::string& signature, std::string_view signed_by) {
    if (signature.empty()) return {};
    auto tagged = tagged_signature(signature, signed_by, kName);
    return tagged == signature ? signature : to_base64(tagged);
}

const Dialect& dialect() {
    static const Gemini instance;
    return instance;
}

Call call_of(std::string_view path) {
    const auto models = path.find("/models/");
    const auto colon = path.rfind(':');
    if (models == std::string_view::npos || colon == std::string_view::npos || colon < models + 8) return {};
    auto model = path.substr(models + 8, colon - models - 8);
    // Some clients put the name as lists have it behind the path.
    if (model.starts_with("models/")) model.remove_prefix(7);
    return {std::string(model), std::string(path.substr(colon + 1))};
}

}  // namespace tandem::dialect::gemini
