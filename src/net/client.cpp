#include "net/client.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <mutex>
#include <optional>

#include "base/text.h"
#include "net/address.h"
#include "net/local.h"
#include "net/wire.h"

namespace tandem::net {

namespace http = boost::beast::http;
using Resolver = asio::ip::basic_resolver<Tcp, Executor>;

namespace {

constexpr std::size_t kBufferLimit = 64 * 1024 - 1;  // HAZARDS.md 4
constexpr std::size_t kReadSize = 8 * 1024;
constexpr std::uint32_t kHeaderLimit = 48 * 1024;
constexpr std::size_t kKnownUrls = 256;
constexpr std::size_t kLookups = 4;    // names that are looked up at once
constexpr milliseconds kFullQueue{5};  // between two tries of a UNIX socket whose queue is full

bool has_peer(Socket& socket) {
    ErrorCodeOf error;
    socket.remote_endpoint(error);
    return !error;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
    const auto parsed = boost::urls::parse_uri(text);
    if (!parsed || (parsed->scheme() != "http" && parsed->scheme() != "https") || parsed->encoded_host().empty())
        return fail(Fault::invalid, fmt::format("'{}' is not an http or https URL", printable(text, 80)));
    // port_number() takes what is above 65535 for another port.
    if (parsed->has_port() && !parsed->port().empty() && whole_number(parsed->port()).value_or(65'536) > 65'535)
        return fail(Fault::invalid, fmt::format("'{}' has no port that there is", printable(text, 80)));
    Url url;
    url.tls = parsed->scheme() == "https";
    url.host = parsed->host_address();
    url.port = parsed->has_port() && parsed->port_number() != 0 ? parsed->port_number() : url.tls ? 443 : 80;
    url.authority = std::string(parsed->encoded_host_and_port());
    url.path = std::string(parsed->encoded_path());
    if (url.path.empty()) url.path = "/";
    return url;
}

// What a name stands for, or why that is not known.
struct Found {
    ErrorCodeOf error;
    std::vector<Tcp::endpoint> endpoints;
};

struct ClientShared::State {
    // Made at the first call, since reading the certificates takes some ten milliseconds, and most calls go to servers
    // of this machine. From any thread.
    asio::ssl::context& tls() {
        std::call_once(tls_made, [this] {
            tls_context.emplace(asio::ssl::context::tls_client);
            ErrorCodeOf ignored;
            tls_context->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, ignored);
            // The system's CAs; SSL_CERT_FILE and SSL_CERT_DIR are honoured.
            tls_context->set_default_verify_paths(ignored);
            tls_context->set_verify_mode(asio::ssl::verify_peer, ignored);
        });
        return *tls_context;
    }

    std::once_flag tls_made;
    std::optional<asio::ssl::context> tls_context;
    asio::thread_pool lookups{kLookups};
};

ClientShared::ClientShared() : state_(std::make_unique<State>()) {}
ClientShared::~ClientShared() = default;

struct Client::Pool {
    struct Idle {
        Wire wire;
        SteadyTime since;
    };
    Worker& worker;
    ClientShared& shared;
    std::unordered_map<std::string, std::vector<Idle>> idle;
    std::unordered_map<std::string, Url> urls;

    static std::string origin_of(const Call& call) {
        if (call.local != nullptr) return "l" + call.local->endpoint().path();
        const std::string_view kind = call.url.tls ? "s" : "p";
        if (call.proxy != nullptr)
            return fmt::format("x{}:{} {}{}", call.proxy->host, call.proxy->port, kind, call.url.authority);
        return fmt::format("{}{}{}", kind, call.public_only ? "!" : "", call.url.authority);
    }

    // The youngest kept connection that is still quiet. Stale ones are closed on the way.
    std::optional<Wire> take(const std::string& origin) {
        const auto found = idle.find(origin);
        if (found == idle.end()) return std::nullopt;
        auto& list = found->second;
        const auto oldest = std::chrono::steady_clock::now() - kIdleTime;
        while (!list.empty()) {
            Idle entry = std::move(list.back());
            list.pop_back();
            if (entry.since >= oldest && entry.wire.quiet()) return std::move(entry.wire);
        }
        return std::nullopt;
    }

    void keep(const std::string& origin, Wire wire) {
        auto& list = idle[origin];
        const auto now = std::chrono::steady_clock::now();
        std::erase_if(list, [&](const Idle& entry) { return entry.since < now - kIdleTime; });
        if (list.size() < kIdlePerOrigin) list.push_back({std::move(wire), now});
    }
};

namespace {

// Inflates a gzip body piece by piece (RFC 1952), with a bound on what comes out.
class Gunzip {
  public:
    Gunzip() { ok_ = inflateInit2(&stream_, 15 + 16) == Z_OK; }
    ~Gunzip() { inflateEnd(&stream_); }
    Gunzip(const Gunzip&) = delete;
    Gunzip& operator=(const Gunzip&) = delete;

    // False for data that is not gzip or more than `room` bytes out.
    bool feed(std::string_view in, std::string& out, std::size_t room) {
        if (!ok_) return false;
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
        stream_.avail_in = static_cast<uInt>(in.size());
        std::array<char, 16 * 1024> block;
        while (stream_.avail_in > 0 && !ended_) {
            stream_.next_out = reinterpret_cast<Bytef*>(block.data());
            stream_.avail_out = block.size();
            const int result = inflate(&stream_, Z_SYNC_FLUSH);
            if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return false;
            out.append(block.data(), block.size() - stream_.avail_out);
            if (out.size() > room) return false;
            ended_ = result == Z_STREAM_END;
            if (result == Z_BUF_ERROR && stream_.avail_out == block.size()) break;
        }
        return true;
    }
    bool ended() const { return ended_; }

  private:
    z_stream stream_{};
    bool ok_ = false;
    bool ended_ = false;
};

}  // namespace

struct Client::Sending final : AnswerSource, Watched {
    Sending(Worker& worker, std::shared_ptr<Client::Pool> pool, Call call)
        : worker(worker), pool(std::move(pool)), call(std::move(call)), origin(Client::Pool::origin_of(this->call)) {
        worker.watchdog().add(*this);
    }
    ~Sending() override { worker.watchdog().remove(*this); }

    int status() const override { return code; }
    const Fields& headers() const override { return fields; }
    Task<Result<std::string>> read() override;

    void on_deadline() override {
        expired = true;
        abort();
    }
    void abort() {
        if (abandon_lookup) std::exchange(abandon_lookup, {})();
        if (connecting != nullptr) {
            ErrorCodeOf ignored;
            connecting->close(ignored);
        }
        if (wire) wire->close();
    }
    void begin_phase(std::string_view name, milliseconds timeout) {
        phase = name;
        deadline = std::min(call.deadline, std::chrono::steady_clock::now() + timeout);
    }

    // Why the wait that just ended with an error did so.
    Error why(std::string_view what) const {
        if (cancelled) return {Fault::client_gone, "the request was cancelled"};
        if (expired && std::chrono::steady_clock::now() >= call.deadline)
            return {Fault::deadline_passed,
                    fmt::format("the deadline of the request passed while {} {}", phase, call.url.authority)};
        if (expired) return {Fault::provider_timeout, fmt::format("timed out while {} {}", phase, call.url.authority)};
        return {Fault::provider_unreachable, fmt::format("{} {}: {}", phase, call.url.authority, what)};
    }

    const std::string& peer_host() const { return call.proxy != nullptr ? call.proxy->host : call.url.host; }
    std::uint16_t peer_port() const { return call.proxy != nullptr ? call.proxy->port : call.url.port; }
    Task<Found> look_up();
    Task<Result<>> connect();
    Task<Result<>> open_tunnel();
    Task<Result<>> write_request();
    Task<Result<>> read_header();
    Task<Result<std::string>> read_piece();
    Result<> put(std::string& out);
    void end_of_body();

    using Parser = http::response_parser<http::buffer_body>;

    Worker& worker;
    std::shared_ptr<Client::Pool> pool;
    Call call;
    std::string origin;  // of Pool; kept, since the call's address is borrowed until send() returns
    Cancel::Hook hook;
    std::optional<Wire> wire;
    std::function<void()> abandon_lookup;
    Socket* connecting = nullptr;
    bool sent = false;
    bool expired = false;
    bool cancelled = false;
    bool eof = false;
    std::string_view phase;
    boost::beast::flat_buffer buffer{kBufferLimit};
    std::optional<Parser> parser;
    std::unique_ptr<Gunzip> gunzip;
    std::size_t read_bytes = 0;
    int code = 0;
    Fields fields;
};

Answer::Answer(std::unique_ptr<AnswerSource> source) : source_(std::move(source)) {}
Answer::Answer(Answer&&) noexcept = default;
Answer& Answer::operator=(Answer&&) noexcept = default;
Answer::~Answer() = default;

int Answer::status() const {
    return source_->status();
}
const Fields& Answer::headers() const {
    return source_->headers();
}

// getaddrinfo cannot be stopped: a lookup that hangs goes on by itself, on one of a few threads, and nobody waits for
// it beyond his deadline.
Task<Found> Client::Sending::look_up() {
    return wait_for<Found>([this](std::function<void(Found)> resume) {
        auto once = std::make_shared<std::atomic<bool>>(false);
        auto first = [once, resume = std::move(resume)](Found found) {
            if (!once->exchange(true)) resume(std::move(found));
        };
        abandon_lookup = [first] { first({asio::error::operation_aborted, {}}); };
        auto& state = pool->shared.state();
        asio::post(state.lookups, [first, once, host = peer_host(), port = peer_port(), tls = call.url.tls, &state] {
            if (*once) return;
            if (tls) state.tls();  // so that no worker has to wait while it is made
            Found found;
            asio::io_context context;
            Resolver resolver(context);
            for (const auto& entry : resolver.resolve(host, std::to_string(port), found.error))
                found.endpoints.push_back(entry.endpoint());
            first(std::move(found));
        });
    });
}

Task<Result<>> Client::Sending::connect() {
    begin_phase("connecting to", call.connect_timeout);
    ErrorCodeOf error;
    std::vector<Socket::endpoint_type> endpoints;
    if (call.local != nullptr) {
        endpoints.emplace_back(call.local->endpoint());
    } else {
        std::vector<Tcp::endpoint> addresses;
        if (const auto address = asio::ip::make_address(peer_host(), error); !error) {
            addresses.emplace_back(address, peer_port());
        } else {
            auto found = co_await look_up();
            if (found.error || cancelled || expired) co_return fail(why(found.error.message()));
            addresses = std::move(found.endpoints);
        }
        if (call.public_only) std::erase_if(addresses, [](const auto& one) { return !is_public(one.address()); });
        if (addresses.empty() && call.public_only)
            co_return fail(Fault::address_not_allowed,
                           fmt::format("{} is an address of this machine or of a private network", call.url.host));
        endpoints.assign(addresses.begin(), addresses.end());
    }
    Socket socket(worker.context());
    error = asio::error::host_not_found;
    for (const auto& endpoint : endpoints) {
        if (cancelled || expired) break;
        ErrorCodeOf ignored;
        socket.close(ignored);
        socket.open(endpoint.protocol(), error);
        if (error) continue;
        close_on_exec(socket.native_handle());
        connecting = &socket;
        std::tie(error) = co_await socket.async_connect(endpoint, asio::as_tuple(use_task));
        // A UNIX socket whose queue is full refuses at once, where TCP waits (connect(2)); Asio takes it for connected.
        while (!error && call.local != nullptr && !cancelled && !expired && !has_peer(socket)) {
            co_await sleep_for(worker.context(), kFullQueue);
            if (cancelled || expired) break;
            std::tie(error) = co_await socket.async_connect(endpoint, asio::as_tuple(use_task));
        }
        connecting = nullptr;
        if (!error) break;
    }
    if (error || cancelled || expired) co_return fail(why(error.message()));
    if (call.local == nullptr) socket.set_option(Tcp::no_delay(true), error);
    if (!call.url.tls || call.local != nullptr) {
        wire.emplace(std::move(socket));
        co_return Result<>{};
    }
    if (call.proxy != nullptr) {
        wire.emplace(std::move(socket));
        if (auto open = co_await open_tunnel(); !open) co_return open;
        socket = std::move(wire->socket());
        wire.reset();
    }
    wire.emplace(std::move(socket), pool->shared.state().tls());
    begin_phase("in the TLS handshake with", call.connect_timeout);
    error = co_await wire->handshake_as_client(call.url.host);
    if (error) {
        const auto distrust = wire->distrust(error);
        co_return fail(why(distrust.empty() ? error.message() : error.message() + ": " + distrust));
    }
    co_return Result<>{};
}

// Asks the proxy for a tunnel to the URL's host. It answers before a byte comes through the tunnel, which the other
// side opens with nothing (TLS: the client speaks first).
Task<Result<>> Client::Sending::open_tunnel() {
    begin_phase("asking the proxy for a way to", call.connect_timeout);
    const auto target =
        fmt::format("{}:{}", call.url.host.find(':') == std::string::npos ? call.url.host : "[" + call.url.host + "]",
                    call.url.port);
    auto head = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", target);
    if (!call.proxy->authorization.empty()) head += "Proxy-Authorization: " + call.proxy->authorization + "\r\n";
    head += "\r\n";
    const std::array pieces{asio::const_buffer(head.data(), head.size())};
    if (const auto [error, bytes] = co_await wire->write(pieces); error) co_return fail(why(error.message()));
    std::string answer;
    while (!answer.ends_with("\r\n\r\n")) {
        char byte = 0;
        const auto [error, bytes] = co_await wire->read_some(asio::mutable_buffer(&byte, 1));
        if (error || cancelled || expired) co_return fail(why(error.message()));
        answer += byte;
        if (answer.size() > kReadSize) co_return fail(why("the answer of the proxy is too large"));
    }
    const auto status = std::string_view(answer).substr(0, answer.find("\r\n"));
    const auto code =
        status.starts_with("HTTP/1.") && status.size() >= 12 ? whole_number(status.substr(9, 3)).value_or(0) : 0;
    if (code / 100 == 2) co_return Result<>{};
    if (code == 407)
        co_return fail(ErrorCode::forbidden,
                       "the proxy wants credentials, or other ones: its URL is http://USER:PASSWORD@HOST:PORT");
    co_return fail(ErrorCode::upstream,
                   fmt::format("the proxy opens no way to {}: it answered '{}'", target, printable(status, 60)));
}

Task<Result<>> Client::Sending::write_request() {
    std::string head;
    head.reserve(512);
    head += call.method;
    head += ' ';
    const bool by_proxy = call.proxy != nullptr && !call.url.tls;
    if (by_proxy) head += "http://" + call.url.authority;  // RFC 9112 section 3.2.2
    head += call.url.path;
    head += " HTTP/1.1\r\nHost: ";
    head += call.url.authority;
    head += "\r\n";
    head += call.headers.lines();
    if (by_proxy && !call.proxy->authorization.empty())
        head += "Proxy-Authorization: " + call.proxy->authorization + "\r\n";
    if (!call.body.empty() || call.method == "POST")
        head += "Content-Length: " + std::to_string(call.body.size()) + "\r\n";
    head += "\r\n";
    begin_phase("sending to", call.idle_timeout);
    const std::array pieces{asio::const_buffer(head.data(), head.size()),
                            asio::const_buffer(call.body.data(), call.body.size())};
    sent = true;
    const auto [error, bytes] = co_await wire->write(pieces);
    if (error) co_return fail(why(error.message()));
    co_return Result<>{};
}

Task<Result<>> Client::Sending::read_header() {
    begin_phase("waiting for an answer of", call.first_byte_timeout);
    while (true) {
        parser.emplace();
        parser->header_limit(kHeaderLimit);
        parser->body_limit(boost::none);
        parser->eager(false);
        if (call.method == "HEAD") parser->skip(true);
        while (!parser->is_header_done()) {
            ErrorCodeOf error;
            if (buffer.size() > 0) {
                try {
                    buffer.consume(parser->put(buffer.data(), error));
                } catch (const std::exception& thrown) {
                    co_return fail(why(thrown.what()));
                }
                if (error && error != http::error::need_more)
                    co_return fail(why("the answer is not HTTP: " + error.message()));
                if (parser->is_header_done()) break;
            }
            const auto room = std::min(kReadSize, buffer.max_size() - buffer.size());
            if (room == 0) co_return fail(why("the header of the answer is too large"));
            const auto [failed, bytes] = co_await wire->read_some(buffer.prepare(room));
            if (failed || cancelled || expired) co_return fail(why(failed.message()));
            buffer.commit(bytes);
        }
        if (parser->get().result_int() >= 200) break;  // 1xx are interim, RFC 9110 section 15.2
    }
    code = static_cast<int>(parser->get().result_int());
    for (const auto& field : parser->get())
        fields.add(std::string_view(field.name_string().data(), field.name_string().size()),
                   std::string_view(field.value().data(), field.value().size()));
    const auto encoding = fields.get("content-encoding");
    if (equals_ignoring_case(encoding, "gzip"))
        gunzip = std::make_unique<Gunzip>();
    else if (!encoding.empty() && !equals_ignoring_case(encoding, "identity"))
        co_return fail(
            why(fmt::format("the answer is encoded as '{}', which was not asked for", printable(encoding, 40))));
    parser->eager(true);
    if (parser->is_done()) end_of_body();
    co_return Result<>{};
}

// Moves what is in the buffer through the parser (and gzip) into `out`.
Result<> Client::Sending::put(std::string& out) {
    std::array<char, kReadSize> block;
    while (!parser->is_done()) {
        auto& body = parser->get().body();
        body.data = block.data();
        body.size = block.size();
        body.more = true;
        ErrorCodeOf error;
        try {
            if (eof)
                parser->put_eof(error);
            else if (buffer.size() > 0)
                buffer.consume(parser->put(buffer.data(), error));
            else
                break;
        } catch (const std::exception& thrown) {
            return fail(why(thrown.what()));
        }
        const std::size_t filled = block.size() - body.size;
        if (gunzip) {
            if (!gunzip->feed({block.data(), filled}, out, call.answer_bytes))
                return fail(why("the gzip data is broken or too large"));
        } else {
            out.append(block.data(), filled);
        }
        if (error == http::error::need_buffer) continue;
        if (error == http::error::need_more) {
            if (filled == 0) break;
            continue;
        }
        if (error == http::error::partial_message || error == http::error::end_of_stream)
            return fail(why("the answer was cut"));
        if (error) return fail(why("the answer is not HTTP: " + error.message()));
        if (eof) break;
    }
    read_bytes += out.size();
    if (read_bytes > call.answer_bytes)
        return fail(Error{ErrorCode::too_large, fmt::format("the answer of {} is larger than {} bytes",
                                                            call.url.authority, call.answer_bytes)});
    if (parser->is_done()) {
        if (gunzip && !gunzip->ended()) return fail(why("the gzip data was cut"));
        end_of_body();
    }
    return {};
}

void Client::Sending::end_of_body() {
    deadline = SteadyTime::max();
    hook.release();
    if (!wire) return;
    // Some servers close behind an error without saying so, and what is asked anew at once would meet that.
    const bool good = code < 400;
    if (good && parser->keep_alive() && buffer.size() == 0 && !eof && !cancelled && !expired && wire->open())
        pool->keep(origin, std::move(*wire));
    wire.reset();
}

Task<Result<std::string>> Client::Sending::read_piece() {
    std::string out;
    begin_phase("reading the answer of", call.idle_timeout);
    while (true) {
        if (auto ok = put(out); !ok) {
            if (wire) wire->close();
            co_return fail(ok.error());
        }
        if (!out.empty() || parser->is_done()) co_return out;
        const auto room = std::min(kReadSize, buffer.max_size() - buffer.size());
        if (room == 0) co_return fail(why("a chunk header of the answer does not end"));
        const auto [failed, bytes] = co_await wire->read_some(buffer.prepare(room));
        if (cancelled || expired) co_return fail(why(failed.message()));
        if (failed == asio::error::eof || failed == asio::ssl::error::stream_truncated)
            eof = true;
        else if (failed)
            co_return fail(why(failed.message()));
        buffer.commit(bytes);
    }
}

Task<Result<std::string>> Client::Sending::read() {
    if (parser->is_done() && !wire) co_return std::string();
    co_return co_await read_piece();
}

Task<Result<std::string>> Answer::read() {
    return source_->read();
}

Task<Result<std::string>> Answer::read_first(std::size_t most) {
    std::string all;
    while (all.size() < most) {
        auto piece = co_await read();
        if (!piece) co_return fail(piece.error());
        if (piece->empty()) break;
        all += *piece;
    }
    if (all.size() > most) all.resize(most);
    co_return all;
}

Task<Result<std::string>> Answer::read_all(Held& held, std::size_t copies) {
    std::string all;
    while (true) {
        auto piece = co_await read();
        if (!piece) co_return fail(piece.error());
        if (piece->empty()) co_return all;
        if (auto room = held.grow(piece->size() * copies); !room) co_return fail(room.error());
        if (all.empty())
            all = std::move(*piece);
        else
            all += *piece;
    }
}

Client::Client(Worker& worker, ClientShared& shared) : pool_(std::make_shared<Pool>(worker, shared)) {}
Client::~Client() = default;

Result<Url> Client::url_of(const std::string& text) {
    if (const auto known = pool_->urls.find(text); known != pool_->urls.end()) return known->second;
    auto url = parse_url(text);
    if (url && pool_->urls.size() < kKnownUrls) pool_->urls.emplace(text, *url);
    return url;
}

Task<std::expected<Answer, CallFailure>> Client::send(Call call, Cancel& cancel) {
    using Failed = std::unexpected<CallFailure>;
    auto sending = std::make_unique<Sending>(pool_->worker, pool_, std::move(call));
    auto& state = *sending;
    if (cancel.fired()) co_return Failed({{Fault::client_gone, "the request was cancelled"}, false});
    cancel.on_fire(state.hook, [&state] {
        state.cancelled = true;
        state.abort();
    });
    if (auto kept = pool_->take(state.origin)) {
        state.wire.emplace(std::move(*kept));
    } else if (auto connected = co_await state.connect(); !connected) {
        co_return Failed({connected.error(), false});
    }
    auto written = co_await state.write_request();
    if (!written) co_return Failed({written.error(), true});
    auto header = co_await state.read_header();
    if (!header) co_return Failed({header.error(), true});
    co_return Answer(std::move(sending));
}

}  // namespace tandem::net
