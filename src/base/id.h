// Ids of records: sortable by time, unguessable in their tail.
#pragma once

#include <string>
#include <string_view>

#include "base/world.h"

namespace tandem {

// "dec_" and 26 characters of Crockford's base32: 48 bits of milliseconds since 1970, then 80 random bits (the layout
// of a ULID, https://github.com/ulid/spec).
class DecisionId {
  public:
    DecisionId() = default;
    static DecisionId make(const Clock& clock, Random& random);
    // No id made at or after `time` sorts before it.
    static DecisionId first_of(WallTime time);
    // Takes a stored or typed id as it is; it need not exist.
    static DecisionId from_text(std::string_view text) { return DecisionId(std::string(text)); }
    const std::string& text() const { return text_; }
    // Without "dec_": what other ids are made of.
    std::string_view tail() const { return std::string_view(text_).substr(text_.find('_') + 1); }
    bool operator==(const DecisionId&) const = default;

  private:
    explicit DecisionId(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

// `digits` hexadecimal characters, four random bits each.
std::string random_hex(Random& random, std::size_t digits);

}  // namespace tandem
