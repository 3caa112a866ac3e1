// The stages of a request as types. Each is made of the one before, by Preparation alone, so that deciding on what has
// no label, or asking a model before it is decided which, does not compile. Private to gateway/.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "gateway/standing.h"
#include "learning/learning.h"
#include "privacy/memory.h"
#include "privacy/privacy.h"

namespace tandem::gateway {

// Its body is decoded, and what it holds has a label.
class Labelled {
  public:
    Labelled(Labelled&&) = default;
    Labelled& operator=(Labelled&&) = default;

    Label label() const { return found_.label; }
    // Its label without the floor of a full memory: what is remembered of it.
    const privacy::Known& of_itself() const { return of_itself_; }
    // What the client says in anthropic-beta and may be handed on.
    const std::string& betas() const { return betas_; }

  private:
    friend class Preparation;
    Labelled() = default;
    privacy::Labelled found_;
    privacy::Known of_itself_;
    std::string betas_;
};

// It is decided which models may be asked, and in which order.
class Decided {
  public:
    Decided(Decided&&) = default;
    Decided& operator=(Decided&&) = default;

    const Labelled& labelled() const { return labelled_; }
    const routing::Inputs& inputs() const { return *inputs_; }
    const routing::Decision& decision() const { return *decision_; }
    const std::vector<routing::Candidate>& candidates() const { return decision_->candidates; }
    // The provider that is asked though it is left alone; empty: none.
    const std::string& last_resort() const { return last_resort_; }
    // Where it stands among what is learned from.
    const learning::Learning::Place& place() const { return place_; }
    // For the record, which is written on another thread.
    const std::shared_ptr<const routing::Inputs>& shared_inputs() const { return inputs_; }
    const std::shared_ptr<const routing::Decision>& shared_decision() const { return decision_; }

  private:
    friend class Preparation;
    Decided(Labelled&& labelled, learning::Learning::Place place)
        : labelled_(std::move(labelled)), place_(std::move(place)) {}
    Labelled labelled_;
    learning::Learning::Place place_;
    std::shared_ptr<const routing::Inputs> inputs_;
    std::shared_ptr<const routing::Decision> decision_;
    std::string last_resort_;
};

}  // namespace tandem::gateway
