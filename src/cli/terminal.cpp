#include "cli/terminal.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <iostream>
#include <streambuf>
#include <utility>

#include "base/descriptor.h"

namespace tandem::cli {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr unsigned char kDelete = 0x7F;

// U+2400 and the 32 after it show the control characters, U+2421 shows DELETE.
void add_visible(unsigned char control, std::string& out) {
    const auto shown = control == kDelete ? 0x21 : control;
    out += "\xE2\x90";
    out += static_cast<char>(0x80 + shown);
}

bool is_continuation(unsigned char byte) {
    return (byte & 0xC0U) == 0x80;
}

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool may_follow(unsigned char first, unsigned char second) {
    if (!is_continuation(second)) return false;
    switch (first) {
        case 0xE0:
            return second >= 0xA0;
        case 0xED:
            return second <= 0x9F;
        case 0xF0:
            return second >= 0x90;
        case 0xF4:
            return second <= 0x8F;
        default:
            return true;
    }
}

// Characters that a terminal acts upon instead of showing them.
bool acts(std::string_view character) {
    if (character.size() == 2) return character[0] == '\xC2' && static_cast<unsigned char>(character[1]) < 0xA0;  // C1
    if (character.size() != 3) return false;
    const auto last = static_cast<unsigned char>(character[2]);
    if (character.starts_with("\xE2\x80")) return last >= 0xAA && last <= 0xAE;  // U+202A to U+202E
    return character.starts_with("\xE2\x81") && last >= 0xA6 && last <= 0xAF;    // U+2066 to U+206F
}

struct Guarded {
    int fd;
    TerminalFilter filter;
};

ssize_t write_filtered(void* cookie, const char* bytes, std::size_t size) {
    auto& guarded = *static_cast<Guarded*>(cookie);
    std::string out;
    guarded.filter.feed({bytes, size}, out);
    return write_all(guarded.fd, out) ? static_cast<ssize_t>(size) : 0;
}

int close_filtered(void* cookie) {
    auto& guarded = *static_cast<Guarded*>(cookie);
    std::string out;
    guarded.filter.finish(out);
    return write_all(guarded.fd, out) ? 0 : EOF;
}

// What is guarded outlives every static object: C flushes its streams after those are gone.
Guarded* guarded_for_ever(int fd) {
    static std::array<Guarded*, 3> kept{};
    auto& guarded = kept.at(static_cast<std::size_t>(fd));
    if (guarded == nullptr) guarded = new Guarded{fd, {}};
    return guarded;
}

FILE* filtered(int fd, int buffering) {
    auto* guarded = guarded_for_ever(fd);
    FILE* stream = fopencookie(guarded, "w", {nullptr, write_filtered, nullptr, close_filtered});
    if (stream != nullptr) setvbuf(stream, nullptr, buffering, BUFSIZ);
    return stream;
}

// What is printed through a C++ stream goes through the C stream.
class ThroughStream final : public std::streambuf {
  public:
    explicit ThroughStream(FILE* stream) : stream_(stream) {}

  protected:
    int_type overflow(int_type c) override {
        return c == traits_type::eof() || std::fputc(c, stream_) != EOF ? 0 : traits_type::eof();
    }
    std::streamsize xsputn(const char* text, std::streamsize size) override {
        return static_cast<std::streamsize>(std::fwrite(text, 1, static_cast<std::size_t>(size), stream_));
    }
    int sync() override { return std::fflush(stream_); }

  private:
    FILE* stream_;
};

bool guard(FILE*& stream, int fd, int buffering, std::ostream& of_cpp) {
    if (isatty(fd) == 0) return true;
    std::fflush(stream);
    FILE* safe = filtered(fd, buffering);
    if (safe == nullptr) return false;
    stream = safe;
    of_cpp.rdbuf(new ThroughStream(safe));
    return true;
}

}  // namespace

void TerminalFilter::feed(std::string_view piece, std::string& out) {
    out.reserve(out.size() + piece.size());
    for (const char c : piece) take(static_cast<unsigned char>(c), out);
}

void TerminalFilter::finish(std::string& out) {
    if (after_return_) add_visible('\r', out);
    if (!held_.empty()) out += kReplacement;
    after_return_ = false;
    held_.clear();
}

void TerminalFilter::take(unsigned char byte, std::string& out) {
    if (std::exchange(after_return_, false) && byte != '\n') add_visible('\r', out);
    if (held_.empty()) return begin(byte, out);
    const bool fits =
        held_.size() == 1 ? may_follow(static_cast<unsigned char>(held_[0]), byte) : is_continuation(byte);
    if (!fits) {
        out += kReplacement;
        held_.clear();
        return begin(byte, out);
    }
    held_ += static_cast<char>(byte);
    if (held_.size() == wanted_) add_character(out);
}

void TerminalFilter::begin(unsigned char byte, std::string& out) {
    if (byte == '\r') {
        after_return_ = true;
    } else if (byte == kDelete || (byte < 0x20 && byte != '\n' && byte != '\t')) {
        add_visible(byte, out);
    } else if (byte < 0x80) {
        out += static_cast<char>(byte);
    } else if (byte >= 0xC2 && byte <= 0xF4) {
        held_ = static_cast<char>(byte);
        wanted_ = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    } else {
        out += kReplacement;
    }
}

void TerminalFilter::add_character(std::string& out) {
    out += acts(held_) ? kReplacement : std::string_view(held_);
    held_.clear();
}

void guard_terminal() {
    const bool guarded = guard(stdout, STDOUT_FILENO, _IOLBF, std::cout);
    // Without the filter nothing may be printed there.
    if (!guard(stderr, STDERR_FILENO, _IONBF, std::cerr) || !guarded) std::_Exit(1);
}

void print_dim(std::string_view text) {
    const bool terminal = isatty(STDERR_FILENO) != 0;
    std::fflush(stdout);
    std::fflush(stderr);
    if (terminal) write_all(STDERR_FILENO, "\x1b[2m");
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
    if (terminal) write_all(STDERR_FILENO, "\x1b[0m");
    std::fputc('\n', stderr);
    std::fflush(stderr);
}

bool stderr_is_terminal() {
    return isatty(STDERR_FILENO) != 0;
}

void print_status(std::string_view text) {
    if (!stderr_is_terminal()) return;
    std::fflush(stdout);
    write_all(STDERR_FILENO, "\r\x1b[2K");
    write_all(STDERR_FILENO, text);
}

}  // namespace tandem::cli
