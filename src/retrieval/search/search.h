// A search: from a query to hits that are shown, each of them seen by the one who asks, and there on the disk.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/label.h"
#include "base/result.h"
#include "retrieval/index/labels.h"
#include "retrieval/index/snapshot.h"
#include "retrieval/index/tables.h"
#include "retrieval/lexical/score.h"
#include "retrieval/search/query.h"
#include "retrieval/view.h"

namespace tandem::retrieval {

// Found on files of this machine by questions made of their own sentences (docs/measurements.md); no public collection
// of test questions was looked at.
inline constexpr Weights kWeights{};

struct Hit {
    std::string path;  // absolute
    std::string collection;
    Label label = Label::public_;
    Label collections_label = Label::public_;  // of that, what its collections say
    float score = 0, document_score = 0, chunk_score = 0;
    std::int64_t first_line = 0, last_line = 0, page = 0;  // 0: the format has none
    std::string title, heading, snippet, text;
    bool changed = false;           // the file is not as it was when it was read
    std::vector<std::string> also;  // other files with the same content, or the same words in this place
};

// What became of a word of the query.
struct WordExplained {
    std::string word = {};
    std::vector<std::string> terms = {};
    bool dropped = false;  // too frequent in any text to say anything
    bool excluded = false;
    WordCount count = {};
    float weight = 1;
};

struct Explained {
    std::vector<WordExplained> words;
    std::uint64_t documents = 0, chunks = 0;  // that the asker may see, in the collections asked
    std::uint64_t left_out_by_path = 0, left_out_by_type = 0, left_out_by_time = 0;
    std::uint64_t matched = 0;                             // documents
    std::uint64_t without_phrase = 0, gone = 0, same = 0;  // of those that were looked at
};

struct Found {
    std::vector<Hit> hits;
    std::vector<std::string> notes;
    Explained explained;
};

struct SearchInput {
    std::shared_ptr<const Snapshot> snapshot;              // never null
    const std::vector<Snapshot::Collection>& collections;  // as they are now, which the snapshot need not know
    const Detectors& detectors;
    store::Database& database;
};

inline constexpr std::size_t kMostHits = 1'000;

// The best chunk of each file first; files of equal rank by their path. `of_each`: hits of one file at most.
// Errors: storage.
Result<Found> search(const SearchInput& input, const View& view, const Query& query, std::size_t limit,
                     std::size_t of_each = 1);

}  // namespace tandem::retrieval
