// Finds the words of work_lexicon.h in a text of any language.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "routing/work_lexicon.h"

namespace tandem::routing {

// The text as words are compared: lower case, without accents, wide forms as ASCII, and one blank for blanks, hyphens,
// apostrophes and underscores. At most as long as the text. Takes any bytes.
std::string folded(std::string_view text);

// Whether the byte begins a character of a script that is written without blanks between words.
constexpr bool begins_unspaced(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0xE3 && byte <= 0xEF;
}

// A word of the lexicon that stands in a text.
struct Hit {
    std::uint16_t concept_index = 0;
    std::uint16_t word = 0;  // for Vocabulary::word
    std::uint32_t at = 0;    // where it begins in the folded text
    std::uint32_t size = 0;  // of what it takes there
};

// The lexicon made ready for search. Immutable, so safe from any thread.
class Vocabulary {
  public:
    explicit Vocabulary(std::span<const Concept> lexicon);
    // Every word of the lexicon in a folded text, by where it begins. Linear in the text for what people write, as no
    // word is longer than 40 characters.
    std::vector<Hit> hits_in(std::string_view folded_text) const;
    std::string_view word(std::uint16_t index) const {
        return words_[index];
    }  // as the lexicon writes it, without stars

  private:
    struct Entry {
        std::string key;
        std::uint16_t concept_index, word;
    };
    struct Edge {
        char byte;
        std::uint32_t node;
    };
    struct Node {
        std::uint32_t first_edge = 0, first_end = 0;
        std::uint32_t star = 0;   // the node behind "any letters to the word's end"; 0, the root, is none
        std::uint32_t table = 0;  // of tables_, from 1, where many letters may follow; 0 is none
        std::uint16_t edges = 0, ends = 0;
    };
    using Table = std::array<std::uint32_t, 256>;  // the next node by byte; 0 is none
    struct End {
        std::uint16_t concept_index, word;
    };
    // By which letters a word of the lexicon can begin, so that at most places of a text none needs to be looked for.
    // May say yes where none does.
    class Beginnings {
      public:
        void add(std::string_view key);  // up to its first star
        bool may_begin(std::string_view text) const;

      private:
        static constexpr std::size_t kLeast = 3, kMost = 4;  // letters that are hashed
        static constexpr unsigned kBits = 15;
        static std::size_t pair(char first, char second);
        static std::size_t place(std::string_view text, std::size_t size);
        // Which numbers of letters (1 and more, a bit each) such a beginning with these first two has; 64 KiB.
        std::array<std::uint8_t, 1U << 16> sizes_{};
        std::array<std::bitset<1U << kBits>, kMost - kLeast + 1> of_;  // by how many letters; 4 KiB each
        bool any_ = false;
    };
    void build(std::uint32_t node, std::span<const Entry> entries, std::size_t depth);
    std::uint32_t next_of(const Node& node, char byte) const;  // 0: none
    void walk(std::string_view text, std::size_t from, std::size_t at, std::uint32_t node,
              std::vector<Hit>& hits) const;

    Beginnings begins_;
    std::vector<Node> nodes_;
    std::vector<Edge> edges_;
    std::vector<Table> tables_;
    std::vector<End> ends_;
    std::vector<std::string> words_;
};

// The vocabulary of concepts(). Made at the first call, in about a millisecond.
const Vocabulary& vocabulary();

}  // namespace tandem::routing
