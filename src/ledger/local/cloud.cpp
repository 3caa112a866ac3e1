#include "ledger/local/cloud.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/names.h"
#include "ledger/prices/books.h"
#include "ledger/reports/render.h"

namespace tandem::ledger::local {

namespace {

Result<prices::Tariff> of_book(const config::Config& config, const std::string& name) {
    const auto slash = name.find('/');
    if (config.currency != "USD")
        return fail(
            ErrorCode::invalid,
            fmt::format("against: '{}' is no model of tandem.yaml, and the price book is in USD while `currency` "
                        "is {}: name a cloud model that has a price of its own (models.*.price)",
                        printable(name, 80), config.currency),
            "against");
    const auto provider = name.substr(0, slash), model = name.substr(slash + 1);
    const auto books = prices::Books::open(config.data, {{provider, model}});
    if (!books) return fail(books.error());
    const auto found = books->find_all(provider, {model});
    if (found.entries.empty())
        return fail(
            ErrorCode::invalid,
            fmt::format("against: the price book has no '{}'; `tandem prices` shows what it has", printable(name, 80)),
            "against");
    return prices::Tariff::of_book(found.entries, {});
}

}  // namespace

Result<Comparison> Comparison::of(const config::Config& config, const std::string& against) {
    Comparison out;
    out.named_ = !against.empty();
    const auto* model = out.named_ ? config.model(against) : nullptr;
    if (out.named_ && model == nullptr && against.find('/') != std::string::npos) {
        auto tariff = of_book(config, against);
        if (!tariff) return fail(tariff.error());
        out.candidates_.push_back({against, std::move(*tariff), {}});
        return out;
    }
    const auto in_cloud = [&](const config::Model& one) {
        const auto* provider = config.provider(one.provider);
        return provider != nullptr && provider->zone == Zone::cloud;
    };
    if (out.named_ && (model == nullptr || !in_cloud(*model))) {
        std::vector<std::string> names;
        for (const auto& one : config.models)
            if (in_cloud(one)) names.push_back(one.id);
        return fail(ErrorCode::invalid,
                    fmt::format("against: tandem.yaml has no cloud model '{}'{}; PROVIDER/MODEL names one of the price "
                                "book, such as openai/gpt-5.1",
                                printable(against, 80), names.empty() ? "" : suggest(against, names)),
                    "against");
    }
    const auto pricing = Pricing::of(config);
    if (!pricing) return fail(pricing.error());
    for (const auto& one : config.models) {
        if (!in_cloud(one) || (model != nullptr && one.id != model->id)) continue;
        const auto& tariff = (*pricing)->of(one);
        if (tariff.known() && tariff.source() != prices::PriceSource::free)
            out.candidates_.push_back({one.id, tariff, {}});
        else if (out.named_)
            return fail(ErrorCode::invalid,
                        fmt::format("against: nobody says what '{}' costs ({}): set models.{}.price", against,
                                    tariff.note(), against),
                        "against");
    }
    return out;
}

void Comparison::add(const Usage& usage, std::int64_t time_ms, std::int64_t times) {
    const auto buckets = prices::buckets_of(usage);
    prices::Asked asked;
    asked.time_ms = time_ms;
    for (auto& one : candidates_)
        one.sum += one.tariff.cost(buckets, asked).times(std::min(times, prices::kMostCount), 1);
}

std::optional<Cloud> Comparison::dearest() const {
    const Candidate* most = nullptr;
    for (const auto& one : candidates_)
        if (most == nullptr || one.sum > most->sum) most = &one;
    if (most == nullptr) return {};
    return Cloud{most->model, named_, std::string(reports::words_of(most->tariff.source())), most->sum.micros()};
}

}  // namespace tandem::ledger::local
