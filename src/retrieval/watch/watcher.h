// Hears of changes in folders from the kernel (inotify(7)). What it cannot hear it says: then the folder is to be
// looked through.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>

#include "base/descriptor.h"

namespace tandem::retrieval {

class Watcher {
  public:
    Watcher();
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

    int fd() const { return inotify_.get(); }  // readable when take() has something; below 0: there is no inotify
    // Watches a folder of a collection by its absolute path. False where the kernel has no room for more, or no
    // inotify.
    bool add(std::int64_t collection, const std::string& folder, const std::string& absolute);
    void forget(std::int64_t collection);
    std::size_t watched() const { return by_watch_.size(); }

    struct Change {
        std::int64_t collection;
        std::string folder;  // in which something changed
        std::string name;    // of what changed; empty: the folder itself
        bool is_folder;
    };
    // Takes what has come, without waiting. True where changes were lost: every folder is to be looked through.
    bool take(const std::function<void(const Change&)>& visit);

  private:
    struct Folder {
        std::int64_t collection;
        std::string path;
    };
    Descriptor inotify_;
    std::unordered_map<int, Folder> by_watch_;
};

}  // namespace tandem::retrieval
