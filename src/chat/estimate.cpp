#include "chat/estimate.h"

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

enum class Class : std::uint8_t { other, lower, upper };

Class class_of(char c) {
    return c >= 'a' && c <= 'z' ? Class::lower : c >= 'A' && c <= 'Z' ? Class::upper : Class::other;
}

constexpr std::int64_t kOne = 8;  // eighths of a token

// Of a character beyond ASCII, by its first byte, which has them all.
std::int64_t eighths_of(unsigned char first) {
    constexpr std::int64_t kTwoBytes = 10;  // Latin, Cyrillic, Greek, Hebrew, Arabic
    if (first < 0xC0) return 0;             // goes on
    if (first < 0xE0) return kTwoBytes;
    if (first >= 0xF0) return 4 * kOne;                           // emoji, and what is rarer
    return first == 0xE0 || first >= 0xE3 ? 2 * kOne : 3 * kOne;  // Thai and Indic, kana, CJK and Hangul; others
}

}  // namespace

Tokens most_tokens(std::string_view text) {
    constexpr std::int64_t kLetter = 5;
    std::int64_t eighths = 0;
    auto before = Class::other;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const auto now = class_of(text[at]);
        if (byte >= 0x80)
            eighths += eighths_of(byte);
        else if (now != Class::other)
            eighths += before == now ? kLetter : kOne;
        else if (byte != ' ' || before == Class::other || at + 1 == text.size() ||
                 class_of(text[at + 1]) == Class::other)
            eighths += kOne;
        before = now;
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
