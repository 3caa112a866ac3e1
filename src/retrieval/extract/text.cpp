// Plain text: paragraphs between blank lines. A short first line is the title.
#include "retrieval/extract/formats.h"
#include "retrieval/extract/lines.h"

namespace tandem::retrieval {

namespace {

constexpr std::size_t kLongestTitle = 200;

// Collects lines into blocks of one kind.
class Paragraphs {
  public:
    Paragraphs(const Input& input, Extracted& to, std::string_view text) : input_(input), to_(to), text_(text) {}

    bool take(const Line& line) {
        if (is_blank_line(line.text)) return flush();
        if (empty_) {
            begin_ = line.begin;
            first_ = line.number;
            empty_ = false;
        }
        end_ = line.end;
        last_ = line.number;
        return true;
    }
    bool flush() {
        if (empty_) return true;
        empty_ = true;
        Block block;
        block.verbatim = true;
        block.first_line = first_;
        block.last_line = last_;
        block.begin = begin_;
        block.end = end_;
        block.text = text_.substr(begin_, end_ - begin_);
        return add(to_, input_, std::move(block));
    }

  private:
    const Input& input_;
    Extracted& to_;
    std::string_view text_;
    bool empty_ = true;
    std::size_t begin_ = 0, end_ = 0;
    std::uint32_t first_ = 0, last_ = 0;
};

}  // namespace

bool read_text(const Input& input, Extracted& to, std::string& why) {
    std::string own;
    const auto text = text_of(input, own, why);
    if (!text) {
        why += ", and has no format that is read";
        return false;
    }
    Paragraphs paragraphs(input, to, *text);
    bool room = true;
    each_line(*text, [&](const Line& line) {
        if (to.title.empty() && !is_blank_line(line.text))
            to.title = line.text.size() <= kLongestTitle ? std::string(line.text) : std::string(" ");
        return room = paragraphs.take(line);
    });
    room = room && paragraphs.flush();
    if (is_blank_line(to.title)) to.title.clear();
    if (!room) why = "the file has more text than is read";
    return room;
}

}  // namespace tandem::retrieval
