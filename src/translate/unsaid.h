// Pictures, sound and files of an answer that the client's dialect has no place for. An answer that is said anew leaves
// them out: they are counted here, and the client and the record are told (law 3: no silent change).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "chat/conversation.h"

namespace tandem::translate {

class Unsaid {
  public:
    void add(const chat::Media& media);
    // What was left out, for a person; empty: nothing was. `provider`: its id.
    std::string text(std::string_view provider) const;

  private:
    std::int64_t pictures_ = 0, sounds_ = 0, files_ = 0;
};

}  // namespace tandem::translate
