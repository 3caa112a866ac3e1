// The static upstream of bench/proxy: answers every request with the same bytes, as fast as one thread can. A stream is
// sent as SSE, all events in one write. One epoll loop, no allocation for a request.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

std::string whole_answer() {
    const std::string body =
        R"({"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"static","choices":[{"index":0,"message":{"role":"assistant","content":")" +
        std::string(400, 'a') +
        R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":250,"completion_tokens":100,"total_tokens":350}})";
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

std::string streamed_answer() {
    std::string events;
    for (int i = 0; i < 20; ++i)
        events +=
            R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"static","choices":[{"index":0,"delta":{"content":"some words "},"finish_reason":null}]})"
            "\n\n";
    events +=
        R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"static","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})"
        "\n\n";
    events +=
        R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"static","choices":[],"usage":{"prompt_tokens":250,"completion_tokens":60,"total_tokens":310}})"
        "\n\n";
    events += "data: [DONE]\n\n";
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", events.size());
    return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" +
           std::string(size) + events + "\r\n0\r\n\r\n";
}

std::size_t content_length(std::string_view head) {
    for (std::size_t at = 0; (at = head.find("\r\n", at)) != std::string_view::npos; at += 2)
        if (head.substr(at + 2, 15) == "Content-Length:" || head.substr(at + 2, 15) == "content-length:")
            return std::strtoul(head.data() + at + 17, nullptr, 10);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const int port = argc > 1 ? std::atoi(argv[1]) : 0;
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 4096) != 0)
        return 1;
    const std::string whole = whole_answer(), streamed = streamed_answer();
    const int poll = epoll_create1(0);
    epoll_event event{EPOLLIN, {.fd = listener}};
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    std::unordered_map<int, std::string> pending;
    epoll_event events[256];
    char block[65536];
    while (true) {
        const int count = epoll_wait(poll, events, 256, -1);
        for (int i = 0; i < count; ++i) {
            const int fd = events[i].data.fd;
            if (fd == listener) {
                const int client = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
                if (client < 0) continue;
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                event = {EPOLLIN, {.fd = client}};
                epoll_ctl(poll, EPOLL_CTL_ADD, client, &event);
                pending[client].clear();
                continue;
            }
            const auto got = read(fd, block, sizeof block);
            if (got <= 0) {
                close(fd);
                continue;
            }
            auto& data = pending[fd];
            data.append(block, static_cast<std::size_t>(got));
            while (true) {
                const auto end = data.find("\r\n\r\n");
                if (end == std::string::npos) break;
                const std::size_t size = end + 4 + content_length(std::string_view(data).substr(0, end));
                if (data.size() < size) break;
                const bool stream = data.find("\"stream\":true") < size || data.find("\"stream\": true") < size;
                const auto& answer = stream ? streamed : whole;
                if (write(fd, answer.data(), answer.size()) < 0) break;
                data.erase(0, size);
            }
        }
    }
}
