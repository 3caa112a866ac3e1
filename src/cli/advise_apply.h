// Making a proposal of `tandem advise` true, looking at what came of it, and taking it back. Private to cli/.
#pragma once

#include <string>

#include "advice/advise.h"
#include "cli/advice_input.h"

namespace tandem::cli {

// `which`: a number of the list, or the name of a combination. Keeps a backup, notes in the store what is predicted,
// and only then writes the config. The exit code.
int apply_advice(const Globals& globals, const AdviceInput& input, const advice::Advice& advice,
                 const std::string& which);
// What was predicted when advice was applied last, and what happened since.
int check_advice(const Globals& globals);
// Puts back what was there before, where nobody has changed the file since.
int undo_advice(const Globals& globals);

}  // namespace tandem::cli
