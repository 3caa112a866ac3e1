// Names with a `*` in them: what an alias or a model of tandem.yaml may be called so that it stands for many names that
// clients send. `*` stands for any text, none included; everything else is literal, and case counts.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::config {

// The aliases that always exist.
inline constexpr std::array<std::string_view, 4> kReservedAliases = {"auto", "local", "cloud", "private"};

// What keys, teams, models and such may be called: 1 to 100 letters, digits and . _ : / -
bool is_name(std::string_view text);
inline constexpr std::string_view kNamePattern = "^[A-Za-z0-9._:/-]{1,100}$";
// The same, or nothing.
inline constexpr std::string_view kNameOrNone = "^[A-Za-z0-9._:/-]{0,100}$";
// The first, with `*`.
inline constexpr std::string_view kNamesPattern = "^[A-Za-z0-9._:/*-]{1,100}$";

// is_name() that may have `*` in it.
bool good_pattern(std::string_view name);

// The names of entries of the config.
template <typename Entries>
std::vector<std::string> ids(const Entries& entries) {
    std::vector<std::string> names;
    for (const auto& entry : entries) names.push_back(entry.id);
    return names;
}

bool is_reserved(std::string_view name);
bool is_pattern(std::string_view name);
// Whether `name` is one that `pattern` stands for.
bool matches(std::string_view pattern, std::string_view name);
// What stands for the first `*` of a pattern that has one, in a name that it matches.
std::string_view rest_of(std::string_view pattern, std::string_view name);

// Index of the most specific of `patterns` that stands for `name`: the one with the most literal characters, then the
// one whose `*` comes latest, then the first. Entries that are no patterns do not count. Nullopt: none does.
std::optional<std::size_t> most_specific(const std::vector<std::string_view>& patterns, std::string_view name);

}  // namespace tandem::config
