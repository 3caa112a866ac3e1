// What is said to clients of Chat Completions and of the legacy Completions: answers, streamed and whole, errors,
// models.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/utf8.h"
#include "chat/answer.h"
#include "dialect/cited.h"
#include "dialect/fields.h"
#include "dialect/openai_chat.h"

namespace tandem::dialect::openai_chat {

namespace {

void write_usage(json::Writer& out, const Usage& usage) {
    out.begin_object()
        .member("prompt_tokens", usage.input.count)
        .member("completion_tokens", usage.output.count)
        .member("total_tokens", usage.input.count + usage.output.count);
    out.key("prompt_tokens_details").begin_object().member("cached_tokens", usage.cached_input.count).end_object();
    out.key("completion_tokens_details").begin_object().member("reasoning_tokens", usage.reasoning.count).end_object();
    out.end_object();
}

std::string_view word_of(const chat::Finished& finished, bool legacy_functions) {
    using chat::Finish;
    switch (finished.reason) {
        case Finish::stop:
        case Finish::pause:
            return "stop";
        case Finish::length:
        case Finish::context:
            return "length";
        case Finish::tool_calls:
            return legacy_functions ? "function_call" : "tool_calls";
        case Finish::content_filter:
            return "content_filter";
        case Finish::other:
            break;
    }
    return "stop";  // what no client knows is no word for it
}

// The beginning of each chunk, up to its choices.
std::string chunk_start(std::string_view object, std::string_view id, std::string_view model, std::int64_t created) {
    json::Writer out;
    out.begin_object().member("id", id).member("object", object).member("created", created).member("model", model);
    return out.take();
}

std::string prefixed(std::string_view prefix, const AnswerFrame& frame) {
    return fmt::format("{}{}", prefix, frame.id);
}

class Writer final : public AnswerWriter {
  public:
    explicit Writer(AnswerFrame frame)
        : frame_(std::move(frame)), id_(prefixed("chatcmpl-", frame_)), model_(frame_.model) {
        legacy_ = frame_.request != nullptr && frame_.request->legacy_functions;
        usage_ = frame_.request != nullptr && frame_.request->include_usage;
    }

    void event(const chat::Event& event, std::string& out) override {
        if (const auto* started = std::get_if<chat::Started>(&event)) {
            if (!started->model.empty()) model_ = started->model;
        } else if (const auto* text = std::get_if<chat::TextDelta>(&event)) {
            said_[text->choice] += characters_in(text->text);
            chunk(out, text->choice, [&](json::Writer& w) { w.member("content", text->text); });
        } else if (const auto* cited = std::get_if<chat::Cited>(&event)) {
            chunk(out, cited->choice, [&](json::Writer& w) { write_cited(w, *cited); });
        } else if (const auto* refusal = std::get_if<chat::RefusalDelta>(&event)) {
            chunk(out, refusal->choice, [&](json::Writer& w) { w.member("refusal", refusal->text); });
        } else if (const auto* said = std::get_if<chat::MediaSaid>(&event); said != nullptr && says(said->media)) {
            chunk(out, said->choice, [&](json::Writer& w) {
                w.key("images").begin_array();
                write_image(w, said->media, images_++);
                w.end_array();
            });
        } else if (const auto* reasoning = std::get_if<chat::ReasoningDelta>(&event)) {
            chunk(out, reasoning->choice, [&](json::Writer& w) { w.member("reasoning_content", reasoning->text); });
        } else if (const auto* ended = std::get_if<chat::ReasoningEnd>(&event)) {
            if (const auto list = reasoning_details_of(ended->signature); !list.empty())
                chunk(out, ended->choice,
                      [&](json::Writer& w) { w.raw_member("reasoning_details", "[" + list + "]"); });
        } else if (const auto* call = std::get_if<chat::ToolCallDelta>(&event)) {
            chunk(out, call->choice, [&](json::Writer& w) { write_call(w, *call); });
        } else if (const auto* logprobs = std::get_if<chat::Logprobs>(&event)) {
            chunk(out, logprobs->choice, [](json::Writer&) {}, {}, &logprobs->json);
        } else if (const auto* finished = std::get_if<chat::Finished>(&event)) {
            chunk(out, finished->choice, [](json::Writer&) {}, word_of(*finished, legacy_));
        }
    }

    // As OpenRouter says pictures, which other gateways and clients follow. Programs show what an address names, so it
    // is one of the web.
    bool says(const chat::Media& media) const override {
        const bool on_web = media.url.starts_with("https://") || media.url.starts_with("http://");
        return media.media_type.starts_with("image/") && (!media.data.empty() || on_web);
    }

    void end(const Usage& usage, std::string& out) override {
        if (usage_) append_event(out, "", usage_chunk(usage, id_, model_, frame_.created));
        append_event(out, "", kDone);
    }

    void fail(const Error& error, std::string& out) override {
        // An error event and no [DONE]: the client can tell that the answer is not whole.
        append_event(out, "", encode_error(error).body);
    }

    std::string whole(const chat::Answer& answer, const Usage& usage) override {
        json::Writer out;
        out.begin_object().member("id", id_).member("object", "chat.completion").member("created", frame_.created);
        out.member("model", answer.model.empty() ? frame_.model : answer.model).key("choices").begin_array();
        for (std::size_t i = 0; i < answer.choices.size(); ++i) write_choice(out, answer.choices[i], i);
        out.end_array().key("usage");
        write_usage(out, usage);
        out.end_object();
        return out.take();
    }

  private:
    void write_choice(json::Writer& out, const chat::Choice& choice, std::size_t index) const {
        std::string text, refusal, reasoning, details;
        std::vector<const chat::ToolCallPart*> calls;
        std::vector<const chat::Media*> images;
        std::vector<chat::Citation> citations;
        bool has_text = false;
        for (const auto& part : choice.parts) {
            if (const auto* piece = part.as<chat::TextPart>()) {
                has_text = true;
                for (auto citation : piece->citations) {
                    citation.begin += text.size();
                    citation.end += text.size();
                    citations.push_back(std::move(citation));
                }
                text += piece->text;
            } else if (const auto* piece = part.as<chat::RefusalPart>()) {
                refusal += piece->text;
            } else if (const auto* piece = part.as<chat::ReasoningPart>()) {
                reasoning += piece->text;
                if (const auto list = reasoning_details_of(piece->signature); !list.empty())
                    details += (details.empty() ? "" : ",") + list;
            } else if (const auto* call = part.as<chat::ToolCallPart>()) {
                calls.push_back(call);
            } else if (const auto* media = chat::media_of(part); media != nullptr && says(*media)) {
                images.push_back(media);
            }
        }
        out.begin_object().member("index", index).key("message").begin_object().member("role", "assistant");
        out.key("content");
        if (has_text || (calls.empty() && refusal.empty()))
            out.value(text);
        else
            out.null();
        out.key("refusal");
        if (refusal.empty())
            out.null();
        else
            out.value(refusal);
        if (!citations.empty()) {
            out.key("annotations").begin_array();
            for (const auto& citation : citations) {
                begin_citation(out);
                write_url_citation(out, text, citation);
                out.end_object().end_object();
            }
            out.end_array();
        }
        if (!reasoning.empty()) out.member("reasoning_content", reasoning);
        if (!details.empty()) out.raw_member("reasoning_details", "[" + details + "]");
        if (!images.empty()) {
            out.key("images").begin_array();
            for (std::size_t i = 0; i < images.size(); ++i) write_image(out, *images[i], i);
            out.end_array();
        }
        if (!calls.empty() && legacy_) {
            out.key("function_call").begin_object().member("name", calls[0]->name);
            out.member("arguments", calls[0]->arguments).end_object();
        } else if (!calls.empty()) {
            out.key("tool_calls").begin_array();
            for (const auto* call : calls) {
                out.begin_object().member("id", call->id).member("type", call->custom ? "custom" : "function");
                out.key(call->custom ? "custom" : "function").begin_object().member("name", call->name);
                out.member(call->custom ? "input" : "arguments", call->arguments).end_object().end_object();
            }
            out.end_array();
        }
        out.end_object().key("logprobs");
        out.raw(choice.logprobs.given() ? std::string_view(choice.logprobs.json) : "null");
        out.member("finish_reason", word_of(choice.finished.value_or(chat::Finished{}), legacy_)).end_object();
    }

    static void begin_citation(json::Writer& w) {
        w.begin_object().member("type", "url_citation").key("url_citation").begin_object();
    }

    // Its number is the end of what was said.
    void write_cited(json::Writer& w, const chat::Cited& cited) const {
        const auto end = said_.at(cited.choice);
        w.key("annotations").begin_array();
        begin_citation(w);
        w.member("start_index", end - std::min(end, cited.bytes)).member("end_index", end);
        w.member("url", cited.source.url()).member("title", cited.source.name());
        w.end_object().end_object().end_array();
    }

    static void write_image(json::Writer& w, const chat::Media& media, std::size_t index) {
        w.begin_object().member("type", "image_url").key("image_url").begin_object().member("url", url_of(media));
        w.end_object().member("index", index).end_object();
    }

    void write_call(json::Writer& w, const chat::ToolCallDelta& call) const {
        if (legacy_) {
            w.key("function_call").begin_object();
            if (!call.name.empty()) w.member("name", call.name);
            w.member("arguments", call.arguments).end_object();
            return;
        }
        const char* body = call.custom ? "custom" : "function";
        w.key("tool_calls").begin_array().begin_object().member("index", call.index);
        if (!call.id.empty()) w.member("id", call.id).member("type", body);
        w.key(body).begin_object();
        if (!call.name.empty()) w.member("name", call.name);
        w.member(call.custom ? "input" : "arguments", call.arguments).end_object().end_object().end_array();
    }

    template <typename WriteDelta>
    void chunk(std::string& out, std::int64_t choice, WriteDelta&& write_delta, std::string_view reason = {},
               const chat::Raw* logprobs = nullptr) {
        if (start_.empty()) start_ = chunk_start("chat.completion.chunk", id_, model_, frame_.created);
        json::Writer w;
        w.begin_object().member("index", choice).key("delta").begin_object();
        if (roles_.size() <= static_cast<std::size_t>(choice)) roles_.resize(static_cast<std::size_t>(choice) + 1);
        if (!std::exchange(roles_[static_cast<std::size_t>(choice)], 1)) w.member("role", "assistant");
        write_delta(w);
        w.end_object();
        if (logprobs != nullptr) w.raw_member("logprobs", logprobs->json);
        w.key("finish_reason");
        if (reason.empty())
            w.null();
        else
            w.value(reason);
        w.end_object();
        out.append("data: ").append(start_).append(",\"choices\":[").append(w.text()).append("]}\n\n");
    }

    const AnswerFrame frame_;
    const std::string id_;
    std::string model_;
    std::string start_;
    std::vector<char> roles_;
    std::map<std::int64_t, std::size_t> said_;  // characters of each choice
    std::size_t images_ = 0;
    bool legacy_ = false;
    bool usage_ = false;
};

class CompletionWriter final : public AnswerWriter {
  public:
    explicit CompletionWriter(AnswerFrame frame)
        : frame_(std::move(frame)), id_(prefixed("cmpl-", frame_)), model_(frame_.model) {}

    void event(const chat::Event& event, std::string& out) override {
        if (const auto* started = std::get_if<chat::Started>(&event)) {
            if (!started->model.empty()) model_ = started->model;
        } else if (const auto* text = std::get_if<chat::TextDelta>(&event)) {
            chunk(out, text->choice, text->text, {});
        } else if (const auto* finished = std::get_if<chat::Finished>(&event)) {
            chunk(out, finished->choice, "", word_of(*finished, false));
        }
    }
    void end(const Usage& usage, std::string& out) override {
        if (frame_.request != nullptr && frame_.request->include_usage) {
            json::Writer w;
            write_usage(w, usage);
            append_event(out, "",
                         fmt::format("{},\"choices\":[],\"usage\":{}}}",
                                     chunk_start("text_completion", id_, model_, frame_.created), w.text()));
        }
        append_event(out, "", kDone);
    }
    void fail(const Error& error, std::string& out) override { append_event(out, "", encode_error(error).body); }
    std::string whole(const chat::Answer& answer, const Usage& usage) override {
        json::Writer out;
        out.begin_object().member("id", id_).member("object", "text_completion").member("created", frame_.created);
        out.member("model", answer.model.empty() ? frame_.model : answer.model).key("choices").begin_array();
        for (std::size_t i = 0; i < answer.choices.size(); ++i) {
            const auto& choice = answer.choices[i];
            out.begin_object().member("text", chat::text_of(choice.parts)).member("index", i).key("logprobs").null();
            out.member("finish_reason", word_of(choice.finished.value_or(chat::Finished{}), false)).end_object();
        }
        out.end_array().key("usage");
        write_usage(out, usage);
        out.end_object();
        return out.take();
    }

  private:
    void chunk(std::string& out, std::int64_t choice, std::string_view text, std::string_view reason) {
        json::Writer w;
        w.begin_object().member("text", text).member("index", choice).key("logprobs").null().key("finish_reason");
        if (reason.empty())
            w.null();
        else
            w.value(reason);
        w.end_object();
        append_event(out, "",
                     fmt::format("{},\"choices\":[{}]}}", chunk_start("text_completion", id_, model_, frame_.created),
                                 w.text()));
    }
    const AnswerFrame frame_;
    const std::string id_;
    std::string model_;
};

void write_model(json::Writer& out, const ListedModel& model, std::int64_t created) {
    out.begin_object()
        .member("id", model.id)
        .member("object", "model")
        .member("created", created)
        .member("owned_by", model.owner);
    if (model.context_tokens > 0)
        out.member("context_length", model.context_tokens).member("max_model_len", model.context_tokens);
    if (model.max_output_tokens > 0) out.member("max_completion_tokens", model.max_output_tokens);
    out.end_object();
}

}  // namespace

std::unique_ptr<AnswerWriter> make_writer(AnswerFrame frame) {
    return std::make_unique<Writer>(std::move(frame));
}

std::unique_ptr<AnswerWriter> completion_writer(AnswerFrame frame) {
    return std::make_unique<CompletionWriter>(std::move(frame));
}

std::string calls_chunk(std::int64_t choice, std::string_view pieces, std::string_view id, std::string_view model,
                        std::int64_t created) {
    return fmt::format("{},\"choices\":[{{\"index\":{},\"delta\":{{\"tool_calls\":[{}]}},\"finish_reason\":null}}]}}",
                       chunk_start("chat.completion.chunk", id, model, created), choice, pieces);
}

std::string end_chunk(std::int64_t choice, std::string_view word, std::string_view id, std::string_view model,
                      std::int64_t created) {
    return fmt::format("{},\"choices\":[{{\"index\":{},\"delta\":{{}},\"finish_reason\":\"{}\"}}]}}",
                       chunk_start("chat.completion.chunk", id, model, created), choice, word);
}

std::string usage_chunk(const Usage& usage, std::string_view id, std::string_view model, std::int64_t created) {
    json::Writer w;
    write_usage(w, usage);
    return fmt::format("{},\"choices\":[],\"usage\":{}}}", chunk_start("chat.completion.chunk", id, model, created),
                       w.text());
}

// The one place that maps an error to OpenAI's words.
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

namespace {

// OpenAI's own codes stay, since its clients go by them.
bool is_official(ErrorCode kind) {
    return kind == ErrorCode::unauthenticated || kind == ErrorCode::rate_limited || kind == ErrorCode::over_budget ||
           kind == ErrorCode::context;
}

std::string with_capital(std::string text) {
    if (!text.empty() && text.front() >= 'a' && text.front() <= 'z')
        text.front() = static_cast<char>(text.front() - 'a' + 'A');
    return text;
}

}  // namespace

std::string_view code_of(const Error& error) {
    const auto fault = error.code.fault();
    // Not everything that is not found is a model.
    if (error.code == ErrorCode::not_found && (error.param == "model" || fault == Fault::unknown_model))
        return shape_of(ErrorCode::not_found).code;
    if (fault == Fault::not_found) return name_of(fault);
    return is_kind(fault) || is_official(error.code) ? shape_of(error.code).code : name_of(fault);
}

ErrorReply encode_error(const Error& error) {
    const auto shape = shape_of(error.code);
    json::Writer out;
    out.begin_object()
        .key("error")
        .begin_object()
        .member("message", error.code == ErrorCode::context && error.prompt_tokens > 0 && error.context_tokens > 0
                               ? fmt::format("This model's maximum context length is {} tokens. However, your messages "
                                             "resulted in {} tokens. {}",
                                             error.context_tokens, error.prompt_tokens, with_capital(error.message))
                               : error.message)
        .member("type", shape.type)
        .key("param");
    if (error.param.empty())
        out.null();
    else
        out.value(error.param);
    out.member("code", code_of(error)).member("reason", error.code.name()).end_object().end_object();
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
