// The fields that a refusal names, of those that a request can go without: "Unknown parameter: 'store'", "property
// 'user' is unsupported", "extraneous key [metadata] is not permitted", "Unknown name \"store\": Cannot find field".
// Private to dialect/.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "chat/conversation.h"

namespace tandem::dialect {

// What a request has beside the fields that every request can go without: members that only its dialect knows and that
// ask for nothing that an answer depends on, and fields that say what is so anyway ("n": 1).
std::vector<std::string> leavable_fields(const chat::Request& request);

// Whether a text, in lower case, says that a field is not taken. A value that is only too high reads otherwise.
bool is_about_the_field(std::string_view text);

// The fields that a refusal, in lower case, names as those that it does not take: of those that every request can go
// without, and of `more`.
std::set<std::string> refused_fields(std::string_view refusal, const std::vector<std::string>& more);

}  // namespace tandem::dialect
