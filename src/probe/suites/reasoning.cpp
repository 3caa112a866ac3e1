// How many steps a model can think: arithmetic and logic of rising depth. A depth is passed while most of its questions
// are answered right; the first that is not ends the suite.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "probe/checks.h"
#include "probe/draw.h"
#include "probe/suites.h"

namespace tandem::probe {

namespace {

constexpr int kDepths = 5;
constexpr int kMostOfDepth = 12;           // questions
constexpr double kGood = 0.8, kBad = 0.4;  // right answers, by which a depth is passed or not
constexpr std::int64_t kAnswer = 320;      // tokens, steps included
constexpr auto kEnd = " Think in a few short steps, and end with the answer alone on the last line.";

struct Puzzle {
    std::string text;
    std::function<bool(const chat::Told&)> right;
};

// "Begin with 7. Add 5. Multiply by 3. ...": as many steps as its depth, and one more.
Puzzle arithmetic(Draw& draw, int depth) {
    std::int64_t value = draw.from(3, 19);
    std::string text = fmt::format("Begin with {}.", value);
    for (int step = 0; step <= depth; ++step) {
        const int by = draw.from(2, 9);
        switch (draw.from(0, 2)) {
            case 0:
                value += by;
                text += fmt::format(" Add {}.", by);
                break;
            case 1:
                value *= by;
                text += fmt::format(" Multiply by {}.", by);
                break;
            default:
                value += 10 * by;
                text += fmt::format(" Add ten times {}.", by);
        }
    }
    return {text + " What is the result?" + kEnd,
            [value](const chat::Told& told) { return last_number(told.text) == value; }};
}

// People in a row by pairs that are told in any order: two more than the depth.
Puzzle order(Draw& draw, int depth) {
    const auto people = draw.names(static_cast<std::size_t>(depth) + 2);
    std::vector<std::string> pairs;
    for (std::size_t i = 0; i + 1 < people.size(); ++i)
        pairs.push_back(draw.from(0, 1) == 0 ? fmt::format("{} is older than {}.", people[i], people[i + 1])
                                             : fmt::format("{} is younger than {}.", people[i + 1], people[i]));
    draw.shuffle(pairs);
    const bool oldest = draw.from(0, 1) == 0;
    const auto wanted = lower(oldest ? people.front() : people.back());
    return {fmt::format("{} Who is the {} of them?{}", join(pairs, " "), oldest ? "oldest" : "youngest", kEnd),
            [wanted, people](const chat::Told& told) {
                const auto words = words_of(told.text);
                const auto last = std::find_if(words.rbegin(), words.rend(), [&](const auto& word) {
                    return std::ranges::any_of(people, [&](const auto& name) { return lower(name) == word; });
                });
                return last != words.rend() && *last == wanted;
            }};
}

// Things that are swapped between boxes.
Puzzle swaps(Draw& draw, int depth) {
    static constexpr std::array<std::string_view, 6> kThings = {"coin", "key", "ring", "bell", "shell", "button"};
    std::vector<std::string_view> boxes(kThings.begin(), kThings.begin() + std::min(depth + 1, 4));
    std::string text = "There are boxes.";
    for (std::size_t i = 0; i < boxes.size(); ++i) text += fmt::format(" Box {} holds the {}.", i + 1, boxes[i]);
    for (int step = 0; step < depth; ++step) {
        const auto a = static_cast<std::size_t>(draw.from(0, static_cast<int>(boxes.size()) - 1));
        const auto b = (a + 1) % boxes.size();
        std::swap(boxes[a], boxes[b]);
        text += fmt::format(" Then what is in box {} and what is in box {} change places.", a + 1, b + 1);
    }
    const auto asked = static_cast<std::size_t>(draw.from(0, static_cast<int>(boxes.size()) - 1));
    const std::string wanted(boxes[asked]);
    return {fmt::format("{} What is in box {} now?{}", text, asked + 1, kEnd), [wanted](const chat::Told& told) {
                std::string last;
                for (const auto& word : words_of(told.text))
                    if (std::ranges::find(kThings, word) != kThings.end()) last = word;
                return last == wanted;
            }};
}

class Reasoning final : public Suite {
  public:
    explicit Reasoning(const Subject& subject) : subject_(subject) {}

    std::optional<Question> next() override {
        if (depth_ >= kDepths) return std::nullopt;
        constexpr std::array<std::pair<std::string_view, Puzzle (*)(Draw&, int)>, 3> kMakers = {
            {{"arithmetic", arithmetic}, {"order", order}, {"swaps", swaps}}};
        const auto number = static_cast<std::size_t>(right_[at()].asked());
        const auto& [name, make] = kMakers[number % kMakers.size()];
        auto draw = Draw::of(subject_.seed, fmt::format("{} {}", name, depth_), number);
        auto puzzle = make(draw, depth_ + 1);
        return ask_one(fmt::format("{} of depth {}, {}", name, depth_ + 1, number / kMakers.size() + 1),
                       request_saying(puzzle.text, subject_.room(kAnswer)), std::move(puzzle.right));
    }
    void take(const Outcome& outcome) override {
        if (!outcome.passed) return;
        const bool right = *outcome.passed;
        right_[at()].add(right);
        test_.add(right);
        all_.add(right);
        const auto& score = right_[at()];
        const auto verdict = test_.verdict();
        if (verdict == Sprt::Verdict::open && score.asked() < kMostOfDepth) return;
        const bool passed =
            verdict == Sprt::Verdict::good || (verdict == Sprt::Verdict::open && score.share() >= (kGood + kBad) / 2);
        if (passed) passed_ = depth_ + 1;
        depth_ = passed ? depth_ + 1 : kDepths;
        test_ = Sprt(kGood, kBad);
    }
    std::size_t most() const override { return kDepths * kMostOfDepth; }
    std::vector<Finding> findings() const override {
        std::vector<Finding> list;
        list.push_back({.name = "depth",
                        .unit = "steps",
                        .value = passed_,
                        .low = passed_,
                        .high = passed_,
                        .asked = all_.asked(),
                        .right = all_.right(),
                        .word = passed_ == kDepths ? "the deepest that is asked" : ""});
        for (std::size_t i = 0; i < kDepths; ++i)
            if (right_[i].asked() > 0) list.push_back(share_of(fmt::format("depth {}", i + 1), right_[i]));
        return list;
    }

  private:
    std::size_t at() const { return static_cast<std::size_t>(depth_); }

    Subject subject_;
    int depth_ = 0, passed_ = 0;
    Sprt test_{kGood, kBad};
    std::array<Proportion, kDepths> right_;
    Proportion all_;
};

}  // namespace

std::unique_ptr<Suite> make_reasoning(const Subject& subject) {
    return std::make_unique<Reasoning>(subject);
}

}  // namespace tandem::probe
