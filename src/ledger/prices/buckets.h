// What one attempt used, in disjoint buckets: no unit stands in two of them, and their sum is what is billed. Cached
// tokens are not in `input`, thoughts are not in `output`, sounds and pictures are in neither.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/money.h"

namespace tandem::prices {

enum class Bucket : std::uint8_t {
    input,            // tokens of text (and of what its provider does not tell apart from text), not from a cache
    cache_read,       // tokens that came out of a prompt cache
    cache_write,      // put into a cache for 5 minutes, or for a time that the provider does not say
    cache_write_1h,   // for an hour
    cache_write_12h,  // for 12 hours and more
    audio_input,
    image_input,
    video_input,
    cached_audio,
    cached_image,
    cached_video,
    output,     // tokens of the answer, thoughts not included
    reasoning,  // tokens of thoughts, shown or not
    audio_output,
    image_output,
    video_output,
    citation,  // tokens of cited text, where a provider bills them
    requests,
    web_search,
    web_search_preview,  // by OpenAI's older tool, which costs more where the model does not reason
    search_sources,      // that a search gave, where each has a fee: xAI's live search
    code_execution,
    file_search,
    maps_grounding,
    x_search,      // of posts, at xAI
    search_units,  // of a reranker
    images,        // whole pictures, where tokens do not count
    pages,         // of a document that was read
    seconds,       // of sound, kept in thousandths
    characters,
};
inline constexpr std::size_t kBuckets = 30;
// The names in the book and in what is printed, in the order of Bucket.
extern const std::array<std::string_view, kBuckets> kBucketNames;
std::string_view name_of(Bucket bucket);
std::optional<Bucket> bucket_named(std::string_view name);

// The most that a count is believed, the same as in the rows of the ledger; a larger one is a mistake somewhere, and
// products of it must not wrap.
inline constexpr std::int64_t kMostCount = kMostTokens;

class Buckets {
  public:
    std::int64_t operator[](Bucket bucket) const { return counts_[static_cast<std::size_t>(bucket)]; }
    // Kept between 0 and kMostCount.
    void set(Bucket bucket, std::int64_t count);
    void add(Bucket bucket, std::int64_t count) { set(bucket, (*this)[bucket] + count); }
    // Tokens of the prompt whatever they are and wherever they came from: what tiers by length go by.
    std::int64_t prompt() const;
    std::int64_t answer() const;  // all tokens that came back
    bool empty() const;
    bool operator==(const Buckets&) const = default;

  private:
    std::array<std::int64_t, kBuckets> counts_{};
};

// The buckets of a usage whose parts stand inside their wholes. A part that is larger than its whole is cut.
Buckets buckets_of(const Usage& usage);

// Where a bucket without a rate of its own takes it from: audio from input, thoughts from output. nullopt where there
// is no such bucket. A cache write has none: that it costs as much as input is for the book to say.
std::optional<Bucket> priced_as(Bucket bucket);
bool is_tokens(Bucket bucket);
// How many units the book's rate of a bucket is for: a million tokens or characters, a thousand calls, an hour (in
// thousandths of a second).
std::int64_t units_of_rate(Bucket bucket);

}  // namespace tandem::prices
