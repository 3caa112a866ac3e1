#include "config/alerts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/reader.h"

namespace tandem::config {

namespace {

// "80%" or "80". Nullopt: it is neither, or not from 1 to 1000.
std::optional<int> percent_from(std::string_view text) {
    if (text.ends_with('%')) text.remove_suffix(1);
    const auto number = whole_number(text);
    if (!number || *number < 1 || *number > 1000) return {};
    return static_cast<int>(*number);
}

void read_thresholds(Section& s, std::vector<int>& at) {
    if (!s.has("at")) return;
    std::vector<std::string> texts;
    s.texts("at", texts,
            About("percents of every budget, at most ten; `[]` for none", "`[80%, 100%]`")
                .like("^[0-9]{1,4}%?$", "80%")
                .or_a_number(1, 1000)
                .or_no_value());
    at.clear();
    for (const auto& text : texts) {
        const auto percent = percent_from(text);
        if (!percent)
            s.complain("at", fmt::format("expected percents such as [50%, 80%, 100%], got '{}'", printable(text, 40)));
        else
            at.push_back(*percent);
    }
    std::ranges::sort(at);
    constexpr std::size_t kMost = 10;
    if (at.size() > kMost) s.complain("at", fmt::format("more than {} thresholds", kMost));
}

}  // namespace

void read_alerts(Section& s, Alerts& alerts) {
    read_thresholds(s, alerts.at);
    s.section("webhook", "who is told over HTTP", [&](Section& webhook) {
        webhook.text(
            "url", alerts.webhook,
            About("is called with a POST of JSON").like("^(https?://.*)?$", "https://example.com/hook").required());
        if (!alerts.webhook.empty() && !alerts.webhook.starts_with("https://") &&
            !alerts.webhook.starts_with("http://"))
            webhook.complain("url", "expected an address that begins with https:// or http://");
        webhook.secret("secret", alerts.webhook_secret, {"signs each call", "none"});
        webhook.flag("private", alerts.webhook_private,
                     "the URL may lead to an address of this machine or of a private network");
    });
    s.texts("command", alerts.command,
            {"the absolute path of a program and its arguments; it is run without a shell", "none"});
    if (!alerts.command.empty() && !alerts.command.front().starts_with('/'))
        s.complain("command", "expected the absolute path of a program, and its arguments");
    s.section("runaway", "a key that spends out of the ordinary", [&](Section& runaway) {
        runaway.share("times", alerts.runaway, 2, 1'000'000,
                      About("its ten minutes cost so many times its usual ones; 0: nobody looks").or_nothing());
        runaway.money("least", alerts.runaway_least, "and at least that much");
    });
}

}  // namespace tandem::config
