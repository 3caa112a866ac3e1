#include "cli/connect/jsonc.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/json.h"
#include "base/text.h"

namespace tandem::cli {

namespace {

constexpr int kDeepest = 100;

struct Member {
    std::string key;
    std::size_t key_begin = 0, begin = 0, end = 0;  // the key's quote; the value
};

struct Object {
    std::size_t begin = 0, end = 0;  // of { and }
    std::size_t last = 0;            // behind the last value, or behind {
    std::size_t tail = 0;            // behind the last token or comment before }
    bool comma = false;              // behind the last value
    std::vector<Member> members;
};

// A document has an object or an array at its root, so a value alone is read in one.
bool is_json(std::string_view value, json::Document& document) {
    return document.parse("[" + std::string(value) + "]").has_value();
}

// Reads on from `at`; the first mistake ends everything.
class Reader {
  public:
    explicit Reader(std::string_view text, std::size_t at = 0) : text_(text), at_(at) {}

    bool ok() const { return ok_; }
    std::size_t at() const { return at_; }

    void skip_space() {
        while (ok_ && at_ < text_.size()) {
            if (text_.substr(at_, 2) == "//") {
                at_ = std::min(text_.find('\n', at_), text_.size());
                tail_ = at_;
            } else if (text_.substr(at_, 2) == "/*") {
                const auto end = text_.find("*/", at_ + 2);
                if (end == std::string_view::npos) return fail();
                at_ = end + 2;
                tail_ = at_;
            } else if (std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
                ++at_;
            } else {
                return;
            }
        }
    }

    // Whether nothing but space and comments is left.
    bool ends() {
        skip_space();
        return ok_ && at_ == text_.size();
    }

    Object object(int depth) {
        Object o;
        o.begin = at_;
        take('{');
        o.last = at_;
        tail_ = at_;
        skip_space();
        while (ok_ && peek() != '}') {
            Member member;
            member.key_begin = at_;
            member.key = string();
            skip_space();
            take(':');
            skip_space();
            member.begin = at_;
            value(depth + 1);
            member.end = at_;
            o.last = at_;
            tail_ = at_;
            o.members.push_back(std::move(member));
            skip_space();
            o.comma = peek() == ',';
            if (!o.comma) break;
            take(',');
            tail_ = at_;
            skip_space();
        }
        o.tail = tail_;
        o.end = at_;
        take('}');
        return o;
    }

  private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    void fail() { ok_ = false; }
    void take(char c) {
        if (peek() != c) return fail();
        ++at_;
    }

    std::string string() {
        const auto begin = at_;
        take('"');
        while (ok_ && at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
        at_ = std::min(at_, text_.size());
        take('"');
        json::Document document;
        if (!ok_ || !is_json(text_.substr(begin, at_ - begin), document)) {
            fail();
            return {};
        }
        for (const json::Value value : document.root().children()) return std::string(value.text());
        return {};
    }

    void array(int depth) {
        take('[');
        skip_space();
        while (ok_ && peek() != ']') {
            value(depth + 1);
            skip_space();
            if (peek() != ',') break;
            take(',');
            skip_space();
        }
        take(']');
    }

    void value(int depth) {
        if (!ok_ || depth > kDeepest) return fail();
        if (peek() == '{') {
            object(depth);
        } else if (peek() == '[') {
            array(depth);
        } else if (peek() == '"') {
            string();
        } else {
            const auto end = std::min(text_.find_first_of(",]} \t\r\n/", at_), text_.size());
            json::Document document;
            if (end == at_ || !is_json(text_.substr(at_, end - at_), document)) return fail();
            at_ = end;
        }
    }

    std::string_view text_;
    std::size_t at_;
    std::size_t tail_ = 0;  // behind the last token or comment
    bool ok_ = true;
};

std::size_t line_of(std::string_view text, std::size_t at) {
    return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, at), '\n'));
}

std::string_view indentation_at(std::string_view text, std::size_t at) {
    const auto begin = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
    const auto space = text.substr(begin, at - begin);
    return space.substr(0, std::min(space.find_first_not_of(" \t"), space.size()));
}

// Whether only spaces stand before `at` in its line.
bool begins_line(std::string_view text, std::size_t at) {
    return indentation_at(text, at).size() == at - (at == 0 ? 0 : text.rfind('\n', at - 1) + 1);
}

void add_member(std::string& text, const Object& o, const std::string& key, const std::string& json) {
    const std::string_view line = text.find("\r\n") == std::string::npos ? "\n" : "\r\n";
    const auto member = json::quoted(key) + ": " + json;
    const bool one_line =
        !o.members.empty() && std::string_view(text).substr(o.begin, o.end - o.begin).find('\n') == std::string::npos;
    std::string lead;
    if (one_line) {
        lead = " ";
    } else {
        const bool pretty = !o.members.empty() && begins_line(text, o.members.back().key_begin);
        const auto outer = std::string(indentation_at(text, o.begin));
        const auto unit = outer.find('\t') != std::string::npos ? "\t" : "  ";
        lead =
            std::string(line) + (pretty ? std::string(indentation_at(text, o.members.back().key_begin)) : outer + unit);
        // The closing bracket gets a line of its own.
        if (text.find('\n', o.tail) >= o.end) text.insert(o.end, std::string(line) + outer);
    }
    text.insert(o.tail, lead + member + (o.comma ? "," : ""));
    if (!o.members.empty() && !o.comma) text.insert(o.last, ",");
}

// One step deeper, or the change itself; false where the text is no object there.
bool set(std::string& text, std::size_t at, std::span<const std::string> path, const std::string& json) {
    Reader reader(text, at);
    const auto o = reader.object(0);
    if (!reader.ok()) return false;
    // Of two with one name, the last is the one that counts.
    const auto found = std::ranges::find(o.members.rbegin(), o.members.rend(), path[0], &Member::key);
    const bool last = path.size() == 1;
    if (found == o.members.rend()) {
        add_member(text, o, path[0], last ? json : "{}");
        return last || set(text, at, path, json);
    }
    if (last) {
        text.replace(found->begin, found->end - found->begin, json);
        return true;
    }
    if (text[found->begin] != '{') text.replace(found->begin, found->end - found->begin, "{}");
    return set(text, found->begin, path.subspan(1), json);
}

}  // namespace

Result<std::string> change_jsonc(std::string text, const std::vector<Setting>& settings) {
    if (trim(text).empty()) text = "{}\n";
    Reader reader(text, text.size() - without_byte_order_mark(text).size());
    reader.skip_space();
    const auto root = reader.at();
    reader.object(0);
    if (!reader.ok() || !reader.ends())
        return fail(
            ErrorCode::invalid,
            fmt::format("line {} is not what JSON with comments looks like; the file was left as it is. Put the "
                        "settings into it by hand: without --write they are printed",
                        line_of(text, reader.at())));
    for (const auto& setting : settings)
        if (!set(text, root, setting.path, setting.json))
            return fail(ErrorCode::internal, "the settings could not be put into the file; it was left as it is");
    return text;
}

}  // namespace tandem::cli
