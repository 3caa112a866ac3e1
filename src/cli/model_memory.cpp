#include "cli/model_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "base/time_text.h"
#include "cli/model.h"
#include "engine/hardware.h"

namespace tandem::cli {

namespace {

constexpr std::array<std::int64_t, 3> kSlots = {1, 2, 4};
constexpr double kLeastShare = 8;  // of the bandwidth, that an engine reaches which has its CPUs to itself

using Part = std::pair<std::string_view, std::int64_t>;
std::array<Part, 10> parts_of(const engine::MemoryNeed& need) {
    return {{{"weights", need.weights},
             {"repacked", need.repacked},
             {"kv_attention", need.attention},
             {"kv_window", need.window},
             {"kv_latent", need.latent},
             {"recurrent", need.recurrent},
             {"compute", need.compute},
             {"program", need.program},
             {"projector", need.projector},
             {"draft", need.draft}}};
}

std::string words_of(std::string_view part) {
    if (part == "repacked") return "weights once more in the CPU's order";
    if (part == "kv_attention") return "keys and values";
    if (part == "kv_window") return "those of windows";
    if (part == "kv_latent") return "latent keys";
    if (part == "recurrent") return "states";
    if (part == "draft") return "draft model";
    return std::string(part);
}

std::string largest_text(const MemoryReport& report) {
    std::string text;
    for (const auto& one : report.largest)
        if (one.context > 0)
            text += fmt::format("{}{} tokens in {} slot{}", text.empty() ? "" : ", ", one.context, one.slots,
                                one.slots == 1 ? "" : "s each");
    return text;
}

void line(std::string_view what, const std::string& words) {
    fmt::print("{:<14} {}\n", what, words);
}

double rate(double bytes_per_second, std::int64_t bytes) {
    return bytes > 0 ? bytes_per_second / static_cast<double>(bytes) : 0;
}

// Whether what was seen is of these settings, so that it says more than the sum.
bool is_of(const engine::EngineMemory& seen, const engine::NeedSettings& settings) {
    const auto& its = seen.settings;
    return its.context_tokens == settings.context_tokens && its.slots == settings.slots && its.keys == settings.keys &&
           its.values == settings.values;
}

// The engine's own words in place of the sum. What it keeps elsewhere than in this memory is not among them.
void take_words(MemoryReport& report) {
    const auto& words = report.seen->words;
    auto& need = report.need;
    need.weights = words.weights;
    need.repacked = words.repacked;
    need.attention = words.cache;
    need.window = need.latent = 0;
    need.recurrent = words.recurrent;
    need.compute = words.compute;
    need.draft = 0;  // its buffers are among them
    report.of_engine = true;
}

std::string cache_text(const engine::NeedSettings& settings) {
    return settings.keys + (settings.values == settings.keys ? "" : "/" + settings.values);
}

std::string at_text(const engine::NeedSettings& settings) {
    return fmt::format("{} tokens in {} slot{}, cache {}", settings.context_tokens, settings.slots,
                       settings.slots == 1 ? "" : "s each", cache_text(settings));
}

void print_speed(const MemoryReport& report) {
    const auto& machine = report.machine;
    const auto speed = machine.bytes_per_second();
    if (speed <= 0 || report.first_bytes <= 0) return;
    const auto first = rate(speed, report.first_bytes), full = rate(speed, report.full_bytes);
    line("speed", fmt::format("{} {} tokens a second on the CPU, {} once the context is full",
                              machine.reached > 0 ? "about" : "at most", speed_text(first), speed_text(full)));
    line("", fmt::format("an estimate: {} and {} are read for a token, {}", size_text(report.first_bytes),
                         size_text(report.full_bytes),
                         machine.reached > 0
                             ? fmt::format("and an engine of this machine has read {}", bandwidth_text(speed))
                             : fmt::format("and memory gives {} to {} threads, measured now; an engine reaches less",
                                           bandwidth_text(speed), machine.bandwidth.threads)));
}

void print_gpus(const MemoryReport& report) {
    const auto needed = report.need.on_gpu();
    for (const auto& gpu : report.machine.gpus)
        line("GPU",
             fmt::format("{}: {} of its {} would be taken by all layers; {}", gpu.name, size_text(needed),
                         size_text(gpu.total),
                         needed <= engine::room_for_models(gpu.total) ? "it fits there" : "not all of them fit there"));
}

void print_seen(const MemoryReport& report) {
    if (!report.seen) return;
    const auto& seen = *report.seen;
    line("measured",
         fmt::format("{} at its peak (VmHWM), {} of it its own, on {}, at {}", size_text(seen.resident.peak),
                     size_text(seen.resident.anonymous), time_text(seen.when_ms), at_text(seen.settings)));
    std::string words;
    if (seen.words.any()) words = fmt::format("its own buffers are {} by its log", size_text(seen.words.host()));
    if (const auto bytes = seen.words.on_devices(); bytes > 0)
        words += fmt::format(", and {} on GPUs", size_text(bytes));
    if (seen.guess > 0)
        words += fmt::format("{}the sum before the start was {}", words.empty() ? "" : "; ", size_text(seen.guess));
    if (!words.empty()) line("", words);
}

void write_seen(json::Writer& out, const engine::EngineMemory& seen) {
    out.key("after_start").begin_object().member("when", time_text(seen.when_ms)).member("file", seen.file);
    out.member("context", seen.settings.context_tokens).member("slots", seen.settings.slots);
    out.member("guess_bytes", seen.guess)
        .member("said_bytes", seen.words.host())
        .member("said_gpu_bytes", seen.words.on_devices());
    out.member("peak_bytes", seen.resident.peak).member("resident_bytes", seen.resident.now);
    out.member("anonymous_bytes", seen.resident.anonymous).end_object();
}

void write_speed(json::Writer& out, const MemoryReport& report) {
    const auto& machine = report.machine;
    out.key("speed").begin_object().member("first_bytes", report.first_bytes).member("full_bytes", report.full_bytes);
    out.raw_member("bandwidth_bytes_per_second", fmt::format("{:.0f}", machine.bandwidth.bytes_per_second));
    out.raw_member("reached_bytes_per_second", fmt::format("{:.0f}", machine.reached));
    out.member("basis", machine.reached > 0 ? "engine" : "memory");
    out.raw_member("first_tokens_per_second",
                   fmt::format("{:.2f}", rate(machine.bytes_per_second(), report.first_bytes)));
    out.raw_member("full_tokens_per_second",
                   fmt::format("{:.2f}", rate(machine.bytes_per_second(), report.full_bytes)));
    out.end_object();
}

}  // namespace

std::int64_t Machine::gpu_room() const {
    std::int64_t most = 0;
    for (const auto& gpu : gpus) most = std::max(most, engine::room_for_models(gpu.total));
    return most;
}

Machine machine_of(const std::filesystem::path& data) {
    const auto hardware = engine::hardware();
    Machine machine{
        .memory = hardware.memory, .gpus = hardware.gpus, .bandwidth = {}, .reached = engine::reached(data)};
    constexpr std::int64_t kShare = 16;  // of the memory, at most, that a measurement takes for a moment
    machine.bandwidth = engine::measure_bandwidth(std::min(hardware.cpu.usable, hardware.cpu.cores),
                                                  machine.memory.total_bytes / kShare);
    // An engine that reached less had to share its CPUs when it ran: that says nothing of the machine.
    if (machine.reached < machine.bandwidth.bytes_per_second / kLeastShare) machine.reached = 0;
    return machine;
}

std::string speed_text(double tokens_per_second) {
    return tokens_per_second >= 10 ? fmt::format("{:.0f}", tokens_per_second)
                                   : fmt::format("{:.1f}", tokens_per_second);
}

std::string bandwidth_text(double bytes_per_second) {
    return fmt::format("{:.0f} GB/s", bytes_per_second / 1e9);
}

Result<MemoryReport> memory_report(const engine::GgufFacts& facts, const config::Model* served, const MemoryWish& wish,
                                   const std::filesystem::path& data) {
    MemoryReport report;
    report.machine = machine_of(data);
    report.serving = engine::serving_of(served, facts, report.machine.memory);
    auto& settings = report.serving.settings;
    if (wish.context > 0) settings.context_tokens = wish.context;
    if (wish.slots > 0) settings.slots = wish.slots;
    if (!wish.cache_type.empty()) settings.keys = settings.values = wish.cache_type;
    if (!wish.projector.empty()) report.serving.projector = wish.projector;
    if (!wish.draft.empty()) report.serving.draft = wish.draft;
    for (const auto& type : {settings.keys, settings.values})
        if (engine::bytes_of_cache_type(type) == 0)
            return fail(ErrorCode::invalid,
                        fmt::format("'{}' is no cache type of llama-server; f16, bf16, f32, q8_0, q5_1, q5_0, q4_1, "
                                    "q4_0 and iq4_nl are",
                                    printable(type, 40)));
    report.need = engine::memory_need(facts, settings);
    if (auto ok = engine::add_files(report.serving, report.need); !ok) return fail(ok.error());
    const auto besides = report.need.projector + report.need.draft;
    for (const auto slots : kSlots) {
        auto with = settings;
        with.slots = slots;
        report.largest.push_back({slots, engine::largest_context(facts, with, report.machine.room() - besides)});
    }
    report.first_bytes = engine::bytes_per_token(facts, settings, 0);
    report.full_bytes = engine::bytes_per_token(facts, settings, settings.context_tokens);
    if (served != nullptr) report.seen = engine::kept_of(data, served->id);
    const bool as_served = wish.projector.empty() && wish.draft.empty();
    if (report.seen && report.seen->words.any() && as_served && is_of(*report.seen, settings)) take_words(report);
    return report;
}

void print_memory(const MemoryReport& report) {
    const auto& need = report.need;
    std::string parts;
    for (const auto& [part, bytes] : parts_of(need))
        if (bytes > 0) parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", words_of(part), size_text(bytes));
    line("memory", fmt::format("{} resident at the peak (VmHWM of llama-server), {} of it its own, at {}",
                               size_text(need.total()), size_text(need.anonymous()), at_text(report.serving.settings)));
    line("", parts + (report.of_engine ? " (by its own log of the last start, and the program)" : ""));
    print_seen(report);
    const auto& memory = report.machine.memory;
    if (memory.total_bytes == 0) {
        line("fits", "not known: this machine does not say what memory it has");
        return;
    }
    const auto* whose = memory.limited ? "the limit of this cgroup" : "this machine's memory";
    line("fits", fmt::format("{}: nine tenths of {} are {}, and {} must stay", report.fits() ? "yes" : "no", whose,
                             size_text(report.machine.room()), size_text(need.kept())));
    print_gpus(report);
    const auto largest = largest_text(report);
    line("at most", largest.empty() ? "it fits at no context" : largest);
    print_speed(report);
    const auto prompts = report.serving.prompt_cache;
    if (prompts != 0)
        line("besides",
             fmt::format("prompts that left their slot, {} as use goes on (--cache-ram in `args` bounds them)",
                         prompts < 0 ? "without bound" : "up to " + size_text(prompts)));
}

void write_memory(json::Writer& out, const MemoryReport& report) {
    const auto& settings = report.serving.settings;
    const auto& machine = report.machine;
    out.key("memory").begin_object().member("means", "VmHWM of llama-server, bytes");
    out.member("basis", report.of_engine ? "engine" : "sum");
    out.member("context", settings.context_tokens).member("slots", settings.slots);
    out.member("cache_type_k", settings.keys).member("cache_type_v", settings.values);
    out.member("total_bytes", report.need.total()).key("parts").begin_object();
    for (const auto& [part, bytes] : parts_of(report.need)) out.member(std::string(part) + "_bytes", bytes);
    out.end_object().member("kept_bytes", report.need.kept()).member("anonymous_bytes", report.need.anonymous());
    out.member("gpu_bytes", report.need.on_gpu());
    out.member("machine_bytes", machine.memory.total_bytes);
    out.member("limited_by", machine.memory.limited ? "cgroup" : "machine").member("room_bytes", machine.room());
    if (machine.memory.total_bytes > 0) out.member("fits", report.fits());
    out.key("gpus").begin_array();
    for (const auto& gpu : machine.gpus)
        out.begin_object()
            .member("name", gpu.name)
            .member("total_bytes", gpu.total)
            .member("fits", report.need.on_gpu() <= engine::room_for_models(gpu.total))
            .end_object();
    out.end_array().key("largest").begin_array();
    for (const auto& one : report.largest)
        out.begin_object().member("slots", one.slots).member("context", one.context).end_object();
    out.end_array().member("prompt_cache_limit_bytes", report.serving.prompt_cache).end_object();
    write_speed(out, report);
    if (report.seen) write_seen(out, *report.seen);
}

}  // namespace tandem::cli
