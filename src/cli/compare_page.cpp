// The page of `tandem compare`: HTML with SVG, no script, nothing from outside.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.h"
#include "cli/compared.h"
#include "cli/model.h"
#include "ledger/reports/chart.h"

namespace tandem::cli {

namespace {

using ledger::reports::escaped;

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>Models, measured</title>
<style>
:root{--back:#fff;--ink:#1b1f24;--dim:#57606a;--line:#d5dae0;--soft:#f3f5f7;--bad:#b3261e;--c0:#0072b2;--c1:#d55e00;--c2:#009e73;
--c3:#b0588d;--c4:#8a6d00;--c5:#3b8fc2;--c6:#7a4fb5;--c7:#5c6b2f}
@media (prefers-color-scheme:dark){:root{--back:#14171a;--ink:#e8eaed;--dim:#a3abb4;--line:#363c43;--soft:#1d2125;--bad:#f2b8b5;
--c0:#5ab4e6;--c1:#f28a3c;--c2:#3cc79a;--c3:#dc94bd;--c4:#e0c344;--c5:#8fd0f5;--c6:#b69af0;--c7:#adc069}}
*{box-sizing:border-box}body{margin:0 auto;padding:1.5rem;max-width:70rem;background:var(--back);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}h1{font-size:1.5rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:2rem 0 .4rem}
p{margin:.3rem 0;max-width:56rem}.dim{color:var(--dim)}figure{margin:0}svg{width:100%;height:auto;font:11px system-ui,sans-serif;
fill:var(--dim)}svg .axis{stroke:var(--dim)}svg .grid{stroke:var(--line)}svg .line{fill:none;stroke-width:2}svg .span{stroke-width:1}
svg .dot{fill-opacity:.35;stroke-width:2}.scroll{overflow:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;
font-size:.87rem}th,td{padding:.25rem .6rem;text-align:left;border-bottom:1px solid var(--line)}th{background:var(--soft)}
.bad{color:var(--bad)}code{background:var(--soft);padding:.1rem .3rem}
.c0{fill:var(--c0);stroke:var(--c0)}.c1{fill:var(--c1);stroke:var(--c1)}.c2{fill:var(--c2);stroke:var(--c2)}
.c3{fill:var(--c3);stroke:var(--c3)}.c4{fill:var(--c4);stroke:var(--c4)}.c5{fill:var(--c5);stroke:var(--c5)}
.c6{fill:var(--c6);stroke:var(--c6)}.c7{fill:var(--c7);stroke:var(--c7)}svg text{stroke:none}
</style></head><body>
)";

constexpr std::size_t kColours = 8;
constexpr double kWidth = 760, kHeight = 340, kLeft = 60, kRight = 140, kTop = 16, kFoot = 40;
constexpr double kGigabyte = 1e9;

struct Axis {
    double low, high, from, to;  // values, and where they are in pixels
    double at(double value) const { return from + (value - low) / (high - low) * (to - from); }
};
constexpr Axis kShares{0, 1, kHeight - kFoot, kTop};

std::string open_svg(std::string_view title) {
    return fmt::format("<figure><svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\"><title>{}</title>\n", kWidth,
                       kHeight, escaped(title), escaped(title));
}
std::string text_at(double x, double y, std::string_view anchor, std::string_view text) {
    return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor, escaped(text));
}
std::string line_of(std::string_view kind, double x1, double y1, double x2, double y2) {
    return fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", kind, x1, y1,
                       x2, y2);
}

// The upright axis of shares, with its lines.
std::string shares() {
    std::string out;
    for (int tick = 0; tick <= 4; ++tick) {
        const double share = tick / 4.0, y = kShares.at(share);
        out += line_of(tick == 0 ? "axis" : "grid", kLeft, y, kWidth - kRight, y);
        out += text_at(kLeft - 8, y + 4, "end", fmt::format("{:.2f}", share));
    }
    return out;
}

std::string legend(const std::vector<Compared>& all) {
    std::string out;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const double y = kTop + 14 + 18 * static_cast<double>(i);
        out += fmt::format("<circle class=\"c{}\" cx=\"{}\" cy=\"{:.1f}\" r=\"4\"/>\n", i % kColours,
                           kWidth - kRight + 16, y - 4);
        out += text_at(kWidth - kRight + 26, y, "start", printable(all[i].model, 24));
    }
    return out;
}

// Right answers over the length of the prompt, each with its interval.
std::string curves(const std::vector<Compared>& all) {
    double low = 0, high = 0;
    for (const auto& one : all)
        for (const auto& [tokens, score] : one.curve) {
            const auto place = std::log2(static_cast<double>(tokens));
            low = low == 0 ? place : std::min(low, place);
            high = std::max(high, place);
        }
    if (high == 0) return "<p class=\"dim\">The suite context has not run.</p>\n";
    const Axis lengths{low - 0.3, high + 0.3, kLeft, kWidth - kRight};
    auto out = open_svg("Right answers over the length of the prompt") + shares();
    for (double place = std::ceil(low); place <= high; place += 1)
        out += text_at(lengths.at(place), kHeight - kFoot + 18, "middle", fmt::format("{:.0f}", std::exp2(place)));
    out += text_at((kLeft + kWidth - kRight) / 2, kHeight - 6, "middle", "tokens of the prompt");
    for (std::size_t i = 0; i < all.size(); ++i) {
        std::string points;
        for (const auto& [tokens, score] : all[i].curve) {
            const auto x = lengths.at(std::log2(static_cast<double>(tokens))) + 3 * static_cast<double>(i);
            points += fmt::format("{:.1f},{:.1f} ", x, kShares.at(score.value));
            out += line_of(fmt::format("span c{}", i % kColours), x, kShares.at(score.low), x, kShares.at(score.high));
            out += fmt::format("<circle class=\"c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"/>\n", i % kColours, x,
                               kShares.at(score.value));
        }
        out += fmt::format("<polyline class=\"line c{}\" style=\"fill:none\" points=\"{}\"/>\n", i % kColours, points);
    }
    return out + legend(all) + "</svg></figure>\n";
}

// Quality upright, speed along, memory as the size of the dot.
std::string qualities(const std::vector<Compared>& all, const std::vector<std::string>& common) {
    double fastest = 0, largest = 0;
    for (const auto& one : all) {
        fastest = std::max(fastest, one.writing.value_or(0));
        largest = std::max(largest, static_cast<double>(one.memory_bytes));
    }
    if (common.empty() || fastest == 0)
        return "<p class=\"dim\">This needs the suite speed and one of tools, json, instructions, languages and "
               "reasoning of every model.</p>\n";
    constexpr double kSmallestDot = 6, kLargestDot = 22;
    const Axis speeds{0, fastest * 1.1, kLeft, kWidth - kRight};
    auto out = open_svg("Quality over speed; the dots are as large as the memory") + shares();
    for (int tick = 0; tick <= 4; ++tick) {
        const double speed = fastest * tick / 4;
        out += text_at(speeds.at(speed), kHeight - kFoot + 18, "middle", fmt::format("{:.0f}", speed));
    }
    out += text_at((kLeft + kWidth - kRight) / 2, kHeight - 6, "middle", "tokens written in a second");
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto quality = quality_of(all[i], common);
        if (!quality || !all[i].writing) continue;
        const double share = largest == 0 ? 0 : std::sqrt(static_cast<double>(all[i].memory_bytes) / largest);
        const double x = speeds.at(*all[i].writing), y = kShares.at(*quality);
        out += fmt::format("<circle class=\"dot c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"/>\n", i % kColours, x, y,
                           kSmallestDot + share * (kLargestDot - kSmallestDot));
        if (all[i].memory_bytes > 0)
            out += text_at(x, y + 4, "middle",
                           fmt::format("{:.1f} GB", static_cast<double>(all[i].memory_bytes) / kGigabyte));
    }
    return out + legend(all) + "</svg></figure>\n";
}

std::string cell(std::string_view text, std::string_view kind = "") {
    return kind.empty() ? fmt::format("<td>{}</td>", escaped(text))
                        : fmt::format("<td class=\"{}\">{}</td>", kind, escaped(text));
}

std::string head_of(const std::vector<Compared>& all) {
    std::string out = "<div class=\"scroll\"><table><tr><th></th>";
    for (const auto& one : all) out += fmt::format("<th>{}</th>", escaped(printable(one.model, 64)));
    return out + "</tr>\n";
}

std::string features_table(const std::vector<Compared>& all) {
    std::set<std::string> features;
    for (const auto& one : all)
        for (const auto& [feature, word] : one.features) features.insert(feature);
    if (features.empty()) return "<p class=\"dim\">The suite compatibility has not run.</p>\n";
    auto out = head_of(all);
    for (const auto& feature : features) {
        out += fmt::format("<tr><th>{}</th>", escaped(feature));
        for (const auto& one : all) {
            const auto found = one.features.find(feature);
            const auto word = found == one.features.end() ? std::string("-") : found->second;
            out += cell(printable(word, 160), word == "-" || !is_amiss(word) ? "" : "bad");
        }
        out += "</tr>\n";
    }
    return out + "</table></div>\n";
}

std::string scores_table(const std::vector<Compared>& all) {
    auto out = head_of(all);
    const auto row = [&](std::string_view name, const auto& text) {
        out += fmt::format("<tr><th>{}</th>", escaped(name));
        for (const auto& one : all) out += cell(text(one));
        out += "</tr>\n";
    };
    row("usable context", [](const Compared& one) {
        const auto claim = one.claimed > 0 ? fmt::format(" of {} claimed", one.claimed) : std::string();
        if (!one.usable) return "not measured" + claim;
        return fmt::format("{} ({} to {}){}", *one.usable, one.usable_low, one.usable_high, claim);
    });
    for (const auto suite : kScoredSuites)
        row(suite, [suite](const Compared& one) {
            const auto found = one.scores.find(std::string(suite));
            if (found == one.scores.end()) return std::string("not measured");
            if (suite == "reasoning") return fmt::format("depth {} of 5", one.depth.value_or(0));
            const auto& score = found->second;
            return fmt::format("{:.2f} ({:.2f} to {:.2f}), {} questions", score.value, score.low, score.high,
                               score.asked);
        });
    row("writing, tokens/s", [](const Compared& one) {
        return one.writing ? fmt::format("{:.1f}", *one.writing) : std::string("not measured");
    });
    row("reading, tokens/s", [](const Compared& one) {
        return one.reading ? fmt::format("{:.0f}", *one.reading) : std::string("not measured");
    });
    row("quantization", [](const Compared& one) { return one.quantization; });
    row("engine", [](const Compared& one) { return one.engine; });
    row("memory", [](const Compared& one) {
        return one.memory_bytes == 0 ? std::string("not known")
                                     : size_text(one.memory_bytes) + (one.memory_measured ? "" : " (estimated)");
    });
    return out + "</table></div>\n";
}

std::string missing_list(const std::vector<Compared>& all) {
    std::string out;
    for (const auto& one : all)
        if (!one.missing.empty())
            out += fmt::format("<li>{}: <code>tandem probe {} --suite {}</code></li>\n", escaped(one.model),
                               escaped(one.model), join(one.missing, ","));
    return out.empty() ? out : "<h2>Not measured yet</h2>\n<ul>" + out + "</ul>\n";
}

}  // namespace

std::string compare_page(const std::vector<Compared>& all) {
    const auto common = common_scores(all);
    std::string out(kHead);
    out +=
        "<h1>Models, measured</h1>\n<p class=\"dim\">By `tandem probe`, on this machine. The bars and brackets are "
        "intervals in which the true share lies 95 times of 100.</p>\n";
    out += "<h2>Quality, speed, memory</h2>\n" + qualities(all, common);
    if (!common.empty())
        out += fmt::format("<p class=\"dim\">Quality is the mean of what all of them have: {}.</p>\n",
                           escaped(join(common, ", ")));
    if (const auto* choice = choice_of(all)) out += fmt::format("<p>{}.</p>\n", escaped(choice_text(*choice)));
    out += "<h2>Usable context</h2>\n" + curves(all);
    out += "<h2>Scores</h2>\n" + scores_table(all);
    out += "<h2>What the servers honour, ignore or break</h2>\n" + features_table(all);
    return out + missing_list(all) + "</body></html>\n";
}

}  // namespace tandem::cli
