// tandem search: what the files of collections say about something.
#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/index_here.h"

namespace tandem::cli {

namespace {

struct Asked {
    std::vector<std::string> words;
    std::vector<std::string> collections;
    std::size_t limit = 10;
    bool explain = false;
};

std::string place_of(const json::Value& hit) {
    if (const auto page = hit["page"].integer()) return fmt::format(", page {}", *page);
    const auto line = hit["start_line"].integer();
    return line ? fmt::format(":{}", *line) : std::string();
}

void print_hits(const json::Value& root, bool explain) {
    for (const json::Value hit : root["hits"].children()) {
        fmt::print("{}{}  ({}, {})\n", printable(hit["path"].text(), 1'000), place_of(hit), hit["collection"].text(),
                   hit["label"].text());
        if (explain)
            fmt::print("  score {}: {} of the file, and half of {} of the piece\n", hit["score"].raw(),
                       hit["document_score"].raw(), hit["chunk_score"].raw());
        if (const auto heading = hit["heading"].text(); !heading.empty()) fmt::print("  {}\n", printable(heading, 200));
        fmt::print("  {}\n", printable(hit["snippet"].text(), 400));
        if (hit["changed"].boolean() == true) fmt::print("  the file has changed since it was read\n");
        for (const json::Value also : hit["also"].children()) fmt::print("  also {}\n", printable(also.text(), 1'000));
    }
    if (root["hits"].size() == 0) fmt::print("nothing was found\n");
}

void print_explained(const json::Value& explained) {
    fmt::print("\n{} documents with {} chunks were asked, {} of them have a word of the query\n",
               explained["documents"].raw(), explained["chunks"].raw(), explained["matched"].raw());
    for (const json::Value word : explained["words"].children()) {
        if (word["dropped"].boolean() == true) {
            fmt::print("  {}: left out, it says nothing\n", printable(word["word"].text(), 60));
            continue;
        }
        std::vector<std::string> terms;
        for (const json::Value term : word["terms"].children()) terms.emplace_back(printable(term.text(), 60));
        if (word["excluded"].boolean() == true)
            fmt::print("  -{} ({})\n", printable(word["word"].text(), 60), join(terms, ", "));
        else
            fmt::print("  {} ({}): in {} documents and {} chunks, idf {} and {}, weight {}\n",
                       printable(word["word"].text(), 60), join(terms, ", "), word["documents"].raw(),
                       word["chunks"].raw(), word["document_idf"].raw(), word["chunk_idf"].raw(), word["weight"].raw());
    }
    const auto left = explained["left_out"];
    fmt::print(
        "left out: {} by path, {} by type, {} by time; of the ranked {} without the phrase, {} gone, {} with the "
        "same text\n",
        left["by_path"].raw(), left["by_type"].raw(), left["by_time"].raw(), left["without_phrase"].raw(),
        left["gone"].raw(), left["same_text"].raw());
}

int run(const Globals& globals, const Asked& asked) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    retrieval::SearchRequest request{join(asked.words, " "), asked.collections, asked.limit, asked.explain};
    auto path = fmt::format("/tandem/v1/search?q={}&limit={}", percent_encoded(request.query), request.limit);
    for (const auto& one : asked.collections) path += "&collection=" + percent_encoded(one);
    if (asked.explain) path += "&explain=1";
    const auto answer =
        ask_index(*config, "GET", path, "", retrieval::Retrieval::Use::read, [&request](retrieval::Retrieval& index) {
            return index.search(retrieval::View::of(access::Principal::admin()), request);
        });
    if (!answer) return report(globals, answer.error());
    json::Document document;
    if (auto ok = document.parse(*answer); !ok) return report(globals, ok.error());
    const auto root = document.root();
    if (globals.json) {
        for (const json::Value hit : root["hits"].children()) fmt::print("{}\n", hit.raw());
        if (asked.explain) fmt::print("{{\"explain\":{}}}\n", root["explain"].raw());
    } else {
        print_hits(root, asked.explain);
        if (asked.explain) print_explained(root["explain"]);
    }
    for (const json::Value note : root["notes"].children())
        fmt::print(stderr, "tandem: {}\n", printable(note.text(), 400));
    return kOk;
}

}  // namespace

void add_search(CLI::App& app, Globals& globals, Action& action) {
    auto asked = std::make_shared<Asked>();
    auto* command = app.add_subcommand(
        "search",
        "Search the files of collections: words, \"phrases\", -not, path: type: after: collection:. With --json a line "
        "for each hit");
    command->add_option("query", asked->words, "What is looked for; put -- before it where it begins with a dash")
        ->required();
    command->add_option("--collection", asked->collections, "Only in these; all that you may see")
        ->allow_extra_args(false);
    command->add_option("--limit", asked->limit, "How many files at most")
        ->check(CLI::Range(std::size_t{1}, retrieval::kMostHits))
        ->capture_default_str();
    command->add_flag("--explain", asked->explain, "Also which words counted how much, and what was left out");
    command->callback([&, asked] { action = [&globals, asked] { return run(globals, *asked); }; });
}

}  // namespace tandem::cli
