// What the servers of models have refused, and so want otherwise: learned once for each model (dialect/wants.h).
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "dialect/wants.h"

namespace tandem::translate {

// Safe from any thread.
class LearnedWants {
  public:
    static constexpr std::size_t kMost = 1024;  // models that are remembered; then the memory begins anew

    dialect::Wants of(const std::string& provider, const std::string& model) const;
    // Reads a refusal (status and body of the answer). True where it tells of something that was not known before: it
    // is remembered, and asking again helps.
    bool learn(const std::string& provider, const std::string& model, int status, std::string_view body);

  private:
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, dialect::Wants> wants_;
};

}  // namespace tandem::translate
