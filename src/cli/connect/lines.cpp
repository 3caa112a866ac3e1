#include "cli/connect/lines.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "config/config.h"

namespace tandem::cli {

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

std::unexpected<Error> refuse(std::string_view what) {
    return fail(
        ErrorCode::invalid,
        fmt::format("{}; the file was left as it is. Put the settings into it by hand: without --write they are "
                    "printed",
                    what));
}

// ---- YAML ----

std::string yaml_value(const std::string& value) {
    const bool plain = !value.empty() && value.find_first_of("#{}[]&*!|>'\"%@`,") == std::string::npos &&
                       value.find(": ") == std::string::npos && value.front() != '-' && value.front() != '?';
    return plain ? value : fmt::format("'{}'", value);
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

// ---- TOML ----

// Where a line begins inside of: an array or a string of several lines, whose content is no business of ours.
struct TomlState {
    std::string_view quotes;  // """ or ''', or empty
    int brackets = 0;
    bool inside() const { return !quotes.empty() || brackets > 0; }
};

void follow(std::string_view line, TomlState& state) {
    bool value = state.inside();
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (!state.quotes.empty()) {
            if (line.substr(i, 3) == state.quotes) {
                state.quotes = {};
                i += 2;
            } else if (line[i] == '\\' && state.quotes.front() == '"') {
                ++i;
            }
            continue;
        }
        if (line[i] == '#') return;
        if (line[i] == '=') value = true;
        for (const std::string_view three : {"\"\"\"", "'''"})
            if (line.substr(i, 3) == three) state.quotes = three;
        if (!state.quotes.empty()) {
            i += 2;
        } else if (line[i] == '"' || line[i] == '\'') {
            const char quote = line[i];
            for (++i; i < line.size() && line[i] != quote; ++i)
                if (quote == '"' && line[i] == '\\') ++i;
        } else if (value && (line[i] == '[' || line[i] == '{')) {
            ++state.brackets;
        } else if (value && (line[i] == ']' || line[i] == '}')) {
            --state.brackets;
        }
    }
}

// "[ a . "b" ]" as a.b
std::string table_name(std::string_view header) {
    std::string name;
    for (const char c : header.substr(0, header.find('#')))
        if (std::string_view("[] \t\"'").find(c) == std::string_view::npos) name += c;
    return name;
}

std::string toml_lines(const Lines& lines) {
    std::string out;
    for (const auto& [key, value] : lines) out += fmt::format("{} = {}\n", key, value);
    return out;
}

}  // namespace

std::string change_env(const std::string& before, const Lines& lines) {
    std::string out;
    for (const auto& line : lines_of(before)) {
        std::string_view text = trim(line);
        if (text.starts_with("export ")) text = trim(text.substr(7));
        const auto name = trim(text.substr(0, text.find('=')));
        const bool ours = text.find('=') != std::string_view::npos &&
                          std::ranges::any_of(lines, [&](const auto& one) { return one.first == name; });
        if (!ours) out += line + "\n";
    }
    for (const auto& [key, value] : lines) out += fmt::format("{}={}\n", key, value);
    return out;
}

Result<std::string> change_yaml(const std::string& before, const Lines& lines) {
    std::string out;
    for (const auto& line : lines_of(before)) {
        const auto name = std::string_view(line).substr(0, line.find(':'));
        const bool ours = line.find(':') != std::string::npos &&
                          std::ranges::any_of(lines, [&](const auto& one) { return one.first == trim(name); }) &&
                          !line.starts_with(' ') && !line.starts_with('\t');
        if (!ours) out += line + "\n";
    }
    for (const auto& [key, value] : lines) out += fmt::format("{}: {}\n", key, yaml_value(value));
    try {
        const YAML::Node old = YAML::Load(before), fresh = YAML::Load(out);
        const bool empty = old.IsNull();
        if (config::second_document(before) || (!empty && !old.IsMap())) return refuse("it is no YAML mapping");
        if (!fresh.IsMap() || !has_all(fresh, lines) ||
            others_in(fresh, lines) != (empty ? std::vector<std::string>{} : others_in(old, lines)))
            return refuse("a setting that is to be replaced has several lines");
    } catch (const YAML::Exception& error) {
        return refuse(fmt::format("line {} is not valid YAML ({})", error.mark.line + 1, error.msg));
    }
    return out;
}

Result<std::string> change_toml(const std::string& before, const Lines& top, const std::string& table,
                                const Lines& keys) {
    std::string head, rest;
    bool in_table = false, ours = false;
    TomlState state;
    const auto parent = table.substr(0, table.find('.'));
    for (const auto& line : lines_of(before)) {
        const auto text = trim(line);
        const bool begins = !state.inside();
        const bool header = begins && text.starts_with('[');
        if (header) {
            in_table = true;
            const auto name = table_name(text);
            ours = name == table || name.starts_with(table + ".");
        }
        const auto key = trim(text.substr(0, text.find_first_of("=#")));
        const bool has_value = begins && !header && text.find('=') != std::string_view::npos;
        if (has_value && !in_table && (key == parent || key.starts_with(parent + ".")))
            return refuse(fmt::format("'{}' stands in it without a table of its own", key));
        const bool replaced =
            has_value && !in_table && std::ranges::any_of(top, [&](const auto& one) { return one.first == key; });
        if (!header) follow(line, state);
        if (replaced && state.inside()) return refuse(fmt::format("'{}' has several lines", key));
        if (begins && !header && !has_value && !text.empty() && !text.starts_with('#'))
            return refuse(fmt::format("'{}' is not valid TOML", printable(text, 60)));
        // A comment in our table may be about what follows it.
        const bool comment = begins && text.starts_with('#');
        if (replaced || (ours && !comment)) continue;
        (in_table ? rest : head) += line + "\n";
    }
    if (state.inside()) return refuse("it is not valid TOML: something is opened and not closed");
    auto body = head + rest;
    while (body.ends_with("\n\n") || body == "\n") body.pop_back();
    return toml_lines(top) + body + "\n" + fmt::format("[{}]\n", table) + toml_lines(keys);
}

}  // namespace tandem::cli
