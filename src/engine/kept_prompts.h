// What the slots of an engine have read, on disk while the engine is unloaded: a conversation goes on after a swap
// without being read again. The files hold content of requests: they lie in the engine's own folder (0700), go with the
// next load, at a stop and at a start of Tandem, and take `engine.prompts` bytes at most. Private to engine/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/world.h"

namespace tandem::engine {

// How a kind of server writes what one of its slots has read to a file of the folder that it was started with, and
// reads it again.
struct PromptStore {
    struct Slot {
        int id = 0;
        std::int64_t tokens = 0;
    };
    std::string_view list;                                // the path that names the slots
    std::vector<Slot> (*slots)(std::string_view answer);  // of those that do not work now
    std::string (*save)(int slot);                        // the path; POST, with file() as its body
    std::string (*restore)(int slot);
    std::string (*file)(std::string_view name);
    std::int64_t (*written)(std::string_view answer);  // bytes; 0: none
};

// What is known of what a file would cost and save.
struct PromptFile {
    std::int64_t tokens = 0;
    std::int64_t bytes = 0;
    double tokens_per_second = 0;  // that the engine reads; 0: not known
    double bytes_per_second = 0;   // that it writes; 0: not known
};
// Whether reading the prompt anew takes longer than writing it to disk and reading that.
bool pays(const PromptFile& file);

// The files of all engines below data/engines/.
class PromptFolders {
  public:
    explicit PromptFolders(std::filesystem::path data) : data_(std::move(data)) {}

    struct Kept {
        int slot = 0;
        std::string name;
    };
    // Those in this folder that were written as `setup`, an engine's file, program and settings; others are removed.
    static std::vector<Kept> in(const std::filesystem::path& folder, std::string_view setup);
    static std::string name_of(std::string_view setup, int slot);
    // Whether `bytes` more fit the limit and the disk: the oldest files go for them.
    bool make_room(std::int64_t bytes, std::int64_t limit) const;
    void remove_all() const;

  private:
    std::filesystem::path data_;
};

}  // namespace tandem::engine
