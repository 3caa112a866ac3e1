// Asks the questions of a probe: the way of all requests, behind those of people, and by a routing table in which the
// model has what it claims, so that what was measured of it can be measured again. Private to probe/.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "gateway/ask.h"
#include "jobs/queue.h"
#include "probe/suite.h"

namespace tandem::probe {

// What came of one question.
struct Told {
    std::vector<Heard> heard;
    std::string decision;  // of the first of its requests
    std::string error;     // why it could not be asked; empty where it could
    bool over_budget = false;
};

// On the job's worker.
class Asker {
  public:
    struct How {
        bool as_claimed = true;  // by that table
        bool budget = false;     // it counts in the budget of the job
    };
    // All outlive it.
    Asker(gateway::Gateway& gateway, const access::Principal& who, jobs::Queue::Context& context, std::string model,
          How how)
        : gateway_(gateway), who_(who), context_(context), model_(std::move(model)), how_(how) {}

    net::Task<Told> ask(const Question& question);
    // Until nobody else has asked a model for kQuiet, or the job ends.
    net::Task<> wait_for_quiet();

  private:
    static constexpr milliseconds kQuiet{5'000}, kLook{500};

    net::Task<> ask_one(const Asking& asking, Heard& heard, std::string& decision);
    net::Task<bool> counted_by_us(std::string decision) const;
    std::shared_ptr<const gateway::Snapshot> snapshot_for(const Asking& asking);
    // Attempts that were begun at all providers since the start, and whether one is under way.
    std::pair<std::uint64_t, bool> traffic() const;

    gateway::Gateway& gateway_;
    const access::Principal& who_;
    jobs::Queue::Context& context_;
    std::string model_;
    How how_;
    using Variant = std::tuple<const gateway::Snapshot*, bool, int>;
    std::map<Variant, std::shared_ptr<const gateway::Snapshot>> snapshots_;
    std::uint64_t last_ = 0;  // traffic() behind our own last question
};

}  // namespace tandem::probe
