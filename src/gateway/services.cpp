#include "gateway/services.h"

#include <spdlog/spdlog.h>

#include "base/hash.h"
#include "base/id.h"
#include "config/names.h"
#include "engine/gguf.h"

namespace tandem::gateway {

routing::Table table_of(const config::Config& config, const config::Environment& environment,
                        const ledger::Pricing& pricing, const catalog::MeasuredOf& measured_of) {
    const engine::EnginesSettings places{config.data, config::cache_folder(config, environment), environment};
    const auto facts_of = [&](const config::Model& model) {
        auto facts = routing::facts_of(config, model);
        if (!facts.engine) return facts;
        const auto file = engine::find_model_file(config, model, places);
        if (!file) return facts;  // where it is missing, the engine says so
        const auto header = engine::read_gguf(*file);
        if (!header) return facts;
        facts.parameters = header->parameters;
        facts.active_parameters = header->active_parameters;
        facts.quantization = header->quantization;
        facts.family = header->name.empty() ? header->architecture : header->name;
        return facts;
    };
    return routing::table_of(
        config, facts_of, [&](const config::Model& model) { return pricing.of(model); }, measured_of);
}

Result<std::shared_ptr<const Snapshot>> snapshot_of(config::Config config, const config::Environment& environment,
                                                    std::shared_ptr<privacy::Detector> detector,
                                                    const catalog::MeasuredOf& measured_of) {
    auto snapshot = std::make_shared<Snapshot>();
    if (!detector) {
        auto made = privacy::make_detector(config.privacy.own);
        if (!made) return fail(made.error());
        detector = std::move(*made);
    }
    snapshot->detector = std::move(detector);
    snapshot->config = std::make_shared<const config::Config>(std::move(config));
    auto pricing = ledger::Pricing::of(*snapshot->config);
    if (!pricing) return fail(pricing.error());
    snapshot->pricing = std::move(*pricing);
    snapshot->table = table_of(*snapshot->config, environment, *snapshot->pricing, measured_of);
    snapshot->name_table();
    return snapshot;
}

void Snapshot::name_table() {
    table_json = routing::to_json(table);
    table_id = hex(sha256(table_json)).substr(0, 16);
}

std::int64_t Services::unix_seconds() const {
    return std::chrono::duration_cast<seconds>(clock.wall().time_since_epoch()).count();
}

std::string Services::new_id(std::string_view prefix) {
    return std::string(prefix) + std::string(DecisionId::make(clock, random).tail());
}

// Jobs are committed in order.
void Services::record_table(const std::shared_ptr<const Snapshot>& snapshot) const {
    store.submit(
        [snapshot](store::Database& database) {
            return database.prepare("INSERT OR IGNORE INTO routing_tables (id, json) VALUES (?, ?)")
                .bind(1, snapshot->table_id)
                .bind(2, snapshot->table_json)
                .run();
        },
        [](Result<> kept) {
            if (!kept) spdlog::error("the routing table could not be recorded: {}", kept.error().message);
        });
}

void Services::adopt(std::shared_ptr<const Snapshot> next) {
    record_table(next);
    std::vector<std::string> models;
    for (const auto& entry : next->table.models) models.push_back(entry.model);
    ledger.meter().name_models(std::move(models));
    for (const auto& entry : next->table.models)
        if (!entry.price.known() && !config::is_pattern(entry.model))
            ledger::tell_unknown(entry.model, entry.provider, entry.price.note());
    engines.configure(next->config);
    routing::Features ordinary;
    ordinary.work.difficulty = routing::kOrdinaryDifficulty;
    learning.configure(*next->config, routing::expectations(next->table, ordinary));
    const std::lock_guard lock(mutex);
    current = std::move(next);
}

}  // namespace tandem::gateway
