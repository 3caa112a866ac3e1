// What tokens would have cost in the cloud. Private to ledger/local/.
#pragma once

#include <string>
#include <vector>

#include "ledger/local/month.h"
#include "ledger/pricing.h"

namespace tandem::ledger::local {

class Comparison {
  public:
    // The models that are looked at: the one that was named, else each of the config's cloud whose price is known.
    // Errors: invalid, where the named one is not known or has no price; those of Pricing::of().
    static Result<Comparison> of(const config::Config& config, const std::string& against);

    // `times` attempts at this time, each of which used this much.
    void add(const Usage& usage, std::int64_t time_ms, std::int64_t times);
    // The dearest of them; none where there is none.
    std::optional<Cloud> dearest() const;

  private:
    struct Candidate {
        std::string model;
        prices::Tariff tariff;
        prices::Amount sum;
    };
    std::vector<Candidate> candidates_;
    bool named_ = false;
};

}  // namespace tandem::ledger::local
