// What is known of a model, and from whom: its owner claims, a measurement shows. Where something was measured, that
// decides, and the claim is only a claim (law 4). The routing table is made of it (routing::table_of).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "config/config.h"

namespace tandem::catalog {

// The owner's word, or what is known by the model's name.
struct Claims {
    std::int64_t context_tokens = 0;                   // 0: not claimed
    std::optional<config::Capabilities> capabilities;  // nullopt: not claimed; assumed able
    std::int64_t max_output_tokens = 0;                // 0: not claimed
};

// What was found out. Nothing of it where nobody has measured, or another model than the one that is there now.
struct Measured {
    std::optional<std::int64_t> context_tokens;     // that it uses: a longer prompt is cut, refused or forgotten
    std::optional<std::int64_t> max_output_tokens;  // of one answer
    config::Capabilities has, lacks;                // both empty: not measured
    std::optional<bool> renders_tools;              // its calls are better where tools are told in the prompt
    std::string context_by, tools_by;               // when and by whom, for people; empty: not measured
};
using MeasuredOf = std::function<Measured(const config::Model&)>;

// What decides.
struct Known {
    Claims claims;
    Measured measured;

    std::int64_t context_tokens() const { return measured.context_tokens.value_or(claims.context_tokens); }
    std::int64_t max_output_tokens() const { return measured.max_output_tokens.value_or(claims.max_output_tokens); }
    std::optional<config::Capabilities> capabilities() const;
};

}  // namespace tandem::catalog
