#include "ledger/bill.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "ledger/prices/tool_calls.h"

namespace tandem::ledger {

namespace {

using prices::Bucket;

// Fees of tools of an answer whose end did not come.
void add_tools(const Used& used, const prices::Hints& hints, prices::Buckets& buckets) {
    if (!used.usage.estimated) return;
    if (prices::searches_always(hints.model))
        buckets.set(Bucket::web_search, std::max<std::int64_t>(1, buckets[Bucket::web_search]));
    for (std::size_t i = 0; i < prices::kBuckets; ++i) {
        const auto bucket = static_cast<Bucket>(i);
        buckets.set(bucket, std::max(buckets[bucket], used.tools[bucket]));
    }
}

// What was said, with what was left out of it: tokens that are estimated, and what was counted of a prompt or an answer
// beyond it, as where a stream says two usages, or a body has a second one in another provider's words.
prices::Reading completed(const Used& used, const prices::Asked& asked, const prices::Hints& hints) {
    auto reading = used.said;
    if (!reading.found) {
        reading = {};
        reading.found = true;
        reading.buckets = prices::buckets_of(used.usage);
        reading.service_tier = asked.service_tier;
        reading.region = asked.region;
        add_tools(used, hints, reading.buckets);
        return reading;
    }
    auto& buckets = reading.buckets;
    const auto complete = [&](Bucket bucket, std::int64_t has, std::int64_t counted) {
        if (has < counted) buckets.add(bucket, counted - has);
    };
    // What is billed by the piece is not counted in tokens.
    if (buckets.empty() || buckets.prompt() + buckets.answer() > 0) {
        complete(Bucket::input, buckets.prompt(), used.usage.input.count);
        complete(Bucket::output, buckets.answer(), used.usage.output.count);
    }
    // A charge in the middle of a stream is not that of the whole.
    if (used.usage.estimated) reading.charged.reset();
    add_tools(used, hints, reading.buckets);
    return reading;
}

// The row's counts, by the reading that the cost goes by.
Usage usage_of(const prices::Buckets& buckets, const Usage& counted) {
    if (buckets.prompt() + buckets.answer() == 0) return counted;
    const auto sum = [&](std::initializer_list<Bucket> parts) {
        Tokens all;
        for (const auto part : parts) all = all + Tokens{buckets[part]};
        return all;
    };
    using enum Bucket;
    return {{buckets.prompt()}, sum({cache_read, cached_audio, cached_image, cached_video}),
            {buckets.answer()}, {buckets[reasoning]},
            counted.estimated,  sum({cache_write, cache_write_1h, cache_write_12h})};
}

std::string details_of(const prices::Reading& reading, const prices::Booked& booked, prices::PriceSource source) {
    const auto written = [&](bool with_entry) {
        json::Writer out;
        out.begin_object().key("usage").begin_object();
        for (std::size_t i = 0; i < prices::kBuckets; ++i)
            if (const auto count = reading.buckets[static_cast<Bucket>(i)]; count > 0)
                out.member(prices::kBucketNames[i], count);
        out.end_object();
        if (!reading.service_tier.empty()) out.member("tier", printable(reading.service_tier, 24));
        if (!reading.region.empty()) out.member("region", printable(reading.region, 16));
        if (with_entry && booked.entry != nullptr)
            out.member("entry", printable(booked.entry->provider + "/" + booked.entry->model, 80));
        if (source == prices::PriceSource::provider && booked.by_book) out.member("by_book", booked.by_book->text());
        out.end_object();
        return out.take();
    };
    auto text = written(true);
    if (text.size() > Bill::kMostDetails) text = written(false);
    return text.size() > Bill::kMostDetails ? std::string() : text;
}

// Charges have fees that no price book knows; beyond these bounds they are somebody's mistake.
bool is_believable(const prices::Booked& booked) {
    constexpr std::int64_t kTimesOurs = 100, kFees = 1'000'000, kMost = 1'000'000'000;  // micro-units
    const auto charged = booked.cost->micros().micros();
    if (!booked.by_book) return charged <= kMost;
    const auto ours = booked.by_book->micros().micros();
    return ours > INT64_MAX / kTimesOurs || charged - kFees <= kTimesOurs * ours;
}

// Where the response names another model of the book than the one that its owner configured, and that one's price would
// come to something else.
std::string other_model(const prices::Reading& reading, const prices::Booked& booked, const prices::Hints& hints,
                        const prices::Asked& asked, const Pricing& pricing) {
    if (reading.model.empty() || reading.model == hints.model || booked.by_provider || booked.entry == nullptr ||
        pricing.books() == nullptr)
        return {};
    const auto found = pricing.books()->find(hints.provider, {reading.model}, asked.time_ms, asked.time_ms);
    if (found.entry == nullptr || found.entry->model == booked.entry->model) return {};
    const auto theirs =
        prices::cost_of(reading.buckets, *found.entry, {asked.time_ms, reading.service_tier, reading.region}).amount;
    if (!theirs || !booked.by_book || *theirs == *booked.by_book) return {};
    return fmt::format("the response names {}, whose price would come to {}; it is booked as {}",
                       printable(reading.model, 60), theirs->text(), booked.entry->model);
}

// What the owner has to know of a cost. That one price stands for all tiers and regions was the owner's choice; what is
// kept in a cache for long is neither in an owner's price nor, where this is said, in the book.
void take_warnings(std::vector<std::string> from, bool of_book, Bill& bill) {
    for (auto& warning : from)
        if (of_book || warning.find("not in the cost") != std::string::npos ||
            warning.find("that of 'cache_write' is taken") != std::string::npos)
            bill.warnings.push_back(std::move(warning));
}

// details_of() read back.
prices::Reading reading_of(const std::string& details, const Usage& usage) {
    prices::Reading reading;
    reading.found = true;
    json::Document document;
    if (details.empty() || !document.parse(details)) {
        reading.buckets = prices::buckets_of(usage);
        return reading;
    }
    const auto root = document.root();
    for (const auto count : root["usage"].children())
        if (const auto bucket = prices::bucket_named(count.key()))
            reading.buckets.set(*bucket, count.integer().value_or(0));
    reading.service_tier = root["tier"].text();
    reading.region = root["region"].text();
    return reading;
}

}  // namespace

Bill bill_again(const std::string& details, const Usage& usage, const prices::Tariff& tariff, std::int64_t time_ms,
                const prices::Hints& hints, const Pricing& pricing) {
    if (tariff.source() == prices::PriceSource::free) return {};
    const auto reading = reading_of(details, usage);
    if (reading.buckets.empty()) return {};
    const auto booked = prices::book_at(tariff.at(time_ms), reading, hints, time_ms, pricing.books());
    Bill bill;
    if (booked.cost) bill.cost = booked.cost->micros();
    bill.source = booked.cost ? tariff.source() : prices::PriceSource::unknown;
    bill.details = details_of(reading, booked, bill.source);
    return bill;
}

Bill bill_of(const Used& used, const prices::Tariff& tariff, const prices::Asked& asked, const prices::Hints& hints,
             const Pricing& pricing) {
    Bill bill;
    bill.usage = used.usage;
    if (tariff.source() == prices::PriceSource::free) return bill;
    auto reading = completed(used, asked, hints);
    if (reading.buckets.empty() && !reading.charged) return bill;
    bill.usage = usage_of(reading.buckets, used.usage);
    if (reading.charged && !pricing.in_dollars()) {
        reading.charged.reset();
        bill.warnings.emplace_back("the provider says what it charged in USD, which is not the ledger's currency");
    }
    // A charge that comes to nothing is no price, unless the client asked for an offer that is free. The name in the
    // response is the provider's word again.
    if (reading.charged && reading.charged->micros() == Money{} && !hints.model.ends_with(":free")) {
        reading.charged.reset();
        bill.warnings.emplace_back("the provider says that it charged 0, which may be no price");
    }
    auto booked = prices::book_at(tariff.at(asked.time_ms), reading, hints, asked.time_ms, pricing.books());
    if (booked.by_provider && !is_believable(booked)) {
        bill.warnings.push_back(fmt::format("the provider says that it charged {}, which is not believed{}",
                                            booked.cost->text(), booked.by_book ? ": its price is taken" : ""));
        booked.cost = booked.by_book;
        booked.by_provider = false;
    }
    if (booked.cost) {
        bill.cost = booked.cost->micros();
        bill.source = booked.by_provider ? prices::PriceSource::provider : tariff.source();
    } else {
        bill.source = prices::PriceSource::unknown;
        bill.warnings.push_back(
            fmt::format("no price is known of {}: its cost is not counted", printable(hints.model, 80)));
    }
    if (tariff.source() == prices::PriceSource::book)
        if (auto other = other_model(reading, booked, hints, asked, pricing); !other.empty())
            bill.warnings.push_back(std::move(other));
    // What it would be by the book is in the details.
    std::erase_if(booked.warnings, [](const std::string& text) { return text.starts_with("by the book it would be"); });
    take_warnings(booked.warnings, tariff.source() == prices::PriceSource::book, bill);
    bill.details = details_of(reading, booked, bill.source);
    return bill;
}

}  // namespace tandem::ledger
