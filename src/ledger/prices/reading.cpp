#include "ledger/prices/reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/json_mend.h"
#include "base/text.h"
#include "base/time_text.h"
#include "ledger/prices/book.h"
#include "ledger/prices/counts.h"
#include "ledger/prices/names.h"

namespace tandem::prices {

namespace {

constexpr int kMostWrappers = 4;

// Where the counts stand in a body or an event, the place that is looked at first first.
json::Value usage_of(const json::Value& body) {
    for (const auto* path :
         {"usage", "usageMetadata", "usage_metadata", "message.usage", "delta.usage", "x_groq.usage", "metadata.usage",
          "interaction.usage", "amazon-bedrock-invocationMetrics", "usage_info", "meta"}) {
        const auto found = at(body, path);
        if (found.is(json::Kind::object) && (std::string_view(path) != "meta" || found["billed_units"].exists()))
            return found;
    }
    for (const auto choice : body["choices"].children())  // Moonshot's streams
        if (choice["usage"].is(json::Kind::object)) return choice["usage"];
    return {};
}

bool has_any(const json::Value& value, std::initializer_list<std::string_view> paths) {
    return std::ranges::any_of(paths, [&](auto path) {
        const auto found = at(value, path);
        return found.exists() && !found.is_null();
    });
}

// Counts that stand in the object itself: a usage object alone, or a body that has no object for them.
bool holds_counts(const json::Value& value) {
    return has_any(value, {"prompt_tokens",
                           "completion_tokens",
                           "input_tokens",
                           "output_tokens",
                           "total_tokens",
                           "promptTokenCount",
                           "prompt_token_count",
                           "candidatesTokenCount",
                           "candidates_token_count",
                           "totalTokenCount",
                           "inputTokens",
                           "outputTokens",
                           "inputTextTokenCount",
                           "inputTokenCount",
                           "billed_units",
                           "prompt_eval_count",
                           "eval_count",
                           "tokens_evaluated",
                           "timings.prompt_n",
                           "pages_processed",
                           "prompt_cache_hit_tokens",
                           "total_input_tokens",
                           "generation_token_count",
                           "predictions"});
}

// Whether `body` is a line of a batch's output: each provider puts something of its own around the response.
bool is_of_batch(const json::Value& body) {
    if (has_any(body, {"response.body", "result.message", "modelOutput", "custom_id"})) return true;
    if (!has_any(body, {"response.usageMetadata"})) return false;
    return has_any(body, {"key", "metadata.key", "processed_time"}) || has_any(body["request"], {"contents"});
}

std::optional<std::int64_t> time_said(const json::Value& body) {
    for (const auto* path : {"created", "created_at", "createTime", "create_time"})
        if (const auto time = time_of(body[path])) return time;
    return std::nullopt;
}

// Takes a response out of what it came in: a line of a batch's output, an event of a stream. What stands around it may
// say the time: it is taken where nothing inside says one.
json::Value unwrapped(json::Value body, bool answer, bool& batch, std::optional<std::int64_t>& time) {
    constexpr auto kWrappers =
        std::to_array<std::string_view>({"response.body", "result.message", "modelOutput", "response", "result", "body",
                                         "data", "chunk", "interaction"});
    constexpr auto kOfEvents = std::to_array<std::string_view>({"response", "interaction"});
    const std::span<const std::string_view> wrappers =
        answer ? std::span<const std::string_view>(kOfEvents) : kWrappers;
    for (int i = 0; i < kMostWrappers; ++i) {
        batch = batch || (!answer && is_of_batch(body));
        if (const auto said = time_said(body)) time = said;
        if (usage_of(body).exists()) return body;
        json::Value inner;
        for (const auto path : wrappers)
            if (const auto found = at(body, path); found.is(json::Kind::object)) {
                inner = found;
                break;
            }
        if (!inner.exists()) return body;
        body = inner;
    }
    return body;
}

using Read = void (*)(const Source&, Reading&);

bool says_anthropic(const Source& source) {
    if (has_any(source.usage, {"cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation",
                               "server_tool_use", "output_tokens_details.thinking_tokens", "inference_geo", "speed"}))
        return !has_any(source.usage, {"input_tokens_details.cached_tokens"}) &&
               source.body["object"].text() != "response";
    const auto type = source.body["type"].text();
    if (type == "message" || type == "message_delta" || type == "message_start") return true;
    if (has_any(source.usage, {"input_tokens_details", "input_token_details", "total_tokens"}) ||
        source.body["object"].exists())
        return false;
    const auto dialect = lower(source.hints.dialect);
    return dialect.find("anthropic") != std::string::npos || dialect.find("messages") != std::string::npos ||
           source.hints.provider == "anthropic";
}

Read reader_of(const Source& source) {
    const auto& usage = source.usage;
    if (has_any(usage, {"generation_token_count"}))
        return read_bedrock;  // Llama there; its prompt is named as Gemini's
    if (has_any(usage, {"total_input_tokens", "total_output_tokens"})) return read_interactions;
    if (has_any(usage, {"promptTokenCount", "prompt_token_count", "candidatesTokenCount", "candidates_token_count",
                        "totalTokenCount", "total_token_count"}))
        return read_gemini;
    if (has_any(usage, {"billed_units", "tokens.input_tokens", "tokens.output_tokens"})) return read_cohere;
    if (has_any(usage, {"cachedInputTokens", "reasoningTokens", "inputTokenDetails", "outputTokenDetails"}))
        return read_vercel;
    if (has_any(usage, {"inputTokens", "outputTokens", "inputTextTokenCount", "inputTokenCount", "outputTokenCount"}))
        return read_bedrock;
    if (has_any(usage, {"prompt_tokens", "completion_tokens", "promptTokens", "prompt_cache_hit_tokens"}))
        return read_openai;
    if (has_any(usage, {"input_tokens", "output_tokens"}))
        return says_anthropic(source) ? read_anthropic : read_responses;
    if (has_any(usage, {"prompt_eval_count", "eval_count"})) return read_ollama;
    if (has_any(usage, {"tokens_evaluated", "timings.prompt_n"})) return read_llama_cpp;
    if (has_any(usage, {"total_tokens"})) return read_openai;
    return nullptr;
}

// Sound by its length, pages, pictures without tokens: bodies that do not count tokens at all.
void read_without_tokens(const Source& source, Reading& reading) {
    auto& buckets = reading.buckets;
    const auto seconds = [&](const json::Value& value, std::string_view name) {
        if (const auto read = thousandths_of(value, name, reading)) {
            buckets.add(Bucket::seconds, *read);
            reading.found = true;
        }
    };
    if (source.usage["seconds"].exists())
        seconds(source.usage["seconds"], "usage.seconds");
    else if (source.body["text"].exists() && source.body["duration"].exists())
        seconds(source.body["duration"], "duration");
    if (const auto pages = count_of(source.usage["pages_processed"], "pages_processed", reading)) {
        buckets.add(Bucket::pages, *pages);
        reading.found = true;
    }
    if (reading.found || !source.body["created"].exists() || !source.body["data"].is(json::Kind::array)) return;
    for (const auto one : source.body["data"].children())
        if (one["b64_json"].exists() || one["url"].exists()) buckets.add(Bucket::images, 1);
    reading.found = buckets[Bucket::images] > 0;
}

// Vertex: what was embedded, each with its tokens.
void read_predictions(const Source& source, Reading& reading) {
    for (const auto one : source.body["predictions"].children()) {
        auto statistics = at(one, "embeddings.statistics");
        if (!statistics.exists()) statistics = one["statistics"];
        if (const auto count = count_of(statistics["token_count"], "token_count", reading)) {
            reading.buckets.add(Bucket::input, *count);
            reading.found = true;
        }
    }
}

// Answers that only count, and are free: the same words as a usage, and no use.
bool only_counts(const Source& source) {
    const auto& body = source.body;
    if (body["object"].text() == "response.input_tokens") return true;
    if (source.usage.offset() != body.offset() || !body.is(json::Kind::object)) return false;
    const auto others = body.size() - (body["context_management"].exists() ? 1 : 0) - (body["type"].exists() ? 1 : 0);
    return others == 1 && has_any(body, {"input_tokens", "inputTokens", "totalTokens"});
}

// Creating a cache at Gemini: the total is what was put into it, and is billed as input.
bool read_created_cache(const Source& source, Reading& reading) {
    const auto name = source.body["name"].text();
    if (!name.starts_with("cachedContents/") && name.find("/cachedContents/") == std::string_view::npos) return false;
    const auto total = Counts(source.usage, reading).count({"totalTokenCount", "total_token_count"});
    if (!total) return false;
    reading.buckets.add(Bucket::input, *total);
    reading.warn("a cache was made: its tokens are counted as input; what keeping it costs is not counted");
    reading.found = true;
    return true;
}

// The provider, where only one of them writes so. What gateways pass on keeps its maker's words, so a mark says less
// than a provider that is given.
std::string provider_by_shape(const Source& source) {
    const auto& [body, usage, hints] = source;
    const auto any = [](const json::Value& value, std::initializer_list<std::string_view> paths) {
        return has_any(value, paths);
    };
    if (any(usage, {"cost_details", "is_byok"}) ||
        (body["id"].text().starts_with("gen-") && body["provider"].string().has_value()))
        return "openrouter";
    if (any(body, {"x_groq"}) || any(usage, {"queue_time"})) return "groq";
    if (any(usage, {"cost_in_usd_ticks", "num_sources_used"})) return "xai";
    if (any(body, {"time_info.queue_time"})) return "cerebras";
    if (any(body, {"prompt_filter_results"})) return "azure";
    for (const auto choice : body["choices"].children())
        if (any(choice, {"content_filter_results"})) return "azure";
    if (any(usage, {"inputTextTokenCount", "generation_token_count", "inputTokenCount", "cacheReadInputTokens"}) ||
        any(body, {"amazon-bedrock-invocationMetrics", "modelOutput", "metrics.latencyMs"}) ||
        (any(usage, {"inputTokens"}) && any(body, {"stopReason", "output.message"})))
        return "bedrock";
    if (any(usage, {"trafficType", "traffic_type"})) return "vertex";
    if (any(usage, {"billed_units"})) return "cohere";
    if (any(usage, {"citation_tokens", "search_context_size"})) return "perplexity";
    return {};
}

Reading read_one(const json::Value& given, Hints hints) {
    Reading reading;
    bool batch = false;
    Source source{unwrapped(given, hints.answer, batch, reading.time_ms), {}, std::move(hints)};
    source.usage = usage_of(source.body);
    if (!source.usage.exists() || (!holds_counts(source.usage) && holds_counts(source.body)))
        source.usage = source.body;
    for (const auto* path : {"model", "modelVersion", "model_version", "message.model", "interaction.model"})
        if (const auto name = at(source.body, path).string(); name && !name->empty()) {
            reading.model = *name;
            break;
        }
    reading.provider = provider_by_shape(source);
    reading.by_shape = !reading.provider.empty();
    for (const auto* name : {&source.hints.model, &reading.model})
        if (reading.provider.empty()) reading.provider = provider_in(*name);
    if (trim(source.hints.provider).empty()) source.hints.provider = reading.provider;
    source.hints.provider = provider_id(source.hints.provider);
    if (only_counts(source)) {
        reading.warn("this is an answer that counts tokens, which is free: nothing was used");
        return reading;
    }
    if (read_created_cache(source, reading)) return reading;
    if (const auto read = reader_of(source)) read(source, reading);
    if (!reading.found) read_predictions(source, reading);
    if (!reading.found || source.usage["pages_processed"].exists()) read_without_tokens(source, reading);
    // What is billed beside tokens, such as a search, is known where tokens are not.
    if (!reading.found && !reading.buckets.empty()) reading.found = reading.partial = true;
    if (!reading.found) {
        reading.warn("there is no usage in it: what was used is not known");
        return reading;
    }
    read_circumstances(source, reading);
    read_tools(source, reading);
    if (reading.service_tier.empty()) reading.service_tier = lower(source.hints.service_tier);
    if (reading.region.empty()) reading.region = lower(source.hints.region);
    batch = batch || lower(source.hints.dialect).find("batch") != std::string::npos;
    if (batch && reading.service_tier.empty()) reading.service_tier = "batch";
    return reading;
}

// The counts of a stream, event by event. Anthropic says the prompt at the start and the answer at the end; with all
// others the last event that has counts has them all.
void add_event(Reading& all, Reading next) {
    if (all.time_ms) next.time_ms = all.time_ms;
    if (all.by_shape || next.provider.empty()) {
        next.provider = all.provider;
        next.by_shape = all.by_shape;
    }
    if (!next.found) {
        if (all.model.empty()) all.model = next.model;
        all.time_ms = next.time_ms;
        all.provider = next.provider;
        all.by_shape = next.by_shape;
        return;
    }
    if (all.found && all.partial && next.partial) {
        for (std::size_t i = 0; i < kBuckets; ++i) {
            const auto bucket = static_cast<Bucket>(i);
            next.buckets.set(bucket, std::max(all.buckets[bucket], next.buckets[bucket]));
        }
        next.partial = false;
        next.warnings.clear();
    }
    if (next.model.empty()) next.model = all.model;
    // Anthropic's last event may have all counts, and not for how long what it wrote into the cache is kept, nor the
    // tier.
    if (all.found && all.partial) {
        const auto hour = all.buckets[Bucket::cache_write_1h];
        auto& buckets = next.buckets;
        if (buckets[Bucket::cache_write_1h] == 0 && buckets[Bucket::cache_write] >= hour) {
            buckets.set(Bucket::cache_write_1h, hour);
            buckets.add(Bucket::cache_write, -hour);
        }
        if (next.region.empty()) next.region = all.region;
        if (next.service_tier.empty()) next.service_tier = all.service_tier;
    }
    all = std::move(next);
}

}  // namespace

std::optional<std::int64_t> time_of(const json::Value& value) {
    if (value.is(json::Kind::string))
        if (const auto time = time_from(*value.string())) return time;
    const auto number = thousandths(trim(value.text()));
    if (!number || *number <= 0) return std::nullopt;
    constexpr std::int64_t kSecondsBefore = 100'000'000'000;  // a larger number is in milliseconds
    return *number / 1'000 < kSecondsBefore ? *number : *number / 1'000;
}

Reading read_usage(const json::Value& body, const Hints& hints) {
    if (!body.is(json::Kind::array)) return read_one(body, hints);
    Reading all;
    for (const auto event : body.children()) {
        const auto text = event.string();
        add_event(all, text ? read_usage(*text, hints) : read_one(event, hints));
    }
    if (!all.found) all.warn("there is no usage in it: what was used is not known");
    return all;
}

Reading read_usage(std::string_view body, const Hints& hints) {
    json::Document document;
    if (document.parse(body)) {
        if (const auto inner = document.root().string(); inner && !inner->empty()) {  // JSON in a string of JSON
            json::Document again;
            if (again.parse(*inner)) return read_usage(again.root(), hints);
        }
        return read_usage(document.root(), hints);
    }
    Reading all;
    for (std::string_view rest = body; !rest.empty();) {
        const auto end = rest.find('\n');
        auto line = trim(rest.substr(0, end));
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
        if (line.starts_with("data:")) line = trim(line.substr(5));
        if (line.starts_with('{') && document.parse(line)) add_event(all, read_one(document.root(), hints));
    }
    if (all.found) return all;
    // A body that a model or a log has cut characters in.
    if (document.parse(json::mended(body)) && document.root().is(json::Kind::object))
        return read_usage(document.root(), hints);
    all.warn("it is not JSON: what was used is not known");
    return all;
}

}  // namespace tandem::prices
