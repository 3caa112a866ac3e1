// From the keys of a request to its principal, and back from a stored id.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "access/principal.h"
#include "base/result.h"
#include "base/secret.h"
#include "net/message.h"

namespace tandem::access {

// The principal of a request: the client of the key that it presents, the admin, or, where the config has no keys,
// anonymous. Clients present a key as a bearer token, as Anthropic's x-api-key, Azure's api-key or x-goog-api-key, and
// Google's in their address (`from_query`, empty where there is none); some send several of these, of which one may be
// nobody's. `local`: it came over the server's own socket, from the owner's user, who is the admin there without a
// token. The admin may ask as another with kActAs: under that key's rules, not its own.
// Errors: unauthenticated, also where two keys are different principals'; forbidden, for kActAs from others; not_found,
// where there is no such key.
// A key that has expired is nobody's. `now`: milliseconds of Unix time.
Result<Principal> authenticate(const config::Config& config, const Secret& admin_token, const net::Fields& headers,
                               std::int64_t now, bool local = false, std::string_view from_query = {});

// The name of a key of the config, or `anonymous`.
inline constexpr std::string_view kActAs = "x-tandem-key";

// The principal that a stored id belongs to; none where its key is not in the config any more. Parts of Tandem are
// nobody's to act for.
std::optional<Principal> principal_of(const config::Config& config, std::string_view id);

}  // namespace tandem::access
