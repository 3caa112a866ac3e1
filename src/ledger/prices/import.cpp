#include "ledger/prices/import.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "ledger/prices/reading.h"

namespace tandem::prices {

namespace {

// Entries as docs/prices.md has them: a book, with or without what a book has besides, a list of them, one alone, and
// what `prices list --json` and `prices show --json` print. No value where it is none of these.
json::Value entries_in(const json::Value& root) {
    if (root["entries"].is(json::Kind::array)) return root["entries"];
    if (root["entry"]["cards"].exists()) return root["entry"];
    const auto is_entry = [](const json::Value& value) {
        return value["provider"].exists() && value["model"].exists();
    };
    if (root.is(json::Kind::object) && is_entry(root)) return root;
    if (root.is(json::Kind::array) && root.size() > 0 && is_entry(*begin(root.children()))) return root;
    return {};
}

Result<Imported> import_entries(const json::Value& entries, std::string_view source, std::string_view checked) {
    Imported out;
    out.kind = "tandem";
    const auto add = [&](const json::Value& one) -> Result<> {
        auto entry = read_entry(one);
        if (!entry)
            return fail(ErrorCode::invalid, fmt::format("entry {} '{}': {}", out.book.entries().size(),
                                                        printable(one["model"].text(), 60), entry.error().message));
        entry->provider = provider_id(entry->provider);
        if (entry->source.empty()) entry->source = source;
        if (entry->checked.empty()) entry->checked = checked;
        out.book.add(std::move(*entry));
        return {};
    };
    if (entries.is(json::Kind::object)) {
        if (auto ok = add(entries); !ok) return fail(ok.error());
    } else {
        for (const auto one : entries.children())
            if (auto ok = add(one); !ok) return fail(ok.error());
    }
    if (out.book.entries().empty()) return fail(ErrorCode::invalid, "it is a book without an entry");
    out.book.made = checked;
    out.book.sources = {std::string(source)};
    return out;
}

}  // namespace

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
    if (const auto entries = entries_in(root); entries.exists()) {
        const auto made = root["made"].text();
        return import_entries(entries, source, made.empty() ? checked : made);
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
                    "genai-prices' data.json, or entries of this program's book as docs/prices.md has them: a list, or "
                    "{\"entries\": [...]}");
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
