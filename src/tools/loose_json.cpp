#include "tools/loose_json.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr std::size_t kDeepest = 100;

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

class LooseReader {
  public:
    LooseReader(std::string_view text, bool ended) : in_(text), ended_(ended) {}

    std::optional<Loose> run() {
        blanks();
        const auto begin = at_;
        first_ = at_;
        if (!value(0)) return std::nullopt;
        // What was JSON stays as it is, with its white space.
        if (repairs_.empty()) out_ = in_.substr(begin, at_ - begin);
        json::Document document;
        if (!document.parse("[" + out_ + "]")) return std::nullopt;
        return Loose{std::move(out_), at_, std::move(repairs_)};
    }

  private:
    void repaired(std::string_view what) {
        if (std::ranges::find(repairs_, what) == repairs_.end()) repairs_.emplace_back(what);
    }
    void blanks() {
        while (at_ < in_.size() && kBlank.find(in_[at_]) != std::string_view::npos) ++at_;
    }
    bool over() const { return at_ == in_.size(); }
    // Where all that may be put right is that nothing follows.
    bool closes_itself() {
        if (!ended_) return false;
        repaired("a bracket was closed");
        return true;
    }

    bool value(std::size_t depth) {
        blanks();
        if (over() || depth > kDeepest) return false;
        const char c = in_[at_];
        if (c == '{') return object(depth);
        if (c == '[') return array(depth);
        if (c == '"' || c == '\'') return string(c);
        return c == '-' || c == '+' || c == '.' || is_digit(c) ? number() : word();
    }

    bool object(std::size_t depth) {
        ++at_;
        out_ += '{';
        for (bool first = true;; first = false) {
            if (!between(first, '}')) return false;
            if (closed_) break;
            if (!name()) return false;
            blanks();
            // A name without a value means nothing.
            if (over() || (in_[at_] != ':' && in_[at_] != '=')) return false;
            if (in_[at_] == '=') repaired("an equals sign became a colon");
            ++at_;
            out_ += ':';
            if (!value(depth + 1)) return false;
        }
        out_ += '}';
        return true;
    }

    bool array(std::size_t depth) {
        ++at_;
        out_ += '[';
        for (bool first = true;; first = false) {
            if (!between(first, ']')) return false;
            if (closed_) break;
            if (!value(depth + 1)) return false;
        }
        out_ += ']';
        return true;
    }

    // What stands before a member: nothing, a comma, or the end (closed_).
    bool between(bool first, char close) {
        blanks();
        closed_ = false;
        bool comma = first;
        while (!over() && in_[at_] == ',') {
            if (comma) repaired("a comma too many was left out");
            comma = true;
            ++at_;
            blanks();
        }
        if (over()) return closed_ = close == '}' && closes_itself();  // a list may have had more
        if (in_[at_] == close) {
            if (comma && !first) repaired("a comma too many was left out");
            ++at_;
            return closed_ = true;
        }
        if (in_[at_] == '}' || in_[at_] == ']') return false;
        if (!comma) {
            const bool new_line = at_ > 0 && (in_[at_ - 1] == '\n' || in_[at_ - 1] == ' ');
            if (!new_line || (in_[at_] != '"' && in_[at_] != '{')) return false;
            repaired("a comma was put between members");
        }
        if (!first) out_ += ',';
        return true;
    }

    bool name() {
        if (in_[at_] == '"' || in_[at_] == '\'') return string(in_[at_]);
        const auto begin = at_;
        while (!over() && (is_letter(in_[at_]) || is_digit(in_[at_]) || in_[at_] == '-')) ++at_;
        if (at_ == begin) return false;
        repaired("a name was put in quotes");
        json::append_string(out_, in_.substr(begin, at_ - begin));
        return true;
    }

    bool string(char quote) {
        if (quote == '\'') repaired("single quotes became double ones");
        ++at_;
        out_ += '"';
        for (; !over(); ++at_) {
            const char c = in_[at_];
            if (c == quote) {
                ++at_;
                out_ += '"';
                return true;
            }
            if (c == '\\') {
                if (!escape()) return false;
            } else if (c == '"') {
                out_ += "\\\"";
            } else if (static_cast<unsigned char>(c) < 0x20) {
                control(c);
            } else {
                out_ += c;
            }
        }
        return false;  // one without an end may be a part of what was meant
    }

    void control(char c) {
        repaired("a control character was escaped");
        constexpr std::string_view kHex = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n')
            out_ += "\\n";
        else if (c == '\t')
            out_ += "\\t";
        else
            (out_ += "\\u00") += {kHex[byte >> 4], kHex[byte & 0xF]};
    }

    bool escape() {
        if (at_ + 1 == in_.size()) return false;
        const char c = in_[++at_];
        if (c == '\'') {
            repaired("a backslash that is none in JSON was left out");
            out_ += '\'';
        } else if (std::string_view("\"\\/bfnrtu").find(c) != std::string_view::npos) {
            (out_ += '\\') += c;
        } else {
            // A backslash that escapes nothing is one, as in a path or a pattern.
            repaired("a backslash was escaped");
            (out_ += "\\\\") += c;
        }
        return true;
    }

    bool number() {
        const auto begin = at_;
        while (!over() && (is_digit(in_[at_]) || std::string_view("+-.eE").find(in_[at_]) != std::string_view::npos))
            ++at_;
        if (over() && (!ended_ || begin > first_)) return false;  // more digits may have come
        out_ += in_.substr(begin, at_ - begin);
        return true;
    }

    bool word() {
        const auto begin = at_;
        while (!over() && is_letter(in_[at_])) ++at_;
        const auto said = in_.substr(begin, at_ - begin);
        if (over() && !ended_) return false;
        struct Word {
            std::string_view python, json;
        };
        constexpr auto kWords = std::to_array<Word>({{"True", "true"}, {"False", "false"}, {"None", "null"}});
        if (said == "true" || said == "false" || said == "null") {
            out_ += said;
            return true;
        }
        for (const auto& one : kWords)
            if (one.python == said) {
                repaired("a word of Python became one of JSON");
                out_ += one.json;
                return true;
            }
        return false;
    }

    std::string_view in_;
    const bool ended_;
    std::size_t at_ = 0;
    std::size_t first_ = 0;  // where the value begins
    std::string out_;
    std::vector<std::string> repairs_;
    bool closed_ = false;
};

}  // namespace

std::optional<Loose> loose_json(std::string_view text, bool ended) {
    return LooseReader(text, ended).run();
}

}  // namespace tandem::tools
