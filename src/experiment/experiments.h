// Experiments under way: who gets which model, what is asked besides, and what comes of it.
//
// A model that an experiment assigns is one that the decision found eligible already, so labels, budgets and health
// hold as ever. What is asked besides goes the way of all requests, under a key of its own.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/world.h"
#include "config/config.h"
#include "experiment/records.h"
#include "gateway/ask.h"
#include "gateway/finished.h"
#include "gateway/trials.h"
#include "jobs/runner.h"
#include "learning/learning.h"
#include "store/store.h"

namespace tandem::experiment {

// Safe from any thread.
class Experiments final : public gateway::Trials, public gateway::AnswerObserver {
  public:
    static constexpr int kMostAside = 4;                // requests of experiments at once; more are left out
    static constexpr std::size_t kLongestText = 4'096;  // bytes kept of a question and of each answer

    Experiments(store::Store& store, const Clock& clock, learning::Learning& learning, jobs::Runner& runner)
        : store_(store), clock_(clock), learning_(learning), runner_(runner) {}

    // Takes over those of the config beside those that were started; one that was stopped stays so. One whose
    // definition has changed begins anew. Errors: storage.
    Result<> configure(std::shared_ptr<const config::Config> config);

    using Done = std::function<void(Result<>)>;
    // Each is committed before `done`, which comes on another thread. Errors: invalid, not_found, storage.
    void start(const config::Experiment& experiment, Done done);
    void stop(const std::string& name, Done done);
    // From now on all that the experiment is about go to the one model, where they may.
    void apply(const std::string& name, bool treatment, Done done);

    struct Known {
        Record record;
        config::Experiment definition;
    };
    std::vector<Known> all() const;
    // Errors: not_found, with the nearest that is there.
    Result<Known> find(const std::string& name) const;

    bool any() const override { return any_.load(std::memory_order_relaxed); }
    std::optional<routing::Assigned> assign(const std::string& alias, const std::string& unit) const override;
    bool listens() const override { return any(); }
    store::Store::Job finished(const gateway::AnswerFinished& finished) override;

  private:
    struct Running {
        Record record;
        config::Experiment definition;
        // Pays for what is asked besides.
        access::Principal who = access::Principal::internal(access::Part::experiment);
    };
    using List = std::vector<std::shared_ptr<const Running>>;
    struct Besides;
    void take(Record record, config::Experiment definition);
    void change(const std::string& name, const std::function<void(Record&)>& edit, Done done);
    std::shared_ptr<const List> list() const;
    void ask_besides(const gateway::AnswerFinished& given, std::shared_ptr<const Running> running, Trial trial);
    net::Task<> besides(std::shared_ptr<Besides> work, net::Worker& worker, net::Cancel& cancel);
    net::Task<std::optional<int>> judge(const Besides& work, bool swapped, std::string& note, net::Worker& worker,
                                        net::Cancel& cancel);

    store::Store& store_;
    const Clock& clock_;
    learning::Learning& learning_;
    jobs::Runner& runner_;
    std::atomic<bool> any_ = false;
    std::atomic<int> aside_ = 0;
    mutable std::mutex mutex_;
    std::shared_ptr<const List> list_ = std::make_shared<const List>();
};

}  // namespace tandem::experiment
