// What the sections say of their keys: read once without a document.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/reader.h"

namespace tandem::config {

namespace {

// 1,000,000 and 0.5
std::string counted(double number) {
    const auto whole = static_cast<std::int64_t>(number);
    if (static_cast<double>(whole) != number) return fmt::format("{}", number);
    auto text = fmt::format("{}", whole);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
        text.insert(static_cast<std::size_t>(at), ",");
    return text;
}

std::string bytes(double size) {
    constexpr std::array<std::string_view, 5> kUnits = {"", " KiB", " MiB", " GiB", " TiB"};
    auto whole = static_cast<std::uint64_t>(size);
    std::size_t unit = 0;
    while (whole != 0 && whole % 1024 == 0 && unit + 1 < kUnits.size()) {
        whole /= 1024;
        ++unit;
    }
    return fmt::format("{}{}", whole, kUnits[unit]);
}

std::string one_of(const std::vector<std::string>& choices) {
    if (std::ranges::equal(choices, kLabelNames)) return "label";
    std::vector<std::string> quoted;
    for (const auto& choice : choices) quoted.push_back(fmt::format("`{}`", choice));
    return "one of " + join(quoted, ", ");
}

std::string type_of_one(const Described& key) {
    const auto zero = key.or_zero ? "0 or " : "";
    switch (key.type) {
        case KeyType::text:
            return "text";
        case KeyType::secret:
            return "secret";
        case KeyType::flag:
            return "true or false";
        case KeyType::duration:
            return "duration";
        case KeyType::time:
            return "time";
        case KeyType::size:
            return fmt::format("size, {}{} to {}", zero, bytes(key.low), bytes(key.high));
        case KeyType::money:
            return "money";
        case KeyType::number:
            return fmt::format("number, {}{} to {}", zero, counted(key.low), counted(key.high));
        case KeyType::whole:
            return fmt::format("whole number, {}{} to {}", zero, counted(key.low), counted(key.high));
        case KeyType::mapping:
            return "mapping";
        case KeyType::named:
            return "mapping by NAME";
        case KeyType::listed:
            return "list of mappings";
    }
    return "";
}

}  // namespace

std::vector<Described> describe() {
    std::vector<Described> keys;
    Problems problems;
    problems.described = &keys;
    const Environment none = [](const std::string&) { return std::optional<std::string>(); };
    Config config;
    Section root(YAML::Node(), "", problems, none);
    read_root(root, config);
    return keys;
}

std::string type_of(const Described& key) {
    if (!key.list) return key.choices.empty() ? type_of_one(key) : one_of(key.choices);
    if (!key.choices.empty()) return "list, " + one_of(key.choices);
    return key.type == KeyType::secret ? "list of secrets" : "list";
}

std::string default_of(const Described& key) {
    if (!key.usual.empty()) return key.usual;
    const auto values = join(key.preset, ", ");
    if (key.list && !key.preset.empty()) return fmt::format("`[{}]`", values);
    return key.type == KeyType::text && key.choices.empty() && !values.empty() ? fmt::format("`{}`", values) : values;
}

}  // namespace tandem::config
