#include "translate/plainer.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace tandem::translate {

namespace {

constexpr std::string_view kOrder = "the order of calls and results", kFunctions = "functions",
                           kHosted = "tools that the provider runs", kItems = "calls of OpenAI's own tools";

std::string host_of(std::string_view url) {
    const auto begin = url.find("://");
    if (begin == std::string_view::npos) return {};
    const auto rest = url.substr(begin + 3);
    return lower(rest.substr(0, rest.find_first_of("/:")));
}

bool is_hosted(const chat::Tool& tool) {
    return tool.kind == chat::Tool::Kind::hosted;
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [&](auto word) { return text.find(word) != std::string_view::npos; });
}

// False where a tool of the provider must be called, which cannot be left out.
bool leave_out_hosted(dialect::Fitted& fitted) {
    auto& request = fitted.request;
    if (std::ranges::none_of(request.tools, is_hosted)) return true;
    using Choice = chat::ToolChoice::Kind;
    const auto& choice = request.tool_choice;
    const auto forced = [&](const chat::Tool& tool) { return is_hosted(tool) && tool.name == choice.name; };
    if (choice.kind == Choice::named && std::ranges::any_of(request.tools, forced)) return false;
    std::erase_if(request.tools, is_hosted);
    if (request.tools.empty() && choice.kind == Choice::required) return false;
    if (request.tools.empty()) request.tool_choice = {};
    fitted.applied.emplace(kHosted);
    fitted.warnings.emplace_back("tools: tools that the provider runs left out: the server refuses them");
    return true;
}

// Calls and results that only OpenAI has, such as those of its shell, as those of functions.
void say_items_as_functions(dialect::Fitted& fitted) {
    for (auto& message : fitted.request.messages)
        for (auto& part : message.parts) {
            auto* call = part.as<chat::ToolCallPart>();
            auto* result = part.as<chat::ToolResultPart>();
            auto* item = call != nullptr ? &call->item : result != nullptr ? &result->item : nullptr;
            if (item == nullptr || !item->given()) continue;
            *item = {};
            fitted.applied.emplace(kItems);
        }
}

}  // namespace

bool made_the_dialect(const config::Provider& provider, dialect::Kind kind) {
    using enum dialect::Kind;
    const auto host = host_of(provider.base_url);
    const auto is = [&](std::string_view name) {
        return host == name || (host.ends_with(name) && host[host.size() - name.size() - 1] == '.');
    };
    switch (kind) {
        case openai_chat:
        case openai_responses:
            return is("api.openai.com") || is("openai.azure.com") || is("cognitiveservices.azure.com");
        case anthropic:
            return is("api.anthropic.com");
        case gemini:
            return is("generativelanguage.googleapis.com") || is("aiplatform.googleapis.com") ||
                   host.ends_with("-aiplatform.googleapis.com");
        case ollama:
            return true;  // it takes what it does not know, and has no strict kin
    }
    return false;
}

std::optional<Plain> said_plainly(const chat::Request& request, const config::Provider& provider,
                                  dialect::Speaker speaker) {
    auto asked = request;
    const bool maker = made_the_dialect(provider, dialect::kind_of(speaker));
    if (!maker) asked.dialect.clear();  // as a client of another dialect would say it
    Plain plain{dialect::fit(std::move(asked), speaker, provider.drop_untranslatable), {}};
    auto& fitted = plain.fitted;
    if (fitted.refused) return {};
    if (!maker && !leave_out_hosted(fitted)) return {};
    if (!maker) say_items_as_functions(fitted);
    if (!maker && request.legacy_functions) fitted.applied.emplace(kFunctions);
    plain.unusual = fitted.applied;
    if (maker) std::erase_if(plain.unusual, [](const std::string& what) { return what != kOrder; });
    if (plain.unusual.empty()) return {};
    return plain;
}

bool refuses_thoughts(std::string_view refusal) {
    const bool about = has_any(refusal, {"thinking", "thought"});
    if (about &&
        has_any(refusal, {"invalid `signature`", "invalid signature", "invalid thought", "signature is not valid",
                          "signature is invalid", "signature: field required", "corrupted thought"}))
        return true;
    if (has_any(refusal, {"`thinking` or `redacted_thinking`", "thinking or redacted_thinking"})) return true;
    const bool sealed = has_any(refusal, {"encrypted content", "encrypted_content"});
    if (sealed && has_any(refusal, {"invalid_encrypted_content", "could not be verified", "could not be decrypted",
                                    "was not issued"}))
        return true;
    return has_any(refusal, {"'reasoning'", "'rs_"}) && has_any(refusal, {"without its required", "not found"});
}

void forget_thoughts(chat::Request& request) {
    for (auto& message : request.messages)
        std::erase_if(message.parts, [](const chat::Part& part) { return part.as<chat::ReasoningPart>() != nullptr; });
    std::erase_if(request.messages,
                  [](const chat::Message& m) { return m.role == chat::Role::assistant && m.parts.empty(); });
}

}  // namespace tandem::translate
