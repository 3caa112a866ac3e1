// What went wrong with engines: when, with which, why, and the last lines that it had written. Kept in a file for the
// owner's eyes, bounded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/world.h"

namespace tandem::engine {

struct Incident {
    WallTime time{};
    std::string model;
    std::string kind;   // crash, hang, memory, stopped, start, swap
    std::string what;   // in words, without the engine's own
    std::string lines;  // of its log; may hold what the engine was told to log
};

// Any thread's.
class Incidents {
  public:
    static constexpr std::size_t kMost = 200;        // the oldest goes
    static constexpr std::size_t kMostLines = 4096;  // bytes of a log's last lines

    // What the file says from before, where it is ours.
    explicit Incidents(std::filesystem::path file);

    // Remembers it and writes the file. What cannot be written is in the log of Tandem all the same.
    void add(Incident incident);
    // The newest first; of all models where `model` is empty.
    std::vector<Incident> newest(std::string_view model, std::size_t most) const;
    std::size_t count(std::string_view model) const;

  private:
    void write() const;

    std::filesystem::path file_;
    mutable std::mutex mutex_;
    std::vector<Incident> all_;  // the oldest first
};

// As an object.
void write(json::Writer& out, const Incident& incident);

// The end of a log, whole lines, without control characters, at most Incidents::kMostLines bytes.
std::string last_lines_of(const std::filesystem::path& log);

}  // namespace tandem::engine
