// Who may answer a request in a combination, and in which order: routing::decide(), asked once for requests that are
// alike. Private to advice/.
//
// Two requests are alike that differ in nothing a rule or a bound of a model looks at but the length of the prompt, by
// less than a fifth, the difficulty, by less than five points, how sure the kind of work is, by less than a third, and
// what the router thought of the models then, by less than a tenth. Where a context or a rule's bound lies between the
// two, they are asked for one by one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "advice/evaluate.h"

namespace tandem::advice {

struct Plan {
    std::vector<std::uint16_t> order;   // numbers of the table's models
    Unserved reason = Unserved::other;  // where nobody may
    bool renamed = false;               // it named a model or a zone that is not there
};

// The shapes that requests of a traffic have: numbers of what is alike, whatever the combination.
class Shapes {
  public:
    // `table` says what rules look at.
    Shapes(const Traffic& traffic, const routing::Table& table);
    struct Shape {
        std::size_t first = 0;               // number of the first request that has it
        std::int64_t short_ = 0, long_ = 0;  // prompt tokens of those that have it
        int easy = 0, hard = 0;              // difficulty
    };
    const std::vector<Shape>& all() const { return shapes_; }
    std::uint32_t of(std::size_t request) const { return of_[request]; }

  private:
    std::vector<Shape> shapes_;
    std::vector<std::uint32_t> of_;
};

class Plans {
  public:
    // All three are borrowed.
    Plans(const Situation& situation, const Combination& combination, const Shapes& shapes);
    // Of a request by its number; valid until the next call. `held`: number of the table's model that answered the turn
    // before in this combination; -1: none, or none is known.
    const Plan& of(std::size_t request, int held);
    // Of the table's models, by the number in Traffic::models; -1: none has this name.
    int number_of(std::int32_t model) const { return model < 0 ? -1 : recorded_[static_cast<std::size_t>(model)]; }

  private:
    struct Name {
        std::string alias;
        bool renamed = false;
    };
    Name name_of(const std::string& alias) const;
    bool holds_a_bound(const Shapes::Shape& shape) const;
    Plan decided(std::size_t request, int held) const;
    routing::Outlook outlook_of(const routing::Table::Entry& entry, const ModelKnowledge& known, std::size_t request,
                                std::span<const Thought> thoughts) const;

    enum class Known : std::uint8_t { no, yes, one_by_one };
    const Situation& situation_;
    const Combination& combination_;
    const Shapes& shapes_;
    std::vector<Name> names_;    // by Traffic::aliases
    std::vector<int> recorded_;  // by Traffic::models
    std::vector<Known> known_;   // by shape and who is held
    std::vector<Plan> plans_;    // the same
    Plan scratch_;
};

}  // namespace tandem::advice
