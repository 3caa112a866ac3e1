// tandem hardware: what this machine has for models.
#include "engine/hardware.h"

#include <fmt/format.h>

#include <string_view>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/model.h"

namespace tandem::cli {

namespace {

void line(std::string_view what, const std::string& words) {
    if (!words.empty()) fmt::print("{:<10} {}\n", what, words);
}

std::string counted(int count, std::string_view one) {
    return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string cpu_text(const engine::Cpu& cpu) {
    auto text = fmt::format("{}, {}, {}", counted(cpu.cores, "core"), counted(cpu.threads, "thread"),
                            counted(cpu.sockets, "socket"));
    if (cpu.nodes > 1) text += fmt::format(", {} nodes of memory", cpu.nodes);
    if (cpu.last_cache > 0)
        text += fmt::format(", {:.0f} MiB of shared cache", static_cast<double>(cpu.last_cache) / 1048576);
    return text;
}

std::string limits_text(const engine::Cpu& cpu) {
    std::string text;
    if (cpu.usable < cpu.threads) text = fmt::format("{} of {} threads may be used", cpu.usable, cpu.threads);
    if (cpu.quota > 0)
        text += fmt::format("{}its cgroup grants the time of {:.1f} CPUs", text.empty() ? "" : "; ", cpu.quota);
    return text;
}

void print_hardware(const engine::Hardware& hardware) {
    const auto& cpu = hardware.cpu;
    line("cpu", fmt::format("{} ({})", cpu.name.empty() ? "not said" : cpu.name, cpu.architecture));
    line("", cpu_text(cpu));
    std::string features;
    for (const auto feature : cpu.features) features += fmt::format("{}{}", features.empty() ? "" : " ", feature);
    line("features", features);
    line("limits", limits_text(cpu));
    const auto& memory = hardware.memory;
    line("memory", memory.total_bytes == 0 ? std::string("not known")
                                           : fmt::format("{}{}, {} available now", size_text(memory.total_bytes),
                                                         memory.limited ? " (the limit of its cgroup)" : "",
                                                         size_text(hardware.available_bytes)));
    for (const auto& gpu : hardware.gpus)
        line("gpu", fmt::format("{}: {}, {} free now (by {})", gpu.name, size_text(gpu.total), size_text(gpu.available),
                                gpu.by));
    if (hardware.gpus.empty()) line("gpu", "none found (NVIDIA's by libnvidia-ml.so.1, AMD's by its driver)");
    fmt::print("\n`tandem model suggest` names models that fit\n");
}

void write_hardware(const engine::Hardware& hardware) {
    const auto& cpu = hardware.cpu;
    json::Writer out;
    out.begin_object().key("cpu").begin_object().member("name", cpu.name).member("architecture", cpu.architecture);
    out.member("cores", cpu.cores)
        .member("threads", cpu.threads)
        .member("sockets", cpu.sockets)
        .member("nodes", cpu.nodes);
    out.member("usable", cpu.usable)
        .raw_member("quota", fmt::format("{:.2f}", cpu.quota))
        .member("shared_cache_bytes", cpu.last_cache);
    out.key("features").begin_array();
    for (const auto feature : cpu.features) out.value(feature);
    out.end_array().end_object().key("memory").begin_object();
    out.member("total_bytes", hardware.memory.total_bytes)
        .member("limited_by", hardware.memory.limited ? "cgroup" : "machine");
    out.member("available_bytes", hardware.available_bytes).end_object().key("gpus").begin_array();
    for (const auto& gpu : hardware.gpus)
        out.begin_object()
            .member("name", gpu.name)
            .member("by", gpu.by)
            .member("total_bytes", gpu.total)
            .member("available_bytes", gpu.available)
            .end_object();
    fmt::print("{}\n", out.end_array().end_object().text());
}

}  // namespace

void add_hardware(CLI::App& app, Globals& globals, Action& action) {
    app.add_subcommand("hardware", "What this machine has for models: CPU, memory, limits, GPUs")->callback([&] {
        action = [&globals] {
            const auto hardware = engine::hardware();
            globals.json ? write_hardware(hardware) : print_hardware(hardware);
            return kOk;
        };
    });
}

}  // namespace tandem::cli
