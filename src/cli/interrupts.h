// Signals that ask a command to end what it is doing, and not the command. Private to cli/.
#pragma once

#include <initializer_list>

namespace tandem::cli {

// From now on these signals end nothing, are noted, and interrupt a read (no SA_RESTART).
void listen_for_interrupts(std::initializer_list<int> signals);
// Whether one has come since the start, or since forget_interrupts().
bool is_interrupted();
void forget_interrupts();

}  // namespace tandem::cli
