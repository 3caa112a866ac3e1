// Answers of Anthropic Messages, streamed and whole.
#include <fmt/format.h>

#include <map>

#include "base/text.h"
#include "dialect/anthropic.h"
#include "dialect/cited.h"
#include "dialect/failure.h"
#include "dialect/fields.h"
#include "dialect/sequence.h"

namespace tandem::dialect::anthropic {

namespace {

using json::Kind;
using json::Value;

chat::Event finish_of(std::string_view reason, std::string_view sequence, bool calls) {
    if (reason == "stop_sequence") return chat::Finished{0, chat::Finish::stop, std::string(sequence)};
    return end_event(0, reason, calls);
}

std::string_view word_of(const chat::Finished& finished) {
    using chat::Finish;
    switch (finished.reason) {
        case Finish::stop:
            return finished.detail.empty() ? "end_turn" : "stop_sequence";
        case Finish::length:
            return "max_tokens";
        case Finish::tool_calls:
            return "tool_use";
        case Finish::content_filter:
            return "refusal";
        case Finish::context:
            return "model_context_window_exceeded";
        case Finish::pause:
            return "pause_turn";
        case Finish::other:
            break;
    }
    return "end_turn";
}

class Reader final : public AnswerReader {
  public:
    void whole(const Value& answer, Events& events) override {
        if (read_failure(answer, events)) return;
        start(answer, events);
        use(answer["usage"], events);
        if (const auto text = answer["content"].string()) events.emplace_back(chat::TextDelta{0, std::string(*text)});
        for (const Value block : answer["content"].children()) {
            const std::int64_t index = next_index_++;
            open(index, block, events);
            close(index, events);
        }
        if (const auto reason = answer["stop_reason"].string())
            events.emplace_back(finish_of(*reason, answer["stop_sequence"].text(), has_calls_));
        else if (answer["content"].exists())
            events.emplace_back(chat::Finished{0, has_calls_ ? chat::Finish::tool_calls : chat::Finish::stop, {}});
        finished_ = true;
    }

    void piece(const Value& data, Events& events) override {
        const auto type = data["type"].text();
        const auto index = data["index"].integer().value_or(0);
        if (type == "message_start") {
            if (!started_) start(data["message"], events);  // some servers send it twice
            begin_use(data["message"]["usage"], events);
        } else if (type == "content_block_start") {
            open(index, data["content_block"], events);
        } else if (type == "content_block_delta") {
            delta(index, data["delta"], events);
        } else if (type == "content_block_stop") {
            close(index, events);
        } else if (type == "message_delta") {
            if (const auto reason = data["delta"]["stop_reason"].string(); reason && !finished_) {
                close_all(events);
                finished_ = true;
                events.emplace_back(finish_of(*reason, data["delta"]["stop_sequence"].text(), has_calls_));
            }
            use(data["usage"], events);
        } else if (type == "message_stop") {
            done_ = true;
        } else {
            read_failure(data, events);
        }
    }

    void end(Events& events) override {
        close_all(events);
        if (done_ && !finished_ && started_) {
            finished_ = true;
            events.emplace_back(chat::Finished{0, has_calls_ ? chat::Finish::tool_calls : chat::Finish::stop, {}});
        }
    }
    bool done() const override { return done_; }
    bool mark(std::string_view data) override { return data == "[DONE]"; }

  private:
    struct Block {
        enum class Kind { text, thinking, call, other } kind = Kind::other;
        std::int64_t call = 0;
        std::string whole_input;  // of a call, from its start
        bool fragments = false;
        std::string signature;
        bool redacted = false;
    };

    static bool read_failure(const Value& data, Events& events) {
        auto error = failure_in(data);
        if (error) events.emplace_back(chat::Failed{std::move(*error)});
        return error.has_value();
    }

    void start(const Value& message, Events& events) {
        started_ = true;
        events.emplace_back(chat::Started{std::string(message["id"].text()), std::string(message["model"].text())});
    }

    // What an answer begins with tells of its prompt. Its one token of output is a place that is held.
    void begin_use(const Value& usage, Events& events) {
        if (!usage.is(Kind::object)) return;
        use(usage, events);
        output_ = 0;
        std::get<chat::Used>(events.back()).usage.output = {};
    }

    // Numbers are cumulative; what an event leaves out stays as it was.
    void use(const Value& usage, Events& events) {
        if (!usage.is(Kind::object)) return;
        auto take = [&](const char* name, std::int64_t& target) {
            if (usage[name].integer()) target = count_of(usage[name]);
        };
        take("input_tokens", input_);
        take("cache_read_input_tokens", cache_read_);
        take("cache_creation_input_tokens", cache_write_);
        take("output_tokens", output_);
        Usage result;
        result.input.count = input_ + cache_read_ + cache_write_;
        result.cached_input.count = cache_read_;
        result.cache_write.count = cache_write_;
        result.output.count = output_;
        events.emplace_back(chat::Used{result});
    }

    void open(std::int64_t index, const Value& content, Events& events) {
        constexpr std::size_t kMostBlocks = 4096;
        if (blocks_.size() >= kMostBlocks) return;
        close(index, events);
        Block block;
        const auto type = content["type"].text();
        if (type == "text") {
            block.kind = Block::Kind::text;
            text(content["text"].text(), events);
        } else if (type == "thinking") {
            block.kind = Block::Kind::thinking;
            think(content["thinking"].text(), events);
            block.signature = content["signature"].text();
        } else if (type == "redacted_thinking") {
            block.kind = Block::Kind::thinking;
            block.redacted = true;
            block.signature = content["data"].text();
        } else if (type == "tool_use") {
            block.kind = Block::Kind::call;
            block.call = calls_++;
            has_calls_ = true;
            const Value input = content["input"];
            block.whole_input = input.is(Kind::string) ? input.text() : input.raw();
            events.emplace_back(chat::ToolCallDelta{
                0, block.call, std::string(content["id"].text()), std::string(content["name"].text()), {}, false});
        }
        blocks_.emplace(index, std::move(block));
    }

    void delta(std::int64_t index, const Value& data, Events& events) {
        auto& block = blocks_[index];  // a delta for an index that was not opened says itself what it is
        const auto type = data["type"].text();
        if (type == "text_delta") {
            text(data["text"].text(), events);
        } else if (type == "thinking_delta") {
            if (block.kind != Block::Kind::thinking) loose_thinking_ = true;
            think(data["thinking"].text(), events);
        } else if (type == "signature_delta") {
            block.signature += data["signature"].text();
        } else if (type == "input_json_delta" && block.kind == Block::Kind::call) {
            const auto fragment = data["partial_json"].text();
            if (fragment.empty()) return;
            block.fragments = true;
            events.emplace_back(chat::ToolCallDelta{0, block.call, {}, {}, std::string(fragment), false});
        }
    }

    void close(std::int64_t index, Events& events) {
        const auto place = blocks_.find(index);
        if (place == blocks_.end()) return;
        const auto& block = place->second;
        if (block.kind == Block::Kind::call) {
            if (!block.fragments && !block.whole_input.empty())
                events.emplace_back(chat::ToolCallDelta{0, block.call, {}, {}, block.whole_input, false});
            events.emplace_back(chat::ToolCallEnd{0, block.call});
        } else if (block.kind == Block::Kind::thinking || !block.signature.empty() || loose_thinking_) {
            events.emplace_back(chat::ReasoningEnd{0, block.signature, block.redacted});
            loose_thinking_ = false;
        }
        blocks_.erase(place);
    }

    void close_all(Events& events) {
        while (!blocks_.empty()) close(blocks_.begin()->first, events);
    }

    static void text(std::string_view text, Events& events) {
        if (!text.empty()) events.emplace_back(chat::TextDelta{0, std::string(text)});
    }
    static void think(std::string_view text, Events& events) {
        if (!text.empty()) events.emplace_back(chat::ReasoningDelta{0, std::string(text)});
    }

    std::map<std::int64_t, Block> blocks_;
    std::int64_t next_index_ = 0;
    std::int64_t calls_ = 0;
    std::int64_t input_ = 0, cache_read_ = 0, cache_write_ = 0, output_ = 0;
    bool started_ = false;
    bool finished_ = false;
    bool done_ = false;
    bool has_calls_ = false;
    bool loose_thinking_ = false;  // thinking inside a block of another type
};

void write_usage(json::Writer& out, const Usage& usage) {
    out.begin_object()
        .member("input_tokens",
                std::max<std::int64_t>(0, usage.input.count - usage.cached_input.count - usage.cache_write.count))
        .member("cache_creation_input_tokens", usage.cache_write.count)
        .member("cache_read_input_tokens", usage.cached_input.count)
        .member("output_tokens", usage.output.count)
        .end_object();
}

class Writer final : public SequencedWriter {
  public:
    explicit Writer(AnswerFrame frame) : SequencedWriter(std::move(frame)) {}

    void event(const chat::Event& event, std::string& out) override {
        if (const auto* used = std::get_if<chat::Used>(&event); used != nullptr && !begun_) first_usage_ = used->usage;
        SequencedWriter::event(event, out);
    }

    void end(const Usage& usage, std::string& out) override {
        out_ = &out;
        begin();
        finish_parts(out);
        json::Writer w;
        w.begin_object().member("type", "message_delta").key("delta").begin_object();
        w.member("stop_reason", word_of(finished_));
        write_stop_sequence(w, finished_);
        w.end_object().key("usage");
        write_usage(w, usage);
        w.end_object();
        append_event(out, "message_delta", w.text());
        append_event(out, "message_stop", R"({"type":"message_stop"})");
    }

    void fail(const Error& error, std::string& out) override { append_event(out, "error", encode_error(error).body); }

    std::string whole(const chat::Answer& answer, const Usage& usage) override {
        json::Writer w;
        w.begin_object().member("id", "msg_" + frame_.id).member("type", "message").member("role", "assistant");
        w.member("model", answer.model.empty() ? frame_.model : answer.model).key("content").begin_array();
        chat::Finished finished;
        if (!answer.choices.empty()) {
            finished = answer.choices[0].finished.value_or(finished);
            for (const auto& part : answer.choices[0].parts) write_part(w, part);
        }
        w.end_array().member("stop_reason", word_of(finished));
        write_stop_sequence(w, finished);
        w.key("usage");
        write_usage(w, usage);
        w.end_object();
        return w.take();
    }

  private:
    static void write_stop_sequence(json::Writer& w, const chat::Finished& finished) {
        w.key("stop_sequence");
        if (finished.reason == chat::Finish::stop && !finished.detail.empty())
            w.value(finished.detail);
        else
            w.null();
    }

    std::string signature(const std::string& text) const {
        return tagged_signature(text, frame_.signed_by, "anthropic");
    }

    void write_part(json::Writer& w, const chat::Part& part) const {
        if (const auto* text = part.as<chat::TextPart>()) {
            w.begin_object().member("type", "text").member("text", text->text);
            if (!text->citations.empty()) {
                w.key("citations").begin_array();
                for (const auto& citation : text->citations) write_search_result_location(w, citation.source);
                w.end_array();
            }
            w.end_object();
        } else if (const auto* refusal = part.as<chat::RefusalPart>()) {
            w.begin_object().member("type", "text").member("text", refusal->text).end_object();
        } else if (const auto* reasoning = part.as<chat::ReasoningPart>()) {
            w.begin_object();
            if (reasoning->redacted)
                w.member("type", "redacted_thinking").member("data", signature(reasoning->signature));
            else
                w.member("type", "thinking")
                    .member("thinking", reasoning->text)
                    .member("signature", signature(reasoning->signature));
            w.end_object();
        } else if (const auto* call = part.as<chat::ToolCallPart>()) {
            w.begin_object().member("type", "tool_use").member("id", call->id).member("name", call->name);
            w.raw_member("input", chat::arguments_object(call->arguments)).end_object();
        }
    }

    void begin() {
        if (std::exchange(begun_, true)) return;
        Usage usage = first_usage_;
        if (usage.input.count == 0) usage.input.count = frame_.prompt_tokens;
        usage.output.count = std::max<std::int64_t>(1, usage.output.count);
        json::Writer w;
        w.begin_object().member("type", "message_start").key("message").begin_object();
        w.member("id", "msg_" + frame_.id)
            .member("type", "message")
            .member("role", "assistant")
            .member("model", model_);
        w.key("content").begin_array().end_array().key("stop_reason").null().key("stop_sequence").null().key("usage");
        write_usage(w, usage);
        w.end_object().end_object();
        append_event(*out_, "message_start", w.text());
        append_event(*out_, "ping", R"({"type":"ping"})");
    }

    void open(const Piece& piece) override {
        begin();
        json::Writer w;
        w.begin_object().member("type", "content_block_start").member("index", index_).key("content_block");
        w.begin_object();
        switch (piece.kind) {
            case Piece::Kind::text:
            case Piece::Kind::refusal:
                w.member("type", "text").member("text", "");
                break;
            case Piece::Kind::reasoning:
                if (piece.redacted)
                    w.member("type", "redacted_thinking").member("data", signature(piece.signature));
                else
                    w.member("type", "thinking").member("thinking", "").member("signature", "");
                break;
            case Piece::Kind::call:
                w.member("type", "tool_use").member("id", piece.id).member("name", piece.name);
                w.raw_member("input", "{}");
                break;
            case Piece::Kind::media:  // no block of an answer has it (says())
                break;
        }
        w.end_object().end_object();
        append_event(*out_, "content_block_start", w.text());
    }

    void delta(const Piece& piece, std::string_view added) override {
        switch (piece.kind) {
            case Piece::Kind::text:
            case Piece::Kind::refusal:
                write_delta("text_delta", "text", added);
                break;
            case Piece::Kind::reasoning:
                write_delta("thinking_delta", "thinking", added);
                break;
            case Piece::Kind::call:
                write_delta("input_json_delta", "partial_json", added);
                break;
            case Piece::Kind::media:  // no block of an answer has it (says())
                break;
        }
    }

    void cite(const Piece& piece, std::size_t place) override {
        json::Writer w;
        w.begin_object().member("type", "content_block_delta").member("index", index_).key("delta");
        w.begin_object().member("type", "citations_delta").key("citation");
        write_search_result_location(w, piece.citations[place].source);
        w.end_object().end_object();
        append_event(*out_, "content_block_delta", w.text());
    }

    void close(const Piece& piece) override {
        if (piece.kind == Piece::Kind::reasoning && !piece.redacted)
            if (const auto sign = signature(piece.signature); !sign.empty())
                write_delta("signature_delta", "signature", sign);
        json::Writer w;
        w.begin_object().member("type", "content_block_stop").member("index", index_++).end_object();
        append_event(*out_, "content_block_stop", w.text());
    }

    void write_delta(std::string_view type, std::string_view field, std::string_view text) {
        json::Writer w;
        w.begin_object().member("type", "content_block_delta").member("index", index_).key("delta");
        w.begin_object().member("type", type).member(field, text).end_object().end_object();
        append_event(*out_, "content_block_delta", w.text());
    }

    Usage first_usage_;
    std::int64_t index_ = 0;
    bool begun_ = false;
};

struct Shape {
    int status;
    std::string_view type;
};

Shape shape_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid:
        case ErrorCode::context:
        case ErrorCode::policy:
            return {400, "invalid_request_error"};
        case ErrorCode::unauthenticated:
            return {401, "authentication_error"};
        case ErrorCode::forbidden:
            return {403, "permission_error"};
        case ErrorCode::not_found:
            return {404, "not_found_error"};
        case ErrorCode::method:
            return {405, "invalid_request_error"};
        case ErrorCode::too_large:
            return {413, "request_too_large"};
        case ErrorCode::rate_limited:
            return {429, "rate_limit_error"};
        case ErrorCode::over_budget:
            return {402, "billing_error"};
        case ErrorCode::unavailable:
        case ErrorCode::cancelled:
            return {529, "overloaded_error"};
        case ErrorCode::timeout:
            return {504, "timeout_error"};
        case ErrorCode::upstream:
            return {502, "api_error"};
        case ErrorCode::storage:
        case ErrorCode::internal:
            break;
    }
    return {500, "api_error"};
}

void write_model(json::Writer& out, const openai_chat::ListedModel& model) {
    out.begin_object().member("type", "model").member("id", model.id).member("display_name", model.id);
    out.member("created_at", "2026-01-01T00:00:00Z");
    if (model.context_tokens > 0) out.member("max_input_tokens", model.context_tokens);
    if (model.max_output_tokens > 0) out.member("max_tokens", model.max_output_tokens);
    out.end_object();
}

}  // namespace

std::unique_ptr<AnswerReader> make_reader() {
    return std::make_unique<Reader>();
}
std::unique_ptr<AnswerWriter> make_writer(AnswerFrame frame) {
    return std::make_unique<Writer>(std::move(frame));
}

ErrorReply encode_error(const Error& error) {
    const auto shape = shape_of(error.code);
    json::Writer out;
    out.begin_object().member("type", "error").key("error").begin_object().member("type", shape.type);
    // The words that Claude Code and others look for to compact a conversation.
    if (error.code == ErrorCode::context && error.prompt_tokens > 0 && error.context_tokens > 0)
        out.member("message", fmt::format("prompt is too long: {} tokens > {} maximum", error.prompt_tokens,
                                          error.context_tokens));
    else if (error.code == ErrorCode::context)
        out.member("message", "prompt is too long: " + error.message);
    else
        out.member("message", error.message);
    out.member("code", error.code.name()).end_object().end_object();
    return {shape.status, out.take()};
}

std::string encode_models(const std::vector<openai_chat::ListedModel>& models) {
    json::Writer out;
    out.begin_object().key("data").begin_array();
    for (const auto& model : models) write_model(out, model);
    out.end_array().member("has_more", false).key("first_id");
    if (models.empty())
        out.null().key("last_id").null();
    else
        out.value(models.front().id).member("last_id", models.back().id);
    out.end_object();
    return out.take();
}

std::string encode_model(const openai_chat::ListedModel& model) {
    json::Writer out;
    write_model(out, model);
    return out.take();
}

}  // namespace tandem::dialect::anthropic
