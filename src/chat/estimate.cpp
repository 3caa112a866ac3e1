#include "chat/estimate.h"

#include <bit>
#include <cstring>

namespace tandem::chat {

namespace {
constexpr std::int64_t kFrameTokens = 4;
constexpr std::int64_t kImageTokens = 1'600;     // what Anthropic counts at most for one; OpenAI counts fewer
constexpr std::int64_t kDocumentTokens = 3'000;  // of one that is named and not sent along
constexpr std::int64_t kTemplateTokens = 24;     // chat templates bring a beginning, some a system prompt of their own
}  // namespace

Tokens estimate_tokens(std::string_view text) {
    return {(quarters_of(text) + 3) / 4};
}

std::int64_t quarters_of(std::string_view text) {
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
    return ascii + 2 * wide;
}

namespace {

Tokens estimate_parts(const std::vector<Part>& parts) {
    Tokens total;
    for (const auto& part : parts) {
        if (const auto* text = part.as<TextPart>()) {
            total = total + estimate_tokens(text->text);
        } else if (const auto* refusal = part.as<RefusalPart>()) {
            total = total + estimate_tokens(refusal->text);
        } else if (part.as<ImagePart>() != nullptr) {
            total.count += kImageTokens;
        } else if (const auto* document = part.as<DocumentPart>()) {
            // A page of a PDF is about 3 KB of it and 500 tokens of text.
            total = total + estimate_tokens(document->text);
            total.count += static_cast<std::int64_t>(document->media.data.size() / 8);
            if (!document->media.url.empty() || !document->media.file_id.empty()) total.count += kDocumentTokens;
        } else if (const auto* audio = part.as<AudioPart>()) {
            total.count += static_cast<std::int64_t>(audio->media.data.size() / 64);
        } else if (const auto* reasoning = part.as<ReasoningPart>()) {
            total = total + estimate_tokens(reasoning->text);
        } else if (const auto* call = part.as<ToolCallPart>()) {
            total = total + estimate_tokens(call->name) + estimate_tokens(call->arguments);
        } else if (const auto* result = part.as<ToolResultPart>()) {
            total = total + estimate_parts(result->content);
        } else if (const auto* other = part.as<OtherPart>()) {
            total = total + estimate_tokens(other->json.json);
        }
    }
    return total;
}

// What only its dialect knows may reach the model too.
Tokens estimate_extra(const Extra& extra) {
    Tokens total;
    for (const auto& [name, value] : extra) total = total + estimate_tokens(value.json);
    return total;
}

}  // namespace

Tokens estimate_prompt(const Request& request) {
    Tokens total = Tokens{kTemplateTokens} + estimate_extra(request.extra);
    for (const auto& message : request.messages) {
        total.count += kFrameTokens;
        total = total + estimate_parts(message.parts) + estimate_tokens(message.name) + estimate_extra(message.extra);
    }
    for (const auto& tool : request.tools) {
        total.count += kFrameTokens;
        total = total + estimate_tokens(tool.name) + estimate_tokens(tool.description) +
                estimate_tokens(tool.parameters.json) + estimate_tokens(tool.hosted.json);
    }
    return total + estimate_tokens(request.response_format.schema.json);
}

}  // namespace tandem::chat
