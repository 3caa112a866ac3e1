#include "ledger/prices/reading.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_mend.h"
#include "base/text.h"
#include "ledger/prices/counts.h"

namespace tandem::prices {

namespace {

constexpr int kMostWrappers = 4;

// Where the counts stand in a body or an event, the place that is looked at first first.
json::Value usage_of(const json::Value& body) {
    for (const auto* path : {"usage", "usageMetadata", "usage_metadata", "message.usage", "delta.usage", "x_groq.usage",
                             "metadata.usage", "amazon-bedrock-invocationMetrics", "usage_info", "meta"}) {
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
    return has_any(value, {"prompt_tokens",       "completion_tokens",    "input_tokens",
                           "output_tokens",       "total_tokens",         "promptTokenCount",
                           "prompt_token_count",  "candidatesTokenCount", "candidates_token_count",
                           "totalTokenCount",     "inputTokens",          "outputTokens",
                           "inputTextTokenCount", "inputTokenCount",      "billed_units",
                           "prompt_eval_count",   "eval_count",           "tokens_evaluated",
                           "timings.prompt_n",    "pages_processed",      "prompt_cache_hit_tokens"});
}

// Takes a response out of what it came in: a line of a batch's output, an event of a stream.
json::Value unwrapped(json::Value body, bool& batch) {
    for (int i = 0; i < kMostWrappers; ++i) {
        if (usage_of(body).exists()) return body;
        json::Value inner;
        for (const auto* path : {"response.body", "result.message", "response", "result", "body", "data", "chunk"})
            if (const auto found = at(body, path); found.is(json::Kind::object)) {
                batch =
                    batch || std::string_view(path) == "response.body" || std::string_view(path) == "result.message";
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
    if (has_any(usage, {"promptTokenCount", "prompt_token_count", "candidatesTokenCount", "candidates_token_count",
                        "totalTokenCount", "total_token_count"}))
        return read_gemini;
    if (has_any(usage, {"billed_units", "tokens.input_tokens", "tokens.output_tokens"})) return read_cohere;
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

Reading read_one(const json::Value& given, Hints hints) {
    Reading reading;
    bool batch = false;
    Source source{unwrapped(given, batch), {}, std::move(hints)};
    source.hints.provider = provider_id(source.hints.provider);
    source.usage = usage_of(source.body);
    if (!source.usage.exists() || (!holds_counts(source.usage) && holds_counts(source.body)))
        source.usage = source.body;
    for (const auto* path : {"model", "modelVersion", "model_version", "message.model"})
        if (const auto name = at(source.body, path).string(); name && !name->empty()) {
            reading.model = *name;
            break;
        }
    if (const auto read = reader_of(source)) read(source, reading);
    if (!reading.found || source.usage["pages_processed"].exists()) read_without_tokens(source, reading);
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
    if (!next.found) {
        if (all.model.empty()) all.model = next.model;
        return;
    }
    if (all.found && all.partial && next.partial) {
        for (std::size_t i = 0; i < kBuckets; ++i) {
            const auto bucket = static_cast<Bucket>(i);
            next.buckets.set(bucket, std::max(all.buckets[bucket], next.buckets[bucket]));
        }
        next.partial = false;
        next.warnings.clear();
        if (next.region.empty()) next.region = all.region;
        if (next.service_tier.empty()) next.service_tier = all.service_tier;
    }
    if (next.model.empty()) next.model = all.model;
    all = std::move(next);
}

}  // namespace

Reading read_usage(const json::Value& body, const Hints& hints) {
    if (!body.is(json::Kind::array)) return read_one(body, hints);
    Reading all;
    for (const auto event : body.children()) add_event(all, read_one(event, hints));
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
