#include "gateway/relay.h"

namespace tandem::gateway {

namespace dialect = dialect::openai_chat;

Result<> StreamRelay::feed(std::string_view bytes) {
    return parser_.feed(bytes, [this](const net::SseEvent& e) { event(e.data); });
}

void StreamRelay::end() {
    parser_.finish([this](const net::SseEvent& e) { event(e.data); });
}

void StreamRelay::event(std::string_view data) {
    if (done_ || failed_) return;  // nothing belongs behind the end
    if (data == dialect::kDone) {
        done_ = true;
        return;
    }
    if (!document_.parse(data)) {
        ++malformed_;
        return;
    }
    const auto root = document_.root();
    events_.clear();
    dialect::decode_chunk(root, events_);
    bool only_usage = root["choices"].size() == 0;
    bool has_usage = false;
    for (const auto& event : events_) {
        if (const auto* text = std::get_if<chat::TextDelta>(&event)) {
            text_bytes_ += text->text.size();
            content_ = true;
        } else if (const auto* reasoning = std::get_if<chat::ReasoningDelta>(&event)) {
            text_bytes_ += reasoning->text.size();
            content_ = true;
        } else if (const auto* call = std::get_if<chat::ToolCallDelta>(&event)) {
            text_bytes_ += call->name.size() + call->arguments.size();
            content_ = true;
        } else if (std::holds_alternative<chat::Finished>(event)) {
            ++finished_;
            content_ = true;
        } else if (const auto* used = std::get_if<chat::Used>(&event)) {
            usage_ = used->usage;
            has_usage = true;
        } else if (const auto* failure = std::get_if<chat::Failed>(&event)) {
            failed_ = failure->error;
            return;
        }
    }
    if (frame_.id.empty()) frame_ = {std::string(root["id"].text()), std::string(root["model"].text()), root["created"].integer().value_or(0)};
    if (has_usage && only_usage && !wants_usage_) return;  // we asked for it, the client did not
    if (has_usage) usage_sent_ = true;
    out_ += net::sse_event(data);
}

std::string StreamRelay::usage_event(const Usage& usage) const { return net::sse_event(dialect::encode_chunk(chat::Used{usage}, frame_)); }

}  // namespace tandem::gateway
