// Indexing and search without a server: what bench/retrieval/run measures.
//
//   bench_retrieval index DATA FOLDER        indexes the folder into a new data folder, and prints how long that took
//   bench_retrieval search DATA < questions  asks, as the server does, and prints times and nDCG@10
//   bench_retrieval weights DATA < questions the same by the ranking alone, for many sets of weights
//
// A question is a line: what is asked, a tab, the path of the file that it was made from, which alone is right. They
// are sentences of the files themselves; no public collection is used.
#include "retrieval/retrieval.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <iostream>

#include "privacy/detect.h"
#include "retrieval/extract/child.h"
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

std::vector<std::pair<std::string, std::string>> read_questions() {
    std::vector<std::pair<std::string, std::string>> questions;
    for (std::string line; std::getline(std::cin, line);)
        if (const auto tab = line.find('\t'); tab != std::string::npos)
            questions.emplace_back(line.substr(0, tab), line.substr(tab + 1));
    return questions;
}

double milliseconds_since(std::chrono::steady_clock::time_point began) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
}

// Of this thread on a processor: what other programs take meanwhile is not in it.
double processor_ms() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1'000 + static_cast<double>(time.tv_nsec) / 1e6;
}

void print_times(const char* what, std::vector<double> times) {
    if (times.empty()) return;
    std::ranges::sort(times);
    fmt::print("{}: p50 {:.2f} ms, p99 {:.2f} ms of {} questions\n", what, times[times.size() / 2],
               times[times.size() * 99 / 100], times.size());
}

std::unique_ptr<Retrieval> open_index(const std::filesystem::path& data, Random& random, Retrieval::Use use) {
    config::Config config;
    config.data = std::filesystem::absolute(data);
    config.retrieval.quiet = milliseconds(0);
    auto detector = privacy::make_detector();
    if (!detector) return nullptr;
    auto opened =
        Retrieval::open(config, std::move(*detector), std::filesystem::read_symlink("/proc/self/exe"), random, use);
    if (!opened) fmt::print(stderr, "{}\n", opened.error().message);
    return opened ? std::move(*opened) : nullptr;
}

std::string memory_line() {
    std::ifstream status("/proc/self/status");
    std::string all;
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM") || line.starts_with("RssAnon")) all += line + "  ";
    return all;
}

int index_folder(const std::filesystem::path& data, const std::filesystem::path& folder) {
    std::filesystem::create_directories(data);
    const auto random = system_random();
    const auto index = open_index(data, *random, Retrieval::Use::keep);
    if (index == nullptr) return 1;
    const auto began = std::chrono::steady_clock::now();
    config::Collection collection;
    collection.name = "bench";
    collection.folder = std::filesystem::absolute(folder);
    collection.label = Label::public_;
    if (auto ok = index->add(collection); !ok) return 1;
    index->start();
    index->wait([] { return false; });
    fmt::print("indexed in {:.1f} s\n{}\n{}\n", milliseconds_since(began) / 1000,
               *index->status(View::of(access::Principal::admin())), memory_line());
    return 0;
}

int ask(const std::filesystem::path& data) {
    const auto random = system_random();
    const auto index = open_index(data, *random, Retrieval::Use::read);
    if (index == nullptr) return 1;
    const auto questions = read_questions();
    const auto view = View::of(access::Principal::admin());
    std::vector<double> times, own;
    double sum = 0;
    for (int round = 0; round < 2; ++round) {  // the first warms the caches of the system
        times.clear();
        own.clear();
        sum = 0;
        for (const auto& [question, path] : questions) {
            const auto began = std::chrono::steady_clock::now();
            const auto worked = processor_ms();
            const auto found = index->search(view, {question, {}, 10, false});
            times.push_back(milliseconds_since(began));
            own.push_back(processor_ms() - worked);
            json::Document document;
            if (!found || !document.parse(*found)) return 1;
            std::size_t rank = 0;
            for (const json::Value hit : document.root()["hits"].children()) {
                ++rank;
                bool right = hit["path"].text().ends_with("/" + path);
                for (const json::Value also : hit["also"].children()) right |= also.text().ends_with("/" + path);
                if (right) {
                    sum += 1 / std::log2(static_cast<double>(rank) + 1);
                    break;
                }
            }
        }
    }
    print_times("search, with files looked at and snippets", times);
    print_times("the same, on the processor", own);
    fmt::print("nDCG@10 {:.4f}\n{}\n", sum / static_cast<double>(questions.size()), memory_line());
    return 0;
}

int try_weights(const std::filesystem::path& data) {
    const auto snapshot = open_snapshot(data / "index");
    if (snapshot == nullptr) return 1;
    const std::array languages{Language::english};
    std::vector<Question> questions;
    for (const auto& [question, path] : read_questions())
        questions.push_back({words_of(parse_query(question, 0), languages), path});
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
        const auto worked = processor_ms();
        (void)rank(snapshot->segments, standing, question.words.asked, kWeights, 90);
        times.push_back(processor_ms() - worked);
    }
    std::size_t chunks = 0;
    for (const auto& segment : snapshot->segments) chunks += segment->chunks() - segment->documents().size();
    fmt::print("{} documents, {} chunks, {} segments\n", snapshot->documents.size(), chunks, snapshot->segments.size());
    print_times("ranking alone, on the processor", times);
    for (const float k1 : {0.9F, 1.2F, 1.6F})
        for (const float b : {0.4F, 0.6F, 0.75F})
            for (const float share : {0.0F, 0.25F, 0.5F, 1.0F, 2.0F})
                fmt::print("k1 {:.1f}  b {:.2f}  chunk share {:.2f}: nDCG@10 {:.4f}\n", k1, b, share,
                           mean({k1, b, share}));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    if (argc == 3 && what == kChildArgument) return read_files(std::atoi(argv[2]));
    if (argc == 4 && what == "index") return index_folder(argv[2], argv[3]);
    if (argc == 3 && what == "search") return ask(argv[2]);
    if (argc == 3 && what == "weights") return try_weights(argv[2]);
    fmt::print(stderr, "bench_retrieval index DATA FOLDER | search DATA | weights DATA\n");
    return 2;
}
