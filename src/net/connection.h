// One connection of the server, from accept to close. Private to net/.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>

#include "net/framing.h"
#include "net/server.h"
#include "net/wire.h"

namespace tandem::net {

// What the connections of one server share; touched from all workers.
struct Shared {
    ServerSettings settings;
    Service& service;
    MemoryAccount& memory;
    std::atomic<std::size_t> connections{0};
    std::atomic<std::size_t> body_bytes{0};  // of all bodies in memory
    std::atomic<int> unpacking{0};           // bodies whose Content-Encoding is being undone
    std::atomic<bool> stopping{false};
};

// Who is at the other end.
struct Peer {
    std::string address;  // empty where it is local
    bool local = false;   // as Request::local
};

class Connection final : public Watched, private Exchange {
  public:
    Connection(Wire wire, bool tls, Worker& worker, Shared& shared, Peer peer);
    ~Connection() override;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    Task<> run();
    // The server stops: an idle connection closes, a busy one ends after its answer.
    void drain();
    void abort();

  private:
    // Watched
    void on_deadline() override;
    void on_peer_gone() override;
    // Exchange
    Request& request() override { return request_; }
    Worker& worker() override { return worker_; }
    Cancel& cancel() override { return *cancel_; }
    Task<bool> reply(Response response) override;
    void start(int status, Fields headers) override;
    Task<bool> write(std::string bytes) override;
    Task<bool> finish(std::string last_bytes) override;
    bool started() const override { return answer_ != Answer::none; }
    std::shared_ptr<const Admitted> admitted() const override { return admitted_; }

    enum class Phase { idle, header, body, handling, closing };
    enum class Answer { none, streaming, done };

    Task<bool> one_request();
    Task<bool> read_head();
    Task<bool> read_body();
    Task<bool> read_chunked();
    Task<bool> read_counted();
    Task<bool> unpack_body();
    Task<bool> read_more(std::size_t at_most);
    void take_head(const HeadParts& parts);
    bool host_is_ours() const;
    Result<> take_body_bytes(std::size_t bytes);
    void give_back_body();
    void note_answer(int status);
    void tell_answered();
    Task<> refuse(int status, Error error);
    Task<> linger();
    Task<bool> send(std::span<const asio::const_buffer> pieces);
    std::string head_text(int status, const Fields& headers, std::string_view framing) const;
    void begin_phase(Phase phase, milliseconds timeout);

    Wire wire_;
    const bool tls_;
    Worker& worker_;
    Shared& shared_;
    const Peer peer_;
    Phase phase_ = Phase::idle;
    Answer answer_ = Answer::none;
    std::string head_;   // of a streamed answer, until its first bytes take it along
    Answered answered_;  // of the request under way
    SteadyTime began_;   // when its head was there
    bool expired_ = false;
    bool keep_alive_ = true;
    std::size_t served_ = 0;
    Held body_memory_;
    std::size_t body_bytes_ = 0;  // our share of shared_.body_bytes
    boost::beast::flat_buffer buffer_;
    Framing framing_;
    HeadParts parts_;  // kept for its memory; empty between heads
    Request request_;
    std::shared_ptr<const Admitted> admitted_;
    std::optional<Cancel> cancel_;
};

}  // namespace tandem::net
