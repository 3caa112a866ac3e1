// What the names of models say.
#include <algorithm>

#include "base/text.h"
#include "cli/init/clouds.h"
#include "cli/init/discover.h"
#include "routing/known_models.h"

namespace tandem::cli {

using config::Capability;

namespace {

// In lower case, without who made it: "openai/GPT-5".
std::string own_name(std::string_view name) {
    return lower(name.substr(name.rfind('/') == std::string_view::npos ? 0 : name.rfind('/') + 1));
}

}  // namespace

double parameters_in(std::string_view name) {
    return static_cast<double>(routing::parameters_in_name(name)) / 1e9;
}

std::optional<Capability> other_work_in(std::string_view name) {
    if (routing::is_reranker(name)) return Capability::rerank;
    if (routing::is_embedder(name)) return Capability::embeddings;
    return {};
}

bool is_plain_name(std::string_view name) {
    constexpr std::size_t kLongest = 200;
    return !name.empty() && name.size() <= kLongest && name.find('$') == std::string_view::npos &&
           std::ranges::none_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

bool is_no_text_model(std::string_view name) {
    const auto text = own_name(name);
    for (const auto* part : {"whisper", "tts", "stable-diffusion", "sdxl", "dall-e", "flux.1", "bark", "piper", "sora",
                             "gpt-image", "chatgpt-image", "clip-vit", "text-moderation", "omni-moderation",
                             "-transcribe", "-realtime", "flash-image", "-image-preview", "native-audio"})
        if (text.find(part) != std::string::npos) return true;
    // Qwen2-Audio and its like take text too.
    const bool of_a_cloud = text.starts_with("gpt-") || text.starts_with("gemini-");
    return text.starts_with("imagen-") || text.starts_with("veo-") ||
           (of_a_cloud && text.find("-audio") != std::string::npos);
}

bool is_no_chat_model(std::string_view name) {
    const auto text = own_name(name);
    if (text == "babbage-002" || text == "davinci-002") return true;
    for (const auto* part : {"-turbo-instruct", "computer-use", "-search-api", "-deep-research"})
        if (text.find(part) != std::string::npos) return true;
    return is_no_text_model(name);
}

// OpenAI's pages of these models have v1/responses alone of the two; the same in the lists of LiteLLM (`mode`).
bool is_responses_only(std::string_view name) {
    auto text = own_name(name);
    text = std::string(without_date(text));
    if (text.starts_with("codex-mini") || text == "o1-pro" || text == "o3-pro") return true;
    return text.starts_with("gpt-5") && (text.ends_with("-pro") || text.find("-codex") != std::string::npos);
}

}  // namespace tandem::cli
