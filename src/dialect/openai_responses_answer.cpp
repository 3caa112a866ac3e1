// Answers of OpenAI Responses, streamed and whole.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "chat/answer.h"
#include "dialect/cited.h"
#include "dialect/failure.h"
#include "dialect/fields.h"
#include "dialect/openai_chat.h"
#include "dialect/openai_responses.h"
#include "dialect/responses_items.h"
#include "dialect/sequence.h"

namespace tandem::dialect::openai_responses {

namespace {

using json::Kind;
using json::Value;

constexpr std::string_view kName = "openai-responses";
// A client's own search for tools, which has items of its own here.
constexpr std::string_view kImage = "image/";
constexpr std::string_view kToolSearch = "tool_search", kToolSearchCall = "tool_search_call";

class Reader final : public AnswerReader {
  public:
    void whole(const Value& answer, Events& events) override {
        if (auto error = answer["output"].exists() ? std::nullopt : failure_in(answer)) {
            events.emplace_back(chat::Failed{std::move(*error)});
            return;
        }
        if (!answer["output"].exists() && !answer["status"].exists()) return;  // it is none
        start(answer, events);
        conclude(answer, events);
    }

    void piece(const Value& data, Events& events) override {
        const auto type = data["type"].text();
        const auto index = data["output_index"].integer().value_or(0);
        if (type == "response.created" || type == "response.in_progress") {
            start(data["response"], events);
        } else if (type == "response.output_item.added") {
            begin(index, data["item"], events);
        } else if (type == "response.output_text.delta") {
            add(item(index, Item::Kind::text), data["delta"].text(), events);
        } else if (type == "response.refusal.delta") {
            add(item(index, Item::Kind::refusal), data["delta"].text(), events);
        } else if (type == "response.function_call_arguments.delta" ||
                   type == "response.custom_tool_call_input.delta") {
            auto& call = item(index, Item::Kind::call);
            call.custom = call.custom || type.find("custom") != std::string_view::npos;
            add(call, data["delta"].text(), events);
        } else if (type == "response.function_call_arguments.done") {
            complete(item(index, Item::Kind::call), data["arguments"].text(), events);
        } else if (type == "response.custom_tool_call_input.done") {
            complete(item(index, Item::Kind::call), data["input"].text(), events);
        } else if (type == "response.reasoning_summary_text.delta" || type == "response.reasoning_text.delta") {
            auto& thought = item(index, Item::Kind::reasoning);
            // Some servers count content_index up with each delta.
            const auto part = data["summary_index"].integer().value_or(0);
            if (part != thought.part && !thought.text.empty()) add(thought, "\n\n", events);
            thought.part = part;
            add(thought, data["delta"].text(), events);
        } else if (type == "response.output_item.done") {
            finish_item(index, data["item"], events);
        } else if (type == "response.completed" || type == "response.incomplete" || type == "response.failed") {
            done_ = true;
            conclude(data["response"], events);
        } else if (type == "error") {
            failed(given(data["error"]) ? data["error"] : data, events);
        } else if (type.empty()) {
            if (auto error = failure_in(data)) events.emplace_back(chat::Failed{std::move(*error)});
        }
    }
    bool done() const override { return done_; }
    bool mark(std::string_view data) override { return data == "[DONE]"; }

  private:
    struct Item {
        enum class Kind { none, text, refusal, reasoning, call } kind = Kind::none;
        std::string text;
        std::int64_t call = 0;
        std::int64_t part = 0;
        bool custom = false;
        bool named = false;
        bool done = false;
    };

    static void failed(const Value& error, Events& events) { events.emplace_back(chat::Failed{error_in(error)}); }

    void start(const Value& response, Events& events) {
        if (std::exchange(started_, true)) return;
        events.emplace_back(chat::Started{std::string(response["id"].text()), std::string(response["model"].text())});
    }

    Item& item(std::int64_t index, Item::Kind kind) {
        auto& item = items_[index];
        if (item.kind == Item::Kind::none) {
            item.kind = kind;
            if (kind == Item::Kind::call) item.call = calls_++;
        }
        return item;
    }

    void begin(std::int64_t index, const Value& value, Events& events) {
        constexpr std::size_t kMostItems = 4096;
        if (items_.size() >= kMostItems) return;
        const auto type = value["type"].text();
        if (is_call(type)) name(item(index, Item::Kind::call), value, events);
        if (type == "reasoning") item(index, Item::Kind::reasoning);
    }

    static bool is_call(std::string_view type) {
        return type == "function_call" || type == "custom_tool_call" || type == kToolSearchCall;
    }

    static std::string name_of(const Value& call) {
        if (call["type"].text() == kToolSearchCall) return std::string(kToolSearch);
        const auto space = call["namespace"].text();
        return space.empty() ? std::string(call["name"].text()) : qualified(space, call["name"].text());
    }

    void name(Item& call, const Value& value, Events& events) {
        call.custom = call.custom || value["type"].text() == "custom_tool_call";
        if (std::exchange(call.named, true)) return;
        events.emplace_back(
            chat::ToolCallDelta{0, call.call, std::string(value["call_id"].text()), name_of(value), {}, call.custom});
    }

    void add(Item& item, std::string_view text, Events& events) {
        if (text.empty() || item.done) return;
        item.text += text;
        switch (item.kind) {
            case Item::Kind::text:
                events.emplace_back(chat::TextDelta{0, std::string(text)});
                break;
            case Item::Kind::refusal:
                events.emplace_back(chat::RefusalDelta{0, std::string(text)});
                break;
            case Item::Kind::reasoning:
                events.emplace_back(chat::ReasoningDelta{0, std::string(text)});
                break;
            case Item::Kind::call:
                events.emplace_back(chat::ToolCallDelta{0, item.call, {}, {}, std::string(text), item.custom});
                break;
            case Item::Kind::none:
                break;
        }
    }

    // The whole of what came in pieces, or did not: only what is missing counts.
    void complete(Item& item, std::string_view whole, Events& events) {
        if (whole.starts_with(item.text)) add(item, whole.substr(item.text.size()), events);
    }

    void finish_item(std::int64_t index, const Value& value, Events& events) {
        if (items_.contains(index) && items_[index].done) return;
        const auto type = value["type"].text();
        if (type == "message") {
            std::string text, refusal;
            for (const Value part : value["content"].children()) {
                text += part["text"].text();
                refusal += part["refusal"].text();
            }
            if (!text.empty()) complete(item(index, Item::Kind::text), text, events);
            if (!refusal.empty()) complete(item(index, Item::Kind::refusal), refusal, events);
        } else if (is_call(type)) {
            auto& call = item(index, Item::Kind::call);
            name(call, value, events);
            const Value arguments = value[call.custom ? "input" : "arguments"];
            complete(call, arguments.is(Kind::object) ? arguments.raw() : arguments.text(), events);
            events.emplace_back(chat::ToolCallEnd{0, call.call});
        } else if (type == "reasoning") {
            auto& thought = item(index, Item::Kind::reasoning);
            std::string text;
            for (const auto* field : {"summary", "content"})
                for (const Value part : value[field].children()) {
                    if (!text.empty()) text += "\n\n";
                    text += part["text"].text();
                }
            complete(thought, text, events);
            const auto sealed = value["encrypted_content"].text();
            events.emplace_back(
                chat::ReasoningEnd{0, sealed.empty() ? "" : fmt::format("{}|{}", value["id"].text(), sealed), false});
        } else if (auto picture = picture_in(value)) {
            events.emplace_back(chat::MediaSaid{0, std::move(*picture)});
        }
        items_[index].done = true;
    }

    void conclude(const Value& response, Events& events) {
        std::int64_t index = 0;
        for (const Value value : response["output"].children()) finish_item(index++, value, events);
        const Value usage = response["usage"];
        if (usage.is(Kind::object)) {
            Usage result;
            result.input.count = count_of(usage["input_tokens"]);
            result.output.count = count_of(usage["output_tokens"]);
            result.cached_input.count = count_of(usage["input_tokens_details"]["cached_tokens"]);
            result.reasoning.count = count_of(usage["output_tokens_details"]["reasoning_tokens"]);
            events.emplace_back(chat::Used{result});
        }
        const auto status = response["status"].text();
        if (status == "failed" || status == "cancelled" || (given(response["error"]) && status != "completed")) {
            events.emplace_back(chat::Failed{
                error_in(response["error"], fmt::format("the provider's response is {}", printable(status, 20)))});
            return;
        }
        if (status == "queued" || status == "in_progress") return;  // it is no answer yet
        chat::Finished finished{0, calls_ > 0 ? chat::Finish::tool_calls : chat::Finish::stop, {}};
        if (status == "incomplete") {
            const auto reason = response["incomplete_details"]["reason"].text();
            finished.reason = reason == "content_filter" ? chat::Finish::content_filter : chat::Finish::length;
        }
        events.emplace_back(finished);
    }

    std::map<std::int64_t, Item> items_;
    std::int64_t calls_ = 0;
    bool started_ = false;
    bool done_ = false;
};

void write_usage(json::Writer& out, const Usage& usage) {
    out.begin_object().member("input_tokens", usage.input.count);
    out.key("input_tokens_details").begin_object().member("cached_tokens", usage.cached_input.count).end_object();
    out.member("output_tokens", usage.output.count);
    out.key("output_tokens_details").begin_object().member("reasoning_tokens", usage.reasoning.count).end_object();
    out.member("total_tokens", usage.input.count + usage.output.count).end_object();
}

class Writer final : public SequencedWriter {
  public:
    explicit Writer(AnswerFrame frame) : SequencedWriter(std::move(frame)) {}

    void end(const Usage& usage, std::string& out) override {
        out_ = &out;
        begin();
        finish_parts(out);
        const bool cut = incomplete();
        final_ = object(cut ? "incomplete" : "completed", &usage, nullptr);
        send(cut ? "response.incomplete" : "response.completed",
             [&](json::Writer& w) { w.raw_member("response", final_); });
    }

    void fail(const Error& error, std::string& out) override {
        out_ = &out;
        begin();
        final_ = object("failed", nullptr, &error);
        send("response.failed", [&](json::Writer& w) { w.raw_member("response", final_); });
    }

    std::string whole(const chat::Answer& answer, const Usage& usage) override {
        std::string unused;
        for (const auto& event : chat::events_of(answer)) this->event(event, unused);
        model_ = answer.model.empty() ? frame_.model : answer.model;
        finish_parts(unused);
        return object(incomplete() ? "incomplete" : "completed", &usage, nullptr);
    }

    bool says(const chat::Media& media) const override {
        return media.media_type.starts_with(kImage) && !media.data.empty();
    }
    std::string response() const override { return final_; }

  private:
    bool incomplete() const {
        return finished_.reason == chat::Finish::length || finished_.reason == chat::Finish::context ||
               finished_.reason == chat::Finish::content_filter;
    }

    std::string object(std::string_view status, const Usage* usage, const Error* error) const {
        json::Writer w;
        w.begin_object().member("id", "resp_" + frame_.id).member("object", "response");
        w.member("created_at", frame_.created).key("completed_at");
        if (status == "completed")
            w.value(frame_.now ? frame_.now() : frame_.created);
        else
            w.null();
        w.member("status", status).key("error");
        if (error != nullptr) {
            w.begin_object().member("code", openai_chat::code_of(*error)).member("message", error->message);
            w.member("reason", error->code.name()).end_object();
        } else {
            w.null();
        }
        w.key("incomplete_details");
        if (status == "incomplete")
            w.begin_object()
                .member("reason",
                        finished_.reason == chat::Finish::content_filter ? "content_filter" : "max_output_tokens")
                .end_object();
        else
            w.null();
        w.member("model", model_).key("output").begin_array();
        for (const auto& item : items_) w.raw(item);
        w.end_array().key("usage");
        if (usage != nullptr)
            write_usage(w, *usage);
        else
            w.null();
        w.end_object();
        auto text = w.take();
        if (!frame_.echo.empty()) text.insert(text.size() - 1, "," + frame_.echo);
        return text;
    }

    template <typename Write>
    void send(std::string_view type, Write&& write) {
        json::Writer w;
        w.begin_object().member("type", type).member("sequence_number", sequence_++);
        write(w);
        w.end_object();
        append_event(*out_, type, w.text());
    }

    void begin() {
        if (std::exchange(begun_, true)) return;
        const auto start = object("in_progress", nullptr, nullptr);
        send("response.created", [&](json::Writer& w) { w.raw_member("response", start); });
        send("response.in_progress", [&](json::Writer& w) { w.raw_member("response", start); });
    }

    const chat::Tool* tool_of(const std::string& name) const {
        if (frame_.request == nullptr) return nullptr;
        const auto& tools = frame_.request->tools;
        const auto tool = std::ranges::find(tools, name, &chat::Tool::name);
        return tool == tools.end() ? nullptr : &*tool;
    }

    bool is_tool_search(const Piece& piece) const {
        if (piece.kind != Piece::Kind::call || piece.name != kToolSearch) return false;
        const auto* tool = tool_of(piece.name);
        return tool != nullptr && tool->hosted.given();
    }

    // As the client knows the tool: by its name in a namespace, where it stands in one.
    void write_name(json::Writer& w, const std::string& name) const {
        const auto* tool = tool_of(name);
        const bool spaced = tool != nullptr && !tool->space.empty();
        w.member("name", spaced ? tool->name_in_space : name);
        if (spaced) w.member("namespace", tool->space);
    }

    std::string item_id(const Piece& piece) const {
        const auto* prefix = is_tool_search(piece)                  ? "tsc"
                             : piece.kind == Piece::Kind::call      ? (piece.custom ? "ctc" : "fc")
                             : piece.kind == Piece::Kind::reasoning ? "rs"
                             : piece.kind == Piece::Kind::media     ? "ig"
                                                                    : "msg";
        return fmt::format("{}_{}_{}", prefix, frame_.id, items_.size());
    }

    // The item as far as it is known; `status` is in_progress at its start, and then it is empty.
    std::string item(const Piece& piece, std::string_view status) const {
        const bool whole = status != "in_progress";
        json::Writer w;
        w.begin_object().member("id", item_id(piece));
        switch (piece.kind) {
            case Piece::Kind::text:
            case Piece::Kind::refusal:
                w.member("type", "message").member("status", status).member("role", "assistant");
                w.key("content").begin_array();
                if (whole) w.raw(part(piece, piece.text));
                w.end_array();
                break;
            case Piece::Kind::media:
                w.member("type", kImageCall).member("status", status).key("result");
                if (!whole) {
                    w.null();
                    break;
                }
                w.value(piece.media.data).member("output_format", piece.media.media_type.substr(kImage.size()));
                break;
            case Piece::Kind::reasoning:
                w.member("type", "reasoning").key("summary").begin_array();
                if (whole && !piece.text.empty())
                    w.begin_object().member("type", "summary_text").member("text", piece.text).end_object();
                w.end_array();
                if (const auto seal = sealed(piece); whole && !seal.empty()) w.member("encrypted_content", seal);
                break;
            case Piece::Kind::call:
                if (is_tool_search(piece)) {
                    w.member("type", kToolSearchCall).member("status", status).member("call_id", piece.id);
                    w.member("execution", "client");
                    w.raw_member("arguments", whole ? chat::arguments_object(piece.text) : "{}");
                    break;
                }
                w.member("type", piece.custom ? "custom_tool_call" : "function_call").member("status", status);
                w.member("call_id", piece.id);
                write_name(w, piece.name);
                w.member(piece.custom ? "input" : "arguments", whole ? piece.text : "");
                break;
        }
        w.end_object();
        return w.take();
    }

    std::string sealed(const Piece& piece) const {
        if (!frame_.signed_by.empty() && !frame_.signed_by.starts_with(kName))
            return tagged_signature(piece.signature, frame_.signed_by, kName);
        const auto bar = piece.signature.find('|');
        return bar == std::string::npos ? piece.signature : piece.signature.substr(bar + 1);
    }

    static std::string annotation(std::string_view text, const chat::Citation& citation) {
        json::Writer w;
        w.begin_object().member("type", "url_citation");
        write_url_citation(w, text, citation);
        return w.end_object().take();
    }

    void cite(const Piece& piece, std::size_t number) override {
        send("response.output_text.annotation.added", [&](json::Writer& w) {
            place(w, piece);
            w.member("content_index", 0).member("annotation_index", number);
            w.raw_member("annotation", annotation(piece.text, piece.citations[number]));
        });
    }

    static std::string part(const Piece& piece, std::string_view text) {
        json::Writer w;
        w.begin_object();
        if (piece.kind == Piece::Kind::refusal) {
            w.member("type", "refusal").member("refusal", text);
        } else {
            w.member("type", "output_text").member("text", text).key("annotations").begin_array();
            for (const auto& citation : text.empty() ? std::vector<chat::Citation>() : piece.citations)
                w.raw(annotation(text, citation));
            w.end_array().key("logprobs").begin_array().end_array();
        }
        w.end_object();
        return w.take();
    }

    void place(json::Writer& w, const Piece& piece) const {
        w.member("item_id", item_id(piece)).member("output_index", items_.size());
    }

    void open(const Piece& piece) override {
        begin();
        send("response.output_item.added", [&](json::Writer& w) {
            w.member("output_index", items_.size()).raw_member("item", item(piece, "in_progress"));
        });
        if (piece.kind == Piece::Kind::text || piece.kind == Piece::Kind::refusal)
            send("response.content_part.added", [&](json::Writer& w) {
                place(w, piece);
                w.member("content_index", 0).raw_member("part", part(piece, ""));
            });
        if (piece.kind == Piece::Kind::reasoning && (!piece.text.empty() || piece.signature.empty()))
            send("response.reasoning_summary_part.added", [&](json::Writer& w) {
                place(w, piece);
                w.member("summary_index", 0).raw_member("part", R"({"type":"summary_text","text":""})");
            });
    }

    void delta(const Piece& piece, std::string_view added) override {
        if (is_tool_search(piece)) return;  // its arguments come whole
        const auto* type = piece.kind == Piece::Kind::text        ? "response.output_text.delta"
                           : piece.kind == Piece::Kind::refusal   ? "response.refusal.delta"
                           : piece.kind == Piece::Kind::reasoning ? "response.reasoning_summary_text.delta"
                           : piece.custom                         ? "response.custom_tool_call_input.delta"
                                                                  : "response.function_call_arguments.delta";
        send(type, [&](json::Writer& w) {
            place(w, piece);
            if (piece.kind == Piece::Kind::reasoning) w.member("summary_index", 0);
            if (piece.kind == Piece::Kind::text || piece.kind == Piece::Kind::refusal) w.member("content_index", 0);
            w.member("delta", added);
            if (piece.kind == Piece::Kind::text) w.key("logprobs").begin_array().end_array();
        });
    }

    void close(const Piece& piece) override {
        const auto done = item(piece, "completed");
        switch (piece.kind) {
            case Piece::Kind::text:
            case Piece::Kind::refusal: {
                const bool text = piece.kind == Piece::Kind::text;
                send(text ? "response.output_text.done" : "response.refusal.done", [&](json::Writer& w) {
                    place(w, piece);
                    w.member("content_index", 0).member(text ? "text" : "refusal", piece.text);
                    if (text) w.key("logprobs").begin_array().end_array();
                });
                send("response.content_part.done", [&](json::Writer& w) {
                    place(w, piece);
                    w.member("content_index", 0).raw_member("part", part(piece, piece.text));
                });
                break;
            }
            case Piece::Kind::media:
                send("response.image_generation_call.completed", [&](json::Writer& w) { place(w, piece); });
                break;
            case Piece::Kind::reasoning:
                if (piece.text.empty()) break;
                send("response.reasoning_summary_text.done", [&](json::Writer& w) {
                    place(w, piece);
                    w.member("summary_index", 0).member("text", piece.text);
                });
                send("response.reasoning_summary_part.done", [&](json::Writer& w) {
                    place(w, piece);
                    w.member("summary_index", 0).key("part").begin_object().member("type", "summary_text");
                    w.member("text", piece.text).end_object();
                });
                break;
            case Piece::Kind::call:
                if (is_tool_search(piece)) break;
                send(piece.custom ? "response.custom_tool_call_input.done" : "response.function_call_arguments.done",
                     [&](json::Writer& w) {
                         place(w, piece);
                         if (!piece.custom) write_name(w, piece.name);
                         w.member(piece.custom ? "input" : "arguments", piece.text);
                     });
                break;
        }
        send("response.output_item.done",
             [&](json::Writer& w) { w.member("output_index", items_.size()).raw_member("item", done); });
        items_.push_back(done);
    }

    std::vector<std::string> items_;  // those that are done
    std::string final_;
    std::int64_t sequence_ = 0;
    bool begun_ = false;
};

}  // namespace

std::unique_ptr<AnswerReader> make_reader() {
    return std::make_unique<Reader>();
}
std::unique_ptr<AnswerWriter> make_writer(AnswerFrame frame) {
    return std::make_unique<Writer>(std::move(frame));
}

// The same as Chat Completions', but for a prompt that does not fit: here that has words of its own.
ErrorReply encode_error(const Error& error) {
    // What a request goes on from may be too long before any model is asked, and is named.
    const bool kept = error.param == "conversation" || error.param == "previous_response_id";
    if (error.code != ErrorCode::context || kept) return openai_chat::encode_error(error);
    auto said = error;
    said.param = "input";
    json::Document document;
    auto reply = openai_chat::encode_error(said);
    if (!document.parse(reply.body)) return reply;
    const auto message =
        fmt::format("Your input exceeds the context window of this model. Please adjust your input and try again. {}",
                    document.root()["error"]["message"].text());
    reply.body = with_members(
        document.root(), {{"error", with_members(document.root()["error"], {{"message", json::quoted(message)}})}});
    return reply;
}

}  // namespace tandem::dialect::openai_responses
