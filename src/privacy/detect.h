// What a text holds that should not go everywhere.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/label.h"
#include "base/result.h"
#include "privacy/patterns.h"

namespace tandem::privacy {

struct Finding {
    std::string_view detector;  // its id
    Finds finds;
    std::size_t end;  // one past its last byte in the scanned text
};

// A detector may fail; whoever asks must then act as if everything had been found (law 1).
class Detector {
  public:
    virtual ~Detector() = default;
    // At most one finding for each kind of pattern: enough to label. Safe from any thread. Errors: internal.
    virtual Result<std::vector<Finding>> scan(std::string_view text) = 0;
};

// Errors: internal, when Vectorscan does not run on this machine.
Result<std::unique_ptr<Detector>> make_detector();

// All text of a JSON document, decoded: every string, number and key at any depth, known field or not. A member reads
// "key: value", so that assignments are seen; a string that is JSON itself (tool arguments) is read too, three levels
// deep. Parts are separated by line breaks.
std::string all_text(const json::Document& document);

}  // namespace tandem::privacy
