#include "advice/edit.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/text.h"

namespace tandem::advice {

namespace {

using Path = std::vector<std::string>;

std::string shown(const Path& path, std::string_view value) {
    return fmt::format("{}: {}", join(path, "."), value);
}

std::unexpected<Error> refused(const Path& path, std::string_view value, std::string_view why) {
    return fail(ErrorCode::invalid,
                fmt::format("{}; write it there by hand: {}", why, shown(path, printable(std::string(value), 200))));
}

// The member of a mapping by its key as it is written; an undefined node where there is none.
YAML::Node member(const YAML::Node& map, const std::string& key) {
    for (const auto& entry : map)
        if (entry.first.IsScalar() && entry.first.Scalar() == key) return entry.second;
    return YAML::Node(YAML::NodeType::Undefined);
}

bool equal(const YAML::Node& a, const YAML::Node& b) {
    if (a.Type() != b.Type() || a.size() != b.size()) return false;
    if (a.IsScalar()) return a.Scalar() == b.Scalar() && (a.Tag() == "!") == (b.Tag() == "!");
    if (a.IsSequence()) {
        for (std::size_t i = 0; i < a.size(); ++i)
            if (!equal(a[i], b[i])) return false;
        return true;
    }
    if (!a.IsMap()) return true;
    return std::ranges::all_of(a, [&](const auto& entry) {
        if (!entry.first.IsScalar()) return false;
        const auto other = member(b, entry.first.Scalar());
        return other.IsDefined() && equal(entry.second, other);
    });
}

// Whether `after` is `before` with `value` at `path`, and else the same.
bool differs_only_at(const YAML::Node& before, const YAML::Node& after, const Path& path, std::size_t depth,
                     const YAML::Node& value) {
    if (depth == path.size()) return equal(after, value);
    const bool was_there = before.IsDefined() && before.IsMap();
    if (!after.IsMap() || (before.IsDefined() && !before.IsMap() && !before.IsNull())) return false;
    const auto changed = member(after, path[depth]);
    if (!changed.IsDefined()) return false;
    const auto was = was_there ? member(before, path[depth]) : YAML::Node(YAML::NodeType::Undefined);
    const auto expected = (was_there ? before.size() : 0) + (was.IsDefined() ? 0 : 1);
    if (after.size() != expected || !differs_only_at(was, changed, path, depth + 1, value)) return false;
    if (!was_there) return true;
    return std::ranges::all_of(before, [&](const auto& entry) {
        if (!entry.first.IsScalar()) return false;
        const auto key = entry.first.Scalar();
        if (key == path[depth]) return true;
        const auto other = member(after, key);
        return other.IsDefined() && equal(entry.second, other);
    });
}

std::size_t offset_of(const YAML::Node& node) {
    const auto mark = node.Mark();
    return mark.is_null() || mark.pos < 0 ? std::string::npos : static_cast<std::size_t>(mark.pos);
}

std::string_view line_end(std::string_view text) {
    return text.find("\r\n") != std::string_view::npos ? "\r\n" : "\n";
}

// The source of a scalar that is there, replaced.
std::optional<std::string> replaced(const std::string& text, const YAML::Node& node, std::string_view value) {
    const auto at = offset_of(node);
    if (!node.IsScalar() || at >= text.size()) return std::nullopt;
    const auto& old = node.Scalar();
    std::size_t size = old.size();
    if (text[at] == '"' || text[at] == '\'') {
        if (text.compare(at + 1, old.size(), old) != 0 || text[at + 1 + old.size()] != text[at]) return std::nullopt;
        size += 2;
    } else if (old.empty() || text.compare(at, old.size(), old) != 0) {
        return std::nullopt;
    }
    auto result = text;
    return result.replace(at, size, value);
}

// Behind the bracket that closes the one at `at`; nothing where the text has none. Quotes and comments may hold others.
std::optional<std::size_t> behind_brackets(const std::string& text, std::size_t at) {
    int depth = 0;
    for (char quote = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (quote != 0) {
            if (c == '\\' && quote == '"') ++at;
            if (c == quote) quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '#' && std::isspace(static_cast<unsigned char>(text[at - 1])) != 0) {
            at = text.find('\n', at);
            if (at == std::string::npos) return std::nullopt;
        } else if (c == '[' || c == '{') {
            ++depth;
        } else if ((c == ']' || c == '}') && --depth == 0) {
            return at + 1;
        }
    }
    return std::nullopt;
}

// A list in brackets that is there, replaced. One in lines has comments between them more often than not.
std::optional<std::string> replaced_list(const std::string& text, const YAML::Node& node, std::string_view value) {
    const auto at = offset_of(node);
    if (!node.IsSequence() || at == 0 || at >= text.size() || text[at] != '[') return std::nullopt;
    const auto end = behind_brackets(text, at);
    if (!end) return std::nullopt;
    auto result = text;
    return result.replace(at, *end - at, value);
}

// A member more in a mapping that is there, as its first.
std::optional<std::string> inserted(const std::string& text, const YAML::Node& map, const std::string& entry) {
    auto at = offset_of(map);
    if (at >= text.size()) return std::nullopt;
    auto result = text;
    if (text[at] == '{') return result.insert(at + 1, map.size() == 0 ? entry : " " + entry + ",");
    // A block's mark is where its first key is: the new one stands in a line before that, in the same column.
    const auto line = text.rfind('\n', at);
    const auto column = at - (line == std::string::npos ? 0 : line + 1);
    const auto before = text.substr(at - column, column);
    const bool indents = std::ranges::all_of(before, [](char c) { return c == ' ' || c == '-'; });
    if (!indents || map.size() == 0) return std::nullopt;
    return result.insert(at, fmt::format("{}{}{}", entry, line_end(text), std::string(column, ' ')));
}

std::string appended(const std::string& text, const std::string& entry) {
    const auto end = line_end(text);
    auto result = text;
    if (!result.empty() && result.back() != '\n') result += end;
    return result + entry + std::string(end);
}

// `value` below the keys from `depth` on, as one line: "policy: { preset: learned }".
std::string nested(const Path& path, std::size_t depth, std::string_view value) {
    auto text = std::string(value);
    for (auto i = path.size(); i > depth + 1; --i) text = fmt::format("{{ {}: {} }}", path[i - 1], text);
    return fmt::format("{}: {}", path[depth], text);
}

std::optional<std::string> changed(const std::string& text, const YAML::Node& root, const Path& path,
                                   std::string_view value) {
    if (root.IsNull()) return appended(text, nested(path, 0, value));
    YAML::Node at = root;
    for (std::size_t depth = 0; depth < path.size(); ++depth) {
        if (!at.IsMap()) return std::nullopt;
        const auto next = member(at, path[depth]);
        if (!next.IsDefined()) {
            const auto entry = nested(path, depth, value);
            const auto start = offset_of(at);
            const bool flow = start < text.size() && text[start] == '{';
            return depth == 0 && !flow ? appended(text, entry) : inserted(text, at, entry);
        }
        if (depth + 1 == path.size())
            return next.IsSequence() ? replaced_list(text, next, value) : replaced(text, next, value);
        at.reset(next);
    }
    return std::nullopt;
}

Result<Path> path_of(const Change& change) {
    switch (change.what) {
        case Change::What::preset:
            return Path{"policy", "preset"};
        case Change::What::auto_use:
            return Path{"models", change.name, "auto"};
        case Change::What::add_model:
            return Path{"models", change.name};
        default:
            return fail(ErrorCode::invalid, change.text() + " is for your own hands");
    }
}

}  // namespace

Result<std::string> with_value(std::string_view text, const std::vector<std::string>& path, std::string_view value) {
    try {
        const std::string before(text);
        const auto root = YAML::Load(before);
        auto result = changed(before, root, path, value);
        if (!result)
            return refused(path, value,
                           fmt::format("{} cannot be changed in the text as it is written", join(path, ".")));
        const auto after = YAML::Load(*result);
        const auto wanted = YAML::Load(std::string(value));
        if (!differs_only_at(root.IsNull() ? YAML::Node(YAML::NodeType::Undefined) : root, after, path, 0, wanted))
            return refused(path, value,
                           fmt::format("{} cannot be changed without touching something else (an anchor, a second "
                                       "document, a merge key)",
                                       join(path, ".")));
        return std::move(*result);
    } catch (const YAML::Exception& error) {
        return refused(path, value, fmt::format("the file is not read as YAML: {}", error.what()));
    }
}

Result<std::string> edited(std::string_view text, const std::vector<Change>& changes) {
    std::string result(text);
    for (const auto& change : changes) {
        if (change.by_hand()) continue;
        const auto path = path_of(change);
        if (!path) return fail(path.error());
        auto next = with_value(result, *path, change.value);
        if (!next) return fail(next.error());
        result = std::move(*next);
    }
    return result;
}

}  // namespace tandem::advice
