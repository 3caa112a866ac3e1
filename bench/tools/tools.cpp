// What holding calls adds to a request: making the grammar of its tools, reading its answer for calls, judging a call
// by its schema. CPU time of a request each, for 1, 10 and 60 tools. Beside it, in the same run, what Boost.JSON takes
// to read the tools and the answer once: a peer that does nothing but JSON. Medians of the rounds.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <boost/json/src.hpp>
#include <functional>

#include "tools/hold.h"
#include "tools/reader.h"

namespace {

using namespace tandem;

constexpr int kRounds = 101;
constexpr std::size_t kPiece = 12;  // bytes of an event of a stream, as a token comes

double cpu_us() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

double median(const std::function<void()>& work) {
    std::vector<double> times;
    for (int i = 0; i < kRounds; ++i) {
        const double start = cpu_us();
        work();
        times.push_back(cpu_us() - start);
    }
    std::ranges::sort(times);
    return times[kRounds / 2];
}

constexpr const char* kSchema =
    R"({"type":"object","properties":{"path":{"type":"string","description":"Where the file lies, below the root of the project"},)"
    R"("edits":{"type":"array","items":{"type":"object","properties":{"old":{"type":"string"},"new":{"type":"string"},)"
    R"("all":{"type":"boolean"}},"required":["old","new"],"additionalProperties":false}},"mode":{"enum":["a","b","c"]},)"
    R"("lines":{"type":"integer","minimum":1}},"required":["path","edits"],"additionalProperties":false})";

chat::Request with_tools(int count) {
    chat::Request request;
    for (int i = 0; i < count; ++i) {
        chat::Tool tool;
        tool.name = fmt::format("tool_{}", i);
        tool.description = "Changes a file as its edits say";
        tool.parameters.json = kSchema;
        request.tools.push_back(std::move(tool));
    }
    return request;
}

std::string words(std::size_t size) {
    std::string text;
    while (text.size() < size) text += "The file has been read, and \"names\" in it are as they were { before }; ";
    return text;
}

std::string call() {
    std::string edits;
    for (int i = 0; i < 10; ++i)
        edits += fmt::format(R"({}{{"old": "line {} of the file as it stands", "new": "what stands there then"}})",
                             i == 0 ? "" : ", ", i);
    return R"({"name": "tool_0", "arguments": {"path": "src/main.cpp", "edits": [)" + edits + "]}}";
}

// As an answer comes: in pieces, through both filters.
void read(const std::shared_ptr<const tools::Offer>& offer, const std::string& answer) {
    auto notes = std::make_shared<tools::CallNotes>();
    const auto written = tools::written_calls(offer, "x", true, notes), held = tools::held_calls(offer, {}, notes);
    std::vector<chat::Event> out, said;
    for (std::size_t at = 0; at < answer.size(); at += kPiece) {
        out.clear();
        written->take(chat::TextDelta{0, answer.substr(at, kPiece)}, out);
        for (auto& event : out) held->take(std::move(event), said);
    }
    out.clear();
    written->take(chat::Finished{}, out);
    written->end(out);
    for (auto& event : out) held->take(std::move(event), said);
    held->end(said);
}

}  // namespace

int main() {
    fmt::print("{:<44} {:>6} {:>12} {:>12} {:>7}\n", "median CPU time of a request", "tools", "here, us", "JSON, us",
               "ratio");
    const auto line = [](const char* what, int count, double here, double peer) {
        fmt::print("{:<44} {:>6} {:>12.1f} {:>12.1f} {:>7.1f}\n", what, count, here, peer, here / peer);
    };
    const auto text = words(4'000), made = "<tool_call>" + call() + "</tool_call>";
    for (const int count : {1, 10, 60}) {
        const auto request = with_tools(count);
        const double tools_json = median([&] {
            for (const auto& tool : request.tools) boost::json::parse(tool.parameters.json);
        });
        const double text_json = median([&] { boost::json::parse(boost::json::serialize(boost::json::string(text))); });
        const double call_json = median([&] { boost::json::parse(call()); });
        line("grammar", count, median([&] { (void)tools::hold_calls(request); }), tools_json);
        line("schemas, compiled once a request", count,
             median([&] { (void)tools::Offer(request.tools).schema("tool_0"); }), tools_json);
        const auto offer = std::make_shared<const tools::Offer>(request.tools);
        line("an answer of 4,000 bytes without a call", count, median([&] { read(offer, text); }), text_json);
        line("a call of 900 bytes, read and judged", count, median([&] { read(offer, made); }), call_json);
    }
}
