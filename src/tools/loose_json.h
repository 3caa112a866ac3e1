// JSON as models write it, made into JSON: what is meant without doubt is said as RFC 8259 has it, and nothing is made
// up.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::tools {

struct Loose {
    std::string json;
    std::size_t size = 0;              // bytes of the text that it was
    std::vector<std::string> repairs;  // what was put right, each kind once; empty: it was JSON
};

// The value that begins `text`, behind white space: strings in single quotes, names without quotes, a comma too many or
// one that is missing between members on lines of their own, True, False and None of Python, control characters in
// strings, and, where `ended` says that nothing follows, objects that were never closed. A string, a number or a list
// without an end may be a part of what was meant. Nullopt: it is none of these, or not whole. Linear; at most 100 deep.
std::optional<Loose> loose_json(std::string_view text, bool ended);

}  // namespace tandem::tools
