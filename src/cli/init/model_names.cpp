// What the names of models say.
#include <algorithm>

#include "base/text.h"
#include "cli/init/discover.h"
#include "routing/known_models.h"

namespace tandem::cli {

using config::Capability;

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
    const auto text = lower(name);
    for (const auto* part : {"whisper", "tts", "stable-diffusion", "sdxl", "dall-e", "flux.1", "bark", "piper", "sora",
                             "gpt-image", "clip-vit", "text-moderation", "omni-moderation"})
        if (text.find(part) != std::string::npos) return true;
    return false;
}

}  // namespace tandem::cli
