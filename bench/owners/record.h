// The past weeks of an owner under today's config, in a ledger that the ledger's own code writes: what a real one
// holds, and nothing else.
#pragma once

#include <filesystem>
#include <memory>

#include "config/config.h"
#include "owners/play.h"

namespace tandem::owners {

struct Past {
    config::Config config;
    routing::Table table;        // of today's config
    std::shared_ptr<Mind> mind;  // what the gateway has learned by now
    std::filesystem::path file;  // the ledger
    Came came;
};
// Plays `days` up to kNow in `folder`, which is there and empty. Ends the program where the ledger cannot be written.
std::unique_ptr<Past> past_of(const World& world, Looks& looks, int days, const std::filesystem::path& folder);

// Outcomes of an answer, as a learner takes them.
std::vector<learning::Outcome> outcomes_of(const World& world, const Looks& looks, Mind& mind, const Done& done,
                                           const std::string& decision);

}  // namespace tandem::owners
