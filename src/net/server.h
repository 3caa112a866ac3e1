// The HTTP/1.1 server: listens on every worker, bounds and checks what comes in, and hands whole requests to a Service.
//
// It promises that a Service sees only requests whose framing is beyond doubt and whose size is within the limits, and
// that an Exchange is cancelled when its client goes away. It knows nothing of paths, keys or JSON.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_account.h"
#include "base/result.h"
#include "net/cancel.h"
#include "net/limits.h"
#include "net/message.h"
#include "net/worker.h"

namespace tandem::net {

// What a Service made of a request's head when it admitted it.
class Admitted {
  public:
    virtual ~Admitted() = default;
    // Whose memory the body of the request takes: the id of a key, or "" for a request that needs none.
    virtual std::string holder() const = 0;
};

// One request and the way to answer it. Lives until its Service::handle() returns, on one worker.
class Exchange {
  public:
    virtual ~Exchange() = default;
    virtual Request& request() = 0;
    virtual Worker& worker() = 0;
    virtual Cancel& cancel() = 0;  // fires when the client is gone or the server must stop now

    // The whole answer. False where the client did not take it.
    virtual Task<bool> reply(Response response) = 0;

    // An answer of unknown length: start, then write any number of times, then finish. The head goes out with the first
    // bytes. Each write waits until the bytes are with the system, so that a slow client slows its source. False: the
    // client is gone or too slow, and the connection is closed. Without finish() the client sees that the answer was
    // cut.
    virtual void start(int status, Fields headers) = 0;
    virtual Task<bool> write(std::string bytes) = 0;
    virtual Task<bool> finish(std::string last_bytes) = 0;
    virtual bool started() const = 0;

    // What the Service made of its head; null where the request did not come through a server.
    virtual std::shared_ptr<const Admitted> admitted() const { return nullptr; }
};

// What is known of a request before its body is read.
struct Head {
    std::string_view method;
    std::string_view path;
    const Fields& headers;
    bool local = false;           // as Request::local
    std::string_view query = {};  // as Request::query
};

// How a request was answered.
struct Answered {
    int status = 0;             // 0: not at all
    bool whole = false;         // every byte of it is with the system
    milliseconds first_byte{};  // from the request's head to the answer's first bytes
    milliseconds total{};       // to its end
};

class Service {
  public:
    virtual ~Service() = default;
    // Called between header and body: a refusal ends the request without reading the body. Never null.
    virtual Result<std::shared_ptr<const Admitted>> admit(const Head& head) = 0;
    virtual Task<> handle(Exchange& exchange) = 0;
    // After each request, also one that was refused before handle(): then `request` has what was read of it.
    virtual void answered(const Request& request, const Answered& how) {
        (void)request;
        (void)how;
    }
    // An error in the shape that clients of the request's path expect; `request` has what was read of it. `status` is
    // HTTP's word where the transport found the error, else 0: the Service chooses.
    virtual Response error(const Request& request, int status, const Error& error) = 0;
};

struct ServerSettings {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;                // 0: any free one
    std::string tls_certificate, tls_key;  // PEM files; empty: plain HTTP
    // Values of Host that are taken, without port, lower-case; empty: any. Guards a loopback server against pages that
    // rebind a name of their own to 127.0.0.1.
    std::vector<std::string> hosts;
    // A UNIX socket on which it listens besides, for processes of its own user and of root; empty: none. Whoever owns
    // the settings sees to it that nobody else's server has it: what is left of an ended one is replaced.
    std::filesystem::path local_socket;
    ServerLimits limits;
};

class Server {
  public:
    // Workers, service and memory outlive the server.
    Server(ServerSettings settings, std::vector<Worker*> workers, Service& service, MemoryAccount& memory);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Takes the address on every worker (SO_REUSEPORT) and begins to accept. Errors: unavailable, with what to do. That
    // the local socket cannot be had is logged, and stops nothing.
    Result<> listen();
    std::uint16_t port() const;
    std::size_t connections() const;

    // Stops accepting, closes idle connections, and waits up to `drain` for requests under way; then cancels those and
    // waits for their end. `before_cancel` runs between the two: there the owner ends what requests wait for. Blocks;
    // call it from a thread that is no worker.
    void stop(milliseconds drain, const std::function<void()>& before_cancel = {});

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tandem::net
