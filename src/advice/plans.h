// Who may answer a request in a combination, and in which order: routing::decide(), asked once for requests that are
// alike. Private to advice/.
//
// Two requests are alike that differ in nothing a rule or a bound of a model looks at but the length of the prompt, by
// less than a tenth, the difficulty, by less than four points, and how sure the kind of work is, by less than an
// eighth. Where a context or a rule's bound lies between the two, they are asked for one by one.
#pragma once

#include <array>
#include <unordered_map>
#include <vector>

#include "advice/evaluate.h"

namespace tandem::advice {

struct Plan {
    std::vector<std::uint16_t> order;   // numbers of the table's models
    Unserved reason = Unserved::other;  // where nobody may
    bool renamed = false;               // it named a model or a zone that is not there
};

class Plans {
  public:
    Plans(const Situation& situation, const Combination& combination);
    // Valid until the next call.
    const Plan& of(const Request& request);
    // Of the table's models; -1: none has this name.
    int number_of(std::int32_t model) const { return model < 0 ? -1 : recorded_[static_cast<std::size_t>(model)]; }

  private:
    using Key = std::array<std::int64_t, 7>;
    struct Hash {
        std::size_t operator()(const Key& key) const;
    };
    struct Name {
        std::string alias;
        bool renamed = false;
    };
    Name name_of(const std::string& alias) const;
    bool is_near_a_bound(const Request& request, std::int64_t low, std::int64_t high, int easy, int hard) const;
    Plan decided(const Request& request) const;

    const Situation& situation_;
    const Combination& combination_;
    std::vector<Name> names_;        // by Traffic::aliases
    std::vector<int> recorded_;      // by Traffic::models
    bool by_key_ = false;            // a rule looks at the key
    std::int32_t most_repeats_ = 0;  // that a rule looks at
    std::unordered_map<Key, Plan, Hash> known_;
    Plan scratch_;
};

}  // namespace tandem::advice
