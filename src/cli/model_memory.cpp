#include "cli/model_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "cli/model.h"

namespace tandem::cli {

namespace {

constexpr std::int64_t kContext = 4'096;  // tokens, as config/parse.cpp has it for engines
constexpr std::array<std::int64_t, 3> kSlots = {1, 2, 4};

// The value of the last of these options among the arguments of an engine.
std::optional<std::string> argument(const std::vector<std::string>& args, std::string_view name,
                                    std::string_view short_name) {
    std::optional<std::string> value;
    for (std::size_t i = 0; i + 1 < args.size(); ++i)
        if (args[i] == name || args[i] == short_name) value = args[i + 1];
    return value;
}

// What the arguments of an engine change in `report`.
void take_arguments(const std::vector<std::string>& args, MemoryReport& report) {
    if (auto type = argument(args, "--cache-type-k", "-ctk")) report.settings.keys = std::move(*type);
    if (auto type = argument(args, "--cache-type-v", "-ctv")) report.settings.values = std::move(*type);
    if (std::ranges::any_of(args, [](const auto& one) { return one == "--no-repack" || one == "-nr"; }))
        report.settings.repacked.clear();
    std::int64_t mib = engine::prompt_cache_mib(report.machine);
    if (const auto text = argument(args, "--cache-ram", "-cram"))
        std::from_chars(text->data(), text->data() + text->size(), mib);
    report.prompt_cache = mib < 0 ? -1 : std::min(mib, std::int64_t{1} << 30) * 1024 * 1024;
}

using Part = std::pair<std::string_view, std::int64_t>;
std::array<Part, 8> parts_of(const engine::MemoryNeed& need) {
    return {{{"weights", need.weights},
             {"repacked", need.repacked},
             {"kv_attention", need.attention},
             {"kv_window", need.window},
             {"kv_latent", need.latent},
             {"recurrent", need.recurrent},
             {"compute", need.compute},
             {"program", need.program}}};
}

std::string words_of(std::string_view part) {
    if (part == "repacked") return "weights once more in the CPU's order";
    if (part == "kv_attention") return "keys and values";
    if (part == "kv_window") return "those of windows";
    if (part == "kv_latent") return "latent keys";
    if (part == "recurrent") return "states";
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

}  // namespace

Result<MemoryReport> memory_report(const engine::GgufFacts& facts, const config::Model* served,
                                   const MemoryWish& wish) {
    MemoryReport report;
    report.machine = engine::machine_memory();
    report.room = report.machine.total_bytes / 10 * 9;
    auto& settings = report.settings;
    settings.repacked = engine::repacked_types();
    settings.context_tokens = facts.context_tokens > 0 ? std::min(kContext, facts.context_tokens) : kContext;
    if (served != nullptr) {
        settings.context_tokens = served->context_tokens;
        settings.slots = served->slots;
    }
    take_arguments(served != nullptr ? served->args : std::vector<std::string>(), report);
    if (wish.context > 0) settings.context_tokens = wish.context;
    if (wish.slots > 0) settings.slots = wish.slots;
    if (!wish.cache_type.empty()) settings.keys = settings.values = wish.cache_type;
    for (const auto& type : {settings.keys, settings.values})
        if (engine::bytes_of_cache_type(type) == 0)
            return fail(ErrorCode::invalid,
                        fmt::format("'{}' is no cache type of llama-server; f16, bf16, f32, q8_0, q5_1, q5_0, q4_1, "
                                    "q4_0 and iq4_nl are",
                                    printable(type, 40)));
    report.need = engine::memory_need(facts, settings);
    for (const auto slots : kSlots) {
        auto with = settings;
        with.slots = slots;
        report.largest.push_back({slots, engine::largest_context(facts, with, report.room)});
    }
    return report;
}

void print_memory(const MemoryReport& report) {
    const auto& settings = report.settings;
    const auto& need = report.need;
    std::string parts;
    for (const auto& [part, bytes] : parts_of(need))
        if (bytes > 0) parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", words_of(part), size_text(bytes));
    fmt::print("{:<14} {} resident at the peak (VmHWM of llama-server), at {} tokens in {} slot{}, cache {}{}\n",
               "memory", size_text(need.total()), settings.context_tokens, settings.slots,
               settings.slots == 1 ? "" : "s each", settings.keys,
               settings.values == settings.keys ? "" : "/" + settings.values);
    fmt::print("{:<14} {}\n", "", parts);
    if (report.machine.total_bytes == 0) {
        fmt::print("{:<14} not known: this machine does not say what memory it has\n", "fits");
        return;
    }
    const auto* whose = report.machine.limited ? "the limit of this cgroup" : "this machine's memory";
    fmt::print("{:<14} {}: nine tenths of {} are {}, and {} must stay\n", "fits", report.fits() ? "yes" : "no", whose,
               size_text(report.room), size_text(need.kept()));
    const auto largest = largest_text(report);
    fmt::print("{:<14} {}\n", "at most", largest.empty() ? "it fits at no context" : largest);
    if (report.prompt_cache != 0)
        fmt::print("{:<14} prompts that left their slot, {} as use goes on (--cache-ram in `args` bounds them)\n",
                   "besides", report.prompt_cache < 0 ? "without bound" : "up to " + size_text(report.prompt_cache));
}

void write_memory(json::Writer& out, const MemoryReport& report) {
    const auto& settings = report.settings;
    out.key("memory").begin_object().member("means", "VmHWM of llama-server, bytes");
    out.member("context", settings.context_tokens).member("slots", settings.slots);
    out.member("cache_type_k", settings.keys).member("cache_type_v", settings.values);
    out.member("total_bytes", report.need.total()).key("parts").begin_object();
    for (const auto& [part, bytes] : parts_of(report.need)) out.member(std::string(part) + "_bytes", bytes);
    out.end_object().member("kept_bytes", report.need.kept());
    out.member("machine_bytes", report.machine.total_bytes);
    out.member("limited_by", report.machine.limited ? "cgroup" : "machine").member("room_bytes", report.room);
    if (report.machine.total_bytes > 0) out.member("fits", report.fits());
    out.key("largest").begin_array();
    for (const auto& one : report.largest)
        out.begin_object().member("slots", one.slots).member("context", one.context).end_object();
    out.end_array().member("prompt_cache_limit_bytes", report.prompt_cache).end_object();
}

}  // namespace tandem::cli
