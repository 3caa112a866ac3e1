// The door for Tandem itself: a cascade, an experiment, a judge, a probe. What is asked here goes the way of clients'
// requests, so that labels, budgets, the egress record and the ledger hold for it too.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chat/conversation.h"
#include "chat/told.h"
#include "gateway/gateway.h"

namespace tandem::gateway {

struct InternalQuestion {
    chat::Request request;         // to the model or alias that it names; what Chat Completions can say of it is asked
    Label label = Label::public_;  // of what it is made from; it cannot be taken out
    std::string reason;            // for that label
    bool judged = false;           // the asker knows how good the answer is: its checks are no signs to learn from
    std::string workflow = {};     // whose budgets it counts in, where it is asked for a request of one
    bool fresh = false;            // no answer that was given before
    bool streamed = false;         // as a stream: then the answer has its times
    bool leaves = false;           // of a stream: the asker goes away when something of the answer has come
    std::shared_ptr<const Snapshot> snapshot = nullptr;  // that it is decided by; null: the newest
};

struct InternalAnswer {
    std::string decision;       // empty where none was made
    std::string error;          // why there is no answer; empty where there is one
    chat::Told told;            // what was said, in its parts
    std::string fault;          // chat::fault_of
    std::string code = {};      // of the error, as x-tandem-error has it
    std::string warnings = {};  // what is different from what was asked, as x-tandem-warnings has it
    Usage usage = {};           // as the answer has it; `estimated` where it has none
    std::size_t choices = 0;    // of an answer in one piece
    milliseconds first{-1};     // from the question to the first of the answer; -1: it came in one piece
    milliseconds last{0};       // to its end
    // What was said and then the calls that were made, for those who compare.
    std::string text() const;
};

// On the worker, until `cancel` fires at the latest. `who` pays, and outlives the call. Nothing is learned from the
// question's place in a conversation, and no experiment sees it.
net::Task<InternalAnswer> ask(Gateway& gateway, net::Worker& worker, const access::Principal& who,
                              InternalQuestion question, net::Cancel& cancel);

// The newest snapshot, but for one model, of which nothing counts as measured: it has the context that its owner claims
// (or any, with `unbounded`), and tools as `renders_tools` says. What a probe asks goes by it, since what was measured
// is to be measured again. Its table is recorded.
struct Unmeasured {
    std::string model;
    bool unbounded = false;
    std::optional<bool> renders_tools = std::nullopt;
};
std::shared_ptr<const Snapshot> snapshot_with(Services& services, const Unmeasured& unmeasured);

struct InternalText {
    std::string text;
    Label label = Label::public_;  // of what it is made from; it cannot be taken out
    std::string reason;            // for that label
};

// The vector of a text, of length 1, by a model that makes embeddings. Such a vector is a hint, which is not waited for
// longer than 5 s. Otherwise as ask(). Errors: as the model's, upstream.
net::Task<Result<std::vector<float>>> embed(Gateway& gateway, net::Worker& worker, const access::Principal& who,
                                            const std::string& model, InternalText text, net::Cancel& cancel);

}  // namespace tandem::gateway
