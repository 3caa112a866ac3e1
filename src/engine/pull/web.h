// Questions to hubs: redirects followed with the token kept at home, refusals waited for, answers bounded.
//
// The token goes to one origin (scheme, host and port) and to no other, wherever redirects lead; a redirect from https
// to http is refused. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/secret.h"
#include "engine/pull/proxy.h"
#include "net/client.h"

namespace tandem::engine {

// What a refusal means for who asked.
struct Trouble {
    Error error;
    int status = 0;                             // 0: no answer came
    bool again = false;                         // asking again may help
    std::optional<std::int64_t> after_ms = {};  // the server's own word on when
    std::string hub_code = {};                  // X-Error-Code: "GatedRepo", "RepoNotFound", "EntryNotFound", ...
    std::string hub_message = {};               // X-Error-Message
    bool slow = false;                          // it came, and too slowly
    bool misplaced = false;                     // it is another part of the file than was asked for
};

template <typename T>
using Tried = std::expected<T, Trouble>;

// Where a file is to be had now, and what the servers on the way said of it.
struct Located {
    std::string url;         // after all redirects; signed ones expire
    std::int64_t size = -1;  // bytes
    std::string sha256;      // X-Linked-Etag of the first origin, where it is one; else empty
    std::string commit;      // X-Repo-Commit of the first origin
    std::string validator;   // a strong ETag, or Last-Modified, of the last server
    bool ranges = false;     // it gives parts
    bool redirected = false;
};

// Of `GET` with a range of bytes, or of all where `last` is below 0.
struct Range {
    std::int64_t first = 0;
    std::int64_t last = -1;
};

struct WebSettings {
    std::string user_agent;
    std::string token_origin;       // "https://huggingface.co"
    const Secret* token = nullptr;  // borrowed; may be nothing
    Proxies proxies = {};
    milliseconds connect{15'000};       // each connection
    milliseconds quiet{30'000};         // without a byte
    milliseconds document{120'000};     // a page whole: what drips is given up then
    milliseconds longest{15 * 60'000};  // of all waits that servers ask for, together
};

class Web {
  public:
    Web(net::Worker& worker, WebSettings settings);

    // One document of at most `most` bytes, with its headers. Asks again where that may help. Errors: not_found,
    // upstream, timeout, too_large, rate_limited.
    struct Page {
        std::string body;
        net::Fields headers;
    };
    net::Task<Tried<Page>> page(std::string url, std::string accept, std::size_t most);
    // Asks again where that may help.
    net::Task<Tried<Located>> locate(std::string url);
    // One request, and no redirect is followed. `if_range` may be empty.
    net::Task<Tried<net::Answer>> get(std::string url, Range range, std::string if_range);

    // Waits before a request is made again: as long as the server asked for, and longer with each of `tries`. Errors:
    // rate_limited, where all waits together would be too long.
    net::Task<Result<>> wait(const Trouble& trouble, int tries);
    // Ends what is under way.
    net::Cancel& cancel() { return cancel_; }
    net::Worker& worker() { return worker_; }

  private:
    struct Followed {
        net::Answer answer;
        Located located;
    };
    net::Task<Tried<net::Answer>> ask(std::string url, net::Fields headers, SteadyTime deadline);
    net::Task<Tried<Followed>> follow(std::string url, net::Fields headers, SteadyTime deadline);

    net::Worker& worker_;
    WebSettings settings_;
    net::ClientShared shared_;
    net::Client client_;
    net::Cancel cancel_;
    SteadyTime quiet_until_{};  // nobody asks before
    milliseconds waited_{0};
};

// "https://host:port" of a URL.
std::string origin_of(std::string_view url);
// A URL without what may sign it, for messages.
std::string shown(std::string_view url);
// The trouble of an answer that is no success: what the status and the hub's headers mean.
Trouble trouble_of(int status, const net::Fields& headers, std::string_view url);

}  // namespace tandem::engine
