// Ollama (https://github.com/ollama/ollama/blob/main/docs/api.md): /api/chat and /api/generate, with streams of one
// JSON object a line.
#pragma once

#include "dialect/dialect.h"

namespace tandem::dialect::ollama {

const Dialect& dialect();

ErrorReply encode_error(const Error& error);

// Seconds since 1970 as Ollama writes times.
std::string time_text(std::int64_t seconds);

}  // namespace tandem::dialect::ollama
