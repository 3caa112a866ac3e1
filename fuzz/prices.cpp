// Usage out of providers' responses, and price tables of others: whatever stands in them, there is an answer, and no
// count or cost is below 0 or wraps.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "ledger/prices/books.h"
#include "ledger/prices/import.h"

namespace {

using namespace tandem::prices;

void expect(bool holds) {
    if (!holds) std::abort();
}

void usage(std::string_view text, const char* provider) {
    static const Books books({*shipped_book()});
    const Hints hints{provider, "gpt-5.1", ""};
    const auto reading = read_usage(text, hints);
    expect(reading.found || (reading.buckets.empty() && !reading.warnings.empty()));
    for (std::size_t i = 0; i < kBuckets; ++i) {
        const auto count = reading.buckets[static_cast<Bucket>(i)];
        expect(count >= 0 && count <= kMostCount);
    }
    const auto booked = book(reading, {hints, std::nullopt}, books, 1'795'000'000'000);
    if (booked.cost) expect(*booked.cost >= Amount{} && booked.cost->micros().micros() >= 0);
}

void table(std::string_view text) {
    const auto imported = import_table(text, "fuzz", "2026-11-26");
    if (!imported) return expect(!imported.error().message.empty());
    const auto again = Book::parse(imported->book.write());
    expect(again && again->entries().size() == imported->book.entries().size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    constexpr const char* kProviders[] = {"openai",     "anthropic",  "google",    "xai",
                                          "perplexity", "openrouter", "my gateway"};
    if (data[0] % 8 == 7)
        table(text);
    else
        usage(text, kProviders[data[0] % 8]);
    return 0;
}
