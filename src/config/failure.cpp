#include "config/failure.h"

#include "config/reader.h"

namespace tandem::config {

namespace {

// Of each FailureClass.
constexpr std::array<const char*, kFailureClassNames.size()> kWhenItFails = {
    "no connection, or it broke",
    "nothing came in time",
    "429, 408",
    "5xx",
    "401, 403: the key is not taken; 402: there is no credit",
    "404 and redirects: no such model there",
    "the prompt does not fit the model's context",
    "the provider will not answer such a thing",
    "a 200 that cannot be read, or breaks off",
    "every other 4xx: the request itself is wrong"};

}  // namespace

void read_failure(Section& s, FailurePolicy& failure) {
    s.number("attempts", failure.attempts, 1, 10, "tries at one model before its first byte");
    s.duration("attempt_timeout", failure.attempt_timeout,
               {"until an attempt's answer begins", "the provider's `first_byte_timeout`"});
    s.duration("timeout", failure.timeout,
               {"of the request as a whole; `x-tandem-timeout` can shorten it", "`server.request_timeout`"});
    s.duration("longest_wait", failure.longest_wait, "what Retry-After may ask for; more means the next model");
    s.choice("on_cut", failure.on_cut, kOnCutNames,
             "a stream that breaks off: tell the client, let another model go on, or begin again");
    s.section("hedge", "a second model that is asked beside a slow one; one of the two, or both", [&](Section& hedge) {
        failure.hedge = {};
        hedge.duration("after", failure.hedge.after,
                       {"the next model is asked beside a first one that says nothing for so long", "none"});
        hedge.share("quantile", failure.hedge.quantile, 0, 0.999,
                    {"or for longer than this share of its last answers took", "none"});
        if (!failure.hedge.on())
            hedge.complain(
                "give `after: 2s`, or `quantile: 0.95`, or both (the time then counts until enough is known)");
    });
    s.section("on", "what is done where an attempt fails, by what went wrong", [&](Section& on) {
        for (std::size_t i = 0; i < kFailureClassNames.size(); ++i)
            on.choice(std::string(kFailureClassNames[i]), failure.on[i], kReactionNames, kWhenItFails[i]);
    });
}

}  // namespace tandem::config
