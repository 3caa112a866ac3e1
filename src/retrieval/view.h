// Who sees which collections: the one place that decides it. Whatever shows something of a collection takes a View.
#pragma once

#include <string>

#include "access/principal.h"
#include "config/retrieval.h"

namespace tandem::retrieval {

class View {
  public:
    // The owner sees all; so does everybody where there are no keys; a key sees the collections that name it.
    static View of(const access::Principal& who);
    bool sees(const config::Collection& collection) const;

  private:
    View(bool all, std::string id) : all_(all), id_(std::move(id)) {}
    bool all_;
    std::string id_;
};

}  // namespace tandem::retrieval
