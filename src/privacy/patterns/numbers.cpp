// What consists of digits: cards, phones, national ids, dates, IPv4 addresses. A candidate is the first digit of a
// number; the whole run of digit groups around it is read once, and each stretch of its groups is tried as each kind.
#include <bit>
#include <optional>
#include <vector>

#include "privacy/patterns/checks.h"
#include "privacy/patterns/context.h"
#include "privacy/patterns/patterns.h"
#include "privacy/patterns/phones.h"

namespace tandem::privacy {

namespace {

using config::Category;

constexpr std::size_t kMostGroups = 12;
constexpr std::size_t kMostUsual = 7;  // groups of what is not a whole run
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
        if ((behind == '.' || behind == 'e' || behind == 'E') && integral_tail(text, group.end) > group.end)
            tails |= bit;
        const bool goes_on =
            (behind == '.' || behind == ',') && group.end + 1 < text.size() && digit(text[group.end + 1]);
        if (!goes_on && !word(behind)) ends |= bit;
        if (!goes_on && (!word(behind) || behind == '_')) ends_but_low_lines |= bit;
    }
};

// Groups of digits with at most two bytes of separators between them.
struct Run {
    std::string_view text;
    std::array<Group, kMostGroups> groups;  // the first `count` are set
    std::size_t count = 0;
    // Groups that one byte parts from the next, as bits, and those where it is one of these.
    unsigned parted = 0, dots = 0, dashes = 0, slashes = 0, blanks = 0;

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

    // The byte between the last group and one that follows.
    void part(char separator) {
        const unsigned bit = 1U << (count - 1);
        parted |= bit;
        blanks |= separator == ' ' ? bit : 0;
        dots |= separator == '.' ? bit : 0;
        dashes |= separator == '-' ? bit : 0;
        slashes |= separator == '/' ? bit : 0;
    }
    // When all groups are in it.
    void look_at_edges() {
        for (std::size_t i = 0; i < count; ++i) edges.add(text, i, groups[i]);
    }
    // Whether a word of the topic is as near to any of the groups as near_words() looks.
    bool may_be(Topic topic) const {
        if (!looked_) {
            constexpr std::size_t kFar = Context::kBefore;
            looked_ = true;
            const auto first = groups[0].begin, last = groups[count - 1].end;
            topics_ = context->topics(text, first - std::min(first, kFar), std::min(text.size(), last + kFar));
        }
        return (topics_ & bit_of(topic)) != 0;
    }

    Edges edges;
    Context* context = nullptr;

  private:
    mutable bool looked_ = false;
    mutable std::uint32_t topics_ = 0;
    static constexpr std::size_t kMostOfOne = 24;
    std::array<char, kMostDigits + kMostOfOne> digits_;  // of `count` groups
    std::array<std::uint8_t, kMostGroups + 1> ends_{};   // of each group's digits, in digits_
};

bool separator(char c) {
    return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')';
}

Run read_run(std::string_view text, std::size_t at, Context& context) {
    Run run;
    run.text = text;
    run.context = &context;
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
        if (gap == 1) run.part(text[at - 1]);
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
    // One byte parts each two groups, and it is `what`: ' ', '.', '-' or '/'.
    bool all_between(char what) const {
        const unsigned where = what == '.'   ? run.dots
                               : what == '-' ? run.dashes
                               : what == '/' ? run.slashes
                                             : run.blanks;
        return (where & gaps()) == gaps();
    }
    // The same, and it is one of `which`.
    bool one_kind_between(std::string_view which) const {
        return groups() == 1 || std::ranges::any_of(which, [&](char c) { return all_between(c); });
    }
    // The groups but the last, as bits.
    unsigned gaps() const { return (1U << last) - (1U << first); }
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
        const auto& edges = run.edges;
        const unsigned begins = low_lines ? edges.begins_but_low_lines : edges.begins;
        const unsigned ends = low_lines ? edges.ends_but_low_lines : edges.ends;
        if ((begins >> first & 1U) == 0) return false;
        return ((ends >> last & 1U) != 0) || (digits.size() >= kLeastWithTail && (edges.tails >> last & 1U) != 0);
    }
    bool near_words(Topic topic, std::size_t before = Context::kBefore) const {
        return run.may_be(topic) && run.context->near(run.text, topic, begin(), end(), before);
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

// By the first two digits, whether any issuer has them.
constexpr auto kMayBeIssued = [] {
    std::array<bool, 100> table{};
    for (std::size_t two = 0; two < table.size(); ++two)
        table[two] = two == 18 || (two >= 21 && two <= 27) || two == 30 || (two >= 34 && two <= 58) || two == 60 ||
                     (two >= 62 && two <= 69) || two == 81;
    return table;
}();

// Issuers' first digits and lengths (ISO/IEC 7812; the schemes' public ranges).
bool is_issued(std::string_view d) {
    if (!kMayBeIssued[static_cast<std::size_t>((d[0] - '0') * 10 + d[1] - '0')]) return false;
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

// What may part the groups of a card.
unsigned gaps_of_cards(const Run& run) {
    return run.parted & ~run.slashes;
}

std::optional<float> card(const Stretch& s) {
    const auto n = s.digits.size();
    if (n < 12 || n > 19 || !s.alone(true)) return {};
    bool fours = s.groups() > 1;
    for (std::size_t i = s.first; i < s.last; ++i) fours = fours && s.run.groups[i].size() == 4;
    const bool shaped = s.sizes({4, 4, 4, 4}) || s.sizes({4, 6, 5}) || s.sizes({4, 6, 4});
    // Without a word that says so, only some shapes are cards: that is known before the digits are reckoned with.
    if (!shaped && !fours && s.groups() != 1 && !s.run.may_be(Topic::card)) return {};
    if ((gaps_of_cards(s.run) & s.gaps()) != s.gaps()) return {};
    if (!is_issued(s.digits) || !luhn(s.digits)) return {};
    if (s.digits.find_first_not_of(s.digits[0]) == std::string::npos) return {};
    if (s.groups() > kMostUsual && !s.near_words(Topic::card_of_many_groups)) return {};
    if (shaped || s.near_words(Topic::card)) return 1.0F;
    if (s.groups() == 1 && (n == 16 || n == 15) && common_issuer(s.digits)) return 0.8F;
    if (s.groups() == 1 && n == 14 && common_issuer(s.digits)) return 0.6F;
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
    const bool context = s.near_words(Topic::ssn);
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
    if (s.groups() == 1 && s.near_words(Topic::itin)) return 0.8F;
    return {};
}

// Weights 10 to 2, modulo 11 (NHS Data Dictionary).
std::optional<float> nhs(const Stretch& s) {
    if (s.digits.size() != 10 || !s.alone()) return {};
    const bool shaped = s.sizes({3, 3, 4}) && s.all_between(' ') && s.digits[0] >= '4';
    if (!shaped && !s.run.may_be(Topic::nhs)) return {};
    const int check = 11 - weighted(s.digits, {10, 9, 8, 7, 6, 5, 4, 3, 2}) % 11;
    if ((check == 11 ? 0 : check) != s.digits[9] - '0' || check == 10) return {};
    if (s.near_words(Topic::nhs)) return 1.0F;
    return shaped ? std::optional(0.55F) : std::nullopt;
}

// 3 digits and so on: ISO 7064 MOD 11,10, and one digit stands two or three times among the first ten (BZSt).
std::optional<float> german_tax(const Stretch& s) {
    if (s.digits.size() != 11 || !s.alone() || s.digits[0] == '0') return {};
    const bool shaped = s.sizes({2, 3, 3, 3});
    if ((!shaped && !s.run.may_be(Topic::german_tax)) || !iso7064_mod11_10(s.digits)) return {};
    std::array<int, 10> counts{};
    for (std::size_t i = 0; i < 10; ++i) ++counts[static_cast<std::size_t>(s.digits[i] - '0')];
    const auto repeated = std::ranges::count_if(counts, [](int n) { return n > 1; });
    if (repeated != 1 || std::ranges::any_of(counts, [](int n) { return n > 3; })) return {};
    if (s.near_words(Topic::german_tax)) return 1.0F;
    return shaped ? std::optional(0.8F) : std::nullopt;
}

// 13 digits and a key that is 97 less their remainder by 97 (INSEE).
std::optional<float> french(const Stretch& s) {
    if (s.digits.size() != 15 || !s.alone() || (s.digits[0] != '1' && s.digits[0] != '2')) return {};
    if (s.groups() != 1 && !s.one_kind_between(" -")) return {};
    const int month = number(s.digits.substr(3, 2));
    if (month < 1 || (month > 12 && month < 20) || (month > 42 && month < 50)) return {};
    if (97 - modulo(std::string_view(s.digits).substr(0, 13), 97) !=
        static_cast<std::uint64_t>(number(s.digits.substr(13))))
        return {};
    return 0.9F;
}

// Eleven-proof: weights 9 to 2 and -1 (Rijksdienst voor Identiteitsgegevens).
std::optional<float> dutch(const Stretch& s) {
    if (s.digits.size() != 9 || !s.alone() || s.groups() > 4 || !s.run.may_be(Topic::dutch)) return {};
    if (weighted(s.digits, {9, 8, 7, 6, 5, 4, 3, 2, -1}) % 11 != 0) return {};
    return s.near_words(Topic::dutch) ? std::optional(1.0F) : std::nullopt;
}

std::optional<float> pesel(const Stretch& s) {
    if (s.digits.size() != 11 || !s.alone() || s.groups() != 1) return {};
    const int check = (10 - weighted(s.digits, {1, 3, 7, 9, 1, 3, 7, 9, 1, 3}) % 10) % 10;
    const int month = number(s.digits.substr(2, 2)) % 20;
    if (check != s.digits[10] - '0' || !date_ok(month, number(s.digits.substr(4, 2)))) return {};
    return s.near_words(Topic::pesel) ? 1.0F : 0.6F;
}

// CPF: two digits, weights 10.. and 11.., modulo 11 (Receita Federal).
std::optional<float> cpf(const Stretch& s) {
    if (s.digits.size() != 11 || !s.alone()) return {};
    const bool shaped = s.sizes({3, 3, 3, 2});
    if (!shaped && s.groups() != 1) return {};
    if (s.digits.find_first_not_of(s.digits[0]) == std::string::npos) return {};
    const int one = weighted(s.digits, {10, 9, 8, 7, 6, 5, 4, 3, 2}) * 10 % 11 % 10;
    const int two = weighted(s.digits, {11, 10, 9, 8, 7, 6, 5, 4, 3, 2}) * 10 % 11 % 10;
    if (one != s.digits[9] - '0' || two != s.digits[10] - '0') return {};
    return shaped || s.near_words(Topic::cpf) ? 1.0F : 0.55F;
}

std::optional<float> cnpj(const Stretch& s) {
    if (s.digits.size() != 14 || !s.alone()) return {};
    const bool shaped = s.sizes({2, 3, 3, 4, 2});
    if (!shaped && (s.groups() != 1 || !s.run.may_be(Topic::cnpj))) return {};
    const int one = weighted(s.digits, {5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2}) % 11,
              two = weighted(s.digits, {6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2}) % 11;
    if ((one < 2 ? 0 : 11 - one) != s.digits[12] - '0' || (two < 2 ? 0 : 11 - two) != s.digits[13] - '0') return {};
    if (s.digits.find_first_not_of(s.digits[0]) == std::string::npos) return {};
    return shaped || s.near_words(Topic::cnpj) ? std::optional(1.0F) : std::nullopt;
}

std::optional<float> aadhaar(const Stretch& s) {
    if (s.digits.size() != 12 || !s.alone() || s.digits[0] < '2') return {};
    const bool shaped = s.sizes({4, 4, 4}) && s.one_kind_between(" -");
    if ((!shaped && !s.run.may_be(Topic::aadhaar)) || !verhoeff(s.digits)) return {};
    if (s.near_words(Topic::aadhaar)) return 1.0F;
    return shaped ? std::optional(0.85F) : std::nullopt;
}

std::optional<float> sin(const Stretch& s) {
    if (s.digits.size() != 9 || !s.alone() || s.digits[0] == '0' || s.digits[0] == '8') return {};
    const bool shaped = s.sizes({3, 3, 3}) && s.all_between('-');
    if ((!shaped && !s.run.may_be(Topic::sin)) || !luhn(s.digits)) return {};
    if (s.near_words(Topic::sin)) return 1.0F;
    return shaped ? std::optional(0.6F) : std::nullopt;
}

// Personnummer: the date, three digits and Luhn's digit; the century is not part of the sum (Skatteverket).
std::optional<float> swedish(const Stretch& s) {
    const auto n = s.digits.size();
    if ((n != 10 && n != 12) || !s.alone()) return {};
    if (n == 12 && !s.digits.starts_with("19") && !s.digits.starts_with("20")) return {};
    const bool parted = s.groups() == 2 && s.run.groups[s.last].size() == 4 && s.between(0) == "-";
    if (!parted && (s.groups() != 1 || !s.run.may_be(Topic::swedish))) return {};
    const auto short_form = std::string_view(s.digits).substr(n - 10);
    if (!luhn(short_form) || !date_ok(number(short_form.substr(2, 2)), number(short_form.substr(4, 2)))) return {};
    const bool context = s.near_words(Topic::swedish);
    if (parted) return context ? 1.0F : 0.8F;
    return context ? std::optional(0.9F) : std::nullopt;
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
    const bool shaped = s.sizes({2, 3, 3, 3});
    if (!shaped && !s.run.may_be(Topic::abn)) return {};
    std::string d(s.digits);
    d[0] = static_cast<char>(d[0] - 1);
    if (weighted(d, {10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19}) % 89 != 0) return {};
    if (s.near_words(Topic::abn)) return 1.0F;
    return shaped ? std::optional(0.5F) : std::nullopt;
}

std::optional<float> tfn(const Stretch& s) {
    if (s.digits.size() != 9 || !s.alone() || !s.run.may_be(Topic::tfn)) return {};
    if (weighted(s.digits, {1, 4, 3, 7, 5, 8, 6, 9, 10}) % 11 != 0) return {};
    return s.near_words(Topic::tfn) ? std::optional(1.0F) : std::nullopt;
}

std::optional<float> korean(const Stretch& s) {
    if (s.digits.size() != 13 || !s.alone() || !s.sizes({6, 7}) || s.between(0) != "-") return {};
    if (!date_ok(number(s.digits.substr(2, 2)), number(s.digits.substr(4, 2)))) return {};
    const int check = (11 - weighted(s.digits, {2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5}) % 11) % 10;
    return check == s.digits[12] - '0' ? 0.95F : 0.5F;
}

std::optional<float> routing_number(const Stretch& s) {
    if (s.digits.size() != 9 || !s.alone() || s.groups() != 1 || !s.run.may_be(Topic::routing)) return {};
    if (weighted(s.digits, {3, 7, 1, 3, 7, 1, 3, 7, 1}) % 10 != 0) return {};
    return s.near_words(Topic::routing) ? std::optional(0.9F) : std::nullopt;
}

std::optional<float> bank_account(const Stretch& s) {
    const auto n = s.digits.size();
    if (n < 7 || n > 17 || !s.alone() || s.groups() > 3) return {};
    constexpr std::size_t kBefore = 40;
    return s.near_words(Topic::account, kBefore) ? std::optional(0.6F) : std::nullopt;
}

std::optional<float> passport_number(const Stretch& s) {
    if ((s.digits.size() != 9 && s.digits.size() != 8) || !s.alone() || s.groups() != 1) return {};
    constexpr std::size_t kBefore = 40;
    return s.near_words(Topic::passport, kBefore) ? std::optional(0.7F) : std::nullopt;
}

// ---- addresses of machines ----

std::optional<float> ipv4(const Stretch& s) {
    if (s.groups() != 4 || !s.all_between('.') || !s.alone()) return {};
    for (std::size_t i = s.first; i <= s.last; ++i) {
        const auto part = s.run.text.substr(s.run.groups[i].begin, s.run.groups[i].size());
        if (part.size() > 3 || number(part) > 255 || (part.size() > 1 && part[0] == '0')) return {};
    }
    if (s.begin() > 0 && (s.run.text[s.begin() - 1] == '.' || s.run.text[s.begin() - 1] == '-')) return {};
    constexpr std::size_t kBefore = 20;
    const bool version = s.near_words(Topic::version, kBefore);
    const int first = number(s.digits.substr(0, s.run.groups[s.first].size()));
    if (version || first == 0) return s.near_words(Topic::ip, kBefore) ? std::optional(0.6F) : std::nullopt;
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
    return s.near_words(Topic::phone);
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
    if ((s.gaps() & (s.run.blanks | s.run.dots | s.run.dashes | s.run.slashes)) != s.gaps())
        for (std::size_t i = 0; i + 1 < s.groups(); ++i)
            paren = paren || s.between(i).find_first_of("()") != std::string_view::npos;
    // In more groups than that only what has one of these is a phone.
    constexpr std::size_t kMostUnmarked = 5;
    if (s.groups() > kMostUnmarked && !plus && !paren && s.digits[0] > '1') return {};
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
        constexpr std::size_t kBefore = 30;
        if (s.groups() == 1 && !s.near_words(Topic::phone_alone, kBefore)) return {};
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
    Topic needs = Topic::count;  // what a word near it has to speak of; count: nothing
};
constexpr std::size_t kAddressGroups = 4, kDateGroups = 3;
constexpr auto kTried = std::to_array<Tried>({
    {{"card", "CREDIT_CARD", Category::card}, card, 12, 19, kMostGroups},
    {{"us-ssn", "US_SSN", Category::national_id}, ssn, 9, 9, 3},
    {{"us-itin", "US_ITIN", Category::national_id}, itin, 9, 9, 3},
    {{"uk-nhs", "UK_NHS", Category::national_id}, nhs, 10, 10, kMostUsual},
    {{"de-tax-id", "DE_TAX_ID", Category::national_id}, german_tax, 11, 11, kMostUsual},
    {{"fr-nir", "FR_NIR", Category::national_id}, french, 15, 15, kMostUsual},
    {{"nl-bsn", "NL_BSN", Category::national_id}, dutch, 9, 9, 4, 1, Topic::dutch},
    {{"pl-pesel", "PL_PESEL", Category::national_id}, pesel, 11, 11, 1},
    {{"br-cpf", "BR_CPF", Category::national_id}, cpf, 11, 11, 4},
    {{"br-cnpj", "BR_CNPJ", Category::national_id}, cnpj, 14, 14, 5},
    {{"in-aadhaar", "IN_AADHAAR", Category::national_id}, aadhaar, 12, 12, kMostUsual},
    {{"ca-sin", "CA_SIN", Category::national_id}, sin, 9, 9, kMostUsual},
    {{"se-personnummer", "SE_PERSONNUMMER", Category::national_id}, swedish, 10, 12, 2},
    {{"ch-ahv", "CH_AHV", Category::national_id}, swiss, 13, 13, kMostUsual},
    {{"au-abn", "AU_ABN", Category::national_id}, abn, 11, 11, kMostUsual},
    {{"au-tfn", "AU_TFN", Category::national_id}, tfn, 9, 9, kMostUsual, 1, Topic::tfn},
    {{"kr-rrn", "KR_RRN", Category::national_id}, korean, 13, 13, 2, 2},
    {{"us-routing", "US_BANK_NUMBER", Category::account}, routing_number, 9, 9, 1, 1, Topic::routing},
    {{"bank-account", "US_BANK_NUMBER", Category::account}, bank_account, 7, 17, 3, 1, Topic::account},
    {{"passport-number", "US_PASSPORT", Category::document}, passport_number, 8, 9, 1, 1, Topic::passport},
    {{"ipv4", "IP_ADDRESS", Category::ip}, ipv4, 4, 12, kAddressGroups, kAddressGroups},
    {{"date", "DATE_TIME", Category::date}, date, 4, 8, kDateGroups, kDateGroups},
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

// The fewest digits of what has no number of groups of its own: where words near it say so, and always.
constexpr std::size_t kLeastNamed = 7, kLeastUsual = 9;
static_assert(std::ranges::all_of(kTried, [](const Tried& tried) {
    return tried.least_groups >= kDateGroups ||
           tried.least >= (tried.needs == Topic::count || tried.least >= kLeastUsual ? kLeastUsual : kLeastNamed);
}));

// Of a run's stretches those that one of kTried may take. Lists of small numbers have many, and hardly any is left.
class Stretches {
  public:
    explicit Stretches(const Run& run) : run_(run) {
        const auto& edges = run.edges;
        ends_ = edges.ends_but_low_lines | edges.tails;
        dates_ = (run.dots & run.dots >> 1) | (run.dashes & run.dashes >> 1) | (run.slashes & run.slashes >> 1);
        addresses_ = run.dots & run.dots >> 1 & run.dots >> 2;
        if (run.size(0, run.count - 1) < kLeastNamed) return;
        for (std::size_t i = 0; i < kTried.size(); ++i)
            if (kTried[i].needs != Topic::count && !run.may_be(kTried[i].needs)) kinds_ &= ~(1U << i);
        named_ = run.may_be(Topic::account) || run.may_be(Topic::passport);
        if (run.count > kMostUsual && run.may_be(Topic::card_of_many_groups)) groups_ = kMostGroups;
    }
    // Calls `look` with the last group of each stretch from `first` on, and the bits of those that may take it.
    // `first` does not go back.
    template <typename Look>
    void each_from(std::size_t first, Look&& look) {
        low_ = std::max(low_, first);
        while (low_ < run_.count && run_.size(first, low_) < (named_ ? kLeastNamed : kLeastUsual)) ++low_;
        const unsigned up_to = (2U << std::min(first + groups_ - 1, run_.count - 1)) - 1;
        unsigned lasts = up_to & ~((1U << low_) - 1);
        if (first == 0) lasts |= 1U << (run_.count - 1);
        lasts |= (dates_ >> first & 1U) << (first + kDateGroups - 1);
        lasts |= (addresses_ >> first & 1U) << (first + kAddressGroups - 1);
        for (lasts &= ends_; lasts != 0; lasts &= lasts - 1) {
            const auto last = static_cast<std::size_t>(std::countr_zero(lasts));
            const std::size_t size = run_.size(first, last);
            if (size > kMostTried) return;
            const bool whole = first == 0 && last + 1 == run_.count;
            const auto which = kinds_ & kByDigits[size] & (kByGroups[last - first + 1] | (whole ? kOfWholeRuns : 0));
            if (which != 0) look(last, which);
        }
    }

  private:
    const Run& run_;
    unsigned ends_ = 0, dates_ = 0, addresses_ = 0;
    std::uint32_t kinds_ = ~std::uint32_t{0};
    bool named_ = false;
    std::size_t groups_ = kMostUsual;
    std::size_t low_ = 0;
};

// ---- numbers that are written in a way of their own ----

// A number as it might have been written: its groups with one separator, in the context that it stands in.
struct Rewritten {
    std::string text;
    Context context;
    Run run;

    Rewritten(std::string_view all, std::size_t begin, std::size_t end, const std::vector<std::string_view>& groups,
              char separator) {
        const std::size_t from = begin - std::min(begin, Context::kBefore);
        text = all.substr(from, begin - from);
        for (std::size_t i = 0; i < groups.size() && i < kMostGroups; ++i) {
            if (i > 0) {
                text += separator;
                run.part(separator);
            }
            run.add({text.size(), text.size() + groups[i].size()}, groups[i]);
            text += groups[i];
        }
        text += all.substr(end, Context::kBehind);
        run.text = text;
        run.context = &context;
        run.look_at_edges();
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

    // What parts group i from the next: its bytes, and how many they are.
    std::uint64_t between(std::size_t i) const {
        std::uint64_t bytes = groups[i + 1].begin - groups[i].end;
        for (std::size_t at = groups[i].end; at < groups[i + 1].begin; ++at)
            bytes = bytes << 8U | static_cast<unsigned char>(text[at]);
        return bytes;
    }
    bool line_ends_behind(std::size_t i) const {
        return std::find(text.begin() + static_cast<std::ptrdiff_t>(groups[i].end),
                         text.begin() + static_cast<std::ptrdiff_t>(groups[i + 1].begin),
                         '\n') != text.begin() + static_cast<std::ptrdiff_t>(groups[i + 1].begin);
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

bool near_a_card(const Wide& wide, std::size_t begin, std::size_t end, Context& context) {
    if (!wide.near_a_card)
        wide.near_a_card =
            context.near(wide.text, Topic::card_in_lines, wide.groups[0].begin, wide.groups[wide.count - 1].end);
    return *wide.near_a_card && context.near(wide.text, Topic::card_in_lines, begin, end);
}

// Whether what stands before it on its line is blank: a tab there indents it.
bool begins_line(std::string_view text, std::size_t begin) {
    constexpr std::size_t kMostIndent = 40;
    std::size_t at = begin;
    while (at > 0 && begin - at < kMostIndent && (text[at - 1] == ' ' || text[at - 1] == '\t')) --at;
    return at == 0 || text[at - 1] == '\n' || text[at - 1] == '>';
}

// What stands at either side of it does not make it a part of something else.
bool apart(std::string_view text, std::size_t begin, std::size_t end, bool in_table) {
    const char before = begin > 0 ? text[begin - 1] : ' ', behind = end < text.size() ? text[end] : ' ';
    if (word(before) || word(behind)) return false;
    if (begin > 1 && (before == '.' || before == ',' || before == '-') && digit(text[begin - 2])) return false;
    if (in_table) return true;
    auto parts_columns = [](char c) { return c == ',' || c == ';' || c == '|' || c == '\t'; };
    return !parts_columns(behind) && (!parts_columns(before) || (before == '\t' && begins_line(text, begin)));
}

// Whether groups first to last are cut as cards are, when those that a line's end parts are one.
bool card_shaped(const Wide& wide, std::size_t first, std::size_t last, bool joined) {
    std::array<std::size_t, 5> sizes{};
    std::size_t n = 0;
    for (std::size_t i = first; i <= last; ++i) {
        const bool more = joined && i > first && wide.line_ends_behind(i - 1);
        if (!more && n == sizes.size()) return false;
        if (!more) ++n;
        sizes[n - 1] += wide.groups[i].size();
    }
    using Shape = std::array<std::size_t, 5>;
    return sizes == Shape{4, 4, 4, 4} || sizes == Shape{4, 6, 5} || sizes == Shape{4, 6, 4} ||
           (joined && (sizes == Shape{16} || sizes == Shape{15}));
}

// Whether groups first to last are written as a card is, whatever their digits.
bool may_be_wide_card(const Wide& wide, std::size_t first, std::size_t last, char issuer, Context& context) {
    const std::size_t begin = wide.groups[first].begin, end = wide.groups[last].end;
    const bool shaped = card_shaped(wide, first, last, false), whole = wide.whole(first, last);
    if ((shaped || whole) && apart(wide.text, begin, end, true) && near_a_card(wide, begin, end, context)) return true;
    if (wide.listed || !apart(wide.text, begin, end, false)) return false;
    // A stretch of a column of numbers is none.
    const auto gap = wide.between(first);
    const bool edge_before = first == 0 || wide.between(first - 1) != gap;
    const bool edge_behind = last + 1 == wide.count ? !wide.cut : wide.between(last) != gap;
    if (!whole && !(shaped && edge_before && edge_behind)) return false;
    std::size_t lines = 0;
    bool alike = true;
    for (std::size_t i = first; i < last; ++i) {
        alike = alike && wide.between(i) == gap;
        lines += wide.line_ends_behind(i) ? 1 : 0;
    }
    if (shaped && alike && edge_before && edge_behind) return true;
    const bool common = common_issuer({&issuer, 1});
    // Alone, in the groups of a card, and wrapped or parted by two kinds of signs: as a mail wraps it.
    if (shaped && whole && lines <= 1 && common) return true;
    return whole && lines == 1 && common && card_shaped(wide, first, last, true);
}

void wide_cards(const Wide& wide, Sink& sink) {
    auto look = [&](std::size_t first, std::size_t last) {
        std::size_t size = 0;
        for (std::size_t i = first; i <= last; ++i) size += wide.groups[i].size();
        if (size < 13 || size > 19 ||
            !may_be_wide_card(wide, first, last, wide.text[wide.groups[first].begin], sink.context))
            return;
        std::string digits;
        for (std::size_t i = first; i <= last; ++i) digits += wide.of(i);
        if (is_issued(digits) && luhn(digits) && digits.find_first_not_of(digits[0]) != std::string::npos)
            sink.add(card_kind(), wide.groups[first].begin, wide.groups[last].end, 0.9F);
    };
    // All shapes of cards have three or four groups, the first of four digits.
    for (std::size_t first = 0; first + 2 < wide.count; ++first) {
        if (wide.groups[first].size() != 4) continue;
        const std::size_t last = first + (wide.groups[first + 1].size() == 4 ? 3 : 2);
        if (last < wide.count && card_shaped(wide, first, last, false)) look(first, last);
    }
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
    Run run = read_run(c.text, at, sink.context);
    sink.numbers_read = run.groups[run.count - 1].end;
    std::size_t all = 0;
    for (std::size_t i = 0; i < run.count; ++i) all += run.groups[i].size();
    if (all < 4) return;
    run.look_at_edges();
    exponential(run, sink);
    // Behind a low line stands a part of a name, unless the number proves itself.
    const bool glued = at > 0 && c.text[at - 1] == '_';
    static constexpr Kind kBirth{"birth-date", "DATE_TIME", Category::birth_date};
    constexpr std::size_t kBeforeBirth = 40;
    auto try_each = [&](const Stretch& s, std::uint32_t which) {
        if (!s.alone()) which &= 1U;  // a card alone may have low lines beside it
        for (; which != 0; which &= which - 1) {
            const auto& tried = kTried[static_cast<std::size_t>(std::countr_zero(which))];
            work(s.digits.size());
            const auto score = tried.check(s);
            if (!score) continue;
            const bool birth = tried.kind.category == Category::date && s.near_words(Topic::birth, kBeforeBirth);
            sink.add(birth ? kBirth : tried.kind, s.begin(), s.end(), birth ? 0.9F : *score);
        }
    };
    Stretches stretches(run);
    for (unsigned begins = run.edges.begins_but_low_lines; begins != 0; begins &= begins - 1) {
        const auto first = static_cast<std::size_t>(std::countr_zero(begins));
        stretches.each_from(first, [&](std::size_t last, std::uint32_t which) {
            const Stretch s{run, first, last};
            if (s.alone(true)) try_each(s, which);
        });
    }
    auto try_phone = [&](std::size_t first, std::size_t last) {
        std::size_t begin = 0, end = 0;
        if (const auto score = phone({run, first, last}, begin, end)) sink.add(kind, begin, end, *score);
    };
    for (std::size_t first = 0; first < run.count; ++first)
        if (behind_plus(c.text, run.groups[first].begin))
            for (std::size_t last = first; last < run.count && run.size(first, last) <= kMostTried; ++last)
                try_phone(first, last);
        else if (first == 0 && !glued)  // a stretch of a longer list of numbers is no phone
            try_phone(0, run.count - 1);
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
