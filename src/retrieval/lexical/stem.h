// From words to the terms of the index: stems of the text's language (Snowball), without accents.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tandem::retrieval {

// Languages that are stemmed, in the order of kLanguageNames. Others are taken for English, whose stemmer leaves what
// is not English mostly as it is.
enum class Language : std::uint8_t { english, german, french, spanish, italian, portuguese, dutch, swedish, russian };
inline constexpr std::array<const char*, 9> kLanguageNames = {"english",    "german", "french",  "spanish", "italian",
                                                              "portuguese", "dutch",  "swedish", "russian"};
inline constexpr std::size_t kLanguages = kLanguageNames.size();

// By the frequent small words in it; English where they do not say.
Language language_of(std::string_view text);
bool is_stop_word(Language language, std::string_view word);

// Gives the term of a word; remembers those of frequent words. For one thread.
class Stemmer {
  public:
    Stemmer();
    ~Stemmer();
    Stemmer(const Stemmer&) = delete;
    Stemmer& operator=(const Stemmer&) = delete;

    // Valid until the next call. `whole`: the word is no word of a language, and stays as it is.
    std::string_view term(Language language, std::string_view word, bool whole);

  private:
    std::string made(Language language, std::string_view word);
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };
    using Known = std::unordered_map<std::string, std::string, Hash, std::equal_to<>>;
    std::array<void*, kLanguages> stemmers_{};  // made when they are first asked
    std::array<Known, kLanguages> known_;
    std::string whole_;
};

}  // namespace tandem::retrieval
