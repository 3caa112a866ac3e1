// Looks through a collection's folder, and reads its files. Links are never followed, so a loop of links ends nothing
// and a link leads nowhere; pipes, sockets and devices are never opened for reading.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "retrieval/watch/ignore.h"

namespace tandem::retrieval {

// A file as the system describes it, without its content. Times are nanoseconds of Unix time.
struct FileState {
    std::int64_t size = 0, changed = 0, modified = 0, inode = 0;
    bool operator==(const FileState&) const = default;
};

class Walk {
  public:
    struct Visitor {
        std::function<void(const std::string& path, const FileState&)> file;
        std::function<void(const std::string& path)> folder;  // "" or "a/b"; before what is in it
        std::function<void(const std::string& path, const std::string& why)> skipped;
        std::function<bool()> stopped;
    };

    // `never`: folders and files that are not looked into (our own data and settings). Errors: not_found, where the
    // folder is not there, or is reached by a link.
    static Result<Walk> open(const std::filesystem::path& root, const std::vector<std::filesystem::path>& never);
    Walk(Walk&&) noexcept = default;

    // Visits what is in the folder `from` ("" is the root), and below it where `deep`. False where `from` is not there
    // any more or is left out, or the walk was stopped.
    bool run(const std::string& from, bool deep, const std::vector<std::string>& globs, const Visitor& visitor) const;

    // The state of a file that is there and regular; nullopt: it is not.
    std::optional<FileState> state_of(const std::string& path) const;
    // The content. Errors: not_found; too_large; storage, which says why it cannot be read; unavailable, where it
    // changed meanwhile.
    Result<std::string> read(const std::string& path, std::size_t most, FileState& state) const;
    // The folder lies on another machine, which tells nobody here of changes.
    bool is_remote() const;

  private:
    explicit Walk(int fd) : root_(std::make_unique<Descriptor>(fd)) {}
    int open_below(const std::string& path, int flags) const;
    IgnoreRules rules_of(const std::string& folder, const IgnoreRules& around) const;
    bool list(const std::string& folder, const IgnoreRules& rules, const std::vector<std::string>& globs,
              const Visitor& visitor, std::vector<std::string>& below) const;
    std::unique_ptr<Descriptor> root_;
    std::vector<std::pair<dev_t, ino_t>> never_;
};

}  // namespace tandem::retrieval
