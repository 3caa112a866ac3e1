#include "gateway/services.h"

#include <spdlog/spdlog.h>

#include "base/hash.h"

namespace tandem::gateway {

std::shared_ptr<const Snapshot> snapshot_of(config::Config config) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->config = std::make_shared<const config::Config>(std::move(config));
    snapshot->table = routing::table_of(*snapshot->config);
    snapshot->table_json = routing::to_json(snapshot->table);
    snapshot->table_id = hex(sha256(snapshot->table_json)).substr(0, 16);
    return snapshot;
}

void Services::adopt(std::shared_ptr<const Snapshot> next) {
    // Before the first decision that names it: jobs are committed in order.
    store.submit(
        [next](store::Database& database) {
            return database.prepare("INSERT OR IGNORE INTO routing_tables VALUES (?, ?)")
                .bind(1, next->table_id)
                .bind(2, next->table_json)
                .run();
        },
        [](Result<> kept) {
            if (!kept) spdlog::error("the routing table could not be recorded: {}", kept.error().message);
        });
    engines.configure(next->config);
    const std::lock_guard lock(mutex);
    current = std::move(next);
}

}  // namespace tandem::gateway
