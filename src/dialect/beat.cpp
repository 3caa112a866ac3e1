#include "dialect/beat.h"

#include "dialect/fields.h"
#include "dialect/ollama.h"

namespace tandem::dialect {

namespace {

std::string empty_message(const AnswerFrame& frame) {
    json::Writer out;
    out.begin_object().member("model", frame.model).member("created_at", ollama::time_text(frame.created));
    if (frame.generate)
        out.member("response", "");
    else
        out.key("message").begin_object().member("role", "assistant").member("content", "").end_object();
    out.member("done", false).end_object();
    return out.take() + "\n";
}

}  // namespace

std::string beat_of(Kind kind, const AnswerFrame& frame) {
    switch (kind) {
        case Kind::anthropic: {
            std::string out;
            append_event(out, "ping", R"({"type":"ping"})");
            return out;
        }
        case Kind::ollama:
            return empty_message(frame);
        case Kind::gemini:
            return "\n";
        case Kind::openai_chat:
        case Kind::openai_responses:
            break;
    }
    return ": keep-alive\n\n";
}

}  // namespace tandem::dialect
