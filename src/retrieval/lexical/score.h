// Ranks documents by the words of a question: BM25 of the whole document and of its best chunk, exactly, with the
// numbers of what the asker may see and of nothing else.
//
// Of a word that n of N units (documents, or chunks) have: idf = ln(1 + (N - n + 0.5) / (n + 0.5)); of a unit that has
// it f times and is l long where the mean is m: idf * f * (k1 + 1) / (f + k1 * (1 - b + b * l / m)). A document's score
// is its own, and kChunkShare times that of its best chunk. (Robertson and Zaragoza 2009, 3.3; the idf is Lucene's,
// which is never negative.)
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "retrieval/lexical/segment.h"

namespace tandem::retrieval {

struct Weights {
    float k1 = 0.9F, b = 0.75F;
    float chunk_share = 0.5F;
};

// What a document of a segment is to a search.
enum class Standing : std::uint8_t {
    hidden,   // deleted, or not to be seen: it is not counted
    counted,  // it may be seen, and a filter leaves it out
    asked,
};

// One word of the question: the terms that it may be in the languages of the index, which count as one.
struct AskedWord {
    std::vector<std::string> terms;
    float weight = 1;
    bool needed = false;    // a chunk without it is no hit (words of a phrase)
    bool excluded = false;  // a document with it is no hit
};

struct Place {
    std::uint32_t segment, document, chunk;  // of the segment
    float score, document_score, chunk_score;
};

// What is known of each word after a search, for `--explain`.
struct WordCount {
    std::uint64_t documents = 0, chunks = 0;
    float document_idf = 0, chunk_idf = 0;
};

struct Ranking {
    std::vector<Place> places;  // the best first; of each document its best chunks
    std::vector<WordCount> words;
    std::uint64_t documents = 0, chunks = 0;  // that were counted
    std::uint64_t matched = 0;                // documents with a word of the question, and not left out
};

// `standing[s]` has one for each document of segments[s]. `most` bounds the places, and `of_each` those of one
// document. Ties are for the caller: places of equal score come in the order of the segments.
Ranking rank(std::span<const std::shared_ptr<const Segment>> segments, std::span<const std::vector<Standing>> standing,
             std::span<const AskedWord> words, const Weights& weights, std::size_t most, std::size_t of_each = 1);

}  // namespace tandem::retrieval
