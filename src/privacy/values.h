// Values that were found in one place, and every other place where they stand. Private to privacy/.
#pragma once

#include <bitset>
#include <cctype>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/label.h"

namespace tandem::privacy {

// A letter or digit, or a part of one beyond ASCII.
inline bool word_byte(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return std::isalnum(byte) != 0 || byte >= 0x80;
}

class Values {
  public:
    struct Value {
        std::string type;
        Label label;
    };
    using Visit = std::function<void(std::size_t begin, std::size_t end, const Value& value)>;

    // From these sizes on, in bytes, a value is looked for: as a word of its own; within words too; by its letters and
    // digits alone, whatever parts them. A shorter one is taken out only where a detector finds it.
    static constexpr std::size_t kAsWord = 4, kWithin = 6, kDigitsWithin = 8, kBare = 8;

    void add(std::string_view value, std::string_view type, Label label);
    bool empty() const { return values_.empty(); }

    // Visits the places in `text` where the bytes of a value stand; its canonical form, in any case; and codings that
    // stand for it. Places may overlap.
    void each(std::string_view text, const Visit& visit) const;

  private:
    static constexpr std::size_t kHead = 4;  // bytes that a value is looked up by
    struct Needle {
        std::string text;
        bool within;
        std::size_t value;
    };
    // Needles of one kind of text.
    struct Index {
        std::unordered_map<std::uint32_t, std::vector<Needle>> by_head;
        std::bitset<65536> may_begin;
        void add(Needle needle);
        void each(std::string_view text, const std::function<void(std::size_t, std::size_t, std::size_t)>& visit) const;
    };
    void each(std::string_view text, int depth, const Visit& visit) const;

    std::vector<Value> values_;
    std::unordered_map<std::string, std::size_t> known_;
    Index exact_, canonical_, bare_;
};

}  // namespace tandem::privacy
