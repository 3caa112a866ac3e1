#include "routing/names.h"

#include <algorithm>
#include <vector>

#include "config/names.h"

namespace tandem::routing {

namespace {

constexpr std::size_t kLongestRest = 200;

Named named_by(const config::Alias& alias, bool by_pattern) {
    return {alias.id, alias.means.empty() ? alias.id : alias.means, by_pattern, {}};
}

// It goes to a provider as a client wrote it, into a body, a path or a header: so only what names of models are made
// of, and no way up.
bool is_safe(std::string_view rest) {
    return !rest.empty() && rest.size() <= kLongestRest && rest.find("..") == std::string_view::npos &&
           rest.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/@+~-") ==
               std::string_view::npos;
}

}  // namespace

std::optional<Named> named(const Table& table, std::string_view name) {
    const std::string text(name);
    if (config::is_reserved(name)) return Named{text, text, false, {}};
    if (!config::is_pattern(name) && table.find(name) != nullptr) return Named{text, text, false, {}};
    for (const auto& alias : table.aliases)
        if (alias.id == name && !config::is_pattern(name)) return named_by(alias, false);
    std::vector<std::string_view> ids;
    ids.reserve(table.aliases.size() + table.models.size());
    for (const auto& alias : table.aliases) ids.push_back(alias.id);
    for (const auto& entry : table.models) ids.push_back(entry.model);
    const auto best = config::most_specific(ids, name);
    if (!best) return {};
    if (*best < table.aliases.size()) return named_by(table.aliases[*best], true);
    const std::string pattern(ids[*best]);
    const auto rest = config::rest_of(pattern, name);
    if (!is_safe(rest)) return {};
    return Named{pattern, pattern, true, std::string(rest)};
}

bool may_use(const access::Principal& who, const Table& table, std::string_view name) {
    if (who.may_use(name)) return true;
    const auto known = named(table, name);
    return known && (who.may_use(known->entry) || who.may_use(known->means));
}

std::string provider_name(std::string_view model_name, std::string_view rest) {
    std::string name(model_name);
    if (const auto star = name.find('*'); star != std::string::npos) name.replace(star, 1, rest);
    return name;
}

}  // namespace tandem::routing
