// Charts as SVG text: axes with ticks, a legend, colours by class so that a page's style has them in dark and light.
// Pure; all text is escaped. Values are whole numbers, and so is every coordinate (in tenths of a pixel).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::ledger::reports {

// For text and for values of attributes in quotes. Control characters and what is no UTF-8 become U+FFFD.
std::string escaped(std::string_view text);

struct Series {
    std::string name;
    std::vector<std::int64_t> values;  // of each place on the axis, 0 or more
    int colour = 0;                    // 0 to kColours - 1
};
inline constexpr int kColours = 9;

struct Chart {
    std::string title;                              // for readers that do not see it
    std::vector<std::string> places;                // on the axis, in order
    std::vector<Series> series;                     // stacked, the first at the foot
    std::function<std::string(std::int64_t)> unit;  // a value in words, for ticks and for what the pointer is over
};
// Columns that stand side by side, each of the series on top of each other.
std::string stacked_columns(const Chart& chart);
// One bar for each place, from the left, with its name in front and its value behind; of the first series alone.
std::string bars(const Chart& chart);

// About four steps of 1, 2 or 5 times a power of ten that reach `most`; the last is at or above it. {0, 1} for 0.
std::vector<std::int64_t> ticks_for(std::int64_t most);

}  // namespace tandem::ledger::reports
