// The presets, as the rules that an owner could have written. `tandem policy show` prints them; to change one, copy
// its rules into tandem.yaml under `policy: rules:` and edit them there.
#include <fmt/format.h>

#include <array>

#include "config/config.h"

namespace tandem::config {

namespace {

struct Preset {
    std::string_view name;
    std::string_view rules;
};

constexpr std::array kPresets = {
    Preset{"hybrid", R"(rules:
  # The model with the greatest expected utility comes first: how likely its answer is good, plus `zone_bias` where it
  # is in the preferred zone (as a share of a good answer), less cost and waiting. So 0.3 says: home, unless a good
  # answer is likelier elsewhere by more than three tenths.
  # Private material stays home whatever else holds. Clearance excludes the cloud already; this rule says why.
  - { name: private-material, label: private, prefer: local }
  # Marked by the x-tandem-stakes header, or by the key: worth the best model.
  - { name: high-value, asked_stakes: high, prefer: cloud, zone_bias: 0.25 }
  # The same kind of prompt over and over: what a smaller model is for.
  - { name: repetitive-work, repeats: 3, prefer: local, zone_bias: 0.4 }
  - { name: everyday, prefer: local, zone_bias: 0.3 }
)"},
    Preset{"local-first", R"(rules:
  - { name: local-first, prefer: local }
)"},
    Preset{"cloud-first", R"(rules:
  - { name: private-material, label: private, prefer: local }
  - { name: cloud-first, prefer: cloud }
)"},
    Preset{"learned", R"(rules:
  - { name: private-material, label: private, prefer: local }
  # Whatever is worth most: quality as it was learned, less cost and waiting.
  - { name: learned, prefer: best }
)"},
};

}  // namespace

std::string_view preset_text(std::string_view preset) {
    for (const auto& entry : kPresets)
        if (entry.name == preset) return entry.rules;
    return {};
}

std::vector<std::string> preset_names() {
    std::vector<std::string> names;
    for (const auto& entry : kPresets) names.emplace_back(entry.name);
    return names;
}

std::string rules_as_yaml(const Policy& policy) {
    if (!policy.preset.empty()) return std::string(preset_text(policy.preset));
    std::string out = "rules:\n";
    for (const auto& rule : policy.rules) {
        out += fmt::format("  - {{ name: {}", rule.name);
        if (rule.label) out += fmt::format(", label: {}", name_of(*rule.label));
        if (rule.high_value) out += fmt::format(", asked_stakes: {}", *rule.high_value ? "high" : "normal");
        if (rule.difficulty) out += fmt::format(", difficulty: {}", *rule.difficulty);
        if (rule.prompt_tokens) out += fmt::format(", prompt_tokens: {}", *rule.prompt_tokens);
        if (rule.repeats) out += fmt::format(", repeats: {}", *rule.repeats);
        if (rule.needs) out += fmt::format(", needs: {}", name_of(*rule.needs));
        if (!rule.key.empty()) out += fmt::format(", key: {}", rule.key);
        out += fmt::format(", prefer: {}", kPreferNames[static_cast<std::size_t>(rule.prefer)]);
        if (rule.lean != 1) out += fmt::format(", zone_bias: {}", rule.lean);
        if (rule.stakes) out += fmt::format(", stakes: {}", kStakesNames[static_cast<std::size_t>(*rule.stakes)]);
        if (rule.only) out += fmt::format(", only: {}", name_of(*rule.only));
        if (!rule.fallback) out += ", fallback: false";
        if (rule.cascade)
            out += rule.agree > 0 || rule.sure > 0
                       ? fmt::format(", cascade: {{ agree: {}, sure: {} }}", rule.agree, rule.sure)
                       : std::string(", cascade: true");
        out += " }\n";
    }
    return out;
}

}  // namespace tandem::config
