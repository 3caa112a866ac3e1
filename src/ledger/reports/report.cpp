#include "ledger/reports/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <unordered_map>

#include "ledger/prices/amount.h"

namespace tandem::ledger::reports {

Figures& Figures::operator+=(const Figures& other) {
    sums += other.sums;
    answered = saturating_sum(answered, other.answered);
    estimated = saturating_sum(estimated, other.estimated);
    unpriced = saturating_sum(unpriced, other.unpriced);
    for (std::size_t i = 0; i < sources.size(); ++i) sources[i] += other.sources[i];
    return *this;
}

std::optional<Money> Figures::cost_per_answer() const {
    if (answered == 0) return {};
    return Money::from_micros(static_cast<std::int64_t>(prices::divided_half_to_even(sums.cost.micros(), answered)));
}

namespace {

Figures figures_of(const Kind& kind, const Sums& sums) {
    Figures figures;
    figures.sums = sums;
    if (kind.outcome == "answered" || kind.outcome == "cached") figures.answered = sums.attempts;
    if (kind.estimated) figures.estimated = sums.attempts;
    if (kind.source == prices::PriceSource::unknown) figures.unpriced = sums.attempts;
    figures.sources[static_cast<std::size_t>(kind.source)] = sums.cost;
    return figures;
}

std::string group_of(const Kind& kind, Dimension dimension) {
    switch (dimension) {
        case Dimension::model:
            return kind.model;
        case Dimension::provider:
            return kind.provider;
        case Dimension::zone:
            return std::string(name_of(kind.zone));
        case Dimension::key:
            return kind.key;
        case Dimension::team:
            return kind.team;
        case Dimension::owner:
            return kind.owner;
        case Dimension::workflow:
            return kind.workflow;
        case Dimension::alias:
            return kind.alias;
        case Dimension::label:
            return std::string(name_of(kind.label));
        case Dimension::work:
            return kind.work;
        case Dimension::source:
            return std::string(prices::name_of(kind.source));
        case Dimension::tier:
            return kind.tier.empty() ? "standard" : kind.tier;
        case Dimension::outcome:
            return kind.outcome;
        default:
            return {};
    }
}

std::string time_group(std::int64_t day, Dimension dimension) {
    return dimension == Dimension::day    ? day_text(day)
           : dimension == Dimension::week ? week_text(day)
                                          : month_text(day);
}

// Adds up rows by the question's dimensions.
class Adder {
  public:
    Adder(const Question& question, std::vector<Kind> kinds) : question_(question), kinds_(std::move(kinds)) {
        names_.resize(question.by.size());
        of_kind_.resize(question.by.size());
        for (std::size_t d = 0; d < question.by.size(); ++d) {
            if (is_time(question.by[d])) continue;
            of_kind_[d].reserve(kinds_.size());
            for (const auto& kind : kinds_) of_kind_[d].push_back(name(d, group_of(kind, question.by[d])));
        }
    }

    // Of a kind by its id.
    void add(std::int64_t day, std::size_t id, const Sums& sums) {
        std::array<std::uint32_t, 2> at{};
        for (std::size_t d = 0; d < question_.by.size(); ++d)
            at[d] = is_time(question_.by[d]) ? time_name(d, day) : of_kind_[d][id];
        add(at, figures_of(kinds_[id], sums));
    }

    // Of a kind that need not have an id.
    void add(std::int64_t day, const Kind& kind, const Sums& sums) {
        std::array<std::uint32_t, 2> at{};
        for (std::size_t d = 0; d < question_.by.size(); ++d)
            at[d] = is_time(question_.by[d]) ? time_name(d, day) : name(d, group_of(kind, question_.by[d]));
        add(at, figures_of(kind, sums));
    }

    bool has(std::size_t id) const { return id < kinds_.size(); }

    void finish(Report& report) && {
        std::array<std::vector<Money>, 2> costs;  // of each name
        for (std::size_t d = 0; d < names_.size(); ++d) costs[d].resize(names_[d].texts.size());
        for (const auto& [at, figures] : groups_)
            for (std::size_t d = 0; d < names_.size(); ++d) costs[d][part(at, d)] += figures.sums.cost;
        std::vector<const std::pair<const std::uint64_t, Figures>*> order;
        order.reserve(groups_.size());
        for (const auto& group : groups_) order.push_back(&group);
        std::ranges::sort(order, [&](const auto* one, const auto* other) {
            for (std::size_t d = 0; d < names_.size(); ++d) {
                const auto a = part(one->first, d), b = part(other->first, d);
                if (a == b) continue;
                if (!is_time(question_.by[d])) {
                    const bool last = d + 1 == names_.size();
                    const auto ours = last ? one->second.sums.cost : costs[d][a];
                    const auto theirs = last ? other->second.sums.cost : costs[d][b];
                    if (ours != theirs) return ours > theirs;
                }
                return names_[d].texts[a] < names_[d].texts[b];
            }
            return false;
        });
        for (const auto* group : order) {
            Line line;
            for (std::size_t d = 0; d < names_.size(); ++d)
                line.groups.push_back(names_[d].texts[part(group->first, d)]);
            line.figures = group->second;
            report.total += line.figures;
            report.lines.push_back(std::move(line));
        }
    }

  private:
    struct Names {
        std::vector<std::string> texts;
        std::unordered_map<std::string, std::uint32_t> ids;
        std::int64_t day = -1;  // the last that was asked for
        std::uint32_t id_of_day = 0;
    };

    static std::uint32_t part(std::uint64_t at, std::size_t d) {
        return static_cast<std::uint32_t>(d == 0 ? at >> 32 : at);
    }
    std::uint32_t name(std::size_t d, std::string text) {
        auto& names = names_[d];
        const auto [place, is_new] = names.ids.try_emplace(std::move(text), names.texts.size());
        if (is_new) names.texts.push_back(place->first);
        return place->second;
    }
    std::uint32_t time_name(std::size_t d, std::int64_t day) {
        auto& names = names_[d];
        if (names.day != day) {
            names.id_of_day = name(d, time_group(day, question_.by[d]));
            names.day = day;
        }
        return names.id_of_day;
    }
    void add(const std::array<std::uint32_t, 2>& at, const Figures& figures) {
        groups_[std::uint64_t(at[0]) << 32 | at[1]] += figures;
    }

    const Question& question_;
    std::vector<Kind> kinds_;
    std::vector<Names> names_;
    std::vector<std::vector<std::uint32_t>> of_kind_;  // of each dimension, by the kind's id
    std::unordered_map<std::uint64_t, Figures> groups_;
};

enum class Periods { days, months };

Result<> each_row(store::Database& database, Periods periods, std::int64_t from, std::int64_t to,
                  const std::function<Result<>(const PeriodSums&)>& visit) {
    static const auto kDays = sums_of_days().select("WHERE day >= ? AND day < ?");
    static const auto kMonths = sums_of_months().select("WHERE month >= ? AND month < ?");
    auto rows = database.prepare(periods == Periods::days ? kDays.c_str() : kMonths.c_str());
    rows.bind(1, from).bind(2, to);
    return (periods == Periods::days ? sums_of_days() : sums_of_months()).each(rows, visit);
}

std::unexpected<Error> no_such_kind() {
    return fail(ErrorCode::storage, "the ledger's sums are of a kind that is not there; restore it from a backup");
}

Result<> add_periods(store::Database& database, Periods periods, std::int64_t from, std::int64_t to, Adder& adder) {
    if (from >= to) return {};
    return each_row(database, periods, from, to, [&](const PeriodSums& row) -> Result<> {
        const auto kind = static_cast<std::size_t>(row.kind);
        if (!adder.has(kind)) return no_such_kind();
        adder.add(periods == Periods::days ? row.period : first_day_of_month(row.period), kind, row.sums);
        return {};
    });
}

// Whole days, by whole months where no dimension is finer.
Result<> add_days(store::Database& database, const Question& question, std::int64_t from, std::int64_t to,
                  Adder& adder) {
    if (from >= to) return {};
    const bool by_days =
        std::ranges::any_of(question.by, [](Dimension d) { return d == Dimension::day || d == Dimension::week; });
    if (by_days) return add_periods(database, Periods::days, from, to, adder);
    auto first = month_of_day(from);
    if (first_day_of_month(first) < from) ++first;
    const auto last = month_of_day(to);  // which `to` is the first day of, or lies in
    if (first >= last) return add_periods(database, Periods::days, from, to, adder);
    if (auto ok = add_periods(database, Periods::days, from, first_day_of_month(first), adder); !ok) return ok;
    if (auto ok = add_periods(database, Periods::months, first, last, adder); !ok) return ok;
    return add_periods(database, Periods::days, first_day_of_month(last), to, adder);
}

// A part of a day, by the attempts' rows.
Result<> add_rows(store::Database& database, std::int64_t since, std::int64_t until, Adder& adder) {
    return each_attempt(database, since, until, [&](const AttemptRecord& attempt) -> Result<> {
        adder.add(day_of(attempt.time), kind_of(attempt), sums_of(attempt));
        return {};
    });
}

Result<std::vector<Correction>> corrections_of(store::Database& database, const Question& question) {
    auto rows = database.prepare(
        "SELECT corrected, day, attempts, before, after FROM corrected_days WHERE day >= ? AND day <= ? ORDER BY day, "
        "corrected");
    rows.bind(1, day_of(question.since)).bind(2, day_of(question.until - 1));
    std::vector<Correction> list;
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return list;
        list.push_back({rows.integer(0), rows.integer(1), rows.integer(2), Money::from_micros(rows.integer(3)),
                        Money::from_micros(rows.integer(4))});
    }
}

// No attempt is of this day or of a later one: beyond any clock.
constexpr std::int64_t kNoDay = 4'000'000;

// Whole days where the rows of a part of a day are gone.
Question answerable(Question question, std::int64_t kept, std::vector<std::string>& notes) {
    const auto widen = [&](std::int64_t& time, std::int64_t whole, std::string_view field) {
        if (time % kDayMs == 0 || time >= kept) return;
        notes.push_back(fmt::format("{}: the single attempts of {} are no longer kept, so the whole day counts", field,
                                    day_text(day_of(time))));
        time = whole;
    };
    widen(question.since, question.since / kDayMs * kDayMs, "since");
    if (question.has_until()) widen(question.until, (question.until / kDayMs + 1) * kDayMs, "until");
    return question;
}

}  // namespace

Result<std::int64_t> kept_since(store::Database& database) {
    // The second column is of the newest schema: it is not read.
    auto row = database.prepare("SELECT since, (SELECT workflow FROM cost_kinds LIMIT 1) FROM attempts_kept");
    const auto found = row.step();
    if (!found)
        return fail(ErrorCode::storage,
                    "the ledger has no sums for reports yet: it was last written by an older tandem; start `tandem "
                    "serve` of this version once, which adds them");
    return *found ? row.integer(0) : 0;
}

Result<Report> make_report(store::Database& database, const Question& asked) {
    Report report;
    const auto kept = kept_since(database);
    if (!kept) return fail(kept.error());
    const auto question = answerable(asked, *kept, report.notes);
    report.question = question;
    auto kinds = all_kinds(database);
    if (!kinds) return fail(kinds.error());
    Adder adder(report.question, std::move(*kinds));
    const auto first = (question.since + kDayMs - 1) / kDayMs;
    const auto last = question.has_until() ? question.until / kDayMs : kNoDay;
    const auto add = [&]() -> Result<> {
        if (first > last) return add_rows(database, question.since, question.until, adder);
        if (question.since < first * kDayMs)
            if (auto ok = add_rows(database, question.since, first * kDayMs, adder); !ok) return ok;
        if (auto ok = add_days(database, question, first, last, adder); !ok) return ok;
        if (question.has_until() && last * kDayMs < question.until)
            return add_rows(database, last * kDayMs, question.until, adder);
        return {};
    };
    if (auto ok = add(); !ok) return fail(ok.error());
    std::move(adder).finish(report);
    auto corrections = corrections_of(database, question);
    if (!corrections) return fail(corrections.error());
    report.corrections = std::move(*corrections);
    return report;
}

Result<> each_sum(store::Database& database, std::int64_t first_day, std::int64_t last_day,
                  const std::function<void(std::int64_t day, const Kind& kind, const Sums& sums)>& visit) {
    if (const auto kept = kept_since(database); !kept) return fail(kept.error());
    const auto kinds = all_kinds(database);
    if (!kinds) return fail(kinds.error());
    return each_row(database, Periods::days, first_day, last_day + 1, [&](const PeriodSums& row) -> Result<> {
        const auto kind = static_cast<std::size_t>(row.kind);
        if (kind >= kinds->size()) return no_such_kind();
        visit(row.period, (*kinds)[kind], row.sums);
        return {};
    });
}

Result<std::optional<Days>> days_of(store::Database& database, const Question& question) {
    auto row = database.prepare(
        "SELECT min(day), max(day), count(*) FROM (SELECT day FROM cost_days WHERE day >= ?1 "
        "AND day <= ?2 ORDER BY day LIMIT 1) UNION ALL SELECT min(day), max(day), count(*) FROM "
        "(SELECT day FROM cost_days WHERE day >= ?1 AND day <= ?2 ORDER BY day DESC LIMIT 1)");
    row.bind(1, day_of(question.since)).bind(2, question.has_until() ? day_of(question.until - 1) : kNoDay);
    std::optional<Days> days;
    while (true) {
        const auto found = row.step();
        if (!found) return fail(found.error());
        if (!*found) return days;
        if (row.integer(2) == 0) continue;
        if (!days) days = Days{row.integer(0), row.integer(1)};
        days->last = row.integer(1);
    }
}

}  // namespace tandem::ledger::reports
