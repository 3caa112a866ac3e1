// What somebody says of an answer, as it comes over the wire. Private to api/.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace tandem::api {

struct FeedbackSaid {
    std::string decision;  // "dec_..." or "last"
    double value = 0;      // 0 to 1
    std::string comment;   // at most 2,000 bytes
};

// {"decision": "dec_..." or "last", "outcome": "good", "bad" or a number from 0 to 1, "comment": TEXT}. Errors:
// invalid, with the member that is wrong.
Result<FeedbackSaid> read_feedback(const json::Value& body);

}  // namespace tandem::api
