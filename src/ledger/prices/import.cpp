#include "ledger/prices/import.h"

#include <algorithm>

namespace tandem::prices {

Result<Imported> import_table(std::string_view json, std::string_view source, std::string_view checked) {
    json::Document document;
    if (auto ok = document.parse(json); !ok) return fail(ErrorCode::invalid, "it is not JSON: " + ok.error().message);
    const auto root = document.root();
    Imported out;
    if (root["format"].exists() && root["entries"].exists()) {
        auto book = Book::parse(json);
        if (!book) return fail(book.error());
        out.book = std::move(*book);
        out.kind = "tandem";
        return out;
    }
    const auto providers = root.is(json::Kind::array) ? root : root["providers"];
    const auto first = root.size() > 0 ? *begin(root.children()) : json::Value();
    if (providers.is(json::Kind::array) && providers.size() > 0 && (*begin(providers.children()))["models"].exists())
        out = import_genai(providers, source, checked);
    else if (root.is(json::Kind::object) && (root["sample_spec"].exists() || first["litellm_provider"].exists()))
        out = import_litellm(root, source, checked);
    else
        return fail(ErrorCode::invalid,
                    "it is no price table that is known here: LiteLLM's model_prices_and_context_window.json, "
                    "genai-prices' data.json, or a book "
                    "of this program");
    if (out.book.entries().empty()) return fail(ErrorCode::invalid, "no price is in it that the book can say");
    out.book.made = checked;
    out.book.sources = {std::string(source)};
    return out;
}

Comparison compare(const Book& one, const Book& other, std::int64_t time_ms) {
    Comparison out;
    const auto holds = [&](const Entry& entry) { return time_ms >= entry.from && time_ms < entry.until; };
    for (const auto& entry : one.entries()) {
        if (!holds(entry)) continue;
        const auto theirs = other.find(entry.provider, {entry.model});
        const auto found = std::ranges::find_if(theirs, [&](const Entry* their) { return holds(*their); });
        if (found == theirs.end()) {
            ++out.only_one;
            continue;
        }
        for (const auto& [bucket, rate] : entry.base()->rates) {
            const auto* their = (*found)->base()->rate(bucket);
            if (their == nullptr) continue;
            ++out.shared;
            if (*their != rate) out.differences.push_back({entry.provider, entry.model, bucket, rate, *their});
        }
    }
    for (const auto& entry : other.entries())
        if (holds(entry) && one.find(entry.provider, {entry.model}).empty()) ++out.only_other;
    return out;
}

}  // namespace tandem::prices
