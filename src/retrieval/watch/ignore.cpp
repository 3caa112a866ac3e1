#include "retrieval/watch/ignore.h"

#include <algorithm>

#include "base/text.h"

namespace tandem::retrieval {

namespace {

constexpr std::size_t kLongestRule = 500, kMostRules = 5'000;

// One element of a glob at `at`, other than a star, against one character; gives where the next element begins, 0 where
// it does not match.
std::size_t match_one(std::string_view glob, std::size_t at, char c) {
    if (glob[at] == '?') return c == '/' ? 0 : at + 1;
    if (glob[at] == '\\' && at + 1 < glob.size()) return glob[at + 1] == c ? at + 2 : 0;
    if (glob[at] != '[') return glob[at] == c ? at + 1 : 0;
    const auto close = glob.find(']', at + 2);
    if (close == std::string_view::npos) return glob[at] == c ? at + 1 : 0;
    auto set = glob.substr(at + 1, close - at - 1);
    const bool negated = set.front() == '!' || set.front() == '^';
    if (negated) set.remove_prefix(1);
    bool in = false;
    for (std::size_t i = 0; i < set.size(); ++i) {
        if (i + 2 < set.size() && set[i + 1] == '-') {
            in = in || (c >= set[i] && c <= set[i + 2]);
            i += 2;
        } else {
            in = in || set[i] == c;
        }
    }
    return c != '/' && in != negated ? close + 1 : 0;
}

}  // namespace

bool glob_matches(std::string_view glob, std::string_view path) {
    constexpr auto kNone = std::string_view::npos;
    // Where to go on when what follows a star did not match: the star takes one character more. Of each kind of star
    // only the last one ever has to.
    std::size_t at = 0, in = 0, star = kNone, star_in = 0, deep = kNone, deep_in = 0;
    while (in < path.size()) {
        if (at < glob.size() && glob[at] == '*') {
            const bool any = glob.substr(at, 2) == "**";
            at += any ? 2 : 1;
            if (any) {
                if (at < glob.size() && glob[at] == '/' && (at == 2 || glob[at - 3] == '/')) ++at;  // `**/`: none too
                deep = at;
                deep_in = in;
                star = kNone;
            } else {
                star = at;
                star_in = in;
            }
            continue;
        }
        if (at < glob.size())
            if (const auto next = match_one(glob, at, path[in]); next != 0) {
                at = next;
                ++in;
                continue;
            }
        if (star != kNone && path[star_in] != '/') {
            at = star;
            in = ++star_in;
        } else if (deep != kNone) {
            at = deep;
            in = ++deep_in;
            star = kNone;
        } else {
            return false;
        }
    }
    while (at < glob.size() && glob[at] == '*') ++at;
    return at == glob.size();
}

bool is_chosen(const std::vector<std::string>& globs, std::string_view path) {
    if (globs.empty()) return true;
    const auto name = path.substr(path.rfind('/') + 1);
    return std::ranges::any_of(globs, [&](const std::string& glob) {
        return glob.find('/') == std::string::npos ? glob_matches(glob, name)
                                                   : glob_matches(glob.starts_with('/') ? glob.substr(1) : glob, path);
    });
}

IgnoreRules IgnoreRules::with(std::string_view folder, std::string_view text) const {
    auto rules = rules_ == nullptr ? std::vector<Rule>() : *rules_;
    while (!text.empty() && rules.size() < kMostRules) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
        if (line.empty() || line.front() == '#' || line.size() > kLongestRule) continue;
        Rule rule{std::string(folder), "", line.front() == '!', false, false};
        if (rule.negated) line.remove_prefix(1);
        rule.folders_only = line.ends_with('/');
        if (rule.folders_only) line.remove_suffix(1);
        rule.anchored = line.find('/') != std::string_view::npos;
        if (line.starts_with('/')) line.remove_prefix(1);
        if (line.empty()) continue;
        rule.glob = line;
        rules.push_back(std::move(rule));
    }
    IgnoreRules made;
    made.rules_ = std::make_shared<const std::vector<Rule>>(std::move(rules));
    return made;
}

bool IgnoreRules::ignores(std::string_view path, bool is_folder) const {
    if (rules_ == nullptr) return false;
    const auto name = path.substr(path.rfind('/') + 1);
    for (auto rule = rules_->rbegin(); rule != rules_->rend(); ++rule) {
        if (rule->folders_only && !is_folder) continue;
        if (!path.starts_with(rule->folder)) continue;
        const bool matches = rule->anchored ? glob_matches(rule->glob, path.substr(rule->folder.size()))
                                            : glob_matches(rule->glob, name);
        if (matches) return !rule->negated;
    }
    return false;
}

}  // namespace tandem::retrieval
