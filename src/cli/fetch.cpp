#include "cli/fetch.h"

#include <boost/asio/co_spawn.hpp>

#include "base/text.h"
#include "net/client.h"

namespace tandem::cli {

namespace {

constexpr std::size_t kAtOnce = 32;

net::Task<Result<Fetched>> perform(net::Client& client, const Fetch& question, milliseconds time,
                                   std::size_t most_bytes, net::Cancel& cancel) {
    const auto query = std::min(question.url.find('?'), question.url.size());
    auto url = net::parse_url(question.url.substr(0, query));
    if (!url) co_return fail(url.error());
    net::Call call;
    call.method = question.body.empty() ? "GET" : "POST";
    call.url = std::move(*url);
    call.url.path += question.url.substr(query);
    call.headers = question.headers;
    if (!question.body.empty()) call.headers.add("content-type", "application/json");
    call.body = question.body;
    call.deadline = std::chrono::steady_clock::now() + time;
    auto answer = co_await client.send(std::move(call), cancel);
    if (!answer) co_return fail(answer.error().error);
    Fetched fetched{answer->status(), answer->headers(), {}};
    auto body = co_await answer->read_first(most_bytes);
    if (!body) co_return fail(body.error());
    fetched.body = std::move(*body);
    co_return fetched;
}

// Those from `first` to `last`, at once.
void fetch_some(net::Worker& worker, net::Client& client, const std::vector<Fetch>& questions, std::size_t first,
                std::size_t last, milliseconds time, std::size_t most_bytes, std::vector<Result<Fetched>>& answers) {
    net::Cancel never;
    std::size_t left = last - first;
    for (std::size_t i = first; i < last; ++i)
        net::asio::co_spawn(worker.context(), perform(client, questions[i], time, most_bytes, never),
                            [&answers, &left, &worker, i](std::exception_ptr thrown, Result<Fetched> answer) {
                                if (!thrown) answers[i] = std::move(answer);
                                if (--left == 0) worker.context().stop();
                            });
    worker.context().restart();
    worker.context().run();
}

}  // namespace

std::vector<Result<Fetched>> fetch_all(const std::vector<Fetch>& questions, milliseconds time, std::size_t most_bytes) {
    std::vector<Result<Fetched>> answers(questions.size(), fail(ErrorCode::internal, "nothing was sent"));
    net::Worker worker;
    net::ClientShared shared;
    net::Client client(worker, shared);
    for (std::size_t first = 0; first < questions.size(); first += kAtOnce)
        fetch_some(worker, client, questions, first, std::min(first + kAtOnce, questions.size()), time, most_bytes,
                   answers);
    return answers;
}

Result<Fetched> fetch(Fetch question, milliseconds time, std::size_t most_bytes) {
    return std::move(fetch_all({std::move(question)}, time, most_bytes).front());
}

// The client says what it was doing and what the system said of it.
Silence silence_of(const Error& error) {
    const auto text = lower(error.message);
    auto has = [&](std::string_view part) { return text.find(part) != std::string::npos; };
    if (error.code == ErrorCode::timeout) return Silence::timed_out;
    if (has("tls handshake") || has("certificate") || has("ssl")) return Silence::tls;
    if (has("host not found") || has("name or service not known") || has("name resolution")) return Silence::name;
    if (has("refused")) return Silence::refused;
    if (has("not http")) return Silence::not_http;
    return Silence::other;
}

}  // namespace tandem::cli
