// What can go wrong and how it is said.
//
// Expected failures are values: Result<T>. An Error says what happened, to what, and what to do next, so that the
// text can be shown to a person as it is. It never holds a secret or prompt text.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "base/fault.h"

namespace tandem {

struct Error {
    FaultCode code = ErrorCode::internal;
    std::string message;
    // The field of the request that is at fault ("messages[2].content"), or empty.
    std::string param = {};
    // Where the prompt does not fit (ErrorCode::context): its tokens and the model's, 0 where not known.
    long long prompt_tokens = 0;
    long long context_tokens = 0;
    // Of what may be asked again: after how many seconds that helps, where it is known. `certain`: never, until
    // somebody changes the request or the config.
    std::optional<long long> again_in = {};
    bool certain = false;
};

template <typename T = void>
using Result = std::expected<T, Error>;

// `return fail(Fault::unknown_model, "...")` in a function that returns any Result. An ErrorCode alone is for what no
// user of the server or of a command reads.
inline std::unexpected<Error> fail(FaultCode code, std::string message, std::string param = {}) {
    return std::unexpected<Error>(Error{code, std::move(message), std::move(param)});
}

inline std::unexpected<Error> fail(Error error) {
    return std::unexpected<Error>(std::move(error));
}

}  // namespace tandem
