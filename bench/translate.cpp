// CPU time of translation, for each pair of dialects: a request of 200 KiB with 60 tools, and 1,000 events of a stream.
// Beside it, in the same run, what Boost.JSON takes to read and write the same request once: a peer that does nothing
// but JSON. Prints a table; the median of the rounds, and their spread.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <boost/json/src.hpp>
#include <functional>

#include "dialect/losses.h"
#include "translate/relay.h"

namespace {

using namespace tandem;
using dialect::Kind;

constexpr int kRounds = 31;

double cpu_ms() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

struct Time {
    double median, least, most;
};

Time measure(const std::function<void()>& work) {
    std::vector<double> times;
    for (int i = 0; i < kRounds; ++i) {
        const double start = cpu_ms();
        work();
        times.push_back(cpu_ms() - start);
    }
    std::ranges::sort(times);
    return {times[kRounds / 2], times.front(), times.back()};
}

// As coding agents send it: a long system prompt, many tools, turns with calls and results.
chat::Request agent_request() {
    chat::Request r;
    auto text = [](std::size_t size) {
        std::string t;
        while (t.size() < size) t += "Follow the rule, and quote \"names\"\nexactly as they are written; ";
        return t.substr(0, size);
    };
    r.messages.push_back({chat::Role::system, {{chat::TextPart{text(40'000)}, {}}}, {}, {}});
    for (int i = 0; i < 60; ++i) {
        chat::Tool tool;
        tool.name = fmt::format("tool_{}", i);
        tool.description = text(600);
        tool.parameters.json =
            R"({"type":"object","properties":{"path":{"type":"string","description":"Where it is"},"lines":{"type":"integer","minimum":1},"mode":{"enum":["a","b"]}},"required":["path"]})";
        r.tools.push_back(std::move(tool));
    }
    for (int i = 0; i < 40; ++i) {
        r.messages.push_back({chat::Role::user, {{chat::TextPart{text(300)}, {}}}, {}, {}});
        chat::Message answer;
        answer.role = chat::Role::assistant;
        answer.parts.push_back({chat::TextPart{text(200)}, {}});
        answer.parts.push_back(
            {chat::ToolCallPart{fmt::format("call_{}", i), "tool_1", R"({"path":"/a/b.cpp","lines":1.50})", false, {}},
             {}});
        r.messages.push_back(std::move(answer));
        r.messages.push_back(
            {chat::Role::tool,
             {{chat::ToolResultPart{
                   fmt::format("call_{}", i), "tool_1", {{chat::TextPart{text(2'100)}, {}}}, false, false},
               {}}},
             {},
             {}});
    }
    r.max_output_tokens = 4096;
    return r;
}

dialect::Speaker speaker_of(Kind kind) {
    static constexpr dialect::Speaker kSpeakers[] = {dialect::Speaker::openai_chat, dialect::Speaker::openai_responses,
                                                     dialect::Speaker::anthropic, dialect::Speaker::gemini,
                                                     dialect::Speaker::ollama};
    return kSpeakers[static_cast<std::size_t>(kind)];
}

std::string path_of(Kind kind) {
    return kind == Kind::gemini ? "/v1beta/models/m:generateContent" : "/v1/x";
}

dialect::AnswerFrame frame_for(const chat::Request& request) {
    dialect::AnswerFrame frame;
    frame.id = "01M86KG3N3NJN4ZQRYWQ1Y4T9F";
    frame.model = "m";
    frame.request = &request;
    return frame;
}

std::string stream_of(Kind kind, const chat::Request& request) {
    const auto writer = dialect::of(kind).writer(frame_for(request));
    std::string out;
    writer->event(chat::Started{"x", "m"}, out);
    for (int i = 0; i < 1'000; ++i) writer->event(chat::TextDelta{0, " word and \"quote\""}, out);
    writer->event(chat::Finished{}, out);
    writer->end(Usage{{100}, {0}, {1000}, {0}, false}, out);
    return out;
}

}  // namespace

int main() {
    const auto request = agent_request();
    std::vector<std::string> bodies;
    for (int kind = 0; kind < 5; ++kind) {
        const auto target = speaker_of(static_cast<Kind>(kind));
        bodies.push_back(dialect::of(static_cast<Kind>(kind))
                             .encode_request(dialect::fit(request, target, true).request, {"m", true, true, 200'000})
                             .body);
    }
    const auto peer = measure([&] { (void)boost::json::serialize(boost::json::parse(bodies[0])); });
    fmt::print("request: {} KiB, 60 tools; Boost.JSON reads and writes it in {:.2f} ms ({:.2f} to {:.2f})\n",
               bodies[0].size() / 1024, peer.median, peer.least, peer.most);
    fmt::print("{:<18} {:<18} {:>12} {:>16} {:>8} {:>16}\n", "front", "behind", "request ms", "spread", "ratio",
               "1,000 events ms");
    double worst_request = 0, worst_stream = 0;
    for (int front = 0; front < 5; ++front)
        for (int behind = 0; behind < 5; ++behind) {
            const auto& client = dialect::of(static_cast<Kind>(front));
            const auto& provider = dialect::of(static_cast<Kind>(behind));
            const dialect::Target target{"model", true, true, 200'000};
            const auto asked = measure([&] {
                json::Document document;
                if (!document.parse(bodies[static_cast<std::size_t>(front)])) std::abort();
                const auto path = path_of(static_cast<Kind>(front));
                const dialect::Incoming incoming{document, path};
                auto decoded = client.decode_request(incoming);
                if (!decoded) std::abort();
                if (front == behind)
                    (void)provider.forward_request(incoming, target);
                else
                    (void)provider.encode_request(
                        dialect::fit(std::move(*decoded), speaker_of(static_cast<Kind>(behind)), true).request, target);
            });
            const auto stream = stream_of(static_cast<Kind>(behind), request);
            const auto answered = measure([&] {
                auto relay = front == behind
                                 ? (front == 0 ? translate::chat_relay({.wants_usage = true})
                                               : translate::same_relay(provider, frame_for(request)))
                                 : translate::translating_relay(provider, client.writer(frame_for(request)), 1, {});
                // As the network brings them, a few events at a time.
                for (std::size_t at = 0; at < stream.size(); at += 1'400) {
                    if (!relay->feed(std::string_view(stream).substr(at, 1'400))) std::abort();
                    (void)relay->take();
                }
                relay->end();
                if (!relay->whole()) std::abort();
            });
            worst_request = std::max(worst_request, asked.median);
            worst_stream = std::max(worst_stream, answered.median);
            fmt::print("{:<18} {:<18} {:>12.2f} {:>16} {:>8.2f} {:>16.2f}\n", name_of(client.kind()),
                       name_of(provider.kind()), asked.median, fmt::format("{:.2f} to {:.2f}", asked.least, asked.most),
                       asked.median / peer.median, answered.median);
        }
    fmt::print("worst: {:.2f} ms a request (goal 2), {:.2f} ms for 1,000 events (goal 3)\n", worst_request,
               worst_stream);
}
