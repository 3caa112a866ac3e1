// What a text holds that should not go everywhere.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/label.h"
#include "base/result.h"
#include "config/config.h"

namespace tandem::privacy {

struct Finding {
    std::string_view detector;  // its id; lives as long as the detector
    std::string_view type;      // as Presidio names it, where it has one
    config::Category category;
    std::size_t begin, end;      // bytes of the scanned text
    float score;                 // 0 to 1: how sure
    std::optional<Label> label;  // the owner's own, which goes before the category's
};

// From this score on a finding raises a label and is redacted.
inline constexpr float kSure = 0.5F;

// A detector may fail; whoever asks must then act as if everything had been found (law 1).
class Detector {
  public:
    virtual ~Detector() = default;
    // Everything that is found, overlaps included, by where it begins. What is hidden by escapes, look-alike or
    // invisible characters, base64 or hex is found where its disguise stands. `names`: people, organisations and places
    // too, which costs ten times as much. Safe from any thread. Errors: internal.
    virtual Result<std::vector<Finding>> scan(std::string_view text, bool names) = 0;
};

// scan() with what it throws as an error too.
Result<std::vector<Finding>> scan_safely(Detector& detector, std::string_view text, bool names);

// The owner's own label for it, or its category's.
inline Label label_of(const Finding& finding, const config::Detection& detection) {
    // What is the owner's own has no label by its category.
    return finding.label ? *finding.label : detection.of(finding.category);
}

// How deep JSON in strings of JSON is read.
inline constexpr int kNestedLevels = 3;

// The detectors of this house and the owner's own. Errors: internal, when Vectorscan does not run on this machine;
// invalid, when a pattern of the owner's is wrong, with its name.
Result<std::unique_ptr<Detector>> make_detector(const std::vector<config::OwnRule>& own = {});

// Of findings that overlap the surest, then the longest, by where they begin.
std::vector<Finding> resolve(std::vector<Finding> findings);

// All text of a JSON document, decoded: every string, number and key at any depth, known field or not. A member reads
// "key: value", so that assignments are seen; a string that is JSON itself (tool arguments) is read too, three levels
// deep. Parts are separated by line breaks.
// Where each string, number and key stands in the text is added to `leaves`, in order; empty ones are not.
struct Leaf {
    std::size_t begin, end;
};
std::string all_text(const json::Document& document, std::vector<Leaf>* leaves = nullptr);

// The seams: strings that stand one after the other, joined without a break, where a value may have been cut in two:
// between parts, messages and the arguments of a call (JSON in strings is read), between a name and what is said under
// it, between a member's name and its value. Long ones are represented by both their ends. Roles, types and models are
// left out. `leaves` as above: what stands for each string.
std::string seams(const json::Document& document, std::vector<Leaf>* leaves = nullptr);

// What stands for one string in the seams.
std::string seam_of(std::string_view text);

}  // namespace tandem::privacy
