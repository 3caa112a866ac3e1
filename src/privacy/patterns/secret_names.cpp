#include "privacy/patterns/secret_names.h"

#include <vector>

#include "privacy/patterns/checks.h"

namespace tandem::privacy {

using enum Service::Alphabet;
constexpr std::array<Service, kServiceCount> kServices = {{
    {"adafruit", dashed, 32, 32},    {"adobe", hex, 32, 32},         {"airtable", mixed, 17, 17},
    {"algolia", mixed, 32, 32},      {"alibaba", mixed, 30, 30},     {"asana", mixed, 16, 32},
    {"atlassian", mixed, 24, 24},    {"confluence", mixed, 24, 24},  {"jira", mixed, 24, 24},
    {"beamer", dashed, 46, 46},      {"bitbucket", dashed, 32, 64},  {"bittrex", mixed, 32, 32},
    {"meraki", hex, 40, 40},         {"cloudflare", dashed, 37, 40}, {"codecov", mixed, 32, 32},
    {"cohere", mixed, 40, 40},       {"co_api_key", mixed, 40, 40},  {"coinbase", dashed, 64, 64},
    {"confluent", mixed, 16, 64},    {"contentful", dashed, 43, 43}, {"datadog", mixed, 32, 40},
    {"discord", dashed, 18, 64},     {"droneci", mixed, 32, 32},     {"dropbox", dashed, 15, 200},
    {"etsy", mixed, 24, 24},         {"facebook", hex, 32, 32},      {"fastly", dashed, 32, 32},
    {"finicity", mixed, 20, 32},     {"finnhub", mixed, 20, 20},     {"flickr", mixed, 32, 32},
    {"freshbooks", mixed, 64, 64},   {"gitter", dashed, 40, 40},     {"heroku", uuid, 36, 36},
    {"hubspot", uuid, 36, 36},       {"intercom", dashed, 60, 60},   {"jfrog", mixed, 64, 73},
    {"artifactory", mixed, 64, 73},  {"bintray", mixed, 40, 73},     {"kraken", dashed, 80, 90},
    {"kucoin", hex, 24, 24},         {"kucoin", uuid, 36, 36},       {"launchdarkly", dashed, 40, 40},
    {"linear", hex, 32, 32},         {"linkedin", mixed, 14, 16},    {"linked_in", mixed, 14, 16},
    {"looker", mixed, 20, 24},       {"mailgun", dashed, 32, 60},    {"mapbox", dashed, 60, 100},
    {"mattermost", mixed, 26, 26},   {"messagebird", mixed, 25, 25}, {"messagebird", uuid, 36, 36},
    {"message_bird", mixed, 25, 25}, {"netlify", dashed, 40, 46},    {"newrelic", mixed, 40, 64},
    {"new_relic", mixed, 40, 64},    {"nytimes", dashed, 32, 32},    {"okta", dashed, 42, 42},
    {"plaid", mixed, 24, 30},        {"privateai", mixed, 32, 32},   {"rapidapi", dashed, 50, 50},
    {"sendbird", hex, 40, 40},       {"sendbird", uuid, 36, 36},     {"sentry", hex, 64, 64},
    {"snyk", uuid, 36, 36},          {"sonar", dashed, 40, 44},      {"squarespace", uuid, 36, 36},
    {"sumo", mixed, 14, 64},         {"travis", mixed, 22, 22},      {"twitch", mixed, 30, 30},
    {"twitter", dashed, 25, 116},    {"typeform", dashed, 40, 66},   {"yandex", dashed, 38, 200},
    {"zendesk", mixed, 40, 40},      {"trello", mixed, 32, 64},      {"pagerduty", dashed, 20, 20},
    {"cloudinary", dashed, 27, 27},  {"softlayer", mixed, 64, 64},   {"cloudant", mixed, 24, 64},
    {"mailchimp", mixed, 32, 37},    {"twilio", hex, 32, 32},        {"stripe", mixed, 24, 99},
    {"openai", dashed, 40, 200},     {"amplitude", hex, 32, 32},     {"segment", mixed, 32, 32},
    {"bugsnag", hex, 32, 32},        {"rollbar", hex, 32, 32},       {"mixpanel", hex, 32, 32},
    {"circleci", hex, 40, 40},       {"circle_token", hex, 40, 40},  {"wandb", hex, 40, 40},
    {"elevenlabs", hex, 32, 32},     {"deepl", uuid, 36, 39},        {"mistral", mixed, 32, 32},
    {"together", hex, 64, 64},       {"infura", hex, 32, 32},        {"alchemy", dashed, 32, 32},
    {"etherscan", mixed, 34, 34},    {"moralis", mixed, 64, 64},     {"deepgram", hex, 40, 40},
    {"assemblyai", hex, 32, 32},     {"telegr", dashed, 40, 46},     {"bundle_enterprise", dashed, 17, 17},
}};

static_assert(!kServices.back().name.empty());

namespace {

constexpr std::size_t kTail = 32;  // bytes of a name's end that say what its value is

constexpr auto kNoSecrets = std::to_array<std::string_view>(
    {"hash",    "sha1",      "sha2",      "md5",      "digest",      "checksum",    "fingerprint", "public_key",
     "pubkey",  "publickey", "integrity", "revision", "commit",      "uuid",        "_id_",        "max_tokens",
     "tokens",  "tokenizer", "_file",     "_path",    "_dir",        "_url",        "_uri",        "_name",
     "_length", "_size",     "_count",    "_field",   "_type",       "_label",      "_column",     "_header",
     "_regex",  "_pattern",  "_format",   "_prompt",  "_hint",       "_policy",     "_age",        "keyboard",
     "monkey",  "keyword",   "key_code",  "keycode",  "primary_key", "foreign_key", "sort_key",    "cache_key",
     "csrf",    "license"});
constexpr auto kPasswords =
    std::to_array<std::string_view>({"passw", "passphrase", "passwort", "pwd", "contrase", "senha", "mot_de_passe",
                                     "wachtwoord", "haslo", "kennwort", "_pass", "_pw"});
constexpr auto kSecrets = std::to_array<std::string_view>(
    {"secret",      "token",        "api_key",        "apikey",      "access_key",  "auth_key",
     "private_key", "signing_key",  "encryption_key", "service_key", "master_key",  "account_key",
     "storage_key", "credential",   "creds",          "_auth",       "session_key", "client_key",
     "app_key",     "consumer_key", "x_api_key",      "_key",        "access",      "key"});
constexpr auto kSureSecrets = std::to_array<std::string_view>(
    {"secret", "token", "api_key", "apikey", "access_key", "auth_key", "private_key", "client_key", "signing_key",
     "encryption_key", "account_key", "credential", "creds", "app_key", "master_key"});

// All words by the pair of their first two bytes: a name is gone through once for all of them.
class Table {
  public:
    struct Word {
        std::string_view text;
        std::uint8_t says = 0;
        std::vector<std::uint8_t> services = {};
        std::uint8_t next = 0;  // with the same pair; 0: none
    };
    Table() {
        auto add_all = [&](std::span<const std::string_view> words, std::uint8_t says) {
            for (const auto word : words) at(word).says |= says;
        };
        add_all(kNoSecrets, Meaning::kNoSecret);
        add_all(kPasswords, Meaning::kPassword);
        add_all(kSecrets, Meaning::kSecret);
        add_all(kSureSecrets, Meaning::kSure);
        for (std::size_t i = 0; i < kServices.size(); ++i)
            at(kServices[i].name).services.push_back(static_cast<std::uint8_t>(i));
    }
    template <typename Take>
    void each_in(std::string_view name, Take&& take) const {
        for (std::size_t at = 0; at + 1 < name.size(); ++at)
            for (auto i = first_[pair(name[at], name[at + 1])]; i != 0; i = words_[i].next)
                if (begins_with(name.substr(at), words_[i].text)) take(at, words_[i]);
    }

  private:
    static std::size_t pair(char a, char b) {
        return (static_cast<unsigned char>(a) * 31U + static_cast<unsigned char>(b)) & 1023U;
    }
    Word& at(std::string_view word) {
        for (auto& known : words_)
            if (known.text == word) return known;
        auto& head = first_[pair(word[0], word[1])];
        words_.push_back({.text = word, .next = head});
        head = static_cast<std::uint8_t>(words_.size() - 1);
        return words_.back();
    }
    std::array<std::uint8_t, 1024> first_{};
    std::vector<Word> words_{{}};  // the first is none
};

}  // namespace

Meaning meaning_of(std::string_view name) {
    static const Table kTable;
    work(name.size());
    const std::size_t tail = name.size() - std::min(name.size(), kTail);
    Meaning meaning;
    kTable.each_in(name, [&](std::size_t at, const Table::Word& word) {
        if (at >= tail) meaning.says |= word.says;
        for (const auto service : word.services) {
            const auto named = meaning.named();
            if (meaning.count < Meaning::kMostServices && std::ranges::find(named, service) == named.end())
                meaning.services[meaning.count++] = service;
        }
    });
    std::sort(meaning.services.begin(), meaning.services.begin() + meaning.count);
    return meaning;
}

}  // namespace tandem::privacy
