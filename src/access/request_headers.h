// What a request says of itself in headers that decide: read once, at the door, for every route.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/label.h"
#include "base/result.h"
#include "config/config.h"
#include "net/message.h"

namespace tandem::access {

struct RequestHeaders {
    Label label = Label::public_;                      // x-tandem-label: of everything in this request, at least
    config::Stakes stakes = config::Stakes::normal;    // x-tandem-stakes
    std::string conversation;                          // x-tandem-conversation: its client's name for it
    std::string workflow;                              // x-tandem-workflow: what it is a part of, for budgets and cost
    std::optional<std::chrono::seconds> timeout = {};  // x-tandem-timeout, 1 to 86,400
    std::vector<std::string> warnings = {};            // of names that are called otherwise now
    std::vector<std::string> context = {};  // x-tandem-context: collections in which what is asked is looked for
    bool fresh = false;  // no answer that was given before: x-tandem-cache: no, or a cache-control that says so
};

// Errors: invalid, for a value that there is not, for a header that decides and stands twice, and for an x-tandem-
// header that there is not: a label under a mistyped name would be lost. x-tandem-value, as x-tandem-stakes was called
// before, is read with a warning.
Result<RequestHeaders> read_headers(const net::Fields& headers);

}  // namespace tandem::access
