#include <string>
#include <string_view>
#include <vector>

#include "privacy/patterns/classes.h"
#include "privacy/patterns/matcher.h"
#include "privacy/patterns/patterns.h"

namespace tandem::privacy {

// What has a form that nothing else has begins behind a low line too: in a file's name, in emphasis, in a variable's.
std::string expression_of(const Pattern& pattern) {
    constexpr std::string_view kWord = "\\b";
    const std::string_view written = pattern.expression;
    using enum config::Category;
    const bool own_form = pattern.kind.category == credential || pattern.kind.category == iban;
    if (!own_form || !written.starts_with(kWord)) return std::string(written);
    return "(?:\\b|_)" + std::string(written.substr(kWord.size()));
}

hs_database_t* compile_patterns(std::string& why) {
    std::vector<std::string> written;
    std::vector<const char*> expressions;
    std::vector<unsigned> flags, ids;
    written.reserve(patterns().size());
    for (unsigned id = 0; id < patterns().size(); ++id) {
        const auto& pattern = patterns()[id];
        if (is_of_classes(pattern.kind.id)) continue;
        expressions.push_back(written.emplace_back(expression_of(pattern)).c_str());
        ids.push_back(id);
        flags.push_back(pattern.caseless ? HS_FLAG_CASELESS : 0U);
    }
    const hs_platform_info_t any_cpu{HS_TUNE_FAMILY_GENERIC, 0, 0, 0};
    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    if (hs_compile_multi(expressions.data(), flags.data(), ids.data(), static_cast<unsigned>(ids.size()), HS_MODE_BLOCK,
                         &any_cpu, &database, &error) == HS_SUCCESS)
        return database;
    why = error == nullptr ? "unknown" : error->message;
    if (error != nullptr && error->expression >= 0)
        why += " in " + std::string(patterns()[ids[static_cast<std::size_t>(error->expression)]].kind.id);
    hs_free_compile_error(error);
    return nullptr;
}

}  // namespace tandem::privacy
