// SHA-256 over pieces, for what is too large for memory. Of one text: sha256() in hash.h.
#pragma once

#include <memory>
#include <string_view>

#include "base/hash.h"

namespace tandem {

class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;
    void add(std::string_view bytes);
    Digest finish();  // once, at the end

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tandem
