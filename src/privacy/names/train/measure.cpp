// How well names.cpp finds what is annotated: measure [-v] FILE... (lines as prepare.py writes them), by three
// measures: any overlap, words, and at least half of both. An address is a place here.
//
//   measure --alarms [-v] FILE...
//
// FILE: plain text (code, documentation) in which hardly a name stands. Prints what is found in each MB.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <map>
#include <string>

#include "privacy/names/names.h"

using namespace tandem;

namespace {

struct Span {
    std::size_t begin, end;
    std::string kind;
};

double thread_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

bool same(const Span& a, const Span& b) {
    const auto shared = std::min(a.end, b.end) - std::min(std::min(a.end, b.end), std::max(a.begin, b.begin));
    return a.kind == b.kind && shared * 2 >= a.end - a.begin && shared * 2 >= b.end - b.begin;
}

bool touches(const Span& a, const Span& b) {
    return a.kind == b.kind && a.begin < b.end && b.begin < a.end;
}

struct Counts {
    double hit = 0, missed = 0, wrong = 0;
};

void print(const std::string& name, const Counts& c) {
    fmt::print("  {:<5} precision {:.3f} recall {:.3f} F1 {:.3f} ({:.0f})\n", name,
               c.hit / std::max(1.0, c.hit + c.wrong), c.hit / std::max(1.0, c.hit + c.missed),
               2 * c.hit / std::max(1.0, 2 * c.hit + c.wrong + c.missed), c.hit + c.missed);
}

void each_word(const std::string& text, auto&& visit) {
    for (std::size_t at = 0; at < text.size();) {
        const auto begin = text.find_first_not_of(" \n\t,.;:()\"", at);
        if (begin == std::string::npos) return;
        at = std::min(text.find_first_of(" \n\t,.;:()\"", begin), text.size());
        visit(begin, at);
    }
}

int count_alarms(int first, int count, char** values) {
    const bool show = first < count && std::string_view(values[first]) == "-v";
    std::map<std::string, double> kinds;
    double bytes = 0, seconds = 0;
    for (int file = first + (show ? 1 : 0); file < count; ++file) {
        std::ifstream in(values[file], std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(in)), {});
        std::vector<privacy::Finding> findings;
        const double start = thread_seconds();
        privacy::find_names(text, findings);
        seconds += thread_seconds() - start;
        bytes += static_cast<double>(text.size());
        for (const auto& f : findings) {
            if (f.score < 0.5F) continue;
            ++kinds[std::string(f.detector)];
            if (show) fmt::print("{} {:.2f} [{}]\n", f.detector, f.score, text.substr(f.begin, f.end - f.begin));
        }
    }
    double all = 0;
    for (const auto& [kind, found] : kinds) {
        fmt::print("{:<13}{:8.1f} per MB\n", kind, found / bytes * 1e6);
        all += found;
    }
    fmt::print("{:<13}{:8.1f} per MB of {:.1f} MB; {:.1f} MB/s\n", "all", all / bytes * 1e6, bytes / 1e6,
               bytes / seconds / 1e6);
    return 0;
}

}  // namespace

int main(int count, char** values) {
    if (count > 1 && std::string_view(values[1]) == "--alarms") return count_alarms(2, count, values);
    const bool show = count > 2 && std::string_view(values[1]) == "-v";
    for (int file = show ? 2 : 1; file < count; ++file) {
        std::ifstream in(values[file]);
        std::map<std::string, Counts> counts, touched, words;
        double bytes = 0, seconds = 0;
        for (std::string line; std::getline(in, line);) {
            std::string text;
            std::size_t i = 0;
            for (; i < line.size() && line[i] != '\t'; ++i) {
                if (line[i] == '\\' && i + 1 < line.size())
                    text += line[++i] == 'n' ? '\n' : line[i];
                else
                    text += line[i];
            }
            std::vector<Span> gold;
            for (std::size_t at = i + 1; at < line.size();) {
                unsigned long begin = 0, end = 0;
                char kind[8] = {};
                if (std::sscanf(line.c_str() + at, "%lu,%lu,%7[A-Z]", &begin, &end, kind) == 3)
                    gold.push_back({begin, end, std::string_view(kind) == "ADR" ? "LOC" : kind});
                at = line.find(' ', at);
                if (at == std::string::npos) break;
                ++at;
            }
            std::vector<privacy::Finding> findings;
            const double start = thread_seconds();
            privacy::find_names(text, findings);
            seconds += thread_seconds() - start;
            bytes += static_cast<double>(text.size());
            std::vector<Span> found;
            for (const auto& f : findings)
                if (f.score >= 0.5F)
                    found.push_back({f.begin, f.end,
                                     f.type == "PERSON"         ? "PER"
                                     : f.type == "ORGANIZATION" ? "ORG"
                                                                : "LOC"});
            for (const auto& g : gold)
                if (g.kind != "X")
                    touched[g.kind].hit += std::ranges::any_of(found, [&](const Span& f) { return touches(f, g); }),
                        touched[g.kind].missed += 1;
            for (const auto& f : found)
                touched[f.kind].wrong += std::ranges::none_of(gold, [&](const Span& g) {
                    return (touches(f, g)) || (g.kind == "X" && f.begin < g.end && g.begin < f.end);
                });
            each_word(text, [&](std::size_t begin, std::size_t end) {
                const auto at = [&](const std::vector<Span>& spans) {
                    const auto span =
                        std::ranges::find_if(spans, [&](const Span& f) { return f.begin < end && begin < f.end; });
                    return span == spans.end() ? std::string() : span->kind;
                };
                const auto want = at(gold), have = at(found);
                if (want == "X") return;
                if (want == have && !want.empty()) ++words[want].hit;
                if (want != have && !want.empty()) ++words[want].missed;
                if (want != have && !have.empty()) ++words[have].wrong;
            });
            for (const auto& g : gold) {
                if (g.kind == "X") {  // not to be judged
                    std::erase_if(found, [&](const Span& f) { return f.begin < g.end && g.begin < f.end; });
                    continue;
                }
                const auto hit = std::ranges::find_if(found, [&](const Span& f) { return same(g, f); });
                if (hit != found.end()) {
                    found.erase(hit);
                    ++counts[g.kind].hit;
                } else {
                    ++counts[g.kind].missed;
                    if (show)
                        fmt::print("- {} [{}] in {}\n", g.kind, text.substr(g.begin, g.end - g.begin),
                                   text.substr(g.begin > 40 ? g.begin - 40 : 0, 120));
                }
            }
            for (const auto& f : found) {
                ++counts[f.kind].wrong;
                if (show)
                    fmt::print("+ {} [{}] in {}\n", f.kind, text.substr(f.begin, f.end - f.begin),
                               text.substr(f.begin > 40 ? f.begin - 40 : 0, 120));
            }
        }
        fmt::print("{}: {:.1f} MB/s\n", values[file], bytes / seconds / 1e6);
        for (auto& [kind, c] : touched) c.missed -= c.hit;
        for (const auto& [what, table] :
             {std::pair("half of both", &counts), std::pair("any overlap", &touched), std::pair("words", &words)}) {
            Counts all;
            fmt::print(" {}\n", what);
            for (const auto& [kind, c] : *table) {
                print(kind, c);
                all.hit += c.hit, all.missed += c.missed, all.wrong += c.wrong;
            }
            print("all", all);
        }
    }
}
