// What a provider says that was used and paid: the usage and cost reports of OpenAI and Anthropic as JSON, and tables
// as CSV. Daily sums by model and key, exact decimals; hostile input.
//
// Read: OpenAI's organization/usage/completions (and its siblings that count tokens) and organization/costs;
// Anthropic's organizations/usage_report/messages and organizations/cost_report. A page, a list of pages or of buckets,
// or lines of them; usage and costs may stand in one list.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/prices/amount.h"

namespace tandem::ledger::reports {

// One result of one bucket.
struct TheirLine {
    std::int64_t day = 0;  // since 1970, UTC
    std::string model;     // empty: the report is not by model, or this is no tokens of a model
    std::string key;       // id of the provider's API key; empty: not by key, or without one
    std::string tier;      // in the book's words ("batch", "flex", ...); empty: standard
    std::string item;      // what is no tokens, in the provider's words: "Web Search Usage"
    std::optional<std::int64_t> requests;
    // input: the whole prompt, with what was cached and what was written to a cache.
    std::optional<std::int64_t> input, cached, cache_write, output;
    std::optional<std::int64_t> cache_write_hour;  // of cache_write, what is kept for an hour; nullopt: it is not said
    std::optional<prices::Amount> cost;
};

struct Theirs {
    std::string provider;  // as the book calls it; empty: the file does not say
    std::vector<TheirLine> lines;
    std::int64_t first_day = INT64_MAX, last_day = INT64_MIN;  // of all buckets, also of empty ones
    bool has_usage = false, has_costs = false;
    std::vector<std::string> notes;  // what is odd about it: a page that is missing, a day in part

    void note(std::string text);  // each once
    // Another file of the same provider.
    Result<> join(Theirs other);
};

inline constexpr std::size_t kMostReportBytes = 64UL << 20;

// `currency` is the ledger's. Errors: invalid, with where and what is expected; too_large.
Result<Theirs> read_json_report(std::string_view text, std::string_view currency);

// Names of columns by what they hold: day, model, key, tier, requests, input, cached, cache_write, output, cost (in the
// currency), cents (a hundredth of that), currency.
using Columns = std::map<std::string, std::string, std::less<>>;
// "day=Date,model=Model,cost=Amount (USD)". Errors: invalid.
Result<Columns> columns_from(std::string_view text);
// With a line of names; commas, semicolons or tabs between, as that line has them. A column that `columns` does not
// name is found where it is called as what it holds. Errors: invalid, with the line; too_large.
Result<Theirs> read_csv_report(std::string_view text, const Columns& columns, std::string_view currency);

// The service tier in the book's words.
std::string tier_named(std::string_view said);

}  // namespace tandem::ledger::reports
