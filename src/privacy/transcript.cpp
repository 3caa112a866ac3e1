#include "privacy/transcript.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/text.h"

namespace tandem::privacy {

namespace {

struct Speaker {
    std::string_view name;
    bool answer;
};
constexpr std::array<Speaker, 10> kSpeakers = {{{"user", false},
                                                {"human", false},
                                                {"me", false},
                                                {"question", false},
                                                {"assistant", true},
                                                {"ai", true},
                                                {"model", true},
                                                {"bot", true},
                                                {"llm", true},
                                                {"answer", true}}};

// Who speaks in a line, and where that begins. nullptr: it goes on with what was said before.
const Speaker* speaker_of(std::string_view line, std::size_t& begins) {
    constexpr std::string_view kAround = "*_#>-[]\"' \t";
    const auto name_at = std::min(line.find_first_not_of(kAround), line.size());
    const auto* const found = std::ranges::find_if(kSpeakers, [&](const Speaker& one) {
        return equals_ignoring_case(line.substr(name_at, one.name.size()), one.name);
    });
    if (found == kSpeakers.end()) return nullptr;
    const auto rest = line.find_first_not_of(kAround, name_at + found->name.size());
    if (rest == std::string_view::npos || line[rest] != ':') return nullptr;
    // What stands around the name stands behind its colon too: "**User:** ..."
    begins = std::min(line.find_first_not_of("*_ \t", rest + 1), line.size());
    return found;
}

bool ends_element(std::string_view line) {
    return trim(line).starts_with("</");
}

void add_lines(std::string_view text, std::vector<Quoted>& quoted) {
    bool open = false;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        at = end + 1;
        std::size_t begins = 0;
        if (const auto* const speaker = speaker_of(line, begins)) {
            quoted.push_back({std::string(line.substr(begins)), speaker->answer});
            open = true;
        } else if (ends_element(line)) {
            open = false;
        } else if (open) {
            quoted.back().text.append("\n").append(line);
        }
    }
}

// Where the string ends that begins at `at`, with its quotes; npos: nowhere.
std::size_t end_of_string(std::string_view text, std::size_t at) {
    for (++at; at < text.size(); ++at) {
        if (text[at] == '\\')
            ++at;
        else if (text[at] == '"')
            return at + 1;
    }
    return std::string_view::npos;
}

// By what stands in the same object, before or behind: a role, or the type of a part that a model gave.
bool is_answer(std::string_view text, std::size_t at, std::size_t end) {
    constexpr std::size_t kNear = 200;
    const auto from = at > kNear ? at - kNear : 0;
    auto before = text.substr(from, at - from);
    before.remove_prefix(std::min(before.rfind('{') + 1, before.size()));
    const auto behind = text.substr(end, kNear);
    const auto around = std::string(before) + std::string(behind.substr(0, behind.find('}')));
    return std::ranges::any_of(std::array<std::string_view, 3>{"\"assistant\"", "\"model\"", "\"output_text\""},
                               [&](std::string_view sign) { return around.find(sign) != std::string::npos; });
}

// `key`: in quotes. Only where its value is a string.
void add_members(std::string_view text, std::string_view key, std::vector<Quoted>& quoted) {
    for (auto at = text.find(key); at != std::string_view::npos; at = text.find(key, at)) {
        const auto begin = at;
        at = text.find_first_not_of(" \t\r\n:", at + key.size());
        if (at == std::string_view::npos || text[at] != '"') continue;
        const auto end = end_of_string(text, at);
        if (end == std::string_view::npos) return;
        json::Document document;
        if (document.parse("[" + std::string(text.substr(at, end - at)) + "]"))
            for (const json::Value said : document.root().children())
                quoted.push_back({std::string(said.text()), is_answer(text, begin, end)});
        at = end;
    }
}

}  // namespace

std::vector<Quoted> quoted_in(std::string_view text) {
    if (text.size() > kMostQuotedBytes) text.remove_prefix(text.size() - kMostQuotedBytes);
    std::vector<Quoted> quoted;
    add_lines(text, quoted);
    add_members(text, "\"content\"", quoted);
    add_members(text, "\"text\"", quoted);
    if (quoted.size() > kMostQuoted)
        quoted.erase(quoted.begin(), quoted.end() - static_cast<std::ptrdiff_t>(kMostQuoted));
    return quoted;
}

}  // namespace tandem::privacy
