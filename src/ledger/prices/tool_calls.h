// Counts the tools that ran at the provider in a stream that never said what it used: a client left, or it broke off.
// Each search, call and container that was delivered has a fee as if the answer had come to its end.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/json.h"
#include "ledger/prices/buckets.h"

namespace tandem::prices {

class ToolCalls {
  public:
    // An event of a stream, in the dialect of its provider: items of OpenAI's and xAI's Responses, blocks of
    // Anthropic's Messages, grounding of Gemini. A call that is told again counts once; one that is said to have
    // failed at Anthropic has no fee. Calls beyond kMost are not counted.
    void take(const json::Value& event);
    // Whether it is worth to take an event of this text: most say nothing of tools.
    static bool may_tell(std::string_view event);
    // Buckets of tools alone.
    Buckets buckets() const;

    static constexpr std::size_t kMost = 1'000;

  private:
    void note(std::string id, Bucket bucket);
    void forget(const std::string& id) { calls_.erase(id); }
    void take_item(const json::Value& item, const json::Value& place);
    void take_block(const json::Value& block);
    void take_grounding(const json::Value& event);

    std::map<std::string, Bucket> calls_;  // by the id of a call, or of its container
    std::int64_t queries_ = 0;             // of Gemini's searches; each event may repeat them
    bool maps_ = false;
    bool preview_ = false;  // the request's searches are by OpenAI's older tool
};

// OpenAI's models of Chat Completions that search the web for each request, which no event of a stream tells.
bool searches_always(std::string_view model);

// Of all events of a stream: the lines "data: {...}" of it, or a JSON a line.
Buckets tools_in(std::string_view stream);

}  // namespace tandem::prices
