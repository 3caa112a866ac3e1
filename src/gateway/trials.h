// Where experiments touch the way of a request: who gets which model, and what came of it. experiment/ implements it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/id.h"
#include "base/label.h"
#include "chat/conversation.h"
#include "config/config.h"
#include "net/worker.h"
#include "routing/routing.h"
#include "store/store.h"

namespace tandem::gateway {

class Gateway;

// An answer that the client gets.
struct Given {
    Gateway& gateway;
    net::Worker& worker;
    const chat::Request& request;
    const std::string& alias;  // what the name that was asked for stands for
    DecisionId id;
    const routing::Decision& decision;
    Label label;        // of what was asked
    std::string unit;   // the conversation
    std::string model;  // who answered
    std::string text;
    std::string fault;  // chat::fault_of
};

// Safe from any thread.
class Trials {
  public:
    virtual ~Trials() = default;
    // Whether any experiment runs; else nothing else is called.
    virtual bool any() const = 0;
    // The model that a conversation is to get, always the same one.
    virtual std::optional<routing::Assigned> assign(const std::string& alias, const std::string& unit) const = 0;
    // What is to be committed with the answer; may be empty.
    virtual store::Store::Job answered(const Given& given) = 0;
};

}  // namespace tandem::gateway
