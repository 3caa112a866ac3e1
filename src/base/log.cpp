#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <ctime>
#include <deque>
#include <memory>
#include <mutex>

#include "base/json.h"

namespace tandem::log {

namespace {

// A line on its way: what happened, then for each field a mark of its kind, its name, a mark, its value. Values have no
// control characters.
constexpr char kText = '\x1c', kNumber = '\x1d', kEquals = '\x1f';

constexpr std::array<spdlog::level::level_enum, 4> kLevels = {spdlog::level::debug, spdlog::level::info,
                                                              spdlog::level::warn, spdlog::level::err};

std::atomic<bool> started{false};
std::atomic<Format> format_now{Format::text};

bool is_mark(char c) {
    return c == kText || c == kNumber;
}

// visit(name, value, is_number) for each field of a line; gives what stands before the first.
template <typename Visit>
std::string_view each_field(std::string_view line, Visit&& visit) {
    const auto end = std::min(line.find_first_of("\x1c\x1d"), line.size());
    const auto what = line.substr(0, end);
    line.remove_prefix(end);
    while (!line.empty() && is_mark(line[0])) {
        const bool number = line[0] == kNumber;
        line.remove_prefix(1);
        const auto equals = std::min(line.find(kEquals), line.size());
        const auto next = std::min(line.find_first_of("\x1c\x1d", equals), line.size());
        visit(line.substr(0, equals), line.substr(std::min(equals + 1, next), next - std::min(equals + 1, next)),
              number);
        line.remove_prefix(next);
    }
    return what;
}

// " name=value", " name="two words""
void append_field(std::string& line, std::string_view name, std::string_view value) {
    line.append(" ").append(name).append("=");
    if (!value.empty() && value.find_first_of(" \"=\\") == std::string_view::npos) {
        line += value;
        return;
    }
    line += '"';
    for (const char c : value) {
        if (c == '"' || c == '\\') line += '\\';
        line += c;
    }
    line += '"';
}

// "what happened name=value name="two words""
std::string as_text(std::string_view line) {
    std::string fields;
    const auto what = each_field(
        line, [&](std::string_view name, std::string_view value, bool) { append_field(fields, name, value); });
    return std::string(what) + fields;
}

std::string as_json(std::string_view time, std::string_view level, std::string_view line) {
    json::Writer out;
    out.begin_object().member("time", time).member("level", level);
    const auto what = line.substr(0, std::min(line.find_first_of("\x1c\x1d"), line.size()));
    out.member("message", what);
    each_field(line, [&](std::string_view name, std::string_view value, bool number) {
        if (number)
            out.raw_member(name, value);
        else
            out.member(name, value);
    });
    return out.end_object().take();
}

std::int64_t ms_of(const spdlog::details::log_msg& message) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(message.time.time_since_epoch()).count();
}

std::string_view view(spdlog::string_view_t text) {
    return {text.data(), text.size()};
}

std::string_view level_name(spdlog::level::level_enum level) {
    if (level <= spdlog::level::debug) return "debug";
    if (level == spdlog::level::info) return "info";
    return level == spdlog::level::warn ? "warning" : "error";
}

class Formatter final : public spdlog::formatter {
  public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        const auto time = time_text(ms_of(message));
        const auto level = level_name(message.level);
        auto append = [&](std::string_view text) { out.append(text.data(), text.data() + text.size()); };
        if (format_now == Format::json) {
            append(as_json(time, level, view(message.payload)));
        } else {
            append(time + " ");
            message.color_range_start = out.size();
            append(level);
            message.color_range_end = out.size();
            append(" " + as_text(view(message.payload)));
        }
        append("\n");
    }
    std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<Formatter>(); }
};

// What `recent` gives.
class Memory final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    Recent recent(std::int64_t after, std::int64_t since) {
        const std::lock_guard lock(mutex_);
        Recent result;
        result.next = first_ + static_cast<std::int64_t>(lines_.size());
        if (!lines_.empty()) result.first = lines_.front().time;
        result.missed = after < first_ && (after > 0 || first_ > begun_);
        auto from = static_cast<std::size_t>(std::clamp<std::int64_t>(after - first_, 0, result.next - first_));
        for (; from < lines_.size(); ++from) {
            const auto& [line, level, time] = lines_[from];
            if (time >= since) result.lines += as_json(time_text(time), level_name(level), line) + "\n";
        }
        return result;
    }

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        lines_.push_back({std::string(view(message.payload)), message.level, ms_of(message)});
        bytes_ += lines_.back().line.size() + sizeof(Remembered);
        while (bytes_ > kRemembered) {
            bytes_ -= lines_.front().line.size() + sizeof(Remembered);
            lines_.pop_front();
            ++first_;
        }
    }
    void flush_() override {}

  private:
    // As it came: whoever asks for a line gets it as JSON, and most are never asked for.
    struct Remembered {
        std::string line;
        spdlog::level::level_enum level;
        std::int64_t time;
    };
    std::deque<Remembered> lines_;
    std::size_t bytes_ = 0;
    // Numbers go on from those of the process before, or a follower of it would take ours for lines that it has.
    std::int64_t begun_ =
        duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    std::int64_t first_ = begun_;  // number of the first line
};

std::shared_ptr<Memory> memory;

}  // namespace

std::string line_as_text(std::string_view json) {
    json::Document document;
    if (!document.parse(json)) return {};
    std::string line;
    for (const auto member : document.root().children()) {
        const auto name = member.key();
        if (name == "time" || name == "level" || name == "message")
            line.append(line.empty() ? "" : " ").append(member.text());
        else
            append_field(line, name, member.text());
    }
    return line;
}

namespace {

// A minute of local time. The zone's rules are looked up once for each minute: they change on whole minutes only.
struct Minute {
    std::int64_t number = INT64_MIN;  // since 1970
    std::string begin, end;           // what stands before the seconds and behind them
};

Minute minute_of(std::int64_t number) {
    const auto seconds = static_cast<std::time_t>(number * 60);
    std::tm parts{};
    localtime_r(&seconds, &parts);
    const long offset = parts.tm_gmtoff / 60;
    return {number,
            fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                        parts.tm_hour, parts.tm_min),
            fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', std::abs(offset) / 60, std::abs(offset) % 60)};
}

}  // namespace

std::string time_text(std::int64_t milliseconds_since_1970) {
    constexpr std::int64_t kMinute = 60'000;
    thread_local Minute minute;
    const auto within = (milliseconds_since_1970 % kMinute + kMinute) % kMinute;
    if (const auto number = (milliseconds_since_1970 - within) / kMinute; number != minute.number)
        minute = minute_of(number);
    return fmt::format("{}{:02}.{:03}{}", minute.begin, within / 1000, within % 1000, minute.end);
}

Line::Line(Level level, std::string_view what)
    : on_(spdlog::should_log(kLevels[static_cast<std::size_t>(level)])), level_(level) {
    if (on_) text_ = what;
}

Line::~Line() {
    if (!on_) return;
    const auto level = kLevels[static_cast<std::size_t>(level_)];
    const auto& text = started ? text_ : as_text(text_);
    spdlog::default_logger_raw()->log(level, spdlog::string_view_t(text.data(), text.size()));
}

Line& Line::add(std::string_view name, std::string_view value) {
    if (!on_ || value.empty()) return *this;
    text_ += kText;
    text_.append(name) += kEquals;
    for (const char c : value) text_ += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    return *this;
}

Line& Line::add(std::string_view name, std::int64_t value) {
    return add_number(name, std::to_string(value));
}

Line& Line::add_number(std::string_view name, std::string_view number) {
    if (!on_) return *this;
    text_ += kNumber;
    text_.append(name) += kEquals;
    text_ += number;
    return *this;
}

void start(const Settings& settings) {
    spdlog::init_thread_pool(kQueue, 1);
    memory = std::make_shared<Memory>();
    auto errors = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    errors->set_formatter(std::make_unique<Formatter>());
    spdlog::set_default_logger(std::make_shared<spdlog::async_logger>("tandem", spdlog::sinks_init_list{errors, memory},
                                                                      spdlog::thread_pool(),
                                                                      spdlog::async_overflow_policy::overrun_oldest));
    started = true;
    configure(settings);
}

void configure(const Settings& settings) {
    format_now = settings.format;
    spdlog::set_level(kLevels[static_cast<std::size_t>(settings.level)]);
}

void stop() {
    started = false;
    auto plain = std::make_shared<spdlog::logger>("tandem", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    spdlog::shutdown();
    spdlog::set_default_logger(std::move(plain));
}

Recent recent(std::int64_t after, std::int64_t since) {
    return memory ? memory->recent(after, since) : Recent{};
}

}  // namespace tandem::log
