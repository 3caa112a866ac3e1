// Usage as Anthropic's Messages say it: what was read from a cache and written into one stand beside `input_tokens`.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "ledger/prices/counts.h"

namespace tandem::prices {

namespace {

struct Tokens {
    std::int64_t input = 0, output = 0, read = 0, five = 0, hour = 0;
};

Tokens tokens_of(const json::Value& value, Reading& reading) {
    Counts counts(value, reading);
    Tokens out;
    out.input = counts.count_or_0({"input_tokens"});
    out.output = counts.count_or_0({"output_tokens"});
    out.read = counts.count_or_0({"cache_read_input_tokens"});
    const auto written = counts.count({"cache_creation_input_tokens"});
    const auto five = counts.count_or_0({"cache_creation.ephemeral_5m_input_tokens"});
    out.hour = counts.count_or_0({"cache_creation.ephemeral_1h_input_tokens"});
    if (written && counts.has("cache_creation") && five + out.hour > *written)
        reading.warn(
            fmt::format("cache_creation adds up to {}, cache_creation_input_tokens is {}: the first is counted",
                        five + out.hour, *written));
    out.five = std::max(five, written.value_or(0) - out.hour);
    return out;
}

void put(const Tokens& tokens, Buckets& buckets) {
    buckets.add(Bucket::input, tokens.input);
    buckets.add(Bucket::cache_read, tokens.read);
    buckets.add(Bucket::cache_write, tokens.five);
    buckets.add(Bucket::cache_write_1h, tokens.hour);
    buckets.add(Bucket::output, tokens.output);
}

// A request can be several runs of the model. What its counts on top are about is the last kind of them: those of a
// compaction are billed and stand in `iterations` alone; so do an advisor's, which are billed at its own model's price.
void add_iterations(const json::Value& usage, Tokens& all, Reading& reading) {
    Tokens compactions;
    std::int64_t every_input = 0, every_output = 0;
    for (const auto one : usage["iterations"].children()) {
        const auto tokens = tokens_of(one, reading);
        const auto type = one["type"].text();
        if (type == "compaction") {
            compactions.input += tokens.input;
            compactions.output += tokens.output;
            compactions.read += tokens.read;
            compactions.five += tokens.five;
            compactions.hour += tokens.hour;
        } else if (const auto model = one["model"].text(); type == "advisor_message" && !model.empty()) {
            Reading::Other other{std::string(model), {}};
            put(tokens, other.buckets);
            reading.others.push_back(std::move(other));
            continue;
        } else if (!type.empty() && type != "message") {
            reading.warn(fmt::format("an iteration of type '{}' may be billed at another model's price: not counted",
                                     printable(type, 40)));
            continue;
        }
        every_input += tokens.input;
        every_output += tokens.output;
    }
    if (compactions.input + compactions.output == 0) return;
    if (every_input == all.input && every_output == all.output) return;  // they are in the sum
    reading.warn("a compaction is billed and not in the counts on top: added");
    all.input += compactions.input;
    all.output += compactions.output;
    all.read += compactions.read;
    all.five += compactions.five;
    all.hour += compactions.hour;
}

}  // namespace

void read_anthropic(const Source& source, Reading& reading) {
    Counts counts(source.usage, reading);
    auto tokens = tokens_of(source.usage, reading);
    // A gateway that adds up a total shows whether it has put the cache inside the input.
    if (const auto total = counts.count({"total_tokens"})) {
        const auto cache = tokens.read + tokens.five + tokens.hour;
        if (cache > 0 && cache <= tokens.input && *total == tokens.input + tokens.output) {
            reading.warn("the total shows that input_tokens holds the cached tokens too: taken out");
            tokens.input -= cache;
        }
    }
    add_iterations(source.usage, tokens, reading);
    auto& buckets = reading.buckets;
    const auto image = counts.count_or_0({"input_tokens_details.image_tokens"});
    buckets.add(Bucket::image_input, take(tokens.input, image, "images", "the input", reading));
    const auto thoughts =
        counts.count_or_0({"output_tokens_details.thinking_tokens", "output_tokens_details.reasoning_tokens"});
    buckets.add(Bucket::reasoning, take(tokens.output, thoughts, "thinking", "the output", reading));
    put(tokens, buckets);
    reading.found = counts.has("input_tokens") || counts.has("output_tokens");
    if (!counts.has("input_tokens") && counts.has("output_tokens")) {
        reading.warn("the prompt's tokens are not said here (they are in the event message_start): not counted");
        reading.partial = true;
    }
    if (source.body["type"].text() == "message_start") {
        reading.warn("this is how a stream begins: the answer's tokens come with the event message_delta");
        reading.partial = true;
    }
}

}  // namespace tandem::prices
