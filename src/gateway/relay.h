// A provider's stream of chunks on its way to the client, in one dialect: each event's bytes are handed on as they
// came, and what the ledger must know is read from them. Private to gateway/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "chat/conversation.h"
#include "dialect/openai_chat.h"
#include "net/sse.h"

namespace tandem::gateway {

class StreamRelay {
  public:
    // `wants_usage`: the client asked for a usage chunk. `choices`: how many answers it asked for.
    StreamRelay(bool wants_usage, std::int64_t choices) : wants_usage_(wants_usage), choices_(choices) {}

    // Takes the next bytes of the provider. Errors: upstream.
    Result<> feed(std::string_view bytes);
    // The provider's stream has ended.
    void end();
    // What is for the client so far; never the closing [DONE].
    std::string take() { return std::exchange(out_, {}); }

    // Something that a person would call an answer has come: text, a tool call, or its regular end.
    bool has_content() const { return content_; }
    bool done() const { return done_; }  // [DONE] came
    // Every choice has its finish reason: the answer is whole even where [DONE] is missing.
    bool whole() const { return static_cast<std::int64_t>(finished_) >= choices_; }
    const std::optional<Error>& failed() const { return failed_; }
    const std::optional<Usage>& usage() const { return usage_; }
    std::size_t malformed() const { return malformed_; }
    // Of all answers together, for an estimate.
    Tokens estimated_output() const { return {static_cast<std::int64_t>((text_bytes_ + 3) / 4)}; }
    // A usage chunk of our own, for a client that asked where the provider sent none.
    std::string usage_event(const Usage& usage) const;
    bool usage_sent() const { return usage_sent_; }

  private:
    void event(std::string_view data);

    const bool wants_usage_;
    const std::int64_t choices_;
    net::SseParser parser_;
    json::Document document_;
    dialect::openai_chat::StreamFrame frame_;
    std::string out_;
    std::optional<Usage> usage_;
    std::optional<Error> failed_;
    std::size_t text_bytes_ = 0;
    std::size_t finished_ = 0;
    std::size_t malformed_ = 0;
    bool content_ = false;
    bool done_ = false;
    bool usage_sent_ = false;
};

}  // namespace tandem::gateway
