// Grammars that were made lately, by what they were made from: an agent offers the same tools in each of its turns, and
// a client asks for the same schema again and again.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "base/hash.h"
#include "chat/conversation.h"
#include "tools/hold.h"

namespace tandem::tools {

// Safe to use from several threads. A grammar has at most SchemaGrammar::kMostBytes, so all have at most 8 MiB.
class KeptGrammars {
  public:
    static constexpr std::size_t kMost = 32;

    // As hold_calls() and hold_answer() (tools/hold.h) make them; nullptr where those give none, which is kept as well.
    std::shared_ptr<const Held> calls(const chat::Request& request);
    std::shared_ptr<const Held> answer(const chat::ResponseFormat& format);

  private:
    struct Kept {
        Digest made_from;
        std::shared_ptr<const Held> held;
    };
    template <typename Make>
    std::shared_ptr<const Held> kept_or(const Digest& made_from, Make&& make);

    std::mutex mutex_;
    std::vector<Kept> kept_;  // the newest last
};

}  // namespace tandem::tools
