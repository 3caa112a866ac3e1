// The end of an answer, as everybody hears of it who wants to know what came of a request: experiments today, and
// whoever learns, counts or shows. An observer is a class and a line where the Services are made.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/label.h"
#include "chat/conversation.h"
#include "chat/told.h"
#include "ledger/ledger.h"
#include "net/worker.h"
#include "routing/routing.h"
#include "store/store.h"

namespace tandem::gateway {

class Gateway;

enum class Ending {
    answered,   // the client gets it
    cancelled,  // the client has left in its middle
    cut,        // it broke off in its middle, and nobody went on with it
    escalated,  // it did not pass, and the client gets another one
};
inline constexpr std::array<std::string_view, 4> kEndingNames = {"answered", "cancelled", "cut", "escalated"};

// Valid while finished() runs.
struct AnswerFinished {
    Ending how;
    Gateway& gateway;
    net::Worker& worker;  // whose thread this is
    const chat::Request& request;
    const std::string& alias;  // what the name that was asked for stands for
    const routing::Decision& decision;
    Label label;                           // of what was asked
    const ledger::AttemptRecord& attempt;  // who answered, what that took and costs
    const std::string& model;              // its id in the config
    const chat::Told& told;                // what was said, as far as it was
    std::string why;                       // it did not pass; empty where it did
    bool at_limit = false;                 // a bound of ours has ended it: that says nothing of the model
    bool several = false;                  // more models than one have said it
    bool aside = false;                    // no client has asked
    bool from_files = false;               // what the owner's files say is in the request: nobody keeps its text
    std::function<std::string()> unit;     // the conversation

    // What is wrong with it, so that nobody could use it; empty: nothing.
    std::string fault() const { return why.empty() ? chat::fault_of(told, request) : why; }
};

// Safe from any thread.
class AnswerObserver {
  public:
    virtual ~AnswerObserver() = default;
    // Whether it wants to hear of answers now; only then finished() is called, and the words of streams are kept for
    // it.
    virtual bool listens() const = 0;
    // What is to be committed with the answer; may be empty.
    virtual store::Store::Job finished(const AnswerFinished& finished) = 0;
};

}  // namespace tandem::gateway
