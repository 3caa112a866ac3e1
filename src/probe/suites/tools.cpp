// How often calls of tools are right, and whether a model is told of tools better by its chat template ("native") or in
// its prompt ("rendered"). Tasks in which no tool fits count as the others do: who calls always is wrong there.
#include <fmt/format.h>

#include <algorithm>

#include "probe/checks.h"
#include "probe/suites.h"
#include "probe/suites/tool_tasks.h"

namespace tandem::probe {

namespace {

constexpr std::int64_t kAnswer = 160;  // tokens
constexpr int kRounds = 3;             // over all tasks
constexpr int kFewestRounds = 2;
constexpr double kWideEnough = 0.3;          // of a way's interval, to end early
constexpr double kGood = 0.75, kBad = 0.25;  // of the tasks that one way alone gets right, to tell which is better
constexpr double kCallsNone = 0.2;           // a model that makes surely fewer of the calls right has no tools

class Tools final : public Suite {
  public:
    explicit Tools(const Subject& subject) : subject_(subject) {
        ways_.push_back({"native", false, {}, {}, {}});
        if (subject.can_render) ways_.push_back({"rendered", true, {}, {}, {}});
    }

    std::optional<Question> next() override {
        if (round_ >= kRounds || is_clear()) return std::nullopt;
        const auto task = static_cast<ToolTask>(task_);
        const auto& way = ways_[way_];
        auto made = tool_task(subject_.seed, task, round_, subject_.room(kAnswer));
        auto question = ask_one(fmt::format("{} {}-{}", way.name, kToolTaskNames[task_], round_ + 1),
                                std::move(made.request), std::move(made.right));
        if (subject_.can_render) question.at_once[0].renders_tools = way.renders;
        // A server that refuses tools has none.
        question.errors = Errors::refusals;
        question.judge = [judge = std::move(question.judge)](std::span<const Heard> heard) {
            return heard[0].error.empty() ? judge(heard) : Outcome{false, {}, heard[0].error};
        };
        return question;
    }

    void take(const Outcome& outcome) override {
        if (!outcome.passed) return;
        const bool right = *outcome.passed;
        auto& way = ways_[way_];
        way.all.add(right);
        if (!wants_words(static_cast<ToolTask>(task_))) way.calls.add(right);
        way.by_task[task_].add(right);
        right_[way_] = right;
        if (++way_ < ways_.size()) return;
        way_ = 0;
        if (ways_.size() == 2 && right_[0] != right_[1]) {
            rendered_is_better_.add(right_[1]);
            one_alone_ = true;
        }
        task_ = (task_ + 1) % kToolTaskNames.size();
        if (task_ == 0) ++round_;
    }

    std::size_t most() const override { return kRounds * kToolTaskNames.size() * ways_.size(); }

    std::vector<Finding> findings() const override {
        std::vector<Finding> list;
        if (best().all.asked() == 0) return list;
        list.push_back(share_of("score", best().all, std::string(word())));
        for (const auto& way : ways_) list.push_back(share_of(fmt::format("{} score", way.name), way.all));
        for (std::size_t i = 0; i < kToolTaskNames.size(); ++i)
            list.push_back(share_of(std::string(kToolTaskNames[i]), best().by_task[i]));
        return list;
    }

    std::vector<Decided> decided() const override {
        const auto& way = best();
        if (way.calls.asked() == 0) return {};
        const auto value = calls_none() ? 0 : way.renders ? catalog::kRendered : catalog::kNative;
        const auto score = share_of("", way.all);
        return {{catalog::Quantity::tools, value, score.low, score.high, way.all.asked()}};
    }

  private:
    struct Way {
        std::string_view name;
        bool renders;
        Proportion all, calls;
        std::array<Proportion, kToolTaskNames.size()> by_task;
    };

    const Way& best() const {
        return ways_.size() == 2 && ways_[1].all.right() > ways_[0].all.right() ? ways_[1] : ways_[0];
    }
    bool calls_none() const { return best().calls.interval().high < kCallsNone; }
    std::string_view word() const { return calls_none() ? "none" : best().name; }

    // Between rounds.
    bool is_clear() const {
        if (task_ != 0 || way_ != 0 || round_ < kFewestRounds) return false;
        if (ways_.size() == 2 && one_alone_ && rendered_is_better_.verdict() == Sprt::Verdict::open) return false;
        const auto interval = best().all.interval();
        return interval.high - interval.low <= kWideEnough;
    }

    Subject subject_;
    std::vector<Way> ways_;
    int round_ = 0;
    std::size_t task_ = 0, way_ = 0;
    std::array<bool, 2> right_{};
    Sprt rendered_is_better_{kGood, kBad};
    bool one_alone_ = false;  // some task was right in one way alone
};

}  // namespace

std::unique_ptr<Suite> make_tools(const Subject& subject) {
    return std::make_unique<Tools>(subject);
}

}  // namespace tandem::probe
