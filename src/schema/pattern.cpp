#include "schema/pattern.h"

#include <re2/re2.h>

#include <array>

namespace tandem::schema {

namespace {

constexpr std::int64_t kMostMemory = 2 << 20;  // of one compiled pattern
constexpr std::size_t kLongest = 4096;         // bytes

// ECMA's white space is more than RE2's (section 12.2 and 12.3 of ECMA-262).
constexpr std::string_view kBlanks = R"(\t\n\v\f\r \x{A0}\x{FEFF}\x{2028}\x{2029}\p{Zs})";

struct Long {
    std::string_view name, brief;
};
// Long names of categories, as far as schemas use them; RE2 has the brief ones.
constexpr auto kCategories = std::to_array<Long>({{"Letter", "L"},
                                                  {"Lowercase_Letter", "Ll"},
                                                  {"Uppercase_Letter", "Lu"},
                                                  {"Mark", "M"},
                                                  {"Number", "N"},
                                                  {"Decimal_Number", "Nd"},
                                                  {"digit", "Nd"},
                                                  {"Punctuation", "P"},
                                                  {"Symbol", "S"},
                                                  {"Separator", "Z"},
                                                  {"Other", "C"},
                                                  {"Control", "Cc"}});

bool is_hex(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

class Translator {
  public:
    explicit Translator(std::string_view ecma) : in_(ecma) {}

    std::string run() {
        while (at_ < in_.size()) step();
        return std::move(out_);
    }

  private:
    void step() {
        const char c = in_[at_];
        if (c == '\\') return escape();
        ++at_;
        if (class_) {
            if (c == ']') class_ = false;
            // RE2 reads [:name:] and ECMA does not.
            out_ += c == '[' ? "\\[" : std::string(1, c);
            return;
        }
        if (c == '[') return open_class();
        if (c == '$') {
            out_ += "\\z";
        } else if (c == '.') {
            out_ += R"([^\n\r\x{2028}\x{2029}])";
        } else if (c == '(' && in_.substr(at_).starts_with("?<") && !in_.substr(at_).starts_with("?<=") &&
                   !in_.substr(at_).starts_with("?<!")) {
            out_ += "(?P<";
            at_ += 2;
        } else {
            out_ += c;
        }
    }

    void open_class() {
        if (in_.substr(at_).starts_with("^]")) {
            at_ += 2;
            out_ += R"([\x{0}-\x{10FFFF}])";
        } else if (in_.substr(at_).starts_with("]")) {
            ++at_;
            out_ += R"([^\x{0}-\x{10FFFF}])";
        } else {
            class_ = true;
            out_ += '[';
            if (in_.substr(at_).starts_with("^")) out_ += in_[at_++];
        }
    }

    void escape() {
        const char c = at_ + 1 < in_.size() ? in_[at_ + 1] : '\0';
        const auto rest = in_.substr(std::min(in_.size(), at_ + 2));
        at_ = std::min(in_.size(), at_ + 2);
        if (c == 'u' && rest.starts_with("{") && rest.find('}') != std::string_view::npos) {
            code(rest.substr(1, rest.find('}') - 1), rest.find('}') + 1);
        } else if (c == 'u' && rest.size() >= 4 && is_hex(rest.substr(0, 4))) {
            code(rest.substr(0, 4), 4);
        } else if (c == 'x' && rest.size() >= 2 && is_hex(rest.substr(0, 2))) {
            code(rest.substr(0, 2), 2);
        } else if (c == 'c' && !rest.empty()) {
            out_ += "\\x{" + std::string(1, "0123456789ABCDEF"[(rest[0] & 0x1F) >> 4]) +
                    std::string(1, "0123456789ABCDEF"[rest[0] & 0xF]) + "}";
            ++at_;
        } else if (c == 's') {
            out_ += class_ ? std::string(kBlanks) : "[" + std::string(kBlanks) + "]";
        } else if (c == 'S' && !class_) {
            out_ += "[^" + std::string(kBlanks) + "]";
        } else if ((c == 'p' || c == 'P') && rest.starts_with("{")) {
            category(c, rest);
        } else if (c == '0') {
            out_ += "\\x{0}";
        } else if (c == 'b' && class_) {
            out_ += "\\x{8}";
        } else if (c == '/' || c == '-') {
            out_ += '\\';
            out_ += c;
        } else {
            out_ += '\\';
            if (c != '\0') out_ += c;
        }
    }

    void code(std::string_view hex, std::size_t size) {
        out_ += "\\x{" + std::string(hex) + "}";
        at_ += size;
    }

    void category(char c, std::string_view rest) {
        const auto end = rest.find('}');
        if (end == std::string_view::npos) {
            out_ += '\\';
            out_ += c;
            return;
        }
        auto name = rest.substr(1, end - 1);
        if (const auto equals = name.find('='); equals != std::string_view::npos) name.remove_prefix(equals + 1);
        for (const auto& one : kCategories)
            if (one.name == name) name = one.brief;
        out_ += std::string("\\") + c + "{" + std::string(name) + "}";
        at_ += end + 1;
    }

    std::string_view in_;
    std::string out_;
    std::size_t at_ = 0;
    bool class_ = false;
};

}  // namespace

std::string in_words_of_re2(std::string_view ecma) {
    return Translator(ecma).run();
}

Pattern::Pattern(std::string_view ecma) {
    if (ecma.size() > kLongest) return;
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kMostMemory);
    matcher_ = std::make_unique<re2::RE2>(in_words_of_re2(ecma), options);
    if (!matcher_->ok()) matcher_.reset();
}

Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;

bool Pattern::can_be_checked() const {
    return matcher_ != nullptr;
}

bool Pattern::matches(std::string_view text) const {
    return !matcher_ || re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *matcher_);
}

}  // namespace tandem::schema
