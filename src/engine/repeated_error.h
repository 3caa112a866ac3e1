// When an error that comes again and again is worth a line in the log. Private to engine/.
#pragma once

#include <algorithm>
#include <string>

#include "base/world.h"

namespace tandem::engine {

// Another error is logged at once; the same again only after a pause, which doubles each time.
class RepeatedError {
  public:
    static constexpr milliseconds kFirstPause{60'000};
    static constexpr milliseconds kLongestPause{3'600'000};

    bool is_to_be_logged(const std::string& error, SteadyTime now) {
        const bool same = last_ == error;
        if (same && now < again_) return false;
        pause_ = same ? std::min(kLongestPause, pause_ * 2) : kFirstPause;
        again_ = now + pause_;
        last_ = error;
        return true;
    }
    // After the error that is_to_be_logged() was last true for.
    milliseconds pause() const { return pause_; }
    // What it was about went well.
    void forget() { last_.clear(); }

  private:
    std::string last_;
    milliseconds pause_{0};
    SteadyTime again_{};
};

}  // namespace tandem::engine
