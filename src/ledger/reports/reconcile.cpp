#include "ledger/reports/reconcile.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"
#include "ledger/prices/names.h"
#include "ledger/pricing.h"
#include "ledger/reports/question.h"
#include "ledger/reports/reconcile_sides.h"

namespace tandem::ledger::reports {

namespace {

using prices::Amount;

// A model without date, version and the way to it: the dated name that a provider bills is the one that was asked for.
std::string plain_model(const std::string& model) {
    if (model.empty()) return {};
    const auto forms = prices::model_forms(model);
    return forms.empty() ? model : forms.back();
}

bool ended_early(const Kind& kind) {
    return kind.outcome == "cancelled" || kind.outcome == "cut" || kind.outcome == "lost" || kind.outcome == "failed";
}

class Matcher {
  public:
    Matcher(const Theirs& theirs, const Matching& matching, const PriceOf& price)
        : theirs_(theirs), matching_(matching), price_(price) {
        // A report is by what its lines name; what one of two is not by, neither is compared by.
        bool usage_by_model = false, costs_by_model = false, usage_by_key = false, costs_by_key = false;
        for (const auto& line : theirs.lines) {
            if (!line.item.empty()) continue;
            if (line.input || line.output) {
                usage_by_model = usage_by_model || !line.model.empty();
                usage_by_key = usage_by_key || !line.key.empty();
            }
            if (line.cost) {
                costs_by_model = costs_by_model || !line.model.empty();
                costs_by_key = costs_by_key || !line.key.empty();
            }
        }
        by_model_ = (!theirs.has_usage || usage_by_model) && (!theirs.has_costs || costs_by_model);
        by_key_ = !matching.keys.empty() && (!theirs.has_usage || usage_by_key) && (!theirs.has_costs || costs_by_key);
        if (!by_model_)
            notes_.push_back(fmt::format(
                "{} not by model, so each day is compared as a whole (group_by[]={})",
                usage_by_model == costs_by_model ? "the report is"
                : usage_by_model                 ? "the costs are"
                                                 : "the usage is",
                theirs.provider == "anthropic" ? "description; model for usage" : "line_item; model for usage"));
        if (!by_key_ && !matching.keys.empty())
            notes_.emplace_back(
                "the report is not by API key (group_by[]=api_key_id), or its costs are not: all keys "
                "count together, also those that --keys does not name");
    }

    void add(const TheirLine& line) {
        auto& both = at(line.day, line.model, their_key(line.key));
        if (by_model_ && both.model.empty()) both.model = line.model;
        auto& side = both.theirs;
        if (line.cost) {
            side.cost = side.cost.value_or(Amount()) + *line.cost;
            if (!line.item.empty()) {
                both.no_tokens += *line.cost;
                if (std::ranges::find(both.items, line.item) == both.items.end()) both.items.push_back(line.item);
            }
        }
        if (line.requests) side.requests = side.requests.value_or(0) + *line.requests;
        if (!line.input && !line.output) return;
        side.has_usage = true;
        const Usage usage{
            {line.input.value_or(0)},      {line.cached.value_or(0)}, {line.output.value_or(0)}, {0}, false,
            {line.cache_write.value_or(0)}};
        side.usage = side.usage + usage;
        auto& tier = both.theirs_by_tier[line.tier];
        tier = tier +
               Volume{usage, std::clamp<std::int64_t>(line.cache_write_hour.value_or(0), 0, usage.cache_write.count)};
    }

    void add(const OurLine& line) {
        if (line.day < theirs_.first_day || line.day > theirs_.last_day) return;
        if (line.kind.outcome == "skipped" || line.kind.outcome == "cached") return;
        auto& both = at(line.day, line.model, our_key(line.key));
        if (by_model_ && both.model.empty()) both.model = line.model;
        auto& side = both.ours;
        side.has_usage = true;
        side.requests = side.requests.value_or(0) + line.sums.attempts;
        side.usage = side.usage + line.sums.usage;
        const auto cost = amount_of(line.sums.cost);
        side.cost = side.cost.value_or(Amount()) + cost;
        both.attempts += line.sums.attempts;
        if (line.kind.source == prices::PriceSource::unknown) both.unpriced += line.sums.attempts;
        if (line.kind.estimated) {
            const bool early = ended_early(line.kind);
            (early ? both.cancelled : both.estimated) += cost;
            (early ? both.cancelled_attempts : both.estimated_attempts) += line.sums.attempts;
        }
        const auto found = std::ranges::find_if(both.ours_by_tier, [&](const Both::OurTier& t) {
            return t.tier == line.kind.tier && t.model == line.price && t.key == line.key;
        });
        if (found == both.ours_by_tier.end())
            both.ours_by_tier.push_back({line.kind.tier, line.price, line.key, line.sums.usage});
        else
            found->usage = found->usage + line.sums.usage;
    }

    Reconciled finish() {
        Reconciled result;
        result.provider = theirs_.provider;
        result.first_day = theirs_.first_day;
        result.last_day = theirs_.last_day;
        result.notes = theirs_.notes;
        result.notes.insert(result.notes.end(), notes_.begin(), notes_.end());
        share_fees();
        for (auto& [place, both] : places_) {
            Difference row;
            row.day = std::get<0>(place);
            row.model = both.model;
            row.key = std::get<2>(place);
            row.theirs = both.theirs;
            row.ours = both.ours;
            if (both.our_fees != both.fees_given)
                row.ours.cost = minus(both.ours.cost.value_or(Amount()) + both.our_fees, both.fees_given);
            explain(both, row);
            if (row.theirs.cost) result.theirs += *row.theirs.cost;
            if (row.ours.cost) result.ours += *row.ours.cost;
            result.difference += row.amount;
            for (const auto& reason : row.reasons)
                result.causes[static_cast<std::size_t>(reason.cause)] += reason.amount;
            result.rows.push_back(std::move(row));
        }
        if (matching_.keys.empty() && their_keys_.size() > 1)
            result.notes.push_back(fmt::format(
                "{} API keys stand in the report ({}) and count together; --keys KEY=PROVIDER "
                "says which of them Tandem uses, and the others' traffic is then not ours",
                their_keys_.size(), printable(join(std::vector(their_keys_.begin(), their_keys_.end()), ", "), 200)));
        return result;
    }

  private:
    Both& at(std::int64_t day, const std::string& model, const std::string& key) {
        return places_[{day, by_model_ ? plain_model(model) : std::string(), key}];
    }
    std::string their_key(const std::string& key) {
        if (!key.empty()) their_keys_.insert(key);
        if (!by_key_) return {};
        const auto found = matching_.keys.find(key);
        return found != matching_.keys.end() ? found->second : key.empty() ? "(no key)" : key;
    }
    std::string our_key(const std::string& provider) const { return by_key_ ? provider : std::string(); }

    // Fees stand on lines of their own there, and in the cost of an attempt here: what ours were booked at beyond their
    // tokens is compared with the fees of their day, as far as these go.
    void share_fees() {
        for (auto& [place, with_fees] : places_) {
            const auto fees = with_fees.no_tokens;
            auto left = fees;
            if (left <= Amount()) continue;
            for (auto& [other, both] : places_) {
                if (std::get<0>(other) != std::get<0>(place) || std::get<2>(other) != std::get<2>(place)) continue;
                const auto tokens = our_tokens(both, std::get<0>(other));
                if (both.attempts == 0 || !tokens) continue;
                const auto more = minus(minus(both.ours.cost.value_or(Amount()), *tokens), both.fees_given);
                const auto half = rounding_of(both);
                if (more <= half) continue;
                const auto part = within(minus(more, left), half) == minus(more, left) ? left : std::min(more, left);
                both.fees_given += part;
                with_fees.our_fees += part;
                left = minus(left, part);
            }
        }
    }

    // What ours cost by the price here; nullopt where some of it is not known.
    std::optional<Amount> our_tokens(const Both& both, std::int64_t day) const {
        Amount sum;
        for (const auto& ours : both.ours_by_tier) {
            const auto cost = price_(ours.key, ours.model, ours.tier, of_ours(both, ours.usage), day);
            if (!cost) return {};
            sum += *cost;
        }
        return sum;
    }

    // By the price of the model as ours have it, where ours have it; else by its name there.
    std::optional<Amount> priced(const Both& both, const std::string& tier, const Volume& volume,
                                 std::int64_t day) const {
        const auto& like = both.ours_by_tier.empty() ? Both::OurTier{} : both.ours_by_tier.front();
        return price_(like.key, like.model.empty() ? both.model : like.model, tier, volume, day);
    }

    struct Prices {
        Amount theirs, theirs_at_our_tier, ours;
    };
    // nullopt where some price is not known.
    std::optional<Prices> prices_of(const Both& both, std::int64_t day) const {
        Prices sums;
        Volume all;
        for (const auto& [tier, volume] : both.theirs_by_tier) {
            all = all + volume;
            const auto cost = priced(both, tier, volume, day);
            if (!cost) return {};
            sums.theirs += *cost;
        }
        const auto ours_cost = our_tokens(both, day);
        if (!ours_cost) return {};
        sums.ours = *ours_cost;
        sums.theirs_at_our_tier = sums.theirs;
        if (both.ours_by_tier.empty()) return sums;
        const auto same_tokens = [](const Usage& a, const Usage& b) {
            return a.input == b.input && a.cached_input == b.cached_input && a.cache_write == b.cache_write &&
                   a.output == b.output;
        };
        std::set<std::string> our_tiers;
        for (const auto& ours : both.ours_by_tier) our_tiers.insert(ours.tier);
        if (same_tokens(both.theirs.usage, both.ours.usage)) {
            sums.theirs_at_our_tier = sums.ours;  // only the tiers can differ
        } else if (our_tiers.size() == 1 &&
                   !(both.theirs_by_tier.size() == 1 && both.theirs_by_tier.contains(*our_tiers.begin()))) {
            const auto cost = priced(both, *our_tiers.begin(), all, day);
            if (!cost) return {};
            sums.theirs_at_our_tier = *cost;
        }
        return sums;
    }

    static void give(Difference& row, Cause cause, Amount amount, std::string text) {
        row.reasons.push_back({cause, amount, std::move(text)});
    }

    void explain(const Both& both, Difference& row) const {
        const bool costs = both.theirs.cost.has_value() || theirs_.has_costs;
        const auto theirs = both.theirs.cost.value_or(Amount()), ours = row.ours.cost.value_or(Amount());
        const bool theirs_there = both.theirs.cost || both.theirs.has_usage;
        if (costs) row.amount = minus(theirs, ours);
        auto left = row.amount;
        if (const auto fees = minus(both.no_tokens, both.our_fees); costs && fees != Amount()) {
            give(row, Cause::no_tokens, fees, fmt::format("fees for {}", printable(join(both.items, ", "), 120)));
            left = minus(left, fees);
        }
        if (both.attempts == 0) {
            if (!costs) price_of_row(both, row, left);
            const auto only_fees = costs && left == Amount() && !both.theirs.has_usage;
            if (!only_fees)
                give(row, Cause::not_ours, left, "the ledger has nothing of this: it did not come through here");
            return;
        }
        if (!theirs_there) {
            if (!costs) price_of_row(both, row, left);
            if (ours == Amount() && both.ours.usage.input.count + both.ours.usage.output.count == 0) return;
            give(row, Cause::not_theirs, left,
                 "the provider's report has nothing of this: it is not complete yet, or of another account or key");
            return;
        }
        if (both.theirs.has_usage)
            by_tokens(both, row, costs, left);
        else
            by_cost(both, row, left);
    }

    // Without costs, a row's difference is that of its tokens by the price here.
    void price_of_row(const Both& both, Difference& row, Amount& left) const {
        const auto sums = prices_of(both, row.day);
        row.by_price = true;
        if (sums) left = row.amount = minus(sums->theirs, sums->ours);
    }

    // The part of a difference that ours with an estimated usage can be the cause of.
    static Amount give_estimates(const Both& both, Difference& row, Amount amount) {
        const auto cancelled = within(amount, both.cancelled);
        if (cancelled != Amount() || (amount == Amount() && both.cancelled_attempts > 0))
            give(row, Cause::cancelled, cancelled,
                 fmt::format("{} attempts ended early, and {} is an estimate for them", both.cancelled_attempts,
                             both.cancelled.plain()));
        amount = minus(amount, cancelled);
        const auto estimated = within(amount, both.estimated);
        if (estimated != Amount())
            give(row, Cause::estimated, estimated,
                 fmt::format("of {} attempts the usage is an estimate, which cost {}", both.estimated_attempts,
                             both.estimated.plain()));
        return minus(amount, estimated);
    }

    void by_tokens(const Both& both, Difference& row, bool costs, Amount left) const {
        const auto sums = prices_of(both, row.day);
        const auto more_in = both.theirs.usage.input.count - both.ours.usage.input.count;
        const auto more_out = both.theirs.usage.output.count - both.ours.usage.output.count;
        const auto more_cached = both.theirs.usage.cached_input.count - both.ours.usage.cached_input.count;
        const bool differ = more_in != 0 || more_out != 0 || more_cached != 0 ||
                            both.theirs.usage.cache_write != both.ours.usage.cache_write;
        if (!sums) {
            if (!costs && !differ) return;
            if (costs && left == Amount() && !differ) return;
            if (both.unpriced > 0)
                give(row, Cause::price, left, fmt::format("{} attempts here have no known price", both.unpriced));
            else
                give(row, Cause::unexplained, left, "no price is known here to tell tokens and price apart");
            return;
        }
        if (!costs) {
            row.by_price = true;
            row.amount = minus(sums->theirs, sums->ours);
        }
        if (const auto tier = minus(sums->theirs, sums->theirs_at_our_tier); tier != Amount())
            give(row, Cause::tier, tier, tiers_text(both));
        if (differ) {
            const auto volume = minus(sums->theirs_at_our_tier, sums->ours);
            const auto rest = give_estimates(both, row, volume);
            if (rest != Amount() || row.reasons.empty()) {
                const auto how =
                    fmt::format("{:+} tokens in, {:+} cached, {:+} out there", more_in, more_cached, more_out);
                const bool theirs_more = rest > Amount() || (rest == Amount() && more_in + more_out >= 0);
                give(row, theirs_more ? Cause::not_ours : Cause::not_theirs, rest,
                     fmt::format("{}: {}", how,
                                 theirs_more ? "traffic that did not come through here"
                                             : "the report is not complete yet, or of another account or key"));
            }
        }
        if (!costs) return;
        // What is left is what the same tokens cost there and here, at the prices of both.
        const auto by_price = minus(minus(left, minus(sums->theirs, sums->theirs_at_our_tier)),
                                    minus(sums->theirs_at_our_tier, sums->ours));
        give_price(both, row, by_price, *sums, ours_of(both));
    }

    // Without the fees that theirs have too.
    static Amount ours_of(const Both& both) { return minus(both.ours.cost.value_or(Amount()), both.fees_given); }

    static void give_price(const Both& both, Difference& row, Amount amount, const Prices& sums, Amount ours) {
        if (amount == Amount()) return;
        const auto half = rounding_of(both);
        if (within(amount, half) == amount) {
            give(row, Cause::rounding, amount, "attempts are booked in whole micro-units");
            return;
        }
        std::string text = fmt::format("by the price here the provider's tokens cost {}, and it charges {}",
                                       sums.theirs.plain(), (both.theirs.cost.value_or(Amount())).plain());
        if (both.unpriced > 0) text += fmt::format("; {} attempts here have no known price", both.unpriced);
        if (sums.ours != ours)
            text += fmt::format("; ours were booked at {}, and would be {} now (`tandem cost recompute`)", ours.plain(),
                                sums.ours.plain());
        give(row, Cause::price, amount, std::move(text));
    }

    // Costs alone: tokens and price cannot be told apart.
    static void by_cost(const Both& both, Difference& row, Amount left) {
        if (left == Amount()) return;
        const auto half = rounding_of(both);
        if (within(left, half) == left) {
            give(row, Cause::rounding, left, "attempts are booked in whole micro-units");
            return;
        }
        if (both.unpriced > 0) {
            give(row, Cause::price, left, fmt::format("{} attempts here have no known price", both.unpriced));
            return;
        }
        const auto rest = give_estimates(both, row, left);
        if (rest != Amount())
            give(row, Cause::unexplained, rest,
                 "another price, another tier, or traffic that is not ours: the usage report beside it tells which");
    }

    const Theirs& theirs_;
    const Matching& matching_;
    const PriceOf& price_;
    bool by_model_ = false, by_key_ = false;
    std::vector<std::string> notes_;
    std::map<Place, Both> places_;
    std::set<std::string> their_keys_;
};

}  // namespace

Reconciled reconcile(const Theirs& theirs, const std::vector<OurLine>& ours, const Matching& matching,
                     const PriceOf& price) {
    Matcher matcher(theirs, matching, price);
    for (const auto& line : theirs.lines) matcher.add(line);
    for (const auto& line : ours) matcher.add(line);
    return matcher.finish();
}

}  // namespace tandem::ledger::reports
