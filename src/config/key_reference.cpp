#include "config/key_reference.h"

#include <yaml-cpp/yaml.h>

#include "base/text.h"
#include "config/reader.h"

namespace tandem::config {

std::string key_reference(const Config& config, const std::string& provider) {
    try {
        const auto root = YAML::Load(shield_variables(config.text));
        const auto entry = root["providers"][provider];
        auto node = entry["api_key"];
        if (!node && entry["api_keys"] && entry["api_keys"].IsSequence()) node = entry["api_keys"][0];
        if (!node || !node.IsScalar()) return {};
        const auto text = node.Scalar();
        // "${NAME}", whose braces are shielded from the parser.
        const auto name = text.size() > 3 ? text.substr(2, text.size() - 3) : std::string();
        const bool variable = text.starts_with("$`") && text.ends_with('`') && name.find('`') == std::string::npos;
        if (variable && !name.empty()) return printable("$" + name, 80);
        const bool named = text.starts_with("file:") || text.starts_with("credential:");
        return named ? printable(text, 120) : std::string();
    } catch (const YAML::Exception&) {
        return {};  // it was read before, so only words are missing
    }
}

}  // namespace tandem::config
