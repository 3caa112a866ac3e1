// Asking a model beside what clients ask: a shadow of a request, a judge. It goes the same way as all others, so that
// labels, budgets, the egress record and the ledger hold for it too.
#pragma once

#include <string>

#include "chat/told.h"
#include "gateway/background.h"
#include "gateway/gateway.h"

namespace tandem::gateway {

struct AsideQuestion {
    std::string body;              // of Chat Completions, not streaming; for an embedding the text
    Label label = Label::public_;  // of what it is made from; it cannot be taken out
    std::string reason;            // for that label
    bool judged = false;           // who asks knows how good the answer is: its checks are no signs to learn from
};

struct AsideAnswer {
    std::string decision;  // empty where none was made
    std::string error;     // why there is no answer
    std::string text;      // with its calls, for who compares
    chat::Told told;       // the same in its parts
    std::string fault;     // chat::fault_of
};

// The vector of a text, of length 1, by a model that makes embeddings. It is a hint, which is not waited for longer
// than 5 s. `cancel` ends it. Errors: as the model's, upstream.
net::Task<Result<std::vector<float>>> embed_aside(Gateway& gateway, net::Worker& worker, const access::Principal& who,
                                                  const std::string& model, AsideQuestion text, net::Cancel& cancel);

// On the worker. `who` pays, and outlives the call. `live` lets it be ended. Nothing is learned from its place in
// a conversation, and no experiment sees it.
net::Task<AsideAnswer> ask_aside(Gateway& gateway, net::Worker& worker, const access::Principal& who,
                                 AsideQuestion question, std::shared_ptr<Live> live);

}  // namespace tandem::gateway
