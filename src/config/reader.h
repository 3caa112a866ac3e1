// Reads one mapping of a YAML document into typed values and notes what is wrong with it, where, and what would be
// right. Private to config/.
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"

namespace tandem::config {

constexpr std::size_t kLongestProblem = 2'000;  // bytes; a name can be as long as the file

// What all sections of one parse share.
struct Problems {
    std::string source;
    std::vector<std::string> lines;
    std::vector<std::string> bare_secrets;  // keys whose secret stands in the file itself
    Missing missing = Missing::is_error;
    std::vector<Unresolved> unresolved;
    std::vector<std::filesystem::path> watched;  // files that were read besides
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

    bool has(const std::string& key);
    bool is_section(const std::string& key);  // a mapping is there
    std::vector<std::string> keys() const;    // in the file's order
    const std::string& path() const { return path_; }

    // Each sets `target` where the key is there and right; elsewhere `target` keeps its value.
    void text(const std::string& key, std::string& target);
    // One that is_name() allows.
    void name(const std::string& key, std::string& target);
    void required_text(const std::string& key, std::string& target);
    // ${NAME} or other text, file:PATH, credential:NAME.
    void secret(const std::string& key, std::shared_ptr<const Secret>& target, bool required);
    void secrets(const std::string& key, std::vector<std::shared_ptr<const Secret>>& target);  // a list of them
    void flag(const std::string& key, bool& target);
    void duration(const std::string& key, milliseconds& target);  // 500ms, 10s, 5m, 1h, 7d
    void time(const std::string& key, std::int64_t& target);      // 2027-01-31 or 2027-01-31T12:00:00Z, in Unix ms
    void bytes(const std::string& key, std::size_t& target, std::size_t low, std::size_t high);  // 4096, 16KiB, 32MiB
    void money(const std::string& key, Money& target);
    // A decimal from 0, in millionths: "0.5" is 500,000. `most` is in millionths too.
    void decimal(const std::string& key, std::int64_t& target, std::int64_t most);
    void share(const std::string& key, double& target, double most = 1);  // a decimal from 0
    void share(const std::string& key, std::optional<double>& target);
    void label(const std::string& key, Label& target);
    // A list, or one value alone. `secret`: what stands there is nobody's business but the owner's.
    void texts(const std::string& key, std::vector<std::string>& target, bool secret = false);
    template <typename Number>
    void number(const std::string& key, Number& target, std::int64_t low, std::int64_t high) {
        if (const auto value = whole(key, low, high)) target = static_cast<Number>(*value);
    }
    template <typename Number>
    void number(const std::string& key, std::optional<Number>& target, std::int64_t low, std::int64_t high) {
        if (const auto value = whole(key, low, high)) target = static_cast<Number>(*value);
    }
    // One of `names`; sets the enum value of the same place.
    template <typename Enum>
    void choice(const std::string& key, Enum& target, std::span<const std::string_view> names) {
        if (const auto index = chosen(key, names)) target = static_cast<Enum>(*index);
    }
    template <typename Enum>
    void choice(const std::string& key, std::optional<Enum>& target, std::span<const std::string_view> names) {
        if (const auto index = chosen(key, names)) target = static_cast<Enum>(*index);
    }

    // The mapping or each element below `key`; `visit` is not called where it is absent.
    void section(const std::string& key, const std::function<void(Section&)>& visit);
    void each_named(const std::string& key, const std::function<void(const std::string& name, Section&)>& visit);
    void each_listed(const std::string& key, const std::function<void(Section&)>& visit);

    // What the value of `key` stands for is not there, for those who may do without.
    void lacks(const std::string& key, const std::string& what) { lacks(key, find(key).Mark(), what, "", true); }
    // Notes a problem at `key`, or at the section itself where the key is not there.
    void complain(const std::string& key, const std::string& text);
    void complain(const std::string& text) { problems_.add(node_.Mark(), path_.empty() ? text : path_ + ": " + text); }

  private:
    YAML::Node find(const std::string& key);
    std::optional<std::string> scalar(const std::string& key, bool secret = false);
    // Notes that `what` is not there: as a problem with `advice`, or as unresolved.
    void lacks(const std::string& key, const YAML::Mark& mark, const std::string& what, std::string_view advice,
               bool secret);
    std::optional<std::string> secret_of_file(const std::string& key, const std::string& value);
    std::optional<std::string> expand(const std::string& key, const YAML::Node& node, bool secret = false);
    std::optional<std::int64_t> whole(const std::string& key, std::int64_t low, std::int64_t high);
    std::optional<std::size_t> chosen(const std::string& key, std::span<const std::string_view> names);
    std::string name(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }

    YAML::Node node_;
    std::string path_;
    Problems& problems_;
    const Environment& environment_;
    std::set<std::string> asked_;
};

// An element of `experiments:`, once models and aliases are read.
Experiment read_experiment(const std::string& name, Section& s, const Config& config);

// `time_zone:`, a zone that this machine knows.
void read_time_zone(Section& s, std::string& zone);
// The list `budgets:` of something that has the scope `of`; where `of` is empty, each says its own. `usual` is the
// window of one that says none.
void read_budgets(Section& s, const BudgetScope& of, const Window& usual, const Config& config,
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
