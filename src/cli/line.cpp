#include "cli/line.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "cli/terminal.h"

namespace tandem::cli {

namespace {

constexpr std::size_t kMostHistory = 200;
constexpr std::size_t kLongestLine = 4UL << 20;        // bytes
constexpr std::string_view kNewline = "\xE2\x86\xB5";  // U+21B5, how a line feed within a line is shown
constexpr int kEscapeTime = 50;                        // milliseconds that the rest of a key's sequence may take

struct Range {
    char32_t first, last;
};
// Marks that stand over the character before them, and what is not shown at all.
constexpr std::array kNarrow = {Range{0x0300, 0x036F}, Range{0x0483, 0x0489}, Range{0x0591, 0x05BD},
                                Range{0x064B, 0x065F}, Range{0x0900, 0x0903}, Range{0x200B, 0x200F},
                                Range{0x20D0, 0x20FF}, Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F}};
// East Asian wide and full-width characters, and pictures (Unicode, EastAsianWidth.txt, in large blocks).
constexpr std::array kWide = {Range{0x1100, 0x115F},   Range{0x2E80, 0x303E},   Range{0x3041, 0xA4CF},
                              Range{0xA960, 0xA97F},   Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},
                              Range{0xFE30, 0xFE6F},   Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},
                              Range{0x1F300, 0x1F64F}, Range{0x1F680, 0x1F6FF}, Range{0x1F900, 0x1F9FF},
                              Range{0x20000, 0x3FFFD}};

bool is_in(char32_t c, const auto& ranges) {
    return std::ranges::any_of(ranges, [c](const Range& r) { return c >= r.first && c <= r.last; });
}

bool goes_on(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80;
}

// Of one character of UTF-8; what is none counts as one column.
char32_t decode(std::string_view bytes) {
    const auto first = static_cast<unsigned char>(bytes[0]);
    if (bytes.size() == 1) return first;
    char32_t c = first & (0xFFU >> (bytes.size() + 1));
    for (const char byte : bytes.substr(1)) c = c << 6U | (static_cast<unsigned char>(byte) & 0x3FU);
    return c;
}

// What is written to the terminal that is of our own making: the filter of stdout would show it instead.
void write_raw(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto size = write(STDERR_FILENO, bytes.data(), bytes.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(size));
    }
}

std::string harmless(std::string_view text) {
    TerminalFilter filter;
    std::string out;
    filter.feed(text, out);
    filter.finish(out);
    return out;
}

// ---- the terminal's own settings ----

termios usual{};
termios between{};  // while no line is read
bool have_usual = false;
volatile std::sig_atomic_t is_raw = 0;

constexpr std::string_view kPasteOn = "\x1b[?2004h", kPasteOff = "\x1b[?2004l";  // pasted text is marked

// A program that is ended gives the terminal back as it was.
void give_back(int signal) {
    if (is_raw != 0) write_raw(kPasteOff);
    if (have_usual) tcsetattr(STDIN_FILENO, TCSANOW, &usual);
    _exit(128 + signal);
}

void remember_terminal() {
    if (have_usual || tcgetattr(STDIN_FILENO, &usual) != 0) return;
    have_usual = true;
    between = usual;
    for (const int signal : {SIGTERM, SIGHUP}) std::signal(signal, give_back);
}

void set_terminal(const termios& how) {
    if (have_usual) tcsetattr(STDIN_FILENO, TCSADRAIN, &how);
}

// What is typed ahead is kept byte for byte, as the editor reads it: a terminal that edits lines itself would take
// Ctrl-D and Ctrl-U for its own.
void keep_what_is_typed_ahead() {
    between.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | IEXTEN);
    set_terminal(between);
}

class RawTerminal {
  public:
    RawTerminal() {
        termios raw = usual;
        raw.c_iflag &= ~static_cast<tcflag_t>(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
        raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | IEXTEN | ISIG);
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
        write_raw(kPasteOn);
        is_raw = 1;
    }
    ~RawTerminal() {
        is_raw = 0;
        write_raw(kPasteOff);
        set_terminal(between);
    }
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;
};

std::size_t terminal_columns() {
    winsize size{};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

// A byte of the terminal; nothing at its end.
std::optional<char> byte_of_terminal() {
    char byte = 0;
    while (true) {
        const auto size = ::read(STDIN_FILENO, &byte, 1);
        if (size == 1) return byte;
        if (size < 0 && errno == EINTR) continue;
        return {};
    }
}

bool has_more(int milliseconds) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(STDIN_FILENO, &set);
    timeval time{0, milliseconds * 1000};
    return select(STDIN_FILENO + 1, &set, nullptr, nullptr, &time) > 0;
}

// The rest of an escape sequence, such as "[A" or "[200~".
std::string rest_of_escape() {
    std::string rest;
    while (rest.size() < 16 && has_more(kEscapeTime)) {
        const auto byte = byte_of_terminal();
        if (!byte) break;
        rest += *byte;
        const bool introduces = rest.size() == 1 && (*byte == '[' || *byte == 'O');
        if (!introduces && *byte >= 0x40 && *byte <= 0x7E) break;
    }
    return rest;
}

std::string pasted() {
    constexpr std::string_view kEnd = "\x1b[201~";
    std::string text;
    while (text.size() < kLongestLine) {
        const auto byte = byte_of_terminal();
        if (!byte) break;
        text += *byte;
        if (text.ends_with(kEnd)) {
            text.resize(text.size() - kEnd.size());
            break;
        }
    }
    std::string lines;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
        lines += text[i] == '\r' ? '\n' : text[i];
    }
    while (lines.ends_with('\n')) lines.pop_back();
    return lines;
}

}  // namespace

int columns_of(char32_t character) {
    if (is_in(character, kNarrow)) return 0;
    return is_in(character, kWide) ? 2 : 1;
}

// ---- LineEdit ----

std::size_t LineEdit::before(std::size_t at) const {
    if (at == 0) return 0;
    do --at;
    while (at > 0 && goes_on(text_[at]));
    return at;
}

std::size_t LineEdit::after(std::size_t at) const {
    if (at >= text_.size()) return text_.size();
    do ++at;
    while (at < text_.size() && goes_on(text_[at]));
    return at;
}

void LineEdit::insert(std::string_view text) {
    std::string kept;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\t')
            kept += ' ';
        else if ((byte >= 0x20 && byte != 0x7F) || c == '\n')
            kept += c;
    }
    if (text_.size() + kept.size() > kLongestLine) return;
    text_.insert(cursor_, kept);
    cursor_ += kept.size();
}

void LineEdit::set(std::string text) {
    text_ = std::move(text);
    cursor_ = text_.size();
}

void LineEdit::press(Key key) {
    const auto erase = [this](std::size_t from, std::size_t to) {
        text_.erase(from, to - from);
        cursor_ = from;
    };
    switch (key) {
        case Key::left:
            cursor_ = before(cursor_);
            return;
        case Key::right:
            cursor_ = after(cursor_);
            return;
        case Key::home:
            cursor_ = 0;
            return;
        case Key::end:
            cursor_ = text_.size();
            return;
        case Key::backspace:
            return erase(before(cursor_), cursor_);
        case Key::erase:
            return erase(cursor_, after(cursor_));
        case Key::kill_to_end:
            return erase(cursor_, text_.size());
        case Key::kill_to_begin:
            return erase(0, cursor_);
        case Key::kill_word: {
            auto from = cursor_;
            while (from > 0 && (text_[from - 1] == ' ' || text_[from - 1] == '\n')) --from;
            while (from > 0 && text_[from - 1] != ' ' && text_[from - 1] != '\n') --from;
            return erase(from, cursor_);
        }
    }
}

LineEdit::View LineEdit::view(std::size_t columns) const {
    // The window ends where the cursor is, or shows all: as much before the cursor as fits, then what fits behind it.
    struct Shown {
        std::string text;
        std::size_t width;
    };
    const auto shown = [&](std::size_t from, std::size_t to) -> Shown {
        const auto bytes = std::string_view(text_).substr(from, to - from);
        if (bytes == "\n") return {std::string(kNewline), 1};
        return {harmless(bytes), static_cast<std::size_t>(columns_of(decode(bytes)))};
    };
    View view;
    for (auto at = cursor_; at > 0;) {
        const auto from = before(at);
        auto one = shown(from, at);
        if (view.cursor + one.width >= columns) break;
        view.text.insert(0, one.text);
        view.cursor += one.width;
        at = from;
    }
    auto width = view.cursor;
    for (auto at = cursor_; at < text_.size();) {
        const auto to = after(at);
        auto one = shown(at, to);
        if (width + one.width >= columns) break;
        view.text += one.text;
        width += one.width;
        at = to;
    }
    return view;
}

// ---- LineReader ----

LineReader::LineReader() : edits_(isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0) {
    const char* term = std::getenv("TERM");
    if (term == nullptr || std::string_view(term) == "dumb" || *term == '\0') edits_ = false;
    if (isatty(STDIN_FILENO) != 0) remember_terminal();
    if (edits_) keep_what_is_typed_ahead();
}

LineReader::~LineReader() {
    set_terminal(usual);
}

namespace {

// One line being edited: what each key does.
class Session {
  public:
    enum class State { going, done, ended, interrupted };
    Session(std::string_view prompt, const std::vector<std::string>& history)
        : prompt_(prompt), history_(history), place_(history.size()) {
        draw();
    }

    State take(char byte) {
        using Key = LineEdit::Key;
        switch (byte) {
            case '\r':
            case '\n':
                return State::done;
            case 3:  // Ctrl-C
                return State::interrupted;
            case 4:  // Ctrl-D
                if (line_.empty()) return State::ended;
                line_.press(Key::erase);
                break;
            case 0x7F:
            case 8:
                line_.press(Key::backspace);
                break;
            case 1:
                line_.press(Key::home);
                break;
            case 5:
                line_.press(Key::end);
                break;
            case 2:
                line_.press(Key::left);
                break;
            case 6:
                line_.press(Key::right);
                break;
            case 11:
                line_.press(Key::kill_to_end);
                break;
            case 21:
                line_.press(Key::kill_to_begin);
                break;
            case 23:
                line_.press(Key::kill_word);
                break;
            case 16:
                recall(-1);
                break;
            case 14:
                recall(1);
                break;
            case 12:
                write_raw("\x1b[H\x1b[2J");
                break;
            case 27:
                escape(rest_of_escape());
                break;
            default:
                type(byte);
        }
        if (!has_more(0)) draw();
        return State::going;
    }

    const std::string& text() const { return line_.text(); }

  private:
    // A character is inserted when it is whole.
    void type(char byte) {
        held_ += byte;
        const auto first = static_cast<unsigned char>(held_[0]);
        const std::size_t wanted = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
        if (held_.size() < wanted) return;
        line_.insert(held_);
        held_.clear();
    }

    void escape(const std::string& sequence) {
        using Key = LineEdit::Key;
        if (sequence == "[200~") return line_.insert(pasted());
        if (sequence == "[A" || sequence == "OA") return recall(-1);
        if (sequence == "[B" || sequence == "OB") return recall(1);
        if (sequence == "[C" || sequence == "OC") return line_.press(Key::right);
        if (sequence == "[D" || sequence == "OD") return line_.press(Key::left);
        if (sequence == "[H" || sequence == "OH" || sequence == "[1~") return line_.press(Key::home);
        if (sequence == "[F" || sequence == "OF" || sequence == "[4~") return line_.press(Key::end);
        if (sequence == "[3~") return line_.press(Key::erase);
    }

    void recall(int step) {
        if (step < 0 ? place_ == 0 : place_ >= history_.size()) return;
        if (place_ == history_.size()) fresh_ = line_.text();
        place_ = step < 0 ? place_ - 1 : place_ + 1;
        line_.set(place_ == history_.size() ? fresh_ : history_[place_]);
    }

    void draw() const {
        const auto columns = terminal_columns();
        std::size_t prompt_width = 0;
        for (const char c : prompt_) prompt_width += goes_on(c) ? 0 : 1;
        const auto view = line_.view(std::max<std::size_t>(columns, prompt_width + 8) - prompt_width);
        std::string out = "\r\x1b[K" + harmless(prompt_) + view.text + "\r";
        if (const auto at = prompt_width + view.cursor; at > 0) out += "\x1b[" + std::to_string(at) + "C";
        write_raw(out);
    }

    std::string_view prompt_;
    const std::vector<std::string>& history_;
    std::size_t place_;
    std::string fresh_;  // what was typed before an older line was recalled
    std::string held_;
    LineEdit line_;
};

}  // namespace

std::optional<std::string> LineReader::edit(std::string_view prompt, bool& interrupted) {
    const RawTerminal raw;
    Session session(prompt, history_);
    while (true) {
        const auto byte = byte_of_terminal();
        const auto state = byte ? session.take(*byte) : Session::State::ended;
        if (state == Session::State::going) continue;
        write_raw("\r\n");
        interrupted = state == Session::State::interrupted;
        if (state == Session::State::ended) return {};
        return session.text();
    }
}

std::optional<std::string> LineReader::read(std::string_view prompt, bool& interrupted) {
    interrupted = false;
    std::fflush(stdout);
    std::fflush(stderr);
    std::optional<std::string> line;
    if (edits_) {
        line = edit(prompt, interrupted);
    } else {
        if (isatty(STDIN_FILENO) != 0) {
            std::fwrite(prompt.data(), 1, prompt.size(), stderr);
            std::fflush(stderr);
        }
        std::string text;
        if (std::getline(std::cin, text)) line = std::move(text);
        if (line && line->ends_with('\r')) line->pop_back();
    }
    if (line && !interrupted && !line->empty() && (history_.empty() || history_.back() != *line)) {
        history_.push_back(*line);
        if (history_.size() > kMostHistory) history_.erase(history_.begin());
    }
    return line;
}

// ---- QuietTerminal ----

QuietTerminal::QuietTerminal() {
    termios quiet = between;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    set_terminal(quiet);
}

QuietTerminal::~QuietTerminal() {
    set_terminal(between);
}

}  // namespace tandem::cli
