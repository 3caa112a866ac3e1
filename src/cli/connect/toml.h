// Changes to TOML files of settings, statement by statement. What is not changed keeps its bytes; what cannot be
// understood is refused. Private to cli/connect/.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/connect/lines.h"

namespace tandem::cli {

// What is wanted of a TOML file. Names are bare keys: the dot in `table` parts it.
struct TomlChange {
    Lines top;                            // keys at the top
    std::string table;                    // one table, made where there is none
    Lines keys;                           // its keys; the owner's others, and tables below it, stay
    std::vector<std::string> instead_of;  // keys of it that would go before `keys`: they are taken out
    std::vector<std::string> against;     // keys of it that `keys` cannot stand beside: the file is refused
};

// The text with the change, in UTF-8 without a byte order mark. Keys may be written in quotes, as "model". Errors:
// invalid, where the text is not TOML that can be told apart by statements (keys, strings, brackets), or has the table
// or one of the keys in a form beside which the change would not be valid.
Result<std::string> change_toml(const std::string& before, const TomlChange& change);

}  // namespace tandem::cli
