#include "ledger/prices/counts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace tandem::prices {

void Reading::warn(std::string text) {
    if (std::ranges::find(warnings, text) == warnings.end()) warnings.push_back(std::move(text));
}

json::Value at(const json::Value& value, std::string_view path) {
    json::Value found = value;
    while (found.exists()) {
        const auto dot = path.find('.');
        found = found[path.substr(0, dot)];
        if (dot == std::string_view::npos) break;
        path.remove_prefix(dot + 1);
    }
    return found;
}

bool Counts::has(std::string_view path) const {
    const auto value = at(usage_, path);
    return value.exists() && !value.is_null();
}

std::optional<std::int64_t> Counts::count(std::initializer_list<std::string_view> paths) const {
    for (const auto path : paths)
        if (const auto value = at(usage_, path); value.exists() && !value.is_null())
            if (const auto count = count_of(value, path, reading_)) return count;
    return std::nullopt;
}

std::int64_t Counts::most(std::initializer_list<std::string_view> paths) const {
    std::int64_t most = 0;
    for (const auto path : paths) most = std::max(most, count_of(at(usage_, path), path, reading_).value_or(0));
    return most;
}

std::optional<std::int64_t> thousandths_of(const json::Value& value, std::string_view name, Reading& reading) {
    if (!value.exists() || value.is_null()) return std::nullopt;
    const bool is_text = value.is(json::Kind::string);
    const auto number = is_text || value.is(json::Kind::number) ? thousandths(trim(value.text())) : std::nullopt;
    if (!number) {
        reading.warn(fmt::format("{} is not a number: not counted", printable(name, 60)));
        return std::nullopt;
    }
    if (is_text)
        reading.warn(fmt::format("{} is a string that holds a number: read as the number", printable(name, 60)));
    if (*number < 0) {
        reading.warn(fmt::format("{} is negative: counted as 0", printable(name, 60)));
        return 0;
    }
    return number;
}

std::optional<std::int64_t> count_of(const json::Value& value, std::string_view name, Reading& reading) {
    const auto number = thousandths_of(value, name, reading);
    if (!number) return std::nullopt;
    const auto count = static_cast<std::int64_t>(divided_half_to_even(*number, 1'000));
    if (*number % 1'000 != 0) reading.warn(fmt::format("{} is a fraction: rounded to {}", printable(name, 60), count));
    if (count <= kMostCount) return count;
    reading.warn(fmt::format("{} is over {}: counted as that", printable(name, 60), kMostCount));
    return kMostCount;
}

std::int64_t take(std::int64_t& whole, std::int64_t part, std::string_view part_name, std::string_view whole_name,
                  Reading& reading) {
    if (part > whole)
        reading.warn(fmt::format("{} ({}) is more than what is left of {} ({}): counted as that", part_name, part,
                                 whole_name, whole));
    const auto taken = std::min(part, whole);
    whole -= taken;
    return taken;
}

void split_prompt(Reading& reading, std::int64_t prompt, std::int64_t cached, Kinds kinds, Kinds cached_kinds) {
    auto left = prompt;
    kinds.audio = take(left, kinds.audio, "audio", "the prompt", reading);
    kinds.image = take(left, kinds.image, "images", "the prompt", reading);
    kinds.video = take(left, kinds.video, "video", "the prompt", reading);
    kinds.text = left;
    auto all = prompt;
    auto cached_left = take(all, cached, "what was cached", "the prompt", reading);
    const auto out_of = [&](std::int64_t& kind, std::int64_t said) {
        const auto taken = std::min({kind, said, cached_left});
        kind -= taken;
        cached_left -= taken;
        return taken;
    };
    auto audio = out_of(kinds.audio, cached_kinds.audio), image = out_of(kinds.image, cached_kinds.image),
         video = out_of(kinds.video, cached_kinds.video);
    const auto text = out_of(kinds.text, cached_left);
    // Left over only where the body does not say of which kind it was, and it cannot all have been text.
    image += out_of(kinds.image, cached_left);
    audio += out_of(kinds.audio, cached_left);
    video += out_of(kinds.video, cached_left);
    auto& buckets = reading.buckets;
    buckets.add(Bucket::input, kinds.text);
    buckets.add(Bucket::audio_input, kinds.audio);
    buckets.add(Bucket::image_input, kinds.image);
    buckets.add(Bucket::video_input, kinds.video);
    buckets.add(Bucket::cache_read, text);
    buckets.add(Bucket::cached_audio, audio);
    buckets.add(Bucket::cached_image, image);
    buckets.add(Bucket::cached_video, video);
}

}  // namespace tandem::prices
