#include "engine/arguments.h"

#include <algorithm>

namespace tandem::engine {

std::optional<std::string> argument(const std::vector<std::string>& args,
                                    std::initializer_list<std::string_view> names) {
    std::optional<std::string> value;
    for (std::size_t i = 0; i < args.size(); ++i)
        for (const auto name : names) {
            if (args[i] == name && i + 1 < args.size()) value = args[i + 1];
            if (args[i].starts_with(name) && args[i].size() > name.size() && args[i][name.size()] == '=')
                value = args[i].substr(name.size() + 1);
        }
    return value;
}

bool has_argument(const std::vector<std::string>& args, std::initializer_list<std::string_view> names) {
    return std::ranges::any_of(args,
                               [&](const std::string& one) { return std::ranges::find(names, one) != names.end(); });
}

}  // namespace tandem::engine
