// A month at home: what machines, electricity and the owner's hours cost, what of it was used, and what the cloud would
// have taken for the same tokens.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "ledger/local/cost.h"
#include "ledger/local/hours.h"
#include "ledger/prices/tariff.h"
#include "ledger/reports/render.h"

namespace tandem::ledger::local {

// What local attempts of one group used, and their part of what the month cost.
struct Group {
    std::string name;
    std::int64_t attempts = 0, answered = 0;
    Usage usage;
    std::int64_t ms = 0;  // that they took, one after the other
    // By their time: of what was used of their machine, of all that it cost and the hours of work, and of what they
    // added to it.
    Money used, full, marginal;
};

// The same tokens at a model of the cloud, at the prices of the time of each attempt.
struct Cloud {
    std::string model;
    bool named = false;  // by the owner; else the dearest of the config
    std::string source;  // whose word its price is: "by the price book"
    Money cost;
};

struct Month {
    std::string name;  // "2026-11"
    Span span;         // the whole month
    Span counted;      // the part of it that this is of: up to now
    bool ended = false;
    std::vector<MachineCost> machines;
    std::array<std::int64_t, kKindNames.size()> work_ms{};  // by Kind
    Money work;                                             // at the owner's rate
    Group all;                                              // its `name` is empty
    std::vector<Group> by_model, by_work;                   // the one that used most first
    Money charged;                                          // what the ledger has booked for them besides
    std::optional<Cloud> cloud;
    std::vector<std::string> notes;

    Money hardware() const;
    Money energy() const;
    std::string_view energy_source() const;  // "measured", "modelled" or "partly measured"
    Money idle() const;                      // of the machines
    Money used() const;                      // of the machines
    Money total() const;
    // Of a million tokens in and out; of an answer. Nullopt where there are none.
    std::optional<Money> per_million(Money amount) const;
    std::optional<Money> per_answer(Money amount) const;
};

struct Asked {
    std::string month;    // "2026-11"; empty: the one that it is
    std::string against;  // model of the config, or PROVIDER/MODEL of the price book; empty: the dearest of the config
};

// Of the months that have begun. Errors: invalid, where there is no hardware in the config, no such month or model;
// storage.
Result<Month> month_of(store::Database& database, const config::Config& config, const Asked& asked,
                       std::int64_t now_ms);

// For the page of reports: what machines drew and what the owner worked in the time of a report, from its first attempt
// on; nothing where the config has no hardware. Errors: invalid, storage.
Result<reports::Beyond> beyond_of(store::Database& database, const config::Config& config, const reports::Asked& asked,
                                  std::int64_t now_ms);

std::string as_text(const Month& month, std::string_view currency);
std::string as_json(const Month& month, std::string_view currency);

}  // namespace tandem::ledger::local
