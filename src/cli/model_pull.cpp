// tandem model pull, tandem model import.
#include <fmt/format.h>

#include <chrono>
#include <deque>

#include "base/json.h"
#include "base/text.h"
#include "cli/model.h"
#include "cli/terminal.h"
#include "engine/disk/adopt.h"
#include "engine/open_models.h"
#include "engine/pull/pull.h"

namespace tandem::cli {

namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr seconds kSpeedOver{10};  // what a speed is the mean of
constexpr seconds kLineEvery{10};  // where there is no terminal
constexpr int kBar = 24;           // characters

std::string span_text(double seconds) {
    const auto whole = static_cast<long long>(seconds + 0.5);
    if (whole < 60) return fmt::format("{} s", whole);
    if (whole < 3'600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    return fmt::format("{} h {:02} min", whole / 3'600, whole / 60 % 60);
}

// How far it is, how fast, and how long it will take: a bar on a terminal, a line every ten seconds elsewhere.
class Progress {
  public:
    void show(std::int64_t done, std::int64_t total) {
        const auto now = steady_clock::now();
        past_.push_back({now, done});
        while (past_.size() > 2 && now - past_.front().when > kSpeedOver) past_.pop_front();
        const bool line = !stderr_is_terminal() && now - last_line_ >= kLineEvery;
        if (!stderr_is_terminal() && !line) return;
        last_line_ = now;
        const auto text = text_of(done, total);
        if (line)
            fmt::print(stderr, "{}\n", text);
        else
            print_status(text);
    }
    static void end() { print_status(""); }

  private:
    struct Point {
        steady_clock::time_point when;
        std::int64_t done;
    };
    std::string text_of(std::int64_t done, std::int64_t total) const {
        const auto took = std::chrono::duration<double>(past_.back().when - past_.front().when).count();
        const auto speed = took > 0 ? static_cast<double>(past_.back().done - past_.front().done) / took : 0;
        if (total <= 0) return fmt::format("{}, {}/s", size_text(done), size_text(static_cast<std::int64_t>(speed)));
        const auto share = static_cast<double>(done) / static_cast<double>(total);
        const auto full = static_cast<std::size_t>(share * kBar);
        auto text = fmt::format("[{}{}] {:5.1f} % of {}, {}/s", std::string(full, '#'), std::string(kBar - full, '.'),
                                100 * share, size_text(total), size_text(static_cast<std::int64_t>(speed)));
        if (speed > 0) text += fmt::format(", {} left", span_text(static_cast<double>(total - done) / speed));
        return text;
    }
    std::deque<Point> past_;
    steady_clock::time_point last_line_ = steady_clock::now();
};

struct Options {
    std::string what, sha256;
    int connections = 4;
    bool add = false;
};

void tell_plan(const engine::Plan& plan, std::int64_t bytes) {
    const auto more = plan.pieces.size() - 1;
    const auto parts = more == 0 ? std::string() : fmt::format(" and {} {}", more, more == 1 ? "part" : "parts");
    fmt::print(stderr, "{}{}{}\n", plan.pieces.front().name, parts,
               bytes >= 0 ? fmt::format(", {}", size_text(bytes)) : std::string());
    fmt::print(stderr, "from {}{}\n", plan.source, plan.version.empty() ? "" : fmt::format(" at {}", plan.version));
    fmt::print(stderr, "licence: {}\n", plan.licence.empty() ? "not said" : plan.licence);
    for (const auto& note : plan.notes) fmt::print(stderr, "note: {}\n", note);
    // "hf:ORG/REPO:FILE"
    if (const auto colon = plan.source.rfind(':'); plan.source.starts_with("hf:") && colon > 3)
        if (const auto* known = engine::open_model(plan.source.substr(3, colon - 3), plan.source.substr(colon + 1));
            known != nullptr && bytes >= 0 && known->bytes != bytes)
            fmt::print(stderr,
                       "note: it had {} bytes when `tandem model suggest` was made ({}), and has {} now: its maker has "
                       "changed it\n",
                       known->bytes, engine::kOpenModelsDate, bytes);
}

int copy(const Globals& globals, const config::Config& config, const Options& options) {
    Progress progress;
    std::error_code error;
    const auto total = static_cast<std::int64_t>(fs::file_size(options.what, error));
    auto model = engine::copy_in(models_folder(config), options.what,
                                 [&](std::int64_t bytes) { progress.show(bytes, error ? 0 : total); });
    Progress::end();
    if (!model) return report(globals, model.error());
    if (!globals.json) fmt::print("{} is there, {}\n", model->name, size_text(model->size()));
    return print_lines(globals, config, *model, options.add);
}

int pull(const Globals& globals, const Options& options) {
    const auto config = config_for_files(globals);
    if (!config) return report(globals, config.error());
    const auto reference = engine::reference_of(options.what);
    if (!reference) {
        report(globals, reference.error());
        return kUsage;
    }
    if (reference->from == engine::Reference::From::file) return copy(globals, *config, options);
    Progress progress;
    engine::PullSettings settings;
    settings.models = models_folder(*config);
    settings.environment = globals.environment;
    settings.connections = options.connections;
    settings.sha256 = lower(options.sha256);
    settings.planned = tell_plan;
    settings.progress = [&](std::int64_t done, std::int64_t total) { progress.show(done, total); };
    settings.note = [](const std::string& note) {
        Progress::end();
        fmt::print(stderr, "{}\n", note);
    };
    const auto pulled = engine::pull(*reference, settings);
    Progress::end();
    if (!pulled) return report(globals, pulled.error());
    const auto& model = pulled->model;
    if (!globals.json)
        fmt::print("{} is there{}, {}, SHA-256 {}{}\n", model.name, pulled->was_there ? " already" : "",
                   size_text(model.size()), model.files.front().sha256,
                   pulled->was_there ? ""
                   : model.compared  ? ", as its source says"
                                     : " (its source says none; it is kept for `tandem model verify`)");
    return print_lines(globals, *config, model, options.add);
}

int import(const Globals& globals, const std::string& from) {
    const auto config = config_for_files(globals);
    if (!config) return report(globals, config.error());
    std::vector<engine::DiskModel> found;
    std::vector<std::string> places;
    for (const auto& store : engine::stores_of(globals.environment)) {
        if (!from.empty() && from != store.program) continue;
        places.push_back(store.folder.string());
        std::ranges::move(engine::models_of(store), std::back_inserter(found));
    }
    if (from.find('/') != std::string::npos || from.ends_with(".gguf") || from == ".") {
        auto there = engine::models_at(from);
        if (!there) return report(globals, there.error());
        found = std::move(*there);
        places.push_back(from);
    } else if (!from.empty() && places.empty()) {
        return report(globals, {ErrorCode::not_found,
                                fmt::format("there is no folder of '{}'; give ollama, lmstudio, llama.cpp, hub, or a "
                                            "path",
                                            printable(from, 60))});
    }
    Progress progress;
    auto adopted =
        engine::adopt(models_folder(*config), std::move(found), [&](std::int64_t bytes) { progress.show(bytes, 0); });
    Progress::end();
    if (!adopted) return report(globals, adopted.error());
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("known", adopted->known).key("added").begin_array();
        for (const auto& model : adopted->added) {
            out.begin_object();
            write_model(out, model);
            out.end_object();
        }
        fmt::print("{}\n", out.end_array().end_object().text());
        return kOk;
    }
    for (const auto& model : adopted->added)
        fmt::print("{}  {}  {}\n", model.name, size_text(model.size()), model.files.front().path.string());
    if (adopted->added.empty())
        fmt::print("nothing new{}: looked in {}\n",
                   adopted->known > 0 ? fmt::format(" ({} are known)", adopted->known) : std::string(),
                   places.empty() ? "no folder, none of these programs has one" : join(places, ", "));
    else
        fmt::print(
            "they stay where they are; `file: NAME` in tandem.yaml uses one, `tandem model show NAME` says how\n");
    return kOk;
}

}  // namespace

void add_model_pull(CLI::App& group, Globals& globals, Action& action) {
    auto options = std::make_shared<Options>();
    auto* command = group.add_subcommand("pull", "Fetch a model file, or copy one into the data folder");
    command
        ->add_option("what", options->what,
                     "hf:ORG/REPO[:QUANT or FILE][@REVISION], ollama:NAME[:TAG], https://..., or a path")
        ->required();
    command->add_option("--connections", options->connections, "At once, for one file")->check(CLI::Range(1, 16));
    command->add_option("--sha256", options->sha256, "That the file of a URL must have")
        ->check([](const std::string& text) {
            return text.size() == 64 && lower(text).find_first_not_of("0123456789abcdef") == std::string::npos
                       ? std::string()
                       : std::string("not 64 hexadecimal digits");
        });
    command->add_flag("--add", options->add, "Write the lines that serve it into tandem.yaml; a copy of it is kept");
    command->callback([&, options] { action = [&globals, options] { return pull(globals, *options); }; });
}

void add_model_import(CLI::App& group, Globals& globals, Action& action) {
    auto from = std::make_shared<std::string>();
    auto* command = group.add_subcommand("import", "Use the files of other programs where they lie, without a copy");
    command->add_option("from", *from, "ollama, lmstudio, llama.cpp, hub, or a path; without one, all that are there");
    command->callback([&, from] { action = [&globals, from] { return import(globals, *from); }; });
}

}  // namespace tandem::cli
