// Usage as OpenAI's Chat Completions and embeddings say it, and as many others say it in the same words with other
// meanings: DeepSeek's hits and misses, Moonshot's cached tokens beside the details, thoughts beside the completion at
// xAI and Perplexity. Where `total_tokens` shows what stands inside what, it decides; else the provider's rule does.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "base/text.h"
#include "ledger/prices/counts.h"

namespace tandem::prices {

namespace {

constexpr auto kReads = {std::string_view("prompt_tokens_details.cached_tokens"),
                         std::string_view("input_tokens_details.cached_tokens"),
                         std::string_view("input_token_details.cached_tokens"),
                         std::string_view("input_tokens_details.cache_read_input_tokens"),
                         std::string_view("prompt_tokens_details.cache_read_input_tokens"),
                         std::string_view("prompt_cache_hit_tokens"),
                         std::string_view("cache_read_input_tokens"),
                         std::string_view("cached_prompt_text_tokens"),
                         std::string_view("prompt_tokens_details.cache_read_tokens"),
                         std::string_view("input_token_details.cache_read"),  // LangChain
                         std::string_view("cached_input_tokens"),             // Codex
                         std::string_view("cached_tokens")};

struct Writes {
    std::int64_t plain = 0, hour = 0, half_day = 0;
    std::int64_t sum() const { return plain + hour + half_day; }
};

Writes writes_of(const Counts& counts) {
    Writes writes;
    const auto all =
        counts.most({"prompt_tokens_details.cache_write_tokens", "input_tokens_details.cache_write_tokens",
                     "cache_creation_input_tokens", "prompt_tokens_details.cache_creation_tokens",
                     "prompt_tokens_details.cache_creation_input_tokens", "cache_write_tokens",
                     "input_tokens_details.cache_creation_input_tokens", "input_token_details.cache_creation"});
    const auto five = counts.count_or_0({"cache_creation.ephemeral_5m_input_tokens",
                                         "prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens",
                                         "prompt_tokens_details.cache_creation.ephemeral_5m_input_tokens",
                                         "input_token_details.ephemeral_5m_input_tokens"});
    writes.hour = counts.count_or_0({"cache_creation.ephemeral_1h_input_tokens",
                                     "prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens",
                                     "prompt_tokens_details.cache_creation.ephemeral_1h_input_tokens",
                                     "input_token_details.ephemeral_1h_input_tokens"});
    writes.plain = std::max(all - writes.hour, five);
    return writes;
}

// The highest counts of a cached prompt that its own words allow.
struct Prompt {
    std::int64_t all = 0;  // with what was read and written inside
    std::int64_t cached = 0;
    Writes writes;
};

// Anthropic's words in OpenAI's shape: a gateway may have put the cache inside the prompt count, or left it beside.
// `reasoning` are thoughts that may explain the same total.
bool cache_stands_beside(const Counts& counts, const Prompt& prompt, std::int64_t answer, std::int64_t reasoning) {
    const auto cache = prompt.cached + prompt.writes.sum();
    if (cache == 0) return false;
    const bool anthropic_words = (counts.has("cache_read_input_tokens") || counts.has("cache_creation_input_tokens")) &&
                                 !counts.has("prompt_tokens_details.cached_tokens") &&
                                 !counts.has("input_tokens_details.cached_tokens");
    const auto total = counts.count({"total_tokens"});
    // A gateway that left the cache beside the prompt may have left it out of the total as well.
    if (!total || *total == prompt.all + answer) return cache > prompt.all && anthropic_words;
    if (*total == prompt.all + cache + answer) return anthropic_words || cache != reasoning;
    return *total == prompt.all + cache + answer + reasoning;
}

void split_answer(const Counts& counts, Reading& reading, std::int64_t answer, std::int64_t reasoning) {
    auto& buckets = reading.buckets;
    const auto part = [&](std::initializer_list<std::string_view> paths, Bucket bucket) {
        const auto count = counts.count_or_0(paths);
        buckets.add(bucket, take(answer, count, name_of(bucket), "the answer", reading));
    };
    part({"completion_tokens_details.audio_tokens", "output_tokens_details.audio_tokens",
          "output_token_details.audio_tokens"},
         Bucket::audio_output);
    part({"completion_tokens_details.image_tokens", "output_tokens_details.image_tokens",
          "output_token_details.image_tokens"},
         Bucket::image_output);
    part({"completion_tokens_details.video_tokens", "output_tokens_details.video_tokens"}, Bucket::video_output);
    buckets.add(Bucket::reasoning, take(answer, reasoning, "reasoning", "the answer", reading));
    buckets.add(Bucket::output, answer);
}

// Whether thoughts are counted beside the answer. `total` decides where it can.
bool thoughts_stand_beside(const Source& source, const Counts& counts, std::int64_t prompt, std::int64_t answer,
                           std::int64_t reasoning, bool rule) {
    if (reasoning == 0) return false;
    // Perplexity leaves thoughts and citations out of the total, which so decides nothing.
    if (rule && source.hints.provider == "perplexity") return true;
    if (const auto total = counts.count({"total_tokens"})) {
        if (*total == prompt + answer) return false;
        if (*total >= prompt + answer + reasoning) return true;
    }
    if (reasoning > answer) return true;  // what is larger than a whole is no part of it
    return rule && source.hints.provider == "xai";
}

// Embeddings and rerankers: what they read is all there is.
bool only_prompts(const Source& source, const Reading& reading) {
    const auto name = lower(reading.model.empty() ? source.hints.model : reading.model);
    return source.body["object"].text() == "list" || name.find("embed") != std::string::npos ||
           name.find("voyage-") != std::string::npos || name.find("rerank") != std::string::npos;
}

// Gemini, asked in OpenAI's words, does not say its thoughts, but they are in the total, and billed.
std::int64_t hidden_thoughts(const Source& source, const Counts& counts, std::int64_t prompt, std::int64_t answer,
                             Reading& reading) {
    const auto total = counts.count({"total_tokens"});
    if (!total || *total <= prompt + answer) return 0;
    const auto more = *total - prompt - answer;
    for (const auto* provider : {"google", "vertex", "xai"})
        if (source.hints.provider == provider) return more;
    if (lower(reading.model).find("gemini") != std::string::npos ||
        lower(source.hints.model).find("gemini") != std::string::npos)
        return more;
    reading.warn(fmt::format("total_tokens is {} more than the prompt and the answer: those are not counted", more));
    return 0;
}

// The names of the objects that tell a prompt's tokens apart, of those that are there.
std::vector<std::string_view> details_of(const json::Value& usage) {
    constexpr auto kNames =
        std::to_array<std::string_view>({"prompt_tokens_details", "input_token_details", "input_tokens_details"});
    std::vector<std::string_view> there;
    std::ranges::copy_if(kNames, std::back_inserter(there), [&](auto name) { return usage[name].exists(); });
    return there;
}

void read(const Source& source, Reading& reading, std::initializer_list<std::string_view> prompt_names,
          std::initializer_list<std::string_view> answer_names, bool thoughts_beside) {
    Counts counts(source.usage, reading);
    Prompt prompt;
    const auto said = counts.count(prompt_names);
    const auto answered = counts.count(answer_names);
    prompt.cached = counts.most(kReads);
    prompt.writes = writes_of(counts);
    const auto misses = counts.count({"prompt_cache_miss_tokens"});
    const auto total = counts.count({"total_tokens"});
    auto answer = answered.value_or(0);
    if (said)
        prompt.all = *said;
    else if (misses)
        prompt.all = prompt.cached + *misses;
    else if (total && *total >= answer && (answered || *total == 0 || only_prompts(source, reading)))
        prompt.all = *total - answer;
    if (!said && (misses || total) && prompt.all > 0 && !only_prompts(source, reading))
        reading.warn("the prompt's tokens are not said: taken from the other counts");
    if (!said && !misses && !total) {
        reading.warn("the prompt's tokens are not said: not counted");
        reading.partial = true;
    }
    if (!answered && total && said && *total > *said) {
        answer = *total - *said;
        reading.warn("the answer's tokens are not said: taken from the total");
    }
    const auto reasoning = counts.count_or_0(
        {"completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens",
         "output_tokens_details.thinking_tokens", "reasoning_tokens", "completion_tokens_details.thinking_tokens",
         "output_token_details.reasoning", "reasoning_output_tokens"});
    if (cache_stands_beside(counts, prompt, answer, reasoning)) prompt.all += prompt.cached + prompt.writes.sum();
    const bool beside = thoughts_stand_beside(source, counts, prompt.all, answer, reasoning, thoughts_beside);
    if (beside) answer += reasoning;
    const auto cited = counts.count_or_0({"citation_tokens"});
    reading.found = said || answered || (total && (*total == 0 || prompt.all > 0)) || misses;
    // Of a total alone nobody knows what the prompt is, so none of it is thoughts.
    const auto hidden = cited > 0 || !reading.found ? 0 : hidden_thoughts(source, counts, prompt.all, answer, reading);

    auto left = prompt.all;
    auto& buckets = reading.buckets;
    const auto cached = take(left, prompt.cached, "what was cached", "the prompt", reading);
    buckets.add(Bucket::cache_write, take(left, prompt.writes.plain, "cache writes", "the prompt", reading));
    buckets.add(Bucket::cache_write_1h, take(left, prompt.writes.hour, "cache writes", "the prompt", reading));
    const auto details = details_of(source.usage);
    const auto kind = [&](std::string_view name) {
        std::int64_t most = 0;
        for (const auto where : details)
            most = std::max(most, counts.count_or_0({fmt::format("{}.{}_tokens", where, name)}));
        return most;
    };
    const auto cached_kind = [&](std::string_view name) {
        for (const auto where : details)
            if (const auto count = counts.count({fmt::format("{}.cached_tokens_details.{}_tokens", where, name)}))
                return *count;
        return std::int64_t{0};
    };
    split_prompt(reading, left + cached, cached, {0, kind("audio"), kind("image"), kind("video")},
                 {cached_kind("text"), cached_kind("audio"), cached_kind("image"), cached_kind("video")});
    buckets.add(Bucket::citation, cited);
    split_answer(counts, reading, answer + hidden, reasoning + hidden);
    if (!reading.found && total)
        reading.warn("only a total is said: what of it is prompt and what answer is not known");
}

}  // namespace

void read_openai(const Source& source, Reading& reading) {
    read(source, reading, {"prompt_tokens", "promptTokens", "input_tokens"},
         {"completion_tokens", "completionTokens", "output_tokens"}, true);
    Counts counts(source.usage, reading);
    if (const auto seconds = thousandths_of(at(source.usage, "prompt_audio_seconds"), "prompt_audio_seconds", reading))
        reading.buckets.add(Bucket::seconds, *seconds);
    reading.buckets.add(Bucket::web_search, counts.count_or_0({"num_search_queries", "search_queries"}));
    reading.buckets.add(Bucket::search_units, counts.count_or_0({"search_units"}));
}

void read_responses(const Source& source, Reading& reading) {
    read(source, reading, {"input_tokens", "prompt_tokens"}, {"output_tokens", "completion_tokens"}, false);
    // Pictures and speech are all that these models give, and some do not say so in the details.
    const auto& model = reading.model.empty() ? source.hints.model : reading.model;
    const bool pictures = model.find("gpt-image") != std::string::npos ||
                          model.find("chatgpt-image") != std::string::npos ||
                          (source.body["data"].exists() && source.body["created"].exists());
    const bool speech = model.find("-tts") != std::string::npos;
    auto& buckets = reading.buckets;
    if ((!pictures && !speech) || at(source.usage, "output_tokens_details").exists()) return;
    const auto kind = pictures ? Bucket::image_output : Bucket::audio_output;
    buckets.add(kind, buckets[Bucket::output]);
    buckets.set(Bucket::output, 0);
}

}  // namespace tandem::prices
