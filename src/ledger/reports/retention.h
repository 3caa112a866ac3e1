// How long single attempts and their decisions are kept. Their sums (rollup.h) stay, so that reports of whole days keep
// their numbers.
#pragma once

#include <string>
#include <string_view>

#include "ledger/reports/rollup.h"

namespace tandem::ledger::reports {

class Retention {
  public:
    // `also_kept` is SQL that gives the ids of decisions which are needed however old they are, or empty. This outlives
    // the databases that it is used with, since they keep its statements.
    explicit Retention(std::string_view also_kept = {});

    static constexpr std::int64_t kSome = 500;  // decisions of one call

    // Inside a transaction: deletes decisions of before UTC midnight `keep_days` days ago, with their attempts; at most
    // kSome of them. An attempt stays up to a day longer. True where there may be more. Errors: storage.
    Result<bool> forget_some(store::Database& database, std::int64_t keep_days, std::int64_t now_ms) const;

  private:
    const std::string find_;
};

}  // namespace tandem::ledger::reports
