// What servers of Chat Completions call the bound of an answer: `max_tokens`, or `max_completion_tokens`. Some take
// one, some the other, and which one is in no list: a refusal tells, once for each model.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace tandem::upstream {

// Safe from any thread.
class BoundWords {
  public:
    static constexpr std::string_view kModern = "max_completion_tokens", kPlain = "max_tokens";
    static constexpr std::size_t kMost = 1024;  // models that are remembered; then the memory begins anew

    // The word that this model's server takes; empty: it has refused none.
    std::string_view of(const std::string& provider, const std::string& model) const;
    // Reads a refusal (status and body of the answer). True where it is of one of the two words and was not known
    // before: the other one is remembered, and asking again helps.
    bool learn(const std::string& provider, const std::string& model, int status, std::string_view body);

  private:
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, std::string_view> words_;
};

}  // namespace tandem::upstream
