// Whether an answer has the form that was asked for: each wish can be checked by a program, and two of them are asked
// for at once. What the answer says does not count. (The idea of verifiable instructions: IFEval, Zhou et al. 2023.)
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "probe/checks.h"
#include "probe/draw.h"
#include "probe/scored.h"
#include "probe/suites.h"

namespace tandem::probe {

namespace {

constexpr std::int64_t kAnswer = 160;  // tokens
constexpr int kRounds = 6;

struct Wish {
    std::string text;
    std::function<bool(const std::string& answer)> holds;
};

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::string line;
    for (const char c : text + "\n") {
        if (c != '\n') {
            line += c;
            continue;
        }
        if (const auto one = trim(line); !one.empty()) lines.emplace_back(one);
        line.clear();
    }
    return lines;
}

Wish bullets(Draw& draw) {
    const int count = draw.from(2, 5);
    return {fmt::format("Write exactly {} lines, each of which begins with \"- \".", count),
            [count](const std::string& answer) {
                const auto lines = lines_of(answer);
                return std::ssize(lines) == count &&
                       std::ranges::all_of(lines, [](const auto& line) { return line.starts_with("- "); });
            }};
}

bool is_numbered(const std::string& answer, int count) {
    const auto lines = lines_of(answer);
    if (std::ssize(lines) != count) return false;
    for (int i = 0; i < count; ++i)
        if (!lines[static_cast<std::size_t>(i)].starts_with(fmt::format("{}.", i + 1))) return false;
    return true;
}

Wish numbered(Draw& draw) {
    const int count = draw.from(3, 5);
    auto text =
        fmt::format("Give exactly {} points as lines that begin with their number and a point, from \"1.\" on.", count);
    return {std::move(text), [count](const std::string& answer) { return is_numbered(answer, count); }};
}

Wish one_line(Draw&) {
    return {"Write one line only.", [](const std::string& answer) { return lines_of(answer).size() == 1; }};
}

Wish small(Draw&) {
    return {"Use no capital letters at all.", [](const std::string& answer) {
                return !answer.empty() && std::ranges::none_of(answer, [](char c) { return c >= 'A' && c <= 'Z'; });
            }};
}

Wish no_commas(Draw&) {
    return {"Use no commas.", [](const std::string& answer) { return answer.find(',') == std::string::npos; }};
}

Wish has_word(Draw& draw) {
    const auto word = draw.word();
    const int times = draw.from(1, 2);
    return {fmt::format("Use the word \"{}\" exactly {}.", word, times == 1 ? "once" : "twice"),
            [word, times](const std::string& answer) { return std::ranges::count(words_of(answer), word) == times; }};
}

Wish ends_with(Draw& draw) {
    const auto word = draw.name();
    return {fmt::format("End with the word {} and nothing behind it.", word), [word](const std::string& answer) {
                const auto end = bare(answer);
                return end.ends_with(word);
            }};
}

Wish few_words(Draw& draw) {
    const int most = draw.from(12, 25);
    return {fmt::format("Use {} words at most.", most), [most](const std::string& answer) {
                const auto count = std::ssize(words_of(answer));
                return count > 0 && count <= most;
            }};
}

constexpr std::array<std::string_view, 8> kTopics = {"rain",   "bridges", "bread", "mountains",
                                                     "clocks", "trains",  "salt",  "gardens"};

// A wish of the shape of the answer, and one of its words.
Question make(std::uint64_t seed, std::string_view name, int number, Wish (*shape)(Draw&), Wish (*words)(Draw&)) {
    auto draw = Draw::of(seed, name, static_cast<std::uint64_t>(number));
    const auto first = shape(draw), second = words(draw);
    auto text = fmt::format("Write something about {}. {} {}", draw.one_of(kTopics), first.text, second.text);
    return ask_one(fmt::format("{}-{}", name, number + 1), request_saying(text, kAnswer),
                   [first = first.holds, second = second.holds](const chat::Told& told) {
                       const std::string answer(trim(told.text));
                       return first(answer) && second(answer);
                   });
}

}  // namespace

std::unique_ptr<Suite> make_instructions(const Subject& subject) {
    struct Pair {
        std::string_view name;
        Wish (*shape)(Draw&);
        Wish (*words)(Draw&);
    };
    constexpr std::array<Pair, 5> kPairs = {{{"bullets-no-commas", bullets, no_commas},
                                             {"numbers-one-word", numbered, has_word},
                                             {"line-small", one_line, small},
                                             {"short-ending", few_words, ends_with},
                                             {"line-word", one_line, has_word}}};
    std::vector<Scored::Group> groups;
    for (const auto& pair : kPairs)
        groups.push_back({pair.name, [seed = subject.seed, room = subject.room(kAnswer), pair](int number) {
                              auto question = make(seed, pair.name, number, pair.shape, pair.words);
                              question.at_once[0].request.max_output_tokens = room;
                              return question;
                          }});
    return std::make_unique<Scored>(std::move(groups), kRounds);
}

}  // namespace tandem::probe
