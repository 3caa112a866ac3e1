#include "ledger/prices/buckets.h"

#include <algorithm>

namespace tandem::prices {

constexpr std::array<std::string_view, kBuckets> kBucketNames = {
    "input",       "cache_read",         "cache_write",    "cache_write_1h", "cache_write_12h", "audio_input",
    "image_input", "video_input",        "cached_audio",   "cached_image",   "cached_video",    "output",
    "reasoning",   "audio_output",       "image_output",   "video_output",   "citation",        "requests",
    "web_search",  "web_search_preview", "search_sources", "code_execution", "file_search",     "maps_grounding",
    "x_search",    "search_units",       "images",         "pages",          "seconds",         "characters"};

std::string_view name_of(Bucket bucket) {
    return kBucketNames[static_cast<std::size_t>(bucket)];
}

std::optional<Bucket> bucket_named(std::string_view name) {
    const auto found = std::ranges::find(kBucketNames, name);
    if (found == kBucketNames.end()) return std::nullopt;
    return static_cast<Bucket>(found - kBucketNames.begin());
}

void Buckets::set(Bucket bucket, std::int64_t count) {
    counts_[static_cast<std::size_t>(bucket)] = std::clamp<std::int64_t>(count, 0, kMostCount);
}

std::int64_t Buckets::prompt() const {
    std::int64_t sum = 0;
    for (auto i = Bucket::input; i <= Bucket::cached_video; i = static_cast<Bucket>(static_cast<int>(i) + 1))
        sum += (*this)[i];
    return sum;
}

std::int64_t Buckets::answer() const {
    std::int64_t sum = 0;
    for (auto i = Bucket::output; i <= Bucket::video_output; i = static_cast<Bucket>(static_cast<int>(i) + 1))
        sum += (*this)[i];
    return sum;
}

bool Buckets::empty() const {
    return std::ranges::all_of(counts_, [](auto count) { return count == 0; });
}

Buckets buckets_of(const Usage& usage) {
    Buckets buckets;
    auto input = std::max<std::int64_t>(0, usage.input.count), output = std::max<std::int64_t>(0, usage.output.count);
    const auto take = [&](std::int64_t& whole, Tokens part, Bucket bucket) {
        const auto taken = std::clamp<std::int64_t>(part.count, 0, whole);
        buckets.set(bucket, taken);
        whole -= taken;
    };
    take(input, usage.cached_input, Bucket::cache_read);
    take(input, usage.cache_write, Bucket::cache_write);
    take(output, usage.reasoning, Bucket::reasoning);
    buckets.set(Bucket::input, input);
    buckets.set(Bucket::output, output);
    return buckets;
}

std::optional<Bucket> priced_as(Bucket bucket) {
    switch (bucket) {
        case Bucket::audio_input:
        case Bucket::image_input:
        case Bucket::video_input:
        case Bucket::citation:
            return Bucket::input;
        case Bucket::cached_audio:
        case Bucket::cached_image:
        case Bucket::cached_video:
            return Bucket::cache_read;
        case Bucket::reasoning:
        case Bucket::audio_output:
        case Bucket::image_output:
        case Bucket::video_output:
            return Bucket::output;
        case Bucket::web_search_preview:
            return Bucket::web_search;
        default:
            return std::nullopt;
    }
}

bool is_tokens(Bucket bucket) {
    return bucket <= Bucket::citation;
}

std::int64_t units_of_rate(Bucket bucket) {
    if (is_tokens(bucket) || bucket == Bucket::characters) return 1'000'000;
    if (bucket == Bucket::seconds) return 3'600'000;
    return 1'000;
}

}  // namespace tandem::prices
