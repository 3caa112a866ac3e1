// Markdown, by md4c.
#include <md4c.h>

#include "retrieval/extract/formats.h"
#include "retrieval/extract/lines.h"

namespace tandem::retrieval {

namespace {

// What md4c tells becomes blocks. Where a block stands is told by the texts in it that are bytes of the source.
class Reader {
  public:
    Reader(const Input& input, Extracted& to, std::string_view source)
        : input_(input), to_(to), source_(source), lines_(source) {}

    bool room() const { return room_; }

    int enter(MD_BLOCKTYPE type, void* detail) {
        if (type == MD_BLOCK_QUOTE || type == MD_BLOCK_DOC || type == MD_BLOCK_UL || type == MD_BLOCK_OL) return 0;
        if (type == MD_BLOCK_TD || type == MD_BLOCK_TH) {
            if (!block_.text.empty()) block_.text += " | ";
            return 0;
        }
        flush();
        if (type == MD_BLOCK_H) {
            block_.kind = BlockKind::heading;
            block_.level = static_cast<std::uint8_t>(static_cast<MD_BLOCK_H_DETAIL*>(detail)->level);
        } else if (type == MD_BLOCK_CODE) {
            block_.kind = BlockKind::code;
        } else if (type == MD_BLOCK_TR) {
            block_.kind = BlockKind::row;
        }
        return room_ ? 0 : 1;
    }
    int leave(MD_BLOCKTYPE type) {
        if (type != MD_BLOCK_TD && type != MD_BLOCK_TH) flush();
        return room_ ? 0 : 1;
    }
    int text(MD_TEXTTYPE type, const char* text, MD_SIZE size) {
        if (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR)
            block_.text += '\n';
        else if (type != MD_TEXT_HTML)
            block_.text.append(text, size);
        note(text, size);
        return 0;
    }
    void flush() {
        if (begin_ < end_) {
            block_.begin = begin_;
            block_.end = end_;
            block_.first_line = lines_.line_of(begin_);
            block_.last_line = lines_.line_of(end_ - 1);
        }
        if (block_.kind == BlockKind::heading && to_.title.empty() && block_.level == 1) to_.title = block_.text;
        room_ = room_ && add(to_, input_, std::move(block_));
        block_ = {};
        begin_ = source_.size();
        end_ = 0;
    }

  private:
    void note(const char* text, MD_SIZE size) {
        const auto less = std::less<const char*>();
        if (less(text, source_.data()) || less(source_.data() + source_.size(), text + size)) return;
        const auto at = static_cast<std::size_t>(text - source_.data());
        begin_ = std::min(begin_, at);
        end_ = std::max(end_, at + size);
    }

    const Input& input_;
    Extracted& to_;
    std::string_view source_;
    LineTable lines_;
    Block block_;
    std::size_t begin_ = source_.size(), end_ = 0;
    bool room_ = true;
};

}  // namespace

bool read_markdown(const Input& input, Extracted& to, std::string& why) {
    std::string own;
    const auto text = text_of(input, own, why);
    if (!text) return false;
    Reader reader(input, to, *text);
    MD_PARSER parser{};
    parser.flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_TASKLISTS | MD_FLAG_PERMISSIVEAUTOLINKS;
    parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* self) {
        return static_cast<Reader*>(self)->enter(type, detail);
    };
    parser.leave_block = [](MD_BLOCKTYPE type, void*, void* self) { return static_cast<Reader*>(self)->leave(type); };
    parser.enter_span = [](MD_SPANTYPE, void*, void*) { return 0; };
    parser.leave_span = [](MD_SPANTYPE, void*, void*) { return 0; };
    parser.text = [](MD_TEXTTYPE type, const MD_CHAR* piece, MD_SIZE size, void* self) {
        return static_cast<Reader*>(self)->text(type, piece, size);
    };
    const int result = md_parse(text->data(), static_cast<MD_SIZE>(text->size()), &parser, &reader);
    reader.flush();
    if (!reader.room()) {
        why = "the file has more text than is read";
        return false;
    }
    if (result != 0) why = "the file is no Markdown that can be read";
    return result == 0;
}

}  // namespace tandem::retrieval
