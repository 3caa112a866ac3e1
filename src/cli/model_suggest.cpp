// tandem model suggest: the open models of a dated list that fit this machine, or another one.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "cli/model.h"
#include "cli/model_memory.h"
#include "engine/open_models.h"

namespace tandem::cli {

namespace {

// Tokens a second that a person waits for; who reads aloud says four. An engine reaches a third to a half of what
// memory would give (docs/concepts/which-model-fits.md), so twice as much is asked of that.
constexpr double kSlowest = 4;

struct Options {
    double memory_gb = 0, gpu_gb = 0;  // of another machine; 0: this one
    bool all = false;
};

std::int64_t bytes_of(double gigabytes) {
    return static_cast<std::int64_t>(gigabytes * 1e9);
}

struct Asked {
    Machine machine;
    engine::ModelRoom room;
    bool here = true;
};

engine::ModelRoom room_of(const Machine& machine) {
    return {.memory = machine.room(),
            .gpu = machine.gpu_room(),
            .bytes_per_second = machine.bytes_per_second(),
            .slowest = machine.reached > 0 ? kSlowest : 2 * kSlowest};
}

// Another machine's memory and GPU are said; how fast its memory is, is not known.
Asked asked_of(const config::Config& config, const Options& options) {
    Asked asked;
    asked.here = options.memory_gb == 0 && options.gpu_gb == 0;
    if (asked.here) {
        asked.machine = machine_of(config.data);
    } else {
        asked.machine.memory.total_bytes = bytes_of(options.memory_gb);
        if (options.gpu_gb > 0)
            asked.machine.gpus.push_back({"a GPU", "said", bytes_of(options.gpu_gb), bytes_of(options.gpu_gb)});
        if (options.memory_gb == 0) asked.machine.memory = engine::machine_memory();
    }
    asked.room = room_of(asked.machine);
    return asked;
}

std::string command_of(const engine::OpenModel& model) {
    return fmt::format("tandem model pull --add {}", model.reference());
}

std::string speed_words(const engine::Suggestion& one, const Machine& machine) {
    if (one.on_gpu) return "on the GPU";
    if (one.tokens_per_second <= 0) return "";
    return fmt::format("{} {} tokens a second", machine.reached > 0 ? "about" : "at most",
                       speed_text(one.tokens_per_second));
}

void print_machine(const Asked& asked) {
    const auto& machine = asked.machine;
    auto text = fmt::format("{} {} of memory", asked.here ? "this machine has" : "a machine with",
                            size_text(machine.memory.total_bytes));
    if (machine.memory.limited) text += " (its cgroup's limit)";
    for (const auto& gpu : machine.gpus) text += fmt::format(", {} with {}", gpu.name, size_text(gpu.total));
    if (machine.gpus.empty()) text += ", no GPU";
    if (machine.reached > 0)
        text += fmt::format("; an engine has read {} here", bandwidth_text(machine.reached));
    else if (machine.bandwidth.bytes_per_second > 0)
        text += fmt::format("; memory gives {}, measured now, of which an engine reaches a third to a half",
                            bandwidth_text(machine.bandwidth.bytes_per_second));
    fmt::print("{}\n\n", text);
}

void print_one(const engine::Suggestion& one, const Machine& machine) {
    const auto& model = *one.model;
    const auto speed = speed_words(one, machine);
    fmt::print("{}, {}: {}\n", model.name, size_text(model.bytes), model.good_at);
    fmt::print("  takes {} at {} tokens{}{}; {}\n", size_text(one.on_gpu ? one.need.on_gpu() : one.need.kept()),
               model.context, speed.empty() ? "" : ", ", speed, model.licence);
    fmt::print("  {}\n\n", command_of(model));
}

void write_one(json::Writer& out, const engine::Suggestion& one) {
    const auto& model = *one.model;
    out.begin_object().member("name", model.name).member("good_at", model.good_at).member("licence", model.licence);
    out.member("repository", model.repository).member("file", model.file).member("bytes", model.bytes);
    out.member("sha256", model.sha256).member("recorded", model.recorded).member("context", model.context);
    out.member("memory_bytes", one.need.kept()).member("gpu_bytes", one.need.on_gpu()).member("on_gpu", one.on_gpu);
    out.raw_member("tokens_per_second", fmt::format("{:.2f}", one.tokens_per_second));
    out.member("pull", command_of(model)).end_object();
}

int suggest_models(const Globals& globals, const Options& options) {
    const auto config = config_for_files(globals);
    if (!config) return report(globals, config.error());
    const auto asked = asked_of(*config, options);
    const auto found = options.all ? engine::fitting(asked.room) : engine::suggestions(asked.room);
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("date", engine::kOpenModelsDate).member("room_bytes", asked.room.memory);
        out.member("gpu_room_bytes", asked.room.gpu);
        out.raw_member("bytes_per_second", fmt::format("{:.0f}", asked.room.bytes_per_second));
        out.member("basis", asked.machine.reached > 0 ? "engine" : asked.here ? "memory" : "none");
        out.key("models").begin_array();
        for (const auto& one : found) write_one(out, one);
        fmt::print("{}\n", out.end_array().end_object().text());
        return kOk;
    }
    print_machine(asked);
    for (const auto& one : found) print_one(one, asked.machine);
    if (found.empty()) {
        fmt::print(
            "no model of the list fits into {}: the embedded one stays, and a cloud's "
            "(docs/how-to/add-a-cloud-key.md)\n",
            size_text(asked.room.memory));
        return kOk;
    }
    fmt::print(
        "the list is of {}; `tandem model show hf:...` says of any other model whether it fits, before it is fetched\n",
        engine::kOpenModelsDate);
    return kOk;
}

}  // namespace

std::string better_model(const config::Config& config) {
    const auto found = engine::suggestions(room_of(machine_of(config.data)));
    if (found.empty()) return {};
    const auto& model = *found.front().model;
    return fmt::format("{} fits this machine and knows far more: {} ({}; `tandem model suggest` has others)",
                       model.name, command_of(model), size_text(model.bytes));
}

void add_model_suggest(CLI::App& group, Globals& globals, Action& action) {
    auto options = std::make_shared<Options>();
    auto* command =
        group.add_subcommand("suggest", "Open models that fit this machine, each with the command that fetches it");
    command->add_option("--memory", options->memory_gb, "GB of memory of another machine")->check(CLI::Range(0.5, 1e5));
    command->add_option("--gpu", options->gpu_gb, "GB of memory of another machine's GPU")->check(CLI::Range(0.5, 1e5));
    command->add_flag("--all", options->all, "All of the list that fit, however slow");
    command->callback([&, options] { action = [&globals, options] { return suggest_models(globals, *options); }; });
}

}  // namespace tandem::cli
