#include "engine/engine_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/devices.h"
#include "engine/engines.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLargestKept = 64UL << 10;  // bytes of the file that is kept
constexpr double kMostMib = 16.0 * 1024 * 1024;   // of one buffer: 16 TiB
constexpr double kMostTokens = 1e6;               // a second
constexpr std::size_t kMostFiles = 1'000;         // engines of one data folder that are looked at

// The number at the beginning of the words, where it is one that can be.
std::optional<double> number_at(std::string_view words, double most) {
    words = trim(words);
    double number = 0;
    const auto [end, error] = std::from_chars(words.data(), words.data() + words.size(), number);
    if (error != std::errc() || !std::isfinite(number) || number < 0 || number > most) return std::nullopt;
    return number;
}

// Calls `take` for each line, at most kMostWords bytes of them.
template <typename Take>
void each_line(std::string_view log, Take take) {
    log = log.substr(0, kMostWords);
    while (!log.empty()) {
        const auto end = std::min(log.find('\n'), log.size());
        take(log.substr(0, end));
        log.remove_prefix(std::min(end + 1, log.size()));
    }
}

// "CUDA0", and what is split over rows ("CUDA0_Split").
void add_to_device(EngineWords& words, std::string_view device, std::int64_t bytes) {
    const auto name = device.substr(0, device.find('_'));
    if (words.devices.size() < kMostDevices || words.devices.contains(name)) words.devices[std::string(name)] += bytes;
}

// "...: NAME KIND buffer size = 12.34 MiB" into the part that it is.
void take_buffer(std::string_view line, EngineWords& words) {
    constexpr std::string_view kSays = " buffer size =", kUnit = " MiB";
    const auto at = line.find(kSays);
    if (at == std::string_view::npos || line.find(kUnit, at) == std::string_view::npos) return;
    const auto mib = number_at(line.substr(at + kSays.size()), kMostMib);
    if (!mib) return;
    const auto before = line.substr(0, at);
    const auto kind =
        before.substr(before.find_last_of(" :") == std::string_view::npos ? 0 : before.find_last_of(" :") + 1);
    auto device = trim(before.substr(0, before.size() - kind.size()));
    device = device.substr(device.find_last_of(" :") == std::string_view::npos ? 0 : device.find_last_of(" :") + 1);
    const auto bytes = static_cast<std::int64_t>(*mib * 1048576);
    // CPU, CPU_Mapped, CPU_REPACK, CPU_AARCH64; what a GPU's driver keeps in the host's memory is CUDA_Host and the
    // like.
    if (!device.starts_with("CPU") && !device.ends_with("_Host"))
        add_to_device(words, device, bytes);
    else if (device == "CPU_REPACK" || device == "CPU_AARCH64")
        words.repacked += bytes;
    else if (kind == "model")
        words.weights += bytes;
    else if (kind == "KV")
        words.cache += bytes;
    else if (kind == "RS")
        words.recurrent += bytes;
    else if (kind == "compute" || kind == "output")
        words.compute += bytes;
}

fs::path file_of(const fs::path& data, std::string_view model) {
    return log_file(data, model).replace_extension(".memory.json");
}

std::optional<EngineMemory> read(const fs::path& file) {
    const auto text = read_regular(file, kLargestKept);
    json::Document document;
    if (!text || !document.parse(*text)) return std::nullopt;
    const auto root = document.root();
    if (root["version"].integer() != 1 || !root["file"].string()) return std::nullopt;
    const auto number = [](json::Value value) {
        return std::clamp<std::int64_t>(value.integer().value_or(0), 0, 1LL << 58);
    };
    EngineMemory memory;
    memory.file = root["file"].text();
    memory.settings.context_tokens = number(root["context"]);
    memory.settings.slots = number(root["slots"]);
    memory.settings.keys = root["cache_type_k"].text();
    memory.settings.values = root["cache_type_v"].text();
    memory.guess = number(root["guess"]);
    const auto said = root["said"];
    memory.words = {.weights = number(said["weights"]),
                    .repacked = number(said["repacked"]),
                    .cache = number(said["cache"]),
                    .recurrent = number(said["recurrent"]),
                    .compute = number(said["compute"]),
                    .devices = device_bytes(said["devices"])};
    memory.resident = {number(root["peak"]), number(root["resident"]), number(root["anonymous"])};
    memory.tokens_per_second = std::clamp(root["tokens_per_second"].number().value_or(0), 0.0, kMostTokens);
    memory.bytes_per_token = number(root["bytes_per_token"]);
    memory.when_ms = number(root["when_ms"]);
    return memory;
}

constexpr std::string_view kOfPrompt = "prompt eval time";

// "eval time = 272.59 ms / 40 tokens (6.99 ms per token, 143.07 tokens per second)": tokens a second, 0 where the line
// says no such thing, or of fewer tokens.
double speed_in(std::string_view line, double fewest) {
    constexpr std::string_view kSays = " eval time =";
    const auto at = line.find(kSays);
    if (at == std::string_view::npos) return 0;
    const auto milliseconds = number_at(line.substr(at + kSays.size()), 1e12);
    const auto slash = line.find(" ms /", at);
    if (!milliseconds || *milliseconds <= 0 || slash == std::string_view::npos) return 0;
    const auto tokens = number_at(line.substr(slash + 5), 1e9);
    if (!tokens || *tokens < fewest) return 0;
    return std::min(*tokens / *milliseconds * 1'000, kMostTokens);
}

}  // namespace

std::int64_t EngineWords::on_devices() const {
    std::int64_t sum = 0;
    for (const auto& [name, bytes] : devices) sum += bytes;
    return sum;
}

void write(json::Writer& out, const DeviceBytes& devices) {
    out.begin_object();
    for (const auto& [name, bytes] : devices) out.member(name, bytes);
    out.end_object();
}

DeviceBytes device_bytes(json::Value kept) {
    DeviceBytes devices;
    for (const auto one : kept.children())
        if (const auto bytes = one.integer(); bytes && devices.size() < kMostDevices)
            devices[std::string(one.key())] = std::clamp<std::int64_t>(*bytes, 0, 1LL << 58);
    return devices;
}

EngineWords words_of(std::string_view log) {
    EngineWords words;
    std::size_t buffers = 0;
    each_line(log, [&](std::string_view line) {
        if (line.find(" buffer size =") != std::string_view::npos && ++buffers <= kMostBuffers)
            take_buffer(line, words);
    });
    return words;
}

double fastest_of(std::string_view log) {
    constexpr double kFewest = 8;
    double fastest = 0;
    each_line(log, [&](std::string_view line) {
        if (line.find(kOfPrompt) == std::string_view::npos) fastest = std::max(fastest, speed_in(line, kFewest));
    });
    return fastest;
}

double read_speed_of(std::string_view log) {
    constexpr double kFewest = 32;
    double last = 0;
    each_line(log, [&](std::string_view line) {
        if (line.find(kOfPrompt) == std::string_view::npos) return;
        if (const auto speed = speed_in(line, kFewest); speed > 0) last = speed;
    });
    return last;
}

Resident resident_of(pid_t pid, const fs::path& root) {
    Resident resident;
    if (pid <= 0) return resident;
    std::ifstream status(root / "proc" / std::to_string(pid) / "status");
    std::string word;
    while (status >> word) {
        auto* number = word == "VmHWM:"     ? &resident.peak
                       : word == "VmRSS:"   ? &resident.now
                       : word == "RssAnon:" ? &resident.anonymous
                                            : nullptr;
        if (std::int64_t kib = 0; number != nullptr && status >> kib)
            *number = std::clamp<std::int64_t>(kib, 0, 1L << 48) * 1024;
    }
    return resident;
}

Result<> keep(const fs::path& data, std::string_view model, const EngineMemory& memory) {
    json::Writer out;
    out.begin_object().member("version", 1).member("file", memory.file);
    out.member("context", memory.settings.context_tokens).member("slots", memory.settings.slots);
    out.member("cache_type_k", memory.settings.keys).member("cache_type_v", memory.settings.values);
    out.member("guess", memory.guess).key("said").begin_object();
    out.member("weights", memory.words.weights).member("repacked", memory.words.repacked);
    out.member("cache", memory.words.cache).member("recurrent", memory.words.recurrent);
    out.member("compute", memory.words.compute).key("devices");
    write(out, memory.words.devices);
    out.end_object();
    out.member("peak", memory.resident.peak).member("resident", memory.resident.now);
    out.member("anonymous", memory.resident.anonymous);
    out.raw_member("tokens_per_second", fmt::format("{:.2f}", memory.tokens_per_second));
    out.member("bytes_per_token", memory.bytes_per_token).member("when_ms", memory.when_ms).end_object();
    const auto file = file_of(data, model);
    if (auto ok = make_folder_of(file); !ok) return ok;
    return write_private_file(file, out.text() + "\n");
}

std::optional<EngineMemory> kept_of(const fs::path& data, std::string_view model) {
    return read(file_of(data, model));
}

double reached(const fs::path& data) {
    double most = 0;
    std::error_code error;
    std::size_t seen = 0;
    for (fs::directory_iterator at(data / "engines", error), end; !error && at != end && seen < kMostFiles;
         at.increment(error)) {
        if (!at->path().string().ends_with(".memory.json")) continue;
        ++seen;
        if (const auto memory = read(at->path()))
            most = std::max(most, memory->tokens_per_second * static_cast<double>(memory->bytes_per_token));
    }
    return most;
}

}  // namespace tandem::engine
