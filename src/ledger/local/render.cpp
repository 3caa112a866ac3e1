// A month at home, for a terminal and as JSON.
#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "ledger/local/month.h"

namespace tandem::ledger::local {

namespace {

std::string line(std::string_view what, const std::string& value, std::string_view note = {}) {
    return fmt::format("  {:<34} {:>16}{}{}\n", what, value, note.empty() ? "" : "  ", note);
}

std::string text_of(const std::optional<Money>& amount) {
    return amount ? amount->text() : "-";
}

// `part` of `whole` in percent with one digit after the point, rounded down.
std::string percent_text(std::int64_t part, std::int64_t whole) {
    const auto tenths = whole <= 0 ? 0 : static_cast<std::int64_t>(static_cast<__int128>(part) * 1000 / whole);
    return fmt::format("{}.{}", tenths / 10, tenths % 10);
}

std::string machine_text(const MachineCost& cost) {
    auto out = fmt::format("{}\n", printable(cost.id, 60));
    out += line("depreciation", cost.depreciation.text());
    out += line("cost of capital", cost.capital.text());
    out += line("electricity, busy", cost.energy_busy.text(),
                fmt::format("{}, {}", kwh_text(cost.busy_wh), cost.energy_source()));
    out += line("electricity, idle", cost.energy_idle.text(),
                fmt::format("{}, {}", kwh_text(cost.idle_wh), cost.energy_source()));
    if (cost.measured_wh > 0) out += line("of it measured", kwh_text(cost.measured_wh), "without cooling");
    out += line("busy hours", hours_text(cost.busy_ms),
                fmt::format("of {} ({} %)", hours_text(cost.wall_ms), percent_text(cost.busy_ms, cost.wall_ms)));
    out += line("used", cost.used().text());
    out += line("idle", cost.idle().text());
    out += line("all of it", cost.total().text());
    return out;
}

std::string work_text(const Month& month) {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < kKindNames.size(); ++i)
        if (month.work_ms[i] > 0) parts.push_back(fmt::format("{} {} h", kKindNames[i], hours_text(month.work_ms[i])));
    return join(parts, ", ");
}

std::string group_lines(std::string_view title, const std::vector<Group>& groups) {
    if (groups.empty()) return {};
    auto out = fmt::format("\n{:<30} {:>8} {:>8} {:>12} {:>12} {:>14} {:>14} {:>14}\n", title, "attempts", "answers",
                           "tokens in", "out", "added", "used", "full cost");
    for (const auto& g : groups)
        out += fmt::format("{:<30} {:>8} {:>8} {:>12} {:>12} {:>14} {:>14} {:>14}\n",
                           g.name.empty() ? "-" : printable(g.name, 30), g.attempts, g.answered, g.usage.input.count,
                           g.usage.output.count, g.marginal.text(), g.used.text(), g.full.text());
    return out;
}

std::string comparison_text(const Month& month) {
    const auto& cloud = month.cloud;
    const auto name = cloud ? fmt::format("{} ({}{})", printable(cloud->model, 40), cloud->source,
                                          cloud->named ? "" : "; the dearest of tandem.yaml")
                            : std::string("no model of the cloud to compare with");
    auto out = fmt::format("\n{:<36} {:>16} {:>16}  {}\n", "the same tokens", "at home", "in the cloud", name);
    const auto row = [&](std::string_view what, const std::optional<Money>& home, const std::optional<Money>& there) {
        out += fmt::format("  {:<34} {:>16} {:>16}\n", what, text_of(home), text_of(there));
    };
    const auto of_cloud = [&](auto&& question) -> std::optional<Money> {
        return cloud ? question(cloud->cost) : std::nullopt;
    };
    row("all", month.total(), of_cloud([](Money m) { return std::optional(m); }));
    row("a million tokens, full", month.per_million(month.total()),
        of_cloud([&](Money m) { return month.per_million(m); }));
    row("a million tokens, used alone", month.per_million(month.used()), {});
    row("a million tokens, added", month.per_million(month.all.marginal), {});
    row("an answer, full", month.per_answer(month.total()), of_cloud([&](Money m) { return month.per_answer(m); }));
    row("an answer, added", month.per_answer(month.all.marginal), {});
    return out;
}

void optional_micros(json::Writer& out, std::string_view key, const std::optional<Money>& amount) {
    out.key(key);
    if (amount)
        out.value(amount->micros());
    else
        out.null();
}

void write_machine(json::Writer& out, const MachineCost& cost) {
    out.begin_object().member("name", cost.id).member("depreciation_micros", cost.depreciation.micros());
    out.member("capital_micros", cost.capital.micros()).member("hardware_micros", cost.hardware().micros());
    out.member("energy_busy_micros", cost.energy_busy.micros());
    out.member("energy_idle_micros", cost.energy_idle.micros());
    out.member("energy_micros", cost.energy().micros()).member("energy_source", cost.energy_source());
    out.member("measured_wh", cost.measured_wh);
    out.member("busy_wh", cost.busy_wh).member("idle_wh", cost.idle_wh);
    out.member("busy_ms", cost.busy_ms).member("wall_ms", cost.wall_ms);
    out.member("used_micros", cost.used().micros()).member("idle_micros", cost.idle().micros());
    out.member("marginal_micros", cost.marginal().micros()).member("total_micros", cost.total().micros());
    out.end_object();
}

void write_group(json::Writer& out, const Group& g) {
    out.member("attempts", g.attempts).member("answered", g.answered).member("input", g.usage.input.count);
    out.member("cached_input", g.usage.cached_input.count).member("output", g.usage.output.count);
    out.member("estimated", g.usage.estimated).member("total_ms", g.ms);
    out.member("marginal_micros", g.marginal.micros()).member("used_micros", g.used.micros());
    out.member("full_micros", g.full.micros());
}

void write_groups(json::Writer& out, std::string_view key, const std::vector<Group>& groups) {
    out.key(key).begin_array();
    for (const auto& group : groups) {
        out.begin_object().member("group", group.name);
        write_group(out, group);
        out.end_object();
    }
    out.end_array();
}

void write_costs(json::Writer& out, const Month& month, Money full, const Money* marginal) {
    optional_micros(out, "per_million_micros", month.per_million(full));
    optional_micros(out, "per_answer_micros", month.per_answer(full));
    if (marginal == nullptr) return;
    optional_micros(out, "marginal_per_million_micros", month.per_million(*marginal));
    optional_micros(out, "marginal_per_answer_micros", month.per_answer(*marginal));
}

}  // namespace

std::string as_text(const Month& month, std::string_view currency) {
    auto out = fmt::format("{}, in {}: what models at home cost. Electricity is {}{}.\n\n", month.name, currency,
                           month.energy_source(), month.energy_source() == "modelled" ? " from watts" : "");
    for (const auto& machine : month.machines) out += machine_text(machine);
    out += "together\n";
    out += line("hardware", month.hardware().text());
    out += line("electricity", month.energy().text(), month.energy_source());
    out += line("hours of work", month.work.text(), work_text(month));
    out += line("total", month.total().text());
    out += line("of it for idle machines", month.idle().text());
    out += comparison_text(month);
    out += group_lines("model", month.by_model);
    out += group_lines("kind of work", month.by_work);
    if (!month.notes.empty()) out += "\n";
    for (const auto& note : month.notes) out += fmt::format("note: {}\n", note);
    return out;
}

std::string as_json(const Month& month, std::string_view currency) {
    json::Writer out;
    out.begin_object().member("month", month.name).member("currency", currency).member("since", month.span.start);
    out.member("until", month.counted.end).member("ended", month.ended).key("machines").begin_array();
    for (const auto& machine : month.machines) write_machine(out, machine);
    out.end_array().key("hours").begin_object();
    for (std::size_t i = 0; i < kKindNames.size(); ++i)
        out.member(fmt::format("{}_ms", kKindNames[i]), month.work_ms[i]);
    out.member("cost_micros", month.work.micros()).end_object();
    out.member("hardware_micros", month.hardware().micros()).member("energy_micros", month.energy().micros());
    out.member("energy_source", month.energy_source()).member("hours_micros", month.work.micros());
    out.member("used_micros", month.used().micros()).member("idle_micros", month.idle().micros());
    out.member("total_micros", month.total().micros());
    const auto marginal = month.all.marginal;
    write_costs(out, month, month.total(), &marginal);
    out.key("tokens").begin_object();
    write_group(out, month.all);
    out.end_object().key("cloud");
    if (month.cloud) {
        out.begin_object().member("model", month.cloud->model).member("named", month.cloud->named);
        out.member("source", month.cloud->source).member("cost_micros", month.cloud->cost.micros());
        write_costs(out, month, month.cloud->cost, nullptr);
        out.end_object();
    } else {
        out.null();
    }
    write_groups(out, "by_model", month.by_model);
    write_groups(out, "by_work", month.by_work);
    out.key("notes").begin_array();
    for (const auto& note : month.notes) out.value(note);
    return out.end_array().end_object().take();
}

}  // namespace tandem::ledger::local
