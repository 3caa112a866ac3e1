#include "retrieval/retrieval.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "retrieval/search/json.h"

namespace tandem::retrieval {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kKeptReaders = 4;  // connections of searches, kept open
constexpr int kMostFailures = 100'000;

fs::path folder_of(const config::Config& config) {
    return config.data / "index";
}

Result<> put_collections(store::Database& database, const config::Retrieval& wanted) {
    auto rows = collections(database);
    if (!rows) return fail(rows.error());
    const auto is_named = [&](const std::string& name) {
        return std::ranges::find(wanted.collections, name, &config::Collection::name) != wanted.collections.end();
    };
    for (const auto& row : *rows)
        if (!row.is.stored && !is_named(row.is.name))
            if (auto ok = remove_collection(database, row.id); !ok) return ok;
    for (const auto& one : wanted.collections) {
        CollectionRow row{.id = 0, .is = one};
        if (auto ok = put(database, row); !ok) return ok;
    }
    return {};
}

}  // namespace

struct Retrieval::State {
    fs::path folder;
    std::unique_ptr<store::Store> store;  // null: it is only read
    mutable std::mutex mutex;             // of all below it, but for the indexer
    Detectors detectors;
    std::size_t max_bytes = 0;
    std::vector<Snapshot::Collection> collections;
    std::shared_ptr<const Snapshot> snapshot = std::make_shared<const Snapshot>();
    mutable std::vector<std::unique_ptr<store::Database>> readers;
    std::unique_ptr<Indexer> indexer;

    // Lends a connection to `use`, which gives a Result. Errors: storage, and those of `use`.
    template <typename Use>
    auto with_reader(Use&& use) const -> decltype(use(std::declval<store::Database&>())) {
        std::unique_ptr<store::Database> database;
        {
            const std::lock_guard lock(mutex);
            if (!readers.empty()) {
                database = std::move(readers.back());
                readers.pop_back();
            }
        }
        if (database == nullptr) {
            auto opened = store::Database::open_to_read(folder / "index.db");
            if (!opened) return fail(opened.error());
            database = std::move(*opened);
        }
        auto result = use(*database);
        const std::lock_guard lock(mutex);
        if (readers.size() < kKeptReaders) readers.push_back(std::move(database));
        return result;
    }
};

Retrieval::Retrieval(std::unique_ptr<State> state) : state_(std::move(state)) {}

Retrieval::~Retrieval() {
    state_->indexer.reset();
}

bool Retrieval::is_there(const config::Config& config) {
    std::error_code error;
    return fs::exists(folder_of(config) / "index.db", error);
}

Result<std::unique_ptr<Retrieval>> Retrieval::open(const config::Config& config,
                                                   std::shared_ptr<privacy::Detector> detector, const fs::path& program,
                                                   Random& random, Use use) {
    auto state = std::make_unique<State>();
    state->folder = folder_of(config);
    state->detectors = {std::move(detector), config.privacy.detect, settings_of(config.privacy)};
    state->max_bytes = config.retrieval.max_bytes;
    const auto file = state->folder / "index.db";
    if (use == Use::read) {
        if (!is_there(config))
            return fail(Fault::unknown_object, "there is no index yet: `tandem index add NAME FOLDER` begins one");
        auto* raw = state.get();
        auto loaded = raw->with_reader([raw](store::Database& database) -> Result<> {
            auto library = Library::load(database);
            if (!library) return fail(library.error());
            std::vector<std::pair<fs::file_time_type, std::shared_ptr<const Segment>>> found;
            std::error_code ignored;
            for (const auto& entry : fs::directory_iterator(raw->folder / "segments", ignored))
                if (entry.path().extension() == ".segment")
                    if (auto segment = Segment::open(entry.path()); segment)
                        found.emplace_back(entry.last_write_time(ignored), std::move(*segment));
            std::ranges::sort(found, std::greater<>(), [](const auto& one) { return one.first; });
            std::vector<std::shared_ptr<const Segment>> segments;
            for (auto& [time, segment] : found) segments.push_back(std::move(segment));
            raw->snapshot = library->cover(std::move(segments)).snapshot;
            for (const auto& row : library->collections()) raw->collections.push_back({row.id, row.is});
            return {};
        });
        if (!loaded) return fail(loaded.error());
        return std::unique_ptr<Retrieval>(new Retrieval(std::move(state)));
    }
    std::error_code error;
    const mode_t mask = umask(0077);  // nobody else's, our data folder neither
    fs::create_directories(state->folder, error);
    umask(mask);
    fs::permissions(state->folder, fs::perms::owner_all, error);
    auto store = store::Store::open(file, index_migrations(), store::Durability::process);
    if (!store) return fail(store.error());
    state->store = std::move(*store);
    std::unique_ptr<Retrieval> made(new Retrieval(std::move(state)));
    auto* raw = made->state_.get();
    auto written =
        raw->store->run([&config](store::Database& database) { return put_collections(database, config.retrieval); });
    if (!written) return fail(written.error());
    if (auto ok = made->take_collections(); !ok) return fail(ok.error());
    auto never = config.files();
    never.push_back(config.data);
    raw->indexer = std::make_unique<Indexer>(
        *raw->store, random,
        Indexer::Settings{raw->folder, std::move(never), program, config.retrieval, config.engine_sandbox},
        raw->detectors, [raw](std::shared_ptr<const Snapshot> snapshot) {
            const std::lock_guard lock(raw->mutex);
            raw->snapshot = std::move(snapshot);
        });
    if (auto ok = raw->indexer->load(); !ok) return fail(ok.error());
    return made;
}

void Retrieval::start() {
    state_->indexer->start();
}

Result<> Retrieval::take_collections() {
    std::vector<Snapshot::Collection> list;
    auto read = state_->store->run([&list](store::Database& database) -> Result<> {
        auto rows = collections(database);
        if (!rows) return fail(rows.error());
        for (const auto& row : *rows) list.push_back({row.id, row.is});
        return {};
    });
    if (!read) return read;
    const std::lock_guard lock(state_->mutex);
    state_->collections = std::move(list);
    return {};
}

namespace {

// What the file says of collections and what is not there: it may come later, so it is no error.
void warn_of_what_is_missing(const config::Config& config) {
    for (const auto& one : config.retrieval.collections) {
        std::error_code error;
        if (!fs::is_directory(one.folder, error))
            spdlog::warn("the collection {} has the folder {}, which is not there: nothing of it is found", one.name,
                         one.folder.string());
        for (const auto& key : one.keys)
            if (std::ranges::find(config.keys, key, &config::Key::id) == config.keys.end())
                spdlog::warn("the collection {} is for the key {}, which there is not: see `tandem key list`", one.name,
                             printable(key, 60));
    }
}

}  // namespace

Result<> Retrieval::configure(const config::Config& config, std::shared_ptr<privacy::Detector> detector) {
    warn_of_what_is_missing(config);
    auto written = state_->store->run(
        [&config](store::Database& database) { return put_collections(database, config.retrieval); });
    if (!written) return written;
    if (auto ok = take_collections(); !ok) return ok;
    Detectors detectors{std::move(detector), config.privacy.detect, settings_of(config.privacy)};
    {
        const std::lock_guard lock(state_->mutex);
        state_->detectors = detectors;
        state_->max_bytes = config.retrieval.max_bytes;
    }
    state_->indexer->configure(config.retrieval, std::move(detectors));
    return {};
}

Result<> Retrieval::add(config::Collection collection) {
    if (!config::is_collection_name(collection.name))
        return fail(Fault::invalid_field, "name: a collection's name has at most 60 letters, digits and . _ -", "name");
    std::error_code error;
    if (!collection.folder.is_absolute() || !fs::is_directory(collection.folder, error))
        return fail(Fault::invalid_field,
                    fmt::format("folder: {} is no folder that is there", printable(collection.folder.string(), 200)),
                    "folder");
    for (const auto& glob : collection.globs)
        if (const auto wrong = config::wrong_with_glob(glob); !wrong.empty())
            return fail(Fault::invalid_field, "globs: " + wrong, "globs");
    collection.folder = fs::canonical(collection.folder, error);
    collection.stored = true;
    auto written = state_->store->run([&collection](store::Database& database) -> Result<> {
        auto rows = collections(database);
        if (!rows) return fail(rows.error());
        if (std::ranges::any_of(*rows, [&](const auto& row) { return row.is.name == collection.name; }))
            return fail(Fault::already_exists,
                        fmt::format("there is a collection '{}' already; `tandem index rm` removes it",
                                    printable(collection.name, 60)));
        CollectionRow row{.id = 0, .is = collection};
        return put(database, row);
    });
    if (!written) return written;
    if (auto ok = take_collections(); !ok) return ok;
    state_->indexer->collections_changed();
    return {};
}

Result<> Retrieval::remove(const std::string& name) {
    auto written = state_->store->run([&name](store::Database& database) -> Result<> {
        auto rows = collections(database);
        if (!rows) return fail(rows.error());
        const auto found = std::ranges::find_if(*rows, [&](const auto& row) { return row.is.name == name; });
        if (found == rows->end())
            return fail(Fault::unknown_object, fmt::format("there is no collection '{}'", printable(name, 60)));
        if (!found->is.stored)
            return fail(Fault::set_in_config,
                        fmt::format("the collection '{}' is in tandem.yaml; take it out there", printable(name, 60)));
        return remove_collection(database, found->id);
    });
    if (!written) return written;
    if (auto ok = take_collections(); !ok) return ok;
    state_->indexer->collections_changed();
    return {};
}

Result<Snapshot::Collection> Retrieval::collection(const View& view, const std::string& name) const {
    const std::lock_guard lock(state_->mutex);
    for (const auto& one : state_->collections)
        if (one.is.name == name && view.sees(one.is)) return one;
    return fail(Fault::unknown_object, fmt::format("there is no collection '{}'", printable(name, 60)));
}

Result<> Retrieval::rebuild(const std::string& name) {
    const auto found = collection(View::of(access::Principal::admin()), name);
    if (!found) return fail(found.error());
    state_->indexer->rebuild(found->id);
    return {};
}

void Retrieval::wait(const std::function<bool()>& stopped) {
    state_->indexer->wait_until_current(stopped);
}

Result<std::string> Retrieval::search(const View& view, const SearchRequest& request) const {
    if (request.limit == 0 || request.limit > kMostHits)
        return fail(Fault::invalid_parameter, fmt::format("limit: expected 1 to {}", kMostHits), "limit");
    const auto now =
        std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    auto query = parse_query(request.query, now);
    query.collections.insert(query.collections.end(), request.collections.begin(), request.collections.end());
    const auto found = find(view, query, request.limit, 1);
    if (!found) return fail(found.error());
    return to_json(*found, request.explain);
}

Result<Found> Retrieval::find(const View& view, const Query& query, std::size_t limit, std::size_t of_each) const {
    std::shared_ptr<const Snapshot> snapshot;
    std::vector<Snapshot::Collection> collections;
    Detectors detectors;
    {
        const std::lock_guard lock(state_->mutex);
        snapshot = state_->snapshot;
        collections = state_->collections;
        detectors = state_->detectors;
    }
    return state_->with_reader([&](store::Database& database) -> Result<Found> {
        return retrieval::search({snapshot, collections, detectors, database}, view, query, limit, of_each);
    });
}

Result<std::vector<Passage>> Retrieval::passages(const access::Principal& who, const PassageRequest& request) const {
    constexpr std::size_t kOfEachFile = 4;  // so that one long file does not take all
    const auto view = View::of(who);
    for (const auto& name : request.collections)
        if (const auto known = collection(view, name); !known) return fail(known.error());
    Query query;
    query.words = request.question;
    query.collections = request.collections;
    auto found = find(view, query, request.most, kOfEachFile);
    if (!found) return fail(found.error());
    std::vector<Passage> passages;
    for (auto& hit : found->hits)
        passages.push_back({std::move(hit.path), std::move(hit.collection), std::move(hit.title),
                            std::move(hit.heading), std::move(hit.text), hit.collections_label, hit.label, hit.score,
                            hit.first_line, hit.last_line, hit.page, hit.changed});
    return passages;
}

namespace {

void write_collection(json::Writer& out, const Snapshot::Collection& one, const Progress& state) {
    out.begin_object().member("name", one.is.name).member("folder", one.is.folder.string());
    out.member("label", name_of(one.is.label));
    if (!one.is.owner.empty()) out.member("owner", one.is.owner);
    out.key("keys").begin_array();
    for (const auto& key : one.is.keys) out.value(key);
    out.end_array().key("globs").begin_array();
    for (const auto& glob : one.is.globs) out.value(glob);
    out.end_array().member("from", one.is.stored ? "command" : "config");
    const bool current = state.looked && !state.looking && state.waiting == 0;
    out.member("state", !state.trouble.empty() ? "trouble"
                        : !state.looked        ? "looking"
                        : current              ? "current"
                        : state.waiting > 0    ? "reading"
                                               : "looking");
    out.member("files", state.files).member("failed", state.failed).member("other_formats", state.other);
    out.member("waiting", state.waiting).member("waiting_bytes", state.waiting_bytes);
    out.member("watched", state.watched).member("looked_at", state.looked_at);
    if (!state.trouble.empty()) out.member("trouble", state.trouble);
    out.end_object();
}

}  // namespace

Result<std::string> Retrieval::status(const View& view) const {
    Overview overview;
    if (state_->indexer != nullptr) overview = state_->indexer->overview();
    json::Writer out;
    out.begin_object().key("collections").begin_array();
    bool all = true;
    std::int64_t waiting_bytes = 0;
    std::size_t max_bytes = 0;
    {
        const std::lock_guard lock(state_->mutex);
        max_bytes = state_->max_bytes;
        for (const auto& one : state_->collections) {
            if (!view.sees(one.is)) {
                all = false;
                continue;
            }
            const auto state = overview.collections[one.id];
            waiting_bytes += state.waiting_bytes;
            write_collection(out, one, state);
        }
    }
    out.end_array();
    out.member("keeps", state_->indexer != nullptr);
    // What is of all collections says something of those that are not seen.
    if (all) {
        out.member("bytes", static_cast<std::int64_t>(overview.bytes));
        out.member("max_bytes", max_bytes).member("full", overview.full);
        out.member("documents", overview.documents).member("chunks", overview.chunks);
        out.member("segments", overview.segments).member("forgetting", overview.forgetting);
        out.member("overflows", static_cast<std::int64_t>(overview.overflows));
        if (overview.bytes_per_second > 0) {
            out.raw_member("bytes_per_second", fmt::format("{:.0f}", overview.bytes_per_second));
            out.raw_member("seconds_left",
                           fmt::format("{:.0f}", static_cast<double>(waiting_bytes) / overview.bytes_per_second));
        }
        if (!overview.held.empty()) out.member("reader_held_to", overview.held);
        if (!overview.trouble.empty()) out.member("trouble", overview.trouble);
    }
    return out.end_object().take();
}

Result<std::string> Retrieval::failures(const View& view, const std::string& name, std::size_t most) const {
    const auto one = collection(view, name);
    if (!one) return fail(one.error());
    return state_->with_reader([&](store::Database& database) -> Result<std::string> {
        auto rows = retrieval::failures(database, one->id, kMostFailures);
        if (!rows) return fail(rows.error());
        json::Writer out;
        out.begin_object().member("collection", name).key("failures").begin_array();
        std::size_t count = 0;
        for (const auto& row : *rows) {
            if (row.reason == kOtherFormat) continue;
            if (++count > most) continue;
            out.begin_object().member("path", (one->is.folder / row.path).string()).member("reason", row.reason);
            out.end_object();
        }
        return out.end_array().member("failed", count).end_object().take();
    });
}

}  // namespace tandem::retrieval
