// What a text holds, as its owner is told: for `tandem privacy scan` and the API. The text itself is never part of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "privacy/detect.h"

namespace tandem::privacy {

struct Span {
    std::string_view detector, type;
    std::size_t start, end;  // Unicode code points from the beginning of the text, `end` one past the last
    Label label;
    float score;
};

struct Scan {
    Label label = Label::public_;  // the highest of those that are sure enough to count
    std::vector<Span> spans;       // without overlaps, in order
};

// Findings below this score are not told.
inline constexpr float kTold = 0.4F;

// Errors: internal, where the detector failed.
Result<Scan> scan(Detector& detector, std::string_view text, const config::Detection& detection);

// {"id","label","spans":[{"type","start","end","label","score","detector"}]}; without `id` where that is empty.
std::string to_json(const Scan& scan, std::string_view id);

}  // namespace tandem::privacy
