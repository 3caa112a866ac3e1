// A profile out of YAML. Everything is looked at before anything is refused, so that an owner mends a file once.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "cost/profile.h"

namespace tandem::cost {

namespace {

using Values = std::array<std::optional<Range>, kFields>;

constexpr std::size_t kMostBytes = 1 << 20;
constexpr std::size_t kMostOptions = 100;
constexpr std::string_view kNoHardware =
    "hardware is missing: a list of machines to compare, such as hardware: [{name: rtx4090, price: 1600, ...}]";

class Reader {
  public:
    Reader(std::string_view source, const Machine* machine) : source_(source), machine_(machine) {}
    Profile read(const YAML::Node& root);
    std::vector<std::string> problems;

  private:
    void complain(const YAML::Node& at, const std::string& text);
    std::string unit_of(Field field) const;
    void known_keys(const YAML::Node& node, const std::string& path, std::span<const Place> places,
                    std::initializer_list<std::string_view> others);
    void fields(const YAML::Node& node, const std::string& path, Place place, Values& values);
    void field(const YAML::Node& node, const std::string& name, const FieldRow& row, Values& values);
    std::optional<Exact> number(const YAML::Node& node, const std::string& name, const FieldRow& row);
    void options(const YAML::Node& hardware, const Values& common, Profile& profile);
    void needed(const YAML::Node& at, const std::string& path, const Option& option);
    void add_machine(const YAML::Node& root, const Values& common, Profile& profile);

    std::string source_;
    const Machine* machine_;
    std::string currency_ = "USD";
};

void Reader::complain(const YAML::Node& at, const std::string& text) {
    const auto mark = at.Mark();
    problems.push_back(mark.is_null() ? fmt::format("{}: {}", source_, text)
                                      : fmt::format("{}:{}: {}", source_, mark.line + 1, text));
}

std::string Reader::unit_of(Field field) const {
    std::string unit(row_of(field).unit);
    if (const auto at = unit.find('$'); at != std::string::npos) unit.replace(at, 1, currency_);
    return unit;
}

// Complains about keys that are no field of `places` and none of `others`, and about those that stand twice.
void Reader::known_keys(const YAML::Node& node, const std::string& path, std::span<const Place> places,
                        std::initializer_list<std::string_view> others) {
    std::vector<std::string> valid(others.begin(), others.end());
    for (const auto& row : field_rows())
        if (std::ranges::find(places, row.place) != places.end()) valid.emplace_back(row.key);
    std::set<std::string> seen;
    for (const auto& entry : node) {
        const auto key = entry.first.IsScalar() ? entry.first.Scalar() : std::string();
        const auto name = printable(path + key, 80);
        if (std::ranges::find(valid, key) == valid.end())
            complain(entry.first, fmt::format("{}: there is no such key{}", name, suggest(key, valid)));
        else if (!seen.insert(key).second)
            complain(entry.first, fmt::format("{}: stands here twice; leave one of them", name));
    }
}

std::optional<Exact> Reader::number(const YAML::Node& node, const std::string& name, const FieldRow& row) {
    const auto text = node.IsScalar() ? node.Scalar() : std::string();
    const auto value = read_number(text, row.place == Place::tokens);
    if (!value) {
        complain(node, fmt::format("{}: expected a number ({}) or {{low, likely, high}}, got '{}'", name,
                                   unit_of(row.field), printable(text, 40)));
        return std::nullopt;
    }
    if (*value < Exact(row.low) || *value > Exact(row.high) || (row.positive && *value == 0)) {
        complain(node,
                 fmt::format("{}: {} is out of bounds; it goes from {}{:g} to {:g} ({})", name, printable(text, 40),
                             row.positive && row.low <= 0 ? "above " : "", row.low, row.high, unit_of(row.field)));
        return std::nullopt;
    }
    return value;
}

void Reader::field(const YAML::Node& node, const std::string& name, const FieldRow& row, Values& values) {
    auto& target = values[static_cast<std::size_t>(row.field)];
    if (node.IsNull()) return;
    if (!node.IsMap()) {
        if (auto value = number(node, name, row)) target = Range{*value, *value, *value};
        return;
    }
    known_keys(node, name + ".", {}, {"low", "likely", "high"});
    std::array<std::optional<Exact>, 3> ends;
    constexpr std::array<const char*, 3> kEnds = {"low", "likely", "high"};
    for (std::size_t i = 0; i < 3; ++i) {
        const auto end = node[kEnds[i]];
        if (!end.IsDefined())
            complain(node, fmt::format("{}.{} is missing: a range has low, likely and high ({})", name, kEnds[i],
                                       unit_of(row.field)));
        else
            ends[i] = number(end, fmt::format("{}.{}", name, kEnds[i]), row);
    }
    if (!ends[0] || !ends[1] || !ends[2]) return;
    if (*ends[0] > *ends[1] || *ends[1] > *ends[2])
        complain(node, fmt::format("{}: low must not be above likely, nor likely above high", name));
    else
        target = Range{*ends[0], *ends[1], *ends[2]};
}

void Reader::fields(const YAML::Node& node, const std::string& path, Place place, Values& values) {
    for (const auto& row : field_rows()) {
        if (row.place != place) continue;
        const std::string key(row.key);
        if (const auto value = node[key]; value.IsDefined()) field(value, path + key, row, values);
    }
}

// Each of `keys`, with its unit, is needed because of `why`.
void Reader::needed(const YAML::Node& at, const std::string& path, const Option& option) {
    const auto likely = [&](Field field) { return option.has(field) && option.likely(field) > 0; };
    const auto miss = [&](Field field, std::string_view why) {
        if (option.has(field)) return;
        const auto& row = row_of(field);
        const auto name = row.place == Place::hardware ? path + std::string(row.key) : name_of(field);
        complain(at, fmt::format("{} is missing: {}, because {} is given; write 0 where there is none", name,
                                 unit_of(field), why));
    };
    if (!option.has(Field::bill_per_month) && !option.has(Field::subscription_per_month)) {
        if (likely(Field::tokens_input)) miss(Field::cloud_input, "tokens.input");
        if (likely(Field::tokens_cached_input)) miss(Field::cloud_cached_input, "tokens.cached_input");
        if (likely(Field::tokens_output)) miss(Field::cloud_output, "tokens.output");
    }
    if (likely(Field::watts)) miss(Field::tariff_per_kwh, "watts");
    if (likely(Field::watts_idle))
        miss(Field::tariff_per_kwh, "watts_idle");
    else if (likely(Field::watts_busy))
        miss(Field::tariff_per_kwh, "watts_busy");
    for (const auto hours : {Field::work_hours, Field::setup_hours, Field::cloud_work_hours})
        if (likely(hours)) {
            miss(Field::hourly_rate, name_of(hours));
            break;
        }
    const bool speed = option.has(Field::throughput_output) || option.has(Field::throughput_input) ||
                       option.has(Field::throughput_total);
    const bool busy = option.has(Field::busy_hours_per_month) || option.has(Field::busy_hours_per_day);
    if ((option.has(Field::watts_busy) || option.has(Field::watts_idle)) && !speed && !busy)
        complain(at, fmt::format("{}busy_hours_per_day is missing: hours a day in which it draws watts_busy; "
                                 "busy_hours_per_month or a throughput say it too, and `watts` needs none of them",
                                 path));
    if (!option.has(Field::price) && !option.has(Field::rent_per_hour) && !option.has(Field::rent_per_month))
        complain(at, fmt::format("{0}price is missing: {1}; or {0}rent_per_hour, or {0}rent_per_month. Write price: 0 "
                                 "for a machine that you have",
                                 path, unit_of(Field::price)));
    const auto both = [&](Field one, Field other) {
        if (option.has(one) && option.has(other))
            complain(at, fmt::format("{}{} and {} say the same thing; leave one of them", path, row_of(one).key,
                                     row_of(other).key));
    };
    both(Field::running_hours_per_month, Field::running_hours_per_day);
    both(Field::busy_hours_per_month, Field::busy_hours_per_day);
    both(Field::watts, Field::watts_busy);
    both(Field::watts, Field::watts_idle);
    both(Field::throughput_total, Field::throughput_output);
    both(Field::throughput_total, Field::throughput_input);
}

void Reader::options(const YAML::Node& hardware, const Values& common, Profile& profile) {
    const bool one = hardware.IsMap();
    if (!one && (!hardware.IsSequence() || hardware.size() == 0 || hardware.size() > kMostOptions)) {
        complain(hardware, std::string(kNoHardware));
        return;
    }
    const std::size_t count = one ? 1 : hardware.size();
    for (std::size_t i = 0; i < count; ++i) {
        const YAML::Node node = one ? hardware : hardware[i];
        auto path = one ? std::string("hardware.") : fmt::format("hardware[{}].", i);
        if (!node.IsMap()) {
            complain(node, path + "name is missing: each entry is a mapping such as {name: rtx4090, price: 1600}");
            continue;
        }
        constexpr std::array kPlaces = {Place::hardware};
        known_keys(node, path, kPlaces, {"name"});
        Option option;
        option.values = common;
        const auto name = node["name"];
        if (!name.IsDefined() || !name.IsScalar() || name.Scalar().empty())
            complain(node, path + "name is missing: what to call this machine");
        else
            option.name = printable(name.Scalar(), 80);
        if (std::ranges::any_of(profile.options, [&](const Option& o) { return o.name == option.name; }))
            complain(node, fmt::format("{}name: '{}' stands twice; each machine needs its own", path, option.name));
        fields(node, path, Place::hardware, option.values);
        needed(node, path, option);
        profile.options.push_back(std::move(option));
    }
}

void Reader::add_machine(const YAML::Node& root, const Values& common, Profile& profile) {
    const auto& name = machine_->name;
    if (std::ranges::any_of(profile.options, [&](const Option& option) { return option.name == name; })) return;
    if (currency_ != machine_->currency)
        complain(root, fmt::format("currency: the profile is in {} and tandem.yaml, which has the hardware '{}', in "
                                   "{}; nothing is converted: write currency: {}",
                                   currency_, name, machine_->currency, machine_->currency));
    Option option;
    option.name = name;
    option.values = common;
    for (const auto& [field, value] : machine_->own)
        option.values[static_cast<std::size_t>(field)] = Range{value, value, value};
    for (const auto& [field, value] : machine_->usual)
        if (auto& place = option.values[static_cast<std::size_t>(field)]; !place) place = Range{value, value, value};
    needed(root, name + ".", option);
    profile.options.push_back(std::move(option));
}

Profile Reader::read(const YAML::Node& root) {
    Profile profile;
    if (!root.IsMap()) {
        complain(root, "expected a profile with the keys tokens, cloud and hardware; docs/break-even.md has one");
        return profile;
    }
    constexpr std::array kTop = {Place::top, Place::hardware}, kTokens = {Place::tokens, Place::tokens},
                         kCloud = {Place::cloud, Place::cloud};
    known_keys(root, "", kTop, {"currency", "tokens", "cloud", "hardware"});
    if (const auto currency = root["currency"]; currency.IsDefined() && currency.IsScalar())
        currency_ = profile.currency = printable(currency.Scalar(), 12);
    Values common;
    fields(root, "", Place::top, common);
    fields(root, "", Place::hardware, common);
    bool yearly = false;
    const auto section = [&](const char* key, std::span<const Place> places,
                             std::initializer_list<std::string_view> others) {
        const auto node = root[key];
        if (!node.IsDefined() || node.IsNull()) return YAML::Node();
        if (!node.IsMap()) {
            complain(node, fmt::format("{}: must be a mapping ({}: {{ ... }})", key, key));
            return YAML::Node();
        }
        known_keys(node, std::string(key) + ".", places, others);
        fields(node, std::string(key) + ".", places.front(), common);
        return YAML::Node(node);
    };
    section("tokens", kTokens, {});
    const auto cloud = section("cloud", kCloud, {"decline_steps"});
    if (cloud.IsMap() && cloud["decline_steps"].IsDefined()) {
        const auto steps = cloud["decline_steps"].IsScalar() ? cloud["decline_steps"].Scalar() : std::string();
        yearly = steps == "yearly";
        if (!yearly && steps != "monthly")
            complain(cloud["decline_steps"], "cloud.decline_steps: expected monthly or yearly");
    }
    // One that is there and wrong has been complained of.
    const auto said = [&](Field field) {
        const auto node = root[row_of(field).place == Place::tokens ? "tokens" : "cloud"];
        const auto value = node.IsDefined() && node.IsMap() ? node[std::string(row_of(field).key)] : YAML::Node();
        return value.IsDefined() && !value.IsNull();
    };
    if (!said(Field::tokens_input) && !said(Field::tokens_output) && !said(Field::tokens_cached_input) &&
        !said(Field::subscription_per_month) && !said(Field::bill_per_month))
        complain(root,
                 "tokens.output is missing: tokens a month; tokens.input and tokens.cached_input beside it, or "
                 "cloud.bill_per_month or cloud.subscription_per_month where only the bill is known");
    if (const auto hardware = root["hardware"]; hardware.IsDefined())
        options(hardware, common, profile);
    else if (machine_ == nullptr)
        complain(root, std::string(kNoHardware));
    if (machine_ != nullptr) add_machine(root, common, profile);
    for (auto& option : profile.options) option.yearly_steps = yearly;
    return profile;
}

}  // namespace

Result<Profile> read_profile(std::string_view text, std::string_view source, const Machine* machine) {
    if (text.size() > kMostBytes) return fail(ErrorCode::too_large, fmt::format("{} is larger than 1 MiB", source));
    try {
        Reader reader(source, machine);
        auto profile = reader.read(YAML::Load(std::string(text)));
        if (reader.problems.empty()) return profile;
        return fail(ErrorCode::invalid, join(reader.problems, "\n"));
    } catch (const YAML::Exception& error) {
        const auto where =
            error.mark.is_null() ? std::string(source) : fmt::format("{}:{}", source, error.mark.line + 1);
        return fail(ErrorCode::invalid, fmt::format("{}: this is neither YAML nor JSON: {}", where, error.msg));
    }
}

}  // namespace tandem::cost
