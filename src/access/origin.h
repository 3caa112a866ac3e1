// Pages in a browser: which of them may call, and what lets them read an answer.
#pragma once

#include "base/result.h"
#include "config/config.h"
#include "net/message.h"

namespace tandem::access {

// A page in the owner's browser must not use a loopback server behind the owner's back: pages of this server and of
// `server.cors` may call, others not. Errors: forbidden.
Result<> check_origin(const config::Server& server, const net::Fields& headers);

// Headers that let the page of an allowed origin read an answer; none for others.
void add_cors(const config::Server& server, const net::Fields& request, net::Fields& answer);

// The answer to a preflight request for a path that takes `methods`. Origins that the owner allows may send any header,
// since official SDKs send many of their own.
net::Response preflight(const config::Server& server, const net::Fields& request, std::string_view methods);

}  // namespace tandem::access
