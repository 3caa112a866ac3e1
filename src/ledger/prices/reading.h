// Reads what a provider says that one attempt used, from its response: whole, or its usage object alone, or the last
// event of a stream, or all events of one. Whatever stands in it, a reading is given: what is missing, negative, no
// number or contradicts itself has a stated result and a warning. Pure; hostile input.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "ledger/prices/amount.h"
#include "ledger/prices/buckets.h"

namespace tandem::prices {

// What the caller knows besides the body. Each may be empty, in any spelling, or wrong: the body's own shape counts
// first, these decide what it leaves open.
struct Hints {
    std::string provider;  // "openai", "azure_openai", "xai", ...
    std::string model;
    std::string dialect;  // "openai-chat", "responses", "anthropic", ...
    // What the response may not say of itself; where it does, that counts.
    std::string service_tier = {};
    std::string region = {};
    // The body is what a provider has answered, and no line of a log or of a batch's output: nothing is taken out of
    // what clients or models may have put around a response, and no shape of it is a batch's.
    bool answer = false;
};

struct Reading {
    bool found = false;  // whether the body says anything about usage; else `buckets` say nothing
    Buckets buckets;
    std::string model;                    // as the body names it, or empty
    std::string provider;                 // an id, where the body's shape or a name of the model tells it; else empty
    bool by_shape = false;                // `provider` is known by what only that one writes
    std::optional<std::int64_t> time_ms;  // when it was made, as the body says
    std::string service_tier;       // of the response, as the book names it ("batch", "flex", ...); empty: standard
    std::string region;             // "us" where the provider says that it served there and bills for that; else empty
    std::optional<Amount> charged;  // what the provider says that it charged, in US dollars
    // What another model did for it, and is billed at that one's price: an advisor's part at Anthropic.
    struct Other {
        std::string model;
        Buckets buckets;
    };
    std::vector<Other> others;
    std::vector<std::string> warnings;
    bool partial = false;  // a part of what is billed is not in it, such as the prompt

    void warn(std::string text);  // each text once
};

Reading read_usage(const json::Value& body, const Hints& hints);
// The same of text: JSON, or the lines of a stream of events ("data: {...}").
Reading read_usage(std::string_view body, const Hints& hints);

// A point in time as people write it: RFC 3339, RFC 1123, a date, seconds or milliseconds since 1970.
std::optional<std::int64_t> time_of(const json::Value& value);

// The id that the book has for a provider that people call `name`: "Azure OpenAI" and "azure_openai" are "azure",
// "vertex_ai" is "vertex". A name that is not known comes back in lower case.
std::string provider_id(std::string_view name);

}  // namespace tandem::prices
