// Lines of a text with their numbers and places. Private to extract/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tandem::retrieval {

struct Line {
    std::string_view text;  // without its line break
    std::size_t begin, end;
    std::uint32_t number;  // from 1
};

// Calls visit(line) for each line until it gives false.
template <typename Visit>
void each_line(std::string_view text, Visit&& visit) {
    std::uint32_t number = 1;
    for (std::size_t at = 0; at < text.size(); ++number) {
        const auto end = std::min(text.find('\n', at), text.size());
        auto line = text.substr(at, end - at);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!visit(Line{line, at, end, number})) return;
        at = end + 1;
    }
}

inline bool is_blank_line(std::string_view line) {
    return line.find_first_not_of(" \t\r\f\v") == std::string_view::npos;
}

// From a place in a text to its line, for places that are asked in any order.
class LineTable {
  public:
    explicit LineTable(std::string_view text) {
        starts_.push_back(0);
        for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1))
            starts_.push_back(at + 1);
    }
    std::uint32_t line_of(std::size_t at) const {
        return static_cast<std::uint32_t>(std::ranges::upper_bound(starts_, at) - starts_.begin());
    }

  private:
    std::vector<std::size_t> starts_;
};

}  // namespace tandem::retrieval
