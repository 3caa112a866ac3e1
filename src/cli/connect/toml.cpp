#include "cli/connect/toml.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/text.h"

namespace tandem::cli {

namespace {

using Path = std::vector<std::string>;

std::unexpected<Error> not_toml(std::string_view line, std::string_view what) {
    return refuse_lines(fmt::format("'{}' is not valid TOML ({})", printable(trim(line), 60), what));
}

// ---- keys: toml.io/en/v1.0.0#keys ----

void skip_blanks(std::string_view text, std::size_t& at) {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
}

void add_utf8(std::string& out, unsigned long code) {
    const auto add = [&](unsigned long byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
        add(code);
    } else if (code < 0x800) {
        add(0xC0 | code >> 6);
        add(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        add(0xE0 | code >> 12);
        add(0x80 | (code >> 6 & 0x3F));
        add(0x80 | (code & 0x3F));
    } else {
        add(0xF0 | code >> 18);
        add(0x80 | (code >> 12 & 0x3F));
        add(0x80 | (code >> 6 & 0x3F));
        add(0x80 | (code & 0x3F));
    }
}

// What stands behind a backslash; `at` is left behind it.
bool read_escape(std::string_view text, std::size_t& at, std::string& out) {
    constexpr std::string_view kWritten = "btnfre\"\\", kMeant = "\b\t\n\f\r\x1b\"\\";
    if (at >= text.size()) return false;
    const char c = text[at++];
    if (const auto place = kWritten.find(c); place != std::string_view::npos) {
        out += kMeant[place];
        return true;
    }
    const std::size_t digits = c == 'u' ? 4 : c == 'U' ? 8 : c == 'x' ? 2 : 0;
    const auto number = text.substr(at, digits);
    if (digits == 0 || number.size() != digits ||
        number.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos)
        return false;
    const auto code = std::stoul(std::string(number), nullptr, 16);
    if (code > 0x10FFFF) return false;
    at += digits;
    add_utf8(out, code);
    return true;
}

// One part of a key; `at` is left behind it. Nullopt where there is none.
std::optional<std::string> read_part(std::string_view text, std::size_t& at) {
    std::string part;
    if (at < text.size() && (text[at] == '"' || text[at] == '\'')) {
        const char quote = text[at++];
        while (at < text.size() && text[at] != quote) {
            if (quote == '\'' || text[at] != '\\')
                part += text[at++];
            else if (!read_escape(text, ++at, part))
                return {};
        }
        if (at == text.size()) return {};
        ++at;
        return part;
    }
    const auto bare = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; };
    while (at < text.size() && bare(static_cast<unsigned char>(text[at]))) part += text[at++];
    if (part.empty()) return {};
    return part;
}

// `a . "b.c"` as two parts; `at` is left at what follows.
std::optional<Path> read_key(std::string_view text, std::size_t& at) {
    Path path;
    for (;; ++at) {
        skip_blanks(text, at);
        auto part = read_part(text, at);
        if (!part) return {};
        path.push_back(std::move(*part));
        skip_blanks(text, at);
        if (at == text.size() || text[at] != '.') return path;
    }
}

// ---- values ----

// Where a value's line begins inside of: brackets or a string of several lines.
struct Open {
    std::string_view quotes;  // """ or ''', or empty
    std::string brackets;     // those that are to be closed, the innermost last
    bool any() const { return !quotes.empty() || !brackets.empty(); }
};

// Reads a string's rest up to where it is closed, or the end of the line where it has several. False: not closed.
bool read_long_string(std::string_view line, std::size_t& at, Open& open) {
    for (; at < line.size(); ++at) {
        if (line.substr(at, 3) == open.quotes) {
            at += 3;
            // Up to two quotes may stand before the closing three.
            for (int extra = 0; extra < 2 && at < line.size() && line[at] == open.quotes.front(); ++extra) ++at;
            open.quotes = {};
            return true;
        }
        if (line[at] == '\\' && open.quotes.front() == '"') ++at;
    }
    return true;
}

bool read_short_string(std::string_view line, std::size_t& at) {
    const char quote = line[at++];
    for (; at < line.size() && line[at] != quote; ++at)
        if (quote == '"' && line[at] == '\\') ++at;
    return at++ < line.size();
}

// Follows a value through one line. False where it cannot be TOML.
bool read_value_line(std::string_view line, std::size_t at, Open& open) {
    while (at < line.size()) {
        if (!open.quotes.empty()) {
            if (!read_long_string(line, at, open)) return false;
            continue;
        }
        const char c = line[at];
        if (c == '#') return true;
        const auto three = line.substr(at, 3);
        if (three == "\"\"\"" || three == "'''") {
            open.quotes = three.front() == '"' ? std::string_view("\"\"\"") : std::string_view("'''");
            at += 3;
        } else if (c == '"' || c == '\'') {
            if (!read_short_string(line, at)) return false;
        } else {
            ++at;
            if (c == '[' || c == '{') open.brackets += c == '[' ? ']' : '}';
            if (c != ']' && c != '}') continue;
            if (open.brackets.empty() || open.brackets.back() != c) return false;
            open.brackets.pop_back();
        }
    }
    return true;
}

// ---- statements ----

struct Statement {
    enum class Kind { blank, header, list_header, value };
    Kind kind = Kind::blank;
    Path table;        // that it stands in, or opens
    Path key;          // of a value, below its table
    std::string text;  // its lines, each with its end
    Path whole() const {
        auto path = table;
        path.insert(path.end(), key.begin(), key.end());
        return path;
    }
};

bool begins_with(const Path& path, const Path& begin) {
    return path.size() >= begin.size() && std::equal(begin.begin(), begin.end(), path.begin());
}

Result<Statement> read_header(std::string_view line, std::string_view text) {
    Statement statement;
    const bool list = text.starts_with("[[");
    statement.kind = list ? Statement::Kind::list_header : Statement::Kind::header;
    std::size_t at = list ? 2 : 1;
    auto path = read_key(text, at);
    const std::string_view close = list ? "]]" : "]";
    if (!path || text.substr(at, close.size()) != close) return not_toml(line, "a table's name is not closed");
    at += close.size();
    skip_blanks(text, at);
    if (at < text.size() && text[at] != '#') return not_toml(line, "text behind a table's name");
    statement.table = std::move(*path);
    return statement;
}

Result<std::vector<Statement>> statements_of(std::string_view text) {
    std::vector<Statement> statements;
    Path table;
    Open open;
    for (const auto& line : lines_of(text)) {
        const auto content = trim(line);
        if (open.any()) {
            if (!read_value_line(line, 0, open)) return not_toml(line, "a string or a bracket is not closed");
        } else if (content.empty() || content.front() == '#') {
            statements.push_back({Statement::Kind::blank, table, {}, {}});
        } else if (content.front() == '[') {
            auto header = read_header(line, content);
            if (!header) return fail(header.error());
            table = header->table;
            statements.push_back(std::move(*header));
        } else {
            std::size_t at = 0;
            auto key = read_key(content, at);
            if (!key || at == content.size() || content[at] != '=') return not_toml(line, "a key and = are expected");
            if (!read_value_line(content, at + 1, open)) return not_toml(line, "a string or a bracket is not closed");
            statements.push_back({Statement::Kind::value, table, std::move(*key), {}});
        }
        statements.back().text += line + "\n";
    }
    if (open.any()) return refuse_lines("it is not valid TOML: something is opened and not closed");
    return statements;
}

// ---- the change ----

Path path_of(std::string_view dotted) {
    Path path;
    for (std::size_t at = 0;; ++at) {
        const auto end = std::min(dotted.find('.', at), dotted.size());
        path.emplace_back(dotted.substr(at, end - at));
        if (at = end; at == dotted.size()) return path;
    }
}

std::string written(const Lines& lines) {
    std::string out;
    for (const auto& [key, value] : lines) out += fmt::format("{} = {}\n", key, value);
    return out;
}

bool has_key(const Lines& lines, const std::string& key) {
    return std::ranges::any_of(lines, [&](const auto& one) { return one.first == key; });
}

// Why the change cannot stand beside this statement, or empty.
std::string against(const Statement& one, const TomlChange& change, const Path& table) {
    using Kind = Statement::Kind;
    if (one.kind == Kind::blank) return {};
    const auto whole = one.whole();
    const auto name = join(whole, ".");
    const bool is_table = one.kind != Kind::value;
    if (has_key(change.top, whole.front()) && (is_table || whole.size() > 1))
        return fmt::format("'{}' is a table in it, and not a setting", whole.front());
    if (one.kind == Kind::list_header && begins_with(table, whole))
        return fmt::format("'{}' is a list of tables in it", name);
    // Defined as a value, or by a key with dots: another table of that name would be its second.
    if (one.kind == Kind::value && one.table != table && !begins_with(one.table, table) &&
        (begins_with(table, whole) || begins_with(whole, table) ||
         (one.key.size() > 1 &&
          begins_with(table, Path(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(one.table.size()) + 1)))))
        return fmt::format("'{}' stands in it without a table of its own", name);
    if (!begins_with(whole, table) || whole.size() == table.size()) return {};
    const auto& key = whole[table.size()];
    if (std::ranges::find(change.against, key) != change.against.end())
        return fmt::format("'{}' stands in it, which cannot be beside the key that is to be written", name);
    if (has_key(change.keys, key) && (is_table || whole.size() > table.size() + 1))
        return fmt::format("'{}' is a table in it, and not a setting", name);
    return {};
}

}  // namespace

Result<std::string> change_toml(const std::string& before, const TomlChange& change) {
    const auto statements = statements_of(without_byte_order_mark(before));
    if (!statements) return fail(statements.error());
    const auto table = path_of(change.table);
    std::string body;
    bool written_table = false;
    for (const auto& one : *statements) {
        if (const auto why = against(one, change, table); !why.empty()) return refuse_lines(why);
        const bool value = one.kind == Statement::Kind::value && one.key.size() == 1;
        if (value && one.table.empty() && has_key(change.top, one.key.front())) continue;
        if (value && one.table == table &&
            (has_key(change.keys, one.key.front()) ||
             std::ranges::find(change.instead_of, one.key.front()) != change.instead_of.end()))
            continue;
        body += one.text;
        if (one.kind == Statement::Kind::header && one.table == table) {
            if (written_table) return refuse_lines(fmt::format("[{}] stands in it twice", change.table));
            written_table = true;
            body += written(change.keys);
        }
    }
    while (body.ends_with("\n\n") || body == "\n") body.pop_back();
    const auto top = written(change.top);
    if (!written_table) body += fmt::format("{}[{}]\n{}", body.empty() ? "" : "\n", change.table, written(change.keys));
    return top + body;
}

}  // namespace tandem::cli
