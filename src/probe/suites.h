// The suites that there are, by name: a file in suites/ with make_NAME(), and a line here. Private to probe/.
#pragma once

#include <memory>

#include "probe/suite.h"

namespace tandem::probe {

// clang-format off
#define TANDEM_SUITES(X)                                                                        \
    X(basics, "short questions of eight kinds, from which the router learns")                   \
    X(compatibility, "what the server honours of what a request may ask for")                   \
    X(context, "how long a prompt may be before what stands in it is lost")                     \
    X(instructions, "answers of a form that was asked for")                                     \
    X(json, "answers in JSON and by a schema, with the right values")                           \
    X(languages, "questions in other languages than English")                                   \
    X(reasoning, "arithmetic and logic of rising depth")                                        \
    X(speed, "the first token, reading and writing, alone and beside others")                   \
    X(tools, "calls of tools: the right ones, and none where none fits")
// clang-format on

#define TANDEM_DECLARE(name, about) std::unique_ptr<Suite> make_##name(const Subject& subject);
TANDEM_SUITES(TANDEM_DECLARE)
#undef TANDEM_DECLARE

}  // namespace tandem::probe
