// How fast the detectors are: bench_privacy FILE [WAY]. The file's text is cut into prompts of 1 KiB and of 200 KiB;
// each way goes over all of them, on one thread, and prints one line of JSON: MB/s, and microseconds a prompt at the
// median and the 99th of a hundred. bench/privacy/run puts the peers beside it.
#include "privacy/privacy.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "privacy/redact.h"

using namespace tandem;

namespace {

using SteadyClock = std::chrono::steady_clock;

std::string read(const char* name) {
    std::ifstream in(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// Cut at a character's edge.
std::vector<std::string> prompts(const std::string& text, std::size_t size) {
    std::vector<std::string> result;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = std::min(at + size, text.size());
        while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
        result.push_back(text.substr(at, end - at));
        at = end;
    }
    return result;
}

void measure(std::string_view name, std::size_t size, const std::vector<std::string>& texts,
             const std::function<void(const std::string&)>& work) {
    for (std::size_t i = 0; i < std::min<std::size_t>(texts.size(), 50); ++i) work(texts[i]);
    std::vector<double> each;
    std::size_t bytes = 0;
    double total = 0;
    // At least two seconds, and all of the text once.
    for (int round = 0; round == 0 || (total < 2e6 && round < 1000); ++round)
        for (const auto& text : texts) {
            const auto from = SteadyClock::now();
            work(text);
            const double us = std::chrono::duration<double, std::micro>(SteadyClock::now() - from).count();
            each.push_back(us);
            total += us;
            bytes += text.size();
        }
    std::ranges::sort(each);
    fmt::print(R"({{"what":"{}","prompt_bytes":{},"mb_per_s":{:.1f},"p50_us":{:.1f},"p99_us":{:.1f}}})"
               "\n",
               name, size, static_cast<double>(bytes) / total, each[each.size() / 2], each[each.size() * 99 / 100]);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3) {
        fmt::print(stderr, "bench_privacy FILE [WAY]\n");
        return 2;
    }
    const auto text = read(argv[1]);
    const auto detector = privacy::make_detector();
    const auto folder = std::filesystem::temp_directory_path() / "tandem-bench-privacy";
    std::filesystem::create_directories(folder);
    const auto keys = privacy::Keys::open(folder, "");
    if (text.empty() || !detector || !keys) {
        fmt::print(stderr, "cannot read {}, or the detectors do not run here\n", argv[1]);
        return 1;
    }
    const config::Detection detection;
    constexpr std::array<std::optional<config::Treatment>, 4> kRedact = {
        std::nullopt, config::Treatment::redact, config::Treatment::redact, config::Treatment::redact};
    const std::string_view only = argc > 2 ? argv[2] : "";
    auto measure = [&](std::string_view name, std::size_t size, const std::vector<std::string>& texts,
                       const std::function<void(const std::string&)>& work) {
        if (only.empty() || only == name) ::measure(name, size, texts, work);
    };
    for (const std::size_t size : {std::size_t{1024}, std::size_t{200 * 1024}}) {
        const auto texts = prompts(text, size);
        measure("patterns", size, texts, [&](const std::string& t) { (void)(*detector)->scan(t, false); });
        measure("patterns and names", size, texts, [&](const std::string& t) { (void)(*detector)->scan(t, true); });
        std::vector<std::string> bodies;
        for (const auto& t : texts) {
            std::string body = R"({"model":"auto","messages":[{"role":"user","content":)";
            json::append_string(body, t);
            bodies.push_back(body + "}]}");
        }
        json::Document document;
        measure("label of a request", size, bodies, [&](const std::string& body) {
            if (!document.parse(body)) return;
            privacy::Labelled labelled;
            privacy::label_by_content(**detector, document, detection, labelled);
        });
        measure("redaction of a request", size, bodies, [&](const std::string& body) {
            if (!document.parse(body)) return;
            (void)privacy::redact(document, **detector, {detection, kRedact, false}, {}, **keys);
        });
    }
    return 0;
}
