#include "config/failure.h"

#include "config/reader.h"

namespace tandem::config {

void read_failure(Section& s, FailurePolicy& failure) {
    s.number("attempts", failure.attempts, 1, 10);
    s.duration("attempt_timeout", failure.attempt_timeout);
    s.duration("timeout", failure.timeout);
    s.duration("longest_wait", failure.longest_wait);
    s.choice("on_cut", failure.on_cut, kOnCutNames);
    s.section("hedge", [&](Section& hedge) {
        failure.hedge = {};
        hedge.duration("after", failure.hedge.after);
        hedge.share("quantile", failure.hedge.quantile, 0.999);
        if (!failure.hedge.on())
            hedge.complain(
                "give `after: 2s`, or `quantile: 0.95`, or both (the time then counts until enough is known)");
    });
    s.section("on", [&](Section& on) {
        for (std::size_t i = 0; i < kFailureClassNames.size(); ++i)
            on.choice(std::string(kFailureClassNames[i]), failure.on[i], kReactionNames);
    });
}

}  // namespace tandem::config
