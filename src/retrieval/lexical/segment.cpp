#include "retrieval/lexical/segment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/descriptor.h"

namespace tandem::retrieval {

namespace {

constexpr char kMagic[8] = {'T', 'D', 'S', 'E', 'G', '0', '0', '1'};
constexpr std::size_t kBuffer = 1UL << 20;

// At the beginning of the file. Places are bytes from the beginning, multiples of eight.
struct Header {
    char magic[8];
    std::uint64_t size;
    std::uint64_t documents, chunks, terms, postings, term_bytes;
    std::uint64_t documents_at, lengths_at, owners_at, term_places_at, posting_places_at, text_at, postings_at;
};

std::uint64_t rounded(std::uint64_t place) {
    return (place + 7) & ~std::uint64_t{7};
}

Error broken(const std::filesystem::path& file) {
    return {ErrorCode::invalid, fmt::format("{} is no segment of the index", file.string())};
}

bool rises(std::span<const std::uint64_t> places, std::uint64_t last) {
    return !places.empty() && places.front() == 0 && places.back() == last && std::ranges::is_sorted(places);
}

}  // namespace

Result<std::shared_ptr<const Segment>> Segment::open(const std::filesystem::path& file) {
    const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info{};
    if (fd.get() < 0 || fstat(fd.get(), &info) != 0)
        return fail(ErrorCode::storage, fmt::format("cannot open {}: {}", file.string(), std::strerror(errno)));
    if (static_cast<std::size_t>(info.st_size) < sizeof(Header)) return fail(broken(file));
    std::shared_ptr<Segment> made(new Segment);
    made->file_ = file;
    made->size_ = static_cast<std::size_t>(info.st_size);
    made->map_ = mmap(nullptr, made->size_, PROT_READ, MAP_SHARED, fd.get(), 0);
    if (made->map_ == MAP_FAILED) {
        made->map_ = nullptr;
        return fail(ErrorCode::storage, fmt::format("cannot map {}: {}", file.string(), std::strerror(errno)));
    }
    if (auto ok = made->read_tables(); !ok) return fail(ok.error());
    return std::shared_ptr<const Segment>(std::move(made));
}

Segment::~Segment() {
    if (map_ != nullptr) munmap(map_, size_);
    if (remove_) unlink(file_.c_str());
}

Result<> Segment::read_tables() {
    const auto* base = static_cast<const char*>(map_);
    Header h{};
    std::memcpy(&h, base, sizeof h);
    if (std::memcmp(h.magic, kMagic, sizeof kMagic) != 0 || h.size != size_) return fail(broken(file_));
    bool good = h.chunks <= kMostSegmentChunks;
    const auto table = [&]<typename T>(std::uint64_t at, std::uint64_t count, std::span<const T>& to) {
        if (at % 8 != 0 || at > size_ || count > (size_ - at) / sizeof(T)) {
            good = false;
            return;
        }
        to = {reinterpret_cast<const T*>(base + at), static_cast<std::size_t>(count)};
    };
    std::span<const char> text;
    table(h.documents_at, h.documents, documents_);
    table(h.lengths_at, h.chunks, lengths_);
    table(h.owners_at, h.chunks, owners_);
    table(h.term_places_at, h.terms + 1, term_places_);
    table(h.posting_places_at, h.terms + 1, posting_places_);
    table(h.text_at, h.term_bytes, text);
    table(h.postings_at, h.postings, postings_);
    if (!good || h.terms >= size_) return fail(broken(file_));
    term_text_ = {text.data(), text.size()};
    term_count_ = static_cast<std::size_t>(h.terms);
    std::uint32_t before = 0;
    for (const auto& document : documents_) {
        good = good && document.first_chunk >= before && document.first_chunk <= h.chunks;
        before = document.first_chunk;
    }
    for (const auto owner : owners_) good = good && owner < documents_.size();
    if (!good || !rises(term_places_, h.term_bytes) || !rises(posting_places_, h.postings)) return fail(broken(file_));
    return {};
}

std::string_view Segment::term(std::size_t at) const {
    return term_text_.substr(term_places_[at], term_places_[at + 1] - term_places_[at]);
}

std::span<const Posting> Segment::postings(std::size_t at) const {
    return postings_.subspan(posting_places_[at], posting_places_[at + 1] - posting_places_[at]);
}

std::span<const Posting> Segment::find(std::string_view wanted) const {
    std::size_t low = 0, high = term_count_;
    while (low < high) {
        const auto middle = (low + high) / 2;
        if (term(middle) < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == term_count_ || term(low) != wanted) return {};
    return postings(low);
}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(const std::filesystem::path& file) {
    std::unique_ptr<SegmentWriter> made(new SegmentWriter);
    made->file_ = file;
    made->beside_ = file.string() + ".new";
    made->fd_ = ::open(made->beside_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (made->fd_ < 0)
        return fail(ErrorCode::storage, fmt::format("cannot write {}: {}", file.string(), std::strerror(errno)));
    const Header nothing{};
    made->put(&nothing, sizeof nothing);
    return made;
}

SegmentWriter::~SegmentWriter() {
    if (fd_ < 0) return;
    close(fd_);
    unlink(beside_.c_str());
}

void SegmentWriter::put(const void* bytes, std::size_t size) {
    buffer_.append(static_cast<const char*>(bytes), size);
    written_ += size;
    if (buffer_.size() < kBuffer) return;
    failed_ = failed_ || !write_all(fd_, buffer_);
    buffer_.clear();
}

void SegmentWriter::add_term(std::string_view term, std::span<const Posting> postings) {
    put(postings.data(), postings.size_bytes());
    term_text_ += term;
    term_places_.push_back(term_text_.size());
    posting_places_.push_back(posting_places_.back() + postings.size());
}

Result<> SegmentWriter::finish(std::span<const SegmentDocument> documents, std::span<const std::uint32_t> lengths,
                               std::span<const std::uint32_t> owners) {
    Header h{};
    std::memcpy(h.magic, kMagic, sizeof kMagic);
    h.documents = documents.size();
    h.chunks = lengths.size();
    h.terms = term_places_.size() - 1;
    h.postings = posting_places_.back();
    h.term_bytes = term_text_.size();
    h.postings_at = sizeof(Header);
    const auto table = [this](std::uint64_t& at, const void* bytes, std::size_t size) {
        constexpr char kZeros[8] = {};
        put(kZeros, rounded(written_) - written_);
        at = written_;
        put(bytes, size);
    };
    table(h.documents_at, documents.data(), documents.size_bytes());
    table(h.lengths_at, lengths.data(), lengths.size_bytes());
    table(h.owners_at, owners.data(), owners.size_bytes());
    table(h.term_places_at, term_places_.data(), term_places_.size() * sizeof(std::uint64_t));
    table(h.posting_places_at, posting_places_.data(), posting_places_.size() * sizeof(std::uint64_t));
    table(h.text_at, term_text_.data(), term_text_.size());
    h.size = written_;
    const bool whole = !failed_ && write_all(fd_, buffer_) &&
                       pwrite(fd_, &h, sizeof h, 0) == static_cast<ssize_t>(sizeof h) && fdatasync(fd_) == 0 &&
                       rename(beside_.c_str(), file_.c_str()) == 0;
    const int why = errno;
    close(fd_);
    if (!whole) unlink(beside_.c_str());
    fd_ = -1;
    if (!whole) return fail(ErrorCode::storage, fmt::format("cannot write {}: {}", file_.string(), std::strerror(why)));
    return {};
}

}  // namespace tandem::retrieval
