// Finding out what a model really does: it is asked checkable questions beside the traffic, suite by suite, and what
// comes of them is kept. What is measured goes before what is claimed (catalog/measurements.h), and from the suite
// `basics` the router learns, so that a model is known before it has served anybody.
//
// Its questions go the way of all requests, under a key of its own, behind those of people. A probe is a job: it goes
// on after a restart, with the question that it had come to.
#pragma once

#include <cstdint>
#include <functional>
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
#include "probe/asker.h"
#include "probe/records.h"
#include "probe/wanted.h"
#include "store/store.h"

namespace tandem::probe {

// What follows from a probe elsewhere. On a thread that may wait.
struct Effects {
    std::function<Result<>()> measured;         // the routing table is to be made anew
    std::function<Result<>()> budgets_changed;  // Probes::budgets() gives others
};

// Safe from any thread.
class Probes {
  public:
    static constexpr int kMostErrors = 3;  // in a row, after which no more is asked

    static constexpr std::string_view kJob = "probe";  // the kind of a job that probes a model

    Probes(store::Store& store, const Clock& clock, learning::Learning& learning, jobs::Queue& queue, Effects effects);

    // Asks the questions of the wanted suites in the background. How many they are at most. Errors: not_found, invalid
    // (no model of conversations, no such suite, a cloud model without a budget or a price), unavailable (one runs for
    // it), storage.
    net::Task<Result<std::size_t>> start(gateway::Gateway& gateway, Wanted wanted);
    // A job of kJob.
    net::Task<jobs::Queue::Outcome> run(gateway::Gateway& gateway, jobs::Queue::Context& context);

    // Ends the probe of a model after the question that is under way, which is paid for and kept. Errors: not_found,
    // where none is under way; storage.
    net::Task<Result<>> cancel(std::string model);
    // Nothing is measured of the model any more: its claims hold. Errors: storage.
    net::Task<Result<>> forget(gateway::Gateway& gateway, std::string model);

    struct Progress {
        std::size_t done = 0, of = 0;
        bool runs = false;
        std::string ended;  // why before the end; empty where it was not
        std::string suite;  // that is under way, or was last
    };
    // Of the last run since the start; nothing where there was none.
    std::optional<Progress> progress(const std::string& model) const;

    // What probes under way may cost, for the ledger's budgets.
    std::vector<config::Budget> budgets() const;

  private:
    // A job that probes a model, or has.
    struct Run {
        std::string job;
        Progress progress;
        std::optional<Money> budget = std::nullopt;  // while it runs
    };
    struct Job;
    // That a job probes a model from now on. Errors: unavailable, where another one does.
    Result<> begin(const std::string& model, const std::string& job, Progress progress);
    net::Task<Result<>> hold_budget(gateway::Gateway& gateway, const Job& job);
    // All suites that are left. Why it ended early; empty where it did not.
    net::Task<std::string> ask_suites(Job& job);
    net::Task<std::string> ask_suite(Job& job, const SuiteRow& row);
    // Asks one question, and keeps what came of it. Errors: storage.
    net::Task<Result<Outcome>> ask(Job& job, const SuiteRow& row, Asker& asker, const Question& question);
    net::Task<Result<>> keep(Job& job, const SuiteRow& row, const Suite& suite);
    void note(const std::string& model, const std::function<void(Progress&)>& change);

    store::Store& store_;
    const Clock& clock_;
    learning::Learning& learning_;
    jobs::Queue& queue_;
    const Effects effects_;
    access::Principal who_ = access::Principal::internal(access::Part::probe);  // who pays
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Run> runs_;  // by model: the last of each
};

}  // namespace tandem::probe
