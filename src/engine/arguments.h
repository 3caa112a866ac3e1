// The arguments that an owner gives an engine (`args` of a model), as far as Tandem has to know them.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::engine {

// The value of the last of these options, which are names of one: "--name VALUE" or "--name=VALUE".
std::optional<std::string> argument(const std::vector<std::string>& args,
                                    std::initializer_list<std::string_view> names);
// Whether one of these options is there, which have no value.
bool has_argument(const std::vector<std::string>& args, std::initializer_list<std::string_view> names);

}  // namespace tandem::engine
