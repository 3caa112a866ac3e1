// The words beside a value that say what it is. Values stand close together in lists, so the text around them is read
// once for all of them and for all words, not once for each value and word. Private to patterns/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tandem::privacy {

// What words may speak of; context.cpp has the words of each.
enum class Topic : unsigned {
    card,
    card_of_many_groups,
    card_in_lines,
    ssn,
    itin,
    nhs,
    german_tax,
    dutch,
    pesel,
    cpf,
    cnpj,
    aadhaar,
    sin,
    swedish,
    abn,
    tfn,
    routing,
    account,
    passport,
    version,
    ip,
    phone,
    phone_alone,
    birth,
    birth_of_named_date,
    place,
    count
};

// Topics as bits.
constexpr std::uint32_t bit_of(Topic topic) {
    return std::uint32_t{1} << static_cast<unsigned>(topic);
}

// What was read of one text, the last of it. All calls are about the same text; where they go forwards, each of its
// bytes is read once.
class Context {
  public:
    // Bytes that are looked at unless a topic asks otherwise.
    static constexpr std::size_t kBefore = 60, kBehind = 20;

    // Whether a word of the topic stands within `before` bytes in front of `begin` or `behind` bytes behind `end`.
    // Words begin at a word's beginning; what follows them is free ("passport" finds "passports").
    bool near(std::string_view text, Topic topic, std::size_t begin, std::size_t end, std::size_t before = kBefore,
              std::size_t behind = kBehind);
    // The topics of all words within text[from, to).
    std::uint32_t topics(std::string_view text, std::size_t from, std::size_t to);

  private:
    struct Hit {
        std::size_t begin, end;
        std::uint32_t topics;
    };
    void read(std::string_view text, std::size_t from, std::size_t to);
    void read_words(std::string_view text, std::size_t to);
    std::size_t from_ = 0, to_ = 0;  // what was read
    std::vector<Hit> hits_;          // in it, in the order of their beginnings
};

}  // namespace tandem::privacy
