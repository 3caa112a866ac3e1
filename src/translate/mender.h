// Events of a provider whose JSON is not quite JSON. A character that was cut in two at the end of one event's text and
// goes on in the next one's is joined: the first event waits for the second. A half whose other half never comes
// becomes U+FFFD. Private to gateway/.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace tandem::translate {

class Mender {
  public:
    // Events that wait at most, and their bytes: then the first goes on as it is.
    static constexpr std::size_t kMostEvents = 64, kMostBytes = 1UL << 20;

    using Visit = std::function<void(std::string_view type, std::string_view data)>;

    // Whether events wait: those that follow must come through take(), whole or not, so that their order stays.
    bool waits() const { return !queue_.empty(); }
    // Takes an event, and visits those that nothing is missing from any more. False where it is no JSON in any way; it
    // is left out then.
    bool take(std::string_view type, std::string_view data, const Visit& visit);
    // Nothing follows.
    void end(const Visit& visit);

  private:
    struct Edit {
        std::size_t offset, length;
        std::string text;
    };
    // A text of an event that ends within a character.
    struct Open {
        std::string path;
        Edit marks;
    };
    struct Event {
        std::string type, data;
        std::vector<Edit> edits;
        std::vector<Open> open;
    };

    void walk(const json::Value& value, const std::string& path, Event& event);
    void text(const json::Value& value, const std::string& path, Event& event);
    void flush(bool all, const Visit& visit);

    std::deque<Event> queue_;
    std::size_t bytes_ = 0;
};

}  // namespace tandem::translate
