#include <vector>

#include "privacy/patterns/matcher.h"
#include "privacy/patterns/patterns.h"

namespace tandem::privacy {

hs_database_t* compile_patterns(std::string& why) {
    std::vector<const char*> expressions;
    std::vector<unsigned> flags, ids;
    for (const auto& pattern : patterns()) {
        ids.push_back(static_cast<unsigned>(ids.size()));
        expressions.push_back(pattern.expression);
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
