#include "engine/arguments.h"

#include <algorithm>

namespace tandem::engine {

namespace {

// "--name=VALUE" of this name.
bool is_assigned(std::string_view text, std::string_view name) {
    return text.size() > name.size() && text.starts_with(name) && text[name.size()] == '=';
}

}  // namespace

std::optional<std::string> argument(const std::vector<std::string>& args,
                                    std::initializer_list<std::string_view> names) {
    return argument(args, std::span(names.begin(), names.size()));
}

std::optional<std::string> argument(const std::vector<std::string>& args, std::span<const std::string_view> names) {
    std::optional<std::string> value;
    for (std::size_t i = 0; i < args.size(); ++i)
        for (const auto name : names) {
            if (args[i] == name && i + 1 < args.size()) value = args[i + 1];
            if (is_assigned(args[i], name)) value = args[i].substr(name.size() + 1);
        }
    return value;
}

bool has_argument(const std::vector<std::string>& args, std::initializer_list<std::string_view> names) {
    return has_argument(args, std::span(names.begin(), names.size()));
}

bool has_argument(const std::vector<std::string>& args, std::span<const std::string_view> names) {
    return std::ranges::any_of(args, [&](const auto& text) {
        return std::ranges::any_of(names, [&](auto name) { return text == name || is_assigned(text, name); });
    });
}

std::vector<std::string> without_arguments(const std::vector<std::string>& args,
                                           std::span<const std::string_view> names, bool have_values) {
    std::vector<std::string> left;
    for (std::size_t i = 0; i < args.size(); ++i) {
        const auto& text = args[i];
        if (std::ranges::find(names, text) != names.end())
            i += have_values ? 1 : 0;
        else if (std::ranges::none_of(names, [&](auto name) { return is_assigned(text, name); }))
            left.push_back(text);
    }
    return left;
}

}  // namespace tandem::engine
