// Reads one mapping of a YAML document into typed values and notes what is wrong with it, where, and what would be
// right. Private to config/.
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "config/about.h"
#include "config/config.h"

namespace tandem::config {

// What Money::parse() reads at most.
constexpr Money kMostMoney = Money::from_micros(1'000'000'000'999'999);

constexpr std::size_t kLongestProblem = 2'000;  // bytes; a name can be as long as the file

// What all sections of one parse share.
struct Problems {
    std::string source;
    std::vector<std::string> lines;
    std::vector<std::string> warnings;      // what is read, and should be written otherwise
    std::vector<std::string> bare_secrets;  // keys whose secret stands in the file itself
    Missing missing = Missing::is_error;
    std::vector<Unresolved> unresolved;
    std::vector<std::filesystem::path> watched;   // files that were read besides
    std::vector<Described>* described = nullptr;  // where each key is noted in place of reading a document
    void add(const YAML::Mark& mark, const std::string& text);
};

// Notes each name that stands twice in a mapping anywhere below `document`, with the lines of both: YAML readers take
// one of the two in silence, and which one is chance to the owner.
void find_twins(const YAML::Node& document, Problems& problems);

// The first line, from 1, of YAML text with more than a comment or a mark; nullopt: there is none.
std::optional<std::size_t> first_content(std::string_view text);

// ${NAME} may stand anywhere, also in { ... }, where YAML would take its braces for its own: this puts others in their
// place, without moving anything.
std::string shield_variables(std::string text);

class Section {
  public:
    // `path` is how the owner would say it ("providers.openai"). A node that is null counts as an empty mapping.
    Section(YAML::Node node, std::string path, Problems& problems, const Environment& environment);
    // Complains about keys that nothing asked for.
    ~Section();
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;

    // There is no document: each key is read once, so that what is said of it is noted. has() is true then, and
    // branches that read keys are all taken.
    bool describing() const { return problems_.described != nullptr; }
    bool has(const std::string& key);
    bool is_section(const std::string& key);  // a mapping is there
    std::vector<std::string> keys() const;    // in the file's order
    const std::string& path() const { return path_; }
    const Environment& environment() const { return environment_; }

    // `old` is what the key `now` was called before: it is read in its place, with a warning. Both at once are a
    // problem. Said before `now` is read.
    void renamed(const std::string& old, const std::string& now);
    // The same, where the new name stands elsewhere below this section ("failure.attempts").
    void moved(const std::string& old, const std::string& now);

    // Each sets `target` where the key is there and right; elsewhere `target` keeps its value, which is the default
    // that people are told. A key whose `about` is required() is missed where it is not there.
    void text(const std::string& key, std::string& target, const About& about);
    // One that is_name() allows.
    void name(const std::string& key, std::string& target, const About& about);
    // ${NAME} or other text, file:PATH, credential:NAME.
    void secret(const std::string& key, std::shared_ptr<const Secret>& target, const About& about);
    // A list of them.
    void secrets(const std::string& key, std::vector<std::shared_ptr<const Secret>>& target, const About& about);
    void flag(const std::string& key, bool& target, const About& about);
    void flag(const std::string& key, std::optional<bool>& target, const About& about);
    // 500ms, 10s, 5m, 1h, 7d
    void duration(const std::string& key, milliseconds& target, const About& about);
    void duration(const std::string& key, milliseconds& target, milliseconds low, milliseconds high,
                  const About& about);
    // 2027-01-31 or 2027-01-31T12:00:00Z, in Unix ms
    void time(const std::string& key, std::int64_t& target, const About& about);
    // 4096, 16KiB, 32MiB, 1GiB, 2TiB
    void bytes(const std::string& key, std::size_t& target, std::size_t low, std::size_t high, const About& about);
    void money(const std::string& key, Money& target, const About& about);
    void money(const std::string& key, Money& target, Money low, Money high, const About& about);
    void money(const std::string& key, std::optional<Money>& target, Money high, const About& about);
    // A decimal in millionths, and so are its bounds: "0.5" is 500,000.
    void decimal(const std::string& key, std::int64_t& target, std::int64_t low, std::int64_t high, const About& about);
    void share(const std::string& key, double& target, double low, double high, const About& about);
    void share(const std::string& key, std::optional<double>& target, double low, double high, const About& about);
    void label(const std::string& key, Label& target, const About& about);
    // A list, or one value alone. `secret`: what stands there is nobody's business but the owner's.
    void texts(const std::string& key, std::vector<std::string>& target, const About& about, bool secret = false);
    // The places in `names` of a list's elements; nullopt: the key is not there.
    std::optional<std::vector<std::size_t>> choices(const std::string& key, std::span<const std::string_view> names,
                                                    const About& about);
    template <typename Number>
    void number(const std::string& key, Number& target, std::int64_t low, std::int64_t high, const About& about) {
        if (const auto value = whole(key, {static_cast<std::int64_t>(target), low, high}, about))
            target = static_cast<Number>(*value);
    }
    template <typename Number>
    void number(const std::string& key, std::optional<Number>& target, std::int64_t low, std::int64_t high,
                const About& about) {
        if (const auto value = whole(key, {low - 1, low, high}, about)) target = static_cast<Number>(*value);
    }
    // One of `names`; sets the enum value of the same place.
    template <typename Enum>
    void choice(const std::string& key, Enum& target, std::span<const std::string_view> names, const About& about) {
        if (const auto index = chosen(key, static_cast<std::size_t>(target), names, about))
            target = static_cast<Enum>(*index);
    }
    template <typename Enum>
    void choice(const std::string& key, std::optional<Enum>& target, std::span<const std::string_view> names,
                const About& about) {
        const auto before = target ? std::optional(static_cast<std::size_t>(*target)) : std::nullopt;
        if (const auto index = chosen(key, before, names, about)) target = static_cast<Enum>(*index);
    }

    // The mapping or each element below `key`; `visit` is not called where it is absent. The pattern of `about` is that
    // of the names.
    void section(const std::string& key, const About& about, const std::function<void(Section&)>& visit);
    void each_named(const std::string& key, const About& about,
                    const std::function<void(const std::string& name, Section&)>& visit);
    void each_listed(const std::string& key, const About& about, const std::function<void(Section&)>& visit);
    // section(), visited without any key where it is absent.
    void always(const std::string& key, const About& about, const std::function<void(Section&)>& visit);
    // A mapping that stands elsewhere, with a path of its own.
    void elsewhere(const YAML::Node& node, const std::string& path, const std::function<void(Section&)>& visit);

    // What the value of `key` stands for is not there, for those who may do without.
    void lacks(const std::string& key, const std::string& what) { lacks(key, find(key).Mark(), what, "", true); }
    // Notes a problem at `key`, or at the section itself where the key is not there.
    void complain(const std::string& key, const std::string& text);
    void complain(const std::string& text) { problems_.add(node_.Mark(), path_.empty() ? text : path_ + ": " + text); }

  private:
    struct Whole {
        std::int64_t before, low, high;
    };
    YAML::Node find(const std::string& key);
    // Notes that a key is called otherwise now; false where that stands there as well, which is a problem.
    bool warn_of_name(const YAML::Node& at, const std::string& old, const std::string& now, bool both);
    // Notes what is said of a key. `form` has what its type says of it.
    void note(const std::string& key, const About& about, Described form);
    // Complains where a key is not there that is required.
    void want(const std::string& key, const About& about);
    std::optional<std::string> scalar(const std::string& key, bool secret = false);
    // Notes that `what` is not there: as a problem with `advice`, or as unresolved.
    void lacks(const std::string& key, const YAML::Mark& mark, const std::string& what, std::string_view advice,
               bool secret);
    std::optional<std::string> secret_of_file(const std::string& key, const std::string& value);
    std::optional<std::string> expand(const std::string& key, const YAML::Node& node, bool secret = false);
    std::optional<std::int64_t> whole(const std::string& key, const Whole& bounds, const About& about);
    std::optional<double> fraction(const std::string& key, double low, double high, bool or_zero);
    std::optional<Money> amount(const std::string& key, Money low, Money high);
    std::optional<std::size_t> chosen(const std::string& key, std::optional<std::size_t> before,
                                      std::span<const std::string_view> names, const About& about);
    std::vector<std::string> elements(const std::string& key, bool secret);
    std::string name(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }

    YAML::Node node_;
    std::string path_;
    Problems& problems_;
    const Environment& environment_;
    std::set<std::string> asked_;
    std::map<std::string, std::string> renamed_;  // from the new name to the old one
    std::map<std::string, std::string> moved_;    // from the old name to the new path
};

// The root of a file: all sections, in the order in which one needs the other.
void read_root(Section& root, Config& config);
// `data:`
void read_data(Section& root, Config& config);
// The members of `server:`
void read_server(Section& s, Server& server);
// An element of `providers:`, once `privacy:` is read.
void read_provider(const std::string& id, Section& s, Config& config);
// An element of `models:`, once providers are read.
void read_model(const std::string& id, Section& s, Config& config);
// Those of its keys that say what is started, once `file` and `context` are read. `needed`: its provider wants them.
void read_command(Section& s, bool needed, const Config& config, Model& model);
// A key that names a model which is asked for vectors.
void want_embeddings(Section& s, const Config& config, const char* field, const std::string& id);
// The members of `aliases:`, once models and the policy are read.
void read_aliases(Section& s, Config& config);
// Names that a client may send, and patterns that stand for some.
std::vector<std::string> all_names(const Config& config);
// The aliases that a key names, once all are read.
void check_key_aliases(const Key& key, Section& root, const Config& config);
// The members of `policy:`, once models and keys are read.
void read_policy(Section& s, const Config& config, Policy& policy);
// The members of `privacy:`
void read_privacy(Section& s, Config& config);
// A path that may be beside the config.
std::filesystem::path beside_config(const std::string& text, const std::filesystem::path& source,
                                    const Environment& environment);
// An element of `keys:` and of `teams:`; keys once teams are read.
void read_key(const std::string& id, Section& s, Config& config);
void read_team(const std::string& id, Section& s, Config& config);
// The members of `cache:`, once models are read.
void read_cache(Section& s, Config& config);

// The members of `retrieval:`, once keys are read.
void read_retrieval(Section& s, Config& config);

// An element of `experiments:`, once models and aliases are read.
Experiment read_experiment(const std::string& name, Section& s, const Config& config);

// `time_zone:`, a zone that this machine knows.
void read_time_zone(Section& s, std::string& zone, const About& about);
// The list `budgets:` of something that has the scope `of`; where `of` is empty, each says its own.
void read_budgets(Section& s, const BudgetScope& of, const About& about, const Config& config,
                  std::vector<Budget>& budgets);
// The members of `alerts:`.
void read_alerts(Section& s, Alerts& alerts);
// An element of `hardware:`, the members of `energy:` and `hours:`, and what they must say of each other.
void read_hardware(const std::string& id, Section& s, Config& config);
void read_energy(Section& s, Energy& energy);
void read_hours(Section& s, Hours& hours);
void check_hardware(Section& root, Config& config);
// The members of a `limits:` section.
void read_rates(Section& limits, RateLimits& rates);

// The members of a `failure:` section.
void read_failure(Section& s, FailurePolicy& failure);

}  // namespace tandem::config
