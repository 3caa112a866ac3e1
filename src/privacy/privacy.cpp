#include "privacy/privacy.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/hash.h"
#include "privacy/egress.h"

namespace tandem::privacy {

void Labelled::raise(Label to, std::string reason) {
    if (to == Label::public_) return;
    rest = higher(rest, to);
    add(std::move(reason), to);
}

void Labelled::recall(const Known& known) {
    if (known.label == Label::public_) return;
    rest = higher(rest, known.rest);
    if (known.label > known.rest) found = static_cast<std::uint8_t>(found | 1U << static_cast<unsigned>(known.label));
    add("this conversation before", known.label);
}

void Labelled::find(Label what, std::string reason) {
    if (what == Label::public_) return;
    found = static_cast<std::uint8_t>(found | 1U << static_cast<unsigned>(what));
    add(std::move(reason), what);
}

void Labelled::add(std::string reason, Label of) {
    label = higher(label, of);
    reason += ": ";
    reason += name_of(of);
    if (std::ranges::find(reasons, reason) == reasons.end()) reasons.push_back(std::move(reason));
}

bool looks_for_names(const config::Detection& detection) {
    using enum config::Category;
    return std::ranges::any_of(std::array{person, organization, place},
                               [&](config::Category c) { return detection.of(c) > Label::public_; });
}

namespace {

// Gives each sure finding to `visit`, with its label and reason; where the detector fails, the whole is secret.
template <typename Visit>
void each_sure(Detector& detector, std::string_view text, bool names, const config::Detection& detection,
               Labelled& labelled, Visit&& visit) {
    const auto findings = scan_safely(detector, text, names);
    if (!findings) {
        spdlog::error("a detector failed, the request stays home: {}", findings.error().message);
        labelled.raise(Label::secret, "a detector failed");
        return;
    }
    for (const auto& finding : *findings)
        if (finding.score >= kSure) visit(label_of(finding, detection), fmt::format("detector {}", finding.detector));
}

}  // namespace

void label_by_content(Detector& detector, const json::Document& document, const config::Detection& detection,
                      Labelled& labelled) {
    label_by_text(detector, all_text(document), detection, labelled);
    // Most of what stands near a seam is found in the text too, and only what is cut stays when that is taken out.
    Labelled cut;
    each_sure(detector, seams(document), false, detection, cut,
              [&](Label label, std::string reason) { cut.raise(label, std::move(reason)); });
    for (const auto& reason : cut.reasons)
        if (std::ranges::find(labelled.reasons, reason) == labelled.reasons.end()) {
            labelled.rest = higher(labelled.rest, cut.label);
            labelled.label = higher(labelled.label, cut.label);
            labelled.reasons.push_back(reason);
        }
}

void label_by_text(Detector& detector, std::string_view text, const config::Detection& detection, Labelled& labelled) {
    each_sure(detector, text, looks_for_names(detection), detection, labelled,
              [&](Label label, std::string reason) { labelled.find(label, std::move(reason)); });
}

namespace {

// The label of what is in a body whose stand-ins are taken for nothing; secret where it cannot be looked at.
Label label_of_rest(const Privacy::Ask& ask) {
    json::Document document;
    if (!document.parse(ask.body)) return Label::secret;
    Labelled labelled;
    for (auto text : {all_text(document), seams(document)}) {
        for (const auto& stand_in : ask.redacted->stand_ins)
            for (auto at = text.find(stand_in); at != std::string::npos; at = text.find(stand_in, at))
                text.replace(at, stand_in.size(), "\n");
        label_by_text(ask.redacted->detector, text, ask.redacted->detection, labelled);
    }
    return labelled.label;
}

}  // namespace

void Privacy::clear(Ask ask, store::Store::Job also, std::function<void(Result<Clearance>)> done) {
    if (ask.label > ask.clearance) {
        done(fail(ErrorCode::policy, fmt::format("the content is {}, and {} may see {} at most", name_of(ask.label),
                                                 ask.provider, name_of(ask.clearance))));
        return;
    }
    if (ask.redacted) {
        if (const auto left = label_of_rest(ask); left > ask.clearance) {
            done(fail(ErrorCode::policy,
                      fmt::format("something {} was left when what was found had been taken out, and {} may see {} at "
                                  "most",
                                  name_of(left), ask.provider, name_of(ask.clearance))));
            return;
        }
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
    record->operation = ask.operation;
    record->clearance = ask.clearance;
    if (ask.redacted) record->redacted = ask.redacted->summary;
    auto clearance = std::make_shared<Clearance>(Clearance(std::move(ask.provider), std::move(ask.body)));
    auto hashed = [record, clearance, also = std::move(also)](store::Database& database) -> Result<> {
        record->body_sha256 = hex(sha256(clearance->body()));
        return also ? also(database) : Result<>();
    };
    this->record(record, std::move(hashed), [clearance, done = std::move(done)](Result<> written) {
        if (!written)
            done(fail(ErrorCode::storage, fmt::format("the egress record could not be written, so nothing was sent: {}",
                                                      written.error().message)));
        else
            done(std::move(*clearance));
    });
}

void Privacy::record(std::shared_ptr<EgressRecord> record, store::Store::Job also, std::function<void(Result<>)> done) {
    store_.submit(
        [record, also = std::move(also)](store::Database& database) -> Result<> {
            if (also)
                if (auto ok = also(database); !ok) return ok;
            return append(database, *record);
        },
        [told = told_, record, done = std::move(done)](Result<> written) {
            if (written && told) told(*record);
            done(std::move(written));
        });
}

void Privacy::record_release(std::string conversation, Label to, std::string reason, store::Store::Job also,
                             std::function<void(Result<>)> done) {
    auto record = std::make_shared<EgressRecord>();
    record->time = clock_.wall().time_since_epoch().count();
    record->decision = std::move(conversation);
    record->label = to;
    record->rule = std::move(reason);
    record->body_sha256 = hex(sha256(""));
    record->operation = kRelease;
    this->record(std::move(record), std::move(also), std::move(done));
}

}  // namespace tandem::privacy
