// Bodies of multipart/form-data (RFC 7578), as browsers and SDKs upload files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tandem::net {

struct FormPart {
    std::string name;
    std::string file_name;  // empty for a plain field
    std::string_view data;  // borrowed from the body
};

// The parts of `body`, at most 100. Errors: invalid, for another content type, a missing boundary, or a body that does
// not end with its closing boundary.
Result<std::vector<FormPart>> parse_form(std::string_view content_type, std::string_view body);

}  // namespace tandem::net
