// What the owner's files say to a request, put before what its user asked last: between decode and label, so that all
// that follows (labels, redaction, the decision, the cache, records) sees a request as it is asked. Private to
// gateway/.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/label.h"
#include "chat/cite_filter.h"
#include "chat/conversation.h"
#include "config/config.h"
#include "net/worker.h"
#include "retrieval/passages.h"
#include "routing/routing.h"

namespace tandem::gateway {

class Way;

// What of the files is in a request.
struct Context {
    std::vector<std::string> collections;
    std::string from;                          // who wants that, for people
    std::vector<retrieval::Passage> passages;  // the best first
    std::vector<std::int64_t> tokens;          // of each, estimated
    std::size_t found = 0;                     // of which these are the first
    std::int64_t room = 0;                     // tokens that there were for them
    std::vector<std::string> left_out;         // tools that the provider would have run
    chat::Request asked;                       // as its client wrote it
    std::string identity;                      // what makes it the same request, for the cache
    std::shared_ptr<const chat::Sources> sources;

    std::int64_t all_tokens() const;
    std::string summary() const;  // for a header
    std::string record() const;   // for the record, as JSON
};

// Which collections a request wants to be looked in: by its header, its alias, and the rule that fires for it before
// anything was found. Without doubles.
struct ContextWish {
    std::vector<std::string> collections;
    std::string from;
    bool demanded = false;  // by the request itself
};
ContextWish context_wish(const Way& way, const config::Rule* rule);

// What is looked for: the words of the last turn of a user, and, at half the weight, those of the turn before where the
// last has only a few.
std::string question_for_files(const chat::Request& request);

// Looks in the collections, and puts what is found into the question of `way`. `inputs` are those of the request as
// its client wrote it; `outward`: tools that its provider runs stay. Errors: unknown_object, for a collection that is
// not there or that the key may not see; unsupported_demand; context, where there is no room for anything; storage.
net::Task<Result<std::shared_ptr<const Context>>> enrich(Way& way, ContextWish wish, routing::Inputs inputs,
                                                         bool outward);

}  // namespace tandem::gateway
