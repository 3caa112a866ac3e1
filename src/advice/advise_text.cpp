// Advice as text and JSON.
#include <fmt/format.h>

#include <algorithm>

#include "advice/advise.h"
#include "advice/render.h"
#include "base/text.h"
#include "base/time_text.h"

namespace tandem::advice {

namespace {

constexpr std::string_view kLine = "{:<3} {:<{}} {:>11} {:>12}  {:<18} {:>8}  {:<19} {:>6}  {}\n";

std::string row(const std::string& number, std::size_t wide, const std::string& name, const Evaluation& e,
                const std::string& gain, const std::string& remark) {
    return fmt::format(fmt::runtime(kLine), number, printable(name, wide), wide, money_text(e.total()), gain,
                       quality_text(e), private_text(e), latency_text(e), fmt::format("{:.1f}", e.hours), remark);
}

std::string remark_of(const Proposal& one) {
    if (!one.refused.empty()) return "not offered: " + one.refused;
    return one.dominated ? "another one is as good or better in cost, quality and time" : "";
}

bool is_shown(const Proposal& one, bool all) {
    return all || one.number > 0;
}

// "changing nothing, 2 and 4"
std::string ties_text(const Proposal& one) {
    std::vector<std::string> names;
    for (const int number : one.ties) names.push_back(number == 0 ? "changing nothing" : fmt::format("{}", number));
    return join(names, ", ");
}

void print_proposal(std::string& out, const Situation& situation, const Proposal& one) {
    const auto& e = one.evaluation;
    out += fmt::format("\n{}. {}\n", one.number, one.combination.name);
    for (const auto& change : one.combination.changes)
        out += fmt::format("   {} {}\n", change.by_hand() ? "by hand:" : "apply:  ", change.text());
    for (const auto& reason : one.reasons) out += fmt::format("   why:     {}\n", reason);
    out += fmt::format("   worth:   {:+.2f} {} a month, give or take {:.2f}\n", one.gain.mean, situation.currency,
                       kNormal * one.gain.error);
    if (const auto keeps = keeps_up_text(e); keeps != "-") out += fmt::format("   at home: keeps up: {}\n", keeps);
    if (!one.ties.empty())
        out += fmt::format("   ties:    what is on record does not tell it apart from {}\n", ties_text(one));
    for (const auto& doubt : one.doubts) out += fmt::format("   unsure:  {}\n", doubt);
    for (const auto& experiment : one.experiments)
        out += fmt::format("   try:     {}  # {}\n", experiment.command, experiment.why);
    const bool applies =
        std::ranges::any_of(one.combination.changes, [](const Change& change) { return !change.by_hand(); });
    if (applies) out += fmt::format("   tandem advise --apply {}\n", one.combination.id);
}

}  // namespace

std::string as_text(const Situation& situation, const Advice& advice, bool all) {
    const auto& traffic = situation.traffic;
    std::string out =
        fmt::format("{} requests from {} to {}; amounts are {} of a month of 730 hours\n\n{}\n\n",
                    traffic.requests.size(), tandem::time_text(traffic.span.start / 1000 * 1000),
                    tandem::time_text(traffic.span.end / 1000 * 1000), situation.currency, advice.verdict);
    std::size_t wide = 20;
    for (const auto& one : advice.proposals)
        if (is_shown(one, all)) wide = std::max(wide, std::min<std::size_t>(48, one.combination.name.size()));
    out += fmt::format(fmt::runtime(kLine), "", "combination", wide, "month", "worth more", "quality (95 %)", "private",
                       "time p50 / p95", "hours", "");
    if (advice.recorded) out += row("", wide, "as it was routed", *advice.recorded, "", "");
    out += row("0", wide, "change nothing", advice.now, "", "");
    for (const auto& one : advice.proposals)
        if (is_shown(one, all))
            out += row(one.number > 0 ? fmt::format("{}", one.number) : "-", wide, one.combination.name, one.evaluation,
                       fmt::format("{:+.2f}", one.gain.mean), remark_of(one));
    for (const auto& one : advice.proposals)
        if (one.number > 0) print_proposal(out, situation, one);
    if (!advice.housekeeping.empty()) out += "\n";
    for (const auto& line : advice.housekeeping) out += fmt::format("besides: {}\n", line);
    const auto hidden =
        std::ranges::count_if(advice.proposals, [&](const Proposal& one) { return !is_shown(one, all); });
    out += "\n";
    if (hidden > 0) out += fmt::format("{} more were looked at and are not shown: --all\n", hidden);
    for (const auto& note : advice.notes) out += fmt::format("note: {}\n", note);
    return out;
}

std::string as_json(const Situation& situation, const Advice& advice, bool all) {
    const auto& traffic = situation.traffic;
    json::Writer out;
    out.begin_object().member("currency", situation.currency);
    out.member("since", tandem::time_text(traffic.span.start / 1000 * 1000));
    out.member("until", tandem::time_text(traffic.span.end / 1000 * 1000));
    out.member("requests", traffic.requests.size()).member("verdict", advice.verdict).member("best", advice.best);
    out.member("sure", advice.sure);
    if (advice.recorded) {
        out.key("recorded").begin_object();
        write_members(out, *advice.recorded);
        out.end_object();
    }
    out.key("now").begin_object();
    write_members(out, advice.now);
    out.end_object().key("proposals").begin_array();
    for (const auto& one : advice.proposals) {
        if (!is_shown(one, all)) continue;
        out.begin_object().member("number", one.number).key("changes").begin_array();
        for (const auto& change : one.combination.changes)
            out.begin_object().member("change", change.text()).member("by_hand", change.by_hand()).end_object();
        out.end_array().key("gain").begin_object();
        write_number(out, "mean", one.gain.mean);
        write_number(out, "error", one.gain.error);
        write_number(out, "likely", one.gain.likely());
        write_number(out, "expected_loss", one.gain.expected_loss());
        out.member("sure", one.gain.sure()).end_object().member("dominated", one.dominated);
        out.key("ties").begin_array();
        for (const int number : one.ties) out.value(number);
        out.end_array();
        out.member("refused", one.refused);
        write_list(out, "reasons", one.reasons);
        write_list(out, "doubts", one.doubts);
        out.key("experiments").begin_array();
        for (const auto& experiment : one.experiments)
            out.begin_object().member("command", experiment.command).member("why", experiment.why).end_object();
        out.end_array();
        auto evaluation = one.evaluation;
        evaluation.id = one.combination.id;
        evaluation.name = one.combination.name;
        write_members(out, evaluation);
        out.end_object();
    }
    out.end_array();
    write_list(out, "housekeeping", advice.housekeeping);
    write_list(out, "notes", advice.notes);
    out.end_object();
    return out.take();
}

}  // namespace tandem::advice
