// Server-sent events, read piece by piece as the network cuts them
// (https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tandem::net {

struct SseEvent {
    std::string_view type;  // "message" where the stream names none
    std::string_view data;  // lines joined by \n
};

class SseParser {
  public:
    static constexpr std::size_t kLargestEvent = 8 * 1024 * 1024;

    using Visit = std::function<void(const SseEvent&)>;

    // Takes the next bytes of the stream, cut anywhere, and visits each event that they complete. Lines end in CR, LF
    // or CRLF; comments, ids, retries and unknown fields are skipped; a BOM at the start too.
    // Errors: upstream, when one event is larger than kLargestEvent. Nothing may be fed after an error.
    Result<> feed(std::string_view bytes, const Visit& visit);

    // The end of the stream: visits an event that lacks its blank line, which some servers leave out. (The
    // specification drops it; a dropped last event would be lost usage, or a lost answer.)
    void finish(const Visit& visit);

    // Comments so far: what a server says to keep its line.
    std::size_t comments() const { return comments_; }

  private:
    void line(std::string_view line, const Visit& visit);
    void dispatch(const Visit& visit);

    std::string partial_;  // a line whose end has not come
    std::string data_;
    std::string type_;
    std::size_t comments_ = 0;
    bool has_data_ = false;
    bool after_cr_ = false;
    bool at_start_ = true;
};

// The bytes of one event with this data; a line break in it is written as the format wants.
std::string sse_event(std::string_view data);
void append_sse_event(std::string& out, std::string_view data);

}  // namespace tandem::net
