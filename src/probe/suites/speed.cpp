// How fast a model reads and writes: the time to the first token over the length of the prompt, how fast the rest
// comes, and what is left of that when several ask at a time.
//
// Reading is the slope of the first token's time over the length (least squares), so that what does not hang on the
// length (the way there, the beginning of work) is not counted as reading. Every prompt is another one, so that none is
// read from a cache.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "probe/checks.h"
#include "probe/draw.h"
#include "probe/suites.h"
#include "probe/suites/notes.h"

namespace tandem::probe {

namespace {

constexpr std::array<std::int64_t, 3> kLengths = {128, 512, 1'536};  // tokens, about
constexpr int kTimes = 3;                                            // each length
constexpr std::int64_t kWritten = 64;                                // tokens of an answer
constexpr std::size_t kBytesOfToken = 3;
constexpr int kMostAtOnce = 4;
constexpr double kHundred = 100;
constexpr double kMillisecond = 1'000;

std::int64_t middle(std::vector<std::int64_t> list) {
    std::ranges::sort(list);
    return list.empty() ? 0 : list[list.size() / 2];
}

// Values with the smallest and the largest as their bounds: few runs say no more.
Finding of_runs(std::string name, std::string unit, std::vector<std::int64_t> runs) {
    std::ranges::sort(runs);
    return {.name = std::move(name),
            .unit = std::move(unit),
            .value = middle(runs),
            .low = runs.front(),
            .high = runs.back(),
            .asked = std::ssize(runs)};
}

class Speed final : public Suite {
  public:
    explicit Speed(const Subject& subject) : subject_(subject) {
        for (int time = 0; time < kTimes; ++time)
            for (const auto length : kLengths)
                if (subject.context_tokens == 0 || length * 2 <= subject.context_tokens) steps_.push_back({length, 1});
        for (int at_once = 2; at_once <= kMostAtOnce; at_once *= 2) steps_.push_back({kLengths[0], at_once});
    }

    std::optional<Question> next() override {
        if (at_ >= steps_.size()) return std::nullopt;
        const auto& step = steps_[at_];
        Question question;
        question.name = step.at_once == 1 ? fmt::format("{} tokens, {}", step.length, at_ / kLengths.size() + 1)
                                          : fmt::format("{} at once", step.at_once);
        for (int i = 0; i < step.at_once; ++i) question.at_once.push_back(ask(step.length, i));
        question.judge = [](std::span<const Heard> heard) {
            Outcome outcome;
            for (const auto& one : heard) {
                if (!one.error.empty()) outcome.note = one.error;
                for (const auto number : {one.first.count(), one.last.count(), one.usage.input.count,
                                          one.usage.cached_input.count, one.usage.output.count})
                    outcome.numbers.push_back(number);
            }
            outcome.passed = outcome.note.empty();
            return outcome;
        };
        return question;
    }

    void take(const Outcome& outcome) override {
        const auto& step = steps_[at_++];
        std::vector<Run> runs;
        for (std::size_t i = 0; i + kNumbers <= outcome.numbers.size(); i += kNumbers)
            runs.push_back({outcome.numbers[i], outcome.numbers[i + 1],
                            std::max<std::int64_t>(0, outcome.numbers[i + 2] - outcome.numbers[i + 3]),
                            outcome.numbers[i + 4]});
        if (step.at_once > 1) {
            take_together(step.at_once, runs);
            return;
        }
        for (const auto& run : runs)
            if (run.first >= 0) {
                runs_.push_back(run);
                firsts_[step.length].push_back(run.first);
                if (const auto rate = run.written_per_second(); rate > 0)
                    written_.push_back(std::llround(rate * kHundred));
            }
    }

    std::size_t most() const override { return steps_.size(); }

    std::vector<Finding> findings() const override {
        std::vector<Finding> list;
        if (!written_.empty()) list.push_back(of_runs("writing", "tokens/s", written_));
        if (const auto rate = read_per_second(); rate > 0)
            list.push_back({.name = "reading",
                            .unit = "tokens/s",
                            .value = std::llround(rate * kHundred),
                            .low = 0,
                            .high = 0,
                            .asked = std::ssize(runs_)});
        for (const auto& [length, firsts] : firsts_)
            list.push_back(of_runs(fmt::format("first token at {} tokens", length), "ms", firsts));
        for (const auto& [at_once, rate] : together_)
            list.push_back({.name = fmt::format("writing of {} at once", at_once),
                            .unit = "tokens/s",
                            .value = rate,
                            .low = 0,
                            .high = 0,
                            .asked = at_once,
                            .word = "of all together, the reading of their prompts in it"});
        return list;
    }

  private:
    static constexpr std::size_t kNumbers = 5;
    struct Step {
        std::int64_t length;
        int at_once;
    };
    struct Run {
        std::int64_t first, last;    // milliseconds
        std::int64_t read, written;  // tokens that no cache had; 0: nobody counted
        double written_per_second() const {
            if (written < 2 || last <= first) return 0;
            return static_cast<double>(written - 1) * kMillisecond / static_cast<double>(last - first);
        }
    };

    Asking ask(std::int64_t length, int beside) const {
        const auto bytes = static_cast<std::size_t>(length) * kBytesOfToken;
        auto made = notes(subject_.seed, NotesKind::one, static_cast<int>(at_) * kMostAtOnce + beside, bytes, 0.5);
        // The beginning differs too: a cache of prefixes would have it.
        auto draw = Draw::of(subject_.seed, "speed", at_ * kMostAtOnce + static_cast<std::uint64_t>(beside));
        const auto text = fmt::format("{}\n{}\n\nThen count from 1 to 60 in words.", draw.name(), made.text);
        return {.request = request_saying(text, subject_.room(kWritten), R"(,"temperature":0)"), .streamed = true};
    }

    void take_together(int at_once, const std::vector<Run>& runs) {
        std::int64_t written = 0, last = 0;
        for (const auto& run : runs) {
            written += run.written;
            last = std::max(last, run.last);
        }
        if (written > 0 && last > 0)
            together_[at_once] =
                std::llround(static_cast<double>(written) * kMillisecond * kHundred / static_cast<double>(last));
    }

    double read_per_second() const {
        double n = 0, x = 0, y = 0, xx = 0, xy = 0;
        for (const auto& run : runs_) {
            if (run.read == 0) continue;
            const auto tokens = static_cast<double>(run.read), time = static_cast<double>(run.first);
            n += 1;
            x += tokens;
            y += time;
            xx += tokens * tokens;
            xy += tokens * time;
        }
        const double spread = n * xx - x * x;
        if (n < 2 || spread <= 0) return 0;
        const double slope = (n * xy - x * y) / spread;  // milliseconds a token
        return slope > 0 ? kMillisecond / slope : 0;
    }

    Subject subject_;
    std::vector<Step> steps_;
    std::size_t at_ = 0;
    std::vector<Run> runs_;
    std::map<std::int64_t, std::vector<std::int64_t>> firsts_;
    std::vector<std::int64_t> written_;
    std::map<int, std::int64_t> together_;
};

}  // namespace

std::unique_ptr<Suite> make_speed(const Subject& subject) {
    return std::make_unique<Speed>(subject);
}

}  // namespace tandem::probe
