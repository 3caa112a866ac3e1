#include "privacy/privacy.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/hash.h"
#include "privacy/egress.h"

namespace tandem::privacy {

void Labelled::raise(Label to, std::string reason) {
    if (to == Label::public_) return;
    label = higher(label, to);
    reason += ": ";
    reason += name_of(to);
    if (std::ranges::find(reasons, reason) == reasons.end()) reasons.push_back(std::move(reason));
}

bool looks_for_names(const config::Detection& detection) {
    using enum config::Category;
    return std::ranges::any_of(std::array{person, organization, place},
                               [&](config::Category c) { return detection.of(c) > Label::public_; });
}

void label_by_content(Detector& detector, const json::Document& document, const config::Detection& detection,
                      Labelled& labelled) {
    label_by_text(detector, all_text(document), detection, labelled);
    label_by_text(detector, seams(document), detection, labelled);
}

void label_by_text(Detector& detector, std::string_view text, const config::Detection& detection, Labelled& labelled) {
    Result<std::vector<Finding>> findings;
    try {
        findings = detector.scan(text, looks_for_names(detection));
    } catch (const std::exception& error) {
        findings = fail(ErrorCode::internal, error.what());
    }
    if (!findings) {
        spdlog::error("a detector failed, the request stays home: {}", findings.error().message);
        labelled.raise(Label::secret, "a detector failed");
        return;
    }
    for (const auto& finding : *findings) {
        if (finding.score < kSure) continue;
        labelled.raise(finding.label.value_or(detection.of(finding.category)),
                       fmt::format("detector {}", finding.detector));
    }
}

void Privacy::clear(Ask ask, store::Store::Job also, std::function<void(Result<Clearance>)> done) {
    if (ask.label > ask.clearance) {
        done(fail(ErrorCode::policy, fmt::format("the content is {}, and {} may see {} at most", name_of(ask.label),
                                                 ask.provider, name_of(ask.clearance))));
        return;
    }
    if (ask.zone == Zone::local) {
        if (also)
            store_.submit(std::move(also), [](Result<> kept) {
                if (!kept) spdlog::error("a record was not kept: {}", kept.error().message);
            });
        done(Clearance(std::move(ask.provider), std::move(ask.body)));
        return;
    }
    auto record = std::make_shared<EgressRecord>();
    record->time = clock_.wall().time_since_epoch().count();
    record->decision = ask.decision.text();
    record->provider = ask.provider;
    record->model = ask.model;
    record->label = ask.label;
    record->rule = ask.rule;
    record->bytes = static_cast<std::int64_t>(ask.body.size());
    auto clearance = std::make_shared<Clearance>(Clearance(std::move(ask.provider), std::move(ask.body)));
    store_.submit(
        [record, clearance, also = std::move(also)](store::Database& database) -> Result<> {
            record->body_sha256 = hex(sha256(clearance->body()));
            if (also)
                if (auto ok = also(database); !ok) return ok;
            return append(database, *record);
        },
        [clearance, done = std::move(done)](Result<> written) {
            if (!written)
                done(fail(ErrorCode::storage,
                          fmt::format("the egress record could not be written, so nothing was sent: {}",
                                      written.error().message)));
            else
                done(std::move(*clearance));
        });
}

}  // namespace tandem::privacy
