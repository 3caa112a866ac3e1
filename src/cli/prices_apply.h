// The lines of `tandem prices apply`.
#pragma once

#include <string>
#include <string_view>

#include "ledger/prices/books.h"

namespace tandem::cli {

struct Applied {
    std::string line;    // of JSON, without its end
    bool bad = false;    // it was no line that can be answered; `line` says why
    bool known = false;  // it has a cost
};

// Prices one line {"id","provider","model","dialect","time","body"}. Whatever stands in it, there is an answer.
Applied apply_prices(std::string_view line, std::size_t number, const prices::Books& books, std::int64_t now_ms);

}  // namespace tandem::cli
