// The indexer's looks into folders.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "retrieval/index/indexer.h"

namespace tandem::retrieval {

namespace {

// The system's clock of files is coarser than ours: what changed so shortly before it was read may have changed again.
constexpr std::int64_t kClockGrain = 20'000'000;  // ns
constexpr std::chrono::seconds kRemoteRescan{60};

std::int64_t unix_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string folder_in(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

bool is_below(std::string_view path, std::string_view folder) {
    return folder.empty() || (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
}

}  // namespace

void Indexer::schedule(std::int64_t collection, const std::string& folder, bool deep, Time due) {
    auto [found, added] = looks_.try_emplace({collection, folder}, Due{due, deep});
    if (added) return;
    found->second.deep = found->second.deep || deep;
    found->second.time = std::min(found->second.time, due);
}

bool Indexer::look_at_due() {
    const auto now = std::chrono::steady_clock::now();
    for (auto& [id, time] : next_look_)
        if (now >= time) {
            schedule(id, "", true, now);
            time = now + settings_.retrieval.rescan;
        }
    for (auto at = looks_.begin(); at != looks_.end(); ++at) {
        if (at->second.time > now) continue;
        const auto [one, due] = *at;
        looks_.erase(at);
        look(one, due.deep);
        return true;
    }
    return false;
}

void Indexer::note_folder(std::int64_t collection, const std::string& folder, std::set<std::string>& listed) {
    listed.insert(folder);
    auto& state = progress(collection);
    if (!state.watched) return;
    const auto absolute = library_.collection(collection)->is.folder / folder;
    if (watcher_.add(collection, folder, absolute.string())) return;
    state.watched = false;
    spdlog::warn(
        "the index: the system has no room to watch {} (fs.inotify.max_user_watches); it is looked through "
        "every {} s",
        absolute.string(), std::chrono::duration_cast<std::chrono::seconds>(kRemoteRescan).count());
}

void Indexer::look(const Look& look, bool deep) {
    const auto* collection = library_.collection(look.collection);
    if (collection == nullptr) return;
    auto& state = progress(look.collection);
    const bool whole = deep && look.folder.empty();
    if (whole) {
        walks_.erase(look.collection);
        folders_[look.collection].clear();
        state.watched = true;
    }
    if (!walks_.contains(look.collection)) {
        auto walk = Walk::open(collection->is.folder, settings_.never);
        if (!walk) {
            // A disk that is not there today is no reason to forget what was on it.
            state.trouble = walk.error().message;
            state.looked = true;
            next_look_[look.collection] = std::chrono::steady_clock::now() +
                                          std::min<std::chrono::nanoseconds>(kRemoteRescan, settings_.retrieval.rescan);
            return;
        }
        walks_.emplace(look.collection, std::move(*walk));
        state.trouble.clear();
    }
    const auto& walk = walks_.at(look.collection);
    if (whole && walk.is_remote()) state.watched = false;
    std::set<std::string> seen, listed;
    const bool there = walk.run(look.folder, deep, collection->is.globs,
                                {.file =
                                     [&](const std::string& path, const FileState& file) {
                                         seen.insert(path);
                                         consider(look.collection, path, file);
                                     },
                                 .folder = [&](const std::string& path) { note_folder(look.collection, path, listed); },
                                 .skipped =
                                     [&](const std::string& path, const std::string& why) {
                                         seen.insert(path);
                                         const auto& files = library_.files(look.collection);
                                         const auto known = files.find(path);
                                         if (known != files.end() && known->second.reason == why) return;
                                         put_file({.collection = look.collection, .path = path, .reason = why});
                                     },
                                 .stopped = [this] { return stopping_.load(); }});
    if (stopping_) return;
    if (!there && look.folder.empty()) return;
    drop_unseen(look, deep || !there, seen, listed);
    auto& known = folders_[look.collection];
    for (const auto& folder : listed) {
        if (!known.insert(folder).second || deep || folder == look.folder) continue;
        schedule(look.collection, folder, true, std::chrono::steady_clock::now());
    }
    if (!whole) return;
    state.looked = true;
    state.looked_at = unix_ns() / 1'000'000;
    if (!state.watched)
        next_look_[look.collection] = std::chrono::steady_clock::now() +
                                      std::min<std::chrono::nanoseconds>(kRemoteRescan, settings_.retrieval.rescan);
}

// Files that the folder has no more. Of a look that was not deep, what lies in folders below stays, unless the folder
// itself is gone.
void Indexer::drop_unseen(const Look& look, bool deep, const std::set<std::string>& seen,
                          const std::set<std::string>& listed) {
    const auto& files = library_.files(look.collection);
    std::vector<std::string> gone;
    for (auto at = files.lower_bound(look.folder); at != files.end(); ++at) {
        const auto& path = at->first;
        if (!path.starts_with(look.folder)) break;
        if (!is_below(path, look.folder) || seen.contains(path)) continue;
        if (!deep) {
            const auto from = look.folder.empty() ? 0 : look.folder.size() + 1;
            const auto slash = path.find('/', from);
            if (slash != std::string::npos && listed.contains(path.substr(0, slash))) continue;
        }
        gone.push_back(path);
    }
    for (const auto& path : gone) remove_file(look.collection, path);
    auto& known = folders_[look.collection];
    std::erase_if(known, [&](const std::string& folder) {
        if (!is_below(folder, look.folder)) return false;
        if (deep) return !listed.contains(folder);
        const auto from = look.folder.empty() ? 0 : look.folder.size() + 1;
        return !listed.contains(folder.substr(0, folder.find('/', from)));
    });
}

void Indexer::consider(std::int64_t collection, const std::string& path, const FileState& state) {
    const auto& files = library_.files(collection);
    const auto known = files.find(path);
    if (known != files.end()) {
        const auto& row = known->second;
        const FileState before{row.size, row.changed, row.modified, row.inode};
        const auto* document = library_.document(row.document);
        const bool read_so = document == nullptr || (document->format == format_of(path) &&
                                                     document->row.version == document->format->version);
        if (before == state && row.checked > state.changed + kClockGrain && read_so) return;
    }
    const auto quiet = std::chrono::duration_cast<std::chrono::nanoseconds>(settings_.retrieval.quiet).count();
    const auto age = unix_ns() - state.changed;
    if (age >= 0 && age < quiet) {
        schedule(collection, folder_in(path), false,
                 std::chrono::steady_clock::now() + std::chrono::nanoseconds(quiet - age) + milliseconds(1));
        return;
    }
    auto& state_of = progress(collection);
    if (!waiting_.try_emplace({collection, path}, state.size).second) return;
    todo_.emplace_back(collection, path);
    ++state_of.waiting;
    state_of.waiting_bytes += state.size;
}

void Indexer::remove_file(std::int64_t collection, const std::string& path) {
    auto& files = library_.files(collection);
    const auto found = files.find(path);
    if (found == files.end()) return;
    const auto* document = library_.document(found->second.document);
    const auto& reason = document != nullptr ? document->row.reason : found->second.reason;
    auto& state = progress(collection);
    --(reason.empty() ? state.files : reason == kOtherFormat ? state.other : state.failed);
    library_.remove(collection, path);
    batch_.files[{collection, path}] = std::nullopt;
    if (!dead_since_) dead_since_ = std::chrono::steady_clock::now();
    published_ = false;
}

}  // namespace tandem::retrieval
