// The Situation of a config and its ledger: traffic, what is known of models, machines, electricity and hours. Reads,
// and reckons nothing.
#pragma once

#include <string>
#include <vector>

#include "advice/evaluate.h"
#include "advice/profile.h"
#include "config/config.h"
#include "store/store.h"

namespace tandem::advice {

struct Asked {
    std::string since, until;       // as reports take them; empty: 30 days up to now
    std::vector<std::string> with;  // models that are not in the config: PROVIDER/MODEL of the price book, where
                                    // PROVIDER is one of the config or of the book
};

// `profile` (may be null) stands in for the record where it describes work. Errors: invalid, for times, for models of
// `with` that neither the config nor the price book has, and for amounts in two currencies; not_found, where there is
// nothing on record and no profile; storage.
Result<Situation> read_situation(store::Database* database, const config::Config& config, const Asked& asked,
                                 const Profile* profile, std::int64_t now_ms);

}  // namespace tandem::advice
