// What the unit tests share: a folder that goes, a clock that is set by hand.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/world.h"

namespace tandem::test {

struct Folder {
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "tandem-test-XXXXXX").string();
        path = mkdtemp(name.data());
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::filesystem::path path;
};

inline std::string read_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file, std::ios::binary) << text;
}

struct ManualClock final : Clock {
    std::chrono::milliseconds now{1'700'000'000'000};
    SteadyTime steady() const override { return SteadyTime(now); }
    WallTime wall() const override { return WallTime(now); }
};

}  // namespace tandem::test
