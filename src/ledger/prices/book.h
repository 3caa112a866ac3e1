// The price book: what providers ask for, each rate written out, with the dates from which and until which it holds,
// where it was found and when it was checked. There is no multiplier in the code: batch, priority, long prompts,
// regions and hours each have a card of rates of their own.
//
// A book is a value; several are asked one after the other (books.h). Rates are in US dollars, for a million tokens or
// characters, a thousand calls, or an hour of sound (units_of_rate()).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "ledger/prices/amount.h"
#include "ledger/prices/buckets.h"
#include "ledger/prices/matcher.h"

namespace tandem::prices {

// A part of the day in UTC, on some days of the week.
struct Window {
    int from = 0, to = 0;       // minutes since midnight; `to` at or before `from` is on the next day
    unsigned days = 0b1111111;  // bit 0 is Monday; of the day on which the window begins
    bool holds(std::int64_t time_ms) const;
    bool operator==(const Window&) const = default;
};

// When a card's rates hold; all that is set must be so.
struct Condition {
    std::string service;               // "batch", "flex", "priority", "fast", ...; empty: any
    std::string region;                // "us", ...; empty: any
    std::optional<std::int64_t> over;  // a prompt of more tokens than this
    std::optional<std::int64_t> from;  // a prompt of this many tokens and more
    std::vector<Window> windows;       // within one of them; empty: always
    bool operator==(const Condition&) const = default;
};

struct Card {
    Condition when;
    std::vector<std::pair<Bucket, Amount>> rates;
    const Amount* rate(Bucket bucket) const;
    bool operator==(const Card&) const = default;
};

struct Entry {
    std::string provider;  // an id
    std::string model;     // the name to show
    Matcher match;
    std::int64_t from = INT64_MIN;   // milliseconds since 1970, inclusive
    std::int64_t until = INT64_MAX;  // exclusive
    std::string source;              // a URL, or a package with its version
    std::string checked;             // YYYY-MM-DD, when somebody or a script last compared it with its source
    std::string note;
    std::vector<Card> cards;   // the first without a condition is the base
    bool search_once = false;  // a prompt that is grounded has one fee, whatever number of queries it makes
    std::map<std::string, std::string> free_quota;  // by bucket: "10000 a day"
    std::int64_t least_seconds = 0;                 // a shorter sound is billed as one of this length
    std::optional<Amount> cache_storage;            // of a million tokens for an hour, which no response tells
    const Card* base() const;
};

// As JSON, in the shape that Book::parse() reads.
void write_entry(json::Writer& out, const Entry& entry);
// Errors: invalid, with what is wrong.
Result<Entry> read_entry(const json::Value& value);

class Book {
  public:
    // Reads the shape that write() makes and docs/prices.md describes. Errors: invalid, with the entry at fault.
    static Result<Book> parse(std::string_view json);
    std::string write() const;

    const std::vector<Entry>& entries() const { return entries_; }
    void add(Entry entry);
    // All entries that hold for one model at any time, the nearest name first: those of the first form (names.h) that
    // any entry of `provider` has by name, else those of the first pattern that matches. Empty where there is none.
    std::vector<const Entry*> find(std::string_view provider, const std::vector<std::string>& forms) const;
    bool has_entries_of(std::string_view provider) const { return by_provider_.contains(std::string(provider)); }
    // The provider whose models are called so ("claude-..." is anthropic's), or empty.
    std::string owner_of(const std::vector<std::string>& forms) const;
    // The providers of which it knows how their models are called.
    std::vector<std::string> owners() const;
    // Providers to ask where this one has no entry of its own: azure sells what openai makes, at its price.
    std::vector<std::string> stand_ins(std::string_view provider) const;

    std::string made;                  // YYYY-MM-DD
    std::vector<std::string> sources;  // with versions and licences

  private:
    struct Provider {
        std::string id;
        std::optional<Matcher> owns;
        std::vector<std::string> stand_ins;
    };
    Result<> read_provider(const json::Value& value);
    std::vector<Entry> entries_;
    std::vector<Provider> providers_;
    std::unordered_map<std::string, std::vector<std::size_t>> by_name_;      // "provider\nname"
    std::unordered_map<std::string, std::vector<std::size_t>> by_provider_;  // of patterns, in order
};

}  // namespace tandem::prices
