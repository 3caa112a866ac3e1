// The cloud providers that `tandem init` knows by the environment variables of their users, with a model of each to
// start from. What that costs is in the price book. Private to cli/.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace tandem::cli {

struct KnownCloud {
    std::string_view id;
    std::array<std::string_view, 2>
        variables;  // that hold the key; the first that is set counts, the last may be empty
    std::string_view kind;
    std::string_view base_url;
    std::array<std::string_view, 2> base_variables;  // by which its users say another base URL; empty: none
    std::string_view model;
    std::string_view rest;  // of the model's line: context, capabilities, the most that it answers with
};

std::span<const KnownCloud> known_clouds();

// What the makers of a model say of it, as the rest of its line; by the last part of its name, a date behind that
// does not count. Empty: it is none of the few that are known.
std::string_view known_claims(std::string_view name);

// Without a date at the end: -20250929, -2025-11-13.
std::string_view without_date(std::string_view name);

}  // namespace tandem::cli
