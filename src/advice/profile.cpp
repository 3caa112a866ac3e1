#include "advice/profile.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.h"

namespace tandem::advice {

namespace {

constexpr std::size_t kMostBytes = 1 << 20;
constexpr std::size_t kMostEntries = 100;
constexpr std::int64_t kMostTokensOfRequest = 10'000'000;

// Reads mappings, and complains of all that is wrong in them.
class Reader {
  public:
    explicit Reader(std::string_view source) : source_(source) {}
    Profile read(const YAML::Node& root);
    std::vector<std::string> problems;

  private:
    void complain(const YAML::Node& at, const std::string& text) {
        const auto mark = at.Mark();
        problems.push_back(mark.is_null() ? fmt::format("{}: {}", source_, text)
                                          : fmt::format("{}:{}: {}", source_, mark.line + 1, text));
    }
    bool mapping(const YAML::Node& node, const std::string& path, std::initializer_list<std::string_view> valid);
    double number(const YAML::Node& node, const std::string& path, const char* key, double usual, double low,
                  double high, bool needed = false);
    std::int64_t whole(const YAML::Node& node, const std::string& path, const char* key, std::int64_t usual,
                       std::int64_t low, std::int64_t high, bool needed = false);
    std::int64_t millionths(const YAML::Node& node, const std::string& path, const char* key, std::int64_t usual,
                            bool needed = false);
    std::string text(const YAML::Node& node, const std::string& path, const char* key);
    template <std::size_t N>
    std::size_t choice(const YAML::Node& node, const std::string& path, const char* key,
                       const std::array<std::string_view, N>& names, std::size_t usual, bool needed);
    std::optional<config::Capabilities> capabilities(const YAML::Node& node, const std::string& path, const char* key);
    Speed speed(const YAML::Node& node, const std::string& path);
    Work work(const YAML::Node& node, const std::string& path);
    Offer offer(const YAML::Node& node, const std::string& path);
    // Each entry of a list.
    template <typename Each>
    void list(const YAML::Node& root, const std::string& key, const Each& each);

    std::string source_;
};

bool Reader::mapping(const YAML::Node& node, const std::string& path, std::initializer_list<std::string_view> valid) {
    if (!node.IsMap()) {
        complain(node, fmt::format("{}: expected a mapping with the keys {}", path.empty() ? "profile" : path,
                                   join(std::vector<std::string>(valid.begin(), valid.end()), ", ")));
        return false;
    }
    std::set<std::string> seen;
    for (const auto& entry : node) {
        const auto key = entry.first.IsScalar() ? entry.first.Scalar() : std::string();
        const auto name = path.empty() ? printable(key, 80) : path + "." + printable(key, 80);
        if (std::ranges::find(valid, key) == valid.end())
            complain(entry.first, fmt::format("{}: there is no such key{}", name,
                                              suggest(key, std::vector<std::string>(valid.begin(), valid.end()))));
        else if (!seen.insert(key).second)
            complain(entry.first, fmt::format("{}: stands here twice; leave one of them", name));
    }
    return true;
}

double Reader::number(const YAML::Node& node, const std::string& path, const char* key, double usual, double low,
                      double high, bool needed) {
    const auto value = node[key];
    if (!value.IsDefined()) {
        if (needed) complain(node, fmt::format("{}.{} is missing: a number from {:g} to {:g}", path, key, low, high));
        return usual;
    }
    const auto said = value.IsScalar() ? value.Scalar() : std::string();
    char* end = nullptr;
    const double result = std::strtod(said.c_str(), &end);
    if (said.empty() || end != said.c_str() + said.size() || !(result >= low && result <= high)) {
        complain(value, fmt::format("{}.{}: expected a number from {:g} to {:g}, got '{}'", path, key, low, high,
                                    printable(said, 40)));
        return usual;
    }
    return result;
}

std::int64_t Reader::whole(const YAML::Node& node, const std::string& path, const char* key, std::int64_t usual,
                           std::int64_t low, std::int64_t high, bool needed) {
    const auto before = problems.size();
    const double result = number(node, path, key, static_cast<double>(usual), static_cast<double>(low),
                                 static_cast<double>(high), needed);
    if (problems.size() == before && result != std::floor(result))
        complain(node[key], fmt::format("{}.{}: expected a whole number", path, key));
    return static_cast<std::int64_t>(result);
}

// Amounts and watts, exact to six digits after the point.
std::int64_t Reader::millionths(const YAML::Node& node, const std::string& path, const char* key, std::int64_t usual,
                                bool needed) {
    const auto value = node[key];
    if (!value.IsDefined()) {
        if (needed) complain(node, fmt::format("{}.{} is missing; write 0 where there is none", path, key));
        return usual;
    }
    const auto read = Money::parse(value.IsScalar() ? value.Scalar() : std::string());
    if (read) return read->micros();
    complain(value, fmt::format("{}.{}: expected a number with at most six digits after the point, got '{}'", path, key,
                                printable(value.IsScalar() ? value.Scalar() : std::string(), 40)));
    return usual;
}

std::string Reader::text(const YAML::Node& node, const std::string& path, const char* key) {
    const auto value = node[key];
    if (value.IsDefined() && value.IsScalar() && !value.Scalar().empty()) return printable(value.Scalar(), 80);
    complain(node, fmt::format("{}.{} is missing: a name", path, key));
    return {};
}

template <std::size_t N>
std::size_t Reader::choice(const YAML::Node& node, const std::string& path, const char* key,
                           const std::array<std::string_view, N>& names, std::size_t usual, bool needed) {
    const auto value = node[key];
    const std::vector<std::string> valid(names.begin(), names.end());
    if (!value.IsDefined()) {
        if (needed) complain(node, fmt::format("{}.{} is missing: one of {}", path, key, join(valid, ", ")));
        return usual;
    }
    const auto said = value.IsScalar() ? value.Scalar() : std::string();
    const auto found = std::ranges::find(valid, said);
    if (found != valid.end()) return static_cast<std::size_t>(found - valid.begin());
    complain(value, fmt::format("{}.{}: expected one of {}, got '{}'{}", path, key, join(valid, ", "),
                                printable(said, 40), suggest(said, valid)));
    return usual;
}

std::optional<config::Capabilities> Reader::capabilities(const YAML::Node& node, const std::string& path,
                                                         const char* key) {
    const auto value = node[key];
    if (!value.IsDefined()) return std::nullopt;
    config::Capabilities result;
    const std::vector<std::string> valid(config::kCapabilityNames.begin(), config::kCapabilityNames.end());
    if (!value.IsSequence()) complain(value, fmt::format("{}.{}: expected a list such as [tools, json]", path, key));
    for (const auto& one : value) {
        const auto said = one.IsScalar() ? one.Scalar() : std::string();
        const auto found = std::ranges::find(valid, said);
        if (found == valid.end())
            complain(one, fmt::format("{}.{}: expected some of {}, got '{}'{}", path, key, join(valid, ", "),
                                      printable(said, 40), suggest(said, valid)));
        else
            result.add(static_cast<config::Capability>(found - valid.begin()));
    }
    return result;
}

Speed Reader::speed(const YAML::Node& node, const std::string& path) {
    constexpr double kMostPerSecond = 1e7, kMostStart = 3'600'000;
    Speed speed;
    speed.start_ms = number(node, path, "start_ms", 0, 0, kMostStart);
    speed.input_per_ms = number(node, path, "input_per_second", 0, 0, kMostPerSecond, true) / 1000;
    speed.output_per_ms = number(node, path, "output_per_second", 0, 0, kMostPerSecond, true) / 1000;
    speed.source = "from the profile";
    return speed;
}

Work Reader::work(const YAML::Node& node, const std::string& path) {
    Work work;
    if (!mapping(node, path,
                 {"kind", "requests_per_day", "input_tokens", "cached_tokens", "output_tokens", "difficulty", "private",
                  "needs", "arrivals", "burst"}))
        return work;
    constexpr double kMostPerDay = 10'000'000;
    work.kind = static_cast<routing::WorkKind>(choice(node, path, "kind", routing::kWorkKindNames, 0, true));
    work.requests_per_day = number(node, path, "requests_per_day", 0, 0.05, kMostPerDay, true);
    work.input_tokens = whole(node, path, "input_tokens", 0, 1, kMostTokensOfRequest, true);
    work.cached_tokens = whole(node, path, "cached_tokens", 0, 0, kMostTokensOfRequest);
    work.output_tokens = whole(node, path, "output_tokens", 0, 0, kMostTokensOfRequest, true);
    work.difficulty = static_cast<int>(whole(node, path, "difficulty", 35, 0, 100));
    work.private_share = number(node, path, "private", 0, 0, 1);
    work.needs = capabilities(node, path, "needs").value_or(config::Capabilities{});
    work.pattern = static_cast<Pattern>(choice(node, path, "arrivals", kPatternNames, 0, false));
    work.burst = static_cast<int>(whole(node, path, "burst", 10, 1, 10'000));
    if (work.cached_tokens > work.input_tokens)
        complain(node, fmt::format("{}.cached_tokens: are part of input_tokens, and more than those", path));
    return work;
}

Offer Reader::offer(const YAML::Node& node, const std::string& path) {
    Offer offer;
    if (!mapping(node, path,
                 {"name", "price", "residual_value", "life_months", "share", "watts_idle", "watts_busy",
                  "cost_of_capital_percent", "runs"}))
        return offer;
    auto& hardware = offer.hardware;
    hardware.id = text(node, path, "name");
    hardware.price = Money::from_micros(millionths(node, path, "price", 0, true));
    hardware.residual = Money::from_micros(millionths(node, path, "residual_value", 0));
    hardware.life_months = static_cast<int>(whole(node, path, "life_months", 0, 1, 1'200, true));
    hardware.share = millionths(node, path, "share", config::kMillion);
    hardware.idle_watts = millionths(node, path, "watts_idle", 0, true);
    hardware.busy_watts = millionths(node, path, "watts_busy", 0, true);
    hardware.cost_of_capital = millionths(node, path, "cost_of_capital_percent", 0);
    if (hardware.residual > hardware.price) complain(node, fmt::format("{}.residual_value: is above the price", path));
    if (hardware.share > config::kMillion || hardware.share <= 0)
        complain(node, fmt::format("{}.share: is a part of the machine, above 0 and at most 1", path));
    const auto runs = node["runs"];
    if (!runs.IsDefined() || !runs.IsSequence() || runs.size() == 0) {
        complain(node, fmt::format("{}.runs is missing: a list of the models that it would run, such as [{{model: "
                                   "qwen3-32b, input_per_second: 1500, output_per_second: 30}}]",
                                   path));
        return offer;
    }
    for (std::size_t i = 0; i < runs.size() && i < kMostEntries; ++i) {
        const auto at = fmt::format("{}.runs[{}]", path, i);
        Runs one;
        if (!mapping(runs[i], at,
                     {"model", "start_ms", "input_per_second", "output_per_second", "slots", "context", "capabilities",
                      "quality"}))
            continue;
        one.model = text(runs[i], at, "model");
        one.speed = speed(runs[i], at);
        one.slots = static_cast<int>(whole(runs[i], at, "slots", 1, 1, 1'024));
        one.context_tokens = whole(runs[i], at, "context", 0, 64, 100'000'000);
        one.capabilities = capabilities(runs[i], at, "capabilities");
        if (runs[i]["quality"].IsDefined()) one.quality = number(runs[i], at, "quality", 0.5, 0, 1);
        offer.runs.push_back(std::move(one));
    }
    return offer;
}

template <typename Each>
void Reader::list(const YAML::Node& root, const std::string& key, const Each& each) {
    const auto node = root[key];
    if (!node.IsDefined() || node.IsNull()) return;
    if (!node.IsSequence() || node.size() > kMostEntries) {
        complain(node, fmt::format("{}: expected a list with at most {} entries", key, kMostEntries));
        return;
    }
    for (std::size_t i = 0; i < node.size(); ++i) each(node[i], fmt::format("{}[{}]", key, i));
}

Profile Reader::read(const YAML::Node& root) {
    Profile profile;
    if (!mapping(root, "", {"currency", "work", "models", "hardware"})) return profile;
    if (root["currency"].IsDefined()) profile.currency = text(root, "profile", "currency");
    list(root, "work",
         [&](const YAML::Node& node, const std::string& path) { profile.work.push_back(work(node, path)); });
    list(root, "hardware",
         [&](const YAML::Node& node, const std::string& path) { profile.hardware.push_back(offer(node, path)); });
    if (const auto models = root["models"]; models.IsDefined() && models.IsMap())
        for (const auto& entry : models) {
            const auto name = printable(entry.first.Scalar(), 80);
            const auto path = "models." + name;
            if (!mapping(entry.second, path, {"start_ms", "input_per_second", "output_per_second", "slots"})) continue;
            profile.models.push_back(
                {name, speed(entry.second, path), static_cast<int>(whole(entry.second, path, "slots", 0, 1, 1'024))});
        }
    else if (models.IsDefined())
        complain(models, "models: expected a mapping of models of tandem.yaml to their speeds");
    if (problems.empty() && profile.work.empty() && profile.hardware.empty() && profile.models.empty())
        complain(root,
                 "nothing is in it: work: describes requests, hardware: machines to buy "
                 "(docs/concepts/compare.md has an example)");
    return profile;
}

constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kDays = 28;

// When the request that stands at `share` (0 to 1) of all comes, from the beginning of the span.
std::int64_t offset_at(Pattern pattern, double share, std::int64_t start, std::int64_t days) {
    if (pattern != Pattern::office) return static_cast<std::int64_t>(share * static_cast<double>(days * kDay));
    // The working days of the span, eight hours of each.
    std::vector<std::int64_t> working;
    for (std::int64_t day = 0; day < days; ++day) {
        const auto weekday = ((start / kDay + day) % 7 + 4) % 7;  // 1970-01-01 was a Thursday; 0 is Sunday
        if (weekday != 0 && weekday != 6) working.push_back(day);
    }
    if (working.empty()) return static_cast<std::int64_t>(share * static_cast<double>(days * kDay));
    constexpr std::int64_t kFrom = 9 * kHour, kLength = 8 * kHour;
    const double at = share * static_cast<double>(working.size());
    const auto day = std::min(working.size() - 1, static_cast<std::size_t>(at));
    return working[day] * kDay + kFrom +
           static_cast<std::int64_t>((at - static_cast<double>(day)) * static_cast<double>(kLength));
}

}  // namespace

Result<Profile> read_profile(std::string_view text, std::string_view source) {
    if (text.size() > kMostBytes) return fail(ErrorCode::too_large, fmt::format("{} is larger than 1 MiB", source));
    try {
        Reader reader(source);
        auto profile = reader.read(YAML::Load(std::string(text)));
        if (reader.problems.empty()) return profile;
        return fail(ErrorCode::invalid, join(reader.problems, "\n"));
    } catch (const YAML::Exception& error) {
        const auto where =
            error.mark.is_null() ? std::string(source) : fmt::format("{}:{}", source, error.mark.line + 1);
        return fail(ErrorCode::invalid, fmt::format("{}: this is neither YAML nor JSON: {}", where, error.msg));
    }
}

Traffic traffic_of(const Profile& profile, std::int64_t until_ms) {
    Traffic traffic;
    traffic.of_profile = true;
    double per_day = 0;
    for (const auto& work : profile.work) per_day += work.requests_per_day;
    const auto fit = static_cast<std::int64_t>(static_cast<double>(Traffic::kMostRequests) / std::max(per_day, 1.0));
    // Whole weeks where they fit, so that each weekday counts alike.
    const auto days = fit >= kDays ? kDays : std::max<std::int64_t>(1, fit >= 7 ? fit / 7 * 7 : fit);
    const auto end = until_ms / kDay * kDay;
    traffic.span = {end - days * kDay, end};
    const auto alias = traffic.aliases.number_of("auto"), key = traffic.keys.number_of("profile");
    for (const auto& work : profile.work) {
        const auto count = std::min<std::int64_t>(Traffic::kMostRequests,
                                                  std::llround(work.requests_per_day * static_cast<double>(days)));
        for (std::int64_t i = 0; i < count; ++i) {
            const auto first = work.pattern == Pattern::bursts ? i / work.burst * work.burst : i;
            const double share = (static_cast<double>(first) + 0.5) / static_cast<double>(count);
            Request request;
            request.time_ms = traffic.span.start + offset_at(work.pattern, share, traffic.span.start, days);
            request.alias = alias;
            request.key = key;
            const auto upto = [&](std::int64_t n) { return std::floor(static_cast<double>(n) * work.private_share); };
            if (upto(i + 1) > upto(i)) request.label = request.rest = Label::private_;
            request.kind = work.kind;
            request.sure = 1;
            request.difficulty = static_cast<std::uint8_t>(work.difficulty);
            request.needs = work.needs;
            request.whole = true;
            request.prompt_tokens = work.input_tokens;
            request.usage.input = {work.input_tokens};
            request.usage.cached_input = {work.cached_tokens};
            request.usage.output = {work.output_tokens};
            traffic.requests.push_back(request);
        }
    }
    std::ranges::sort(traffic.requests, [](const Request& a, const Request& b) { return a.time_ms < b.time_ms; });
    return traffic;
}

}  // namespace tandem::advice
