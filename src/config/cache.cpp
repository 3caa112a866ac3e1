// cache: answers that are given again.
#include "config/reader.h"

namespace tandem::config {

void read_cache(Section& s, Config& config) {
    s.duration(
        "ttl", config.cache.ttl,
        About("an answer is given again to exactly the same request of the same key under the same label, for so "
              "long, and says so in `x-tandem-cache`. In memory only; never of secret content; `x-tandem-cache: "
              "no` or `Cache-Control: no-cache` asks anew")
            .such_as("10m")
            .required(": how long an answer may be given again, such as 10m"));
    s.bytes("size", config.cache.bytes, 1UL << 20, 64UL << 30, "of all kept answers");
    s.section(
        "similar",
        "answers are also given to a request whose last turn means nearly the same, where the conversation before "
        "it and all else are the same, and so are its numbers, negations, names, signs and what is quoted",
        [&](Section& one) {
            one.text("model", config.cache.similar,
                     About("a model that claims `embeddings`. Costs an embedding for each request that is not in "
                           "the cache; content that the model may not see is not looked up")
                         .required());
            want_embeddings(one, config, "model", config.cache.similar);
            // Below one half, texts have little in common.
            one.share("at_least", config.cache.at_least, 0.5, 1, "the cosine of the two");
        });
}

}  // namespace tandem::config
