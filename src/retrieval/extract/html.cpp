// HTML, by gumbo: what a reader came for, without menus, scripts and feet of pages.
#include <gumbo.h>

#include <algorithm>
#include <vector>

#include "retrieval/extract/formats.h"
#include "retrieval/extract/lines.h"

namespace tandem::retrieval {

namespace {

constexpr std::size_t kDeepestPage = 2'000;  // elements in each other
constexpr std::size_t kLeastArticle = 200;   // bytes that make <main> or <article> the page's content
constexpr std::size_t kLargestPage = 1U << 30;

bool is_beside(GumboTag tag) {
    switch (tag) {
        case GUMBO_TAG_SCRIPT:
        case GUMBO_TAG_STYLE:
        case GUMBO_TAG_NOSCRIPT:
        case GUMBO_TAG_TEMPLATE:
        case GUMBO_TAG_NAV:
        case GUMBO_TAG_FOOTER:
        case GUMBO_TAG_ASIDE:
        case GUMBO_TAG_FORM:
        case GUMBO_TAG_IFRAME:
        case GUMBO_TAG_SVG:
        case GUMBO_TAG_HEAD:
            return true;
        default:
            return false;
    }
}

// Elements within a line: their text belongs to the block around them.
bool is_inline(GumboTag tag) {
    switch (tag) {
        case GUMBO_TAG_A:
        case GUMBO_TAG_ABBR:
        case GUMBO_TAG_B:
        case GUMBO_TAG_BDI:
        case GUMBO_TAG_BDO:
        case GUMBO_TAG_CITE:
        case GUMBO_TAG_CODE:
        case GUMBO_TAG_DEL:
        case GUMBO_TAG_DFN:
        case GUMBO_TAG_EM:
        case GUMBO_TAG_FONT:
        case GUMBO_TAG_I:
        case GUMBO_TAG_INS:
        case GUMBO_TAG_KBD:
        case GUMBO_TAG_MARK:
        case GUMBO_TAG_Q:
        case GUMBO_TAG_S:
        case GUMBO_TAG_SAMP:
        case GUMBO_TAG_SMALL:
        case GUMBO_TAG_SPAN:
        case GUMBO_TAG_STRONG:
        case GUMBO_TAG_SUB:
        case GUMBO_TAG_SUP:
        case GUMBO_TAG_TIME:
        case GUMBO_TAG_TT:
        case GUMBO_TAG_U:
        case GUMBO_TAG_VAR:
        case GUMBO_TAG_WBR:
        case GUMBO_TAG_TD:
        case GUMBO_TAG_TH:
            return true;
        default:
            return false;
    }
}

int level_of(GumboTag tag) {
    if (tag < GUMBO_TAG_H1 || tag > GUMBO_TAG_H6) return 0;
    return static_cast<int>(tag) - static_cast<int>(GUMBO_TAG_H1) + 1;
}

class Page {
  public:
    Page(const Input& input, Extracted& to, std::string_view source) : input_(input), to_(to), lines_(source) {}

    // Walks without recursion: a page may be as deep as it is long.
    bool walk(const GumboNode* root) {
        struct Open {
            const GumboNode* node;
            unsigned next;
        };
        std::vector<Open> path{{root, 0}};
        begin(root);
        while (!path.empty() && room_) {
            auto& [node, next] = path.back();
            const auto& children = node->v.element.children;
            if (next >= children.length) {
                end(node);
                path.pop_back();
                continue;
            }
            const auto* child = static_cast<const GumboNode*>(children.data[next++]);
            if (child->type == GUMBO_NODE_TEXT || child->type == GUMBO_NODE_WHITESPACE ||
                child->type == GUMBO_NODE_CDATA)
                take(child->v.text, child->type);
            else if (child->type == GUMBO_NODE_ELEMENT && !is_beside(child->v.element.tag)) {
                if (path.size() >= kDeepestPage) return false;
                begin(child);
                path.push_back({child, 0});
            }
        }
        flush();
        return room_;
    }

  private:
    void begin(const GumboNode* node) {
        const auto tag = node->v.element.tag;
        if (tag == GUMBO_TAG_TD || tag == GUMBO_TAG_TH) {
            if (!block_.text.empty()) block_.text += " | ";
            return;
        }
        if (is_inline(tag)) return;
        if (tag == GUMBO_TAG_BR) {
            block_.text += '\n';
            return;
        }
        flush();
        if (const int level = level_of(tag); level > 0) {
            block_.kind = BlockKind::heading;
            block_.level = static_cast<std::uint8_t>(level);
        } else if (tag == GUMBO_TAG_PRE) {
            block_.kind = BlockKind::code;
            ++kept_;
        } else if (tag == GUMBO_TAG_TR) {
            block_.kind = BlockKind::row;
        }
    }
    void end(const GumboNode* node) {
        const auto tag = node->v.element.tag;
        if (is_inline(tag)) return;
        if (tag == GUMBO_TAG_PRE) --kept_;
        flush();
    }
    void take(const GumboText& text, GumboNodeType type) {
        if (kept_ > 0) {
            block_.text += text.text;
        } else if (type == GUMBO_NODE_WHITESPACE) {
            if (!block_.text.empty() && !block_.text.ends_with(' ')) block_.text += ' ';
            return;
        } else {
            for (const char* c = text.text; *c != '\0'; ++c) {
                const bool blank = *c == ' ' || *c == '\n' || *c == '\t' || *c == '\r';
                if (!blank)
                    block_.text += *c;
                else if (!block_.text.empty() && block_.text.back() != ' ' && block_.text.back() != '\n')
                    block_.text += ' ';
            }
        }
        const std::size_t at = text.start_pos.offset;
        begin_ = std::min(begin_, at);
        end_ = std::max(end_, at + text.original_text.length);
    }
    void flush() {
        if (begin_ < end_) {
            block_.begin = begin_;
            block_.end = end_;
            block_.first_line = lines_.line_of(begin_);
            block_.last_line = lines_.line_of(end_ - 1);
        }
        if (block_.kind == BlockKind::heading && block_.level == 1 && to_.title.empty()) to_.title = block_.text;
        room_ = room_ && add(to_, input_, std::move(block_));
        block_ = {};
        begin_ = kLargestPage;
        end_ = 0;
    }

    const Input& input_;
    Extracted& to_;
    LineTable lines_;
    Block block_;
    std::size_t begin_ = kLargestPage, end_ = 0;
    int kept_ = 0;  // elements around whose blanks count
    bool room_ = true;
};

const GumboNode* find(const GumboNode* root, GumboTag wanted) {
    std::vector<const GumboNode*> left{root};
    while (!left.empty()) {
        const auto* node = left.back();
        left.pop_back();
        if (node->type != GUMBO_NODE_ELEMENT) continue;
        if (node->v.element.tag == wanted) return node;
        const auto& children = node->v.element.children;
        for (unsigned i = children.length; i > 0; --i)
            left.push_back(static_cast<const GumboNode*>(children.data[i - 1]));
    }
    return nullptr;
}

std::string title_of(const GumboNode* root) {
    const auto* title = find(root, GUMBO_TAG_TITLE);
    if (title == nullptr || title->v.element.children.length == 0) return {};
    const auto* text = static_cast<const GumboNode*>(title->v.element.children.data[0]);
    if (text->type != GUMBO_NODE_TEXT) return {};
    std::string found;
    for (const char* c = text->v.text.text; *c != '\0'; ++c) {
        const bool blank = static_cast<unsigned char>(*c) <= ' ';
        if (!blank || (!found.empty() && found.back() != ' ')) found += blank ? ' ' : *c;
    }
    while (found.ends_with(' ')) found.pop_back();
    return found;
}

// What the page says is its content, where that is not next to nothing.
bool read_content(const Input& input, Extracted& to, std::string_view source, const GumboNode* root) {
    for (const auto tag : {GUMBO_TAG_MAIN, GUMBO_TAG_ARTICLE}) {
        const auto* found = find(root, tag);
        if (found == nullptr) continue;
        Extracted part;
        part.title = to.title;
        if (!Page(input, part, source).walk(found)) return false;
        if (part.text_bytes < kLeastArticle) continue;
        to = std::move(part);
        return true;
    }
    return Page(input, to, source).walk(root);
}

}  // namespace

bool read_html(const Input& input, Extracted& to, std::string& why) {
    std::string own;
    const auto text = text_of(input, own, why);
    if (!text) return false;
    GumboOutput* page = gumbo_parse_with_options(&kGumboDefaultOptions, text->data(), text->size());
    if (page == nullptr) {
        why = "the page cannot be read";
        return false;
    }
    to.title = title_of(page->root);
    const bool room = read_content(input, to, *text, page->root);
    gumbo_destroy_output(&kGumboDefaultOptions, page);
    if (!room) why = "the page has more text than is read, or is too deep";
    return room;
}

}  // namespace tandem::retrieval
