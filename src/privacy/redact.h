// Takes out of a request what a zone may not see, and puts stand-ins in its place. What the model says of them comes
// back through restore.h.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "config/config.h"
#include "privacy/detect.h"
#include "privacy/vault.h"

namespace tandem::privacy {

struct Redaction {
    std::string body;                    // the document, with every other byte as it was
    std::vector<StandIn> used;           // those in it, to be put back
    std::vector<StandIn> fresh;          // of these, what the vault does not have yet
    std::map<std::string, int> counts;   // how many places of each type; masked ones too
    std::vector<std::string> stand_ins;  // every text that was put in, masks included

    // "IBAN_CODE:1,PERSON:2".
    std::string summary() const;
};

struct RedactionRules {
    const config::Detection& detection;
    // By label of what is found; redact and mask take it out, the rest leaves it.
    const std::array<std::optional<config::Treatment>, 4>& treatments;
    bool realistic = false;
};

// `known` are the conversation's stand-ins so far, the oldest first. A name that the text itself has
// already ("<PERSON_1>" typed by the user) is not used in this document. Each value that is found in one place is taken
// out wherever it stands. Errors: internal, where the detector fails; policy, for what cannot be taken out without
// breaking what it stands in (the name of a field, a file's bytes).
Result<Redaction> redact(const json::Document& document, Detector& detector, const RedactionRules& rules,
                         const std::vector<StandIn>& known, const Keys& keys);

}  // namespace tandem::privacy
