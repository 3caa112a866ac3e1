// What a search sees: the files, documents and segments of one moment. Immutable, so that a search needs no lock.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/retrieval.h"
#include "retrieval/extract/formats.h"
#include "retrieval/lexical/segment.h"
#include "retrieval/lexical/stem.h"
#include "retrieval/watch/walk.h"

namespace tandem::retrieval {

struct Snapshot {
    static constexpr std::uint32_t kNone = 0xFFFFFFFF;
    struct Collection {
        std::int64_t id;
        config::Collection is;
    };
    struct File {
        std::uint32_t collection;  // a place in collections
        std::string path;          // below the collection's folder
        FileState state;
    };
    struct Document {
        std::int64_t id;
        std::uint32_t first_file, end_file;  // in files
        const Format* format;
        Language language;
        std::string title;
    };
    std::vector<Collection> collections;
    std::vector<File> files;
    std::vector<Document> documents;
    std::vector<std::shared_ptr<const Segment>> segments;
    // For each document of each segment: a place in documents, or kNone where it is there no more, or stands in a newer
    // segment.
    std::vector<std::vector<std::uint32_t>> places;
};

}  // namespace tandem::retrieval
