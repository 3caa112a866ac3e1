// Questions to servers that may not be there, all at once: what `tandem init` and `tandem doctor` ask the owner's
// servers. Private to cli/.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/world.h"
#include "net/message.h"

namespace tandem::cli {

struct Fetch {
    std::string url;
    net::Fields headers;
    std::string body;  // not empty: it is posted, as JSON
};

struct Fetched {
    int status = 0;
    net::Fields headers;
    std::string body;  // cut at `most_bytes`
};

// Why a server gave no answer, in the owner's words.
enum class Silence { none, name, refused, timed_out, tls, not_http, other };

// The cause in the error of a fetch, and of net::Client's in general.
Silence silence_of(const Error& error);

// Asks all at once, each within `time`; answers stand where their questions do. Nothing is asked twice, no redirect is
// followed. Errors: upstream, timeout, invalid (the URL).
std::vector<Result<Fetched>> fetch_all(const std::vector<Fetch>& questions, milliseconds time, std::size_t most_bytes);
Result<Fetched> fetch(Fetch question, milliseconds time, std::size_t most_bytes);

}  // namespace tandem::cli
