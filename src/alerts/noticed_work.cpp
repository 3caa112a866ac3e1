#include "alerts/noticed_work.h"

#include <fmt/format.h>

#include "ledger/local/noticed.h"

namespace tandem::alerts {

namespace local = ledger::local;

void NoticedWork::note(const std::string& subject, const std::string& text) const {
    const auto now = unix_ms(clock_.wall());
    store_.submit(
        [=](store::Database& database) { return local::notice(database, now, local::Kind::debug, subject, text); },
        [](const Result<>&) {});
}

void NoticedWork::engine_failed(const std::string& model, const std::string& why) const {
    note("engine " + model, fmt::format("the engine of {} failed: {}", model, why));
}

void NoticedWork::provider_down(const config::Config& config, const std::string& provider) const {
    const auto* found = config.provider(provider);
    if (found == nullptr || found->zone != Zone::local || found->kind->runs_here) return;
    note("provider " + provider, fmt::format("{} failed again and again, and was left alone", provider));
}

Result<> NoticedWork::versions(const Versions& versions) const {
    const auto now = unix_ms(clock_.wall());
    return store_.run([&](store::Database& database) -> Result<> {
        for (const auto& [program, version] : versions)
            if (auto ok = local::notice_version(database, now, program, version); !ok) return ok;
        return {};
    });
}

}  // namespace tandem::alerts
