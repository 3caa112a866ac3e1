#include "config/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "base/text.h"
#include "config/service.h"

namespace tandem::config {

namespace {
// Stands for the braces of ${NAME} while YAML reads: a brace ends a value inside { ... }, this does not.
constexpr char kShield = '`';
}  // namespace

void Problems::add(const YAML::Mark& mark, const std::string& text) {
    if (described != nullptr) return;  // there is no document that could be wrong
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
    const auto old = renamed_.find(key);
    return old == renamed_.end() ? YAML::Node(YAML::NodeType::Undefined) : find(old->second);
}

void Section::renamed(const std::string& old, const std::string& now) {
    if (describing()) {
        renamed_[now] = old;
        return;
    }
    const auto stands = [&](const std::string& key) { return find(key).IsDefined(); };
    if (!stands(old)) {
        asked_.erase(old);  // what is mistyped is meant for the new name
        return;
    }
    if (warn_of_name(find(old), old, now, stands(now))) renamed_[now] = old;
}

void Section::moved(const std::string& old, const std::string& now) {
    if (describing()) {
        moved_[old] = now;
        return;
    }
    const auto at = find(old);
    if (!at.IsDefined()) return;
    const auto dot = now.find('.');
    const auto section = find(now.substr(0, dot));
    const auto both = section.IsDefined() && section.IsMap() && section[now.substr(dot + 1)].IsDefined();
    warn_of_name(at, old, name(now), both);
}

bool Section::warn_of_name(const YAML::Node& at, const std::string& old, const std::string& now, bool both) {
    const auto words = fmt::format("`{}` is now called `{}`", name(old), now);
    if (both)
        problems_.add(at.Mark(), fmt::format("{}, and both stand here: keep `{}`", words, now));
    else
        problems_.warnings.push_back(fmt::format("{}:{}: {}", problems_.source, at.Mark().line + 1, words));
    return !both;
}

bool Section::has(const std::string& key) {
    if (describing()) return true;
    const auto node = find(key);
    return node.IsDefined() && !node.IsNull();
}

std::vector<std::string> Section::keys() const {
    std::vector<std::string> result;
    if (describing()) return {"NAME"};
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

bool Section::is_section(const std::string& key) {
    const auto node = find(key);
    return node.IsDefined() && node.IsMap();
}

void Section::note(const std::string& key, const About& about, Described form) {
    form.path = name(key);
    form.what = about.what;
    if (const auto old = renamed_.find(key); old != renamed_.end()) form.formerly = old->second;
    if (const auto now = moved_.find(key); now != moved_.end()) form.instead = name(now->second);
    form.usual = about.usual;
    form.page = about.page;
    if (form.pattern.empty()) form.pattern = about.pattern;
    form.example = about.example;
    form.condition = about.condition;
    form.sibling = about.sibling;
    form.values = about.values;
    form.required = about.is_required && about.condition.empty();
    form.or_number = form.or_number || about.or_number;
    form.or_zero = about.or_zero;
    form.nullable = form.nullable || about.or_null;
    if (about.high > 0) std::tie(form.low, form.high) = std::pair(about.low, about.high);
    problems_.described->push_back(std::move(form));
}

void Section::want(const std::string& key, const About& about) {
    if (about.is_required && !find(key).IsDefined()) complain(fmt::format("'{}' is missing{}", key, about.missing));
}

void Section::elsewhere(const YAML::Node& node, const std::string& path, const std::function<void(Section&)>& visit) {
    Section section(node, path, problems_, environment_);
    visit(section);
}

void Section::section(const std::string& key, const About& about, const std::function<void(Section&)>& visit) {
    const auto node = find(key);
    if (describing())
        note(key, about, {.type = KeyType::mapping});
    else if (!node.IsDefined())
        return want(key, about);
    elsewhere(node, name(key), visit);
}

void Section::always(const std::string& key, const About& about, const std::function<void(Section&)>& visit) {
    if (describing() || find(key).IsDefined()) return section(key, about, visit);
    elsewhere(YAML::Node(), name(key), visit);
}

void Section::each_named(const std::string& key, const About& about,
                         const std::function<void(const std::string&, Section&)>& visit) {
    const auto node = find(key);
    if (describing()) {
        note(key, about, {.type = KeyType::named});
        return elsewhere(node, name(key) + ".NAME", [&](Section& section) { visit("NAME", section); });
    }
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

void Section::each_listed(const std::string& key, const About& about, const std::function<void(Section&)>& visit) {
    const auto node = find(key);
    if (describing()) {
        note(key, about, {.type = KeyType::listed});
        return elsewhere(node, name(key) + "[]", visit);
    }
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
