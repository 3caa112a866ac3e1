#include "retrieval/search/words.h"

#include <algorithm>
#include <map>
#include <set>

#include "retrieval/lexical/words.h"

namespace tandem::retrieval {

namespace {

constexpr float kPartWeight = 0.5F;      // of a part of a word such as `parseJson`
constexpr std::size_t kMostWords = 256;  // different ones; further ones are left out
constexpr std::size_t kSnippet = 240;    // bytes, about

struct Raw {
    std::string text;
    bool part, whole;
};

std::vector<Raw> split(std::string_view text) {
    std::vector<Raw> list;
    each_word(text, [&](const Word& word) { list.push_back({std::string(word.text), word.part, word.whole_only}); });
    return list;
}

// German is written without its own letters too: "ueber" for "\u00fcber", "Strasse" for "Stra\u00dfe". Each spelling of
// a word, the one that was asked first.
std::vector<std::string> german_spellings(const std::string& word) {
    struct Pair {
        std::string_view own, plain;
    };
    constexpr Pair kPairs[] = {{"\u00e4", "ae"}, {"\u00f6", "oe"}, {"\u00fc", "ue"}, {"\u00df", "ss"}};
    std::string own = word, plain = word;
    const auto replace = [](std::string& text, std::string_view from, std::string_view to) {
        for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
            text.replace(at, from.size(), to);
    };
    for (const auto& pair : kPairs) {
        replace(own, pair.plain, pair.own);
        replace(plain, pair.own, pair.plain);
    }
    return {word, std::move(own), std::move(plain)};
}

class Maker {
  public:
    explicit Maker(std::span<const Language> languages) : languages_(languages) {}

    std::vector<std::string> terms_of(const Raw& word) {
        std::vector<std::string> terms;
        for (const auto language : languages_) {
            const bool german = language == Language::german && !word.whole;
            for (const auto& spelling : german ? german_spellings(word.text) : std::vector<std::string>{word.text}) {
                std::string term(stemmer_.term(language, spelling, word.whole));
                if (std::ranges::find(terms, term) == terms.end()) terms.push_back(std::move(term));
            }
        }
        if (terms.empty()) terms.emplace_back(stemmer_.term(Language::english, word.text, word.whole));
        return terms;
    }

    // A word that was asked for already counts more.
    void ask(QueryWords& to, const Raw& word, bool needed, bool excluded) {
        auto terms = terms_of(word);
        const auto same = std::ranges::find_if(
            to.asked, [&](const AskedWord& one) { return one.excluded == excluded && one.terms == terms; });
        const float weight = word.part ? kPartWeight : 1;
        if (same != to.asked.end()) {
            same->weight += excluded ? 0 : weight;
            same->needed = same->needed || needed;
            to.explained[static_cast<std::size_t>(same - to.asked.begin())].weight = same->weight;
            return;
        }
        if (to.asked.size() >= kMostWords) return;
        to.explained.push_back({.word = word.text, .terms = terms, .excluded = excluded, .weight = weight});
        to.asked.push_back({std::move(terms), weight, needed, excluded});
    }

  private:
    std::span<const Language> languages_;
    Stemmer stemmer_;
};

}  // namespace

QueryWords words_of(const Query& query, std::span<const Language> languages) {
    QueryWords made;
    Maker maker(languages);
    const auto language = language_of(query.words);
    const auto words = split(query.words);
    const auto says_nothing = [&](const Raw& word) {
        return is_stop_word(language, word.text) || is_stop_word(Language::english, word.text);
    };
    const bool all = std::ranges::all_of(words, says_nothing);
    std::vector<WordExplained> dropped;
    for (const auto& word : words) {
        if (!all && says_nothing(word))
            dropped.push_back({.word = word.text, .terms = {}, .dropped = true});
        else
            maker.ask(made, word, false, false);
    }
    for (const auto& phrase : query.phrases) {
        if (phrase.excluded) continue;
        for (const auto& word : split(phrase.text))
            if (!word.part) maker.ask(made, word, true, false);
    }
    for (const auto& word : query.not_words)
        for (const auto& one : split(word))
            if (!one.part) maker.ask(made, one, false, true);
    std::ranges::move(dropped, std::back_inserter(made.explained));
    return made;
}

bool has_phrase(std::string_view text, std::string_view phrase) {
    std::vector<std::string> wanted;
    for (auto& word : split(phrase))
        if (!word.part) wanted.push_back(std::move(word.text));
    if (wanted.empty()) return true;
    std::vector<std::string> words;
    each_word(text, [&](const Word& word) {
        if (!word.part) words.emplace_back(word.text);
    });
    return !std::ranges::search(words, wanted).empty();
}

std::string snippet_of(std::string_view text, const QueryWords& words, std::span<const Language> languages) {
    std::map<std::string, std::size_t> wanted;  // from a term to its word
    for (std::size_t i = 0; i < words.asked.size(); ++i)
        if (!words.asked[i].excluded)
            for (const auto& term : words.asked[i].terms) wanted.emplace(term, i);
    struct Place {
        std::size_t begin, end, word;
    };
    std::vector<Place> places;
    Maker maker(languages);
    each_word(text, [&](const Word& word) {
        for (const auto& term : maker.terms_of({std::string(word.text), word.part, word.whole_only}))
            if (const auto found = wanted.find(term); found != wanted.end()) {
                places.push_back({word.begin, word.end, found->second});
                return;
            }
    });
    std::size_t begin = 0, most = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
        std::set<std::size_t> in;
        for (auto j = i; j < places.size() && places[j].end <= places[i].begin + kSnippet; ++j)
            in.insert(places[j].word);
        if (in.size() > most) {
            most = in.size();
            begin = places[i].begin;
        }
    }
    begin = begin > kSnippet / 6 ? begin - kSnippet / 6 : 0;
    while (begin > 0 && static_cast<unsigned char>(text[begin - 1]) > ' ' &&
           begin + kSnippet < text.size() + kSnippet / 2)
        --begin;
    auto end = std::min(text.size(), begin + kSnippet);
    while (end < text.size() && static_cast<unsigned char>(text[end]) > ' ' && end < begin + kSnippet + 40) ++end;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
    std::string line = begin > 0 ? "... " : "";
    for (const char c : text.substr(begin, end - begin)) {
        const bool blank = static_cast<unsigned char>(c) <= ' ' || c == 0x7F;
        if (!blank)
            line += c;
        else if (!line.ends_with(' '))
            line += ' ';
    }
    while (line.ends_with(' ')) line.pop_back();
    return end < text.size() ? line + " ..." : line;
}

}  // namespace tandem::retrieval
