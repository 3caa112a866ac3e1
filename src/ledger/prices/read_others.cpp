// Usage in words of their own: Bedrock, Cohere, Ollama, llama.cpp.
#include <fmt/format.h>

#include <algorithm>

#include "ledger/prices/counts.h"

namespace tandem::prices {

// Converse: the cache stands beside inputTokens, as at Anthropic; of InvokeModel the metrics of a stream and Titan.
void read_bedrock(const Source& source, Reading& reading) {
    Counts counts(source.usage, reading);
    const auto input = counts.count({"inputTokens", "inputTokenCount", "inputTextTokenCount"});
    auto output = counts.count({"outputTokens", "outputTokenCount", "totalOutputTextTokenCount"});
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
