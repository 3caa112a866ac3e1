// Patterns of a schema (ECMA-262, as draft 2020-12 says in section 6.4) in time linear in the text, by RE2.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace tandem::schema {

class Pattern {
  public:
    // Whatever it is. One that RE2 has no word for (looking around, references back, sizes beyond its bounds) cannot be
    // checked.
    explicit Pattern(std::string_view ecma);
    ~Pattern();
    Pattern(Pattern&&) noexcept;

    bool can_be_checked() const;
    // Somewhere in the text; true where it cannot be checked.
    bool matches(std::string_view text) const;

  private:
    std::unique_ptr<re2::RE2> matcher_;
};

// The pattern in RE2's words.
std::string in_words_of_re2(std::string_view ecma);

}  // namespace tandem::schema
