// Where one answer broke off and another goes on: what both say is said once.
#pragma once

#include <memory>
#include <string>

#include "chat/filter.h"

namespace tandem::chat {

// The shortest repetition that is taken for one, in bytes: shorter ones are how text is.
inline constexpr std::size_t kShortestOverlap = 16;
// What stands between the two where an answer that was begun anew says something else.
inline constexpr std::string_view kBeginsAgain = "\n\n[The answer broke off here, and begins again.]\n\n";

// A model was given `given` as the beginning of its answer, and goes on. Models repeat the end of it, or all of it, or
// the white space that it ended with; that is left out. Holds back only what could be such a repetition.
std::unique_ptr<EventFilter> continuation_splice(std::string given);

// A model was asked anew. For as long as it says what was said, nothing is said; where it says something else, the new
// answer follows whole behind kBeginsAgain.
std::unique_ptr<EventFilter> restart_splice(std::string given);

}  // namespace tandem::chat
