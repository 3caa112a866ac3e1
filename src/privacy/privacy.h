// Labels requests and gives leave to send. Nothing is sent to a provider without a Clearance, and only this makes one:
// for one body, one label, one provider, and only after the egress record is committed where the zone is cloud.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/json.h"
#include "base/label.h"
#include "base/result.h"
#include "config/config.h"
#include "privacy/detect.h"
#include "privacy/memory.h"
#include "store/store.h"

namespace tandem::privacy {

// Leave to send one body to one provider, once. It holds the body, so that nothing else can be sent on it.
class Clearance {
  public:
    Clearance(Clearance&&) noexcept = default;
    Clearance& operator=(Clearance&&) noexcept = default;
    const std::string& provider() const { return provider_; }
    const std::string& body() const { return body_; }

  private:
    friend class Privacy;
    Clearance(std::string provider, std::string body) : provider_(std::move(provider)), body_(std::move(body)) {}
    std::string provider_;
    std::string body_;
};

// Where a request's label comes from, for its decision record. Never the text itself.
struct Labelled {
    Label label = Label::public_;
    std::vector<std::string> reasons;          // "key alice: internal", "detector iban: private", ...
    void raise(Label to, std::string reason);  // a reason stands once
};

// Whether people, organisations or places matter to the owner: finding them takes its time.
bool looks_for_names(const config::Detection& detection);

// Raises `labelled` by what detectors find in all text of the request. Where a detector fails, the label becomes
// secret: what could not be looked at may be anything.
void label_by_content(Detector& detector, const json::Document& document, const config::Detection& detection,
                      Labelled& labelled);

// The same for plain text.
void label_by_text(Detector& detector, std::string_view text, const config::Detection& detection, Labelled& labelled);

class Privacy {
  public:
    // Store, detector and clock outlive it.
    Privacy(store::Store& store, Detector& detector, const Clock& clock)
        : store_(store), detector_(detector), clock_(clock) {}

    LabelMemory& memory() { return memory_; }

    Detector& detector() { return detector_; }

    // What is to be sent, and to whom.
    struct Ask {
        DecisionId decision;
        std::string provider;
        std::string model;
        Zone zone = Zone::cloud;
        Label clearance = Label::public_;  // of the provider
        Label label = Label::public_;      // of the conversation
        std::string rule;
        std::string body;
    };

    // Gives the Clearance, or the reason why not. Committed together with `also` (the decision's own record; may be
    // empty). `done` comes on another thread, or at once. Errors: policy, when the label is above the clearance;
    // storage, when the record could not be written, and then nothing may be sent.
    void clear(Ask ask, store::Store::Job also, std::function<void(Result<Clearance>)> done);

  private:
    store::Store& store_;
    Detector& detector_;
    const Clock& clock_;
    LabelMemory memory_;
};

}  // namespace tandem::privacy
