// Why a request went where it went, from its record alone.
#pragma once

#include <string>

#include "base/result.h"
#include "ledger/ledger.h"
#include "routing/routing.h"
#include "store/store.h"

namespace tandem::api {

struct Explanation {
    ledger::DecisionRecord record;
    std::vector<ledger::AttemptRecord> attempts;
    routing::Inputs inputs;
    routing::Decision decision;  // made again from the recorded inputs and table
    bool same = false;           // as the recorded one
};

// `id` is a decision's, or "last". Errors: not_found, storage, invalid (a damaged record).
Result<Explanation> explain(store::Database& database, const std::string& id);

// `config` says what machines at home cost, which is nobody's business but the owner's.
std::string to_json(const Explanation& explanation, const config::Config& config);
// For a terminal, several lines.
std::string to_text(const Explanation& explanation, const config::Config& config, std::string_view currency);
// Candidates with scores and exclusions, and the difficulty; also for a dry run.
std::string decision_text(const routing::Inputs& inputs, const routing::Decision& decision, std::string_view currency);

// Milliseconds since 1970 as "2026-11-24 07:00:00Z".
std::string time_text(std::int64_t milliseconds_since_1970);

}  // namespace tandem::api
