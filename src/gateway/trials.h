// Where experiments touch the way of a request: who gets which model. What came of it they hear as observers
// (gateway/finished.h). experiment/ implements it.
#pragma once

#include <optional>
#include <string>

#include "routing/routing.h"

namespace tandem::gateway {

// Safe from any thread.
class Trials {
  public:
    virtual ~Trials() = default;
    // Whether any experiment runs; else nothing else is called.
    virtual bool any() const = 0;
    // The model that a conversation is to get, always the same one.
    virtual std::optional<routing::Assigned> assign(const std::string& alias, const std::string& unit) const = 0;
};

}  // namespace tandem::gateway
