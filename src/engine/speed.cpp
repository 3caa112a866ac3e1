#include "engine/speed.h"

#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <new>
#include <numeric>
#include <thread>
#include <vector>

namespace tandem::engine {

namespace {

constexpr std::int64_t kLargestBuffer = 512LL << 20;  // bytes: more than the caches of any one CPU of today
constexpr std::int64_t kSmallestBuffer = 16LL << 20;
constexpr std::chrono::milliseconds kTime{200};
constexpr int kMostThreads = 256;
constexpr std::size_t kStep = 1UL << 20;  // bytes between two looks at the clock

using Clock = std::chrono::steady_clock;

// Seconds that this thread had a CPU: what other programs take of it is not counted.
double time_of_thread() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

constexpr int kFill = 1, kNowhere = 0;

// Reads `size` bytes as fast as the C library can, and finds nothing in them.
bool read_all(const char* bytes, std::size_t size) {
    return std::memchr(bytes, kNowhere, size) == nullptr;
}

}  // namespace

std::int64_t bytes_per_token(const GgufFacts& facts, const NeedSettings& settings, std::int64_t seen) {
    auto weights = static_cast<double>(facts.tensor_bytes);
    if (facts.has_output) weights -= static_cast<double>(facts.embedding_bytes);
    if (facts.experts > 0 && facts.experts_used > 0 && facts.experts_used <= facts.experts)
        weights -= static_cast<double>(facts.expert_bytes) *
                   (1 - static_cast<double>(facts.experts_used) / static_cast<double>(facts.experts));
    auto one = settings;
    one.slots = 1;
    one.context_tokens = std::max<std::int64_t>(1, seen);
    const auto need = memory_need(facts, one);
    return static_cast<std::int64_t>(std::max(0.0, weights)) + (seen > 0 ? need.cache() : need.recurrent);
}

Bandwidth measure_bandwidth(int threads, std::int64_t most_bytes) {
    Bandwidth result;
    const auto bytes = std::min(kLargestBuffer, most_bytes);
    const auto count = std::clamp(threads, 1, kMostThreads);
    if (bytes < kSmallestBuffer) return result;
    const auto share = static_cast<std::size_t>(bytes) / static_cast<std::size_t>(count);
    const std::unique_ptr<char[]> buffer(new (std::nothrow) char[share * static_cast<std::size_t>(count)]);
    if (!buffer) return result;
    std::vector<double> best(static_cast<std::size_t>(count));
    std::atomic<int> filled{0};
    const auto read = [&](std::size_t mine) {
        auto* part = buffer.get() + mine * share;
        std::memset(part, kFill, share);  // its pages come to be near this thread
        ++filled;
        while (filled < count) std::this_thread::yield();
        const auto end = Clock::now() + kTime;
        bool good = true;
        while (good && Clock::now() < end) {
            const auto began = time_of_thread();
            std::size_t at = 0;
            for (; good && at < share && Clock::now() < end; at += kStep)
                good = read_all(part + at, std::min(kStep, share - at));
            const auto took = time_of_thread() - began;
            if (took > 0 && at * 4 >= share)  // a pass that the end cut short still says something
                best[mine] = std::max(best[mine], static_cast<double>(std::min(at, share)) / took);
        }
    };
    std::vector<std::jthread> running;
    for (int i = 0; i < count; ++i) running.emplace_back(read, static_cast<std::size_t>(i));
    running.clear();
    result.bytes_per_second = std::accumulate(best.begin(), best.end(), 0.0);
    result.threads = count;
    result.buffer_bytes = static_cast<std::int64_t>(share * static_cast<std::size_t>(count));
    return result;
}

}  // namespace tandem::engine
