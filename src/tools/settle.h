// One call that a model wrote, held to the schema of its tool.
#pragma once

#include <string>
#include <vector>

#include "tools/offer.h"

namespace tandem::tools {

struct Settled {
    std::string arguments;             // a JSON object where it could be made one, else as it was
    std::vector<std::string> repairs;  // what was put right, in words; empty: it is as the model wrote it
    std::string wrong;                 // what is still wrong, in words for the model; empty: nothing
};

// The arguments of a call to `name`, which is offered. Syntax is put right (loose_json.h). A value of another type than
// the schema wants is said in that type where nothing is lost by it, and only where its schema names one type: "5"
// becomes 5 and "true" true where they are written as JSON writes them, 5 becomes "5", a text that is JSON of an object
// or a list becomes that, and null for an argument that need not be there is left out. Values are never made up, and
// names are never changed.
Settled settle(const Offer& offer, std::string_view name, std::string_view arguments);

}  // namespace tandem::tools
