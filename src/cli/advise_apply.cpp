#include "cli/advise_apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "advice/compare.h"
#include "advice/edit.h"
#include "advice/record.h"
#include "advice/render.h"
#include "base/file.h"
#include "base/text.h"
#include "base/time_text.h"
#include "base/world.h"
#include "cli/config_file.h"
#include "cli/remote.h"

namespace tandem::cli {

namespace {

namespace fs = std::filesystem;

Result<const advice::Proposal*> proposal_of(const advice::Advice& advice, const std::string& which) {
    const auto number = whole_number(which);
    std::vector<std::string> names;
    int shown = 0;
    for (const auto& one : advice.proposals) {
        if (one.combination.id == which || (number && one.number > 0 && one.number == static_cast<int>(*number))) {
            if (!one.refused.empty())
                return fail(ErrorCode::invalid,
                            fmt::format("{} is not offered: {}", printable(one.combination.id, 80), one.refused));
            return &one;
        }
        if (one.number > 0) {
            ++shown;
            names.push_back(one.combination.id);
        }
    }
    if (shown == 0)
        return fail(ErrorCode::not_found,
                    fmt::format("there is no proposal '{}': there is none at all, nothing is better than what there is",
                                printable(which, 60)));
    return fail(
        ErrorCode::not_found,
        fmt::format("there is no proposal '{}'{}; `tandem advise` shows {}: {}", printable(which, 60),
                    suggest(which, names), shown == 1 ? "one" : fmt::format("1 to {}", shown), join(names, ", ")));
}

std::string predicted_of(const AdviceInput& input, const advice::Advice& advice, const advice::Proposal& one) {
    json::Writer out;
    out.begin_object().member("currency", input.situation.currency);
    out.member("span_ms", input.situation.traffic.length_ms()).key("now").begin_object();
    advice::write_members(out, advice.now);
    out.end_object().key("then").begin_object();
    advice::write_members(out, one.evaluation);
    out.end_object().key("gain").begin_object();
    advice::write_number(out, "mean", one.gain.mean);
    advice::write_number(out, "error", one.gain.error);
    return out.end_object().end_object().take();
}

// The config with the changes, and that it says what it should.
Result<std::string> changed_config(const Globals& globals, const config::Config& config, const std::string& text,
                                   const advice::Combination& combination) {
    auto changed = advice::edited(text, combination.changes);
    if (!changed) return changed;
    if (const auto parsed = parsed_change(globals, config, *changed); !parsed) return fail(parsed.error());
    return changed;
}

Result<std::vector<advice::Applied>> applied_before(const config::Config& config) {
    auto database = open_ledger(config);
    if (!database) return fail(database.error());
    return advice::applied(**database);
}

const advice::Applied* in_force(const std::vector<advice::Applied>& list) {
    const auto found = std::ranges::find(list, 0, &advice::Applied::undone);
    return found == list.end() ? nullptr : &*found;
}

// Tells the server. Nullopt: it is said what went wrong, and `code` has the exit code.
std::optional<std::string> tell(const Globals& globals, const config::Config& config, const std::string& path,
                                std::string body, int& code) {
    auto answer =
        ask(globals, config,
            {.method = "POST", .path = path, .headers = {}, .body = std::move(body), .timeout = seconds(30)}, code);
    if (!answer) return {};
    return std::move(answer->body);
}

std::string note_of(const advice::Applied& applied) {
    json::Writer out;
    out.begin_object().member("name", applied.name).member("file", applied.file).member("backup", applied.backup);
    out.member("before", applied.before).member("after", applied.after).member("predicted", applied.predicted);
    return out.end_object().take();
}

}  // namespace

int apply_advice(const Globals& globals, const AdviceInput& input, const advice::Advice& advice,
                 const std::string& which) {
    const auto& config = input.config;
    const auto read = text_to_change(config);
    if (!read) return report(globals, read.error());
    const auto& text = *read;
    const auto list = applied_before(config);
    if (!list) return report(globals, list.error());
    const auto* last = in_force(*list);
    if (last != nullptr && last->name == which && last->after == sum_of(text))
        return report(globals,
                      {ErrorCode::invalid,
                       fmt::format("{} is applied already, since {}; `tandem advise --check` says what came of "
                                   "it, --undo takes it back",
                                   which, time_text(last->time / 1000 * 1000))});
    const auto proposal = proposal_of(advice, which);
    if (!proposal) return report(globals, proposal.error());
    const auto& combination = (*proposal)->combination;
    for (const auto& change : combination.changes)
        if (change.what == advice::Change::What::need_provider && config.provider(change.name) == nullptr)
            return report(globals, {ErrorCode::invalid, fmt::format("first {}", change.text())});
    const auto changed = changed_config(globals, config, text, combination);
    if (!changed) return report(globals, changed.error());
    if (*changed == text) {
        std::string by_hand;
        for (const auto& change : combination.changes) by_hand += (by_hand.empty() ? "" : "; ") + change.text();
        return report(globals, {ErrorCode::invalid, fmt::format("nothing of {} can be written into tandem.yaml: {}",
                                                                combination.id, by_hand)});
    }
    const auto backup = keep_backup(config.source);
    if (!backup) return report(globals, backup.error());
    advice::Applied applied;
    applied.name = combination.id;
    applied.file = fs::absolute(config.source).string();
    applied.backup = fs::absolute(*backup).string();
    applied.before = sum_of(text);
    applied.after = sum_of(*changed);
    applied.predicted = predicted_of(input, advice, **proposal);
    int code = kOk;
    if (!tell(globals, config, "/tandem/v1/advice/applied", note_of(applied), code)) {
        std::error_code ignored;
        fs::remove(*backup, ignored);  // nothing was changed
        return code;
    }
    // Whoever is killed between the two leaves a note of something that was not written, which --check and --undo see
    // by the file's sum.
    if (auto ok = overwrite_config(config.source, *changed); !ok) return report(globals, ok.error());
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("applied", applied.name).member("file", applied.file);
        out.member("backup", applied.backup).key("by_hand").begin_array();
        for (const auto& change : combination.changes)
            if (change.by_hand()) out.value(change.text());
        out.end_array().end_object();
        fmt::print("{}\n", out.text());
        return kOk;
    }
    fmt::print("{} is applied: {} is changed, and what was there is in {}\n", applied.name, applied.file,
               applied.backup);
    for (const auto& change : combination.changes)
        fmt::print("  {}{}\n", change.by_hand() ? "left to you: " : "", change.text());
    fmt::print(
        "The running server reads it by itself. `tandem advise --check` says later what came of it, --undo takes it "
        "back.\n");
    return kOk;
}

namespace {

// The note says which files it is about, and whoever may write notes is not to write files by them: only the config in
// use and a backup of its own count.
bool is_of(const advice::Applied& applied, const config::Config& config) {
    std::error_code error;
    const fs::path file(applied.file), backup(applied.backup);
    return fs::weakly_canonical(file, error) == fs::weakly_canonical(config.source, error) && !error &&
           backup.parent_path() == file.parent_path() &&
           backup.filename().string().starts_with(file.filename().string() + ".old");
}

// Where the file stands beside what was applied.
std::string_view state_of(const advice::Applied& applied, const config::Config& config) {
    if (applied.undone != 0) return "taken back";
    if (!is_of(applied, config)) return "of another file";
    const auto sum = sum_of(whole_file(applied.file));
    if (sum == applied.after) return "in force";
    return sum == applied.before ? "not written" : "changed since";
}

void write_happened(json::Writer& out, std::string_view name, const advice::Happened& h) {
    out.key(name).begin_object().member("requests", h.requests).member("answered", h.answered);
    advice::write_number(out, "days", h.days, 9);
    advice::write_number(out, "cost_per_day", h.cost_per_day, 6);
    advice::write_number(out, "quality", h.good);
    out.member("outcomes", h.said);
    advice::write_number(out, "first_p50_ms", h.first_p50, 1);
    advice::write_number(out, "first_p95_ms", h.first_p95, 1);
    advice::write_number(out, "total_p50_ms", h.total_p50, 1);
    advice::write_number(out, "total_p95_ms", h.total_p95, 1);
    advice::write_number(out, "private_home", h.private_home);
    out.end_object();
}

constexpr double kDaysOfMonth = static_cast<double>(advice::kMonthMs) / 86'400'000.0;

double cloud_per_day(const json::Value& evaluation) {
    return static_cast<double>(evaluation["month"]["cloud_micros"].integer().value_or(0)) / 1e6 / kDaysOfMonth;
}

void print_check(const advice::Applied& applied, const json::Value& predicted, const advice::Happened& before,
                 const advice::Happened& since, const config::Config& config) {
    fmt::print("{} was applied on {}, and is {}\n\n", applied.name, time_text(applied.time / 1000 * 1000),
               state_of(applied, config));
    const auto then = predicted["then"];
    const auto number = [](const json::Value& value) { return value.number().value_or(0); };
    const auto line = [](std::string_view what, const std::string& foretold, const std::string& earlier,
                         const std::string& now) {
        fmt::print("{:<34} {:>18} {:>18} {:>18}\n", what, foretold, earlier, now);
    };
    const auto quality = [](const advice::Happened& h) {
        return h.said == 0 ? std::string("nobody said") : fmt::format("{:.2f} (of {})", h.good, h.said);
    };
    const auto empty = [&](const advice::Happened& h, std::string text) {
        return h.requests == 0 ? "-" : std::move(text);
    };
    line("", "predicted", fmt::format("{:.1f} days before", before.days), fmt::format("{:.1f} days since", since.days));
    line("requests a day", "-",
         fmt::format("{:.1f}", static_cast<double>(before.requests) / std::max(before.days, 1e-9)),
         fmt::format("{:.1f}", static_cast<double>(since.requests) / std::max(since.days, 1e-9)));
    line(fmt::format("{} a day, as booked", config.currency), fmt::format("{:.4f}", cloud_per_day(then)),
         fmt::format("{:.4f}", before.cost_per_day), fmt::format("{:.4f}", since.cost_per_day));
    line("good answers",
         fmt::format("{:.2f} ({:.2f}-{:.2f})", number(then["quality"]["mean"]), number(then["quality"]["low"]),
                     number(then["quality"]["high"])),
         quality(before), quality(since));
    line("first byte, p50", advice::time_text(number(then["latency"]["first_p50_ms"])),
         empty(before, advice::time_text(before.first_p50)), empty(since, advice::time_text(since.first_p50)));
    line("all of the answer, p95", advice::time_text(number(then["latency"]["total_p95_ms"])),
         empty(before, advice::time_text(before.total_p95)), empty(since, advice::time_text(since.total_p95)));
    line("private work at home", fmt::format("{:.0f} %", 100 * number(then["private"]["share"])),
         fmt::format("{:.0f} %", 100 * before.private_home), fmt::format("{:.0f} %", 100 * since.private_home));
    if (since.requests == 0) fmt::print("\nnothing was asked since: look again when something was\n");
}

}  // namespace

int check_advice(const Globals& globals) {
    const auto config = globals.load();
    if (!config) return report(globals, config.error());
    const auto database = open_ledger(*config);
    if (!database) return report(globals, database.error());
    const auto list = advice::applied(**database);
    if (!list) return report(globals, list.error());
    if (list->empty())
        return report(globals, {ErrorCode::not_found,
                                "no advice was applied yet: `tandem advise` shows what there is, --apply writes it"});
    const auto& last = list->front();
    json::Document predicted;
    if (auto ok = predicted.parse(last.predicted); !ok) return report(globals, ok.error());
    const auto now = unix_ms(system_clock()->wall());
    const auto until = last.undone == 0 ? now : last.undone;
    const auto length = std::max<std::int64_t>(predicted.root()["span_ms"].integer().value_or(0), 1);
    const auto since = advice::happened(**database, last.time, until);
    const auto before = since ? advice::happened(**database, last.time - length, last.time) : since;
    if (!before) return report(globals, before.error());
    if (!globals.json) {
        print_check(last, predicted.root(), *before, *since, *config);
        return kOk;
    }
    json::Writer out;
    out.begin_object()
        .member("id", last.id)
        .member("applied", last.name)
        .member("date", time_text(last.time / 1000 * 1000));
    out.member("state", state_of(last, *config)).member("file", last.file).member("backup", last.backup);
    out.raw_member("predicted", last.predicted);
    advice::write_number(out, "predicted_cloud_per_day", cloud_per_day(predicted.root()["then"]), 6);
    write_happened(out, "before", *before);
    write_happened(out, "since", *since);
    out.end_object();
    fmt::print("{}\n", out.text());
    return kOk;
}

int undo_advice(const Globals& globals) {
    const auto config = globals.load();
    if (!config) return report(globals, config.error());
    const auto list = applied_before(*config);
    if (!list) return report(globals, list.error());
    const auto* last = in_force(*list);
    if (last == nullptr)
        return report(globals, {ErrorCode::not_found, "there is nothing to take back: no applied advice is in force"});
    const auto state = state_of(*last, *config);
    if (state == "of another file")
        return report(
            globals, {ErrorCode::invalid, fmt::format("{} was applied to {}, and this is {}: name that one by --config",
                                                      last->name, printable(last->file), config->source.string())});
    if (state == "changed since")
        return report(globals,
                      {ErrorCode::invalid,
                       fmt::format("{} was changed since {} was applied, and that would be lost: {} has what was there "
                                   "before; compare the two and put back by hand what you want",
                                   last->file, last->name, last->backup)});
    if (state == "in force") {
        const auto text = whole_file(last->backup);
        if (sum_of(text) != last->before)
            return report(globals, {ErrorCode::storage,
                                    fmt::format("the backup {} is gone, or is not what it was: nothing is put back",
                                                last->backup)});
        if (auto ok = overwrite_config(last->file, text); !ok) return report(globals, ok.error());
    }
    int code = kOk;
    const bool told =
        tell(globals, *config, fmt::format("/tandem/v1/advice/applied/{}/undone", last->id), "{}", code).has_value();
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("undone", last->name).member("file", last->file);
        out.member("written", state == "in force").member("noted", told).end_object();
        fmt::print("{}\n", out.text());
        return code;
    }
    if (state == "in force")
        fmt::print("{} is as it was before {}; the backup {} stays\n", last->file, last->name, last->backup);
    else
        fmt::print("{} was never written into {}: nothing is changed\n", last->name, last->file);
    if (!told)
        fmt::print("It is not noted in the store: start `tandem serve` and say `tandem advise --undo` once more\n");
    return code;
}

}  // namespace tandem::cli
