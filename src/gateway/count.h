// How many tokens a request has, by whoever would answer it. Private to gateway/.
#pragma once

#include "gateway/way.h"

namespace tandem::gateway {

// Exact where a llama-server can be asked, by its template and tokenizer; else the estimate, marked as one.
net::Task<> count_tokens(Way& way);

}  // namespace tandem::gateway
