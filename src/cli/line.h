// A line from a person: edited where there is a terminal, read as it is from a pipe. Private to cli/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::cli {

// What a key does to a line, without a terminal: so a test can press keys.
class LineEdit {
  public:
    enum class Key { left, right, home, end, backspace, erase, kill_to_end, kill_to_begin, kill_word };
    // Inserts text at the cursor. Control characters but line feeds are left out, tabs become blanks.
    void insert(std::string_view text);
    void press(Key key);
    void set(std::string text);
    const std::string& text() const { return text_; }
    bool empty() const { return text_.empty(); }

    // What is shown of it in `columns`, with the cursor's column in it. A line feed is shown as an arrow.
    struct View {
        std::string text;
        std::size_t cursor = 0;
    };
    View view(std::size_t columns) const;

  private:
    std::size_t before(std::size_t at) const;  // where the character before it begins
    std::size_t after(std::size_t at) const;
    std::string text_;  // UTF-8
    std::size_t cursor_ = 0;
};

// How many columns a character takes on a terminal: 0, 1 or 2.
int columns_of(char32_t character);

class LineReader {
  public:
    // Edits where stdin and stderr are terminals that are not dumb. The history lives as long as the reader, and is
    // written nowhere.
    LineReader();
    ~LineReader();
    LineReader(const LineReader&) = delete;
    LineReader& operator=(const LineReader&) = delete;

    bool edits() const { return edits_; }
    // A line without its end; nothing at the end of the input. `interrupted` says that Ctrl-C was pressed instead.
    std::optional<std::string> read(std::string_view prompt, bool& interrupted);

  private:
    std::optional<std::string> edit(std::string_view prompt, bool& interrupted);
    bool edits_;
    std::vector<std::string> history_;
};

// While it lives, what is typed is not shown and Ctrl-C is a signal: an answer is being printed.
class QuietTerminal {
  public:
    QuietTerminal();
    ~QuietTerminal();
    QuietTerminal(const QuietTerminal&) = delete;
    QuietTerminal& operator=(const QuietTerminal&) = delete;
};

}  // namespace tandem::cli
