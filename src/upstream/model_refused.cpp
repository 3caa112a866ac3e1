#include "upstream/model_refused.h"

#include <algorithm>
#include <initializer_list>
#include <string>

namespace tandem::upstream {

namespace {

bool has_any(std::string_view text, std::initializer_list<std::string_view> parts) {
    return std::ranges::any_of(parts, [&](auto part) { return text.find(part) != std::string_view::npos; });
}

// Whether `begin` stands there with `end` in the same sentence, not far behind it: "model `x` does not exist".
bool has_near(std::string_view text, std::string_view begin, std::initializer_list<std::string_view> ends) {
    constexpr std::size_t kNear = 160;
    for (auto at = text.find(begin); at != std::string_view::npos; at = text.find(begin, at + 1))
        if (has_any(text.substr(at, kNear), ends)) return true;
    return false;
}

}  // namespace

std::optional<ModelRefused> model_refused(int status, std::string_view words) {
    constexpr int kBadRequest = 400, kForbidden = 403, kNotFound = 404, kUnprocessable = 422;
    if (status != kBadRequest && status != kForbidden && status != kNotFound && status != kUnprocessable) return {};
    // OpenAI: "This model is only supported in v1/responses and not in v1/chat/completions.", "This is not a chat model
    // and thus not supported in the v1/chat/completions endpoint. Did you mean to use v1/completions?"
    if (has_near(words, "only supported in", {"v1/responses"}) || has_near(words, "use the", {"v1/responses"}) ||
        has_near(words, "did you mean to use", {"v1/responses"}))
        return ModelRefused::responses_only;
    if (has_any(words, {"not a chat model"}) || has_near(words, "not supported in", {"v1/chat/completions"}))
        return ModelRefused::other_api;
    // The codes of OpenAI, Groq, vLLM, Mistral; the sentences of Anthropic, Gemini, Ollama, DeepSeek, OpenRouter.
    if (has_any(words, {"model_not_found", "model_decommissioned", "invalid_model", "no such model", "unknown model",
                        "model not exist", "is not a valid model"}))
        return ModelRefused::unknown;
    // 403 is about the key, but for the code above.
    if (status == kForbidden) return {};
    if (has_near(words, "model",
                 {"does not exist", "not found, try pulling", "is not found", "has been deprecated",
                  "has been decommissioned"}))
        return ModelRefused::unknown;
    if (status == kNotFound &&
        (has_near(words, "model", {"not found"}) || has_near(words, "not_found_error", {"model:"})))
        return ModelRefused::unknown;
    return {};
}

}  // namespace tandem::upstream
