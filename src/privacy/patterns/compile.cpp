#include <string>
#include <string_view>
#include <vector>

#include "privacy/patterns/matcher.h"
#include "privacy/patterns/patterns.h"

namespace tandem::privacy {

namespace {

// What has a form that nothing else has begins behind a low line too: in a file's name, in emphasis, in a variable's.
std::string expression_of(const Pattern& pattern) {
    constexpr std::string_view kWord = "\\b";
    const std::string_view written = pattern.expression;
    using enum config::Category;
    const bool own_form = pattern.kind.category == credential || pattern.kind.category == iban;
    if (!own_form || !written.starts_with(kWord)) return std::string(written);
    return "(?:\\b|_)" + std::string(written.substr(kWord.size()));
}

}  // namespace

hs_database_t* compile_patterns(std::string& why) {
    std::vector<std::string> written;
    for (const auto& pattern : patterns()) written.push_back(expression_of(pattern));
    std::vector<const char*> expressions;
    std::vector<unsigned> flags, ids;
    for (const auto& pattern : patterns()) {
        expressions.push_back(written[ids.size()].c_str());
        ids.push_back(static_cast<unsigned>(ids.size()));
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
        why += " in " + std::string(patterns()[static_cast<std::size_t>(error->expression)].kind.id);
    hs_free_compile_error(error);
    return nullptr;
}

}  // namespace tandem::privacy
