// When two values of JSON are the same: numbers by their worth, objects whatever the order of their members.
#pragma once

#include <string>

#include "base/json.h"

namespace tandem::schema {

// The same text for the same value (draft 2020-12, core, section 4.2.2). Linear in the value, but for sorting members.
std::string canonical(const json::Value& value);

}  // namespace tandem::schema
