#include "ledger/bill.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace tandem::ledger {

namespace {

using prices::Bucket;

// What was said, with what was left out of it: tokens that are estimated, and a prompt or an answer that is not in it
// although one was counted.
prices::Reading completed(const Used& used, const prices::Asked& asked) {
    auto reading = used.said;
    if (!reading.found) {
        reading = {};
        reading.found = true;
        reading.buckets = prices::buckets_of(used.usage);
        reading.service_tier = asked.service_tier;
        reading.region = asked.region;
        return reading;
    }
    auto& buckets = reading.buckets;
    const auto complete = [&](Bucket bucket, std::int64_t has, std::int64_t counted) {
        if (has < counted && (used.usage.estimated || has == 0)) buckets.add(bucket, counted - has);
    };
    // What is billed by the piece is not counted in tokens.
    if (buckets.empty() || buckets.prompt() + buckets.answer() > 0) {
        complete(Bucket::input, buckets.prompt(), used.usage.input.count);
        complete(Bucket::output, buckets.answer(), used.usage.output.count);
    }
    // A charge in the middle of a stream is not that of the whole.
    if (used.usage.estimated) reading.charged.reset();
    return reading;
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

// What the owner has to know of a cost. That one price stands for all tiers and regions was the owner's choice.
void take_warnings(std::vector<std::string> from, bool of_book, Bill& bill) {
    for (auto& warning : from)
        if (of_book || warning.find("not in the cost") != std::string::npos)
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
    if (tariff.source() == prices::PriceSource::free) return {};
    auto reading = completed(used, asked);
    if (reading.buckets.empty() && !reading.charged) return {};
    Bill bill;
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
    take_warnings(booked.warnings, tariff.source() == prices::PriceSource::book, bill);
    bill.details = details_of(reading, booked, bill.source);
    return bill;
}

}  // namespace tandem::ledger
