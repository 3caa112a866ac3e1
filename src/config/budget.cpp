#include "config/budget.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/reader.h"

namespace tandem::config {

namespace {

constexpr std::int64_t kMostTokens = 1'000'000'000'000'000;

template <typename List>
void check_named(Section& s, const std::string& key, std::string_view what, const std::string& name, const List& list) {
    if (name.empty()) return;
    std::vector<std::string> names;
    for (const auto& one : list) names.push_back(one.id);
    if (std::ranges::find(names, name) == names.end())
        s.complain(key, fmt::format("no {} '{}'{}", what, printable(name, 60), suggest(name, names)));
}

void read_scope(Section& s, BudgetScope& of, const Config& config) {
    s.text("key", of.key, "what counts has all that is named");
    s.text("team", of.team, "the same");
    s.name("owner", of.owner, "`owner` of keys");
    s.name("workflow", of.workflow, "what requests name in the header `x-tandem-workflow`");
    s.text("provider", of.provider, "the same");
    s.text("model", of.model, "the same");
    s.text("alias", of.alias, "the same");
    s.choice("label", of.label, kLabelNames, "the same");
    check_named(s, "key", "key", of.key, config.keys);
    check_named(s, "team", "team", of.team, config.teams);
    check_named(s, "provider", "provider", of.provider, config.providers);
    check_named(s, "model", "model", of.model, config.models);
    constexpr std::array<std::string_view, 4> kOfOurs = {"auto", "local", "cloud", "private"};
    if (std::ranges::find(kOfOurs, of.alias) == kOfOurs.end() && config.model(of.alias) == nullptr)
        check_named(s, "alias", "alias", of.alias, config.aliases);
    if (of == BudgetScope{})
        s.complain("says nothing; there are: key, team, owner, workflow, provider, model, alias, label");
}

void read_window(Section& s, Window& window) {
    if (s.has("rolling")) {
        if (s.has("window") && !s.describing())
            s.complain("rolling", "a budget has a window of the calendar or one that rolls, not both");
        s.duration("rolling", window.length, kShortestRolling, kLongestRolling,
                   About("in place of `window`: the last so long, at every moment; 1m to 30d").or_no_value());
        if (!s.describing()) {
            window.period = {};
            return;
        }
    }
    s.choice("window", window.period, kPeriodNames, "of the calendar");
    read_time_zone(s, window.zone, {"of this budget", "the one of the whole file"});
    s.choice("week_starts", window.first_of_week, kWeekdayNames, {"of this budget", "the one of the whole file"});
}

}  // namespace

std::string text_of(const Window& window) {
    if (!window.period) {
        const auto seconds = window.length.count() / 1000;
        if (seconds % 86'400 == 0) return fmt::format("the last {}d", seconds / 86'400);
        if (seconds % 3'600 == 0) return fmt::format("the last {}h", seconds / 3'600);
        if (seconds % 60 == 0) return fmt::format("the last {}m", seconds / 60);
        return fmt::format("the last {}s", seconds);
    }
    return std::string(kPeriodNames[static_cast<std::size_t>(*window.period)]);
}

void read_time_zone(Section& s, std::string& zone, const About& about) {
    auto wanted = zone;
    s.text("time_zone", wanted, about.such_as("Europe/Berlin"));
    if (is_time_zone(wanted))
        zone = wanted;
    else
        s.complain("time_zone", fmt::format("this machine knows no time zone '{}'{}; expected a name such as "
                                            "Europe/Berlin (package tzdata has them)",
                                            printable(wanted, 60), suggest(wanted, time_zones())));
}

void read_budgets(Section& s, const BudgetScope& of, const About& about, const Config& config,
                  std::vector<Budget>& budgets) {
    s.each_listed("budgets", about.see("concepts/budgets.md"), [&](Section& b) {
        Budget budget;
        budget.field = b.path();
        budget.of = of;
        budget.window = config.usual_window;
        b.money("limit", budget.limit, kMostMoney, "in `currency`. It binds what can cost money; this or `tokens`");
        b.number("tokens", budget.tokens, 1, kMostTokens, "in and out, in place of `limit`. They bind every model");
        if (budget.limit.has_value() == (budget.tokens > 0))
            b.complain(budget.limit ? "has both a limit of money and one of tokens; make two budgets of them"
                                    : "'limit' is missing: an amount of money, or `tokens:`, a number of them");
        read_window(b, budget.window);
        if (of == BudgetScope{} && b.has("of"))
            b.section("of", "what counts against it; without this, everything",
                      [&](Section& scope) { read_scope(scope, budget.of, config); });
        b.choice("on_budget", budget.on_budget, kOnBudgetNames,
                 "what becomes of a request whose first choice it has no room for");
        b.flag("soft", budget.soft, "it is told in the log and in `tandem status`, and refuses nothing");
        budgets.push_back(std::move(budget));
    });
}

void read_rates(Section& limits, RateLimits& rates) {
    limits.number("rpm", rates.requests_per_minute, 1, 1'000'000'000, {"requests in any 60 seconds", "none"});
    limits.number("tpm", rates.tokens_per_minute, 1, 1'000'000'000'000, {"tokens in any 60 seconds", "none"});
    limits.number("concurrency", rates.concurrency, 1, 1'000'000, {"requests at once", "none"});
}

}  // namespace tandem::config
