// Calls of an answer, read where the model wrote them and held to what they are to be.
#pragma once

#include <memory>

#include "chat/filter.h"
#include "tools/notes.h"
#include "tools/offer.h"

namespace tandem::tools {

// Calls that a model writes into its text, since its server reads none there, become calls (family.h, bare.h). Text
// that can be no call is said at once; held back is only what may be the head of a mark, what follows one until it is a
// call or none, white space, and an answer that may be calls alone. `bare`: these are read too. `id`: what ids of calls
// begin with, unique for the answer.
std::unique_ptr<chat::EventFilter> written_calls(std::shared_ptr<const Offer> offer, std::string id, bool bare,
                                                 std::shared_ptr<CallNotes> notes);

// Every call is held until it is whole, and said as settle() leaves it. One that is still wrong, or of a tool that
// nobody offers: where the client has seen nothing of the answer, and the model can be asked again, the answer fails
// (provider_misspoke), else it is said as it is, with a warning. A name that is not known says nothing where there are
// tools whose calls are not judged.
std::unique_ptr<chat::EventFilter> held_calls(std::shared_ptr<const Offer> offer, Holding holding,
                                              std::shared_ptr<CallNotes> notes);

// An answer that is to be JSON of this schema, checked at its end: it fails as a call does, or is said with a warning.
// An answer that calls tools, or that was cut, is as it is.
std::unique_ptr<chat::EventFilter> held_json(const std::string& schema, Holding holding,
                                             std::shared_ptr<CallNotes> notes);

}  // namespace tandem::tools
