#include "gateway/relay.h"

namespace tandem::gateway {

namespace dialect = dialect::openai_chat;

Result<> StreamRelay::feed(std::string_view bytes) {
    out_.reserve(out_.size() + bytes.size() + 64);
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
    auto facts = dialect::chunk_facts(root);
    if (facts.error) {
        failed_ = std::move(facts.error);
        return;
    }
    text_bytes_ += facts.text_bytes;
    finished_ += facts.finished;
    content_ = content_ || facts.text_bytes > 0 || facts.finished > 0;
    if (facts.usage) usage_ = facts.usage;
    if (frame_.id.empty())
        frame_ = {std::string(root["id"].text()), std::string(root["model"].text()),
                  root["created"].integer().value_or(0)};
    if (facts.usage && facts.only_usage && !wants_usage_) return;  // we asked for it, the client did not
    if (facts.usage) usage_sent_ = true;
    net::append_sse_event(out_, data);
}

std::string StreamRelay::usage_event(const Usage& usage) const {
    return net::sse_event(dialect::encode_chunk(chat::Used{usage}, frame_));
}

}  // namespace tandem::gateway
