// tandem cost break-even: when machines at home pay against the cloud. It needs no server, and tandem.yaml only for a
// machine that the profile does not have.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/input.h"
#include "cost/answer.h"
#include "ledger/local/cost.h"

namespace tandem::cli {

namespace {

struct Asked {
    std::string profile, hardware;
    int draws = 10'000;
    std::uint64_t seed = 1;
};

// Of millionths.
cost::Exact exact(std::int64_t millionths) {
    return {cost::Whole(millionths), cost::Whole(config::kMillion)};
}

// The price of a kWh, the mean of a week where it changes with the hour.
cost::Exact mean_tariff(config::Energy energy) {
    energy.zone = kUtc;  // a week without a change of the clock
    constexpr std::int64_t kWeek = 7 * 86'400'000LL;
    cost::Exact sum = 0;
    for (const auto& band : ledger::local::bands_of(energy, {0, kWeek}))
        sum += exact(band.per_kwh.micros()) * cost::Exact(band.span.end - band.span.start);
    return sum / kWeek;
}

// A machine of tandem.yaml as the options of a profile have them; nullopt: it has none of this name.
std::optional<cost::Machine> machine_of_config(const config::Config& config, const std::string& name) {
    using cost::Field;
    const auto found = std::ranges::find(config.hardware, name, &config::Hardware::id);
    if (found == config.hardware.end()) return {};
    cost::Machine machine{name, config.currency, {}, {}};
    machine.own = {{Field::price, exact(found->price.micros())},
                   {Field::residual_value, exact(found->residual.micros())},
                   {Field::share, exact(found->share)},
                   {Field::watts_idle, exact(found->idle_watts)},
                   {Field::cost_of_capital_percent, exact(found->cost_of_capital)}};
    if (found->busy_watts > 0) machine.own.emplace_back(Field::watts_busy, exact(found->busy_watts));
    if (found->life_months > 0) machine.own.emplace_back(Field::life_months, found->life_months);
    machine.usual = {{Field::overhead_factor, exact(config.energy.cooling)}};
    if (config.energy.tariff) machine.usual.emplace_back(Field::tariff_per_kwh, mean_tariff(config.energy));
    if (config.hours.rate) machine.usual.emplace_back(Field::hourly_rate, exact(config.hours.rate->micros()));
    return machine;
}

Result<cost::Profile> open_profile(const std::string& name, const cost::Machine* machine) {
    const auto text = read_profile_file(name, "docs/break-even.md");
    if (!text) return fail(text.error());
    return cost::read_profile(*text, std::filesystem::path(name).filename().string(), machine);
}

// `others`: names that it could have been besides.
Result<> keep_one(cost::Profile& profile, const std::string& name, std::vector<std::string> others) {
    const auto at = std::ranges::find(profile.options, name, &cost::Option::name);
    if (at == profile.options.end()) {
        for (const auto& option : profile.options) others.push_back(option.name);
        return fail(ErrorCode::not_found, fmt::format("neither the profile nor tandem.yaml has a hardware '{}'{}",
                                                      printable(name, 60), suggest(name, others)));
    }
    auto option = std::move(*at);
    profile.options = {std::move(option)};
    return {};
}

// With all its digits after the point, so that amounts stand under each other.
std::string money(const std::optional<cost::Exact>& value, int digits = 2) {
    if (!value) return "-";
    auto text = cost::decimal(*value, digits);
    auto point = text.find('.');
    if (point == std::string::npos) text.insert(point = text.size(), ".");
    text.append(static_cast<std::size_t>(digits) - (text.size() - point - 1), '0');
    return text;
}

std::string month_text(const std::optional<int>& month, int horizon) {
    return month ? fmt::format("{}", *month) : fmt::format("not within {}", horizon);
}

void line(std::string_view what, const std::string& value, std::string_view note = {}) {
    fmt::print("  {:<34} {:>16}{}{}\n", what, value, note.empty() ? "" : "  ", note);
}

// Parts that are 0 were not given, and are left out.
void part(std::string_view what, const cost::Exact& value) {
    if (value != 0) line(fmt::format("  {}", what), money(value));
}

void print_months(const cost::Answer& answer, const std::string& currency) {
    const auto& month = answer.month;
    line("cloud, a month", money(month.cloud()), currency);
    part("input", month.cloud_input);
    part("cached input", month.cloud_cached_input);
    part("output", month.cloud_output);
    part("subscription", month.subscription);
    part("bill", month.bill);
    part("other", month.cloud_other);
    part("work", month.cloud_work);
    line("home, a month", money(month.local()), currency);
    part("depreciation", month.depreciation);
    part("electricity, busy", month.energy_busy);
    part("electricity, idle", month.energy_idle);
    part("rent", month.rent);
    part("work", month.work);
    part("cost of capital", month.capital);
    part("maintenance", month.maintenance);
    part("other", month.other);
}

void print_answer(const cost::Answer& answer, const std::string& currency) {
    const auto& derived = answer.derived;
    const auto& payback = answer.payback;
    fmt::print("{}\n", answer.option.name);
    print_months(answer, currency);
    line("paid at the start", money(payback.upfront), currency);
    line("machines", cost::decimal(answer.month.machines, 0));
    if (derived.utilisation) line("utilisation", cost::decimal(*derived.utilisation * 100, 1), "%");
    if (derived.local_per_million_marginal)
        line("a million tokens more, at home", money(derived.local_per_million_marginal, 4), currency);
    if (derived.cloud_per_million[3])
        line("a million tokens, cloud and home", money(derived.cloud_per_million[3], 4),
             money(derived.local_per_million[3], 4));
    line("saved a month before depreciation", money(cost::Exact(answer.month.cloud() - answer.month.running())),
         currency);
    line("months until it pays, simple", money(payback.simple));
    line("months until it pays, cumulative", month_text(payback.cumulative, payback.horizon));
    if (derived.even_tokens) line("tokens a month to break even", cost::decimal(*derived.even_tokens, 0));
    line(fmt::format("gain over {} months", payback.horizon), money(payback.gain), currency);
    const auto& simulation = answer.simulation;
    if (!answer.tornado.empty()) {
        line("probability that it pays", fmt::format("{:.1f}", simulation.probability * 100),
             fmt::format("% within {} months (+- {:.1f}; {} draws, seed {})", payback.horizon,
                         simulation.standard_error * 100, simulation.draws, simulation.seed));
        line("months at 10, 50 and 90 %",
             fmt::format("{} / {} / {}", simulation.months[0] ? std::to_string(*simulation.months[0]) : "never",
                         simulation.months[1] ? std::to_string(*simulation.months[1]) : "never",
                         simulation.months[2] ? std::to_string(*simulation.months[2]) : "never"));
        fmt::print("  it hinges on (gain at the low and the high end, in {}):\n", currency);
        for (const auto& bar : answer.tornado)
            fmt::print("    {:<36} {:>12} .. {:<12} {:>14} .. {}\n", cost::name_of(bar.field),
                       cost::decimal(bar.range.low, 4), cost::decimal(bar.range.high, 4), money(bar.at_low.gain),
                       money(bar.at_high.gain));
    }
    for (const auto& note : answer.notes) fmt::print("  note: {}\n", note);
    fmt::print("\n");
}

int break_even(const Globals& globals, const Asked& asked) {
    // tandem.yaml is asked only where a machine of it may be meant; without one, the profile's are there.
    std::optional<cost::Machine> machine;
    std::vector<std::string> names;
    std::optional<Error> unread;
    if (!asked.hardware.empty()) {
        const auto config = globals.load();
        if (config) {
            machine = machine_of_config(*config, asked.hardware);
            for (const auto& one : config->hardware) names.push_back(one.id);
        } else {
            unread = config.error();
        }
    }
    auto profile = open_profile(asked.profile, machine ? &*machine : nullptr);
    if (!profile) {
        const int code = report(globals, profile.error());
        return profile.error().code == ErrorCode::not_found ? code : kUsage;  // kConfig is for tandem.yaml
    }
    if (!asked.hardware.empty())
        if (auto kept = keep_one(*profile, asked.hardware, names); !kept)
            return report(globals, unread ? *unread : kept.error());
    json::Writer out;
    out.begin_object().member("currency", profile->currency).key("hardware").begin_array();
    for (const auto& option : profile->options) {
        const auto answer = cost::answer(option, asked.draws, asked.seed);
        if (globals.json)
            cost::write_json(out, answer);
        else
            print_answer(answer, profile->currency);
    }
    out.end_array().end_object();
    if (globals.json) fmt::print("{}\n", out.text());
    return kOk;
}

}  // namespace

void add_break_even(CLI::App& group, Globals& globals, Action& action) {
    auto* command = group.add_subcommand("break-even", "When machines at home pay against the cloud, and how surely");
    auto asked = std::make_shared<Asked>();
    command->add_option("--profile", asked->profile, "YAML or JSON: tokens, cloud, hardware (docs/break-even.md)")
        ->required();
    command->add_option("--hardware", asked->hardware,
                        "Only the one of this name, of the profile or of tandem.yaml; all of the profile by default");
    command->add_option("--draws", asked->draws, "Draws of the simulation; 10,000 by default")
        ->check(CLI::Range(1, cost::kMostDraws));
    command->add_option("--seed", asked->seed, "What the draws follow from; 1 by default")
        ->check(CLI::Range(std::uint64_t(0), std::uint64_t(INT64_MAX)));
    command->callback(
        [&globals, &action, asked] { action = [&globals, asked] { return break_even(globals, *asked); }; });
}

}  // namespace tandem::cli
