#include "upstream/manner.h"

#include <fmt/format.h>

#include "base/text.h"

namespace tandem::upstream {

const Manner& manner_of(config::ProviderKind kind) {
    switch (kind) {
        case config::ProviderKind::anthropic:
            return kAnthropic;
        case config::ProviderKind::gemini:
            return kGemini;
        case config::ProviderKind::ollama:
            return kOllama;
        case config::ProviderKind::engine:
        case config::ProviderKind::llama_server:
            return kLlamaServer;
        case config::ProviderKind::openai:
        case config::ProviderKind::responses:
            break;
    }
    return kOpenAi;
}

void bearer(net::Fields& headers, const Secret& key) {
    if (!key.empty()) headers.add("Authorization", fmt::format("Bearer {}", key.reveal()));
}

std::string message_in(const json::Value& body) {
    const auto error = body["error"];
    const auto text =
        error["message"].string().value_or(error.string().value_or(body["message"].string().value_or("")));
    return printable(text, kQuotedError);
}

std::vector<long long> numbers_in(std::string_view text) {
    std::vector<long long> numbers;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] < '0' || text[at] > '9') {
            ++at;
            continue;
        }
        std::string digits;
        for (; at < text.size() && ((text[at] >= '0' && text[at] <= '9') || text[at] == ','); ++at)
            if (text[at] != ',') digits += text[at];
        if (const auto number = whole_number(digits); number && digits.size() >= 2) numbers.push_back(*number);
    }
    return numbers;
}

void take_numbers(Said& said, bool limit_first) {
    const auto numbers = numbers_in(said.message);
    if (!said.too_long || numbers.size() < 2) return;
    said.prompt_tokens = numbers[limit_first ? 1 : 0];
    said.context_tokens = numbers[limit_first ? 0 : 1];
}

}  // namespace tandem::upstream
