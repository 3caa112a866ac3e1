#include "config/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "base/text.h"
#include "base/time_text.h"
#include "config/names.h"
#include "config/plain_value.h"
#include "config/service.h"

namespace tandem::config {

namespace {
// Stands for the braces of ${NAME} while YAML reads: a brace ends a value inside { ... }, this does not.
constexpr char kShield = '`';
}  // namespace

void Problems::add(const YAML::Mark& mark, const std::string& text) {
    if (mark.is_null())
        lines.push_back(fmt::format("{}: {}", source, text));
    else
        lines.push_back(fmt::format("{}:{}:{}: {}", source, mark.line + 1, mark.column + 1, text));
}

namespace {

// `seen` has where the nodes that were looked at begin: what an anchor (&x) names is looked at once, however often *x
// stands for it.
void find_twins(const YAML::Node& node, const std::string& path, std::set<std::pair<int, int>>& seen,
                Problems& problems) {
    if (!node.IsMap() && !node.IsSequence()) return;
    if (!seen.insert({node.Mark().line, node.Mark().column}).second) return;
    if (node.IsSequence()) {
        std::size_t index = 0;
        for (const auto& element : node) find_twins(element, fmt::format("{}[{}]", path, index++), seen, problems);
        return;
    }
    std::map<std::string, int> lines;
    for (const auto& entry : node) {
        if (!entry.first.IsScalar()) continue;
        const auto& key = entry.first.Scalar();
        const auto name = path.empty() ? key : path + "." + key;
        const auto [first, fresh] = lines.emplace(key, entry.first.Mark().line + 1);
        if (!fresh)
            problems.add(entry.first.Mark(),
                         fmt::format("{} stands twice, in line {} and here: keep one of the two, or rename it",
                                     printable(name, 120), first->second));
        find_twins(entry.second, name, seen, problems);
    }
}

}  // namespace

void find_twins(const YAML::Node& document, Problems& problems) {
    std::set<std::pair<int, int>> seen;
    find_twins(document, "", seen, problems);
}

Section::Section(YAML::Node node, std::string path, Problems& problems, const Environment& environment)
    : node_(std::move(node)), path_(std::move(path)), problems_(problems), environment_(environment) {
    if (!node_.IsDefined() || node_.IsNull()) return;
    if (!node_.IsMap()) {
        problems_.add(node_.Mark(),
                      fmt::format("{} must be a mapping (key: value)", path_.empty() ? "the file" : path_));
        node_ = YAML::Node();
        return;
    }
    for (const auto& entry : node_)
        if (!entry.first.IsScalar())
            problems_.add(entry.first.Mark(), fmt::format("{}: a key must be plain text", path_));
}

Section::~Section() {
    if (!node_.IsDefined() || !node_.IsMap()) return;
    const std::vector<std::string> known(asked_.begin(), asked_.end());
    for (const auto& entry : node_) {
        if (!entry.first.IsScalar() || asked_.contains(entry.first.Scalar())) continue;
        problems_.add(entry.first.Mark(),
                      fmt::format("unknown key '{}'{}{}", printable(entry.first.Scalar(), 60),
                                  path_.empty() ? "" : " in " + path_, suggest(entry.first.Scalar(), known)));
    }
}

YAML::Node Section::find(const std::string& key) {
    asked_.insert(key);
    if (!node_.IsDefined() || !node_.IsMap()) return YAML::Node(YAML::NodeType::Undefined);
    for (const auto& entry : node_)
        if (entry.first.IsScalar() && entry.first.Scalar() == key) return entry.second;
    return YAML::Node(YAML::NodeType::Undefined);
}

bool Section::has(const std::string& key) {
    const auto node = find(key);
    return node.IsDefined() && !node.IsNull();
}

std::vector<std::string> Section::keys() const {
    std::vector<std::string> result;
    if (!node_.IsDefined() || !node_.IsMap()) return result;
    for (const auto& entry : node_)
        if (entry.first.IsScalar()) result.push_back(entry.first.Scalar());
    return result;
}

void Section::complain(const std::string& key, const std::string& text) {
    const auto node = find(key);
    // The value of a variable may be a secret: it is named as it is written.
    const bool variable = node.IsDefined() && node.IsScalar() && node.Scalar().find("${") != std::string::npos;
    const auto quoted = text.find("got '");
    const auto said = variable && quoted != std::string::npos
                          ? fmt::format("{}got the value of {}", text.substr(0, quoted), node.Scalar())
                          : text;
    problems_.add(node.IsDefined() ? node.Mark() : node_.Mark(), fmt::format("{}: {}", name(key), said));
}

namespace {

// A line of the text marks a document: "---" begins one, "..." ends one (YAML 1.2, 9.1.2).
bool is_marked(std::string_view line, std::string_view mark) {
    return line.starts_with(mark) &&
           (line.size() == mark.size() || std::isspace(static_cast<unsigned char>(line[mark.size()])) != 0);
}

// Each line but for empty ones, comments and directives, with its number from 1.
template <typename See>
void each_line(std::string_view text, See&& see) {
    for (std::size_t at = 0, number = 1; at < text.size(); ++number) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        at = end + 1;
        const auto said = trim(line);
        if (!said.empty() && !said.starts_with('#') && !line.starts_with('%')) see(line, number);
    }
}

}  // namespace

std::optional<std::size_t> second_document(std::string_view text) {
    bool begun = false, ended = false;
    std::optional<std::size_t> second;
    each_line(text, [&](std::string_view line, std::size_t number) {
        if (is_marked(line, "...")) {
            ended = begun;
            return;
        }
        if (!second && (ended || (begun && is_marked(line, "---")))) second = number;
        begun = true;
    });
    return second;
}

std::optional<std::size_t> first_content(std::string_view text) {
    std::optional<std::size_t> first;
    each_line(text, [&](std::string_view line, std::size_t number) {
        const auto said = is_marked(line, "---") || is_marked(line, "...") ? trim(line.substr(3)) : line;
        if (!first && !said.empty() && !said.starts_with('#')) first = number;
    });
    return first;
}

std::string shield_variables(std::string text) {
    for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 2)) {
        const auto close = text.find_first_of("}\n", at);
        if (close == std::string::npos || text[close] != '}') continue;
        text[at + 1] = kShield;
        text[close] = kShield;
    }
    return text;
}

void Section::lacks(const std::string& key, const YAML::Mark& mark, const std::string& what, std::string_view advice,
                    bool secret) {
    if (problems_.missing == Missing::left_out)
        problems_.unresolved.push_back(
            {printable(name(key), kLongestProblem), printable(what, kLongestProblem), secret});
    else
        problems_.add(mark, fmt::format("{}: {}{}", name(key), what, advice));
}

// Puts values in for ${NAME} and ${NAME:-default}.
std::optional<std::string> Section::expand(const std::string& key, const YAML::Node& node, bool secret) {
    const std::string& written = node.Scalar();
    const std::string opening{'$', kShield};
    std::string result;
    for (std::size_t i = 0; i < written.size();) {
        if (written.compare(i, 2, "${") == 0) {
            problems_.add(node.Mark(), fmt::format("{}: '${{' without '}}'", name(key)));
            return std::nullopt;
        }
        if (written.compare(i, 2, opening) != 0) {
            result += written[i++];
            continue;
        }
        const auto close = std::min(written.find(kShield, i + 2), written.size());
        std::string variable = written.substr(i + 2, close - i - 2);
        std::optional<std::string> fallback;
        if (const auto split = variable.find(":-"); split != std::string::npos) {
            fallback = variable.substr(split + 2);
            variable.resize(split);
        }
        auto value = environment_(variable);
        if (!value || value->empty()) value = fallback;
        if (!value) {
            const auto named = printable(variable, 60);
            lacks(key, node.Mark(), fmt::format("the environment variable {} is not set", named),
                  problems_.source == kServiceConfig
                      ? fmt::format("; set it in {} and `systemctl restart tandem`, or write ${{{}:-default}}",
                                    kServiceEnvironment, named)
                      : fmt::format("; export it before you start tandem, or write ${{{}:-default}}", named),
                  secret);
            return std::nullopt;
        }
        result += *value;
        i = close + 1;
    }
    return result;
}

std::optional<std::string> Section::scalar(const std::string& key, bool secret) {
    const auto node = find(key);
    if (!node.IsDefined()) return std::nullopt;
    if (!node.IsScalar()) {
        problems_.add(node.Mark(), fmt::format("{}: expected one value", name(key)));
        return std::nullopt;
    }
    return expand(key, node, secret);
}

void Section::text(const std::string& key, std::string& target) {
    if (auto value = scalar(key)) target = std::move(*value);
}

void Section::name(const std::string& key, std::string& target) {
    text(key, target);
    if (!target.empty() && !is_name(target)) complain(key, "a name has at most 100 letters, digits and . _ : / -");
}

void Section::required_text(const std::string& key, std::string& target) {
    if (!find(key).IsDefined()) complain(fmt::format("'{}' is missing", key));
    text(key, target);
}

// A file's content, or that of a credential that systemd hands to the service (systemd.exec(5), LoadCredential=).
std::optional<std::string> Section::secret_of_file(const std::string& key, const std::string& value) {
    constexpr std::string_view kFile = "file:", kCredential = "credential:";
    std::filesystem::path path;
    if (value.starts_with(kFile)) {
        path = value.substr(kFile.size());
        if (path.is_relative() && !problems_.source.empty())
            path = std::filesystem::absolute(problems_.source).parent_path() / path;
    } else {
        const auto folder = environment_("CREDENTIALS_DIRECTORY");
        if (!folder) {
            lacks(key, "there are no systemd credentials here: $CREDENTIALS_DIRECTORY is not set");
            return std::nullopt;
        }
        path = std::filesystem::path(*folder) / value.substr(kCredential.size());
    }
    problems_.watched.push_back(path);
    constexpr std::size_t kLargest = 16 * 1024;
    auto text = read_regular(path, kLargest + 1);
    if (text && !text->empty() && text->size() <= kLargest) return std::move(*text);
    lacks(key, !text           ? text.error().message
               : text->empty() ? fmt::format("{} is empty", path.string())
                               : fmt::format("{} has more than {} bytes, which is no secret", path.string(), kLargest));
    return std::nullopt;
}

void Section::secret(const std::string& key, std::shared_ptr<const Secret>& target, bool required) {
    if (!find(key).IsDefined()) {
        if (required && problems_.source == kServiceConfig)
            complain(
                fmt::format("'{}' is missing; write {}: ${{NAME}} and set NAME in {}", key, key, kServiceEnvironment));
        else if (required)
            complain(fmt::format("'{}' is missing; write {}: ${{NAME}} and export NAME", key, key));
        return;
    }
    const auto written = find(key);
    if (auto value = scalar(key, true)) {
        if (value->starts_with("file:") || value->starts_with("credential:")) {
            auto read = secret_of_file(key, *value);
            if (!read) return;
            value = std::move(read);
        } else if (written.IsScalar() && written.Scalar() == *value && !value->starts_with("sha256:")) {
            problems_.bare_secrets.push_back(name(key));
        }
        *value = plain_value(*value);
        // Such a value ends in a header, where these would start another one.
        if (value->find_first_of("\r\n") != std::string::npos || value->empty())
            complain(key, "is empty or has a line break in it");
        else
            target = std::make_shared<const Secret>(std::move(*value));
    }
}

void Section::flag(const std::string& key, bool& target) {
    const auto value = scalar(key);
    if (!value) return;
    if (*value == "true")
        target = true;
    else if (*value == "false")
        target = false;
    else
        complain(key, fmt::format("expected true or false, got '{}'", printable(*value, 40)));
}

void Section::time(const std::string& key, std::int64_t& target) {
    const auto value = scalar(key);
    if (!value) return;
    if (const auto time = time_from(*value))
        target = *time;
    else
        complain(key, fmt::format("expected a time such as 2027-01-31 or 2027-01-31T12:00:00Z, got '{}'",
                                  printable(*value, 40)));
}

void Section::duration(const std::string& key, milliseconds& target) {
    const auto value = scalar(key);
    if (!value) return;
    const auto unit_at = value->find_first_not_of("0123456789");
    const auto count = whole_number(value->substr(0, unit_at));
    const std::string unit = unit_at == std::string::npos ? "" : value->substr(unit_at);
    const std::int64_t factor = unit == "ms"  ? 1
                                : unit == "s" ? 1000
                                : unit == "m" ? 60'000
                                : unit == "h" ? 3'600'000
                                : unit == "d" ? 86'400'000
                                              : 0;
    constexpr std::int64_t kLongest = 30LL * 24 * 3'600'000;
    if (!count || factor == 0 || *count == 0 || *count > kLongest / factor) {
        complain(key, fmt::format("expected a duration such as 500ms, 10s, 5m, 1h or 7d (30 days at most), got '{}'",
                                  printable(*value, 40)));
        return;
    }
    target = milliseconds(*count * factor);
}

void Section::bytes(const std::string& key, std::size_t& target, std::size_t low, std::size_t high) {
    const auto value = scalar(key);
    if (!value) return;
    const auto unit_at = value->find_first_not_of("0123456789");
    const auto count = whole_number(value->substr(0, unit_at));
    const std::string unit = unit_at == std::string::npos ? "" : std::string(trim(value->substr(unit_at)));
    const std::size_t factor = unit.empty() ? 1 : unit == "KiB" ? 1024 : unit == "MiB" ? 1024 * 1024 : 0;
    if (!count || factor == 0 || static_cast<std::size_t>(*count) > high / factor ||
        static_cast<std::size_t>(*count) * factor < low) {
        complain(key, fmt::format("expected a size from {} to {} bytes, such as 16KiB or 32MiB, got '{}'", low, high,
                                  printable(*value, 40)));
        return;
    }
    target = static_cast<std::size_t>(*count) * factor;
}

void Section::secrets(const std::string& key, std::vector<std::shared_ptr<const Secret>>& target) {
    const auto node = find(key);
    if (!node.IsDefined()) return;
    if (!node.IsSequence() || node.size() == 0) {
        complain(key, "expected a list such as [${FIRST_KEY}, ${SECOND_KEY}]");
        return;
    }
    std::vector<std::string> values;
    texts(key, values, true);
    for (std::size_t i = 0; i < values.size(); ++i) {
        auto& value = values[i];
        if (value.starts_with("file:") || value.starts_with("credential:")) {
            auto read = secret_of_file(key, value);
            if (!read) continue;
            value = std::move(*read);
        } else if (values.size() == node.size() && node[i].IsScalar() && node[i].Scalar() == value) {
            problems_.bare_secrets.push_back(name(key));
        }
        value = plain_value(value);
        if (value.find_first_of("\r\n") != std::string::npos || value.empty())
            complain(key, "one of them is empty or has a line break in it");
        else
            target.push_back(std::make_shared<const Secret>(std::move(value)));
    }
}

bool Section::is_section(const std::string& key) {
    const auto node = find(key);
    return node.IsDefined() && node.IsMap();
}

void Section::money(const std::string& key, Money& target) {
    const auto value = scalar(key);
    if (!value) return;
    if (auto money = Money::parse(*value))
        target = *money;
    else
        complain(key, money.error().message);
}

void Section::decimal(const std::string& key, std::int64_t& target, std::int64_t most) {
    const auto value = scalar(key);
    if (!value) return;
    const auto number = Money::parse(*value);
    if (!number || number->micros() > most)
        complain(key, fmt::format("expected a number from 0 to {} with at most six digits after the point, got '{}'",
                                  most / 1'000'000, printable(*value, 40)));
    else
        target = number->micros();
}

void Section::share(const std::string& key, double& target, double most) {
    const auto value = scalar(key);
    if (!value) return;
    double number = -1;
    const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
    if (error != std::errc() || end != value->data() + value->size() || !(number >= 0 && number <= most))
        complain(key, fmt::format("expected a number from 0 to {}, got '{}'", most, printable(*value, 40)));
    else
        target = number;
}

void Section::share(const std::string& key, std::optional<double>& target) {
    if (!has(key)) return;
    double number = 0;
    share(key, number);
    target = number;
}

void Section::label(const std::string& key, Label& target) {
    choice(key, target, kLabelNames);
}

void Section::texts(const std::string& key, std::vector<std::string>& target, bool secret) {
    const auto node = find(key);
    if (!node.IsDefined()) return;
    target.clear();
    if (node.IsScalar()) {
        if (auto value = expand(key, node, secret)) target.push_back(std::move(*value));
        return;
    }
    if (!node.IsSequence()) {
        complain(key, "expected a list such as [a, b]");
        return;
    }
    for (const auto& element : node) {
        if (!element.IsScalar()) {
            problems_.add(element.Mark(), fmt::format("{}: expected plain text", name(key)));
        } else if (auto value = expand(key, element, secret)) {
            target.push_back(std::move(*value));
        }
    }
}

std::optional<std::int64_t> Section::whole(const std::string& key, std::int64_t low, std::int64_t high) {
    const auto value = scalar(key);
    if (!value) return std::nullopt;
    const auto number = whole_number(*value);
    if (!number || *number < low || *number > high) {
        complain(key, fmt::format("expected a whole number from {} to {}, got '{}'", low, high, printable(*value, 40)));
        return std::nullopt;
    }
    return *number;
}

std::optional<std::size_t> Section::chosen(const std::string& key, std::span<const std::string_view> names) {
    const auto value = scalar(key);
    if (!value) return std::nullopt;
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == *value) return i;
    const std::vector<std::string> valid(names.begin(), names.end());
    complain(key, fmt::format("expected one of {}, got '{}'{}", join(valid, ", "), printable(*value, 40),
                              nearest(*value, valid).empty() ? "" : suggest(*value, valid)));
    return std::nullopt;
}

void Section::section(const std::string& key, const std::function<void(Section&)>& visit) {
    const auto node = find(key);
    if (!node.IsDefined()) return;
    Section section(node, name(key), problems_, environment_);
    visit(section);
}

void Section::each_named(const std::string& key, const std::function<void(const std::string&, Section&)>& visit) {
    const auto node = find(key);
    if (!node.IsDefined() || node.IsNull()) return;
    if (!node.IsMap()) {
        complain(key, "must be a mapping (name: { ... })");
        return;
    }
    for (const auto& entry : node) {
        if (!entry.first.IsScalar()) {
            problems_.add(entry.first.Mark(), fmt::format("{}: a name must be plain text", name(key)));
            continue;
        }
        Section section(entry.second, name(key) + "." + entry.first.Scalar(), problems_, environment_);
        visit(entry.first.Scalar(), section);
    }
}

void Section::each_listed(const std::string& key, const std::function<void(Section&)>& visit) {
    const auto node = find(key);
    if (!node.IsDefined() || node.IsNull()) return;
    if (!node.IsSequence()) {
        complain(key, "must be a list (- ...)");
        return;
    }
    std::size_t index = 0;
    for (const auto& element : node) {
        Section section(element, fmt::format("{}[{}]", name(key), index++), problems_, environment_);
        visit(section);
    }
}

}  // namespace tandem::config
