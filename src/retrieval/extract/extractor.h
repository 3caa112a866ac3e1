// Reads files in a process of its own, which has no network, sees no file and no other process, and is bounded in time,
// memory and what it answers. A file that ends it is a failure with its reason; the next file gets a new process.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/world.h"
#include "config/config.h"
#include "engine/sandbox/held.h"
#include "retrieval/extract/extracted.h"
#include "retrieval/extract/formats.h"

namespace tandem::retrieval {

class Extractor {
  public:
    struct Settings {
        std::filesystem::path program;  // a tandem; links resolved
        std::filesystem::path folder;   // of its own, made where it is not there
        milliseconds timeout{30'000};   // for one file
        std::size_t memory = 512UL << 20;
        std::size_t most_text = 64UL << 20;  // of one file
        config::Sandbox sandbox = config::Sandbox::automatic;
    };
    Extractor(Settings settings, Random& random);
    ~Extractor();
    Extractor(const Extractor&) = delete;
    Extractor& operator=(const Extractor&) = delete;

    // What came of a file. The thread that asks first must live as long as the extractor is used. `why` is set where
    // nothing came of it, and is the file's own fault; an Error is ours (the process does not start), and the file may
    // be tried again. Errors: unavailable.
    Result<Extracted> read(const Format& format, std::string_view name, std::string_view bytes, std::string& why);

    // What the process is held to; of the last one that was started.
    const engine::sandbox::Held& held() const { return held_; }
    void stop();
    // From any thread: what is under way ends at once, as if its process had been killed.
    void interrupt();

  private:
    struct Child;
    Result<> start();
    std::string how_it_ended();
    Settings settings_;
    Random& random_;
    std::mutex mutex_;  // of child_, for interrupt()
    std::unique_ptr<Child> child_;
    engine::sandbox::Held held_;
    int files_ = 0;  // that the process has read
};

}  // namespace tandem::retrieval
