// What each model of a config costs: by its owner's word, else by the price book, by where its provider is and what the
// model is called there. Made when a config is taken over; what it says does not change.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>

#include "config/config.h"
#include "ledger/prices/books.h"
#include "ledger/prices/tariff.h"

namespace tandem::ledger {

class Pricing {
  public:
    // Opens the books (data folder, shipped) where a cloud model has no price of its owner's; else none. Errors:
    // invalid, storage, as Books::open().
    static Result<std::shared_ptr<const Pricing>> of(const config::Config& config);

    // What a model of the config costs. One whose name is a pattern has only its owner's price.
    const prices::Tariff& of(const config::Model& model) const;
    // The same of a model of a pattern, which its provider calls `name`. Remembered; safe from any thread.
    prices::Tariff of(const config::Model& pattern, const std::string& name) const;
    // How the book calls a provider of the config; its host where the book does not know that, empty at home.
    const std::string& book_id(const std::string& provider) const;
    // For what other models did for an answer; null where none were opened.
    const prices::Books* books() const { return books_ ? &*books_ : nullptr; }
    // Charges of providers and rates of the book are in US dollars: whether the ledger's currency is that.
    bool in_dollars() const { return in_dollars_; }

  private:
    prices::Tariff tariff_of(const config::Model& model, const std::string& name, Zone zone) const;
    prices::Tariff unknown(std::string why) const;

    static constexpr std::size_t kMostNames = 2'000;  // of patterns that are remembered

    std::map<std::string, prices::Tariff> tariffs_;  // by id
    std::map<std::string, std::string> book_ids_;    // by provider
    std::map<std::string, Zone> zones_;              // by provider
    std::optional<prices::Books> books_;
    config::UnknownPrice policy_;
    std::string currency_;
    bool in_dollars_ = true;
    mutable std::mutex mutex_;
    mutable std::unordered_map<std::string, prices::Tariff> named_;  // "id\nname"
    mutable std::set<std::string> told_;                             // patterns of which the log has said it
};

// A line in the log of the owner, for a model whose price nobody knows.
void tell_unknown(const std::string& model, const std::string& provider, const std::string& why);

// An amount of the ledger as one that prices are multiplied with.
prices::Amount amount_of(Money money);
// The owner's price as a tariff.
prices::Tariff tariff_of(const config::Price& price);

}  // namespace tandem::ledger
