// The rows of the table of clients, and what their settings are made with. Private to cli/connect/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "cli/connect/clients.h"

namespace tandem::cli {

// A JSON string, with its quotes.
inline std::string in_json(std::string_view text) {
    return json::quoted(text);
}

inline const char* truth(bool flag) {
    return flag ? "true" : "false";
}

// The rows of clients(): those whose files are written, and those whose settings are printed alone.
std::vector<Client> written_clients();
std::vector<Client> printed_clients();

}  // namespace tandem::cli
