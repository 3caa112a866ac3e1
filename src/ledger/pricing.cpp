#include "ledger/pricing.h"

#include <fmt/format.h>

#include <boost/url/parse.hpp>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "config/names.h"
#include "ledger/prices/names.h"

namespace tandem::ledger {

namespace {

using prices::Tariff;

// By its address; where that says nothing, by how it is spoken to, and by what its owner calls it: "groq" behind a
// proxy. Else its host, which the book does not have: then a model is priced by who makes it, where nobody else may.
std::string book_id_of(const config::Provider& provider) {
    if (provider.zone == Zone::local) return {};
    const auto url = boost::urls::parse_uri(provider.base_url);
    const std::string host = url ? url->host() : std::string();
    if (auto id = prices::provider_at(host); !id.empty()) return id;
    if (!provider.kind->price_book.empty()) return std::string(provider.kind->price_book);
    if (auto id = prices::provider_id(provider.id); prices::is_known_provider(id)) return id;
    return host;
}

// An owner who says 0 means a model that costs nothing, also not by its fees.
bool costs_nothing(const config::Price& price) {
    return price.input == Money{} && price.output == Money{};
}

// What an owner's price has no words for: fees of tools and requests, and how long a cache is kept.
bool is_the_books(prices::Bucket bucket, const config::Price& price) {
    using enum prices::Bucket;
    if (bucket == cache_write) return !price.cache_write;
    if (bucket == cache_write_1h || bucket == cache_write_12h) return true;
    return !prices::is_tokens(bucket) && bucket != seconds && bucket != characters;
}

// The owner's price, with what it does not say out of the book's entries, each for its time.
Tariff completed(const config::Price& price, const std::vector<const prices::Entry*>& entries) {
    const auto own = ledger::tariff_of(price);
    json::Writer out;
    out.begin_object().member("source", name_of(prices::PriceSource::owner)).key("entries").begin_array();
    for (const auto* book : entries) {
        auto entry = *own.at(0);
        entry.from = book->from;
        entry.until = book->until;
        entry.search_once = book->search_once;
        entry.free_quota = book->free_quota;
        auto& rates = entry.cards.front().rates;
        for (const auto& [bucket, rate] : book->base()->rates) {
            if (!is_the_books(bucket, price)) continue;
            std::erase_if(rates, [&](const auto& one) { return one.first == bucket; });
            rates.emplace_back(bucket, rate);
        }
        prices::write_entry(out, entry);
    }
    out.end_array().end_object();
    json::Document document;
    const auto text = out.take();
    if (!document.parse(text)) return own;
    return Tariff::read(document.root()).value_or(own);
}

}  // namespace

prices::Amount amount_of(Money money) {
    return prices::Amount::from_atto(prices::Amount::Atto(money.micros()) * 1'000'000'000'000);
}

Tariff tariff_of(const config::Price& price) {
    return Tariff::flat(prices::PriceSource::owner,
                        {amount_of(price.input), amount_of(price.cached_input),
                         amount_of(price.cache_write.value_or(price.input)), amount_of(price.output)});
}

Tariff Pricing::unknown(std::string why) const {
    if (policy_.act != config::UnknownPrice::Do::estimate) return Tariff::unknown(std::move(why));
    const auto rate = amount_of(policy_.rate);
    return Tariff::flat(prices::PriceSource::estimate, {rate, rate, rate, rate});
}

Tariff Pricing::tariff_of(const config::Model& model, const std::string& name, Zone zone) const {
    if (model.price) {
        if (zone == Zone::local || !in_dollars_ || !books_ || config::is_pattern(name) || costs_nothing(*model.price))
            return ledger::tariff_of(*model.price);
        const auto found = books_->find_all(book_id(model.provider), {name});
        return found.entries.empty() ? ledger::tariff_of(*model.price) : completed(*model.price, found.entries);
    }
    if (zone == Zone::local) return {};
    if (!in_dollars_)
        return unknown(
            fmt::format("the price book is in USD, and `currency` is {}: set models.{}.price", currency_, model.id));
    if (config::is_pattern(name))
        return unknown("its price is looked up when it is asked for, by the name that stands for its *");
    const auto found = books_->find_all(book_id(model.provider), {name});
    const auto note = found.warnings.empty() ? std::string() : found.warnings.front();
    return found.entries.empty() ? unknown(note) : Tariff::of_book(found.entries, note);
}

Result<std::shared_ptr<const Pricing>> Pricing::of(const config::Config& config) {
    auto pricing = std::make_shared<Pricing>();
    pricing->policy_ = config.policy.unknown_price;
    pricing->currency_ = config.currency;
    pricing->in_dollars_ = config.currency == "USD";
    for (const auto& provider : config.providers) {
        pricing->book_ids_[provider.id] = book_id_of(provider);
        pricing->zones_[provider.id] = provider.zone;
    }
    std::vector<prices::ModelName> wanted;
    for (const auto& model : config.models)
        if ((!model.price || (!costs_nothing(*model.price) && !config::is_pattern(model.id))) &&
            pricing->zones_[model.provider] == Zone::cloud && pricing->in_dollars_)
            wanted.push_back({pricing->book_ids_[model.provider], config::is_pattern(model.id) ? "" : model.name});
    if (!wanted.empty()) {
        auto books = prices::Books::open(config.data, wanted);
        if (!books) return fail(books.error());
        pricing->books_ = std::move(*books);
    }
    for (const auto& model : config.models)
        pricing->tariffs_[model.id] = pricing->tariff_of(model, model.name, pricing->zones_[model.provider]);
    return pricing;
}

const Tariff& Pricing::of(const config::Model& model) const {
    static const Tariff free;
    const auto found = tariffs_.find(model.id);
    return found == tariffs_.end() ? free : found->second;
}

Tariff Pricing::of(const config::Model& pattern, const std::string& name) const {
    const auto zone = zones_.find(pattern.provider);
    if (pattern.price || zone == zones_.end() || zone->second == Zone::local) return of(pattern);
    const std::lock_guard lock(mutex_);
    if (named_.size() >= kMostNames) named_.clear();
    const auto [place, is_new] = named_.try_emplace(pattern.id + '\n' + name);
    if (!is_new) return place->second;
    place->second = tariff_of(pattern, name, zone->second);
    // Without the name: a client said it, and may have said anything.
    if (!place->second.known() && told_.insert(pattern.id).second)
        tell_unknown(pattern.id, pattern.provider, "a name that it stands for is not in the price book");
    return place->second;
}

const std::string& Pricing::book_id(const std::string& provider) const {
    static const std::string none;
    const auto found = book_ids_.find(provider);
    return found == book_ids_.end() ? none : found->second;
}

void tell_unknown(const std::string& model, const std::string& provider, const std::string& why) {
    log::Line(log::Level::warning, "a model has no price: its cost is not known")
        .add("model", model)
        .add("provider", provider)
        .add("why", why);
}

}  // namespace tandem::ledger
