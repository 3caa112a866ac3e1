// Advice as one page: the front as a picture, and all of it as a table beside it. Nothing from outside, no script.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "advice/advise.h"
#include "advice/render.h"
#include "base/time_text.h"
#include "ledger/reports/chart.h"

namespace tandem::advice {

namespace {

using ledger::reports::escaped;

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>What Tandem advises</title>
<style>
:root{--back:#fff;--ink:#1b1f24;--dim:#57606a;--line:#d5dae0;--soft:#f3f5f7;--now:#57606a;--offer:#0072b2;--best:#009e73;--rest:#b0b7bf}
@media (prefers-color-scheme:dark){:root{--back:#14171a;--ink:#e8eaed;--dim:#a3abb4;--line:#363c43;--soft:#1d2125;--now:#a3abb4;
--offer:#5ab4e6;--best:#3cc79a;--rest:#565f69}}
*{box-sizing:border-box}body{margin:0 auto;padding:1.5rem;max-width:76rem;background:var(--back);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}h1{font-size:1.5rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:2rem 0 .4rem}
p{margin:.3rem 0;max-width:60rem}.dim{color:var(--dim)}.verdict{background:var(--soft);border-left:4px solid var(--best);
padding:.6rem .9rem;margin:1rem 0}figure{margin:0}figcaption{font-size:.85rem;color:var(--dim)}.beside{display:grid;gap:1rem;
grid-template-columns:repeat(auto-fit,minmax(24rem,1fr))}svg{width:100%;height:auto;font:11px system-ui,sans-serif;fill:var(--ink)}
svg .axis{stroke:var(--dim)}svg .grid{stroke:var(--line)}svg .span{stroke-width:2}svg .front{fill:none;stroke:var(--dim);stroke-dasharray:4 3}
svg .tick{fill:var(--dim)}.now{fill:var(--now);stroke:var(--now)}.offer{fill:var(--offer);stroke:var(--offer)}
.best{fill:var(--best);stroke:var(--best)}.rest{fill:var(--rest);stroke:var(--rest)}svg text{stroke:none}
.scroll{overflow:auto;border:1px solid var(--line);border-radius:.4rem}table{border-collapse:collapse;width:100%;
font-variant-numeric:tabular-nums;font-size:.87rem}th,td{padding:.25rem .55rem;text-align:right;border-bottom:1px solid var(--line)}
th{background:var(--soft)}th.n,td.n{text-align:left;overflow-wrap:anywhere}code{background:var(--soft);padding:.1rem .3rem}
</style></head><body>
)";

struct Point {
    std::string label, kind;
    const Evaluation* evaluation = nullptr;
};

// A step that gives at most six ticks: 1, 2 or 5 times a power of ten.
double step_for(double range) {
    constexpr double kTicks = 6;
    const double rough = range / kTicks, power = std::pow(10, std::floor(std::log10(rough)));
    for (const double times : {1.0, 2.0, 5.0, 10.0})
        if (times * power >= rough) return times * power;
    return 10 * power;
}

struct Axis {
    double low, high, from, to;  // values, and where they are in pixels
    double at(double value) const { return from + (value - low) / (high - low) * (to - from); }
};

// What a picture has on its upright axis, beside the cost of a month.
struct Upright {
    std::string_view name;
    double (*value)(const Evaluation&);
    double (*low)(const Evaluation&);
    double (*high)(const Evaluation&);
    bool more_is_better = true;
    double most = 1e300;  // that it can be
};

double cost_of(const Evaluation& e) {
    return static_cast<double>(e.total().micros()) / 1e6;
}

constexpr double kWidth = 560, kHeight = 380, kLeft = 56, kRight = 545, kTop = 16, kFoot = 330;

std::string grid(const Axis& x, const Axis& y, std::string_view below, std::string_view beside) {
    std::string out;
    const double step_x = step_for(x.high - x.low), step_y = step_for(y.high - y.low);
    for (double tick = std::ceil(x.low / step_x) * step_x; tick <= x.high; tick += step_x)
        out += fmt::format(
            "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/><text class=\"tick\" "
            "x=\"{0:.1f}\" "
            "y=\"{3}\" text-anchor=\"middle\">{4:g}</text>\n",
            x.at(tick), kTop, kFoot, kFoot + 16, std::round(tick / step_x) * step_x);
    for (double tick = std::ceil(y.low / step_y) * step_y; tick <= y.high + 1e-9; tick += step_y)
        out += fmt::format(
            "<line class=\"grid\" x1=\"{1}\" x2=\"{2}\" y1=\"{0:.1f}\" y2=\"{0:.1f}\"/><text class=\"tick\" x=\"{3}\" "
            "y=\"{4:.1f}\" text-anchor=\"end\">{5:g}</text>\n",
            y.at(tick), kLeft, kRight, kLeft - 6, y.at(tick) + 4, std::round(tick / step_y) * step_y);
    out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", (kLeft + kRight) / 2, kFoot + 38,
                       escaped(below));
    return out +
           fmt::format("<text x=\"12\" y=\"{0}\" text-anchor=\"middle\" transform=\"rotate(-90 12 {0})\">{1}</text>\n",
                       (kTop + kFoot) / 2, escaped(beside));
}

// A line through those that nothing beats in cost and in the upright axis.
std::string front_of(const std::vector<Point>& points, const Upright& upright, const Axis& x, const Axis& y) {
    std::vector<std::pair<double, double>> all;
    const double sign = upright.more_is_better ? 1 : -1;
    for (const auto& point : points)
        if (point.kind != "rest")
            all.emplace_back(cost_of(*point.evaluation), -sign * upright.value(*point.evaluation));
    std::ranges::sort(all);
    std::string line;
    double best = 1e300;
    for (const auto& [cost, worse] : all) {
        if (worse >= best) continue;
        best = worse;
        line += fmt::format("{:.1f},{:.1f} ", x.at(cost), y.at(-sign * worse));
    }
    return fmt::format("<polyline class=\"front\" points=\"{}\"/>\n", line);
}

std::string picture(const std::vector<Point>& points, const std::string& currency, const Upright& upright) {
    double low_cost = 1e300, high_cost = -1e300, low = 1e300, high = -1e300;
    for (const auto& point : points) {
        low_cost = std::min(low_cost, cost_of(*point.evaluation));
        high_cost = std::max(high_cost, cost_of(*point.evaluation));
        low = std::min(low, upright.low(*point.evaluation));
        high = std::max(high, upright.high(*point.evaluation));
    }
    const double room = std::max((high_cost - low_cost) * 0.08, 0.01), above = std::max((high - low) * 0.05, 0.001);
    const Axis x{std::max(0.0, low_cost - room), high_cost + room, kLeft, kRight};
    const Axis y{std::max(0.0, low - above), std::min(upright.most, high + above), kFoot, kTop};
    std::string out = fmt::format(
        "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Cost of a month and {} of each combination, as in the "
        "table\">\n",
        kWidth, kHeight, upright.name);
    out += grid(x, y, currency + " a month", upright.name) + front_of(points, upright, x, y);
    std::vector<std::pair<double, double>> labels;
    for (const auto& point : points) {
        const auto& e = *point.evaluation;
        const double at_x = x.at(cost_of(e)), at_y = y.at(upright.value(e));
        // Names do not lie on each other.
        double name_y = at_y + 4;
        const auto taken = [&](const auto& other) {
            return std::abs(other.first - at_x) < 28 && std::abs(other.second - name_y) < 12;
        };
        while (!point.label.empty() && std::ranges::any_of(labels, taken)) name_y -= 12;
        if (!point.label.empty()) labels.emplace_back(at_x, name_y);
        out += fmt::format(
            "<g class=\"{}\"><title>{}: {} {}, quality {}, {}</title><line class=\"span\" x1=\"{:.1f}\" x2=\"{:.1f}\" "
            "y1=\"{:.1f}\" y2=\"{:.1f}\"/><circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"6\"/><text x=\"{:.1f}\" "
            "y=\"{:.1f}\">{}</text></g>\n",
            point.kind, escaped(e.name), money_text(e.total()), escaped(currency), quality_text(e),
            escaped(latency_text(e)), at_x, at_x, y.at(upright.low(e)), y.at(upright.high(e)), at_x, at_y, at_x + 9,
            name_y, escaped(point.label));
    }
    return out + "</svg>\n";
}

std::string pictures(const std::vector<Point>& points, const std::string& currency) {
    std::string out =
        "<div class=\"beside\"><figure><figcaption>Further left is cheaper, further up is better; a line is "
        "what is not known of the quality</figcaption>\n";
    out += picture(points, currency,
                   {"quality", [](const Evaluation& e) { return e.quality; }, [](const Evaluation& e) { return e.low; },
                    [](const Evaluation& e) { return e.high; }, true, 1});
    out += "</figure>\n";
    auto timed = points;
    std::erase_if(timed, [](const Point& one) { return !one.evaluation->latency_known(); });
    if (timed.size() > 1) {
        const auto time = [](const Evaluation& e) { return e.total_p95 / 1000; };
        out += fmt::format("<figure><figcaption>Further left is cheaper, further down is faster{}</figcaption>\n",
                           timed.size() < points.size() ? "; those that were never timed are not in it" : "");
        out += picture(timed, currency, {"seconds until 95 of 100 answers are there", time, time, time, false});
        out += "</figure>\n";
    }
    return out + "</div>\n";
}

std::string table_row(const std::string& label, const std::string& name, const Evaluation& e, const std::string& gain,
                      const std::string& remark) {
    return fmt::format(
        "<tr><td>{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}"
        "</td><td>{:.1f}</td><td class=\"n\">{}</td></tr>\n",
        escaped(label), escaped(name), money_text(e.total()), money_text(e.cloud), money_text(e.machines()), gain,
        quality_text(e), private_text(e), escaped(latency_text(e)), e.hours, escaped(remark));
}

std::string details(const Proposal& one) {
    std::string out = fmt::format("<h2>{}. {}</h2>\n<ul>\n", one.number, escaped(one.combination.name));
    for (const auto& change : one.combination.changes)
        out += fmt::format("<li>{}{}</li>\n", change.by_hand() ? "by hand: " : "", escaped(change.text()));
    for (const auto& reason : one.reasons) out += fmt::format("<li>{}</li>\n", escaped(reason));
    for (const auto& doubt : one.doubts) out += fmt::format("<li class=\"dim\">not sure: {}</li>\n", escaped(doubt));
    for (const auto& experiment : one.experiments)
        out += fmt::format("<li>{}: <code>{}</code></li>\n", escaped(experiment.why), escaped(experiment.command));
    return out + fmt::format("</ul>\n<p><code>tandem advise --apply {}</code></p>\n", escaped(one.combination.id));
}

}  // namespace

std::string as_html(const Situation& situation, const Advice& advice, bool all) {
    std::vector<Point> points;
    // Those that are not offered lie below the others.
    if (all)
        for (const auto& one : advice.proposals)
            if (one.number == 0) points.push_back({"", "rest", &one.evaluation});
    for (const auto& one : advice.proposals)
        if (one.number > 0)
            points.push_back(
                {fmt::format("{}", one.number), one.number == advice.best ? "best" : "offer", &one.evaluation});
    points.push_back({"now", "now", &advice.now});
    const auto& traffic = situation.traffic;
    std::string out(kHead);
    out += fmt::format(
        "<h1>What Tandem advises</h1>\n<p class=\"dim\">{} requests from {} to {}; amounts are {} of a month of 730 "
        "hours</p>\n<p class=\"verdict\">{}</p>\n",
        traffic.requests.size(), tandem::time_text(traffic.span.start / 1000 * 1000),
        tandem::time_text(traffic.span.end / 1000 * 1000), escaped(situation.currency), escaped(advice.verdict));
    out += pictures(points, situation.currency);
    out +=
        "<div class=\"scroll\"><table><thead><tr><th></th><th class=\"n\">combination</th><th>month</th><th>cloud</th>"
        "<th>machines</th><th>worth more</th><th>quality (95 %)</th><th>private at home</th><th>time p50 / p95</th>"
        "<th>hours</th><th class=\"n\"></th></tr></thead><tbody>\n";
    if (advice.recorded) out += table_row("", "as it was routed", *advice.recorded, "", "");
    out += table_row("now", "change nothing", advice.now, "", "");
    for (const auto& one : advice.proposals) {
        if (one.number == 0 && !all) continue;
        const auto remark = !one.refused.empty() ? "not offered: " + one.refused
                            : one.dominated      ? std::string("another one is as good or better in all three")
                                                 : std::string();
        out += table_row(one.number > 0 ? fmt::format("{}", one.number) : "-", one.combination.name, one.evaluation,
                         fmt::format("{:+.2f} ± {:.2f}", one.gain.mean, kNormal * one.gain.error), remark);
    }
    out += "</tbody></table></div>\n";
    for (const auto& one : advice.proposals)
        if (one.number > 0) out += details(one);
    for (const auto& line : advice.housekeeping) out += fmt::format("<p>Besides: {}</p>\n", escaped(line));
    for (const auto& note : advice.notes) out += fmt::format("<p class=\"dim\">{}</p>\n", escaped(note));
    return out + "</body></html>\n";
}

}  // namespace tandem::advice
