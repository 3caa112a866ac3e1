// Prints the clues of texts for bench/work/train.py: texts stand on standard input, each with its size in bytes on a
// line of its own before it. The first line is the names of the columns; then a line of numbers for each text. With
// --time it prints, for each text as a user's message, its size, the least microseconds of one work_of, and what that
// tells.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "routing/work.h"
#include "routing/work_clues.h"
#include "routing/work_lexicon.h"

using namespace tandem;
using namespace tandem::routing;

namespace {

std::optional<std::string> next_text() {
    std::size_t size = 0;
    if (!(std::cin >> size)) return std::nullopt;
    std::cin.ignore();
    std::string text(size, '\0');
    std::cin.read(text.data(), static_cast<std::streamsize>(size));
    return text;
}

void print_names() {
    for (const auto& one : concepts()) std::cout << one.name << ' ';
    for (const auto& one : concepts())
        if (one.role != Concept::Role::word) std::cout << "lead:" << one.name << ' ';
    for (std::size_t i = 0; i < kSigns; ++i) std::cout << "sign:" << sign_name(i) << ' ';
    for (const auto& name : pair_names()) std::cout << name << ' ';
    std::cout << '\n';
}

void print_clues(const Clues& clues) {
    for (const auto value : clues.concepts) std::cout << value << ' ';
    for (std::size_t i = 0; i < concepts().size(); ++i)
        if (concepts()[i].role != Concept::Role::word) std::cout << clues.leads[i] << ' ';
    for (const auto value : clues.signs) std::cout << value << ' ';
    for (const auto value : clues.pairs) std::cout << value << ' ';
    std::cout << '\n';
}

void print_time(const std::string& text) {
    chat::Request request;
    request.messages.emplace_back().parts.push_back({chat::TextPart{text}, {}});
    request.messages.back().role = chat::Role::user;
    auto work = work_of(request);
    constexpr int kBatches = 50, kTimes = 10;
    double least = 1e9;  // of a batch: the others were interrupted
    for (int batch = 0; batch < kBatches; ++batch) {
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < kTimes; ++i) work = work_of(request);
        const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
        least = std::min(least, took.count() / kTimes);
    }
    std::cout << text.size() << " bytes, " << least << " us: " << kWorkKindNames[static_cast<std::size_t>(work.kind)]
              << ' ' << work.sure << ", difficulty " << work.difficulty;
    for (const auto& word : work.telling) std::cout << ", " << word;
    std::cout << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    const bool time = argc > 1 && std::string_view(argv[1]) == "--time";
    if (!time) print_names();
    while (const auto text = next_text()) {
        if (time)
            print_time(*text);
        else
            print_clues(clues_of(*text));
    }
}
