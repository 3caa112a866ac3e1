// The parameters of a query. Private to api/.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tandem::api {

struct Parameter {
    std::string_view name;
    std::string& value;
    bool listed = false;  // may stand there several times: then its values are a list with commas
};

// Puts what a query says into `parameters`. One that is not among them, or stands twice, is an error: an answer to
// something else than what was asked looks right. Errors: invalid.
Result<> read_parameters(std::string_view query, std::span<const Parameter> parameters);

}  // namespace tandem::api
