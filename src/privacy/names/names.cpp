#include "privacy/names/names.h"

#include <algorithm>
#include <array>

#include "privacy/names/gazetteer.h"

namespace tandem::privacy {

namespace {

using config::Category;

// A word with a capital, and what it may be.
struct Word {
    std::size_t begin, end;
    unsigned kinds;
    bool initial;  // "J."
    bool small;    // "van", "de": part of a name only between its words
    bool legal;    // "GmbH", "S.L.": what ends the name of an organisation
};

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}
bool is_capital(std::string_view text, std::size_t at) {
    const char c = text[at];
    if (c >= 'A' && c <= 'Z') return true;
    // Capitals of Latin-1 and Latin Extended-A: À to Þ, and the even code points of U+0100 to U+017E.
    if (c == '\xC3' && at + 1 < text.size()) return static_cast<unsigned char>(text[at + 1]) < 0x9F;
    if ((c == '\xC4' || c == '\xC5') && at + 1 < text.size()) return true;
    return false;
}

template <std::size_t N>
bool one_of(std::string_view word, const std::array<std::string_view, N>& list) {
    return !word.empty() && std::ranges::any_of(list, [&](std::string_view entry) {
        return entry[0] == word[0] && entry == word;  // most differ in their first letter, and no call is needed
    });
}

constexpr auto kSmall = std::to_array<std::string_view>({"van", "von", "der", "den", "de", "del", "della", "di", "da",
                                                         "dos", "la", "le", "ter", "ten", "bin", "ibn", "al", "y"});
constexpr auto kTitles = std::to_array<std::string_view>({"Mr",
                                                          "Mrs",
                                                          "Ms",
                                                          "Miss",
                                                          "Dr",
                                                          "Prof",
                                                          "Professor",
                                                          "Sir",
                                                          "Madam",
                                                          "Herr",
                                                          "Frau",
                                                          "Monsieur",
                                                          "Madame",
                                                          "Mme",
                                                          "Mlle",
                                                          "Se\xC3\xB1or",
                                                          "Se\xC3\xB1ora",
                                                          "Sr",
                                                          "Sra",
                                                          "Don",
                                                          "Do\xC3\xB1"
                                                          "a",
                                                          "Sig",
                                                          "Signor",
                                                          "Signora",
                                                          "Signore",
                                                          "Dott",
                                                          "Pan",
                                                          "Pani",
                                                          "Meneer",
                                                          "Mevrouw",
                                                          "Dhr",
                                                          "Mevr",
                                                          "Senhor",
                                                          "Senhora"});
constexpr auto kOrgEnd =
    std::to_array<std::string_view>({"Inc",          "LLC",         "Ltd",        "Limited",
                                     "GmbH",         "AG",          "KG",         "OHG",
                                     "Corp",         "Corporation", "Co",         "Company",
                                     "PLC",          "plc",         "LLP",        "SA",
                                     "SAS",          "SARL",        "SpA",        "SRL",
                                     "BV",           "NV",          "AB",         "Oy",
                                     "AS",           "Group",       "Holdings",   "Bank",
                                     "University",   "Institute",   "Foundation", "College",
                                     "Hospital",     "Association", "Partners",   "Industries",
                                     "Technologies", "Solutions",   "Systems",    "Ministry",
                                     "Agency",       "Stiftung",    "Verein",     "Universit\xC3\xA4t",
                                     "Airlines",     "Insurance",   "Consulting", "Ltda",
                                     "Kft",          "Sons",        "Spzoo"});
constexpr auto kOrgStart =
    std::to_array<std::string_view>({"University", "Bank", "Institute", "Ministry", "Department", "Universidad",
                                     "Universit\xC3\xA9", "Banco", "Banque", "Grupo", "Groupe", "Gruppo"});

// Legal forms that are written with dots; the longest first.
constexpr auto kDotted = std::to_array<std::string_view>(
    {"S.L.N.E.", "S.L.U.", "S.A.U.", "S.Coop.", "S.C.P.", "S.L.L.", "S.L.", "S.A.S.", "S.A.R.L.",   "S.A.",
     "S.r.l.",   "S.R.L.", "S.p.A.", "S.n.c.",  "B.V.",   "N.V.",   "e.V.", "e. V.",  "Sp. z o.o.", "sp. z o.o."});
// How the names of places begin and end.
constexpr auto kPlaceStart =
    std::to_array<std::string_view>({"New", "North", "South", "East", "West", "Port", "Lake", "Saint", "Sainte", "San",
                                     "Santa", "Bad", "Nieuw", "Sint", "Fort", "Mount"});
constexpr auto kPlaceEnd = std::to_array<std::string_view>({"ville",
                                                            "burgh",
                                                            "borough",
                                                            "bury",
                                                            "town",
                                                            "chester",
                                                            "mouth",
                                                            "shire",
                                                            "stad",
                                                            "furt",
                                                            "burg",
                                                            "dorf",
                                                            "haven",
                                                            "port",
                                                            "fort",
                                                            "heim",
                                                            "hausen",
                                                            "stedt",
                                                            "st\xC3\xA4"
                                                            "dt",
                                                            "kirchen",
                                                            "furth",
                                                            "land",
                                                            "berg",
                                                            "view",
                                                            "side",
                                                            "stadt",
                                                            "bridge",
                                                            "dam",
                                                            "wijk",
                                                            "hoven",
                                                            "broek"});

bool ends_sentence_before(std::string_view text, std::size_t at) {
    while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '"' || text[at - 1] == '\'' || text[at - 1] == '*' ||
                      text[at - 1] == '#' || text[at - 1] == '-'))
        --at;
    return at == 0 || text[at - 1] == '.' || text[at - 1] == '!' || text[at - 1] == '?' || text[at - 1] == '\n' ||
           text[at - 1] == ':';
}

// The words in front of `at`, lower-case.
bool follows(std::string_view text, std::size_t at, std::initializer_list<std::string_view> phrases) {
    while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == ',' || text[at - 1] == ':' || text[at - 1] == '\n')) --at;
    std::array<char, 24> buffer{};
    const std::size_t size = std::min(at, buffer.size());
    for (std::size_t i = 0; i < size; ++i) {
        const char c = text[at - size + i];
        buffer[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    const std::string_view before(buffer.data(), size);
    return std::ranges::any_of(phrases, [&](std::string_view p) {
        return !before.empty() && before.back() == p.back() && before.ends_with(p) &&
               (before.size() == p.size() || !is_letter(before[before.size() - p.size() - 1]));
    });
}

class Reader {
  public:
    Reader(std::string_view text, std::vector<Finding>& findings) : text_(text), findings_(findings) {}

    void read() {
        std::size_t at = 0;
        while (at < text_.size()) {
            const auto c = static_cast<unsigned char>(text_[at]);
            if ((c >= 'A' && c <= 'Z') || (c >= 0xC3 && c <= 0xC5)) {
                if (is_capital(text_, at) && (at == 0 || !is_word(text_[at - 1]))) {
                    at = sequence(at);
                    continue;
                }
            }
            ++at;
        }
    }

  private:
    static bool is_word(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '@' || c == '/'; }

    std::size_t word_end(std::size_t at) const {
        while (at < text_.size() && (is_letter(text_[at]) || ((text_[at] == '-' || text_[at] == '\'') &&
                                                              at + 1 < text_.size() && is_letter(text_[at + 1]))))
            ++at;
        return at;
    }

    // Reads words with capitals that stand side by side; gives where to go on.
    std::size_t sequence(std::size_t at) {
        words_.clear();
        std::size_t next = at;
        while (words_.size() < 7) {
            if (!words_.empty()) {
                const auto* const dotted = std::ranges::find_if(
                    kDotted, [&](std::string_view d) { return text_.substr(next).starts_with(d); });
                if (dotted != kDotted.end()) {
                    words_.push_back({next, next + dotted->size(), 0, false, false, true});
                    break;
                }
            }
            const std::size_t end = word_end(next);
            if (end == next) break;
            const auto word = text_.substr(next, end - next);
            const bool capital = is_capital(text_, next);
            const bool small = !capital && one_of(word, kSmall);
            if (!capital && !small) break;
            if (end < text_.size() && (text_[end] == '_' || text_[end] == '(' || text_[end] == '@' ||
                                       (text_[end] >= '0' && text_[end] <= '9')))
                return end;
            auto stem = word;
            if (stem.ends_with("'s")) stem.remove_suffix(2);
            Word w{next, next + stem.size(), small ? 0U : kinds(stem), stem.size() == 1, small, one_of(stem, kOrgEnd)};
            const bool shouted = stem.size() > 1 &&
                                 std::ranges::none_of(stem, [](char c) { return c >= 'a' && c <= 'z'; }) &&
                                 static_cast<unsigned char>(stem.back()) < 0x80;
            if (shouted && !one_of(stem, kOrgEnd)) w.kinds = 0;
            words_.push_back(w);
            next = end;
            if (stem.size() != word.size()) break;
            if (w.initial || one_of(stem, kTitles) || one_of(stem, kOrgEnd)) {
                if (next < text_.size() && text_[next] == '.') ++next;
            }
            if (next + 2 < text_.size() && text_.substr(next, 2) == ", " &&
                one_of(text_.substr(next + 2, word_end(next + 2) - next - 2), kOrgEnd))
                ++next;
            if (next + 3 < text_.size() && text_.substr(next, 3) == " & ") next += 2;
            if (next >= text_.size() || text_[next] != ' ') break;
            ++next;
        }
        while (!words_.empty() && words_.back().small) words_.pop_back();
        if (words_.empty()) return std::max(at + 1, word_end(at));
        const std::size_t last = words_.back().end;
        judge();
        return std::max(last, at + 1);
    }

    static unsigned kinds(std::string_view word) {
        unsigned k = kinds_of_name(word);
        const auto dash = word.find('-');
        if (dash != std::string_view::npos) {
            const unsigned a = kinds_of_name(word.substr(0, dash)), b = kinds_of_name(word.substr(dash + 1));
            k |= a & b & (kFirstName | kLastName);
        }
        if (word.starts_with("Mc") || word.starts_with("O'") || word.starts_with("Mac"))
            k |= word.size() > 4 ? kLastName : 0U;
        return k;
    }

    std::string_view of(const Word& w) const { return text_.substr(w.begin, w.end - w.begin); }

    void add(std::string_view detector, std::string_view type, Category category, std::size_t first, std::size_t last,
             float score) {
        findings_.push_back({detector, type, category, words_[first].begin, words_[last].end, score, {}});
    }

    void judge() {
        const std::size_t n = words_.size();
        std::size_t first = 0;
        bool titled = one_of(of(words_[0]), kTitles);
        if (titled) ++first;
        if (first >= n) return;
        // Organisations end, or begin, with a word that says so.
        for (std::size_t i = n; i-- > first + 1;)
            if (words_[i].legal) {
                // "Frau Kohl von Krebs AG": one of each.
                std::size_t from = first;
                if (titled)
                    for (std::size_t k = first + 1; k < i; ++k)
                        if (words_[k].small) {
                            add("person", "PERSON", Category::person, first, k - 1, 0.85F);
                            from = k + 1;
                            break;
                        }
                add("organization", "ORGANIZATION", Category::organization, from, i, 0.9F);
                if (i + 1 < n) person_or_place(i + 1, n, false);
                return;
            }
        if (n == 1 && (words_[0].kinds & kLastName) != 0) {
            const auto name = of(words_[0]);
            if (name.find('-') != std::string_view::npos && !follows(text_, words_[0].begin, {"name is", "surname"})) {
                add("organization", "ORGANIZATION", Category::organization, 0, 0, 0.5F);
                return;
            }
            // "Cartwright, Watson and Birch"
            std::size_t at = words_[0].end;
            if (text_.substr(at).starts_with(", ")) {
                const std::size_t second = at + 2, second_end = word_end(second);
                if (second_end > second && (kinds(text_.substr(second, second_end - second)) & kLastName) != 0 &&
                    text_.substr(second_end).starts_with(" and ")) {
                    const std::size_t third = second_end + 5, third_end = word_end(third);
                    if (third_end > third && is_capital(text_, third) &&
                        (kinds(text_.substr(third, third_end - third)) & kLastName) != 0) {
                        words_[0].end = third_end;
                        add("organization", "ORGANIZATION", Category::organization, 0, 0, 0.7F);
                        return;
                    }
                }
            }
        }
        if (n - first >= 2 && one_of(of(words_[first]), kOrgStart)) {
            add("organization", "ORGANIZATION", Category::organization, first, n - 1, 0.6F);
            return;
        }
        person_or_place(first, n, titled);
    }

    void person_or_place(std::size_t first, std::size_t n, bool titled) {
        // A common word at the beginning of a sentence is no part of a name: "Yesterday Anna", "Is Berlin".
        while (first + 1 < n && !titled && (words_[first].kinds & (kFirstName | kLastName | kPlaceName)) == 0 &&
               !words_[first].initial)
            ++first;
        while (first + 1 < n && !titled && (words_[first].kinds & kCommonWord) != 0 &&
               ends_sentence_before(text_, words_[first].begin) && (words_[first + 1].kinds & kFirstName) != 0)
            ++first;
        const std::size_t count = n - first;
        const Word& a = words_[first];
        const Word& z = words_[n - 1];
        const bool there =
            follows(text_, a.begin, {"live in",   "lives in", "living in", "lived in", "moved to", "based in",
                                     "wohnt in",  "wohne in", "ist in",    "woont in", "woon in",  "habite \xC3\xA0",
                                     "vivo en",   "vive en",  "mieszka w", "abito a",  "born in",  "moro em",
                                     "travel to", "in",       "from",      "to"});
        const auto shaped = [&] {
            const auto end_word = of(z);
            return (count >= 2 && one_of(of(a), kPlaceStart)) ||
                   std::ranges::any_of(kPlaceEnd, [&](std::string_view e) {
                       return end_word.size() > e.size() + 2 && end_word.ends_with(e);
                   });
        };
        const bool live = there && !follows(text_, a.begin, {"in", "from", "to"});
        const bool bare = there && (live || !follows(text_, a.begin, {"to", "from"}));
        if (!titled && count <= 3 &&
            ((there && shaped()) || (live && (a.kinds & kFirstName) == 0) ||
             (bare && count == 1 && a.kinds == 0 && a.end - a.begin > 3 &&
              follows(text_, a.begin, {"ist in", "in"})))) {
            add("place", "LOCATION", Category::place, first, n - 1, shaped() || live ? 0.7F : 0.5F);
            return;
        }
        // Places of up to three words.
        for (std::size_t size = std::min<std::size_t>(3, count); size > 0; --size) {
            const auto whole = text_.substr(a.begin, words_[first + size - 1].end - a.begin);
            if (size == 1 ? (a.kinds & kPlaceName) == 0 : (kinds_of_name(whole) & kPlaceName) == 0) continue;
            const bool context = follows(
                text_, a.begin, {"in",   "from", "to",   "at",       "near", "of",    "visit",  "visiting", "aus",
                                 "nach", "nach", "bei",  "\xC3\xA0", "en",   "desde", "da",     "di",       "w",
                                 "z",    "uit",  "naar", "em",       "de",   "city",  "around", "through",  "via"});
            const bool alone = size == count;
            const bool person_too = size == 1 && (a.kinds & (kFirstName | kLastName)) != 0;
            if (size == 1 && (a.kinds & kCommonWord) != 0 && !context) break;
            if (titled || (person_too && !context) ||
                (!alone && size == 1 && (words_[first + 1].kinds & kLastName) != 0))
                break;
            if (size > 1 || context || !ends_sentence_before(text_, a.begin) || alone) {
                add("place", "LOCATION", Category::place, first, first + size - 1, context || size > 1 ? 0.7F : 0.55F);
                if (size < count) person_or_place(first + size, n, false);
                return;
            }
            break;
        }
        if (titled) {
            add("person", "PERSON", Category::person, first, std::min(n - 1, first + 3), 0.85F);
            return;
        }
        const bool context = follows(text_, a.begin,
                                     {"name is",
                                      "i am",
                                      "i'm",
                                      "called",
                                      "named",
                                      "dear",
                                      "hi",
                                      "hello",
                                      "regards",
                                      "sincerely",
                                      "signed",
                                      "name",
                                      "ask for",
                                      "contact",
                                      "customer",
                                      "patient",
                                      "client",
                                      "employee",
                                      "from",
                                      "by",
                                      "with",
                                      "and",
                                      "hei\xC3\x9F"
                                      "e",
                                      "ich bin",
                                      "name ist",
                                      "hallo",
                                      "liebe",
                                      "lieber",
                                      "je m'appelle",
                                      "bonjour",
                                      "llamo",
                                      "hola",
                                      "chiamo",
                                      "ciao",
                                      "nazywam si\xC4\x99",
                                      "heet",
                                      "chamo",
                                      "nome",
                                      "nom",
                                      "nombre",
                                      "naam",
                                      "for",
                                      "to",
                                      "met",
                                      "told",
                                      "thanks",
                                      "cheers",
                                      "best"});
        if (count >= 2) {
            // A name has at most four words; a first name begins it, or a last name ends it.
            const std::size_t last = std::min(n - 1, first + 4);
            const bool given = (a.kinds & kFirstName) != 0, family = (words_[last].kinds & kLastName) != 0;
            const bool odd_given = (a.kinds & kCommonWord) != 0, odd_family = (z.kinds & kCommonWord) != 0;
            if (given && family)
                add("person", "PERSON", Category::person, first, last, odd_given && odd_family ? 0.5F : 0.85F);
            else if (given && !odd_given)
                add("person", "PERSON", Category::person, first, last, odd_family ? 0.5F : 0.65F);
            else if (family && !odd_family && (a.initial || context || (a.kinds & kLastName) != 0) && !odd_given)
                add("person", "PERSON", Category::person, first, last, 0.6F);
            else if (family && (a.kinds & kFirstName) == 0 && context && count == 2 && !odd_given)
                add("person", "PERSON", Category::person, first, last, 0.5F);
            return;
        }
        if ((a.kinds & kFirstName) != 0 && a.end - a.begin > 2) {
            const bool odd = (a.kinds & kCommonWord) != 0;
            if (context && !odd)
                add("person", "PERSON", Category::person, first, first, 0.7F);
            else if (!odd && !ends_sentence_before(text_, a.begin))
                add("person", "PERSON", Category::person, first, first, 0.5F);
            else if (!odd && a.end < text_.size() && (text_[a.end] == ',' || text_[a.end] == '\''))
                add("person", "PERSON", Category::person, first, first, 0.5F);
        } else if ((a.kinds & kLastName) != 0 && (a.kinds & kCommonWord) == 0 &&
                   follows(
                       text_, a.begin,
                       {"name is", "surname", "last name", "family name", "nachname", "apellido", "nom", "cognome"})) {
            add("person", "PERSON", Category::person, first, first, 0.6F);
        }
    }

    std::string_view text_;
    std::vector<Finding>& findings_;
    std::vector<Word> words_;
};

}  // namespace

void find_names(std::string_view text, std::vector<Finding>& findings) {
    Reader(text, findings).read();
}

}  // namespace tandem::privacy
