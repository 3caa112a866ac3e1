#include "ledger/prices/matcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <regex>
#include <utility>

#include "base/text.h"

namespace tandem::prices {

namespace {

constexpr std::size_t kMostName = 300;  // std::regex recurses with the length of what it looks at
constexpr std::array<std::pair<std::string_view, Matcher::Kind>, 9> kKinds = {
    {{"equals", Matcher::Kind::equals},
     {"starts_with", Matcher::Kind::starts_with},
     {"ends_with", Matcher::Kind::ends_with},
     {"contains", Matcher::Kind::contains},
     {"regex", Matcher::Kind::regex},
     {"any", Matcher::Kind::any},
     {"all", Matcher::Kind::all},
     {"or", Matcher::Kind::any},
     {"and", Matcher::Kind::all}}};

}  // namespace

struct Matcher::Pattern {
    std::regex regex;
};

Matcher Matcher::equals(std::string_view text) {
    Matcher out;
    out.text_ = lower(text);
    return out;
}

Result<Matcher> Matcher::read(const json::Value& value) {
    Matcher out;
    json::Value parts = value;
    if (const auto text = value.string()) return equals(*text);
    if (value.is(json::Kind::array)) {
        out.kind_ = Kind::any;
    } else {
        const auto member = value.size() == 1 ? *begin(value.children()) : json::Value();
        const auto* const kind = std::ranges::find(kKinds, member.exists() ? member.key() : std::string_view(),
                                                   &std::pair<std::string_view, Kind>::first);
        if (kind == kKinds.end())
            return fail(ErrorCode::invalid,
                        "a matcher is a name, a list, or an object with one of equals, starts_with, ends_with, "
                        "contains, regex, any, all");
        out.kind_ = kind->second;
        parts = member;
    }
    if (out.kind_ == Kind::any || out.kind_ == Kind::all) {
        for (const auto part : parts.children()) {
            auto read_part = read(part);
            if (!read_part) return read_part;
            out.parts_.push_back(std::move(*read_part));
        }
        return out;
    }
    const auto text = parts.string();
    if (!text || text->size() > kMostName)
        return fail(ErrorCode::invalid, "a matcher's text is a string of at most 300 bytes");
    out.text_ = out.kind_ == Kind::regex ? std::string(*text) : lower(*text);
    if (out.kind_ != Kind::regex) return out;
    try {
        out.pattern_ =
            std::make_shared<Pattern>(Pattern{std::regex(out.text_, std::regex::ECMAScript | std::regex::optimize)});
    } catch (const std::regex_error& error) {
        return fail(ErrorCode::invalid,
                    fmt::format("'{}' is not a regular expression: {}", printable(out.text_), error.what()));
    }
    return out;
}

void Matcher::write(json::Writer& out) const {
    if (kind_ == Kind::equals) {
        out.value(text_);
        return;
    }
    if (kind_ != Kind::any) {
        const auto* const kind = std::ranges::find(kKinds, kind_, &std::pair<std::string_view, Kind>::second);
        out.begin_object().key(kind->first);
    }
    if (kind_ == Kind::any || kind_ == Kind::all) {
        out.begin_array();
        for (const auto& part : parts_) part.write(out);
        out.end_array();
    } else {
        out.value(text_);
    }
    if (kind_ != Kind::any) out.end_object();
}

bool Matcher::matches(std::string_view name) const {
    name = name.substr(0, kMostName);
    const auto part_matches = [&](const Matcher& part) { return part.matches(name); };
    switch (kind_) {
        case Kind::equals:
            return name == text_;
        case Kind::starts_with:
            return name.starts_with(text_);
        case Kind::ends_with:
            return name.ends_with(text_);
        case Kind::contains:
            return name.find(text_) != std::string_view::npos;
        case Kind::any:
            return std::ranges::any_of(parts_, part_matches);
        case Kind::all:
            return !parts_.empty() && std::ranges::all_of(parts_, part_matches);
        case Kind::regex:
            try {
                return pattern_ && std::regex_search(name.begin(), name.end(), pattern_->regex);
            } catch (const std::regex_error&) {
                return false;  // more work than its engine allows
            }
    }
    return false;
}

std::vector<std::string> Matcher::names() const {
    if (kind_ == Kind::equals) return {text_};
    std::vector<std::string> names;
    if (kind_ == Kind::any)
        for (const auto& part : parts_) {
            if (part.kind_ == Kind::equals) names.push_back(part.text_);
        }
    return names;
}

}  // namespace tandem::prices
