// The page: HTML with SVG, complete in itself.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/time_text.h"
#include "ledger/prices/amount.h"
#include "ledger/prices/book.h"
#include "ledger/reports/chart.h"
#include "ledger/reports/render.h"

namespace tandem::ledger::reports {

namespace {

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>What Tandem used and paid</title>
<style>
:root{--back:#fff;--ink:#1b1f24;--dim:#57606a;--line:#d5dae0;--soft:#f3f5f7;
--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#b0588d;--c4:#8a6d00;--c5:#3b8fc2;--c6:#7a4fb5;--c7:#5c6b2f;--c8:#7d858e}
@media (prefers-color-scheme:dark){:root{--back:#14171a;--ink:#e8eaed;--dim:#a3abb4;--line:#363c43;--soft:#1d2125;
--c0:#5ab4e6;--c1:#f28a3c;--c2:#3cc79a;--c3:#dc94bd;--c4:#e0c344;--c5:#8fd0f5;--c6:#b69af0;--c7:#adc069;--c8:#98a1ab}}
*{box-sizing:border-box}body{margin:0 auto;padding:1.5rem;max-width:76rem;background:var(--back);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}h1{font-size:1.5rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:2.2rem 0 .4rem}
p{margin:.3rem 0;max-width:60rem}.dim{color:var(--dim)}.tiles{display:flex;flex-wrap:wrap;gap:.8rem;margin:1rem 0}
.tile{background:var(--soft);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .9rem;min-width:10rem}
.tile b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}.beside{display:grid;gap:1rem;
grid-template-columns:minmax(0,3fr) minmax(0,2fr);align-items:start}@media (max-width:60rem){.beside{grid-template-columns:1fr}}
figure{margin:0}svg{width:100%;height:auto;font:11px system-ui,sans-serif;fill:var(--dim)}svg .axis{stroke:var(--dim)}
svg .grid{stroke:var(--line)}.scroll{max-height:26rem;overflow:auto;border:1px solid var(--line);border-radius:.4rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.87rem}
th,td{padding:.25rem .55rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{background:var(--soft);position:sticky;top:0}th.n,td.n{text-align:left;white-space:normal;overflow-wrap:anywhere}
tr.total td{font-weight:600}.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem .9rem;margin:0 0 .3rem;padding:0;
font-size:.85rem}.key{display:inline-block;width:.8em;height:.8em;border-radius:.15em;margin-right:.35em}
.beware{border-left:4px solid var(--c1);padding:.3rem .8rem;background:var(--soft)}
.c0{fill:var(--c0);background:var(--c0)}.c1{fill:var(--c1);background:var(--c1)}.c2{fill:var(--c2);background:var(--c2)}
.c3{fill:var(--c3);background:var(--c3)}.c4{fill:var(--c4);background:var(--c4)}.c5{fill:var(--c5);background:var(--c5)}
.c6{fill:var(--c6);background:var(--c6)}.c7{fill:var(--c7);background:var(--c7)}.c8{fill:var(--c8);background:var(--c8)}
@media print{.scroll{max-height:none}}
</style></head><body>
)";

constexpr std::string_view kNotRecorded = "not recorded yet";

// Without zeros at its end, two digits at least: "1.25", "0.000125", "3.00".
std::string money(Money amount) {
    auto text = amount.text();
    while (text.ends_with('0') && text.size() - text.find('.') > 3) text.pop_back();
    return text;
}

std::string count(std::int64_t number) {
    auto text = std::to_string(number);
    for (auto at = static_cast<std::int64_t>(text.size()) - 3; at > 0; at -= 3)
        text.insert(static_cast<std::size_t>(at), " ");
    return text;
}

// In hundredths of a percent, rounded half to even: "12.34 %"; "-" of nothing.
std::string share(std::int64_t part, std::int64_t whole) {
    if (whole <= 0) return "-";
    const auto hundredths = static_cast<std::int64_t>(prices::divided_half_to_even(__int128(part) * 10'000, whole));
    return fmt::format("{}.{:02} %", hundredths / 100, hundredths % 100);
}

std::int64_t tokens_of(const Figures& f) {
    return (f.sums.usage.input + f.sums.usage.output).count;
}

class TableText {
  public:
    // Columns of text first, then those of numbers.
    TableText(std::vector<std::string> head, std::size_t names) : names_(names) {
        out_ = "<div class=\"scroll\"><table><thead>";
        row(head, "th", "");
        out_ += "</thead><tbody>\n";
    }
    void add(const std::vector<std::string>& cells) { row(cells, "td", ""); }
    void add_total(const std::vector<std::string>& cells) { row(cells, "td", " class=\"total\""); }
    std::string take() { return std::move(out_) + "</tbody></table></div>\n"; }

  private:
    void row(const std::vector<std::string>& cells, std::string_view tag, std::string_view of_row) {
        out_ += fmt::format("<tr{}>", of_row);
        for (std::size_t i = 0; i < cells.size(); ++i)
            out_ += fmt::format("<{0}{1}>{2}</{0}>", tag, i < names_ ? " class=\"n\"" : "", escaped(cells[i]));
        out_ += "</tr>\n";
    }
    std::size_t names_;
    std::string out_;
};

std::string beside(std::string chart, std::string table) {
    return fmt::format("<div class=\"beside\">{}{}</div>\n", chart, table);
}

std::string each_text(const Figures& f) {
    const auto each = f.cost_per_answer();
    return each ? money(*each) : "-";
}

// A report as it is, with all its columns.
std::string whole_table(const Report& report, std::string_view currency) {
    std::vector<std::string> head;
    for (const auto dimension : report.question.by) head.emplace_back(name_of(dimension));
    for (const auto* name : {"attempts", "answered", "tokens in", "cached", "tokens out"}) head.emplace_back(name);
    head.push_back(fmt::format("{} an answer", currency));
    head.emplace_back(currency);
    TableText table(head, report.question.by.size());
    const auto cells = [&](std::vector<std::string> names, const Figures& f) {
        for (const auto number : {f.sums.attempts, f.answered, f.sums.usage.input.count,
                                  f.sums.usage.cached_input.count, f.sums.usage.output.count})
            names.push_back(count(number));
        names.push_back(each_text(f));
        names.push_back(money(f.sums.cost) + (f.unpriced > 0 ? fmt::format(" + {} unknown", f.unpriced) : ""));
        return names;
    };
    for (const auto& line : report.lines) {
        std::vector<std::string> names;
        for (const auto& group : line.groups) names.emplace_back(shown(group));
        table.add(cells(std::move(names), line.figures));
    }
    std::vector<std::string> total(report.question.by.size());
    total[0] = "total";
    table.add_total(cells(std::move(total), report.total));
    return table.take();
}

using Value = std::int64_t (*)(const Figures&);

// Of a report by period and something: a series for each of `names`, and one of all others.
std::vector<Series> series_of(const Report& report, const std::vector<std::string>& periods,
                              const std::vector<std::string>& names, bool others, Value value) {
    std::map<std::string, std::size_t, std::less<>> places, at;
    for (std::size_t i = 0; i < periods.size(); ++i) places[periods[i]] = i;
    std::vector<Series> list;
    for (std::size_t i = 0; i < names.size(); ++i) {
        at[names[i]] = i;
        list.push_back({std::string(shown(names[i])), std::vector<std::int64_t>(periods.size()), static_cast<int>(i)});
    }
    if (others) list.push_back({"all others", std::vector<std::int64_t>(periods.size()), kColours - 1});
    for (const auto& line : report.lines) {
        const auto place = places.find(line.groups[0]);
        if (place == places.end()) continue;
        const auto found = at.find(line.groups[1]);
        if (found == at.end() && !others) continue;
        auto& sum = list[found == at.end() ? names.size() : found->second].values[place->second];
        sum = saturating_sum(sum, std::max<std::int64_t>(0, value(line.figures)));
    }
    return list;
}

std::string spend(const Page& page, std::string_view currency) {
    std::string out = fmt::format("<h2>Spend over time, by model</h2>\n<p class=\"dim\">{} for each {}, in UTC.</p>\n",
                                  escaped(currency), page.period);
    std::vector<std::string> names;
    std::size_t with_cost = 0;
    for (const auto& line : page.models.lines) {
        if (line.figures.sums.cost == Money{}) continue;
        ++with_cost;
        if (names.size() + 1 < kColours) names.push_back(line.groups[0]);
    }
    Chart chart;
    chart.title = "Spend over time, by model";
    chart.places = page.periods;
    chart.series = series_of(page.spend, page.periods, names, with_cost > names.size(),
                             [](const Figures& f) { return f.sums.cost.micros(); });
    chart.unit = [](std::int64_t micros) { return money(Money::from_micros(micros)); };
    return out + beside(stacked_columns(chart), whole_table(page.spend, currency));
}

std::string local_and_cloud(const Page& page, std::string_view currency) {
    std::string out = fmt::format(
        "<h2>Local against cloud</h2>\n<p class=\"dim\">Tokens in and out for each {}: what a local model does costs "
        "no "
        "money here, so its share shows in tokens. What its hardware, energy and hours cost is below.</p>\n",
        page.period);
    Chart chart;
    chart.title = "Tokens at home and in the cloud";
    chart.places = page.periods;
    chart.series = series_of(page.zones, page.periods, {"local", "cloud"}, false, tokens_of);
    chart.series[0].colour = 2;
    chart.series[1].colour = 0;
    chart.unit = count;
    TableText table({"zone", "attempts", "answered", "tokens in", "tokens out", "of all tokens",
                     fmt::format("{} an answer", currency), std::string(currency)},
                    1);
    std::map<std::string, Figures, std::less<>> zones;
    for (const auto& line : page.zones.lines) zones[line.groups[1]] += line.figures;
    const auto all = tokens_of(page.zones.total);
    const auto cells = [&](const std::string& name, const Figures& f) {
        return std::vector<std::string>{name,
                                        count(f.sums.attempts),
                                        count(f.answered),
                                        count(f.sums.usage.input.count),
                                        count(f.sums.usage.output.count),
                                        share(tokens_of(f), all),
                                        each_text(f),
                                        money(f.sums.cost)};
    };
    for (const auto& [name, figures] : zones) table.add(cells(name, figures));
    table.add_total(cells("total", page.zones.total));
    return out + beside(stacked_columns(chart), table.take());
}

// Bars of what an answer cost, of those that had any.
std::string bars_per_answer(const std::vector<std::pair<std::string, Figures>>& groups, std::string title) {
    Chart chart;
    chart.title = std::move(title);
    Series series;
    series.colour = 0;
    constexpr std::size_t kMost = 20;
    for (const auto& [name, figures] : groups) {
        const auto each = figures.cost_per_answer();
        if (!each || chart.places.size() == kMost) continue;
        chart.places.emplace_back(shown(name));
        series.values.push_back(each->micros());
    }
    chart.series = {series};
    chart.unit = [](std::int64_t micros) { return money(Money::from_micros(micros)); };
    return chart.places.empty() ? "<p class=\"dim\">no task was answered</p>" : bars(chart);
}

std::vector<std::pair<std::string, Figures>> groups_of(const Report& report) {
    std::vector<std::pair<std::string, Figures>> groups;
    for (const auto& line : report.lines) {
        const auto found = std::ranges::find(groups, line.groups[0], &std::pair<std::string, Figures>::first);
        if (found == groups.end())
            groups.emplace_back(line.groups[0], line.figures);
        else
            found->second += line.figures;
    }
    return groups;
}

std::string per_task(const Page& page, std::string_view currency) {
    std::string out = fmt::format(
        "<h2>Cost per successful task</h2>\n<p class=\"dim\">{} of all attempts, failed, cut and cancelled ones "
        "included, "
        "for each request that got its whole answer. Whether the answer was good is not in it: `tandem learning show` "
        "says what was learned of that.</p>\n",
        escaped(currency));
    out += "<h3>By kind of work</h3>\n" +
           beside(bars_per_answer(groups_of(page.work), "Cost per successful task by kind of work"),
                  whole_table(page.work, currency));
    out += "<h3>By alias</h3>\n" + beside(bars_per_answer(groups_of(page.aliases), "Cost per successful task by alias"),
                                          whole_table(page.aliases, currency));
    return out;
}

std::string spent_on(std::string_view title, std::string_view what, const std::optional<std::vector<Spent>>& spent,
                     std::string_view currency) {
    std::string out = fmt::format("<h2>{}</h2>\n", title);
    if (!spent) return out + fmt::format("<p class=\"dim\">{}: {}.</p>\n", what, kNotRecorded);
    Chart chart;
    chart.title = title;
    Series series;
    series.colour = 4;
    TableText table({"what", "how it is known", "amount", std::string(currency)}, 2);
    for (const auto& one : *spent) {
        chart.places.push_back(one.what);
        series.values.push_back(one.cost.micros());
        table.add({one.what, one.how, one.amount, money(one.cost)});
    }
    chart.series = {series};
    chart.unit = [](std::int64_t micros) { return money(Money::from_micros(micros)); };
    return out + beside(bars(chart), table.take());
}

std::string tiles(const Page& page, std::string_view currency) {
    const auto& total = page.models.total;
    Figures local;
    for (const auto& line : page.zones.lines)
        if (line.groups[1] == "local") local += line.figures;
    const auto tile = [](std::string_view name, std::string_view value) {
        return fmt::format("<div class=\"tile\">{}<b>{}</b></div>", escaped(name), escaped(value));
    };
    return "<div class=\"tiles\">" + tile("spent", fmt::format("{} {}", money(total.sums.cost), currency)) +
           tile("attempts", count(total.sums.attempts)) + tile("answered", count(total.answered)) +
           tile("an answer", fmt::format("{} {}", each_text(total), currency)) +
           tile("tokens at home", share(tokens_of(local), tokens_of(total))) + "</div>\n";
}

std::string remarks(const Page& page, std::string_view currency) {
    std::string out;
    const auto& total = page.models.total;
    if (total.unpriced > 0)
        out += fmt::format(
            "<p class=\"beware\">{} attempts went to models of which no price is known, and are not in the sums. Set "
            "models.NAME.price or policy.unknown_price in tandem.yaml.</p>\n",
            count(total.unpriced));
    if (total.estimated > 0)
        out += fmt::format(
            "<p class=\"dim\">The usage of {} of {} attempts is estimated: their provider gave no "
            "numbers, or the answer was cut.</p>\n",
            count(total.estimated), count(total.sums.attempts));
    for (std::size_t i = 0; i < total.sources.size(); ++i)
        if (total.sources[i] != Money{})
            out += fmt::format("<p class=\"dim\">{} {} {}.</p>\n", money(total.sources[i]), escaped(currency),
                               words_of(static_cast<prices::PriceSource>(i)));
    for (const auto& c : page.models.corrections)
        out += fmt::format("<p class=\"dim\">{} was priced anew on {}: {} before, {} after.</p>\n", day_text(c.day),
                           day_text(day_of(c.corrected)), money(c.before), money(c.after));
    for (const auto& note : page.models.notes) out += fmt::format("<p class=\"dim\">{}.</p>\n", escaped(note));
    return out;
}

}  // namespace

std::string as_html(const Page& page, std::string_view currency) {
    std::string out(kHead);
    out += fmt::format(
        "<h1>What was used and paid</h1>\n<p class=\"dim\">{}; made {}. Days are UTC, as providers "
        "bill.</p>\n",
        escaped(span_text(page.models.question)), tandem::time_text(page.made / 1000 * 1000));
    out += tiles(page, currency);
    if (page.models.lines.empty()) out += "<p class=\"beware\">There are no attempts in this time.</p>\n";
    out += remarks(page, currency);
    if (!page.models.lines.empty()) {
        out += spend(page, currency);
        out += local_and_cloud(page, currency);
        out += per_task(page, currency);
    }
    out += spent_on("Where the energy went", "Energy of machines at home", page.beyond.energy, currency);
    out += spent_on("Where the hours went", "Hours for operation, upgrades and debugging", page.beyond.hours, currency);
    if (page.asked) {
        std::string by;
        for (const auto dimension : page.asked->question.by)
            by += fmt::format("{}{}", by.empty() ? "" : " and ", name_of(dimension));
        out += fmt::format("<h2>By {}</h2>\n{}", by, whole_table(*page.asked, currency));
    }
    return out + "</body></html>\n";
}

}  // namespace tandem::ledger::reports
