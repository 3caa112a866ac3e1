#include "cache/meaning.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "chat/answer.h"
#include "dialect/dialect.h"

namespace tandem::cache {

namespace {

constexpr std::array<std::string_view, 16> kNegations = {"not",    "no",    "never", "without", "none",  "nor",
                                                         "cannot", "can't", "don't", "isn't",   "nicht", "kein",
                                                         "keine",  "ohne",  "pas",   "sans"};

bool is_word(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '\'' || c >= 0x80;
}
bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

}  // namespace

double nearness(const std::vector<float>& one, const std::vector<float>& other) {
    if (one.size() != other.size()) return -1;
    double sum = 0;
    for (std::size_t i = 0; i < one.size(); ++i) sum += static_cast<double>(one[i]) * static_cast<double>(other[i]);
    return sum;
}

std::string facts_of(std::string_view text) {
    std::string facts;
    bool begins = true;  // a sentence
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        if (c == '"' || c == '`') {
            const auto end = std::min(text.find(c, at + 1), text.size() - 1);
            facts.append(text.substr(at, end + 1 - at)).append("\n");
            at = end + 1;
            continue;
        }
        if (!is_word(static_cast<unsigned char>(c))) {
            begins = begins || c == '.' || c == '!' || c == '?' || c == '\n' || c == ':';
            // Signs of code and arithmetic tell texts apart that are alike otherwise.
            if (std::string_view("+-*/<>=%^$").find(c) != std::string_view::npos) facts += c;
            ++at;
            continue;
        }
        auto end = at;
        bool digits = false;
        while (end < text.size() && (is_word(static_cast<unsigned char>(text[end])) ||
                                     (digits && (text[end] == '.' || text[end] == ',') && end + 1 < text.size() &&
                                      text[end + 1] >= '0' && text[end + 1] <= '9'))) {
            digits = digits || (text[end] >= '0' && text[end] <= '9');
            ++end;
        }
        const auto word = text.substr(at, end - at);
        const auto low = lower(word);
        const bool name = is_upper(c) && !begins;
        if (digits || name || std::ranges::find(kNegations, low) != kNegations.end()) facts.append(low).append("\n");
        begins = false;
        at = end;
    }
    return facts;
}

std::string rest_of(const chat::Request& request) {
    if (request.messages.empty() || request.messages.back().role != chat::Role::user) return {};
    const auto& parts = request.messages.back().parts;
    const bool words =
        std::ranges::all_of(parts, [](const auto& p) { return p.template as<chat::TextPart>() != nullptr; });
    if (!words || trim(chat::text_of(parts)).empty()) return {};
    auto rest = request;
    rest.messages.pop_back();
    return dialect::of(dialect::Kind::openai_chat).encode_request(rest, {request.model, request.stream, false, 0}).body;
}

}  // namespace tandem::cache
