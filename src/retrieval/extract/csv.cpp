// Tables of text: each row with the names of its columns, which stand in the first row.
#include <algorithm>

#include "retrieval/extract/formats.h"
#include "retrieval/extract/lines.h"

namespace tandem::retrieval {

namespace {

constexpr std::size_t kMostColumns = 4'096;
constexpr std::size_t kLongestHead = 200;

// One record as RFC 4180 has it: fields in quotes may hold separators, quotes twice and line breaks.
class Records {
  public:
    Records(std::string_view text, char separator) : text_(text), separator_(separator) {}

    bool next(std::vector<std::string>& fields) {
        fields.clear();
        if (at_ >= text_.size()) return false;
        begin = at_;
        first_line = line_;
        std::string field;
        bool quoted = false;
        while (at_ < text_.size()) {
            const char c = text_[at_++];
            if (c == '\n') ++line_;
            if (quoted) {
                if (c != '"')
                    field += c;
                else if (at_ < text_.size() && text_[at_] == '"')
                    field += text_[at_++];
                else
                    quoted = false;
            } else if (c == '"' && field.empty()) {
                quoted = true;
            } else if (c == '\n') {
                break;
            } else if (c == separator_) {
                if (fields.size() < kMostColumns) fields.push_back(std::exchange(field, {}));
            } else if (c != '\r') {
                field += c;
            }
        }
        fields.push_back(std::move(field));
        end = at_;
        last_line = std::max(first_line, text_[at_ - 1] == '\n' ? line_ - 1 : line_);
        return true;
    }

    std::size_t begin = 0, end = 0;
    std::uint32_t first_line = 1, last_line = 1;

  private:
    std::string_view text_;
    char separator_;
    std::size_t at_ = 0;
    std::uint32_t line_ = 1;
};

char separator_of(std::string_view text) {
    const auto line = text.substr(0, std::min(text.find('\n'), text.size()));
    char best = ',';
    auto most = std::ranges::count(line, ',');
    for (const char c : {'\t', ';', '|'})
        if (const auto count = std::ranges::count(line, c); count > most) {
            most = count;
            best = c;
        }
    return best;
}

}  // namespace

bool read_csv(const Input& input, Extracted& to, std::string& why) {
    std::string own;
    const auto text = text_of(input, own, why);
    if (!text) return false;
    Records records(*text, separator_of(*text));
    std::vector<std::string> names, fields;
    if (!records.next(names)) return true;
    const auto place = [&](Block block) {
        block.first_line = records.first_line;
        block.last_line = records.last_line;
        block.begin = records.begin;
        block.end = records.end;
        return block;
    };
    std::string head;
    for (const auto& name : names) {
        if (head.size() + name.size() > kLongestHead) break;
        if (!head.empty()) head += ", ";
        head += name;
    }
    Block first;
    first.kind = BlockKind::heading;
    first.level = 1;
    first.text = std::move(head);
    bool room = add(to, input, place(std::move(first)));
    while (room && records.next(fields)) {
        Block row;
        row.kind = BlockKind::row;
        for (std::size_t i = 0; i < fields.size(); ++i) {
            if (is_blank_line(fields[i])) continue;
            if (!row.text.empty()) row.text += "; ";
            if (i < names.size() && !names[i].empty()) (row.text += names[i]) += ": ";
            row.text += fields[i];
        }
        room = add(to, input, place(std::move(row)));
    }
    if (!room) why = "the table has more text than is read";
    return room;
}

}  // namespace tandem::retrieval
