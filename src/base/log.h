// The log of a server: a line for each thing that happens, on stderr and in a bounded memory that commands read.
//
// A line never holds content: what clients, models, providers and files say stays out of it, and so do secrets. Fields
// are names of the owner's config, ids and words of our own, and numbers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tandem::log {

enum class Level { debug, info, warning, error };
inline constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warning", "error"};

enum class Format { text, json };
inline constexpr std::array<std::string_view, 2> kFormatNames = {"text", "json"};

struct Settings {
    Level level = Level::info;  // what is below is not written, and not remembered
    Format format = Format::text;
    bool operator==(const Settings&) const = default;
};

// One line, written when it goes.
//
//     log::Line(log::Level::warning, "an attempt failed").add("provider", provider.id).add("status", 503);
class Line {
  public:
    // `what` is ours, and always the same for the same kind of thing.
    Line(Level level, std::string_view what);
    ~Line();
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    // An empty value is left out. Control characters become '?'.
    Line& add(std::string_view name, std::string_view value);
    Line& add(std::string_view name, std::int64_t value);
    // A number that is text already: a decimal.
    Line& add_number(std::string_view name, std::string_view number);

  private:
    bool on_;
    Level level_;
    std::string text_;
};

inline constexpr std::size_t kQueue = 2'048;

// From here on lines go to stderr, by a thread of their own: whoever writes one never waits for whoever reads it, and
// where that one is too slow the oldest of kQueue lines are dropped. Called once, before other threads are made and
// with the signals blocked that they shall not take.
void start(const Settings& settings);
// Changes it for the lines that follow.
void configure(const Settings& settings);
// Writes what is queued. Lines after it go to stderr directly.
void stop();

// The last lines as JSON objects, one a line, at most kRemembered bytes of them.
inline constexpr std::size_t kRemembered = 2 << 20;
struct Recent {
    std::string lines;
    std::int64_t next = 0;   // give this as `after` to get what follows
    std::int64_t first = 0;  // milliseconds since 1970 of the oldest line that is remembered; 0: there is none
    bool missed = false;     // lines behind `after` are forgotten already
};
// Those with a number of at least `after`, from `since` (milliseconds since 1970) on.
Recent recent(std::int64_t after, std::int64_t since);

// A line as JSON in the words of the text format; empty where it is none.
std::string line_as_text(std::string_view json);

// "2026-11-26T00:31:19.123+01:00", in the zone of this process.
std::string time_text(std::int64_t milliseconds_since_1970);

}  // namespace tandem::log
