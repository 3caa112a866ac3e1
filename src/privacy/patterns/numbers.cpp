// What consists of digits: cards, phones, national ids, dates, IPv4 addresses. A candidate is the first digit of a
// number; the whole run of digit groups around it is read once, and each stretch of its groups is tried as each kind.
#include <bit>
#include <bitset>
#include <optional>
#include <vector>

#include "privacy/patterns/checks.h"
#include "privacy/patterns/patterns.h"
#include "privacy/patterns/phones.h"

namespace tandem::privacy {

namespace {

using config::Category;

constexpr std::size_t kMostGroups = 12;
constexpr std::size_t kMostDigits = 48;

struct Group {
    std::size_t begin, end;
    std::size_t size() const { return end - begin; }
};

constexpr std::size_t kLeastWithTail = 9;  // digits of a number that is one with ".0" behind it too

// Behind what follows a whole number without changing it: ".0", "e0", ".00E+0". `end` where nothing does.
std::size_t integral_tail(std::string_view text, std::size_t end) {
    std::size_t at = end;
    auto zeros = [&](std::size_t from) {
        std::size_t to = from;
        while (to < text.size() && text[to] == '0' && to - from < 20) ++to;
        return to;
    };
    if (at < text.size() && text[at] == '.' && zeros(at + 1) > at + 1) at = zeros(at + 1);
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        const std::size_t sign = at + 1 < text.size() && (text[at + 1] == '+' || text[at + 1] == '-') ? 1 : 0;
        if (zeros(at + 1 + sign) > at + 1 + sign) at = zeros(at + 1 + sign);
    }
    if (!ends_word(text, at)) return end;
    return at + 1 < text.size() && text[at] == '.' && digit(text[at + 1]) ? end : at;
}

// Of which groups nothing of a number, word or decimal goes on at either side, as bits: each stretch asks for the sides
// of two.
struct Edges {
    unsigned begins = 0, begins_but_low_lines = 0;  // low lines are no part of a word
    unsigned ends = 0, ends_but_low_lines = 0;
    unsigned tails = 0;  // groups with ".0" or the like behind them

    void add(std::string_view text, std::size_t i, const Group& group) {
        const unsigned bit = 1U << i;
        const char before = group.begin > 0 ? text[group.begin - 1] : ' ';
        const char behind = group.end < text.size() ? text[group.end] : ' ';
        const bool decimal = (before == '.' || before == ',') && group.begin > 1 && digit(text[group.begin - 2]);
        if (!decimal && !word(before)) begins |= bit;
        if (!decimal && (!word(before) || before == '_')) begins_but_low_lines |= bit;
        if (integral_tail(text, group.end) > group.end) tails |= bit;
        const bool goes_on =
            (behind == '.' || behind == ',') && group.end + 1 < text.size() && digit(text[group.end + 1]);
        if (!goes_on && !word(behind)) ends |= bit;
        if (!goes_on && (!word(behind) || behind == '_')) ends_but_low_lines |= bit;
    }
};

// Groups of digits with at most two bytes of separators between them.
struct Run {
    std::string_view text;
    std::array<Group, kMostGroups> groups{};
    std::size_t count = 0;

    void add(Group group, std::string_view written) {
        groups[count++] = group;
        const auto kept = written.substr(0, kMostOfOne);
        std::copy(kept.begin(), kept.end(), digits_.begin() + ends_[count - 1]);
        ends_[count] = static_cast<std::uint8_t>(ends_[count - 1] + kept.size());
    }
    // The digits of groups [first, last]; of a longer group than any check takes, its beginning.
    std::string_view digits(std::size_t first, std::size_t last) const {
        return {digits_.data() + ends_[first], size(first, last)};
    }
    // How many these are.
    std::size_t size(std::size_t first, std::size_t last) const {
        return static_cast<std::size_t>(ends_[last + 1] - ends_[first]);
    }

    const Edges& edges() const {
        if (!edges_)
            for (edges_.emplace(); edged_ < count; ++edged_) edges_->add(text, edged_, groups[edged_]);
        return *edges_;
    }

    // Whether any word is as near as near_words() looks.
    bool words_near() const {
        if (!looked_) look();
        return any_;
    }
    // Whether a word can be near: false where no word near the run begins with the same two letters. Many words are
    // asked for around each number, and hardly any is there.
    bool may_be_near(std::string_view word) const {
        if (!looked_) look();
        return beginnings_[pair(word[0], word.size() > 1 ? word[1] : ' ')];
    }

  private:
    static std::size_t pair(char a, char b) {
        return (static_cast<unsigned char>(a) * 31U + static_cast<unsigned char>(b)) & 1023U;
    }
    void look() const {
        looked_ = true;
        const auto first = groups[0].begin, last = groups[count - 1].end;
        auto add = [&](std::size_t from, std::size_t to) {
            work(to - from);
            for (std::size_t at = from; at < to; ++at)
                if (letter(text[at]) && (at == 0 || !letter(text[at - 1]))) {
                    any_ = true;
                    beginnings_.set(pair(lower(text[at]), at + 1 < text.size() ? lower(text[at + 1]) : ' '));
                }
        };
        add(first > kFar ? first - kFar : 0, std::min(text.size(), last + kFar));
    }
    static constexpr std::size_t kFar = 60;  // what near_words() looks at is within
    mutable std::bitset<1024> beginnings_;
    mutable bool looked_ = false, any_ = false;
    mutable std::optional<Edges> edges_;
    mutable std::size_t edged_ = 0;
    static constexpr std::size_t kMostOfOne = 24;
    std::array<char, kMostDigits + kMostOfOne> digits_{};
    std::array<std::uint8_t, kMostGroups + 1> ends_{};  // of each group's digits, in digits_
};

bool separator(char c) {
    return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')';
}

Run read_run(std::string_view text, std::size_t at) {
    Run run;
    run.text = text;
    std::size_t digits_seen = 0;
    while (run.count < kMostGroups && digits_seen <= kMostDigits) {
        Group group{at, at};
        while (group.end < text.size() && digit(text[group.end])) ++group.end;
        run.add(group, text.substr(group.begin, group.size()));
        digits_seen += group.size();
        at = group.end;
        std::size_t gap = 0;
        while (at < text.size() && separator(text[at]) && gap < 3) ++at, ++gap;
        if (gap == 0 || at >= text.size() || !digit(text[at])) break;
        if (gap == 3 && text.substr(at - 3, 3) != " - " && text.substr(at - 3, 3) != ") -" &&
            text.substr(at - 3, 3) != ") (")
            break;
        // ". " ends a sentence.
        if (gap == 2 && text[at - 2] == '.' && text[at - 1] == ' ' && group.size() > 3) break;
    }
    return run;
}

// A stretch of a run: groups [first, last], their digits together and how they are written.
struct Stretch {
    const Run& run;
    std::size_t first, last;
    std::string_view digits = run.digits(first, last);

    std::size_t begin() const { return run.groups[first].begin; }
    std::size_t end() const { return run.groups[last].end; }
    std::size_t groups() const { return last - first + 1; }
    std::string_view text() const { return run.text.substr(begin(), end() - begin()); }
    // What stands between group i and the next.
    std::string_view between(std::size_t i) const {
        const auto from = run.groups[first + i].end;
        return run.text.substr(from, run.groups[first + i + 1].begin - from);
    }
    bool all_between(char what) const {
        for (std::size_t i = 0; i + 1 < groups(); ++i)
            if (between(i).size() != 1 || between(i)[0] != what) return false;
        return true;
    }
    bool one_kind_between(std::string_view which) const {
        for (std::size_t i = 0; i + 1 < groups(); ++i)
            if (between(i).size() != 1 || which.find(between(i)[0]) == std::string_view::npos ||
                between(i)[0] != between(0)[0])
                return false;
        return true;
    }
    bool sizes(std::initializer_list<std::size_t> wanted) const {
        if (wanted.size() != groups()) return false;
        std::size_t i = first;
        for (const auto size : wanted)
            if (run.groups[i++].size() != size) return false;
        return true;
    }
    // Nothing of a number, word or decimal goes on at either side.
    bool alone() const { return alone(false); }
    // `low_lines`: one beside it is no part of it.
    bool alone(bool low_lines) const {
        const auto& edges = run.edges();
        const unsigned begins = low_lines ? edges.begins_but_low_lines : edges.begins;
        const unsigned ends = low_lines ? edges.ends_but_low_lines : edges.ends;
        if ((begins >> first & 1U) == 0) return false;
        return ((ends >> last & 1U) != 0) || (digits.size() >= kLeastWithTail && (edges.tails >> last & 1U) != 0);
    }
    bool near_words(std::initializer_list<std::string_view> words, std::size_t before = 60) const {
        return run.words_near() && std::ranges::any_of(words, [&](std::string_view word) {
                   return run.may_be_near(word) && near(run.text, begin(), end(), {word}, before);
               });
    }
};

int number(std::string_view digits) {
    int n = 0;
    for (const char c : digits) n = n * 10 + (c - '0');
    return n;
}

bool date_ok(int month, int day) {
    static constexpr std::array<int, 13> kDays = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month >= 1 && month <= 12 && day >= 1 && day <= kDays[static_cast<std::size_t>(month)];
}

// ---- cards ----

// Issuers' first digits and lengths (ISO/IEC 7812; the schemes' public ranges).
bool is_issued(std::string_view d) {
    const int two = number(d.substr(0, 2)), three = number(d.substr(0, 3)), four = number(d.substr(0, 4));
    const auto n = d.size();
    if (d[0] == '4') return n == 16 || n == 13 || n == 19;
    if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return n == 16;
    if (two == 34 || two == 37) return n == 15;
    if ((three >= 300 && three <= 305) || two == 36 || two == 38 || two == 39) return n >= 14 && n <= 19;
    if (four == 6011 || (three >= 644 && three <= 649) || two == 65 || two == 62 || two == 81)
        return n >= 16 && n <= 19;
    if (two == 35) return n >= 16 && n <= 19;
    if (four == 1800 || four == 2131) return n == 15;
    if (two == 50 || (two >= 56 && two <= 58) || two == 60 || two == 63 || two == 67 || two == 68 || two == 69)
        return n >= 12 && n <= 19;
    return false;
}

bool common_issuer(std::string_view d) {
    return d[0] >= '2' && d[0] <= '6';
}

std::optional<float> card(const Stretch& s) {
    const auto n = s.digits.size();
    if (n < 12 || n > 19 || !s.alone(true)) return {};
    for (std::size_t i = 0; i + 1 < s.groups(); ++i)
        if (s.between(i).size() != 1 || s.between(i)[0] == '/') return {};
    if (!is_issued(s.digits) || !luhn(s.digits)) return {};
    if (s.digits.find_first_not_of(s.digits[0]) == std::string::npos) return {};
    if (s.groups() > 7 && !s.near_words({"card", "visa", "mastercard", "amex", "credit", "pan"})) return {};
    const bool context = s.near_words({"card",     "visa",        "mastercard", "maestro", "amex",  "american express",
                                       "discover", "diners",      "jcb",        "credit",  "debit", "cc",
                                       "karte",    "kreditkarte", "tarjeta",    "carte",   "carta", "cart\xC3\xA3o",
                                       "kaart",    "kart",        "payment",    "pay",     "pan",   "cvv",
                                       "expir"});
    if (context) return 1.0F;
    if (s.sizes({4, 4, 4, 4}) || s.sizes({4, 6, 5}) || s.sizes({4, 6, 4})) return 1.0F;
    if (s.groups() == 1 && (n == 16 || n == 15) && common_issuer(s.digits)) return 0.8F;
    if (s.groups() == 1 && n == 14 && common_issuer(s.digits)) return 0.6F;
    bool fours = s.groups() > 1;
    for (std::size_t i = s.first; i < s.last; ++i) fours = fours && s.run.groups[i].size() == 4;
    if (fours && n >= 15) return 0.6F;
    return {};
}

// ---- national ids ----

std::optional<float> ssn(const Stretch& s) {
    if (s.digits.size() != 9 || !s.alone()) return {};
    const auto area = s.digits.substr(0, 3);
    const bool shaped = s.sizes({3, 2, 4}) && s.one_kind_between("- .");
    if (area == "000" || area == "666" || area[0] == '9' || s.digits.substr(3, 2) == "00" ||
        s.digits.substr(5) == "0000")
        return {};
    if (s.digits == "123456789" || s.digits == "987654321" || s.digits == "078051120" || s.digits == "219099999")
        return {};
    if (!shaped && s.groups() != 1) return {};
    const bool context = s.near_words({"ssn", "ss#", "social", "security", "soc sec", "taxpayer", "tin"});
    if (shaped && s.between(0) == "-") return context ? 1.0F : 0.85F;
    if (shaped) return context ? 0.9F : 0.5F;
    if (s.groups() == 1 && context) return 0.75F;
    return {};
}

std::optional<float> itin(const Stretch& s) {
    if (s.digits.size() != 9 || !s.alone() || s.digits[0] != '9') return {};
    const int middle = number(s.digits.substr(3, 2));
    if (!((middle >= 50 && middle <= 65) || (middle >= 70 && middle <= 88) || (middle >= 90 && middle <= 92) ||
          middle >= 94))
        return {};
    if (s.sizes({3, 2, 4}) && s.one_kind_between("- ")) return 0.8F;
    if (s.groups() == 1 && s.near_words({"itin", "taxpayer", "tax id"})) return 0.8F;
    return {};
}

// Weights 10 to 2, modulo 11 (NHS Data Dictionary).
std::optional<float> nhs(const Stretch& s) {
    if (s.digits.size() != 10 || !s.alone()) return {};
    const int check = 11 - weighted(s.digits, {10, 9, 8, 7, 6, 5, 4, 3, 2}) % 11;
    if ((check == 11 ? 0 : check) != s.digits[9] - '0' || check == 10) return {};
    const bool context = s.near_words({"nhs", "national health", "health service", "patient"});
    if (context) return 1.0F;
    if (s.sizes({3, 3, 4}) && s.all_between(' ') && s.digits[0] >= '4') return 0.55F;
    return {};
}

// 3 digits and so on: ISO 7064 MOD 11,10, and one digit stands two or three times among the first ten (BZSt).
std::optional<float> german_tax(const Stretch& s) {
    if (s.digits.size() != 11 || !s.alone() || s.digits[0] == '0' || !iso7064_mod11_10(s.digits)) return {};
    std::array<int, 10> counts{};
    for (std::size_t i = 0; i < 10; ++i) ++counts[static_cast<std::size_t>(s.digits[i] - '0')];
    const auto repeated = std::ranges::count_if(counts, [](int n) { return n > 1; });
    if (repeated != 1 || std::ranges::any_of(counts, [](int n) { return n > 3; })) return {};
    if (s.near_words({"steuer", "tax", "idnr", "identifikationsnummer", "tin", "iban"})) return 1.0F;
    if (s.sizes({2, 3, 3, 3})) return 0.8F;
    return {};
}

// 13 digits and a key that is 97 less their remainder by 97 (INSEE).
std::optional<float> french(const Stretch& s) {
    if (s.digits.size() != 15 || !s.alone() || (s.digits[0] != '1' && s.digits[0] != '2')) return {};
    const int month = number(s.digits.substr(3, 2));
    if (month < 1 || (month > 12 && month < 20) || (month > 42 && month < 50)) return {};
    if (97 - modulo(std::string_view(s.digits).substr(0, 13), 97) !=
        static_cast<std::uint64_t>(number(s.digits.substr(13))))
        return {};
    return s.groups() == 1 || s.one_kind_between(" -") ? std::optional(0.9F) : std::nullopt;
}

// Eleven-proof: weights 9 to 2 and -1 (Rijksdienst voor Identiteitsgegevens).
std::optional<float> dutch(const Stretch& s) {
    if (s.digits.size() != 9 || !s.alone() || s.groups() > 4) return {};
    if (weighted(s.digits, {9, 8, 7, 6, 5, 4, 3, 2, -1}) % 11 != 0) return {};
    if (s.near_words({"bsn", "burgerservice", "sofi", "persoonsnummer", "citizen service"})) return 1.0F;
    return {};
}

std::optional<float> pesel(const Stretch& s) {
    if (s.digits.size() != 11 || !s.alone() || s.groups() != 1) return {};
    const int check = (10 - weighted(s.digits, {1, 3, 7, 9, 1, 3, 7, 9, 1, 3}) % 10) % 10;
    const int month = number(s.digits.substr(2, 2)) % 20;
    if (check != s.digits[10] - '0' || !date_ok(month, number(s.digits.substr(4, 2)))) return {};
    return s.near_words({"pesel", "personal", "osobist", "numer"}) ? 1.0F : 0.6F;
}

// CPF: two digits, weights 10.. and 11.., modulo 11 (Receita Federal).
std::optional<float> cpf(const Stretch& s) {
    if (s.digits.size() != 11 || !s.alone()) return {};
    if (s.digits.find_first_not_of(s.digits[0]) == std::string::npos) return {};
    const int one = weighted(s.digits, {10, 9, 8, 7, 6, 5, 4, 3, 2}) * 10 % 11 % 10;
    const int two = weighted(s.digits, {11, 10, 9, 8, 7, 6, 5, 4, 3, 2}) * 10 % 11 % 10;
    if (one != s.digits[9] - '0' || two != s.digits[10] - '0') return {};
    if (s.sizes({3, 3, 3, 2})) return 1.0F;
    if (s.groups() == 1) return s.near_words({"cpf", "cadastro", "contribuinte"}) ? 1.0F : 0.55F;
    return {};
}

std::optional<float> cnpj(const Stretch& s) {
    if (s.digits.size() != 14 || !s.alone()) return {};
    const int one = weighted(s.digits, {5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2}) % 11,
              two = weighted(s.digits, {6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2}) % 11;
    if ((one < 2 ? 0 : 11 - one) != s.digits[12] - '0' || (two < 2 ? 0 : 11 - two) != s.digits[13] - '0') return {};
    if (s.digits.find_first_not_of(s.digits[0]) == std::string::npos) return {};
    if (s.sizes({2, 3, 3, 4, 2})) return 1.0F;
    return s.groups() == 1 && s.near_words({"cnpj"}) ? std::optional(1.0F) : std::nullopt;
}

std::optional<float> aadhaar(const Stretch& s) {
    if (s.digits.size() != 12 || !s.alone() || s.digits[0] < '2' || !verhoeff(s.digits)) return {};
    if (s.near_words({"aadhaar", "aadhar", "uidai", "uid"})) return 1.0F;
    if (s.sizes({4, 4, 4}) && s.one_kind_between(" -")) return 0.85F;
    return {};
}

std::optional<float> sin(const Stretch& s) {
    if (s.digits.size() != 9 || !s.alone() || s.digits[0] == '0' || s.digits[0] == '8' || !luhn(s.digits)) return {};
    const bool shaped = s.sizes({3, 3, 3}) && s.one_kind_between(" -");
    if (s.near_words({"sin", "social insurance", "assurance sociale", "nas"})) return 1.0F;
    return shaped && s.between(0) == "-" ? std::optional(0.6F) : std::nullopt;
}

// Personnummer: the date, three digits and Luhn's digit; the century is not part of the sum (Skatteverket).
std::optional<float> swedish(const Stretch& s) {
    const auto n = s.digits.size();
    if ((n != 10 && n != 12) || !s.alone()) return {};
    if (n == 12 && !s.digits.starts_with("19") && !s.digits.starts_with("20")) return {};
    const auto short_form = std::string_view(s.digits).substr(n - 10);
    if (!luhn(short_form) || !date_ok(number(short_form.substr(2, 2)), number(short_form.substr(4, 2)))) return {};
    const bool context = s.near_words({"personnummer", "person", "swedish", "svensk"});
    if (s.groups() == 2 && s.run.groups[s.last].size() == 4 && s.between(0) == "-") return context ? 1.0F : 0.8F;
    return s.groups() == 1 && context ? std::optional(0.9F) : std::nullopt;
}

// AHV: the EAN-13 check digit (GS1 General Specifications).
std::optional<float> swiss(const Stretch& s) {
    if (s.digits.size() != 13 || !s.alone() || !s.digits.starts_with("756")) return {};
    const int sum = weighted(s.digits, {1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3});
    if ((10 - sum % 10) % 10 != s.digits[12] - '0') return {};
    return 0.95F;
}

std::optional<float> abn(const Stretch& s) {
    if (s.digits.size() != 11 || !s.alone() || s.digits[0] == '0') return {};
    std::string d(s.digits);
    d[0] = static_cast<char>(d[0] - 1);
    if (weighted(d, {10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19}) % 89 != 0) return {};
    if (s.near_words({"abn", "australian business"})) return 1.0F;
    return s.sizes({2, 3, 3, 3}) ? std::optional(0.5F) : std::nullopt;
}

std::optional<float> tfn(const Stretch& s) {
    if (s.digits.size() != 9 || !s.alone() || weighted(s.digits, {1, 4, 3, 7, 5, 8, 6, 9, 10}) % 11 != 0) return {};
    return s.near_words({"tfn", "tax file"}) ? std::optional(1.0F) : std::nullopt;
}

std::optional<float> korean(const Stretch& s) {
    if (s.digits.size() != 13 || !s.alone() || !s.sizes({6, 7}) || s.between(0) != "-") return {};
    if (!date_ok(number(s.digits.substr(2, 2)), number(s.digits.substr(4, 2)))) return {};
    const int check = (11 - weighted(s.digits, {2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5}) % 11) % 10;
    return check == s.digits[12] - '0' ? 0.95F : 0.5F;
}

std::optional<float> routing_number(const Stretch& s) {
    if (s.digits.size() != 9 || !s.alone() || s.groups() != 1) return {};
    if (weighted(s.digits, {3, 7, 1, 3, 7, 1, 3, 7, 1}) % 10 != 0) return {};
    return s.near_words({"routing", "aba", "rtn", "transit"}) ? std::optional(0.9F) : std::nullopt;
}

std::optional<float> bank_account(const Stretch& s) {
    const auto n = s.digits.size();
    if (n < 7 || n > 17 || !s.alone() || s.groups() > 3) return {};
    return s.near_words({"account number", "account no", "account #", "acct", "bank account", "checking account",
                         "savings account", "kontonummer", "numero de cuenta", "n\xC3\xBAmero de cuenta",
                         "num\xC3\xA9ro de compte", "rekeningnummer"},
                        40)
               ? std::optional(0.6F)
               : std::nullopt;
}

std::optional<float> passport_number(const Stretch& s) {
    if ((s.digits.size() != 9 && s.digits.size() != 8) || !s.alone() || s.groups() != 1) return {};
    return s.near_words({"passport", "reisepass", "pasaporte", "passeport", "paszport"}, 40) ? std::optional(0.7F)
                                                                                             : std::nullopt;
}

// ---- addresses of machines ----

std::optional<float> ipv4(const Stretch& s) {
    if (s.groups() != 4 || !s.all_between('.') || !s.alone()) return {};
    for (std::size_t i = s.first; i <= s.last; ++i) {
        const auto part = s.run.text.substr(s.run.groups[i].begin, s.run.groups[i].size());
        if (part.size() > 3 || number(part) > 255 || (part.size() > 1 && part[0] == '0')) return {};
    }
    if (s.begin() > 0 && (s.run.text[s.begin() - 1] == '.' || s.run.text[s.begin() - 1] == '-')) return {};
    const bool version = s.near_words({"version", "v.", "release", "build", "python", "chrome", "section"}, 20);
    const int first = number(s.digits.substr(0, s.run.groups[s.first].size()));
    if (version || first == 0) return s.near_words({"ip"}, 20) ? std::optional(0.6F) : std::nullopt;
    return 0.95F;
}

// ---- dates ----

std::optional<float> date(const Stretch& s) {
    if (s.groups() != 3 || !s.one_kind_between("/.-") || !s.alone()) return {};
    std::array<int, 3> n{};
    std::array<std::size_t, 3> w{};
    for (std::size_t i = 0; i < 3; ++i) {
        const auto& g = s.run.groups[s.first + i];
        n[i] = number(s.run.text.substr(g.begin, g.size()));
        w[i] = g.size();
    }
    const bool year_first = w[0] == 4 && w[1] <= 2 && w[2] <= 2 && n[0] >= 1900 && n[0] <= 2100 && date_ok(n[1], n[2]);
    const bool year_last = w[2] == 4 && w[0] <= 2 && w[1] <= 2 && n[2] >= 1900 && n[2] <= 2100 &&
                           (date_ok(n[1], n[0]) || date_ok(n[0], n[1]));
    const bool year_short =
        w[2] == 2 && w[0] <= 2 && w[1] <= 2 && s.between(0) != "." && (date_ok(n[1], n[0]) || date_ok(n[0], n[1]));
    if (year_first || year_last) return 0.7F;
    if (year_short && s.between(0) == "/") return 0.5F;
    return {};
}

// ---- phones ----

bool has_phone_context(const Stretch& s) {
    return s.near_words({"tel",
                         "phone",
                         "call",
                         "mobile",
                         "mob.",
                         "cell",
                         "fax",
                         "whatsapp",
                         "sms",
                         "text me",
                         "dial",
                         "reach me",
                         "reach us",
                         "hotline",
                         "handy",
                         "rufnummer",
                         "anruf",
                         "ring ",
                         "unter ",
                         "m\xC3\xB3vil",
                         "movil",
                         "t\xC3\xA9l\xC3\xA9phone",
                         "portable",
                         "appel",
                         "cellulare",
                         "celular",
                         "ligar",
                         "kom\xC3\xB3rk",
                         "ph.",
                         "ph:",
                         "extension",
                         "ext.",
                         "contact number",
                         "contact no",
                         "my number",
                         "numero di",
                         "n\xC3\xBAmero de t"});
}

// "+49", "+ 49", "+(49"
bool behind_plus(std::string_view text, std::size_t begin) {
    if (begin > 0 && text[begin - 1] == '(') --begin;
    return begin > 0 && (text[begin - 1] == '+' || (begin > 1 && text[begin - 1] == ' ' && text[begin - 2] == '+'));
}

std::optional<float> phone(const Stretch& s, std::size_t& begin, std::size_t& end) {
    const auto n = s.digits.size();
    const auto& text = s.run.text;
    if (n < 7 || n > 15) return {};
    if (s.end() < text.size() && letter(text[s.end()]) && lower(text[s.end()]) != 'x' && lower(text[s.end()]) != 'e')
        return {};
    begin = s.begin();
    end = s.end();
    bool plus = false, paren = false;
    if (begin > 0 && text[begin - 1] == '(') {
        --begin;
        paren = true;
    }
    if (begin > 0 && text[begin - 1] == '+') {
        --begin;
        plus = true;
    } else if (begin > 1 && text[begin - 1] == ' ' && text[begin - 2] == '+') {
        begin -= 2;
        plus = true;
    }
    if (begin > 0 && (word(text[begin - 1]) || text[begin - 1] == '$' || text[begin - 1] == '#' ||
                      text[begin - 1] == '/' || text[begin - 1] == '=')) {
        if (!(plus || text[begin - 1] == '=')) return {};
    }
    if (begin > 1 && (text[begin - 1] == '.' || text[begin - 1] == ',' || text[begin - 1] == '-') &&
        (digit(text[begin - 2])))
        return {};
    for (std::size_t i = 0; i + 1 < s.groups(); ++i)
        paren = paren || s.between(i).find('(') != std::string_view::npos ||
                s.between(i).find(')') != std::string_view::npos;
    bool extension = false;
    const auto behind = text.substr(s.end(), 2);
    const bool may_have_extension = behind.find_first_of("ex") != std::string_view::npos;
    for (const std::string_view word_for :
         {" ext. ", " ext ", " ext.", "ext.", "ext", " x ", " x", "x", " extension "}) {
        if (!may_have_extension) break;
        if (!text.substr(s.end()).starts_with(word_for)) continue;
        std::size_t at = s.end() + word_for.size();
        const std::size_t from = at;
        while (at < text.size() && digit(text[at]) && at - from < 6) ++at;
        if (at > from && ends_word(text, at)) {
            end = at;
            extension = true;
            break;
        }
    }
    if (!extension && !ends_word(text, s.end())) return {};
    if (!extension && s.end() + 1 < text.size() &&
        (text[s.end()] == '.' || text[s.end()] == ',' || text[s.end()] == '-' || text[s.end()] == ':') &&
        digit(text[s.end() + 1]))
        return {};
    const auto& d = s.digits;
    if (d.find_first_not_of(d[0]) == std::string::npos || s.sizes({5, 4})) return {};
    if (s.sizes({4, 4}) && (d.starts_with("19") || d.starts_with("20")) &&
        (d.substr(4).starts_with("19") || d.substr(4).starts_with("20")))
        return {};
    if (d == "2147483647" || d == "2147483648" || d == "4294967295" || d == "4294967296") return {};
    if (plus && begin > 0 && (word(text[begin - 1]) || text[begin - 1] == '+')) return {};
    // "+44 (0)20 ...": the trunk prefix is for those in the country.
    std::string abroad(d);
    for (std::size_t i = 1, at = s.run.groups[s.first].size(); i < s.groups(); at += s.run.groups[s.first + i++].size())
        if (s.run.groups[s.first + i].size() == 1 && d[at] == '0' && s.between(i - 1).ends_with('(')) {
            abroad.erase(at, 1);
            break;
        }
    if (plus)
        return is_international(abroad) ? std::optional(0.95F)
               : has_phone_context(s)   ? std::optional(0.6F)
                                        : std::nullopt;
    const bool context = has_phone_context(s);
    if (d.starts_with("00") && n >= 10 && is_international(std::string_view(d).substr(2)) && s.groups() > 1)
        return 0.85F;
    if (d.starts_with("011") && n >= 11 && is_international(std::string_view(d).substr(3))) return 0.8F;
    auto parted = [&](std::string_view which) {
        for (std::size_t i = 0; i + 1 < s.groups(); ++i)
            for (const char c : s.between(i))
                if (which.find(c) == std::string_view::npos) return false;
        return true;
    };
    // North America: area, exchange, line.
    const std::size_t lead = n == 11 && d[0] == '1' ? 1 : n == 13 && d.starts_with("001") ? 3 : 0;
    if (n == 10 + lead) {
        const auto area = std::string_view(d).substr(lead, 3), exchange = std::string_view(d).substr(lead + 3, 3);
        const bool valid = area[0] >= '2' && exchange[0] >= '2' && area[1] != '9';
        const bool shaped = lead > 0 ? s.groups() >= 4 && s.run.groups[s.last].size() == 4
                                     : (s.sizes({3, 3, 4}) && (paren || s.between(0) == s.between(1))) ||
                                           (s.sizes({3, 7}) && s.between(0) != ".");
        if (shaped && parted("-. ()"))
            return valid ? (context || paren ? 0.9F : 0.75F) : (context || paren || extension ? 0.7F : 0.5F);
        if (s.groups() == 1 && extension) return 0.7F;
        if (s.groups() == 1 && n == 10 && valid) return context ? std::optional(0.8F) : std::optional(0.4F);
        if (s.groups() == 1 && context) return 0.6F;
    }
    // A trunk prefix, as in most of Europe and Asia.
    if (d[0] == '0' && d[1] != '0' && n >= 9 && n <= 12 && s.groups() >= 2 && s.run.groups[s.first].size() <= 6 &&
        parted("-/ ().")) {
        const bool pairs = s.groups() == 5 && n == 10;
        const bool dotted = s.between(0) == ".";
        if (pairs || (!dotted && s.run.groups[s.last].size() >= 2)) return context || paren ? 0.9F : 0.6F;
    }
    if (d[0] == '0' && d[1] != '0' && n >= 9 && n <= 12 && s.groups() == 1 && context) return 0.7F;
    // Without one: three times three, five and five, an area in brackets.
    if (n == 9 && s.sizes({3, 3, 3}) && d[0] >= '5' && s.one_kind_between(" -")) return context ? 0.8F : 0.45F;
    if (n == 9 && s.groups() == 4 && d[0] >= '6' && s.one_kind_between(" ")) return context ? 0.8F : 0.45F;
    if (n == 10 && s.sizes({5, 5}) && d[0] >= '6' && s.one_kind_between(" -")) return context ? 0.9F : 0.6F;
    if (paren && n >= 8 && n <= 13 && s.groups() >= 2) return context ? 0.9F : 0.6F;
    if (context && n >= 7 && n <= 13 && s.groups() <= 5 && parted("-. /()") &&
        !(s.groups() == 3 && (s.sizes({4, 2, 2}) || s.sizes({2, 2, 4})))) {
        if (s.groups() == 1 && !s.near_words({"tel", "phone", "call", "mobile", "cell", "fax", "whatsapp", "sms",
                                              "dial", "handy", "rufnummer", "m\xC3\xB3vil", "portable", "celular"},
                                             30))
            return {};
        return 0.6F;
    }
    if (n == 7 && s.sizes({3, 4}) && s.between(0) == "-" && d[0] >= '2' && context) return 0.6F;
    return {};
}

struct Tried {
    Kind kind;
    std::optional<float> (*check)(const Stretch&);
    std::size_t least, most;  // digits
    std::size_t groups;       // the most; where they are kMostUsual, a whole run may have more
    std::size_t least_groups = 1;
};
constexpr std::size_t kMostUsual = 7;

constexpr auto kTried = std::to_array<Tried>({
    {{"card", "CREDIT_CARD", Category::card}, card, 12, 19, kMostGroups},
    {{"us-ssn", "US_SSN", Category::national_id}, ssn, 9, 9, 3},
    {{"us-itin", "US_ITIN", Category::national_id}, itin, 9, 9, 3},
    {{"uk-nhs", "UK_NHS", Category::national_id}, nhs, 10, 10, kMostUsual},
    {{"de-tax-id", "DE_TAX_ID", Category::national_id}, german_tax, 11, 11, kMostUsual},
    {{"fr-nir", "FR_NIR", Category::national_id}, french, 15, 15, kMostUsual},
    {{"nl-bsn", "NL_BSN", Category::national_id}, dutch, 9, 9, 4},
    {{"pl-pesel", "PL_PESEL", Category::national_id}, pesel, 11, 11, 1},
    {{"br-cpf", "BR_CPF", Category::national_id}, cpf, 11, 11, 4},
    {{"br-cnpj", "BR_CNPJ", Category::national_id}, cnpj, 14, 14, 5},
    {{"in-aadhaar", "IN_AADHAAR", Category::national_id}, aadhaar, 12, 12, kMostUsual},
    {{"ca-sin", "CA_SIN", Category::national_id}, sin, 9, 9, kMostUsual},
    {{"se-personnummer", "SE_PERSONNUMMER", Category::national_id}, swedish, 10, 12, 2},
    {{"ch-ahv", "CH_AHV", Category::national_id}, swiss, 13, 13, kMostUsual},
    {{"au-abn", "AU_ABN", Category::national_id}, abn, 11, 11, kMostUsual},
    {{"au-tfn", "AU_TFN", Category::national_id}, tfn, 9, 9, kMostUsual},
    {{"kr-rrn", "KR_RRN", Category::national_id}, korean, 13, 13, 2, 2},
    {{"us-routing", "US_BANK_NUMBER", Category::account}, routing_number, 9, 9, 1},
    {{"bank-account", "US_BANK_NUMBER", Category::account}, bank_account, 7, 17, 3},
    {{"passport-number", "US_PASSPORT", Category::document}, passport_number, 8, 9, 1},
    {{"ipv4", "IP_ADDRESS", Category::ip}, ipv4, 4, 12, 4, 4},
    {{"date", "DATE_TIME", Category::date}, date, 4, 8, 3, 3},
});

// Which of them take so many digits, and so many groups, as bits: a run has many stretches, and few are looked at.
constexpr std::size_t kMostTried = 19;
constexpr auto kByDigits = [] {
    std::array<std::uint32_t, kMostTried + 1> table{};
    for (std::size_t i = 0; i < kTried.size(); ++i)
        for (std::size_t n = kTried[i].least; n <= kTried[i].most; ++n) table[n] |= 1U << i;
    return table;
}();
constexpr auto kByGroups = [] {
    std::array<std::uint32_t, kMostGroups + 1> table{};
    for (std::size_t i = 0; i < kTried.size(); ++i)
        for (std::size_t n = kTried[i].least_groups; n <= kTried[i].groups; ++n) table[n] |= 1U << i;
    return table;
}();
// Those that take a whole run of more groups than usual.
constexpr std::uint32_t kOfWholeRuns = [] {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < kTried.size(); ++i) bits |= kTried[i].groups == kMostUsual ? 1U << i : 0U;
    return bits;
}();

// ---- numbers that are written in a way of their own ----

constexpr std::size_t kContextBefore = 60, kContextBehind = 20;  // bytes, as near() looks at them

// A number as it might have been written: its groups with one separator, in the context that it stands in.
struct Rewritten {
    std::string text;
    Run run;

    Rewritten(std::string_view all, std::size_t begin, std::size_t end, const std::vector<std::string_view>& groups,
              char separator) {
        const std::size_t from = begin - std::min(begin, kContextBefore);
        text = all.substr(from, begin - from);
        for (std::size_t i = 0; i < groups.size() && i < kMostGroups; ++i) {
            if (i > 0) text += separator;
            run.add({text.size(), text.size() + groups[i].size()}, groups[i]);
            text += groups[i];
        }
        text += all.substr(end, kContextBehind);
        run.text = text;
    }
    Rewritten(const Rewritten&) = delete;
    Rewritten& operator=(const Rewritten&) = delete;
    Stretch whole() const { return {run, 0, run.count - 1}; }
};

const Kind& card_kind();

// 4.111111111111111e15: a whole number in the form of a float. A mantissa of two groups, or of one.
void exponential(const Run& run, Sink& sink) {
    const auto& text = run.text;
    std::size_t at = run.groups[run.count - 1].end;
    if (run.count > 2 || at + 1 >= text.size() || (text[at] != 'e' && text[at] != 'E')) return;
    std::string digits(text.substr(run.groups[0].begin, std::min(run.groups[0].size(), kMostDigits + 1)));
    auto point = static_cast<std::ptrdiff_t>(digits.size());
    at = run.groups[0].end;
    if (run.count == 2 && text.substr(at, 1) == "." && run.groups[1].begin == at + 1) {
        digits += text.substr(run.groups[1].begin, run.groups[1].size());
        at = run.groups[1].end;
    } else if (run.count != 1) {
        return;
    }
    if (digits.size() > kMostDigits || at + 1 >= text.size() || (text[at] != 'e' && text[at] != 'E')) return;
    ++at;
    const bool negative = text[at] == '-';
    if (text[at] == '-' || text[at] == '+') ++at;
    std::size_t end = at;
    int exponent = 0;
    while (end < text.size() && digit(text[end]) && end - at < 3) exponent = exponent * 10 + (text[end++] - '0');
    if (end == at || !ends_word(text, end)) return;
    point += negative ? -exponent : exponent;
    if (point < 12 || point > 19) return;
    const auto whole = static_cast<std::size_t>(point);
    if (digits.size() > whole && digits.find_first_not_of('0', whole) != std::string::npos) return;
    digits.resize(whole, '0');
    const Rewritten rewritten(text, run.groups[0].begin, end, {digits}, ' ');
    if (const auto score = card(rewritten.whole())) sink.add(card_kind(), run.groups[0].begin, end, *score);
}

// Groups of digits with up to four bytes between them that are neither letters nor digits: "4111_1111", over lines.
struct Wide {
    static constexpr std::size_t kMost = 24, kWidest = 4;
    std::string_view text;
    std::array<Group, kMost> groups;  // the first `count` are set: most runs have one or two
    std::size_t count = 0, digits = 0;
    bool cut = false;     // it goes on
    bool plain = true;    // its separators are those that every check reads
    bool listed = false;  // a separator parts the columns of a table
    mutable std::optional<bool> near_a_card = {};

    std::string_view between(std::size_t i) const {
        return text.substr(groups[i].end, groups[i + 1].begin - groups[i].end);
    }
    std::string_view of(std::size_t i) const { return text.substr(groups[i].begin, groups[i].size()); }
    bool whole(std::size_t first, std::size_t last) const { return first == 0 && last + 1 == count && !cut; }
};

Wide read_wide(std::string_view text, std::size_t at) {
    Wide wide;
    wide.text = text;
    for (;;) {
        Group group{at, at};
        while (group.end < text.size() && digit(text[group.end])) ++group.end;
        wide.groups[wide.count++] = group;
        wide.digits += group.size();
        std::size_t next = group.end;
        while (next < text.size() && next - group.end < Wide::kWidest && !digit(text[next]) && !letter(text[next]))
            ++next;
        if (next == group.end || next >= text.size() || !digit(text[next])) return wide;
        if (wide.count == Wide::kMost || wide.digits > kMostDigits) {
            wide.cut = true;
            return wide;
        }
        const char first = text[group.end];
        wide.plain = wide.plain && next == group.end + 1 && (first == ' ' || first == '-' || first == '.');
        for (std::size_t i = group.end; i < next; ++i)
            wide.listed = wide.listed || text[i] == ',' || text[i] == ';' || text[i] == '|';
        at = next;
    }
}

constexpr std::initializer_list<std::string_view> kCardWords = {
    "card",  "visa",        "mastercard", "maestro", "amex",  "credit",  "debit",
    "karte", "kreditkarte", "tarjeta",    "carte",   "carta", "payment", "pan"};

bool near_a_card(const Wide& wide, std::size_t begin, std::size_t end) {
    if (!wide.near_a_card)
        wide.near_a_card = near(wide.text, wide.groups[0].begin, wide.groups[wide.count - 1].end, kCardWords) ||
                           near(wide.text, wide.groups[wide.count - 1].end, wide.groups[0].begin, kCardWords,
                                wide.groups[wide.count - 1].end - wide.groups[0].begin, 0);
    return *wide.near_a_card && near(wide.text, begin, end, kCardWords);
}

// What stands at either side of it does not make it a part of something else.
bool apart(std::string_view text, std::size_t begin, std::size_t end, bool in_table) {
    const char before = begin > 0 ? text[begin - 1] : ' ', behind = end < text.size() ? text[end] : ' ';
    if (word(before) || word(behind)) return false;
    if (begin > 1 && (before == '.' || before == ',' || before == '-') && digit(text[begin - 2])) return false;
    return in_table || (std::string_view(",;|\t").find(before) == std::string_view::npos &&
                        std::string_view(",;|\t").find(behind) == std::string_view::npos);
}

// Whether groups first to last are cut as cards are, when those that a line's end parts are one.
bool card_shaped(const Wide& wide, std::size_t first, std::size_t last, bool joined) {
    std::array<std::size_t, 5> sizes{};
    std::size_t n = 0;
    for (std::size_t i = first; i <= last; ++i) {
        const bool more = joined && i > first && wide.between(i - 1).find('\n') != std::string_view::npos;
        if (!more && n == sizes.size()) return false;
        if (!more) ++n;
        sizes[n - 1] += wide.groups[i].size();
    }
    using Shape = std::array<std::size_t, 5>;
    return sizes == Shape{4, 4, 4, 4} || sizes == Shape{4, 6, 5} || sizes == Shape{4, 6, 4} ||
           (joined && (sizes == Shape{16} || sizes == Shape{15}));
}

bool is_wide_card(const Wide& wide, std::size_t first, std::size_t last, std::string_view digits) {
    if (!is_issued(digits) || !luhn(digits) || digits.find_first_not_of(digits[0]) == std::string_view::npos)
        return false;
    const std::size_t begin = wide.groups[first].begin, end = wide.groups[last].end;
    const bool shaped = card_shaped(wide, first, last, false), whole = wide.whole(first, last);
    if ((shaped || whole) && apart(wide.text, begin, end, true) && near_a_card(wide, begin, end)) return true;
    if (wide.listed || !apart(wide.text, begin, end, false)) return false;
    std::size_t lines = 0;
    bool alike = true;
    for (std::size_t i = first; i < last; ++i) {
        alike = alike && wide.between(i) == wide.between(first);
        lines += wide.between(i).find('\n') != std::string_view::npos ? 1 : 0;
    }
    // A stretch of a column of numbers is none.
    const bool edge_before = first == 0 || wide.between(first - 1) != wide.between(first);
    const bool edge_behind = last + 1 == wide.count ? !wide.cut : wide.between(last) != wide.between(first);
    if (shaped && alike && edge_before && edge_behind) return true;
    // Alone, in the groups of a card, and wrapped or parted by two kinds of signs: as a mail wraps it.
    if (shaped && whole && lines <= 1 && common_issuer(digits)) return true;
    return whole && lines == 1 && common_issuer(digits) && card_shaped(wide, first, last, true);
}

void wide_cards(const Wide& wide, Sink& sink) {
    std::array<char, 32> digits{};
    auto look = [&](std::size_t first, std::size_t last) {
        std::size_t size = 0;
        for (std::size_t i = first; i <= last; ++i)
            for (const char c : wide.of(i))
                if (size < digits.size()) digits[size++] = c;
        if (size >= 13 && size <= 19 && is_wide_card(wide, first, last, {digits.data(), size}))
            sink.add(card_kind(), wide.groups[first].begin, wide.groups[last].end, 0.9F);
    };
    // All shapes of cards have three or four groups, the first of four digits.
    for (std::size_t first = 0; first + 2 < wide.count; ++first)
        if (wide.groups[first].size() == 4)
            for (std::size_t last = first + 2; last <= first + 3 && last < wide.count; ++last)
                if (card_shaped(wide, first, last, false)) look(first, last);
    if (!wide.cut && !card_shaped(wide, 0, wide.count - 1, false)) look(0, wide.count - 1);
}

constexpr float kSureInWide = 0.9F;  // below it the separators are needed to tell what it is

void wide_run(const Kind& kind, const Candidate& c, Sink& sink) {
    const std::size_t at = c.end - 1;
    if (at < sink.wide_read) return;
    const Wide wide = read_wide(c.text, at);
    work(wide.groups[wide.count - 1].end - at);
    const std::size_t begin = wide.groups[0].begin, end = wide.groups[wide.count - 1].end;
    sink.wide_read = wide.cut ? std::max(wide.groups[wide.count - 1].begin, at + 1) : end;
    if (wide.count < 2 || wide.plain || wide.digits < 9) return;
    wide_cards(wide, sink);
    if (wide.cut || wide.listed || wide.count > 8 || wide.digits > 15 || !apart(c.text, begin, end, false)) return;
    std::vector<std::string_view> groups;
    for (std::size_t i = 0; i < wide.count; ++i) groups.push_back(wide.of(i));
    const bool social = wide.count == 3 && groups[0].size() == 3 && groups[1].size() == 2 && groups[2].size() == 4;
    const Rewritten rewritten(c.text, begin, end, groups, social ? '-' : ' ');
    const auto stretch = rewritten.whole();
    for (const auto& tried : kTried) {
        if (tried.kind.category == Category::date || tried.kind.category == Category::ip || tried.check == card)
            continue;
        if (stretch.digits.size() < tried.least || stretch.digits.size() > tried.most) continue;
        if (const auto score = tried.check(stretch); score && *score >= 0.9F) sink.add(tried.kind, begin, end, *score);
    }
    std::size_t from = 0, to = 0;
    if (begin == 0 || c.text[begin - 1] != '+') return;
    if (const auto score = phone(stretch, from, to); score && *score >= kSureInWide) {
        const std::size_t sign = rewritten.run.groups[0].begin - from;
        sink.add(kind, begin - std::min(begin, sign), end, *score);
    }
}

const Kind& card_kind() {
    return kTried[0].kind;
}

void number_run(const Kind& kind, const Candidate& c, Sink& sink) {
    const std::size_t at = c.end - 1;
    wide_run(kind, c, sink);
    if (at < sink.numbers_read) return;
    const Run run = read_run(c.text, at);
    sink.numbers_read = run.groups[run.count - 1].end;
    std::size_t all = 0;
    for (std::size_t i = 0; i < run.count; ++i) all += run.groups[i].size();
    if (all < 4) return;
    exponential(run, sink);
    // Behind a low line stands a part of a name, unless the number proves itself.
    const bool glued = at > 0 && c.text[at - 1] == '_';
    static const Kind kBirth{"birth-date", "DATE_TIME", Category::birth_date};
    auto try_each = [&](const Stretch& s, std::uint32_t which) {
        if (!s.alone(true)) return;
        if (!s.alone()) which &= 1U;  // a card alone may have low lines beside it
        for (; which != 0; which &= which - 1) {
            const auto& tried = kTried[static_cast<std::size_t>(std::countr_zero(which))];
            work(s.digits.size());
            const auto score = tried.check(s);
            if (!score) continue;
            const bool birth = tried.kind.category == Category::date &&
                               s.near_words({"born", "birth", "dob", "d.o.b", "geb", "n\xC3\xA9", "naissance", "nacid",
                                             "nacimiento", "nato", "nata", "nascita", "nascid", "nascimento", "urodz"},
                                            40);
            sink.add(birth ? kBirth : tried.kind, s.begin(), s.end(), birth ? 0.9F : *score);
        }
    };
    for (std::size_t first = 0; first < run.count; ++first) {
        const bool plus = behind_plus(c.text, run.groups[first].begin);
        for (std::size_t last = first; last < run.count; ++last) {
            const std::size_t size = run.size(first, last);
            if (size > kMostTried) break;
            const bool whole = first == 0 && last + 1 == run.count;
            const auto which = kByDigits[size] & (kByGroups[last - first + 1] | (whole ? kOfWholeRuns : 0));
            // A stretch of a longer list of numbers is no phone.
            const bool may_be_phone = (whole && !glued) || plus;
            if (which == 0 && !may_be_phone) continue;
            const Stretch s{run, first, last};
            if (which != 0) try_each(s, which);
            std::size_t begin = 0, end = 0;
            if (may_be_phone)
                if (const auto score = phone(s, begin, end)) sink.add(kind, begin, end, *score);
        }
    }
}

const auto kPatterns = std::to_array<Pattern>({
    {{"phone", "PHONE_NUMBER", Category::phone},
     "(?:^|[^0-9A-Za-z])[0-9]",
     false,
     number_run,
     "call +49 171 1234567 or (212) 555-0198",
     "version 1.2.3.4567"},
});

}  // namespace

std::span<const Pattern> number_patterns() {
    return kPatterns;
}

}  // namespace tandem::privacy
