// What the names of models say.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "cli/init/discover.h"

namespace tandem::cli {

using config::Capability;

double parameters_in(std::string_view name) {
    const auto text = lower(name);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool begins = std::isdigit(static_cast<unsigned char>(text[i])) != 0 &&
                            (i == 0 || std::string_view("-_:/ x").find(text[i - 1]) != std::string_view::npos);
        if (!begins) continue;
        double number = 0;
        const auto [end, error] = std::from_chars(text.data() + i, text.data() + text.size(), number);
        const auto at = static_cast<std::size_t>(end - text.data());
        if (error != std::errc() || at >= text.size() || number <= 0) continue;
        const bool ends = at + 1 == text.size() || std::isalnum(static_cast<unsigned char>(text[at + 1])) == 0;
        if (ends && text[at] == 'b') return number;
        if (ends && text[at] == 'm') return number / 1000;
    }
    return 0;
}

std::optional<Capability> other_work_in(std::string_view name) {
    const auto text = lower(name);
    auto has = [&](std::string_view part) { return text.find(part) != std::string::npos; };
    if (has("rerank")) return Capability::rerank;
    for (const auto* part : {"embed", "minilm", "bge-", "gte-", "-e5-", "e5-", "paraphrase-", "snowflake-arctic-e"})
        if (has(part)) return Capability::embeddings;
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
