// The versions of llama-server that Tandem keeps side by side, below data/engines/programs: which is in use, and which
// was before it. What is not there (one on PATH, the cache's) is kept once another takes its place, so that it can come
// back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace tandem::engine {

struct KeptProgram {
    std::string sha256;          // of the program, 64 lower-case hexadecimal digits: its name here
    std::string version;         // what it says of itself, one line; empty: nothing
    std::string from;            // where it was
    std::filesystem::path file;  // absolute, below the folder
    std::int64_t time_ms = 0;    // Unix, of its keeping
};

class Programs {
  public:
    static constexpr std::size_t kMost = 16;  // the oldest that is neither in use nor before goes

    // A manifest that is not there or not ours is as good as an empty one. `data`: Tandem's folder.
    static Programs read(const std::filesystem::path& data);

    const std::vector<KeptProgram>& all() const { return all_; }
    // nullptr: none of them is in use, the program is found as ever.
    const KeptProgram* in_use() const { return find(in_use_); }
    const KeptProgram* before() const { return find(before_); }
    const KeptProgram* find(const std::string& sha256) const;

    // Copies a program, and the libraries that lie beside it, and writes that down. One that is there already is not
    // copied again. Reads all its bytes: not for a thread that others wait for. Errors: invalid, storage.
    Result<KeptProgram> keep(const std::filesystem::path& program, std::int64_t now_ms);
    // From now on `sha256` is in use and `previous` was before it, on disk before this returns. Errors: storage.
    Result<> use(const std::string& sha256, const std::string& previous);

  private:
    Result<> write() const;

    std::filesystem::path folder_;
    std::vector<KeptProgram> all_;
    std::string in_use_, before_;
};

// What a program prints for one option ("--version"), on both of its outputs; empty where it does not start. It is
// ended after five seconds, or when it prints more than 256 KiB.
std::string words_for(const std::filesystem::path& program, std::string option);
// The line of it that has the version; empty where there is none.
std::string version_of(const std::filesystem::path& program);

}  // namespace tandem::engine
