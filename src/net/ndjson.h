// Streams of one JSON text a line, read piece by piece as the network cuts them.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tandem::net {

class LineParser {
  public:
    static constexpr std::size_t kLargestLine = 8 * 1024 * 1024;
    using Visit = std::function<void(std::string_view)>;
    // Visits each whole line that is not empty, without its end. Errors: upstream, for a line over kLargestLine.
    Result<> feed(std::string_view bytes, const Visit& visit);
    // The end of the stream: visits a line that lacks its end.
    void finish(const Visit& visit);

  private:
    std::string partial_;
};

}  // namespace tandem::net
