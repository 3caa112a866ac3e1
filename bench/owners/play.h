// A gateway at work in a world: who answers each request is decided by routing::decide() with a combination's table and
// with what the gateway's learner knows by then, as the server does it; how long that takes, what it costs and whether
// the answer is good is the world's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "learning/learner.h"
#include "owners/world.h"
#include "routing/routing.h"

namespace tandem::owners {

// Who is asked, and in which order.
struct Plan {
    std::vector<std::uint8_t> order;   // numbers of World::models
    std::vector<std::uint8_t> others;  // of them, places that may be tried to learn
};

// What a gateway has learned by some moment.
class Mind {
  public:
    Mind(const World& world, const Looks& looks, const routing::Table& today);
    void learn(std::vector<learning::Outcome> outcomes);
    // Of answers of a model to a kind of work.
    void measured(const std::string& model, std::size_t kind, double seconds, double tokens);
    // What the server writes down and decides by; borrowed until the next change. `expected` by the table of today.
    const routing::Inputs& inputs(int look);
    const learning::Traits& traits(int look);
    double expected(int look, const std::string& model);
    // One that has learned as much, and these as well.
    std::shared_ptr<Mind> with(const std::vector<learning::Outcome>& more) const;

  private:
    struct Pace {
        std::string model;
        std::size_t kind;
        double seconds, tokens;
    };
    const World& world_;
    const Looks& looks_;
    const routing::Table& today_;
    std::unique_ptr<learning::Learner> learner_;
    std::vector<learning::Outcome> outcomes_;
    std::vector<Pace> paces_;
    std::vector<std::optional<routing::Inputs>> inputs_;
    std::vector<std::optional<learning::Traits>> traits_;
};

routing::Features features_of(const World& world, const Look& look);

// One combination's decisions.
class Gateway {
  public:
    Gateway(const World& world, const routing::Table& table, std::shared_ptr<Mind> mind);
    // `held`: number of the model that answered the turn before, a moment ago; -1: none.
    const Plan& plan(int look, int held);
    // The inputs of the decision, as the server has them.
    routing::Inputs inputs(int look, int held) const;
    void think(std::shared_ptr<Mind> mind);  // from now on by what that has learned
    Mind& mind() { return *mind_; }
    const routing::Table& table() const { return table_; }

  private:
    const World& world_;
    const routing::Table& table_;
    std::shared_ptr<Mind> mind_;
    std::vector<std::optional<Plan>> plans_;
};

// One attempt at a turn, and the turn when it is over.
struct Try {
    int model = -1;
    bool answered = false;
    double at_ms = 0, first_ms = 0, total_ms = 0;  // from `at_ms` on; a wait for a slot included
    double input = 0, cached = 0, output = 0, cost = 0;
};
struct Done {
    const Turn* turn = nullptr;
    int number = 0;     // within its session
    bool last = false;  // of its session
    int held = -1;
    double at_ms = 0;
    std::vector<Try> tries;
    int model = -1;  // who answered; -1: nobody
    bool good = false;
    bool explored = false;
    double waited_ms = 0;  // until the answer was there
};
using Watch = std::function<void(const Done&)>;
// Before a turn is decided.
using Clock = std::function<void(double at_ms)>;

// What a time came to.
struct Came {
    double value = 0, cloud = 0, waited = 0;  // in the currency; the last: seconds x what one costs
    double busy_ms = 0;                       // of the machine
    std::int64_t asked = 0, answered = 0, nobody = 0, too_late = 0;  // nobody may; all that may had no time
    std::int64_t private_asked = 0, private_home = 0;
    std::int64_t queued_out = 0;  // went elsewhere because home had no time
};
Came play(const World& world, const Looks& looks, const Asked& asked, Gateway& gateway, const Watch& watch = {},
          const Clock& clock = {});

// What is said and seen of an answer, by the world's people: source, value, weight as learning/ weighs them.
struct Sign {
    const char* source;
    double value, weight;
};
std::vector<Sign> signs_of(const World& world, const Looks& looks, const Done& done);

}  // namespace tandem::owners
