// Usage as Gemini says it, at Google's API and at Vertex: cached tokens inside the prompt, thoughts and what tools put
// into the prompt beside it. SDKs write the same names with low lines.
#include <fmt/format.h>

#include <algorithm>

#include "ledger/prices/counts.h"

namespace tandem::prices {

namespace {

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

json::Value either(const json::Value& value, std::string_view one, std::string_view other) {
    const auto found = value[one];
    return found.exists() ? found : value[other];
}

// Documents are read as pictures, and billed so.
Kinds kinds_of(const json::Value& details, Reading& reading) {
    Kinds kinds;
    for (const auto one : details.children()) {
        auto said = either(one, "tokenCount", "token_count");
        if (!said.exists()) said = one["tokens"];
        const auto count = count_of(said, "tokenCount", reading).value_or(0);
        const auto modality = upper(one["modality"].text());
        if (modality == "AUDIO")
            kinds.audio += count;
        else if (modality == "IMAGE" || modality == "DOCUMENT")
            kinds.image += count;
        else if (modality == "VIDEO")
            kinds.video += count;
        else
            kinds.text += count;
    }
    return kinds;
}

void split_answer(Reading& reading, std::int64_t answer, const Kinds& kinds) {
    auto& buckets = reading.buckets;
    buckets.add(Bucket::audio_output, take(answer, kinds.audio, "audio", "the answer", reading));
    buckets.add(Bucket::image_output, take(answer, kinds.image, "images", "the answer", reading));
    buckets.add(Bucket::video_output, take(answer, kinds.video, "video", "the answer", reading));
    buckets.add(Bucket::output, answer);
}

}  // namespace

void read_gemini(const Source& source, Reading& reading) {
    const auto& usage = source.usage;
    Counts counts(usage, reading);
    auto prompt = counts.count({"promptTokenCount", "prompt_token_count"});
    auto cached = counts.count_or_0({"cachedContentTokenCount", "cached_content_token_count"});
    auto answer =
        counts.count({"candidatesTokenCount", "candidates_token_count", "responseTokenCount", "response_token_count"});
    const auto thoughts = counts.count_or_0({"thoughtsTokenCount", "thoughts_token_count"});
    const auto tools = counts.count_or_0({"toolUsePromptTokenCount", "tool_use_prompt_token_count"});
    const auto total = counts.count({"totalTokenCount", "total_token_count"});
    reading.found = prompt || answer || total || thoughts > 0;
    if (!answer && total && prompt && *total > *prompt + thoughts + tools) {
        answer = *total - *prompt - thoughts - tools;
        reading.warn("the answer's tokens are not said: taken from the total");
    }
    if (!prompt && answer && total && *total > *answer + thoughts + tools) {
        prompt = *total - *answer - thoughts - tools;
        reading.warn("the prompt's tokens are not said: taken from the total");
    }
    if (!prompt && reading.found) {
        reading.warn("the prompt's tokens are not said: not counted");
        reading.partial = true;
    }
    const auto sum = prompt.value_or(0) + answer.value_or(0) + thoughts + tools;
    if (total && *total != sum && *total > 0 && prompt && answer)
        reading.warn(fmt::format("totalTokenCount is {}, its parts add up to {}: the parts are counted", *total, sum));
    const auto cached_kinds = kinds_of(either(usage, "cacheTokensDetails", "cache_tokens_details"), reading);
    split_prompt(reading, prompt.value_or(0), cached,
                 kinds_of(either(usage, "promptTokensDetails", "prompt_tokens_details"), reading), cached_kinds);
    if (tools > 0)
        split_prompt(reading, tools, 0,
                     kinds_of(either(usage, "toolUsePromptTokensDetails", "tool_use_prompt_tokens_details"), reading),
                     {});
    auto kinds = kinds_of(either(usage, "candidatesTokensDetails", "candidates_tokens_details"), reading);
    if (kinds.sum() == 0) kinds = kinds_of(either(usage, "responseTokensDetails", "response_tokens_details"), reading);
    split_answer(reading, answer.value_or(0), kinds);
    reading.buckets.add(Bucket::reasoning, thoughts);
}

// The same things under the newer API's names: tokens that a cache gave stand inside the input, thoughts and what tools
// put in stand beside.
void read_interactions(const Source& source, Reading& reading) {
    const auto& usage = source.usage;
    Counts counts(usage, reading);
    const auto prompt = counts.count({"total_input_tokens"}), answer = counts.count({"total_output_tokens"});
    const auto thoughts = counts.most({"total_thought_tokens", "total_reasoning_tokens"});
    const auto tools = counts.count_or_0({"total_tool_use_tokens"});
    const auto sum = prompt.value_or(0) + answer.value_or(0) + thoughts + tools;
    if (const auto total = counts.count({"total_tokens"}); total && *total != sum && prompt && answer)
        reading.warn(fmt::format("total_tokens is {}, its parts add up to {}: the parts are counted", *total, sum));
    split_prompt(reading, prompt.value_or(0), counts.count_or_0({"total_cached_tokens"}),
                 kinds_of(usage["input_tokens_by_modality"], reading),
                 kinds_of(usage["cached_tokens_by_modality"], reading));
    if (tools > 0) split_prompt(reading, tools, 0, kinds_of(usage["tool_use_tokens_by_modality"], reading), {});
    split_answer(reading, answer.value_or(0), kinds_of(usage["output_tokens_by_modality"], reading));
    reading.buckets.add(Bucket::reasoning, thoughts);
    reading.found = prompt || answer;
    if (!prompt) reading.warn("the prompt's tokens are not said: not counted");
}

}  // namespace tandem::prices
