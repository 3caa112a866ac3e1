// The indexer's writing: batches into the tables, segments, merges, and the forgetting of what is gone.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

#include "base/id.h"
#include "retrieval/index/indexer.h"

namespace tandem::retrieval {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostSegments = 8;  // before some are merged
constexpr std::size_t kMergedAtOnce = 6;
constexpr std::size_t kMostBuilderBytes = 32UL << 20;
constexpr std::chrono::seconds kMostForgetDelay{15};
constexpr const char* kSuffix = ".segment";

}  // namespace

fs::path Indexer::segment_file() {
    return settings_.folder / "segments" / (random_hex(random_, 16) + kSuffix);
}

Result<> Indexer::load_segments() {
    const auto folder = settings_.folder / "segments";
    std::error_code error;
    fs::create_directories(folder, error);
    std::vector<std::pair<fs::file_time_type, fs::path>> found;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        // Half-written ones end otherwise.
        if (entry.path().extension() == kSuffix)
            found.emplace_back(entry.last_write_time(error), entry.path());
        else
            fs::remove(entry.path(), error);
    }
    std::ranges::sort(found, std::greater<>());
    for (const auto& [time, path] : found) {
        auto segment = Segment::open(path);
        if (segment) {
            segments_.push_back(std::move(*segment));
        } else {
            spdlog::warn("the index: {}; it is made anew", segment.error().message);
            fs::remove(path, error);
        }
    }
    return cover_and_publish();
}

Result<> Indexer::write_batch(Batch& batch) {
    return store_.run([&batch, next = library_.last_document() + 1](store::Database& database) -> Result<> {
        for (const auto& document : batch.documents) {
            if (auto ok = put(database, document.row); !ok) return ok;
            for (const auto& chunk : document.chunks)
                if (auto ok = put(database, chunk); !ok) return ok;
        }
        for (const auto& [key, row] : batch.files) {
            auto ok = row ? put(database, *row) : retrieval::remove_file(database, key.first, key.second);
            if (!ok) return ok;
        }
        return set_number(database, kNextDocument, next);
    });
}

// False where the disk does not take it; then it is tried again.
bool Indexer::flush() {
    if (!batch_.files.empty() || !batch_.documents.empty()) {
        if (auto ok = write_batch(batch_); !ok) {
            say(ok.error().message);
            return false;
        }
        batch_ = {};
    }
    auto ok = write_segment();
    if (ok) ok = cover_and_publish();
    measure();
    if (!ok) say(ok.error().message);
    return ok.has_value();
}

Result<> Indexer::write_segment() {
    if (builder_.documents() == 0) return {};
    const auto file = segment_file();
    if (auto ok = builder_.write(file); !ok) return ok;
    auto segment = Segment::open(file);
    if (!segment) return fail(segment.error());
    segments_.insert(segments_.begin(), std::move(*segment));
    return {};
}

Result<> Indexer::cover_and_publish() {
    auto covered = library_.cover(segments_);
    if (!covered.missing.empty()) {
        if (auto ok = index_again(covered.missing); !ok) return ok;
        covered = library_.cover(segments_);
    }
    snapshot_ = std::move(covered.snapshot);
    published_ = true;
    publish_(snapshot_);
    return {};
}

// Documents whose words are in no segment as they are now: their segment was lost, or a file has another name.
Result<> Indexer::index_again(const std::vector<Library::Missing>& missing) {
    for (const auto& [id, name] : missing) {
        const auto* document = library_.document(id);
        std::vector<ChunkRow> rows;
        auto read = store_.run([&rows, id = id](store::Database& database) -> Result<> {
            auto of = chunks(database, id);
            if (!of) return fail(of.error());
            rows = std::move(*of);
            return {};
        });
        if (!read) return read;
        std::vector<ChunkText> texts;
        for (const auto& row : rows) texts.push_back({row.text, row.heading});
        const auto language = static_cast<Language>(
            std::clamp<std::int64_t>(document->row.language, 0, static_cast<std::int64_t>(kLanguages) - 1));
        builder_.add({id, document->mark(name), language, document->row.title, name, texts}, stemmer_);
        if (builder_.bytes() < kMostBuilderBytes) continue;
        if (auto ok = write_segment(); !ok) return ok;
    }
    return write_segment();
}

// Puts one segment in the place of some, without what counts no more.
Result<> Indexer::replace(const std::vector<std::shared_ptr<const Segment>>& old) {
    const auto place_of = [this](const std::shared_ptr<const Segment>& segment) {
        return static_cast<std::size_t>(std::ranges::find(snapshot_->segments, segment) - snapshot_->segments.begin());
    };
    std::vector<const std::vector<std::uint32_t>*> places;
    bool any = false;
    for (const auto& segment : old) {
        places.push_back(&snapshot_->places[place_of(segment)]);
        any = any || std::ranges::any_of(*places.back(), [](auto place) { return place != Snapshot::kNone; });
    }
    std::shared_ptr<const Segment> made;
    if (any) {
        const auto file = segment_file();
        auto ok = merge(old, [&](std::size_t s, std::size_t d) { return (*places[s])[d] != Snapshot::kNone; }, file);
        if (!ok) return ok;
        auto opened = Segment::open(file);
        if (!opened) return fail(opened.error());
        made = std::move(*opened);
    }
    std::vector<std::shared_ptr<const Segment>> next;
    if (made != nullptr) next.push_back(made);
    for (const auto& segment : segments_)
        if (std::ranges::find(old, segment) == old.end()) next.push_back(segment);
    segments_ = std::move(next);
    // A search that is under way keeps the file until it has ended.
    for (const auto& segment : old) segment->remove_when_unused();
    return cover_and_publish();
}

bool Indexer::merge_some() {
    if (segments_.size() <= kMostSegments) return false;
    auto smallest = segments_;
    std::ranges::sort(smallest, {}, [](const auto& segment) { return segment->chunks(); });
    std::size_t chunks = 0, count = 0;
    while (count < std::min(kMergedAtOnce, smallest.size()) && chunks + smallest[count]->chunks() < kMostSegmentChunks)
        chunks += smallest[count++]->chunks();
    if (count < 2) return false;
    smallest.resize(count);
    if (auto ok = replace(smallest); !ok) {
        say(ok.error().message);
        retry_at_ = std::chrono::steady_clock::now() + kRetryAfter;
    }
    return true;
}

bool Indexer::forget_due() const {
    if (!dead_since_) return false;
    // Nothing is gathered for somebody who waits for the end.
    if (hurried_ && looks_.empty() && todo_.empty()) return true;
    const auto delay = std::min<std::chrono::nanoseconds>(settings_.retrieval.forget_within / 4, kMostForgetDelay);
    return std::chrono::steady_clock::now() >= *dead_since_ + delay;
}

// Takes what no file has any more off the disk: rows are overwritten (secure_delete), segments are written anew without
// their words, and the database's log is emptied.
Result<> Indexer::forget() {
    if (!flush()) return fail(ErrorCode::storage, now_.trouble);
    const auto orphans = library_.orphans();
    auto removed = store_.run([&orphans](store::Database& database) -> Result<> {
        for (const auto id : orphans)
            if (auto ok = remove_document(database, id); !ok) return ok;
        return {};
    });
    if (!removed) return removed;
    for (const auto id : orphans) library_.erase(id);
    if (auto ok = cover_and_publish(); !ok) return ok;
    std::vector<std::shared_ptr<const Segment>> dead;
    for (std::size_t s = 0; s < snapshot_->segments.size(); ++s)
        if (std::ranges::find(snapshot_->places[s], Snapshot::kNone) != snapshot_->places[s].end())
            dead.push_back(snapshot_->segments[s]);
    if (!dead.empty())
        if (auto ok = replace(dead); !ok) return ok;
    auto database = store::Database::open_to_read(settings_.folder / "index.db");
    if (!database) return fail(database.error());
    if (auto ok = (*database)->execute("PRAGMA query_only = OFF;"); !ok) return ok;
    auto emptied = (*database)->prepare("PRAGMA wal_checkpoint(TRUNCATE)");
    const auto row = emptied.step();
    if (!row) return fail(row.error());
    if (emptied.integer(0) != 0) return fail(ErrorCode::unavailable, "somebody reads the index, so its log stays");
    dead_since_.reset();
    measure();
    return {};
}

void Indexer::measure() {
    // What is free in the database's file is taken again, so it does not count.
    std::int64_t pages = 0, page_bytes = 0;
    auto read = store_.run([&](store::Database& database) -> Result<> {
        for (const auto& [sql, sign] : {std::pair{"PRAGMA page_count", 1}, std::pair{"PRAGMA freelist_count", -1}}) {
            auto row = database.prepare(sql);
            if (auto ok = row.step(); !ok) return fail(ok.error());
            pages += sign * row.integer(0);
        }
        auto row = database.prepare("PRAGMA page_size");
        if (auto ok = row.step(); !ok) return fail(ok.error());
        page_bytes = row.integer(0);
        return {};
    });
    if (!read) return say(read.error().message);
    auto bytes = static_cast<std::uint64_t>(pages * page_bytes);
    for (const auto& segment : segments_) bytes += segment->bytes();
    now_.bytes = bytes;
    const bool full = bytes >= settings_.retrieval.max_bytes;
    if (full && !now_.full)
        spdlog::warn("the index has {} bytes, and retrieval.max_bytes is {}: new files are not taken", bytes,
                     settings_.retrieval.max_bytes);
    now_.full = full;
}

}  // namespace tandem::retrieval
