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

// Something that a client said in a header and that its provider may want to know.
struct ClientHeader {
    std::string name;
    std::string value;  // without line breaks
};

// Leave to send one body to one provider, once. It holds the body, and with it everything else that a client had a hand
// in, so that nothing else can be sent on it.
class Clearance {
  public:
    Clearance(Clearance&&) noexcept = default;
    Clearance& operator=(Clearance&&) noexcept = default;
    const std::string& provider() const { return provider_; }
    const std::string& body() const { return body_; }
    const std::vector<ClientHeader>& headers() const { return headers_; }

  private:
    friend class Privacy;
    Clearance(std::string provider, std::string body, std::vector<ClientHeader> headers)
        : provider_(std::move(provider)), body_(std::move(body)), headers_(std::move(headers)) {}
    std::string provider_;
    std::string body_;
    std::vector<ClientHeader> headers_;
};

// Where a request's label comes from, for its decision record. Never the text itself.
struct Labelled {
    Label label = Label::public_;
    Label rest = Label::public_;       // of what remains when everything that was found is taken out
    std::uint8_t found = 0;            // the labels of what was found, as bits
    std::vector<std::string> reasons;  // "key alice: internal", "detector iban: private", ...; each stands once
    // Digests of the texts in which something was found, for the owner who may release them; kMostLeaves at most.
    std::vector<std::int64_t> leaves;
    // By a source that labels the whole.
    void raise(Label to, std::string reason);
    // By what is remembered of the conversation, or of texts in it.
    void recall(const Known& known, std::string_view why = "this conversation before");
    // By what a detector found, which can be taken out.
    void find(Label what, std::string reason);

  private:
    void add(std::string reason, Label label);
};

// Whether people, organisations or places matter to the owner: finding them takes its time.
bool looks_for_names(const config::Detection& detection);

// What the owner has released of a conversation, and the key that its digests are made with. Without a key nothing is
// released, and no digest is made.
struct ReleasedContent {
    const Keys* keys = nullptr;
    std::vector<std::shared_ptr<const Released>> released = {};
};

// The digest of a text that may be released: a keyed hash, so that a short one cannot be guessed from it.
std::int64_t leaf_digest(const Keys& keys, std::string_view text);

// Raises `labelled` by what detectors find in all text of the request. What stands on a seam, cut in two, cannot be
// taken out. Where a detector fails, the label becomes secret: what could not be looked at may be anything.
//
// The whole is always looked at. A finding does not count where the texts (the strings of the document, or what stands
// for them in the seams) that it lies in were released, byte for byte; nor where it lies whole in one such text and
// only runs on into the next.
void label_by_content(Detector& detector, const json::Document& document, const config::Detection& detection,
                      Labelled& labelled, const ReleasedContent& content = {});

// The same for what a client says beside the body and that leaves with it: it cannot be taken out.
void label_by_header(Detector& detector, std::string_view text, const config::Detection& detection, Labelled& labelled);

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
        std::vector<ClientHeader> headers = {};  // of the client, that leave beside the body
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
