// privacy: what is looked for, and what is done with it.
#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "config/names.h"
#include "config/reader.h"

namespace tandem::config {

namespace {

// Shorter values would be found everywhere.
constexpr std::size_t kShortestSecret = 8;
constexpr std::size_t kMostSecrets = 2'000;
constexpr std::size_t kLargestValues = 16UL << 20;  // bytes

// Of each Category.
constexpr std::array<const char*, kCategories> kOfCategory = {
    "tokens, keys and passwords",
    "numbers of payment cards",
    "international account numbers",
    "other account numbers",
    "numbers of twenty countries, with their check sums",
    "numbers of passports and licences, near a word that names them",
    "near a word that names it",
    "mail addresses",
    "phone numbers",
    "postal addresses",
    "of vehicles, near a word that names them",
    "addresses of wallets",
    "of a place",
    "addresses of machines",
    "of network cards",
    "any date",
    "names of people; looked for by `privacy scan` alone, as long as it is public",
    "the same, of organisations",
    "the same, of places"};
// Of each Label.
constexpr std::array<const char*, kLabelNames.size()> kOfLabel = {"", "internal content", "private content",
                                                                  "secret content"};

// The values of an .env file, or each line of any other.
void read_values(const std::filesystem::path& file, Section& s, OwnRule& rule) {
    const auto content = read_regular(file, kLargestValues + 1);
    if (!content) return s.lacks("values_of", content.error().message);
    if (content->size() > kLargestValues)
        return s.complain("values_of", fmt::format("{} is larger than 16 MiB", file.string()));
    for (std::size_t at = 0; at < content->size();) {
        const auto end = std::min(content->find('\n', at), content->size());
        std::string_view text = trim(std::string_view(*content).substr(at, end - at));
        at = end + 1;
        if (text.empty() || text.starts_with('#')) continue;
        if (text.starts_with("export ")) text = trim(text.substr(7));
        const auto equals = text.find('=');
        const bool assignment =
            equals != std::string_view::npos && equals > 0 &&
            text.substr(0, equals).find_first_not_of(
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == std::string_view::npos;
        if (assignment) text = trim(text.substr(equals + 1));
        if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front())
            text = text.substr(1, text.size() - 2);
        if (text.size() < kShortestSecret)
            ++rule.too_short;
        else
            rule.secrets.push_back(std::make_shared<const Secret>(std::string(text)));
        if (rule.secrets.size() > kMostSecrets)
            return s.complain("values_of", fmt::format("{} has more than {} values", file.string(), kMostSecrets));
    }
}

void read_own(const std::string& name, Section& s, Config& config) {
    const auto& environment = s.environment();
    OwnRule rule;
    rule.name = name;
    if (!is_name(name)) s.complain("a name has only letters, digits and . _ : / -");
    s.texts("words", rule.words, "found whole, in any case");
    for (const auto& word : rule.words)
        if (trim(word).size() < 2) s.complain("words", "a word of one character would be found everywhere");
    s.text("pattern", rule.pattern, "a regular expression");
    s.texts("paths", rule.paths, "file names that a text mentions, with `*`, `**`, `?`");
    for (auto& path : rule.paths)
        if (path.starts_with("~/")) path = environment("HOME").value_or("") + path.substr(1);
    std::vector<std::string> values;
    s.texts("values", values, "found as they are and in base64, hex, URL and other escapes", true);
    for (auto& value : values) {
        if (value.size() < kShortestSecret)
            s.complain("values", fmt::format("a value of less than {} characters would be found everywhere; make it "
                                             "one of 'words'",
                                             kShortestSecret));
        rule.secrets.push_back(std::make_shared<const Secret>(std::move(value)));
    }
    std::string file;
    s.text("values_of", file, "a file with such values: an .env, or one on each line. A changed file is read again");
    if (!file.empty()) {
        const auto path = beside_config(file, config.source, environment);
        config.watched.push_back(path);
        read_values(path, s, rule);
    }
    std::optional<Label> label;
    if (s.has("values") || s.has("values_of")) rule.label = Label::secret;
    s.choice("label", label, kLabelNames, {"what a finding raises the label to", "private, `secret` for values"});
    rule.label = label.value_or(rule.label);
    if (rule.words.empty() && rule.pattern.empty() && rule.paths.empty() && !s.has("values") && file.empty())
        s.complain("nothing to look for; give one of words, pattern, paths, values, values_of");
    config.privacy.own.push_back(std::move(rule));
}

void read_treatments(Section& s, Privacy& privacy) {
    for (std::size_t zone = 0; zone < kZoneNames.size(); ++zone)
        s.section(std::string(kZoneNames[zone]), "for models of this zone", [&](Section& of_zone) {
            const auto clearance = zone == 0 ? privacy.local_clearance : privacy.cloud_clearance;
            for (std::size_t label = 1; label < kLabelNames.size(); ++label) {
                auto& treatment = privacy.treatments[zone][label];
                const std::string name(kLabelNames[label]);
                of_zone.choice(name, treatment, kTreatmentNames, {kOfLabel[label], "by clearance"});
                if (treatment == Treatment::allow && static_cast<Label>(label) > clearance)
                    of_zone.complain(name,
                                     fmt::format("the clearance of {} is {}; to allow {}, set clearance: {{ {}: "
                                                 "{} }}",
                                                 kZoneNames[zone], name_of(clearance), name, kZoneNames[zone], name));
            }
        });
}

void read_answer_rule(Section& s, Privacy& privacy) {
    constexpr std::array<std::string_view, 2> kPlaces = {"anywhere", "tool_calls"};
    AnswerRule rule;
    s.choice("from", rule.from, kZoneNames, {"models of this zone", "any"});
    std::optional<int> place;
    s.choice("in", place, kPlaces, {"of what models answer", "anywhere"});
    rule.tool_calls_only = place == 1;
    // Everything is at least public.
    std::optional<int> above_public;
    s.choice("label", above_public, std::span(kLabelNames).subspan(1),
             About("of what detectors find in an answer and its request did not hold, at least")
                 .required(": of what is found, at least"));
    rule.label = static_cast<Label>(above_public.value_or(0) + 1);
    s.choice("do", rule.act, kAnswerDoNames,
             About("mask the values, or stop the answer").required("; there are: mask, stop"));
    privacy.answers.push_back(rule);
}

}  // namespace

std::filesystem::path beside_config(const std::string& text, const std::filesystem::path& source,
                                    const Environment& environment) {
    if (text.starts_with("~/")) return std::filesystem::path(environment("HOME").value_or("/")) / text.substr(2);
    return std::filesystem::path(text).is_absolute() || source.empty()
               ? std::filesystem::path(text)
               : std::filesystem::absolute(source).parent_path() / text;
}

void read_privacy(Section& s, Config& config) {
    auto& privacy = config.privacy;
    s.section("clearance", "the highest label that providers of a zone may see", [&](Section& clearance) {
        clearance.label("local", privacy.local_clearance, "providers of this zone");
        clearance.label("cloud", privacy.cloud_clearance, "the same");
    });
    s.section("detect", "what a finding of each category raises the label to", [&](Section& detect) {
        for (std::size_t i = 0; i < kCategories; ++i)
            detect.label(std::string(kCategoryNames[i]), privacy.detect.labels[i], kOfCategory[i]);
    });
    s.each_named("own", About("what only you know, and what else is looked for").like(kNamePattern, "customers"),
                 [&](const std::string& name, Section& own) { read_own(name, own, config); });
    s.section("actions",
              About("what is done with content of a label that a zone would get: `redact` (placeholders that come "
                    "back), `mask` (they do not), `local` (another zone), `block` (an error, instead of an answer "
                    "from elsewhere), `allow`")
                  .see("privacy.md#what-to-do-with-what-is-found"),
              [&](Section& actions) { read_treatments(actions, privacy); });
    constexpr std::array<std::string_view, 2> kStandIns = {"typed", "realistic"};
    std::optional<int> stand_ins;
    s.choice("placeholders", stand_ins, kStandIns,
             {"`<PERSON_1>`, or `realistic`: a valid card, IBAN, phone, address or name that is nobody's", "typed"});
    privacy.realistic = stand_ins == 1;
    s.section("vault", "where placeholders are remembered, sealed", [&](Section& vault) {
        vault.duration("keeps", privacy.vault_keeps, "how long a conversation's placeholders are remembered");
        vault.secret(
            "key", privacy.vault_key,
            {"takes the key from elsewhere than the data folder; 32 characters at least", "`data/privacy.key`"});
        if (!privacy.vault_key->empty() && privacy.vault_key->reveal().size() < 32)
            vault.complain("key", "is shorter than 32 characters; `openssl rand -hex 32` makes a good one");
    });
    s.number("label_memory", privacy.label_memory, 100, 1'000'000,
             "entries of each key in the memory of conversations' labels; about 60 bytes each");
    std::string checkpoints;
    s.text("checkpoints", checkpoints,
           {"file of the signed checkpoints. On another disk or machine they cannot be cut together with the record. "
            "Where you change it, move the file too",
            "`data/egress.checkpoints`"});
    if (!checkpoints.empty()) privacy.checkpoints = beside_config(checkpoints, config.source, s.environment());
    s.each_listed("answers", "what is done with an answer in which detectors find something",
                  [&](Section& rule) { read_answer_rule(rule, privacy); });
}

}  // namespace tandem::config
