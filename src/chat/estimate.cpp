#include "chat/estimate.h"

#include <bit>
#include <cstring>

namespace tandem::chat {

namespace {
constexpr std::int64_t kFrameTokens = 4;
constexpr std::int64_t kImageTokens = 512;
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

Tokens estimate_prompt(const Request& request) {
    Tokens total{kTemplateTokens};
    for (const auto& message : request.messages) {
        total.count += kFrameTokens;
        if (message.content) {
            for (const auto& part : *message.content) {
                if (const auto* text = std::get_if<TextPart>(&part))
                    total = total + estimate_tokens(text->text);
                else if (std::holds_alternative<ImagePart>(part))
                    total.count += kImageTokens;
                else
                    total = total + estimate_tokens(std::get<OtherPart>(part).json.json);
            }
        }
        for (const auto& call : message.tool_calls)
            total = total + estimate_tokens(call.name) + estimate_tokens(call.arguments);
    }
    for (const auto& tool : request.tools) total = total + estimate_tokens(tool.json.json);
    if (!request.response_format.json.json.empty()) total = total + estimate_tokens(request.response_format.json.json);
    return total;
}

}  // namespace tandem::chat
