// Options among the arguments of an engine, as their owner wrote them: "--name VALUE" or "--name=VALUE". Pure.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::engine {

// The value of the last of these options; what follows the name counts as its value, also where it has none.
std::optional<std::string> argument(const std::vector<std::string>& args, std::span<const std::string_view> names);
// Whether one of them is there, with a value or without.
bool has_argument(const std::vector<std::string>& args, std::span<const std::string_view> names);
inline std::optional<std::string> argument(const std::vector<std::string>& args,
                                           std::initializer_list<std::string_view> names) {
    return argument(args, std::span(names.begin(), names.size()));
}
inline bool has_argument(const std::vector<std::string>& args, std::initializer_list<std::string_view> names) {
    return has_argument(args, std::span(names.begin(), names.size()));
}
// The arguments without these options, and without their values where they have any.
std::vector<std::string> without_arguments(const std::vector<std::string>& args,
                                           std::span<const std::string_view> names, bool have_values);

}  // namespace tandem::engine
