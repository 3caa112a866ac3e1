// Talking to the server from a command. Private to cli/.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/cli.h"
#include "config/config.h"
#include "net/client.h"

namespace tandem::cli {

struct Remote {
    std::string url;                    // of the server; empty: the socket alone
    std::string token;                  // may be empty
    std::filesystem::path socket = {};  // tried first where it is there: it needs no token and no certificate
    std::optional<uid_t> owner = {};    // of the data folder; over TCP nobody else's server on this machine is asked
    std::string_view start = "tandem serve";  // the command that starts it
};
// Where the configured server listens: its socket in the data folder, else its address, with the admin token if it can
// be read.
Remote remote_of(const config::Config& config);

struct RemoteRequest {
    std::string method = "GET";
    std::string path;
    net::Fields headers;
    std::string body;
    milliseconds timeout{600'000};
    // Asked often while it runs: true ends the call with an error (cancelled). Empty: never.
    std::function<bool()> stopped = {};
};
struct RemoteAnswer {
    int status = 0;
    net::Fields headers;
    std::string body;  // what `each` did not take
};

// Sends one request and reads its answer. With `each`, the pieces of a 200 go there as they come. Errors: unavailable,
// when no server answers.
Result<RemoteAnswer> call(const Remote& remote, RemoteRequest request,
                          const std::function<void(const net::Fields&, std::string_view)>& each = {});

// The same for a command that only goes on with a 200: prints what went wrong, and puts the exit code into `code`.
std::optional<RemoteAnswer> ask(const Globals& globals, const config::Config& config, RemoteRequest request, int& code);

// What an answer that is no 200 says: its message, and the code of its header x-tandem-error.
Error error_of(const RemoteAnswer& answer);
// The message in an error body.
std::string error_message(const RemoteAnswer& answer);

}  // namespace tandem::cli
