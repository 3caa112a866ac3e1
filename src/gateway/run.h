// A request to a model from its body to the last byte of its answer. Private to gateway/, but for its entrance.
#pragma once

#include "gateway/gateway.h"
#include "translate/conversion.h"

namespace tandem::gateway {

// What goes beside a request, for those who keep its answer.
// Where an answer comes from, as its headers say.
struct Origin {
    DecisionId decision;
    Label label = Label::public_;
    std::string model, provider;
    Zone zone = Zone::local;
};
// x-tandem-decision, -label, -model, -provider and -zone; of an empty model only the first two.
void add_origin(const Origin& origin, net::Fields& headers);

// Of an answer that was given, as the ledger has it: the attempt that answered, else the last that was asked. The label
// is left public. Errors: storage.
Result<Origin> origin_of(store::Database& database, const std::string& decision);

struct Keeping {
    // Given an answer, the job that keeps it, committed with the receipt: the response object of OpenAI Responses, or,
    // with `keep_whole`, the body of any dialect.
    std::function<store::Store::Job(const std::string& response, Label label, const DecisionId& decision)> keep;
    bool keep_whole = false;
    bool batch = false;        // nobody sits and waits for it
    bool judged = false;       // who asks knows how good the answer is: its checks are no signs to learn from
    bool aside = false;        // no client asks it: no sign of how an answer was taken, and part of no experiment
    std::string from;          // the kept response or conversation that it goes on with; empty: none
    std::string id;            // the response's id without its prefix; empty: the decision's
    DecisionId decision = {};  // its id; empty: one is made
    std::function<void(const Origin&)> begun;                   // called when a model is about to be asked
    std::string echo;                                           // dialect::AnswerFrame::echo
    std::vector<std::pair<std::string_view, std::string>> own;  // dialect::AnswerFrame::own
    Label label = Label::public_;                               // of what the request goes on with
    std::string label_reason;
};

// Answers a POST to a model.
net::Task<> answer_question(Gateway& gateway, Call call, translate::Front front, Keeping keeping = {});

// What a request without a client would be decided, for `explain --dry-run`. Nothing is sent, nothing is recorded.
// Without services, health, budgets and earlier labels are not considered.
struct DryRun {
    routing::Inputs inputs;
    Result<routing::Decision> decision;
};
DryRun decide_only(const Snapshot& snapshot, Services* services, const access::Principal& who,
                   const json::Document& document, const chat::Request& request, const access::RequestHeaders& asked);

}  // namespace tandem::gateway
