#include "config/failure.h"

#include "config/reader.h"

namespace tandem::config {

void read_failure(Section& s, FailurePolicy& failure) {
    s.number("attempts", failure.attempts, 1, 10);
    s.duration("attempt_timeout", failure.attempt_timeout);
    s.duration("timeout", failure.timeout);
    s.duration("longest_wait", failure.longest_wait);
    s.section("on", [&](Section& on) {
        for (std::size_t i = 0; i < kFailureClassNames.size(); ++i)
            on.choice(std::string(kFailureClassNames[i]), failure.on[i], kReactionNames);
    });
}

}  // namespace tandem::config
