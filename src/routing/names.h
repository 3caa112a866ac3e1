// What a name that a client sends falls to: a reserved alias, a model, an alias of the owner's, or one of those whose
// names have a `*`. Pure, as the decision is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "access/principal.h"
#include "routing/routing.h"

namespace tandem::routing {

struct Named {
    std::string entry;  // of the config: auto, local, cloud, private, a model or an alias; may be a pattern
    std::string means;  // the alias or model that it stands for in the end: `entry`, or what the alias `entry` names
    bool by_pattern = false;
    std::string rest;  // of a model whose name is a pattern: what stands for its `*`
};

// A name that is there exactly comes before patterns; of these the most specific is taken (config/names.h). Nullopt:
// nothing has such a name.
std::optional<Named> named(const Table& table, std::string_view name);

// Whether a principal may ask by this name: where its aliases have the name itself, the entry that it falls to, or
// what that stands for.
bool may_use(const access::Principal& who, const Table& table, std::string_view name);

// How a provider calls the model of a pattern that was asked for with `rest`; for other models their `name`.
std::string provider_name(std::string_view model_name, std::string_view rest);

}  // namespace tandem::routing
