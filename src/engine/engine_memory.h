// What memory an engine takes, by three ways of knowing: the sum before its start, its own words at the start, and what
// the kernel says of its process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "engine/memory_need.h"

namespace tandem::engine {

// Bytes by the name of a device (devices.h).
using DeviceBytes = std::map<std::string, std::int64_t, std::less<>>;

// The buffers that llama-server's log names ("CPU KV buffer size = 45.00 MiB"), in bytes; `devices`: of those on other
// devices than the CPU, of any kind, at most kMostDevices.
struct EngineWords {
    std::int64_t weights = 0;   // pages of the file, or read into memory
    std::int64_t repacked = 0;  // CPU_REPACK
    std::int64_t cache = 0;     // keys and values
    std::int64_t recurrent = 0;
    std::int64_t compute = 0;  // and the output
    DeviceBytes devices;
    std::int64_t host() const { return weights + repacked + cache + recurrent + compute; }
    std::int64_t on_devices() const;
    bool any() const { return host() + on_devices() > 0; }
};

void write(json::Writer& out, const DeviceBytes& devices);
// What write() wrote; what is none of it is left out.
DeviceBytes device_bytes(json::Value kept);

inline constexpr std::size_t kMostWords = 1UL << 20;  // bytes of a log that are read
inline constexpr std::size_t kMostBuffers = 1'000;    // lines of buffers; what is behind them is not counted

// Any text: lines that are none of those are passed over, numbers that cannot be are none.
EngineWords words_of(std::string_view log);
// The fastest "eval time" of those lines: tokens a second, 0 where there is none of 8 tokens or more.
double fastest_of(std::string_view log);
// How fast it read prompts, by the last "prompt eval time" of 32 tokens or more: tokens a second, 0 where there is
// none.
double read_speed_of(std::string_view log);

// Of a process, in bytes (proc(5)): its peak, what is resident now, and of that what is its own and no page of a file.
struct Resident {
    std::int64_t peak = 0, now = 0, anonymous = 0;
};
Resident resident_of(pid_t pid, const std::filesystem::path& root = "/");

// What was seen of an engine, kept beside its log, so that `tandem model show` says it also when nothing runs.
struct EngineMemory {
    std::string file;  // of the model, absolute
    NeedSettings settings;
    std::int64_t guess = 0;  // MemoryNeed::total(); 0: the file could not be read
    EngineWords words;
    Resident resident;
    double tokens_per_second = 0;      // the fastest that it wrote; 0: not known
    std::int64_t bytes_per_token = 0;  // that it read for that, by bytes_per_token() at an empty context
    std::int64_t when_ms = 0;
};

// data/engines/NAME.memory.json. Errors: storage.
Result<> keep(const std::filesystem::path& data, std::string_view model, const EngineMemory& memory);
// Nothing where there is none, or it is not readable as one.
std::optional<EngineMemory> kept_of(const std::filesystem::path& data, std::string_view model);
// Bytes a second that the fastest engine of this machine reached; 0: none has run, or an old version kept nothing.
double reached(const std::filesystem::path& data);

}  // namespace tandem::engine
