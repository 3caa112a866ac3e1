// What the servers of models have refused, and so want otherwise: learned once for each model (dialect/wants.h).
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "dialect/wants.h"

namespace tandem::translate {

// Safe from any thread.
class LearnedWants {
  public:
    static constexpr std::size_t kMost = 1024;  // models that are remembered; then the memory begins anew

    // `key`: who asks; what it alone has found out is its own.
    dialect::Wants of(const std::string& provider, const std::string& model, const std::string& key) const;
    // Reads a refusal (status and body of the answer) of a request that can go without the fields `leavable`. True
    // where it tells of something that was not known before: it is remembered, and asking again helps.
    bool learn(const std::string& provider, const std::string& model, int status, std::string_view body,
               const std::vector<std::string>& leavable);
    // What was refused in the client's words and taken in plain ones (plainer.h). That may have been for what the
    // client said in them, so it is remembered for its key alone.
    void learn_plain(const std::string& key, const std::string& provider, const std::string& model,
                     const std::set<std::string>& unusual);

  private:
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, dialect::Wants> wants_;
    std::map<std::tuple<std::string, std::string, std::string>, std::set<std::string>> unusual_;  // by key first
};

}  // namespace tandem::translate
