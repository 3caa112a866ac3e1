// What can go wrong and how it is said.
//
// Expected failures are values: Result<T>. An Error says what happened, to what, and what to do next, so that the
// text can be shown to a person as it is. It never holds a secret or prompt text.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <utility>

namespace tandem {

// The neutral kind of an error. One place per dialect maps it to that dialect's status and error shape.
enum class ErrorCode {
    invalid,          // the request or the input is wrong; sending it again does not help
    unauthenticated,  // no key, or one that is not known
    forbidden,        // the key may not do that
    not_found,        // no such model, alias, decision, path
    method,           // the path exists, the method does not
    too_large,        // over one of the named limits
    rate_limited,     // over a limit of the key; waiting helps
    over_budget,      // the budget of the key is used up for this window
    policy,           // no candidate may take the request: the owner's rules exclude every one
    unavailable,      // no candidate can take the request now
    context,          // the prompt with room for its answer does not fit
    upstream,         // a provider answered with an error or not in its dialect
    timeout,          // the deadline of the request has passed
    cancelled,        // the client has gone, or the server is stopping
    storage,          // a record could not be written; nothing is sent without its record
    internal,         // our own mistake
};

struct Error {
    ErrorCode code = ErrorCode::internal;
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

// `return fail(ErrorCode::invalid, "...")` in a function that returns any Result.
inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string param = {}) {
    return std::unexpected<Error>(Error{code, std::move(message), std::move(param)});
}

inline std::unexpected<Error> fail(Error error) {
    return std::unexpected<Error>(std::move(error));
}

}  // namespace tandem
