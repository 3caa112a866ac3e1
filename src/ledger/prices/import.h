// Other people's price tables made into a book: LiteLLM's table and genai-prices' data, told apart by their shape. What
// the book has no place for (modes of video by resolution, limits, abilities) is left out, and counted.
#pragma once

#include <string>
#include <string_view>

#include "ledger/prices/book.h"

namespace tandem::prices {

struct Imported {
    Book book;
    std::string kind;          // "litellm", "genai-prices" or "tandem"
    std::size_t left_out = 0;  // entries without a price that the book can say
};

// `checked` is the day to write into the entries that have none of their own, `source` what to call the file. Errors:
// invalid, where it is none of the shapes.
Result<Imported> import_table(std::string_view json, std::string_view source, std::string_view checked);

// Private to import: one shape each.
Imported import_litellm(const json::Value& table, std::string_view source, std::string_view checked);
Imported import_genai(const json::Value& providers, std::string_view source, std::string_view checked);

// What differs between two books: the base rates of names that both have, at a time.
struct Difference {
    std::string provider, model;
    Bucket bucket;
    std::optional<Amount> one, other;
};
struct Comparison {
    std::vector<Difference> differences;
    std::size_t shared = 0;                    // rates that both have
    std::size_t only_one = 0, only_other = 0;  // models
};
Comparison compare(const Book& one, const Book& other, std::int64_t time_ms);

}  // namespace tandem::prices
