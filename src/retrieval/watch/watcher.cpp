#include "retrieval/watch/watcher.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace tandem::retrieval {

namespace {

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                  IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW |
                                  IN_EXCL_UNLINK;
constexpr std::size_t kBuffer = 64UL << 10;

}  // namespace

Watcher::Watcher() : inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

bool Watcher::add(std::int64_t collection, const std::string& folder, const std::string& absolute) {
    if (inotify_.get() < 0) return false;
    const int watch = inotify_add_watch(inotify_.get(), absolute.c_str(), kEvents);
    // A folder that went meanwhile needs no watch: its going is an event of the folder around it.
    if (watch < 0) return errno != ENOSPC && errno != ENOMEM;
    by_watch_[watch] = {collection, folder};
    return true;
}

void Watcher::forget(std::int64_t collection) {
    for (auto at = by_watch_.begin(); at != by_watch_.end();) {
        if (at->second.collection != collection) {
            ++at;
            continue;
        }
        inotify_rm_watch(inotify_.get(), at->first);
        at = by_watch_.erase(at);
    }
}

bool Watcher::take(const std::function<void(const Change&)>& visit) {
    bool lost = false;
    std::vector<char> buffer(kBuffer);
    while (true) {
        const auto got = read(inotify_.get(), buffer.data(), buffer.size());
        if (got <= 0) return lost;
        for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(got);) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            const char* name = buffer.data() + at + sizeof event;
            at += sizeof event + event.len;
            if ((event.mask & IN_Q_OVERFLOW) != 0) {
                lost = true;
                continue;
            }
            const auto found = by_watch_.find(event.wd);
            if (found == by_watch_.end()) continue;
            visit({found->second.collection, found->second.path, event.len > 0 ? std::string(name) : std::string(),
                   (event.mask & IN_ISDIR) != 0});
            if ((event.mask & IN_IGNORED) != 0) by_watch_.erase(found);
        }
    }
}

}  // namespace tandem::retrieval
