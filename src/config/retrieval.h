// What the owner wants to be found of the files on this machine: collections of folders, and the bounds of their index.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/label.h"
#include "base/result.h"
#include "base/world.h"

namespace tandem::config {

struct Collection {
    std::string name;              // letters, digits and . _ -, at most 60 of them
    std::filesystem::path folder;  // absolute
    Label label = Label::private_;
    std::string owner;               // who answers for it; empty: nobody is said
    std::vector<std::string> keys;   // that see it beside the owner
    std::vector<std::string> globs;  // a file is taken where one matches its path below the folder; empty: all
    bool stored = false;             // made by `tandem index add`, not by the file

    bool operator==(const Collection&) const = default;
};

struct Retrieval {
    std::vector<Collection> collections;
    std::size_t max_bytes = 20UL << 30;        // of the index on the disk
    std::size_t max_file_bytes = 32UL << 20;   // larger files are not read
    milliseconds quiet{2'000};                 // a file is read when nothing has changed it for so long
    milliseconds rescan{3'600'000};            // every folder is looked through so often, watched or not
    milliseconds forget_within{60'000};        // the words of a deleted file are off the disk after so long
    milliseconds extract_timeout{30'000};      // for one file
    std::size_t extract_memory = 512UL << 20;  // of the process that reads files
    std::int64_t context_tokens = 3'000;       // of what is found, that a request gets at most

    bool operator==(const Retrieval&) const = default;
};

// Whether a collection may have this name.
bool is_collection_name(std::string_view name);
// What is wrong with a glob; empty: nothing.
std::string wrong_with_glob(std::string_view glob);

}  // namespace tandem::config
