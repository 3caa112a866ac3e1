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
    s.text("key", of.key);
    s.text("team", of.team);
    s.name("owner", of.owner);
    s.name("workflow", of.workflow);
    s.text("provider", of.provider);
    s.text("model", of.model);
    s.text("alias", of.alias);
    s.choice("label", of.label, kLabelNames);
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
        if (s.has("window")) s.complain("rolling", "a budget has a window of the calendar or one that rolls, not both");
        window.period = {};
        s.duration("rolling", window.length);
        if (window.length < kShortestRolling || window.length > kLongestRolling)
            s.complain("rolling", "expected a time from 1m to 30d");
        return;
    }
    s.choice("window", window.period, kPeriodNames);
    read_time_zone(s, window.zone);
    s.choice("week_starts", window.first_of_week, kWeekdayNames);
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

void read_time_zone(Section& s, std::string& zone) {
    auto wanted = zone;
    s.text("time_zone", wanted);
    if (is_time_zone(wanted))
        zone = wanted;
    else
        s.complain("time_zone", fmt::format("this machine knows no time zone '{}'{}; expected a name such as "
                                            "Europe/Berlin (package tzdata has them)",
                                            printable(wanted, 60), suggest(wanted, time_zones())));
}

void read_budgets(Section& s, const BudgetScope& of, const Window& usual, const Config& config,
                  std::vector<Budget>& budgets) {
    s.each_listed("budgets", [&](Section& b) {
        Budget budget;
        budget.field = b.path();
        budget.of = of;
        budget.window = usual;
        if (b.has("limit")) b.money("limit", budget.limit.emplace());
        b.number("tokens", budget.tokens, 1, kMostTokens);
        if (budget.limit.has_value() == (budget.tokens > 0))
            b.complain(budget.limit ? "has both a limit of money and one of tokens; make two budgets of them"
                                    : "'limit' is missing: an amount of money, or `tokens:`, a number of them");
        read_window(b, budget.window);
        if (of == BudgetScope{} && b.has("of"))
            b.section("of", [&](Section& scope) { read_scope(scope, budget.of, config); });
        b.choice("on_budget", budget.on_budget, kOnBudgetNames);
        b.flag("soft", budget.soft);
        budgets.push_back(std::move(budget));
    });
}

void read_rates(Section& limits, RateLimits& rates) {
    limits.number("rpm", rates.requests_per_minute, 1, 1'000'000'000);
    limits.number("tpm", rates.tokens_per_minute, 1, 1'000'000'000'000);
    limits.number("concurrency", rates.concurrency, 1, 1'000'000);
}

}  // namespace tandem::config
