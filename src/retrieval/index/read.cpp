// The indexer's reading of files: from bytes to chunks with their labels.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/hash.h"
#include "engine/sandbox/start.h"
#include "retrieval/chunk/chunk.h"
#include "retrieval/index/indexer.h"

namespace tandem::retrieval {

namespace {

constexpr std::size_t kMostBatchBytes = 16UL << 20;  // of text, or of postings
constexpr std::chrono::seconds kMostBatchTime{3};
constexpr int kRelabelTexts = 200;
constexpr std::size_t kLongestTitle = 300;

std::string hash_of(std::string_view bytes) {
    const auto digest = sha256(bytes);
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::int64_t unix_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string cut_title(std::string title) {
    if (title.size() <= kLongestTitle) return title;
    auto end = kLongestTitle;
    while (end > 0 && (static_cast<unsigned char>(title[end]) & 0xC0U) == 0x80U) --end;
    title.resize(end);
    return title;
}

std::vector<ChunkText> texts_of(const std::vector<ChunkRow>& chunks) {
    std::vector<ChunkText> texts;
    for (const auto& chunk : chunks) texts.push_back({chunk.text, chunk.heading});
    return texts;
}

}  // namespace

bool Indexer::read_next() {
    const auto now = std::chrono::steady_clock::now();
    const bool full = batch_.bytes >= kMostBatchBytes || builder_.bytes() >= kMostBatchBytes;
    const bool due = !batch_.files.empty() && now >= flush_at_;
    if (full || due) {
        if (!flush()) retry_at_ = now + kRetryAfter;
        return true;
    }
    if (todo_.empty()) {
        now_.bytes_per_second = 0;
        read_bytes_ = 0;
        return false;
    }
    if (batch_.files.empty()) flush_at_ = now + kMostBatchTime;
    if (read_bytes_ == 0) speed_since_ = now;
    const auto [collection, path] = todo_.front();
    todo_.pop_front();
    if (const auto waited = waiting_.extract({collection, path}); !waited.empty()) {
        auto& state = progress(collection);
        --state.waiting;
        state.waiting_bytes -= waited.mapped();
        read_bytes_ += static_cast<std::uint64_t>(std::max<std::int64_t>(waited.mapped(), 1));
    }
    read_file(collection, path);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - speed_since_;
    if (took.count() > 0.5) now_.bytes_per_second = static_cast<double>(read_bytes_) / took.count();
    return true;
}

void Indexer::read_file(std::int64_t collection, const std::string& path) {
    const auto walk = walks_.find(collection);
    if (walk == walks_.end() || library_.collection(collection) == nullptr) return;
    FileRow row{.collection = collection, .path = path, .checked = unix_ns()};
    const auto place = [&row](const FileState& state) {
        row.size = state.size;
        row.changed = state.changed;
        row.modified = state.modified;
        row.inode = state.inode;
    };
    if (is_other(path)) {
        const auto state = walk->second.state_of(path);
        if (!state) return remove_file(collection, path);
        place(*state);
        row.reason = kOtherFormat;
        return put_file(std::move(row));
    }
    FileState state;
    auto bytes = walk->second.read(path, settings_.retrieval.max_file_bytes, state);
    place(state);
    if (!bytes) {
        if (bytes.error().code == ErrorCode::not_found) return remove_file(collection, path);
        if (bytes.error().code == ErrorCode::unavailable)
            return schedule(collection, path.substr(0, path.rfind('/') == std::string::npos ? 0 : path.rfind('/')),
                            false, std::chrono::steady_clock::now() + settings_.retrieval.quiet + milliseconds(10));
        row.reason = bytes.error().message;
        return put_file(std::move(row));
    }
    const auto* document = document_of(path, *bytes, row.reason);
    if (document == nullptr && row.reason.empty()) {
        // Ours to mend, and no fault of the file: it is tried again.
        todo_.emplace_back(collection, path);
        waiting_[{collection, path}] = row.size;
        auto& state_of = progress(collection);
        ++state_of.waiting;
        state_of.waiting_bytes += row.size;
        retry_at_ = std::chrono::steady_clock::now() + kRetryAfter;
        return;
    }
    row.document = document != nullptr ? document->row.id : 0;
    put_file(std::move(row));
}

// The document of a content: the one that is there already, or a new one. Null with a reason, where the index takes no
// more; null without, where the reader does not start.
Document* Indexer::document_of(const std::string& path, const std::string& bytes, std::string& reason) {
    const auto* format = format_of(path);
    auto hash = hash_of(bytes);
    if (auto* known = library_.find(hash, *format); known != nullptr) return known;
    if (now_.full) {
        reason = "the index is full (retrieval.max_bytes)";
        return nullptr;
    }
    DocumentRow row{.id = library_.next_document(),
                    .hash = std::move(hash),
                    .format = std::string(format->name),
                    .version = format->version,
                    .bytes = static_cast<std::int64_t>(bytes.size())};
    auto extracted = extractor_.read(*format, name_in(path), bytes, row.reason);
    if (stopping_) return nullptr;
    if (!extracted) {
        say(fmt::format("files cannot be read: {}", extracted.error().message));
        return nullptr;
    }
    now_.held = engine::sandbox::words(extractor_.held());
    say("");
    return add_document(std::move(row), std::move(*extracted), std::string(name_in(path)));
}

Document* Indexer::add_document(DocumentRow row, Extracted extracted, const std::string& name) {
    NewDocument made;
    std::vector<Chunk> chunks;
    if (row.reason.empty()) {
        chunks = chunks_of(extracted);
        row.title = cut_title(std::move(extracted.title));
        if (chunks.empty()) row.reason = "nothing in the file is text";
    }
    const auto labels = labels_of(detectors_, chunks);
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        auto& chunk = chunks[i];
        batch_.bytes += chunk.text.size();
        ChunkRow one{.document = row.id, .ordinal = static_cast<std::int64_t>(i + 1)};
        one.hash = hash_of(chunk.text);
        one.text = std::move(chunk.text);
        one.label = labels[i];
        one.detection = detectors_.settings;
        one.heading = std::move(chunk.heading);
        one.first_line = chunk.first_line;
        one.last_line = chunk.last_line;
        one.page = chunk.page;
        one.begin = static_cast<std::int64_t>(chunk.begin);
        one.end = static_cast<std::int64_t>(chunk.end);
        made.chunks.push_back(std::move(one));
    }
    if (!made.chunks.empty()) {
        std::string sample = row.title;
        for (std::size_t i = 0; i < made.chunks.size() && sample.size() < 8'192; ++i)
            (sample += '\n') += made.chunks[i].text;
        row.language = static_cast<std::int64_t>(language_of(sample));
    }
    auto& document = library_.add(row);
    if (row.reason.empty()) {
        const auto texts = texts_of(made.chunks);
        builder_.add({row.id, document.mark(name), static_cast<Language>(row.language), row.title, name, texts},
                     stemmer_);
    }
    made.row = std::move(row);
    batch_.documents.push_back(std::move(made));
    return &document;
}

void Indexer::put_file(FileRow row) {
    const auto& files = library_.files(row.collection);
    auto& state = progress(row.collection);
    const auto kind = [&](const FileRow& of) -> std::int64_t& {
        const auto* document = library_.document(of.document);
        const auto& reason = document != nullptr ? document->row.reason : of.reason;
        return reason.empty() ? state.files : reason == kOtherFormat ? state.other : state.failed;
    };
    if (const auto known = files.find(row.path); known != files.end()) {
        --kind(known->second);
        const bool changes = known->second.document != row.document && known->second.document != 0;
        if (changes && !dead_since_) dead_since_ = std::chrono::steady_clock::now();
    }
    ++kind(row);
    library_.put(row);
    batch_.files[{row.collection, row.path}] = std::move(row);
    published_ = false;
}

// Some of what other detectors have labelled is looked at anew.
void Indexer::relabel_some() {
    std::vector<std::int64_t> outdated;
    std::vector<std::vector<ChunkRow>> rows;
    auto read = store_.run([&](store::Database& database) -> Result<> {
        auto list = outdated_documents(database, detectors_.settings, kRelabelTexts);
        if (!list) return fail(list.error());
        outdated = std::move(*list);
        for (const auto id : outdated) {
            auto of = chunks(database, id);
            if (!of) return fail(of.error());
            rows.push_back(std::move(*of));
        }
        return {};
    });
    if (!read) {
        say(read.error().message);
        relabelled_ = true;
        return;
    }
    relabelled_ = outdated.empty();
    for (auto& of : rows) {
        std::vector<Chunk> plain;
        for (const auto& row : of) plain.push_back({.text = row.text, .heading = row.heading});
        const auto labels = labels_of(detectors_, plain);
        for (std::size_t i = 0; i < of.size(); ++i) {
            of[i].label = labels[i];
            of[i].detection = detectors_.settings;
        }
    }
    auto written = store_.run([&](store::Database& database) -> Result<> {
        for (const auto& of : rows)
            for (const auto& row : of)
                if (auto ok = set_label(database, row); !ok) return ok;
        return {};
    });
    if (!written) say(written.error().message);
}

}  // namespace tandem::retrieval
