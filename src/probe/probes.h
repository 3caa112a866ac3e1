// Finding out what a model really does: it is asked checkable questions beside the traffic, and what comes of them is
// kept and learned from, so that a model is known before it has served anybody.
//
// Its questions go the way of all requests, under a key of its own, behind those of people. A probe is a job: it goes
// on after a restart, with the question that it had come to.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/world.h"
#include "config/config.h"
#include "gateway/gateway.h"
#include "jobs/queue.h"
#include "learning/learning.h"
#include "probe/tasks.h"
#include "store/store.h"

namespace tandem::probe {

extern const char* const kProbesSchema;

// What came of one question, the last time it was asked.
struct Record {
    std::string model;
    std::string task;
    std::string kind;
    std::string identity;  // of the model that was asked, as the learner has it
    std::string decision;  // empty where none was made
    std::int64_t time = 0;
    std::int64_t milliseconds = 0;
    std::optional<bool> passed;  // nothing where it could not be asked
    std::string note;            // why not; or the beginning of a wrong answer
};
// Inside a transaction. One of the same model and task is replaced. Errors: storage.
Result<> put(store::Database& database, const Record& record);
// Of one model, or of all where it is empty; by model and task. Errors: storage.
Result<std::vector<Record>> records(store::Database& database, const std::string& model);

// Safe from any thread.
class Probes {
  public:
    static constexpr int kMostErrors = 3;  // in a row, after which no more is asked

    static constexpr std::string_view kJob = "probe";  // the kind of a job that probes a model

    Probes(store::Store& store, const Clock& clock, learning::Learning& learning, jobs::Queue& queue);

    // Asks `each` questions of each kind, one after the other, in the background. How many that are. Errors:
    // not_found, invalid (no model of conversations), unavailable (one runs for it), storage.
    net::Task<Result<std::size_t>> start(gateway::Gateway& gateway, std::string model, int each);
    // A job of kJob.
    net::Task<jobs::Queue::Outcome> run(gateway::Gateway& gateway, jobs::Queue::Context& context);

    // Ends the probe of a model after the question that is under way, which is paid for and kept. Errors: not_found,
    // where none is under way; storage.
    net::Task<Result<>> cancel(std::string model);

    struct Progress {
        std::size_t done = 0, of = 0;
        bool runs = false;
        std::string ended;  // why before the end; empty where it was not
    };
    // Of the last run since the start; nothing where there was none.
    std::optional<Progress> progress(const std::string& model) const;

  private:
    // A job that probes a model, or has.
    struct Run {
        std::string job;
        Progress progress;
    };
    // That a job probes a model from now on. Errors: unavailable, where another one does.
    Result<> begin(const std::string& model, const std::string& job, Progress progress);
    // Asks one question, and keeps what came of it. Whether it could be asked. Errors: storage.
    net::Task<Result<bool>> ask(gateway::Gateway& gateway, const std::string& model, const Task& task,
                                jobs::Queue::Context& context);
    void note(const std::string& model, const std::function<void(Progress&)>& change);

    store::Store& store_;
    const Clock& clock_;
    learning::Learning& learning_;
    jobs::Queue& queue_;
    access::Principal who_ = access::Principal::internal(access::Part::probe);  // who pays
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Run> runs_;  // by model: the last of each
};

}  // namespace tandem::probe
