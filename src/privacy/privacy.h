// Labels requests and gives leave to send. Nothing is sent to a provider without a Clearance, and only this makes one:
// for one body, one label, one provider, and only after the egress record is committed where the zone is cloud.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/json.h"
#include "base/label.h"
#include "base/result.h"
#include "config/config.h"
#include "privacy/detect.h"
#include "privacy/egress.h"
#include "privacy/memory.h"
#include "privacy/vault.h"
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
    Label rest = Label::public_;       // of what remains when everything that was found is taken out
    std::uint8_t found = 0;            // the labels of what was found, as bits
    std::vector<std::string> reasons;  // "key alice: internal", "detector iban: private", ...; each stands once
    // By a source that labels the whole.
    void raise(Label to, std::string reason);
    // By what is remembered of the conversation.
    void recall(const Known& known);
    // By what a detector found, which can be taken out.
    void find(Label what, std::string reason);

  private:
    void add(std::string reason, Label label);
};

// Whether people, organisations or places matter to the owner: finding them takes its time.
bool looks_for_names(const config::Detection& detection);

// Raises `labelled` by what detectors find in all text of the request. What stands on a seam, cut in two, cannot be
// taken out. Where a detector fails, the label becomes secret: what could not be looked at may be anything.
void label_by_content(Detector& detector, const json::Document& document, const config::Detection& detection,
                      Labelled& labelled);

// The same for plain text, all of which can be taken out.
void label_by_text(Detector& detector, std::string_view text, const config::Detection& detection, Labelled& labelled);

class Privacy {
  public:
    // Store, vault and clock outlive it.
    Privacy(store::Store& store, Vault& vault, const Clock& clock) : store_(store), vault_(vault), clock_(clock) {}

    LabelMemory& memory() { return memory_; }
    Vault& vault() { return vault_; }

    // Called on the store's thread with each egress record that is committed. Set before the first request.
    void on_committed(std::function<void(const EgressRecord&)> told) { told_ = std::move(told); }

    // What is to be sent, and to whom.
    struct Ask {
        DecisionId decision;
        std::string provider;
        std::string model;
        Zone zone = Zone::cloud;
        Label clearance = Label::public_;  // of the provider
        Label label = Label::public_;      // of what is sent
        std::string rule;
        std::string body;
        std::string operation;  // chat, count, embed, ...
        // Where something was taken out of it: what, and what stands there instead. The body is looked at again, since
        // what a detector sees in a message it may have missed in a part of it.
        struct Redacted {
            std::string summary;
            std::vector<std::string> stand_ins;
            Detector& detector;
            const config::Detection& detection;
        };
        std::optional<Redacted> redacted = std::nullopt;
    };

    // Gives the Clearance, or the reason why not. What was redacted is scanned again on this thread. Committed together
    // with `also` (the decision's own record; may be empty). `done` comes on another thread, or at once. Errors:
    // policy, when the label is above the clearance; storage, when the record could not be written, and then nothing
    // may be sent.
    void clear(Ask ask, store::Store::Job also, std::function<void(Result<Clearance>)> done);

    // Records, in the same chain as what leaves, that the owner has lowered a conversation's label. Commits `also` with
    // it. `done` comes on the store's thread. Errors: storage.
    void record_release(std::string conversation, Label to, std::string reason, store::Store::Job also,
                        std::function<void(Result<>)> done);

  private:
    // Adds the record to the chain, after `also` in the same commit, and tells whoever follows it.
    void record(std::shared_ptr<EgressRecord> record, store::Store::Job also, std::function<void(Result<>)> done);

    store::Store& store_;
    Vault& vault_;
    const Clock& clock_;
    LabelMemory memory_;
    std::function<void(const EgressRecord&)> told_;
};

}  // namespace tandem::privacy
