#include "net/connection.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/text.h"
#include "net/coding.h"

namespace tandem::net {

namespace http = boost::beast::http;

namespace {

// A head never grows beyond header_bytes (60 KiB at most); one read more fits, and the whole stays under 64 KiB
// (HAZARDS.md 4).
constexpr std::size_t kBufferLimit = 64 * 1024 - 1;
constexpr std::size_t kReadSize = 4 * 1024;
constexpr std::size_t kBodyReadSize = 64 * 1024;
constexpr std::size_t kKeptBuffer = 8 * 1024;   // a larger buffer is given back after a request
constexpr std::size_t kPadding = 64;            // behind a body, so that a parser can take it over without a copy
constexpr std::size_t kWriteSize = 256 * 1024;  // one write deadline covers at most this much
constexpr std::size_t kLingerBytes = 1024 * 1024;
constexpr milliseconds kLingerTime{2'000};

asio::const_buffer piece(std::string_view text) {
    return {text.data(), text.size()};
}

}  // namespace

Connection::Connection(Wire wire, bool tls, Worker& worker, Shared& shared, Peer peer)
    : wire_(std::move(wire)),
      tls_(tls),
      worker_(worker),
      shared_(shared),
      peer_(std::move(peer)),
      buffer_(kBufferLimit) {
    ++shared_.connections;
    worker_.watchdog().add(*this);
}

Connection::~Connection() {
    worker_.watchdog().remove(*this);
    give_back_body();
    --shared_.connections;
}

void Connection::begin_phase(Phase phase, milliseconds timeout) {
    phase_ = phase;
    deadline = std::chrono::steady_clock::now() + timeout;
}

void Connection::on_deadline() {
    expired_ = true;
    if (phase_ == Phase::header || phase_ == Phase::body) {
        // The reader wakes up and says so to the client before it closes.
        ErrorCodeOf ignored;
        wire_.socket().cancel(ignored);
    } else {
        abort();
    }
}

void Connection::on_peer_gone() {
    keep_alive_ = false;
    if (cancel_) cancel_->fire(Cancel::Reason::client_gone);
}

void Connection::drain() {
    keep_alive_ = false;
    if (phase_ == Phase::idle) wire_.close();
}

void Connection::abort() {
    keep_alive_ = false;
    if (cancel_) cancel_->fire(Cancel::Reason::stopping);
    wire_.close();
}

Task<> Connection::run() {
    if (tls_) {
        begin_phase(Phase::header, shared_.settings.limits.header_timeout);
        const auto error = co_await wire_.handshake_as_server();
        if (error) co_return;
    }
    while (co_await one_request()) {
    }
    wire_.close();
}

Task<bool> Connection::one_request() {
    answer_ = Answer::none;
    answered_ = {};
    head_.clear();
    request_ = Request{};
    admitted_.reset();
    began_ = std::chrono::steady_clock::now();
    if (buffer_.capacity() > kKeptBuffer) buffer_.shrink_to_fit();
    request_.peer = peer_.address;
    request_.local = peer_.local;
    if (!co_await read_head()) co_return false;
    began_ = std::chrono::steady_clock::now();
    if (!host_is_ours()) {
        co_await refuse(
            421, {Fault::host_not_allowed,
                  fmt::format("the Host '{}' is not this server; add it to server.hosts in tandem.yaml if it should be",
                              printable(request_.headers.get("host"), 80))});
        co_return false;
    }
    auto admitted =
        shared_.service.admit({request_.method, request_.path, request_.headers, request_.local, request_.query});
    if (!admitted) {
        co_await refuse(0, admitted.error());
        co_return false;
    }
    admitted_ = std::move(*admitted);
    if (!co_await read_body() || !co_await unpack_body()) co_return false;
    phase_ = Phase::handling;
    deadline = SteadyTime::max();
    peer_fd = wire_.fd();
    cancel_.emplace();
    keep_alive_ =
        framing_.keep_alive && ++served_ < shared_.settings.limits.requests_per_connection && !shared_.stopping;
    co_await shared_.service.handle(*this);
    tell_answered();
    peer_fd = -1;
    deadline = SteadyTime::max();
    cancel_.reset();
    give_back_body();
    co_return answer_ == Answer::done&& keep_alive_ && !shared_.stopping && wire_.open();
}

// Reads into the buffer; false at the end of the connection.
Task<bool> Connection::read_more(std::size_t at_most) {
    const std::size_t room = std::min(at_most, buffer_.max_size() - buffer_.size());
    if (room == 0) co_return false;
    const auto [error, bytes] = co_await wire_.read_some(buffer_.prepare(room));
    if (error || bytes == 0) co_return false;
    buffer_.commit(bytes);
    co_return true;
}

Task<bool> Connection::read_head() {
    const auto& limits = shared_.settings.limits;
    begin_phase(Phase::idle, served_ == 0 ? limits.header_timeout : limits.idle_timeout);
    std::size_t searched = 0;
    if (buffer_.size() > 0) begin_phase(Phase::header, limits.header_timeout);
    while (true) {
        const std::string_view bytes(static_cast<const char*>(buffer_.data().data()), buffer_.size());
        // RFC 9112 section 2.2: empty lines before a request are skipped.
        if (bytes.starts_with("\r\n")) {
            buffer_.consume(2);
            continue;
        }
        const std::size_t end = head_end(bytes, searched);
        searched = bytes.size();
        if (end == std::string_view::npos ? bytes.size() > limits.header_bytes : end > limits.header_bytes) {
            co_await refuse(431, {Fault::header_too_large,
                                  fmt::format("the request header is larger than {} bytes", limits.header_bytes)});
            co_return false;
        }
        if (end != std::string_view::npos) {
            parts_.fields.clear();
            auto framing = check_framing(bytes.substr(0, end), limits.header_count, &parts_);
            if (!framing) {
                co_await refuse(framing.error().status, {Fault::invalid_framing, framing.error().message});
                co_return false;
            }
            framing_ = *framing;
            take_head(parts_);
            buffer_.consume(end);
            co_return true;
        }
        if (!co_await read_more(kReadSize)) {
            if (expired_ && phase_ == Phase::header)
                co_await refuse(408,
                                {Fault::request_too_slow, fmt::format("the request header did not arrive within {} ms",
                                                                      limits.header_timeout.count())});
            co_return false;
        }
        if (phase_ == Phase::idle) begin_phase(Phase::header, limits.header_timeout);
    }
}

void Connection::take_head(const HeadParts& parts) {
    request_.method = parts.method;
    request_.target = parts.target;
    const auto question = parts.target.find('?');
    request_.path = percent_decoded(parts.target.substr(0, question));
    if (question != std::string_view::npos) request_.query = parts.target.substr(question + 1);
    for (const auto& [name, value] : parts.fields) request_.headers.add(name, value);
}

bool Connection::host_is_ours() const {
    const auto& hosts = shared_.settings.hosts;
    if (hosts.empty()) return true;
    const auto whole = request_.headers.get("host");
    // HTTP/1.0 has no such field, and no browser, which a page could mislead, speaks it.
    if (whole.empty() && framing_.http10) return true;
    // [::1]:7117, 127.0.0.1:7117, localhost
    const auto colon = whole.ends_with(']') ? std::string_view::npos : whole.rfind(':');
    const std::string host = lower(whole.substr(0, colon));
    return std::ranges::find(hosts, host) != hosts.end();
}

// Before the bytes are read: an account that is asked afterwards bounds nothing.
Result<> Connection::take_body_bytes(std::size_t bytes) {
    body_bytes_ += bytes;
    if ((shared_.body_bytes += bytes) > shared_.settings.limits.bodies_bytes)
        return fail(Fault::server_full, "too many large requests at once; try again in a moment");
    if (auto room = body_memory_.grow(bytes); !room) return room;
    return body_bytes_ > MemoryAccount::kSmall ? body_memory_.become_large() : Result<>{};
}

void Connection::give_back_body() {
    shared_.body_bytes -= std::exchange(body_bytes_, 0);
    body_memory_.release();
}

Task<bool> Connection::read_body() {
    const auto& limits = shared_.settings.limits;
    if (!framing_.chunked && framing_.content_length == 0) co_return true;
    begin_phase(Phase::body, limits.body_timeout);
    if (framing_.content_length > limits.body_bytes) {
        co_await refuse(
            413, {Fault::body_too_large,
                  fmt::format("the body is larger than {} bytes; raise server.limits.body_bytes if it should be taken",
                              limits.body_bytes)});
        co_return false;
    }
    // What comes in chunks announces no size: it is small until it has grown.
    const bool small = framing_.chunked || framing_.content_length <= MemoryAccount::kSmall;
    body_memory_ = shared_.memory.open(MemoryKind::body, admitted_->holder(), small);
    if (framing_.expect_continue && buffer_.size() == 0) {
        const std::array pieces{piece("HTTP/1.1 100 Continue\r\n\r\n")};
        const auto [error, bytes] = co_await wire_.write(pieces);
        if (error) co_return false;
    }
    const bool whole = framing_.chunked ? co_await read_chunked() : co_await read_counted();
    if (!whole && expired_ && phase_ == Phase::body)
        co_await refuse(408, {Fault::request_too_slow, fmt::format("the request body did not arrive within {} ms",
                                                                   limits.body_timeout.count())});
    co_return whole;
}

namespace {

// Gives a place back, however the body ends.
struct Turn {
    explicit Turn(std::atomic<int>& places) : places(places) {}
    ~Turn() { --places; }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    std::atomic<int>& places;
};

}  // namespace

// A body that came in a coding, as its client wrote it. What it grows to is bounded as a body is, and taken from the
// same account; every piece lets the others of this worker have their turn.
// Few are unpacked at once: a decoder has a window of up to 16 MiB (RFC 7932, RFC 8878) that is in no account.
Task<bool> Connection::unpack_body() {
    constexpr int kUnsupported = 415, kTooLarge = 413, kNoRoom = 503, kAtOnce = 4;
    constexpr milliseconds kTurn{2}, kLongestWait{10'000};
    const auto most = shared_.settings.limits.body_bytes;
    auto unpacker = unpacker_of(request_.headers.get("content-encoding"));
    if (!unpacker) {
        co_await refuse(kUnsupported, unpacker.error());
        co_return false;
    }
    if (*unpacker == nullptr || request_.body.empty()) co_return true;
    const auto begun = std::chrono::steady_clock::now();
    while (shared_.unpacking.fetch_add(1) >= kAtOnce) {
        --shared_.unpacking;
        if (std::chrono::steady_clock::now() - begun > kLongestWait) {
            co_await refuse(kNoRoom, {Fault::server_full,
                                      "too many compressed requests at once; try again in a moment, or send the body "
                                      "without Content-Encoding"});
            co_return false;
        }
        co_await sleep_for(worker_.context(), kTurn);
    }
    const Turn turn{shared_.unpacking};
    const std::string packed = std::exchange(request_.body, {});
    bool more = true;
    while (more) {
        if (auto room = take_body_bytes(kBodyReadSize); !room) {
            co_await refuse(room.error().code == ErrorCode::too_large ? kTooLarge : kNoRoom, room.error());
            co_return false;
        }
        const auto came = (*unpacker)->next(packed, request_.body, kBodyReadSize);
        if (!came) {
            co_await refuse(400, came.error());
            co_return false;
        }
        if (request_.body.size() > most) {
            co_await refuse(kTooLarge, {Fault::body_too_large,
                                        fmt::format("the body is larger than {} bytes when its Content-Encoding is "
                                                    "undone; raise server.limits.body_bytes if it should be taken",
                                                    most)});
            co_return false;
        }
        more = *came;
        if (more) co_await asio::post(worker_.context(), use_task);
    }
    co_return true;
}

Task<bool> Connection::read_counted() {
    const auto length = static_cast<std::size_t>(framing_.content_length);
    auto& body = request_.body;
    const std::size_t ready = std::min(length, buffer_.size());
    body.assign(static_cast<const char*>(buffer_.data().data()), ready);
    buffer_.consume(ready);
    std::size_t filled = ready;
    while (filled < length) {
        // Memory follows what has arrived, not what was announced.
        const std::size_t next = std::min(length, filled + kBodyReadSize);
        if (next > body_bytes_) {
            if (auto room = take_body_bytes(next - body_bytes_); !room) {
                co_await refuse(room.error().code == ErrorCode::too_large ? 413 : 503, room.error());
                co_return false;
            }
        }
        if (next == length) body.reserve(length + kPadding);
        body.resize(next);
        const auto [error, bytes] = co_await wire_.read_some(asio::buffer(body.data() + filled, body.size() - filled));
        if (error || bytes == 0) co_return false;
        filled += bytes;
    }
    co_return true;
}

Task<bool> Connection::read_chunked() {
    const auto& limits = shared_.settings.limits;
    // Beast decodes the chunks, behind a head that says only that they come.
    http::request_parser<http::string_body> parser;
    parser.eager(true);
    parser.header_limit(kBufferLimit);
    parser.body_limit(limits.body_bytes);
    ErrorCodeOf error;
    parser.put(piece("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), error);
    const auto header_fields = std::distance(parser.get().begin(), parser.get().end());
    // Chunk extensions and trailers carry nothing that we use and have been used to smuggle (HAZARDS.md 5).
    auto on_chunk = [](std::uint64_t, boost::beast::string_view extensions, ErrorCodeOf& error) {
        if (!extensions.empty()) error = http::error::bad_chunk_extension;
    };
    parser.on_chunk_header(on_chunk);
    while (!parser.is_done()) {
        std::size_t used = 0;
        try {
            used = parser.put(buffer_.data(), error);
        } catch (const std::exception&) {
            error = http::error::bad_field;
        }
        buffer_.consume(used);
        if (std::distance(parser.get().begin(), parser.get().end()) != header_fields) error = http::error::bad_field;
        if (error && error != http::error::need_more) break;
        if (auto room = take_body_bytes(parser.get().body().size() - body_bytes_); !room) {
            co_await refuse(room.error().code == ErrorCode::too_large ? 413 : 503, room.error());
            co_return false;
        }
        if (parser.is_done()) break;
        if (used > 0 && buffer_.size() > 0) continue;
        if (buffer_.size() > limits.header_bytes) {
            error = http::error::bad_chunk;  // a chunk header that does not end
            break;
        }
        if (!co_await read_more(kReadSize * 4)) co_return false;
    }
    if (error == http::error::body_limit) {
        co_await refuse(
            413, {Fault::body_too_large,
                  fmt::format("the body is larger than {} bytes; raise server.limits.body_bytes if it should be taken",
                              limits.body_bytes)});
        co_return false;
    }
    if (error && error != http::error::need_more) {
        co_await refuse(400,
                        {Fault::invalid_framing,
                         "the chunked body is malformed, or has chunk extensions or trailers, which are not taken"});
        co_return false;
    }
    request_.body = std::move(parser.get().body());
    co_return true;
}

// Says what was wrong and ends the connection: after a doubtful request nothing on it can be trusted.
Task<> Connection::refuse(int status, Error error) {
    expired_ = false;
    keep_alive_ = false;
    auto response = shared_.service.error(request_, status, error);
    response.close = true;
    phase_ = Phase::closing;
    co_await reply(std::move(response));
    tell_answered();
    co_await linger();
}

void Connection::note_answer(int status) {
    answered_.status = status;
    answered_.first_byte = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began_);
}

void Connection::tell_answered() {
    answered_.whole = answer_ == Answer::done && wire_.open();
    answered_.total = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began_);
    shared_.service.answered(request_, answered_);
}

// Takes what the client still sends for a moment: a close with unread bytes would reset the connection, and the client
// would lose the answer that says why (RFC 9112 section 9.6).
Task<> Connection::linger() {
    if (!wire_.open()) co_return;
    wire_.shutdown_send();
    begin_phase(Phase::closing, kLingerTime);
    std::array<char, 4096> sink;
    std::size_t taken = 0;
    while (taken < kLingerBytes) {
        const auto [error, bytes] = co_await wire_.read_some(asio::buffer(sink));
        if (error || bytes == 0) break;
        taken += bytes;
    }
}

std::string Connection::head_text(int status, const Fields& headers, std::string_view framing) const {
    std::string text;
    text.reserve(headers.lines().size() + 128);
    text += "HTTP/1.1 ";
    text += std::to_string(status);
    text += ' ';
    text += reason_phrase(status);
    text += "\r\n";
    text += headers.lines();
    text += framing;
    text += keep_alive_ ? "\r\n" : "connection: close\r\n\r\n";
    return text;
}

Task<bool> Connection::send(std::span<const asio::const_buffer> pieces) {
    deadline = std::chrono::steady_clock::now() + shared_.settings.limits.write_timeout;
    const auto [error, bytes] = co_await wire_.write(pieces);
    deadline = SteadyTime::max();
    if (!error && !expired_) co_return true;
    keep_alive_ = false;
    wire_.close();
    if (cancel_) cancel_->fire(Cancel::Reason::client_gone);
    co_return false;
}

Task<bool> Connection::reply(Response response) {
    if (answer_ != Answer::none) co_return false;
    answer_ = Answer::done;
    note_answer(response.status);
    if (response.close) keep_alive_ = false;
    const auto head = head_text(response.status, response.headers,
                                "content-length: " + std::to_string(response.body.size()) + "\r\n");
    std::string_view rest = request_.method == "HEAD" ? std::string_view() : std::string_view(response.body);
    std::array pieces{piece(head), piece(rest.substr(0, kWriteSize))};
    while (true) {
        if (!co_await send(pieces)) co_return false;
        rest.remove_prefix(std::min(rest.size(), kWriteSize));
        if (rest.empty()) co_return true;
        pieces = {piece(rest.substr(0, kWriteSize)), asio::const_buffer()};
    }
}

void Connection::start(int status, Fields headers) {
    if (answer_ != Answer::none) return;
    answer_ = Answer::streaming;
    note_answer(status);
    if (framing_.http10) keep_alive_ = false;  // its bodies end with the connection
    head_ = head_text(status, headers, framing_.http10 ? "" : "transfer-encoding: chunked\r\n");
}

Task<bool> Connection::write(std::string bytes) {
    if (answer_ != Answer::streaming) co_return false;
    if (bytes.empty()) co_return true;
    if (!head_.empty()) note_answer(answered_.status);
    const std::string head = std::exchange(head_, {});
    const std::string size = framing_.http10 ? "" : fmt::format("{:x}\r\n", bytes.size());
    const std::array pieces{piece(head), piece(size), piece(bytes), piece(framing_.http10 ? "" : "\r\n")};
    co_return co_await send(pieces);
}

Task<bool> Connection::finish(std::string last_bytes) {
    if (answer_ != Answer::streaming) co_return false;
    answer_ = Answer::done;
    if (!head_.empty()) note_answer(answered_.status);
    const std::string head = std::exchange(head_, {});
    const bool chunk = !framing_.http10 && !last_bytes.empty();
    const std::string size = chunk ? fmt::format("{:x}\r\n", last_bytes.size()) : "";
    const std::array pieces{piece(head), piece(size), piece(last_bytes),
                            piece(framing_.http10 ? ""
                                  : chunk         ? "\r\n0\r\n\r\n"
                                                  : "0\r\n\r\n")};
    co_return co_await send(pieces);
}

}  // namespace tandem::net
