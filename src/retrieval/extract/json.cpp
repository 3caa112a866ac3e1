// JSON: each value with the names on its way. What is no JSON document by our reader (one value a line, a name twice)
// is read as text.
#include "base/json.h"

#include <fmt/format.h>

#include "retrieval/extract/formats.h"
#include "retrieval/extract/lines.h"

namespace tandem::retrieval {

namespace {

class Values {
  public:
    Values(const Input& input, Extracted& to, std::string_view text) : input_(input), to_(to), lines_(text) {}

    // The document's depth is bounded by its reader.
    bool walk(const json::Value& value, const std::string& path) {
        if (!value.is(json::Kind::object) && !value.is(json::Kind::array)) return leaf(value, path);
        for (const json::Value child : value.children()) {
            std::string below = path;
            if (value.is(json::Kind::object)) {
                if (!below.empty()) below += '.';
                below += child.key();
            }
            if (!walk(child, below)) return false;
        }
        return true;
    }

  private:
    bool leaf(const json::Value& value, const std::string& path) {
        const auto text = value.is(json::Kind::string) ? value.text() : value.raw();
        if (text.empty() || value.is_null()) return true;
        if ((path == "title" || path == "name") && to_.title.empty() && text.size() <= kLongestTitle) to_.title = text;
        Block block;
        block.kind = BlockKind::row;
        block.begin = value.offset();
        block.end = block.begin + value.raw().size();
        block.first_line = lines_.line_of(block.begin);
        block.last_line = lines_.line_of(block.end == 0 ? 0 : block.end - 1);
        block.text = path.empty() ? std::string(text) : fmt::format("{}: {}", path, text);
        return add(to_, input_, std::move(block));
    }

    static constexpr std::size_t kLongestTitle = 200;
    const Input& input_;
    Extracted& to_;
    LineTable lines_;
};

}  // namespace

bool read_json(const Input& input, Extracted& to, std::string& why) {
    std::string own;
    const auto text = text_of(input, own, why);
    if (!text) return false;
    json::Document document;
    if (!document.parse(*text)) return read_text(input, to, why);
    const bool room = Values(input, to, *text).walk(document.root(), "");
    if (!room) why = "the file has more text than is read";
    return room;
}

}  // namespace tandem::retrieval
