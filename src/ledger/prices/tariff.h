// What one model costs, as it is known before anybody asks it: whose word that is, and the entries that say it, each
// for its time. Made when a config is taken over; a value that is cheap to copy.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/prices/book.h"
#include "ledger/prices/cost.h"

namespace tandem::prices {

// Whose word a price or a booked cost is.
enum class PriceSource : std::uint8_t {
    free,      // nobody charges: a model at home without a price
    owner,     // models.*.price
    book,      // a price book, shipped or imported
    estimate,  // the owner's rate for what has no price
    unknown,   // nobody's: it costs, and how much is not known
    provider,  // what the provider says that it charged; never a tariff's
};
inline constexpr std::array<std::string_view, 6> kPriceSourceNames = {"free",     "owner",   "book",
                                                                      "estimate", "unknown", "provider"};
inline std::string_view name_of(PriceSource source) {
    return kPriceSourceNames[static_cast<std::size_t>(source)];
}

// Calls of tools which its provider runs that are reserved where a request sets no maximum of its own.
inline constexpr int kUsualCalls = 10;

// What a request says that its price depends on.
struct Asked {
    std::int64_t time_ms = 0;          // when it came
    std::string service_tier = {};     // that it asks for, in the book's words; empty: standard, or it does not say
    std::string region = {};           // that it asks for; empty: it does not say
    bool keeps_cache_an_hour = false;  // a part of its prompt is to be kept for an hour
    int calls = 0;  // of tools that its provider runs and takes a fee for; what the request allows, or kUsualCalls
    bool any_tier = false;  // it leaves the tier to its provider (`auto`): any but batch may be given
    bool operator==(const Asked&) const = default;
};

// Of a request's body, in any dialect.
Asked asked_in(const json::Value& request, std::int64_t time_ms);

class Tariff {
  public:
    // Free.
    Tariff() = default;
    // `why` is for people.
    static Tariff unknown(std::string why);
    // Of a book; `entries` are one or more of one model. `note` is what the book warns of, or empty.
    static Tariff of_book(const std::vector<const Entry*>& entries, std::string note);
    // One rate for each kind of tokens at all times, for a million; what was thought costs as the rest of the answer.
    struct Rates {
        Amount input, cache_read, cache_write, output;
    };
    static Tariff flat(PriceSource source, const Rates& rates);

    PriceSource source() const { return kept_ ? kept_->source : PriceSource::free; }
    // Whether a cost can be reckoned, 0 included.
    bool known() const { return source() != PriceSource::unknown; }
    // Why it is unknown, or what to know of it; or empty.
    std::string note() const { return kept_ ? kept_->note : std::string(); }
    // The entry that holds, or the nearest; nullptr where it is free or unknown. Valid while a copy of the tariff is.
    const Entry* at(std::int64_t time_ms) const;

    // What tokens cost by the tier and region that were asked for; 0 where it is free or unknown.
    Amount cost(const Buckets& buckets, const Asked& asked) const;
    // The most that so many tokens may cost: at the dearest card that a response to such a request can be booked by. A
    // request that names a tier may get that one or the standard one; one that leaves the tier to its provider, or
    // names one that the entry does not have, may get any but batch. Tools that the provider runs have fees that are
    // not in it, for nobody knows how often it calls them.
    Amount at_most(Tokens prompt, Tokens answer, const Asked& asked) const;
    // A prompt that goes into the provider's cache costs more than one that does not.
    bool writes_cost_more(std::int64_t time_ms) const;

    void write(json::Writer& out) const;
    // Errors: invalid.
    static Result<Tariff> read(const json::Value& value);

  private:
    struct Kept {
        PriceSource source = PriceSource::unknown;
        std::vector<Entry> entries;
        std::string note;
    };
    static Tariff keep(Kept kept);
    // The tiers that a response to such a request may name; the standard one, "", is the first.
    static std::vector<std::string> tiers_of(const Entry& entry, const Asked& asked);
    std::shared_ptr<const Kept> kept_;
};

}  // namespace tandem::prices
