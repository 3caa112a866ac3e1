// What each engine is counted at in the memories that all of them share: the machine's, and each GPU's.
#include <fmt/format.h>

#include <algorithm>

#include "engine/state.h"

namespace tandem::engine {

namespace {

// How long loading takes where it was never measured: a disk of a small machine, and the process itself.
milliseconds usual_load(std::int64_t bytes) {
    constexpr std::int64_t kBytesPerMs = 500'000;
    return milliseconds(300 + bytes / kBytesPerMs);
}

std::string mib(std::int64_t bytes) {
    return fmt::format("{} MiB", (bytes + (1 << 20) - 1) >> 20);
}

Schedule::Settings settings_of(const config::Config& config, const MachineMemory& machine,
                               const std::vector<Device>& devices) {
    Schedule::Settings settings;
    settings.strict = config.engine_memory > 0;
    settings.limits = {settings.strict ? static_cast<std::int64_t>(config.engine_memory)
                                       : room_for_models(machine.total_bytes)};
    for (const auto& device : devices) settings.limits.push_back(room_for_models(device.total));
    settings.patience = config.engine_patience;
    return settings;
}

}  // namespace

Error Engines::State::too_large(const Engine& engine) const {
    std::int64_t pinned = 0;
    for (const auto& [slot, other] : by_slot)
        if (other.get() != &engine && schedule.about(slot).pinned && other->running)
            pinned += other->shown.planned_bytes;
    const auto context = engine.model.context_tokens == 0
                             ? std::string()
                             : fmt::format(" with a context of {} tokens and {} slot{}", engine.model.context_tokens,
                                           engine.model.slots, engine.model.slots == 1 ? "" : "s");
    return {Fault::engine_too_large,
            fmt::format("{} takes {}{}, and engine.memory is {}{}: {}, or raise engine.memory", engine.model.id,
                        mib(engine.shown.planned_bytes), context, mib(static_cast<std::int64_t>(config->engine_memory)),
                        pinned > 0 ? fmt::format(", of which pinned models have {}", mib(pinned)) : "",
                        engine.kind->smaller),
            {},
            0,
            0,
            {},
            true};
}

void Engines::State::learn_size(Engine& engine) {
    const auto file = engine.kind->file(asked(engine));
    const auto binary = program_of(engine);
    if (!file || !binary) return;  // the start says so
    auto key = measurement_key(*file, *binary, engine.kind->setup(asked(engine)));
    if (key == engine.measured_as) return;
    engine.measured_as = std::move(key);
    engine.guess = engine.kind->planned(asked(engine), *file);
    count_as_known(engine);
}

void Engines::State::count_as_known(Engine& engine) {
    const auto known = measured.of(engine.measured_as);
    const auto& guess = engine.guess;
    // A run that had little to read took less than the next one may.
    Bytes bytes = {known ? std::max(known->peak_bytes, guess.memory.guess) : guess.bytes};
    std::ranges::copy(on_devices(engine, known ? known->devices : std::nullopt), std::back_inserter(bytes));
    count_at(engine, std::move(bytes), known ? known->load : usual_load(guess.bytes), known.has_value());
}

Bytes Engines::State::on_devices(const Engine& engine, const std::optional<DeviceBytes>& said) const {
    if (!engine.kind->has_versions) return Bytes(devices.size(), 0);  // what other programs see is not known
    auto bytes = device_need(devices, engine.model.args, engine.guess.need, engine.guess.layers);
    for (std::size_t i = 0; i < devices.size(); ++i) {
        if (said) bytes[i] = said->contains(devices[i].name) ? said->at(devices[i].name) : 0;
        // One that is larger is put there in part.
        bytes[i] = std::min(bytes[i], room_for_models(devices[i].total));
    }
    return bytes;
}

void Engines::State::count_at(Engine& engine, Bytes bytes, milliseconds load, bool is_measured) {
    auto about = schedule.about(engine.slot);
    about.load = load;
    about.bytes = bytes;
    schedule.change(engine.slot, std::move(about));
    const std::lock_guard lock(mutex);
    engine.shown.planned_bytes = bytes[0];
    engine.shown.planned_devices.clear();
    for (std::size_t i = 0; i < devices.size(); ++i)
        if (bytes[i + 1] > 0) engine.shown.planned_devices[devices[i].name] = bytes[i + 1];
    engine.shown.measured = is_measured;
}

void Engines::State::share_memory() {
    const auto limits = settings_of(*config, machine, devices);
    schedule.set(limits);
    const std::lock_guard lock(mutex);
    memory.limit_bytes = limits.limits[0];
    memory.by_owner = limits.strict;
    memory.devices.clear();
    for (std::size_t i = 0; i < devices.size(); ++i)
        memory.devices.push_back({devices[i].name, devices[i].about, limits.limits[i + 1], 0});
}

void Engines::State::take_devices(std::vector<Device> found) {
    devices = std::move(found);
    if (config == nullptr) return;
    share_memory();
    for (const auto& [slot, engine] : by_slot)
        if (!engine->measured_as.empty()) count_as_known(*engine);
    apply();
}

void Engines::State::count_devices(Engine& engine) {
    const auto& words = engine.shown.memory.words;
    if (!words.any()) return;
    auto bytes = schedule.about(engine.slot).bytes;
    bytes.resize(1);
    std::ranges::copy(on_devices(engine, words.devices), std::back_inserter(bytes));
    count_at(engine, std::move(bytes), engine.load_took, engine.shown.measured);
    apply();
}

}  // namespace tandem::engine
