#include "retrieval/lexical/builder.h"

#include <algorithm>
#include <cstring>
#include <queue>

#include "retrieval/lexical/words.h"

namespace tandem::retrieval {

namespace {

constexpr std::size_t kTermBytes = 96;  // of memory for a term: its place, its key, its list
constexpr std::uint32_t kGone = 0xFFFFFFFF;

Posting posting(std::uint32_t chunk, std::uint32_t count) {
    return chunk << 8U | std::min(count, kMostCount);
}

}  // namespace

std::uint64_t mark_of(std::string_view hash) {
    std::uint64_t mark = 0;
    std::memcpy(&mark, hash.data(), std::min(hash.size(), sizeof mark));
    return mark;
}

void SegmentBuilder::count(std::string_view text, std::uint32_t weight, const DocumentText& document,
                           Stemmer& stemmer) {
    each_word(text, [&](const Word& word) {
        const auto term = stemmer.term(document.language, word.text, word.whole_only);
        auto found = terms_.find(term);
        if (found == terms_.end()) {
            found = terms_.emplace(std::string(term), static_cast<std::uint32_t>(postings_.size())).first;
            postings_.emplace_back();
            counts_.push_back(0);
            bytes_ += kTermBytes + term.size();
        }
        if (counts_[found->second] == 0) touched_.push_back(found->second);
        counts_[found->second] += weight;
        // A part of a word makes no text longer.
        if (!word.part) lengths_.back() += weight;
    });
}

void SegmentBuilder::end_chunk() {
    const auto chunk = static_cast<std::uint32_t>(lengths_.size() - 1);
    for (const auto term : touched_) {
        postings_[term].push_back(posting(chunk, counts_[term]));
        counts_[term] = 0;
    }
    bytes_ += touched_.size() * sizeof(Posting) + 16;
    touched_.clear();
    documents_.back().words += lengths_.back();
}

void SegmentBuilder::add(const DocumentText& document, Stemmer& stemmer) {
    documents_.push_back({document.id, document.mark, static_cast<std::uint32_t>(lengths_.size()), 0});
    const auto begin = [&] {
        lengths_.push_back(0);
        owners_.push_back(static_cast<std::uint32_t>(documents_.size() - 1));
    };
    begin();
    count(document.title, kTitleWeight, document, stemmer);
    count(document.name, kNameWeight, document, stemmer);
    end_chunk();
    for (const auto& chunk : document.chunks) {
        begin();
        count(chunk.text, 1, document, stemmer);
        count(chunk.heading, kHeadingWeight, document, stemmer);
        end_chunk();
    }
}

Result<> SegmentBuilder::write(const std::filesystem::path& file) {
    auto writer = SegmentWriter::create(file);
    if (!writer) return fail(writer.error());
    std::vector<std::pair<std::string_view, std::uint32_t>> sorted;
    sorted.reserve(terms_.size());
    for (const auto& [term, place] : terms_) sorted.emplace_back(term, place);
    std::ranges::sort(sorted);
    for (const auto& [term, place] : sorted) (*writer)->add_term(term, postings_[place]);
    if (auto ok = (*writer)->finish(documents_, lengths_, owners_); !ok) return ok;
    *this = {};
    return {};
}

Result<> merge(std::span<const std::shared_ptr<const Segment>> segments, const Keeps& keeps,
               const std::filesystem::path& file) {
    auto writer = SegmentWriter::create(file);
    if (!writer) return fail(writer.error());
    std::vector<SegmentDocument> documents;
    std::vector<std::uint32_t> lengths, owners;
    std::vector<std::vector<std::uint32_t>> place_of(segments.size());  // from an old chunk to the new one, or kGone
    for (std::size_t s = 0; s < segments.size(); ++s) {
        const auto& segment = *segments[s];
        place_of[s].assign(segment.chunks(), kGone);
        for (std::size_t d = 0; d < segment.documents().size(); ++d) {
            if (!keeps(s, d)) continue;
            auto document = segment.documents()[d];
            document.first_chunk = static_cast<std::uint32_t>(lengths.size());
            for (auto c = segment.first_chunk(d); c < segment.end_chunk(d); ++c) {
                place_of[s][c] = static_cast<std::uint32_t>(lengths.size());
                lengths.push_back(segment.lengths()[c]);
                owners.push_back(static_cast<std::uint32_t>(documents.size()));
            }
            documents.push_back(document);
        }
    }
    if (lengths.size() > kMostSegmentChunks) return fail(ErrorCode::too_large, "the segments are too large for one");
    // The smallest term of all segments, and of equal ones that of the first segment, so that postings rise.
    struct Next {
        std::string_view term;
        std::size_t segment, at;
        bool operator>(const Next& other) const {
            return term != other.term ? term > other.term : segment > other.segment;
        }
    };
    std::priority_queue<Next, std::vector<Next>, std::greater<>> heads;
    for (std::size_t s = 0; s < segments.size(); ++s)
        if (segments[s]->terms() > 0) heads.push({segments[s]->term(0), s, 0});
    std::vector<Posting> list;
    while (!heads.empty()) {
        const auto term = heads.top().term;
        list.clear();
        while (!heads.empty() && heads.top().term == term) {
            const auto next = heads.top();
            heads.pop();
            for (const auto one : segments[next.segment]->postings(next.at)) {
                const auto chunk = one >> 8U;
                if (chunk >= place_of[next.segment].size()) continue;
                const auto place = place_of[next.segment][chunk];
                if (place != kGone) list.push_back(posting(place, one & kMostCount));
            }
            if (next.at + 1 < segments[next.segment]->terms())
                heads.push({segments[next.segment]->term(next.at + 1), next.segment, next.at + 1});
        }
        if (!list.empty()) (*writer)->add_term(term, list);
    }
    return (*writer)->finish(documents, lengths, owners);
}

}  // namespace tandem::retrieval
