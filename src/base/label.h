// How private a piece of content is, and how far a provider is from home.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tandem {

// Ordered: a label only ever rises.
enum class Label : std::uint8_t { public_ = 0, internal = 1, private_ = 2, secret = 3 };

enum class Zone : std::uint8_t { local = 0, cloud = 1 };

inline constexpr std::array<std::string_view, 4> kLabelNames = {"public", "internal", "private", "secret"};
inline constexpr std::array<std::string_view, 2> kZoneNames = {"local", "cloud"};

inline std::string_view name_of(Label label) {
    return kLabelNames[static_cast<std::size_t>(label)];
}
inline std::string_view name_of(Zone zone) {
    return kZoneNames[static_cast<std::size_t>(zone)];
}

inline std::optional<Label> label_from(std::string_view name) {
    for (std::size_t i = 0; i < kLabelNames.size(); ++i)
        if (kLabelNames[i] == name) return static_cast<Label>(i);
    return std::nullopt;
}

inline std::optional<Zone> zone_from(std::string_view name) {
    for (std::size_t i = 0; i < kZoneNames.size(); ++i)
        if (kZoneNames[i] == name) return static_cast<Zone>(i);
    return std::nullopt;
}

inline Label higher(Label a, Label b) {
    return a < b ? b : a;
}

}  // namespace tandem
