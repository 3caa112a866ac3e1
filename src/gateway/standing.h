// What speaks against models for a moment, their health and the key's money: who loses a place for it, and who is asked
// all the same when nobody else is left. Private to gateway/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/services.h"
#include "routing/names.h"
#include "routing/routing.h"

namespace tandem::gateway {

// What a model costs: where its name is a pattern, by the name that `named` says for it.
prices::Tariff price_of(const Snapshot& snapshot, const routing::Table::Entry& entry, const routing::Named& named);

// Health and money of each model, as far as they speak against it. Reads the features, the alias and the label of
// `inputs`.
std::vector<routing::Standing> standing_of(Services& services, const Snapshot& snapshot, const access::Principal& who,
                                           const routing::Inputs& inputs, const routing::Named& named);

struct Choice {
    routing::Decision decision;
    std::string last_resort;  // the provider that is asked though it is left alone; empty: none
    bool queued = false;      // nothing may take it, and the budget that is in the way wants it to wait
};
// The decision. Where a budget has no room for what would be the first choice, `inputs` then say what that budget's
// `on_budget` wants. Where only providers that are left alone could take the request, the one that will be asked next
// anyhow may take it, and `inputs` say no more against its models. Errors: not_found, as routing::decide().
Result<Choice> decide_now(Services& services, const Snapshot& snapshot, const routing::Named& named,
                          routing::Inputs& inputs);

// A model that would have been asked before the one at `before` among those that may be, but for its health or the
// key's money. Where it would have come after all of them, `before` is how many they are.
struct PassedOver {
    std::string model;
    std::string provider;
    routing::Excluded what = routing::Excluded::health;
    std::string reason;
    std::size_t before = 0;
};
// In the order in which they would have been asked. Pure: the same again from a decision's record.
std::vector<PassedOver> passed_over(const routing::Table& table, const routing::Inputs& inputs,
                                    const routing::Decision& decision);

// Tells the owner of the budgets that have no room for a model which would have been asked. Of a model that nobody
// would have asked no budget is said to have no room: standing_of() asks of all of them.
void tell_no_room(const Services& services, const Snapshot& snapshot, const access::Principal& who,
                  const routing::Inputs& inputs, const routing::Decision& decision, std::string_view model);

// What the client is told where nothing may take the request, with when it helps to ask again.
Error refusal_of(Services& services, const Snapshot& snapshot, const access::Principal& who,
                 const routing::Inputs& inputs, const routing::Decision& decision);
// The same for what speaks against models by now; nullopt where one may take it again.
std::optional<Error> refusal_now(Services& services, const Snapshot& snapshot, const access::Principal& who,
                                 routing::Inputs inputs);

}  // namespace tandem::gateway
