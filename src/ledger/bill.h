// What one attempt is booked at: the one place where a usage becomes money.
//
// The provider's own word counts where it says what it charged; ours stands beside it. Else the usage that it gave, in
// disjoint buckets, is multiplied by the model's tariff at the time of the request and the tier of the response.
#pragma once

#include <string>
#include <vector>

#include "base/money.h"
#include "ledger/prices/reading.h"
#include "ledger/prices/tariff.h"
#include "ledger/pricing.h"

namespace tandem::ledger {

struct Bill {
    Money cost;                                              // 0 where `source` is unknown
    Usage usage;                                             // in the ledger's counts: what `cost` is for
    prices::PriceSource source = prices::PriceSource::free;  // whose word `cost` is; free where nothing was used
    // JSON, at most kMostDetails bytes: {"usage": {bucket: count}, "tier", "region", "entry", "by_book"}; empty where
    // nothing was used or it is free.
    std::string details;
    std::vector<std::string> warnings;
    static constexpr std::size_t kMostDetails = 300;
};

// What an attempt used: what is counted, with estimates of what its provider left out, and what the provider's last
// words are read as; not found where it said nothing. `tools`: that ran at the provider as far as the answer shows,
// which counts where the provider's last word did not come (`usage.estimated`).
struct Used {
    Used() = default;
    Used(Usage usage, prices::Reading said = {}, prices::Buckets tools = {})  // NOLINT: a usage is one
        : usage(usage), said(std::move(said)), tools(tools) {}
    Usage usage;
    prices::Reading said;
    prices::Buckets tools;
};

// `hints` name the provider as the book does, and the model as the provider does.
Bill bill_of(const Used& used, const prices::Tariff& tariff, const prices::Asked& asked, const prices::Hints& hints,
             const Pricing& pricing);

// What an attempt that was booked before would be booked at now, from what its row kept of its usage (`details`, or
// `usage` where that is empty). Not for one that its provider priced.
Bill bill_again(const std::string& details, const Usage& usage, const prices::Tariff& tariff, std::int64_t time_ms,
                const prices::Hints& hints, const Pricing& pricing);

}  // namespace tandem::ledger
