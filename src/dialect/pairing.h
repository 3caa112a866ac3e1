// Ids for calls and results of dialects that have none: made from their place, so that the same history gets the same
// ids again. Private to dialect/.
#pragma once

#include <string>
#include <vector>

#include "chat/conversation.h"

namespace tandem::dialect {

class Pairing {
  public:
    // The id of the next call: its own, or one made.
    std::string call(std::string_view own_id, std::string_view name);
    // The id of the call that a result belongs to: its own, or that of the first unanswered call of this name, or of
    // any; empty where there is none.
    std::string result(std::string_view own_id, std::string_view name);

  private:
    struct Open {
        std::string id;
        std::string name;
    };
    std::vector<Open> open_;
    std::size_t count_ = 0;
};

}  // namespace tandem::dialect
