#include "ledger/budgets/counter.h"

#include <fmt/format.h>

#include "ledger/budgets/subject.h"

namespace tandem::ledger {

namespace {

// Names have none of the characters that stand between them.
std::string id_of(const config::BudgetScope& of, const config::Window& window) {
    std::string id;
    const auto add = [&id](std::string_view what, std::string_view name) {
        if (!name.empty()) id += fmt::format("{}={};", what, name);
    };
    add("key", of.key);
    add("team", of.team);
    add("owner", of.owner);
    add("workflow", of.workflow);
    add("provider", of.provider);
    add("model", of.model);
    add("alias", of.alias);
    if (of.label) add("label", name_of(*of.label));
    if (!window.period) return fmt::format("{}|rolling {}", id, window.length.count());
    id += fmt::format("|{}", kPeriodNames[static_cast<std::size_t>(*window.period)]);
    if (window.zone != kUtc) id += " " + window.zone;
    if (window.period == Period::week) id += fmt::format(" {}", static_cast<int>(window.first_of_week));
    return id;
}

bool is(const std::string& wanted, const std::string& name) {
    return wanted.empty() || wanted == name;
}

}  // namespace

bool counts(const config::BudgetScope& scope, const Subject& subject) {
    return is(scope.key, subject.key) && is(scope.team, subject.team) && is(scope.owner, subject.owner) &&
           is(scope.workflow, subject.workflow) && is(scope.provider, subject.provider) &&
           is(scope.model, subject.model) && (!scope.label || *scope.label == subject.label);
}

std::string text_of(const config::BudgetScope& scope) {
    std::string text;
    const auto add = [&text](std::string_view what, std::string_view name) {
        if (!name.empty()) text += fmt::format("{}the {} '{}'", text.empty() ? "" : " and ", what, name);
    };
    add("key", scope.key);
    add("team", scope.team);
    add("owner", scope.owner);
    add("workflow", scope.workflow);
    add("provider", scope.provider);
    add("model", scope.model);
    add("alias", scope.alias);
    if (scope.label) add("label", name_of(*scope.label));
    return text.empty() ? "the whole system" : text;
}

Counter::Counter(config::BudgetScope of, config::Window window)
    : of_(std::move(of)), window_(std::move(window)), id_(id_of(of_, window_)) {
    if (!window_.period) width_ = (window_.length.count() + kCells - 1) / kCells;
}

Counter::Cell Counter::cell_at(WallTime at) const {
    const auto ms = at.time_since_epoch().count();
    if (!window_.period) {
        const auto start = ms - ms % width_;
        return {start, start + width_ + window_.length.count()};
    }
    const auto known = span_;
    if (known.end > 0 && ms >= known.start && ms < known.end) return {known.start, known.end};
    span_ = span_of(*window_.period, at, window_.zone, window_.first_of_week);
    return {span_.start, span_.end};
}

std::int64_t Counter::start(WallTime now) const {
    if (window_.period) return cell_at(now).start;
    return now.time_since_epoch().count() - window_.length.count() - width_;
}

bool Counter::is_over(std::int64_t start, WallTime now) const {
    if (window_.period) return start < cell_at(now).start;
    return start + width_ + window_.length.count() <= now.time_since_epoch().count();
}

void Counter::add(Cell cell, Spent spent, WallTime now) {
    while (!cells_.empty() && is_over(cells_.begin()->first, now)) cells_.erase(cells_.begin());
    if (is_over(cell.start, now)) return;
    auto& one = cells_[cell.start];
    one = {one.cost + spent.cost, one.tokens + spent.tokens};
}

Spent Counter::spent(WallTime now) const {
    Spent sum;
    for (const auto& [start, one] : cells_)
        if (!is_over(start, now)) sum = {sum.cost + one.cost, sum.tokens + one.tokens};
    return sum;
}

std::int64_t Counter::when_at_most(WallTime now, Spent most) const {
    auto left = spent(now);
    if (window_.period)
        return left.cost <= most.cost && left.tokens <= most.tokens ? now.time_since_epoch().count()
                                                                    : cell_at(now).until;
    auto when = now.time_since_epoch().count();
    for (const auto& [start, one] : cells_) {
        if (left.cost <= most.cost && left.tokens <= most.tokens) break;
        if (is_over(start, now)) continue;
        left = {left.cost - one.cost, {left.tokens.count - one.tokens.count}};
        when = start + width_ + window_.length.count();
    }
    return when;
}

}  // namespace tandem::ledger
