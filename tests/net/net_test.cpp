#include <gtest/gtest.h>

#include "net/cancel.h"
#include "net/client.h"
#include "net/framing.h"
#include "net/sse.h"

using namespace std::string_literals;

namespace tandem::net {
namespace {

int status_of(const std::string& head) {
    const auto framing = check_framing(head, 100);
    return framing ? 200 : framing.error().status;
}

TEST(Framing, takes_plain_requests) {
    const auto post = check_framing("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", 100);
    ASSERT_TRUE(post);
    EXPECT_EQ(post->content_length, 3U);
    EXPECT_TRUE(post->keep_alive);
    const auto chunked = check_framing(
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nConnection: close\r\nExpect: "
        "100-continue\r\n\r\n",
        100);
    ASSERT_TRUE(chunked);
    EXPECT_TRUE(chunked->chunked && chunked->expect_continue && !chunked->keep_alive);
    EXPECT_FALSE(check_framing("GET / HTTP/1.0\r\n\r\n", 100)->keep_alive);
}

// HAZARDS.md 5: what Beast accepts and two servers could read differently.
TEST(Framing, refuses_what_could_be_read_in_two_ways) {
    const std::string start = "POST /x HTTP/1.1\r\nHost: a\r\n";
    EXPECT_EQ(status_of(start + "Transfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\n"), 400);
    EXPECT_EQ(status_of(start + "Transfer-Encoding: chunked, identity\r\nContent-Length: 3\r\n\r\n"), 400);
    EXPECT_EQ(status_of(start + "Transfer-Encoding: xchunked\r\n\r\n"), 501);
    EXPECT_EQ(status_of(start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    EXPECT_EQ(status_of(start + "Content-Length: 3, 3\r\n\r\n"), 400);
    EXPECT_EQ(status_of(start + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n"), 400);
    EXPECT_EQ(status_of(start + "Content-Length: +3\r\n\r\n"), 400);
    EXPECT_EQ(status_of(start + "Content-Length: 0x3\r\n\r\n"), 400);
    EXPECT_EQ(status_of("POST /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"s), 400);
    EXPECT_EQ(status_of("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nTrailer: x\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n"), 417);
}

TEST(Framing, bounds_the_number_of_fields) {
    std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 0; i < 99; ++i) head += "X: y\r\n";
    EXPECT_EQ(status_of(head + "\r\n"), 200);
    EXPECT_EQ(status_of(head + "X: y\r\n\r\n"), 431);
}

std::string events_of(std::string_view stream, std::size_t cut) {
    std::string out;
    SseParser parser;
    auto visit = [&](const SseEvent& e) { out += std::string(e.type) + "=" + std::string(e.data) + ";"; };
    EXPECT_TRUE(parser.feed(stream.substr(0, cut), visit));
    EXPECT_TRUE(parser.feed(stream.substr(cut), visit));
    parser.finish(visit);
    return out;
}

TEST(Sse, gives_the_same_events_wherever_the_network_cuts) {
    const std::string_view stream =
        "\xEF\xBB\xBF: hi\r\ndata: a\r\ndata:b\r\n\r\nevent: x\ndata:  c\n\nid: 1\nretry: 2\n\ndata\n\rdata: "
        "d\xC3\xA9\r\rdata: last";
    for (std::size_t cut = 0; cut <= stream.size(); ++cut)
        EXPECT_EQ(events_of(stream, cut), "message=a\nb;x= c;message=;message=d\xC3\xA9;message=last;") << cut;
}

TEST(Sse, bounds_one_event) {
    SseParser parser;
    const std::string line = "data: " + std::string(1 << 20, 'x') + "\n";
    Result<> ok;
    for (int i = 0; i < 9 && ok; ++i) ok = parser.feed(line, [](const SseEvent&) {});
    EXPECT_FALSE(ok);
}

TEST(Sse, writes_what_it_reads) {
    std::string got;
    SseParser parser;
    ASSERT_TRUE(parser.feed(sse_event("a\nb\r\nc\rd"), [&](const SseEvent& e) { got = e.data; }));
    EXPECT_EQ(got, "a\nb\nc\nd");
}

TEST(Cancel, calls_each_hook_once_and_none_that_went) {
    Cancel cancel;
    int calls = 0;
    Cancel::Hook kept, late;
    {
        Cancel::Hook gone;
        cancel.on_fire(gone, [&] { calls += 100; });
    }
    cancel.on_fire(kept, [&] { ++calls; });
    cancel.fire(Cancel::Reason::client_gone);
    cancel.fire(Cancel::Reason::stopping);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(cancel.reason(), Cancel::Reason::client_gone);
    cancel.on_fire(late, [&] { calls += 10; });
    EXPECT_EQ(calls, 11);
}

TEST(Url, is_read_or_refused) {
    const auto url = parse_url("https://[::1]:8443/v1");
    ASSERT_TRUE(url);
    EXPECT_TRUE(url->tls);
    EXPECT_EQ(url->host, "::1");
    EXPECT_EQ(url->port, 8443);
    EXPECT_EQ(url->authority, "[::1]:8443");
    EXPECT_EQ(parse_url("http://h")->path, "/");
    for (const auto* text : {"ftp://h/", "h:80", "http://", "", "http://h:65536/", "http://h:99999999999999999999/"})
        EXPECT_FALSE(parse_url(text)) << text;
}

}  // namespace
}  // namespace tandem::net
