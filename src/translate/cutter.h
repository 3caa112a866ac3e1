// The events of a stream, in whichever framing its dialect has.
#pragma once

#include <string_view>

#include "base/result.h"
#include "dialect/dialect.h"
#include "net/ndjson.h"
#include "net/sse.h"

namespace tandem::translate {

// Bounds and errors are those of the parsers in net/sse.h and net/ndjson.h.
class Cutter {
  public:
    explicit Cutter(dialect::Framing framing) : framing_(framing) {}
    // visit(type, data); type is "message" or empty where the stream names none.
    template <typename Visit>
    Result<> feed(std::string_view bytes, Visit&& visit) {
        if (framing_ == dialect::Framing::ndjson)
            return lines_.feed(bytes, [&](std::string_view line) { visit(std::string_view(), line); });
        return events_.feed(bytes, [&](const net::SseEvent& e) { visit(e.type, e.data); });
    }
    template <typename Visit>
    void finish(Visit&& visit) {
        if (framing_ == dialect::Framing::ndjson)
            lines_.finish([&](std::string_view line) { visit(std::string_view(), line); });
        else
            events_.finish([&](const net::SseEvent& e) { visit(e.type, e.data); });
    }

    std::size_t comments() const { return events_.comments(); }

  private:
    dialect::Framing framing_;
    net::SseParser events_;
    net::LineParser lines_;
};

}  // namespace tandem::translate
