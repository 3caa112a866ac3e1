// What the requests share: one of each in the process, made by app.cpp. The config and what follows from it is a
// Snapshot: a request takes the newest at its start and keeps it to its end, whatever is reloaded meanwhile.
#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/memory_account.h"
#include "base/secret.h"
#include "base/world.h"
#include "cache/cache.h"
#include "catalog/models.h"
#include "config/config.h"
#include "engine/engines.h"
#include "gateway/finished.h"
#include "gateway/trials.h"
#include "learning/learning.h"
#include "ledger/ledger.h"
#include "ledger/pricing.h"
#include "net/client.h"
#include "net/fair_pool.h"
#include "privacy/privacy.h"
#include "retrieval/passages.h"
#include "routing/routing.h"
#include "store/store.h"
#include "translate/learned_wants.h"
#include "upstream/upstream.h"

namespace tandem::gateway {

struct Snapshot {
    std::shared_ptr<const config::Config> config;
    std::shared_ptr<privacy::Detector> detector;
    std::shared_ptr<const ledger::Pricing> pricing;  // never null
    routing::Table table;
    std::string table_id;  // SHA-256 of its JSON, shortened
    std::string table_json;

    // Gives the table its id, after a change of it.
    void name_table();
};

// Errors: invalid, storage, internal, as make_detector() and Pricing::of(). `detector` goes before the one that follows
// from the config. `environment` says where the files of engines' models are. `measured_of`: of each model; empty:
// nothing.
Result<std::shared_ptr<const Snapshot>> snapshot_of(config::Config config, const config::Environment& environment,
                                                    std::shared_ptr<privacy::Detector> detector = nullptr,
                                                    const catalog::MeasuredOf& measured_of = {});
// The routing table of a config, with what the headers of its models' files say, and what they cost.
routing::Table table_of(const config::Config& config, const config::Environment& environment,
                        const ledger::Pricing& pricing, const catalog::MeasuredOf& measured_of = {});

struct Services {
    const Clock& clock;
    Random& random;
    store::Store& store;
    privacy::Privacy& privacy;
    ledger::Ledger& ledger;
    ledger::Budgets& budgets;
    engine::Engines& engines;
    upstream::Health& health;
    upstream::Gate& gate;
    upstream::Pace& pace;
    translate::LearnedWants& wants;
    routing::Repeats& repeats;
    learning::Learning& learning;
    cache::AnswerCache& cache;
    Trials& trials;
    std::vector<AnswerObserver*> observers;  // never null; each hears of every answer
    MemoryAccount& memory;
    net::FairPool& scans;          // for what clients send and would hold up a worker: large bodies, uploads
    net::asio::thread_pool& pool;  // for our own work that would: reading the ledger, learning
    Secret admin_token;            // opens everything, for the commands on this machine

    std::shared_ptr<const Snapshot> snapshot() const {
        const std::lock_guard lock(mutex);
        return current;
    }
    std::int64_t unix_seconds() const;
    // A new id behind a dialect's prefix ("resp_", "file-"): sortable, unguessable.
    std::string new_id(std::string_view prefix = {});
    // Queues a snapshot's routing table for the ledger, before the first decision that names it.
    void record_table(const std::shared_ptr<const Snapshot>& snapshot) const;
    // Takes over a new config; its routing table is queued for the ledger.
    void adopt(std::shared_ptr<const Snapshot> next);
    // Why the config on disk was not taken over when it was last read; empty where it was.
    std::string refused_config() const {
        const std::lock_guard lock(mutex);
        return refused;
    }
    void refuse_config(std::string why) {
        const std::lock_guard lock(mutex);
        refused = std::move(why);
    }

    mutable std::mutex mutex;
    std::shared_ptr<const Snapshot> current;
    std::string refused;
    // The owner's files as they are indexed; gives null where nothing is. Empty: there is no index.
    std::function<Result<std::shared_ptr<const retrieval::Files>>()> files;
    std::atomic<bool> stopping = false;  // nothing more is waited for than what is under way
};

}  // namespace tandem::gateway
