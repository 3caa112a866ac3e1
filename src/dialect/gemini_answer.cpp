// Answers of Gemini, streamed and whole.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "base/text.h"
#include "dialect/cited.h"
#include "dialect/failure.h"
#include "dialect/fields.h"
#include "dialect/gemini.h"
#include "dialect/sequence.h"

namespace tandem::dialect::gemini {

namespace {

using json::Kind;
using json::Value;

std::string_view word_of(const chat::Finished& finished) {
    using chat::Finish;
    switch (finished.reason) {
        case Finish::stop:
        case Finish::tool_calls:
        case Finish::pause:
            return "STOP";
        case Finish::length:
        case Finish::context:
            return "MAX_TOKENS";
        case Finish::content_filter:
            return "SAFETY";
        case Finish::other:
            break;
    }
    return "OTHER";
}

class Reader final : public AnswerReader {
  public:
    void whole(const Value& answer, Events& events) override {
        // A stream without alt=sse is an array of its pieces.
        if (answer.is(Kind::array)) {
            for (const Value element : answer.children()) piece(element, events);
            return;
        }
        piece(answer, events);
        for (auto& [index, state] : choices_)
            if (!state.finished) events.emplace_back(end_event(index, "STOP", state.calls > 0));
    }

    void piece(const Value& data, Events& events) override {
        if (auto error = failure_in(data)) {
            events.emplace_back(chat::Failed{std::move(*error)});
            return;
        }
        if (!std::exchange(started_, true))
            events.emplace_back(
                chat::Started{std::string(data["responseId"].text()), std::string(data["modelVersion"].text())});
        for (const Value candidate : data["candidates"].children()) {
            const auto index = choice_of(candidate["index"]);
            auto& state = choices_[index];
            for (const Value part : candidate["content"]["parts"].children()) read_part(part, index, state, events);
            if (const auto reason = candidate["finishReason"].string(); reason && !reason->empty() && !state.finished) {
                state.finished = true;
                events.emplace_back(end_event(index, *reason, state.calls > 0));
            }
        }
        if (const Value feedback = data["promptFeedback"]["blockReason"]; feedback.string() && choices_.empty()) {
            choices_[0].finished = true;
            events.emplace_back(chat::Finished{0, chat::Finish::content_filter, {}});
        }
        if (const Value usage = data["usageMetadata"]; usage.is(Kind::object)) {
            auto count = [&](const char* name) { return count_of(usage[name]); };
            Usage result;
            result.input.count = count("promptTokenCount") + count("toolUsePromptTokenCount");
            result.cached_input.count = count("cachedContentTokenCount");
            result.reasoning.count = count("thoughtsTokenCount");
            result.output.count = count("candidatesTokenCount") + result.reasoning.count;
            events.emplace_back(chat::Used{result});
        }
    }
    // It has no mark of its end: it ends, and the finish reason says whether it is whole.
    bool done() const override { return false; }
    bool mark(std::string_view data) override { return data == "[DONE]"; }

  private:
    struct Choice {
        std::int64_t calls = 0;
        bool finished = false;
    };

    static void read_part(const Value& part, std::int64_t index, Choice& state, Events& events) {
        const auto signature = part["thoughtSignature"].text();
        if (const auto text = part["text"].string()) {
            const bool thought = part["thought"].boolean() == true;
            if (thought && !text->empty()) events.emplace_back(chat::ReasoningDelta{index, std::string(*text)});
            if (!signature.empty()) events.emplace_back(chat::ReasoningEnd{index, std::string(signature), false});
            if (!thought && !text->empty()) events.emplace_back(chat::TextDelta{index, std::string(*text)});
        } else if (const Value call = part["functionCall"]; call.is(Kind::object)) {
            if (!signature.empty()) events.emplace_back(chat::ReasoningEnd{index, std::string(signature), false});
            auto id = std::string(call["id"].text());
            events.emplace_back(chat::ToolCallDelta{index, state.calls, std::move(id), std::string(call["name"].text()),
                                                    given(call["args"]) ? std::string(call["args"].raw()) : "{}",
                                                    false});
            events.emplace_back(chat::ToolCallEnd{index, state.calls++});
        } else if (auto media = media_in(part); media && part["thought"].boolean() != true) {  // a thought's is a draft
            if (!signature.empty()) events.emplace_back(chat::ReasoningEnd{index, std::string(signature), false});
            events.emplace_back(chat::MediaSaid{index, std::move(*media)});
        }
    }

    std::map<std::int64_t, Choice> choices_;
    bool started_ = false;
};

void write_usage(json::Writer& out, const Usage& usage) {
    out.begin_object().member("promptTokenCount", usage.input.count);
    out.member("candidatesTokenCount", std::max<std::int64_t>(0, usage.output.count - usage.reasoning.count));
    if (usage.cached_input.count > 0) out.member("cachedContentTokenCount", usage.cached_input.count);
    if (usage.reasoning.count > 0) out.member("thoughtsTokenCount", usage.reasoning.count);
    out.member("totalTokenCount", usage.input.count + usage.output.count).end_object();
}

class Writer final : public SequencedWriter {
  public:
    explicit Writer(AnswerFrame frame) : SequencedWriter(std::move(frame)) {}

    void end(const Usage& usage, std::string& out) override {
        finish_parts(out);
        send(object("", &usage));
        if (frame_.array) out += "]";
    }

    bool says(const chat::Media& media) const override { return !media.data.empty() || !media.url.empty(); }

    void fail(const Error& error, std::string& out) override {
        out_ = &out;
        send(encode_error(error).body);
        if (frame_.array) out += "]";
    }

    std::string whole(const chat::Answer& answer, const Usage& usage) override {
        if (!answer.model.empty()) model_ = answer.model;
        std::string parts;
        const chat::ReasoningPart* signature = nullptr;
        if (!answer.choices.empty()) {
            finished_ = answer.choices[0].finished.value_or(chat::Finished{});
            for (const auto& part : answer.choices[0].parts) {
                const auto* reasoning = part.as<chat::ReasoningPart>();
                if (reasoning != nullptr && reasoning->text.empty()) {
                    signature = reasoning;
                    continue;
                }
                if (!parts.empty()) parts += ",";
                if (const auto* text = part.as<chat::TextPart>()) {
                    parts += text_part(text->text, false, signature_of(signature));
                    for (const auto& citation : text->citations) add_citation(text->text, citation);
                }
                if (const auto* refusal = part.as<chat::RefusalPart>()) parts += text_part(refusal->text, false, "");
                if (reasoning != nullptr) parts += text_part(reasoning->text, true, signature_of(reasoning));
                if (const auto* call = part.as<chat::ToolCallPart>())
                    parts += call_part(call->id, call->name, call->arguments, signature_of(signature));
                if (const auto* media = chat::media_of(part)) parts += media_part(*media, signature_of(signature));
                signature = nullptr;
            }
        }
        return object(parts, &usage);
    }

  private:
    std::string signed_as(const std::string& signature) const { return sealed_signature(signature, frame_.signed_by); }
    std::string signature_of(const chat::ReasoningPart* reasoning) const {
        return reasoning == nullptr ? "" : signed_as(reasoning->signature);
    }

    static std::string text_part(std::string_view text, bool thought, const std::string& signature) {
        json::Writer w;
        w.begin_object().member("text", text);
        if (thought) w.member("thought", true);
        if (!signature.empty()) w.member("thoughtSignature", signature);
        w.end_object();
        return w.take();
    }

    static std::string call_part(const std::string& id, const std::string& name, const std::string& arguments,
                                 const std::string& signature) {
        json::Writer w;
        w.begin_object().key("functionCall").begin_object();
        if (!id.empty()) w.member("id", id);
        w.member("name", name).raw_member("args", chat::arguments_object(arguments)).end_object();
        if (!signature.empty()) w.member("thoughtSignature", signature);
        w.end_object();
        return w.take();
    }

    static std::string media_part(const chat::Media& media, const std::string& signature) {
        json::Writer w;
        w.begin_object();
        write_media(w, media);
        if (!signature.empty()) w.member("thoughtSignature", signature);
        w.end_object();
        return w.take();
    }

    // With usage the last, or the whole.
    std::string object(std::string_view parts, const Usage* usage) const {
        json::Writer w;
        w.begin_object().key("candidates").begin_array().begin_object().key("content").begin_object();
        w.key("parts").begin_array();
        if (!parts.empty()) w.raw(parts);
        w.end_array().member("role", "model").end_object();
        if (usage != nullptr) w.member("finishReason", word_of(finished_));
        if (usage != nullptr && !cited_.empty()) write_grounding(w, cited_);
        w.member("index", 0).end_object().end_array();
        if (usage != nullptr) {
            w.key("usageMetadata");
            write_usage(w, *usage);
        }
        w.member("modelVersion", model_).member("responseId", frame_.id).end_object();
        return w.take();
    }

    void send(const std::string& json) {
        if (frame_.array)
            out_->append(std::exchange(begun_, true) ? ",\r\n" : "[").append(json);
        else
            append_event(*out_, "", json);
    }

    void open(const Piece&) override {}
    void cite(const Piece& piece, std::size_t place) override { add_citation(piece.text, piece.citations[place]); }
    // What it is for is what was said since the one before.
    void add_citation(std::string_view text, const chat::Citation& citation) {
        const auto begin = cited_.empty() ? 0 : std::min(cited_.back().end, citation.begin);
        cited_.push_back(
            {begin, citation.begin, std::string(text.substr(begin, citation.begin - begin)), citation.source});
    }
    void delta(const Piece& piece, std::string_view added) override {
        if (piece.kind == Piece::Kind::text || piece.kind == Piece::Kind::refusal)
            send(object(text_part(added, false, std::exchange(signature_, {})), nullptr));
        else if (piece.kind == Piece::Kind::reasoning)
            send(object(text_part(added, true, ""), nullptr));
    }
    void close(const Piece& piece) override {
        if (piece.kind == Piece::Kind::reasoning && !piece.signature.empty()) signature_ = signed_as(piece.signature);
        if (piece.kind == Piece::Kind::call)
            send(object(call_part(piece.id, piece.name, piece.text, std::exchange(signature_, {})), nullptr));
        if (piece.kind == Piece::Kind::media)
            send(object(media_part(piece.media, std::exchange(signature_, {})), nullptr));
    }

    std::vector<Grounded> cited_;
    std::string signature_;  // for the next part
    bool begun_ = false;
};

struct Shape {
    int status;
    std::string_view name;
};

Shape shape_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid:
        case ErrorCode::context:
        case ErrorCode::too_large:
            return {400, "INVALID_ARGUMENT"};
        case ErrorCode::policy:
            return {400, "FAILED_PRECONDITION"};
        case ErrorCode::unauthenticated:
            return {401, "UNAUTHENTICATED"};
        case ErrorCode::forbidden:
            return {403, "PERMISSION_DENIED"};
        case ErrorCode::not_found:
            return {404, "NOT_FOUND"};
        case ErrorCode::method:
            return {405, "UNIMPLEMENTED"};
        case ErrorCode::rate_limited:
        case ErrorCode::over_budget:
            return {429, "RESOURCE_EXHAUSTED"};
        case ErrorCode::timeout:
            return {504, "DEADLINE_EXCEEDED"};
        case ErrorCode::unavailable:
        case ErrorCode::cancelled:
        case ErrorCode::storage:
            return {503, "UNAVAILABLE"};
        case ErrorCode::upstream:  // 502 as in every dialect; Google's list of codes has no word of its own for 502
            return {502, "UNAVAILABLE"};
        case ErrorCode::internal:
            break;
    }
    return {500, "INTERNAL"};
}

void write_model(json::Writer& out, const ListedModel& model) {
    out.begin_object().member("name", "models/" + model.id).member("version", "1").member("displayName", model.id);
    if (model.context_tokens > 0)
        out.member("inputTokenLimit", model.context_tokens).member("outputTokenLimit", model.context_tokens);
    out.key("supportedGenerationMethods").begin_array();
    if (model.embeds)
        out.value("embedContent").value("batchEmbedContents");
    else
        out.value("generateContent").value("streamGenerateContent").value("countTokens");
    out.end_array().end_object();
}

}  // namespace

std::unique_ptr<AnswerReader> make_reader() {
    return std::make_unique<Reader>();
}
std::unique_ptr<AnswerWriter> make_writer(AnswerFrame frame) {
    return std::make_unique<Writer>(std::move(frame));
}

ErrorReply encode_error(const Error& error) {
    const auto in_capitals = [](std::string_view name) {
        std::string out(name);
        std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        return out;
    };
    const auto shape = shape_of(error.code);
    json::Writer out;
    out.begin_object().key("error").begin_object().member("code", shape.status);
    if (error.code == ErrorCode::context && error.prompt_tokens > 0 && error.context_tokens > 0)
        out.member("message",
                   fmt::format("The input token count ({}) exceeds the maximum number of tokens allowed ({}).",
                               error.prompt_tokens, error.context_tokens));
    else
        out.member("message", error.message);
    out.member("status", shape.name).key("details").begin_array().begin_object();
    // google.rpc.ErrorInfo, whose reason is in capitals.
    out.member("@type", "type.googleapis.com/google.rpc.ErrorInfo").member("reason", in_capitals(error.code.name()));
    out.member("domain", "tandem").end_object().end_array().end_object().end_object();
    return {shape.status, out.take()};
}

std::string encode_models(const std::vector<ListedModel>& models) {
    json::Writer out;
    out.begin_object().key("models").begin_array();
    for (const auto& model : models) write_model(out, model);
    out.end_array().end_object();
    return out.take();
}

std::string encode_model(const ListedModel& model) {
    json::Writer out;
    write_model(out, model);
    return out.take();
}

}  // namespace tandem::dialect::gemini
