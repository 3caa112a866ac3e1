#include "privacy/patterns/context.h"

#include <algorithm>
#include <array>
#include <span>

#include "privacy/patterns/checks.h"

namespace tandem::privacy {

namespace {

constexpr std::size_t kMostHits = 256, kKept = 1024;  // bytes behind which hits go when there are so many
constexpr std::size_t kGap = 512;  // bytes between two places up to which what is between is read too

// In small letters; each begins with one.
struct Spoken {
    Topic topic;
    std::span<const std::string_view> words;
};

constexpr auto kCardOfManyGroups =
    std::to_array<std::string_view>({"card", "visa", "mastercard", "amex", "credit", "pan"});
constexpr auto kCard =
    std::to_array<std::string_view>({"card",     "visa",        "mastercard", "maestro", "amex",  "american express",
                                     "discover", "diners",      "jcb",        "credit",  "debit", "cc",
                                     "karte",    "kreditkarte", "tarjeta",    "carte",   "carta", "cart\xC3\xA3o",
                                     "kaart",    "kart",        "payment",    "pay",     "pan",   "cvv",
                                     "expir"});
constexpr auto kCardInLines =
    std::to_array<std::string_view>({"card", "visa", "mastercard", "maestro", "amex", "credit", "debit", "karte",
                                     "kreditkarte", "tarjeta", "carte", "carta", "payment", "pan"});
constexpr auto kSsn =
    std::to_array<std::string_view>({"ssn", "ss#", "social", "security", "soc sec", "taxpayer", "tin"});
constexpr auto kItin = std::to_array<std::string_view>({"itin", "taxpayer", "tax id"});
constexpr auto kNhs = std::to_array<std::string_view>({"nhs", "national health", "health service", "patient"});
constexpr auto kGermanTax =
    std::to_array<std::string_view>({"steuer", "tax", "idnr", "identifikationsnummer", "tin", "iban"});
constexpr auto kDutch =
    std::to_array<std::string_view>({"bsn", "burgerservice", "sofi", "persoonsnummer", "citizen service"});
constexpr auto kPesel = std::to_array<std::string_view>({"pesel", "personal", "osobist", "numer"});
constexpr auto kCpf = std::to_array<std::string_view>({"cpf", "cadastro", "contribuinte"});
constexpr auto kCnpj = std::to_array<std::string_view>({"cnpj"});
constexpr auto kAadhaar = std::to_array<std::string_view>({"aadhaar", "aadhar", "uidai", "uid"});
constexpr auto kSin = std::to_array<std::string_view>({"sin", "social insurance", "assurance sociale", "nas"});
constexpr auto kSwedish = std::to_array<std::string_view>({"personnummer", "person", "swedish", "svensk"});
constexpr auto kAbn = std::to_array<std::string_view>({"abn", "australian business"});
constexpr auto kTfn = std::to_array<std::string_view>({"tfn", "tax file"});
constexpr auto kRouting = std::to_array<std::string_view>({"routing", "aba", "rtn", "transit"});
constexpr auto kAccount = std::to_array<std::string_view>(
    {"account number", "account no", "account #", "acct", "bank account", "checking account", "savings account",
     "kontonummer", "numero de cuenta", "n\xC3\xBAmero de cuenta", "num\xC3\xA9ro de compte", "rekeningnummer"});
constexpr auto kPassport =
    std::to_array<std::string_view>({"passport", "reisepass", "pasaporte", "passeport", "paszport"});
constexpr auto kVersion =
    std::to_array<std::string_view>({"version", "v.", "release", "build", "python", "chrome", "section"});
constexpr auto kIp = std::to_array<std::string_view>({"ip"});
constexpr auto kPhone = std::to_array<std::string_view>({"tel",
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
constexpr auto kPhoneAlone =
    std::to_array<std::string_view>({"tel", "phone", "call", "mobile", "cell", "fax", "whatsapp", "sms", "dial",
                                     "handy", "rufnummer", "m\xC3\xB3vil", "portable", "celular"});
constexpr auto kBirth =
    std::to_array<std::string_view>({"born", "birth", "dob", "d.o.b", "geb", "n\xC3\xA9", "naissance", "nacid",
                                     "nacimiento", "nato", "nata", "nascita", "nascid", "nascimento", "urodz"});
constexpr auto kBirthOfNamedDate =
    std::to_array<std::string_view>({"born", "birth", "dob", "geb", "n\xC3\xA9", "naissance", "nacid", "nacimiento",
                                     "nato", "nata il", "nascita", "nascid", "nascimento", "geboren", "urodz"});
constexpr auto kPlace =
    std::to_array<std::string_view>({"lat", "lon", "gps", "coord", "location", "position", "geo", "koord", "ubicaci"});

constexpr auto kTopics = std::to_array<Spoken>({{Topic::card, kCard},
                                                {Topic::card_of_many_groups, kCardOfManyGroups},
                                                {Topic::card_in_lines, kCardInLines},
                                                {Topic::ssn, kSsn},
                                                {Topic::itin, kItin},
                                                {Topic::nhs, kNhs},
                                                {Topic::german_tax, kGermanTax},
                                                {Topic::dutch, kDutch},
                                                {Topic::pesel, kPesel},
                                                {Topic::cpf, kCpf},
                                                {Topic::cnpj, kCnpj},
                                                {Topic::aadhaar, kAadhaar},
                                                {Topic::sin, kSin},
                                                {Topic::swedish, kSwedish},
                                                {Topic::abn, kAbn},
                                                {Topic::tfn, kTfn},
                                                {Topic::routing, kRouting},
                                                {Topic::account, kAccount},
                                                {Topic::passport, kPassport},
                                                {Topic::version, kVersion},
                                                {Topic::ip, kIp},
                                                {Topic::phone, kPhone},
                                                {Topic::phone_alone, kPhoneAlone},
                                                {Topic::birth, kBirth},
                                                {Topic::birth_of_named_date, kBirthOfNamedDate},
                                                {Topic::place, kPlace}});
static_assert(kTopics.size() == static_cast<std::size_t>(Topic::count));

std::size_t pair(char a, char b) {
    return (static_cast<unsigned char>(a) * 31U + static_cast<unsigned char>(b)) & 1023U;
}

// All words, each once, by the pair of their first two bytes.
struct Table {
    struct Word {
        std::string_view text;
        std::uint32_t topics;
        std::uint8_t next;  // with the same pair; 0: none
    };
    std::array<std::uint8_t, 1024> first{};
    std::vector<Word> words{{}};  // the first is none

    Table() {
        for (const auto& [topic, all] : kTopics)
            for (const auto word : all) add(word, bit_of(topic));
    }

  private:
    void add(std::string_view word, std::uint32_t topic) {
        if (const auto known = std::ranges::find(words, word, &Word::text); known != words.end()) {
            known->topics |= topic;
            return;
        }
        auto& head = first[pair(word[0], word[1])];
        words.push_back({word, topic, head});
        head = static_cast<std::uint8_t>(words.size() - 1);
    }
};

}  // namespace

void Context::read_words(std::string_view text, std::size_t to) {
    static const Table kTable;
    work(to - to_);
    bool within = to_ > 0 && letter(text[to_ - 1]);
    for (std::size_t at = to_; at < to; ++at) {
        const bool is_letter = letter(text[at]), begins = is_letter && !within;
        within = is_letter;
        if (!begins || at + 1 >= text.size()) continue;
        for (auto i = kTable.first[pair(lower(text[at]), lower(text[at + 1]))]; i != 0; i = kTable.words[i].next) {
            const auto& word = kTable.words[i];
            if (begins_with(text.substr(at), word.text)) hits_.push_back({at, at + word.text.size(), word.topics});
        }
    }
    to_ = to;
}

void Context::read(std::string_view text, std::size_t from, std::size_t to) {
    if (from < from_ || from > to_ + kGap) {
        from_ = to_ = from;
        hits_.clear();
    }
    if (to > to_) read_words(text, to);
    if (hits_.size() <= kMostHits || to_ - from_ <= 2 * kKept) return;
    from_ = to_ - kKept;
    std::erase_if(hits_, [&](const Hit& hit) { return hit.begin < from_; });
}

std::uint32_t Context::topics(std::string_view text, std::size_t from, std::size_t to) {
    if (from >= to) return 0;
    read(text, from, to);
    std::uint32_t found = 0;
    for (auto hit = std::ranges::lower_bound(hits_, from, {}, &Hit::begin); hit != hits_.end() && hit->begin < to;
         ++hit)
        if (hit->end <= to) found |= hit->topics;
    return found;
}

bool Context::near(std::string_view text, Topic topic, std::size_t begin, std::size_t end, std::size_t before,
                   std::size_t behind) {
    const std::size_t from = std::min(end, text.size());
    return ((topics(text, begin - std::min(begin, before), begin) |
             topics(text, from, std::min(text.size(), end + behind))) &
            bit_of(topic)) != 0;
}

}  // namespace tandem::privacy
