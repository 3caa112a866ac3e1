#include "retrieval/lexical/stem.h"

#include <libstemmer.h>

#include <algorithm>

#include "privacy/unicode/unicode.h"
#include "retrieval/lexical/words.h"

namespace tandem::retrieval {

namespace {

constexpr std::size_t kMostKnown = 200'000;  // words that are remembered of each language
constexpr std::size_t kSample = 8'192;       // bytes that the language is told by

// Words that stand in nearly every text of a language and say nothing of what it is about, without accents where the
// words of a text come without them too. English: the list of Lucene's analyzer and question words.
constexpr std::array<std::string_view, kLanguages> kStopWords = {
    " a an and are as at be but by for if in into is it its no not of on or such that the their then there these they "
    "this "
    "to was will with what which who whom whose when where why how do does did can could should would may might has "
    "have "
    "had i you we he she my your our his her me us them from about than so been being were am any some also just get ",
    " der die das und ist von zu mit den dem des ein eine einer eines einem einen nicht auch sich auf für im es an als "
    "bei "
    "nach wie was wer wo wann warum wird sind war oder aus dass er sie wir ich ihr über zum zur kann am noch nur so ",
    " le la les un une des et est de du dans que qui pour sur avec pas par au aux ce cette ces il elle ils elles nous "
    "vous "
    "je ne se sont comme plus ou où quel quelle comment pourquoi son sa ses leur été être ",
    " el la los las un una unos unas y es de del en que por para con no se su sus al lo como más o pero qué cuál cómo "
    "dónde cuándo está son fue ser este esta estos hay ",
    " il lo la gli le un uno una e è di del della dei delle che per con non si in nel nella da dal come più o ma sono "
    "al "
    "alla questo questa perché quando dove chi cosa ",
    " o os um uma uns umas e é de do da dos das que em no na nos nas por para com não se seu sua ao à como mais ou mas "
    "são foi ser este esta quando onde quem qual ",
    " de het een en is van te dat die in op met voor niet zijn aan er ook als maar om dan bij of uit nog naar heeft "
    "hij ze "
    "wat wie waar hoe wordt deze dit ",
    " och att det som en ett är av för på med den till inte om har de i var jag du vi kan från men eller så hur vad "
    "när "
    "där också efter ",
    " и в не на что с по как это из у за к но для от он она они мы вы я бы же а все его её или если был были есть так "
    "который где когда кто "};

constexpr std::size_t kLeastHits = 3;

}  // namespace

namespace {

// For each stop word the languages that it is one of, as bits.
const std::unordered_map<std::string_view, std::uint32_t>& stop_words() {
    static const auto made = [] {
        std::unordered_map<std::string_view, std::uint32_t> all;
        for (std::size_t language = 0; language < kLanguages; ++language) {
            auto list = kStopWords[language];
            while (list.size() > 1) {
                list.remove_prefix(1);
                const auto end = list.find(' ');
                all[list.substr(0, end)] |= 1U << language;
                list.remove_prefix(end);
            }
        }
        return all;
    }();
    return made;
}

std::uint32_t languages_of_stop_word(std::string_view word) {
    const auto& all = stop_words();
    const auto found = all.find(word);
    return found == all.end() ? 0 : found->second;
}

}  // namespace

bool is_stop_word(Language language, std::string_view word) {
    return (languages_of_stop_word(word) >> static_cast<unsigned>(language) & 1U) != 0;
}

Language language_of(std::string_view text) {
    std::array<std::size_t, kLanguages> hits{};
    std::size_t words = 0;
    each_word(text.substr(0, std::min(text.size(), kSample)), [&](const Word& word) {
        ++words;
        const auto languages = languages_of_stop_word(word.text);
        for (std::size_t i = 0; languages != 0 && i < kLanguages; ++i) hits[i] += languages >> i & 1U;
    });
    const auto best = static_cast<std::size_t>(std::ranges::max_element(hits) - hits.begin());
    const bool clear = hits[best] >= kLeastHits && hits[best] * 10 >= words && hits[best] * 2 > hits[0] * 3;
    return clear ? static_cast<Language>(best) : Language::english;
}

Stemmer::Stemmer() = default;

Stemmer::~Stemmer() {
    for (auto* one : stemmers_)
        if (one != nullptr) sb_stemmer_delete(static_cast<sb_stemmer*>(one));
}

std::string Stemmer::made(Language language, std::string_view word) {
    auto& own = stemmers_[static_cast<std::size_t>(language)];
    if (own == nullptr) own = sb_stemmer_new(kLanguageNames[static_cast<std::size_t>(language)], "UTF_8");
    auto* stemmer = static_cast<sb_stemmer*>(own);
    std::string stem(word);
    if (stemmer != nullptr)
        if (const auto* found = sb_stemmer_stem(stemmer, reinterpret_cast<const sb_symbol*>(word.data()),
                                                static_cast<int>(word.size())))
            stem.assign(reinterpret_cast<const char*>(found), static_cast<std::size_t>(sb_stemmer_length(stemmer)));
    if (std::ranges::all_of(stem, [](unsigned char c) { return c < 0x80; })) return stem;
    std::string plain;
    for (std::size_t at = 0; at < stem.size();) {
        if (static_cast<unsigned char>(stem[at]) < 0x80) {
            plain += stem[at++];
            continue;
        }
        const auto point = privacy::point_at(stem, at);
        if (point.size == 0) break;
        privacy::append_utf8(plain, privacy::base_of(point.value));
        at += point.size;
    }
    return plain;
}

std::string_view Stemmer::term(Language language, std::string_view word, bool whole) {
    if (whole) {
        whole_ = word;
        return whole_;
    }
    auto& known = known_[static_cast<std::size_t>(language)];
    if (const auto found = known.find(word); found != known.end()) return found->second;
    if (known.size() >= kMostKnown) known.clear();
    return known.emplace(std::string(word), made(language, word)).first->second;
}

}  // namespace tandem::retrieval
