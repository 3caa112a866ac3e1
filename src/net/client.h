// The HTTP/1.1 client: pooled connections per origin, TLS with verification, deadlines, bounded answers, gzip.
//
// It follows no redirect, uses a proxy only where a call names one, and sends no request twice: a kept connection that
// has gone stale is noticed before a byte is written, and replaced; what fails later is a failure, for the caller to
// decide about.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/memory_account.h"
#include "base/result.h"
#include "net/cancel.h"
#include "net/message.h"
#include "net/worker.h"

namespace tandem::net {

class LocalAddress;

struct Url {
    bool tls = false;
    std::string host;       // without brackets
    std::string authority;  // host[:port] as the Host header wants it
    std::uint16_t port = 0;
    std::string path;  // "/" at least
};

// http(s)://host[:port][/path]. Errors: invalid.
Result<Url> parse_url(std::string_view text);

// Through which a call goes: requests to http servers are sent to it whole, to https servers it gives a tunnel
// (CONNECT, RFC 9110 section 9.3.6), in which it sees nothing. It is spoken to without TLS.
struct Proxy {
    std::string host;
    std::uint16_t port = 0;
    std::string authorization;  // the value of Proxy-Authorization; empty: none
};

struct Call {
    std::string method = "POST";
    Url url;
    const LocalAddress* local = nullptr;  // where to connect to, whatever the URL's host; borrowed until send() returns
    const Proxy* proxy = nullptr;         // borrowed until send() returns
    Fields headers;                       // Host, Content-Length and Connection are the client's own
    std::string_view body;                // borrowed until send() returns
    SteadyTime deadline = SteadyTime::max();  // of everything
    milliseconds connect_timeout{5'000};
    milliseconds first_byte_timeout{120'000};     // from the last byte sent to the answer's header
    milliseconds idle_timeout{120'000};           // between two reads of the answer
    std::size_t answer_bytes = 64 * 1024 * 1024;  // decoded
    // Only to addresses of the public internet, looked at when it is connected, so that no name leads elsewhere. A
    // connection of its own is made for it. Errors, besides: forbidden.
    bool public_only = false;
};

struct CallFailure {
    Error error;
    bool sent = false;  // whether the other side may have seen any of the request
};

// What an answer is read from: a connection, or, in a simulation, a script.
class AnswerSource {
  public:
    virtual ~AnswerSource() = default;
    virtual int status() const = 0;
    virtual const Fields& headers() const = 0;
    // As Answer::read().
    virtual Task<Result<std::string>> read() = 0;
};

// An answer whose body is read piece by piece. When it is destroyed before its end, the connection is closed.
class Answer {
  public:
    explicit Answer(std::unique_ptr<AnswerSource> source);
    Answer(Answer&&) noexcept;
    Answer& operator=(Answer&&) noexcept;
    ~Answer();

    int status() const;
    const Fields& headers() const;
    // The next bytes, decoded; at least one, or none at the end. Errors: upstream, timeout, cancelled, too_large.
    Task<Result<std::string>> read();
    // All that is left. `held` grows by `copies` times what has come, before more is read. Errors: as read(), and
    // unavailable, where the account has no room.
    Task<Result<std::string>> read_all(Held& held, std::size_t copies);
    // The same where little is wanted: what comes beyond `most` bytes is not read. Errors: as read().
    Task<Result<std::string>> read_first(std::size_t most);

  private:
    std::unique_ptr<AnswerSource> source_;
};

// Who can be told to send a call: the client below, or a simulated network.
class Caller {
  public:
    virtual ~Caller() = default;
    // Sends the request and waits for the header of the answer. `cancel` ends the call and the reading of its answer,
    // and outlives both.
    virtual Task<std::expected<Answer, CallFailure>> send(Call call, Cancel& cancel) = 0;
    // parse_url(), remembered: the same few are asked for again and again.
    virtual Result<Url> url_of(const std::string& text) = 0;
};

// TLS trust and the like: one for the process.
class ClientShared {
  public:
    ClientShared();
    ~ClientShared();
    struct State;
    State& state() { return *state_; }

  private:
    std::unique_ptr<State> state_;
};

// One for each worker; used on its thread only. Answers must not outlive it.
class Client final : public Caller {
  public:
    static constexpr std::size_t kIdlePerOrigin = 64;
    static constexpr milliseconds kIdleTime{20'000};

    Client(Worker& worker, ClientShared& shared);
    ~Client() override;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    Task<std::expected<Answer, CallFailure>> send(Call call, Cancel& cancel) override;
    Result<Url> url_of(const std::string& text) override;

  private:
    struct Pool;
    struct Sending;
    std::shared_ptr<Pool> pool_;
};

}  // namespace tandem::net
