#include "retrieval/index/indexer.h"

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace tandem::retrieval {

namespace {

constexpr int kNice = 10;
constexpr std::chrono::milliseconds kMostWait{60'000};

Extractor::Settings extractor_settings(const Indexer::Settings& settings) {
    Extractor::Settings made;
    made.program = settings.program;
    made.folder = settings.folder / "reader";
    made.timeout = settings.retrieval.extract_timeout;
    made.memory = settings.retrieval.extract_memory;
    made.most_text = settings.retrieval.max_file_bytes * 2;
    made.sandbox = settings.sandbox == config::Sandbox::require ? settings.sandbox : config::Sandbox::automatic;
    return made;
}

}  // namespace

bool Overview::is_current() const {
    return !forgetting && std::ranges::all_of(collections, [](const auto& one) {
        return one.second.looked && !one.second.looking && one.second.waiting == 0;
    });
}

Indexer::Indexer(store::Store& store, Random& random, Settings settings, Detectors detectors, Publish publish)
    : store_(store),
      random_(random),
      settings_(std::move(settings)),
      detectors_(std::move(detectors)),
      publish_(std::move(publish)),
      extractor_(extractor_settings(settings_), random),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Indexer::~Indexer() {
    stopping_ = true;
    extractor_.interrupt();
    eventfd_write(wake_.get(), 1);
    {
        const std::lock_guard lock(mutex_);
        told_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

Result<> Indexer::load() {
    auto read = store_.run([this](store::Database& database) -> Result<> {
        // What is deleted is overwritten in the file, and not only unlinked in it.
        if (auto ok = database.execute("PRAGMA secure_delete = ON;"); !ok) return ok;
        auto library = Library::load(database);
        if (!library) return fail(library.error());
        library_ = std::move(*library);
        return {};
    });
    if (!read) return read;
    if (auto ok = load_segments(); !ok) return ok;
    // What a crash left behind of documents that are gone is forgotten like the rest.
    dead_since_ = std::chrono::steady_clock::now();
    for (const auto& row : library_.collections()) {
        auto& files = library_.files(row.id);
        auto& one = progress(row.id);
        for (const auto& [path, file] : files) {
            const auto* document = library_.document(file.document);
            const auto& reason = document != nullptr ? document->row.reason : file.reason;
            ++(reason.empty() ? one.files : reason == kOtherFormat ? one.other : one.failed);
        }
    }
    take_collections();
    measure();
    tell(false);
    return {};
}

void Indexer::start() {
    thread_ = std::thread([this] { run(); });
}

void Indexer::configure(config::Retrieval retrieval, Detectors detectors) {
    const std::lock_guard lock(mutex_);
    command_.retrieval = std::move(retrieval);
    command_.detectors = std::move(detectors);
    idle_ = false;
    eventfd_write(wake_.get(), 1);
}

void Indexer::collections_changed() {
    const std::lock_guard lock(mutex_);
    command_.collections = true;
    idle_ = false;
    eventfd_write(wake_.get(), 1);
}

void Indexer::rebuild(std::int64_t collection) {
    const std::lock_guard lock(mutex_);
    command_.rebuild.insert(collection);
    idle_ = false;
    eventfd_write(wake_.get(), 1);
}

Overview Indexer::overview() const {
    const std::lock_guard lock(mutex_);
    return overview_;
}

void Indexer::wait_until_current(const std::function<bool()>& stopped) {
    hurried_ = true;
    eventfd_write(wake_.get(), 1);
    std::unique_lock lock(mutex_);
    while (!idle_ && !stopping_ && !stopped()) told_.wait_for(lock, milliseconds(100));
}

void Indexer::tell(bool idle) {
    now_.documents = library_.size();
    now_.segments = segments_.size();
    now_.chunks = 0;
    for (const auto& one : segments_) now_.chunks += one->chunks() - one->documents().size();
    now_.forgetting = dead_since_.has_value();
    for (auto& [id, one] : now_.collections)
        one.looking = std::ranges::any_of(looks_, [id = id](const auto& look) { return look.first.collection == id; });
    const std::lock_guard lock(mutex_);
    overview_ = now_;
    const bool commanded = command_.collections || !command_.rebuild.empty() || command_.retrieval.has_value();
    idle_ = idle && !commanded;
    if (idle_) told_.notify_all();
}

void Indexer::say(const std::string& trouble) {
    if (!trouble.empty() && trouble != now_.trouble) spdlog::warn("the index: {}", trouble);
    now_.trouble = trouble;
}

void Indexer::take_commands() {
    Command command;
    {
        const std::lock_guard lock(mutex_);
        command = std::exchange(command_, {});
    }
    if (command.detectors) {
        relabelled_ = false;
        detectors_ = std::move(*command.detectors);
    }
    if (command.retrieval) settings_.retrieval = std::move(*command.retrieval);
    if (command.collections || command.retrieval) take_collections();
    for (const auto id : command.rebuild) {
        std::vector<std::string> paths;
        for (const auto& [path, row] : library_.files(id)) paths.push_back(path);
        for (const auto& path : paths) remove_file(id, path);
        flush();
        if (auto ok = forget(); !ok) say(ok.error().message);
        progress(id).looked = false;
        schedule(id, "", true, std::chrono::steady_clock::now());
    }
}

// Takes over the collections of the table: those that are new are looked through, those that went are forgotten.
void Indexer::take_collections() {
    std::vector<CollectionRow> rows;
    auto read = store_.run([&rows](store::Database& database) -> Result<> {
        auto all = collections(database);
        if (!all) return fail(all.error());
        rows = std::move(*all);
        return {};
    });
    if (!read) return say(read.error().message);
    const auto now = std::chrono::steady_clock::now();
    for (const auto& old : std::exchange(library_.collections(), rows)) {
        const auto* same = library_.collection(old.id);
        const bool moved = same != nullptr && (same->is.folder != old.is.folder || same->is.globs != old.is.globs);
        if (same != nullptr && !moved) continue;
        watcher_.forget(old.id);
        walks_.erase(old.id);
        folders_.erase(old.id);
        next_look_.erase(old.id);
        std::erase_if(looks_, [&](const auto& one) { return one.first.collection == old.id; });
        if (same != nullptr) continue;
        std::vector<std::string> paths;
        for (const auto& [path, row] : library_.files(old.id)) paths.push_back(path);
        for (const auto& path : paths) remove_file(old.id, path);
        now_.collections.erase(old.id);
    }
    for (const auto& row : library_.collections()) {
        progress(row.id);
        if (!next_look_.contains(row.id)) {
            progress(row.id).looked = false;
            schedule(row.id, "", true, now);
            next_look_[row.id] = now + settings_.retrieval.rescan;
        }
    }
    published_ = false;
}

void Indexer::take_changes() {
    const auto due = std::chrono::steady_clock::now() + settings_.retrieval.quiet;
    const bool lost = watcher_.take([&](const Watcher::Change& change) {
        const bool rules = change.name == ".gitignore" || change.name == ".tandemignore";
        if (change.name.starts_with('.') && !rules) return;
        schedule(change.collection, change.folder, rules, due);
    });
    if (!lost) return;
    ++now_.overflows;
    spdlog::warn(
        "the index: more changed at once than the system keeps for us (fs.inotify.max_queued_events); all "
        "folders are looked through");
    for (const auto& row : library_.collections()) schedule(row.id, "", true, due);
}

// One piece of work; false where there is none now.
bool Indexer::step() {
    take_commands();
    take_changes();
    const auto now = std::chrono::steady_clock::now();
    if (now < retry_at_) return false;
    if (look_at_due()) return true;
    if (read_next()) return true;
    if (!batch_.files.empty() || builder_.documents() > 0 || !published_) {
        if (flush()) return true;
        retry_at_ = now + kRetryAfter;
        return false;
    }
    if (forget_due()) {
        if (auto ok = forget(); !ok) {
            say(ok.error().message);
            retry_at_ = now + kRetryAfter;
            return false;
        }
        return true;
    }
    if (merge_some()) return true;
    if (!relabelled_) {
        relabel_some();
        return true;
    }
    return false;
}

void Indexer::wait() {
    auto until = std::chrono::steady_clock::now() + kMostWait;
    for (const auto& [look, due] : looks_) until = std::min(until, due.time);
    for (const auto& [id, time] : next_look_) until = std::min(until, time);
    if (dead_since_) until = std::min(until, *dead_since_ + settings_.retrieval.forget_within / 4);
    until = std::max(until, retry_at_);
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    pollfd entries[] = {{wake_.get(), POLLIN, 0}, {watcher_.fd(), POLLIN, 0}};
    poll(entries, 2, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, kMostWait.count())));
    eventfd_t ignored = 0;
    eventfd_read(wake_.get(), &ignored);
}

void Indexer::run() {
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
    auto tell_at = std::chrono::steady_clock::now();
    while (!stopping_) {
        const bool worked = step();
        const auto now = std::chrono::steady_clock::now();
        if (!worked || now >= tell_at) {
            tell(!worked && looks_.empty() && todo_.empty() && now >= retry_at_ && !dead_since_);
            tell_at = now + milliseconds(200);
        }
        if (!worked && !stopping_) wait();
    }
    flush();
    extractor_.stop();
}

}  // namespace tandem::retrieval
