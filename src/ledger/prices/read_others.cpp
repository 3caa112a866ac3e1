// Usage in words of their own: Bedrock, Cohere, Ollama, llama.cpp.
#include <fmt/format.h>

#include <algorithm>

#include "ledger/prices/counts.h"

namespace tandem::prices {

// Converse: the cache stands beside inputTokens, as at Anthropic; of InvokeModel the metrics of a stream and Titan.
void read_bedrock(const Source& source, Reading& reading) {
    Counts counts(source.usage, reading);
    const auto input = counts.count({"inputTokens", "inputTokenCount", "inputTextTokenCount", "prompt_token_count"});
    auto output =
        counts.count({"outputTokens", "outputTokenCount", "totalOutputTextTokenCount", "generation_token_count"});
    if (!output && source.usage["results"].exists()) {
        std::int64_t sum = 0;
        for (const auto one : source.usage["results"].children())
            sum += count_of(one["tokenCount"], "tokenCount", reading).value_or(0);
        output = sum;
    }
    const auto written = counts.count_or_0({"cacheWriteInputTokens", "cacheWriteInputTokenCount"});
    std::int64_t hour = 0, five = 0;
    for (const auto one : source.usage["cacheDetails"].children()) {
        const auto count = count_of(one["inputTokens"], "cacheDetails.inputTokens", reading).value_or(0);
        (one["ttl"].text() == "1h" ? hour : five) += count;
    }
    auto& buckets = reading.buckets;
    buckets.add(Bucket::input, input.value_or(0));
    buckets.add(Bucket::cache_read, counts.count_or_0({"cacheReadInputTokens", "cacheReadInputTokenCount"}));
    buckets.add(Bucket::cache_write_1h, hour);
    buckets.add(Bucket::cache_write, std::max(five, written - hour));
    buckets.add(Bucket::output, output.value_or(0));
    reading.found = input || output;
    if (!input && output) {
        reading.warn("the prompt's tokens are not said: not counted");
        reading.partial = true;
    }
}

// Vercel's SDK, with one set of words for all providers. Of its versions some count the cache and the thoughts inside,
// some beside: the total decides, and what does not fit stands beside.
void read_vercel(const Source& source, Reading& reading) {
    Counts counts(source.usage, reading);
    const auto prompt = counts.count({"inputTokens"}), output = counts.count({"outputTokens"});
    const auto total = counts.count({"totalTokens"});
    const auto cached = counts.most({"cachedInputTokens", "inputTokenDetails.cacheReadTokens"});
    const auto written = counts.count_or_0({"inputTokenDetails.cacheWriteTokens"});
    const auto thoughts = counts.most({"reasoningTokens", "outputTokenDetails.reasoningTokens"});
    auto all = prompt.value_or(0), answer = output.value_or(0);
    if (thoughts > 0 && total && *total == all + answer + thoughts) answer += thoughts;
    if (cached + written > all) {
        reading.warn("more was cached than the prompt holds: taken to stand beside it");
        all += cached + written;
    }
    auto& buckets = reading.buckets;
    buckets.add(Bucket::cache_write, take(all, written, "cache writes", "the prompt", reading));
    split_prompt(reading, all, cached, {}, {});
    buckets.add(Bucket::reasoning, take(answer, thoughts, "reasoning", "the answer", reading));
    buckets.add(Bucket::output, answer);
    reading.found = prompt || output;
}

// What is billed is not what was read: `billed_units` counts, `tokens` only where that is missing.
void read_cohere(const Source& source, Reading& reading) {
    Counts counts(source.usage, reading);
    const bool billed = counts.has("billed_units");
    if (!billed) reading.warn("billed_units are missing: the tokens are counted, and may be more than what is billed");
    auto input = billed ? counts.count({"billed_units.input_tokens"}) : counts.count({"tokens.input_tokens"});
    const auto output = billed ? counts.count({"billed_units.output_tokens"}) : counts.count({"tokens.output_tokens"});
    auto& buckets = reading.buckets;
    auto left = input.value_or(0);
    if (!billed)
        buckets.add(Bucket::cache_read,
                    take(left, counts.count_or_0({"cached_tokens"}), "what was cached", "the prompt", reading));
    buckets.add(Bucket::image_input, counts.count_or_0({"billed_units.image_tokens"}));
    buckets.add(Bucket::input, left);
    buckets.add(Bucket::output, output.value_or(0));
    buckets.add(Bucket::search_units, counts.count_or_0({"billed_units.search_units"}));
    buckets.add(Bucket::images, counts.count_or_0({"billed_units.images"}));
    reading.found = input || output || billed;
}

void read_ollama(const Source& source, Reading& reading) {
    Counts counts(source.usage, reading);
    const auto prompt = counts.count({"prompt_eval_count"});
    const auto answer = counts.count({"eval_count"});
    if (!prompt) {
        reading.warn("prompt_eval_count is missing, which Ollama leaves out where the prompt was cached: not counted");
        reading.partial = true;
    }
    reading.buckets.add(Bucket::input, prompt.value_or(0));
    reading.buckets.add(Bucket::output, answer.value_or(0));
    reading.found = prompt || answer;
}

// /completion: `tokens_evaluated` is the whole prompt; `timings` say what of it was worked out and what was cached.
void read_llama_cpp(const Source& source, Reading& reading) {
    Counts counts(source.usage, reading);
    const auto worked = counts.count({"timings.prompt_n"});
    const auto cached = counts.count_or_0({"timings.cache_n"});
    auto prompt = counts.count({"tokens_evaluated"});
    if (!prompt && worked) prompt = *worked + cached;
    const auto answer = counts.count({"tokens_predicted", "timings.predicted_n"});
    split_prompt(reading, prompt.value_or(0), cached, {}, {});
    reading.buckets.add(Bucket::output, answer.value_or(0));
    reading.found = prompt || answer;
}

}  // namespace tandem::prices
