// What the owner wants done where an attempt fails.
#pragma once

#include <array>
#include <string_view>

#include "base/world.h"

namespace tandem::config {

// What went wrong, before the first byte of an answer was given to the client.
enum class FailureClass {
    connection,       // no connection, or it broke
    timeout,          // nothing came in time
    rate_limit,       // 429, 408
    server_error,     // 5xx
    key,              // 401, 403: the key is not taken
    not_found,        // 404 and redirects: no such model there
    context,          // the prompt does not fit the model's context
    content_filter,   // the provider will not answer such a thing
    invalid_output,   // a 200 that cannot be read, or breaks off
    invalid_request,  // every other 4xx: the request itself is wrong
};
inline constexpr std::array<std::string_view, 10> kFailureClassNames = {
    "connection", "timeout", "rate_limit",     "server_error",   "key",
    "not_found",  "context", "content_filter", "invalid_output", "invalid_request"};

enum class Reaction {
    retry,  // the same model again, after a pause or what Retry-After says; then the next
    next,   // the next model
    stop,   // tell the client
};
inline constexpr std::array<std::string_view, 3> kReactionNames = {"retry", "next", "stop"};

// A second model is asked beside the first where that takes long; who answers first is heard, the other one is stopped.
struct Hedge {
    milliseconds after{0};  // 0: not by a time of its own
    double quantile = 0;    // of the first model's times of late, once enough are known; 0: not by those
    bool on() const { return after.count() > 0 || quantile > 0; }
    bool operator==(const Hedge&) const = default;
};

// What becomes of a stream that breaks off when the client has seen some of it.
enum class OnCut {
    error,      // the client is told
    continue_,  // another model goes on, given what was said as the beginning of its answer
    restart,    // another model answers anew; what it says again is not said again
};
inline constexpr std::array<std::string_view, 3> kOnCutNames = {"error", "continue", "restart"};

struct FailurePolicy {
    int attempts = 2;                  // tries at one model before its first byte
    milliseconds attempt_timeout{0};   // until an attempt's answer begins; 0: the provider's first_byte_timeout alone
    milliseconds timeout{0};           // of the request as a whole; 0: server.request_timeout alone
    milliseconds longest_wait{5'000};  // what Retry-After may ask for; more means the next model
    Hedge hedge;
    OnCut on_cut = OnCut::error;
    // Nothing runs twice that may be at work still, and what is wrong with the request is told.
    std::array<Reaction, 10> on = {Reaction::retry, Reaction::next, Reaction::retry, Reaction::retry, Reaction::next,
                                   Reaction::next,  Reaction::next, Reaction::stop,  Reaction::retry, Reaction::stop};
    Reaction reaction(FailureClass what) const { return on[static_cast<std::size_t>(what)]; }
    bool operator==(const FailurePolicy&) const = default;
};

}  // namespace tandem::config
