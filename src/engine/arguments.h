// The arguments that an owner gives an engine (`args` of a model), as far as Tandem has to know them.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::engine {

// The value of the last of these options, which are names of one: "--name VALUE" or "--name=VALUE".
std::optional<std::string> argument(const std::vector<std::string>& args,
                                    std::initializer_list<std::string_view> names);
// Whether one of these options is there, which have no value.
bool has_argument(const std::vector<std::string>& args, std::initializer_list<std::string_view> names);

// The same for lists of names that are kept; of options with a value or without.
std::optional<std::string> argument(const std::vector<std::string>& args, std::span<const std::string_view> names);
bool has_argument(const std::vector<std::string>& args, std::span<const std::string_view> names);
// The arguments without these options, and without their values where they have any.
std::vector<std::string> without_arguments(const std::vector<std::string>& args,
                                           std::span<const std::string_view> names, bool have_values);

}  // namespace tandem::engine
