// How good the ranking is with other weights, and how long it takes: bench_retrieval DATA/index < questions
//
// A question is a line: what is asked, a tab, the path of the file that it was made from. For each set of weights the
// mean of nDCG@10 where that one file is right (1 / log2(rank + 1)), and for the weights in use the times of the
// ranking alone. bench/retrieval/run makes questions from sentences of the files themselves; no public collection is
// used.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>

#include "retrieval/index/library.h"
#include "retrieval/search/words.h"

using namespace tandem;
using namespace tandem::retrieval;

namespace {

struct Question {
    QueryWords words;
    std::string path;
};

std::shared_ptr<const Snapshot> open_snapshot(const std::filesystem::path& folder) {
    auto database = store::Database::open_to_read(folder / "index.db");
    if (!database) return nullptr;
    auto library = Library::load(**database);
    if (!library) return nullptr;
    std::vector<std::shared_ptr<const Segment>> segments;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "segments"))
        if (auto segment = Segment::open(entry.path()); segment) segments.push_back(std::move(*segment));
    return library->cover(std::move(segments)).snapshot;
}

std::vector<std::vector<Standing>> all_asked(const Snapshot& snapshot) {
    std::vector<std::vector<Standing>> standing;
    for (const auto& places : snapshot.places) {
        auto& of = standing.emplace_back();
        for (const auto place : places) of.push_back(place == Snapshot::kNone ? Standing::hidden : Standing::asked);
    }
    return standing;
}

double gain(const Snapshot& snapshot, const Ranking& ranking, const std::string& path) {
    for (std::size_t i = 0; i < std::min<std::size_t>(10, ranking.places.size()); ++i) {
        const auto& place = ranking.places[i];
        const auto& document = snapshot.documents[snapshot.places[place.segment][place.document]];
        for (auto f = document.first_file; f < document.end_file; ++f)
            if (snapshot.files[f].path == path) return 1 / std::log2(static_cast<double>(i) + 2);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const auto snapshot = argc == 2 ? open_snapshot(argv[1]) : nullptr;
    if (snapshot == nullptr) return 2;
    const std::array languages{Language::english};
    std::vector<Question> questions;
    for (std::string line; std::getline(std::cin, line);)
        if (const auto tab = line.find('\t'); tab != std::string::npos)
            questions.push_back({words_of(parse_query(line.substr(0, tab), 0), languages), line.substr(tab + 1)});
    const auto standing = all_asked(*snapshot);
    const auto mean = [&](const Weights& weights) {
        double sum = 0;
        for (const auto& question : questions)
            sum +=
                gain(*snapshot, rank(snapshot->segments, standing, question.words.asked, weights, 90), question.path);
        return sum / static_cast<double>(questions.size());
    };
    std::vector<double> times;
    for (const auto& question : questions) {
        const auto began = std::chrono::steady_clock::now();
        (void)rank(snapshot->segments, standing, question.words.asked, kWeights, 90);
        times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
    }
    std::ranges::sort(times);
    std::size_t chunks = 0;
    for (const auto& segment : snapshot->segments) chunks += segment->chunks() - segment->documents().size();
    fmt::print("{} questions, {} documents, {} chunks, {} segments; ranking alone: p50 {:.2f} ms, p99 {:.2f} ms\n",
               questions.size(), snapshot->documents.size(), chunks, snapshot->segments.size(), times[times.size() / 2],
               times[times.size() * 99 / 100]);
    for (const float k1 : {0.9F, 1.2F, 1.6F})
        for (const float b : {0.4F, 0.6F, 0.75F})
            for (const float share : {0.0F, 0.25F, 0.5F, 1.0F, 2.0F})
                fmt::print("k1 {:.1f}  b {:.2f}  chunk share {:.2f}: nDCG@10 {:.4f}\n", k1, b, share,
                           mean({k1, b, share}));
}
