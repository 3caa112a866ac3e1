// What a terminal is shown. Words of models, files, clients and providers are hostile: a control sequence among them
// could write the clipboard, fake a link or rewrite what stands above. A pipe or a file gets every byte as it is.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace tandem::cli {

// Makes text harmless for a terminal, across the borders of its pieces. Line feeds and tabs stay; other control
// characters become visible (U+2400 and what follows), C1 controls, controls of writing direction and bytes that are
// not UTF-8 become U+FFFD. Of a carriage return before a line feed only the line feed is left.
class TerminalFilter {
  public:
    // Appends to `out` what `piece` adds. At most three bytes of a character that is not whole are held back.
    void feed(std::string_view piece, std::string& out);
    // Appends what was held back, at the end of the text.
    void finish(std::string& out);

  private:
    void take(unsigned char byte, std::string& out);
    void begin(unsigned char byte, std::string& out);
    void add_character(std::string& out);

    std::string held_;           // the bytes of a character that is not whole
    std::size_t wanted_ = 0;     // of that character
    bool after_return_ = false;  // a carriage return is held back
};

// Puts a TerminalFilter in front of each of stdout, stderr, std::cout and std::cerr that is a terminal. Called once,
// before anything is printed and before a logger is made.
void guard_terminal();

// Prints a line to stderr: dim where that is a terminal. The only styling of the commands; `text` is filtered like all
// else.
void print_dim(std::string_view text);

// Replaces the line of stderr that this wrote before, where that is a terminal; nothing elsewhere. `text` is ours: no
// words of others, and shorter than the terminal is wide.
void print_status(std::string_view text);
bool stderr_is_terminal();

}  // namespace tandem::cli
