// tandem compare: models side by side, by what was measured of them.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/compared.h"
#include "cli/model.h"
#include "cli/relatives.h"
#include "cli/remote.h"
#include "config/names.h"

namespace tandem::cli {

namespace {

struct Options {
    std::vector<std::string> models;
    std::string html;
    bool quants = false, engines = false;
};

std::string optional_text(const std::optional<double>& value, std::string_view format) {
    return value ? fmt::format(fmt::runtime(format), *value) : "-";
}

std::string score_text(const Compared& one, const std::string& suite) {
    const auto found = one.scores.find(suite);
    if (found == one.scores.end()) return "-";
    if (suite == "reasoning") return fmt::format("depth {}", one.depth.value_or(0));
    const auto& [value, low, high, asked] = found->second;
    return fmt::format("{:.2f} ({:.2f} to {:.2f})", value, low, high);
}

std::string usable_text(const Compared& one) {
    const auto claim = one.claimed > 0 ? fmt::format(" of {}", one.claimed) : std::string();
    return one.usable ? fmt::format("{}{}", *one.usable, claim) : fmt::format("-{}", claim);
}

// A line for each thing, a column for each model.
void print_table(const std::vector<Compared>& all) {
    const auto common = common_scores(all);
    std::vector<std::vector<std::string>> rows;
    const auto row = [&](std::string name, const std::function<std::string(const Compared&)>& cell) {
        auto& cells = rows.emplace_back(std::vector<std::string>{std::move(name)});
        for (const auto& one : all) cells.push_back(cell(one));
    };
    row("", [](const Compared& one) { return one.model; });
    if (std::ranges::any_of(all, [](const Compared& one) { return !one.quantization.empty(); }))
        row("quantization", [](const Compared& one) { return one.quantization.empty() ? "-" : one.quantization; });
    row("engine", [](const Compared& one) { return one.engine; });
    row("usable context", usable_text);
    for (const auto suite : kScoredSuites)
        row(std::string(suite), [suite](const Compared& one) { return score_text(one, std::string(suite)); });
    row(common.empty() ? "quality" : fmt::format("quality (mean of {})", common.size()),
        [&common](const Compared& one) { return optional_text(quality_of(one, common), "{:.2f}"); });
    row("writing, tokens/s", [](const Compared& one) { return optional_text(one.writing, "{:.1f}"); });
    row("reading, tokens/s", [](const Compared& one) { return optional_text(one.reading, "{:.0f}"); });
    row("first token, ms",
        [](const Compared& one) { return one.first_token ? std::to_string(*one.first_token) : std::string("-"); });
    row("memory", [](const Compared& one) {
        if (one.memory_bytes == 0) return std::string("-");
        return size_text(one.memory_bytes) + (one.memory_measured ? "" : " (estimated)");
    });
    row("server", [](const Compared& one) {
        if (one.features.empty()) return std::string("-");
        const auto breaks = one.breaks();
        return breaks.empty() ? std::string("honours all") : breaks;
    });
    std::vector<std::size_t> widths(all.size() + 1);
    for (const auto& cells : rows)
        for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
    for (const auto& cells : rows) {
        std::string line;
        for (std::size_t i = 0; i < cells.size(); ++i) line += fmt::format("{:<{}}  ", printable(cells[i]), widths[i]);
        fmt::print("{}\n", trim(line).empty() ? "" : line.substr(0, line.find_last_not_of(' ') + 1));
    }
}

void print_features(const std::vector<Compared>& all) {
    for (const auto& one : all)
        for (const auto& [feature, word] : one.features)
            if (is_amiss(word)) fmt::print("{}: {} {}\n", one.model, feature, printable(word, 160));
}

void print_missing(const config::Config& config, const std::vector<Compared>& all) {
    for (const auto& one : all) {
        if (one.missing.empty()) continue;
        const auto* model = config.model(one.model);
        const bool costs = model != nullptr && config.provider(model->provider)->zone == Zone::cloud;
        fmt::print("{} is not measured yet{}: tandem probe {} --suite {}{}\n", one.model,
                   one.stale ? " as it is now" : "", one.model, join(one.missing, ","), costs ? " --budget MONEY" : "");
    }
}

void write_score(json::Writer& out, const Score& score) {
    out.begin_object().raw_member("value", fmt::format("{:.3f}", score.value));
    out.raw_member("low", fmt::format("{:.3f}", score.low)).raw_member("high", fmt::format("{:.3f}", score.high));
    out.member("asked", score.asked).end_object();
}

void print_json(const std::vector<Compared>& all) {
    const auto common = common_scores(all);
    json::Writer out;
    out.begin_object().key("models").begin_array();
    for (const auto& one : all) {
        out.begin_object().member("model", one.model).member("quantization", one.quantization);
        out.member("engine", one.engine).member("claimed_context", one.claimed);
        if (one.usable)
            out.member("usable_context", *one.usable).member("low", one.usable_low).member("high", one.usable_high);
        out.key("curve").begin_object();
        for (const auto& [tokens, score] : one.curve) {
            out.key(std::to_string(tokens));
            write_score(out, score);
        }
        out.end_object().key("scores").begin_object();
        for (const auto& [suite, score] : one.scores) {
            out.key(suite);
            write_score(out, score);
        }
        out.end_object();
        if (const auto quality = quality_of(one, common)) out.raw_member("quality", fmt::format("{:.3f}", *quality));
        if (one.writing) out.raw_member("writing_per_second", fmt::format("{:.2f}", *one.writing));
        if (one.reading) out.raw_member("reading_per_second", fmt::format("{:.2f}", *one.reading));
        if (one.first_token) out.member("first_token_ms", *one.first_token);
        if (one.memory_bytes > 0) out.member("memory_bytes", one.memory_bytes);
        out.key("features").begin_object();
        for (const auto& [feature, word] : one.features) out.member(feature, word);
        out.end_object().key("missing").begin_array();
        for (const auto& suite : one.missing) out.value(suite);
        out.end_array().end_object();
    }
    out.end_array().key("quality_of").begin_array();
    for (const auto& suite : common) out.value(suite);
    out.end_array();
    if (const auto* choice = choice_of(all)) out.member("take", choice->model);
    fmt::print("{}\n", out.end_object().text());
}

// What the server's engines take, by model.
void add_memory(const config::Config& config, std::vector<Compared>& all) {
    const auto answer = call(remote_of(config), {.path = "/tandem/v1/engines", .headers = {}, .body = {}});
    json::Document document;
    if (!answer || answer->status != 200 || !document.parse(answer->body)) return;
    for (const json::Value engine : document.root()["engines"].children())
        for (auto& one : all)
            if (one.model == engine["model"].text()) {
                const auto memory = engine["memory"];
                const auto peak = memory["peak_bytes"].integer().value_or(0);
                one.memory_measured = peak > 0 || memory["planned_by"].text() == "measurement";
                one.memory_bytes = peak > 0 ? peak : memory["planned_bytes"].integer().value_or(0);
            }
}

int compare(const Globals& globals, const Options& options) {
    const auto config = globals.load();
    if (!config) return report(globals, config.error());
    std::vector<std::string> names;
    for (const auto& model : config->models) names.push_back(model.id);
    std::vector<Compared> all;
    int code = kOk;
    for (const auto& name : options.models)
        if (config->model(name) == nullptr || config::is_pattern(name))
            return report(globals, {Fault::unknown_model, fmt::format("there is no model '{}'{}", printable(name, 60),
                                                                      suggest(name, names))});
    for (const auto& name : with_relatives(globals, *config, options.models, options.quants, options.engines)) {
        const auto answer =
            ask(globals, *config, {.path = "/tandem/v1/probes/" + name, .headers = {}, .body = {}}, code);
        if (!answer) return code;
        json::Document document;
        if (auto ok = document.parse(answer->body); !ok) return report(globals, ok.error());
        all.push_back(compared_of(document.root()));
        auto runs = served(globals, *config, *config->model(name));
        all.back().quantization = std::move(runs.quantization);
        all.back().engine = std::move(runs.engine);
    }
    add_memory(*config, all);
    if (!options.html.empty()) {
        std::ofstream file(options.html, std::ios::binary | std::ios::trunc);
        file << compare_page(all);
        file.close();
        if (!file)
            return report(globals, {ErrorCode::storage,
                                    fmt::format("cannot write {}; give another --html FILE", printable(options.html))});
    }
    if (globals.json) {
        print_json(all);
        return kOk;
    }
    print_table(all);
    fmt::print("\n");
    print_features(all);
    print_missing(*config, all);
    if (const auto* choice = choice_of(all)) fmt::print("{}\n", choice_text(*choice));
    if (all.size() == 1 && (options.quants || options.engines))
        fmt::print("tandem.yaml has no other {} of it\n", options.quants ? "quantization" : "engine");
    if (!options.html.empty()) fmt::print("the page: {}\n", printable(options.html));
    return kOk;
}

}  // namespace

void add_compare(CLI::App& app, Globals& globals, Action& action) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand(
        "compare", "Models side by side by what `tandem probe` has measured: quality, speed, memory, what breaks");
    command->add_option("models", options->models, "Ids of models in tandem.yaml")->required()->expected(1, 16);
    command->add_flag("--quants", options->quants,
                      "Also the models of tandem.yaml that are the same model in another quantization");
    command->add_flag(
        "--engines", options->engines,
        "Also the models of tandem.yaml that are the same file on another engine, or with other arguments");
    command->add_option("--html", options->html, "Write a page with pictures to this file");
    command->callback([&, options] { action = [&globals, options] { return compare(globals, *options); }; });
}

}  // namespace tandem::cli
