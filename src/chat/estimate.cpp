#include "chat/estimate.h"

#include <array>
#include <bit>
#include <cstring>

namespace tandem::chat {

namespace {

// What each kind of content counts as.
struct Rule {
    Tokens (*text)(std::string_view);
    std::int64_t image;
    std::int64_t bytes_a_token_document;  // of base64
    std::int64_t document_named;          // of one that is not sent along
    std::int64_t bytes_a_token_audio;     // of base64
    std::int64_t tools;                   // what a provider puts before its model to explain tools
};

// A page of a PDF is about 3 KB of it and 500 tokens of text. 1,600 tokens are what Anthropic counts at most for an
// image of usual size; OpenAI counts fewer.
constexpr Rule kAbout = {estimate_tokens, 1'600, 8, 3'000, 64, 0};
// Anthropic's large images are up to 4,784 tokens, its pages up to 3,000 of text beside their image; Gemini's sound is
// 32 tokens a second, of 1 KB at least. Of a document elsewhere nothing is known but that it fits a context.
constexpr Rule kMost = {most_tokens, 5'000, 1, 200'000, 16, 2'000};

constexpr std::int64_t kFrameTokens = 4;
constexpr std::int64_t kTemplateTokens = 24;  // chat templates bring a beginning, some a system prompt of their own

}  // namespace

Tokens estimate_tokens(std::string_view text) {
    // Eight bytes at a time: this looks at every byte of every prompt.
    std::int64_t wide = 0;
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
        std::uint64_t block = 0;
        std::memcpy(&block, text.data() + at, 8);
        wide += std::popcount(block & 0x8080808080808080ULL);
    }
    for (; at < text.size(); ++at) wide += static_cast<unsigned char>(text[at]) >> 7;
    const auto ascii = static_cast<std::int64_t>(text.size()) - wide;
    return {(ascii + 2 * wide + 3) / 4};
}

namespace {

constexpr std::int64_t kOne = 8;  // eighths of a token

// What a byte is to most_tokens(): what is no letter has what it costs.
enum Class : std::uint8_t { sign, space, lower, upper, goes_on, two_bytes, two, three, four, classes };

constexpr std::array<Class, 256> byte_classes() {
    std::array<Class, 256> kinds{};
    for (std::size_t byte = 0; byte < kinds.size(); ++byte) {
        kinds[byte] = byte == ' '                    ? space
                      : byte >= 'a' && byte <= 'z'   ? lower
                      : byte >= 'A' && byte <= 'Z'   ? upper
                      : byte < 0x80                  ? sign
                      : byte < 0xC0                  ? goes_on
                      : byte < 0xE0                  ? two_bytes  // Latin, Cyrillic, Greek, Hebrew, Arabic
                      : byte >= 0xF0                 ? four       // emoji, and what is rarer
                      : byte == 0xE0 || byte >= 0xE3 ? two        // Thai and Indic, kana, CJK and Hangul
                                                     : three;
    }
    return kinds;
}
constexpr auto kClasses = byte_classes();

// Of a letter behind another one of its case, and of what is no letter. A character beyond ASCII counts by its first
// byte; a blank between two words is part of the second.
constexpr std::int64_t kAnotherLetter = 5;
constexpr std::array<std::int64_t, classes> kCosts = {kOne, kOne, kOne, kOne, 0, 10, 2 * kOne, 3 * kOne, 4 * kOne};

constexpr bool is_letter(Class kind) {
    return kind == lower || kind == upper;
}

}  // namespace

Tokens most_tokens(std::string_view text) {
    const auto class_at = [&](std::size_t at) { return kClasses[static_cast<unsigned char>(text[at])]; };
    std::int64_t eighths = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto now = class_at(at);
        const auto begin = at++;
        if (!is_letter(now)) {
            const bool between = now == space && begin > 0 && is_letter(class_at(begin - 1)) && at < text.size() &&
                                 is_letter(class_at(at));
            if (!between) eighths += kCosts[now];
            continue;
        }
        while (at < text.size() && class_at(at) == now) ++at;
        eighths += kOne + kAnotherLetter * static_cast<std::int64_t>(at - begin - 1);
    }
    return {(eighths + kOne - 1) / kOne};
}

namespace {

Tokens count_parts(const std::vector<Part>& parts, const Rule& rule) {
    Tokens total;
    for (const auto& part : parts) {
        if (const auto* text = part.as<TextPart>()) {
            total = total + rule.text(text->text);
        } else if (const auto* refusal = part.as<RefusalPart>()) {
            total = total + rule.text(refusal->text);
        } else if (part.as<ImagePart>() != nullptr) {
            total.count += rule.image;
        } else if (const auto* document = part.as<DocumentPart>()) {
            total = total + rule.text(document->text);
            total.count += static_cast<std::int64_t>(document->media.data.size()) / rule.bytes_a_token_document;
            if (!document->media.url.empty() || !document->media.file_id.empty()) total.count += rule.document_named;
        } else if (const auto* audio = part.as<AudioPart>()) {
            total.count += static_cast<std::int64_t>(audio->media.data.size()) / rule.bytes_a_token_audio;
        } else if (const auto* reasoning = part.as<ReasoningPart>()) {
            total = total + rule.text(reasoning->text);
        } else if (const auto* call = part.as<ToolCallPart>()) {
            total = total + rule.text(call->name) + rule.text(call->arguments);
        } else if (const auto* result = part.as<ToolResultPart>()) {
            total = total + count_parts(result->content, rule);
        } else if (const auto* other = part.as<OtherPart>()) {
            total = total + rule.text(other->json.json);
        }
    }
    return total;
}

// What only its dialect knows may reach the model too.
Tokens count_extra(const Extra& extra, const Rule& rule) {
    Tokens total;
    for (const auto& [name, value] : extra) total = total + rule.text(value.json);
    return total;
}

Tokens count_prompt(const Request& request, const Rule& rule) {
    Tokens total = Tokens{kTemplateTokens} + count_extra(request.extra, rule);
    if (!request.tools.empty()) total.count += rule.tools;
    for (const auto& message : request.messages) {
        total.count += kFrameTokens;
        total = total + count_parts(message.parts, rule) + rule.text(message.name) + count_extra(message.extra, rule);
    }
    for (const auto& tool : request.tools) {
        total.count += kFrameTokens;
        total = total + rule.text(tool.name) + rule.text(tool.description) + rule.text(tool.parameters.json) +
                rule.text(tool.hosted.json);
    }
    return total + rule.text(request.response_format.schema.json);
}

}  // namespace

Tokens estimate_prompt(const Request& request) {
    return count_prompt(request, kAbout);
}

Tokens most_prompt(const Request& request) {
    return count_prompt(request, kMost);
}

}  // namespace tandem::chat
