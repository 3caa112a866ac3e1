// The questions from which the router learns how good a model is at which kind of work: the same ones for every model,
// whatever the seed, so that models can be compared by them.
#include "probe/checks.h"
#include "probe/suites.h"
#include "probe/tasks.h"

namespace tandem::probe {

namespace {

class Basics final : public Suite {
  public:
    explicit Basics(const Subject& subject) : tasks_(tasks(subject.each, subject.thinks)) {}

    std::optional<Question> next() override {
        if (at_ >= tasks_.size()) return std::nullopt;
        const auto& task = tasks_[at_];
        auto question = ask_one(task.id, task.request_to("any"), task.passed);
        question.task = task.id;
        question.kind = task.kind;
        return question;
    }
    void take(const Outcome& outcome) override {
        ++at_;
        if (outcome.passed) all_.add(*outcome.passed);
    }
    std::size_t most() const override { return tasks_.size(); }
    std::vector<Finding> findings() const override {
        return all_.asked() == 0 ? std::vector<Finding>() : std::vector{share_of("score", all_)};
    }

  private:
    std::vector<Task> tasks_;
    std::size_t at_ = 0;
    Proportion all_;
};

}  // namespace

std::unique_ptr<Suite> make_basics(const Subject& subject) {
    return std::make_unique<Basics>(subject);
}

}  // namespace tandem::probe
