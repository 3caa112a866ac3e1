// What says nothing in a client's dialect: a sign of life while its answer is made.
#pragma once

#include <string>

#include "dialect/dialect.h"

namespace tandem::dialect {

// Anthropic's ping; a comment of SSE where clients skip those; white space for Gemini's, which do not; an empty message
// of Ollama, whose clients read every line.
std::string beat_of(Kind kind, const AnswerFrame& frame);

}  // namespace tandem::dialect
