#include "cli/connect/lines.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "config/config.h"

namespace tandem::cli {

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        lines.emplace_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

std::unexpected<Error> refuse_lines(std::string_view what) {
    return fail(
        ErrorCode::invalid,
        fmt::format("{}; the file was left as it is. Put the settings into it by hand: without --write they are "
                    "printed",
                    what));
}

namespace {

bool has_name(const Lines& lines, std::string_view name) {
    return std::ranges::any_of(lines, [&](const auto& line) { return line.first == name; });
}

// ---- .env ----

// As dotenv reads it, for which a # begins a comment also inside of a word.
std::string env_value(const std::string& value) {
    if (value.find_first_of("#'\"`\\$ \t") == std::string::npos) return value;
    for (const char quote : {'\'', '`', '"'})
        if (value.find(quote) == std::string::npos) return fmt::format("{0}{1}{0}", quote, value);
    return value;
}

// Where the value that begins at `at` ends, as the dotenv of npm reads it: a quoted one goes on over lines where its
// quote is closed with nothing but a comment behind it; else it ends with its line.
std::size_t end_of_env_value(std::string_view text, std::size_t at) {
    const auto line_end = [&](std::size_t from) { return std::min(text.find('\n', from), text.size()); };
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
    if (at == text.size() || std::string_view("'\"`").find(text[at]) == std::string_view::npos) return line_end(at);
    const char quote = text[at];
    auto close = at + 1;
    while (close < text.size() && text[close] != quote)
        close += text[close] == '\\' && close + 1 < text.size() && text[close + 1] == quote ? 2 : 1;
    if (close >= text.size()) return line_end(at);
    const auto end = line_end(close);
    const auto behind = trim(text.substr(close + 1, end - close - 1));
    return behind.empty() || behind.front() == '#' ? end : line_end(at);
}

// The name that the line sets, in either form that dotenv takes (NAME=, NAME: ), and where its value begins.
std::pair<std::string_view, std::size_t> env_name(std::string_view text, std::size_t begin) {
    constexpr std::string_view kBlanks = " \t";
    const auto end = std::min(text.find('\n', begin), text.size());
    auto at = std::min(text.find_first_not_of(kBlanks, begin), end);
    if (text.substr(at).starts_with("export"))
        if (const auto behind = at + 6; behind < end && kBlanks.find(text[behind]) != std::string_view::npos)
            at = std::min(text.find_first_not_of(kBlanks, behind), end);
    auto stop = at;
    while (stop < end && (std::isalnum(static_cast<unsigned char>(text[stop])) != 0 ||
                          std::string_view("_.-").find(text[stop]) != std::string_view::npos))
        ++stop;
    const auto sign = std::min(text.find_first_not_of(kBlanks, stop), end);
    const bool equals = sign < end && text[sign] == '=';
    const bool colon =
        stop < end && text[stop] == ':' && stop + 1 < end && kBlanks.find(text[stop + 1]) != std::string_view::npos;
    if (stop == at || (!equals && !colon)) return {{}, end};
    return {text.substr(at, stop - at), (equals ? sign : stop) + 1};
}

// ---- YAML ----

std::string yaml_value(const std::string& value) {
    const bool plain = !value.empty() && value.find_first_of("#{}[]&*!|>'\"%@`,") == std::string::npos &&
                       value.find(": ") == std::string::npos && value.front() != '-' && value.front() != '?';
    return plain ? value : fmt::format("'{}'", value);
}

// The key that a line at the top level begins with, without its quotes; empty where it begins with none.
std::string_view yaml_name(std::string_view line) {
    if (line.empty() || line.front() == ' ' || line.front() == '\t') return {};
    if (line.front() != '"' && line.front() != '\'') {
        const auto colon = line.find(':');
        return colon == std::string_view::npos ? std::string_view() : trim(line.substr(0, colon));
    }
    const auto close = line.find(line.front(), 1);
    if (close == std::string_view::npos || !trim(line.substr(close + 1)).starts_with(':')) return {};
    return line.substr(1, close - 1);
}

// All top-level entries but ours, as they are read.
std::vector<std::string> others_in(const YAML::Node& root, const Lines& lines) {
    std::vector<std::string> others;
    for (const auto& entry : root) {
        const bool ours = entry.first.IsScalar() && std::ranges::any_of(lines, [&](const auto& line) {
                              return line.first == entry.first.Scalar();
                          });
        if (!ours) others.push_back(YAML::Dump(entry.first) + ": " + YAML::Dump(entry.second));
    }
    return others;
}

// Whether each of ours reads as it was meant, once.
bool has_all(const YAML::Node& root, const Lines& lines) {
    return std::ranges::all_of(lines, [&](const auto& line) {
        std::size_t times = 0;
        for (const auto& entry : root)
            if (entry.first.IsScalar() && entry.first.Scalar() == line.first)
                times += entry.second.IsScalar() && entry.second.Scalar() == line.second ? 1 : 2;
        return times == 1;
    });
}

}  // namespace

std::string change_env(const std::string& before, const Lines& lines) {
    const auto text = without_byte_order_mark(before);
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const auto [name, value] = env_name(text, at);
        const auto end = name.empty() ? value : end_of_env_value(text, value);
        if (!has_name(lines, name)) (out += text.substr(at, end - at)) += '\n';
        at = end + 1;
    }
    for (const auto& [key, value] : lines) out += fmt::format("{}={}\n", key, env_value(value));
    return out;
}

Result<std::string> change_yaml(const std::string& whole, const Lines& lines) {
    const std::string before(without_byte_order_mark(whole));
    std::string out;
    for (const auto& line : lines_of(before))
        if (!has_name(lines, yaml_name(line))) out += line + "\n";
    for (const auto& [key, value] : lines) out += fmt::format("{}: {}\n", key, yaml_value(value));
    try {
        const YAML::Node old = YAML::Load(before), fresh = YAML::Load(out);
        const bool empty = old.IsNull();
        if (config::second_document(before) || (!empty && !old.IsMap())) return refuse_lines("it is no YAML mapping");
        if (!fresh.IsMap() || !has_all(fresh, lines) ||
            others_in(fresh, lines) != (empty ? std::vector<std::string>{} : others_in(old, lines)))
            return refuse_lines(
                "a setting that is to be replaced has several lines, or a line like it stands inside of another's "
                "value");
    } catch (const YAML::Exception& error) {
        return refuse_lines(fmt::format("line {} is not valid YAML ({})", error.mark.line + 1, error.msg));
    }
    return out;
}

}  // namespace tandem::cli
