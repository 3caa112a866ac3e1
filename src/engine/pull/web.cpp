#include "engine/pull/web.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/hash.h"
#include "base/text.h"
#include "base/time_text.h"
#include "net/children.h"

namespace tandem::engine {

namespace {

constexpr int kMostRedirects = 6;
constexpr int kMostTries = 6;  // of a page or a place
constexpr milliseconds kFirstPause{500};
constexpr milliseconds kLongestPause{15'000};

bool may_help(int status) {
    constexpr std::array kAgain = {408, 425, 429, 500, 502, 503, 504};
    return std::ranges::find(kAgain, status) != kAgain.end();
}

// Retry-After (RFC 9110 section 10.2.3): seconds or a date; else `t` of RateLimit (draft-ietf-httpapi-ratelimit-headers
// 09: "api";r=0;t=55), which the hub sends.
std::optional<std::int64_t> after_of(const net::Fields& headers) {
    const auto after = trim(headers.get("retry-after"));
    if (const auto seconds = whole_number(after)) return std::min<std::int64_t>(*seconds, 86'400) * 1'000;
    if (!after.empty())
        if (const auto date = time_from(after))
            return std::clamp<std::int64_t>(*date - unix_ms(system_clock()->wall()), 0, 86'400'000);
    const auto limit = headers.get("ratelimit");
    const auto at = limit.find(";t=");
    if (at == std::string_view::npos) return {};
    auto digits = limit.substr(at + 3);
    digits = digits.substr(0, digits.find_first_not_of("0123456789"));
    if (const auto seconds = whole_number(digits)) return std::min<std::int64_t>(*seconds, 86'400) * 1'000;
    return {};
}

// "\"abc\"" or W/"abc" as abc.
std::string_view unquoted(std::string_view etag) {
    if (etag.starts_with("W/")) etag.remove_prefix(2);
    if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') return etag.substr(1, etag.size() - 2);
    return etag;
}

std::string sha256_in(std::string_view etag) {
    auto text = lower(unquoted(etag));
    Digest digest{};
    return from_hex(text, digest) ? text : std::string();
}

// The target of a redirect (RFC 3986 section 5.2, without dots).
std::string target_of(std::string_view base, std::string_view location) {
    if (location.find("://") != std::string_view::npos && location.find("://") < location.find_first_of("/?#"))
        return std::string(location);
    const auto origin = origin_of(base);
    if (location.starts_with("//")) return origin.substr(0, origin.find("//")) + std::string(location);
    if (location.starts_with('/')) return origin + std::string(location);
    const auto path = base.substr(0, base.find('?'));
    return std::string(path.substr(0, std::max(path.rfind('/'), origin.size()))) + "/" + std::string(location);
}

// The length of the whole, of "bytes 0-0/1234".
std::int64_t whole_of(std::string_view content_range) {
    const auto slash = content_range.rfind('/');
    if (slash == std::string_view::npos) return -1;
    return whole_number(content_range.substr(slash + 1)).value_or(-1);
}

// What may be held against the file later: an ETag that is not weak, else a date.
std::string validator_of(const net::Fields& headers) {
    const auto etag = headers.get("etag");
    if (!etag.empty() && !etag.starts_with("W/")) return std::string(etag);
    return std::string(headers.get("last-modified"));
}

}  // namespace

std::string origin_of(std::string_view url) {
    const auto host = url.find("://");
    if (host == std::string_view::npos) return {};
    return lower(url.substr(0, std::min(url.find_first_of("/?#", host + 3), url.size())));
}

std::string shown(std::string_view url) {
    return printable(url.substr(0, url.find('?')), 200);
}

Trouble trouble_of(int status, const net::Fields& headers, std::string_view url) {
    Trouble trouble;
    trouble.status = status;
    trouble.again = may_help(status);
    if (trouble.again) trouble.after_ms = after_of(headers);
    trouble.hub_code = printable(headers.get("x-error-code"), 60);
    trouble.hub_message = printable(headers.get("x-error-message"), 300);
    const auto code = status == 404 || status == 410   ? ErrorCode::not_found
                      : status == 429                  ? ErrorCode::rate_limited
                      : status == 401 || status == 403 ? ErrorCode::forbidden
                                                       : ErrorCode::upstream;
    trouble.error = {code, fmt::format("{} answered {} {}{}{}", shown(url), status, net::reason_phrase(status),
                                       trouble.hub_message.empty() ? "" : ": ", trouble.hub_message)};
    return trouble;
}

Web::Web(net::Worker& worker, WebSettings settings)
    : worker_(worker), settings_(std::move(settings)), client_(worker, shared_) {}

net::Task<Tried<net::Answer>> Web::ask(std::string url, net::Fields headers, SteadyTime deadline) {
    using Failed = std::unexpected<Trouble>;
    while (std::chrono::steady_clock::now() < quiet_until_ && !cancel_.fired())
        co_await net::sleep_until(worker_, quiet_until_, cancel_);
    const auto query = std::min(url.find_first_of("?#"), url.size());
    auto parsed = net::parse_url(std::string_view(url).substr(0, query));
    if (!parsed) co_return Failed(Trouble{.error = parsed.error()});
    net::Call call;
    call.method = "GET";
    call.url = std::move(*parsed);
    call.url.path += url.substr(query, url.find('#') - query);
    call.headers = std::move(headers);
    call.headers.add("user-agent", settings_.user_agent);
    call.headers.add("accept-encoding", "identity");  // ranges are places in the bytes as they are
    if (settings_.token != nullptr && !settings_.token->empty() && origin_of(url) == settings_.token_origin)
        call.headers.add("authorization", fmt::format("Bearer {}", settings_.token->reveal()));
    call.proxy = settings_.proxies.for_url(call.url);
    call.deadline = deadline;
    call.connect_timeout = settings_.connect;
    call.first_byte_timeout = settings_.quiet;
    call.idle_timeout = settings_.quiet;
    call.answer_bytes = std::numeric_limits<std::size_t>::max();
    auto answer = co_await client_.send(std::move(call), cancel_);
    if (answer) co_return std::move(*answer);
    Trouble trouble;
    trouble.error = answer.error().error;
    // Nobody's clock or certificate gets better by asking again.
    trouble.again = trouble.error.code != ErrorCode::cancelled && trouble.error.code != ErrorCode::invalid &&
                    trouble.error.code != ErrorCode::forbidden &&
                    lower(trouble.error.message).find("certificate") == std::string::npos;
    co_return Failed(std::move(trouble));
}

net::Task<Tried<Web::Followed>> Web::follow(std::string url, net::Fields headers, SteadyTime deadline) {
    using Failed = std::unexpected<Trouble>;
    Located located;
    const auto first = origin_of(url);
    for (int hop = 0; hop <= kMostRedirects; ++hop) {
        auto answer = co_await ask(url, headers, deadline);
        if (!answer) co_return Failed(std::move(answer.error()));
        const auto& fields = answer->headers();
        if (origin_of(url) == first) {  // others have no word on what the hub has
            if (const auto sha256 = sha256_in(fields.get("x-linked-etag")); !sha256.empty()) located.sha256 = sha256;
            if (const auto size = whole_number(fields.get("x-linked-size"))) located.size = *size;
            if (const auto commit = fields.get("x-repo-commit"); !commit.empty())
                located.commit = printable(commit, 64);
        }
        const int status = answer->status();
        if (status < 300 || status >= 400 || status == 304) {
            located.url = url;
            co_return Followed{std::move(*answer), std::move(located)};
        }
        const auto target = target_of(url, fields.get("location"));
        if (fields.get("location").empty() || origin_of(target).empty())
            co_return Failed(
                Trouble{.error = {ErrorCode::upstream, shown(url) + " sends elsewhere, and does not say where"}});
        if (url.starts_with("https://") && !target.starts_with("https://"))
            co_return Failed(
                Trouble{.error = {ErrorCode::upstream, fmt::format("{} sends on to {}, which is not encrypted",
                                                                   shown(url), shown(target))}});
        url = target;
        located.redirected = true;
    }
    co_return Failed(Trouble{.error = {ErrorCode::upstream, shown(url) + " sends in a circle"}});
}

net::Task<Result<>> Web::wait(const Trouble& trouble, int tries) {
    auto pause = std::min(kLongestPause, kFirstPause * (1 << std::min(tries, 10)));
    if (trouble.after_ms) pause = milliseconds(*trouble.after_ms) + milliseconds(50);
    if (trouble.after_ms && waited_ + pause > settings_.longest)
        co_return fail(ErrorCode::rate_limited,
                       fmt::format("{}; it asks to wait for {} s; run the command again then, what is there is kept",
                                   trouble.error.message, pause.count() / 1'000));
    const auto until = std::chrono::steady_clock::now() + pause;
    if (trouble.after_ms && until > quiet_until_) {  // for all that ask
        waited_ += pause;
        quiet_until_ = until;
    }
    co_await net::sleep_until(worker_, until, cancel_);
    co_return Result<>{};
}

net::Task<Tried<Web::Page>> Web::page(std::string url, std::string accept, std::size_t most) {
    using Failed = std::unexpected<Trouble>;
    for (int tries = 0;; ++tries) {
        net::Fields headers;
        headers.add("accept", accept);
        auto followed = co_await follow(url, std::move(headers), std::chrono::steady_clock::now() + settings_.document);
        Trouble trouble;
        if (!followed) {
            trouble = std::move(followed.error());
        } else if (followed->answer.status() / 100 != 2) {
            trouble = trouble_of(followed->answer.status(), followed->answer.headers(), url);
        } else {
            auto body = co_await followed->answer.read_first(most + 1);
            if (body && body->size() > most)
                co_return Failed(Trouble{
                    .error = {ErrorCode::too_large, fmt::format("{} is larger than {} bytes", shown(url), most)}});
            if (body) co_return Page{std::move(*body), followed->answer.headers()};
            trouble.error = body.error();
            trouble.again = body.error().code != ErrorCode::cancelled;
        }
        if (!trouble.again || tries + 1 >= kMostTries) co_return Failed(std::move(trouble));
        if (auto ok = co_await wait(trouble, tries); !ok) co_return Failed(Trouble{.error = ok.error()});
    }
}

namespace {

// An answer in a coding that was not asked for: its bytes are not the file's, and no range of them is one.
std::optional<Trouble> packed_in(const net::Fields& headers, std::string_view url) {
    const auto coding = trim(headers.get("content-encoding"));
    if (coding.empty() || lower(coding) == "identity") return std::nullopt;
    return Trouble{
        .error = {ErrorCode::upstream, fmt::format("{} sends the file in the coding '{}', which was not asked "
                                                   "for: its bytes cannot be checked",
                                                   shown(url), printable(coding, 40))}};
}

}  // namespace

net::Task<Tried<Located>> Web::locate(std::string url) {
    using Failed = std::unexpected<Trouble>;
    for (int tries = 0;; ++tries) {
        net::Fields headers;
        headers.add("accept", "*/*");
        headers.add("range", "bytes=0-0");  // a HEAD has another signature, and some servers know none
        auto followed = co_await follow(url, std::move(headers), SteadyTime::max());
        Trouble trouble;
        if (followed && (followed->answer.status() == 206 || followed->answer.status() == 200)) {
            auto located = std::move(followed->located);
            const auto& fields = followed->answer.headers();
            if (auto packed = packed_in(fields, url)) co_return Failed(std::move(*packed));
            located.ranges = followed->answer.status() == 206;
            const auto size = located.ranges ? whole_of(fields.get("content-range"))
                                             : whole_number(fields.get("content-length")).value_or(-1);
            if (located.size < 0) located.size = size;
            if (size >= 0 && located.size != size)
                co_return Failed(
                    Trouble{.error = {ErrorCode::upstream, fmt::format("{} has {} bytes where {} are said to be",
                                                                       shown(url), size, located.size)}});
            located.validator = validator_of(fields);
            co_return located;
        }
        trouble = followed ? trouble_of(followed->answer.status(), followed->answer.headers(), url)
                           : std::move(followed.error());
        if (!trouble.again || tries + 1 >= kMostTries) co_return Failed(std::move(trouble));
        if (auto ok = co_await wait(trouble, tries); !ok) co_return Failed(Trouble{.error = ok.error()});
    }
}

net::Task<Tried<net::Answer>> Web::get(std::string url, Range range, std::string if_range) {
    net::Fields headers;
    headers.add("accept", "*/*");
    if (range.last >= 0) headers.add("range", fmt::format("bytes={}-{}", range.first, range.last));
    if (!if_range.empty()) headers.add("if-range", if_range);
    auto answer = co_await ask(url, std::move(headers), SteadyTime::max());
    if (answer)
        if (auto packed = packed_in(answer->headers(), url)) co_return std::unexpected(std::move(*packed));
    co_return answer;
}

}  // namespace tandem::engine
